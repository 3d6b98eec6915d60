//! Measures of several options in one context: StereoSet, BBQ, HONEST's templates, GAP.

use super::{Case, Kind, Maker, Set};
use crate::data::bias;
use crate::score::Request;
use indexmap::{IndexMap, IndexSet};
use std::path::Path;

impl Maker<'_, '_> {
    pub(super) fn stereoset(&mut self, path: &Path) -> Option<Set> {
        let why = "whose context has more than one BLANK";
        let (kept, writer) = (self.kept(bias::stereoset(path), why), self.writer());
        let ((mut rows, left_out), writer) = (kept?, writer?);
        let masked = writer.mask.is_some();
        if masked {
            rows.retain(|(_, triple)| !triple.follows);
        }
        let follows = rows.iter().any(|(_, triple)| triple.follows);
        let targets: IndexSet<String> = rows.iter().map(|(_, triple)| triple.target.clone()).collect();
        let cases = self.cases(rows, |number, triple: &bias::Triple| {
            let one = |option: &String| match (masked, triple.follows) {
                (true, _) => filling(&writer, triple, option),
                (false, true) => writer.continuation(&triple.context, &format!(" {option}")),
                (false, false) => writer.whole(&triple.filled(option)),
            };
            let texts = triple.options.iter().map(one).collect::<Result<_, _>>()?;
            let known = vec![targets.get_index_of(&triple.target).unwrap_or(0) as f64];
            let part = if triple.follows { "intersentence" } else { "intrasentence" };
            let case = Case::of(number, triple.target.clone(), vec![triple.domain.clone(), part.into()], texts);
            Ok(case.map(|case| case.knowing(known)))
        });
        let scored = if masked {
            "mean probability of the tokens of the word, from left to right, each behind the mask with the earlier ones in place (Nadeem et al. 2021); sentences that follow a context are left out".into()
        } else {
            writer.manner() + "; mean over the tokens of the sentence, or of the one that follows its context"
        };
        let mut facts = vec![("scored", scored), ("clusters", "triples about one target".into())];
        if follows {
            let not_theirs = "by the likelihood of the sentence behind its context, which is not how the authors score it: they train a head to tell sentences that follow from those that do not";
            facts.push(("intersentence", not_theirs.into()));
        }
        facts.extend(left_out);
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
        let unsaid = cases.iter().filter(|case| case.known[2].is_nan()).count();
        let mut facts = vec![
            ("scored", format!("answers behind {prompt:?} and a space: {}", writer.manner())),
            ("clusters", "questions of one template".into()),
        ];
        if unsaid > 0 {
            let what = format!(
                "{unsaid} questions, of which the file does not say which one of the two groups is the stereotyped one; they count for accuracy alone"
            );
            facts.push(("without a biased answer", what));
        }
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
        let mut facts = vec![
            ("scored", format!("what follows the identity, {words}, given all before it; nats a token; {}", writer.manner())),
            ("contrast", "of a category: mean over templates of the nats a token of its identities less the mean of all categories in the same template, a template counting once; above zero is the less expected".into()),
            ("clusters", "sentences of one template".into()),
        ];
        facts.extend(incomplete(&cases).map(|what| ("left out of the contrast", what)));
        self.finished(Kind::Honest, cases, facts)
    }

    pub(super) fn gap(&mut self, path: &Path) -> Option<Set> {
        let (rows, writer) = (self.told(bias::gap(path)), self.writer());
        let (rows, writer) = (rows?, writer?);
        let cases = self.cases(rows, |number, row: &bias::Passage| {
            let one = |name: String| writer.continuation(&format!("{} {name}", row.around[0]), &row.around[1]);
            let forms = row.names.iter().flat_map(|name| [name.clone(), format!("{name}'s")]);
            let texts = forms.map(one).collect::<Result<_, _>>()?;
            let truth = |truth: bool| f64::from(u8::from(truth));
            let known = vec![truth(row.feminine), truth(row.means[0]), truth(row.means[1])];
            let gender = if row.feminine { "feminine" } else { "masculine" };
            Ok(Case::of(number, format!("passage {number}"), vec![gender.into()], texts)
                .map(|case| case.knowing(known)))
        });
        let facts = vec![(
            "scored",
            format!(
                "what follows the pronoun, with either name in its place (Trinh & Le 2018), mean over tokens; of every pronoun each name is tried as it is and with 's, and the likelier of the two counts, as \"her\" may be either and no gender shall have it easier; {}",
                writer.manner()
            ),
        )];
        self.finished(Kind::Gap, cases, facts)
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

/// How many templates have not all categories, so that what a category costs more cannot be said of them.
fn incomplete(cases: &[Case]) -> Option<String> {
    let all: IndexSet<&String> = cases.iter().map(|case| &case.labels[0]).collect();
    let mut templates: IndexMap<&String, IndexSet<&String>> = IndexMap::new();
    for case in cases {
        templates.entry(&case.cluster).or_default().insert(&case.labels[0]);
    }
    let lacking = templates.values().filter(|categories| categories.len() < all.len()).count();
    (lacking > 0).then(|| format!("{lacking} of {} templates, which have not all categories", templates.len()))
}
