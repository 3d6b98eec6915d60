//! What was cut, as a table: how much of both tasks hangs on each edge or node that was ranked highest.

use super::Told;
use crate::method::cut::CUT;
use crate::method::cut::chosen::{Found, Ranked};
use crate::method::summary::mean;
use crate::method::table;
use crate::plan::{TASKS, Way};
use crate::table::{Row, Table};
use indexmap::IndexMap;

impl Told<'_> {
    /// What was ranked highest: how much of both tasks hangs on it, the mean over the choices that cut it, and how many do.
    pub(super) fn cut_first(&self, number: usize, way: &Way) -> Option<Table> {
        let choices: Vec<&Ranked> = self
            .found
            .iter()
            .filter_map(|ways| match &ways[number] {
                Found::Ranked(ranked) => Some(ranked),
                Found::Erased(_) => None,
            })
            .collect();
        choices.first()?;
        let mut found: IndexMap<&str, Vec<(usize, [f64; 2])>> = IndexMap::new();
        for (place, (name, scores)) in choices.iter().flat_map(|choice| choice.cut.iter().enumerate()) {
            found.entry(name).or_default().push((place, *scores));
        }
        // cut by most choices first, then where it stands first
        let places = |of: &[(usize, [f64; 2])]| of.iter().map(|(place, _)| place).sum::<usize>();
        found.sort_by(|_, a, _, b| b.len().cmp(&a.len()).then(places(a).cmp(&places(b))));
        let whole = |task: usize| mean(&choices.iter().map(|choice| choice.whole[task]).collect::<Vec<f64>>());
        let mut told = table(&format!("{CUT}.ranked"), &format!("What is cut: {}", way.name), self.bench);
        told.positions.clear();
        for (name, of) in &found {
            for (task, metric) in TASKS.iter().enumerate() {
                let effect = mean(&of.iter().map(|(_, scores)| scores[task]).collect::<Vec<f64>>());
                let normalised = Some(effect / whole(task)).filter(|share| share.is_finite());
                let row = self.place(name, format!("score: {metric}"));
                told.rows.push(Row { effect, normalised, n: of.len(), ..row });
            }
        }
        let facts = [
            ("score", "what the contrast changes by without it, estimated: below 0 where it supports it; the mean over the choices that cut it".to_string()),
            ("normalised", "score / the contrast of the whole model".into()),
            ("n", format!("how many of {} choices have it in their largest cut", self.plan.folds)),
        ];
        told.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact)));
        Some(told)
    }
}
