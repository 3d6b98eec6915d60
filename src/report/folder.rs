//! A folder on disk, with errors that name the file.

use crate::method::Tensors;
use crate::model::weights::decode;
use crate::steps::JournalError;
use crate::table::{Row, Table};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::{Path, PathBuf};

/// Where what a table has of single items stands.
pub(super) fn items_file(table: &str) -> String {
    format!("tables/{table}.items.csv")
}

/// What can go wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file that cannot be written: a full disk, a folder without permission.
    #[error("{path}: cannot be written ({source}); what was written before it is whole")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A place where no run folder can stand.
    #[error("{path}: {why}")]
    NoPlace {
        /// The place.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// A file that cannot be read back.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Not a run folder.
    #[error("not a run folder: {0}; give a folder that `patchclamp run` wrote")]
    NoRun(String),
    /// Steps that cannot be kept or read.
    #[error(transparent)]
    Steps(#[from] JournalError),
    /// A figure that cannot be drawn.
    #[error("{0}: {1}")]
    Figure(String, String),
}

/// The ending of a file that is being written.
const PARTIAL: &str = "partial";

/// A run folder.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A fresh folder; an earlier run that stands there is kept beside it as `NAME~1`, `NAME~2`, ….
    ///
    /// # Errors
    /// Where a file stands, or a folder with files that no run wrote: they might be overwritten.
    pub fn fresh(path: &Path) -> Result<(Self, Option<PathBuf>), ReportError> {
        let unwritable = |source| ReportError::Unwritable { path: path.to_path_buf(), source };
        let folder = Folder::checked(path)?;
        let kept = folder.is_begun().then(|| aside(path));
        if let Some(kept) = &kept {
            std::fs::rename(path, kept).map_err(unwritable)?;
        }
        std::fs::create_dir_all(path).map_err(unwritable)?;
        Ok((folder, kept))
    }

    /// A folder in which a run may stand, made or not.
    pub(super) fn checked(path: &Path) -> Result<Self, ReportError> {
        let folder = Folder { path: path.to_path_buf() };
        if path.exists() && !path.is_dir() {
            return Err(folder.no_place("is a file; give a folder"));
        }
        let partial = |entry: &std::fs::DirEntry| is_partial(&entry.path());
        let steps = |entry: &std::fs::DirEntry| entry.path() == folder.steps();
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let others = entries.filter(|entry| !partial(entry) && !steps(entry)).count();
        if !folder.has("run.ron") && (others > 0 || folder.holds_foreign_steps()) {
            return Err(folder.no_place("holds files, but no run.ron, so it is no run folder; give another"));
        }
        Ok(folder)
    }

    pub(super) fn no_place(&self, why: &'static str) -> ReportError {
        ReportError::NoPlace { path: self.path.clone(), why }
    }

    /// Removes what processes that were killed left half written.
    pub(super) fn sweep(&self) -> Result<(), ReportError> {
        let recordings = self.recordings();
        let own = ["", "tables", "tensors", "figures", "circuits", "states"].map(|within| self.path.join(within));
        for within in own.iter().chain(&recordings) {
            for entry in std::fs::read_dir(within).into_iter().flatten().flatten() {
                let path = entry.path();
                if is_partial(&path) {
                    std::fs::remove_file(&path).map_err(|source| ReportError::Unwritable { path, source })?;
                }
            }
        }
        Ok(())
    }

    /// The folders of recorded states.
    pub(super) fn recordings(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path.join("states")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder that a run has written.
    pub fn existing(path: &Path) -> Result<Self, ReportError> {
        match path.join("run.ron").is_file() {
            true => Ok(Folder { path: path.to_path_buf() }),
            false => Err(ReportError::NoRun(format!("{} has no run.ron", path.display()))),
        }
    }

    /// The folder's own name, also where it was called `.`.
    pub fn name(&self) -> String {
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        path.file_name().map_or("run".into(), |name| name.to_string_lossy().into_owned())
    }

    /// Whether the folder has this file.
    pub fn has(&self, name: &str) -> bool {
        self.path.join(name).is_file()
    }

    /// Writes a file whole: beside its place first, then moved there.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.path.join(name);
        // several processes may write the same file
        let partial = path.with_extension(format!("{}.{PARTIAL}", std::process::id()));
        let parent = path.parent().expect("a file in a folder has a parent");
        let written = std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&partial, bytes))
            .and_then(|()| std::fs::rename(&partial, &path));
        written.map_err(|source| {
            let _ = std::fs::remove_file(&partial);
            ReportError::Unwritable { path, source }
        })
    }

    /// Writes tensors: ids and masks as whole numbers, all else as f32.
    pub fn write_tensors(&self, name: &str, tensors: &Tensors) -> Result<(), ReportError> {
        let encoded: Vec<(&String, Dtype, &Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, (shape, values))| match name.as_str() {
                "tokens" | "attention_mask" => {
                    (name, Dtype::I64, shape, values.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect())
                }
                _ => (name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            })
            .collect();
        let views = encoded.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.to_vec(), bytes).expect("as many values as the shape says");
            (name.as_str(), view)
        });
        let bytes = safetensors::serialize(views, None).expect("views were made above");
        self.write(name, &bytes)
    }

    /// Reads a text file.
    pub fn read_text(&self, name: &str) -> Result<String, ReportError> {
        let path = self.path.join(name);
        std::fs::read_to_string(&path).map_err(|error| ReportError::Unreadable { path, why: error.to_string() })
    }

    /// Whether what a table has of single items is there.
    pub(super) fn has_items(&self, table: &str) -> bool {
        self.has(&items_file(table))
    }

    /// Reads what a table has of single items.
    pub(super) fn read_items(&self, table: &str) -> Result<Vec<Row>, ReportError> {
        let file = items_file(table);
        let rows = Table::rows_from_csv(&self.read_text(&file)?);
        rows.map_err(|error| ReportError::NoRun(format!("{file}: {error}")))
    }

    /// Reads tensors as f32.
    pub fn read_tensors(&self, name: &str) -> Result<Tensors, ReportError> {
        let path = self.path.join(name);
        let unreadable = |why: String| ReportError::Unreadable { path: path.clone(), why };
        let bytes = std::fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let read = |(name, view): (String, TensorView)| Some((name, (view.shape().to_vec(), decode(&view)?)));
        Ok(tensors.tensors().into_iter().filter_map(read).collect())
    }

    /// Names of the files with an ending in a folder within, in order.
    pub fn names(&self, within: &str, ending: &str) -> Result<Vec<String>, ReportError> {
        let path = self.path.join(within);
        let unreadable = |error: std::io::Error| ReportError::Unreadable { path: path.clone(), why: error.to_string() };
        let entries: Vec<_> =
            std::fs::read_dir(&path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
        let mut names: Vec<String> =
            entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let ending = format!(".{ending}");
        names.retain(|name| name.ends_with(&ending));
        // by what stands before the ending, so that `01_circuit` comes before `01_circuit.faithfulness`, as in the run
        names.sort_by(|a, b| a.trim_end_matches(&ending).cmp(b.trim_end_matches(&ending)));
        Ok(names)
    }
}

fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == PARTIAL)
}

/// The first free name for an earlier run.
fn aside(path: &Path) -> PathBuf {
    let numbered =
        |number: usize| PathBuf::from(format!("{}~{number}", path.display().to_string().trim_end_matches('/')));
    (1..).map(numbered).find(|path| !path.exists()).expect("there is a free number")
}
