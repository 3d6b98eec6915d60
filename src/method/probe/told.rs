//! What probes tell of one place.

use crate::method::Bench;
use crate::plan::{INNER, Probing};
use patchclamp_probes::decode::{
    Choice, DecodeError, Design, Exchange, Family, Held, Hidden, Labels, Logistic, PORTIONS, Split, Training, held_out,
    online_code, shuffled, sparse,
};
use patchclamp_probes::rows::Rows;
use serde::{Deserialize, Serialize};

/// Bins of equal width for calibration, as in most papers.
const BINS: usize = 10;
/// Shuffles that are fitted together.
const TOGETHER: usize = 16;
/// The penalty of the probe with a hidden layer where several are given: choosing one would cost a hundred fits a place.
const PENALTY: f64 = 1.0;

/// What is told of a place; all by prompt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Told {
    /// 1 where the class was told of a prompt whose group was held out, else 0.
    pub right: Vec<f64>,
    /// What was spent on it, in bits.
    pub bits: Vec<f64>,
    /// Log-odds of each class, `[class][prompt]`.
    pub log_odds: Vec<Vec<f64>>,
    /// How far probabilities are from shares.
    pub calibration: f64,
    /// 1 where the class was told in splits by prompt.
    pub mixed: Vec<f64>,
    /// The share of control labels that were told, in the same splits; empty where there are none.
    pub control: Vec<f64>,
    /// As `right`, by a probe with a hidden layer.
    pub hidden: Vec<f64>,
    /// As `right`, by sparse probes.
    pub sparse: Vec<Vec<f64>>,
    /// How many times shorter the online code is.
    pub compression: Option<f64>,
    /// Accuracies with shuffled labels.
    pub chance: Vec<f64>,
    /// As `right`, of models with random weights: the mean over them.
    pub random: Vec<f64>,
    /// Why there is nothing, where states cannot be read.
    pub fault: Option<String>,
}

/// What probes tell of states `[prompt, value]`, and of those of twins of the model.
pub fn of(bench: &Bench, plan: &Probing, states: &dyn Rows, twins: &[&dyn Rows]) -> Told {
    let place = Place { plan, states, seed: bench.seed };
    place.told(twins).unwrap_or_else(|error| Told { fault: Some(error.to_string()), ..Told::default() })
}

/// The states of all prompts at one place.
struct Place<'a> {
    plan: &'a Probing,
    states: &'a dyn Rows,
    seed: u64,
}

impl Place<'_> {
    fn told(&self, twins: &[&dyn Rows]) -> Result<Told, DecodeError> {
        let samples = &self.plan.probed.samples;
        let labels = &samples.labels;
        let held = self.held(self.states, &[labels], &samples.splits)?.swap_remove(0);
        let mixed = self.mixed()?;
        let mut random = vec![0.0; if twins.is_empty() { 0 } else { labels.count() }];
        for twin in twins {
            let told = self.held(*twin, &[labels], &samples.splits)?[0].right();
            random.iter_mut().zip(told).for_each(|(sum, right)| *sum += right / twins.len() as f64);
        }
        Ok(Told {
            calibration: held.calibration_error(BINS),
            log_odds: (0..labels.classes()).map(|class| held.log_odds(class)).collect(),
            bits: held.item_bits(),
            mixed: mixed[0].right(),
            control: mean(&mixed[1..].iter().map(Held::right).collect::<Vec<_>>()),
            hidden: self.hidden()?,
            sparse: self.sparse()?,
            compression: self.compression(),
            chance: self.chance(most(held.penalties()))?,
            right: held.right(),
            random,
            fault: None,
        })
    }

    fn training<'f, F: Family>(&'f self, family: &'f F, penalties: &'f [f64]) -> Training<'f, F> {
        let design = Design::Groups(&self.plan.probed.samples.groups);
        Training { family, penalties, design, folds: INNER, seed: self.seed }
    }

    fn held(&self, rows: &dyn Rows, labels: &[&Labels], splits: &[Split]) -> Result<Vec<Held>, DecodeError> {
        held_out(rows, labels, splits, &self.training(&Logistic::default(), &self.plan.penalties))
    }

    /// The task and its controls, in splits by prompt.
    fn mixed(&self) -> Result<Vec<Held>, DecodeError> {
        let samples = &self.plan.probed.samples;
        let labels: Vec<&Labels> = std::iter::once(&samples.labels).chain(&samples.controls).collect();
        // the smallest penalty for each: the control is to be learnt as well as it can be
        let penalty = self.plan.penalties.iter().copied().fold(f64::INFINITY, f64::min);
        let (family, penalties) = (Logistic::default(), [penalty]);
        let training = Training { design: Design::Items, ..self.training(&family, &penalties) };
        held_out(self.states, &labels, &samples.mixed, &training)
    }

    fn hidden(&self) -> Result<Vec<f64>, DecodeError> {
        if self.plan.hidden == 0 {
            return Ok(Vec::new());
        }
        let family = Hidden { width: self.plan.hidden, seed: self.seed, ..Hidden::default() };
        let penalty = if let [only] = self.plan.penalties[..] { only } else { PENALTY };
        let samples = &self.plan.probed.samples;
        let penalties = [penalty];
        let training = self.training(&family, &penalties);
        Ok(held_out(self.states, &[&samples.labels], &samples.splits, &training)?[0].right())
    }

    fn sparse(&self) -> Result<Vec<Vec<f64>>, DecodeError> {
        let (samples, family) = (&self.plan.probed.samples, Logistic::default());
        let training = self.training(&family, &self.plan.penalties);
        let found = sparse(self.states, &samples.labels, &samples.splits, &self.plan.sparse, Choice::Anova, &training)?;
        Ok(found.iter().map(|sparse| sparse.held.right()).collect())
    }

    /// None where the draw leaves a class to the last portion.
    fn compression(&self) -> Option<f64> {
        let family = Logistic::default();
        let training = self.training(&family, &self.plan.penalties);
        let code = online_code(self.states, &self.plan.probed.samples.labels, &PORTIONS, &training, self.seed);
        code.ok().map(|code| code.compression())
    }

    /// Accuracies with shuffled labels, under the penalty that the true ones chose: choosing one for each shuffle costs ten times
    /// as much, and leaves it at chance as well.
    fn chance(&self, penalty: f64) -> Result<Vec<f64>, DecodeError> {
        let (samples, family, penalties) = (&self.plan.probed.samples, Logistic::default(), [penalty]);
        let training = self.training(&family, &penalties);
        let null = nulls(self.plan, self.seed)?;
        let mut accuracies = Vec::new();
        let learnable: Vec<&Labels> = null.iter().filter(|labels| is_learnable(labels, &samples.splits)).collect();
        for some in learnable.chunks(TOGETHER) {
            accuracies.extend(held_out(self.states, some, &samples.splits, &training)?.iter().map(Held::accuracy));
        }
        Ok(accuracies)
    }
}

/// The value that stands most often, of equals the larger.
fn most(values: &[f64]) -> f64 {
    let often = |value: &f64| values.iter().filter(|other| *other == value).count();
    let found = values.iter().max_by(|a, b| often(a).cmp(&often(b)).then(a.total_cmp(b)));
    found.copied().unwrap_or(PENALTY)
}

/// Shuffles of labels: of whole groups that are kept apart where each has one label, else of whole words, else of prompts.
fn nulls(plan: &Probing, seed: u64) -> Result<Vec<Labels>, DecodeError> {
    let samples = &plan.probed.samples;
    let draw = |exchange: Exchange| shuffled(&samples.labels, exchange, plan.shuffles, seed);
    draw(Exchange::Between(&samples.groups))
        .or_else(|_| draw(Exchange::Between(&samples.word)))
        .or_else(|_| draw(Exchange::Items))
}

/// Whether a split leaves something of every class to learn from.
fn is_learnable(labels: &Labels, splits: &[Split]) -> bool {
    splits.iter().all(|split| labels.counts(&split.train).iter().all(|count| *count > 0))
}

/// The mean of several lists, place by place; nothing of none.
fn mean(lists: &[Vec<f64>]) -> Vec<f64> {
    let Some(first) = lists.first() else { return Vec::new() };
    (0..first.len()).map(|place| lists.iter().map(|list| list[place]).sum::<f64>() / lists.len() as f64).collect()
}
