//! What a method tells of each place, held against the same of a variant: item by item, with interval and test of the difference.
//!
//! *What it measures.* Both models were asked the same prompts, so at every place each item has an effect here and one there.
//! The difference is its mean over observations, with a bootstrap interval that draws both models' values of an observation
//! together, and a sign-flip test of no difference, corrected by Holm over the table. Of probes the values are of the prompts
//! that they were asked of, and what is drawn is what their splits keep apart.
//!
//! *What it cannot show.* That places of two models which were trained apart do the same: they are matched by name. A place
//! that only one of the models has is left out, and counted.

use super::measure::{DIFFERENCE, HERE};
use super::{Folder, ReportError};
use crate::data::observations;
use crate::figure::{Figure, figures_of};
use crate::method::represent::AGAINST;
use crate::method::summary::Summary;
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::Variant;
use crate::table::{Row, Table};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What every reader of such a table must know, after what its method measures.
pub(super) const READING: &str = "Here the model of the experiment and that of the variant stand beside each other, place by place, on the same prompts; `difference` is the variant's effect less the experiment's. Its interval draws both together, p is a sign-flip test of no difference, corrected by Holm over the table. Places are matched by name: in models that were trained apart the same name need not be the same thing.";

/// The finished run of a variant.
pub struct Beside {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether its model reads the experiment's prompts as the same tokens.
    pub same_tokens: bool,
    /// How many layers the experiment's model has, and that of the variant.
    pub layers: [usize; 2],
}

impl Beside {
    /// A fact, with what is done about it, where the models have other numbers of layers.
    pub(super) fn uneven(&self, what: &str) -> Option<(String, String)> {
        let [own, other] = self.layers;
        let words = format!(
            "the experiment's model has {own}, the variant's {other}, so a layer of the same number need not stand at the same depth; {what}"
        );
        (own != other).then(|| ("layers".to_string(), words))
    }
}

/// A place and what is told of it: metric, site, layer, head, position, neuron.
type Place = (String, Option<String>, [Option<usize>; 4]);

/// Values of one place by item.
type Values = BTreeMap<usize, f64>;

/// Adds to an outcome a table for each of its tables of items that the variant's finished run has too; none where the variant
/// asks other prompts.
pub fn hold_effects(outcome: &mut Outcome, plan: &Plan, variant: &Variant, beside: &Beside) -> Result<(), ReportError> {
    if variant.asks_otherwise() {
        return Ok(());
    }
    let there = Folder::existing(&beside.folder)?;
    let methods = plan.experiment.methods.iter().zip(&plan.steps);
    for (finding, (method, step)) in outcome.findings.iter_mut().zip(methods) {
        if !method.tells_of_items() {
            continue;
        }
        let mut held = Vec::new();
        for own in &finding.items {
            let main = finding.tables.iter().find(|table| table.name == own.name);
            let (Some(main), true) = (main, there.has_items(&own.name)) else { continue };
            let others = there.read_items(&own.name)?;
            let pair = Pair { plan, name: &variant.name, groups: groups(plan, step, own), beside };
            held.extend(pair.told(main, [&own.rows, &others]));
        }
        finding.tables.extend(held);
    }
    Ok(())
}

/// What each item of a table is drawn together with.
fn groups(plan: &Plan, step: &Step, table: &Table) -> Vec<usize> {
    if let (Step::Probe(probing), true) = (step, table.name.ends_with("_probe")) {
        return probing.probed.samples.groups.clone();
    }
    let mut groups = vec![0; plan.items.len()];
    for (number, items) in observations(plan.items.iter().map(|item| &item.labels)).iter().enumerate() {
        items.iter().for_each(|item| groups[*item] = number);
    }
    groups
}

/// The rows of single items, place by place; log-odds of a class have no side on which more is better.
fn places(rows: &[Row], positions: bool) -> IndexMap<Place, Values> {
    let mut places: IndexMap<Place, Values> = IndexMap::new();
    let told = |row: &&Row| row.effect.is_finite() && !row.metric.starts_with("log_odds:");
    for row in rows.iter().filter(told).filter(|row| positions || row.position.is_none()) {
        let Some(item) = row.item else { continue };
        let place = (row.metric.clone(), row.site.clone(), [row.layer, row.head, row.position, row.neuron]);
        places.entry(place).or_default().insert(item, row.effect);
    }
    places
}

/// An experiment and a variant of it.
struct Pair<'a> {
    plan: &'a Plan,
    name: &'a str,
    groups: Vec<usize>,
    beside: &'a Beside,
}

impl Pair<'_> {
    /// The table of both; none where they have no place in common.
    fn told(&self, main: &Table, rows: [&[Row]; 2]) -> Option<Table> {
        let [here, there] = rows.map(|rows| places(rows, self.beside.same_tokens));
        let mut summaries: BTreeMap<Vec<usize>, Summary> = BTreeMap::new();
        let mut table = self.empty(main);
        for (place, own) in &here {
            let Some(other) = there.get(place) else { continue };
            let items: Vec<usize> = own.keys().copied().filter(|item| other.contains_key(item)).collect();
            if !items.is_empty() {
                let values = [own, other].map(|values| items.iter().map(|item| values[item]).collect::<Vec<f64>>());
                let summary = summaries.entry(items).or_insert_with_key(|items| self.summary(items));
                table.rows.extend(self.rows(place, summary, &values));
            }
        }
        let shared = table.rows.len() / 3;
        if shared < here.len().max(there.len()) {
            let words = format!("{shared}; the experiment's model has {}, the variant's {}", here.len(), there.len());
            table.facts.insert("places in both".into(), words);
        }
        let most = summaries.values().max_by_key(|summary| summary.count())?;
        most.correct(&mut table, shared, self.plan.experiment.statistics.permutations);
        Some(table)
    }

    fn summary(&self, items: &[usize]) -> Summary {
        let mut groups: IndexMap<usize, Vec<usize>> = IndexMap::new();
        for (place, item) in items.iter().enumerate() {
            groups.entry(self.groups[*item]).or_default().push(place);
        }
        Summary::over(groups.into_values().collect(), self.plan.experiment.statistics, self.plan.experiment.seed)
    }

    /// A row for either model and one for the difference.
    fn rows(&self, place: &Place, summary: &Summary, [here, there]: &[Vec<f64>; 2]) -> [Row; 3] {
        let (metric, site, [layer, head, position, neuron]) = place.clone();
        let row = |method: &str| Row {
            method: method.into(),
            site: site.clone(),
            layer,
            head,
            position,
            neuron,
            metric: metric.clone(),
            ..Row::default()
        };
        let difference: Vec<f64> = here.iter().zip(there).map(|(here, there)| there - here).collect();
        [
            summary.untested(row(HERE), here, None),
            summary.untested(row(self.name), there, None),
            summary.row(row(DIFFERENCE), &difference, None),
        ]
    }

    fn empty(&self, main: &Table) -> Table {
        let sign = main.facts.get("metric sign").map(|sign| ("metric sign".to_string(), sign.clone()));
        let what = (DIFFERENCE.to_string(), format!("the effect in {} less that in the experiment's model", self.name));
        let tokens = (!self.beside.same_tokens)
            .then(|| ("positions".to_string(), "left out, as the two models read other tokens".to_string()));
        let uneven = self.beside.uneven("layers are matched by number");
        Table {
            name: format!("{}{AGAINST}{}", main.name, self.name),
            title: format!("{}, against {}", main.title, self.name),
            facts: sign.into_iter().chain([what]).chain(tokens).chain(uneven).collect(),
            positions: main.positions.clone(),
            rows: Vec::new(),
        }
    }
}

/// Whether a table holds effects of two models against each other.
pub(super) fn is_of(table: &Table) -> bool {
    let triples = |rows: &[Row]| rows.len() == 3 && rows[0].method == HERE && rows[2].method == DIFFERENCE;
    table.name.contains(AGAINST) && !table.rows.is_empty() && table.rows.chunks(3).all(triples)
}

/// Both models beside each other where layers are told of, and the differences.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let (differences, models): (Vec<Row>, Vec<Row>) =
        table.rows.iter().cloned().partition(|row| row.method == DIFFERENCE);
    let layered = models.iter().all(|row| row.layer.is_some());
    let models = layered.then(|| figures_of(&Table { rows: models, ..table.clone() }));
    let name = format!("{}.{DIFFERENCE}", table.name);
    let title = format!("{}: {DIFFERENCE}", table.title);
    let differences = figures_of(&Table { name, title, rows: differences, ..table.clone() });
    models.into_iter().flatten().chain(differences).collect()
}
