//! Distillation: a student of some of its teacher's blocks, trained to say what the teacher says.
//!
//! *What it does.* The student begins as the teacher with some blocks alone, or with weights of no training, and goes down
//! L = T² KL(softmax(t / T) ‖ softmax(s / T)) + λ CE + μ (1 − cos(h_t, h_s)): t and s are logits at every token, CE is the
//! cross-entropy of the next token (of masked tokens, in a model that sees both ways), h the stream behind the last block. Texts
//! have the special tokens that prompts have.
//! Training is AdamW with a warm-up and a cosine; it hangs on the seed alone, so that the same recipe has the same bits.
//!
//! *Reference.* Hinton, Vinyals & Dean 2015; Sanh et al. 2019 (DistilBERT), whose three terms these are.
//!
//! *Example.* `Distil(layers: Spread(2), calibration: (from: Text("texts.txt"), rows: 2000), steps: 1000)`

mod batch;

use super::Texts;
use crate::hook::Record;
use crate::model::{Model, Pass, Visitor, random};
use crate::spec::{Beginning, Distil};
use crate::tensor::{Tensor, to_doubles};
use crate::text::Tokens;
use crate::train::losses::{cross_entropy, divergence, turned_away};
use crate::train::{Order, Schedule, Trainer};
use batch::Batch;
use indexmap::IndexMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// One text in so many is not trained on, nor any text like it, and tells what was learned.
const UNSEEN: usize = 10;

/// What became of a student.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// The teacher's blocks that it begins with.
    pub layers: Vec<usize>,
    /// Blocks of the teacher.
    pub of: usize,
    /// Updates.
    pub steps: usize,
    /// Texts that it was trained on, and others.
    pub texts: [usize; 2],
    /// L over the others before and after; none where there are none.
    pub loss: Option<[f64; 2]>,
    /// KL(teacher ‖ student), nats a token, likewise.
    pub divergence: Option<[f64; 2]>,
    /// SHA-256 of the student's weights.
    pub sha256: String,
}

/// Training went where there are no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the training of the student diverged at step {step} of {steps}: its loss is no number any more; lower `rate`")]
pub struct Diverged {
    /// The update at which it was seen, from 1.
    pub step: usize,
    /// Updates that were asked for.
    pub steps: usize,
}

impl Lesson {
    /// In words.
    pub fn said(&self) -> String {
        let (layers, [learned, others]) =
            (self.layers.iter().map(usize::to_string).collect::<Vec<_>>().join(", "), self.texts);
        let trained = match self.steps {
            0 => "not trained".to_string(),
            steps => format!("trained for {steps} steps on {learned} texts"),
        };
        let learned = self.divergence.map_or(String::new(), |[before, after]| {
            format!(", KL from its teacher {before:.4} nats a token before and {after:.4} after on {others} others")
        });
        format!("a student with layers {layers} of {}, {trained}{learned} (weights: sha256 {})", self.of, self.sha256)
    }
}

/// Hears how many updates of how many are done.
pub type Heard<'a> = dyn FnMut(usize, usize) + 'a;

/// Makes a model the student of what it was.
pub(super) fn distil(
    model: &mut dyn Model,
    how: &Distil,
    texts: &Texts,
    heard: &mut Heard,
) -> Result<Lesson, Diverged> {
    let teacher = model.parted(&[]); // shares its weights, which are replaced and never written to
    let of = teacher.dims().layers;
    let layers = how.layers.of(of);
    model.keep_layers(&layers);
    if how.from == Beginning::Random {
        random::redraw(model, how.seed);
    }
    let (learned, others) = divided(texts, how.seed);
    let counts = [learned.len(), others.len()];
    let school = School { teacher: teacher.as_ref(), how, texts };
    let others: Vec<Batch> = school.batches(others);
    let before = school.tested(model, &others);
    school.train(model, learned, heard)?;
    let after = school.tested(model, &others);
    let sum = Sum::of(model);
    if how.steps > 0 && !(sum.finite && after.iter().flatten().all(|value| value.is_finite())) {
        return Err(Diverged { step: how.steps, steps: how.steps });
    }
    let both = |part: usize| Some([before?[part], after?[part]]);
    let (loss, divergence, sha256) =
        (both(0), both(1), sum.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
    Ok(Lesson { layers, of, steps: how.steps, texts: counts, loss, divergence, sha256 })
}

/// Numbers of the texts that are trained on, and of the others: none of these is the same, token by token, as one of those.
fn divided(texts: &Texts, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut alike: IndexMap<&[u32], Vec<usize>> = IndexMap::new();
    for (number, row) in texts.rows.iter().enumerate() {
        alike.entry(row).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = alike.into_values().collect();
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (mut learned, mut others) = (Vec::new(), Vec::new());
    for group in groups.into_iter().rev() {
        let room = texts.rows.len() / UNSEEN - others.len();
        if group.len() <= room { &mut others } else { &mut learned }.extend(group);
    }
    learned.reverse();
    others.sort_unstable();
    (learned, others)
}

/// What identifies weights, and whether all of them are numbers.
struct Sum {
    hash: Sha256,
    finite: bool,
}

impl Sum {
    fn of(model: &dyn Model) -> Self {
        let mut sum = Sum { hash: Sha256::new(), finite: true };
        model.parted(&[]).visit(&mut sum);
        sum
    }

    fn add(&mut self, name: &str, values: &[f64]) {
        self.hash.update(name);
        for value in values {
            self.hash.update(value.to_le_bytes());
            self.finite &= value.is_finite();
        }
    }
}

impl Visitor for Sum {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.add(name, &to_doubles(weight));
    }

    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.add(name, &to_doubles(weight));
    }
}

/// What a student is taught by.
struct School<'a> {
    teacher: &'a dyn Model,
    how: &'a Distil,
    texts: &'a Texts,
}

impl School<'_> {
    fn train(&self, student: &mut dyn Model, texts: Vec<usize>, heard: &mut Heard) -> Result<(), Diverged> {
        let Distil { steps, rows, seed, .. } = *self.how;
        let mut masks = ChaCha8Rng::seed_from_u64(seed.wrapping_add(1));
        let mut order = Order::new(texts, rows, seed);
        let mut trainer = Trainer::new(self.how.weight_decay as f32);
        let schedule = Schedule::new(steps, self.how.rate);
        for step in 0..steps {
            let batch = Batch::new(&order.take(), self.texts, self.teacher.is_causal(), &mut masks);
            let said = self.said(self.teacher, &batch.tokens);
            let loss = trainer.step(student, schedule.rate(step), |student| {
                self.loss(&batch, [said, self.said(student.as_ref(), &batch.tokens)])
            });
            heard(step + 1, steps);
            if !loss.is_finite() {
                return Err(Diverged { step: step + 1, steps });
            }
        }
        Ok(())
    }

    fn batches(&self, texts: Vec<usize>) -> Vec<Batch> {
        let mut masks = ChaCha8Rng::seed_from_u64(self.how.seed);
        let batch = |some: &[usize]| Batch::new(some, self.texts, self.teacher.is_causal(), &mut masks);
        texts.chunks(self.how.rows).map(batch).collect()
    }

    /// The mean of L, and of the divergence at T = 1, over tokens of some batches; none where there are none.
    fn tested(&self, student: &dyn Model, batches: &[Batch]) -> Option<[f64; 2]> {
        let (mut sums, mut tokens) = ([0.0; 2], 0.0);
        for batch in batches {
            let both = [self.teacher, student].map(|model| self.said(model, &batch.tokens));
            let [teacher, own] = both.each_ref().map(|said| batch.real(said.logits.clone()));
            let values = [self.loss(batch, both), divergence(teacher, own, 1.0)];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += to_doubles(&value)[0] * batch.count() as f64;
            }
            tokens += batch.count() as f64;
        }
        (tokens > 0.0).then(|| sums.map(|sum| sum / tokens))
    }

    /// What a model says at every position, padding too.
    fn said(&self, model: &dyn Model, tokens: &Tokens) -> Said {
        let site = model.last_stream();
        let mut record = Record::of((self.how.mu > 0.0).then_some(site));
        let logits = model.pass(&Pass::whole(tokens), &mut record);
        let [rows, pos, vocabulary] = logits.dims();
        let flat = |state: &Tensor<4>| state.clone().reshape([rows * pos, state.dims()[3]]); // a stream has one head
        Said { stream: record.at(site).map(flat), logits: logits.reshape([rows * pos, vocabulary]) }
    }

    fn loss(&self, batch: &Batch, [teacher, student]: [Said; 2]) -> Tensor<1> {
        let Distil { temperature, lambda, mu, .. } = *self.how;
        let own = batch.real(student.logits.clone());
        let mut loss = divergence(batch.real(teacher.logits), own, temperature);
        if lambda > 0.0 && !batch.targets.is_empty() {
            loss = loss + cross_entropy(batch.asked(student.logits), batch.targets.clone()) * lambda;
        }
        if let (Some(theirs), Some(own)) = (teacher.stream, student.stream) {
            loss = loss + turned_away(batch.real(theirs), batch.real(own)) * mu;
        }
        loss
    }
}

/// What a model says.
struct Said {
    /// `[row · pos, vocabulary]`.
    logits: Tensor<2>,
    /// The last stream, `[row · pos, d_model]`, where it counts.
    stream: Option<Tensor<2>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_that_is_tested_on_is_trained_on() {
        let rows: Vec<Vec<u32>> = (0..200).map(|row| vec![row % 40, 7]).collect(); // five of each
        let texts = Texts { rows: rows.clone(), ..Texts::default() };
        for seed in 0..20 {
            let (learned, others) = divided(&texts, seed);
            assert_eq!((learned.len(), others.len()), (180, 20));
            assert!(others.iter().all(|other| learned.iter().all(|own| rows[*own] != rows[*other])));
        }
        let same = Texts { rows: vec![vec![1, 2]; 50], ..Texts::default() };
        assert_eq!(divided(&same, 0).1.len(), 0);
    }
}
