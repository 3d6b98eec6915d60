//! Recovery: circuits that were found held against the true one.
//!
//! *What it measures.* Whether the edges of the true circuit have larger scores than the others: the area under the curve of
//! true against false positives, and ACDC's pessimistic one; and how many of the edges that were chosen are true. A search at
//! several thresholds has such a curve of its circuits too. Labels shuffled among the edges give the areas that chance gives.
//!
//! *What it cannot show.* Anything where the true circuit is not known: it is of compiled programs.
//!
//! *Reference.* Conmy et al. 2023, "Towards automated circuit discovery for mechanistic interpretability".
//!
//! *Example.* `truth: Own` beside `model: Compiled(program: Reverse)`

use super::{Bench, Finding, blank, table};
use crate::circuit::{Against, Circuit, Recovery};
use crate::table::{Row, Table};

/// What the table is called.
pub const RECOVERY: &str = "recovery";

/// The fact of a circuit's table that says how it was searched for.
pub const SEARCH: &str = "search";

/// One table of all circuits of these findings, each with what it was searched by; none where no circuit was found.
pub fn recovery(bench: &Bench, findings: &[Finding], truth: &Circuit) -> Option<Finding> {
    let title = "How much of the true circuit each search recovers";
    let mut told = Telling { bench, truth, table: table(RECOVERY, title, bench) };
    for (number, finding) in findings.iter().enumerate() {
        told.searches(number + 1, finding);
    }
    let links = truth.links().len();
    let facts = [
        ("truth", format!("{} of {links} edges", truth.size())),
        ("shuffled", "which edges are true left to chance, a thousand times; the middle 95 in 100".into()),
        ("p", "how likely shuffled labels reach as much".into()),
    ];
    told.table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    (!told.table.rows.is_empty()).then(|| Finding { tables: vec![told.table], ..Finding::default() })
}

/// The table as it grows.
struct Telling<'a> {
    bench: &'a Bench<'a>,
    truth: &'a Circuit,
    table: Table,
}

impl Telling<'_> {
    /// The circuits of one method; where it has several, what they are together.
    fn searches(&mut self, number: usize, finding: &Finding) {
        let number = &number.to_string();
        for (name, circuit) in &finding.circuits {
            let facts = finding.tables.iter().find(|table| table.name == *name).map(|table| &table.facts);
            let search = facts.and_then(|facts| facts.get(SEARCH)).unwrap_or(name);
            // where edges of one kind have no score there is no curve to tell of
            if let Ok(found) = circuit.recovery(self.truth, self.bench.seed) {
                self.one([number, search], &found);
            }
        }
        let circuits: Vec<&Circuit> = finding.circuits.iter().map(|(_, circuit)| circuit).collect();
        if circuits.len() > 1
            && let Ok(both) = Circuit::recovery_of_all(&circuits, self.truth, self.bench.seed)
        {
            self.areas([number, &format!("over {} thresholds", circuits.len())], [&both[0], &both[1]]);
        }
    }

    fn one(&mut self, [number, search]: [&str; 2], found: &Recovery) {
        self.areas([number, search], [&found.area, &found.staircase]);
        let shares = [("true_positives", Some(found.found())), ("false_positives", Some(found.alarms()))];
        for (metric, share) in shares.into_iter().chain([("precision", found.precision())]) {
            let row = share.map(|share| self.row(&format!("{number}: {search}"), metric, share));
            self.table.rows.extend(row);
        }
    }

    fn areas(&mut self, [number, search]: [&str; 2], both: [&Against; 2]) {
        for (metric, against) in ["roc_area", "roc_staircase"].into_iter().zip(both) {
            let (low, high) = against.middle();
            let found = Row { p: Some(against.p()), ..self.row(&format!("{number}: {search}"), metric, against.found) };
            let chance = self.row(&format!("{number} shuffled: {search}"), metric, against.chance());
            self.table.rows.extend([found, Row { low: Some(low), high: Some(high), ..chance }]);
        }
    }

    fn row(&self, search: &str, metric: &str, effect: f64) -> Row {
        let n = self.truth.links().len();
        let place = blank(RECOVERY, self.bench.metric);
        Row { site: Some(search.to_string()), metric: metric.to_string(), effect, n, ..place }
    }
}
