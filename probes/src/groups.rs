//! Items that belong together: a template's, a subject's, a word's.

use std::collections::BTreeMap;

/// The items of each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    items: usize,
    members: Vec<Vec<usize>>,
}

impl Groups {
    /// Each item by itself.
    pub(crate) fn single(items: usize) -> Self {
        Self { items, members: (0..items).map(|item| vec![item]).collect() }
    }

    /// As named by any numbers `[item]`, in the order of the names.
    pub(crate) fn new(names: &[usize]) -> Self {
        let mut members = BTreeMap::<usize, Vec<usize>>::new();
        names.iter().enumerate().for_each(|(item, name)| members.entry(*name).or_default().push(item));
        Self { items: names.len(), members: members.into_values().collect() }
    }

    /// How many items there are.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// How many groups there are.
    pub(crate) fn count(&self) -> usize {
        self.members.len()
    }

    /// The items of each group, `[group]`.
    pub(crate) fn members(&self) -> &[Vec<usize>] {
        &self.members
    }

    /// All items of these groups, repeatedly where a group is.
    pub(crate) fn items_of(&self, groups: &[usize]) -> Vec<usize> {
        groups.iter().flat_map(|group| self.members[*group].iter().copied()).collect()
    }

    /// The items of all groups but one.
    pub(crate) fn without(&self, group: usize) -> Vec<usize> {
        let others: Vec<usize> = (0..self.count()).filter(|other| *other != group).collect();
        self.items_of(&others)
    }

    /// How often these groups hold each item, `[item]`.
    pub(crate) fn times_held(&self, groups: &[usize]) -> Vec<f32> {
        let mut times = vec![0.0; self.items];
        for item in groups.iter().flat_map(|group| &self.members[*group]) {
            times[*item] += 1.0;
        }
        times
    }
}
