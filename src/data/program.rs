//! Texts for a compiled program, with its answers at a position where two of them differ.

use super::DataError;
use crate::program::{Question, Setting};
use crate::spec::{Answer, ModelSpec, Pair, ProgramTexts, Prompt};
use indexmap::IndexMap;

/// More texts than this tell nothing more of so small a program.
const MOST_ITEMS: usize = 10_000;

/// As many pairs as are asked for, or as there are, drawn by the seed.
pub fn read(texts: &ProgramTexts, model: &ModelSpec, seed: u64) -> Result<Vec<Pair>, DataError> {
    let task = match (&texts.of, model) {
        (Some(task), _) | (None, ModelSpec::Compiled(task)) => task,
        _ => {
            let why =
                "Program is of no program: the model is not Compiled, so write which, as in of: (program: Reverse)";
            return Err(DataError::Program(why.into()));
        }
    };
    let setting = task.setting().map_err(|error| DataError::Program(error.to_string()))?;
    let shortest = texts.shortest.unwrap_or(setting.length);
    if !(1..=setting.length).contains(&shortest) {
        let why = format!("shortest: {shortest}; texts of {:?} have here 1 to {} tokens", task.program, setting.length);
        return Err(DataError::Program(why));
    }
    if !(1..=MOST_ITEMS).contains(&texts.items) {
        return Err(DataError::Program(format!("items: {} is not between 1 and {MOST_ITEMS}", texts.items)));
    }
    let questions = setting.questions(texts.items, shortest, seed);
    if questions.is_empty() {
        let name = task.program;
        return Err(DataError::Empty(format!("{name:?} answers all texts of these lengths alike")));
    }
    Ok(questions.iter().map(|question| pair(&setting, question)).collect())
}

fn pair(setting: &Setting, question: &Question) -> Pair {
    let prompt = |tokens: &[usize]| Prompt::Text(setting.text(tokens));
    let answer = |value| Answer::Text(format!(" {}", setting.answer(value)));
    Pair {
        clean: prompt(&question.clean),
        corrupt: prompt(&question.corrupt),
        right: answer(question.right),
        wrong: answer(question.wrong),
        at: Some(question.at + 1), // behind the boundary token
        subject: None,
        labels: IndexMap::new(),
    }
}
