//! Every half of a published file is a file of its own, and of a broken row the file and the line are named.

use super::common::*;
use patchclamp::data::DataError;
use patchclamp::data::bias::{bbq, blimp, crows, honest, stereoset, winogender};
use patchclamp::spec::CrowsPairs;
use std::path::{Path, PathBuf};

/// How many rows a reader finds.
type Count = fn(&Path) -> Result<usize, DataError>;

/// A published file with its reader, and whether a row is a line.
struct Published {
    name: &'static str,
    count: Count,
    is_by_line: bool,
    header: usize,
}

const FILES: [Published; 8] = [
    Published { name: "crows-pairs/crows_pairs_anonymized.csv", count: pairs, is_by_line: false, header: 1 },
    Published { name: "french-crows-pairs/crows_pairs_FR.csv", count: pairs, is_by_line: true, header: 1 },
    Published { name: "stereoset-intrasentence/stereoset.csv", count: triples, is_by_line: false, header: 1 },
    Published {
        name: "winogender/all_sentences.tsv",
        count: |path| Ok(winogender(path)?.len()),
        is_by_line: true,
        header: 1,
    },
    Published { name: "honest/en_template.tsv", count: |path| Ok(honest(path)?.len()), is_by_line: true, header: 1 },
    Published { name: "honest/fr_template.tsv", count: |path| Ok(honest(path)?.len()), is_by_line: true, header: 1 },
    Published { name: "bbq/data/Religion.jsonl", count: |path| Ok(bbq(path)?.len()), is_by_line: true, header: 0 },
    Published {
        name: "blimp-gender-agreement/anaphor_gender_agreement.jsonl",
        count: |path| Ok(blimp(path)?.len()),
        is_by_line: true,
        header: 0,
    },
];

fn pairs(path: &Path) -> Result<usize, DataError> {
    Ok(crows(&CrowsPairs { skip_empty: true, ..CrowsPairs::new(path) })?.len())
}

fn triples(path: &Path) -> Result<usize, DataError> {
    let kept = stereoset(path)?;
    Ok(kept.rows.len() + kept.left_out.len())
}

/// The header and the rows, each as it is written.
fn rows(file: &Published, path: &Path) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows: Vec<String> = if file.is_by_line {
        text.lines().map(|line| format!("{line}\n")).collect()
    } else {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let written = |record: csv::StringRecord| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&record).unwrap();
            String::from_utf8(writer.into_inner().unwrap()).unwrap()
        };
        reader.records().map(|record| written(record.unwrap())).collect()
    };
    let header = rows.drain(..file.header).collect();
    (header, rows)
}

fn write(place: &Path, name: &str, text: &str) -> PathBuf {
    let path = place.join(Path::new(name).file_name().unwrap());
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn halves_of_published_files_are_read() {
    let (Some(data), place) = (shared(Path::new("data")), tempfile::tempdir().unwrap()) else { return };
    for file in FILES {
        let (header, rows) = rows(&file, &data.join(file.name));
        let whole = (file.count)(&data.join(file.name)).unwrap();
        let count = |belongs: &dyn Fn(usize) -> bool| {
            // what halves have in common with the whole: of HONEST a template, of Winogender both pronouns
            let half: String = (0..rows.len()).filter(|row| belongs(*row)).map(|row| rows[row].as_str()).collect();
            (file.count)(&write(place.path(), file.name, &(header.clone() + &half)))
        };
        let ways: [&dyn Fn(usize) -> bool; 2] = [&|row| row < rows.len() / 6 * 3, &|row| row / 6 % 2 == 0];
        for (way, belongs) in ways.iter().enumerate() {
            let halves =
                [count(*belongs), count(&|row| !belongs(row))].map(|found| found.map_err(|why| why.to_string()));
            let [one, other] = halves.map(|found| found.unwrap_or_else(|why| panic!("{} way {way}: {why}", file.name)));
            assert_eq!(one + other, whole, "{} way {way}", file.name);
        }
    }
}

#[test]
fn broken_rows_are_named() {
    let (Some(data), place) = (shared(Path::new("data")), tempfile::tempdir().unwrap()) else { return };
    let mut named = 0;
    for file in FILES.iter().filter(|file| file.is_by_line) {
        let (header, rows) = rows(file, &data.join(file.name));
        for broken in [0, 7, rows.len() / 3, rows.len() / 2, rows.len() - 1] {
            // cut off in its first field
            let cut = |(at, row): (usize, &String)| if at == broken { "{\"a\n".to_string() } else { row.clone() };
            let text: String = header.clone() + &rows.iter().enumerate().map(cut).collect::<String>();
            let path = write(place.path(), file.name, &text);
            let why = (file.count)(&path).expect_err(file.name).to_string();
            let line = format!("{}:{}:", path.display(), broken + 1 + file.header);
            assert!(why.starts_with(&line), "{why}, expected {line}");
            named += 1;
        }
    }
    assert_eq!(named, 30);
}
