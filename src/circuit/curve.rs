//! Faithfulness against size: the curve of the Mechanistic Interpretability Benchmark, and its two areas.
//!
//! **What it measures.** At each of ten shares k of the edges, f = (m(C_k) − m(∅)) / (m(N) − m(∅)), where m is the mean
//! metric of the pruned circuit, of none of the edges and of all. CPR = ∫ f dk: how well a circuit does, more is better;
//! made for edges chosen by sign. CMD = ∫ |1 − f| dk: how far it is from doing as the model does, 0 is best; made for
//! edges chosen by size. Trapezoids on linear k, which begins at .001: a circuit with f = 1 throughout has a CPR of .999.
//!
//! **What it cannot show.** Anything where all edges and none give the same metric: then f is `None`. Half of either
//! area lies above k = .5, so both say little about small circuits.
//!
//! **Reference.** Mueller et al. 2025, *MIB: A Mechanistic Interpretability Benchmark*.
//!
//! **Example.** `circuit.curve(Rule::Top(By::Sign), ends, |circuit| evaluate(circuit))?`

use super::{By, Circuit, Rule};

/// The shares of edges at which a circuit is held against the model.
pub const SHARES: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// The circuits that every other is held against, with itself and what is left without it: the first rows of their table.
pub const ALWAYS_RUN: [&str; 4] = ["circuit", "complement", "all edges", "no edge"];

/// Between a share and what counts of a score, where tables name the circuit of a share.
const OF_ALL: &str = " of all edges by ";

/// The name of the circuit of a share of the edges.
pub fn share_name(share: f64, by: By) -> String {
    format!("{share}{OF_ALL}{}", if by == By::Sign { "sign" } else { "size" })
}

/// The share, and what counts of a score, that such a name says.
pub fn named_share(name: &str) -> Option<(&str, &str)> {
    name.split_once(OF_ALL)
}

/// The mean metric at both ends of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    /// Of no edge.
    pub empty: f64,
    /// Of all edges: the model left alone.
    pub whole: f64,
}

/// A circuit of some share of the edges, and what it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Of the edges of the model.
    pub share: f64,
    /// Edges chosen.
    pub chosen: usize,
    /// Edges left after pruning.
    pub edges: usize,
    /// The mean metric of what is left.
    pub value: f64,
    /// Its faithfulness.
    pub faithfulness: Option<f64>,
}

/// The areas of one curve; `None` where a faithfulness is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Areas {
    /// ∫ f dk.
    pub cpr: Option<f64>,
    /// ∫ |1 − f| dk.
    pub cmd: Option<f64>,
}

/// The areas under both rules side by side: a method can shine under one of them alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BothRules {
    /// Edges chosen by sign, for which CPR was made.
    pub sign: Areas,
    /// Edges chosen by size, for which CMD was made.
    pub size: Areas,
}

impl Ends {
    /// How much of what all edges do a circuit with the mean metric `value` does; `None` where they do nothing.
    pub fn faithfulness(self, value: f64) -> Option<f64> {
        let share = (value - self.empty) / (self.whole - self.empty);
        share.is_finite().then_some(share)
    }
}

/// How many of `edges` a share is, rounded down.
pub fn count(share: f64, edges: usize) -> usize {
    // a share such as .29 of 100 must not become 28 by the rounding of its product
    (share * edges as f64 * (1.0 + 1e-12)) as usize
}

impl Circuit {
    /// The curve under a rule; `metric` gives the mean metric of a circuit.
    ///
    /// # Errors
    /// The first of `metric`.
    pub fn curve<E>(
        &self,
        rule: Rule,
        ends: Ends,
        mut metric: impl FnMut(&Self) -> Result<f64, E>,
    ) -> Result<Vec<Step>, E> {
        let all = self.blocks.count();
        let step = |share| {
            let chosen = count(share, all);
            let circuit = self.select(rule, chosen).prune();
            let value = metric(&circuit)?;
            Ok(Step { share, chosen, edges: circuit.size(), value, faithfulness: ends.faithfulness(value) })
        };
        SHARES.into_iter().map(step).collect()
    }
}

impl Areas {
    /// The areas of a curve, whose shares rise.
    pub fn of(curve: &[Step]) -> Self {
        let points: Option<Vec<_>> = curve.iter().map(|step| Some((step.share, step.faithfulness?))).collect();
        let over = |height: fn(f64) -> f64| {
            let points = points.as_deref()?.iter().map(|(share, faithfulness)| (*share, height(*faithfulness)));
            Some(trapezoid(&points.collect::<Vec<_>>()))
        };
        Self { cpr: over(|f| f), cmd: over(|f| (1.0 - f).abs()) }
    }
}

fn trapezoid(points: &[(f64, f64)]) -> f64 {
    points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum()
}
