//! Attention, written out so that every step is a site.

mod apart;

use super::position::rotate;
use super::{Seam, function::soft_cap, linear::Linear, norm::Norm};
use crate::kernel::attention::{self, Scoring, Sizes};
use crate::kernel::copy;
use crate::model::{Context, Visitor};
use crate::site::Site;
use crate::tensor::{Floats, Tensor, activation, in_place, is_plain, to_floats};

/// Multi-head attention with as many or fewer heads for keys and values.
#[derive(Clone, Debug)]
pub struct Attention {
    /// `[d_model, (heads + 2 · key_heads) · d_head]`: queries, keys and values side by side.
    pub qkv: Linear,
    /// `[heads · d_head, d_model]`.
    pub out: Linear,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / key_heads` heads.
    pub key_heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// What scores are multiplied with.
    pub scale: f64,
    /// Norms of every head's queries and keys, before rotation (Qwen3).
    pub norms: Option<[Norm; 2]>,
    /// The bound that scores are bent to, before the mask (Gemma 2).
    pub score_cap: Option<f64>,
}

/// Queries, keys and values, `[batch, head, pos, d_head]`.
struct Read {
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
}

/// One of the three inputs: its site, where its columns start, its heads.
struct Port {
    site: fn(usize) -> Site,
    start: usize,
    heads: usize,
}

/// Queries, keys and values of all heads side by side, `[batch, pos, head · d_head]`.
enum Side {
    Plain(Floats<3>),
    Other(Tensor<3>),
}

impl Side {
    fn by_side(all: Tensor<3>) -> Self {
        if is_plain(&all) { Side::Plain(Floats::of(all)) } else { Side::Other(all) }
    }
}

/// What scores are computed from on the CPU.
struct OnCpu {
    sizes: Sizes,
    scale: f32,
    query: Floats<4>,
    turned_key: Vec<f32>,
    mask: Vec<f32>,
}

impl OnCpu {
    fn new(attention: &Attention, query: Tensor<4>, key: Tensor<4>, mask: &Tensor<4>) -> Self {
        let ([batch, heads, pos, width], keys) = (query.dims(), key.dims()[2]);
        let turned_key = copy::turned(Floats::of(key).values(), keys, width);
        let sizes = attention.sizes([batch, heads, pos, keys]);
        OnCpu { sizes, scale: attention.scale as f32, query: Floats::of(query), turned_key, mask: to_floats(mask) }
    }

    fn scoring(&self) -> Scoring<'_> {
        Scoring { query: self.query.values(), turned_key: &self.turned_key, scale: self.scale, mask: &self.mask }
    }
}

/// Patterns `[batch, head, query, key]` of scores.
fn softmax(scores: Tensor<4>) -> Tensor<4> {
    if !is_plain(&scores) {
        return activation::softmax(scores, 3);
    }
    let keys = scores.dims()[3];
    in_place(scores, |scores| attention::softmax(scores, keys))
}

impl Attention {
    /// What attention writes to the stream, `[batch, pos, d_model]`.
    ///
    /// `normed` is `norm(x)`; `x` itself is read again only where the hook edits the inputs of single heads.
    pub fn forward(
        &self,
        normed: Tensor<3>,
        x: &Tensor<3>,
        norm: Option<&Norm>,
        context: &Context,
        seam: &mut Seam,
    ) -> Tensor<3> {
        let read = self.read(normed, x, norm, seam);
        let (query, key, value) = self.positioned(read, context, seam);
        let mask = &context.mask(seam.layer, query.dims()[0]);
        let watched = seam.wants(Site::Scores) || seam.wants(Site::Pattern);
        let mix = if watched || !is_plain(&query) || self.score_cap.is_some() {
            let pattern = softmax(seam.heads(Site::Scores, self.scores(query, key, mask))); // [batch, head, query, key]
            self.mix(seam.heads(Site::Pattern, pattern), value)
        } else {
            self.attend(query, key, value, mask)
        };
        let mix = seam.heads(Site::Mix, mix); // [batch, head, pos, d_head]
        self.write(mix, seam)
    }

    fn read(&self, normed: Tensor<3>, x: &Tensor<3>, norm: Option<&Norm>, seam: &mut Seam) -> Read {
        let all = Side::by_side(self.qkv.forward(normed));
        let [query, key, value] = self.ports();
        let mut port = |port: Port, hook: fn(usize) -> Site| {
            let own = self.split(&all, &port);
            let own = match seam.wants(port.site) {
                true => own + self.change_of_input(&port, x, norm, seam),
                false => own,
            };
            seam.heads(hook, own)
        };
        Read { query: port(query, Site::Query), key: port(key, Site::Key), value: port(value, Site::Value) }
    }

    fn ports(&self) -> [Port; 3] {
        let queries = self.heads * self.d_head;
        let keys = self.key_heads * self.d_head;
        [
            Port { site: Site::QueryIn, start: 0, heads: self.heads },
            Port { site: Site::KeyIn, start: queries, heads: self.key_heads },
            Port { site: Site::ValueIn, start: queries + keys, heads: self.key_heads },
        ]
    }

    /// What a head's query, key or value changes by when the hook changes what that head reads.
    ///
    /// The difference of two products, so that a hook which changes nothing changes no bit.
    fn change_of_input(&self, port: &Port, x: &Tensor<3>, norm: Option<&Norm>, seam: &mut Seam) -> Tensor<4> {
        let [batch, pos, width] = x.dims();
        let before = x.clone().unsqueeze_dim::<4>(1).expand([batch, port.heads, pos, width]);
        let after = seam.heads(port.site, before.clone());
        let weight = self.by_head(port);
        let project = |input: Tensor<4>| {
            let normed = norm.map_or(input.clone(), |norm| norm.apply(input));
            normed.matmul(weight.clone())
        };
        project(after) - project(before)
    }

    /// The map of a port a head, `[1, head, d_model, d_head]`.
    fn by_head(&self, port: &Port) -> Tensor<4> {
        let weight = self.qkv.weight.clone().narrow(1, port.start, port.heads * self.d_head);
        let width = weight.dims()[0];
        weight.reshape([width, port.heads, self.d_head]).swap_dims(0, 1).unsqueeze()
    }

    /// Queries, keys and values `[batch, head, pos, d_head]` of `normed` streams, before norms and rotation of their own.
    pub fn by_heads(&self, normed: Tensor<3>) -> [Tensor<4>; 3] {
        let all = Side::by_side(self.qkv.forward(normed));
        self.ports().map(|port| self.split(&all, &port))
    }

    /// The maps to queries (0), keys (1) or values (2) a head of these, `[1, head, d_model, d_head]`.
    pub fn in_by_head(&self, kind: usize) -> Tensor<4> {
        self.by_head(&self.ports()[kind])
    }

    /// The heads of a port, `[batch, head, pos, d_head]`, from all of them side by side.
    fn split(&self, all: &Side, port: &Port) -> Tensor<4> {
        let across = self.heads + 2 * self.key_heads;
        let first = port.start / self.d_head;
        match all {
            Side::Plain(all) => {
                let [batch, pos, _] = all.shape();
                let own = copy::split(all.values(), [batch, pos, across, self.d_head], (first, port.heads));
                all.beside(own, [batch, port.heads, pos, self.d_head])
            }
            Side::Other(all) => {
                let [batch, pos, _] = all.dims();
                let own = all.clone().reshape([batch, pos, across, self.d_head]).narrow(2, first, port.heads);
                own.swap_dims(1, 2)
            }
        }
    }

    /// Normed and rotated queries and keys; keys and values of the earlier positions go before the new ones.
    fn positioned(&self, read: Read, context: &Context, seam: &mut Seam) -> (Tensor<4>, Tensor<4>, Tensor<4>) {
        let Read { mut query, mut key, mut value } = read;
        if let Some([of_queries, of_keys]) = &self.norms {
            (query, key) = (of_queries.apply(query), of_keys.apply(key));
        }
        if let Some(angles) = context.angles(query.dims()[0]) {
            query = seam.heads(Site::RotQuery, rotate(query, &angles));
            key = seam.heads(Site::RotKey, rotate(key, &angles));
        }
        if let Some((past_key, past_value)) = context.past(seam.layer, key.dims()[0]) {
            key = Tensor::cat(vec![past_key, key], 2);
            value = Tensor::cat(vec![past_value, value], 2);
        }
        (query, key, value)
    }

    /// Scores with the mask added, `[batch, head, query, key]`.
    fn scores(&self, query: Tensor<4>, key: Tensor<4>, mask: &Tensor<4>) -> Tensor<4> {
        let [batch, heads, pos, width] = query.dims();
        let keys = key.dims()[2];
        if is_plain(&query) && self.score_cap.is_none() {
            let cpu = OnCpu::new(self, query, key, mask);
            return cpu.query.beside(cpu.sizes.scores(&cpu.scoring()), [batch, heads, pos, keys]);
        }
        let scores = self.grouped(query * self.scale, width).matmul(key.swap_dims(2, 3));
        soft_cap(scores.reshape([batch, heads, pos, keys]), self.score_cap) + mask.clone()
    }

    /// `[batch, head, query, d_head]`.
    fn mix(&self, pattern: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
        let [batch, heads, pos, keys] = pattern.dims();
        if is_plain(&pattern) {
            let (sizes, pattern, value) = (self.sizes(pattern.dims()), Floats::of(pattern), Floats::of(value));
            let mix = sizes.mix(pattern.values(), value.values());
            return value.beside(mix, [batch, pos, heads, self.d_head]).swap_dims(1, 2);
        }
        self.grouped(pattern, keys).matmul(value).reshape([batch, heads, pos, self.d_head])
    }

    /// Scores, softmax and mix of plain tensors in one go, with the bits that they have one by one.
    fn attend(&self, query: Tensor<4>, key: Tensor<4>, value: Tensor<4>, mask: &Tensor<4>) -> Tensor<4> {
        let [batch, heads, pos, _] = query.dims();
        let (cpu, value) = (OnCpu::new(self, query, key, mask), Floats::of(value));
        let mix = cpu.sizes.attend(&cpu.scoring(), value.values());
        value.beside(mix, [batch, pos, heads, self.d_head]).swap_dims(1, 2)
    }

    fn sizes(&self, [batch, heads, pos, keys]: [usize; 4]) -> Sizes {
        Sizes { batch, heads, key_heads: self.key_heads, pos, keys, width: self.d_head }
    }

    /// The heads that share a key head, one below the other: `[batch, key_head, group · pos, width]`.
    fn grouped(&self, x: Tensor<4>, width: usize) -> Tensor<4> {
        if self.heads == self.key_heads {
            return x;
        }
        let [batch, _, pos, _] = x.dims();
        x.reshape([batch, self.key_heads, self.heads / self.key_heads * pos, width])
    }

    /// `[batch, pos, d_model]`; per-head results are computed only for a hook that wants them.
    fn write(&self, mix: Tensor<4>, seam: &mut Seam) -> Tensor<3> {
        let [batch, heads, pos, width] = mix.dims();
        let joined = mix.clone().swap_dims(1, 2).reshape([batch, pos, heads * width]);
        let out = self.out.forward(joined);
        if !seam.wants(Site::HeadOut) {
            return out;
        }
        let before = mix.matmul(self.out_by_head()); // [batch, head, pos, d_model]
        let after = seam.heads(Site::HeadOut, before.clone());
        out + (after - before).sum_dim(1).squeeze_dim(1)
    }

    /// The output map a head: `[1, head, d_head, d_model]`.
    pub fn out_by_head(&self) -> Tensor<4> {
        let d_model = self.out.weight.dims()[1];
        self.out.weight.clone().reshape([1, self.heads, self.d_head, d_model])
    }

    /// The same with keys and values repeated, so that every head has its own.
    pub fn ungrouped(&self) -> Attention {
        if self.key_heads == self.heads {
            return self.clone();
        }
        let repeat = |port: Port| {
            let own = |head: usize| {
                self.qkv.columns(port.start + head / (self.heads / port.heads) * self.d_head, self.d_head)
            };
            (0..self.heads).map(own).collect::<Vec<Linear>>()
        };
        let parts: Vec<Linear> = self.ports().into_iter().flat_map(repeat).collect();
        let weight = Tensor::cat(parts.iter().map(|part| part.weight.clone()).collect(), 1);
        let biases: Option<Vec<_>> = parts.into_iter().map(|part| part.bias).collect();
        let qkv = Linear { weight, bias: biases.map(|biases| Tensor::cat(biases, 0)) };
        Attention { qkv, key_heads: self.heads, ..self.clone() }
    }

    /// Shows the weights to a visitor.
    pub fn visit(&mut self, name: &str, visitor: &mut dyn Visitor) {
        self.qkv.visit(&format!("{name}.qkv"), visitor);
        self.out.visit(&format!("{name}.out"), visitor);
        if let Some([of_queries, of_keys]) = &mut self.norms {
            of_queries.visit(&format!("{name}.q_norm"), visitor);
            of_keys.visit(&format!("{name}.k_norm"), visitor);
        }
    }
}
