//! Names of places in a forward pass: sites as TransformerLens spells them, and some rows, heads, positions, neurons of one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// How the axes of a site are laid out when it leaves the program; inside all are `[batch, head, pos, width]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// `[batch, pos, width]`: one head.
    Stream,
    /// `[batch, pos, head, width]`.
    Heads,
    /// `[batch, head, query, key]`.
    Pattern,
}

macro_rules! sites {
    (model { $($m:ident $mname:literal $mdoc:literal,)* } block { $($b:ident $bname:literal $layout:ident $bdoc:literal,)* }) => {
        /// A place in the forward pass where the model hands its activation to the hook.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Site {
            $(#[doc = $mdoc] $m,)*
            $(#[doc = $bdoc] $b(usize),)*
        }

        impl Site {
            /// The layer of a site inside a block.
            pub fn layer(self) -> Option<usize> {
                match self {
                    $(Site::$m => None,)*
                    $(Site::$b(layer) => Some(layer),)*
                }
            }

            /// The name without its layer: `attn.hook_z` of `blocks.3.attn.hook_z`.
            pub fn kind(self) -> &'static str {
                match self {
                    $(Site::$m => $mname,)*
                    $(Site::$b(_) => $bname,)*
                }
            }

            /// How this site is laid out in files.
            pub fn layout(self) -> Layout {
                match self {
                    $(Site::$m => Layout::Stream,)*
                    $(Site::$b(_) => Layout::$layout,)*
                }
            }

            /// The sites that a name without layer stands for in a model of `layers` layers; empty if there is no such name.
            pub fn of_kind(kind: &str, layers: usize) -> Vec<Site> {
                match kind {
                    $($mname => vec![Site::$m],)*
                    $($bname => (0..layers).map(Site::$b).collect(),)*
                    _ => Vec::new(),
                }
            }
        }
    };
}

sites! {
    model {
        Embed "hook_embed" "Token embeddings.",
        PosEmbed "hook_pos_embed" "Learned position embeddings.",
        TokenTypeEmbed "hook_token_type_embed" "Segment embeddings (encoders).",
        EmbedScale "embed.ln.hook_scale" "Scale of the norm after the embeddings (encoders), width 1.",
        EmbedNormalized "embed.ln.hook_normalized" "Normalised embeddings (encoders).",
        FinalScale "ln_final.hook_scale" "Scale of the last norm, width 1.",
        FinalNormalized "ln_final.hook_normalized" "Output of the last norm.",
        Logits "logits" "Logits, width vocabulary.",
    }
    block {
        ResidPre "hook_resid_pre" Stream "Residual stream before the block.",
        QueryIn "hook_q_input" Heads "What each head reads for its queries, before the norm, `d_model` wide.",
        KeyIn "hook_k_input" Heads "What each key head reads, before the norm, `d_model` wide.",
        ValueIn "hook_v_input" Heads "What each value head reads, before the norm, `d_model` wide.",
        Norm1Scale "ln1.hook_scale" Stream "Scale of the first norm, width 1.",
        Norm1Normalized "ln1.hook_normalized" Stream "Output of the first norm.",
        Query "attn.hook_q" Heads "Queries, before their own norm (Qwen3) and rotation.",
        Key "attn.hook_k" Heads "Keys, before their own norm (Qwen3) and rotation.",
        Value "attn.hook_v" Heads "Values.",
        RotQuery "attn.hook_rot_q" Heads "Rotated queries.",
        RotKey "attn.hook_rot_k" Heads "Rotated keys.",
        Scores "attn.hook_attn_scores" Pattern "Attention scores, scaled and masked; a masked score is the least number.",
        Pattern "attn.hook_pattern" Pattern "Attention probabilities.",
        Mix "attn.hook_z" Heads "Values mixed by the pattern, per head.",
        HeadOut "attn.hook_result" Heads "What each head writes to the stream, without the output bias.",
        Norm1PostScale "ln1_post.hook_scale" Stream "Scale of the norm behind attention (Gemma 2), width 1.",
        Norm1PostNormalized "ln1_post.hook_normalized" Stream "Output of the norm behind attention.",
        AttnOut "hook_attn_out" Stream "What attention writes to the stream.",
        ResidMid "hook_resid_mid" Stream "Residual stream between attention and MLP.",
        MlpIn "hook_mlp_in" Stream "What the MLP reads, before the norm.",
        Norm2Scale "ln2.hook_scale" Stream "Scale of the second norm, width 1.",
        Norm2Normalized "ln2.hook_normalized" Stream "Output of the second norm.",
        MlpPre "mlp.hook_pre" Stream "Neurons before the activation function (of the gate, in a gated MLP).",
        MlpPreLinear "mlp.hook_pre_linear" Stream "The linear branch of a gated MLP.",
        MlpPost "mlp.hook_post" Stream "Neurons after the activation function (times the linear branch, in a gated MLP).",
        Norm2PostScale "ln2_post.hook_scale" Stream "Scale of the norm behind the MLP (Gemma 2), width 1.",
        Norm2PostNormalized "ln2_post.hook_normalized" Stream "Output of the norm behind the MLP.",
        MlpOut "hook_mlp_out" Stream "What the MLP writes to the stream.",
        ResidPost "hook_resid_post" Stream "Residual stream after the block (before its last norm, where norms stand behind).",
        NormalizedResidPost "hook_normalized_resid_post" Stream "Residual stream after a block and the norm behind it (encoders, OPT 350 M).",
    }
}

impl fmt::Display for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer() {
            Some(layer) => write!(out, "blocks.{layer}.{}", self.kind()),
            None => out.write_str(self.kind()),
        }
    }
}

/// A name that is no site of any model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a site; `patchclamp sites MODEL` lists them")]
pub struct UnknownSite(pub String);

impl FromStr for Site {
    type Err = UnknownSite;

    fn from_str(name: &str) -> Result<Self, UnknownSite> {
        let unknown = || UnknownSite(name.to_string());
        let Some(rest) = name.strip_prefix("blocks.") else {
            return match Site::of_kind(name, 0).as_slice() {
                [site] => Ok(*site),
                _ => Err(unknown()),
            };
        };
        let (layer, kind) = rest.split_once('.').ok_or_else(unknown)?;
        let layer: usize = layer.parse().map_err(|_| unknown())?;
        Site::of_kind(kind, layer + 1).into_iter().find(|site| site.layer() == Some(layer)).ok_or_else(unknown)
    }
}

impl Serialize for Site {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Site {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Some rows, heads, positions and neurons of a site; `None` is all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where in the forward pass.
    pub site: Site,
    /// Which items of the batch.
    pub rows: Option<Vec<usize>>,
    /// Which heads.
    pub heads: Option<Vec<usize>>,
    /// Which positions (of a pattern: queries), counted from the start of the tokens.
    pub positions: Option<Vec<usize>>,
    /// Which neurons: indices along the width (of a pattern: keys).
    pub neurons: Option<Vec<usize>>,
}

impl Place {
    /// All of a site.
    pub fn all(site: Site) -> Self {
        Place { site, rows: None, heads: None, positions: None, neurons: None }
    }

    /// The chosen indices on the four axes `[batch, head, pos, width]`.
    pub fn axes(&self) -> [&Option<Vec<usize>>; 4] {
        [&self.rows, &self.heads, &self.positions, &self.neurons]
    }
}

/// Consecutive runs of `indices`, in the order given: `[2, 3, 7]` is `2..4` and `7..8`.
pub fn runs(indices: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_and_parse_the_same() {
        for name in
            ["hook_embed", "blocks.11.attn.hook_result", "blocks.0.hook_resid_pre", "ln_final.hook_scale", "logits"]
        {
            assert_eq!(name.parse::<Site>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_name_that_is_no_site_is_refused() {
        for name in ["hook_resid_pre", "blocks.x.hook_resid_pre", "blocks.0.hook_embed", "blocks.0", "hook_emb"] {
            assert!(name.parse::<Site>().is_err(), "{name}");
        }
    }

    #[test]
    fn runs_keep_order_and_join_neighbours() {
        assert_eq!(runs(&[2, 3, 7, 1]), vec![2..4, 7..8, 1..2]);
    }
}
