//! Layer normalisation and its root-mean-square kin.

use super::stream;
use crate::hook::Hook;
use crate::kernel::norm;
use crate::model::Visitor;
use crate::site::Site;
use crate::tensor::{Floats, Tensor, cast, in_place, is_plain, precision, to_floats, widen};

/// Which normalisation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NormKind {
    /// Mean to 0, variance to 1 (Ba, Kiros & Hinton 2016).
    LayerNorm,
    /// Root mean square to 1 (Zhang & Sennrich 2019).
    Rms,
    /// The stream as it is: of models without norms. It has no sites.
    Identity,
}

/// A norm over the width, with the learned scale and shift unless they were folded away.
#[derive(Clone, Debug)]
pub struct Norm {
    /// Which normalisation.
    pub kind: NormKind,
    /// `[width]`: of the stream, or of a head.
    pub weight: Option<Tensor<1>>,
    /// `[width]`.
    pub bias: Option<Tensor<1>>,
    /// Added to the variance or the mean square.
    pub eps: f64,
}

impl Norm {
    /// No norm: what stands before a part of a model without norms.
    pub const IDENTITY: Norm = Norm { kind: NormKind::Identity, weight: None, bias: None, eps: 0.0 };

    /// Whether it changes anything, and has sites.
    pub fn is_there(&self) -> bool {
        self.kind != NormKind::Identity
    }

    /// `[batch, pos, d_model]`, with the hook called at `scale` and `normalized`.
    ///
    /// As in TransformerLens, `normalized` is the output of a LayerNorm, weight and bias included, but comes
    /// before the weight of an RMSNorm.
    pub fn forward(&self, x: Tensor<3>, scale: Site, normalized: Site, hook: &mut dyn Hook) -> Tensor<3> {
        if !self.is_there() {
            return x;
        }
        let early = self.kind == NormKind::Rms && hook.wants(normalized);
        let bare = Norm { weight: None, bias: None, ..self.clone() };
        let norm = if early { &bare } else { self };
        let x = if hook.wants(scale) {
            let scale = stream(hook, scale, norm.scale(x.clone()));
            norm.apply_scaled(x, scale)
        } else {
            norm.apply(x)
        };
        let x = stream(hook, normalized, x);
        if early { self.affine(x) } else { x }
    }

    /// The norm with nobody watching, for any shape whose last axis is the width.
    pub fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if !self.is_there() {
            return x;
        }
        if is_plain(&x) {
            let width = x.dims()[D - 1];
            return self.on_cpu(|norm| in_place(x, |x| norm.apply(x, width)));
        }
        let x = self.centre(x);
        let scale = self.scale_of_centred(x.clone());
        self.affine(x / scale)
    }

    /// What `x` is divided by, `[batch, pos, 1]`.
    fn scale(&self, x: Tensor<3>) -> Tensor<3> {
        if is_plain(&x) {
            let ([batch, pos, width], x) = (x.dims(), Floats::of(x));
            return self.on_cpu(|norm| x.beside(norm.scales(x.values(), width), [batch, pos, 1]));
        }
        self.scale_of_centred(self.centre(x))
    }

    /// The norm with this scale `[batch, pos, 1]`: with that of `scale` the very numbers of `apply`.
    fn apply_scaled(&self, x: Tensor<3>, scale: Tensor<3>) -> Tensor<3> {
        if is_plain(&x) {
            let (width, scale) = (x.dims()[2], Floats::of(scale));
            return self.on_cpu(|norm| in_place(x, |x| norm.apply_scaled(x, width, scale.values())));
        }
        self.affine(self.centre(x) / scale)
    }

    fn on_cpu<R>(&self, work: impl FnOnce(&norm::Norm) -> R) -> R {
        let [weight, bias] = [&self.weight, &self.bias].map(|vector| vector.as_ref().map(to_floats));
        let centre = self.kind == NormKind::LayerNorm;
        work(&norm::Norm { centre, eps: self.eps, weight: weight.as_deref(), bias: bias.as_deref() })
    }

    /// The norm with its scale held at `scale` `[.., 1]` instead of computed: a linear map of `x`, less the bias.
    pub fn apply_frozen<const D: usize>(&self, x: Tensor<D>, scale: Tensor<D>) -> Tensor<D> {
        if !self.is_there() {
            return x;
        }
        let x = self.centre(x) / scale;
        match &self.weight {
            Some(weight) => x * weight.clone().unsqueeze(),
            None => x,
        }
    }

    /// `x` before weight and bias are applied to it, and the scale `[.., 1]` it was divided by; of a norm that is there.
    pub fn standardised<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
        let x = self.centre(x);
        let scale = self.scale_of_centred(x.clone());
        (x / scale.clone(), scale)
    }

    /// A map `[.., width, out]` of what the norm gives, as a map of what [`Norm::standardised`] gives, but for a constant:
    /// the norm's weight and, where it centres, the centring are within it.
    pub fn folded<const D: usize>(&self, map: Tensor<D>) -> Tensor<D> {
        let map = match &self.weight {
            Some(weight) => map * weight.clone().unsqueeze_dim::<2>(1).unsqueeze(),
            None => map,
        };
        match self.kind {
            NormKind::LayerNorm => in_full(map, |map| map.clone() - map.mean_dim(D - 2)),
            NormKind::Rms | NormKind::Identity => map,
        }
    }

    /// Whether the mean is subtracted, so that what writes to the stream it reads may be centred.
    pub fn centres(&self) -> bool {
        self.kind == NormKind::LayerNorm
    }

    fn centre<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.kind {
            NormKind::LayerNorm => in_full(x, |x| x.clone() - x.mean_dim(D - 1)),
            NormKind::Rms | NormKind::Identity => x,
        }
    }

    fn scale_of_centred<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        in_full(x, |x| ((x.clone() * x).mean_dim(D - 1) + self.eps).sqrt()) // [.., 1]
    }

    fn affine<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let x = match &self.weight {
            Some(weight) => x * weight.clone().unsqueeze(),
            None => x,
        };
        match &self.bias {
            Some(bias) => x + bias.clone().unsqueeze(),
            None => x,
        }
    }

    /// Shows weight and bias to a visitor.
    pub fn visit(&mut self, name: &str, visitor: &mut dyn Visitor) {
        if let Some(weight) = &mut self.weight {
            visitor.vector(&format!("{name}.weight"), weight);
        }
        if let Some(bias) = &mut self.bias {
            visitor.vector(&format!("{name}.bias"), bias);
        }
    }
}

/// `f` of half precision computed in f32, as `transformers` does: squares of numbers above 256 do not fit into f16.
fn in_full<const D: usize>(x: Tensor<D>, f: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
    let own = precision(&x);
    cast(f(widen(x)), own)
}
