//! What exchanges come to, as a table: accuracies first, then effects, each place beside its upper bound and its nulls.

use super::{Exchanged, Found, Kind};
use crate::method::patch::{axes, names, place};
use crate::method::summary::{Told, Values, mean, tabulate_some};
use crate::method::{Bench, Finding, Tensors, blank, table};
use crate::plan::{Cell, Das};
use crate::spec::Loss;
use crate::table::{Row, Table};
use patchclamp_probes::Interval;

/// Of how many exchanges the source run's answer is the likelier of the two.
const ACCURACY: &str = "interchange_accuracy";
/// How many directions a boundless fit has kept.
const DIMENSIONS: &str = "dimensions";

/// Table, single items and directions.
pub fn finding(bench: &Bench, plan: &Das, found: &[Found]) -> Finding {
    let mut rows = Rows { told: Told::default(), spread: [Vec::new(), Vec::new()] };
    for (cell, found) in plan.sweep.cells.iter().zip(found) {
        let mut last = None;
        for one in &found.exchanged {
            if let Kind::Learned(_) | Kind::Boundless(_) = one.kind {
                last = Some(one.kind);
            }
            rows.add(bench, &name(one.kind, last, plan), (plan, cell, found, one));
        }
    }
    let title = format!("Alignment search: {}, {}", names(&plan.sweep.cells), axes(&plan.sweep));
    let mut main = table("das", &title, bench);
    facts(bench, plan, found, &mut main);
    let totals = found.first().map(|found| differences(&found.ends[1][0], &found.ends[0][0]));
    let totals = on_items(bench, plan, &totals.unwrap_or_default());
    let mut finding = tabulate_some(bench, main, rows.told, &totals);
    for table in &mut finding.tables {
        let spread = rows.spread[0].iter().chain(&rows.spread[1]);
        for (row, draws) in table.rows.iter_mut().zip(spread) {
            if let Some(draws) = draws {
                let interval = Interval::percentile(draws, bench.statistics.level);
                (row.low, row.high) = (interval.map(|ends| ends.low), interval.map(|ends| ends.high));
            }
            // neither accuracies nor counts are shares of what the source run has more
            if [ACCURACY, DIMENSIONS].contains(&row.metric.as_str()) {
                row.normalised = None;
            }
        }
        // accuracies before effects
        table.rows.sort_by_key(|row| [ACCURACY, DIMENSIONS].iter().position(|name| *name == row.metric).unwrap_or(2));
    }
    finding.tensors = vec![("das".to_string(), tensors(plan, found))];
    finding
}

/// The rows of a table, and for each, tested or described, the draws that its interval is of.
struct Rows {
    told: Told,
    spread: [Vec<Option<Vec<f64>>>; 2],
}

impl Rows {
    fn add(&mut self, bench: &Bench, method: &str, (plan, cell, found, one): (&Das, &Cell, &Found, &Exchanged)) {
        let row = |metric: &str| Row { metric: metric.into(), ..place(blank(method, bench.metric), cell) };
        let [metric, preferred] = &one.items;
        let effects = on_items(bench, plan, &differences(metric, &found.ends[0][0]));
        let draws = |of: usize| one.draws.iter().map(|draw| draw[of]).collect::<Vec<f64>>();
        let base = mean(&found.ends[0][0]);
        let spread =
            |of: usize, less: f64| (!one.draws.is_empty()).then(|| draws(of).iter().map(|draw| draw - less).collect());
        let described = [(row(ACCURACY), on_items(bench, plan, preferred), spread(1, 0.0))];
        let count = match one.kind {
            Kind::Boundless(count) => {
                Some((row(DIMENSIONS), on_items(bench, plan, &vec![count as f64; preferred.len()]), None))
            }
            _ => None,
        };
        for (row, values, draws) in described.into_iter().chain(count) {
            self.told.described.push((row, values));
            self.spread[1].push(draws);
        }
        // what it is held against is described: every test more makes the others weaker
        let (told, which) = match one.kind {
            Kind::Learned(_) | Kind::Boundless(_) | Kind::Whole => (&mut self.told.tested, 0),
            Kind::Mean | Kind::Leading(_) | Kind::Random(_) => (&mut self.told.described, 1),
        };
        told.push((row(&bench.metric.to_string()), effects));
        self.spread[which].push(spread(0, base));
    }
}

/// What a span is called, `last` being the fit that it is held against.
fn name(kind: Kind, last: Option<Kind>, plan: &Das) -> String {
    let several = plan.dimensions.len() + usize::from(plan.boundless.is_some()) > 1;
    let of = |name: &str, count: usize| match last {
        // how many these are differs from place to place
        Some(Kind::Boundless(_)) if several => format!("{name}, as boundless"),
        _ if several => format!("{name}, {count}"),
        _ => name.to_string(),
    };
    match kind {
        Kind::Whole => "whole vector".into(),
        Kind::Mean => "mean difference".into(),
        Kind::Learned(count) => of("DAS", count),
        Kind::Boundless(_) => "boundless DAS".into(),
        Kind::Leading(count) => of("principal components", count),
        Kind::Random(count) => of("random", count),
    }
}

fn differences(values: &[f64], from: &[f64]) -> Vec<f64> {
    values.iter().zip(from).map(|(value, from)| value - from).collect()
}

/// Values of the items held out, among all items.
fn on_items(bench: &Bench, plan: &Das, values: &[f64]) -> Values {
    let mut all = vec![None; bench.items.len()];
    plan.parts.test.iter().zip(values).for_each(|(item, value)| all[*item] = Some(*value));
    all
}

fn facts(bench: &Bench, plan: &Das, found: &[Found], main: &mut Table) {
    let (fit, test) = (plan.parts.fit.len(), plan.parts.test.len());
    let loss = match plan.loss {
        Loss::CrossEntropy => "−ln p of the source run's answer".to_string(),
        Loss::Metric => format!("{} of the source run's answer, times −1", bench.metric),
    };
    let [base, source] =
        found.first().map_or([f64::NAN; 2], |found| found.ends.each_ref().map(|[_, preferred]| mean(preferred)));
    let facts = [
        ("exchange", "of h what h' has along the directions, h of the base run, h' of the source run; both ways, clean and corrupted".into()),
        ("interchange_accuracy", "share of exchanges after which the source run's answer is the likelier of the two".into()),
        ("accuracy, nothing exchanged", format!("{base:.4}; the source run's own: {source:.4}")),
        ("normalised", "effect / (metric of the source run − metric of the base run), both read for the source run's answer".into()),
        ("items", format!("{test} held out, {fit} learned from; apart: {}", plan.parts.apart)),
        ("fit", format!("{} steps of at most {} exchanges, rate {} falling to 0; {loss}", plan.steps, plan.batch, plan.rate)),
        ("loss", losses(found)),
        ("random", format!("means over {} spans of the same size; their intervals are those of the spans, not of items", plan.random)),
    ];
    main.facts.extend(facts.map(|(name, words): (_, String)| (name.to_string(), words)));
}

/// How far the fits came.
fn losses(found: &[Found]) -> String {
    let all: Vec<[f64; 2]> = found.iter().flat_map(|found| found.losses.iter().flatten()).copied().collect();
    let still = found.iter().filter(|found| found.losses.iter().all(Option::is_none)).count();
    if all.is_empty() {
        return "the runs differ nowhere that was searched".into();
    }
    let of = |which: usize| all.iter().map(|loss| loss[which]).sum::<f64>() / all.len() as f64;
    let apart = if still > 0 {
        format!("; at {still} places the runs do not differ, and nothing is learned")
    } else {
        String::new()
    };
    format!("{:.4} in the first step, {:.4} in the last, the mean over fits{apart}", of(0), of(1))
}

/// What was learned, `[direction, width]` by site, head, position and fit.
fn tensors(plan: &Das, found: &[Found]) -> Tensors {
    let mut tensors = Tensors::new();
    for (cell, found) in plan.sweep.cells.iter().zip(found) {
        for one in &found.exchanged {
            let (count, fit) = match one.kind {
                Kind::Learned(count) => (count, format!("{count}")),
                Kind::Boundless(count) => (count, "boundless".into()),
                _ => continue,
            };
            if count > 0 {
                let part =
                    |name: &str, index: Option<usize>| index.map_or(String::new(), |index| format!(".{name}_{index}"));
                let (head, position) = (part("head", cell.head), part("position", cell.position));
                let name = format!("{}{head}{position}.das_{fit}", cell.sites[0]);
                tensors.insert(name, (vec![count, one.span.len() / count], one.span.clone()));
            }
        }
    }
    tensors
}
