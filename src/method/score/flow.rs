//! Information flow routes: how near what a node writes brings the stream that a port reads (Ferrando & Voita 2024).

use super::order::Reader;
use super::written::{Written, part};
use super::{ROOM, Scorer};
use crate::hook::Record;
use crate::method::Side;
use crate::model::{HookError, Pass, run};
use crate::tensor::{Tensor, to_doubles};

impl Scorer<'_> {
    /// Scores of a batch of items, `[item][edge]`: max(‖x_v‖₁ − ‖x_v − z_u‖₁, 0) on the clean prompt, as a share of its sum
    /// over the sources of v, averaged over positions; of an edge at a position the share there. The metric is not in it.
    pub fn flow(&self, items: &[usize]) -> Result<Vec<Vec<f64>>, HookError> {
        let (model, tokens) = (self.bench.model, self.bench.tokens(items, Side::Clean));
        let readers = Reader::all(model.dims().layers);
        let streams = readers.iter().map(|reader| reader.stream(model));
        let mut record = Record::of(Written::sites(model).into_iter().chain(streams));
        run(model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut record)?;
        let written = Written::of(&record, model);
        let mut scores = vec![vec![0.0; self.order.count()]; items.len()];
        let some = self.rows_at_once(tokens.width(), items.len());
        for first in (0..items.len()).step_by(some) {
            let rows = first..items.len().min(first + some);
            let added = written.added(model, rows.clone());
            for reader in &readers {
                let ports = reader.ports(self.order);
                let reads = self.order.reads(ports.start);
                let stream = part(record.at(reader.stream(model)).expect("asked for above"), &rows);
                let shares = shares(stream, added.clone().narrow(1, 0, reads));
                let shares = if self.order.positions().is_some() { shares } else { shares.mean_dim(2) };
                let [_, _, places, _] = shares.dims();
                let shares = to_doubles(&shares);
                for (row, shares) in scores[rows.clone()].iter_mut().zip(shares.chunks_exact(reads * places)) {
                    for (index, share) in shares.iter().enumerate() {
                        let edge = |port: usize| self.order.edge_at(index / places, port, index % places);
                        ports.clone().filter_map(edge).for_each(|edge| row[edge] = *share);
                    }
                }
            }
        }
        Ok(scores)
    }

    /// Items whose outputs may be as wide as the stream at once.
    pub fn rows_at_once(&self, positions: usize, most: usize) -> usize {
        (ROOM / (self.order.nodes.len() * positions * self.bench.model.dims().d_model)).clamp(1, most)
    }
}

/// `[row, node, pos, 1]` from a stream `[row, 1, pos, d_model]` and what nodes add to it `[row, node, pos, d_model]`.
fn shares(stream: Tensor<4>, added: Tensor<4>) -> Tensor<4> {
    let size = |x: Tensor<4>| x.abs().sum_dim(3); // [.., pos, 1]
    let near = (size(stream.clone()) - size(stream - added)).clamp_min(0.0);
    // where nobody brings anything nearer, shares of nothing are 0
    let whole = near.clone().sum_dim(1).clamp_min(f64::from(f32::MIN_POSITIVE));
    near / whole
}
