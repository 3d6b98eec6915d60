//! What nodes write of a feature, and which part of that they write because of what they read of it.

use super::spans::{Span, Spans};
use crate::hook::{Activation, Change, Edit, Edits, Record};
use crate::method::ablate::states;
use crate::method::score::{Written, span_sites, written_to};
use crate::method::sweep::States;
use crate::method::{Bench, Side};
use crate::model::{HookError, Model, Pass, run};
use crate::node::{Flow, Node};
use crate::site::{Place, Site};
use crate::tensor::{Tensor, to_doubles, widen};
use serde::{Deserialize, Serialize};

/// Of some nodes, a part and the whole of it, `[node][item]` each.
#[derive(Default, Serialize, Deserialize)]
pub struct Passing {
    /// The squared change of what a node writes from the clean to the corrupted prompt: in the span, and all of it.
    pub writes: [Vec<Vec<f64>>; 2],
    /// The change in the span that comes of reading the feature alone, along the whole change in the span; and that,
    /// squared.
    pub passes: [Vec<Vec<f64>>; 2],
}

/// Of a batch of items, for one feature after the other.
pub fn passing(bench: &Bench, items: &[usize], nodes: &[Node], features: &[Spans]) -> Result<Vec<Passing>, HookError> {
    let sites = sites(bench.model);
    let [clean, corrupt] = [states(bench, items, Side::Clean, &sites)?, states(bench, items, Side::Corrupt, &sites)?];
    let written = Written::from_states(clean.clone());
    let change = Written::from_states(corrupt.clone()).less(&written);
    let of = |spans: &Spans| {
        let read = reading(bench, items, (&clean, &corrupt), spans)?;
        let passed = Written::of(&read, bench.model).less(&written);
        Ok(told(bench.model, nodes, spans, &change, &passed))
    };
    features.iter().map(of).collect()
}

fn sites(model: &dyn Model) -> Vec<Site> {
    let mut sites = Written::sites(model);
    sites.extend(span_sites(model));
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// What nodes write when each of them reads the clean stream with the feature of the corrupted one.
fn reading(
    bench: &Bench,
    items: &[usize],
    (clean, corrupt): (&States, &States),
    spans: &Spans,
) -> Result<Record, HookError> {
    let (model, tokens) = (bench.model, bench.tokens(items, Side::Clean));
    let exchanged = |site: Site| {
        let change = corrupt[&site].clone() - clean[&site].clone();
        clean[&site].clone() + inside(&spans[&site], change)
    };
    let put = |site: Site, value: Activation| Edit { place: Place::all(site), change: Change::Put(value) };
    let middle = |layer: usize| match model.flow() {
        Some(Flow::Sequential) => Site::ResidMid(layer),
        _ => Site::ResidPre(layer),
    };
    // every reader of every layer gets its own stream, so that nothing of what nodes write goes any further
    let edits = (0..model.dims().layers).flat_map(|layer| {
        [
            put(Site::ResidPre(layer), exchanged(Site::ResidPre(layer))),
            put(Site::MlpIn(layer), exchanged(middle(layer))),
        ]
    });
    let mut hook = (Edits::new(edits.collect()), Record::of(Written::sites(model)));
    run(model, &Pass::whole(&tokens).reading(bench.read(items)), &mut hook)?;
    Ok(hook.1)
}

/// The part of a change that lies in the span, in the precision of the change.
fn inside(span: &Span, change: Activation) -> Activation {
    let basis = span.own.clone().unsqueeze_dims::<4>(&[0, 1]);
    let precision = crate::tensor::precision(&change);
    crate::tensor::cast(widen(change).matmul(basis.clone()).matmul(basis.swap_dims(2, 3)), precision)
}

fn told(model: &dyn Model, nodes: &[Node], spans: &Spans, change: &Written, passed: &Written) -> Passing {
    let mut found = Passing { writes: [Vec::new(), Vec::new()], passes: [Vec::new(), Vec::new()] };
    for node in nodes {
        let basis = spans[&written_to(*node, model)].own.clone().unsqueeze_dims::<4>(&[0, 1]);
        let (whole, passed) = (change.added_by(model, *node), passed.added_by(model, *node));
        let (part, passed) = (whole.clone().matmul(basis.clone()), passed.matmul(basis)); // [row, 1, pos, direction]
        let squared = of_items(part.clone() * part.clone());
        found.writes[0].push(squared.clone());
        found.writes[1].push(of_items(whole.clone() * whole));
        found.passes[0].push(of_items(passed * part));
        found.passes[1].push(squared);
    }
    found
}

/// Sums of each row.
fn of_items(values: Tensor<4>) -> Vec<f64> {
    to_doubles(&values.sum_dim(3).sum_dim(2))
}
