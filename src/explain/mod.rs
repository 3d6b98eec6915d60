//! The same forward pass in two settings: how far they are apart at every site, in the order of the pass, and where
//! that begins to be more than rounding.
//!
//! *What it measures.* At each site the largest |difference| of two passes over the same prompts, its place, and its share
//! of the largest |value| there. It begins at the first site where that share is more than [`rounding`] makes.
//!
//! *What it cannot show.* Which of the two is right; a fault that is smaller than rounding.
//!
//! *Reference.* Higham & Mary 2019, "A new approach to probabilistic rounding error analysis", for what rounding makes.

mod largest;
mod reference;

pub use largest::{At, Largest};
pub use reference::{Reference, ReferenceError};

use crate::hook::{Activation, Record};
use crate::method::record::laid_out;
use crate::model::{HookError, Model, Pass, Read, run};
use crate::precision::Precision;
use crate::site::Site;
use crate::tensor::to_doubles;
use crate::text::Tokens;
use serde::Serialize;
use std::collections::BTreeMap;

/// Prompts at a time: every state of both passes is in memory at once, as f64.
const ROWS: usize = 8;

/// What a pass is held against.
pub enum Against<'a> {
    /// Another model, device or precision; `Same` where the two share device and precision, so that they round alike.
    Model(&'a dyn Model, Rounding),
    /// States from a file.
    States(&'a Reference),
}

/// Whether two passes round at the same places in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// They do: any difference is one of weights or of wiring.
    Same,
    /// They do not.
    Own,
}

/// Two passes compared.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The site where the difference begins to be more than rounding.
    pub begins: Option<Site>,
    /// Every site that both have in one shape, in the order of the pass.
    pub sites: Vec<Compared>,
    /// Sites that only the first has.
    pub missing: Vec<String>,
    /// Sites, or other states, that only the second has.
    pub extra: Vec<String>,
    /// Sites of two shapes: the first's and the second's.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

/// A site in two passes.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The site.
    pub site: Site,
    /// What is largest there.
    #[serde(flatten)]
    pub largest: Largest,
    /// The largest share of the site's values that rounding makes.
    pub rounding: f64,
}

impl Compared {
    /// Whether the passes differ here by more than rounding.
    pub fn is_more_than_rounding(&self) -> bool {
        // put so that what is not a number counts
        self.largest.difference != 0.0 && !matches!(self.largest.relative(), share if share <= self.rounding)
    }
}

/// The share of a site's largest value by which two passes may differ there when nothing but rounding sets them apart;
/// `sites` is how many the pass has reached.
///
/// N roundings after each other, each independently by at most a share u, the unit roundoff, make λ √N u, but for a
/// probability of 2 N exp(−λ²/2) (Higham & Mary 2019, theorem 2.4). Each site counts as one: sums are accumulated in blocks
/// or wider numbers, and what they add to is no larger than the site's largest value.
pub fn rounding(precision: Precision, sites: usize) -> f64 {
    LAMBDA * precision.roundoff() * (sites as f64).sqrt()
}

/// λ of [`rounding`]: three times what the most sensitive model of the tests needs (`tests/laws/explain.rs`), as deeper ones
/// hand more of a rounding on.
const LAMBDA: f64 = 10.0;

/// Compares the pass of `model` over `tokens` with another.
pub fn explain(model: &dyn Model, against: &Against, tokens: &Tokens) -> Result<Explanation, HookError> {
    let shared: Vec<Site> = model.sites().into_iter().filter(|site| against.has(*site)).collect();
    let mut found: BTreeMap<Site, Result<Largest, [Vec<usize>; 2]>> = BTreeMap::new();
    for rows in (0..tokens.rows()).collect::<Vec<_>>().chunks(ROWS) {
        let part = tokens.rows_at(rows);
        let own = states(model, &shared, &part)?;
        let other = against.states(&shared, &part, rows)?;
        for site in &shared {
            let ((shape, values), (shape_there, there)) = (&own[site], &other[site]);
            if shape != shape_there {
                found.insert(*site, Err([shape.clone(), shape_there.clone()]));
            } else if let Ok(sofar) = found.entry(*site).or_insert(Ok(Largest::default())) {
                sofar.take(*site, [values, there], shape, &part, rows[0]);
            }
        }
    }
    Ok(Explanation::new(model, against, found))
}

impl Explanation {
    fn new(model: &dyn Model, against: &Against, mut found: BTreeMap<Site, Result<Largest, [Vec<usize>; 2]>>) -> Self {
        let names = |sites: Vec<Site>| sites.iter().map(Site::to_string).collect::<Vec<_>>();
        let (own, theirs) = (names(model.sites()), against.names());
        let only = |a: &[String], b: &[String]| a.iter().filter(|name| !b.contains(name)).cloned().collect();
        let (missing, extra) = (only(&own, &theirs), only(&theirs, &own));
        let (mut sites, mut shapes) = (Vec::new(), Vec::new());
        for (reached, site) in model.sites().into_iter().enumerate() {
            let rounding = against.rounding(model, reached + 1);
            match found.remove(&site) {
                Some(Ok(largest)) => sites.push(Compared { site, largest, rounding }),
                Some(Err([own, other])) => shapes.push((site.to_string(), own, other)),
                None => {}
            }
        }
        let begins = sites.iter().find(|compared| compared.is_more_than_rounding()).map(|compared| compared.site);
        Explanation { begins, sites, missing, extra, shapes }
    }

    /// The site of the largest difference.
    pub fn largest(&self) -> Option<&Compared> {
        // the first of them, and what is not a number before all
        let size = |compared: &Compared| compared.largest.difference;
        self.sites.iter().reduce(|most, next| if size(next).total_cmp(&size(most)).is_gt() { next } else { most })
    }
}

/// States of a chunk in the layout of files, by site.
type States = BTreeMap<Site, (Vec<usize>, Vec<f64>)>;

impl Against<'_> {
    fn has(&self, site: Site) -> bool {
        match self {
            Against::Model(model, _) => model.sites().contains(&site),
            Against::States(reference) => reference.state(site).is_some(),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Against::Model(model, _) => model.sites().iter().map(Site::to_string).collect(),
            Against::States(reference) => reference.names(),
        }
    }

    fn states(&self, sites: &[Site], tokens: &Tokens, rows: &[usize]) -> Result<States, HookError> {
        match self {
            Against::Model(model, _) => states(*model, sites, tokens),
            Against::States(reference) => {
                let state = |site: &Site| Some((*site, reference.state(*site)?.rows(rows)));
                Ok(sites.iter().filter_map(state).collect())
            }
        }
    }

    /// What rounding makes at a site, as the coarser of the two computes.
    fn rounding(&self, model: &dyn Model, sites: usize) -> f64 {
        let own = model.setting().precision;
        let coarser = |other: Precision| if own.roundoff() > other.roundoff() { own } else { other };
        match self {
            Against::Model(_, Rounding::Same) => 0.0,
            Against::Model(other, Rounding::Own) => rounding(coarser(other.setting().precision), sites),
            // states without a word on how they were computed: in f32, as most are
            Against::States(_) => rounding(coarser(Precision::F32), sites),
        }
    }
}

fn states(model: &dyn Model, sites: &[Site], tokens: &Tokens) -> Result<States, HookError> {
    let mut record = Record::of(sites.iter().copied());
    let nothing = Read { positions: Some(vec![0; tokens.rows()]), tokens: Some(vec![vec![0]; tokens.rows()]) };
    run(model, &Pass::whole(tokens).reading(nothing), &mut record)?;
    let arranged = |(site, state): (Site, Activation)| {
        let (shape, state) = laid_out(site, &state);
        (site, (shape, to_doubles(&state)))
    };
    Ok(record.into_kept().into_iter().map(arranged).collect())
}
