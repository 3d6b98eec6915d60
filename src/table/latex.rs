//! A table as LaTeX with booktabs, to be put into a paper as it is.

use super::{Column, Layout, Row, Table, largest};

/// More rows than this do not fit a page.
const MOST_ROWS: usize = 40;

impl Table {
    /// A `table` environment: the columns that vary, numbers rounded, at most the 40 rows of
    /// largest |effect|. Needs `\usepackage{booktabs}`.
    pub fn to_latex(&self) -> String {
        let all = self.summary_rows();
        let total = all.len();
        let rows = largest(all, MOST_ROWS);
        let layout = Layout::of(self, &rows);
        let lines: Vec<_> = rows.iter().map(|row| line(&layout, self, row)).collect();
        format!(
            "{}\\begin{{table}}\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{}}}\n  \
             \\begin{{tabular}}{{{}}}\n    \\toprule\n    {} \\\\\n    \\midrule\n{}    \
             \\bottomrule\n  \\end{{tabular}}\n\\end{{table}}\n",
            comments(self),
            caption(self, &layout, rows.len(), total),
            key(&self.name),
            layout.columns.iter().map(|column| alignment(*column)).collect::<String>(),
            headings(&layout),
            lines.concat(),
        )
    }
}

/// The facts stand above as comments: they would overfill a caption.
fn comments(table: &Table) -> String {
    let fact = |(name, fact): (&String, &String)| format!("% {name}: {fact}").replace(['\n', '\r'], " ") + "\n";
    String::from("% needs \\usepackage{booktabs}\n") + &table.facts.iter().map(fact).collect::<String>()
}

fn caption(table: &Table, layout: &Layout, shown: usize, total: usize) -> String {
    let mut caption = escape(table.title.trim_end_matches('.')) + ".";
    let same: Vec<_> = layout.constants.iter().map(|(name, value)| constant(name, value)).collect();
    if !same.is_empty() {
        caption += &format!(" {}.", same.join("; "));
    }
    if shown < total {
        let left = total - shown;
        caption += &format!(" The {shown} rows of largest $|$effect$|$; {left} are left out.");
    }
    caption
}

fn constant(name: &str, value: &str) -> String {
    match name {
        "n" => format!("$n = {value}$"),
        _ => format!("{}: {}", escape(name), escape(value)),
    }
}

fn headings(layout: &Layout) -> String {
    let heading = |column: &Column| match column {
        Column::P | Column::N => format!("${}$", column.heading()),
        _ => escape(column.heading()),
    };
    layout.columns.iter().map(heading).collect::<Vec<_>>().join(" & ")
}

fn alignment(column: Column) -> char {
    if column.is_text() || column == Column::Position { 'l' } else { 'r' }
}

fn line(layout: &Layout, table: &Table, row: &Row) -> String {
    let cell = |column: &Column| escape(&layout.cell(*column, table, row));
    let cells: Vec<_> = layout.columns.iter().map(cell).collect();
    format!("    {} \\\\\n", cells.join(" & "))
}

/// A label may hold letters, digits and hyphens only.
fn key(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// `text` so that LaTeX prints it as it stands.
pub fn escape(text: &str) -> String {
    text.chars().map(escape_character).collect()
}

fn escape_character(character: char) -> String {
    match character {
        '\\' => "\\textbackslash{}".into(),
        '~' => "\\textasciitilde{}".into(),
        '^' => "\\textasciicircum{}".into(),
        '<' => "$<$".into(),
        '>' => "$>$".into(),
        '|' => "$|$".into(),
        // After `\\` a bare bracket would be read as an extra skip.
        '[' => "{[}".into(),
        '`' => "\\textasciigrave{}".into(),
        '\'' => "\\textquotesingle{}".into(),
        '−' => "$-$".into(),
        '␣' => "\\textvisiblespace{}".into(),
        '↵' => "$\\hookleftarrow$".into(),
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{character}"),
        plain => plain.into(),
    }
}
