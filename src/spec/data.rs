//! What an experiment's data may be: lists, templates, files.

use super::{Answer, Biographies, Fact, FactsFile, Professions, ProgramTexts, Prompt, Subject, WinoBias};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the prompts come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Data {
    /// None: for methods that bring their own texts.
    #[default]
    Nothing,
    /// Clean and corrupted prompts with their answers.
    Pairs(Vec<Pair>),
    /// Prompts alone.
    Prompts(Vec<Prompt>),
    /// Raw tokens, taken as they are.
    Tokens(Vec<Vec<u32>>),
    /// Templates whose slots are filled from lists.
    Templates(Templates),
    /// A CSV file with a header.
    Csv(File),
    /// A file with one JSON object a line.
    Jsonl(File),
    /// Prompts with their subjects.
    Facts(Vec<Fact>),
    /// The same from a JSON file.
    FactsFile(FactsFile),
    /// The professions of Vig et al. 2020, in their templates.
    Professions(Professions),
    /// Sentences of WinoBias, as Vig et al. 2020 ask them.
    WinoBias(WinoBias),
    /// Texts about people, each with an occupation and a group.
    Biographies(Biographies),
    /// Texts for a compiled program.
    Program(ProgramTexts),
}

impl Data {
    /// Whether there are no prompts.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Data::Nothing)
    }
}

/// A clean prompt, its corrupted twin, and two answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The prompt whose answer is `right`.
    pub clean: Prompt,
    /// The prompt that differs in what is asked about.
    pub corrupt: Prompt,
    /// The answer to the clean prompt: one token, a set of which any counts, or for causal mediation several in a row.
    pub right: Answer,
    /// The answer to the corrupted prompt: as `right`.
    pub wrong: Answer,
    /// The position the answer is read at, counted from 0 with special tokens; default: the last, or the mask token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// The words of the clean prompt that it is about, for methods that ask where these stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Labels of this item, for instance its template.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}

/// Pairs written as templates: `{slot}` is filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// The prompts, with slots in braces.
    pub templates: Vec<String>,
    /// What the clean prompt, or the right answer, has in a slot; lists of one length, taken side by side.
    pub clean: IndexMap<String, Vec<String>>,
    /// What the corrupted prompt, or the wrong answer, has in a slot, item by item.
    pub corrupt: IndexMap<String, Vec<String>>,
    /// Slots that both share: every combination.
    #[serde(default)]
    pub shared: IndexMap<String, Vec<String>>,
    /// The answer to the clean prompt; its slots are filled as those of the clean prompt.
    pub right: Answer,
    /// The answer to the corrupted prompt; its slots are filled as those of the corrupted prompt.
    pub wrong: Answer,
    /// The slot whose words are the subject of the prompt, for methods that ask where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Slots whose words, those of the clean prompt, are labels of its item; `template` is one anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Whether each pair is also asked the other way round, with the answers exchanged.
    #[serde(default)]
    pub both_ways: Both,
    /// The most items; a seeded sample is drawn where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}

/// Whether pairs are asked both ways round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Both {
    /// As written only.
    #[default]
    No,
    /// Also with clean and corrupted exchanged.
    Yes,
}

/// A file of pairs, and what its columns or keys are called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON file's.
    pub path: PathBuf,
    /// Column of the clean prompt.
    #[serde(default = "File::clean")]
    pub clean: String,
    /// Column of the corrupted prompt.
    #[serde(default = "File::corrupt")]
    pub corrupt: String,
    /// Column of the right answer, or a set over columns: `(two_digits_above: "label")`.
    #[serde(default = "File::right")]
    pub right: Answer,
    /// Column of the wrong answer, or a set over columns.
    #[serde(default = "File::wrong")]
    pub wrong: Answer,
    /// Column of the subject: words of the clean prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Columns kept as labels.
    #[serde(default)]
    pub labels: Vec<String>,
}

impl File {
    fn clean() -> String {
        "clean".into()
    }
    fn corrupt() -> String {
        "corrupt".into()
    }
    fn right() -> Answer {
        "right".into()
    }
    fn wrong() -> Answer {
        "wrong".into()
    }
}
