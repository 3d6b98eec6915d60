//! Measures of bias and classifiers: two models beside each other, one tidy file of every figure, and bars over groups.

use super::{Folder, ReportError, classify, twins};
use crate::figure::{Bar, Bars, Figure, capitalised};
use crate::method::classify::{is_of as is_of_classes, place};
use crate::method::measure::{Difference, NAME, differences, items_of, neutral};
use crate::method::represent::AGAINST;
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::{Classify, Experiment, Method, ModelSpec, Train, Treatment, Variant};
use crate::table::{Row, Table, quantity};
use indexmap::IndexMap;

/// The method of rows of the experiment's own model.
pub(super) const HERE: &str = "here";
/// The method of rows of differences.
pub(super) const DIFFERENCE: &str = "difference";
/// Rows with a p-value below get a dot.
const LEVEL: f64 = 0.05;
/// The most bars of a figure.
const MOST: usize = 72;

/// What classifiers are called in `bias.csv`.
const CLASSIFY: &str = "classify";

/// The columns of `bias.csv`.
const HEADER: [&str; 14] = [
    "model",
    "treatment",
    "measure",
    "group",
    "estimate",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "null_quantile",
    "null_quantile_matched",
    "n",
];

/// Adds to an outcome a table for each of its measures, of its own model's figures, those that the variant's finished run in
/// `folder` has kept the items of, and their differences.
pub fn hold_measures(
    outcome: &mut Outcome,
    plan: &Plan,
    variant: &Variant,
    folder: &std::path::Path,
) -> Result<(), ReportError> {
    let there = Folder::existing(folder)?;
    for (finding, step) in outcome.findings.iter_mut().zip(&plan.steps) {
        let Step::Measure(measuring) = step else { continue };
        let mut held = Vec::new();
        for (number, set) in measuring.sets.iter().enumerate() {
            let (main, own) = (&finding.tables[number], &finding.items[number]);
            let others = there.read_items(&own.name)?;
            let [own, others] = [items_of(&own.rows), items_of(&others)];
            let found = differences(set, [&own, &others], plan.experiment.statistics, plan.experiment.seed);
            held.push(self::held(main, &found, variant));
        }
        finding.tables.extend(held);
    }
    Ok(())
}

/// A table of the figures of two models and of their differences.
pub(super) fn held(main: &Table, found: &[Difference], variant: &Variant) -> Table {
    let mut table = Table {
        name: format!("{}{AGAINST}{}", main.name, variant.name),
        title: format!("{}, against {}", main.title, variant.name),
        rows: found.iter().flat_map(|difference| rows(difference, &variant.name)).collect(),
        ..main.clone()
    };
    let facts = [
        (DIFFERENCE, format!("{} less the experiment's own model; both are drawn with the same items", variant.name)),
        ("p", "of no difference: clusters of items exchanged between the models at random; where an item counts or not and is drawn by itself, McNemar's exact test; not corrected for the number of figures".into()),
    ];
    table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    table
}

/// A row for either model and one for the difference.
fn rows(of: &Difference, name: &str) -> [Row; 3] {
    let row = |(method, index): (&str, usize)| {
        let (effect, interval) = of.values[index];
        Row {
            method: method.into(),
            site: Some(of.group.clone()),
            metric: of.metric.clone(),
            effect,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            p: of.p.filter(|_| index == 2),
            n: of.n,
            ..Row::default()
        }
    };
    [(HERE, 0), (name, 1), (DIFFERENCE, 2)].map(row)
}

/// Whether a table tells of a measure.
pub(super) fn is_of(table: &Table) -> bool {
    table.name.split_once('_').is_some_and(|(_, name)| name.starts_with(NAME))
}

/// Bars over groups, a figure for each quantity: of two models those of either beside each other, then of the difference.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let mut quantities: IndexMap<(bool, &str), Vec<&Row>> = IndexMap::new();
    for row in &table.rows {
        quantities.entry((row.method == DIFFERENCE, quantity(&row.metric).0)).or_default().push(row);
    }
    let several = |((difference, what), rows): ((bool, &str), Vec<&Row>)| {
        // of a quantity that is told in several ways the one without a name is drawn
        let plain: Vec<&Row> = rows.iter().copied().filter(|row| row.metric == what).collect();
        let rows = if plain.is_empty() { rows } else { plain };
        (rows.len() > 1 && rows.len() <= MOST).then(|| bars(table, difference, what, &rows))
    };
    quantities.into_iter().filter_map(several).collect()
}

fn bars(table: &Table, difference: bool, what: &str, rows: &[&Row]) -> (String, Figure) {
    let models = rows.iter().any(|row| row.method != rows[0].method);
    let named = rows.iter().any(|row| row.metric != what);
    let label = |row: &Row| {
        let group = row.site.clone().unwrap_or_default();
        let part = if named { quantity(&row.metric).1 } else { "" };
        let model = if models { row.method.as_str() } else { "" };
        [group.as_str(), part, model].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let bar = |row: &&Row| {
        let mark = row.p.is_some_and(|p| p < LEVEL);
        Bar { label: label(row), value: row.effect, low: row.low, high: row.high, mark }
    };
    let (ending, quantity) =
        if difference { ("_difference", format!("difference of {what}")) } else { ("", what.to_string()) };
    let slug = what.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let figure = Bars {
        title: format!("{}: {quantity}", table.title),
        x_title: "Group".into(),
        y_title: capitalised(&quantity),
        bars: rows.iter().map(bar).collect(),
        mark_title: format!("p < {LEVEL}"),
        base: if difference { 0.0 } else { neutral(what) },
    };
    (format!("{}_{slug}{ending}", table.name), Figure::Bars(figure))
}

/// Every figure of every measure and classifier of a run, of its own model and of its variants; none where nothing is measured.
pub(super) fn csv(tables: &[Table], experiment: &Experiment) -> Option<String> {
    let told = |table: &&Table| is_of(table) && !twins::is_of(table) || classify::is_told(table);
    let mut measures: Vec<&Table> = tables.iter().filter(told).collect();
    // the same order whether tables come from a run or back from its folder
    measures.sort_by(|a, b| a.name.cmp(&b.name));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).ok()?;
    for (table, name) in measures.iter().zip(names(&measures, experiment)) {
        let measure = |row: &Row| format!("{name}: {}", row.metric);
        match table.name.split_once(AGAINST) {
            None => {
                let model = [model(&experiment.model), treated(&experiment.treat)];
                for row in &table.rows {
                    let row = &placed(table, row);
                    writer.write_record(record(&model, &measure(row), row, None)).ok()?;
                }
            }
            Some((_, variant)) => {
                let model = of_variant(variant, experiment);
                for rows in table.rows.chunks_exact(3) {
                    let against =
                        Against { difference: &rows[2], quantiles: twins::quantiles(tables, table, &rows[1]) };
                    writer.write_record(record(&model, &measure(&rows[1]), &rows[1], Some(against))).ok()?;
                }
            }
        }
    }
    let text = String::from_utf8(writer.into_inner().ok()?).ok()?;
    (!measures.is_empty()).then_some(text)
}

/// A row with its group spelt out: of a classifier the stream, and the class of a gap.
fn placed(table: &Table, row: &Row) -> Row {
    let group = match (is_of_classes(table), table.name.ends_with(".gaps")) {
        (false, _) => return row.clone(),
        (_, false) => place(row),
        (_, true) => format!("{}, {}", place(row), row.method),
    };
    Row { site: Some(group), layer: None, ..row.clone() }
}

/// What each table's measure is called; where two methods of a run ask for the same, with the number of the method.
fn names(measures: &[&Table], experiment: &Experiment) -> Vec<String> {
    let plain: Vec<[String; 2]> = measures.iter().map(|table| [number(table), stem(table, experiment)]).collect();
    let twice = |number: &str, name: &str| plain.iter().any(|[other, own]| own == name && other != number);
    let named = |[number, name]: &[String; 2]| match twice(number, name) {
        true => format!("{name}, method {number}"),
        false => name.clone(),
    };
    plain.iter().map(named).collect()
}

/// `01` of `01_measure.crows_pairs.against.flat`.
fn number(table: &Table) -> String {
    table.name.split_once('_').map_or(String::new(), |(number, _)| number.into())
}

/// `crows_pairs` of it; of a classifier what is trained.
fn stem(table: &Table, experiment: &Experiment) -> String {
    if is_of_classes(table) {
        let place = number(table).parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        return match place.and_then(|place| experiment.methods.get(place)) {
            Some(Method::Classify(Classify { train: Train::Whole(whole), .. })) => {
                format!("{CLASSIFY}, whole model, draw {}", whole.draw)
            }
            _ => CLASSIFY.into(),
        };
    }
    let name = table.name.split_once(NAME).map_or(table.name.as_str(), |(_, name)| name);
    name.split_once(AGAINST).map_or(name, |(name, _)| name).into()
}

/// What a figure of a variant is beside that of the experiment's own model.
struct Against<'a> {
    difference: &'a Row,
    /// The share of twins whose change is smaller, and the same at matched loss.
    quantiles: [Option<f64>; 2],
}

fn record([model, treatment]: &[String; 2], measure: &str, row: &Row, against: Option<Against>) -> [String; 14] {
    let number = |value: Option<f64>| {
        value.filter(|value| value.is_finite()).map_or(String::new(), |value| format!("{value:?}"))
    };
    let of = |part: fn(&Row) -> Option<f64>| number(against.as_ref().and_then(|against| part(against.difference)));
    [
        model.clone(),
        treatment.clone(),
        measure.into(),
        row.site.clone().unwrap_or_default(),
        number(Some(row.effect)),
        number(row.low),
        number(row.high),
        of(|row| Some(row.effect)),
        of(|row| row.low),
        of(|row| row.high),
        against.as_ref().map_or_else(|| number(row.p), |against| number(against.difference.p)),
        number(against.as_ref().and_then(|against| against.quantiles[0])),
        number(against.as_ref().and_then(|against| against.quantiles[1])),
        row.n.to_string(),
    ]
}

/// The model of a variant and what was done to its weights: the variant's name stands for the one that it changes.
fn of_variant(name: &str, experiment: &Experiment) -> [String; 2] {
    let variant = experiment.against.iter().find(|variant| variant.name == name);
    match variant.and_then(|variant| Some((variant, variant.treat.as_ref()?))) {
        Some((variant, _)) => [model(variant.model.as_ref().unwrap_or(&experiment.model)), name.to_string()],
        None => [name.to_string(), treated(&experiment.treat)],
    }
}

/// What was done to the weights of the experiment's own model.
fn treated(steps: &[Treatment]) -> String {
    if steps.is_empty() { String::new() } else { super::ron_value(&steps) }
}

fn model(spec: &ModelSpec) -> String {
    match spec {
        ModelSpec::Builtin(name) => name.clone(),
        ModelSpec::Path(path) => path.display().to_string(),
        other => format!("{other:?}"),
    }
}
