//! The experiment's own prompts by a label, and what share of something its values have.

use super::{Case, Fact, Kind, Maker, Set};
use crate::data::bias;
use crate::plan::orientation;
use crate::spec::Shares;
use indexmap::{IndexMap, IndexSet};

impl Maker<'_, '_> {
    /// The experiment's own prompts, by a label.
    pub(super) fn log_odds(&mut self, by: &str, shares: Option<&Shares>) -> Option<Set> {
        let table = match shares {
            Some(shares) => self.told(bias::shares(shares))?,
            None => IndexMap::new(),
        };
        let items = self.known.items;
        if items.is_empty() {
            return None; // said of the method
        }
        let without = items.iter().position(|item| !item.labels.contains_key(by));
        if let Some(item) = without {
            let known: IndexSet<&String> = items.iter().flat_map(|item| item.labels.keys()).collect();
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            let has = if known.is_empty() { "no labels".into() } else { known.join(", ") };
            self.problems
                .add(&format!("{}.by", self.at), format!("item {item} has no label {by:?}; the data has {has}"));
            return None;
        }
        let values: IndexSet<&String> = items.iter().map(|item| &item.labels[by]).collect();
        let of = |value: &str| table.get(&value.to_lowercase()).copied();
        let having = |is_so: fn(Option<f64>) -> bool| -> Vec<&str> {
            values.iter().map(|value| value.as_str()).filter(|value| is_so(of(value))).collect()
        };
        let unknown = having(|share| share.is_none());
        if shares.is_some() && unknown.len() == values.len() {
            self.problems.add(&format!("{}.shares", self.at), "has a number for none of the values of the label");
            return None;
        }
        let case = |(number, item): (usize, &crate::plan::Item)| {
            let value = &item.labels[by];
            let share = of(value).map_or(f64::NAN, |share| share / 100.0);
            let place = values.get_index_of(value).unwrap_or(0) as f64;
            Case {
                number,
                cluster: value.clone(),
                labels: vec![value.clone()],
                known: vec![place, share],
                ..Case::default()
            }
        };
        let cases = items.iter().enumerate().map(case).collect();
        let metric = self.experiment.metric;
        let mut facts: Vec<Fact> =
            vec![("metric", metric.sign().into()), ("clusters", format!("prompts with one {by}"))];
        if orientation(items, metric).contains(&-1.0) {
            facts.push(("answers", "the first prompt's, also where those of a prompt are turned round".into()));
        }
        if shares.is_some() && !unknown.is_empty() {
            facts.push(("without a share", unknown.join(", ")));
        }
        let certain = having(|share| share.is_some_and(|share| share == 0.0 || share == 100.0));
        if !certain.is_empty() {
            facts.push(("no log-odds of the share", format!("{}, which have 0 or 100 per cent", certain.join(", "))));
        }
        let kind = Kind::LogOdds { by: by.to_string(), shares: shares.is_some(), metric };
        self.finished(kind, cases, facts)
    }
}
