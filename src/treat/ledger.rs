//! What treatments did: bits, zeros and errors, map by map.

use super::distil::Lesson;
use super::part::{self, Part};
use crate::model::{Model, Visitor};
use crate::table::{Row, Table};
use crate::tensor::Tensor;
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// What the method of its rows is called.
pub const TREAT: &str = "treat";

/// What became of one map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The map.
    pub part: Part,
    /// Its weights.
    pub weights: usize,
    /// Bits a weight as it would be stored, scales included; of pruned maps also a bit that says whether a weight is there.
    pub bits: f64,
    /// Share of weights that are zero.
    pub zeros: f64,
    /// Σ (w − ŵ)².
    pub squared: f64,
    /// The same as a share of Σ w².
    pub relative: f64,
    /// ‖W X − Ŵ X‖² of the texts that the last calibrated step had, from the weights that it found.
    pub output: Option<f64>,
    /// The same as a share of ‖W X‖².
    pub output_share: Option<f64>,
}

/// What became of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    /// Every map that was treated.
    pub entries: Vec<Entry>,
    /// Bytes of all weights before.
    pub before: f64,
    /// Bytes after, as they would be stored.
    pub after: f64,
    /// How long it took.
    pub seconds: f64,
    /// What became of students.
    pub lessons: Vec<Lesson>,
}

/// What is noted of a map while steps are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// Bits of a weight that is there.
    pub width: f64,
    /// Whether some were taken out.
    pub pruned: bool,
    /// ‖W X − Ŵ X‖² and ‖W X‖².
    pub output: Option<[f64; 2]>,
}

impl Ledger {
    /// Of a model beside what it was, where every weight took `width` bits and there were `before` of them; of a student beside
    /// what it began as.
    pub(super) fn new([was, is]: [&dyn Model; 2], notes: &BTreeMap<Part, Note>, width: f64, before: usize) -> Self {
        let parts = notes.keys().copied().collect();
        let both = part::read(was, &parts).into_iter().zip(part::read(is, &parts));
        let entries: Vec<Entry> = both.map(|((part, was), (_, is))| entry(&was, &is, part, &notes[&part])).collect();
        let treated: usize = entries.iter().map(|entry| entry.weights).sum();
        let bits: f64 = entries.iter().map(|entry| entry.bits * entry.weights as f64).sum();
        let after = ((parameters(is) - treated) as f64 * width + bits) / 8.0;
        Ledger { entries, before: before as f64 * width / 8.0, after, seconds: 0.0, lessons: Vec::new() }
    }

    /// The same after some lessons, and so long.
    pub(super) fn after(self, lessons: Vec<Lesson>, seconds: f64) -> Self {
        Ledger { lessons, seconds, ..self }
    }

    /// Bits a weight of the maps that were treated.
    pub fn bits(&self) -> f64 {
        let weights: usize = self.entries.iter().map(|entry| entry.weights).sum();
        let bits = self.entries.iter().map(|entry| entry.bits * entry.weights as f64).sum::<f64>();
        bits / weights.max(1) as f64
    }

    /// In words, for the facts of a run.
    pub fn said(&self) -> String {
        let megabytes = |bytes: f64| bytes / 1e6;
        let students: String = self.lessons.iter().map(|lesson| lesson.said() + "; ").collect();
        format!(
            "{students}{} maps at {:.3} bits a weight; {:.2} MB would be stored instead of {:.2} MB",
            self.entries.len(),
            self.bits(),
            megabytes(self.after),
            megabytes(self.before)
        )
    }

    /// As a table, a row each map and figure.
    pub fn table(&self) -> Table {
        let facts = [
            ("treated", self.said()),
            ("bits", "as stored: a scale takes 16 bits (in NF4 32, or 8 where scales are rounded too), a zero point as many as a weight, a mask one a weight".into()),
            ("computed in", "the model's own numbers: rounded weights are put back into them, as matrices of few bits are not multiplied".into()),
            ("output_error", "of the texts that the last calibrated step had, against the weights that it found".into()),
            ("seconds", format!("{:.1}", self.seconds)),
        ];
        Table {
            name: TREAT.into(),
            title: "What the treatment did to the weights".into(),
            facts: facts.map(|(name, value)| (name.to_string(), value)).into_iter().collect::<IndexMap<_, _>>(),
            positions: Vec::new(),
            rows: self.lessons.iter().flat_map(told).chain(self.entries.iter().flat_map(rows)).collect(),
        }
    }
}

/// What a student learned, on texts that it was not trained on.
fn told(lesson: &Lesson) -> Vec<Row> {
    let figures = [
        ("loss, untrained", lesson.loss.map(|[before, _]| before)),
        ("loss, trained", lesson.loss.map(|[_, after]| after)),
        ("KL from teacher, untrained", lesson.divergence.map(|[before, _]| before)),
        ("KL from teacher, trained", lesson.divergence.map(|[_, after]| after)),
    ];
    let place = || Row { method: TREAT.into(), site: Some("student".into()), n: lesson.texts[1], ..Row::default() };
    let row =
        |(metric, value): (&str, Option<f64>)| value.map(|effect| Row { metric: metric.into(), effect, ..place() });
    figures.into_iter().filter_map(row).collect()
}

fn rows(entry: &Entry) -> Vec<Row> {
    let figures = [
        ("bits", Some(entry.bits)),
        ("zeros", Some(entry.zeros)),
        ("squared_error", Some(entry.squared)),
        ("relative_error", Some(entry.relative)),
        ("output_error", entry.output),
        ("relative_output_error", entry.output_share),
    ];
    let row = |(metric, value): (&str, Option<f64>)| {
        let place = Row { method: TREAT.into(), site: Some(entry.part.map.name().into()), ..Row::default() };
        let (layer, n) = (entry.part.layer, entry.weights);
        value.map(|effect| Row { layer, metric: metric.into(), effect, n, ..place })
    };
    figures.into_iter().filter_map(row).collect()
}

fn entry(was: &super::Matrix, is: &super::Matrix, part: Part, note: &Note) -> Entry {
    let weights = is.len();
    let zeros = is.iter().filter(|weight| **weight == 0.0).count() as f64 / weights as f64;
    let squared: f64 = was.iter().zip(is).map(|(was, is)| (was - is).powi(2)).sum();
    let size: f64 = was.iter().map(|weight| weight * weight).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let bits = if note.pruned { 1.0 + (1.0 - zeros) * note.width } else { note.width };
    let [output, output_share] = match note.output {
        Some([error, whole]) => [Some(error), Some(share(error, whole))],
        None => [None, None],
    };
    Entry { part, weights, bits, zeros, squared, relative: share(squared, size), output, output_share }
}

/// Weights of a model in all.
pub(super) fn parameters(model: &dyn Model) -> usize {
    struct Count(usize);
    impl Visitor for Count {
        fn matrix(&mut self, _: &str, weight: &mut Tensor<2>) {
            self.0 += weight.dims().iter().product::<usize>();
        }
        fn vector(&mut self, _: &str, weight: &mut Tensor<1>) {
            self.0 += weight.dims()[0];
        }
    }
    let mut count = Count(0);
    model.parted(&[]).visit(&mut count);
    count.0
}
