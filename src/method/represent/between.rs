//! Spaces held against each other: two cells of a model, or those of two models, on the same prompts.

use super::geometry::dissimilarities;
use super::tables::{AGREEMENT, ALIGNMENT, cell_name, put_facts};
use crate::method::{Finding, Tensors};
use crate::plan::Representing;
use crate::spec::{Alignment, Statistics};
use crate::table::{Row, Table};
use ndarray::{Array2, ArrayView2};
use patchclamp_probes::compare::{
    Resampled, cca, compare_models, debiased_cka, debiased_rbf_cka, linear_cka, procrustes, pwcca, svcca,
};

/// The states of a cell of some model, and what it is called.
pub struct Space {
    /// `layer 3`.
    pub name: String,
    /// `[prompt, value]`.
    pub states: Array2<f64>,
}

/// How alike two spaces are, prompt by prompt; none where that cannot be said, as where one of them does not vary.
pub fn aligned(x: &Array2<f64>, y: &Array2<f64>, alignment: Alignment) -> Option<f64> {
    let (x, y): (ArrayView2<f64>, ArrayView2<f64>) = (x.view(), y.view());
    let found = match alignment {
        Alignment::DebiasedCka => debiased_cka(x, y),
        Alignment::Cka => linear_cka(x, y),
        Alignment::KernelCka { width } => debiased_rbf_cka(x, y, width),
        Alignment::Cca => cca(x, y).map(|found| found.mean()),
        Alignment::Svcca { share } => svcca(x, y, share).map(|found| found.mean()),
        Alignment::Pwcca => pwcca(x, y),
        Alignment::Procrustes => procrustes(x, y).map(|distance| 1.0 - distance / 2.0),
    };
    found.ok()
}

/// The spaces that a run has kept, in the order of its cells.
pub fn spaces(finding: &Tensors) -> Vec<Space> {
    let space = |(name, (shape, values)): (&String, &(Vec<usize>, Vec<f32>))| {
        let name = name.split_once(' ').map_or(name.as_str(), |(_, name)| name).to_string();
        let values = values.iter().copied().map(f64::from).collect();
        let states = Array2::from_shape_vec((*shape.first()?, *shape.get(1)?), values).ok()?;
        Some(Space { name, states })
    };
    finding.iter().filter_map(space).collect()
}

/// The name under which a cell's states are kept: with its number, so that they stand in order.
pub(super) fn kept_name(plan: &Representing, cell: usize) -> String {
    format!("{cell:04} {}", cell_name(plan, cell))
}

/// How the cells of this model's run agree with those of another, on the same prompts: alignment, and agreement of geometry
/// with its interval over conditions. None where the prompts are not as many.
pub fn between(
    (name, other): (&str, &str),
    plan: &Representing,
    (own, others): (&[Space], &[Space]),
    statistics: Statistics,
    seed: u64,
) -> Option<Table> {
    let count = own.first()?.states.nrows();
    if own.iter().chain(others).any(|space| space.states.nrows() != count) {
        return None;
    }
    let title = format!("Spaces of this model (up) and of `{other}` (across)");
    let mut table = Table { name: name.into(), title, ..blank_table() };
    put_facts(&mut table, plan);
    let far = |space: &Space| dissimilarities(space.states.view(), plan).ok();
    let [near, beyond] = [own, others].map(|spaces| spaces.iter().map(far).collect::<Vec<_>>());
    for (first, far) in own.iter().zip(&near) {
        for (second, other) in others.iter().zip(&beyond) {
            let site = Some(format!("{} ~ {}", first.name, second.name));
            let row = Row { method: "represent".into(), site, n: count, ..Row::default() };
            let value = aligned(&first.states, &second.states, plan.alignment).unwrap_or(f64::NAN);
            table.rows.push(Row { metric: ALIGNMENT.into(), effect: value, ..row.clone() });
            let (level, draws) = (statistics.level, statistics.resamples);
            let agreed = far.as_ref().zip(other.as_ref()).and_then(|(far, other)| {
                let (models, subjects) = (std::slice::from_ref(far), std::slice::from_ref(other));
                let similarity = plan.similarity.into();
                compare_models(models, subjects, similarity, Resampled::Conditions, level, draws, seed).ok()
            });
            let (effect, ends) = match agreed {
                Some(agreed) => (agreed.similarities[0], Some(agreed.intervals[0])),
                None => (f64::NAN, None),
            };
            let (low, high) = (ends.map(|ends| ends.low), ends.map(|ends| ends.high));
            table.rows.push(Row { metric: AGREEMENT.into(), effect, low, high, n: plan.count(), ..row });
        }
    }
    Some(table)
}

fn blank_table() -> Table {
    let (name, title) = (String::new(), String::new());
    Table { name, title, facts: Default::default(), positions: Vec::new(), rows: Vec::new() }
}

/// The states of all cells, as a finding keeps them for runs that are held against this one.
pub(super) fn keep(finding: &mut Finding, plan: &Representing, items: usize, states: Vec<&[f32]>) {
    let kept = states.into_iter().enumerate().map(|(cell, states)| {
        let shape = vec![items, states.len() / items.max(1)];
        (kept_name(plan, cell), (shape, states.to_vec()))
    });
    finding.tensors.push(("represent".into(), kept.collect()));
}
