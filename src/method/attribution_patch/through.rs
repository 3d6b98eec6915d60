//! Effects of queries and keys through a pattern that is computed anew: the attention fix of Kramár et al. 2024.

use super::moved::Query;
use super::sums::Values;
use crate::hook::Activation;
use crate::method::sweep::States;
use crate::model::Model;
use crate::model::parts::function::soft_cap;
use crate::site::Site;
use crate::tensor::{Tensor, to_doubles};

/// Queries or keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Queries,
    Keys,
}

/// What one layer's queries or keys bring when those of another run are put in.
pub struct Through {
    kind: Kind,
    /// `[row, head, query, key]` and how many heads share a key.
    shape: [usize; 4],
    group: usize,
    scores: Vec<f64>,
    /// What each score moves by.
    by: Vec<f64>,
}

/// Some keys that move together; none is all.
pub type Keys = Option<Vec<usize>>;

/// What is recorded of a layer, in both runs.
pub fn sites(model: &dyn Model, layer: usize) -> [Site; 3] {
    let [query, key] = positioned(model, layer);
    [query, key, Site::Scores(layer)]
}

/// Queries and keys as scores are made of them.
fn positioned(model: &dyn Model, layer: usize) -> [Site; 2] {
    match model.is_rotary() {
        true => [Site::RotQuery(layer), Site::RotKey(layer)],
        false => [Site::Query(layer), Site::Key(layer)],
    }
}

impl Through {
    /// The scores of one run, and what those of the other's queries or keys (as `site` says) do to them.
    pub fn new(model: &dyn Model, site: Site, own: &States, change: &States) -> Self {
        let layer = site.layer().expect("queries and keys stand in a layer");
        let [query, key] = positioned(model, layer);
        let kind = if matches!(site, Site::Query(_) | Site::RotQuery(_)) { Kind::Queries } else { Kind::Keys };
        let attention = &model.block(layer).attention;
        let group = attention.heads / attention.key_heads;
        let product = |query: &Activation, key: &Activation| {
            query.clone().matmul(repeated(key, group).swap_dims(2, 3)) * attention.scale
        };
        let by = match kind {
            Kind::Queries => product(&change[&query], &own[&key]),
            Kind::Keys => product(&own[&query], &change[&key]),
        };
        let by = match attention.score_cap {
            None => by,
            cap => {
                let free = product(&own[&query], &own[&key]);
                soft_cap(free.clone() + by, cap) - soft_cap(free, cap)
            }
        };
        let scores = &own[&Site::Scores(layer)];
        Through { kind, shape: scores.dims(), group, scores: to_doubles(scores), by: to_doubles(&by) }
    }

    /// Σ (pattern' − pattern) · slope for each of some sets of keys, or for every query where these are what changes (then
    /// whatever the sets): `[row, head, pos or 1, 1]` a set, with the gradients `[row, head, query, key]` at the pattern.
    pub fn effects(&self, slopes: &Activation, sets: &[Keys]) -> Vec<Values> {
        let slopes = to_doubles(slopes);
        match self.kind {
            Kind::Queries => {
                let effects = self.queries(&slopes);
                sets.iter().map(|_| Values { shape: effects.shape, values: effects.values.clone() }).collect()
            }
            Kind::Keys => self.keys(&slopes, sets),
        }
    }

    fn queries(&self, slopes: &[f64]) -> Values {
        let [rows, heads, positions, keys] = self.shape;
        let each = self.scores.chunks_exact(keys).zip(slopes.chunks_exact(keys)).zip(self.by.chunks_exact(keys));
        let values = each.map(|((scores, slopes), by)| Query::new(scores, slopes).all_moved(by)).collect();
        Values { shape: [rows, heads, positions, 1], values }
    }

    fn keys(&self, slopes: &[f64], sets: &[Keys]) -> Vec<Values> {
        let [rows, heads, positions, keys] = self.shape;
        let shape = [rows, heads / self.group, 1, 1];
        let mut found: Vec<Values> =
            sets.iter().map(|_| Values { shape, values: vec![0.0; rows * heads / self.group] }).collect();
        let each = self.scores.chunks_exact(keys).zip(slopes.chunks_exact(keys)).zip(self.by.chunks_exact(keys));
        for (index, ((scores, slopes), by)) in each.enumerate() {
            let (query, head) = (Query::new(scores, slopes), index / positions); // heads of a group are neighbours
            for (found, set) in found.iter_mut().zip(sets) {
                found.values[head / self.group] += match set {
                    None => query.all_moved(by),
                    Some(set) => query.moved(set, by),
                };
            }
        }
        found
    }
}

/// Keys `[row, key head, pos, d_head]` once for each head that they serve.
fn repeated(key: &Activation, group: usize) -> Tensor<4> {
    let [rows, heads, positions, width] = key.dims();
    let each = key.clone().reshape([rows, heads, 1, positions * width]).expand([rows, heads, group, positions * width]);
    each.reshape([rows, heads * group, positions, width])
}
