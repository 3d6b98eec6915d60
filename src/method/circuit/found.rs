//! What follows whatever way a circuit was found: it is run, held against all edges and none, and told.

use super::Evaluation;
use super::portray::portray;
use super::tables::Told;
use crate::circuit::{By, Circuit, Ends, Rule, SHARES};
use crate::method::score::batches;
use crate::method::sweep::made;
use crate::method::{Bench, Finding, Summary, carry};
use crate::node::Edge;
use crate::spec::Stand;
use crate::steps::{RunError, Steps};

/// Circuits that are always run: all edges, none, the circuit, the others.
pub(super) const ENDS: usize = 4;

/// A circuit that a search has found, and what is known of how it would come out with other items.
pub struct Found {
    /// What its tables are called by; what a circuit does is told in `NAME.faithfulness`.
    pub name: String,
    /// The search, as papers call it.
    pub search: String,
    /// Every edge of the model with its score; those that were found are in the circuit.
    pub circuit: Circuit,
    /// For each edge how sure it is that it belongs to the circuit, 0 to 1, as [`Scale::inclusion`] says.
    pub inclusion: Vec<f64>,
    /// Whether the circuit survives other items, in a sentence.
    pub stability: String,
    /// How it was found, for the facts of its tables.
    pub facts: Vec<(String, String)>,
    /// What its scores say.
    pub scale: Scale,
    /// The order of scores that has the edges of most use first, where circuits of shares of all edges can be chosen by
    /// them.
    pub curve: Option<By>,
}

/// What the scores of a circuit say.
pub struct Scale {
    /// What they are a change or a share of: the metric of their rows.
    pub metric: String,
    /// What their sign says.
    pub sign: String,
    /// What the share beside each of them is a share of.
    pub inclusion: String,
}

/// How many circuits are run for one that was found, with curves or without.
pub fn runs(curve: Option<By>) -> usize {
    ENDS + rules(curve).len() * SHARES.len()
}

/// Joint steps of [`Found::run`]: in each batch circuits are run, then their nodes seen, then it is told what they carry.
pub fn joint(bench: &Bench) -> usize {
    2 * batches(bench).len() + carry::joint(bench)
}

/// How the circuits of both curves are chosen: by sign, then by size.
pub(super) fn rules(curve: Option<By>) -> Vec<Rule> {
    curve.map_or(Vec::new(), |by| vec![Rule::Top(by), Rule::Top(By::Size)])
}

impl Found {
    /// Runs the circuit and what it is held against, and tells everything; in the model of `bench` no heads share keys or
    /// values. As many joint steps as [`joint`] says.
    pub fn run(self, bench: &Bench, stand: Stand, steps: &mut Steps) -> Result<Finding, RunError> {
        let values = run_all(bench, stand, &self.outsides(), steps)?;
        let mut portraits = portray(bench, &self.circuit, steps)?;
        let carries = carry::carry(bench, &self.name, &self.circuit, steps)?;
        let (labels, table) = carries.map(|carries| (carries.labels, carries.table)).unzip();
        portraits.carries = labels.unwrap_or_default();
        let told = Told { bench, stand, summary: &Summary::new(bench), found: self, values, portraits };
        let mut finding = told.finding();
        finding.tables.extend(table);
        Ok(finding)
    }

    /// The circuits that are run, by the edges outside each, in the order of [`Told::values`].
    fn outsides(&self) -> Vec<Vec<Edge>> {
        let outside = |members: &[bool], wanted: bool| -> Vec<Edge> {
            let links = self.circuit.links().zip(members).filter(|(_, member)| **member != wanted);
            links.map(|(link, _)| link.edge).collect()
        };
        let members = self.circuit.members();
        let all = self.circuit.blocks().edges();
        let mut outsides = vec![Vec::new(), all, outside(&members, true), outside(&members, false)];
        for rule in rules(self.curve) {
            let nothing = Ends { empty: 0.0, whole: 1.0 };
            let gathered = self.circuit.curve(rule, nothing, |circuit| {
                outsides.push(outside(&circuit.members(), true));
                Ok::<f64, std::convert::Infallible>(0.0)
            });
            let Ok(_) = gathered;
        }
        outsides
    }
}

/// The metric of every item under every circuit that is run, `[circuit][item]`; a step for each batch, joint as circuits
/// hang on all items.
fn run_all(bench: &Bench, stand: Stand, outsides: &[Vec<Edge>], steps: &mut Steps) -> Result<Vec<Vec<f64>>, RunError> {
    let mut evaluation: Option<Evaluation> = None;
    let mut make = || Evaluation::of(bench, stand, outsides);
    let mut values = vec![vec![0.0; bench.items.len()]; outsides.len()];
    for items in batches(bench) {
        let work = items.len() * outsides.len();
        let found = steps.joint(work, || made(&mut evaluation, &mut make)?.values(&items, outsides))?;
        for (values, found) in values.iter_mut().zip(found) {
            items.iter().zip(found).for_each(|(item, value)| values[*item] = value);
        }
    }
    Ok(values)
}
