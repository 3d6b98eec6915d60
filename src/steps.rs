//! Work cut into steps: each is done once and kept, so that a killed run goes on and shards are put together.

mod journal;

pub use journal::{ENDING, Fingerprint, Journal, JournalError, idle, journals, kept_in};

use crate::model::HookError;
use crate::states::Store;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The part of a run's steps that one process does: those of every `of`th turn, from `number` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// How many shards there are.
    pub of: usize,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };
    /// No step: what others have done is only put together.
    pub const NONE: Shard = Shard { number: 0, of: 1 };

    /// The shard of `of` whose turn it is.
    pub fn of(turn: usize, of: usize) -> Self {
        Shard { number: turn % of + 1, of }
    }

    fn owns(self, turn: usize) -> bool {
        Shard::of(turn, self.of) == self
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if 1 <= number && number <= of => Ok(Shard { number, of }),
            _ => Err(format!("{text:?} is no shard; write 2/8 for the second of eight")),
        }
    }
}

/// Hears how a run goes on.
pub trait Watcher {
    /// A method begins, of `work` units.
    fn begin(&mut self, name: &str, work: usize);
    /// So many units more are done.
    fn advance(&mut self, done: usize);
}

/// Hears nothing.
impl Watcher for () {
    fn begin(&mut self, _: &str, _: usize) {}
    fn advance(&mut self, _: usize) {}
}

/// Why a run stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A hook was not called as it asked: a fault of the program.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// A step could not be kept or read back.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Some steps of a method belong to other shards, so it has no result here.
    #[error("steps of other shards are missing")]
    Elsewhere,
}

/// What steps have given so far, by number.
pub type Kept = BTreeMap<usize, Vec<u8>>;

/// The steps of a run, in their fixed order.
///
/// A step is found by its number alone, so the steps of a plan must always be the same in the same order: what they are
/// may hang on the plan only, never on what earlier steps gave.
pub struct Steps<'a> {
    kept: Kept,
    journal: Option<Journal>,
    shard: Shard,
    watcher: &'a mut dyn Watcher,
    next: usize,
    /// Whose turn it is: steps are dealt to shards in turn.
    turn: usize,
    missing: Vec<usize>,
    /// How many were missing when the present method began.
    before: usize,
    store: Option<Store>,
    /// How many methods have begun.
    method: usize,
}

impl<'a> Steps<'a> {
    /// Every step done here and none kept.
    pub fn unkept(watcher: &'a mut dyn Watcher) -> Self {
        Steps::new(Kept::new(), None, Shard::WHOLE, watcher)
    }

    /// Steps of which some are `kept` from before; those of this shard are done and written to `journal`. Without a journal
    /// nothing is written.
    pub fn new(kept: Kept, journal: Option<Journal>, shard: Shard, watcher: &'a mut dyn Watcher) -> Self {
        let (missing, before) = (Vec::new(), 0);
        Steps { kept, journal, shard, watcher, next: 0, turn: 0, missing, before, store: None, method: 0 }
    }

    /// The same with a place for what is too large for the journal.
    pub fn storing(self, store: Store) -> Self {
        Steps { store: Some(store), ..self }
    }

    /// The place for files, where there is one.
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// The number of the present method, from 1.
    pub fn method(&self) -> usize {
        self.method
    }

    /// What the next step gives: read back, or done and kept; `None` where it is another shard's and not there yet. `work` is
    /// what it counts for in the progress, which may be nothing.
    pub fn step<T: Serialize + DeserializeOwned>(
        &mut self,
        work: usize,
        compute: impl FnOnce() -> Result<T, HookError>,
    ) -> Result<Option<T>, RunError> {
        let found = self.prepare(compute)?;
        self.turn += 1;
        self.watcher.advance(work);
        Ok(found)
    }

    /// As [`Steps::step`], for a step so long that it tells itself how it goes on, up to `work`.
    pub fn watched<T: Serialize + DeserializeOwned>(
        &mut self,
        work: usize,
        compute: impl FnOnce(&mut dyn Watcher) -> Result<T, HookError>,
    ) -> Result<Option<T>, RunError> {
        let number = self.number();
        let own = self.shard.owns(self.turn);
        self.turn += 1;
        match self.read(number)? {
            None if own => {
                let told = compute(&mut *self.watcher)?;
                return Ok(Some(self.keep(number, told)?));
            }
            None => self.missing.push(self.turn - 1),
            Some(found) => {
                self.watcher.advance(work);
                return Ok(Some(found));
            }
        }
        self.watcher.advance(work);
        Ok(None)
    }

    /// As [`Steps::step`], but for a step whose by-products the next one uses: it goes to the same shard, so that they are
    /// made once.
    pub fn prepare<T: Serialize + DeserializeOwned>(
        &mut self,
        compute: impl FnOnce() -> Result<T, HookError>,
    ) -> Result<Option<T>, RunError> {
        self.done(|_| true, || Ok(compute()?))
    }

    /// As [`Steps::step`], for a step that writes a file and gives what it is known by: where it no longer `holds`, the step is
    /// done again.
    pub fn filed<T: Serialize + DeserializeOwned>(
        &mut self,
        work: usize,
        holds: impl FnOnce(&T) -> bool,
        compute: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<Option<T>, RunError> {
        let found = self.done(holds, compute)?;
        self.turn += 1;
        self.watcher.advance(work);
        Ok(found)
    }

    /// The next step: read back where that holds, done where it is this shard's.
    fn done<T: Serialize + DeserializeOwned>(
        &mut self,
        holds: impl FnOnce(&T) -> bool,
        compute: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<Option<T>, RunError> {
        let number = self.number();
        match self.read(number)?.filter(holds) {
            Some(found) => Ok(Some(found)),
            None if self.shard.owns(self.turn) => Ok(Some(self.keep(number, compute()?)?)),
            None => {
                self.missing.push(self.turn);
                Ok(None)
            }
        }
    }

    /// As [`Steps::prepare`], for a link in a chain of steps that each rest on those before: `work` counts in the progress.
    /// What ends the chain is a [`Steps::step`].
    pub fn link<T: Serialize + DeserializeOwned>(
        &mut self,
        work: usize,
        compute: impl FnOnce() -> Result<T, HookError>,
    ) -> Result<Option<T>, RunError> {
        let found = self.prepare(compute)?;
        self.watcher.advance(work);
        Ok(found)
    }

    /// What a step gives that rests on the method's other steps: read back, or done and kept, whoever's turn it is. Only a
    /// process that has them all comes this far; of shards, mostly the one that puts them together.
    pub fn joint<T: Serialize + DeserializeOwned>(
        &mut self,
        work: usize,
        compute: impl FnOnce() -> Result<T, HookError>,
    ) -> Result<T, RunError> {
        let number = self.number();
        let found = match self.read(number)? {
            Some(found) => found,
            None => self.keep(number, compute()?)?,
        };
        self.watcher.advance(work);
        Ok(found)
    }

    /// Passes over the numbers of so many joint steps, where what they rest on is not there.
    pub fn pass_over(&mut self, count: usize) {
        self.next += count;
    }

    /// That of the next step.
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// What a step gave before.
    fn read<T: DeserializeOwned>(&mut self, number: usize) -> Result<Option<T>, RunError> {
        let read = |bytes: Vec<u8>| postcard::from_bytes(&bytes).map_err(|_| JournalError::Content(number));
        Ok(self.kept.remove(&number).map(read).transpose()?)
    }

    fn keep<T: Serialize>(&mut self, number: usize, result: T) -> Result<T, RunError> {
        if let Some(journal) = &mut self.journal {
            let bytes = postcard::to_stdvec(&result).map_err(|_| JournalError::Content(number))?;
            journal.append(number, &bytes)?;
        }
        Ok(result)
    }

    /// Fails with [`RunError::Elsewhere`] where a step of the present method is another shard's, so that no result is made
    /// of holes. To be asked behind the method's last step: leaving before it would number the steps that follow otherwise.
    pub fn complete(&self) -> Result<(), RunError> {
        if self.missing.len() == self.before { Ok(()) } else { Err(RunError::Elsewhere) }
    }

    /// The turns of the steps that were another shard's and are not there: [`Shard::of`] says whose.
    pub fn missing(&self) -> &[usize] {
        &self.missing
    }

    /// The journal, which stays locked for as long as it is kept.
    pub fn into_journal(self) -> Option<Journal> {
        self.journal
    }

    /// A method begins, of `work` units; numbers go on from the last one's.
    pub fn begin(&mut self, name: &str, work: usize) {
        self.before = self.missing.len();
        self.method += 1;
        self.watcher.begin(name, work);
    }
}

#[cfg(test)]
mod tests;
