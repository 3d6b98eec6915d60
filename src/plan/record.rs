//! What is recorded, and where it goes: all of it in one file at the end, or rows in files as the run goes on.

use super::{Known, Problems, Step, sites, spots};
use crate::model::shape;
use crate::precision::Precision;
use crate::site::{Layout, Site};
use crate::spec::{Experiment, Shards, Sites, Spot};
use crate::states::Kept;

/// What a file of states holds at the most where nobody says it: soon read through, and few enough files.
const SIZE: u64 = 64 << 20;

/// Files of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// What a row has: sites, then gradients.
    pub states: Vec<Kept>,
    /// The numbers that states are kept in.
    pub numbers: Precision,
    /// Bytes that a file holds at the most, unless a single item is more.
    pub size: u64,
    /// The positions that are kept of each item.
    pub positions: Vec<Vec<usize>>,
}

impl Filed {
    /// Bytes of a row.
    pub fn row(&self) -> u64 {
        let number = if self.numbers.is_half() { 2 } else { 4 };
        self.states.iter().map(|kept| kept.numbers() as u64 * number).sum()
    }

    /// Bytes of the item that takes the most.
    pub fn item(&self) -> u64 {
        self.positions.iter().map(|positions| positions.len() as u64 * self.row()).max().unwrap_or(0)
    }
}

/// What a recording asks for.
pub(super) struct Asked<'a> {
    pub(super) sites: &'a Sites,
    pub(super) gradients: &'a Sites,
    pub(super) spots: &'a [Spot],
    pub(super) shards: Option<Shards>,
}

pub(super) fn resolve(
    at: &str,
    asked: &Asked,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Step> {
    let gradients = match asked.gradients {
        Sites::Named(names) if names.is_empty() => Vec::new(),
        some => sites::all_sites(&format!("{at}.gradients"), some, known, problems),
    };
    let sites = sites::all_sites(&format!("{at}.sites"), asked.sites, known, problems);
    let spotted = format!("{at}.at");
    spots::check(&spotted, asked.spots, known, problems);
    let filed = match asked.shards {
        Some(shards) => {
            let fields = [("sites", &sites), ("gradients", &gradients)];
            fields.iter().for_each(|(field, sites)| rows(&format!("{at}.{field}"), sites, problems));
            Some(filed(at, shards, asked.spots, (&sites, &gradients), experiment, known, problems))
        }
        None if !asked.spots.is_empty() => {
            problems.add(&spotted, "single positions are kept as rows in files; write `shards: ()` too");
            None
        }
        None => None,
    };
    Some(Step::Record { sites, gradients, filed })
}

/// A pattern is as wide as its prompt is long, so that rows of it make no matrix.
fn rows(at: &str, sites: &[Site], problems: &mut Problems) {
    if let Some(site) = sites.iter().find(|site| site.layout() == Layout::Pattern) {
        let what = format!("`{}` is as wide as a prompt is long, which no rows in files are", site.kind());
        problems.add(at, what + "; name the sites without it, or leave out `shards`");
    }
}

fn filed(
    at: &str,
    Shards { size, numbers }: Shards,
    spots: &[Spot],
    (sites, gradients): (&[Site], &[Site]),
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Filed {
    if numbers == Precision::F64 {
        problems.add(&format!("{at}.shards.numbers"), "states are kept in F32, F16 or Bf16; what F64 adds is rounding");
    }
    let kept = |name: String, site: &Site| Kept { name, shape: shape(known.dims(), *site, 1, 1)[2..].to_vec() };
    let states = sites.iter().map(|site| kept(site.to_string(), site));
    let slopes = gradients.iter().map(|site| kept(format!("grad.{site}"), site));
    let positions = |item: &super::Item| match spots {
        [] => (0..item.clean.len()).collect(),
        some => spots::all(some, item),
    };
    let share = experiment.memory.map_or(SIZE, |memory| SIZE.min(memory.0 / 8));
    Filed {
        states: states.chain(slopes).collect(),
        numbers,
        size: size.map_or(share, |size| size.0),
        positions: known.items.iter().map(positions).collect(),
    }
}
