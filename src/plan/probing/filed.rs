//! States that a run has recorded to files: whether they are those of the prompts and places that a probe asks for.

use super::Probed;
use crate::data::Side;
use crate::plan::{Cell, DATA_HASH, Known, Problems, data_hash};
use crate::spec::{Concept, Experiment, ProbeSpec, Spot};
use crate::states::{States, StatesError, View};
use std::path::{Path, PathBuf};

/// States in files, and where each sample's lies.
pub struct Filed {
    /// Where the run's folder is.
    pub folder: PathBuf,
    states: States,
    /// The item and side of each sample.
    of: Vec<(usize, Side)>,
    /// Where states are taken, where a cell names no position.
    at: Spot,
}

impl Filed {
    /// The clean and the corrupted rows of a cell's site, where a sample is of such.
    ///
    /// # Errors
    /// Where that was not recorded.
    pub fn views(&self, cell: &Cell) -> Result<Vec<(Side, View<'_>)>, StatesError> {
        let spot = cell.position.map_or(self.at, Spot::Position);
        let asked = |side: &Side| self.of.iter().any(|(_, own)| own == side);
        let sides = [Side::Clean, Side::Corrupt].into_iter().filter(asked);
        let name = cell.sites[0].to_string();
        sides.map(|side| Ok((side, self.states.rows(&name, side, Some(spot), cell.head)?))).collect()
    }

    /// The item and side of each sample.
    pub fn samples(&self) -> &[(usize, Side)] {
        &self.of
    }

    /// The sums of the files, by which these states are known.
    pub fn sums(&self) -> impl Iterator<Item = &str> {
        self.states.index().files.iter().map(|file| file.sha256.as_str())
    }
}

/// The states, or what is wrong with them.
pub(super) fn resolve(
    at: &str,
    asked: &ProbeSpec,
    probed: &Probed,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Filed> {
    let before = problems.count();
    let mut wrong = |what: &str| problems.add(at, what);
    if !asked.used.is_empty() {
        wrong("are read from files, and no run can go on from them; leave out `used`");
    }
    if asked.random_models.unwrap_or(0) > 0 {
        wrong("are those of one model; leave out `random_models`");
    }
    if matches!(asked.of, Concept::Feature(_)) {
        wrong("are those of `data`, and a feature has prompts of its own; use of: Answer or of: Label(…)");
    }
    if probed.sweep.cells.iter().any(|cell| cell.sites.len() > 1 || cell.neuron.is_some()) {
        wrong("are read a site at a time; sweep over Layer, and not over Neuron");
    }
    if !asked.only.neurons.is_empty()
        || (!asked.only.heads.is_empty() && probed.sweep.cells.first().is_some_and(|cell| cell.head.is_none()))
    {
        wrong("are read whole; sweep over Head, and leave out only.neurons");
    }
    let folder = asked.states.clone()?;
    let found =
        States::open(&folder, None).and_then(|states| states.of_weights(known.loaded.hash.text()).map(|()| states));
    let states = found.map_err(|error| problems.add(at, error.to_string())).ok()?;
    if let Some(what) = other_prompts(&states, known).or_else(|| other_run(&folder, experiment, known)) {
        problems.add(at, format!("{}: {what}; record the states of these prompts", folder.display()));
    }
    let filed = Filed { folder, states, of: sides(probed), at: asked.at };
    for cell in &probed.sweep.cells {
        match filed.views(cell) {
            Err(error) => problems.add(at, error.to_string()),
            Ok(views) => {
                let mut held: Vec<(usize, Side)> =
                    views.iter().flat_map(|(side, view)| view.items().into_iter().map(|item| (item, *side))).collect();
                held.sort_unstable();
                let once = held.windows(2).all(|pair| pair[0] != pair[1]);
                if !once || !filed.of.iter().all(|sample| held.binary_search(sample).is_ok()) {
                    problems.add(at, format!("{}: not every prompt has one state there", filed.folder.display()));
                }
            }
        }
    }
    (problems.count() == before).then_some(filed)
}

/// What says that a recording is of other prompts.
fn other_prompts(states: &States, known: &Known) -> Option<String> {
    let (theirs, own) = (states.items(), known.items);
    if theirs.len() != own.len() {
        return Some(format!("has states of {} items, and `data` has {}", theirs.len(), own.len()));
    }
    let differs = |item: &usize| {
        let (theirs, own) = (&theirs[*item], &own[*item]);
        theirs.length != own.clean.len() || theirs.labels != own.labels
    };
    let item = (0..own.len()).find(differs)?;
    Some(format!("item {item} there has {} tokens and other labels or another length than here", theirs[item].length))
}

/// What says that a recording is of other tokens, answers or weights than its items alone tell.
fn other_run(folder: &Path, experiment: &Experiment, known: &Known) -> Option<String> {
    let run = match Experiment::read(&folder.join("run.ron")) {
        Ok(run) => run,
        Err(error) => return Some(format!("what was run there cannot be read ({error})")),
    };
    let hash = run.facts.as_ref().and_then(|facts| facts.get(DATA_HASH));
    if hash != Some(&data_hash(known.items)) {
        return Some("has states of other prompts, or of prompts with other answers".into());
    }
    (run.process != experiment.process).then(|| format!("was run with process: {:?}", run.process))
}

/// The first item and side that each sample is of.
fn sides(probed: &Probed) -> Vec<(usize, Side)> {
    let mut of = vec![(0, Side::Clean); probed.samples.items.len()];
    for (item, sides) in probed.samples.of_items.iter().enumerate().rev() {
        for (sample, side) in sides.iter().zip([Side::Clean, Side::Corrupt]).rev() {
            if let Some(sample) = sample {
                of[*sample] = (item, side);
            }
        }
    }
    of
}
