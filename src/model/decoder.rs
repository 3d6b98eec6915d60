//! One decoder for every causal family: what differs is chosen when it is built.

use super::parts::position::{Rotary, Sight};
use super::parts::{Seam, attention::Attention, linear::Linear, mlp::Mlp, norm::Norm, norm::NormKind, stream};
use super::{Context, Dims, Model, OnTape, Pass, Read, Start, Visitor, at_positions, embed, pick, unembed};
use crate::hook::Hook;
use crate::site::Site;
use crate::tensor::{Device, Tensor};

pub use crate::node::Wiring;

/// Attention and MLP, each behind its norm.
#[derive(Clone, Debug)]
pub struct Block {
    /// Before attention.
    pub norm1: Norm,
    /// Attention.
    pub attention: Attention,
    /// Before the MLP.
    pub norm2: Norm,
    /// The MLP.
    pub mlp: Mlp,
}

impl Block {
    fn forward(&self, x: Tensor<3>, wiring: Wiring, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let x = seam.stream(Site::ResidPre, x);
        let attn = self.attend(&x, context, seam);
        let mid = match wiring {
            Wiring::Sequential => seam.stream(Site::ResidMid, x + attn),
            Wiring::Parallel => return self.parallel(x, attn, seam),
        };
        let mlp = self.think(&mid, seam);
        seam.stream(Site::ResidPost, mid + mlp)
    }

    fn parallel(&self, x: Tensor<3>, attn: Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        let mlp = self.think(&x, seam);
        seam.stream(Site::ResidPost, x + (attn + mlp))
    }

    fn attend(&self, x: &Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let normed = seam.norm(&self.norm1, x.clone(), Site::Norm1Scale, Site::Norm1Normalized);
        let attn = self.attention.forward(normed, x, Some(&self.norm1), context, seam);
        seam.stream(Site::AttnOut, attn)
    }

    fn think(&self, x: &Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        let x = seam.stream(Site::MlpIn, x.clone());
        let normed = seam.norm(&self.norm2, x, Site::Norm2Scale, Site::Norm2Normalized);
        let mlp = self.mlp.forward(normed, seam);
        seam.stream(Site::MlpOut, mlp)
    }
}

/// A causal language model.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Sizes.
    pub dims: Dims,
    /// Token embeddings, `[vocabulary, d_model]`.
    pub embedding: Tensor<2>,
    /// Learned positions, `[context, d_model]`.
    pub positions: Option<Tensor<2>>,
    /// Rotary positions.
    pub rotary: Option<Rotary>,
    /// What each layer's queries may see.
    pub sights: Vec<Sight>,
    /// The wiring of the blocks.
    pub wiring: Wiring,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The last norm.
    pub final_norm: Norm,
    /// The unembedding; `None` where it is the transposed embedding.
    pub unembedding: Option<Linear>,
}

impl Decoder {
    /// The embeddings, where the pass begins with them.
    fn start(&self, pass: &Pass, hook: &mut dyn Hook) -> Option<Tensor<3>> {
        matches!(pass.start, Start::Tokens).then(|| self.embedded(pass, hook))
    }

    fn embedded(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let x = stream(hook, Site::Embed, embed(&self.embedding, pass.tokens.ids(pass.first)));
        match &self.positions {
            Some(table) => x + stream(hook, Site::PosEmbed, embed(table, pass.tokens.positions(pass.first))),
            None => x,
        }
    }

    fn finish(&self, x: Tensor<3>, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let whole = [Site::FinalScale, Site::FinalNormalized, Site::Logits].into_iter().any(|site| hook.wants(site));
        let norm = |x, hook: &mut dyn Hook| self.final_norm.forward(x, Site::FinalScale, Site::FinalNormalized, hook);
        if !whole {
            let x = norm(at_positions(x, &pass.read, pass.first), hook);
            return unembed(x, &self.unembedding(), &pass.read);
        }
        let logits = self.unembedding().forward(norm(x, hook));
        pick(stream(hook, Site::Logits, logits), &pass.read, pass.first)
    }
}

impl Model for Decoder {
    fn dims(&self) -> &Dims {
        &self.dims
    }

    fn sites(&self) -> Vec<Site> {
        let mut sites = vec![Site::Embed];
        sites.extend(self.positions.is_some().then_some(Site::PosEmbed));
        for layer in 0..self.dims.layers {
            sites.extend(block_sites(
                layer,
                self.rotary.is_some(),
                self.wiring,
                self.blocks[layer].mlp.linear.is_some(),
            ));
        }
        sites.extend([Site::FinalScale, Site::FinalNormalized, Site::Logits]);
        sites
    }

    fn is_causal(&self) -> bool {
        true
    }

    fn is_rotary(&self) -> bool {
        self.rotary.is_some()
    }

    fn wiring(&self) -> Option<Wiring> {
        Some(self.wiring)
    }

    fn device(&self) -> Device {
        self.embedding.device()
    }

    fn pass(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let context = Context::new(pass, &self.sights, self.rotary.as_ref(), &self.device());
        let mut x = self.start(pass, hook);
        for (layer, block) in self.blocks.iter().enumerate().skip(pass.layer()) {
            x = pass.entering(layer, x).map(|x| block.forward(x, self.wiring, &context, &mut Seam::new(hook, layer)));
        }
        let x = pass.entering(self.dims.layers, x).expect("a pass has rows");
        self.finish(x, pass, hook)
    }

    fn read_out(&self, stream: Tensor<3>, read: &Read) -> Tensor<3> {
        unembed(self.final_norm.apply(stream), &self.unembedding(), read)
    }

    fn last_stream(&self) -> Site {
        Site::ResidPost(self.dims.layers - 1)
    }

    fn final_norm(&self) -> &Norm {
        &self.final_norm
    }

    fn unembedding(&self) -> Linear {
        let tied = || Linear { weight: self.embedding.clone().swap_dims(0, 1), bias: None };
        self.unembedding.clone().unwrap_or_else(tied)
    }

    fn attention(&self, layer: usize) -> &Attention {
        &self.blocks[layer].attention
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.matrix("embed", &mut self.embedding);
        if let Some(positions) = &mut self.positions {
            visitor.matrix("pos_embed", positions);
        }
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            block.norm1.visit(&format!("blocks.{layer}.ln1"), visitor);
            block.attention.visit(&format!("blocks.{layer}.attn"), visitor);
            block.norm2.visit(&format!("blocks.{layer}.ln2"), visitor);
            block.mlp.visit(&format!("blocks.{layer}.mlp"), visitor);
        }
        self.final_norm.visit("ln_final", visitor);
        if let Some(unembedding) = &mut self.unembedding {
            unembedding.visit("unembed", visitor);
        }
    }

    fn on_tape(&self) -> Box<dyn Model> {
        let mut taped = self.clone();
        taped.visit(&mut OnTape);
        Box::new(taped)
    }

    fn ungrouped(&self) -> Box<dyn Model> {
        let mut model = self.clone();
        model.dims.key_heads = model.dims.heads;
        model.blocks.iter_mut().for_each(|block| block.attention = block.attention.ungrouped());
        Box::new(model)
    }
}

/// The sites of a decoder block, in the order of the forward pass.
fn block_sites(layer: usize, rotary: bool, wiring: Wiring, gated: bool) -> Vec<Site> {
    use Site::*;
    let mut sites = vec![ResidPre(layer), Norm1Scale(layer), Norm1Normalized(layer)];
    sites.extend([QueryIn(layer), Query(layer), KeyIn(layer), Key(layer), ValueIn(layer), Value(layer)]);
    if rotary {
        sites.extend([RotQuery(layer), RotKey(layer)]);
    }
    sites.extend([Scores(layer), Pattern(layer), Mix(layer), HeadOut(layer), AttnOut(layer)]);
    sites.extend((wiring == Wiring::Sequential).then_some(ResidMid(layer)));
    sites.extend([MlpIn(layer), Norm2Scale(layer), Norm2Normalized(layer), MlpPre(layer)]);
    sites.extend(gated.then_some(MlpPreLinear(layer)));
    sites.extend([MlpPost(layer), MlpOut(layer), ResidPost(layer)]);
    sites
}

/// Whether a norm of the decoder subtracts the mean, so that what writes to the stream may be centred.
pub fn centres(norm: &Norm) -> bool {
    norm.kind == NormKind::LayerNorm
}
