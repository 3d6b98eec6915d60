//! What stands on the terminal: the progress bar, and the short table at the end.

use crate::circuit::ALWAYS_RUN;
use crate::report::Results;
use crate::run::PRECISION_ERROR;
use crate::steps::Watcher;
use crate::table::{Row, Table, largest, p_value, quantity};
use comfy_table::{Cell, CellAlignment, presets};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Rows of the short table a method.
const ROWS: usize = 6;

/// Who listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A person.
    Terminal,
    /// A script that wants JSON.
    Json,
    /// Nobody.
    Quiet,
}

/// Prints a line to standard output.
pub fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// A progress bar with the time left, on standard error, and when each step began.
pub struct Bar {
    bar: ProgressBar,
    steps: Vec<(String, Instant)>,
    voice: Voice,
}

impl Bar {
    /// A bar of steps that is seen only by a person.
    pub fn new(voice: Voice) -> Self {
        Bar::with_template(voice, "{msg:>24} {wide_bar} {percent:>3} %  {elapsed} gone, {eta} left")
    }

    /// A bar of files that come from the hub, in bytes.
    pub fn of_files(voice: Voice) -> Self {
        Bar::with_template(voice, "{msg} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}, {eta} left")
    }

    fn with_template(voice: Voice, template: &str) -> Self {
        let bar = if voice == Voice::Terminal { ProgressBar::new(1) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template(template).expect("a template of known fields"));
        Bar { bar, voice, steps: Vec::new() }
    }

    /// Keeps the time at which a step begins, without showing it.
    pub fn mark(&mut self, name: &str) {
        self.steps.push((name.to_string(), Instant::now()));
    }

    /// Seconds from the beginning of each step to that of the next, or to now.
    pub fn seconds(&self) -> Vec<serde_json::Value> {
        let ends = self.steps.iter().skip(1).map(|(_, begun)| *begun).chain([Instant::now()]);
        let step = |((name, begun), end): (&(String, Instant), Instant)| serde_json::json!({ "step": name, "seconds": (end - *begun).as_secs_f64() });
        self.steps.iter().zip(ends).map(step).collect()
    }

    /// A line above the bar, or in the log where no terminal shows a bar.
    pub fn note(&self, line: &str) {
        match self.bar.is_hidden() {
            // whoever read it may have gone
            true if self.voice == Voice::Terminal => drop(writeln!(std::io::stderr(), "{line}")),
            _ => self.bar.println(line),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watcher for Bar {
    fn begin(&mut self, name: &str, work: usize) {
        self.mark(name);
        self.bar.reset();
        self.bar.set_length(work as u64);
        self.bar.set_message(name.to_string());
    }
    fn advance(&mut self, done: usize) {
        self.bar.inc(done as u64);
    }
}

/// The end of a run: short tables and where everything is, or one JSON object.
pub fn ending(results: &Results, path: &Path, voice: Voice, bar: &Bar) -> anyhow::Result<()> {
    match voice {
        Voice::Quiet => Ok(()),
        Voice::Json => {
            let found = serde_json::json!({
                "folder": path, "report": path.join("report.html"), "seconds": bar.seconds(), "tables": results.tables,
            });
            say(&found.to_string())
        }
        Voice::Terminal => {
            say(&format!("\n{}", results.experiment.question))?;
            results.tables.iter().try_for_each(short)?;
            if let Some(lost) = results.experiment.facts.iter().flatten().find(|(name, _)| *name == PRECISION_ERROR) {
                say(&format!("\nIn {}, {}.", results.experiment.precision, lost.1))?;
            }
            say(&format!(
                "\nEverything is in {}; open {} in a browser.",
                path.display(),
                path.join("report.html").display()
            ))
        }
    }
}

fn short(table: &Table) -> anyhow::Result<()> {
    let known = |name: &str| table.facts.get(name).map(|value| format!("   {name} {value}")).unwrap_or_default();
    say(&format!("\n{}{}{}", table.title, known("metric, clean"), known("metric, corrupted")))?;
    if let Some(caution) = table.facts.get("caution") {
        say(&format!("Caution: {caution}."))?;
    }
    let rows = table.summary_rows();
    let shown = shown(&rows);
    let mut screen = comfy_table::Table::new();
    screen
        .load_preset(presets::NOTHING)
        .set_header(["place", "metric", "effect", "normalised", "95 % interval", "p", "n"].map(right));
    if let Some(header) = screen.column_mut(0) {
        header.set_cell_alignment(CellAlignment::Left);
    }
    for row in &shown {
        screen.add_row(cells(table, row).map(right));
    }
    say(&screen.to_string())?;
    match rows.len().saturating_sub(shown.len()) {
        0 => Ok(()),
        more if rank(shown[0]) < ALWAYS_RUN.len() => say(&format!(" … and {more} rows more, in the report")),
        more => say(&format!(" … and {more} rows more, of smaller effect")),
    }
}

/// The rows of largest effect; of circuits that were run, first the one that was found, then what it is held against.
fn shown<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut named: Vec<&Row> = rows.iter().copied().filter(|row| rank(row) < ALWAYS_RUN.len()).collect();
    named.sort_by_key(|row| rank(row));
    if named.is_empty() { largest(scored(rows), ROWS) } else { named }
}

/// Rows but for those that say of an edge how often it was chosen, and whether it is in; where several parts of a quantity
/// stand beside each other (`accuracy, majority`), those that are tested, or else those of the first quantity.
fn scored<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let parted = rows.iter().any(|row| row.metric.contains(", "));
    let (tested, first) = (rows.iter().any(|row| row.p.is_some()), rows.first().map(|row| quantity(&row.metric).0));
    let told = |row: &Row| if tested { row.p.is_some() } else { Some(quantity(&row.metric).0) == first };
    let member = |row: &Row| matches!(row.metric.as_str(), "inclusion" | "in_circuit");
    rows.iter().copied().filter(|row| !member(row) && (!parted || told(row))).collect()
}

/// The place of a row's circuit among those of which a reader asks first.
fn rank(row: &Row) -> usize {
    ALWAYS_RUN.iter().position(|name| row.site.as_deref() == Some(name)).unwrap_or(ALWAYS_RUN.len())
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text.to_string()).set_alignment(CellAlignment::Right)
}

fn cells(table: &Table, row: &Row) -> [String; 7] {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
    let interval = row.low.zip(row.high).map_or(String::new(), |(low, high)| format!("[{low:.3}, {high:.3}]"));
    let p = row.p.map_or(String::new(), p_value);
    [
        place(table, row),
        row.metric.clone(),
        number(Some(row.effect)),
        number(row.normalised),
        interval,
        p,
        row.n.to_string(),
    ]
}

fn place(table: &Table, row: &Row) -> String {
    let index = |name: &str, value: Option<usize>| value.map(|value| format!("{name}{value}")).unwrap_or_default();
    let where_ = format!("{}{}", index("L", row.layer), index("H", row.head));
    let position = row
        .position
        .map(|position| format!("@{position} {}", table.positions.get(position).cloned().unwrap_or_default()));
    let parts = [row.site.clone().unwrap_or_default(), where_, position.unwrap_or_default(), index("n", row.neuron)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
