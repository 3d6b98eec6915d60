//! Pairs from a CSV file with a header.

use super::DataError;
use super::sheet::{Line, Sheet};
use crate::spec::{Answer, File, Pair, Prompt, Subject};
use indexmap::IndexMap;

/// The pairs, each with its line.
pub fn read(file: &File) -> Result<Vec<(usize, Pair)>, DataError> {
    let sheet = Sheet::read(&file.path)?;
    let columns = Columns::find(file, &sheet)?;
    Ok(sheet.lines().map(|line| (line.number, columns.pair(file, line))).collect())
}

/// Where each column of the file stands.
struct Columns {
    /// Clean, corrupted.
    prompts: [usize; 2],
    /// Right, wrong: what each names is a column.
    answers: [Answer; 2],
    names: Vec<String>,
    subject: Option<usize>,
    labels: Vec<usize>,
}

impl Columns {
    fn find(file: &File, sheet: &Sheet) -> Result<Self, DataError> {
        let find = |name: &String| sheet.column(name);
        let prompts = [find(&file.clean)?, find(&file.corrupt)?];
        for answer in [&file.right, &file.wrong] {
            answer.texts().into_iter().try_for_each(|name| sheet.column(name).map(drop))?;
        }
        Ok(Columns {
            prompts,
            answers: [file.right.clone(), file.wrong.clone()],
            names: sheet.header().to_vec(),
            subject: file.subject.as_ref().map(find).transpose()?,
            labels: file.labels.iter().map(find).collect::<Result<_, _>>()?,
        })
    }

    fn pair(&self, file: &File, line: Line) -> Pair {
        let cell = |column: usize| line.untrimmed(column).to_string();
        let [clean, corrupt] = self.prompts.map(cell);
        let [right, wrong] = self.answers.each_ref().map(|answer| self.answer(answer, line));
        let labels = file.labels.iter().cloned().zip(self.labels.iter().map(|column| cell(*column)));
        Pair {
            clean: Prompt::Text(clean),
            corrupt: Prompt::Text(corrupt),
            right,
            wrong,
            at: None,
            subject: self.subject.map(|column| Subject::Words(cell(column))),
            labels: labels.collect::<IndexMap<_, _>>(),
        }
    }

    /// An answer with the cells of its columns.
    fn answer(&self, answer: &Answer, line: Line) -> Answer {
        let cell = |name: &str| {
            let column = self.names.iter().position(|known| known == name);
            Ok::<_, std::convert::Infallible>(column.map_or(String::new(), |column| line.untrimmed(column).to_string()))
        };
        let Ok(filled) = answer.map(cell);
        filled
    }
}
