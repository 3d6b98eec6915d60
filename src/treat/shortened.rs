//! A checkpoint with some of its blocks alone, numbered anew: what a student is written into.

use crate::model::Model;
use crate::model::parts::position::Sight;
use crate::model::weights::Weights;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};

/// What families call how many blocks there are.
const COUNTS: [&str; 4] = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"];

/// What they call a list with something of each block.
const LISTS: [&str; 2] = ["layer_types", "attention_layers"];

/// What stands before the number of a block in the names of tensors.
const BEFORE: [&str; 4] = ["h", "layer", "layers", "blocks"];

/// Why a checkpoint cannot be shortened.
#[derive(Debug, thiserror::Error)]
pub enum ShortenError {
    /// The configuration.
    #[error("config.json: {0}")]
    Config(String),
    /// The library refuses.
    #[error("the weights cannot be written: {0}")]
    Format(#[from] safetensors::SafeTensorError),
}

/// Configuration and weights of a checkpoint with these `layers` of it alone, where `model` is as all of it was built.
pub fn shortened(
    config: &str,
    weights: &Weights,
    model: &dyn Model,
    layers: &[usize],
) -> Result<(String, Vec<u8>), ShortenError> {
    let config = configured(config, model, layers)?;
    let mut views = Vec::new();
    for (name, dtype, shape, bytes) in weights.tensors() {
        if let Some(name) = renamed(name, layers) {
            views.push((name, TensorView::new(dtype, shape.to_vec(), bytes)?));
        }
    }
    Ok((config, safetensors::serialize(views, None)?))
}

/// What a tensor is called among so many blocks; none where its block is gone.
fn renamed(name: &str, layers: &[usize]) -> Option<String> {
    let mut parts: Vec<String> = name.split('.').map(String::from).collect();
    let numbered = |at: &usize| BEFORE.contains(&parts[at - 1].as_str()) && parts[*at].parse::<usize>().is_ok();
    let Some(place) = (1..parts.len()).find(numbered) else { return Some(name.to_string()) };
    let layer = layers.iter().position(|layer| parts[place] == layer.to_string())?;
    parts[place] = layer.to_string();
    Some(parts.join("."))
}

/// The configuration: counts and lists of blocks, and what each of them sees where that hung on its number.
fn configured(config: &str, model: &dyn Model, layers: &[usize]) -> Result<String, ShortenError> {
    let wrong = |why: String| ShortenError::Config(why);
    let mut fields: Map<String, Value> = serde_json::from_str(config).map_err(|error| wrong(error.to_string()))?;
    let counts: Vec<&str> = COUNTS.into_iter().filter(|name| fields.contains_key(*name)).collect();
    if counts.is_empty() {
        return Err(wrong(format!("it names no number of layers; {} are known", COUNTS.join(", "))));
    }
    for name in counts {
        fields.insert(name.into(), layers.len().into());
    }
    for name in LISTS {
        if let Some(Value::Array(all)) = fields.get(name) {
            let kept: Vec<Value> = layers.iter().filter_map(|layer| all.get(*layer).cloned()).collect();
            fields.insert(name.into(), kept.into());
        }
    }
    let sights: Vec<Sight> = (0..model.dims().layers).map(|layer| model.sight(layer)).collect();
    let of = |names: [&'static str; 2]| layers.iter().map(move |layer| (*layer, names));
    let word = |(layer, [all, window]): (usize, [&'static str; 2])| {
        if matches!(sights[layer], Sight::Window(_)) { window } else { all }
    };
    if fields.get("model_type").is_some_and(|family| family == "gpt_neo") {
        let pairs: Vec<Value> = of(["global", "local"]).map(|one| json!([[word(one)], 1])).collect();
        fields.insert("attention_types".into(), pairs.into());
    } else if sights.iter().any(|sight| *sight != sights[0]) {
        let words: Vec<&str> = of(["full_attention", "sliding_attention"]).map(word).collect();
        fields.insert("layer_types".into(), words.into());
    }
    Ok(serde_json::to_string_pretty(&fields).map_err(|error| wrong(error.to_string()))? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbered_anew_and_nothing_else_is() {
        let of = |name| renamed(name, &[1, 11]);
        assert_eq!(of("transformer.h.11.attn.c_attn.weight").as_deref(), Some("transformer.h.1.attn.c_attn.weight"));
        assert_eq!(of("h.1.ln_1.bias").as_deref(), Some("h.0.ln_1.bias"));
        assert_eq!(of("bert.encoder.layer.2.output.dense.weight"), None);
        assert_eq!(of("classifier.2.weight").as_deref(), Some("classifier.2.weight"));
        assert_eq!(of("model.layers.1.mlp.experts.0.weight").as_deref(), Some("model.layers.0.mlp.experts.0.weight"));
    }
}
