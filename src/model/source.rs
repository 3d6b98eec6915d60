//! The bytes of a checkpoint's file, mapped into memory, or carried or made by the program.

use super::weights::WeightError;
use memmap2::Mmap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Where bytes of weights are.
pub enum Source {
    /// A mapped file.
    Mapped(Arc<Mmap>),
    /// What the program carries, or has made.
    Carried(bytes::Bytes),
}

/// What owns a mapping that bytes lie in.
struct Mapped(Arc<Mmap>);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Source {
    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Source::Mapped(map) => map,
            Source::Carried(bytes) => bytes,
        }
    }

    /// A mapped file's bytes, to be kept where they lie: the mapping lives as long as a part of them is in use.
    pub fn shared(&self) -> Option<bytes::Bytes> {
        let Source::Mapped(map) = self else { return None };
        Some(bytes::Bytes::from_owner(Mapped(map.clone())))
    }

    /// Gives the memory of bytes that were read back to the system, which has them in the file still.
    #[allow(unsafe_code)]
    pub fn release(&self, place: std::ops::Range<usize>) {
        #[cfg(unix)]
        if let Source::Mapped(map) = self {
            // SAFETY: a mapping that nobody writes to reads the same bytes from the file when it is touched again.
            let advised =
                unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, place.start, place.len()) };
            advised.ok(); // it is advice: without it the program only needs more memory
        }
    }
}

/// A file mapped into memory.
#[allow(unsafe_code)]
pub fn map(path: &Path) -> Result<Source, WeightError> {
    let unreadable = |source| WeightError::Unreadable { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    // SAFETY: sound as long as nobody shortens the file meanwhile, which no reader of a checkpoint can rule out.
    let mapped = unsafe { Mmap::map(&file) }.map_err(unreadable)?;
    Ok(Source::Mapped(Arc::new(mapped)))
}
