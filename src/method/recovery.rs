//! Recovery: a circuit that was found held against the true one.
//!
//! *What it measures.* Whether the edges of the true circuit have larger scores than the others: the area under the curve of
//! true against false positives, and ACDC's pessimistic one; how many of the edges that were chosen are true. Labels shuffled
//! among the edges give the area that chance gives.
//!
//! *What it cannot show.* Anything where the true circuit is not known: it is of compiled programs.
//!
//! *Reference.* Conmy et al. 2023, "Towards automated circuit discovery for mechanistic interpretability".
//!
//! *Example.* `truth: Own` beside `model: Compiled(program: Reverse)`

use super::{Bench, blank, table};
use crate::circuit::{Against, Circuit, NoRecovery, Recovery};
use crate::table::{Row, Table};

/// What the table of a recovery is called, behind the name of its circuit.
pub const RECOVERY: &str = "recovery";

/// The table of a circuit's recovery; `title` is that of the circuit.
pub fn recovery(
    name: &str,
    title: &str,
    circuit: &Circuit,
    truth: &Circuit,
    bench: &Bench,
) -> Result<Table, NoRecovery> {
    let found = circuit.recovery(truth, bench.seed)?;
    let method = format!("{name}.{RECOVERY}");
    let mut main = table(&method, &format!("{title}: how much of the true circuit it is"), bench);
    let row = |site: &str, metric: &str, effect: f64| Row {
        site: Some(site.to_string()),
        metric: metric.to_string(),
        effect,
        n: found.edges,
        ..blank(&method, bench.metric)
    };
    for (metric, against) in [("roc_area", &found.area), ("roc_staircase", &found.staircase)] {
        let (low, high) = against.middle();
        main.rows.push(Row { p: Some(against.p()), ..row("edges by size", metric, against.found) });
        main.rows.push(Row {
            low: Some(low),
            high: Some(high),
            ..row("labels shuffled", metric, Against::chance(against))
        });
    }
    main.rows.push(row("circuit", "true_positives", found.found()));
    main.rows.push(row("circuit", "false_positives", found.alarms()));
    main.rows.extend(found.precision().map(|precision| row("circuit", "precision", precision)));
    main.facts.extend(facts(&found).map(|(name, value)| (name.to_string(), value)));
    Ok(main)
}

fn facts(found: &Recovery) -> [(&'static str, String); 4] {
    let Recovery { edges, known, chosen, hits, area, .. } = found;
    [
        ("truth", format!("{known} of {edges} edges")),
        ("circuit", format!("{chosen} edges, {hits} of them true")),
        ("shuffled", format!("{} times, the middle 95 in 100", area.shuffled.len())),
        ("p", "how likely shuffled labels reach as much".to_string()),
    ]
}
