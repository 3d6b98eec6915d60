//! The SHA-256 of weights, computed beside the run.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

/// The SHA-256 of weights: a thread of its own computes it, and whoever reads it waits.
pub struct Hash {
    text: LazyLock<String, Box<dyn FnOnce() -> String + Send>>,
    files: Vec<(PathBuf, Option<Stamp>)>,
}

/// Length and time of the last change of a file.
type Stamp = (u64, SystemTime);

impl Hash {
    /// As 64 hexadecimal digits, or why it is unknown: the file went away during the run.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A file of the weights that is another than when it was opened: the model reads it where it lies, as long as it lives.
    pub fn changed(&self) -> Option<&Path> {
        let changed = |(path, then): &&(PathBuf, Option<Stamp>)| stamp(path) != *then;
        self.files.iter().find(changed).map(|(path, _)| path.as_path())
    }

    /// Over all parts, one after the other.
    pub fn of(parts: Vec<Part>) -> Self {
        let file = |part: &Part| match part {
            Part::File(path) => Some((path.clone(), stamp(path))),
            Part::Bytes(_) => None,
        };
        let files = parts.iter().filter_map(file).collect();
        let thread = std::thread::spawn(|| sum(parts).unwrap_or_else(|error| format!("unknown: {error}")));
        let wait = || thread.join().unwrap_or_else(|_| "unknown: its thread failed".into());
        Hash { text: LazyLock::new(Box::new(wait)), files }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()?))
}

/// What is hashed: read anew, so that what the model makes another form of need not stay in memory.
pub enum Part {
    /// A file.
    File(PathBuf),
    /// Bytes that the program carries.
    Bytes(bytes::Bytes),
}

/// SHA-256 over all parts, one after the other, as 64 hexadecimal digits.
pub(crate) fn sum(parts: Vec<Part>) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    for part in parts {
        match part {
            Part::Bytes(bytes) => hash.update(bytes),
            Part::File(path) => {
                let mut file = File::open(path)?;
                loop {
                    match file.read(&mut chunk)? {
                        0 => break,
                        read => hash.update(&chunk[..read]),
                    }
                }
            }
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
