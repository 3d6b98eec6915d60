//! Linear maps, applied to every position.

use crate::kernel::add_to_rows;
use crate::model::Visitor;
use crate::tensor::{Tensor, in_place, is_plain, to_floats};

/// `x W + b`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[in, out]`.
    pub weight: Tensor<2>,
    /// `[out]`.
    pub bias: Option<Tensor<1>>,
}

impl Linear {
    /// `[batch, pos, out]` for `x` `[batch, pos, in]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, pos, width] = x.dims();
        let out = self.weight.dims()[1];
        let y = x.reshape([batch * pos, width]).matmul(self.weight.clone());
        let y = y.reshape([batch, pos, out]);
        match &self.bias {
            Some(bias) if is_plain(&y) => in_place(y, |y| add_to_rows(y, &to_floats(bias))),
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        }
    }

    /// The map to the outputs `start..start + width` alone.
    pub fn columns(&self, start: usize, width: usize) -> Linear {
        Linear {
            weight: self.weight.clone().narrow(1, start, width),
            bias: self.bias.clone().map(|bias| bias.narrow(0, start, width)),
        }
    }

    /// Shows weight and bias to a visitor.
    pub fn visit(&mut self, name: &str, visitor: &mut dyn Visitor) {
        visitor.matrix(&format!("{name}.weight"), &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visitor.vector(&format!("{name}.bias"), bias);
        }
    }
}
