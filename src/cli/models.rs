//! `patchclamp models`: what is built in, and what can be loaded.

use super::screen::say;
use crate::builtin;
use crate::model::family::{FAMILIES, Family};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// Columns of the terminal that a line may take.
const COLUMNS: u16 = 100;
/// Columns of the names on the left.
const NAMES: u16 = 15;

/// Prints both lists.
pub fn models() -> anyhow::Result<()> {
    say("Built in: model: Builtin(\"NAME\"), or --model NAME\n")?;
    say(&listed(builtin::names().into_iter().map(|(name, about)| (name, about.to_string()))))?;
    say("\nFrom a Hugging Face folder: model: Path(\"FOLDER\"), or --model FOLDER.")?;
    say("These values of `model_type` in its config.json can be loaded:\n")?;
    say(&listed(FAMILIES.iter().map(|family| (family.name, told(family)))))
}

/// What a user should know of a family, a line for each thing.
fn told(family: &Family) -> String {
    let without = if family.without.is_empty() { String::new() } else { format!("\nnot for: {}", family.without) };
    format!("{}\n{}{without}", family.checkpoints, family.about)
}

/// Names on the left, what is said of each on the right.
fn listed(rows: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    for (name, about) in rows {
        table.add_row([name.to_string(), about]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(NAMES)));
    }
    table.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>().join("\n")
}
