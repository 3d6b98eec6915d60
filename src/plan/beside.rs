//! What is put in from another model: weights, part by part, or activations.

use super::{Known, Named, Problems, Sweep, cells};
use crate::data::bias::shares;
use crate::model::Model;
use crate::model::exchange::Exchange;
use crate::model::load::Loaded;
use crate::spec::{Direction, Experiment, PatchModels, PatchWeights};
use crate::tensor::to_doubles;
use crate::text::{Text, Tokens};
use patchclamp_probes::shapley::Game;
use std::rc::Rc;

/// Parts of which all sets are run where nobody says how many.
const FEW: usize = 8;
/// Parts above which sets are not counted.
const FEWER_THAN_OVERFLOW: usize = 20;
/// Pairs of orders below which shares say more of the orders than of the parts.
const PAIRS: usize = 10;
/// Logits of one model made twice differ by less, as a share of the largest; half precision rounds to 1e-3.
const SAME: f64 = 1e-2;

/// Weights to be put in, and which sets of parts are run.
#[derive(Clone)]
pub struct WeightPatching {
    /// What the other model is called.
    pub with: String,
    /// The model.
    pub other: Rc<Loaded>,
    /// The parts.
    pub exchange: Rc<Exchange>,
    /// Every set of parts that is run, each rising: none, all, each alone, all but each, and those of the game.
    pub sets: Vec<Vec<usize>>,
    /// How shares follow from the sets; none where shares are left out.
    pub game: Option<Game>,
    /// The label whose numbers the metric is held against, and its value for each item.
    pub along: Option<(String, Vec<f64>)>,
}

impl WeightPatching {
    /// The number of a set, which is among them.
    pub fn place(&self, set: &[usize]) -> usize {
        self.sets.iter().position(|other| other == set).expect("every set that is read is run")
    }
}

/// Activations to be put in.
#[derive(Clone)]
pub struct ModelPatching {
    /// What the other model is called.
    pub with: String,
    /// The model.
    pub other: Rc<Loaded>,
    /// The cells.
    pub sweep: Sweep,
    /// Which of the two is changed.
    pub direction: Direction,
}

pub(super) fn weights(
    at: &str,
    asked: &PatchWeights,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<WeightPatching> {
    if asked.shares.is_some() && asked.along.is_none() {
        problems.add(&format!("{at}.shares"), "are of a label's values; name the label in `along`");
    }
    let along = asked.along.as_ref().map(|_| numbers(at, asked, known, problems));
    let other = other(at, &asked.with, experiment, known, problems)?;
    let exchange = Exchange::new(known.model, other.model.as_ref(), asked.by);
    let exchange = exchange.map_err(|error| problems.add(&format!("{at}.with"), error.to_string())).ok()?;
    let parts = exchange.parts().len();
    if parts == 0 {
        problems.add(
            &format!("{at}.with"),
            format!("{:?} has the very same weights, so nothing can be put in", asked.with),
        );
        return None;
    }
    if differs_elsewhere(&exchange, known, other.model.as_ref()) {
        let what = format!(
            "{:?} differs in more than weights (rotary base, window, norm or function), so its weights alone do not make it; patch activations with PatchModels instead",
            asked.with
        );
        problems.add(&format!("{at}.with"), what);
        return None;
    }
    let game = game(at, parts, asked, experiment.seed, problems)?;
    let sets = sets(parts, game.as_ref());
    let along = match along {
        None => None,
        Some(values) => Some((asked.along.clone()?, values?)),
    };
    Some(WeightPatching { with: asked.with.clone(), other, exchange: Rc::new(exchange), sets, game, along })
}

/// The sets that shares need: all of a few parts, or drawn orders as far as is asked for; none where they are left out.
fn game(at: &str, parts: usize, asked: &PatchWeights, seed: u64, problems: &mut Problems) -> Option<Option<Game>> {
    let Some(most) = asked.sets else { return Some((parts <= FEW).then(|| Game::exact(parts))) };
    let needed = 2 * parts * PAIRS;
    let exact = parts <= FEWER_THAN_OVERFLOW && 1 << parts <= most;
    if most > 0 && !exact && most < needed {
        let what = format!(
            "{most} sets are orders of {parts} parts too few to share a change out by; write {needed} or more, 0 to leave shares out, or another `by`"
        );
        problems.add(&format!("{at}.sets"), what);
        return None;
    }
    Some((most > 0).then(|| Game::within(parts, most, seed)))
}

/// Whether all parts of the other model in this one are not the other model.
fn differs_elsewhere(exchange: &Exchange, known: &Known, other: &dyn Model) -> bool {
    let Some(item) = known.items.first() else { return false };
    let all: Vec<usize> = (0..exchange.parts().len()).collect();
    let tokens = Tokens::new(vec![item.clean.clone()]);
    let said = |model: &dyn Model| to_doubles(&model.forward(&tokens, &mut ()));
    let (made, whole) = (said(exchange.with(known.model, &all).as_ref()), said(other));
    let size = whole.iter().fold(1.0, |most: f64, logit| most.max(logit.abs()));
    made.iter().zip(&whole).any(|(made, whole)| (made - whole).abs() > SAME * size)
}

/// Every set of parts that is run, each once.
fn sets(parts: usize, game: Option<&Game>) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..parts).collect();
    let but = |part: usize| all.iter().copied().filter(|other| *other != part).collect();
    let fixed = [Vec::new(), all.clone()]
        .into_iter()
        .chain(all.iter().map(|part| vec![*part]))
        .chain(all.iter().map(|part| but(*part)));
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for set in fixed.chain(game.into_iter().flat_map(|game| game.coalitions().iter().cloned())) {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

pub(super) fn models(
    at: &str,
    asked: &PatchModels,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<ModelPatching> {
    let sweep = cells::resolve(at, &asked.sites, &asked.over, &asked.only, known, problems);
    let other = other(at, &asked.with, experiment, known, problems)?;
    let (own, theirs) = (known.dims(), other.model.dims());
    let widths =
        |dims: &crate::model::Dims| (dims.layers, dims.heads, dims.key_heads, dims.d_head, dims.d_model, dims.d_mlp);
    if widths(own) != widths(theirs) || known.sites != other.model.sites() {
        let what = format!(
            "{:?} has other layers, heads or widths, so its activations do not fit into this model",
            asked.with
        );
        problems.add(&format!("{at}.with"), what);
        return None;
    }
    Some(ModelPatching { with: asked.with.clone(), other, sweep: sweep?, direction: asked.direction })
}

/// The other model, which reads the same prompts.
fn other(at: &str, with: &str, experiment: &Experiment, known: &Known, problems: &mut Problems) -> Option<Rc<Loaded>> {
    let field = format!("{at}.with");
    let Some(variant) = experiment.against.iter().find(|variant| variant.name == with) else {
        let names: Vec<String> = experiment.against.iter().map(|variant| format!("{:?}", variant.name)).collect();
        let there =
            if names.is_empty() { "there is none".to_string() } else { format!("there are {}", names.join(", ")) };
        problems.add(&field, format!("no variant of `against` is called {with:?}; {there}"));
        return None;
    };
    if !experiment.treat.is_empty() {
        let what = "holds the model as its checkpoint has it against a variant, but `treat` changes the experiment's own weights; treat those of a variant";
        problems.add(at, what);
        return None;
    }
    if variant.process.is_some() {
        problems.add(&field, format!("the variant {with:?} has a `process` of its own, and weights that are folded otherwise cannot stand for each other; leave it out"));
        return None;
    }
    if variant.data.is_some() || variant.control.is_some() || variant.metric.is_some() {
        problems.add(&field, format!("the variant {with:?} has data, a control or a metric of its own, but both models are asked the same; leave these out"));
        return None;
    }
    let named = Named::Variant(with.to_string());
    let Some(other) = known.guests.iter().find(|guest| guest.named == named).map(|guest| guest.loaded.clone()) else {
        problems.add(&field, format!("the model of {with:?} was not loaded; plan it as one of the guests"));
        return None;
    };
    let vocabulary = |model: &dyn Model| model.dims().vocabulary;
    let tokens = match (&known.loaded.text, &other.text) {
        (Some(own), Some(theirs)) => same_tokens(own, theirs),
        _ => true,
    };
    if !tokens || vocabulary(known.model) != vocabulary(other.model.as_ref()) {
        problems.add(
            &field,
            format!("the tokens of {with:?} are others than this model's, so the two cannot read the same prompts"),
        );
        return None;
    }
    Some(other)
}

fn same_tokens(own: &Text, other: &Text) -> bool {
    let count = own.vocabulary();
    count == other.vocabulary() && (0..count as u32).all(|id| own.label(id) == other.label(id))
}

/// The number of a label's value for each item: the value itself, or the log-odds of its share.
fn numbers(at: &str, asked: &PatchWeights, known: &Known, problems: &mut Problems) -> Option<Vec<f64>> {
    let label = asked.along.as_ref()?;
    let table = match asked.shares.as_ref().map(shares).transpose() {
        Ok(table) => table,
        Err(error) => {
            problems.add(&format!("{at}.shares"), error.to_string());
            return None;
        }
    };
    let at = format!("{at}.along");
    let mut values = Vec::new();
    for item in known.items {
        let Some(value) = item.labels.get(label) else {
            problems.add(&at, format!("not every item has a label {label:?}; name one that all have"));
            return None;
        };
        let number = match &table {
            Some(table) => table.get(&value.to_lowercase()).map(|share| (share / (100.0 - share)).ln()),
            None => value.trim().parse::<f64>().ok(),
        };
        let Some(number) = number.filter(|number| number.is_finite()) else {
            let what = if table.is_some() { "has no share above 0 and below 100 per cent" } else { "is no number" };
            problems.add(
                &at,
                format!("{value:?} {what}; name a label of numbers, or `shares` that hold all of its values"),
            );
            return None;
        };
        values.push(number);
    }
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        problems.add(&at, format!("{label:?} is the same for all items, so nothing can be held against it"));
        return None;
    }
    Some(values)
}
