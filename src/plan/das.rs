//! Alignment search: the places, the sizes, and the items that it is tested on.

use super::cells::{self, Cell, Sweep, check_once};
use super::held_out::{self, Parts};
use super::pruning::check_rate;
use super::{Known, Problems};
use crate::model::shape;
use crate::site::{Layout, Site};
use crate::spec;
use crate::spec::{Boundless, Loss};

/// More steps, exchanges or draws than this are a slip of the pen.
const MOST: usize = 100_000;

/// Directions to be learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Das {
    /// Where: each cell is one site, and of a site with heads one head.
    pub sweep: Sweep,
    /// How many directions each fit learns.
    pub dimensions: Vec<usize>,
    /// The fit that learns how many.
    pub boundless: Option<Boundless>,
    /// Steps of each fit.
    pub steps: usize,
    /// How far the first one goes.
    pub rate: f64,
    /// Exchanges a step.
    pub batch: usize,
    /// What is made small.
    pub loss: Loss,
    /// What is learned from, and what it is tested on.
    pub parts: Parts,
    /// Random spans of each size.
    pub random: usize,
}

/// The search, or what is wrong with it.
pub(super) fn resolve(at: &str, asked: &spec::Das, seed: u64, known: &Known, problems: &mut Problems) -> Option<Das> {
    let before = problems.count();
    check_precision(at, known, problems);
    let sweep = cells::resolve(at, &asked.sites, &asked.over, &asked.only, known, problems);
    let places = sweep.as_ref().map_or(&[][..], |sweep| &sweep.cells);
    places.iter().for_each(|cell| check_place(at, cell, problems));
    let widths = places.iter().flat_map(|cell| &cell.sites).map(|site| (width(*site, known), *site));
    check_sizes(at, asked, widths.min(), problems);
    for (field, count) in [("steps", asked.steps), ("batch", asked.batch), ("random", asked.random)] {
        check_count(&format!("{at}.{field}"), count, problems);
    }
    check_rate(&format!("{at}.learning_rate"), asked.learning_rate, problems);
    let parts = held_out::resolve(&format!("{at}.held_out"), &asked.held_out, seed, known, problems);
    let das = Das {
        sweep: sweep?,
        dimensions: asked.dimensions.clone(),
        boundless: asked.boundless,
        steps: asked.steps,
        rate: asked.learning_rate,
        batch: asked.batch,
        loss: asked.loss,
        parts: parts?,
        random: asked.random,
    };
    (problems.count() == before).then_some(das)
}

/// Half precision rounds away what a step changes.
pub(super) fn check_precision(at: &str, known: &Known, problems: &mut Problems) {
    if known.model.setting().precision.is_half() {
        problems.add(
            at,
            "what a step of the fit changes is less than half precision rounds away; use `precision: F32` or F64",
        );
    }
}

/// At least one, and no slip of the pen.
pub(super) fn check_count(at: &str, count: usize, problems: &mut Problems) {
    if count == 0 || count > MOST {
        problems.add(at, format!("{count} is not between 1 and {MOST}"));
    }
}

/// Directions are of one vector.
fn check_place(at: &str, cell: &Cell, problems: &mut Problems) {
    let place = cell.place(cell.sites[0], None);
    if cell.sites.len() > 1 {
        let what = format!(
            "directions are learned for one layer at a time, and `{}` is a site of several; add Layer to `over`",
            cell.name
        );
        problems.add(&format!("{at}.over"), what);
    }
    match place.site.layout() {
        Layout::Pattern => {
            let what = format!(
                "`{}` is as wide as the prompt is long and has no directions; name a stream or what a head mixes",
                cell.name
            );
            problems.add(&format!("{at}.sites"), what);
        }
        Layout::Heads if place.heads.as_ref().is_none_or(|heads| heads.len() > 1) => {
            let what = format!(
                "directions are learned for one head at a time, and `{}` has several; add Head to `over`",
                cell.name
            );
            problems.add(&format!("{at}.over"), what);
        }
        _ => {}
    }
    if place.neurons.is_some() {
        problems.add(
            &format!("{at}.over"),
            "directions are of all neurons of a place; leave Neuron and `only.neurons` out",
        );
    }
}

fn width(site: Site, known: &Known) -> usize {
    shape(known.dims(), site, 1, 1).last().copied().unwrap_or(1)
}

/// How many directions there may be, `narrowest` being the place with the fewest.
fn check_sizes(at: &str, asked: &spec::Das, narrowest: Option<(usize, Site)>, problems: &mut Problems) {
    let field = format!("{at}.dimensions");
    check_once(&field, &asked.dimensions, problems);
    if asked.dimensions.is_empty() && asked.boundless.is_none() {
        problems.add(&field, "is empty; name at least one number, or write `boundless: (most: 16)`");
    }
    let Some((width, site)) = narrowest else { return };
    let fits = |count: usize| (1..=width).contains(&count);
    for count in asked.dimensions.iter().filter(|count| !fits(**count)) {
        problems.add(&field, format!("{count} directions; `{site}` has 1 to {width}"));
    }
    if let Some(Boundless { most, price }) = asked.boundless {
        if !fits(most) {
            problems.add(&format!("{at}.boundless.most"), format!("{most} directions; `{site}` has 1 to {width}"));
        }
        if !(price >= 0.0 && price.is_finite()) {
            problems.add(&format!("{at}.boundless.price"), format!("{price} is not 0 or above"));
        }
    }
}
