//! A recording read back: files mapped into memory, and the rows of a site and position as one matrix.

use super::mapped::{Mapped, Row, StatesError, mapped, read_index};
use super::{Index, Item, Kept, View};
use crate::data::Side;
use crate::model::hash::{Part, sum};
use crate::spec::Spot;
use std::path::{Path, PathBuf};

/// A recording, mapped into memory.
pub struct States {
    path: PathBuf,
    pub(super) index: Index,
    pub(super) files: Vec<Mapped>,
    rows: Vec<Row>,
}

/// The names of a run folder's recordings, in order.
fn names(states: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(states).into_iter().flatten().flatten().map(|entry| entry.path());
    let indices = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut names: Vec<String> =
        indices.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

impl States {
    /// The recording of a run folder, of this name or, without one, the only one.
    ///
    /// # Errors
    /// Where there is none, a file is missing, cut short or of another run. Sums are not looked at; see
    /// [`States::verify`].
    pub fn open(run: &Path, name: Option<&str>) -> Result<Self, StatesError> {
        let folder = run.join("states");
        let names = names(&folder);
        let name = match (name, names.as_slice()) {
            (Some(name), _) if names.iter().any(|known| known == name) => name.to_string(),
            (Some(name), [_, ..]) => {
                let what = format!("has no recording {name:?}, but {}", names.join(", "));
                return Err(StatesError::Absent { path: run.to_path_buf(), what });
            }
            (None, [only]) => only.clone(),
            (None, [_, ..]) => return Err(StatesError::Several(run.to_path_buf(), names.join(", "))),
            (_, []) => return Err(StatesError::None(run.to_path_buf())),
        };
        let path = folder.join(format!("{name}.json"));
        let index = read_index(&path)?;
        let (mut files, mut rows) = (Vec::new(), Vec::new());
        for (number, file) in index.files.iter().enumerate() {
            let (file, own) = mapped(&folder.join(&file.name), (number, file), &index)?;
            rows.extend(own);
            files.push(file);
        }
        if let Some(row) = rows.iter().find(|row| row.item as usize >= index.items.len()) {
            let why = format!("a row is of item {}, but there are {}", row.item, index.items.len());
            return Err(StatesError::Broken { path, why });
        }
        Ok(States { path, index, files, rows })
    }

    /// Reads every file through and holds it against the sum it was written with.
    pub fn verify(&self) -> Result<(), StatesError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        for file in &self.index.files {
            let path = folder.join(&file.name);
            let found = sum(vec![Part::File(path.clone())]).unwrap_or_else(|error| error.to_string());
            if found != file.sha256 {
                let why = format!("its SHA-256 is {found}, but {} was written", file.sha256);
                return Err(StatesError::Broken { path, why });
            }
        }
        Ok(())
    }

    /// Refuses states that were not recorded with the weights of this SHA-256.
    pub fn of_weights(&self, expected: &str) -> Result<(), StatesError> {
        if self.index.weights == expected {
            return Ok(());
        }
        let (found, expected) = (self.index.weights.clone(), expected.to_string());
        Err(StatesError::OtherModel { path: self.path.clone(), found, expected })
    }

    /// What was recorded.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The items, with their labels, in the order of the data.
    pub fn items(&self) -> &[Item] {
        &self.index.items
    }

    /// The rows of a state (`blocks.3.hook_resid_post`) on one side: at the spot in each item, or at every position that was
    /// kept; of one head, or of all side by side. Rows stand in the order of the items, and in an item of the positions.
    ///
    /// # Errors
    /// Where that was not recorded.
    pub fn rows(
        &self,
        name: &str,
        side: Side,
        spot: Option<Spot>,
        head: Option<usize>,
    ) -> Result<View<'_>, StatesError> {
        let absent = |what: String| StatesError::Absent { path: self.path.clone(), what };
        let state = self.index.states.iter().position(|kept| kept.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.index.states.iter().map(|kept| kept.name.as_str()).collect();
            absent(format!("has no states {name:?}, but {}", known.join(", ")))
        })?;
        let (first, width) = part(&self.index.states[state], head).map_err(absent)?;
        let rows: Vec<Row> = self.rows.iter().filter(|row| row.side == side).copied().collect();
        let rows = match spot {
            Some(spot) => self.at(spot, &rows).map_err(absent)?,
            None => rows,
        };
        if rows.is_empty() {
            return Err(absent(format!("has no rows of the {side:?} prompts")));
        }
        Ok(View { states: self, state, first, width, rows })
    }

    /// Those rows that are at a spot of their item; every item with rows must have kept all of it.
    fn at(&self, spot: Spot, rows: &[Row]) -> Result<Vec<Row>, String> {
        let mut found = Vec::new();
        for own in rows.chunk_by(|a, b| a.item == b.item) {
            let item = own[0].item as usize;
            for position in self.index.items[item].positions(spot) {
                let row = own.iter().find(|row| row.position as usize == position);
                found.push(*row.ok_or_else(|| format!("position {position} of item {item} was not kept"))?);
            }
        }
        match found.is_empty() {
            true => Err(format!("no item has a position {spot:?}")),
            false => Ok(found),
        }
    }
}

/// Where in a row the numbers of a head begin, and how many they are.
fn part(kept: &Kept, head: Option<usize>) -> Result<(usize, usize), String> {
    match (head, kept.shape.as_slice()) {
        (None, _) => Ok((0, kept.numbers())),
        (Some(head), [heads, width]) if head < *heads => Ok((head * width, *width)),
        (Some(head), [heads, _]) => {
            Err(format!("has no head {head} of {:?}, whose heads are 0 to {}", kept.name, heads - 1))
        }
        (Some(_), _) => Err(format!("{:?} has no heads", kept.name)),
    }
}
