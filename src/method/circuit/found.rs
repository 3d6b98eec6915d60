//! What follows whatever way a circuit was found: it is run, held against all edges and none, and told.

use super::null;
use super::outside::Outside;
use super::portray::portray;
use super::removals;
use super::runner::Runner;
use super::tables::Told;
use super::ways::ways;
use crate::circuit::{By, Circuit, Ends, Rule, SHARES};
use crate::method::score::batches;
use crate::method::summary::mean;
use crate::method::{Bench, Finding, Summary, carry};
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
    /// How many random circuits it is held against.
    pub random: usize,
    /// Circuits of exchanged answers that it is held against, where the search has made some.
    pub shuffled: Option<Shuffled>,
}

/// Circuits that a search finds when the answers of a random half of the items are exchanged.
pub struct Shuffled {
    /// In which items, draw by draw.
    pub exchanges: Vec<Vec<bool>>,
    /// Which edges are in, draw by draw.
    pub members: Vec<Vec<bool>>,
}

/// What draws of a null do, as a share of what all edges do.
pub struct Null {
    /// What is drawn.
    pub name: &'static str,
    /// A share each.
    pub shares: Vec<f64>,
    /// The edges of each.
    pub sizes: Vec<usize>,
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

/// How many circuits are run for one that was found, with curves or without, beside those of nulls.
pub fn runs(curve: Option<By>) -> usize {
    ENDS + rules(curve).len() * SHARES.len()
}

/// Joint steps of [`Found::run`], with circuits of exchanged answers or without: in each batch circuits are run, then their
/// nodes seen, then it is told what they carry, then come nulls, paths and what is taken out.
pub fn joint(bench: &Bench, shuffled: usize) -> usize {
    let nulls = if shuffled > 0 { 2 } else { 1 };
    (3 + nulls + removals::JOINTS) * batches(bench).len() + carry::joint(bench)
}

/// How the circuits of both curves are chosen: by sign, then by size.
pub(super) fn rules(curve: Option<By>) -> Vec<Rule> {
    curve.map_or(Vec::new(), |by| vec![Rule::Top(by), Rule::Top(By::Size)])
}

impl Found {
    /// Runs the circuit and what it is held against, and tells everything; in the model of `bench` no heads share keys or
    /// values. As many joint steps as [`joint`] says.
    pub fn run(self, bench: &Bench, stand: Stand, steps: &mut Steps) -> Result<Finding, RunError> {
        let mut runner = Runner::new(bench, stand);
        let circuits = self.circuits();
        let outside = |members: &Vec<bool>| Outside::of(&self.circuit, members, true);
        let values = runner.run(&circuits.iter().map(outside).collect::<Vec<_>>(), steps)?;
        drop(circuits);
        let mut portraits = portray(bench, &self.circuit, steps)?;
        let carries = carry::carry(bench, &self.name, &self.circuit, steps)?;
        let (labels, table) = carries.map(|carries| (carries.labels, carries.table)).unzip();
        portraits.carries = labels.unwrap_or_default();
        let nulls = [self.random(bench, &mut runner, &values, steps)?, self.exchanged(&mut runner, &values, steps)?];
        let nulls = nulls.into_iter().flatten().collect();
        let ways = ways(&self, bench, steps)?.table(&self, bench, [&values[0], &values[1]]);
        let removed = removals::removals(&self, &mut runner, steps)?;
        let removed = removed.table(&self, bench, [&values[0], &values[1], &values[2]]);
        let told = Told { bench, stand, summary: &Summary::new(bench), found: self, values, nulls, portraits };
        let mut finding = told.finding();
        // in the order of their names, as they are read again
        finding.tables.extend(table.into_iter().chain(ways).chain([removed]));
        Ok(finding)
    }

    /// The edges of each circuit that is run, in the order of [`Told::values`].
    fn circuits(&self) -> Vec<Vec<bool>> {
        let (circuit, members) = (&self.circuit, self.circuit.members());
        let all = |is_in: bool| vec![is_in; members.len()];
        let others = members.iter().map(|member| !member).collect();
        let mut circuits = vec![all(true), all(false), members, others];
        for rule in rules(self.curve) {
            let nothing = Ends { empty: 0.0, whole: 1.0 };
            let gathered = circuit.curve(rule, nothing, |circuit| {
                circuits.push(circuit.members());
                Ok::<f64, std::convert::Infallible>(0.0)
            });
            let Ok(_) = gathered;
        }
        circuits
    }

    /// What random circuits of as many edges do.
    fn random(
        &self,
        bench: &Bench,
        runner: &mut Runner,
        values: &[Vec<f64>],
        steps: &mut Steps,
    ) -> Result<Option<Null>, RunError> {
        let circuits = null::random(&self.circuit, self.random, bench.seed);
        let outsides: Vec<_> = circuits.iter().map(|one| Outside::of(one, &one.members(), true)).collect();
        let found = runner.run(&outsides, steps)?;
        let (whole, empty) = (mean(&values[0]), mean(&values[1]));
        let shares = found.iter().map(|values| (mean(values) - empty) / (whole - empty)).collect();
        let sizes = circuits.iter().map(Circuit::size).collect();
        Ok((self.random > 0).then_some(Null { name: "random circuits", shares, sizes }))
    }

    /// What circuits of exchanged answers do of these answers, over what all edges do of the true ones.
    fn exchanged(&self, runner: &mut Runner, values: &[Vec<f64>], steps: &mut Steps) -> Result<Option<Null>, RunError> {
        let Some(Shuffled { exchanges, members }) = &self.shuffled else { return Ok(None) };
        let circuit = &self.circuit;
        let outsides = members.iter().map(|members| Outside::of(circuit, members, true));
        let outsides: Vec<_> = std::iter::once(Outside::everything(circuit)).chain(outsides).collect();
        let everywhere = vec![true; values[0].len()];
        let answers: Vec<_> = std::iter::once(everywhere).chain(exchanges.iter().cloned()).collect();
        let found = runner.run_exchanged(&outsides, &answers, steps)?;
        let whole = mean(&values[0]) - mean(&values[1]);
        let share = |(draw, exchanged): (&Vec<f64>, &Vec<bool>)| {
            let empty = exchanged.iter().zip(found[0].iter().zip(&values[1]));
            let empty: Vec<f64> = empty.map(|(exchange, (other, own))| if *exchange { *other } else { *own }).collect();
            (mean(draw) - mean(&empty)) / whole
        };
        let shares = found[1..].iter().zip(exchanges).map(share).collect();
        let sizes = members.iter().map(|members| members.iter().filter(|member| **member).count()).collect();
        Ok(Some(Null { name: "shuffled answers", shares, sizes }))
    }
}
