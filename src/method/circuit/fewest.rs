//! The fewest edges that do a share of what all do: bisection over how many are chosen, each circuit run.

use super::found::outside;
use super::runner::Runner;
use crate::circuit::{Circuit, Ends, Smallest};
use crate::method::summary::mean;
use crate::plan::Circuits;
use crate::steps::{RunError, Steps};

/// The most circuits that bisection over so many edges tries, both ends counted.
pub fn most_tries(edges: usize) -> usize {
    edges.max(1).ilog2() as usize + 4
}

/// The smallest circuit under the plan's rule that does `least` of what all edges do; `None` where all do as none. `batches`
/// joint steps for each of [`most_tries`].
pub fn fewest(
    (runner, plan): (&mut Runner, &Circuits),
    (all, least): (&Circuit, f64),
    batches: usize,
    steps: &mut Steps,
) -> Result<Option<Smallest>, RunError> {
    let nothing = vec![false; all.links().len()];
    let ends = runner.run(&[Vec::new(), outside(all, &nothing, true)], steps)?;
    let ends = Ends { whole: mean(&ends[0]), empty: mean(&ends[1]) };
    let mut tries = 1;
    let found = all.smallest(plan.rule, least, |circuit| {
        tries += 1;
        let values = runner.run(&[outside(circuit, &circuit.members(), true)], steps)?;
        Ok::<f64, RunError>(ends.faithfulness(mean(&values[0])).unwrap_or(f64::NAN))
    })?;
    let most = most_tries(all.links().len());
    debug_assert!(tries <= most, "{tries} of {most}");
    steps.pass_over(batches * (most - tries));
    Ok(found)
}

/// How it was found, for the facts of a table.
pub fn facts(found: &Smallest, least: f64) -> [(String, String); 2] {
    let tried = found.tried.iter().map(|(edges, faithfulness)| format!("{edges}: {faithfulness:.3}"));
    let tried = tried.collect::<Vec<_>>().join(", ");
    let certain = match found.is_certain() {
        true => "faithfulness rose with every size tried",
        false => "CAUTION: faithfulness did not rise with every size tried, so a smaller circuit may be as faithful",
    };
    [
        ("faithfulness, at least".to_string(), least.to_string()),
        ("edges tried, with faithfulness".to_string(), format!("{tried}; {certain}")),
    ]
}
