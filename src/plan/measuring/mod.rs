//! Measures of bias with every text as tokens: what is scored, and what is known of it beforehand.

mod aligned;
mod association;
mod choices;
mod held;
mod label;
mod pairs;
mod perplexity;
mod writer;

use super::{Known, Problems};
use crate::data::DataError;
use crate::data::bias::{Kept, Lines};
use crate::metric::Metric;
use crate::score::Request;
use crate::site::Site;
use crate::spec::{Experiment, Measure, MeasureSpec, Statistics};
use std::path::Path;
use writer::Writer;

/// The measures of a method, in their order.
pub struct Measuring {
    /// One for each measure.
    pub sets: Vec<Set>,
    /// Whether the model sees one way, so that a text has a likelihood.
    pub is_causal: bool,
    /// What intervals and tests are drawn with.
    pub statistics: Statistics,
    /// Whether the figures are held against those of other models.
    pub is_paired: bool,
}

impl Measuring {
    /// Tokens of the longest text that is run.
    pub fn longest(&self) -> usize {
        self.requests().map(|request| request.ids.len()).max().unwrap_or(0)
    }

    /// Every text that is run.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.sets.iter().flat_map(|set| &set.cases).flat_map(|case| &case.requests)
    }
}

/// A measure with its cases.
pub struct Set {
    /// What is told of them.
    pub kind: Kind,
    /// The file stem of its table, different for each set of a method.
    pub name: String,
    /// Cases, each an item of the data set.
    pub cases: Vec<Case>,
    /// What must be known to read the figures.
    pub facts: Vec<Fact>,
}

/// A name and what must be known.
type Fact = (&'static str, String);

/// Which measure, and what its figures hang on.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Labels kind of bias and direction; texts more and less stereotypical.
    Crows {
        /// Whether scores are pseudo-log-likelihoods, which the authors round.
        masked: bool,
    },
    /// Labels domain and part; known the target's number; texts stereotype, anti-stereotype, unrelated.
    StereoSet {
        /// Whether an option's score is the mean probability of its tokens, or the mean of their logarithms.
        masked: bool,
    },
    /// Texts pro, anti; then, where it is asked, both ways to go on after either pronoun.
    WinoBias,
    /// Labels whom the pronoun means; known 1 where that is the occupation, the occupation's number, its shares.
    Winogender {
        /// Where shares come from.
        sources: Vec<String>,
    },
    /// Labels category; known right, unknown, biased and 1 where ambiguous; texts the answers.
    Bbq,
    /// Labels category; known the template's number; texts the completions.
    Honest,
    /// Labels paradigm and phenomenon; texts acceptable or first, and other.
    Pairs {
        /// As tables are titled.
        title: &'static str,
    },
    /// Known 1 where feminine, 1 where the first name is meant, where the second; texts with the first name, as it is and
    /// with 's, and with the second.
    Gap,
    /// Labels the value of the label; known its number and its share.
    LogOdds {
        /// The label.
        by: String,
        /// Whether there are shares.
        shares: bool,
        /// What is told of each value.
        metric: Metric,
    },
    /// Texts are windows.
    Perplexity,
    /// Labels test, site, set and word; known the set's number, the place of an attribute among all of its test, and the tokens
    /// that are read, from and to.
    Weat {
        /// The streams that states are read from; each word stands there at each.
        sites: Vec<Site>,
        /// The most attributes of a test.
        attributes: usize,
        /// Partitions that are drawn where there are too many to try all.
        draws: usize,
        /// Of these draws.
        seed: u64,
    },
}

/// An item of a data set.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Its number in the file, from 0: the same for every model.
    pub number: usize,
    /// What it belongs to: cases of one cluster are drawn together.
    pub cluster: String,
    /// The groups that it is in.
    pub labels: Vec<String>,
    /// Numbers that are known beforehand.
    pub known: Vec<f64>,
    /// What is run.
    pub requests: Vec<Request>,
    /// How many of the requests each of its texts is.
    pub parts: Vec<usize>,
}

impl Case {
    /// A case of some texts, each as the requests that it is scored by; none where one of them cannot be scored.
    fn of(number: usize, cluster: String, labels: Vec<String>, texts: Vec<Option<Vec<Request>>>) -> Option<Self> {
        let texts: Vec<Vec<Request>> = texts.into_iter().collect::<Option<_>>()?;
        let parts = texts.iter().map(Vec::len).collect();
        let requests = texts.into_iter().flatten().collect();
        Some(Case { number, cluster, labels, known: Vec::new(), requests, parts })
    }

    fn knowing(self, known: Vec<f64>) -> Self {
        Case { known, ..self }
    }
}

/// Resolves the measures of a method.
pub(super) fn resolve(
    at: &str,
    spec: &MeasureSpec,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Measuring> {
    if spec.measures.is_empty() {
        problems.add(
            &format!("{at}.measures"),
            "is empty; name at least one, for instance CrowsPairs(path: \"crows_pairs_anonymized.csv\")",
        );
    }
    let mut sets: Vec<Set> = Vec::new();
    for (index, measure) in spec.measures.iter().enumerate() {
        let at = format!("{at}.measures[{index}]");
        let mut maker = Maker { at, experiment, known, problems, missing: 0 };
        let Some(mut set) = maker.set(measure) else { continue };
        let alike = sets.iter().filter(|other| stem(&other.kind) == stem(&set.kind)).count();
        if alike > 0 {
            set.name += &format!("_{}", alike + 1);
        }
        sets.push(set);
    }
    let is_causal = known.model.is_causal();
    let (statistics, is_paired) = (experiment.statistics, !experiment.against.is_empty());
    (sets.len() == spec.measures.len() && !sets.is_empty()).then_some(Measuring {
        sets,
        is_causal,
        statistics,
        is_paired,
    })
}

/// A text in windows as long as the model's positions, and what they are in words.
pub(super) fn windows(
    at: &str,
    text: &Path,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<(Vec<Request>, String)> {
    let mut maker = Maker { at: at.to_string(), experiment, known, problems, missing: 0 };
    let set = maker.perplexity(Some(text), None, None)?;
    let of = set.facts.into_iter().map(|(_, what)| what).collect::<Vec<_>>().join("; ");
    Some((set.cases.into_iter().flat_map(|case| case.requests).collect(), of))
}

/// What a table of this kind is called.
fn stem(kind: &Kind) -> &'static str {
    match kind {
        Kind::Crows { .. } => "crows_pairs",
        Kind::StereoSet { .. } => "stereoset",
        Kind::WinoBias => "winobias",
        Kind::Winogender { .. } => "winogender",
        Kind::Bbq => "bbq",
        Kind::Honest => "honest",
        Kind::Pairs { title: "BLiMP" } => "blimp",
        Kind::Pairs { .. } => "pairs",
        Kind::Gap => "gap",
        Kind::LogOdds { .. } => "log_odds",
        Kind::Perplexity => "perplexity",
        Kind::Weat { .. } => "weat",
    }
}

/// Makes the cases of a measure.
struct Maker<'a, 'k> {
    at: String,
    experiment: &'a Experiment,
    known: &'a Known<'k>,
    problems: &'a mut Problems,
    /// Items that cannot be scored, as they are longer than the model's positions or hold nothing to score.
    missing: usize,
}

impl Maker<'_, '_> {
    fn set(&mut self, measure: &Measure) -> Option<Set> {
        match measure {
            Measure::CrowsPairs(file) => self.crows(file),
            Measure::StereoSet { path } => self.stereoset(path),
            Measure::WinoBias { pro, anti } => self.winobias(pro, anti),
            Measure::Winogender { path, shares } => self.winogender(path, shares.as_deref()),
            Measure::Bbq { path, prompt } => self.bbq(path, prompt),
            Measure::Honest { path, completions } => self.honest(path, completions),
            Measure::Blimp { path } => self.minimal("BLiMP", crate::data::bias::blimp(path)),
            Measure::Pairs(file) => self.minimal("Sentence pairs", crate::data::bias::pairs(file)),
            Measure::Gap { path } => self.gap(path),
            Measure::LogOdds { by, shares } => self.log_odds(by, shares.as_ref()),
            Measure::Weat(asked) => self.weat(asked),
            Measure::Perplexity { text, window, stride } => self.perplexity(text.as_deref(), *window, *stride),
        }
    }

    /// A set of these cases, unless none can be scored.
    fn finished(&mut self, kind: Kind, cases: Vec<Case>, mut facts: Vec<Fact>) -> Option<Set> {
        if cases.is_empty() {
            let context = self.known.dims().context;
            let what = format!(
                "none of its {} items can be scored: each is empty or longer than the model's {context} positions",
                self.missing
            );
            self.problems.add(&self.at, what);
            return None;
        }
        if self.missing > 0 {
            facts.push((
                "left out",
                format!("{} items, which are empty or longer than the model's positions", self.missing),
            ));
        }
        Some(Set { name: stem(&kind).to_string(), kind, cases, facts })
    }

    /// What was read, and a fact on what of it is left out; or the problem.
    fn kept<T>(&mut self, found: Result<Kept<T>, DataError>, why: &str) -> Option<(Lines<T>, Option<Fact>)> {
        let Kept { rows, left_out } = self.told(found)?;
        let lines = left_out.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let fact = ("left out of the file", format!("{} rows, {why}: lines {lines}", left_out.len()));
        Some((rows, (!left_out.is_empty()).then_some(fact)))
    }

    /// What was read, or the problem.
    fn told<T>(&mut self, found: Result<T, DataError>) -> Option<T> {
        found.map_err(|error| self.problems.add(&self.at, error.to_string())).ok()
    }

    /// What turns texts into requests.
    fn writer(&mut self) -> Option<Writer> {
        match Writer::new(self.experiment, self.known) {
            Ok(writer) => Some(writer),
            Err(why) => {
                self.problems.add(&self.at, why);
                None
            }
        }
    }

    /// A case of each row, as far as it can be scored.
    fn cases<T>(&mut self, rows: Lines<T>, case: impl Fn(usize, &T) -> Result<Option<Case>, String>) -> Vec<Case> {
        let mut cases = Vec::new();
        for (number, (line, row)) in rows.iter().enumerate() {
            match case(number, row) {
                Ok(Some(case)) => cases.push(case),
                Ok(None) => self.missing += 1,
                Err(why) => self.problems.add(&self.at, format!("(line {line}) {why}")),
            }
        }
        cases
    }
}
