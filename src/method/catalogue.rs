//! All units of some sites by number, and how they respond to questions.

use crate::hook::Record;
use crate::method::heard;
use crate::model::{Dims, HookError, Model, Pass, Read, run};
use crate::plan::{Localising, Question};
use crate::site::Site;
use crate::tensor::{Bool, Setting, Tensor, from_bools, from_doubles, to_doubles};
use crate::text::Tokens;
use ndarray::Array2;
use std::ops::Range;

/// A channel of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// The site.
    pub site: Site,
    /// The head, where the site has several.
    pub head: Option<usize>,
    /// The index along its width.
    pub neuron: usize,
}

/// The units of one site.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The site.
    pub site: Site,
    first: usize,
    count: usize,
    width: usize,
}

impl Part {
    /// The numbers of its units.
    pub fn units(&self) -> Range<usize> {
        self.first..self.first + self.count
    }

    fn shape(&self) -> [usize; 2] {
        [self.count / self.width, self.width]
    }

    /// Which of its units are among some, a row for each: `[row, head, 1, width]`; `None` where none is.
    pub fn mask(&self, rows: &[&[usize]], setting: &Setting) -> Option<Tensor<4, Bool>> {
        let mut picked = vec![false; rows.len() * self.count];
        for (row, units) in rows.iter().enumerate() {
            let own = units.iter().filter(|unit| self.units().contains(unit));
            own.for_each(|unit| picked[row * self.count + unit - self.first] = true);
        }
        let [heads, width] = self.shape();
        let some = picked.contains(&true);
        some.then(|| from_bools(picked, [rows.len(), heads, 1, width], &setting.device))
    }
}

/// The units of several sites, numbered through.
pub struct Catalogue {
    /// Site by site.
    pub parts: Vec<Part>,
}

impl Catalogue {
    /// Of these sites.
    pub fn new(sites: &[Site], dims: &Dims) -> Self {
        let mut first = 0;
        let part = |site: &Site| {
            let (count, width) = Localising::size(*site, dims);
            first += count;
            Part { site: *site, first: first - count, count, width }
        };
        Catalogue { parts: sites.iter().map(part).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.parts.iter().map(|part| part.count).sum()
    }

    /// The sites.
    pub fn sites(&self) -> Vec<Site> {
        self.parts.iter().map(|part| part.site).collect()
    }

    /// The numbers of the units of a site.
    ///
    /// # Panics
    /// If it is not one of these.
    pub fn units(&self, site: Site) -> Range<usize> {
        self.parts.iter().find(|part| part.site == site).expect("a site of this catalogue").units()
    }

    /// The unit of a number.
    pub fn unit(&self, number: usize) -> Unit {
        let part = self.parts.iter().rfind(|part| part.first <= number).expect("numbers are those of units");
        let within = number - part.first;
        let head = (part.count > part.width).then_some(within / part.width);
        Unit { site: part.site, head, neuron: within % part.width }
    }

    /// How every unit responds to every question, the mean over its spots: `[question, unit]`.
    pub fn responses(&self, model: &dyn Model, questions: &[&Question], rows: usize) -> Result<Array2<f64>, HookError> {
        let mut found = Array2::zeros((questions.len(), self.count()));
        for batch in heard::batches(questions, rows) {
            let some: Vec<&Question> = batch.iter().map(|index| questions[*index]).collect();
            let record = states(model, &some, &self.sites())?;
            let spots = spots(&some, &model.setting());
            for part in &self.parts {
                let state = record.at(part.site).expect("asked for").clone();
                // [row, head, 1, width]
                let values = to_doubles(&(state * spots.clone()).sum_dim(2));
                for (row, values) in batch.iter().zip(values.chunks_exact(part.count)) {
                    let mut row = found.row_mut(*row);
                    part.units().zip(values).for_each(|(unit, value)| row[unit] = *value);
                }
            }
        }
        Ok(found)
    }
}

/// What sites hold on questions of one length.
pub fn states(model: &dyn Model, questions: &[&Question], sites: &[Site]) -> Result<Record, HookError> {
    let tokens = Tokens::new(questions.iter().map(|question| question.tokens.clone()).collect());
    let nothing = Read { positions: Some(vec![0; questions.len()]), tokens: Some(vec![vec![0]; questions.len()]) };
    let mut record = Record::of(sites.iter().copied());
    run(model, &Pass::whole(&tokens).reading(nothing), &mut record)?;
    Ok(record)
}

/// The weight of each position in the mean over a question's spots, `[row, 1, pos, 1]`.
fn spots(questions: &[&Question], setting: &Setting) -> Tensor<4> {
    let width = questions[0].tokens.len();
    let weight = |question: &&Question, at: usize| match question.spots.contains(&at) {
        true => 1.0 / question.spots.len() as f64,
        false => 0.0,
    };
    let weights = questions.iter().flat_map(|question| (0..width).map(move |at| weight(question, at)));
    from_doubles(weights.collect(), [questions.len(), 1, width, 1], setting)
}
