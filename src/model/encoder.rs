//! One encoder for every BERT-like family: norms after the blocks, and a head that fills masks.

use super::parts::position::{Numbering, Sight};
use super::parts::{Seam, block::Block, function::Function, linear::Linear, norm::Norm, stream};
use super::{Context, Dims, Model, OnTape, Pass, Read, Start, Visitor, at_positions, embed, pick, unembed};
use crate::hook::Hook;
use crate::node::Flow;
use crate::site::Site;
use crate::tensor::{Device, Tensor};

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
    /// Learned positions, a row for each number that `numbering` gives, `d_model` wide.
    pub positions: Tensor<2>,
    /// How tokens are numbered.
    pub numbering: Numbering,
    /// Segment embeddings, `[segments, d_model]`, where there are some; every token is of segment 0.
    pub token_types: Option<Tensor<2>>,
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
        let segments: Vec<Vec<usize>> = ids.iter().map(|row| vec![0; row.len()]).collect();
        let mut x = stream(hook, Site::Embed, embed(&self.embedding, ids));
        if let Some(types) = &self.token_types {
            x = x + stream(hook, Site::TokenTypeEmbed, embed(types, segments));
        }
        let places = self.numbering.of(pass.tokens, pass.first);
        let x = x + stream(hook, Site::PosEmbed, embed(&self.positions, places));
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
        let mut sites = vec![Site::Embed];
        sites.extend(self.token_types.is_some().then_some(Site::TokenTypeEmbed));
        sites.extend([Site::PosEmbed, Site::EmbedScale, Site::EmbedNormalized]);
        sites.extend(self.blocks.iter().enumerate().flat_map(|(layer, block)| block.sites(layer, false)));
        sites.extend([Site::FinalScale, Site::FinalNormalized, Site::Logits]);
        sites
    }

    fn is_causal(&self) -> bool {
        false
    }

    fn sight(&self, layer: usize) -> Sight {
        self.sights[layer]
    }

    fn is_rotary(&self) -> bool {
        false
    }

    fn flow(&self) -> Option<Flow> {
        None
    }

    fn device(&self) -> Device {
        self.embedding.device()
    }

    fn context<'a>(&'a self, pass: &Pass<'a>) -> Context<'a> {
        Context::new(pass, &self.sights, None, &self.setting())
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
        let x = self.head.function.apply(self.head.dense.forward(stream));
        unembed(self.head.norm.apply(x), &self.unembedding(), read)
    }

    fn last_stream(&self) -> Site {
        Site::NormalizedResidPost(self.dims.layers - 1)
    }

    fn final_norm(&self) -> Option<&Norm> {
        Some(&self.head.norm)
    }

    fn unembedding(&self) -> Linear {
        let tied = || self.embedding.clone().swap_dims(0, 1);
        Linear { weight: self.head.unembedding.clone().unwrap_or_else(tied), bias: Some(self.head.bias.clone()) }
    }

    fn block(&self, layer: usize) -> &Block {
        &self.blocks[layer]
    }

    fn keys_serve(&self, _: usize, _: usize) -> bool {
        false
    }

    fn indivisible(&self) -> Option<&'static str> {
        Some("the head of an encoder is not linear")
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.matrix("embed", &mut self.embedding);
        visitor.matrix("pos_embed", &mut self.positions);
        if let Some(types) = &mut self.token_types {
            visitor.matrix("token_type_embed", types);
        }
        self.embed_norm.visit("embed.ln", visitor);
        for (layer, block) in self.blocks.iter_mut().enumerate() {
            block.visit(&format!("blocks.{layer}"), visitor);
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
