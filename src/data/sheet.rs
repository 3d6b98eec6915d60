//! Tables with a header: columns by their name, rows with the line that they stand on.

use super::DataError;
use super::text_file::text;
use csv::{Error, ErrorKind, ReaderBuilder, StringRecord};
use std::path::{Path, PathBuf};

/// A file of rows.
pub struct Sheet {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<(usize, StringRecord)>,
}

/// A row of a sheet.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    sheet: &'a Sheet,
    /// The line of the file that it begins on, from 1.
    pub number: usize,
    record: &'a StringRecord,
}

impl Sheet {
    /// A file whose columns stand between commas, or between tabs where there is one in its header.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        Sheet::of(path, &text(path)?)
    }

    /// The same from its text.
    pub fn of(path: &Path, text: &str) -> Result<Self, DataError> {
        Sheet::behind(path, text, 0)
    }

    /// The same where so many lines stand before the text.
    pub fn behind(path: &Path, text: &str, before: usize) -> Result<Self, DataError> {
        let delimiter = if text.lines().next().is_some_and(|header| header.contains('\t')) { b'\t' } else { b',' };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let header: Vec<String> = reader
            .headers()
            .map_err(|error| malformed(path, &error, before))?
            .iter()
            .map(|name| name.trim().to_string())
            .collect();
        if header.iter().all(String::is_empty) {
            return Err(DataError::unreadable(path, "is empty; its first line must name the columns"));
        }
        let (mut at, mut number) = (0, before + 1);
        let row = |record: Result<StringRecord, Error>| {
            let record = record.map_err(|error| malformed(path, &error, before))?;
            let begin = record.position().map_or(at, |place| place.byte() as usize);
            // a record begins behind the line end before it, of which the library may have seen a half
            let blank = text.as_bytes()[begin..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
            number += text.as_bytes()[at..begin + blank].iter().filter(|byte| **byte == b'\n').count();
            at = begin + blank;
            Ok((number, record))
        };
        let rows = reader.records().map(row).collect::<Result<_, _>>()?;
        Ok(Sheet { path: path.to_path_buf(), header, rows })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where a column stands.
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        self.maybe(name).ok_or_else(|| {
            let known = self.header.join(", ");
            DataError::row(&self.path, 1, format!("there is no column `{name}`; the header has {known}"))
        })
    }

    /// Where a column stands that need not be there.
    pub fn maybe(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }

    /// The rows.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.rows.iter().map(|(number, record)| Line { sheet: self, number: *number, record })
    }
}

impl<'a> Line<'a> {
    /// The cell of a column.
    pub fn cell(self, column: usize) -> &'a str {
        self.record[column].trim()
    }

    /// The cell of a column as it stands.
    pub fn untrimmed(self, column: usize) -> &'a str {
        &self.record[column]
    }

    /// The cell of a column, which must hold something.
    pub fn filled(self, column: usize) -> Result<&'a str, DataError> {
        match self.cell(column) {
            "" => Err(self.wrong(format!("`{}` is empty", self.sheet.header[column]))),
            cell => Ok(cell),
        }
    }

    /// The number of a column.
    pub fn number<T: std::str::FromStr>(self, column: usize) -> Result<T, DataError> {
        let cell = self.cell(column);
        cell.parse()
            .map_err(|_| self.wrong(format!("`{}` is {cell:?}, which is no such number", self.sheet.header[column])))
    }

    /// What is wrong with this row.
    pub fn wrong(self, why: impl ToString) -> DataError {
        DataError::row(&self.sheet.path, self.number, why)
    }
}

fn malformed(path: &Path, error: &Error, before: usize) -> DataError {
    let line = before + error.position().map_or(1, |at| at.line() as usize);
    let why = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!(
                "has {len} columns, but the header has {expected_len}; a text with a comma or a tab stands in quotes"
            )
        }
        _ => error.to_string(),
    };
    DataError::row(path, line, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Result<Sheet, String> {
        Sheet::of(Path::new("t.csv"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn line_ends_quotes_and_tabs_are_read_alike() {
        for text in ["a,b\n1,\"x\ny\"\n2,z\n", "a,b\r\n1,\"x\ny\"\r\n2,z\r\n", "a\tb\n1\t\"x\ny\"\n2\tz"] {
            let sheet = sheet(text).unwrap();
            let cells: Vec<(usize, &str, &str)> =
                sheet.lines().map(|line| (line.number, line.cell(0), line.cell(1))).collect();
            assert_eq!(cells, [(2, "1", "x\ny"), (4, "2", "z")], "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert!(sheet("").map(drop).unwrap_err().contains("t.csv: is empty; its first line must name the columns"));
        assert!(sheet("a,b\n1\n").map(drop).unwrap_err().contains("t.csv:2: has 1 columns, but the header has 2"));
        let told = sheet("a,b\n1,\n").unwrap();
        assert!(
            told.column("c").unwrap_err().to_string().contains("t.csv:1: there is no column `c`; the header has a, b")
        );
        let line = told.lines().next().unwrap();
        assert!(line.filled(1).unwrap_err().to_string().contains("t.csv:2: `b` is empty"));
        assert!(line.number::<f64>(1).unwrap_err().to_string().contains("`b` is \"\", which is no such number"));
    }
}
