//! Measures of several options in one context: StereoSet, BBQ, HONEST's templates, GAP; and the prompts by a label.

use super::{Case, Kind, Maker, Set};
use crate::data::bias;
use crate::score::Request;
use crate::spec::Shares;
use indexmap::{IndexMap, IndexSet};
use std::path::Path;

impl Maker<'_, '_> {
    pub(super) fn stereoset(&mut self, path: &Path) -> Option<Set> {
        let (rows, writer) = (self.told(bias::stereoset(path)), self.writer());
        let (mut rows, writer) = (rows?, writer?);
        let masked = writer.mask.is_some();
        if masked {
            rows.retain(|(_, triple)| !triple.follows);
        }
        let targets: IndexSet<String> = rows.iter().map(|(_, triple)| triple.target.clone()).collect();
        let cases = self.cases(rows, |number, triple: &bias::Triple| {
            let one = |option: &String| match (masked, triple.follows) {
                (true, _) => filling(&writer, triple, option),
                (false, true) => writer.continuation(&triple.context, &format!(" {option}")),
                (false, false) => writer.whole(&triple.filled(option)),
            };
            let texts = triple.options.iter().map(one).collect::<Result<_, _>>()?;
            let known = vec![targets.get_index_of(&triple.target).unwrap_or(0) as f64];
            let case = Case::of(number, triple.target.clone(), vec![triple.domain.clone()], texts);
            Ok(case.map(|case| case.knowing(known)))
        });
        let scored = if masked {
            "mean probability of the tokens of the word, from left to right, each behind the mask with the earlier ones in place (Nadeem et al. 2021); sentences that follow a context are left out".into()
        } else {
            writer.manner() + "; mean over the tokens of the sentence, or of the one that follows its context"
        };
        let facts = vec![("scored", scored), ("clusters", "triples about one target".into())];
        self.finished(Kind::StereoSet { masked }, cases, facts)
    }

    pub(super) fn bbq(&mut self, path: &Path, prompt: &str) -> Option<Set> {
        if !prompt.contains("{question}") {
            self.problems.add(
                &format!("{}.prompt", self.at),
                "has no {question}; write for instance \"{context}\\nQ: {question}\\nA:\"",
            );
        }
        let (rows, writer) = (self.told(bias::bbq(path)), self.writer());
        let (rows, writer) = (rows?, writer?);
        let cases = self.cases(rows, |number, row: &bias::Question| {
            let before = prompt.replace("{context}", &row.context).replace("{question}", &row.question);
            let one = |answer: &String| writer.continuation(&before, &format!(" {answer}"));
            let texts = row.answers.iter().map(one).collect::<Result<_, _>>()?;
            let biased = row.biased.map_or(f64::NAN, |answer| answer as f64);
            let known = vec![row.right as f64, row.unknown as f64, biased, f64::from(u8::from(row.ambiguous))];
            Ok(Case::of(number, row.template.clone(), vec![row.category.clone()], texts)
                .map(|case| case.knowing(known)))
        });
        let facts = vec![
            ("scored", format!("answers behind {prompt:?} and a space: {}", writer.manner())),
            ("clusters", "questions of one template".into()),
        ];
        self.finished(Kind::Bbq, cases, facts)
    }

    pub(super) fn honest(&mut self, path: &Path, completions: &[String]) -> Option<Set> {
        let (rows, writer) = (self.told(bias::honest(path)), self.writer());
        let (rows, writer) = (rows?, writer?);
        let templates: IndexSet<String> = rows.iter().map(|(_, row)| row.template.clone()).collect();
        let cases = self.cases(rows, |number, row: &bias::Filled| {
            let cut = [row.behind.split("[M]").next().unwrap_or("").trim_end().to_string()];
            let filled: Vec<String> = completions.iter().map(|word| row.behind.replace("[M]", word)).collect();
            let behind = if filled.is_empty() { cut.as_slice() } else { &filled };
            let texts =
                behind.iter().map(|behind| writer.continuation(&row.before, behind)).collect::<Result<_, _>>()?;
            let known = vec![templates.get_index_of(&row.template).unwrap_or(0) as f64];
            Ok(Case::of(number, row.template.clone(), vec![row.category.clone()], texts)
                .map(|case| case.knowing(known)))
        });
        let words = if completions.is_empty() {
            "up to where the template is completed".into()
        } else {
            format!("completed with each of {}", completions.join(", "))
        };
        let facts = vec![
            ("scored", format!("what follows the identity, {words}, given all before it; nats a token; {}", writer.manner())),
            ("contrast", "of a category: mean over templates of the nats a token of its identities less the mean of all categories in the same template; above zero is the less expected".into()),
            ("clusters", "sentences of one template".into()),
        ];
        self.finished(Kind::Honest, cases, facts)
    }

    pub(super) fn gap(&mut self, path: &Path) -> Option<Set> {
        let (rows, writer) = (self.told(bias::gap(path)), self.writer());
        let (rows, writer) = (rows?, writer?);
        let cases = self.cases(rows, |number, row: &bias::Passage| {
            let possessive = matches!(row.pronoun.to_lowercase().as_str(), "his" | "hers")
                || row.pronoun.to_lowercase() == "her"
                    && row.around[1].starts_with(" ")
                    && !row.around[1].trim_start().is_empty();
            let one = |name: &String| {
                let name = if possessive { format!("{name}'s") } else { name.clone() };
                writer.continuation(&format!("{} {name}", row.around[0]), &row.around[1])
            };
            let texts = row.names.iter().map(one).collect::<Result<_, _>>()?;
            let truth = |truth: bool| f64::from(u8::from(truth));
            let known = vec![truth(row.feminine), truth(row.means[0]), truth(row.means[1])];
            let gender = if row.feminine { "feminine" } else { "masculine" };
            Ok(Case::of(number, format!("passage {number}"), vec![gender.into()], texts)
                .map(|case| case.knowing(known)))
        });
        let facts = vec![(
            "scored",
            format!(
                "what follows the pronoun, with either name in its place (Trinh & Le 2018), mean over tokens; {}",
                writer.manner()
            ),
        )];
        self.finished(Kind::Gap, cases, facts)
    }

    /// The experiment's own prompts, by a label.
    pub(super) fn log_odds(&mut self, by: &str, shares: Option<&Shares>) -> Option<Set> {
        let table = match shares {
            Some(shares) => self.told(bias::shares(shares))?,
            None => IndexMap::new(),
        };
        let items = self.known.items;
        if items.is_empty() {
            return None; // said of the method
        }
        let without = items.iter().position(|item| !item.labels.contains_key(by));
        if let Some(item) = without {
            let known: IndexSet<&String> = items.iter().flat_map(|item| item.labels.keys()).collect();
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            let has = if known.is_empty() { "no labels".into() } else { known.join(", ") };
            self.problems
                .add(&format!("{}.by", self.at), format!("item {item} has no label {by:?}; the data has {has}"));
            return None;
        }
        let values: IndexSet<&String> = items.iter().map(|item| &item.labels[by]).collect();
        let unknown: Vec<&str> = values
            .iter()
            .filter(|value| !table.contains_key(&value.to_lowercase()))
            .map(|value| value.as_str())
            .collect();
        if shares.is_some() && unknown.len() == values.len() {
            self.problems.add(&format!("{}.shares", self.at), "has a number for none of the values of the label");
            return None;
        }
        let case = |(number, item): (usize, &crate::plan::Item)| {
            let value = &item.labels[by];
            let share = table.get(&value.to_lowercase()).map_or(f64::NAN, |share| share / 100.0);
            let place = values.get_index_of(value).unwrap_or(0) as f64;
            Case {
                number,
                cluster: value.clone(),
                labels: vec![value.clone()],
                known: vec![place, share],
                ..Case::default()
            }
        };
        let cases = items.iter().enumerate().map(case).collect();
        let mut facts = vec![("clusters", format!("prompts with one {by}"))];
        if shares.is_some() && !unknown.is_empty() {
            facts.push(("without a share", unknown.join(", ")));
        }
        let kind = Kind::LogOdds { by: by.to_string(), shares: shares.is_some() };
        self.finished(kind, cases, facts)
    }
}

/// The word of a triple from left to right: each token behind the mask, the earlier ones in place.
fn filling(writer: &super::Writer, triple: &bias::Triple, word: &str) -> super::writer::Written {
    let Some((name, mask)) = writer.mask else { return Ok(None) };
    let mut requests = Vec::new();
    for (token, before) in writer.pieces(word)? {
        let ids = writer.tokens(&triple.filled(&format!("{before}{name}")))?.ids;
        let Some(at) = ids.iter().position(|id| *id == mask) else { return Ok(None) };
        requests.push(Request { ids, reads: vec![(at, token)] });
    }
    Ok(writer.fitting(requests))
}
