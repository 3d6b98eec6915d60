//! A linear head and the model trained together.

use super::Told;
use crate::hook::Record;
use crate::method::Bench;
use crate::model::parts::linear::Linear;
use crate::model::{Model, OnTape, Pass, Read, Visitor};
use crate::plan::Classifying;
use crate::site::Site;
use crate::spec::{Pooled, Whole};
use crate::steps::Watcher;
use crate::tensor::{Setting, Tensor, from_doubles, to_doubles};
use crate::text::{Padding, Tokens};
use crate::train::losses::cross_entropy;
use crate::train::{Learner, Order, Schedule, Trainer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The standard deviation of a head before training, as that of BERT's.
const DEVIATION: f64 = 0.02;

/// Trains a copy of the model with a head on a stream, and asks it for the class of the texts held out.
pub(super) fn told(bench: &Bench, plan: &Classifying, whole: &Whole, site: Site, heard: &mut dyn Watcher) -> Told {
    let fit = &plan.parts.fit;
    let seed = bench.seed.wrapping_add(whole.draw);
    let mut classifier = Classifier::new(bench.model, (site, plan.pooled), plan.classes.len(), seed);
    let mut order = Order::new(fit.clone(), whole.rows, seed);
    let schedule = Schedule::new(whole.epochs * order.batches(), whole.rate);
    let mut trainer = Trainer::new(whole.weight_decay as f32);
    let mut losses = vec![0.0; whole.epochs];
    for step in 0..schedule.steps {
        let items = order.take();
        let tokens = tokens(bench, &items);
        let classes = items.iter().map(|item| plan.labels.of()[*item] as i32).collect();
        let rate = schedule.rate(step);
        let loss = trainer.step(&mut classifier, rate, |taped| cross_entropy(taped.logits(&tokens), classes));
        if !loss.is_finite() {
            return Told { losses, ..diverged(step + 1, schedule.steps) };
        }
        losses[step / order.batches()] += f64::from(loss) * items.len() as f64 / fit.len() as f64;
        heard.advance(items.len());
    }
    match classifier.classes(bench, &plan.parts.test) {
        Some(classes) => Told { classes, losses, ..Told::default() },
        None => Told { losses, ..diverged(schedule.steps, schedule.steps) },
    }
}

/// What is told where there are no numbers any more, of which any class would be the likeliest.
fn diverged(step: usize, steps: usize) -> Told {
    let why = format!("training diverged at step {step} of {steps}: its loss is no number any more; lower `rate`");
    Told { fault: Some(why), ..Told::default() }
}

fn tokens(bench: &Bench, items: &[usize]) -> Tokens {
    Tokens::padded(items.iter().map(|item| bench.items[*item].clean.clone()).collect(), Padding::Right, 0)
}

/// A model with a head on one of its streams.
struct Classifier {
    model: Box<dyn Model>,
    /// `[d_model, class]`.
    head: Linear,
    site: Site,
    pooled: Pooled,
}

impl Learner for Classifier {
    type Taped = Classifier;
    fn taped(&self) -> Classifier {
        let mut head = self.head.clone();
        head.visit("classifier", &mut OnTape);
        Classifier { model: self.model.on_tape(), head, ..*self }
    }
    fn show(&mut self, visitor: &mut dyn Visitor) {
        self.model.visit(visitor);
        self.head.visit("classifier", visitor);
    }
}

impl Classifier {
    fn new(model: &dyn Model, (site, pooled): (Site, Pooled), classes: usize, seed: u64) -> Self {
        let (setting, width) = (model.setting(), model.dims().d_model);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let draws = (0..width * classes).map(|_| DEVIATION * random.sample::<f64, _>(StandardNormal)).collect();
        let weight = from_doubles(draws, [width, classes], &setting);
        let bias = Some(from_doubles(vec![0.0; classes], [classes], &setting));
        Classifier { model: model.parted(&[]), head: Linear { weight, bias }, site, pooled }
    }

    /// Logits `[row, class]`.
    fn logits(&self, tokens: &Tokens) -> Tensor<2> {
        let nothing = Read { positions: Some(vec![0; tokens.rows()]), tokens: Some(vec![vec![0]; tokens.rows()]) };
        let mut record = Record::of([self.site]);
        self.model.pass(&Pass::whole(tokens).reading(nothing), &mut record);
        let states = record.at(self.site).expect("the plan knows the model's streams").clone().squeeze_dim::<3>(1);
        let [rows, _, _] = states.dims();
        let shares = self.shares(tokens, &Setting::of(&states)); // [row, pos, 1]
        let said = self.head.forward((states * shares).sum_dim(1)); // [row, 1, class]
        let classes = said.dims()[2];
        said.reshape([rows, classes])
    }

    /// How much each position counts in the state of its text.
    fn shares(&self, tokens: &Tokens, setting: &Setting) -> Tensor<3> {
        let of_row = |row: usize| {
            let last = tokens.last(row);
            (0..tokens.width()).map(move |position| match self.pooled {
                _ if position > last => 0.0,
                Pooled::Mean => 1.0 / (last + 1) as f64,
                Pooled::Last => f64::from(u8::from(position == last)),
            })
        };
        let shares = (0..tokens.rows()).flat_map(of_row).collect();
        from_doubles(shares, [tokens.rows(), tokens.width(), 1], setting)
    }

    /// The likeliest class of each item; of equal ones the first. None where a logit is no finite number.
    fn classes(&self, bench: &Bench, items: &[usize]) -> Option<Vec<usize>> {
        let mut found = Vec::with_capacity(items.len());
        for some in items.chunks(bench.rows) {
            let logits = self.logits(&tokens(bench, some));
            let classes = logits.dims()[1];
            let logits = to_doubles(&logits);
            if logits.iter().any(|logit| !logit.is_finite()) {
                return None;
            }
            found.extend(logits.chunks_exact(classes).map(super::likeliest));
        }
        Some(found)
    }
}
