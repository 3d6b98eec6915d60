//! A compiled program as the files of a model: configuration, tokenizer, weights.

use super::layout::{BOUNDARY, Layout};
use super::parts::{Head, Parts};
use super::variable::Variable;
use super::{Compiled, MARGIN, SHARPNESS};
use crate::circuit::Circuit;
use crate::model::parts::position::Sight;
use crate::program::{self, Encoding, Setting, Task, Value};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;
use std::collections::BTreeMap;

/// A matrix of zeros that weights are put into.
struct Matrix {
    shape: [usize; 2],
    values: Vec<f32>,
}

impl Matrix {
    fn new(shape: [usize; 2]) -> Self {
        Matrix { shape, values: vec![0.0; shape[0] * shape[1]] }
    }

    /// Adds to a place: neurons and heads may meet there.
    fn add(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.shape[1] + column] += value as f32;
    }
}

/// Sizes that a program's parts need.
struct Sizes {
    width: usize,
    layers: usize,
    heads: usize,
    d_head: usize,
    d_mlp: usize,
}

/// Everything that a folder with the model holds.
pub fn files(task: &Task, setting: &Setting, found: (&[Variable], &Layout, &Parts), truth: Circuit) -> Compiled {
    let (variables, layout, parts) = found;
    let tokens = tokens(setting, &variables[layout.answer]);
    let neurons = |layer: usize| parts.neurons.iter().filter(|neuron| neuron.layer == layer).count();
    let sizes = Sizes {
        width: layout.width,
        layers: layout.blocks.layers,
        heads: layout.blocks.heads,
        d_head: parts.heads.iter().map(|head| head.channels).max().unwrap_or(1),
        d_mlp: (0..layout.blocks.layers).map(neurons).max().unwrap_or(0).max(1),
    };
    let mut tensors = BTreeMap::new();
    embeddings(&mut tensors, setting, layout, variables, tokens.len());
    answers(&mut tensors, setting, layout, &variables[layout.answer], &tokens);
    for layer in 0..sizes.layers {
        attention(&mut tensors, layer, parts, &sizes);
        mlp(&mut tensors, layer, parts, &sizes);
    }
    let config = json!({
        "model_type": "compiled",
        "program": task,
        "vocab_size": tokens.len(),
        "n_positions": setting.length + 1,
        "n_embd": sizes.width,
        "n_layer": sizes.layers,
        "n_head": sizes.heads,
        "head_dim": sizes.d_head,
        "n_inner": sizes.d_mlp,
        "score_scale": SHARPNESS,
        "is_causal": setting.program.sight == Sight::Causal,
    });
    let config = serde_json::to_string_pretty(&config).expect("names and numbers are JSON") + "\n";
    Compiled { config, tokenizer: tokenizer(&tokens), weights: bytes(&tensors), truth }
}

/// What the tokens are called: the boundary, the symbols, and answers that are none of these.
fn tokens(setting: &Setting, answer: &Variable) -> Vec<String> {
    let mut tokens = vec![program::BOUNDARY.to_string()];
    tokens.extend(setting.names());
    for name in answer.values.iter().map(|value| setting.answer(*value)) {
        if !tokens.contains(&name) {
            tokens.push(name);
        }
    }
    tokens
}

type Tensors = BTreeMap<String, Matrix>;

fn embeddings(tensors: &mut Tensors, setting: &Setting, layout: &Layout, variables: &[Variable], tokens: usize) {
    use super::variable::Step;
    let [mut embed, mut positions] = [tokens, setting.length + 1].map(|rows| Matrix::new([rows, layout.width]));
    embed.add(0, BOUNDARY, 1.0);
    for (id, variable) in variables.iter().enumerate() {
        let table = match variable.step {
            Step::Tokens => &mut embed,
            Step::Indices => &mut positions,
            _ => continue,
        };
        // the boundary token stands before the symbols, and before every text
        layout.directions(id).enumerate().for_each(|(place, direction)| table.add(place + 1, direction, 1.0));
    }
    tensors.extend([("embed.weight".to_string(), embed), ("pos_embed.weight".to_string(), positions)]);
}

/// Categories have a token each. Of a number f the token of the value c gets 2fc − c², which is largest where c is nearest and
/// there never below 0, the logit of tokens that are no answers.
fn answers(tensors: &mut Tensors, setting: &Setting, layout: &Layout, answer: &Variable, tokens: &[String]) {
    let mut weight = Matrix::new([tokens.len(), layout.width]);
    let mut bias = Matrix::new([1, tokens.len()]);
    let token = |value: Value| tokens.iter().position(|name| *name == setting.answer(value)).expect("named above");
    let directions = layout.directions(layout.answer);
    let nearest = answer.values.windows(2).map(|pair| (pair[1] - pair[0]).number()).fold(f64::INFINITY, f64::min);
    let times = if nearest.is_finite() { MARGIN / (nearest * nearest) } else { MARGIN };
    for (place, value) in answer.values.iter().enumerate() {
        match answer.encoding {
            Encoding::Categorical => weight.add(token(*value), directions.start + place, MARGIN),
            Encoding::Numerical => {
                weight.add(token(*value), directions.start, 2.0 * times * value.number());
                bias.add(0, token(*value), MARGIN - times * value.number() * value.number());
            }
        }
    }
    tensors.extend([("unembed.weight".to_string(), weight), ("unembed.bias".to_string(), bias)]);
}

fn attention(tensors: &mut Tensors, layer: usize, parts: &Parts, sizes: &Sizes) {
    let all = sizes.heads * sizes.d_head;
    let mut qkv = Matrix::new([sizes.width, 3 * all]);
    let mut bias = Matrix::new([1, 3 * all]);
    let mut out = Matrix::new([all, sizes.width]);
    for Head { at: (_, head), reads, query_bias, writes, .. } in parts.heads.iter().filter(|head| head.at.0 == layer) {
        let own = head * sizes.d_head;
        for (port, reads) in reads.iter().enumerate() {
            reads.iter().for_each(|(from, channel, weight)| qkv.add(*from, port * all + own + channel, *weight));
        }
        query_bias.iter().for_each(|(channel, number)| bias.add(0, own + channel, *number));
        writes.iter().for_each(|(channel, to, weight)| out.add(own + channel, *to, *weight));
    }
    let name = |part: &str| format!("blocks.{layer}.attn.{part}");
    tensors.extend([(name("qkv.weight"), qkv), (name("qkv.bias"), bias), (name("out.weight"), out)]);
}

fn mlp(tensors: &mut Tensors, layer: usize, parts: &Parts, sizes: &Sizes) {
    let mut input = Matrix::new([sizes.width, sizes.d_mlp]);
    let mut bias = Matrix::new([1, sizes.d_mlp]);
    let mut output = Matrix::new([sizes.d_mlp, sizes.width]);
    for (place, neuron) in parts.neurons.iter().filter(|neuron| neuron.layer == layer).enumerate() {
        neuron.reads.iter().for_each(|(from, weight)| input.add(*from, place, *weight));
        bias.add(0, place, neuron.bias);
        neuron.writes.iter().for_each(|(to, weight)| output.add(place, *to, *weight));
    }
    let name = |part: &str| format!("blocks.{layer}.mlp.{part}");
    tensors.extend([(name("in.weight"), input), (name("in.bias"), bias), (name("out.weight"), output)]);
}

/// A token for every word, and the boundary before every text.
fn tokenizer(tokens: &[String]) -> String {
    let ids: serde_json::Map<String, serde_json::Value> =
        tokens.iter().enumerate().map(|(id, token)| (token.clone(), id.into())).collect();
    let boundary = &tokens[0];
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [{
            "id": 0, "content": boundary, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }],
        "normalizer": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                { "SpecialToken": { "id": boundary, "type_id": 0 } },
                { "Sequence": { "id": "A", "type_id": 0 } },
            ],
            "pair": [
                { "Sequence": { "id": "A", "type_id": 0 } },
                { "Sequence": { "id": "B", "type_id": 1 } },
            ],
            "special_tokens": { boundary: { "id": boundary, "ids": [0], "tokens": [boundary] } },
        },
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": ids, "unk_token": "<unk>" },
    });
    serde_json::to_string_pretty(&tokenizer).expect("names and numbers are JSON") + "\n"
}

/// The tensors as safetensors; biases are vectors.
fn bytes(tensors: &Tensors) -> Vec<u8> {
    let stored = |(name, matrix): (&String, &Matrix)| {
        let shape = if name.ends_with(".bias") { vec![matrix.shape[1]] } else { matrix.shape.to_vec() };
        let bytes: Vec<u8> = matrix.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (name.clone(), shape, bytes)
    };
    let stored: Vec<_> = tensors.iter().map(stored).collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many bytes as the shape says"))
    });
    safetensors::serialize(views, None).expect("names and shapes are well formed")
}
