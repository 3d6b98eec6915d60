//! Sweeps: which places are changed together, one cell a row of the table.

use super::{Known, Problems, site_groups, sweeps};
use crate::model::shape;
use crate::site::{Layout, Place, Site};
use crate::spec::{Axis, Only, Sites};

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
    /// The places of this cell in `rows` of a batch.
    pub fn places(&self, rows: Option<Vec<usize>>) -> Vec<Place> {
        let place = |site: &Site| Place {
            site: *site,
            rows: rows.clone(),
            heads: self.heads.clone(),
            positions: self.positions.clone(),
            neurons: self.neurons.clone(),
        };
        self.sites.iter().map(place).collect()
    }

    /// The first position that this cell changes; 0 where it changes all.
    pub fn first(&self) -> usize {
        self.positions.as_ref().and_then(|positions| positions.iter().min().copied()).unwrap_or(0)
    }
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
    check_order(at, over, problems);
    check_only(at, only, known, problems);
    let mut cells = Vec::new();
    for (name, sites) in &groups {
        if check_axes(at, name, sites[0], over, known, problems) {
            cells.extend(of_group(name, sites, over, only, known));
        }
    }
    Some(Sweep { over: over.to_vec(), cells })
}

fn check_order(at: &str, over: &[Axis], problems: &mut Problems) {
    let mut seen = over.to_vec();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        problems.add(&format!("{at}.over"), "an axis stands twice");
    }
}

fn check_only(at: &str, only: &Only, known: &Known, problems: &mut Problems) {
    let dims = known.dims();
    let longest = known.items.iter().map(|item| item.clean.len()).min();
    let mut check = |field: &str, one: &str, indices: &[usize], count: usize| {
        if let Some(index) = indices.iter().find(|index| **index >= count) {
            let (family, last) = (known.family, count.saturating_sub(1));
            problems.add(
                &format!("{at}.only.{field}"),
                format!("{one} {index} does not exist; {family} has {field} 0 to {last} here"),
            );
        }
    };
    check("layers", "layer", &only.layers, dims.layers);
    check("heads", "head", &only.heads, dims.heads);
    if let Some(length) = longest {
        check("positions", "position", &only.positions, length);
    }
}

fn check_axes(at: &str, name: &str, site: Site, over: &[Axis], known: &Known, problems: &mut Problems) -> bool {
    let field = format!("{at}.over");
    let before = problems.0.len();
    if sweeps(over, Axis::Head) && site.layout() == Layout::Stream {
        problems.add(&field, format!("`{name}` has no heads; sweep for instance attn.hook_z over heads"));
    }
    if sweeps(over, Axis::Layer) && site.layer().is_none() {
        problems.add(&field, format!("`{name}` stands outside the layers"));
    }
    if sweeps(over, Axis::Neuron) && site.layout() == Layout::Pattern {
        problems.add(&field, format!("`{name}` has no neurons; its width is the key position"));
    }
    if sweeps(over, Axis::Position) && !known.items.is_empty() && known.length().is_none() {
        let lengths = known.items.iter().map(|item| item.clean.len());
        let (least, most) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
        problems.add(&field, format!("prompts have {least} to {most} tokens, so a position is not the same place in all; choose words of equally many tokens, or leave Position out"));
    }
    problems.0.len() == before
}

/// Every combination of indices on the axes swept.
fn of_group(name: &str, sites: &[Site], over: &[Axis], only: &Only, known: &Known) -> Vec<Cell> {
    let length = known.length().unwrap_or(1);
    let swept = |axis: Axis, chosen: &[usize], count: usize| -> Vec<Option<usize>> {
        match sweeps(over, axis) {
            true if chosen.is_empty() => (0..count).map(Some).collect(),
            true => chosen.iter().copied().map(Some).collect(),
            false => vec![None],
        }
    };
    let sites: Vec<Site> = sites
        .iter()
        .copied()
        .filter(|site| only.layers.is_empty() || site.layer().is_none_or(|layer| only.layers.contains(&layer)))
        .collect();
    let layers: Vec<Vec<Site>> =
        if sweeps(over, Axis::Layer) { sites.iter().map(|site| vec![*site]).collect() } else { vec![sites] };
    let mut cells = Vec::new();
    for sites in layers.into_iter().filter(|sites| !sites.is_empty()) {
        let shape = shape(known.dims(), sites[0], 1, length);
        let heads = match sites[0].layout() {
            Layout::Stream => 1,
            Layout::Heads => shape[2],
            Layout::Pattern => shape[1],
        };
        for head in swept(Axis::Head, &only.heads, heads) {
            for position in swept(Axis::Position, &only.positions, length) {
                for neuron in swept(Axis::Neuron, &only.neurons, *shape.last().unwrap_or(&1)) {
                    cells.push(cell(name, &sites, [head, position, neuron], only));
                }
            }
        }
    }
    cells
}

fn cell(name: &str, sites: &[Site], [head, position, neuron]: [Option<usize>; 3], only: &Only) -> Cell {
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
