//! Words for biographies: texts about people, each with an occupation and a group.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Biographies, written here or read from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Biographies {
    /// Where they come from.
    pub from: Written,
    /// Whether names and words that tell a gender are taken out.
    #[serde(default)]
    pub scrubbed: Scrubbed,
    /// Only so many words of each, from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<usize>,
    /// The most texts; a seeded sample is drawn where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}

/// Where biographies come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Written {
    /// By a grammar, with planted shares.
    Grammar(Grammar),
    /// A file with a row a text: `.parquet`, `.csv` with a header, or else one JSON object a line; BiasInBios has these columns.
    File {
        /// The file; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON file's.
        path: PathBuf,
        /// Column of the text.
        #[serde(default = "text")]
        text: String,
        /// Column of the occupation: its name, or its number among the 28 of BiasInBios.
        #[serde(default = "label")]
        label: String,
        /// Column of the group: its name, or 0 for male and 1 for female.
        #[serde(default = "group")]
        group: String,
    },
}

/// What a grammar of biographies plants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grammar {
    /// How many texts.
    #[serde(default = "count")]
    pub count: usize,
    /// The occupations, English words of the built-in list.
    #[serde(default = "occupations")]
    pub occupations: Vec<String>,
    /// The share of women in each, in their order; without it as in the labour statistics of the built-in list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub women: Vec<f64>,
    /// How many times more frequent the first occupation is than the last; those between go down evenly on a log scale.
    #[serde(default = "even")]
    pub imbalance: f64,
    /// The share of women whose label is that of the occupation with the most women, whatever they do.
    #[serde(default)]
    pub mislabelled: f64,
    /// How often a sentence tells what the occupation does; other sentences tell what anybody does.
    #[serde(default = "told")]
    pub told: f64,
    /// The share of French texts.
    #[serde(default)]
    pub french: f64,
}

/// Whether names and words that tell a gender are taken out; French participles and adjectives keep their endings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scrubbed {
    /// As written.
    #[default]
    No,
    /// Without them.
    Yes,
}

fn text() -> String {
    "hard_text".into()
}

fn label() -> String {
    "profession".into()
}

fn group() -> String {
    "gender".into()
}

fn count() -> usize {
    800
}

/// From nine women in ten to next to none.
fn occupations() -> Vec<String> {
    ["nurse", "secretary", "librarian", "teacher", "accountant", "programmer", "engineer", "plumber"]
        .map(String::from)
        .to_vec()
}

fn even() -> f64 {
    1.0
}

fn told() -> f64 {
    0.4
}
