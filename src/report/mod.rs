//! The run folder: tables, tensors, figures, the page, and everything needed to run it again.

mod against;
mod circuits;
mod classify;
mod cut;
mod effects;
mod explore;
mod facts;
mod faithfulness;
mod flow;
mod folder;
mod localise;
mod measure;
mod reading;
mod side;
mod spaces;
mod steer;
mod twins;
mod weights;
mod work;

pub use against::hold;
pub use classify::hold_classified;
pub use effects::{Beside, hold_effects};
pub use facts::{ItemTokens, facts};
pub use folder::{Folder, ReportError};
pub use measure::hold_measures;
pub use spaces::hold_spaces;
pub use twins::{file as twin_file, hold_twins, keep as keep_twin};
pub use work::{Work, is_finished};

use crate::circuit::{Circuit, Portraits};
use crate::figure::{Figure, figures_of};
use crate::method::attention;
use crate::method::generate::Continuation;
use crate::method::summary::CAUTION;
use crate::method::{Finding, Tensors};
use crate::model::load::Loaded;
use crate::page::{Drawing, Page, Section};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::spec::{Experiment, options, parse};
use crate::steps::Fingerprint;
use crate::table::{Row, Table};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What the page and the figures are drawn from: read back from a folder, or fresh from a run.
pub struct Results {
    /// The experiment with its facts, as `run.ron` has it.
    pub experiment: Experiment,
    /// Main tables, in the order of the methods.
    pub tables: Vec<Table>,
    /// Mean patterns, by the name of their table.
    pub patterns: Vec<(String, Tensors)>,
    /// Circuits, by the name of the table of their edges.
    pub circuits: Vec<(String, Circuit)>,
    /// What the nodes of circuits look at and write, by the name of their circuit.
    pub portraits: Vec<(String, Portraits)>,
    /// Generated texts.
    pub texts: Vec<Continuation>,
}

impl Results {
    /// Of this experiment, and as yet empty.
    fn none(experiment: Experiment) -> Self {
        let (tables, patterns, texts) = (Vec::new(), Vec::new(), Vec::new());
        Results { experiment, tables, patterns, circuits: Vec::new(), portraits: Vec::new(), texts }
    }
}

/// The experiment with every default, what identifies its run, and all tokens: what `run.ron` says.
pub fn described(plan: &Plan, loaded: &Loaded) -> Experiment {
    let (facts, tokens) = facts(plan, loaded);
    Experiment { facts: Some(facts), tokens: Some(tokens), ..plan.experiment.clone() }
}

/// What identifies a run: everything that its `run.ron` says.
pub fn fingerprint(described: &Experiment) -> Fingerprint {
    Sha256::digest(ron_text(described)).into()
}

/// Writes what a run can be run again from, where it is not there yet: shards share it.
pub fn write_run(described: &Experiment, folder: &Folder) -> Result<(), ReportError> {
    let text = ron_text(described);
    if folder.has("run.ron") && folder.read_text("run.ron")? == text {
        return Ok(());
    }
    folder.write("run.ron", text.as_bytes())
}

/// Writes a whole run folder, but for `run.ron`.
pub fn write(experiment: Experiment, outcome: Outcome, folder: &Folder) -> Result<Results, ReportError> {
    let mut results = Results::none(experiment);
    for finding in outcome.findings {
        keep(finding, &mut results, folder)?;
    }
    let rows: Vec<Row> = results.tables.iter().flat_map(|table| table.rows.iter().cloned()).collect();
    let all =
        Table { rows, name: "results".into(), title: String::new(), facts: Default::default(), positions: Vec::new() };
    folder.write("results.csv", all.to_csv().as_bytes())?;
    if !results.texts.is_empty() {
        let line = |text: &Continuation| serde_json::to_string(text).expect("text and numbers are JSON") + "\n";
        folder.write("texts.jsonl", results.texts.iter().map(line).collect::<String>().as_bytes())?;
    }
    draw(&results, folder)?;
    Ok(results)
}

/// The experiment as `run.ron` has it: every default written out.
pub fn ron_text(experiment: &Experiment) -> String {
    let pretty = ron::ser::PrettyConfig::new().compact_arrays(true).struct_names(false);
    options().to_string_pretty(experiment, pretty).expect("an experiment is data that RON can write") + "\n"
}

/// Any value as RON.
pub fn ron_value(value: &impl serde::Serialize) -> String {
    options().to_string_pretty(value, ron::ser::PrettyConfig::new()).expect("plain data that RON can write")
}

fn keep(finding: Finding, results: &mut Results, folder: &Folder) -> Result<(), ReportError> {
    for table in finding.tables {
        let stem = format!("tables/{}", table.name);
        folder.write(&format!("{stem}.csv"), table.to_csv().as_bytes())?;
        folder.write(&format!("{stem}.json"), table.to_json().as_bytes())?;
        folder.write(&format!("{stem}.tex"), table.to_latex().as_bytes())?;
        results.tables.push(table);
    }
    for table in finding.items {
        folder.write(&folder::items_file(&table.name), table.to_csv().as_bytes())?;
    }
    for (name, tensors) in finding.tensors {
        folder.write_tensors(&format!("tensors/{name}.safetensors"), &tensors)?;
        results.patterns.extend(is_attention(&name).then_some((name, tensors)));
    }
    for (name, index) in finding.states {
        let text = serde_json::to_string(&index).expect("text and numbers are JSON");
        folder.write(&format!("states/{name}.json"), text.as_bytes())?;
    }
    for (name, circuit) in finding.circuits {
        let table = results.tables.iter().rfind(|table| table.name == name);
        let portraits = finding.portraits.iter().find(|(other, _)| *other == name).map(|(_, portraits)| portraits);
        circuits::write(&name, &circuit, &circuits::caption(table, portraits), table, folder)?;
        results.circuits.push((name, circuit));
    }
    for (name, portraits) in finding.portraits {
        folder.write(&circuits::nodes_file(&name), portraits.write().as_bytes())?;
        results.portraits.push((name, portraits));
    }
    results.texts.extend(finding.texts);
    Ok(())
}

fn is_attention(name: &str) -> bool {
    name.contains("_attention")
}

/// Draws figures and page of a run folder again, without the model.
pub fn redraw(path: &Path) -> Result<PathBuf, ReportError> {
    let folder = Folder::existing(path)?;
    let ron = folder.read_text("run.ron")?;
    let experiment: Experiment =
        parse(&path.join("run.ron"), &ron).map_err(|error| ReportError::NoRun(error.to_string()))?;
    let mut results = Results::none(experiment);
    for name in folder.names("tables", "json")? {
        let text = folder.read_text(&format!("tables/{name}"))?;
        let table = Table::from_json(&text).map_err(|error| ReportError::NoRun(format!("tables/{name}: {error}")))?;
        if is_attention(&table.name) {
            results
                .patterns
                .push((table.name.clone(), folder.read_tensors(&format!("tensors/{}.safetensors", table.name))?));
        }
        results.circuits.extend(circuits::read(&table.name, &folder)?);
        results.portraits.extend(circuits::read_nodes(&table.name, &folder)?);
        results.tables.push(table);
    }
    if folder.has("texts.jsonl") {
        let lines = folder.read_text("texts.jsonl")?;
        let texts: Result<Vec<Continuation>, _> = lines.lines().map(serde_json::from_str).collect();
        results.texts = texts.map_err(|error| ReportError::NoRun(format!("texts.jsonl: {error}")))?;
    }
    draw(&results, &folder)?;
    Ok(path.join("report.html"))
}

fn draw(results: &Results, folder: &Folder) -> Result<(), ReportError> {
    let mut sections = Vec::new();
    for table in &results.tables {
        let mut drawings = Vec::new();
        for (stem, figure) in figures(table, results) {
            drawings.push(drawn(&stem, &figure, folder)?);
        }
        let text = reading::of(table, &results.texts);
        let explorer = circuit_of(table, results).map(|(circuit, nodes)| explore::explorer(table, circuit, nodes));
        let heading = table.title.clone();
        sections.push(Section { heading, text, figures: drawings, explorer, table: Some(table) });
    }
    let sides = side::sides(&results.tables);
    let agreements: Vec<Table> = sides.iter().map(side::Side::agreement).collect();
    for (number, (side, agreement)) in sides.iter().zip(&agreements).enumerate() {
        let stem = format!("side_by_side_{}", number + 1);
        let figures = vec![drawn(&stem, &side.figure(), folder)?];
        let text = reading::of(agreement, &results.texts);
        let heading = side.title().into();
        sections.push(Section { heading, text, figures, explorer: None, table: Some(agreement) });
    }
    if let Some(csv) = measure::csv(&results.tables, &results.experiment) {
        folder.write("bias.csv", csv.as_bytes())?;
    }
    if !sides.is_empty() {
        folder.write("side_by_side.csv", side::csv(&sides).as_bytes())?;
    }
    folder.write("report.html", page(results, sections, folder).html().as_bytes())
}

/// A figure in every format, and as the page has it.
fn drawn(stem: &str, figure: &Figure, folder: &Folder) -> Result<Drawing, ReportError> {
    let stem = format!("figures/{stem}");
    let files = figure.files().map_err(|error| ReportError::Figure(stem.clone(), error.to_string()))?;
    for (ending, bytes) in files {
        folder.write(&format!("{stem}.{ending}"), &bytes)?;
    }
    Ok(Drawing { stem, svg: figure.svg() })
}

fn figures(table: &Table, results: &Results) -> Vec<(String, Figure)> {
    match (results.patterns.iter().find(|(name, _)| *name == table.name), circuit_of(table, results)) {
        (Some((_, patterns)), _) => vec![(table.name.clone(), attention::panels(table, patterns))],
        (_, Some((circuit, nodes))) => circuits::figures(table, circuit, nodes),
        _ if spaces::is_of(table) => spaces::figures(table),
        _ if faithfulness::is_of(table) => faithfulness::figures(table),
        _ if twins::is_of(table) => twins::figures(table),
        _ if measure::is_of(table) || classify::is_held(table) => measure::figures(table),
        _ if effects::is_of(table) => effects::figures(table),
        _ if localise::is_of(table) => localise::figures(table),
        _ if steer::is_of(table) => steer::figures(table),
        _ if cut::is_of(table) => cut::figures(table),
        _ if weights::is_of(table) => weights::figures(&trustworthy(table)),
        _ => {
            let table = &trustworthy(table);
            [figures_of(table), flow::figures(table, results)].concat()
        }
    }
}

/// The circuit of a table, unless it is empty, and what its nodes look at and write.
fn circuit_of<'a>(table: &Table, results: &'a Results) -> Option<(&'a Circuit, Option<&'a Portraits>)> {
    let circuit = results.circuits.iter().find(|(name, circuit)| *name == table.name && circuit.size() > 0);
    let nodes = results.portraits.iter().find(|(name, _)| *name == table.name);
    circuit.map(|(_, circuit)| (circuit, nodes.map(|(_, nodes)| nodes)))
}

/// The table without its normalised effects where they mean little, so that figures show the effects themselves.
fn trustworthy(table: &Table) -> Table {
    let mut table = table.clone();
    if table.facts.contains_key(CAUTION) {
        table.rows.iter_mut().for_each(|row| row.normalised = None);
    }
    table
}

fn page<'a>(results: &Results, sections: Vec<Section<'a>>, folder: &Folder) -> Page<'a> {
    let experiment = &results.experiment;
    let facts = experiment.facts.iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    let tokens = experiment.tokens.iter().flatten().take(8);
    let shortened = Experiment { facts: None, tokens: None, ..experiment.clone() };
    Page {
        title: folder.name(),
        question: experiment.question.clone(),
        summary: facts.collect(),
        sections,
        run_ron: ron_text(&shortened),
        tokens: tokens.flat_map(|item| item.values().cloned()).collect(),
    }
}
