//! Flow diagrams of a run: effects over tokens and layers, with the attention that the same run has recorded.

use super::Results;
use crate::figure::{Figure, Glance, flow_of};
use crate::method::Tensors;
use crate::site::Site;
use crate::table::Table;

/// The flow diagrams of a table.
pub(super) fn figures(table: &Table, results: &Results) -> Vec<(String, Figure)> {
    let glances = glances(table, results);
    flow_of(table, &glances).into_iter().map(|(stem, flow)| (stem, Figure::Flow(flow))).collect()
}

/// What heads look at in the same prompts: recorded plainly, over the same tokens.
fn glances(table: &Table, results: &Results) -> Vec<Glance> {
    let same = |name: &str| {
        let other = results.tables.iter().find(|other| other.name == name);
        other.is_some_and(|other| !other.positions.is_empty() && other.positions == table.positions)
    };
    // weighted by values they are no shares
    let plain = |name: &str| name.ends_with("_attention");
    let found = results.patterns.iter().find(|(name, _)| plain(name) && same(name));
    found.map(|(_, patterns)| all(patterns)).unwrap_or_default()
}

fn all(patterns: &Tensors) -> Vec<Glance> {
    let of_layer = |(name, (shape, values)): (&String, &(Vec<usize>, Vec<f32>))| {
        let layer = name.parse::<Site>().ok().and_then(|site| site.layer());
        let (&[heads, queries, keys], Some(layer)) = (shape.as_slice(), layer) else { return Vec::new() };
        let at = move |index: usize| (index / (queries * keys), index / keys % queries, index % keys);
        let glance = |(index, share): (usize, &f32)| {
            let (head, query, key) = at(index);
            Glance { layer, head, query, key, share: f64::from(*share) }
        };
        values.iter().take(heads * queries * keys).enumerate().map(glance).collect()
    };
    patterns.iter().flat_map(of_layer).collect()
}
