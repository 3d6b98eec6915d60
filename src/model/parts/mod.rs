//! The parts that decoder and encoder are built from.

pub mod attention;
pub mod block;
pub mod function;
pub mod linear;
pub mod mlp;
pub mod norm;
pub mod position;

use crate::hook::{Activation, Hook};
use crate::site::Site;
use crate::tensor::Tensor;
use norm::Norm;

/// What each part is called with: the hook, and the layer it stands in.
pub struct Seam<'a> {
    hook: &'a mut dyn Hook,
    layer: usize,
}

impl<'a> Seam<'a> {
    /// The seam of `layer`; outside the blocks any layer will do.
    pub fn new(hook: &'a mut dyn Hook, layer: usize) -> Self {
        Seam { hook, layer }
    }

    /// Whether the hook wants this site of the layer.
    pub fn wants(&self, site: fn(usize) -> Site) -> bool {
        self.hook.wants(site(self.layer))
    }

    /// Hands over heads, `[batch, head, pos, width]`.
    pub fn heads(&mut self, site: fn(usize) -> Site, act: Activation) -> Activation {
        let site = site(self.layer);
        if self.hook.wants(site) { self.hook.visit(site, act) } else { act }
    }

    /// Hands over a stream, `[batch, pos, width]`, as one head.
    pub fn stream(&mut self, site: fn(usize) -> Site, act: Tensor<3>) -> Tensor<3> {
        stream(self.hook, site(self.layer), act)
    }

    /// A norm of the layer, `[batch, pos, d_model]`.
    pub fn norm(
        &mut self,
        norm: &Norm,
        x: Tensor<3>,
        scale: fn(usize) -> Site,
        normalized: fn(usize) -> Site,
    ) -> Tensor<3> {
        norm.forward(x, scale(self.layer), normalized(self.layer), self.hook)
    }
}

/// Hands a stream, `[batch, pos, width]`, to the hook as one head.
pub fn stream(hook: &mut dyn Hook, site: Site, act: Tensor<3>) -> Tensor<3> {
    if !hook.wants(site) {
        return act;
    }
    hook.visit(site, act.unsqueeze_dim(1)).squeeze_dim(1)
}
