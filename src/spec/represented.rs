//! Words for comparing spaces of states: which conditions, which distance, which agreement.

use super::defaults::{answer, one, over_layers, streams};
use super::{Axis, Only, Sites, Spot};
use patchclamp_probes::compare::{Noise, Similarity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which spaces are compared, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepresentSpec {
    /// Where states are taken.
    #[serde(default = "streams")]
    pub sites: Sites,
    /// What the sweep goes over; each cell is a space of its own.
    #[serde(default = "over_layers")]
    pub over: Vec<Axis>,
    /// Indices that the sweep keeps to.
    #[serde(default)]
    pub only: Only,
    /// The position of a prompt at which its state is taken, where positions are not swept.
    #[serde(default = "answer")]
    pub at: Spot,
    /// The label whose values are the conditions, or `answer`; without it every prompt is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    /// The label whose values are subjects, which each have all conditions: their agreement is the noise ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<String>,
    /// Labels that predict the geometry: conditions with one value are near, others far. `answer` is the right answer.
    #[serde(default)]
    pub models: Vec<String>,
    /// How far apart two conditions are.
    #[serde(default)]
    pub distance: Distance,
    /// The label whose values are the folds of `Crossnobis`, each with all conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<String>,
    /// How dissimilarities are held against each other.
    #[serde(default)]
    pub similarity: Agreement,
    /// How two spaces of the same prompts are held against each other, prompt by prompt.
    #[serde(default)]
    pub alignment: Alignment,
    /// How many twins with random weights are asked the same.
    #[serde(default = "one")]
    pub random_models: usize,
}

/// How far apart the states of two conditions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distance {
    /// One less the correlation of their values.
    #[default]
    Correlation,
    /// One less the cosine.
    Cosine,
    /// Squared Euclidean, a value.
    SquaredEuclidean,
    /// Squared Mahalanobis of differences in one fold and in all others: zero on average where two conditions do not differ.
    Crossnobis {
        /// How the scatter of states within conditions is estimated.
        #[serde(default)]
        scatter: Scatter,
    },
}

/// How the covariance of states within conditions is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scatter {
    /// As it is, which needs more prompts than a state has values.
    Full,
    /// The variances alone.
    Diagonal,
    /// Shrunk towards a multiple of the identity (Ledoit & Wolf 2004).
    ShrunkToEqual,
    /// Shrunk towards its own diagonal (Schäfer & Strimmer 2005).
    #[default]
    ShrunkToDiagonal,
}

impl From<Scatter> for Noise {
    fn from(scatter: Scatter) -> Self {
        match scatter {
            Scatter::Full => Noise::Full,
            Scatter::Diagonal => Noise::Diagonal,
            Scatter::ShrunkToEqual => Noise::ShrunkToEqual,
            Scatter::ShrunkToDiagonal => Noise::ShrunkToDiagonal,
        }
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Distance::Correlation => "one less the correlation",
            Distance::Cosine => "one less the cosine",
            Distance::SquaredEuclidean => "squared Euclidean, a value",
            Distance::Crossnobis { scatter: Scatter::Full } => "crossnobis, a value",
            Distance::Crossnobis { scatter: Scatter::Diagonal } => "crossnobis, a value, by variances alone",
            Distance::Crossnobis { scatter: Scatter::ShrunkToEqual } => {
                "crossnobis, a value, covariance shrunk to the identity"
            }
            Distance::Crossnobis { scatter: Scatter::ShrunkToDiagonal } => {
                "crossnobis, a value, covariance shrunk to its diagonal"
            }
        })
    }
}

/// How two sets of dissimilarities are held against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agreement {
    /// Cosine.
    Cosine,
    /// Pearson's correlation.
    Pearson,
    /// Spearman's.
    Spearman,
    /// Spearman's with ties broken at random, which is fair to models that predict them (Schütt et al. 2023).
    #[default]
    RhoA,
    /// Kendall's without correction for ties.
    TauA,
    /// Cosine of whitened dissimilarities.
    WhitenedCosine,
    /// Pearson's of the same.
    WhitenedPearson,
}

impl From<Agreement> for Similarity {
    fn from(agreement: Agreement) -> Self {
        match agreement {
            Agreement::Cosine => Similarity::Cosine,
            Agreement::Pearson => Similarity::Pearson,
            Agreement::Spearman => Similarity::Spearman,
            Agreement::RhoA => Similarity::RhoA,
            Agreement::TauA => Similarity::TauA,
            Agreement::WhitenedCosine => Similarity::WhitenedCosine,
            Agreement::WhitenedPearson => Similarity::WhitenedPearson,
        }
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Agreement::Cosine => "cosine",
            Agreement::Pearson => "Pearson's correlation",
            Agreement::Spearman => "Spearman's correlation",
            Agreement::RhoA => "ρ-a",
            Agreement::TauA => "τ-a",
            Agreement::WhitenedCosine => "whitened cosine",
            Agreement::WhitenedPearson => "whitened Pearson's correlation",
        })
    }
}

/// How two spaces of the same prompts are held against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Alignment {
    /// Linear CKA by unbiased estimates: 0 on average for spaces that have nothing in common.
    #[default]
    DebiasedCka,
    /// Linear CKA, which tends to 1 where widths outgrow prompts.
    Cka,
    /// CKA of Gaussian kernels by unbiased estimates, their width this times the median distance.
    KernelCka {
        /// Of the median distance.
        width: f64,
    },
    /// The mean canonical correlation.
    Cca,
    /// The same of the principal components that hold this share of the variance.
    Svcca {
        /// Of the variance.
        share: f64,
    },
    /// Canonical correlations, each by what it accounts for in the first space.
    Pwcca,
    /// One less half the squared Procrustes distance: 1 where a rotation and a scale make them one, 0 at the least.
    Procrustes,
}

impl fmt::Display for Alignment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alignment::DebiasedCka => out.write_str("linear CKA, unbiased"),
            Alignment::Cka => out.write_str("linear CKA"),
            Alignment::KernelCka { width } => {
                write!(out, "CKA of Gaussian kernels {width} median distances wide, unbiased")
            }
            Alignment::Cca => out.write_str("mean canonical correlation"),
            Alignment::Svcca { share } => write!(out, "SVCCA, {share} of the variance"),
            Alignment::Pwcca => out.write_str("PWCCA"),
            Alignment::Procrustes => out.write_str("one less half the squared Procrustes distance"),
        }
    }
}
