//! Where the files of a recording go: each is written whole beside its place and then moved there, and known by its sum.

use super::{File, Shard};
use crate::model::hash::{Part, sum};
use std::path::{Path, PathBuf};

/// The name of the fingerprint of its run in a file's metadata.
pub(super) const RUN: &str = "run";

/// The folder `states` of a run, and what identifies the run.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    run: String,
    weights: String,
}

impl Store {
    /// Of the run of this fingerprint in a folder, with the SHA-256 of its model's weights.
    pub fn new(run: &Path, fingerprint: &[u8], weights: &str) -> Self {
        let hex = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        Store { folder: run.join("states"), run: hex, weights: weights.to_string() }
    }

    /// The fingerprint of the run, as hexadecimal digits.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The SHA-256 of the weights.
    pub fn weights(&self) -> &str {
        &self.weights
    }

    /// Where a file lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes rows as the file of this name.
    ///
    /// # Errors
    /// Where the disk says so; nothing then stands under that name.
    pub fn write(&self, name: &str, shard: &Shard) -> std::io::Result<File> {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file in a folder has a parent"))?;
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let told = shard.told();
        let metadata = [(RUN.to_string(), self.run.clone())].into_iter().collect();
        let written = safetensors::serialize_to_file(shard.views(&told), Some(metadata), &partial);
        let whole = written.map_err(into_io).and_then(|()| sum(vec![Part::File(partial.clone())]));
        let moved = whole.and_then(|sha256| std::fs::rename(&partial, &path).map(|()| sha256));
        let sha256 = moved.inspect_err(|_| drop(std::fs::remove_file(&partial)))?;
        Ok(File { name: name.to_string(), side: shard.side(), rows: shard.count(), sha256 })
    }

    /// Whether a file is there and is what was written.
    pub fn holds(&self, file: &File) -> bool {
        sum(vec![Part::File(self.path(&file.name))]).is_ok_and(|sum| sum == file.sha256)
    }
}

fn into_io(error: safetensors::SafeTensorError) -> std::io::Error {
    match error {
        safetensors::SafeTensorError::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}
