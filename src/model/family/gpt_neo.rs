//! GPT-Neo (Black et al. 2021): GPT-2 with windows in some layers and scores that are not scaled.

use super::{
    BuildError, Built, Config, ConfigError, WeightError, Weights, layer_norm, linear, own_head, prefix, side_by_side,
};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};
use serde_json::Value;

/// The window that `transformers` takes where the field is not written.
const WINDOW: usize = 256;
/// How often it repeats a global and a local layer where `attention_types` is not written.
const REPEATS: usize = 12;

/// What the configuration says beyond the sizes.
struct Choices {
    dims: Dims,
    function: Function,
    eps: f64,
}

pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let dims = choices.dims.clone();
    let at = prefix(weights, ["transformer.", ""], "wte.weight");
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}h.{layer}"), &choices));
    let embedding = format!("{at}wte.weight");
    let own = own_head(weights, "lm_head.weight", &embedding, config.flag("tie_word_embeddings", true)?);
    let unembedding = |_| super::unembedding(weights, "lm_head", [dims.d_model, dims.vocabulary]);
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(&embedding, [dims.vocabulary, dims.d_model])?,
        embed_scale: None,
        positions: Some(weights.read(&format!("{at}wpe.weight"), [dims.context, dims.d_model])?),
        rotary: None,
        sights: sights(config, dims.layers)?,
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: Some(layer_norm(weights, &format!("{at}ln_f"), dims.d_model, choices.eps)?),
        unembedding: own.map(unembedding).transpose()?,
        logit_cap: None,
        dims,
    })))
}

fn choices(config: &Config) -> Result<Choices, ConfigError> {
    let d_model = config.count("hidden_size")?;
    let heads = config.count_of(["num_heads", "num_attention_heads"])?;
    let dims = Dims {
        layers: config.count_of(["num_layers", "num_hidden_layers"])?,
        heads,
        key_heads: heads,
        d_head: config.share(("hidden_size", d_model), ("num_heads", heads))?,
        d_model,
        d_mlp: config.maybe_count("intermediate_size")?.unwrap_or(4 * d_model),
        vocabulary: config.count("vocab_size")?,
        context: config.count("max_position_embeddings")?,
    };
    Ok(Choices {
        dims,
        function: config.function("activation_function", "gelu_new")?,
        eps: config.number("layer_norm_epsilon")?.unwrap_or(1e-5),
    })
}

/// One kind a layer: `attention_layers`, which wins where both stand as in `transformers`, or `attention_types`, a list of
/// pairs: kinds, and how often they follow one another.
fn sights(config: &Config, layers: usize) -> Result<Vec<Sight>, ConfigError> {
    const FIELD: &str = "attention_types";
    let window = config.maybe_count("window_size")?.unwrap_or(WINDOW);
    let kinds = [Sight::Causal, Sight::Window(window)];
    if let Some(found) = config.choices("attention_layers", layers, &["global", "local"])? {
        return Ok(found.into_iter().map(|kind| kinds[kind]).collect());
    }
    let found = match config.find(FIELD) {
        None => kinds.repeat(REPEATS),
        Some(written) => of_pairs(written, window).ok_or_else(|| {
            let expected = "pairs such as [[\"global\", \"local\"], 6] that make one kind a layer";
            config.wrong(FIELD, &written.to_string(), expected)
        })?,
    };
    if found.len() == layers {
        return Ok(found);
    }
    let expected = format!("one kind for each of the {layers} layers");
    Err(config.wrong(FIELD, &format!("for {} layers", found.len()), &expected))
}

fn of_pairs(written: &Value, window: usize) -> Option<Vec<Sight>> {
    let pairs: Option<Vec<Vec<Sight>>> = written.as_array()?.iter().map(|pair| repeated(pair, window)).collect();
    Some(pairs?.concat())
}

/// The layers of one pair.
fn repeated(pair: &Value, window: usize) -> Option<Vec<Sight>> {
    /// More layers than any model has.
    const MOST: u64 = 10_000;
    let kind = |kind: &Value| match kind.as_str()? {
        "global" => Some(Sight::Causal),
        "local" => Some(Sight::Window(window)),
        _ => None,
    };
    let [kinds, times] = pair.as_array()?.as_slice() else { return None };
    let kinds: Vec<Sight> = kinds.as_array()?.iter().map(kind).collect::<Option<_>>()?;
    Some(kinds.repeat(times.as_u64().filter(|times| *times <= MOST)? as usize))
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let read = |part: &str| linear(weights, &format!("{name}.attn.attention.{part}"), [d_model, d_model], false);
    let attention = Attention {
        qkv: side_by_side(vec![read("q_proj")?, read("k_proj")?, read("v_proj")?]),
        out: linear(weights, &format!("{name}.attn.attention.out_proj"), [d_model, d_model], true)?,
        heads,
        key_heads: heads,
        d_head,
        scale: 1.0,
        norms: None,
        score_cap: None,
    };
    let mlp = Mlp {
        linear: None,
        input: linear(weights, &format!("{name}.mlp.c_fc"), [d_model, d_mlp], true)?,
        output: linear(weights, &format!("{name}.mlp.c_proj"), [d_mlp, d_model], true)?,
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
