//! Which units are lesioned: those that a half of the questions picks, those of a shuffled contrast, and random ones.

use crate::method::catalogue::Catalogue;
use crate::plan::{Localising, Task};
use crate::spec::Units;
use ndarray::{Array2, ArrayView2, s};
use patchclamp_probes::unit::{Found, Localiser};
use rand::seq::{SliceRandom, index};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The units of one task that one half picks.
pub struct Pick {
    /// The strongest first, site by site where each has a number of its own.
    pub found: Vec<Found>,
    /// As many of the same sites by a contrast without sense: clean and corrupted exchanged in half of the observations.
    pub shuffled: Vec<usize>,
    /// As many of the same sites by chance, draw by draw.
    pub random: Vec<Vec<usize>>,
}

impl Pick {
    /// The numbers of the units that are picked, in order.
    pub fn units(&self) -> Vec<usize> {
        let mut units: Vec<usize> = self.found.iter().map(|found| found.unit).collect();
        units.sort_unstable();
        units
    }
}

/// What a half of a task picks.
pub struct Picker<'a> {
    /// What is asked for.
    pub plan: &'a Localising,
    /// The units.
    pub catalogue: &'a Catalogue,
}

impl Picker<'_> {
    /// The pick of `half` of a task by its `responses` `[question, unit]`; a seed for its shuffles, and one for units by chance.
    pub fn pick(&self, task: &Task, responses: &Array2<f64>, half: usize, seeds: [u64; 2]) -> Pick {
        let mut random = ChaCha8Rng::seed_from_u64(seeds[0]);
        let chooses: Vec<bool> = (0..responses.nrows()).map(|question| task.half(question) == half).collect();
        let has: Vec<bool> = (0..responses.nrows()).map(Task::has).collect();
        let found = self.strongest(responses, &has, &chooses, &self.asked(), self.plan.false_discoveries);
        let counts = self.counts(&found.iter().map(|found| found.unit).collect::<Vec<_>>());
        let each = Among::Each(counts.clone());
        let turned = turned(task, &has, &mut random);
        let shuffled = self.strongest(responses, &turned, &chooses, &each, 1.0);
        // of a task's halves alike, where they pick as many units of each site: what they pick overlaps too
        let mut random = ChaCha8Rng::seed_from_u64(seeds[1]);
        let draws = (0..self.plan.random).map(|_| self.draw(&counts, &mut random)).collect();
        Pick { found, shuffled: shuffled.into_iter().map(|found| found.unit).collect(), random: draws }
    }

    fn asked(&self) -> Among {
        let share = |count: usize, share: f64| ((count as f64 * share).round() as usize).max(1);
        let parts = || self.catalogue.parts.iter().map(|part| part.units().len());
        match self.plan.units {
            Units::Count(count) => Among::All(count),
            Units::Share(of) => Among::All(share(self.catalogue.count(), of)),
            Units::CountPerLayer(count) => Among::Each(parts().map(|_| count).collect()),
            Units::SharePerLayer(of) => Among::Each(parts().map(|units| share(units, of)).collect()),
        }
    }

    /// The strongest units; none where responses are not numbers.
    fn strongest(
        &self,
        responses: &Array2<f64>,
        has: &[bool],
        chooses: &[bool],
        among: &Among,
        false_discoveries: f64,
    ) -> Vec<Found> {
        let find = |responses: ArrayView2<f64>, units: usize| {
            let localiser = Localiser { units, prefers: self.plan.prefers, false_discoveries };
            localiser.find(responses, has, chooses).unwrap_or_default()
        };
        match among {
            Among::All(units) => find(responses.view(), *units),
            Among::Each(counts) => {
                let parts = self.catalogue.parts.iter().zip(counts).filter(|(_, count)| **count > 0);
                let of_part = |units: std::ops::Range<usize>, count: usize| {
                    let found = find(responses.slice(s![.., units.clone()]), count);
                    found.into_iter().map(move |found| Found { unit: found.unit + units.start, ..found })
                };
                parts.flat_map(|(part, count)| of_part(part.units(), *count)).collect()
            }
        }
    }

    /// How many of some units each site has.
    fn counts(&self, units: &[usize]) -> Vec<usize> {
        let within = |part: std::ops::Range<usize>| units.iter().filter(|unit| part.contains(unit)).count();
        self.catalogue.parts.iter().map(|part| within(part.units())).collect()
    }

    /// So many units of each site by chance.
    pub fn draw(&self, counts: &[usize], random: &mut impl Rng) -> Vec<usize> {
        let parts = self.catalogue.parts.iter().zip(counts);
        let mut units: Vec<usize> = parts
            .flat_map(|(part, count)| {
                let drawn = index::sample(random, part.units().len(), *count).into_vec();
                drawn.into_iter().map(|unit| part.units().start + unit).collect::<Vec<_>>()
            })
            .collect();
        units.sort_unstable();
        units
    }

    /// Units by chance, as many of each site as `like` has.
    pub fn alike(&self, like: &[usize], random: &mut impl Rng) -> Vec<usize> {
        self.draw(&self.counts(like), random)
    }
}

/// Among which units the strongest are looked for, and how many.
enum Among {
    All(usize),
    Each(Vec<usize>),
}

/// Which prompts count as having the feature, exchanged in a random half of the observations.
fn turned(task: &Task, has: &[bool], random: &mut impl Rng) -> Vec<bool> {
    let mut turned = has.to_vec();
    for half in 0..2 {
        // half of each half, so that what picks is shuffled as much as what is held out
        let mut own: Vec<&Vec<usize>> =
            task.observations.iter().filter(|items| task.halves[items[0]] == half).collect();
        own.shuffle(random);
        for item in own.iter().take(own.len() / 2).copied().flatten() {
            [2 * item, 2 * item + 1].into_iter().for_each(|question| turned[question] = !has[question]);
        }
    }
    turned
}
