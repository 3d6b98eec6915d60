//! One decoder for every family with norms before its parts, or none: what differs is chosen when it is built.

use super::parts::block::{Block, Wiring};
use super::parts::position::{Rotary, Sight};
use super::parts::{Seam, function::soft_cap, linear::Linear, norm::Norm, stream};
use super::{Context, Dims, Model, OnTape, Pass, Read, Start, Visitor, at_positions, embed, pick, unembed};
use crate::hook::Hook;
use crate::node::Flow;
use crate::site::Site;
use crate::tensor::{Device, Tensor};

/// A language model that reads its answer straight from the stream; causal unless its queries see both ways.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Sizes.
    pub dims: Dims,
    /// Token embeddings, `[vocabulary, d_model]`.
    pub embedding: Tensor<2>,
    /// What embeddings are multiplied with on their way into the stream (Gemma).
    pub embed_scale: Option<f64>,
    /// Learned positions, `[context, d_model]`.
    pub positions: Option<Tensor<2>>,
    /// Rotary positions.
    pub rotary: Option<Rotary>,
    /// What each layer's queries may see.
    pub sights: Vec<Sight>,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The last norm, where there is one.
    pub final_norm: Option<Norm>,
    /// The unembedding; `None` where it is the transposed embedding.
    pub unembedding: Option<Linear>,
    /// The bound that logits are bent to (Gemma 2).
    pub logit_cap: Option<f64>,
}

impl Decoder {
    /// The embeddings, where the pass begins with them.
    fn start(&self, pass: &Pass, hook: &mut dyn Hook) -> Option<Tensor<3>> {
        matches!(pass.start, Start::Tokens).then(|| self.embedded(pass, hook))
    }

    fn embedded(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let x = embed(&self.embedding, pass.tokens.ids(pass.first));
        let x = stream(hook, Site::Embed, self.embed_scale.map_or(x.clone(), |scale| x * scale));
        match &self.positions {
            Some(table) => x + stream(hook, Site::PosEmbed, embed(table, pass.tokens.positions(pass.first))),
            None => x,
        }
    }

    fn finish(&self, x: Tensor<3>, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let whole = [Site::FinalScale, Site::FinalNormalized, Site::Logits].into_iter().any(|site| hook.wants(site));
        let norm = |x, hook: &mut dyn Hook| match &self.final_norm {
            Some(norm) => norm.forward(x, Site::FinalScale, Site::FinalNormalized, hook),
            None => x,
        };
        if !whole {
            let x = norm(at_positions(x, &pass.read, pass.first), hook);
            return soft_cap(unembed(x, &self.unembedding(), &pass.read), self.logit_cap);
        }
        let logits = soft_cap(self.unembedding().forward(norm(x, hook)), self.logit_cap);
        pick(stream(hook, Site::Logits, logits), &pass.read, pass.first)
    }

    /// Whether every block has its norms behind the stream.
    pub fn is_normed_behind(&self) -> bool {
        self.blocks.iter().any(|block| block.wiring == Wiring::Behind)
    }
}

impl Model for Decoder {
    fn dims(&self) -> &Dims {
        &self.dims
    }

    fn sites(&self) -> Vec<Site> {
        let mut sites = vec![Site::Embed];
        sites.extend(self.positions.is_some().then_some(Site::PosEmbed));
        let blocks = self.blocks.iter().enumerate();
        sites.extend(blocks.flat_map(|(layer, block)| block.sites(layer, self.rotary.is_some())));
        sites.extend(
            self.final_norm.is_some().then_some([Site::FinalScale, Site::FinalNormalized]).into_iter().flatten(),
        );
        sites.push(Site::Logits);
        sites
    }

    fn is_causal(&self) -> bool {
        !self.sights.contains(&Sight::Both)
    }

    fn sight(&self, layer: usize) -> Sight {
        self.sights[layer]
    }

    fn is_rotary(&self) -> bool {
        self.rotary.is_some()
    }

    fn flow(&self) -> Option<Flow> {
        let normed = |block: &Block| block.norm1_post.is_some() || block.wiring == Wiring::Behind;
        let parallel = self.blocks.iter().any(|block| block.wiring == Wiring::Parallel);
        let flow = if parallel { Flow::Parallel } else { Flow::Sequential };
        (!self.blocks.iter().any(normed)).then_some(flow)
    }

    fn device(&self) -> Device {
        self.embedding.device()
    }

    fn context<'a>(&'a self, pass: &Pass<'a>) -> Context<'a> {
        Context::new(pass, &self.sights, self.rotary.as_ref(), &self.setting())
    }

    fn pass(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let context = self.context(pass);
        let mut x = self.start(pass, hook);
        for (layer, block) in self.blocks.iter().enumerate().skip(pass.layer()) {
            x = pass.entering(layer, x).map(|x| block.forward(x, &context, &mut Seam::new(hook, layer)));
        }
        let x = pass.entering(self.dims.layers, x).expect("a pass has rows");
        self.finish(x, pass, hook)
    }

    fn read_out(&self, stream: Tensor<3>, read: &Read) -> Tensor<3> {
        let x = match &self.final_norm {
            Some(norm) => norm.apply(stream),
            None => stream,
        };
        soft_cap(unembed(x, &self.unembedding(), read), self.logit_cap)
    }

    fn last_stream(&self) -> Site {
        let last = self.dims.layers - 1;
        if self.is_normed_behind() { Site::NormalizedResidPost(last) } else { Site::ResidPost(last) }
    }

    fn final_norm(&self) -> Option<&Norm> {
        self.final_norm.as_ref()
    }

    fn unembedding(&self) -> Linear {
        let tied = || Linear { weight: self.embedding.clone().swap_dims(0, 1), bias: None };
        self.unembedding.clone().unwrap_or_else(tied)
    }

    fn block(&self, layer: usize) -> &Block {
        &self.blocks[layer]
    }

    fn keys_serve(&self, kept: usize, length: usize) -> bool {
        self.rotary.as_ref().is_none_or(|rotary| rotary.is_long(kept) == rotary.is_long(length))
    }

    fn indivisible(&self) -> Option<&'static str> {
        if self.is_normed_behind() {
            return Some("the norms behind its blocks rescale what earlier parts have written");
        }
        self.logit_cap.map(|_| "its logits are bent to a bound (`final_logit_softcapping`)")
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.matrix("embed", &mut self.embedding);
        if let Some(positions) = &mut self.positions {
            visitor.matrix("pos_embed", positions);
        }
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            block.visit(&format!("blocks.{layer}"), visitor);
        }
        if let Some(norm) = &mut self.final_norm {
            norm.visit("ln_final", visitor);
        }
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

    fn parted(&self, neurons: &[(usize, usize)]) -> Box<dyn Model> {
        let mut model = self.clone();
        for (layer, block) in model.blocks.iter_mut().enumerate() {
            block.mlp.set_apart(neurons.iter().filter(|(of, _)| *of == layer).map(|(_, neuron)| *neuron));
        }
        Box::new(model)
    }

    fn keep_layers(&mut self, layers: &[usize]) {
        self.blocks = layers.iter().map(|layer| self.blocks[*layer].clone()).collect();
        self.sights = layers.iter().map(|layer| self.sights[*layer]).collect();
        self.dims.layers = layers.len();
    }
}
