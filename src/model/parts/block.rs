//! A block: attention and MLP, with their norms before, behind what they write, or behind the stream.

use super::{Seam, attention::Attention, mlp::Mlp, mlp::Own, norm::Norm};
use crate::model::{Context, Visitor};
use crate::site::Site;
use crate::tensor::Tensor;

/// How attention, MLP and their norms are wired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wiring {
    /// Norms come first, and the MLP reads what attention has written.
    Sequential,
    /// Norms come first, and both read the stream before the block (GPT-J, GPT-NeoX).
    Parallel,
    /// Each norm stands behind the stream that its part has written to (BERT, the OPT of 350 M parameters).
    Behind,
}

/// Attention and MLP, each with its norm.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where the norms stand and what the MLP reads.
    pub wiring: Wiring,
    /// Of attention.
    pub norm1: Norm,
    /// Attention.
    pub attention: Attention,
    /// Of what attention writes, before it is added to the stream (Gemma 2); not with [`Wiring::Behind`].
    pub norm1_post: Option<Norm>,
    /// Of the MLP.
    pub norm2: Norm,
    /// The MLP.
    pub mlp: Mlp,
    /// Of what the MLP writes, before it is added to the stream.
    pub norm2_post: Option<Norm>,
}

impl Block {
    /// The stream behind the block, `[batch, pos, d_model]`, from the stream `x` before it.
    pub fn forward(&self, x: Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let x = seam.stream(Site::ResidPre, x);
        match self.wiring {
            Wiring::Sequential => self.sequential(x, context, seam),
            Wiring::Parallel => self.parallel(x, context, seam),
            Wiring::Behind => self.behind(x, context, seam),
        }
    }

    fn sequential(&self, x: Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let attn = self.attend(&x, context, seam);
        let mid = seam.stream(Site::ResidMid, x + attn);
        let mlp = self.think(&mid, seam);
        seam.stream(Site::ResidPost, mid + mlp)
    }

    fn parallel(&self, x: Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let attn = self.attend(&x, context, seam);
        let mlp = self.think(&x, seam);
        seam.stream(Site::ResidPost, x + (attn + mlp))
    }

    fn behind(&self, x: Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
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

    fn attend(&self, x: &Tensor<3>, context: &Context, seam: &mut Seam) -> Tensor<3> {
        let normed = seam.norm(&self.norm1, x.clone(), Site::Norm1Scale, Site::Norm1Normalized);
        let attn = self.attention.forward(normed, x, Some(&self.norm1), context, seam);
        let attn = match &self.norm1_post {
            Some(norm) => seam.norm(norm, attn, Site::Norm1PostScale, Site::Norm1PostNormalized),
            None => attn,
        };
        seam.stream(Site::AttnOut, attn)
    }

    fn think(&self, x: &Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        let (x, own) = self.read_by_parts(x, seam);
        let normed = seam.norm(&self.norm2, x, Site::Norm2Scale, Site::Norm2Normalized);
        let neurons = self.mlp.neurons(normed, own.as_ref(), seam);
        let parts = (self.mlp.parts() > 1 && seam.wants(Site::MlpOut)).then(|| neurons.clone());
        let mlp = self.mlp.output.forward(neurons);
        let mlp = match &self.norm2_post {
            Some(norm) => seam.norm(norm, mlp, Site::Norm2PostScale, Site::Norm2PostNormalized),
            None => mlp,
        };
        match parts {
            Some(neurons) => self.write_by_parts(neurons, mlp, seam),
            None => seam.stream(Site::MlpOut, mlp),
        }
    }

    /// What the MLP reads, and what its neurons apart read where there are such and the hook wants to see it.
    fn read_by_parts(&self, x: &Tensor<3>, seam: &mut Seam) -> (Tensor<3>, Option<Own>) {
        let parts = self.mlp.parts();
        if parts == 1 || !seam.wants(Site::MlpIn) {
            return (seam.stream(Site::MlpIn, x.clone()), None);
        }
        let [batch, pos, width] = x.dims();
        let read = seam.heads(Site::MlpIn, x.clone().unsqueeze_dim::<4>(1).expand([batch, parts, pos, width]));
        let rest = read.clone().narrow(1, 0, 1);
        let before = self.norm2.apply(rest.clone().expand([batch, parts - 1, pos, width]));
        (rest.squeeze_dim(1), Some(Own { after: self.norm2.apply(read.narrow(1, 1, parts - 1)), before }))
    }

    /// What the MLP adds to the stream, of what its neurons hold and what they add together; the hook sees what each neuron
    /// apart adds beside the rest. A change of these is added, so that a hook which changes nothing changes no bit.
    fn write_by_parts(&self, neurons: Tensor<3>, mlp: Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        let before = self.mlp.written_by_parts(neurons, mlp.clone());
        let after = seam.heads(Site::MlpOut, before.clone());
        mlp + (after - before).sum_dim(1).squeeze_dim(1)
    }

    /// What some heads' outputs add to the stream, when the norm behind attention, where there is one, keeps the scale it
    /// had: `[batch, head, pos, d_model]` from the same and the scale `[batch, 1, pos, 1]`.
    pub fn added(&self, heads: Tensor<4>, scale: Option<&Tensor<4>>) -> Tensor<4> {
        match (&self.norm1_post, scale) {
            (Some(norm), Some(scale)) => norm.apply_frozen(heads, scale.clone()),
            _ => heads,
        }
    }

    /// The sites of this block as block `layer`, in the order of the forward pass.
    pub fn sites(&self, layer: usize, rotary: bool) -> Vec<Site> {
        use Site::*;
        let own = |norm: &Norm, sites: [Site; 2]| norm.is_there().then_some(sites).into_iter().flatten();
        let norm1 = own(&self.norm1, [Norm1Scale(layer), Norm1Normalized(layer)]);
        let norm2 = own(&self.norm2, [Norm2Scale(layer), Norm2Normalized(layer)]);
        let (attention, mlp) = (attention_sites(layer, rotary), self.mlp_sites(layer));
        let mut sites = vec![ResidPre(layer)];
        if self.wiring == Wiring::Behind {
            sites.extend(attention);
            sites.extend([AttnOut(layer), ResidMid(layer), MlpIn(layer)]);
            sites.extend(norm1.chain(mlp));
            sites.extend([MlpOut(layer), ResidPost(layer)]);
            sites.extend(norm2);
            sites.push(NormalizedResidPost(layer));
            return sites;
        }
        let post = |norm: &Option<Norm>, sites: [Site; 2]| norm.is_some().then_some(sites).into_iter().flatten();
        sites.extend(norm1.chain(attention));
        sites.extend(post(&self.norm1_post, [Norm1PostScale(layer), Norm1PostNormalized(layer)]));
        sites.push(AttnOut(layer));
        sites.extend((self.wiring == Wiring::Sequential).then_some(ResidMid(layer)));
        sites.push(MlpIn(layer));
        sites.extend(norm2.chain(mlp));
        sites.extend(post(&self.norm2_post, [Norm2PostScale(layer), Norm2PostNormalized(layer)]));
        sites.extend([MlpOut(layer), ResidPost(layer)]);
        sites
    }

    fn mlp_sites(&self, layer: usize) -> Vec<Site> {
        let linear = self.mlp.linear.is_some().then_some(Site::MlpPreLinear(layer));
        [Site::MlpPre(layer)].into_iter().chain(linear).chain([Site::MlpPost(layer)]).collect()
    }

    /// Shows the weights to a visitor.
    pub fn visit(&mut self, name: &str, visitor: &mut dyn Visitor) {
        self.norm1.visit(&format!("{name}.ln1"), visitor);
        self.attention.visit(&format!("{name}.attn"), visitor);
        self.norm2.visit(&format!("{name}.ln2"), visitor);
        self.mlp.visit(&format!("{name}.mlp"), visitor);
        for (part, norm) in [("ln1_post", &mut self.norm1_post), ("ln2_post", &mut self.norm2_post)] {
            if let Some(norm) = norm {
                norm.visit(&format!("{name}.{part}"), visitor);
            }
        }
    }
}

fn attention_sites(layer: usize, rotary: bool) -> Vec<Site> {
    use Site::*;
    let mut sites = vec![QueryIn(layer), Query(layer), KeyIn(layer), Key(layer), ValueIn(layer), Value(layer)];
    if rotary {
        sites.extend([RotQuery(layer), RotKey(layer)]);
    }
    sites.extend([Scores(layer), Pattern(layer), Mix(layer), HeadOut(layer)]);
    sites
}
