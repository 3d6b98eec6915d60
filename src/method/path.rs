//! Path patching: what reaches the answer along chosen edges, with everything else frozen.
//!
//! *What it measures.* The first node of a path, its sender, gets the output that it has in the other run. Its change is
//! carried along the edges of the path alone: each port v on it reads x_v = base x_v + Σ (z_u now − z_u base), its norm and
//! its head or MLP are computed anew from that, and every other node keeps what it has in the base run. Norms are
//! recomputed, not linearised. A path that ends in `logits` is the direct way into the last norm; one that ends in another
//! port (`a8.h6<v>`), or senders with such `receivers`, hands that port what the path brings, and everything behind it runs
//! freely. `effect` is the metric's change, `normalised` that change over the whole difference between the two runs.
//!
//! *What it cannot show.* What two paths do together: effects of paths do not sum to the whole. Attention and MLPs on the
//! way see inputs that no prompt gives them.
//!
//! *Reference.* Wang et al. 2023, "Interpretability in the Wild", whose MLPs are not frozen: `through: Mlps`. Goldowsky-Dill
//! et al. 2023, "Localizing model behavior with path patching".
//!
//! *Example.* `PathPatch(senders: Heads, receivers: ["a2.h1<v>"])`, `PathPatch(paths: ["a0.h1->a2.h1<v>->logits"])`

mod batch;

use super::summary::{mean, tabulate};
use super::{Bench, Finding, Side, blank, table};
use crate::model::HookError;
use crate::node::Port;
use crate::plan::{Branch, Paths};
use crate::spec::{Direction, Through};
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use batch::{Batch, Entry};

/// The most rows, a path for an item, that one step runs: what a killed run may lose.
const STEP: usize = 512;

/// The metric of every path, item by item, and of the two runs.
struct Values {
    /// `[path][item]`.
    patched: Vec<Vec<f64>>,
    from: Vec<f64>,
    to: Vec<f64>,
}

/// Patches every path.
pub fn path(bench: &Bench, plan: &Paths, steps: &mut Steps) -> Result<Finding, RunError> {
    let (base, source, name) = match plan.direction {
        Direction::Denoise => (Side::Corrupt, Side::Clean, "denoise"),
        Direction::Noise => (Side::Clean, Side::Corrupt, "noise"),
    };
    // a head that shares its keys cannot be given others than its neighbours, unless it has its own
    let own = plan.branches.iter().any(reads_shared).then(|| bench.model.ungrouped());
    let bench = Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let Values { patched, from, to } = values(&bench, plan, [base, source], steps)?;
    let (clean, corrupt) = if base == Side::Clean { (&from, &to) } else { (&to, &from) };
    let mut main = table(&format!("path_patch.{name}"), &title(plan, name), &bench);
    let facts = [
        ("direction", format!("{name}: senders as in the {source:?} run, all else as in the {base:?} run")),
        (
            "between",
            match plan.through {
                Through::Nothing => "frozen".into(),
                Through::Mlps => "MLPs recomputed, heads frozen".into(),
            },
        ),
        ("normalised", "effect / (metric of the source run − metric of the base run)".into()),
        ("items", bench.items.len().to_string()),
        ("metric, clean", format!("{:.4}", mean(clean))),
        ("metric, corrupted", format!("{:.4}", mean(corrupt))),
    ];
    main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    Ok(rows(&bench, main, plan, &patched, [&from, &to]))
}

/// What the metric of items of one length changes by when each path alone brings what its sender has in the corrupted run,
/// `[path][item]`; in the model of `bench` no heads share keys or values.
pub fn noised(bench: &Bench, items: &[usize], plan: &Paths) -> Result<Vec<Vec<f64>>, HookError> {
    let batch = Batch::record(bench, items, [Side::Clean, Side::Corrupt], plan)?;
    let (clean, _) = batch.ends();
    let mut changes = vec![Vec::new(); plan.branches.len()];
    for some in groups(plan, bench.model.dims().layers, items.len()) {
        for (branch, values) in some.iter().zip(patched(bench, items, plan, &some, &batch)?) {
            changes[*branch] = values.iter().zip(&clean).map(|(value, clean)| value - clean).collect();
        }
    }
    Ok(changes)
}

/// Whether a path goes through keys or values.
fn reads_shared(branch: &Branch) -> bool {
    let mut ports = branch.route.wires.iter().flat_map(|wire| &wire.into);
    ports.any(|port| matches!(port, Port::Key(..) | Port::Value(..)))
}

fn rows(bench: &Bench, main: Table, plan: &Paths, patched: &[Vec<f64>], [from, to]: [&[f64]; 2]) -> Finding {
    let totals: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
    let method = main.name.clone();
    let place = |branch: &Branch| {
        let sender = branch.sender;
        let (layer, head) = (sender.and_then(|node| node.layer()), sender.and_then(|node| node.head()));
        Row { site: Some(branch.name.clone()), layer, head, ..blank(&method, bench.metric) }
    };
    let effects = |values: &Vec<f64>| values.iter().zip(from).map(|(value, from)| value - from).collect();
    let places = plan.branches.iter().zip(patched).map(|(branch, values)| (place(branch), effects(values)));
    tabulate(bench, main, places.collect(), &totals)
}

fn title(plan: &Paths, direction: &str) -> String {
    let names: indexmap::IndexSet<&str> = plan.branches.iter().map(|branch| branch.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let names = if names.len() > 3 { format!("{} paths", names.len()) } else { names.join(", ") };
    let through = if plan.through == Through::Mlps { ", MLPs not frozen" } else { "" };
    format!("Path patching ({direction}): {names}{through}")
}

fn values(bench: &Bench, plan: &Paths, sides: [Side; 2], steps: &mut Steps) -> Result<Values, RunError> {
    let count = bench.items.len();
    let mut values =
        Values { patched: vec![vec![0.0; count]; plan.branches.len()], from: vec![0.0; count], to: vec![0.0; count] };
    let spread = |all: &mut [f64], items: &[usize], found: Vec<f64>| {
        items.iter().zip(found).for_each(|(item, value)| all[*item] = value);
    };
    for items in bench.batches(batch::items(bench)) {
        let mut ready: Option<Batch> = None;
        let mut make = || Batch::record(bench, &items, sides, plan);
        let ends = steps.prepare(|| Ok(super::sweep::made(&mut ready, &mut make)?.ends()))?;
        if let Some((from, to)) = ends {
            spread(&mut values.from, &items, from);
            spread(&mut values.to, &items, to);
        }
        for some in groups(plan, bench.model.dims().layers, items.len()) {
            let found = steps.step(some.len() * items.len(), || {
                let batch = super::sweep::made(&mut ready, &mut make)?;
                patched(bench, &items, plan, &some, batch)
            })?;
            for (branch, found) in some.iter().zip(found.into_iter().flatten()) {
                spread(&mut values.patched[*branch], &items, found);
            }
        }
    }
    steps.complete()?;
    Ok(values)
}

/// Paths for one step each: those that begin alike together, as they share a batch.
fn groups(plan: &Paths, layers: usize, items: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..plan.branches.len()).collect();
    order.sort_by_key(|index| batch::begins(&plan.branches[*index], layers));
    order.chunks((STEP / items).max(1)).map(<[usize]>::to_vec).collect()
}

/// The metric of some paths, `[path][item of the batch]`.
fn patched(
    bench: &Bench,
    items: &[usize],
    plan: &Paths,
    some: &[usize],
    batch: &Batch,
) -> Result<Vec<Vec<f64>>, HookError> {
    let layers = bench.model.dims().layers;
    let mut values = vec![batch.ends().0; some.len()];
    let all = some.iter().enumerate().flat_map(|(row, branch)| {
        let branch = &plan.branches[*branch];
        (0..items.len()).map(move |item| Entry { row, item, branch })
    });
    let entries: Vec<Entry> = all.filter(|entry| batch.changes(entry)).collect();
    for alike in entries.chunk_by(|a, b| batch::begins(a.branch, layers) == batch::begins(b.branch, layers)) {
        for chunk in alike.chunks(batch.rows(bench)) {
            let found = batch.run(bench, chunk)?;
            chunk.iter().zip(found).for_each(|(entry, value)| values[entry.row][entry.item] = value);
        }
    }
    Ok(values)
}
