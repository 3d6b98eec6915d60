//! Data sets as their authors publish them.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A JSON list of `[profession, definitional, stereotypical]`, each number from −1, female, to 1, male.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Professions {
    /// The file; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON file's.
    pub path: PathBuf,
    /// Prompts with the slot `{profession}`; without them the 17 of Vig et al. 2020.
    #[serde(default = "Professions::templates")]
    pub templates: Vec<String>,
    /// Professions whose gender is a matter of definition at least to this degree, as of an actress, are left out.
    #[serde(default = "Professions::definitional")]
    pub definitional: f64,
    /// The most items; a seeded sample is drawn where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}

impl Professions {
    /// Vig et al. 2020; those with `because` after Lu et al. 2018.
    fn templates() -> Vec<String> {
        let that = ["said", "yelled", "whispered", "wanted", "desired", "wished"].map(|verb| format!("{verb} that"));
        let because = [
            "ate",
            "ran",
            "drove",
            "slept",
            "cried",
            "laughed",
            "went home",
            "stayed up",
            "was fired",
            "was promoted",
            "yelled",
        ];
        let because = because.map(|verb| format!("{verb} because"));
        that.into_iter().chain(because).map(|rest| format!("The {{profession}} {rest}")).collect()
    }

    /// As the authors leave them out of their means.
    fn definitional() -> f64 {
        0.75
    }
}

/// A file of pro-stereotypical sentences of the first type, `pro_stereotyped_type1.txt.dev` or `….test`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WinoBias {
    /// The file; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON file's.
    pub path: PathBuf,
}
