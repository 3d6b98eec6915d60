//! Laws of gradients and attributions: slopes are finite differences, and parts sum to the whole.

use super::common::*;
use patchclamp::hook::{Activation, Change, Differentiate, Edit, Edits};
use patchclamp::model::Model;
use patchclamp::site::{Place, Site};
use patchclamp::tensor::{Tensor, backward, from_floats, on_tape, to_floats};
use patchclamp::text::{Padding, Tokens};

/// Length of the longer step along a direction, in units of the activations: long enough that the rounding of f32
/// logits does not show, short enough that what curvature is left by extrapolation does not.
const STEP: f64 = 4e-3;
/// A gradient shorter than this needs a longer step to stand out of the rounding.
const SHORT: f64 = 10.0;
/// Of the gradient's length: a missing term of the chain rule shows as tens of per cent.
const TOLERANCE: f64 = 1e-2;

/// What is differentiated: a mixture of logits.
fn outcome(logits: Tensor<3>, mixture: Tensor<3>) -> Tensor<1> {
    (logits * mixture).sum()
}

/// A weight for each logit, `[batch, pos, vocabulary]`; none for padding, whose pattern is cut off from its scores.
fn mixture(model: &dyn Model, tokens: &Tokens) -> Tensor<3> {
    let (rows, width) = (tokens.rows(), tokens.width());
    let real = (0..rows * width).map(|at| f32::from(tokens.is_real(at / width, at % width))).collect();
    random_tensor([rows, width, model.dims().vocabulary], 11) * from_floats(real, [rows, width, 1], &device())
}

fn dot(a: &Activation, b: &Activation) -> f64 {
    to_floats(a).into_iter().zip(to_floats(b)).map(|(a, b)| f64::from(a) * f64::from(b)).sum()
}

/// The outcome's slope along `direction` at a site: central differences of two steps, extrapolated (Richardson).
fn difference(model: &dyn Model, tokens: &Tokens, site: Site, direction: &Activation, step: f64) -> f64 {
    let mixture = to_floats(&mixture(model, tokens));
    let at = |step: f64| -> f64 {
        let edit = Edit { place: Place::all(site), change: Change::Add(direction.clone() * step) };
        let logits = to_floats(&logits(model, tokens, &mut Edits::new(vec![edit])));
        logits.iter().zip(&mixture).map(|(logit, weight)| f64::from(*logit) * f64::from(*weight)).sum()
    };
    let central = |step: f64| (at(step) - at(-step)) / (2.0 * step);
    (4.0 * central(step / 2.0) - central(step)) / 3.0
}

#[test]
fn gradients_are_finite_differences_at_every_site() {
    let tokens = random_tokens(&[5, 3], Padding::Left);
    // a difference across the kink of a relu is no slope; opt's own parts stand in opt-bare and opt-behind with gelu
    let smooth = DECODERS.into_iter().chain(ENCODERS).filter(|case| *case != "opt");
    for case in smooth {
        let model = load(case).model;
        let taped = model.on_tape();
        let mut hook = Differentiate::at(model.sites());
        let logits = logits(taped.as_ref(), &tokens, &mut hook);
        let gradients = backward(&outcome(logits, on_tape(mixture(model.as_ref(), &tokens))));
        for (site, gradient) in hook.gradients(&gradients) {
            let length = dot(&gradient, &gradient).sqrt();
            assert!(length > 0.0, "{case}: no gradient at {site}");
            let step = STEP * (SHORT / length).max(1.0).sqrt();
            let random = random_tensor(gradient.dims(), 13);
            let unit = |direction: Activation| {
                let length = dot(&direction, &direction).sqrt();
                direction / length
            };
            let one_row = random.clone().slice_fill(0..1, 0.0); // items do not meet
            for direction in [unit(gradient.clone()), unit(random), unit(one_row)] {
                let slope = dot(&gradient, &direction);
                let found = difference(model.as_ref(), &tokens, site, &direction, step);
                let off = (slope - found).abs() / length;
                assert!(off < TOLERANCE, "{case} {site}: gradient {slope}, difference {found}, {off} of {length}");
            }
        }
    }
}

#[test]
fn attributions_sum_to_the_logit_difference() {
    /// Of sums over two dozen parts of a few units each, in f32.
    const TOLERANCE: f64 = 1e-4;
    for case in DECODERS {
        let loaded = load(case);
        if loaded.model.indivisible().is_some() {
            assert!(["gemma2", "opt-behind"].contains(&case), "{case} is not attributed");
            continue;
        }
        let text = question(&random_pairs(&[6, 4, 6], None), "DirectLogitAttribution", "");
        let (plan, outcome) = carry_out(&text, &loaded);
        let finding = &outcome.findings[0];
        let differences: Vec<f64> = plan.items.iter().map(|item| logit_difference(&loaded, item)).collect();
        for (item, difference) in differences.iter().enumerate() {
            let rows = finding.items[0].rows.iter().filter(|row| row.item == Some(item));
            let sum: f64 = rows.map(|row| row.effect).sum();
            assert!((sum - difference).abs() < TOLERANCE, "{case} item {item}: {sum}, {difference}");
        }
        let (sum, mean) = (
            finding.tables[0].rows.iter().map(|row| row.effect).sum::<f64>(),
            differences.iter().sum::<f64>() / differences.len() as f64,
        );
        assert!((sum - mean).abs() < TOLERANCE, "{case}: {sum}, {mean}");
        assert!(differences.iter().any(|difference| difference.abs() > 0.1), "{case}: nothing to attribute");
    }
}

fn logit_difference(loaded: &patchclamp::model::load::Loaded, item: &patchclamp::plan::Item) -> f64 {
    let answers = item.answers.clone().unwrap();
    let logits = logits(loaded.model.as_ref(), &Tokens::new(vec![item.clean.clone()]), &mut ());
    let logits = to_floats(&logits.narrow(1, answers.at, 1));
    f64::from(logits[answers.right[0] as usize]) - f64::from(logits[answers.wrong[0] as usize])
}
