//! Items by the groups that they are in, and the figures of a group.

use super::ALL;
use super::columns::Columns;
use super::figure::{Drawn, Figure, Outcome, Statistic};
use super::statistic::{Rows, mean};
use super::units::Units;
use crate::plan::Set;
use indexmap::IndexMap;

/// Items by the groups that they are in.
pub(super) struct Groups<'a> {
    /// All items, then every label.
    pub(super) members: IndexMap<String, Vec<usize>>,
    /// The columns of all items.
    rows: &'a [Vec<f64>],
}

impl<'a> Groups<'a> {
    pub(super) fn of(set: &Set, columns: &'a Columns) -> Self {
        let mut members = IndexMap::from([(ALL.to_string(), (0..columns.rows.len()).collect())]);
        let depth = set.cases.iter().map(|case| case.labels.len()).max().unwrap_or(0);
        for level in 0..depth {
            let mut found: IndexMap<String, Vec<usize>> = IndexMap::new();
            for (number, case) in set.cases.iter().enumerate() {
                if let Some(label) = case.labels.get(level) {
                    found.entry(label.clone()).or_default().push(number);
                }
            }
            // one group that is all items says nothing more
            if found.len() > 1 || level > 0 {
                let parts = found.into_iter().filter(|(_, group)| group.len() < columns.rows.len());
                parts.for_each(|(label, group)| add(&mut members, &label, level, group));
            }
        }
        Groups { members, rows: &columns.rows }
    }

    /// Some figures of every group.
    pub(super) fn each(&self, figures: fn(&Maker) -> Vec<Figure>) -> Vec<Figure> {
        self.members.iter().flat_map(|(group, members)| figures(&self.maker(group, members))).collect()
    }

    pub(super) fn maker<'b>(&'b self, group: &'b str, members: &'b [usize]) -> Maker<'b> {
        Maker { group, members, rows: self.rows, drawn: Drawn::Clusters }
    }

    /// All items.
    pub(super) fn all(&self) -> Maker<'_> {
        self.maker(ALL, &self.members[ALL])
    }

    /// Every group but that of all items.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&String, &Vec<usize>)> {
        self.members.iter().skip(1)
    }
}

/// Makes figures of a group.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    /// What it is called.
    pub(super) group: &'a str,
    /// Its items.
    pub(super) members: &'a [usize],
    /// The columns of all items.
    pub(super) rows: &'a [Vec<f64>],
    /// How intervals are drawn.
    pub(super) drawn: Drawn,
}

impl Maker<'_> {
    pub(super) fn figure(&self, metric: &str, statistic: Statistic) -> Figure {
        let (group, members) = (self.group.to_string(), self.members.to_vec());
        let counted = members.len();
        Figure {
            group,
            metric: metric.into(),
            members,
            counted,
            statistic,
            drawn: self.drawn,
            mean_of: None,
            test: None,
        }
    }

    /// The group without the items of which something is not so.
    pub(super) fn only(&self, is_so: impl Fn(&[f64]) -> bool) -> Vec<usize> {
        self.members.iter().copied().filter(|item| is_so(&self.rows[*item])).collect()
    }

    /// Its items by the number in a column.
    pub(super) fn units(&self, column: usize) -> Units {
        Units::of(self.members.iter().map(|item| self.rows[*item].as_slice()), column)
    }

    /// The mean of what each item gives, of those that give something.
    pub(super) fn mean(&self, metric: &str, outcome: Outcome) -> Figure {
        let statistic: Statistic = Box::new(move |rows: Rows| mean(rows, outcome));
        let members = self.only(|row| !outcome(row).is_nan());
        Figure { mean_of: Some(outcome), ..Maker { members: &members, ..*self }.figure(metric, statistic) }
    }
}

/// Adds a group; one whose name stands for other items gets the place of its label too.
fn add(members: &mut IndexMap<String, Vec<usize>>, label: &str, level: usize, group: Vec<usize>) {
    if members.get(label) == Some(&group) {
        return;
    }
    let mut name = label.to_string();
    while members.contains_key(&name) {
        name += &format!(" (label {})", level + 1);
    }
    members.insert(name, group);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Case, Kind};

    #[test]
    fn groups_of_one_name_are_told_apart() {
        let labels = [["all", "x"], ["x", "y"], ["all", "x"], ["z", "all"], ["z", "y"]];
        let case = |labels: &[&str; 2]| Case { labels: labels.map(str::to_string).to_vec(), ..Case::default() };
        let set = Set {
            kind: Kind::Pairs { title: "pairs" },
            name: "pairs".into(),
            cases: labels.iter().map(case).collect(),
            facts: Vec::new(),
        };
        let columns = Columns { names: Vec::new(), rows: vec![Vec::new(); labels.len()] };
        let groups = Groups::of(&set, &columns);
        let told: Vec<(&str, &[usize])> =
            groups.members.iter().map(|(name, items)| (name.as_str(), items.as_slice())).collect();
        let expected: [(&str, &[usize]); 7] = [
            ("all", &[0, 1, 2, 3, 4]),
            ("all (label 1)", &[0, 2]),
            ("x", &[1]),
            ("z", &[3, 4]),
            ("x (label 2)", &[0, 2]),
            ("y", &[1, 4]),
            ("all (label 2)", &[3]),
        ];
        assert_eq!(told, expected);
    }
}
