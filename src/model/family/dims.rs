//! Sizes, where a configuration uses the usual names.

use super::{Config, ConfigError};
use crate::model::Dims;

/// `hidden_size`, `num_attention_heads` and so on; keys have as many heads, and heads an even share of the width, unless the
/// configuration says otherwise.
pub fn usual(config: &Config) -> Result<Dims, ConfigError> {
    sized(config, None)
}

/// The same, where heads share the width evenly and each has keys of its own, whatever else the configuration says.
pub fn even(config: &Config) -> Result<Dims, ConfigError> {
    let dims = usual(config)?;
    let d_head = config.share(("hidden_size", dims.d_model), ("num_attention_heads", dims.heads))?;
    Ok(Dims { d_head, key_heads: dims.heads, ..dims })
}

/// The same, where heads are so wide unless the configuration says otherwise.
pub fn with_heads_of(config: &Config, width: usize) -> Result<Dims, ConfigError> {
    sized(config, Some(width))
}

fn sized(config: &Config, width: Option<usize>) -> Result<Dims, ConfigError> {
    let (d_model, heads) = (config.count("hidden_size")?, config.count("num_attention_heads")?);
    let key_heads = config.maybe_count("num_key_value_heads")?.unwrap_or(heads);
    config.share(("num_attention_heads", heads), ("num_key_value_heads", key_heads))?;
    let d_head = match config.maybe_count("head_dim")?.or(width) {
        Some(width) => width,
        None => config.share(("hidden_size", d_model), ("num_attention_heads", heads))?,
    };
    Ok(Dims {
        layers: config.count("num_hidden_layers")?,
        heads,
        key_heads,
        d_head,
        d_model,
        d_mlp: config.count("intermediate_size")?,
        vocabulary: config.count("vocab_size")?,
        context: config.count("max_position_embeddings")?,
    })
}
