//! One encoder for every BERT-like family: norms after the blocks, and a head that fills masks.

use super::parts::position::Sight;
use super::parts::{Seam, attention::Attention, function::Function, linear::Linear, mlp::Mlp, norm::Norm, stream};
use super::{Context, Dims, Model, OnTape, Pass, Read, Start, Visitor, at_positions, embed, pick, unembed};
use crate::hook::Hook;
use crate::node::Wiring;
use crate::site::Site;
use crate::tensor::{Device, Tensor};

/// Attention and MLP, each with its norm behind it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Attention.
    pub attention: Attention,
    /// After attention.
    pub norm1: Norm,
    /// The MLP.
    pub mlp: Mlp,
    /// After the MLP.
    pub norm2: Norm,
}

impl Block {
    fn forward(&self, x: Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let x = seam.stream(Site::ResidPre, x);
        let attn = self.attention.forward(x.clone(), &x, None, context, seam);
        let x = x + seam.stream(Site::AttnOut, attn);
        let x = seam.stream(Site::ResidMid, x);
        let x = seam.stream(Site::MlpIn, x);
        let x = seam.norm(&self.norm1, x, Site::Norm1Scale, Site::Norm1Normalized);
        let mlp = self.mlp.forward(x.clone(), seam);
        let x = x + seam.stream(Site::MlpOut, mlp);
        let x = seam.stream(Site::ResidPost, x);
        let x = seam.norm(&self.norm2, x, Site::Norm2Scale, Site::Norm2Normalized);
        seam.stream(Site::NormalizedResidPost, x)
    }
}

/// The masked-language-model head: a dense layer, its non-linearity and norm, then the unembedding.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[d_model, d_model]`.
    pub dense: Linear,
    /// Its non-linearity.
    pub function: Function,
    /// `ln_final`.
    pub norm: Norm,
    /// `[d_model, vocabulary]` where it is not the transposed embedding.
    pub unembedding: Option<Tensor<2>>,
    /// `[vocabulary]`.
    pub bias: Tensor<1>,
}

/// A masked language model.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Sizes.
    pub dims: Dims,
    /// Token embeddings, `[vocabulary, d_model]`.
    pub embedding: Tensor<2>,
    /// Learned positions, `[context, d_model]`.
    pub positions: Tensor<2>,
    /// Segment embeddings, `[segments, d_model]`; every token is of segment 0.
    pub token_types: Tensor<2>,
    /// After the embeddings.
    pub embed_norm: Norm,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// What a layer's queries may see: everything.
    pub sights: Vec<Sight>,
    /// The head.
    pub head: Head,
}

impl Encoder {
    /// The embeddings, where the pass begins with them.
    fn start(&self, pass: &Pass, hook: &mut dyn Hook) -> Option<Tensor<3>> {
        matches!(pass.start, Start::Tokens).then(|| self.embedded(pass, hook))
    }

    fn embedded(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let ids = pass.tokens.ids(pass.first);
        let segments = ids.iter().map(|row| vec![0; row.len()]).collect();
        let x = stream(hook, Site::Embed, embed(&self.embedding, ids));
        let x = x + stream(hook, Site::TokenTypeEmbed, embed(&self.token_types, segments));
        let x = x + stream(hook, Site::PosEmbed, embed(&self.positions, pass.tokens.positions(pass.first)));
        self.embed_norm.forward(x, Site::EmbedScale, Site::EmbedNormalized, hook)
    }

    fn finish(&self, x: Tensor<3>, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let whole = [Site::FinalScale, Site::FinalNormalized, Site::Logits].into_iter().any(|site| hook.wants(site));
        let x = if whole { x } else { at_positions(x, &pass.read, pass.first) };
        let x = self.head.function.apply(self.head.dense.forward(x));
        let x = self.head.norm.forward(x, Site::FinalScale, Site::FinalNormalized, hook);
        if !whole {
            return unembed(x, &self.unembedding(), &pass.read);
        }
        let logits = self.unembedding().forward(x);
        pick(stream(hook, Site::Logits, logits), &pass.read, pass.first)
    }
}

impl Model for Encoder {
    fn dims(&self) -> &Dims {
        &self.dims
    }

    fn sites(&self) -> Vec<Site> {
        let mut sites =
            vec![Site::Embed, Site::TokenTypeEmbed, Site::PosEmbed, Site::EmbedScale, Site::EmbedNormalized];
        let gated = |layer: usize| self.blocks[layer].mlp.linear.is_some();
        sites.extend((0..self.dims.layers).flat_map(|layer| block_sites(layer, gated(layer))));
        sites.extend([Site::FinalScale, Site::FinalNormalized, Site::Logits]);
        sites
    }

    fn is_causal(&self) -> bool {
        false
    }

    fn is_rotary(&self) -> bool {
        false
    }

    fn wiring(&self) -> Option<Wiring> {
        None
    }

    fn device(&self) -> Device {
        self.embedding.device()
    }

    fn pass(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3> {
        let context = Context::new(pass, &self.sights, None, &self.device());
        let mut x = self.start(pass, hook);
        for (layer, block) in self.blocks.iter().enumerate().skip(pass.layer()) {
            x = pass.entering(layer, x).map(|x| block.forward(x, &context, &mut Seam::new(hook, layer)));
        }
        let x = pass.entering(self.dims.layers, x).expect("a pass has rows");
        self.finish(x, pass, hook)
    }

    fn read_out(&self, stream: Tensor<3>, read: &Read) -> Tensor<3> {
        let x = self.head.function.apply(self.head.dense.forward(stream));
        unembed(self.head.norm.apply(x), &self.unembedding(), read)
    }

    fn last_stream(&self) -> Site {
        Site::NormalizedResidPost(self.dims.layers - 1)
    }

    fn final_norm(&self) -> &Norm {
        &self.head.norm
    }

    fn unembedding(&self) -> Linear {
        let tied = || self.embedding.clone().swap_dims(0, 1);
        Linear { weight: self.head.unembedding.clone().unwrap_or_else(tied), bias: Some(self.head.bias.clone()) }
    }

    fn attention(&self, layer: usize) -> &Attention {
        &self.blocks[layer].attention
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.matrix("embed", &mut self.embedding);
        visitor.matrix("pos_embed", &mut self.positions);
        visitor.matrix("token_type_embed", &mut self.token_types);
        self.embed_norm.visit("embed.ln", visitor);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            block.attention.visit(&format!("blocks.{layer}.attn"), visitor);
            block.norm1.visit(&format!("blocks.{layer}.ln1"), visitor);
            block.mlp.visit(&format!("blocks.{layer}.mlp"), visitor);
            block.norm2.visit(&format!("blocks.{layer}.ln2"), visitor);
        }
        self.head.dense.visit("head.dense", visitor);
        self.head.norm.visit("ln_final", visitor);
        if let Some(unembedding) = &mut self.head.unembedding {
            visitor.matrix("unembed.weight", unembedding);
        }
        visitor.vector("unembed.bias", &mut self.head.bias);
    }

    fn on_tape(&self) -> Box<dyn Model> {
        let mut taped = self.clone();
        taped.visit(&mut OnTape);
        Box::new(taped)
    }

    fn ungrouped(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }
}

/// The sites of an encoder block, in the order of the forward pass.
fn block_sites(layer: usize, gated: bool) -> Vec<Site> {
    use Site::*;
    let mut sites = vec![ResidPre(layer), QueryIn(layer), Query(layer), KeyIn(layer), Key(layer)];
    sites.extend([ValueIn(layer), Value(layer), Scores(layer), Pattern(layer), Mix(layer), HeadOut(layer)]);
    sites.extend([
        AttnOut(layer),
        ResidMid(layer),
        MlpIn(layer),
        Norm1Scale(layer),
        Norm1Normalized(layer),
        MlpPre(layer),
    ]);
    sites.extend(gated.then_some(MlpPreLinear(layer)));
    sites.extend([MlpPost(layer), MlpOut(layer), ResidPost(layer), Norm2Scale(layer), Norm2Normalized(layer)]);
    sites.push(NormalizedResidPost(layer));
    sites
}
