//! Lesions: sets of units that are replaced, as conditions under which questions are asked.

use crate::hook::{Activation, Hook, Replace};
use crate::method::Bench;
use crate::method::catalogue::{Catalogue, Part, states};
use crate::method::heard::{Batch, Conditions, batches};
use crate::model::{HookError, Model};
use crate::plan::{Question, Task};
use crate::site::Site;
use crate::spec::Ablation;
use crate::tensor::{Tensor, cast, from_doubles, widen};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// States by site.
type Held = BTreeMap<Site, Activation>;

/// What one kind of lesion puts in the place of units.
pub struct Stand<'a> {
    model: &'a dyn Model,
    catalogue: &'a Catalogue,
    with: Ablation,
    means: Held,
    seed: u64,
}

impl<'a> Stand<'a> {
    /// Of a kind; means are over all positions of all questions.
    pub fn new(bench: &Bench<'a>, catalogue: &'a Catalogue, with: Ablation, tasks: &[Task]) -> Result<Self, HookError> {
        let means = match with {
            Ablation::Mean => means(bench, &catalogue.sites(), tasks)?,
            _ => Held::new(),
        };
        Ok(Stand { model: bench.model, catalogue, with, means, seed: bench.seed })
    }

    /// What stands in at a site, each axis full or 1; the donors' states where these stand in.
    fn value(&self, site: Site, donors: Option<&Held>) -> Activation {
        match (self.with, donors) {
            (Ablation::Resample, Some(donors)) => donors[&site].clone(),
            (Ablation::Mean, _) => self.means[&site].clone(),
            _ => from_doubles(vec![0.0], [1, 1, 1, 1], &self.model.setting()),
        }
    }
}

/// Sets of units, each replaced together.
pub struct Lesions<'a> {
    /// By what.
    pub stand: &'a Stand<'a>,
    /// The numbers of the units of each.
    pub sets: Vec<Vec<usize>>,
}

impl Conditions for Lesions<'_> {
    type Ready = Option<Held>;

    fn count(&self) -> usize {
        self.sets.len()
    }

    fn changes(&self, condition: usize) -> bool {
        !self.sets[condition].is_empty()
    }

    fn ready(&self, batch: &Batch) -> Result<Option<Held>, HookError> {
        if self.stand.with != Ablation::Resample {
            return Ok(None);
        }
        let donors = donors(batch.task, self.stand.seed);
        let donors: Vec<&Question> = batch.own.iter().map(|own| &batch.task.questions[donors[*own]]).collect();
        Ok(Some(states(self.stand.model, &donors, &self.stand.catalogue.sites())?.into_kept()))
    }

    fn hook(&self, ready: &Option<Held>, batch: &Batch, conditions: &[usize]) -> impl Hook {
        let sets = conditions.iter().map(|condition| self.sets[*condition].as_slice());
        let rows: Vec<&[usize]> = sets.flat_map(|set| std::iter::repeat_n(set, batch.own.len())).collect();
        let site = |part: &Part| {
            let mask = part.mask(&rows, &self.stand.model.setting())?;
            let value = self.stand.value(part.site, ready.as_ref());
            let several = value.dims()[0] == batch.own.len() && conditions.len() > 1;
            let value = if several { Tensor::cat(vec![value; conditions.len()], 0) } else { value };
            Some((part.site, (mask, value)))
        };
        Replace::new(self.stand.catalogue.parts.iter().filter_map(site).collect())
    }
}

/// Means over all positions of the questions of all tasks, `[1, head, 1, width]`.
fn means(bench: &Bench, sites: &[Site], tasks: &[Task]) -> Result<Held, HookError> {
    let all: Vec<&Question> = tasks.iter().flat_map(|task| &task.questions).collect();
    let mut sums = Held::new();
    for batch in batches(&all, bench.rows) {
        let some: Vec<&Question> = batch.iter().map(|index| all[*index]).collect();
        for (site, state) in states(bench.model, &some, sites)?.into_kept() {
            let sum = widen(state).sum_dim(0).sum_dim(2);
            let sum = match sums.remove(&site) {
                Some(sofar) => sofar + sum,
                None => sum,
            };
            sums.insert(site, sum);
        }
    }
    let count: usize = all.iter().map(|question| question.tokens.len()).sum();
    let precision = bench.model.setting().precision;
    Ok(sums.into_iter().map(|(site, sum)| (site, cast(sum / count as f64, precision))).collect())
}

/// For every question one of another pair with as many tokens, clean or corrupted by chance: pairs in random cycles.
fn donors(task: &Task, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for item in 0..task.items.len() {
        by_length.entry(task.questions[2 * item].tokens.len()).or_default().push(item);
    }
    let mut donors = vec![0; task.questions.len()];
    for items in by_length.values_mut() {
        items.shuffle(&mut random);
        for (place, item) in items.iter().enumerate() {
            let next = items[(place + 1) % items.len()];
            for question in [2 * item, 2 * item + 1] {
                donors[question] = 2 * next + usize::from(random.random_bool(0.5));
            }
        }
    }
    donors
}
