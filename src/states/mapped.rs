//! The files of a recording, mapped into memory and checked against their index; and what can be wrong with them.

use super::shard::dtype;
use super::store::RUN;
use super::{FORM, File, Index, Kept};
use crate::data::Side;
use crate::model::source::{Source, map};
use safetensors::{Dtype, SafeTensors};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// States that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StatesError {
    /// The folder has none.
    #[error(
        "{0}: holds no states in files; give the folder of a run with `Record(sites: [\"hook_resid_post\"], at: [Answer], shards: ())`"
    )]
    None(PathBuf),
    /// It has several recordings.
    #[error("{0}: holds several recordings ({1}); name one of them")]
    Several(PathBuf, String),
    /// A file cannot be used.
    #[error("{path}: {why}; record the states again")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file of another run.
    #[error("{0}: is of another run or model than the recording it lies in; record the states again")]
    Foreign(PathBuf),
    /// States of another model.
    #[error("{path}: states of another model; their weights have the SHA-256 {found}, this one's {expected}")]
    OtherModel {
        /// The recording.
        path: PathBuf,
        /// The SHA-256 of the weights that it was made with.
        found: String,
        /// That of the model at hand.
        expected: String,
    },
    /// Something that was not recorded.
    #[error("{path}: {what}")]
    Absent {
        /// The recording.
        path: PathBuf,
        /// What, and what there is.
        what: String,
    },
}

/// A file, and where in it each state of the index lies.
pub(super) struct Mapped {
    pub(super) source: Source,
    pub(super) columns: Vec<Range<usize>>,
}

/// A row, where it lies and what it is.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) file: u32,
    pub(super) row: u32,
    pub(super) item: u32,
    pub(super) position: u32,
    pub(super) side: Side,
}

/// The index at a path.
pub(super) fn read_index(path: &Path) -> Result<Index, StatesError> {
    let broken = |why: String| StatesError::Broken { path: path.to_path_buf(), why };
    let text = std::fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    match index.form {
        FORM => Ok(index),
        form => Err(broken(format!("has form {form}, of which this version reads {FORM}"))),
    }
}

/// File `number` of a recording, with its rows.
pub(super) fn mapped(
    path: &Path,
    (number, file): (usize, &File),
    index: &Index,
) -> Result<(Mapped, Vec<Row>), StatesError> {
    let broken = |why: String| StatesError::Broken { path: path.to_path_buf(), why };
    let source = map(path).map_err(|error| broken(error.to_string()))?;
    let (header, metadata) =
        SafeTensors::read_metadata(source.bytes()).map_err(|error| broken(format!("is not whole ({error})")))?;
    if metadata.metadata().as_ref().and_then(|facts| facts.get(RUN)) != Some(&index.run) {
        return Err(StatesError::Foreign(path.to_path_buf()));
    }
    let place = |name: &str, kind, shape: Vec<usize>| {
        let info = metadata.info(name).filter(|info| info.dtype == kind && info.shape == shape);
        let (from, to) = info.ok_or_else(|| broken(format!("has no `{name}` of shape {shape:?}")))?.data_offsets;
        Ok(header + 8 + from..header + 8 + to)
    };
    let state = |kept: &Kept| place(&kept.name, dtype(index.numbers).0, [&[file.rows], kept.shape.as_slice()].concat());
    let columns = index.states.iter().map(state).collect::<Result<_, _>>()?;
    let [items, positions] = ["item", "position"].map(|name| {
        let place = place(name, Dtype::I64, vec![file.rows])?;
        Ok(source.bytes()[place].as_chunks::<8>().0.iter().map(short).collect::<Vec<u32>>())
    });
    let row = |(row, (item, position)): (usize, (u32, u32))| Row {
        file: number as u32,
        row: row as u32,
        item,
        position,
        side: file.side,
    };
    let rows = items?.into_iter().zip(positions?).enumerate().map(row).collect();
    Ok((Mapped { source, columns }, rows))
}

/// An index as it is kept; what does not fit is none that there is.
fn short(bytes: &[u8; 8]) -> u32 {
    u32::try_from(i64::from_le_bytes(*bytes)).unwrap_or(u32::MAX)
}
