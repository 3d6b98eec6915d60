//! Neurons apart: single neurons that read for themselves what an MLP reads, and what they and the rest of it write.

use super::Mlp;
use crate::model::parts::{Seam, linear::Linear};
use crate::tensor::{Setting, Tensor, from_doubles, from_ints};
use std::collections::BTreeSet;

/// What neurons apart read by themselves, normalised, and what they would read with the rest, `[batch, neuron, pos, d_model]`.
pub struct Own {
    /// What they read.
    pub after: Tensor<4>,
    /// What the rest of the MLP reads.
    pub before: Tensor<4>,
}

impl Mlp {
    /// Sets these neurons apart, in their order and each once.
    pub fn set_apart(&mut self, neurons: impl Iterator<Item = usize>) {
        self.apart = neurons.collect::<BTreeSet<usize>>().into_iter().collect();
    }

    /// The parts that a hook may see by themselves: the rest, and each neuron apart.
    pub fn parts(&self) -> usize {
        1 + self.apart.len()
    }

    /// Which of the parts a neuron apart is.
    ///
    /// # Panics
    /// If it is not apart.
    pub fn part(&self, neuron: usize) -> usize {
        1 + self.apart.iter().position(|own| *own == neuron).expect("a neuron that is apart")
    }

    /// What neurons hold before the non-linearity, or in the linear branch, changes by when those apart read their own:
    /// `[batch, pos, d_mlp]`.
    ///
    /// The difference of two products, so that neurons which read what the rest reads change no bit.
    pub(super) fn change_of_input(&self, linear: &Linear, own: &Own) -> Tensor<3> {
        let (count, d_mlp) = (self.apart.len(), linear.weight.dims()[1]);
        let columns = linear.weight.clone().select(1, self.index(&linear.weight)); // [d_model, neuron]
        let columns = columns.swap_dims(0, 1).unsqueeze_dim::<3>(2).unsqueeze_dim::<4>(0); // [1, neuron, d_model, 1]
        let change = own.after.clone().matmul(columns.clone()) - own.before.clone().matmul(columns);
        let at = |(row, neuron): (usize, usize)| if self.apart[row] == neuron { 1.0 } else { 0.0 };
        let places = (0..count).flat_map(|row| (0..d_mlp).map(move |neuron| (row, neuron))).map(at).collect();
        let places: Tensor<2> = from_doubles(places, [count, d_mlp], &Setting::of(&linear.weight));
        change.squeeze_dim::<3>(3).swap_dims(1, 2).matmul(places.unsqueeze())
    }

    /// What the rest and each neuron apart add to the stream, `[batch, part, pos, d_model]`, of what all neurons hold,
    /// `[batch, pos, d_mlp]`, and what they write together, `[batch, pos, d_model]`. The output bias is the rest's.
    pub fn written_by_parts(&self, post: Tensor<3>, together: Tensor<3>) -> Tensor<4> {
        let rows = self.output.weight.clone().select(0, self.index(&post)); // [neuron, d_model]
        let held = post.clone().select(2, self.index(&post)).swap_dims(1, 2).unsqueeze_dim::<4>(3); // [batch, neuron, pos, 1]
        let own = held * rows.unsqueeze_dim::<3>(1).unsqueeze_dim::<4>(0); // [batch, neuron, pos, d_model]
        let rest = together.unsqueeze_dim::<4>(1) - own.clone().sum_dim(1);
        Tensor::cat(vec![rest, own], 1)
    }

    /// What one part makes of a normalised stream that it alone reads, `[batch, pos, d_model]`; the rest is none of the neurons
    /// apart.
    pub fn of_part(&self, neuron: Option<usize>, x: Tensor<3>, seam: &mut Seam) -> Tensor<3> {
        if let Some(neuron) = neuron {
            return self.alone(neuron).forward(x, seam);
        }
        let post = self.neurons(x, None, seam);
        let together = self.output.forward(post.clone());
        match self.apart.is_empty() {
            true => together,
            false => self.written_by_parts(post, together).narrow(1, 0, 1).squeeze_dim(1),
        }
    }

    /// The MLP of one neuron, without the output bias.
    fn alone(&self, neuron: usize) -> Mlp {
        Mlp {
            linear: self.linear.as_ref().map(|linear| linear.columns(neuron, 1)),
            input: self.input.columns(neuron, 1),
            output: Linear { weight: self.output.weight.clone().narrow(0, neuron, 1), bias: None },
            function: self.function,
            apart: Vec::new(),
        }
    }

    /// The neurons apart as an index beside a tensor.
    fn index<const D: usize>(&self, beside: &Tensor<D>) -> Tensor<1, crate::tensor::Int> {
        from_ints(self.apart.iter().map(|neuron| *neuron as i32).collect(), [self.apart.len()], &beside.device())
    }
}
