//! The SHA-256 of weights, computed beside the run.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

/// The SHA-256 of weights: a thread of its own computes it, and whoever reads it waits.
pub struct Hash(LazyLock<String, Box<dyn FnOnce() -> String + Send>>);

impl Hash {
    /// As 64 hexadecimal digits, or why it is unknown: the file went away during the run.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Over all parts, one after the other.
    pub fn of(parts: Vec<Part>) -> Self {
        let thread = std::thread::spawn(|| hash(parts).unwrap_or_else(|error| format!("unknown: {error}")));
        let wait = || thread.join().unwrap_or_else(|_| "unknown: its thread failed".into());
        Hash(LazyLock::new(Box::new(wait)))
    }
}

/// What is hashed: read anew, so that neither the mapping nor all of its memory is kept during the run.
pub enum Part {
    /// A file.
    File(PathBuf),
    /// Bytes that the program carries.
    Bytes(&'static [u8]),
}

fn hash(parts: Vec<Part>) -> std::io::Result<String> {
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
