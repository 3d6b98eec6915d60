//! The ways through a circuit: its strongest paths from the input to the logits, and what each does by itself.

use super::Found;
use crate::circuit::Strength;
use crate::method::path::noised;
use crate::method::score::batches;
use crate::method::{Bench, Summary, blank, table};
use crate::node::{Node, Path};
use crate::plan::Paths;
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};

/// Paths that are told of.
const MOST: usize = 20;

/// The paths of a circuit, and the metric's change along each for every item.
pub struct Ways {
    paths: Vec<Path>,
    /// `[path][item]`.
    effects: Vec<Vec<f64>>,
}

/// What the strongest paths do; as many joint steps as there are batches.
pub fn ways(found: &Found, bench: &Bench, steps: &mut Steps) -> Result<Ways, RunError> {
    let blocks = found.circuit.blocks();
    let paths = found.circuit.paths(Node::Input, Strength::Weakest, MOST);
    let paths: Vec<Path> = paths.into_iter().map(|(path, _)| path).collect();
    let plan = Paths::noised(&paths, blocks.layers, blocks.flow);
    let mut effects = vec![vec![0.0; bench.items.len()]; paths.len()];
    for items in batches(bench) {
        let done = steps.joint(items.len() * paths.len(), || noised(bench, &items, &plan))?;
        for (effects, done) in effects.iter_mut().zip(done) {
            items.iter().zip(done).for_each(|(item, value)| effects[*item] = value);
        }
    }
    Ok(Ways { paths, effects })
}

impl Ways {
    /// The table, the path of largest effect first; nothing of a circuit without a path. `whole` and `empty` are the metric
    /// of all edges and of none, an item each.
    pub fn table(&self, found: &Found, bench: &Bench, [whole, empty]: [&[f64]; 2]) -> Option<Table> {
        let name = format!("{}.paths", found.name);
        let title = format!("Circuit of {} edges ({}): its paths", found.circuit.size(), found.search);
        let mut main = table(&name, &title, bench);
        let summary = Summary::new(bench);
        let total: Vec<f64> = whole.iter().zip(empty).map(|(whole, empty)| whole - empty).collect();
        let scale = summary.scale(&total, &mut main);
        let place = |path: &Path| Row { site: Some(path.to_string()), ..blank(&name, bench.metric) };
        let rows = self.paths.iter().zip(&self.effects);
        main.rows = rows.map(|(path, effects)| summary.untested(place(path), effects, scale)).collect();
        main.rows.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        let facts = [
            ("paths", format!("the {MOST} whose weakest edge has the largest score in size, of all from the input to the logits")),
            ("effect", "metric of the clean run when the path alone brings what it has after the corrupted prompt, everything else frozen, less that of the clean run".into()),
            ("normalised", "over what all edges do beyond none".into()),
        ];
        main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
        (!main.rows.is_empty()).then_some(main)
    }
}
