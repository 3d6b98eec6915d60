//! Relative paths in a RON file.

use super::{ChangeSpec, Data, Experiment, Measure, Method, ModelSpec, Pairs, Source, Treatment, Truth, Written};
use std::path::{Path, PathBuf};

impl Experiment {
    /// The experiment with its relative paths found: each starts at the folder the program runs in or, where it leads
    /// nowhere from there, at the folder of `file`.
    ///
    /// What is found beside the file is written out from the working folder, so that `run.ron` finds it again.
    pub fn located(mut self, file: &Path) -> Self {
        let Some(folder) = file.parent() else { return self };
        for path in self.paths() {
            let beside = folder.join(&*path);
            if !path.exists() && beside.exists() {
                *path = beside;
            }
        }
        self
    }

    fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = Vec::new();
        let (mut models, mut data) = (vec![&mut self.model], vec![&mut self.data]);
        data.extend(self.features.iter_mut().map(|feature| &mut feature.data));
        let mut treatments: Vec<&mut Treatment> = self.treat.iter_mut().collect();
        for variant in &mut self.against {
            models.extend(variant.model.as_mut());
            data.extend(variant.data.as_mut());
            treatments.extend(variant.treat.iter_mut().flatten());
        }
        paths.extend(treatments.into_iter().flat_map(texts));
        paths.extend(models.into_iter().filter_map(folder));
        paths.extend(data.into_iter().filter_map(file));
        if let Some(Truth::File(path)) = &mut self.truth {
            paths.push(path);
        }
        for method in &mut self.methods {
            match method {
                Method::Generate { edits, .. } => {
                    paths.extend(edits.iter_mut().filter_map(|edit| vector(&mut edit.change)));
                }
                Method::EvaluateCircuit { file, .. } => paths.push(file),
                Method::Probe(probe) => paths.extend(&mut probe.states),
                Method::Stitch(stitch) => paths.extend(folder(&mut stitch.from)),
                Method::PatchWeights(patch) => paths.extend(patch.shares.as_mut().map(|shares| &mut shares.path)),
                Method::Cut(cut) => paths.extend(file(&mut cut.keep.data).into_iter().chain(&mut cut.text)),
                Method::Measure(spec) => paths.extend(spec.measures.iter_mut().flat_map(Measure::paths)),
                _ => {}
            }
        }
        paths
    }
}

/// The file that a change reads its vector from.
fn vector(change: &mut ChangeSpec) -> Option<&mut PathBuf> {
    match change {
        ChangeSpec::Add { file, .. } => Some(file),
        _ => None,
    }
}

/// The folder that a model is read from.
fn folder(model: &mut ModelSpec) -> Option<&mut PathBuf> {
    if let ModelSpec::Path(path) = model { Some(path) } else { None }
}

/// The file that data are read from.
fn file(data: &mut Data) -> Option<&mut PathBuf> {
    match data {
        Data::Csv(file) | Data::Jsonl(file) => Some(&mut file.path),
        Data::FactsFile(file) => Some(&mut file.path),
        Data::Professions(file) => Some(&mut file.path),
        Data::WinoBias(file) => Some(&mut file.path),
        Data::Biographies(texts) => match &mut texts.from {
            Written::File { path, .. } => Some(path),
            Written::Grammar(_) => None,
        },
        _ => None,
    }
}

/// The files that a treatment of the weights reads.
fn texts(treatment: &mut Treatment) -> Vec<&mut PathBuf> {
    let mut paths = Vec::new();
    match treatment {
        Treatment::Merge(merge) => paths.extend(folder(&mut merge.with)),
        Treatment::FairGptq(fair) => {
            if let Pairs::CrowsPairs(path) = &mut fair.pairs {
                paths.push(path);
            }
            paths.extend(cut(&mut fair.calibration.from));
        }
        other => paths.extend(other.calibration_mut().and_then(|calibration| cut(&mut calibration.from))),
    }
    paths
}

/// The text that pieces are cut from.
fn cut(source: &mut Source) -> Option<&mut PathBuf> {
    if let Source::Text(path) = source { Some(path) } else { None }
}
