//! Laws of edits: only the chosen rows, heads, positions and neurons change, and a head's result is its z through W_O.

use super::common::*;
use patchclamp::hook::{Activation, Change, Edit, Edits, Record};
use patchclamp::model::Model;
use patchclamp::site::{Place, Site};
use patchclamp::tensor::{Tensor, to_floats};
use patchclamp::text::{Padding, Tokens};

/// Two ways of adding the same numbers in f32, on logits of a few tens at most.
const TOLERANCE: f32 = 2e-5;

fn batch() -> Tokens {
    random_tokens(&[6, 6, 6], Padding::Right)
}

/// What a change makes of a whole activation, number by number.
fn by_hand(act: &Activation, place: &Place, change: &Change) -> Vec<f32> {
    let (dims, axes) = (act.dims(), place.axes());
    let within = |axis: usize, index: usize| match axes[axis] {
        Some(indices) => indices.iter().position(|one| *one == index),
        None => Some(index),
    };
    let (given, lengths) = match change {
        Change::Put(value) | Change::Add(value) => (to_floats(value), value.dims()),
        _ => (Vec::new(), [0; 4]),
    };
    let changed = |(flat, value): (usize, f32)| {
        let index = unravelled(flat, dims);
        let inside: Option<Vec<usize>> = (0..4).map(|axis| within(axis, index[axis])).collect();
        let Some(inside) = inside else { return value };
        let at = |axis: usize| inside[axis].min(lengths[axis] - 1);
        let given = || given[(0..4).fold(0, |flat, axis| flat * lengths[axis] + at(axis))];
        match change {
            Change::Put(_) => given(),
            Change::Add(_) => value + given(),
            Change::Scale(factor) => value * *factor as f32,
            Change::Map(..) => unreachable!("a map has its own law"),
        }
    };
    to_floats(act).into_iter().enumerate().map(changed).collect()
}

fn unravelled(flat: usize, [_, heads, positions, width]: [usize; 4]) -> [usize; 4] {
    [flat / (heads * positions * width), flat / (positions * width) % heads, flat / width % positions, flat % width]
}

/// A place with few indices in no order, some axes whole.
fn places(site: Site, [_, heads, _, width]: [usize; 4]) -> Vec<Place> {
    let all = Place::all(site);
    let head = Some(vec![heads - 1]);
    let neurons = Some(if width > 2 { vec![width - 1, 0, 1] } else { vec![0] });
    vec![
        Place { rows: Some(vec![2, 0]), ..all.clone() },
        Place { heads: head.clone(), ..all.clone() },
        Place { positions: Some(vec![4, 1, 2]), ..all.clone() },
        Place { neurons: neurons.clone(), ..all.clone() },
        Place { rows: Some(vec![1]), heads: head, positions: Some(vec![5, 0]), neurons, ..all.clone() },
        Place { rows: Some(Vec::new()), ..all.clone() },
        all,
    ]
}

#[test]
fn an_edit_touches_only_its_place() {
    let tokens = batch();
    for case in ["gpt2", "llama"] {
        let model = load(case).model;
        for site in model.sites().into_iter().filter(|site| *site != Site::Logits) {
            let plain = recorded(model.as_ref(), &tokens, [site]).at(site).unwrap().clone();
            for place in places(site, plain.dims()) {
                let block = picked(&plain, &place).dims();
                let narrow = [1, block[1], 1, block[3]];
                let mut changes = vec![Change::Scale(-0.5)];
                if !block.contains(&0) {
                    changes.push(Change::Put(random_tensor(block, 3)));
                    changes.push(Change::Put(random_tensor(narrow, 4)));
                    changes.push(Change::Add(random_tensor(block, 5)));
                }
                for change in changes {
                    let expected = by_hand(&plain, &place, &change);
                    let edit = Edit { place: place.clone(), change };
                    let mut hook = (Edits::new(vec![edit]), Record::of([site]));
                    logits(model.as_ref(), &tokens, &mut hook);
                    assert!(to_floats(hook.1.at(site).unwrap()) == expected, "{case} {place:?}");
                }
            }
        }
    }
}

#[test]
fn a_map_of_chosen_neurons_leaves_the_others() {
    let (tokens, model, site) = (batch(), load("gpt2").model, Site::ResidPre(1));
    let neurons = [3, 9, 4];
    let (weight, bias): (Tensor<2>, Tensor<1>) = (random_tensor([3, 3], 1), random_tensor([3], 2));
    let place = Place { rows: Some(vec![1]), neurons: Some(neurons.to_vec()), ..Place::all(site) };
    let plain = to_floats(recorded(model.as_ref(), &tokens, [site]).at(site).unwrap());
    let edits = Edits::new(vec![Edit { place, change: Change::Map(weight.clone(), bias.clone()) }]);
    let mut hook = (edits, Record::of([site]));
    logits(model.as_ref(), &tokens, &mut hook);
    let found = to_floats(hook.1.at(site).unwrap());
    let (weight, bias) = (to_floats(&weight), to_floats(&bias));
    for (flat, value) in found.iter().enumerate() {
        let (row, start, neuron) = (flat / (6 * 24), flat / 24 * 24, flat % 24);
        let expected = match neurons.iter().position(|one| *one == neuron) {
            Some(out) if row == 1 => {
                (0..3).map(|at| plain[start + neurons[at]] * weight[out * 3 + at]).sum::<f32>() + bias[out]
            }
            _ => plain[flat],
        };
        assert!((value - expected).abs() < TOLERANCE, "row {row} neuron {neuron}: {value}, {expected}");
    }
}

#[test]
fn other_rows_and_earlier_positions_change_no_bit() {
    let tokens = batch();
    for case in DECODERS {
        let model = load(case).model;
        let plain = logits(model.as_ref(), &tokens, &mut ());
        for site in model.sites() {
            let place = Place { rows: Some(vec![1]), positions: Some(vec![3]), ..Place::all(site) };
            let edit = Edit { place, change: Change::Scale(0.25) };
            let edited = logits(model.as_ref(), &tokens, &mut Edits::new(vec![edit]));
            for row in [0, 2] {
                let same = bits(&edited.clone().narrow(0, row, 1)) == bits(&plain.clone().narrow(0, row, 1));
                assert!(same, "{case}: an edit of {site} in row 1 reaches row {row}");
            }
            let (before, plain) = (edited.clone().narrow(0, 1, 1), plain.clone().narrow(0, 1, 1));
            let same = bits(&before.clone().narrow(1, 0, 3)) == bits(&plain.clone().narrow(1, 0, 3));
            assert!(same, "{case}: an edit of {site} at position 3 reaches an earlier one");
            let acts = bits(&before.narrow(1, 3, 1)) != bits(&plain.narrow(1, 3, 1));
            assert!(acts || matches!(site, Site::Key(_) | Site::Scores(_)), "{case}: an edit of {site} does nothing");
        }
    }
}

/// z of one layer and the output map of each head, `[1, head, d_head, d_model]`.
fn head_maps(model: &dyn Model, layer: usize) -> Activation {
    model.block(layer).attention.out_by_head()
}

#[test]
fn an_edit_of_a_heads_result_is_the_edit_of_its_z() {
    let tokens = batch();
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        for layer in 0..model.dims().layers {
            let z = recorded(model.as_ref(), &tokens, [Site::Mix(layer)]).at(Site::Mix(layer)).unwrap().clone();
            let other = random_tensor(z.dims(), 9);
            let result = other.clone().matmul(head_maps(model.as_ref(), layer));
            let heads = Some(vec![model.dims().heads - 1, 0]);
            let edit = |site, value: &Activation| {
                let place = Place {
                    rows: Some(vec![0, 2]),
                    heads: heads.clone(),
                    positions: Some(vec![1, 4]),
                    ..Place::all(site)
                };
                let value = picked(value, &place);
                logits(model.as_ref(), &tokens, &mut Edits::new(vec![Edit { place, change: Change::Put(value) }]))
            };
            let (by_result, by_z) = (edit(Site::HeadOut(layer), &result), edit(Site::Mix(layer), &other));
            assert_close(&by_result, &by_z, TOLERANCE, &format!("{case} layer {layer}"));
            let plain = logits(model.as_ref(), &tokens, &mut ());
            assert!(largest_difference(&by_z, &plain) > 0.01, "{case}: the edit does nothing");
        }
    }
}

/// What attention writes from the sum of its heads: the output bias added, and the norm behind it, where there is one.
fn behind_attention(model: &dyn Model, layer: usize, heads: Activation) -> Activation {
    let block = model.block(layer);
    let whole = match &block.attention.out.bias {
        Some(bias) => heads + bias.clone().unsqueeze(),
        None => heads,
    };
    block.norm1_post.as_ref().map_or(whole.clone(), |norm| norm.apply(whole))
}

#[test]
fn attention_without_its_heads_writes_its_output_bias() {
    let tokens = batch();
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        for layer in 0..model.dims().layers {
            let site = Site::AttnOut(layer);
            let zero = Edit { place: Place::all(Site::HeadOut(layer)), change: Change::Scale(0.0) };
            let mut hook = (Edits::new(vec![zero]), Record::of([site]));
            logits(model.as_ref(), &tokens, &mut hook);
            let written = hook.1.at(site).unwrap().clone();
            let bias = behind_attention(model.as_ref(), layer, written.zeros_like());
            // a norm behind attention enlarges what rounding leaves of nothing, by 1/√ε at most
            let enlarged = model.block(layer).norm1_post.as_ref().map_or(1.0, |norm| norm.eps.powf(-0.5)) as f32;
            assert_close(&written, &bias, TOLERANCE * enlarged, &format!("{case} layer {layer}"));
        }
    }
}

#[test]
fn a_heads_results_and_the_output_bias_sum_to_what_attention_writes() {
    let tokens = batch();
    for case in DECODERS.into_iter().chain(ENCODERS) {
        let model = load(case).model;
        for layer in 0..model.dims().layers {
            let record = recorded(model.as_ref(), &tokens, [Site::HeadOut(layer), Site::AttnOut(layer)]);
            let heads = record.at(Site::HeadOut(layer)).unwrap().clone().sum_dim(1);
            let whole = behind_attention(model.as_ref(), layer, heads);
            assert_close(&whole, record.at(Site::AttnOut(layer)).unwrap(), TOLERANCE, &format!("{case} layer {layer}"));
        }
    }
}

#[test]
fn what_all_heads_read_is_what_attention_reads() {
    let tokens = batch();
    for case in DECODERS {
        let model = load(case).model;
        let layer = 1;
        let change = random_tensor([3, 1, 6, model.dims().d_model], 8);
        let added = |sites: &[Site]| {
            let edit = |site: &Site| Edit { place: Place::all(*site), change: Change::Add(change.clone()) };
            let mut hook = (Edits::new(sites.iter().map(edit).collect()), Record::of([Site::AttnOut(layer)]));
            logits(model.as_ref(), &tokens, &mut hook);
            hook.1.at(Site::AttnOut(layer)).unwrap().clone()
        };
        let by_head = added(&[Site::QueryIn(layer), Site::KeyIn(layer), Site::ValueIn(layer)]);
        assert_close(&by_head, &added(&[Site::ResidPre(layer)]), TOLERANCE, case);
        assert!(largest_difference(&by_head, &added(&[])) > 0.01, "{case}: the edit does nothing");
    }
}
