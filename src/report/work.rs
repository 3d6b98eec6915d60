//! A run folder while its run is unfinished: begun, gone on with, shared by shards, finished.
//!
//! What each step gave stands in `steps/`, a journal for each shard, and goes when the report is written. So a folder with
//! `steps/` is unfinished, and one with `run.ron` and without `steps/` is finished. A journal is locked before anything
//! else is written: whoever comes second finds out before it touches a file.

use super::{Folder, ReportError};
use crate::steps::{ENDING, Fingerprint, Journal, JournalError, Kept, Shard, idle, journals, kept_in};
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a shard cannot begin in the folder of an earlier run.
const FINISHED: &str = "holds a finished run; give another folder, or move it away";

/// Whether the run of this fingerprint stands in a folder, finished.
pub fn is_finished(path: &Path, fingerprint: &Fingerprint) -> bool {
    let folder = Folder::existing(path);
    folder.is_ok_and(|folder| !folder.is_unfinished() && folder.has("report.html") && folder.is_of(fingerprint))
}

/// A run at work in its folder.
pub struct Work {
    /// The folder.
    pub folder: Folder,
    /// Where this process keeps its steps.
    pub journal: Journal,
    /// What every process has kept so far.
    pub kept: Kept,
    /// Where an earlier run, which stood there, is now.
    pub aside: Option<PathBuf>,
}

impl Work {
    /// The run of this fingerprint, begun in a folder or gone on with. The whole run puts another one that stands there
    /// aside.
    ///
    /// # Errors
    /// As [`Folder::fresh`]; where another process is at work on the same steps; for one shard of several also where
    /// another run stands, as each of them might put it aside.
    pub fn begin(path: &Path, fingerprint: &Fingerprint, shard: Shard) -> Result<Self, ReportError> {
        let folder = Folder::checked(path)?;
        let other = folder.is_begun() && !(folder.is_unfinished() && folder.is_of(fingerprint));
        let aside = match other {
            false => None,
            true if shard == Shard::WHOLE => {
                idle(&folder.steps(), |_| true)?;
                Folder::fresh(path)?.1
            }
            true if folder.is_unfinished() => return Err(JournalError::Other(path.to_path_buf()).into()),
            true => return Err(folder.no_place(FINISHED)),
        };
        Work::join(folder, fingerprint, shard, aside)
    }

    /// The finished shards in a folder, to be put together there.
    ///
    /// # Errors
    /// Where no unfinished run of this fingerprint stands, or a process is at work on it.
    pub fn merge(path: &Path, fingerprint: &Fingerprint) -> Result<Self, ReportError> {
        let folder = Folder::existing(path)?;
        folder.shares(fingerprint)?;
        Work::join(folder, fingerprint, Shard::NONE, None)
    }

    /// Locks a journal of its own, then looks whether others are at work on the same steps.
    fn join(
        folder: Folder,
        fingerprint: &Fingerprint,
        shard: Shard,
        aside: Option<PathBuf>,
    ) -> Result<Self, ReportError> {
        let steps = folder.steps();
        for path in [folder.path(), &steps] {
            let unwritable = |source| ReportError::Unwritable { path: path.to_path_buf(), source };
            std::fs::create_dir_all(path).map_err(unwritable)?;
        }
        let own = format!("{}-of-{}.{ENDING}", shard.number, shard.of);
        let journal = Journal::open(&steps.join(&own), fingerprint)?;
        let beside = format!("-of-{}.{ENDING}", shard.of);
        idle(&steps, |name| *name != own && (shard.of == 1 || !name.ends_with(&beside)))?;
        Ok(Work { kept: kept_in(&steps, fingerprint)?, folder, journal, aside })
    }
}

impl Folder {
    /// Where the steps of an unfinished run are kept.
    pub fn steps(&self) -> PathBuf {
        self.path().join("steps")
    }

    /// Whether any run was begun here.
    pub(super) fn is_begun(&self) -> bool {
        self.has("run.ron") || self.is_unfinished()
    }

    /// Whether a run was begun here and did not end.
    fn is_unfinished(&self) -> bool {
        self.steps().is_dir()
    }

    /// Whether the run here is that of the fingerprint: by its steps or, where none has begun, by its `run.ron`, which may
    /// hold more than identifies a run once its report is written.
    fn is_of(&self, fingerprint: &Fingerprint) -> bool {
        let begun = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() >= fingerprint.len() as u64);
        match std::fs::read(self.path().join("run.ron")) {
            Ok(ron) if !journals(&self.steps()).is_ok_and(|paths| paths.iter().any(begun)) => {
                Fingerprint::from(Sha256::digest(ron)) == *fingerprint
            }
            _ => kept_in(&self.steps(), fingerprint).is_ok(),
        }
    }

    /// Whether `steps/` is not what a run made.
    pub(super) fn holds_foreign_steps(&self) -> bool {
        let journal = |path: PathBuf| path.extension().is_some_and(|ending| ending == ENDING);
        std::fs::read_dir(self.steps()).into_iter().flatten().flatten().any(|entry| !journal(entry.path()))
    }

    /// The steps of the run of this fingerprint that were kept here.
    ///
    /// # Errors
    /// Where no run stands, a finished one, or another.
    pub fn shares(&self, fingerprint: &Fingerprint) -> Result<Kept, ReportError> {
        if !self.is_unfinished() {
            return Err(self.no_place("holds a finished run, so nothing is left to merge; its page is report.html"));
        }
        match self.is_of(fingerprint) {
            true => Ok(kept_in(&self.steps(), fingerprint)?),
            false => Err(JournalError::Other(self.path().to_path_buf()).into()),
        }
    }

    /// Copies the files of recorded states that another shard has written into this folder.
    pub fn gather(&self, other: &Folder) -> Result<(), ReportError> {
        for recording in other.recordings() {
            let place = self.path().join("states").join(recording.file_name().unwrap_or_default());
            let unwritable = |path: PathBuf| move |source| ReportError::Unwritable { path, source };
            std::fs::create_dir_all(&place).map_err(unwritable(place.clone()))?;
            for from in std::fs::read_dir(&recording).into_iter().flatten().flatten().map(|entry| entry.path()) {
                let to = place.join(from.file_name().unwrap_or_default());
                if !to.exists() {
                    std::fs::copy(&from, &to).map_err(unwritable(to))?;
                }
            }
        }
        Ok(())
    }

    /// Forgets the steps, now that their results are written, and what killed processes left half written.
    pub fn finish(&self, journal: Option<Journal>) -> Result<(), ReportError> {
        self.sweep()?;
        drop(journal); // a file that is open can stay behind when it is removed: on Windows, on NFS
        let gone = |path: PathBuf, removed: std::io::Result<()>| match removed {
            // another process has come meanwhile: it removes its own
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                Err(ReportError::Unwritable { path, source: error })
            }
            _ => Ok(()),
        };
        for path in journals(&self.steps())? {
            gone(path.clone(), std::fs::remove_file(&path))?;
        }
        gone(self.steps(), std::fs::remove_dir(self.steps()))
    }
}
