//! Attribution patching: whether what is asked can be estimated.

use super::cells::{check_once, resolve as cells};
use super::circuit::check_integration;
use super::{Known, Problems, Sweep};
use crate::site::Site;
use crate::spec::{Axis, Direction, Estimate, Fix, Only, Sites};

/// What is asked of attribution patching.
pub(super) struct Asked<'a> {
    /// Where.
    pub sites: &'a Sites,
    /// What the sweep goes over.
    pub over: &'a [Axis],
    /// Indices that it keeps to.
    pub only: &'a Only,
    /// How effects are estimated.
    pub score: &'a Estimate,
    /// Which run is patched into which.
    pub direction: Direction,
}

/// Patches whose effects are estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The places.
    pub sweep: Sweep,
    /// How effects are estimated.
    pub score: Estimate,
    /// Which run is patched into which.
    pub direction: Direction,
}

/// The patches, or what is wrong with them.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Attribution> {
    let before = problems.count();
    let sweep = cells(at, asked.sites, asked.over, asked.only, known, problems);
    if known.model.setting().precision.is_half() {
        problems.add(
            at,
            "gradients are computed in F32 or F64 only; half precision rounds small ones to zero; use `precision: F32`",
        );
    }
    match asked.score {
        Estimate::AtP => {}
        Estimate::AtPIg { steps } => check_integration(at, *steps, problems),
        Estimate::AtPStar { fixes } => check_fixes(&format!("{at}.score.fixes"), fixes, known, problems),
    }
    let sweep = sweep?;
    let attribution = Attribution { sweep, score: asked.score.clone(), direction: asked.direction };
    if let Some(site) = attribution.cut_up() {
        let what = format!("`{site}` goes through the pattern as a whole; leave its neurons together, or write AtP");
        problems.add(&format!("{at}.over"), what);
    }
    (problems.count() == before).then_some(attribution)
}

fn check_fixes(at: &str, fixes: &[Fix], known: &Known, problems: &mut Problems) {
    check_once(at, fixes, problems);
    if fixes.is_empty() {
        problems.add(at, "is empty; write AtP for the plain estimate, or name Attention or GradDrop");
    }
    if fixes.contains(&Fix::GradDrop) && known.dims().layers < 2 {
        problems.add(at, "GradDrop drops one layer after the other, and this model has one alone; write [Attention]");
    }
}

impl Attribution {
    /// Whether the effect of a site goes through a pattern that is computed anew.
    pub fn through_pattern(&self, site: Site) -> bool {
        let reads = matches!(site, Site::Query(_) | Site::RotQuery(_) | Site::Key(_) | Site::RotKey(_));
        reads && self.score.has(Fix::Attention)
    }

    /// A site of which single neurons are asked for, where the pattern needs all of them.
    fn cut_up(&self) -> Option<Site> {
        let parts = self.sweep.cells.iter().flat_map(|cell| cell.places(None));
        parts
            .into_iter()
            .find(|place| place.neurons.is_some() && self.through_pattern(place.site))
            .map(|place| place.site)
    }
}
