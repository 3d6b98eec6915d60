//! Sweeps: which places are changed together, one cell a row of the table.

use super::group::Group;
use super::sites::site_groups;
use super::{Known, Problems};
use crate::site::{Place, Site};
use crate::spec::{Axis, Only, Sites};
use std::ops::Range;

/// Cells of one method, in the order of its table.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The axes swept.
    pub over: Vec<Axis>,
    /// The cells.
    pub cells: Vec<Cell>,
}

/// What is changed at once, and the indices it has in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The name of the site as it was asked for.
    pub name: String,
    /// The sites that are changed: one, or one a layer where layers are not swept.
    pub sites: Vec<Site>,
    /// The layer, where it is swept or the site names it.
    pub layer: Option<usize>,
    /// The head, where heads are swept.
    pub head: Option<usize>,
    /// The position, where positions are swept.
    pub position: Option<usize>,
    /// The neuron, where neurons are swept.
    pub neuron: Option<usize>,
    heads: Option<Vec<usize>>,
    positions: Option<Vec<usize>>,
    neurons: Option<Vec<usize>>,
}

impl Cell {
    /// All of some sites.
    pub fn whole(name: &str, sites: Vec<Site>, layer: Option<usize>) -> Self {
        Cell { layer, ..cell(name, &sites, [None; 3], &Only::default()) }
    }

    /// The same at one position.
    pub fn at(&self, position: usize) -> Self {
        Cell { position: Some(position), positions: Some(vec![position]), ..self.clone() }
    }

    /// The same at some positions.
    pub fn within(&self, positions: Range<usize>) -> Self {
        Cell { positions: Some(positions.collect()), ..self.clone() }
    }

    /// The same of patterns, from queries in a block to keys in it.
    pub fn block(&self, positions: Range<usize>) -> Self {
        Cell { neurons: Some(positions.clone().collect()), ..self.within(positions) }
    }

    /// The places of this cell in `rows` of a batch.
    pub fn places(&self, rows: Option<Vec<usize>>) -> Vec<Place> {
        self.sites.iter().map(|site| self.place(*site, rows.clone())).collect()
    }

    /// The place of this cell at one of its sites.
    pub fn place(&self, site: Site, rows: Option<Vec<usize>>) -> Place {
        let (heads, positions, neurons) = (self.heads.clone(), self.positions.clone(), self.neurons.clone());
        Place { site, rows, heads, positions, neurons }
    }

    /// Of attention that is cut: the queries, and the keys that these do not see.
    pub fn queries_and_keys(&self) -> (&[usize], &[usize]) {
        (self.positions.as_deref().unwrap_or(&[]), self.neurons.as_deref().unwrap_or(&[]))
    }

    /// The first position that this cell changes; 0 where it changes all.
    pub fn first(&self) -> usize {
        self.positions.as_ref().and_then(|positions| positions.iter().min().copied()).unwrap_or(0)
    }
}

/// The sites that cells change, each once.
pub fn sites(cells: &[Cell]) -> Vec<Site> {
    let mut sites: Vec<Site> = cells.iter().flat_map(|cell| cell.sites.iter().copied()).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// Resolves the cells of a sweep.
pub fn resolve(
    at: &str,
    sites: &Sites,
    over: &[Axis],
    only: &Only,
    known: &Known,
    problems: &mut Problems,
) -> Option<Sweep> {
    let groups = site_groups(&format!("{at}.sites"), sites, known, problems);
    if groups.is_empty() {
        return None;
    }
    check_once(&format!("{at}.over"), over, problems);
    check_only(at, only, known, problems);
    let mut cells = Vec::new();
    for (name, sites) in &groups {
        let group = Group::new(name, sites, over, only, known);
        if group.check(at, problems) {
            cells.extend(group.cells());
        }
    }
    Some(Sweep { over: over.to_vec(), cells })
}

/// Problems of what is chosen that no site decides.
pub(super) fn check_only(at: &str, only: &Only, known: &Known, problems: &mut Problems) {
    let fields =
        [("layers", &only.layers), ("heads", &only.heads), ("positions", &only.positions), ("neurons", &only.neurons)];
    for (field, indices) in fields {
        check_once(&format!("{at}.only.{field}"), indices, problems);
    }
    let layers = known.dims().layers;
    if let Some(layer) = only.layers.iter().find(|layer| **layer >= layers) {
        let last = layers - 1;
        let what = format!("layer {layer} does not exist; {} has layers 0 to {last}", known.family);
        problems.add(&format!("{at}.only.layers"), what);
    }
    let shortest = known.items.iter().map(|item| item.clean.len()).min().unwrap_or(usize::MAX);
    if let Some(position) = only.positions.iter().find(|position| known.complete && **position >= shortest) {
        let what =
            format!("position {position} does not exist; the shortest prompt has positions 0 to {}", shortest - 1);
        problems.add(&format!("{at}.only.positions"), what);
    }
}

/// What stands twice would be a row twice.
pub(super) fn check_once<T: PartialEq + std::fmt::Debug>(at: &str, listed: &[T], problems: &mut Problems) {
    let twice = listed.iter().enumerate().find(|(index, one)| listed[..*index].contains(one));
    if let Some((_, one)) = twice {
        problems.add(at, format!("{one:?} stands twice"));
    }
}

/// The cell of some sites at these indices of head, position and neuron.
pub(super) fn cell(name: &str, sites: &[Site], [head, position, neuron]: [Option<usize>; 3], only: &Only) -> Cell {
    let chosen = |index: Option<usize>, only: &[usize]| match index {
        Some(index) => Some(vec![index]),
        None if only.is_empty() => None,
        None => Some(only.to_vec()),
    };
    let one_layer = (sites.len() == 1).then(|| sites[0].layer()).flatten();
    Cell {
        name: name.to_string(),
        sites: sites.to_vec(),
        layer: one_layer,
        head,
        position,
        neuron,
        heads: chosen(head, &only.heads),
        positions: chosen(position, &only.positions),
        neurons: chosen(neuron, &only.neurons),
    }
}

/// The cell of attention scores in some layers whose `queries` do not see `keys`; no heads are all heads.
pub(super) fn cut(
    sites: Vec<Site>,
    [layer, head, position]: [Option<usize>; 3],
    heads: &[usize],
    queries: &[usize],
    keys: &[usize],
) -> Cell {
    Cell {
        name: sites[0].kind().to_string(),
        sites,
        layer,
        head,
        position,
        neuron: None,
        heads: (!heads.is_empty()).then(|| heads.to_vec()),
        positions: Some(queries.to_vec()),
        neurons: Some(keys.to_vec()),
    }
}
