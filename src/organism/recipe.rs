//! What a training file says, and the untrained model and tokenizer that follow from it.

use super::corpus::Corpus;
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::norm::{Norm, NormKind};
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};
use crate::tensor::{Device, Tensor, from_floats};
use crate::train::Schedule;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer};

/// The one special token: it begins a sequence and stands between documents.
pub const BOUNDARY: &str = "<|endoftext|>";

/// A training file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the run folder is called.
    pub name: String,
    /// Why this model is trained.
    pub question: String,
    /// Of initial weights and of the order of documents; the corpus has its own.
    pub seed: u64,
    /// The corpus.
    pub corpus: Corpus,
    /// Documents of the corpus.
    pub documents: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// Sizes of the model.
    pub model: Sizes,
    /// How it is trained.
    pub training: Training,
}

impl Recipe {
    /// What would make training fail, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        let Sizes { layers, heads, d_model, context } = self.model;
        let Training { steps, rows, width, .. } = self.training;
        if [layers, heads, d_model, context, steps, rows, self.documents].contains(&0) {
            return Err("model, training and documents must be above 0".into());
        }
        if d_model % heads != 0 {
            return Err(format!("model.d_model is {d_model}, which must be a multiple of model.heads, {heads}"));
        }
        if width < 2 || width > context + 1 {
            return Err(format!("training.width is {width}; 2 to model.context + 1 = {} will do", context + 1));
        }
        match self.vocabulary {
            0..300 => Err(format!("vocabulary is {}; 256 bytes and some words need 300", self.vocabulary)),
            _ => Ok(()),
        }
    }
}

/// Sizes of a model of GPT-2's shape.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Blocks.
    pub layers: usize,
    /// Heads a block.
    pub heads: usize,
    /// Width of the stream; the MLP is four times as wide.
    pub d_model: usize,
    /// The most positions.
    pub context: usize,
}

/// How a model is trained: AdamW, linear warm-up, then a cosine to a tenth of the rate.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Updates.
    pub steps: usize,
    /// Rows a batch.
    pub rows: usize,
    /// Tokens a row.
    pub width: usize,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// Steps of warm-up.
    pub warmup: usize,
    /// Decay of the matrices' weights.
    pub weight_decay: f32,
}

impl Training {
    /// The learning rate of a step.
    pub fn rate(&self, step: usize) -> f64 {
        Schedule { steps: self.steps, warmup: self.warmup, highest: self.learning_rate }.rate(step)
    }
}

impl Sizes {
    fn dims(&self, vocabulary: usize) -> Dims {
        let Sizes { layers, heads, d_model, context } = *self;
        let (d_head, d_mlp) = (d_model / heads, 4 * d_model);
        Dims { layers, heads, key_heads: heads, d_head, d_model, d_mlp, vocabulary, context }
    }

    /// An untrained model, initialised as GPT-2: normal with deviation 0.02, maps to the stream smaller by √(2·layers).
    pub fn untrained(&self, vocabulary: usize, seed: u64, device: &Device) -> Decoder {
        let dims = self.dims(vocabulary);
        let mut random = Random { source: ChaCha8Rng::seed_from_u64(seed), device };
        Decoder {
            embedding: random.matrix([vocabulary, dims.d_model], 0.02),
            embed_scale: None,
            positions: Some(random.matrix([dims.context, dims.d_model], 0.02)),
            rotary: None,
            sights: vec![Sight::Causal; dims.layers],
            blocks: (0..dims.layers).map(|_| random.block(&dims)).collect(),
            final_norm: Some(norm(dims.d_model, device)),
            unembedding: None,
            logit_cap: None,
            dims,
        }
    }
}

struct Random<'a> {
    source: ChaCha8Rng,
    device: &'a Device,
}

impl Random<'_> {
    fn matrix(&mut self, shape: [usize; 2], deviation: f32) -> Tensor<2> {
        let normal = Normal::new(0.0, deviation).expect("a positive deviation");
        let values = (0..shape[0] * shape[1]).map(|_| normal.sample(&mut self.source)).collect();
        from_floats(values, shape, self.device)
    }

    fn linear(&mut self, shape: [usize; 2], deviation: f32) -> Linear {
        let bias = Some(Tensor::zeros([shape[1]], self.device));
        Linear { weight: self.matrix(shape, deviation), bias }
    }

    fn block(&mut self, dims: &Dims) -> Block {
        let Dims { d_model, d_mlp, d_head, heads, .. } = *dims;
        let small = 0.02 / (2.0 * dims.layers as f32).sqrt();
        Block {
            wiring: Wiring::Sequential,
            norm1: norm(d_model, self.device),
            attention: Attention {
                qkv: self.linear([d_model, 3 * d_model], 0.02),
                out: self.linear([d_model, d_model], small),
                heads,
                key_heads: heads,
                d_head,
                scale: (d_head as f64).powf(-0.5),
                norms: None,
                score_cap: None,
            },
            norm1_post: None,
            norm2: norm(d_model, self.device),
            mlp: Mlp {
                linear: None,
                input: self.linear([d_model, d_mlp], 0.02),
                output: self.linear([d_mlp, d_model], small),
                function: Function::GeluTanh,
                apart: Vec::new(),
            },
            norm2_post: None,
        }
    }
}

fn norm(width: usize, device: &Device) -> Norm {
    let (weight, bias) = (Some(Tensor::ones([width], device)), Some(Tensor::zeros([width], device)));
    Norm { kind: NormKind::LayerNorm, weight, bias, eps: 1e-5 }
}

/// A byte-level BPE tokenizer (Sennrich et al. 2016; GPT-2's bytes) trained on these documents.
///
/// It puts [`BOUNDARY`] before a text, as training does, and a space before the first word, so that a word has one
/// token wherever it stands.
pub fn tokenizer(documents: &[String], vocabulary: usize) -> tokenizers::Result<Tokenizer> {
    let bytes = ByteLevel::new(true, true, true);
    let mut tokenizer = Tokenizer::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(bytes)).with_decoder(Some(bytes));
    let boundary = AddedToken::from(BOUNDARY, true);
    let trainer = BpeTrainerBuilder::new().vocab_size(vocabulary).show_progress(false).special_tokens(vec![boundary]);
    let trainer = trainer.initial_alphabet(ByteLevel::alphabet().into_iter().collect()).build();
    let mut trainer = TrainerWrapper::from(trainer);
    tokenizer.train(&mut trainer, documents.iter())?;
    let id = tokenizer.token_to_id(BOUNDARY).expect("a special token of the training");
    let template = TemplateProcessing::builder()
        .try_single(format!("{BOUNDARY} $A"))?
        .special_tokens(vec![(BOUNDARY, id)])
        .build()?;
    tokenizer.with_post_processor(Some(template));
    Ok(tokenizer)
}
