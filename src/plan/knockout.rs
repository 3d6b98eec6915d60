//! Attention that is cut: which keys which queries do not see, in which heads and layers.

use super::cells::{Cell, check_once, check_only, cut};
use super::{Item, Known, Problems, spots, sweeps};
use crate::model::parts::position::Sight;
use crate::site::Site;
use crate::spec::{Axis, Only, Spot};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a knockout is asked for.
pub(super) struct Asked<'a> {
    /// Keys.
    pub from: &'a [Spot],
    /// Queries.
    pub to: &'a [Spot],
    /// Layers that are cut at once.
    pub window: usize,
    /// The axes swept.
    pub over: &'a [Axis],
    /// Indices that the sweep keeps to.
    pub only: &'a Only,
}

/// The cuts of one method.
#[derive(Clone, Debug, PartialEq)]
pub struct Cuts {
    /// Which keys which queries do not see, in words.
    pub name: String,
    /// The axes swept.
    pub over: Vec<Axis>,
    /// Layers that are cut at once.
    pub window: usize,
    /// Items whose queries and keys stand at the same positions, and the cells there: as many, in the same order, for all.
    pub groups: Vec<(Vec<usize>, Vec<Cell>)>,
}

/// Queries and keys of an item.
type Ends = (Vec<usize>, Vec<usize>);

/// Every cut, or what is wrong with it.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Cuts> {
    let before = problems.count();
    check(at, asked, known, problems);
    if problems.count() > before {
        return None;
    }
    let mut by_ends: BTreeMap<Ends, Vec<usize>> = BTreeMap::new();
    for (index, item) in known.items.iter().enumerate() {
        by_ends.entry(ends(asked, item, known)).or_default().push(index);
    }
    if sweeps(asked.over, Axis::Position)
        && by_ends.keys().any(|(_, keys)| Some(keys) != by_ends.keys().next().map(|(_, keys)| keys))
    {
        problems.add(&format!("{at}.from"), "is at other positions in other items, so that it cannot be swept position by position; leave Position out of `over`");
    }
    let groups: Vec<(Vec<usize>, Vec<Cell>)> =
        by_ends.into_iter().map(|(ends, items)| (items, cells(asked, &ends, known))).collect();
    for (items, cells) in &groups {
        check_sight(at, &known.items[items[0]], cells, known, problems);
    }
    (problems.count() == before).then(|| Cuts {
        name: name(asked),
        over: asked.over.to_vec(),
        window: asked.window,
        groups,
    })
}

/// Queries and keys in words: `answer without contrast`.
fn name(asked: &Asked) -> String {
    let word = |spot: &Spot| match spot {
        Spot::Position(position) => position.to_string(),
        Spot::Role(role) => format!("{role:?}").to_lowercase(),
    };
    let words = |spots: &[Spot]| spots.iter().map(word).collect::<Vec<_>>().join(", ");
    let keys = if asked.from.is_empty() { "what is before".into() } else { words(asked.from) };
    format!("{} without {keys}", words(asked.to))
}

fn check(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) {
    let Asked { from, to, window, over, only } = asked;
    check_once(&format!("{at}.over"), over, problems);
    check_only(at, only, known, problems);
    spots::check(&format!("{at}.from"), from, known, problems);
    spots::check(&format!("{at}.to"), to, known, problems);
    let dims = known.dims();
    if to.is_empty() {
        problems.add(&format!("{at}.to"), "is empty; name the queries, for instance [Answer]");
    }
    if *window == 0 || *window > dims.layers {
        problems.add(&format!("{at}.window"), format!("{window} layers; it holds 1 to {}", dims.layers));
    }
    if sweeps(over, Axis::Neuron) || !only.neurons.is_empty() {
        problems.add(at, "attention has no neurons; sweep Layer, Head or Position");
    }
    if !only.positions.is_empty() {
        problems.add(&format!("{at}.only.positions"), "name the keys in `from` and the queries in `to`");
    }
    if sweeps(over, Axis::Position) && known.is_uneven() {
        problems.add(&format!("{at}.over"), "prompts have several lengths, so a position is not the same place in all; choose words of equally many tokens, or leave Position out");
    }
    if let Some(head) = only.heads.iter().find(|head| **head >= dims.heads) {
        let what = format!("head {head} does not exist; {} has heads 0 to {}", known.family, dims.heads - 1);
        problems.add(&format!("{at}.only.heads"), what);
    }
}

/// Queries and keys; without `from` all keys before the first query, in an encoder all that are no query.
fn ends(asked: &Asked, item: &Item, known: &Known) -> Ends {
    let queries = spots::all(asked.to, item);
    let keys = match (asked.from.is_empty(), known.model.is_causal()) {
        (false, _) => spots::all(asked.from, item),
        (true, true) => (0..queries[0]).collect(),
        (true, false) => (0..item.clean.len()).filter(|key| !queries.contains(key)).collect(),
    };
    (queries, keys)
}

/// The layers that are cut around one: `[layer − window / 2, layer − window / 2 + window)`, as far as they exist.
fn window(layer: usize, window: usize, layers: usize) -> Range<usize> {
    let last = (layer + window - window / 2).min(layers);
    layer.saturating_sub(window / 2)..last
}

fn cells(asked: &Asked, (queries, keys): &Ends, known: &Known) -> Vec<Cell> {
    let (dims, only) = (known.dims(), asked.only);
    let chosen = |only: &[usize], count: usize| if only.is_empty() { (0..count).collect() } else { only.to_vec() };
    let (layers, heads) = (chosen(&only.layers, dims.layers), chosen(&only.heads, dims.heads));
    let swept = |axis, all: &[usize]| -> Vec<Option<usize>> {
        if sweeps(asked.over, axis) { all.iter().copied().map(Some).collect() } else { vec![None] }
    };
    let mut cells = Vec::new();
    for layer in swept(Axis::Layer, &layers) {
        let cut_in: Vec<usize> =
            layer.map_or(layers.clone(), |layer| window(layer, asked.window, dims.layers).collect());
        for head in swept(Axis::Head, &heads) {
            let of = head.map_or(only.heads.clone(), |head| vec![head]);
            for key in swept(Axis::Position, keys) {
                let keys = key.map_or(keys.clone(), |key| vec![key]);
                let sites = cut_in.iter().copied().map(Site::Scores).collect();
                cells.push(cut(sites, [layer, head, key], &of, queries, &keys));
            }
        }
    }
    cells
}

/// A query that sees nothing has no attention to speak of.
fn check_sight(at: &str, item: &Item, cells: &[Cell], known: &Known, problems: &mut Problems) {
    for cell in cells {
        if cell.queries_and_keys().1.is_empty() {
            problems.add(&format!("{at}.from"), "there is no key before the query; name others");
        } else if let Some((query, layer)) = blinded(item.clean.len(), cell, known) {
            let seen = match known.model.sight(layer) {
                Sight::Window(width) => format!(" in layer {layer}, whose window is {width} tokens"),
                Sight::Causal | Sight::Both => String::new(),
            };
            let what = format!(
                "the query at position {query} would see nothing at all{seen}; leave it a key, for instance itself"
            );
            problems.add(&format!("{at}.from"), what);
        }
    }
}

/// The first query that a cell takes every key of, and the layer.
fn blinded(length: usize, cell: &Cell, known: &Known) -> Option<(usize, usize)> {
    let (queries, keys) = cell.queries_and_keys();
    let blind = |query: usize, layer: usize| {
        let sight = known.model.sight(layer);
        (0..length).filter(|key| sight.allows(query, *key)).all(|key| keys.contains(&key))
    };
    let layers = cell.sites.iter().filter_map(|site| site.layer());
    layers
        .flat_map(|layer| queries.iter().map(move |query| (*query, layer)))
        .find(|(query, layer)| blind(*query, *layer))
}
