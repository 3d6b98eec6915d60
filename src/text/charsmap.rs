//! SentencePiece's table of replacements in a `tokenizer.json`, looked through before the tokenizers' library reads it.
//!
//! The library follows the table's numbers without asking whether they lead anywhere, so that a damaged file would end
//! in a panic at the first text that comes by the damage, and a wrong length in gigabytes that nobody asked for.
//!
//! The table is in base64: the bytes of a trie as a little-endian u32, the trie as an array of u32, and the
//! replacements as one text, each of which ends at a zero byte. A unit of the trie holds a label, where its children
//! are, and whether one of them is the place of a replacement in the text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What is wrong with the tables of a normalizer, however deep they stand in it.
pub fn check(normalizer: &Value) -> Result<(), String> {
    match normalizer {
        Value::Array(parts) => parts.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| match value {
            Value::String(table) if name == "precompiled_charsmap" => {
                fault(table).map_or(Ok(()), |fault| Err(format!("precompiled_charsmap: {fault}; the file is damaged")))
            }
            _ => check(value),
        }),
        _ => Ok(()),
    }
}

fn fault(table: &str) -> Option<&'static str> {
    let Ok(bytes) = STANDARD.decode(table) else { return Some("it is no base64") };
    let Some((size, rest)) = bytes.split_first_chunk::<4>() else { return Some("it is too short") };
    let Some((trie, texts)) = rest.split_at_checked(u32::from_le_bytes(*size) as usize / 4 * 4) else {
        return Some("its trie is longer than the table");
    };
    let Ok(texts) = std::str::from_utf8(texts) else { return Some("its replacements are no UTF-8") };
    let units = trie.chunks_exact(4).map(|unit| u32::from_le_bytes(unit.try_into().expect("four bytes")) as usize);
    let trie: Vec<Unit> = units.map(Unit).collect();
    (!leads_somewhere(&trie, texts)).then_some("its trie leads out of it")
}

/// A unit of a double array, as SentencePiece packs it.
#[derive(Clone, Copy)]
struct Unit(usize);

impl Unit {
    /// The byte that leads here, with a bit that no byte has where this is a value.
    fn label(self) -> usize {
        self.0 & ((1 << 31) | 0xFF)
    }

    fn offset(self) -> usize {
        (self.0 >> 10) << ((self.0 & (1 << 9)) >> 6)
    }

    fn has_value(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        self.0 & ((1 << 31) - 1)
    }
}

/// Whether every road through the trie stays in it, whatever the text, and every value is a place in the replacements.
fn leads_somewhere(trie: &[Unit], texts: &str) -> bool {
    let Some(root) = trie.first() else { return false };
    let mut seen = vec![false; trie.len()];
    let mut open = vec![root.offset()];
    while let Some(place) = open.pop() {
        for byte in 1..=usize::from(u8::MAX) {
            let at = place ^ byte;
            let Some(unit) = trie.get(at) else { return false };
            if unit.label() != byte || std::mem::replace(&mut seen[at], true) {
                continue;
            }
            let next = at ^ unit.offset();
            let value = trie.get(next).map(|unit| unit.value());
            if unit.has_value() && !value.is_some_and(|value| texts.is_char_boundary(value)) {
                return false;
            }
            open.push(next);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trie in which the byte `a` leads to the value 2, and its replacements.
    fn units() -> (Vec<u32>, Vec<u8>) {
        let mut trie = vec![0u32; 512];
        trie[0] = 256 << 10; // its children stand in the second half
        trie[256 ^ 97] = 97 | 1 << 8 | 97 << 10; // at 353, with a value at 353 ^ 97 = 256
        trie[256] = 1 << 31 | 2;
        (trie, "x\0é\0".into())
    }

    fn told(trie: &[u32], texts: &[u8], size: usize) -> String {
        let units: Vec<u8> = trie.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let table = STANDARD.encode([&(size as u32).to_le_bytes()[..], &units, texts].concat());
        let normalizer = serde_json::json!({"normalizers": [{"type": "Precompiled", "precompiled_charsmap": table}]});
        check(&normalizer).err().unwrap_or_default()
    }

    #[test]
    fn a_table_that_leads_nowhere_is_refused() {
        let (trie, texts) = units();
        assert_eq!(told(&trie, &texts, 2048), "");
        let damaged = |at: usize, unit: u32| {
            let mut trie = trie.clone();
            trie[at] = unit;
            told(&trie, &texts, 2048)
        };
        let out = "precompiled_charsmap: its trie leads out of it; the file is damaged";
        assert_eq!(damaged(0, 512 << 10), out); // behind its end
        assert_eq!(damaged(256, 1 << 31 | 3), out); // within é
        assert_eq!(damaged(256, 1 << 31 | 6), out); // behind the replacements
        assert_eq!(damaged(353, 97 | 1 << 8 | 600 << 10), out);
        assert_eq!(told(&[], &texts, 0), out);
        assert!(told(&trie, &texts, usize::MAX).contains("its trie is longer than the table"));
        assert!(told(&trie, &[255], 2048).contains("its replacements are no UTF-8"));
        let short = serde_json::json!({"precompiled_charsmap": "AAA="});
        assert!(check(&short).unwrap_err().contains("it is too short"));
        assert!(check(&serde_json::json!({"precompiled_charsmap": "?"})).unwrap_err().contains("it is no base64"));
    }
}
