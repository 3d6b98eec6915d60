//! States of samples that lie in files, read where they lie.

use crate::data::Side;
use crate::plan::{Cell, FiledStates};
use crate::states::View;
use patchclamp_probes::rows::Rows;
use std::collections::BTreeMap;

/// The rows of one place, a row a sample.
struct OfSamples<'a> {
    views: Vec<View<'a>>,
    /// The view and the row in it of each sample.
    rows: Vec<(usize, usize)>,
}

impl Rows for OfSamples<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn width(&self) -> usize {
        self.views[0].width()
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        let (view, row) = self.rows[row];
        self.views[view].copy(row, into);
    }
}

/// The states of every sample at a cell; the plan has made sure that they are there.
pub fn filed<'a>(states: &'a FiledStates, cell: &Cell) -> Box<dyn Rows + 'a> {
    let views = states.views(cell).expect("the plan has looked for them");
    let place = |(number, (side, view)): (usize, &(Side, View))| {
        let items = view.items().into_iter().enumerate();
        items.map(|(row, item)| ((item, *side), (number, row))).collect::<Vec<_>>()
    };
    let places: BTreeMap<(usize, Side), (usize, usize)> = views.iter().enumerate().flat_map(place).collect();
    let rows = states.samples().iter().map(|sample| places[sample]).collect();
    Box::new(OfSamples { views: views.into_iter().map(|(_, view)| view).collect(), rows })
}
