//! Minimal pairs: BLiMP (Warstadt et al. 2020), and any table or JSON lines with two sentences a row.

use super::{Lines, SentencePair, some};
use crate::data::DataError;
use crate::data::jsonl::Row;
use crate::data::sheet::Sheet;
use crate::data::text_file::{lines, text};
use crate::spec::SentencePairs;
use std::path::Path;

/// The pairs of a file of BLiMP, grouped by paradigm and by phenomenon.
pub fn blimp(path: &Path) -> Result<Lines<SentencePair>, DataError> {
    let text = text(path)?;
    let pair = |(number, line): (usize, &str)| {
        let row = Row::parse(path, number, line)?;
        let (group, also) = (row.read("UID")?, Some(row.read("linguistics_term")?));
        let (first, second) = (row.read("sentence_good")?, row.read("sentence_bad")?);
        Ok((number, SentencePair { first, second, group, also, cluster: None }))
    };
    some(path, lines(&text).map(pair).collect::<Result<_, DataError>>()?)
}

/// The pairs of a file whose columns the experiment names.
pub fn pairs(file: &SentencePairs) -> Result<Lines<SentencePair>, DataError> {
    let text = text(&file.path)?;
    let found = if text.trim_start().starts_with('{') { objects(file, &text)? } else { table(file, &text)? };
    some(&file.path, found)
}

/// The group of pairs that have none.
const ALL: &str = "pairs";

fn objects(file: &SentencePairs, text: &str) -> Result<Lines<SentencePair>, DataError> {
    let pair = |(number, line): (usize, &str)| {
        let row = Row::parse(&file.path, number, line)?;
        let label = |name: &Option<String>| name.as_ref().map(|name| row.label(name)).transpose();
        let (first, second) = (row.read(&file.first)?, row.read(&file.second)?);
        let (group, cluster) = (label(&file.group)?.unwrap_or(ALL.into()), label(&file.cluster)?);
        Ok((number, SentencePair { first, second, group, also: None, cluster }))
    };
    lines(text).map(pair).collect()
}

fn table(file: &SentencePairs, text: &str) -> Result<Lines<SentencePair>, DataError> {
    let sheet = Sheet::of(&file.path, text)?;
    let maybe = |name: &Option<String>| name.as_ref().map(|name| sheet.column(name)).transpose();
    let [first, second] = [sheet.column(&file.first)?, sheet.column(&file.second)?];
    let [group, cluster] = [maybe(&file.group)?, maybe(&file.cluster)?];
    let pair = |line: crate::data::sheet::Line| {
        let cell = |column: usize| line.cell(column).to_string();
        let (first, second) = (line.filled(first)?.to_string(), line.filled(second)?.to_string());
        let (group, cluster) = (group.map_or(ALL.into(), cell), cluster.map(cell));
        Ok((line.number, SentencePair { first, second, group, also: None, cluster }))
    };
    sheet.lines().map(pair).collect()
}
