//! The texts that treatments of the weights are calibrated on, as tokens.

use super::Checking;
use crate::data::{crows_pairs, text_file};
use crate::spec::{Calibration, Pairs, Source, Treatment};
use crate::text::SpecialTokens;
use crate::treat::Texts;
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

impl Checking<'_, '_> {
    /// What a step is calibrated on; rows that the model is to say itself are not known yet.
    pub(super) fn texts(&mut self, treatment: &Treatment) -> Texts {
        let Some(calibration) = treatment.calibration() else { return Texts::default() };
        for (field, count) in [("calibration.rows", calibration.rows), ("calibration.length", calibration.length)] {
            self.positive(field, count);
        }
        let pairs = match treatment {
            Treatment::FairGptq(fair) => self.pairs(&fair.pairs),
            _ => Vec::new(),
        };
        // a student is asked prompts with their special tokens, and so is trained on texts with theirs
        let special = match treatment {
            Treatment::Distil(_) => self.experiment.special_tokens,
            _ => SpecialTokens::Never,
        };
        let texts = Texts { rows: self.rows(calibration, special), pairs, ..Texts::default() };
        self.lessons(treatment, texts)
    }

    fn rows(&mut self, calibration: &Calibration, special: SpecialTokens) -> Vec<Vec<u32>> {
        let context = self.known.dims().context;
        if calibration.from != Source::Prompts && calibration.length > context {
            let what = format!("{} tokens are more than the {context} positions of the model", calibration.length);
            self.add("calibration.length", what);
            return Vec::new();
        }
        match &calibration.from {
            Source::Prompts => {
                let prompts = self.prompts();
                if prompts.is_empty() && self.known.complete {
                    let what = "there are no prompts to calibrate on; write from: Sampled, or Text(\"file.txt\")";
                    self.add("calibration.from", what);
                }
                some(prompts, calibration)
            }
            Source::Text(path) => some(self.pieces(path, calibration.length.max(1), special), calibration),
            Source::Sampled => {
                if !self.known.model.is_causal() {
                    let what = "Sampled needs a model that goes on with a text, and this one fills gaps; write Prompts or Text(\"file.txt\")";
                    self.add("calibration.from", what);
                }
                Vec::new()
            }
        }
    }

    /// The clean prompts, and the corrupted ones where there are such.
    fn prompts(&self) -> Vec<Vec<u32>> {
        let both = |item: &super::super::Item| {
            let corrupt = (item.corrupt != item.clean).then(|| item.corrupt.clone());
            std::iter::once(item.clean.clone()).chain(corrupt)
        };
        self.known.items.iter().flat_map(both).collect()
    }

    /// A text file in pieces of one length, each with its special tokens around it; what is left at its end is left out.
    fn pieces(&mut self, path: &Path, length: usize, special: SpecialTokens) -> Vec<Vec<u32>> {
        let text = match text_file::text(path) {
            Ok(text) => text,
            Err(error) => {
                self.add("calibration.from", error.to_string());
                return Vec::new();
            }
        };
        let Some([before, tokens, behind]) = self.parted("calibration.from", &text, special) else { return Vec::new() };
        let around = before.len() + behind.len();
        if around >= length {
            self.add("calibration.length", format!("{length} leaves no room beside {around} special tokens"));
            return Vec::new();
        }
        let piece = |own: &[u32]| [before.as_slice(), own, behind.as_slice()].concat();
        let pieces: Vec<Vec<u32>> = tokens.chunks_exact(length - around).map(piece).collect();
        if pieces.is_empty() {
            let (there, one) = (tokens.len(), length - around);
            let what = format!("{} has {there} tokens, fewer than the {one} of one row", path.display());
            self.add("calibration.from", what);
        }
        pieces
    }

    fn pairs(&mut self, pairs: &Pairs) -> Vec<[Vec<u32>; 2]> {
        let found = match pairs {
            Pairs::Prompts => {
                let items = self.known.items.iter().filter(|item| item.corrupt != item.clean);
                items.map(|item| [item.clean.clone(), item.corrupt.clone()]).collect()
            }
            Pairs::CrowsPairs(path) => self.of_file(path),
        };
        let even: Vec<[Vec<u32>; 2]> = found.into_iter().filter(|[one, other]| one.len() == other.len()).collect();
        if even.is_empty() && self.known.complete {
            let what = "there is no pair of two texts with as many tokens, whose states could be held against each other position by position";
            self.add("pairs", what);
        }
        even
    }

    fn of_file(&mut self, path: &Path) -> Vec<[Vec<u32>; 2]> {
        let lines = crows_pairs(path).map_err(|error| self.add("pairs", error.to_string())).unwrap_or_default();
        let mut found = Vec::new();
        for (_, texts) in lines {
            let [one, other] = texts.map(|text| self.encoded("pairs", &text, self.experiment.special_tokens));
            let context = self.known.dims().context;
            if let (Some(one), Some(other)) = (one, other)
                && one.len().max(other.len()) <= context
            {
                found.push([one, other]);
            }
        }
        found
    }

    /// Of a text that has some.
    fn encoded(&mut self, field: &str, text: &str, special: SpecialTokens) -> Option<Vec<u32>> {
        self.tokens(field, text, special).filter(|tokens| !tokens.is_empty())
    }

    fn tokens(&mut self, field: &str, text: &str, special: SpecialTokens) -> Option<Vec<u32>> {
        Some(self.parted(field, text, special)?.concat())
    }

    /// The special tokens before a text, its own, and those behind it.
    fn parted(&mut self, field: &str, text: &str, special: SpecialTokens) -> Option<[Vec<u32>; 3]> {
        let Some(tokenizer) = &self.known.loaded.text else {
            self.add(field, "is text, and the model has no tokenizer.json; calibrate on the prompts");
            return None;
        };
        let tokens = tokenizer.parted(text, special);
        tokens.map_err(|error| self.add(field, error.to_string())).ok()
    }
}

/// As many as are asked for, drawn where there are more, in their order.
fn some(all: Vec<Vec<u32>>, calibration: &Calibration) -> Vec<Vec<u32>> {
    if all.len() <= calibration.rows {
        return all;
    }
    let mut random = ChaCha8Rng::seed_from_u64(calibration.seed);
    let mut chosen = sample(&mut random, all.len(), calibration.rows).into_vec();
    chosen.sort_unstable();
    chosen.into_iter().map(|row| all[row].clone()).collect()
}
