//! The journal of a run on disk: what each finished step gave, appended as it is done.
//!
//! A file begins with the fingerprint of its run. Each entry is the step's number, the length of its bytes, the bytes, and
//! the first eight bytes of their SHA-256. A process that is killed while it appends leaves a last entry that is cut short
//! or does not fit its sum: reading ends there, and what comes after it is written over.

use super::Kept;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The ending of a journal's name.
pub const ENDING: &str = "steps";

/// What identifies a run: SHA-256 of everything that its results hang on.
pub type Fingerprint = [u8; 32];

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("{path}: {source}; the steps written before it are whole, and the same command goes on from there")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process writes to it.
    #[error("{0}: another process is at work on this run; wait for it, or give another --out")]
    Taken(PathBuf),
    /// It belongs to another run.
    #[error("{0}: these steps are of another experiment, model or version; give another --out")]
    Other(PathBuf),
    /// An entry that is whole but not what the step gives.
    #[error("step {0} was kept in a form that this version does not read; delete the folder `steps` and run again")]
    Content(usize),
}

/// A file that steps are appended to, locked for this process where the file system has locks.
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// The journal at `path`, made where there is none.
    pub fn open(path: &Path, fingerprint: &Fingerprint) -> Result<Self, JournalError> {
        let failed = |source| JournalError::File { path: path.to_path_buf(), source };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        lock(&file, path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = match bytes.len() < fingerprint.len() {
            true => start(&mut file, fingerprint).map_err(failed)?,
            false => entries(&bytes, fingerprint).ok_or_else(|| JournalError::Other(path.to_path_buf()))?.1,
        };
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        Ok(Journal { path: path.to_path_buf(), file })
    }

    /// Appends what a step gave.
    pub fn append(&mut self, step: usize, bytes: &[u8]) -> Result<(), JournalError> {
        let mut entry = Vec::with_capacity(bytes.len() + 24);
        entry.extend((step as u64).to_le_bytes());
        entry.extend((bytes.len() as u64).to_le_bytes());
        entry.extend(bytes);
        entry.extend(sum(bytes));
        self.file.write_all(&entry).map_err(|source| JournalError::File { path: self.path.clone(), source })
    }
}

/// Locks a journal for this process; some file systems of clusters have no locks, and there nothing is locked.
fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Taken(path.to_path_buf())),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(source)) => Err(JournalError::File { path: path.to_path_buf(), source }),
    }
}

/// Fails with [`JournalError::Taken`] where a process writes to a journal of the folder whose name `counts`.
pub fn idle(folder: &Path, counts: impl Fn(&str) -> bool) -> Result<(), JournalError> {
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| counts(&name.to_string_lossy()));
    for path in journals(folder)?.into_iter().filter(named) {
        let file = File::open(&path).map_err(|source| JournalError::File { path: path.clone(), source })?;
        lock(&file, &path)?;
    }
    Ok(())
}

/// The steps in all journals of a folder that belong to the run of this fingerprint; others are an error.
pub fn kept_in(folder: &Path, fingerprint: &Fingerprint) -> Result<Kept, JournalError> {
    let mut kept = Kept::new();
    for path in journals(folder)? {
        let bytes = std::fs::read(&path).map_err(|source| JournalError::File { path: path.clone(), source })?;
        if bytes.len() >= fingerprint.len() {
            kept.extend(entries(&bytes, fingerprint).ok_or(JournalError::Other(path))?.0);
        }
    }
    Ok(kept)
}

/// The journals of a folder, in order; none where there is no such folder.
pub fn journals(folder: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let failed = |source| JournalError::File { path: folder.to_path_buf(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == ENDING));
    paths.sort();
    Ok(paths)
}

fn start(file: &mut File, fingerprint: &Fingerprint) -> std::io::Result<usize> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(fingerprint)?;
    Ok(fingerprint.len())
}

fn sum(bytes: &[u8]) -> [u8; 8] {
    Sha256::digest(bytes)[..8].try_into().expect("a SHA-256 has 32 bytes")
}

/// The whole entries of a journal and the length up to the end of the last; `None` where the fingerprint is another.
fn entries(bytes: &[u8], fingerprint: &Fingerprint) -> Option<(Kept, usize)> {
    let mut left = bytes.strip_prefix(fingerprint)?;
    let mut kept = Kept::new();
    while let Some((step, content, rest)) = entry(left) {
        kept.insert(step, content.to_vec());
        left = rest;
    }
    Some((kept, bytes.len() - left.len()))
}

/// The first entry, and what follows it; `None` where it is not whole.
fn entry(bytes: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    let (step, bytes) = bytes.split_first_chunk::<8>()?;
    let (length, bytes) = bytes.split_first_chunk::<8>()?;
    let (content, bytes) = bytes.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let (known, rest) = bytes.split_first_chunk::<8>()?;
    (*known == sum(content)).then_some((u64::from_le_bytes(*step) as usize, content, rest))
}
