//! The report as one HTML file that needs nothing beside it.

use crate::figure::face;
use crate::table::{Column, Layout, Row, Table, largest, visible};
use minijinja::{Environment, context};
use serde::Serialize;

/// Tables with more rows than this are cut.
const MOST_ROWS: usize = 2000;
/// To this many rows, those of largest |effect|.
const KEPT_ROWS: usize = 500;
const TEMPLATE: &str = include_str!("../assets/report.html");
/// What makes the figure of a circuit answer.
const CIRCUIT_SCRIPT: &str = include_str!("../assets/circuit.js");
/// Within HTML an SVG needs no namespace.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// What the page shows, from top to bottom.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The experiment's name.
    pub title: String,
    /// What was asked, in a sentence.
    pub question: String,
    /// Names and values: model, data, seed, …
    pub summary: Vec<(String, String)>,
    /// One for each step.
    pub sections: Vec<Section<'a>>,
    /// The experiment as it was run.
    pub run_ron: String,
    /// The tokens of the first items, as the tokenizer spells them.
    pub tokens: Vec<Vec<String>>,
}

/// What one step found.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// The step's title.
    pub heading: String,
    /// What it measures and how to read it; an empty line begins a paragraph.
    pub text: String,
    /// Its figures.
    pub figures: Vec<Drawing>,
    /// What its first figure can be asked, where that is a circuit.
    pub explorer: Option<Explorer>,
    /// Its numbers.
    pub table: Option<&'a Table>,
}

/// What the interactive figure of a circuit knows, as JSON that can stand within a page.
#[derive(Clone, Debug, Serialize)]
pub struct Explorer(String);

impl Explorer {
    /// Of any data; no text in it can end the element that it stands in.
    pub fn new(known: &impl Serialize) -> Self {
        let json = serde_json::to_string(known).expect("names and finite numbers are JSON");
        Self(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
    }
}

/// A figure within the page.
#[derive(Clone, Debug, Serialize)]
pub struct Drawing {
    /// Path of the figure's files without extension, seen from the page, e.g. `figures/02_patch`.
    pub stem: String,
    /// The SVG as [`crate::figure::Figure::svg`] gives it.
    pub svg: String,
}

#[derive(Serialize)]
struct SectionView {
    heading: String,
    paragraphs: Vec<String>,
    figures: Vec<Drawing>,
    explorer: Option<Explorer>,
    table: Option<TableView>,
}

#[derive(Serialize)]
struct TableView {
    title: String,
    facts: Vec<(String, String)>,
    note: String,
    columns: Vec<ColumnView>,
    rows: Vec<Vec<CellView>>,
    csv: String,
}

#[derive(Serialize)]
struct ColumnView {
    heading: &'static str,
    numeric: bool,
}

#[derive(Serialize)]
struct CellView {
    text: String,
    /// What to sort by, unrounded.
    key: Option<String>,
}

impl Page<'_> {
    /// The page as HTML; all text in it is escaped, the figures are taken as they are.
    pub fn html(&self) -> String {
        let mut environment = Environment::new();
        environment.add_template("report.html", TEMPLATE).expect("the built-in template is valid");
        let template = environment.get_template("report.html").expect("it was just added");
        let sections: Vec<_> = self.sections.iter().map(view_section).collect();
        let tokens: Vec<Vec<_>> = self.tokens.iter().map(|item| item.iter().map(|t| visible(t)).collect()).collect();
        let page = context! {
            title => self.title,
            question => self.question,
            summary => self.summary,
            sections,
            tokens,
            run_ron => self.run_ron,
            font_face => face(),
            circuit_script => self.sections.iter().any(|section| section.explorer.is_some()).then_some(CIRCUIT_SCRIPT),
        };
        template.render(page).expect("the template asks for nothing but what it is given")
    }
}

fn view_section(section: &Section) -> SectionView {
    let paragraphs = section.text.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    let inline = |drawing: &Drawing| Drawing { svg: drawing.svg.replacen(NAMESPACE, "", 1), ..drawing.clone() };
    SectionView {
        heading: section.heading.clone(),
        paragraphs: paragraphs.map(str::to_owned).collect(),
        figures: section.figures.iter().map(inline).collect(),
        explorer: section.explorer.clone(),
        table: section.table.map(view_table),
    }
}

fn view_table(table: &Table) -> TableView {
    let all = table.summary_rows();
    let total = all.len();
    let rows = if total > MOST_ROWS { largest(all, KEPT_ROWS) } else { all };
    let layout = Layout::of(table, &rows);
    let news = layout.constants.iter().filter(|(name, _)| !table.facts.contains_key(*name));
    let constants = news.map(|(name, value)| ((*name).to_owned(), value.clone()));
    TableView {
        title: table.title.clone(),
        facts: table.facts.clone().into_iter().chain(constants).collect(),
        note: note(table, rows.len(), total),
        columns: layout.columns.iter().map(|column| view_column(*column)).collect(),
        rows: rows.iter().map(|row| view_row(&layout, table, row)).collect(),
        csv: Table { rows: rows.into_iter().cloned().collect(), ..table.clone() }.to_csv(),
    }
}

/// How many rows are here, and where the others are.
fn note(table: &Table, shown: usize, total: usize) -> String {
    let items = table.rows.len() - total;
    let mut note = match shown {
        _ if shown < total => format!("The {shown} rows of largest |effect| of {total}."),
        1 => "1 row.".into(),
        _ => format!("{shown} rows."),
    };
    if items > 0 {
        note += &format!(" {items} rows of single items are not shown.");
    }
    if shown < table.rows.len() {
        note += &format!(" All rows are in {}.csv.", table.name);
    }
    note
}

fn view_column(column: Column) -> ColumnView {
    ColumnView { heading: column.heading(), numeric: !column.is_text() && column != Column::Position }
}

fn view_row(layout: &Layout, table: &Table, row: &Row) -> Vec<CellView> {
    let cell = |column: &Column| CellView {
        text: layout.cell(*column, table, row),
        key: column.key(row).map(|key| key.to_string()),
    };
    layout.columns.iter().map(cell).collect()
}

#[cfg(test)]
mod tests;
