//! Laws of passes: padding does not matter, and a pass that begins later equals the whole one.

use super::common::*;
use patchclamp::hook::{Activation, Change, Edit, Edits, Record};
use patchclamp::model::{Model, Pass, Past, Read, Start, run};
use patchclamp::site::{Layout, Place, Site};
use patchclamp::tensor::{Tensor, from_floats, from_ints, to_floats};
use patchclamp::text::{Padding, Tokens};

/// The issue's own bound on logits in f32, of which those of the goldens are a few units large.
const TOLERANCE: f32 = 1e-5;

/// The values of one row's real positions, from the first to the last.
fn real(act: &Activation, tokens: &Tokens, row: usize) -> Activation {
    let first = (0..tokens.width()).find(|position| tokens.is_real(row, *position)).unwrap();
    act.clone().narrow(0, row, 1).narrow(2, first, tokens.last(row) + 1 - first)
}

#[test]
fn padding_does_not_matter() {
    let rows = random_rows(&[7, 4, 2], 7);
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        let streams: Vec<Site> = model.sites().into_iter().filter(|site| site.layout() != Layout::Pattern).collect();
        let record = |tokens: &Tokens| recorded(model.as_ref(), tokens, streams.clone());
        let padded = [Padding::Left, Padding::Right].map(|side| Tokens::padded(rows.clone(), side, 9));
        let together = padded.each_ref().map(record);
        for (row, ids) in rows.iter().enumerate() {
            let alone = record(&Tokens::new(vec![ids.clone()]));
            for (tokens, together) in padded.iter().zip(&together) {
                for (site, act) in together.kept() {
                    let (act, alone) = (real(act, tokens, row), alone.at(*site).unwrap());
                    let size = to_floats(alone).into_iter().fold(1.0f32, |most, value| most.max(value.abs()));
                    let tolerance = if *site == Site::Logits { TOLERANCE } else { TOLERANCE * size };
                    assert_close(&act, alone, tolerance, &format!("{case} row {row} {site}"));
                }
            }
        }
    }
}

/// A pass over `tokens` that begins before `layer` at position `first`, and what it needs of the whole run.
struct Resumed {
    stream: Tensor<3>,
    past: Option<Past>,
}

impl Resumed {
    fn new(model: &dyn Model, record: &Record, layer: usize, first: usize) -> Self {
        let layers = model.dims().layers;
        let site = if layer < layers { Site::ResidPre(layer) } else { model.last_stream() };
        let stream: Tensor<3> = record.at(site).unwrap().clone().squeeze_dim(1);
        let width = stream.dims()[1];
        let past = (first > 0).then(|| Past::of(record, layers).until(first));
        Resumed { stream: stream.narrow(1, first, width - first), past }
    }

    fn pass<'a>(&'a self, tokens: &'a Tokens, layer: usize, first: usize) -> Pass<'a> {
        let start = Start::at(layer, self.stream.clone());
        Pass { tokens, start, first, past: self.past.as_ref(), read: Read::default() }
    }
}

/// Everything that a resumed pass may need, of a run left alone.
fn base(model: &dyn Model, tokens: &Tokens) -> Record {
    recorded(model, tokens, model.sites())
}

/// Changes at and above `layer`, at and after position `first`, of every kind.
fn edits(record: &Record, model: &dyn Model, layer: usize, first: usize) -> Vec<Edit> {
    let layers = model.dims().layers;
    if layer == layers {
        let last = model.final_norm().map_or(Site::Logits, |_| Site::FinalNormalized);
        let place = Place { positions: Some(vec![first]), ..Place::all(last) };
        return vec![Edit { place, change: Change::Scale(0.5) }];
    }
    let later = Some(vec![5, first]); // positions in no order
    let mix = record.at(Site::Mix(layer)).unwrap();
    let heads = Some(vec![1]);
    let place = Place { rows: Some(vec![1]), heads, positions: later.clone(), ..Place::all(Site::Mix(layer)) };
    let width = mix.dims()[3];
    let put = Change::Put(random_tensor([1, 1, 2, width], 21));
    let at = |site| Place { positions: later.clone(), ..Place::all(site) };
    let pattern = Place { neurons: Some(vec![0]), ..at(Site::Pattern(layers - 1)) };
    vec![
        Edit { place, change: put },
        Edit { place: pattern, change: Change::Scale(0.5) },
        Edit {
            place: at(Site::MlpOut(layer)),
            change: Change::Add(random_tensor([1, 1, 2, model.dims().d_model], 22)),
        },
        Edit { place: at(Site::Value(layers - 1)), change: Change::Scale(-1.0) },
        whole(record, Site::MlpPost(layer), first),
    ]
}

/// A whole activation put in, which is another one from position `first` on only.
fn whole(record: &Record, site: Site, first: usize) -> Edit {
    let own = record.at(site).unwrap();
    let [rows, heads, pos, width] = own.dims();
    let other = random_tensor([rows, heads, pos - first, width], 23);
    let value = own.clone().slice_assign([0..rows, 0..heads, first..pos, 0..width], other);
    Edit { place: Place::all(site), change: Change::Put(value) }
}

/// 1 at tokens and 0 at padding, `[batch, pos, 1]`: a padded query sees everything, later positions too, and nobody sees it.
fn ones_at_tokens(tokens: &Tokens, first: usize) -> Tensor<3> {
    let (rows, width) = (tokens.rows(), tokens.width() - first);
    let real = |at: usize| f32::from(tokens.is_real(at / width, first + at % width));
    from_floats((0..rows * width).map(real).collect(), [rows, width, 1], &device())
}

#[test]
fn a_resumed_run_equals_the_whole_run() {
    for case in DECODERS {
        let model = load(case).model;
        for tokens in [random_tokens(&[6, 6, 6], Padding::Right), random_tokens(&[6, 4, 5], Padding::Left)] {
            let (record, plain) = (base(model.as_ref(), &tokens), logits(model.as_ref(), &tokens, &mut ()));
            for (layer, first) in (0..=model.dims().layers).flat_map(|layer| (0..6).map(move |first| (layer, first))) {
                let resumed = Resumed::new(model.as_ref(), &record, layer, first);
                let (pass, real) = (resumed.pass(&tokens, layer, first), ones_at_tokens(&tokens, first));
                let what = format!("{case} from layer {layer}, position {first}");
                let close = |again: Tensor<3>, whole: &Tensor<3>| {
                    let whole = whole.clone().narrow(1, first, 6 - first);
                    assert_close(&(again * real.clone()), &(whole * real.clone()), TOLERANCE, &what);
                };
                close(run(model.as_ref(), &pass, &mut ()).unwrap(), &plain);
                let edits = || Edits::new(edits(&record, model.as_ref(), layer, first));
                let edited = logits(model.as_ref(), &tokens, &mut edits());
                close(run(model.as_ref(), &pass, &mut edits()).unwrap(), &edited);
                assert!(largest_difference(&edited, &plain) > 0.01, "{what}: the edits do nothing");
            }
        }
    }
}

#[test]
fn rows_go_on_from_any_row_as_often_as_they_like() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in ["gpt2", "llama", "mistral", "gemma2", "qwen3", "phi3-long"] {
        let model = load(case).model;
        let (layer, first, rows) = (1, 3, [1, 0, 0, 1, 1]);
        let resumed = Resumed::new(model.as_ref(), &base(model.as_ref(), &tokens), layer, first);
        let one = run(model.as_ref(), &resumed.pass(&tokens, layer, first), &mut ()).unwrap();
        let index = || from_ints(rows.iter().map(|row| *row as i32).collect(), [rows.len()], &device());
        let past = resumed.past.map(|past| past.of_rows(rows.to_vec()));
        let many = Resumed { stream: resumed.stream.select(0, index()), past };
        let copies = tokens.rows_at(&rows);
        let many = run(model.as_ref(), &many.pass(&copies, layer, first), &mut ()).unwrap();
        assert_close(&many, &one.select(0, index()), TOLERANCE, case);
    }
}

#[test]
fn rows_that_enter_at_several_layers_are_those_that_enter_alone() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in DECODERS {
        let model = load(case).model;
        let (record, layers, first) = (base(model.as_ref(), &tokens), model.dims().layers, 2);
        let alone: Vec<Resumed> =
            (0..=layers).map(|layer| Resumed::new(model.as_ref(), &record, layer, first)).collect();
        let streams = alone.iter().enumerate().map(|(layer, row)| (layer, row.stream.clone().narrow(0, 1, 1)));
        let past = alone[0].past.as_ref().map(|past| past.of_rows(vec![1; layers + 1]));
        let copies = tokens.rows_at(&vec![1; layers + 1]);
        let start = Start::Streams(streams.collect());
        let pass = Pass { tokens: &copies, start, first, past: past.as_ref(), read: Read::default() };
        let together = run(model.as_ref(), &pass, &mut ()).unwrap();
        for (layer, row) in alone.iter().enumerate() {
            let own = run(model.as_ref(), &row.pass(&tokens, layer, first), &mut ()).unwrap().narrow(0, 1, 1);
            assert_close(&together.clone().narrow(0, layer, 1), &own, TOLERANCE, &format!("{case} layer {layer}"));
        }
    }
}

#[test]
fn what_is_read_out_is_what_the_whole_run_gives() {
    let tokens = random_tokens(&[6, 4, 5], Padding::Left);
    let positions = vec![5, 3, 4];
    let chosen = vec![vec![4, 9, 4], vec![1, 2, 3], vec![47, 0, 8]];
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        let all = to_floats(&logits(model.as_ref(), &tokens, &mut ()));
        let vocabulary = model.dims().vocabulary;
        let one = |row: usize, position: usize, token: usize| all[(row * 6 + position) * vocabulary + token];
        for hook in [None, Some(Site::Logits)] {
            let read = Read { positions: Some(positions.clone()), tokens: Some(chosen.clone()) };
            let pass = Pass::whole(&tokens).reading(read);
            let found = run(model.as_ref(), &pass, &mut Record::of(hook)).unwrap();
            assert_eq!(found.dims(), [3, 1, 3]);
            for (at, found) in to_floats(&found).into_iter().enumerate() {
                let (row, index) = (at / 3, at % 3);
                let expected = one(row, positions[row], chosen[row][index] as usize);
                assert!((found - expected).abs() <= TOLERANCE, "{case} row {row}: {found}, {expected}");
            }
        }
    }
}

#[test]
fn the_last_stream_read_out_is_the_logits() {
    let tokens = random_tokens(&[6, 6], Padding::Right);
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        let record = recorded(model.as_ref(), &tokens, [model.last_stream(), Site::Logits]);
        let stream = record.at(model.last_stream()).unwrap().clone().squeeze_dim(1);
        let found = model.read_out(stream, &Read::default()).unsqueeze_dim(1);
        assert_close(&found, record.at(Site::Logits).unwrap(), TOLERANCE, case);
    }
}

/// Logits behind the last token of a growing text, with keys and values kept or the whole text run again.
#[test]
fn a_step_with_kept_keys_equals_the_whole_text() {
    for case in DECODERS {
        let model = load(case).model;
        let rows = random_rows(&[3, 3], 31);
        let new = random_rows(&[8, 8], 32);
        let mut tokens = Tokens::new(rows);
        let mut past: Option<Past> = None;
        for (step, next) in new[0].iter().zip(&new[1]).enumerate() {
            let width = tokens.width();
            past = past.filter(|_| model.keys_serve(width - 1, width));
            let first = if past.is_some() { width - 1 } else { 0 };
            let pass = Pass { first, past: past.as_ref(), ..Pass::whole(&tokens) };
            let layers = model.dims().layers;
            let mut record = Record::of(Past::sites(0, layers, model.is_rotary()));
            let cached = run(model.as_ref(), &pass, &mut record).unwrap();
            let kept = Past::of(&record, layers);
            let whole = logits(model.as_ref(), &tokens, &mut ());
            let later = whole.narrow(1, first, tokens.width() - first);
            assert_close(&cached, &later, TOLERANCE, &format!("{case} step {step}"));
            past = Some(past.map_or(kept.clone(), |past| past.followed_by(&kept)));
            tokens.push(&[*next.0, *next.1]);
        }
    }
}
