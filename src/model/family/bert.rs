//! BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019), CamemBERT (Martin et al. 2020), DistilBERT (Sanh et al. 2019).

use super::masked::{Choices, Names, encoder};
use super::{BuildError, Built, Config, ConfigError, Weights, dims};
use crate::model::Dims;
use crate::model::parts::function::Function;
use crate::model::parts::position::Numbering;

/// The epsilon of norms where it is not written; of DistilBERT always.
const EPS: f64 = 1e-12;

const BERT: Names = Names {
    prefix: "bert.",
    block: "encoder.layer",
    attention: ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"],
    mlp: ["intermediate.dense", "output.dense"],
    norms: ["attention.output.LayerNorm", "output.LayerNorm"],
    head: ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"],
    decoder: "cls.predictions.decoder",
    bias: "cls.predictions.bias",
};

/// CamemBERT's, too.
const ROBERTA: Names = Names {
    prefix: "roberta.",
    head: ["lm_head.dense", "lm_head.layer_norm"],
    decoder: "lm_head.decoder",
    bias: "lm_head.bias",
    ..BERT
};

const DISTILBERT: Names = Names {
    prefix: "distilbert.",
    block: "transformer.layer",
    attention: ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"],
    mlp: ["ffn.lin1", "ffn.lin2"],
    norms: ["sa_layer_norm", "output_layer_norm"],
    head: ["vocab_transform", "vocab_layer_norm"],
    decoder: "vocab_projector",
    bias: "vocab_projector.bias",
};

pub fn bert(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    encoder(weights, &BERT, &choices(config)?)
}

pub fn roberta(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    /// The padding token where the field is not written.
    const PADDING: usize = 1;
    let choices = choices(config)?;
    let padding = config.index("pad_token_id")?.or((!config.names("pad_token_id")).then_some(PADDING));
    let padding =
        padding.ok_or_else(|| config.wrong("pad_token_id", "null", "the token that positions start behind"))?;
    let context = choices.positions.checked_sub(padding + 1).filter(|context| *context > 0);
    let context = context.ok_or_else(|| {
        let expected = format!("more than `pad_token_id`, {padding}, and one, which no token reads");
        config.wrong("max_position_embeddings", &choices.positions.to_string(), &expected)
    })?;
    let choices = Choices {
        dims: Dims { context, ..choices.dims },
        head_function: Function::Gelu, // whatever `hidden_act` is
        numbering: Numbering::BehindPadding(padding as u32),
        ..choices
    };
    encoder(weights, &ROBERTA, &choices)
}

pub fn distilbert(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let (d_model, heads) =
        (config.count_of(["dim", "hidden_size"])?, config.count_of(["n_heads", "num_attention_heads"])?);
    let dims = Dims {
        layers: config.count_of(["n_layers", "num_hidden_layers"])?,
        heads,
        key_heads: heads,
        d_head: config.share(("dim", d_model), ("n_heads", heads))?,
        d_model,
        d_mlp: config.count("hidden_dim")?,
        vocabulary: config.count("vocab_size")?,
        context: config.count("max_position_embeddings")?,
    };
    let function = config.function("activation", "gelu")?;
    let choices = Choices {
        positions: dims.context,
        dims,
        function,
        head_function: function,
        eps: EPS,
        tied: config.flag("tie_word_embeddings", true)?,
        numbering: Numbering::FromZero,
        segments: None,
    };
    encoder(weights, &DISTILBERT, &choices)
}

/// What BERT and RoBERTa share.
fn choices(config: &Config) -> Result<Choices, ConfigError> {
    config.refuse("is_decoder", "a causal one is not supported")?;
    config.choice("position_embedding_type", &["absolute"])?;
    let (dims, function) = (dims::even(config)?, config.function("hidden_act", "gelu")?);
    Ok(Choices {
        positions: dims.context,
        dims,
        function,
        head_function: function,
        eps: config.number("layer_norm_eps")?.unwrap_or(EPS),
        tied: config.flag("tie_word_embeddings", true)?,
        numbering: Numbering::FromZero,
        segments: Some(config.maybe_count("type_vocab_size")?.unwrap_or(2)),
    })
}
