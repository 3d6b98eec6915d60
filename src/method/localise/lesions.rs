//! Lesions: questions asked again with units replaced.

use super::catalogue::{Catalogue, states};
use crate::hook::{Activation, Replace};
use crate::method::Bench;
use crate::method::heard::{Heard, Said, batches};
use crate::model::{HookError, Model};
use crate::plan::{Question, Task};
use crate::site::Site;
use crate::spec::Ablation;
use crate::steps::{RunError, Steps};
use crate::tensor::{Tensor, cast, from_doubles, widen};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// What one kind of lesion puts in the place of units.
pub struct Stand<'a> {
    catalogue: &'a Catalogue,
    with: Ablation,
    means: BTreeMap<Site, Activation>,
}

/// What a task's questions say: left alone, and under each set of units.
pub struct Outcomes {
    /// `[question]`.
    pub alone: Vec<Said>,
    /// `[set][question]`.
    pub lesioned: Vec<Vec<Said>>,
}

impl<'a> Stand<'a> {
    /// Of a kind; means are over all positions of all questions.
    pub fn new(bench: &Bench, catalogue: &'a Catalogue, with: Ablation, tasks: &[Task]) -> Result<Self, HookError> {
        let means = match with {
            Ablation::Mean => means(bench, &catalogue.sites(), tasks)?,
            _ => BTreeMap::new(),
        };
        Ok(Stand { catalogue, with, means })
    }

    /// What stands in at a site for questions of one length, each axis full or 1; the donors' states where these stand in.
    fn value(&self, site: Site, donors: &Option<BTreeMap<Site, Activation>>, model: &dyn Model) -> Activation {
        match (self.with, donors) {
            (Ablation::Resample, Some(donors)) => donors[&site].clone(),
            (Ablation::Mean, _) => self.means[&site].clone(),
            _ => from_doubles(vec![0.0], [1, 1, 1, 1], &model.setting()),
        }
    }

    /// The hook that gives each copy of `questions` rows a set of units that are replaced.
    fn hook(
        &self,
        sets: &[&[usize]],
        questions: usize,
        donors: &Option<BTreeMap<Site, Activation>>,
        model: &dyn Model,
    ) -> Replace {
        let rows: Vec<&[usize]> = sets.iter().flat_map(|set| std::iter::repeat_n(*set, questions)).collect();
        let site = |part: &super::catalogue::Part| {
            let mask = part.mask(&rows, &model.setting())?;
            let value = self.value(part.site, donors, model);
            let value = if value.dims()[0] > 1 { Tensor::cat(vec![value; sets.len()], 0) } else { value };
            Some((part.site, (mask, value)))
        };
        Replace::new(self.catalogue.parts.iter().filter_map(site).collect())
    }
}

/// Asks the questions of a task that stand in the other half than `half`, which picked the units of all `sets`.
pub fn held_out(
    bench: &Bench,
    task: &Task,
    half: usize,
    sets: &[&[usize]],
    stand: &Stand,
    steps: &mut Steps,
) -> Result<Outcomes, RunError> {
    let count = task.questions.len();
    let own: Vec<usize> = (0..count).filter(|question| task.half(*question) != half).collect();
    let questions: Vec<&Question> = own.iter().map(|question| &task.questions[*question]).collect();
    let donors = donors(task, bench.seed);
    let mut found =
        Outcomes { alone: vec![Said::default(); count], lesioned: vec![vec![Said::default(); count]; sets.len()] };
    for batch in batches(&questions, (bench.rows / 2).max(1)) {
        let asked: Vec<&Question> = batch.iter().map(|index| questions[*index]).collect();
        let from: Vec<&Question> = batch.iter().map(|index| &task.questions[donors[own[*index]]]).collect();
        let said = steps.step(asked.len() * sets.len(), || ask(bench, &asked, &from, sets, stand))?;
        let Some(mut said) = said else { continue };
        let lesioned = said.split_off(1);
        let spread = |all: &mut [Said], said: &[Said]| {
            batch.iter().zip(said).for_each(|(index, said)| all[own[*index]] = *said);
        };
        spread(&mut found.alone, &said[0]);
        found.lesioned.iter_mut().zip(&lesioned).for_each(|(all, said)| spread(all, said));
    }
    Ok(found)
}

/// What the questions of a batch say, alone and then under every set: `[1 + set][question]`. A set without units is not run.
fn ask(
    bench: &Bench,
    asked: &[&Question],
    donors: &[&Question],
    sets: &[&[usize]],
    stand: &Stand,
) -> Result<Vec<Vec<Said>>, HookError> {
    let (model, metric) = (bench.model, bench.metric);
    let donors = match stand.with {
        Ablation::Resample => Some(states(model, donors, &stand.catalogue.sites())?.into_kept()),
        _ => None,
    };
    let alone = Heard::of(model, metric, asked, &mut ())?;
    let plain = alone.beside(&alone);
    let mut said = vec![plain; 1 + sets.len()];
    let some: Vec<usize> = (0..sets.len()).filter(|set| !sets[*set].is_empty()).collect();
    for chunk in some.chunks((bench.rows / asked.len()).max(1)) {
        let own: Vec<&[usize]> = chunk.iter().map(|set| sets[*set]).collect();
        let rows: Vec<&Question> = chunk.iter().flat_map(|_| asked.iter().copied()).collect();
        let mut hook = stand.hook(&own, asked.len(), &donors, model);
        let heard = Heard::of(model, metric, &rows, &mut hook)?.beside(&alone);
        chunk.iter().zip(heard.chunks_exact(asked.len())).for_each(|(set, found)| said[1 + set] = found.to_vec());
    }
    Ok(said)
}

/// Means over all positions of the questions of all tasks, `[1, head, 1, width]`.
fn means(bench: &Bench, sites: &[Site], tasks: &[Task]) -> Result<BTreeMap<Site, Activation>, HookError> {
    let all: Vec<&Question> = tasks.iter().flat_map(|task| &task.questions).collect();
    let mut sums: BTreeMap<Site, Activation> = BTreeMap::new();
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
    for item in 0..task.items() {
        by_length.entry(task.questions[2 * item].tokens.len()).or_default().push(item);
    }
    let mut donors = vec![0; task.questions.len()];
    for items in by_length.values_mut() {
        items.shuffle(&mut random);
        for (place, item) in items.iter().enumerate() {
            let next = items[(place + 1) % items.len()];
            [2 * item, 2 * item + 1]
                .into_iter()
                .for_each(|question| donors[question] = 2 * next + usize::from(random.random_bool(0.5)));
        }
    }
    donors
}
