//! Sites as they are asked for: by name, or all of them.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Sites, by name: `All`, or names with or without their layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Sites {
    /// `["hook_resid_pre", "blocks.0.attn.hook_z"]`.
    Named(Vec<String>),
    /// Every site of the model.
    All(AllSites),
}

/// The word `All`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AllSites {
    /// Every site of the model.
    All,
}

// By hand, because serde's word for what fits no untagged variant does not say what would.
impl<'de> Deserialize<'de> for Sites {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Sites;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("All, or a list of sites, for instance [\"hook_resid_pre\"],")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<Sites, E> {
                match word {
                    "All" => Ok(Sites::All(AllSites::All)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sites, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Sites::Named(names))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
