//! Programs compiled by this program: learned positions, ReLU, no norms, sight in both directions where a program needs it.

use super::{BuildError, Built, Config, WeightError, Weights};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::norm::Norm;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

/// From configuration and weights to a model.
pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let dims = dims(config)?;
    let scale = config.needed_number("score_scale")?;
    let sight = if config.flag("is_causal", true)? { Sight::Causal } else { Sight::Both };
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("blocks.{layer}"), &dims, scale));
    let blocks = blocks.collect::<Result<_, _>>()?;
    let unembedding = Linear {
        weight: weights.read::<2>("unembed.weight", [dims.vocabulary, dims.d_model])?.swap_dims(0, 1),
        bias: Some(weights.read("unembed.bias", [dims.vocabulary])?),
    };
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read("embed.weight", [dims.vocabulary, dims.d_model])?,
        embed_scale: None,
        positions: Some(weights.read("pos_embed.weight", [dims.context, dims.d_model])?),
        rotary: None,
        sights: vec![sight; dims.layers],
        blocks,
        final_norm: None,
        unembedding: Some(unembedding),
        logit_cap: None,
        dims,
    })))
}

fn dims(config: &Config) -> Result<Dims, BuildError> {
    let heads = config.count("n_head")?;
    Ok(Dims {
        layers: config.count("n_layer")?,
        heads,
        key_heads: heads,
        d_head: config.count("head_dim")?,
        d_model: config.count("n_embd")?,
        d_mlp: config.count("n_inner")?,
        vocabulary: config.count("vocab_size")?,
        context: config.count("n_positions")?,
    })
}

fn block(weights: &Weights, name: &str, dims: &Dims, scale: f64) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = *dims;
    let map = |part: &str, sizes: [usize; 2], bias: bool| {
        let weight = weights.read(&format!("{name}.{part}.weight"), sizes)?;
        let bias = bias.then(|| weights.read(&format!("{name}.{part}.bias"), [sizes[1]])).transpose()?;
        Ok(Linear { weight, bias })
    };
    let attention = Attention {
        qkv: map("attn.qkv", [d_model, 3 * heads * d_head], true)?,
        out: map("attn.out", [heads * d_head, d_model], false)?,
        heads,
        key_heads: heads,
        d_head,
        scale,
        norms: None,
        score_cap: None,
    };
    let (input, output) = (map("mlp.in", [d_model, d_mlp], true)?, map("mlp.out", [d_mlp, d_model], false)?);
    Ok(Block {
        wiring: Wiring::Sequential,
        norm1: Norm::IDENTITY,
        attention,
        norm1_post: None,
        norm2: Norm::IDENTITY,
        mlp: Mlp { linear: None, input, output, function: Function::Relu, apart: Vec::new() },
        norm2_post: None,
    })
}
