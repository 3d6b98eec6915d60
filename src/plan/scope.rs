//! Patchscopes: which states are read in which prompt.

use super::{Known, Problems, items, spots};
use crate::spec::{Experiment, Prompt, Role, Spot};

/// What a patchscope is asked for.
pub(super) struct Asked<'a> {
    /// The other prompt.
    pub prompt: &'a Prompt,
    /// The position there.
    pub at: Option<usize>,
    /// The layer there.
    pub into: Option<usize>,
    /// Positions of the states.
    pub from: &'a [Spot],
    /// Layers of the states.
    pub layers: &'a [usize],
    /// How long the other prompt is continued.
    pub tokens: usize,
}

/// The states of one method, and the prompt they are read in.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Tokens of the other prompt.
    pub prompt: Vec<u32>,
    /// The position there that is given the state.
    pub at: usize,
    /// How many tokens it is continued by.
    pub tokens: usize,
    /// Every state, a row each.
    pub states: Vec<State>,
}

/// A state of every item.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The layer before which it is taken.
    pub layer: usize,
    /// The layer before which it is put in.
    pub into: usize,
    /// The position, where it is the same in all items.
    pub position: Option<usize>,
    /// What the position is, where it has no number.
    pub role: Option<Role>,
    /// The position in each item.
    pub positions: Vec<usize>,
}

/// Every state, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &Asked,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Scope> {
    let before = problems.count();
    let prompt = items::prompt(&format!("{at}.prompt"), asked.prompt, experiment, known.loaded, problems)?;
    check(at, asked, prompt.len(), known, problems);
    if problems.count() > before {
        return None;
    }
    let layers = if asked.layers.is_empty() { (0..known.dims().layers).collect() } else { asked.layers.to_vec() };
    let spots: Vec<Spot> = match (asked.from.is_empty(), known.length()) {
        (true, Some(length)) => (0..length).map(Spot::Position).collect(),
        _ => asked.from.to_vec(),
    };
    let states = layers.into_iter().flat_map(|layer| spots.iter().map(move |spot| (layer, *spot)));
    let states = states.map(|(layer, spot)| state(layer, asked.into.unwrap_or(layer), spot, known)).collect();
    Some(Scope { at: asked.at.unwrap_or(prompt.len() - 1), prompt, tokens: asked.tokens, states })
}

/// The state at a spot; of several positions the last.
fn state(layer: usize, into: usize, spot: Spot, known: &Known) -> State {
    let last = |item| spots::positions(spot, item).last().copied().unwrap_or(0);
    let positions: Vec<usize> = known.items.iter().map(last).collect();
    let same = positions.first().copied().filter(|first| positions.iter().all(|position| position == first));
    let role = if let Spot::Role(role) = spot { Some(role) } else { None };
    State { layer, into, position: same, role: role.filter(|_| same.is_none()), positions }
}

fn check(at: &str, asked: &Asked, length: usize, known: &Known, problems: &mut Problems) {
    let layers = known.dims().layers;
    if !known.model.is_causal() {
        problems.add(at, "a model that sees both ways cannot continue a text");
    }
    super::cells::check_once(&format!("{at}.layers"), asked.layers, problems);
    spots::check(&format!("{at}.from"), asked.from, known, problems);
    for (field, layer) in
        asked.layers.iter().map(|layer| ("layers", layer)).chain(asked.into.iter().map(|into| ("into", into)))
    {
        if *layer >= layers {
            let what = format!("layer {layer} does not exist; {} has layers 0 to {}", known.family, layers - 1);
            problems.add(&format!("{at}.{field}"), what);
        }
    }
    if let Some(position) = asked.at.filter(|position| *position >= length) {
        let what = format!("position {position} does not exist; the prompt has positions 0 to {}", length - 1);
        problems.add(&format!("{at}.at"), what);
    }
    let most = known.dims().context.saturating_sub(length);
    if asked.tokens == 0 || asked.tokens > most {
        let what =
            format!("{} tokens after a prompt of {length}; the model's positions leave 1 to {most}", asked.tokens);
        problems.add(&format!("{at}.tokens"), what);
    }
    if asked.from.is_empty() && known.is_uneven() {
        problems.add(
            &format!("{at}.from"),
            "is empty, which is every position, but prompts have several lengths; name some, for instance [Last]",
        );
    }
}
