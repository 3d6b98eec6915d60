//! Concepts scrubbed: streams one after the other, each taught as the erasures before have left it.

use crate::hook::{Change, Edit, Edits, Record};
use crate::method::along::{drawn, eraser};
use crate::method::{Bench, Side};
use crate::model::{HookError, Pass, Read, run};
use crate::site::{Place, Site};
use crate::spec::Erasure;
use crate::tensor::{Setting, to_doubles};
use ndarray::{Array1, Array2};
use patchclamp_probes::erase::{Eraser, Moments};

/// What takes the concept out of each stream, in the order of the pass.
pub type Erasers = Vec<(Site, Eraser)>;

/// How many directions are taken out of each stream, by its name, and why none could be found where that failed.
pub type Ranks = Vec<(String, usize, Option<String>)>;

/// Teaches by the items of a bench; `spots` are the positions of each item whose states teach.
pub fn taught(
    bench: &Bench,
    (sites, with): (&[Site], Erasure),
    spots: &[&Vec<usize>],
) -> Result<(Erasers, Ranks), HookError> {
    let (mut found, mut ranks) = (Erasers::new(), Ranks::new());
    for site in sites {
        let (states, classes) = states(bench, *site, &edits(&found, bench), spots)?;
        let width = states.ncols();
        let moments = Moments::of_classes(states.view(), &classes, 2);
        let nothing = || Eraser::orthogonal(Array2::zeros((0, width)), Array1::zeros(width));
        let own = moments.and_then(|moments| eraser(&moments, states.view(), &classes, with));
        let why = own.as_ref().err().map(ToString::to_string);
        let own = own.unwrap_or_else(|_| nothing());
        ranks.push((site.to_string(), own.rank(), why));
        found.push((*site, own));
    }
    Ok((found, ranks))
}

/// The states of a stream at the spots, corrupted prompts as class 0 and clean ones as class 1.
fn states(
    bench: &Bench,
    site: Site,
    edits: &[Edit],
    spots: &[&Vec<usize>],
) -> Result<(Array2<f64>, Vec<usize>), HookError> {
    let (mut values, mut classes) = (Vec::new(), Vec::new());
    let width = bench.model.dims().d_model;
    for items in bench.batches(bench.rows) {
        for (class, side) in [Side::Corrupt, Side::Clean].into_iter().enumerate() {
            let mut hook = (Edits::new(edits.to_vec()), Record::of([site]));
            let nothing = Read { positions: Some(vec![0; items.len()]), tokens: Some(vec![vec![0]; items.len()]) };
            run(bench.model, &Pass::whole(&bench.tokens(&items, side)).reading(nothing), &mut hook)?;
            let state = hook.1.at(site).expect("the pass was asked to show it");
            let [_, _, positions, _] = state.dims();
            let state = to_doubles(state);
            for (row, item) in items.iter().enumerate() {
                for spot in spots[*item] {
                    let first = (row * positions + spot) * width;
                    values.extend_from_slice(&state[first..first + width]);
                    classes.push(class);
                }
            }
        }
    }
    let count = classes.len();
    Ok((Array2::from_shape_vec((count, width), values).expect("a row of this width each"), classes))
}

/// Erasers as edits at every position; one that is no map of numbers does nothing.
pub fn edits(erasers: &Erasers, bench: &Bench) -> Vec<Edit> {
    let setting = Setting::of(&bench.model.block(0).attention.out.weight);
    let edit = |(site, eraser): &(Site, Eraser)| {
        let affine = eraser.affine().ok().filter(|_| eraser.rank() > 0)?;
        Some(Edit { place: Place::all(*site), change: Change::map(&affine, &setting) })
    };
    erasers.iter().filter_map(edit).collect()
}

/// As many directions by chance at each stream.
pub fn by_chance(erasers: &Erasers, seed: u64) -> Erasers {
    let one =
        |(number, (site, eraser)): (usize, &(Site, Eraser))| (*site, drawn(eraser, seed.wrapping_add(number as u64)));
    erasers.iter().enumerate().map(one).collect()
}
