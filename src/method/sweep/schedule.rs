//! Which rows run, where each begins, and which share a batch.

use super::base::Base;
use crate::plan::Cell;
use crate::site::Site;

/// Tokens in a batch from which on a larger one is no faster: measured with GPT-2 small's matrices on two cores.
const ENOUGH: usize = 256;

/// Where a row can begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Begin {
    /// With the embeddings.
    Tokens,
    /// Before this block; the number of blocks is what stands behind them.
    Layer(usize),
}

impl Begin {
    /// The latest beginning of a pass that still comes by a site.
    pub fn of(site: Site, layers: usize) -> Self {
        match (site, site.layer()) {
            (_, Some(layer)) => Begin::Layer(layer),
            (Site::FinalScale | Site::FinalNormalized | Site::Logits, None) => Begin::Layer(layers),
            (_, None) => Begin::Tokens,
        }
    }
}

/// One row of a batch: a cell for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index of the cell in its step.
    pub cell: usize,
    /// Index of the run in its batch.
    pub run: usize,
    /// Where it begins.
    pub begin: Begin,
    /// The first position that it works on.
    pub first: usize,
}

/// The row of a cell for a run; `None` where nothing is changed that its value can see.
pub fn entry(cell: usize, run: usize, what: &Cell, base: &Base) -> Option<Entry> {
    if base.runs().skipped[run] {
        return None;
    }
    let changed = what.sites.iter().filter_map(|site| Some((*site, base.first_change(what, *site, run)?)));
    let last = base.runs().last(run);
    let seen: Vec<(Site, usize)> = changed.filter(|(_, first)| !base.is_causal() || *first <= last).collect();
    let begin = seen.iter().map(|(site, _)| Begin::of(*site, base.layers())).min()?;
    let first = seen.iter().map(|(_, first)| *first).min()?;
    Some(Entry { cell, run, begin, first: if base.is_causal() { first } else { 0 } })
}

/// Rows in batches of at most `most`, each in the order of where its rows begin.
///
/// Rows share a batch from the same position on; those of later positions join them only where the batch would be too
/// small to be fast, as they then work on positions that they need not.
pub fn chunks(mut entries: Vec<Entry>, width: usize, most: usize) -> Vec<Vec<Entry>> {
    entries.sort_by_key(|entry| (entry.begin == Begin::Tokens, entry.first, entry.begin, entry.cell));
    let mut chunks: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        match chunks.last_mut() {
            Some(chunk) if joins(&entry, chunk, width, most) => chunk.push(entry),
            _ => chunks.push(vec![entry]),
        }
    }
    chunks.iter_mut().for_each(|chunk| chunk.sort_by_key(|entry| (entry.begin, entry.cell)));
    chunks
}

fn joins(entry: &Entry, chunk: &[Entry], width: usize, most: usize) -> bool {
    let first = chunk[0].first;
    let alike = (entry.begin == Begin::Tokens) == (chunk[0].begin == Begin::Tokens);
    alike && chunk.len() < most.max(1) && (entry.first == first || chunk.len() * (width - first) < ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cell: usize, begin: Begin, first: usize) -> Entry {
        Entry { cell, run: 0, begin, first }
    }

    #[test]
    fn rows_of_one_position_are_one_batch_in_the_order_of_their_layers() {
        let entries = (0..12).rev().map(|layer| entry(layer, Begin::Layer(layer), 3)).collect();
        let layers = |chunk: &Vec<Entry>| chunk.iter().map(|entry| entry.cell).collect::<Vec<_>>();
        let found: Vec<Vec<usize>> = chunks(entries, 10, 8).iter().map(layers).collect();
        assert_eq!(found, vec![(0..8).collect::<Vec<_>>(), (8..12).collect()]);
    }

    #[test]
    fn later_positions_join_a_small_batch_only() {
        let small = (0..4).map(|first| entry(first, Begin::Layer(0), first)).collect();
        assert_eq!(chunks(small, 10, 64).len(), 1);
        let large = (0..64).map(|row| entry(row, Begin::Layer(0), row / 32)).collect();
        assert_eq!(chunks(large, 10, 64).iter().map(Vec::len).collect::<Vec<_>>(), [32, 32]);
    }

    #[test]
    fn embeddings_and_streams_do_not_mix() {
        let entries = vec![entry(0, Begin::Tokens, 0), entry(1, Begin::Layer(0), 0)];
        assert_eq!(chunks(entries, 10, 64).len(), 2);
    }
}
