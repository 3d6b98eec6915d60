//! How to read a table: what its method measures, and what it cannot show.

mod kinds;
mod probes;

use super::{classify, effects, measure};
use crate::method::generate::Continuation;
use crate::table::Table;

/// Texts shown on the page; all of them stand in `texts.jsonl`.
const SHOWN: usize = 8;

/// A paragraph on the method, and for a generation some of its texts.
pub fn of(table: &Table, texts: &[Continuation]) -> String {
    let mut text = method(&table.name).to_string();
    if effects::is_of(table) && !measure::is_of(table) && !classify::is_held(table) {
        text = format!("{text} {}", effects::READING);
    }
    if table.name.contains("patchscope") {
        let one = |text: &&Continuation| text.table == table.name && text.item == 0;
        let count = texts.iter().filter(one).count();
        for shown in texts.iter().filter(one).step_by(count.div_ceil(SHOWN).max(1)) {
            text += &format!("\n\n{}: state {} | read as: {}", shown.prompt, shown.place, shown.edited);
        }
    }
    if table.name.contains("generate") {
        for shown in texts.iter().filter(|text| text.table == table.name).take(SHOWN) {
            text += &format!("\n\n{} | plain: {} | edited: {}", shown.prompt, shown.plain, shown.edited);
        }
    }
    text
}

fn method(name: &str) -> &'static str {
    let mut all = probes::KINDS.iter().chain(kinds::KINDS);
    all.find(|(kind, _)| name.contains(kind)).map_or("", |(_, text)| text)
}
