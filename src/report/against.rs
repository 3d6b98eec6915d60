//! Circuits held against those of a variant: what both hold, what one of them holds alone, how their scores differ.

use super::circuits::SCORE_UNIT;
use super::{Folder, ReportError, circuits};
use crate::circuit::{Agreement, Circuit, Drawn, Items, Link, Portraits, Resampling, Rule};
use crate::method::{SCORES, Tensors};
use crate::plan::{Plan, Size, Step};
use crate::run::Outcome;
use crate::spec::Variant;
use crate::table::{Row, Table};
use ndarray::ArrayView2;
use patchclamp_probes::Interval;
use std::path::Path;

/// What stands between a circuit's name and that of the variant.
const AGAINST: &str = ".against.";

/// Whose an edge is.
const MEMBERSHIPS: [&str; 3] = ["in both", "only here", "only there"];

/// The place of rows that count edges.
const EDGES: &str = "edges";

/// A circuit, and that of the variant.
struct Pair<'a> {
    plan: &'a Plan,
    variant: &'a Variant,
    /// How both were chosen, where by score.
    chosen: Option<(Rule, usize)>,
    circuits: [&'a Circuit; 2],
    /// Scores of single items, where they were kept.
    items: [Option<&'a Tensors>; 2],
}

/// Adds to an outcome a table and a circuit, of edges that either holds, for each of its circuits that the variant's finished
/// run in `folder` has too.
pub fn hold(outcome: &mut Outcome, plan: &Plan, variant: &Variant, folder: &Path) -> Result<(), ReportError> {
    let there = Folder::existing(folder)?;
    for (finding, step) in outcome.findings.iter_mut().zip(&plan.steps) {
        let chosen = match step {
            Step::Circuit(circuits) => match circuits.size {
                Size::Edges(count) => Some((circuits.rule, count)),
                // how many are chosen hangs on the items, so draws that choose so many say nothing of it
                Size::Faithful(_) => None,
            },
            _ => None,
        };
        let mut held = Vec::new();
        for (stem, circuit) in finding.circuits.iter().filter(|(stem, _)| !stem.contains(AGAINST)) {
            let Some((_, other)) = circuits::read(stem, &there)? else { continue };
            let scores = format!("{stem}{SCORES}");
            let own = finding.tensors.iter().find(|(name, _)| *name == scores).map(|(_, tensors)| tensors);
            let file = format!("tensors/{scores}.safetensors");
            let others = if there.has(&file) { Some(there.read_tensors(&file)?) } else { None };
            let items = [own, others.as_ref()];
            let Some(table) = finding.tables.iter().find(|table| table.name == *stem) else { continue };
            let pair = Pair { plan, variant, chosen, circuits: [circuit, &other], items };
            held.extend(pair.told(table));
        }
        for (table, circuit) in held {
            finding.portraits.push((table.name.clone(), memberships(&table)));
            finding.circuits.push((table.name.clone(), circuit));
            finding.tables.push(table);
        }
    }
    Ok(())
}

/// The edges by whose they are, for the drawing.
fn memberships(table: &Table) -> Portraits {
    let mut portraits = Portraits::new(Vec::new(), Vec::new());
    let of_edge = |row: &&Row| MEMBERSHIPS.contains(&row.metric.as_str()) && row.site.as_deref() != Some(EDGES);
    let rows = table.rows.iter().filter(of_edge);
    portraits.carries = rows.filter_map(|row| Some((row.site.clone()?, row.metric.clone()))).collect();
    portraits
}

impl Pair<'_> {
    /// The table and the circuit of what either holds; nothing where the models have other edges.
    fn told(&self, own: &Table) -> Option<(Table, Circuit)> {
        let [here, there] = self.circuits;
        let union = here.union(there).ok()?;
        let unit = own.rows.first().map(|row| (SCORE_UNIT.to_string(), row.metric.clone()));
        let sign = own.facts.get("sign").map(|sign| ("sign".to_string(), sign.clone()));
        let mut table = Table {
            title: format!("{}, against {}", own.title, self.variant.name),
            name: format!("{}{AGAINST}{}", own.name, self.variant.name),
            facts: unit.into_iter().chain(sign).collect(),
            positions: Vec::new(),
            rows: Vec::new(),
        };
        let agreement = self.agreement();
        self.alike(&mut table, agreement.as_ref());
        for (place, link) in union.links().enumerate().filter(|(_, link)| link.in_circuit) {
            self.edge(&mut table, link, agreement.as_ref().and_then(|agreement| agreement.differences[place]));
        }
        Some((table, union))
    }

    /// How circuits of draws agree, where both were chosen by score, in the same way.
    fn agreement(&self) -> Option<Agreement> {
        let (rule, chosen) = self.chosen?;
        let [here, there] = self.items;
        let (here, there) = (Scores::of(here?)?, Scores::of(there?)?);
        let variant = self.variant;
        let same_prompts = variant.data.is_none() && variant.control.is_none() && variant.seed.is_none();
        let drawn = if same_prompts { Drawn::Together } else { Drawn::Apart };
        let statistics = self.plan.experiment.statistics;
        let how = Resampling { rule, chosen, draws: statistics.resamples, halves: 0, seed: self.plan.experiment.seed };
        let [here, there] = [here.items(), there.items()];
        self.circuits[0].agreement([&here, &there], drawn, &how, statistics.level).ok()
    }

    /// Rows and facts of both as wholes.
    fn alike(&self, table: &mut Table, agreement: Option<&Agreement>) {
        let [here, there] = self.circuits;
        let same = "both are of the same edges";
        let jaccard = here.jaccard(there).expect(same);
        let level = self.plan.experiment.statistics.level;
        let row = |site: &str, metric: &str, effect: f64, draws: Option<&Vec<f64>>| {
            let ends = draws.and_then(|draws| Interval::percentile(draws, level));
            let place = Row { site: Some(site.into()), metric: metric.into(), ..self.blank() };
            Row { effect, low: ends.map(|ends| ends.low), high: ends.map(|ends| ends.high), ..place }
        };
        table.rows.push(row("circuits", "Jaccard", jaccard, agreement.map(|agreement| &agreement.between)));
        if let Some(Agreement { within, between, .. }) = agreement {
            for (site, draws) in ["draws of this circuit", "draws of the other"].into_iter().zip(within) {
                table.rows.push(row(site, "Jaccard", crate::method::summary::mean(draws), Some(draws)));
            }
            table.facts.insert("alike".into(), verdict(between, within));
        }
        let aligned = here.align(there).expect(same);
        if let Some(rank) = aligned.spearman {
            table.rows.push(row("scores of all edges", "Spearman's rank correlation", rank, None));
        }
        let shared = here.intersect(there).expect(same).size();
        let counts = [shared, here.size() - shared, there.size() - shared];
        for (metric, count) in MEMBERSHIPS.into_iter().zip(counts) {
            table.rows.push(row(EDGES, metric, count as f64, None));
        }
        let [lost, gained] = [here.rerouted(there), there.rerouted(here)].map(|edges| edges.expect(same).len());
        if here.blocks().positions().is_none() {
            table.rows.push(row(EDGES, "only here, gone round there", lost as f64, None));
            table.rows.push(row(EDGES, "only there, gone round here", gained as f64, None));
        }
        let facts = [
            (
                "gone round",
                "of these edges the other circuit still leads from the one end to the other, by another way",
            ),
            ("difference", "the variant's score less the experiment's, with its interval over draws of the items"),
            ("in both, only here, only there", "1 where it is so; `there` is the variant"),
        ];
        table.facts.extend(facts.map(|(name, value)| (name.to_string(), value.to_string())));
    }

    /// Rows of one edge.
    fn edge(&self, table: &mut Table, link: &Link, difference: Option<Interval>) {
        let [here, there] = self.circuits.map(|circuit| circuit.link(link.edge));
        let place = Row { site: Some(link.edge.to_string()), ..self.blank() };
        let mut row = |metric: &str, effect: f64, ends: Option<Interval>| {
            let (low, high) = (ends.map(|ends| ends.low), ends.map(|ends| ends.high));
            table.rows.push(Row { metric: metric.into(), effect, low, high, ..place.clone() });
        };
        for (metric, link) in [("here", here), ("there", there)] {
            if let Some(link) = link {
                row(metric, link.score, link.interval);
            }
        }
        if let (Some(here), Some(there)) = (here, there) {
            row("difference", there.score - here.score, difference);
        }
        let held = [here, there].map(|link| link.is_some_and(|link| link.in_circuit));
        let place = match held {
            [true, true] => 0,
            [true, false] => 1,
            _ => 2,
        };
        row(MEMBERSHIPS[place], 1.0, None);
    }

    fn blank(&self) -> Row {
        Row { method: "against".into(), n: self.plan.items.len(), ..Row::default() }
    }
}

/// Whether circuits of draws of the one and of the other are as alike as those of draws of the same.
fn verdict(between: &[f64], within: &[Vec<f64>; 2]) -> String {
    let mean = crate::method::summary::mean;
    let own = within.iter().map(|draws| mean(draws)).fold(f64::INFINITY, f64::min);
    let as_alike = between.iter().filter(|index| **index >= own).count() as f64 / between.len().max(1) as f64;
    let what =
        if as_alike >= 0.05 { "as alike as draws of one circuit" } else { "less alike than draws of one circuit" };
    format!(
        "{what}: Jaccard index {:.2} between draws of the two, {:.2} and {:.2} between draws of the same",
        mean(between),
        mean(&within[0]),
        mean(&within[1])
    )
}

/// Scores of single items, as numbers of f64.
struct Scores {
    shape: [usize; 2],
    values: Vec<f64>,
    groups: Vec<usize>,
}

impl Scores {
    fn of(tensors: &Tensors) -> Option<Self> {
        let (shape, values) = tensors.get("scores")?;
        let groups = tensors.get("groups")?.1.iter().map(|group| *group as usize).collect();
        let shape = [*shape.first()?, *shape.get(1)?];
        Some(Scores { shape, values: values.iter().copied().map(f64::from).collect(), groups })
    }

    fn items(&self) -> Items<'_> {
        let scores = ArrayView2::from_shape(self.shape, &self.values).expect("as many as the shape says");
        Items { scores, groups: Some(&self.groups) }
    }
}
