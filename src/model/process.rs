//! Weight processing that leaves log-probabilities alone: folding and centring, as TransformerLens does it.

use super::decoder::Decoder;
use super::family::Built;
use super::parts::block::Block;
use super::parts::linear::Linear;
use super::parts::norm::Norm;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// A step of weight processing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Processing {
    /// Weights and biases of the norms go into the maps that read from them.
    FoldNorms,
    /// What is written to the stream has mean zero over `d_model` (LayerNorm models only).
    CentreWriting,
    /// The unembedding has mean zero over the vocabulary.
    CentreUnembedding,
    /// The biases of the values go into the output bias of attention.
    FoldValueBiases,
}

/// A step that would change log-probabilities.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProcessError {
    /// Norms stand behind what they normalise.
    #[error("{0:?} is not exact for a model with norms behind its blocks; leave it out of `process`")]
    Behind(Processing),
    /// An RMSNorm does not subtract the mean.
    #[error("CentreWriting is not exact for a model with RMSNorm, which does not subtract the mean; leave it out")]
    Rms,
    /// The unembedding reads the stream as it is.
    #[error("CentreWriting is not exact for a model without a last norm, which would subtract the mean; leave it out")]
    NoLastNorm,
    /// Bent logits show a change of them all.
    #[error(
        "CentreUnembedding is not exact for a model whose logits are bent to a bound (`final_logit_softcapping`); leave it out"
    )]
    LogitCap,
}

/// The steps applied to a model that was just built; an encoder takes none.
pub fn apply(built: &mut Built, steps: &[Processing]) -> Result<(), ProcessError> {
    match (built, steps.first()) {
        (Built::Decoder(decoder), _) => process(decoder, steps),
        (Built::Encoder(_), None) => Ok(()),
        (Built::Encoder(_), Some(step)) => Err(ProcessError::Behind(*step)),
    }
}

/// The steps applied in the order that keeps each exact.
pub fn process(decoder: &mut Decoder, steps: &[Processing]) -> Result<(), ProcessError> {
    steps.iter().try_for_each(|step| check(decoder, *step))?;
    let asked = |step| steps.contains(&step);
    if asked(Processing::FoldNorms) {
        fold_norms(decoder);
    }
    if asked(Processing::CentreWriting) {
        centre_writing(decoder);
    }
    if asked(Processing::CentreUnembedding) {
        centre_unembedding(decoder);
    }
    if asked(Processing::FoldValueBiases) {
        decoder.blocks.iter_mut().for_each(fold_value_biases);
    }
    Ok(())
}

/// Whether a step leaves log-probabilities alone.
fn check(decoder: &Decoder, step: Processing) -> Result<(), ProcessError> {
    match (step, &decoder.final_norm) {
        (Processing::FoldNorms | Processing::CentreWriting, _) if decoder.is_normed_behind() => {
            Err(ProcessError::Behind(step))
        }
        (Processing::CentreWriting, None) => Err(ProcessError::NoLastNorm),
        (Processing::CentreWriting, Some(norm)) if !norm.centres() => Err(ProcessError::Rms),
        (Processing::CentreUnembedding, _) if decoder.logit_cap.is_some() => Err(ProcessError::LogitCap),
        _ => Ok(()),
    }
}

/// Norms behind what attention and MLP write stay: nothing linear reads from them.
fn fold_norms(decoder: &mut Decoder) {
    for Block { norm1, attention, norm2, mlp, .. } in &mut decoder.blocks {
        fold(norm1, vec![&mut attention.qkv]);
        fold(norm2, std::iter::once(&mut mlp.input).chain(mlp.linear.as_mut()).collect());
    }
    let mut unembedding = own_unembedding(decoder);
    if let Some(norm) = &mut decoder.final_norm {
        fold(norm, vec![&mut unembedding]);
        decoder.unembedding = Some(unembedding);
    }
}

/// `W' = diag(w) W`, `b' = b + b_ln W`, then each column of `W'` less its mean where the norm subtracts the mean.
fn fold(norm: &mut Norm, readers: Vec<&mut Linear>) {
    for reader in readers {
        if let Some(bias) = &norm.bias {
            let extra = bias.clone().unsqueeze::<2>().matmul(reader.weight.clone()).squeeze_dim::<1>(0);
            reader.bias = Some(reader.bias.clone().map_or(extra.clone(), |own| own + extra));
        }
        if let Some(weight) = &norm.weight {
            reader.weight = reader.weight.clone() * weight.clone().unsqueeze_dim(1);
        }
        if norm.centres() {
            reader.weight = reader.weight.clone() - reader.weight.clone().mean_dim(0);
        }
    }
    (norm.weight, norm.bias) = (None, None);
}

fn centre_writing(decoder: &mut Decoder) {
    // a tied unembedding reads with the matrix as it was
    decoder.unembedding = Some(own_unembedding(decoder));
    decoder.embedding = centred(decoder.embedding.clone());
    decoder.positions = decoder.positions.clone().map(centred);
    for block in &mut decoder.blocks {
        for writer in [&mut block.attention.out, &mut block.mlp.output] {
            writer.weight = centred(writer.weight.clone());
            writer.bias = writer.bias.clone().map(|bias| bias.clone() - bias.mean());
        }
    }
}

/// Every row less its mean.
fn centred(weight: Tensor<2>) -> Tensor<2> {
    weight.clone() - weight.mean_dim(1)
}

fn centre_unembedding(decoder: &mut Decoder) {
    let mut unembedding = own_unembedding(decoder);
    unembedding.weight = centred(unembedding.weight);
    unembedding.bias = unembedding.bias.map(|bias| bias.clone() - bias.mean());
    decoder.unembedding = Some(unembedding);
}

/// `b_O' = b_O + Σ_h b_V[h] W_O[h]`: a pattern sums to one, so a value's bias arrives whole.
fn fold_value_biases(block: &mut Block) {
    let attention = &mut block.attention;
    let Some(bias) = attention.qkv.bias.clone() else { return };
    let (queries, keys) = (attention.heads * attention.d_head, attention.key_heads * attention.d_head);
    let values = bias.clone().narrow(0, queries + keys, keys);
    let by_head = values.clone().reshape([attention.key_heads, 1, attention.d_head]);
    let by_head = by_head.expand([attention.key_heads, attention.heads / attention.key_heads, attention.d_head]);
    let extra = by_head.reshape([1, queries]).matmul(attention.out.weight.clone()).squeeze_dim::<1>(0);
    attention.out.bias = Some(attention.out.bias.clone().map_or(extra.clone(), |own| own + extra));
    attention.qkv.bias = Some(Tensor::cat(vec![bias.narrow(0, 0, queries + keys), values.zeros_like()], 0));
}

fn own_unembedding(decoder: &Decoder) -> Linear {
    use super::Model;
    decoder.unembedding()
}
