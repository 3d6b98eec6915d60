//! Measures of bias: which data sets a model is measured on, and how each is asked.

use super::Associations;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureSpec {
    /// The measures, each with its data; a table each.
    pub measures: Vec<Measure>,
}

/// A measure with its data. A relative path starts at the folder the program runs in or, where it leads nowhere, at the RON
/// file's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Measure {
    /// CrowS-Pairs (Nangia et al. 2020): how often the more stereotypical sentence is the more probable one.
    CrowsPairs(CrowsPairs),
    /// StereoSet (Nadeem et al. 2021): language modelling score, stereotype score, and both in one.
    StereoSet {
        /// The authors' JSON, or intrasentence triples as CSV.
        path: PathBuf,
    },
    /// WinoBias (Zhao et al. 2018): accuracy on pro-stereotypical less that on anti-stereotypical sentences.
    WinoBias {
        /// Pro-stereotypical sentences, a type of them.
        pro: PathBuf,
        /// The same sentences, anti-stereotypical.
        anti: PathBuf,
    },
    /// Winogender schemas (Rudinger et al. 2018): log-odds of the pronouns, against labour statistics.
    Winogender {
        /// `all_sentences.tsv`.
        path: PathBuf,
        /// `occupations-stats.tsv`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shares: Option<PathBuf>,
    },
    /// BBQ (Parrish et al. 2022): accuracy and bias scores of answers.
    Bbq {
        /// JSON lines.
        path: PathBuf,
        /// What stands before an answer, with `{context}` and `{question}`; the answer follows after a space.
        #[serde(default = "question")]
        prompt: String,
    },
    /// HONEST's templates (Nozza et al. 2021): what the same words cost after different identities.
    Honest {
        /// A file of templates.
        path: PathBuf,
        /// What templates are completed with; without any, they end where they would be completed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        completions: Vec<String>,
    },
    /// BLiMP (Warstadt et al. 2020): how often the acceptable sentence is the more probable one.
    Blimp {
        /// JSON lines.
        path: PathBuf,
    },
    /// GAP (Webster et al. 2018): which of two names a pronoun means.
    Gap {
        /// Tab-separated, as published.
        path: PathBuf,
    },
    /// Pairs of sentences of one's own: how often the first is the more probable one.
    Pairs(SentencePairs),
    /// The experiment's metric on its own clean prompts, by a label.
    LogOdds {
        /// The label, for instance `"occupation"`; labels of prompts are written in the data.
        by: String,
        /// A number for each value of the label, which the metric may follow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shares: Option<Shares>,
    },
    /// Nats a token and perplexity.
    Perplexity {
        /// A text; without it the clean prompts are read, each by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<PathBuf>,
        /// Tokens of a window; without it as many as the model has positions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<usize>,
        /// How far windows are moved; without it a window's length, so that none overlap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
    },
    /// WEAT (Caliskan et al. 2017) and SEAT (May et al. 2019): which words' states are near which other words'.
    Weat(Associations),
}

/// A file of CrowS-Pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowsPairs {
    /// Comma- or tab-separated.
    pub path: PathBuf,
    /// The column of the more stereotypical sentence.
    #[serde(default = "more")]
    pub more: String,
    /// The column of the less stereotypical sentence.
    #[serde(default = "less")]
    pub less: String,
    /// The column of the kind of bias.
    #[serde(default = "bias_type")]
    pub bias_type: String,
    /// Whether rows without a sentence or a kind are left out, as the French edition has some; else they are a mistake.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_empty: bool,
}

impl CrowsPairs {
    /// A file in the published columns.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CrowsPairs { path: path.into(), more: more(), less: less(), bias_type: bias_type(), skip_empty: false }
    }
}

/// A table or JSON lines with two sentences a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentencePairs {
    /// The file.
    pub path: PathBuf,
    /// The column or key of the sentence that counts where it is the more probable one.
    pub first: String,
    /// The column or key of the other sentence.
    pub second: String,
    /// The column or key by which pairs are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The column or key of what pairs have in common, for instance their template: such are drawn together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// Numbers of labels in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Comma- or tab-separated, with a header; lines that begin with `#` are left out.
    pub path: PathBuf,
    /// The column of labels.
    pub label: String,
    /// The column of shares, in per cent.
    pub value: String,
}

impl Measure {
    /// The files that it reads.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Measure::CrowsPairs(file) => vec![&mut file.path],
            Measure::Pairs(file) => vec![&mut file.path],
            Measure::WinoBias { pro, anti } => vec![pro, anti],
            Measure::Winogender { path, shares } => std::iter::once(path).chain(shares).collect(),
            Measure::StereoSet { path }
            | Measure::Bbq { path, .. }
            | Measure::Honest { path, .. }
            | Measure::Blimp { path }
            | Measure::Gap { path } => vec![path],
            Measure::LogOdds { shares, .. } => shares.iter_mut().map(|shares| &mut shares.path).collect(),
            Measure::Perplexity { text, .. } => text.iter_mut().collect(),
            Measure::Weat(asked) => asked.path.iter_mut().collect(),
        }
    }

    /// Whether it asks the experiment's own prompts.
    pub fn reads_prompts(&self) -> bool {
        matches!(self, Measure::LogOdds { .. } | Measure::Perplexity { text: None, .. })
    }
}

fn question() -> String {
    "{context}\nQ: {question}\nA:".into()
}

fn more() -> String {
    "sent_more".into()
}

fn less() -> String {
    "sent_less".into()
}

fn bias_type() -> String {
    "bias_type".into()
}
