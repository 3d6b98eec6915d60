//! GPT-2 (Radford et al. 2019).

use super::{BuildError, Built, Config, WeightError, Weights, layer_norm, own_head, prefix};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

/// What the configuration says beyond the sizes.
struct Choices {
    dims: Dims,
    function: Function,
    eps: f64,
    tied: bool,
    scaled: bool,
    scaled_by_layer: bool,
}

/// From configuration and weights to a model.
pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let dims = choices.dims.clone();
    let at = prefix(weights, ["transformer.", ""], "wte.weight");
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}h.{layer}"), layer, &choices));
    let embedding = format!("{at}wte.weight");
    let head = own_head(weights, "lm_head.weight", &embedding, choices.tied);
    let unembedding = |_| super::unembedding(weights, "lm_head", [dims.d_model, dims.vocabulary]);
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(&embedding, [dims.vocabulary, dims.d_model])?,
        embed_scale: None,
        positions: Some(weights.read(&format!("{at}wpe.weight"), [dims.context, dims.d_model])?),
        rotary: None,
        sights: vec![Sight::Causal; dims.layers],
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: Some(layer_norm(weights, &format!("{at}ln_f"), dims.d_model, choices.eps)?),
        unembedding: head.map(unembedding).transpose()?,
        logit_cap: None,
        dims,
    })))
}

fn choices(config: &Config) -> Result<Choices, BuildError> {
    let (d_model, heads) = (config.count("n_embd")?, config.count("n_head")?);
    let dims = Dims {
        layers: config.count("n_layer")?,
        heads,
        key_heads: heads,
        d_head: config.share(("n_embd", d_model), ("n_head", heads))?,
        d_model,
        d_mlp: config.maybe_count("n_inner")?.unwrap_or(4 * d_model),
        vocabulary: config.count("vocab_size")?,
        context: config.count("n_positions")?,
    };
    Ok(Choices {
        dims,
        function: config.function("activation_function", "gelu_new")?,
        eps: config.number("layer_norm_epsilon")?.unwrap_or(1e-5),
        tied: config.flag("tie_word_embeddings", true)?,
        scaled: config.flag("scale_attn_weights", true)?,
        scaled_by_layer: config.flag("scale_attn_by_inverse_layer_idx", false)?,
    })
}

fn block(weights: &Weights, name: &str, layer: usize, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let scale = if choices.scaled { (d_head as f64).powf(-0.5) } else { 1.0 };
    let attention = Attention {
        qkv: conv(weights, &format!("{name}.attn.c_attn"), [d_model, 3 * d_model])?,
        out: conv(weights, &format!("{name}.attn.c_proj"), [d_model, d_model])?,
        heads,
        key_heads: heads,
        d_head,
        scale: if choices.scaled_by_layer { scale / (layer + 1) as f64 } else { scale },
        norms: None,
        score_cap: None,
    };
    let mlp = Mlp {
        linear: None,
        input: conv(weights, &format!("{name}.mlp.c_fc"), [d_model, d_mlp])?,
        output: conv(weights, &format!("{name}.mlp.c_proj"), [d_mlp, d_model])?,
        function: choices.function,
        apart: Vec::new(),
    };
    Ok(Block {
        wiring: Wiring::Sequential,
        norm1: layer_norm(weights, &format!("{name}.ln_1"), d_model, choices.eps)?,
        attention,
        norm1_post: None,
        norm2: layer_norm(weights, &format!("{name}.ln_2"), d_model, choices.eps)?,
        mlp,
        norm2_post: None,
    })
}

/// A linear map stored `[in, out]`, as GPT-2's `Conv1D` does.
fn conv(weights: &Weights, name: &str, [input, output]: [usize; 2]) -> Result<Linear, WeightError> {
    let weight = weights.read(&format!("{name}.weight"), [input, output])?;
    Ok(Linear { weight, bias: Some(weights.read(&format!("{name}.bias"), [output])?) })
}

/// What the checkpoint calls a weight that [`crate::model::Model::visit`] shows: no transposition lies between.
pub fn stored_name(name: &str) -> String {
    const PARTS: [(&str, &str); 9] = [
        ("pos_embed", "wpe.weight"),
        ("embed", "wte.weight"),
        ("ln_final", "ln_f"),
        ("blocks.", "h."),
        (".ln1", ".ln_1"),
        (".ln2", ".ln_2"),
        (".attn.qkv", ".attn.c_attn"),
        (".attn.out", ".attn.c_proj"),
        (".mlp.in", ".mlp.c_fc"),
    ];
    let renamed = PARTS.iter().fold(name.to_string(), |name, (from, to)| name.replacen(from, to, 1));
    format!("transformer.{}", renamed.replace(".mlp.out", ".mlp.c_proj"))
}
