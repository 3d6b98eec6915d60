//! The tuned lens: the streams, and the items that it is tested on.

use super::das::{check_count, check_precision};
use super::held_out::{self, Parts};
use super::pruning::check_rate;
use super::sites::lens_sites;
use super::{Known, Problems};
use crate::site::Site;
use crate::spec;

/// Translators to be learned.
#[derive(Clone, Debug, PartialEq)]
pub struct TunedLens {
    /// The streams.
    pub sites: Vec<Site>,
    /// Steps of each fit.
    pub steps: usize,
    /// How far the first one goes.
    pub rate: f64,
    /// Positions a step.
    pub batch: usize,
    /// What is learned from, and what it is tested on.
    pub parts: Parts,
}

/// The lens, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &spec::TunedLens,
    seed: u64,
    known: &Known,
    problems: &mut Problems,
) -> Option<TunedLens> {
    let before = problems.count();
    check_precision(at, known, problems);
    let sites = lens_sites(&format!("{at}.sites"), asked.sites.as_ref(), known, problems);
    check_count(&format!("{at}.steps"), asked.steps, problems);
    check_count(&format!("{at}.batch"), asked.batch, problems);
    check_rate(&format!("{at}.learning_rate"), asked.learning_rate, problems);
    let parts = held_out::resolve(&format!("{at}.held_out"), &asked.held_out, seed, known, problems)?;
    let (steps, rate, batch) = (asked.steps, asked.learning_rate, asked.batch);
    (problems.count() == before).then_some(TunedLens { sites, steps, rate, batch, parts })
}
