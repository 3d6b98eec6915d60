//! Laws of the seam: watching and putting back change nothing, hooks compose in order, what does not fire is an error.

use super::common::*;
use patchclamp::hook::{Activation, Change, Differentiate, Edit, Edits, Hook, Record};
use patchclamp::model::{HookError, Pass, Start, run};
use patchclamp::site::{Place, Site};
use patchclamp::tensor::to_floats;
use patchclamp::text::{Padding, Tokens};

/// Three rows of six positions, two of them padded: nothing in these laws may depend on padding.
fn batch() -> Tokens {
    random_tokens(&[6, 5, 3], Padding::Left)
}

fn all_models() -> impl Iterator<Item = &'static str> {
    DECODERS.into_iter().chain(ENCODERS)
}

fn put(place: Place, act: &Activation) -> Edit {
    let change = Change::Put(picked(act, &place));
    Edit { place, change }
}

/// Rows, heads, positions and neurons that do not lie side by side.
fn scattered(site: Site, [rows, heads, positions, width]: [usize; 4]) -> Place {
    let ends = |count: usize| Some(if count > 2 { vec![0, count - 1] } else { vec![count - 1] });
    Place { site, rows: ends(rows), heads: ends(heads), positions: ends(positions), neurons: ends(width) }
}

#[test]
fn an_identity_patch_changes_no_bit() {
    let tokens = batch();
    for case in all_models() {
        let model = load(case).model;
        let plain = bits(&logits(model.as_ref(), &tokens, &mut ()));
        let record = recorded(model.as_ref(), &tokens, model.sites());
        let mut every = Vec::new();
        for (site, act) in record.kept() {
            for place in [Place::all(*site), scattered(*site, act.dims())] {
                let edit = put(place, act);
                let patched = logits(model.as_ref(), &tokens, &mut Edits::new(vec![edit.clone()]));
                assert!(bits(&patched) == plain, "{case}: putting back {site} changes the logits");
                every.push(edit);
            }
        }
        let patched = logits(model.as_ref(), &tokens, &mut Edits::new(every));
        assert!(bits(&patched) == plain, "{case}: putting everything back changes the logits");
    }
}

#[test]
fn watching_changes_nothing() {
    let tokens = batch();
    for case in all_models() {
        let model = load(case).model;
        let plain = bits(&logits(model.as_ref(), &tokens, &mut ()));
        let mut record = Record::of(model.sites());
        assert!(bits(&logits(model.as_ref(), &tokens, &mut record)) == plain, "{case}: recording changes the logits");
        assert_eq!(record.kept().len(), model.sites().len());
        let logits_site = record.at(Site::Logits).unwrap();
        assert!(bits(logits_site) == plain, "{case}: the logits' own site has other logits");
        for site in model.sites() {
            let watched = logits(model.as_ref(), &tokens, &mut Record::of([site]));
            assert!(bits(&watched) == plain, "{case}: recording {site} changes the logits");
        }
        assert!(bits(&logits(model.as_ref(), &tokens, &mut ())) == plain, "{case}: a recording was left behind");
    }
}

#[test]
fn a_tape_and_zero_leaves_change_nothing_but_rounding() {
    /// The library's softmax takes other steps where it may be asked for gradients.
    const TOLERANCE: f32 = 1e-5;
    let tokens = batch();
    for case in all_models() {
        let model = load(case).model;
        let plain = logits(model.as_ref(), &tokens, &mut ());
        let taped = model.on_tape();
        let differentiated = logits(taped.as_ref(), &tokens, &mut Differentiate::at(model.sites()));
        assert_close(&differentiated.inner(), &plain, TOLERANCE, case);
    }
}

#[test]
fn hooks_of_a_tuple_act_from_left_to_right() {
    let tokens = batch();
    for case in ["gpt2", "llama", "bert"] {
        let model = load(case).model;
        for site in [Site::ResidPre(1), Site::Mix(0), Site::HeadOut(1), Site::Pattern(0)] {
            let edit = |change| Edits::new(vec![Edit { place: Place::all(site), change }]);
            let (double, add) =
                (|| edit(Change::Scale(2.0)), || edit(Change::Add(random_tensor([1, 1, 1, 1], 5) + 3.0)));
            let plain = recorded(model.as_ref(), &tokens, [site]).at(site).unwrap().clone();
            let one = random_tensor([1, 1, 1, 1], 5) + 3.0;

            let mut hook = (double(), (Record::of([site]), (add(), Record::of([site]))));
            logits(model.as_ref(), &tokens, &mut hook);
            let (_, (between, (_, after))) = hook;
            let doubled = plain.clone() * 2.0;
            assert!(bits(between.at(site).unwrap()) == bits(&doubled), "{case} {site}: not after the first edit");
            assert!(bits(after.at(site).unwrap()) == bits(&(doubled + one.clone())), "{case} {site}: not after both");

            let mut hook = ((Record::of([site]), add()), (double(), Record::of([site])));
            logits(model.as_ref(), &tokens, &mut hook);
            let ((before, _), (_, after)) = hook;
            assert!(bits(before.at(site).unwrap()) == bits(&plain), "{case} {site}: not before the edits");
            assert!(bits(after.at(site).unwrap()) == bits(&((plain + one) * 2.0)), "{case} {site}: order reversed");
        }
    }
}

#[test]
fn edits_of_one_hook_act_in_their_order() {
    let (tokens, site, model) = (batch(), Site::MlpOut(0), load("llama").model);
    let edit = |change| Edit { place: Place::all(site), change };
    let value = random_tensor([1, 1, 1, 24], 1);
    let (put, scale) = (edit(Change::Put(value.clone())), edit(Change::Scale(3.0)));
    let after = |edits: Vec<Edit>| {
        let mut hook = (Edits::new(edits), Record::of([site]));
        logits(model.as_ref(), &tokens, &mut hook);
        to_floats(&hook.1.at(site).unwrap().clone().narrow(0, 1, 1).narrow(2, 2, 1))
    };
    assert_eq!(after(vec![put.clone(), scale.clone()]), to_floats(&(value.clone() * 3.0)));
    assert_eq!(after(vec![scale, put]), to_floats(&value));
}

#[test]
fn a_site_that_the_model_lacks_is_an_error() {
    let tokens = batch();
    let lacking = [
        ("llama", Site::PosEmbed),
        ("gpt2", Site::RotKey(0)),
        ("gpt2", Site::MlpPreLinear(1)),
        ("pythia-parallel", Site::ResidMid(0)),
        ("gpt2", Site::ResidPre(2)),
        ("bert", Site::ResidPost(2)),
        ("gpt2", Site::NormalizedResidPost(0)),
    ];
    for (case, site) in lacking {
        let model = load(case).model;
        let edits = || Edits::new(vec![Edit { place: Place::all(site), change: Change::Scale(0.0) }]);
        let nothing_more = || Record::of([Site::Embed]);
        let hooks: [Box<dyn Hook>; 4] = [
            Box::new(Record::of([Site::Embed, site])),
            Box::new(edits()),
            Box::new(Differentiate::at([site])),
            Box::new((nothing_more(), (edits(), nothing_more()))),
        ];
        for mut hook in hooks {
            let error = run(model.as_ref(), &Pass::whole(&tokens), hook.as_mut()).err();
            assert_eq!(error, Some(HookError::NoSuchSite(site)), "{case}");
        }
    }
}

#[test]
fn a_site_that_does_not_fire_is_an_error() {
    let tokens = batch();
    for case in ["gpt2", "llama", "bert"] {
        let model = load(case).model;
        let stream = recorded(model.as_ref(), &tokens, [Site::ResidPre(1)]).at(Site::ResidPre(1)).unwrap().clone();
        let pass = Pass { start: Start::at(1, stream.squeeze_dim(1)), ..Pass::whole(&tokens) };
        for site in model.sites() {
            let fired = run(model.as_ref(), &pass, &mut Record::of([site]));
            let expected = (!pass.reaches(site)).then_some(HookError::Visits { site, times: 0 });
            assert_eq!(fired.err(), expected, "{case} {site}");
        }
        let early = model.sites().into_iter().filter(|site| !pass.reaches(*site)).collect::<Vec<_>>();
        assert!(early.contains(&Site::Embed) && early.contains(&Site::MlpOut(0)) && !early.contains(&Site::MlpOut(1)));
    }
}

#[test]
fn every_site_fires_once_and_in_the_order_that_the_model_says() {
    struct Order(Vec<Site>);
    impl Hook for Order {
        fn visit(&mut self, site: Site, act: Activation) -> Activation {
            self.0.push(site);
            act
        }
        fn wants(&self, _: Site) -> bool {
            true
        }
    }
    for case in all_models() {
        let model = load(case).model;
        let mut order = Order(Vec::new());
        logits(model.as_ref(), &batch(), &mut order);
        assert_eq!(order.0, model.sites(), "{case}");
    }
}
