//! Pairs from a CSV file with a header.

use super::DataError;
use crate::spec::{Answer, File, Pair, Prompt, Subject};
use csv::{Error, ErrorKind, StringRecord};
use indexmap::IndexMap;

/// The pairs, each with its line.
pub fn read(file: &File) -> Result<Vec<(usize, Pair)>, DataError> {
    let bytes = std::fs::read(&file.path).map_err(|error| DataError::unreadable(&file.path, error))?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|error| malformed(file, &error))?.clone();
    if header.is_empty() {
        return Err(DataError::unreadable(&file.path, "is empty; its first line must name the columns"));
    }
    let columns = Columns::find(file, &header)?;
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| malformed(file, &error))?;
        pairs.push((record.position().map_or(0, |at| at.line() as usize), columns.pair(file, &record)));
    }
    Ok(pairs)
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
    fn find(file: &File, header: &StringRecord) -> Result<Self, DataError> {
        let absent = |name: &str| {
            let known: Vec<&str> = header.iter().collect();
            DataError::row(&file.path, 1, format!("there is no column `{name}`; the header has {}", known.join(", ")))
        };
        let find = |name: &String| header.iter().position(|known| known == name).ok_or_else(|| absent(name));
        let prompts = [find(&file.clean)?, find(&file.corrupt)?];
        for answer in [&file.right, &file.wrong] {
            answer.texts().into_iter().try_for_each(|name| find(&name.to_string()).map(drop))?;
        }
        Ok(Columns {
            prompts,
            answers: [file.right.clone(), file.wrong.clone()],
            names: header.iter().map(String::from).collect(),
            subject: file.subject.as_ref().map(find).transpose()?,
            labels: file.labels.iter().map(find).collect::<Result<_, _>>()?,
        })
    }

    fn pair(&self, file: &File, record: &StringRecord) -> Pair {
        let [clean, corrupt] = self.prompts.map(|column| record[column].to_string());
        let [right, wrong] = self.answers.each_ref().map(|answer| self.answer(answer, record));
        let labels = file.labels.iter().cloned().zip(self.labels.iter().map(|column| record[*column].to_string()));
        Pair {
            clean: Prompt::Text(clean),
            corrupt: Prompt::Text(corrupt),
            right,
            wrong,
            at: None,
            subject: self.subject.map(|column| Subject::Words(record[column].to_string())),
            labels: labels.collect::<IndexMap<_, _>>(),
        }
    }

    /// An answer with the cells of its columns.
    fn answer(&self, answer: &Answer, record: &StringRecord) -> Answer {
        let cell = |name: &str| {
            let column = self.names.iter().position(|known| known == name);
            Ok::<_, std::convert::Infallible>(column.map_or(String::new(), |column| record[column].to_string()))
        };
        let Ok(filled) = answer.map(cell);
        filled
    }
}

fn malformed(file: &File, error: &Error) -> DataError {
    let line = error.position().map_or(1, |at| at.line() as usize);
    let why = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns, but the header has {expected_len}; a text with a comma stands in quotes")
        }
        ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".into(),
        _ => error.to_string(),
    };
    DataError::row(&file.path, line, why)
}
