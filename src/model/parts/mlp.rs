//! The MLP of a block: plain or gated.

mod apart;

pub use apart::Own;

use super::{Seam, function::Function, linear::Linear};
use crate::model::Visitor;
use crate::site::Site;
use crate::tensor::Tensor;

/// Two linear maps with neurons between, or three when gated.
#[derive(Clone, Debug)]
pub struct Mlp {
    /// The branch that the non-linearity is not applied to, when gated.
    pub linear: Option<Linear>,
    /// Into the neurons' non-linearity.
    pub input: Linear,
    /// Back to the stream.
    pub output: Linear,
    /// The non-linearity.
    pub function: Function,
    /// Neurons that read and write by themselves where a hook wants to see that; mostly none.
    pub apart: Vec<usize>,
}

impl Mlp {
    /// `[batch, pos, d_model]` for the normalised stream `x`.
    pub fn forward(&self, x: Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        self.output.forward(self.neurons(x, None, seam))
    }

    /// What the neurons hold, `[batch, pos, d_mlp]`, of the normalised stream `x`; those apart read something of their `own`.
    pub fn neurons(&self, x: Tensor<3>, own: Option<&Own>, seam: &mut Seam) -> Tensor<3> {
        let read = |linear: &Linear, x: Tensor<3>| match own {
            Some(own) => linear.forward(x) + self.change_of_input(linear, own),
            None => linear.forward(x),
        };
        let pre = seam.stream(Site::MlpPre, read(&self.input, x.clone())); // [batch, pos, d_mlp]
        let post = self.function.apply(pre);
        let post = match &self.linear {
            Some(linear) => post * seam.stream(Site::MlpPreLinear, read(linear, x)),
            None => post,
        };
        seam.stream(Site::MlpPost, post)
    }

    /// Shows the weights to a visitor.
    pub fn visit(&mut self, name: &str, visitor: &mut dyn Visitor) {
        if let Some(linear) = &mut self.linear {
            linear.visit(&format!("{name}.linear"), visitor);
        }
        self.input.visit(&format!("{name}.in"), visitor);
        self.output.visit(&format!("{name}.out"), visitor);
    }
}
