//! Twins of a treatment: where the change of every measure stands among changes that chance alone makes.

use super::{Folder, ReportError};
use crate::figure::{Bar, Bars, Figure};
use crate::method::measure::{ALL, NAME};
use crate::method::represent::AGAINST;
use crate::method::summary::mean;
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::{Treatment, Variant};
use crate::table::{Row, Table};
use patchclamp_probes::Interval;
use patchclamp_probes::null::{Place, place, place_at};
use std::path::Path;

/// What stands between a measure's name and that of the variant whose twins a table tells of.
const TWINS: &str = ".twins.";

/// The methods of the rows of a figure.
const ROWS: [&str; 4] = ["change", "change of twins", "quantile", "quantile at matched loss"];

/// The measure and the figure by which losses are matched.
const PERPLEXITY: &str = "measure.perplexity";
const LOSS: &str = "nats a token";

/// A change with a p below gets a dot.
const LEVEL: f64 = 0.05;

/// The file of a twin's tables in its variant's folder.
pub fn file(number: usize) -> String {
    format!("twins/{number:04}.json")
}

/// Keeps the tables of measures of a twin.
pub fn keep(outcome: &mut Outcome, number: usize, folder: &Folder) -> Result<(), ReportError> {
    let tables: Vec<&Table> = outcome.tables().map(|table| &*table).filter(|table| table.name.contains(NAME)).collect();
    folder.write(&file(number), serde_json::to_string(&tables).expect("tables have string keys only").as_bytes())
}

/// Adds to an outcome a table for each of its measures: the change that the variant's treatment makes, and its place among the
/// changes of its twins, whose tables stand in `folder`.
pub fn hold_twins(outcome: &mut Outcome, plan: &Plan, variant: &Variant, folder: &Path) -> Result<(), ReportError> {
    if variant.twins == 0 {
        return Ok(());
    }
    let there = Folder::existing(folder)?;
    let twins = (1..=variant.twins).map(|number| read(&there, &file(number))).collect::<Result<Vec<_>, _>>()?;
    let own: Vec<&Table> = measures(plan, outcome).collect();
    let treated: Vec<Option<&Table>> = own.iter().map(|table| of_variant(outcome, table, variant)).collect();
    let (loss, treat) = (losses(&own, &treated, &twins), plan.experiment.varied(variant).treat);
    let chosen = treat.iter().any(Treatment::is_chosen);
    let held = own.iter().zip(&treated).enumerate().filter_map(|(number, (own, treated))| {
        let changes = Changes { own, treated: (*treated)?, twins: twins.iter().map(|twin| &twin[number]).collect() };
        let table = changes.told(variant, loss.as_ref());
        Some(if chosen { table } else { spread(table, variant) })
    });
    let held: Vec<Table> = held.collect();
    for table in held {
        let stem = table.name.split_once(TWINS).map_or("", |(stem, _)| stem);
        let finding = outcome.findings.iter_mut().find(|finding| finding.tables.iter().any(|own| own.name == stem));
        finding.expect("the measure that it is of").tables.push(table);
    }
    Ok(())
}

/// A table without places: a treatment that chooses nothing is one of its twins, so that any place among them is as likely as
/// another, and what they tell is how far such treatments are apart.
fn spread(mut table: Table, variant: &Variant) -> Table {
    table.rows.retain(|row| !ROWS[2..].contains(&row.method.as_str()));
    table.rows.iter_mut().for_each(|row| row.p = None);
    table.facts.shift_remove("quantile at matched loss");
    let facts = [
        (
            "twins",
            format!(
                "{}: the same treatment again with another seed: in another order, and on other texts where there are more than are used; `change of twins` is their mean and middle 95 in 100, how far such treatments are apart",
                variant.twins
            ),
        ),
        (
            "quantile",
            "none, and no p: nothing that the treatment chooses is left to chance in its twins, so it is one of them"
                .into(),
        ),
    ];
    table.facts.extend(facts.map(|(name, words)| (name.to_string(), words)));
    table
}

fn read(folder: &Folder, name: &str) -> Result<Vec<Table>, ReportError> {
    let tables = serde_json::from_str(&folder.read_text(name)?);
    tables.map_err(|error| ReportError::NoRun(format!("{name}: {error}; delete it, and run the experiment again")))
}

/// The tables of the measures of an experiment's own model, in order.
fn measures<'a>(plan: &'a Plan, outcome: &'a Outcome) -> impl Iterator<Item = &'a Table> {
    let steps = outcome.findings.iter().zip(&plan.steps);
    steps.flat_map(|(finding, step)| match step {
        Step::Measure(measuring) => &finding.tables[..measuring.sets.len()],
        _ => &[],
    })
}

/// The table that holds a measure against the variant's.
fn of_variant<'a>(outcome: &'a Outcome, own: &Table, variant: &Variant) -> Option<&'a Table> {
    let name = format!("{}{AGAINST}{}", own.name, variant.name);
    outcome.findings.iter().flat_map(|finding| &finding.tables).find(|table| table.name == name)
}

/// How much the loss changes, by the perplexity of all that is read: under the treatment, and in each twin.
fn losses(own: &[&Table], treated: &[Option<&Table>], twins: &[Vec<Table>]) -> Option<(f64, Vec<f64>)> {
    let number = own.iter().position(|table| table.name.ends_with(PERPLEXITY))?;
    let row = own[number].rows.iter().find(|row| row.metric == LOSS && row.site.as_deref() == Some(ALL))?;
    let twins_of = twins.iter().map(|twin| &twin[number]).collect();
    let changes = Changes { own: own[number], treated: treated[number]?, twins: twins_of };
    let (observed, by_chance) = (changes.observed(row)?.effect, changes.by_chance(row));
    (by_chance.len() == twins.len()).then_some((observed, by_chance))
}

/// A measure of the untreated model, the treated one beside it, and the twins.
struct Changes<'a> {
    own: &'a Table,
    treated: &'a Table,
    twins: Vec<&'a Table>,
}

impl Changes<'_> {
    /// The row of the change that the treatment makes.
    fn observed(&self, row: &Row) -> Option<&Row> {
        let same =
            |other: &&Row| other.method == "difference" && (&other.site, &other.metric) == (&row.site, &row.metric);
        self.treated.rows.iter().find(same)
    }

    /// The change of each twin that has the figure.
    fn by_chance(&self, row: &Row) -> Vec<f64> {
        let same = |other: &&Row| (&other.site, &other.metric) == (&row.site, &row.metric);
        let change = |twin: &&Table| Some(twin.rows.iter().find(same)?.effect - row.effect);
        self.twins.iter().filter_map(change).filter(|change| change.is_finite()).collect()
    }

    fn told(&self, variant: &Variant, loss: Option<&(f64, Vec<f64>)>) -> Table {
        let mut table = Table {
            name: format!("{}{TWINS}{}", self.own.name, variant.name),
            title: format!("{}, {} among {} twins", self.own.title, variant.name, variant.twins),
            rows: self.own.rows.iter().flat_map(|row| self.rows(row, loss)).collect(),
            ..self.own.clone()
        };
        let facts = [
            (
                "twins",
                format!(
                    "{}: what chance does in the place of a choice: rounded up or down at random to as many bits (about twice the squared error of the nearest level), weights of any kind set to zero until as much is gone as the pruning takes, as many heads or blocks, Fair-GPTQ without its pairs, a student trained with another seed; calibrated on other draws of the texts where there are more than are used, except where matched to a pruning",
                    variant.twins
                ),
            ),
            (
                "quantile",
                format!(
                    "the share of twins whose change is smaller, ties counted half; p is two-sided, {:.3} at the least, not corrected for the number of figures",
                    2.0 / (variant.twins + 1) as f64
                ),
            ),
            ("quantile at matched loss", self.matching(loss)),
        ];
        table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
        table
    }

    /// How losses are matched, or why they are not.
    fn matching(&self, loss: Option<&(f64, Vec<f64>)>) -> String {
        let Some((own, losses)) = loss else {
            return "none, as nothing tells of the loss; add the measure Perplexity()".into();
        };
        let (least, most) = losses
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), loss| (least.min(*loss), most.max(*loss)));
        if (least..=most).contains(own) {
            return "the same with the change of each twin moved along the line of change on change of loss, over twins, to the loss of the treatment".into();
        }
        format!(
            "none: the treatment changes the loss by {own:.4} nats a token, its twins by {least:.4} to {most:.4}, so none of them costs as much"
        )
    }

    /// The change, that of twins, and its places among them.
    fn rows(&self, row: &Row, loss: Option<&(f64, Vec<f64>)>) -> Vec<Row> {
        let Some(observed) = self.observed(row) else { return Vec::new() };
        let by_chance = self.by_chance(row);
        let Some(found) = place(observed.effect, &by_chance) else { return Vec::new() };
        let middle = Interval::percentile(&by_chance, 0.95);
        let blank = |method: &str| Row {
            method: method.into(),
            low: None,
            high: None,
            p: None,
            n: by_chance.len(),
            ..row.clone()
        };
        let quantile = |method: &str, place: Place| Row { effect: place.quantile, p: Some(place.p), ..blank(method) };
        let mut rows = vec![
            Row { p: Some(found.p), method: ROWS[0].into(), ..observed.clone() },
            Row {
                effect: mean(&by_chance),
                low: middle.map(|middle| middle.low),
                high: middle.map(|middle| middle.high),
                ..blank(ROWS[1])
            },
            quantile(ROWS[2], found),
        ];
        // a treatment that costs more than any twin is compared with none of them
        let matched = loss.filter(|(_, losses)| row.metric != LOSS && losses.len() == by_chance.len()).and_then(
            |(own, losses)| {
                let pairs: Vec<[f64; 2]> =
                    by_chance.iter().zip(losses).map(|(change, loss)| [*change, *loss]).collect();
                place_at([observed.effect, *own], &pairs)
            },
        );
        rows.extend(matched.filter(|place| !place.extrapolated).map(|place| quantile(ROWS[3], place)));
        rows
    }
}

/// Whether a table tells of twins.
pub(super) fn is_of(table: &Table) -> bool {
    table.name.contains(NAME) && table.name.contains(TWINS)
}

/// The quantile of a figure of a variant among its twins, and that at matched loss, where there are such.
pub(super) fn quantiles<'a>(tables: &'a [Table], against: &Table, row: &Row) -> [Option<f64>; 2] {
    let name = against.name.replacen(AGAINST, TWINS, 1);
    let rows = || tables.iter().find(|table| table.name == name).into_iter().flat_map(|table| &table.rows);
    let same = |other: &&'a Row| (&other.site, &other.metric) == (&row.site, &row.metric);
    [ROWS[2], ROWS[3]].map(|method| rows().filter(same).find(|row| row.method == method).map(|row| row.effect))
}

/// The most bars of a figure.
const MOST: usize = 40;

/// For every quantity the changes of groups as bars, with the middle 95 in 100 of the twins as whiskers.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let mut metrics: Vec<&str> = Vec::new();
    for row in &table.rows {
        if !metrics.contains(&row.metric.as_str()) {
            metrics.push(&row.metric);
        }
    }
    metrics.into_iter().filter_map(|metric| figure(table, metric)).collect()
}

fn figure(table: &Table, metric: &str) -> Option<(String, Figure)> {
    let of = |method: &str| {
        table.rows.iter().filter(move |row| row.metric == metric && row.method == method).collect::<Vec<_>>()
    };
    let bars: Vec<Bar> = of(ROWS[0])
        .into_iter()
        .zip(of(ROWS[1]))
        .map(|(change, twins)| Bar {
            label: change.site.clone().unwrap_or_default(),
            value: change.effect,
            low: twins.low,
            high: twins.high,
            mark: change.p.is_some_and(|p| p < LEVEL),
        })
        .collect();
    if bars.len() < 2 || bars.len() > MOST {
        return None;
    }
    let slug = metric.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let figure = Bars {
        title: format!("{}: {metric}", table.title),
        x_title: "Group; whiskers: middle 95 in 100 of twins".into(),
        y_title: format!("Change of {metric}"),
        bars,
        mark_title: format!("p < {LEVEL} among twins"),
        base: 0.0,
    };
    Some((format!("{}_{slug}", table.name), Figure::Bars(figure)))
}
