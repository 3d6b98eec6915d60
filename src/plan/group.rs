//! The sites of one name in a sweep: which axes and indices they have, and the cells these make.

use super::cells::{Cell, cell};
use super::{Known, Problems, sweeps};
use crate::model::shape;
use crate::site::{Layout, Site};
use crate::spec::{Axis, Only};

/// The most places of a sweep: a table of more rows helps nobody, and would not fit into memory.
const MOST: usize = 1_000_000;

/// Sites that a sweep treats alike: one, or one a layer.
pub(super) struct Group<'a> {
    name: &'a str,
    /// Those in the layers that were chosen.
    sites: Vec<Site>,
    layout: Layout,
    over: &'a [Axis],
    only: &'a Only,
    known: &'a Known<'a>,
    heads: usize,
    positions: usize,
    width: usize,
}

impl<'a> Group<'a> {
    /// The sites of `name`, which are not none.
    pub(super) fn new(name: &'a str, sites: &[Site], over: &'a [Axis], only: &'a Only, known: &'a Known<'a>) -> Self {
        let layout = sites[0].layout();
        let positions = known.items.iter().map(|item| item.clean.len()).min().unwrap_or(1);
        let shape = shape(known.dims(), sites[0], 1, positions);
        let heads = match layout {
            Layout::Stream => 1,
            Layout::Heads => shape[2],
            Layout::Pattern => shape[1],
        };
        let chosen =
            |site: &&Site| only.layers.is_empty() || site.layer().is_none_or(|layer| only.layers.contains(&layer));
        let sites = sites.iter().filter(chosen).copied().collect();
        let width = shape.last().copied().unwrap_or(1);
        Group { name, sites, layout, over, only, known, heads, positions, width }
    }

    /// Whether the group has what is asked of it.
    pub(super) fn check(&self, at: &str, problems: &mut Problems) -> bool {
        let before = problems.count();
        self.check_axes(&format!("{at}.over"), problems);
        self.check_chosen(at, problems);
        let layers = self.known.dims().layers;
        if self.sites.is_empty() && self.only.layers.iter().all(|layer| *layer < layers) {
            problems.add(&format!("{at}.only.layers"), format!("`{}` is in none of them", self.name));
        }
        if self.count() > MOST {
            let what =
                format!("`{}` has {} places there; {MOST} are the most; choose with `only`", self.name, self.count());
            problems.add(&format!("{at}.over"), what);
        }
        problems.count() == before
    }

    fn check_axes(&self, at: &str, problems: &mut Problems) {
        let (name, swept) = (self.name, |axis| sweeps(self.over, axis));
        if swept(Axis::Head) && self.layout == Layout::Stream {
            problems.add(at, format!("`{name}` has no heads; sweep for instance attn.hook_z over heads"));
        }
        if swept(Axis::Layer) && self.sites.iter().any(|site| site.layer().is_none()) {
            problems.add(at, format!("`{name}` stands outside the layers"));
        }
        if swept(Axis::Neuron) && self.layout == Layout::Pattern {
            problems.add(at, format!("`{name}` has no neurons; its width is the key position"));
        }
        if swept(Axis::Position) && self.known.is_uneven() {
            let longest = self.known.items.iter().map(|item| item.clean.len()).max().unwrap_or(0);
            let lengths = format!("prompts have {} to {longest} tokens", self.positions);
            problems.add(at, format!("{lengths}, so a position is not the same place in all; choose words of equally many tokens, or leave Position out"));
        }
    }

    /// Heads and neurons that were chosen: how many there are depends on the site.
    fn check_chosen(&self, at: &str, problems: &mut Problems) {
        let (name, only) = (self.name, self.only);
        if !only.heads.is_empty() && self.layout == Layout::Stream {
            problems.add(&format!("{at}.only.heads"), format!("`{name}` has no heads"));
        } else if let Some(head) = only.heads.iter().find(|head| **head >= self.heads) {
            // key heads may be fewer than those of the model
            let all = self.heads == self.known.dims().heads;
            let whose = if all { self.known.family.to_string() } else { format!("`{name}`") };
            let what = format!("head {head} does not exist; {whose} has heads 0 to {}", self.heads - 1);
            problems.add(&format!("{at}.only.heads"), what);
        }
        if let Some(neuron) = only.neurons.iter().find(|neuron| **neuron >= self.width) {
            let what = format!("neuron {neuron} does not exist; `{name}` has neurons 0 to {}", self.width - 1);
            problems.add(&format!("{at}.only.neurons"), what);
        }
    }

    /// The number of cells.
    fn count(&self) -> usize {
        let layers = if sweeps(self.over, Axis::Layer) { self.sites.len() } else { 1 };
        let axes = [Axis::Head, Axis::Position, Axis::Neuron].map(|axis| self.size(axis));
        axes.into_iter().fold(layers, usize::saturating_mul)
    }

    /// How many indices of an axis are swept.
    fn size(&self, axis: Axis) -> usize {
        let (chosen, all) = self.axis(axis);
        match (sweeps(self.over, axis), chosen.len()) {
            (false, _) => 1,
            (true, 0) => all,
            (true, count) => count,
        }
    }

    /// What was chosen of an axis, and how long it is.
    fn axis(&self, axis: Axis) -> (&[usize], usize) {
        match axis {
            Axis::Layer => (&self.only.layers, self.sites.len()),
            Axis::Head => (&self.only.heads, self.heads),
            Axis::Position => (&self.only.positions, self.positions),
            Axis::Neuron => (&self.only.neurons, self.width),
        }
    }

    /// The indices of an axis, or nothing in their place where it is not swept.
    fn indices(&self, axis: Axis) -> Vec<Option<usize>> {
        match (sweeps(self.over, axis), self.axis(axis)) {
            (false, _) => vec![None],
            (true, ([], all)) => (0..all).map(Some).collect(),
            (true, (chosen, _)) => chosen.iter().copied().map(Some).collect(),
        }
    }

    /// Every combination of indices on the axes swept.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let layers: Vec<&[Site]> =
            if sweeps(self.over, Axis::Layer) { self.sites.chunks(1).collect() } else { vec![&self.sites] };
        let mut cells = Vec::with_capacity(self.count());
        for sites in layers {
            for head in self.indices(Axis::Head) {
                for position in self.indices(Axis::Position) {
                    let at = |neuron| cell(self.name, sites, [head, position, neuron], self.only);
                    cells.extend(self.indices(Axis::Neuron).into_iter().map(at));
                }
            }
        }
        cells
    }
}
