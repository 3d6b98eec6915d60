//! Some columns of Parquet files, as the hub publishes data sets: every row as text.

use super::DataError;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Columns by name, each row with its number from 1; numbers are written out.
///
/// # Errors
/// Where the file is none, lacks a column, or a row has nothing or something other than a text or a whole number there.
pub fn columns<const N: usize>(path: &Path, names: [&String; N]) -> Result<Vec<(usize, [String; N])>, DataError> {
    let file = super::text_file::file(path)?;
    // the decoder indexes pages by what they say of themselves
    let read = catch_unwind(AssertUnwindSafe(|| rows(path, SerializedFileReader::new(file), names)));
    read.unwrap_or_else(|_| Err(DataError::unreadable(path, "the Parquet file is damaged")))
}

fn rows<R: ChunkReader + 'static, const N: usize>(
    path: &Path,
    reader: Result<SerializedFileReader<R>, ParquetError>,
    names: [&String; N],
) -> Result<Vec<(usize, [String; N])>, DataError> {
    let broken = |error: ParquetError| DataError::unreadable(path, format!("no Parquet file: {error}"));
    let reader = reader.map_err(broken)?;
    let wanted = projection(path, reader.metadata().file_metadata().schema(), &names)?;
    let rows = reader.get_row_iter(Some(wanted)).map_err(broken)?;
    let numbered = rows.enumerate().map(|(index, row)| (index + 1, row));
    let texts = |(number, row): (usize, Result<Row, ParquetError>)| {
        let row = row.map_err(|error| DataError::row(path, number, error))?;
        let mut texts = [const { String::new() }; N];
        for (text, name) in texts.iter_mut().zip(names) {
            let field = row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
            *text = told(field).map_err(|why| DataError::row(path, number, format!("column `{name}` {why}")))?;
        }
        Ok((number, texts))
    };
    numbered.map(texts).collect()
}

/// The columns that are wanted, in the file's order.
fn projection(path: &Path, schema: &Type, names: &[&String]) -> Result<Type, DataError> {
    let fields = schema.get_fields();
    if let Some(name) = names.iter().find(|name| fields.iter().all(|field| field.name() != name.as_str())) {
        let known = fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ");
        return Err(DataError::unreadable(path, format!("there is no column `{name}`; the file has {known}")));
    }
    let wanted = fields.iter().filter(|field| names.iter().any(|name| field.name() == name.as_str()));
    let group = Type::group_type_builder(schema.name()).with_fields(wanted.cloned().collect()).build();
    group.map_err(|error| DataError::unreadable(path, error))
}

/// A field as text.
fn told(field: Option<&Field>) -> Result<String, String> {
    Ok(match field {
        Some(Field::Str(text)) => text.clone(),
        Some(Field::Byte(number)) => number.to_string(),
        Some(Field::Short(number)) => number.to_string(),
        Some(Field::Int(number)) => number.to_string(),
        Some(Field::Long(number)) => number.to_string(),
        Some(Field::UByte(number)) => number.to_string(),
        Some(Field::UShort(number)) => number.to_string(),
        Some(Field::UInt(number)) => number.to_string(),
        Some(Field::ULong(number)) => number.to_string(),
        Some(Field::Null) | None => return Err("has nothing there".into()),
        Some(other) => return Err(format!("has {other}, which is neither a text nor a whole number")),
    })
}
