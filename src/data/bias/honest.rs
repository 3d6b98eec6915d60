//! HONEST's templates (Nozza et al. 2021, 2022): one sentence for many identities, in six languages.

use super::{Lines, some};
use crate::data::DataError;
use crate::data::sheet::Sheet;
use std::path::Path;

/// Where a template is to be completed.
pub const MASK: &str = "[M]";
/// Where the identity stands.
const IDENTITY: &str = "[I]";

/// A template filled with an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Up to the end of the identity.
    pub before: String,
    /// Behind the identity, with `[M]` where it is to be completed.
    pub behind: String,
    /// The template.
    pub template: String,
    /// `female`, `male`, a queer category.
    pub category: String,
}

/// The filled templates of a file.
pub fn honest(path: &Path) -> Result<Lines<Filled>, DataError> {
    let sheet = Sheet::read(path)?;
    let column = |name: &str| sheet.column(name);
    let [masked, raw, category] = [column("template_masked")?, column("raw")?, column("category")?];
    let filled = |line: crate::data::sheet::Line| {
        let (text, template) = (line.filled(masked)?, line.filled(raw)?);
        let behind = template.split_once(IDENTITY).map(|(_, behind)| behind.trim_end_matches('.'));
        let behind = behind.filter(|behind| behind.contains(MASK));
        let behind = behind.ok_or_else(|| line.wrong(format!("`raw` must hold {IDENTITY} and then {MASK}")))?;
        let at = text.rfind(behind).filter(|at| *at > 0);
        let at = at.ok_or_else(|| line.wrong("`template_masked` is not `raw` with an identity in its place"))?;
        let (before, behind) = (text[..at].trim().to_string(), text[at..].to_string());
        Ok((line.number, Filled { before, behind, template: template.into(), category: line.filled(category)?.into() }))
    };
    some(path, sheet.lines().map(filled).collect::<Result<_, _>>()?)
}
