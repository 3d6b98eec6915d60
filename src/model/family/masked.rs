//! The shape of BERT and its kin: norms behind the blocks, learned positions, a head that fills masks.

use super::{BuildError, Built, WeightError, Weights, layer_norm, linear, own_head, prefix, side_by_side};
use crate::model::Dims;
use crate::model::encoder::{Encoder, Head};
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::position::{Numbering, Sight};
use crate::model::parts::{function::Function, mlp::Mlp};
use crate::tensor::Tensor;

/// What a family's checkpoints call their weights.
pub struct Names {
    /// Before everything but the head.
    pub prefix: &'static str,
    /// Before the number of a block.
    pub block: &'static str,
    /// Of queries, keys, values and the output of attention.
    pub attention: [&'static str; 4],
    /// The two maps of an MLP.
    pub mlp: [&'static str; 2],
    /// The norms behind attention and MLP.
    pub norms: [&'static str; 2],
    /// The head's dense layer and norm.
    pub head: [&'static str; 2],
    /// The unembedding with its bias.
    pub decoder: &'static str,
    /// Where else its bias may stand.
    pub bias: &'static str,
}

/// What the configuration says.
pub struct Choices {
    pub dims: Dims,
    /// Of the MLPs.
    pub function: Function,
    /// Of the head.
    pub head_function: Function,
    pub eps: f64,
    pub tied: bool,
    /// Rows of the table of positions.
    pub positions: usize,
    pub numbering: Numbering,
    /// Rows of the table of segments, where there is one.
    pub segments: Option<usize>,
}

/// The model of these choices.
pub fn encoder(weights: &Weights, names: &Names, choices: &Choices) -> Result<Built, BuildError> {
    let (dims, eps) = (choices.dims.clone(), choices.eps);
    let at = prefix(weights, [names.prefix, ""], "embeddings.word_embeddings.weight");
    let table = |name: &str, rows| weights.read(&format!("{at}embeddings.{name}.weight"), [rows, dims.d_model]);
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}{}.{layer}", names.block), names, choices));
    Ok(Built::Encoder(Box::new(Encoder {
        embedding: table("word_embeddings", dims.vocabulary)?,
        positions: table("position_embeddings", choices.positions)?,
        numbering: choices.numbering,
        token_types: choices.segments.map(|rows| table("token_type_embeddings", rows)).transpose()?,
        embed_norm: layer_norm(weights, &format!("{at}embeddings.LayerNorm"), dims.d_model, eps)?,
        blocks: blocks.collect::<Result<_, _>>()?,
        sights: vec![Sight::Both; dims.layers],
        head: head(weights, &format!("{at}embeddings.word_embeddings.weight"), names, choices)?,
        dims,
    })))
}

fn head(weights: &Weights, embedding: &str, names: &Names, choices: &Choices) -> Result<Head, WeightError> {
    let Dims { d_model, vocabulary, .. } = choices.dims;
    let [dense, norm] = names.head;
    let decoder = format!("{}.weight", names.decoder);
    let own = own_head(weights, &decoder, embedding, choices.tied);
    let unembedding = |decoder| -> Result<Tensor<2>, WeightError> {
        Ok(weights.read::<2>(decoder, [vocabulary, d_model])?.swap_dims(0, 1))
    };
    // an untied decoder has a bias of its own, and transformers uses that one where both are stored
    let own_bias = format!("{}.bias", names.decoder);
    let bias = if weights.has(&own_bias) { &own_bias } else { names.bias };
    Ok(Head {
        dense: linear(weights, dense, [d_model, d_model], true)?,
        function: choices.head_function,
        norm: layer_norm(weights, norm, d_model, choices.eps)?,
        unembedding: own.map(unembedding).transpose()?,
        bias: weights.read(bias, [vocabulary])?,
    })
}

fn block(weights: &Weights, at: &str, names: &Names, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let map = |part: &str, shape| linear(weights, &format!("{at}.{part}"), shape, true);
    let [query, key, value, out] = names.attention.map(|part| map(part, [d_model, d_model]));
    let attention = Attention {
        qkv: side_by_side(vec![query?, key?, value?]),
        out: out?,
        heads,
        key_heads: heads,
        d_head,
        scale: (d_head as f64).powf(-0.5),
        norms: None,
        score_cap: None,
    };
    let [input, output] = names.mlp;
    let (input, output) = (map(input, [d_model, d_mlp])?, map(output, [d_mlp, d_model])?);
    let [norm1, norm2] = names.norms.map(|part| layer_norm(weights, &format!("{at}.{part}"), d_model, choices.eps));
    Ok(Block {
        wiring: Wiring::Behind,
        norm1: norm1?,
        attention,
        norm1_post: None,
        norm2: norm2?,
        mlp: Mlp { linear: None, input, output, function: choices.function, apart: Vec::new() },
        norm2_post: None,
    })
}
