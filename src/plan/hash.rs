//! What prompts are known by.

use super::Item;
use sha2::{Digest, Sha256};

/// The fact of a run that tells it.
pub const DATA_HASH: &str = "data sha256";

/// SHA-256 of the tokens and answers of all items, as hexadecimal digits.
pub fn data_hash(items: &[Item]) -> String {
    let mut hash = Sha256::new();
    for item in items {
        hash.update(format!("{:?} {:?} {:?}\n", item.clean, item.corrupt, item.answers));
        if item.more.iter().any(|more| !more.is_empty()) || item.subject.is_some() {
            hash.update(format!("{:?} {:?} {:?}\n", item.more, item.subject, item.expected));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
