//! What can still be told of states from which a concept was taken.

use crate::method::Bench;
use crate::method::along::{Fitted, Taught, drawn};
use crate::plan::{Erasing, Samples};
use crate::spec::Erasure;
use ndarray::{Array2, Axis};
use patchclamp_probes::decode::{
    DecodeError, Design, Family, Held, Hidden, Logistic, PORTIONS, Probe, Task, Training, online_code,
};
use patchclamp_probes::erase::Moments;
use patchclamp_probes::rows::Picked;
use serde::{Deserialize, Serialize};

/// What is told of one place after one erasure; 1 a prompt that is told right, else 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Guards {
    /// By a linear probe, of the states as they are.
    pub before: Vec<f64>,
    /// By a linear probe.
    pub linear: Vec<f64>,
    /// By a probe with a hidden layer; empty where none is asked for.
    pub hidden: Vec<f64>,
    /// By a linear probe, of states without directions by chance.
    pub random: Vec<f64>,
    /// How many times shorter the online code is: before and after.
    pub compression: [Option<f64>; 2],
    /// How many directions are taken out by what all samples taught.
    pub rank: f64,
    /// The share of the variance that this moves.
    pub moved: Option<f64>,
    /// Why there is nothing, where states cannot be read.
    pub fault: Option<String>,
}

/// What is told of a place after each erasure.
pub fn of(bench: &Bench, plan: &Erasing, states: &Array2<f32>) -> Vec<Guards> {
    let guarded = Guarded { plan, samples: &plan.probed.samples, states, seed: bench.seed };
    let fault = |error: DecodeError| Guards { fault: Some(error.to_string()), ..Guards::default() };
    plan.by.iter().map(|erasure| guarded.guards(*erasure).unwrap_or_else(fault)).collect()
}

struct Guarded<'a> {
    plan: &'a Erasing,
    samples: &'a Samples,
    states: &'a Array2<f32>,
    seed: u64,
}

impl Guarded<'_> {
    fn guards(&self, erasure: Erasure) -> Result<Guards, DecodeError> {
        let fitted = Fitted::new(self.samples, self.states.view(), erasure);
        let whole = fitted.by_all();
        let erased = |split: usize| self.erased(fitted.of_split(split));
        let (linear, hidden) = (Logistic::default(), Hidden { width: self.plan.hidden, ..Hidden::default() });
        let random = |split: usize| {
            let eraser = drawn(&fitted.of_split(split).eraser, self.seed.wrapping_add(split as u64));
            eraser.apply(self.states.mapv(f64::from).view())
        };
        Ok(Guards {
            before: self.told(&linear, |_| self.states.mapv(f64::from))?,
            linear: self.told(&linear, erased)?,
            hidden: if self.plan.hidden > 0 { self.told(&hidden, erased)? } else { Vec::new() },
            random: self.told(&linear, random)?,
            compression: [self.states.mapv(f64::from), self.erased(whole)].map(|states| self.compression(&states)),
            rank: whole.eraser.rank() as f64,
            moved: self.moved(whole),
            fault: None,
        })
    }

    /// All states without what was taught.
    fn erased(&self, taught: &Taught) -> Array2<f64> {
        let mut erased = self.states.mapv(f64::from);
        for (sample, mut state) in erased.axis_iter_mut(Axis(0)).enumerate() {
            let left = taught.erased(state.view(), Some(self.samples.labels.of()[sample]));
            state.assign(&left);
        }
        erased
    }

    /// Right or wrong of each sample, told by the probe of the split that holds it out, from states as that split has them.
    fn told<F: Family>(&self, family: &F, states: impl Fn(usize) -> Array2<f64>) -> Result<Vec<f64>, DecodeError> {
        let labels = &self.samples.labels;
        let mut told = Array2::zeros((labels.count(), labels.classes()));
        for (number, split) in self.samples.splits.iter().enumerate() {
            let states = states(number);
            let states = states.view();
            let probe = family.fit(&states, Task { labels, items: &split.train }, self.plan.penalty)?;
            let said = probe.log_probabilities(&Picked { rows: &states, items: &split.test });
            split.test.iter().zip(said.rows()).for_each(|(sample, row)| told.row_mut(*sample).assign(&row));
        }
        Ok(Held::new(labels.clone(), told)?.right())
    }

    fn compression(&self, states: &Array2<f64>) -> Option<f64> {
        let (family, penalties) = (Logistic::default(), [self.plan.penalty]);
        let design = Design::Groups(&self.samples.groups);
        let training = Training { family: &family, penalties: &penalties, design, folds: 2, seed: self.seed };
        let code = online_code(&states.view(), &self.samples.labels, &PORTIONS, &training, self.seed);
        code.ok().map(|code| code.compression())
    }

    /// The share of the states' variance by which they are moved.
    fn moved(&self, taught: &Taught) -> Option<f64> {
        let states = self.states.mapv(f64::from);
        let moments =
            Moments::of_classes(states.view(), self.samples.labels.of(), self.samples.labels.classes()).ok()?;
        let items = moments.items() as f64;
        let variance = moments.covariance().ok()?.diag().sum() * (items - 1.0) / items;
        let moved = (&self.erased(taught) - &states).mapv(|value| value * value).sum() / items;
        (variance > 0.0).then(|| moved / variance)
    }
}
