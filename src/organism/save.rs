//! A trained model as a Hugging Face folder of the GPT-2 family, weights in half precision.

use super::recipe::BOUNDARY;
use crate::model::family::gpt2::stored_name;
use crate::model::{Dims, Model, Visitor, decoder::Decoder};
use crate::tensor::{Tensor, to_floats};
use half::f16;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use tokenizers::Tokenizer;

/// Writes `config.json`, `model.safetensors` and `tokenizer.json`.
pub fn save(decoder: &mut Decoder, tokenizer: &Tokenizer, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let boundary = tokenizer.token_to_id(BOUNDARY);
    let config = serde_json::to_string_pretty(&config(&decoder.dims, boundary)).map_err(io::Error::other)?;
    std::fs::write(folder.join("config.json"), config + "\n")?;
    let text = tokenizer.to_string(false).map_err(io::Error::other)?;
    std::fs::write(folder.join("tokenizer.json"), text)?;
    let mut halves = Halves::default();
    decoder.visit(&mut halves);
    std::fs::write(folder.join("model.safetensors"), halves.bytes()?)
}

fn config(dims: &Dims, boundary: Option<u32>) -> serde_json::Value {
    json!({
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": dims.vocabulary,
        "n_positions": dims.context,
        "n_embd": dims.d_model,
        "n_layer": dims.layers,
        "n_head": dims.heads,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": true,
        "bos_token_id": boundary,
        "eos_token_id": boundary,
        "torch_dtype": "float16",
    })
}

/// Every weight, rounded to half precision.
#[derive(Default)]
struct Halves {
    tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

impl Halves {
    fn add<const D: usize>(&mut self, name: &str, weight: &Tensor<D>) {
        let bytes = to_floats(weight).into_iter().flat_map(|value| f16::from_f32(value).to_le_bytes()).collect();
        self.tensors.insert(stored_name(name), (weight.dims().to_vec(), bytes));
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let views = self.tensors.iter().map(|(name, (shape, bytes))| {
            let view = TensorView::new(Dtype::F16, shape.clone(), bytes).map_err(io::Error::other)?;
            Ok((name.as_str(), view))
        });
        let views: Vec<(&str, TensorView)> = views.collect::<io::Result<_>>()?;
        safetensors::serialize(views, None).map_err(io::Error::other)
    }
}

impl Visitor for Halves {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.add(name, weight);
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.add(name, weight);
    }
}
