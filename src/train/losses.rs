//! What training goes down: cross-entropy, and how far a student is from its teacher.

use crate::tensor::{Tensor, activation, beside, from_ints};

/// Under the root of the lengths of states, so that a state of zeros has a slope: far below what f32 adds to any other.
const LEAST: f64 = 1e-16;

/// Mean −ln p of the targets, one a row, by logits `[row, class]`: nats.
pub fn cross_entropy(logits: Tensor<2>, targets: Vec<i32>) -> Tensor<1> {
    let targets = from_ints(targets, [logits.dims()[0], 1], &logits.device());
    activation::log_softmax(logits, 1).gather(1, targets).mean().neg()
}

/// T² KL(softmax(t / T) ‖ softmax(s / T)), the mean over rows, of logits `[row, class]` of teacher and student (Hinton, Vinyals &
/// Dean 2015). The square keeps slopes of one size whatever T is: to first order they are (s − t) / classes of what a row
/// adds, for logits that are small beside T and have no mean.
pub fn divergence(teacher: Tensor<2>, student: Tensor<2>, temperature: f64) -> Tensor<1> {
    let rows = student.dims()[0] as f64;
    let teacher = beside(activation::log_softmax(teacher / temperature, 1), &student);
    let student = activation::log_softmax(student / temperature, 1);
    (teacher.clone().exp() * (teacher - student)).sum() * (temperature * temperature / rows)
}

/// 1 − cos, the mean over rows, of states `[row, width]` of teacher and student.
pub fn turned_away(teacher: Tensor<2>, student: Tensor<2>) -> Tensor<1> {
    let teacher = beside(teacher, &student);
    let length = |x: &Tensor<2>| ((x.clone() * x.clone()).sum_dim(1) + LEAST).sqrt(); // [row, 1]
    let lengths = length(&teacher) * length(&student);
    let cosines = (teacher * student).sum_dim(1) / lengths;
    (cosines.neg() + 1.0).mean()
}
