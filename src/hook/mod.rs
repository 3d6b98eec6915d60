//! The seam: the model hands each activation to one hook and goes on with what comes back.

mod differentiate;
mod edges;
mod edit;
mod held;
mod push;
mod record;
mod replace;
mod route;
mod severed;

pub use differentiate::Differentiate;
pub use edges::{Edges, Frozen};
pub use edit::{Change, Edit, Edits};
pub use held::Held;
pub use push::{Along, Push};
pub use record::Record;
pub use replace::Replace;
pub use route::{Route, Wire, site_of};
pub use severed::{Ablated, Severed};

use crate::site::Site;
use crate::tensor::Tensor;

/// `[batch, head, pos, width]`: a stream has one head, the width of a pattern is the key position.
pub type Activation = Tensor<4>;

/// Sees, and may change, what flows through a forward pass.
pub trait Hook {
    /// Sees the activation at `site` and returns the one the model continues with.
    fn visit(&mut self, site: Site, act: Activation) -> Activation;
    /// Whether to be called at `site`; what nobody wants is not computed where the pass can do without.
    fn wants(&self, site: Site) -> bool;
    /// The sites that must be visited exactly once in a whole pass; [`crate::model::run`] checks them.
    fn asks(&self) -> Vec<Site> {
        Vec::new()
    }
    /// A pass begins whose first worked-on position is `first`: index 0 of the position axis is that position.
    fn begin(&mut self, first: usize) {
        let _ = first;
    }
}

/// Watches nothing.
impl Hook for () {
    fn visit(&mut self, _: Site, act: Activation) -> Activation {
        act
    }
    fn wants(&self, _: Site) -> bool {
        false
    }
}

/// First `A`, then `B`: "edit, then record" and "record, then edit" can both be said.
impl<A: Hook, B: Hook> Hook for (A, B) {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let act = if self.0.wants(site) { self.0.visit(site, act) } else { act };
        if self.1.wants(site) { self.1.visit(site, act) } else { act }
    }
    fn wants(&self, site: Site) -> bool {
        self.0.wants(site) || self.1.wants(site)
    }
    fn asks(&self) -> Vec<Site> {
        [self.0.asks(), self.1.asks()].concat()
    }
    fn begin(&mut self, first: usize) {
        self.0.begin(first);
        self.1.begin(first);
    }
}

impl<H: Hook + ?Sized> Hook for &mut H {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        (**self).visit(site, act)
    }
    fn wants(&self, site: Site) -> bool {
        (**self).wants(site)
    }
    fn asks(&self) -> Vec<Site> {
        (**self).asks()
    }
    fn begin(&mut self, first: usize) {
        (**self).begin(first);
    }
}
