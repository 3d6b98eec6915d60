//! Words in their texts, and which tokens of them are read, for tests of association.

use super::writer::{Own, Writer};
use super::{Case, Fact, Kind, Maker, Set};
use crate::data::bias;
use crate::model::shape;
use crate::plan::sites::all_sites;
use crate::score::Request;
use crate::site::Site;
use crate::spec::{Associations, TokensRead, WordSets};
use std::ops::Range;

/// Tokens that stand for what a tokenizer does not know.
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];

/// What the sets of a test are called.
const SETS: [&str; 4] = ["X", "Y", "A", "B"];

impl Maker<'_, '_> {
    pub(super) fn weat(&mut self, asked: &Associations) -> Option<Set> {
        let before = self.problems.count();
        let sites = self.streams(asked);
        if !asked.template.contains("{word}") {
            self.problems.add(&format!("{}.template", self.at), "has no {word}, where a word is put");
        }
        let (tests, writer) = (self.tests(asked), self.writer());
        let (tests, writer) = (tests?, writer?);
        if self.problems.count() > before {
            return None;
        }
        let mut words = Words::default();
        tests.iter().for_each(|test| self.of_test(test, asked, &writer, &mut words));
        if self.problems.count() > before {
            return None;
        }
        let cases = sites.iter().enumerate().flat_map(|(at, site)| words.at(at, *site)).collect();
        let attributes = tests.iter().map(|test| test.a.len() + test.b.len()).max().unwrap_or(0);
        let draws = self.experiment.statistics.permutations;
        let facts = facts(asked, &writer, &words);
        self.finished(Kind::Weat { sites, attributes, draws, seed: self.experiment.seed }, cases, facts)
    }

    /// The streams that states are read from.
    fn streams(&mut self, asked: &Associations) -> Vec<Site> {
        let at = format!("{}.sites", self.at);
        let sites = all_sites(&at, &asked.sites, self.known, self.problems);
        let (dims, width) = (self.known.dims(), self.known.dims().d_model);
        if let Some(site) = sites.iter().find(|site| shape(dims, **site, 1, 1) != [1, 1, width]) {
            let what = format!(
                "`{site}` is not a stream of width {width}; read for instance \"hook_embed\" or \"hook_resid_post\""
            );
            self.problems.add(&at, what);
        }
        sites
    }

    /// The tests of the file, then those written in the experiment.
    fn tests(&mut self, asked: &Associations) -> Option<Vec<WordSets>> {
        let mut tests = match &asked.path {
            Some(path) => self.told(bias::associations(path))?,
            None => Vec::new(),
        };
        tests.extend(asked.tests.iter().cloned());
        if tests.is_empty() {
            self.problems.add(&self.at, "has no test; name a file with `path`, or write `tests`");
        }
        let twice = |(index, test): (usize, &WordSets)| tests[..index].iter().any(|other| other.name == test.name);
        if let Some(index) = (0..tests.len()).find(|index| twice((*index, &tests[*index]))) {
            self.problems.add(&self.at, format!("two tests are called {:?}", tests[index].name));
        }
        Some(tests)
    }

    /// The words of a test that the tokenizer knows; each set must keep one.
    fn of_test(&mut self, test: &WordSets, asked: &Associations, writer: &Writer, words: &mut Words) {
        let mut attributes = 0;
        for (set, list) in test.sets().into_iter().enumerate() {
            let before = words.known.len();
            for word in list {
                let attribute = if set < 2 { f64::NAN } else { attributes as f64 };
                attributes += usize::from(set >= 2);
                match writer.reading(asked, word) {
                    Some((ids, read)) => {
                        let known = vec![set as f64, attribute, read.start as f64, read.end as f64];
                        words.known.push(words.case([&test.name, SETS[set], word], ids, known));
                    }
                    None => words.unknown.push(format!("{word} ({} of {})", SETS[set], test.name)),
                }
            }
            if words.known.len() == before {
                let (name, count) = (SETS[set], list.len());
                let what = format!(
                    "{}: of the {count} words of {name} the tokenizer knows none that fits into the model's positions; no set may be empty",
                    test.name
                );
                self.problems.add(&self.at, what);
            }
        }
    }
}

/// The words of all tests.
#[derive(Default)]
struct Words {
    /// Those that are read.
    known: Vec<Case>,
    /// Those that are left out.
    unknown: Vec<String>,
}

impl Words {
    /// How many there are in the files, so that a word has one number whatever a tokenizer knows.
    fn count(&self) -> usize {
        self.known.len() + self.unknown.len()
    }

    fn case(&self, labels: [&str; 3], ids: Vec<u32>, known: Vec<f64>) -> Case {
        Case {
            number: self.count(),
            cluster: format!("{}: {}", labels[0], labels[2]),
            labels: labels.map(str::to_string).to_vec(),
            known,
            requests: vec![Request { ids, reads: Vec::new() }],
            parts: vec![1],
        }
    }

    /// The words at one of the sites; they are run once, with the first.
    fn at(&self, index: usize, site: Site) -> impl Iterator<Item = Case> + '_ {
        let count = self.count();
        self.known.iter().map(move |case| {
            let [test, set, word] = [0, 1, 2].map(|at| case.labels[at].clone());
            let requests = if index == 0 { case.requests.clone() } else { Vec::new() };
            let number = index * count + case.number;
            Case { number, labels: vec![test, site.to_string(), set, word], requests, ..case.clone() }
        })
    }
}

impl Writer {
    /// The tokens of the text that a word stands in, and those of them that are read; none where the tokenizer does not know the
    /// word, where it is cut elsewhere, or where the text is too long.
    fn reading(&self, asked: &Associations, word: &str) -> Option<(Vec<u32>, Range<usize>)> {
        let text = asked.template.replace("{word}", word);
        let Own { ids, own } = self.tokens(&text).ok()?;
        let read = match asked.read {
            TokensRead::Word => self.span(&text, word)?,
            TokensRead::Last => own.end.checked_sub(1)?..own.end,
            TokensRead::First => 0..1,
            TokensRead::Mean => own.clone(),
        };
        let unknown: Vec<u32> = UNKNOWN.into_iter().filter_map(|name| self.id(name)).collect();
        let is_known = !ids[own].iter().any(|id| unknown.contains(id));
        (is_known && !read.is_empty() && ids.len() <= self.context).then_some((ids, read))
    }
}

/// What must be known to read the figures.
fn facts(asked: &Associations, writer: &Writer, words: &Words) -> Vec<Fact> {
    let read = match asked.read {
        TokensRead::Word => "the mean of the word's tokens",
        TokensRead::Last => "the last token",
        TokensRead::First => "the first token",
        TokensRead::Mean => "the mean of all tokens",
    };
    let mut facts: Vec<Fact> = vec![
        ("state", format!("of {read} of {:?}; {}", asked.template, writer.begins())),
        ("effect size", "d: mean over X less mean over Y of s(w) = mean cos(w, A) − mean cos(w, B), in standard deviations (n − 1) of s over both; 0 without association".into()),
        ("p", "one-sided, of X rather than Y going with A: the share of ways to part the targets into sets of these sizes whose difference is at least as large, all of them where there are at most 100 000, else random ones and the observed one".into()),
        ("intervals", "words drawn within each of the four sets, as many as it has; of so few words they are rough".into()),
    ];
    if !words.unknown.is_empty() {
        let (count, all) = (words.unknown.len(), words.count());
        facts
            .push(("not in the vocabulary", format!("{count} of {all} words, left out: {}", words.unknown.join(", "))));
    }
    facts
}
