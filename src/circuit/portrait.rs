//! What the nodes of a circuit look at and write, prompt by prompt: what the page shows of a node, and its JSON.
//!
//! ```json
//! {
//!   "format": "patchclamp-nodes-1",
//!   "views": [ { "name": "mean of 36 prompts", "item": null, "tokens": ["Mary/John", "␣ran"], "answer": 1 } ],
//!   "nodes": [ { "name": "a2.h1", "seen": [ {
//!     "pattern": [ [0, [1, 0]], [1, [0.91, 0.09]] ],
//!     "direct": 1.7,
//!     "raised": [ ["␣she", 2.1] ], "lowered": [ ["␣he", -1.9] ]
//!   } ] } ],
//!   "carries": { "a2.h1->logits": "gender" }
//! }
//! ```
//! A node has one entry in `seen` for each of `views`. `pattern` holds queries with how much of them lies on each key: all
//! of a short prompt, of a long one that of the answer; null where the node is no head. The mean pattern of prompts of
//! several lengths is that of the commonest length. `direct` is what the node adds to the logit of the right answer less that of the wrong one at the place
//! `answer`, through the last norm with its scale held; of an answer of several tokens their mean logit counts. `raised`
//! and `lowered` are the tokens whose logits it moves most, above and below the mean of all tokens. `direct` is null and
//! both lists are empty where the model's logits are no sum over its nodes. `carries` says of edges what they carry, where
//! that is known.

use super::exchange::ExchangeError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the form is called, with its version.
const FORMAT: &str = "patchclamp-nodes-1";

/// The nodes of a circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portraits {
    format: String,
    /// What nodes are seen in: mostly the mean of all prompts, then some of them.
    pub views: Vec<View>,
    /// In the order of the stream.
    pub nodes: Vec<Portrait>,
    /// What edges carry, by their name.
    #[serde(default)]
    pub carries: BTreeMap<String, String>,
}

/// Prompts that a node is seen in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// For a reader.
    pub name: String,
    /// The one item, from 0; none for the mean of all.
    pub item: Option<usize>,
    /// The tokens that the pattern is over; where prompts differ, two of them or one and how many.
    pub tokens: Vec<String>,
    /// The position that the answer is read at.
    pub answer: Option<usize>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portrait {
    /// `a2.h1`.
    pub name: String,
    /// One for each view.
    pub seen: Vec<Seen>,
}

/// A node in one view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Some queries, each with the share of it that lies on each key.
    pub pattern: Option<Vec<(usize, Vec<f64>)>>,
    /// Added to the logit of the right answer less that of the wrong one.
    pub direct: Option<f64>,
    /// Tokens whose logits the node moves up most, with how far above the mean of all tokens.
    pub raised: Vec<(String, f64)>,
    /// Those that it moves down most.
    pub lowered: Vec<(String, f64)>,
}

impl Portraits {
    /// Of these nodes, with nothing known of what edges carry.
    pub fn new(views: Vec<View>, nodes: Vec<Portrait>) -> Self {
        Self { format: FORMAT.to_string(), views, nodes, carries: BTreeMap::new() }
    }

    /// As JSON, a node a line.
    pub fn write(&self) -> String {
        let text = serde_json::to_string(self).expect("names and finite numbers are JSON");
        text.replace("{\"name\":", "\n{\"name\":") + "\n"
    }

    /// From JSON; `file` is what errors call it.
    ///
    /// # Errors
    /// Where it is no JSON or of another form, the line and column; where a node is not seen in each view, its name.
    pub fn read(file: &str, text: &str) -> Result<Self, ExchangeError> {
        let found: Self = serde_json::from_str(text).map_err(|error| ExchangeError::malformed(file, text, &error))?;
        let format = (found.format != FORMAT)
            .then(|| format!("format: {:?} is not known; this version reads {FORMAT}", found.format));
        let count = found.views.len();
        let uneven = |node: &Portrait| {
            (node.seen.len() != count)
                .then(|| format!("nodes: {} is seen {} times in {count} views", node.name, node.seen.len()))
        };
        let problems: Vec<String> = format.into_iter().chain(found.nodes.iter().filter_map(uneven)).collect();
        match problems.is_empty() {
            true => Ok(found),
            false => Err(ExchangeError::Wrong { file: file.to_string(), problems }),
        }
    }
}
