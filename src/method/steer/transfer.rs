//! Transfer: how much of a task's own slope the direction of another task keeps.

use super::{STEER, Told, name};
use crate::method::{blank, table};
use crate::table::{Row, Table};

/// What joins the task that a direction is from with the one that it is tried on.
pub const TO: &str = " → ";

impl Told<'_> {
    /// The table from tasks to tasks; nothing where there is one.
    pub(super) fn transfer(&self) -> Option<Table> {
        let title = "Steering: what is kept of a task's own slope along the direction of another";
        let mut told = table("steer.transfer", title, self.bench);
        let tasks = self.plan.tasks.len();
        let mut flat = Vec::new();
        for (task, cell) in (0..tasks).flat_map(|task| (0..self.plan.cells.len()).map(move |cell| (task, cell))) {
            for by in 0..self.plan.by.len() {
                let own = self.slope(cell, task, by);
                let row = self.summaries[task].untested(blank(STEER, self.bench.metric), &own, None);
                if !row.low.zip(row.high).is_some_and(|(low, high)| low > 0.0 || high < 0.0) {
                    flat.push(self.place_of(cell, &self.plan.tasks[task].name));
                    continue;
                }
                for other in 0..tasks {
                    let slopes = if other == task { own.clone() } else { self.slope_from(cell, task, other, by) };
                    told.rows.push(self.summaries[task].share(self.kept(cell, [other, task], by), &slopes, &own));
                }
            }
        }
        told.facts.shift_remove("metric sign");
        let what = "slope on a task along the direction from another, made as long as its own / that along its own; both on held-out pairs";
        told.facts.insert("share".into(), what.into());
        if !flat.is_empty() {
            flat.dedup();
            let what = format!("own slopes that may be zero, of which no share is told: {}", flat.join(", "));
            told.facts.insert("left out".into(), what);
        }
        (tasks > 1).then_some(told)
    }

    fn kept(&self, cell: usize, [from, to]: [usize; 2], by: usize) -> Row {
        let names = [from, to].map(|task| self.plan.tasks[task].name.as_str());
        let cell = &self.plan.cells[cell];
        Row {
            site: Some(names.join(TO)),
            layer: cell.layer,
            position: cell.position,
            metric: format!("share: {}", name(self.plan.by[by])),
            ..blank(STEER, self.bench.metric)
        }
    }

    fn place_of(&self, cell: usize, task: &str) -> String {
        let cell = &self.plan.cells[cell];
        let part = |what: &str, index: Option<usize>| index.map_or(String::new(), |index| format!(", {what} {index}"));
        format!("{task}{}{}", part("layer", cell.layer), part("position", cell.position))
    }
}
