//! The JSON that EAP-IG writes and MIB publishes: `cfg`, `nodes` and `edges`, the latter two objects by name.

use super::super::{Blocks, Link, OF_LOSS, SIGN};
use super::{Facts, Read, json::NOWHERE};
use crate::node::Flow;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

#[derive(Deserialize)]
struct Whole {
    cfg: Sizes,
    #[serde(default = "Named::none")]
    nodes: Named<serde::de::IgnoredAny>,
    edges: Named<EdgeEntry>,
}

#[derive(Deserialize)]
struct Sizes {
    n_layers: usize,
    n_heads: usize,
    #[serde(default)]
    parallel_attn_mlp: bool,
}

#[derive(Deserialize)]
struct EdgeEntry {
    score: f64,
    in_graph: bool,
}

/// The entries of an object in their order, none lost: a map would keep the last of two with one name.
struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    fn none() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Named<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with a name for each entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Named(entries))
    }
}

/// What a published text says.
pub fn read(text: &str) -> Result<Read, serde_json::Error> {
    let whole: Whole = serde_json::from_str(text)?;
    let flow = if whole.cfg.parallel_attn_mlp { Flow::Parallel } else { Flow::Sequential };
    let link =
        |entry: EdgeEntry| Ok(Link { edge: NOWHERE, score: entry.score, interval: None, in_circuit: entry.in_graph });
    Ok(Read {
        blocks: Blocks::new(whole.cfg.n_layers, whole.cfg.n_heads, flow),
        facts: Facts::from([(SIGN.to_string(), OF_LOSS.to_string())]),
        neurons: Vec::new(),
        nodes: whole.nodes.0.into_iter().map(|(name, _)| name).collect(),
        edges: whole.edges.0.into_iter().map(|(name, entry)| (name, link(entry))).collect(),
    })
}
