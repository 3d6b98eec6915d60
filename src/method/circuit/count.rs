//! How many edges are chosen: as many as are asked for, or the fewest that do a share of what all do, by bisection over how
//! many are chosen, each circuit run.

use super::outside::Outside;
use super::runner::Runner;
use crate::circuit::{Circuit, Ends, Rule, Smallest};
use crate::method::Bench;
use crate::method::score::batches;
use crate::method::summary::mean;
use crate::plan::Size;
use crate::spec::Stand;
use crate::steps::{RunError, Steps};

/// The circuits of so many edges that are tried before one is chosen.
pub fn tries(size: Size, edges: usize) -> usize {
    match size {
        Size::Edges(_) => 0,
        Size::Faithful(_) => most_tries(edges),
    }
}

/// How many edges are chosen by the scores of a circuit, and how that came about, for the facts of a table.
pub fn counted(
    bench: &Bench,
    (rule, size): (Rule, Size),
    stand: Stand,
    all: &Circuit,
    steps: &mut Steps,
) -> Result<(usize, Vec<(String, String)>), RunError> {
    let selection = |what: String| ("selection".to_string(), format!("{rule:?}, {what}, then pruned"));
    let least = match size {
        Size::Edges(count) => return Ok((count, vec![selection(format!("{count} edges"))])),
        Size::Faithful(least) => least,
    };
    let mut runner = Runner::new(bench, stand);
    match fewest((&mut runner, rule), (all, least), batches(bench).len(), steps)? {
        Some(found) => {
            let first = selection(format!("the fewest edges that are faithful enough: {}", found.chosen));
            Ok((found.chosen, [first].into_iter().chain(facts(&found, least)).collect()))
        }
        // all edges do as none does
        None => Ok((all.links().len(), vec![selection("no number of edges is faithful, so all edges".into())])),
    }
}

/// The most circuits that bisection over so many edges tries, both ends counted.
fn most_tries(edges: usize) -> usize {
    edges.max(1).ilog2() as usize + 4
}

/// The smallest circuit under a rule that does `least` of what all edges do; `None` where all do as none. `batches`
/// joint steps for each of [`most_tries`].
fn fewest(
    (runner, rule): (&mut Runner, Rule),
    (all, least): (&Circuit, f64),
    batches: usize,
    steps: &mut Steps,
) -> Result<Option<Smallest>, RunError> {
    let ends = runner.run(&[Outside::nothing(all), Outside::everything(all)], steps)?;
    let ends = Ends { whole: mean(&ends[0]), empty: mean(&ends[1]) };
    let mut tries = 1;
    let found = all.smallest(rule, least, |circuit| {
        tries += 1;
        let values = runner.run(&[Outside::of(circuit, &circuit.members(), true)], steps)?;
        Ok::<f64, RunError>(ends.faithfulness(mean(&values[0])).unwrap_or(f64::NAN))
    })?;
    let most = most_tries(all.links().len());
    debug_assert!(tries <= most, "{tries} of {most}");
    steps.pass_over(batches * (most - tries));
    Ok(found)
}

/// How it was found, for the facts of a table.
fn facts(found: &Smallest, least: f64) -> [(String, String); 2] {
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
