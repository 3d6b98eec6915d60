//! The words of causal mediation and causal tracing.

use super::Axis;
use serde::{Deserialize, Serialize};

/// What carries an effect, as causal mediation asks it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Mediators {
    /// The attention pattern of each head.
    #[default]
    Heads,
    /// The patterns of all heads of each layer.
    Layers,
    /// The patterns of all heads of the model.
    Model,
    /// Neurons at the subject's tokens.
    Neurons {
        /// Where they are: of GPT-2 the authors take what the MLP writes to the stream.
        #[serde(default = "written")]
        site: String,
        /// What the sweep goes over: each neuron of each layer, or all of a layer with `[Layer]`, or all with `[]`.
        #[serde(default = "each")]
        over: Vec<Axis>,
        /// The share of a layer's neurons, those of the largest indirect effect, that a second table sums up.
        #[serde(default = "top")]
        top: f64,
    },
}

fn written() -> String {
    "hook_mlp_out".into()
}

fn each() -> Vec<Axis> {
    vec![Axis::Layer, Axis::Neuron]
}

/// Vig et al. 2020, figure of the top neurons by layer.
fn top() -> f64 {
    0.025
}

/// How strong the noise of a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Noise {
    /// So many standard deviations of the embeddings of all subjects' tokens.
    Subjects(f64),
    /// This standard deviation.
    Sigma(f64),
}

/// Three, as in Meng et al. 2022.
impl Default for Noise {
    fn default() -> Self {
        Noise::Subjects(3.0)
    }
}

/// Which facts a trace speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facts {
    /// All, each with the token that the model itself finds most probable.
    #[default]
    All,
    /// Those that the model knows: its most probable token begins the attribute, or is the right answer.
    Known,
}
