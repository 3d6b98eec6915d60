//! Laws of training: what is chosen moves, and losses are what their formulas say by hand.

use super::losses::{cross_entropy, divergence, turned_away};
use super::{Order, Schedule, Trainer};
use crate::builtin;
use crate::model::{Model, Pass, Visitor};
use crate::tensor::{Device, Tensor, backward, cpu, from_floats, on_tape, to_floats};
use crate::text::Tokens;
use std::collections::BTreeMap;

fn rows<const R: usize, const C: usize>(values: [[f32; C]; R]) -> Tensor<2> {
    from_floats(values.concat(), [R, C], &cpu())
}

fn value(loss: Tensor<1>) -> f64 {
    f64::from(to_floats(&loss)[0])
}

#[test]
fn losses_by_hand() {
    // ln p of the second of (ln 1, ln 3) is ln ¾, of the first of (0, 0) ln ½
    let logits = rows([[0.0, 3f32.ln()], [0.0, 0.0]]);
    let expected = -((0.75f64).ln() + (0.5f64).ln()) / 2.0;
    assert!((value(cross_entropy(logits, vec![1, 0])) - expected).abs() < 1e-6);
    // at T = 2 logits are halved: teacher (½, ½), student (¼, ¾)
    let (teacher, student) = (rows([[1.0, 1.0]]), rows([[0.0, 2.0 * 3f32.ln()]]));
    let expected = 4.0 * (0.5 * (0.5f64 / 0.25).ln() + 0.5 * (0.5f64 / 0.75).ln());
    assert!((value(divergence(teacher.clone(), student, 2.0)) - expected).abs() < 1e-6);
    assert!(value(divergence(teacher.clone(), teacher, 2.0)).abs() < 1e-6);
    // 3-4-5 against an axis, and opposite ways
    let (one, other) = (rows([[3.0, 4.0], [1.0, 0.0]]), rows([[1.0, 0.0], [-2.0, 0.0]]));
    assert!((value(turned_away(one, other)) - f64::midpoint(0.4, 2.0)).abs() < 1e-6);
    assert!(value(turned_away(rows([[0.0, 0.0]]), rows([[1.0, 0.0]]))).is_finite());
}

/// The slope of T² KL for logits small beside T is (s − t) / classes, whatever T is.
#[test]
fn temperature_leaves_slopes_their_size() {
    let (teacher, student) = ([0.05, -0.02, -0.03], [-0.04, 0.01, 0.03]);
    for temperature in [1.0, 2.0, 8.0] {
        let leaf = on_tape(rows([student])).require_grad();
        let slopes = backward(&divergence(rows([teacher]), leaf.clone(), temperature));
        for ((slope, own), theirs) in to_floats(&leaf.grad(&slopes).unwrap()).iter().zip(student).zip(teacher) {
            assert!((slope - (own - theirs) / 3.0).abs() < 2e-3, "{temperature}: {slope}");
        }
    }
}

#[test]
fn a_rate_warms_up_and_falls_to_a_tenth() {
    let schedule = Schedule { steps: 100, warmup: 10, highest: 2.0 };
    assert!((schedule.rate(0) - 0.2).abs() < 1e-12);
    assert!(schedule.rate(9) > 1.9 && schedule.rate(99) < 0.21 && schedule.rate(99) > 0.2);
    assert!((0..99).all(|step| step < 9 || schedule.rate(step) > schedule.rate(step + 1)));
}

#[test]
fn a_round_has_everything_once() {
    let mut order = Order::new((0..10).collect(), 4, 3);
    assert_eq!(order.batches(), 3);
    let mut round = || {
        let mut round: Vec<usize> = (0..3).flat_map(|_| order.take()).collect();
        let shuffled = round.clone();
        round.sort_unstable();
        assert_eq!(round, (0..10).collect::<Vec<_>>());
        shuffled
    };
    assert_ne!(round(), round());
}

#[derive(Default)]
struct Bits(BTreeMap<String, Vec<u32>>);

impl Visitor for Bits {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.0.insert(name.into(), to_floats(weight).into_iter().map(f32::to_bits).collect());
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.0.insert(name.into(), to_floats(weight).into_iter().map(f32::to_bits).collect());
    }
}

fn bits(model: &mut dyn Model) -> BTreeMap<String, Vec<u32>> {
    let mut bits = Bits::default();
    model.visit(&mut bits);
    bits.0
}

#[test]
fn only_what_is_chosen_moves_and_the_loss_falls() {
    let mut model = builtin::load("organism", &[], &cpu()).unwrap().model;
    model.keep_layers(&[0]);
    let (before, tokens) = (bits(model.as_mut()), Tokens::new(vec![vec![0, 5, 9, 30, 12], vec![0, 8, 7, 40, 3]]));
    let mut trainer = Trainer::new(0.0).only(|name| name.contains(".attn."));
    let mut step = || {
        trainer.step(model.as_mut(), 1e-3, |model| {
            let logits = model.pass(&Pass::whole(&tokens), &mut ());
            let [batch, pos, classes] = logits.dims();
            cross_entropy(logits.reshape([batch * pos, classes]), vec![5, 9, 30, 12, 1, 8, 7, 40, 3, 1])
        })
    };
    let losses: Vec<f32> = (0..8).map(|_| step()).collect();
    assert!(losses[7] < losses[0], "{losses:?}");
    assert!(matches!(model.device(), Device::Flex(_)));
    for (name, was) in before {
        assert_eq!(bits(model.as_mut())[&name] != was, name.contains(".attn."), "{name}");
    }
}
