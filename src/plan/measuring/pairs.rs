//! Measures of two sentences: CrowS-Pairs, minimal pairs, WinoBias, Winogender.

use super::aligned::matched;
use super::writer::{Own, Writer};
use super::{Case, Kind, Maker, Set};
use crate::data::DataError;
use crate::data::bias::{self, Lines, SentencePair};
use crate::score::Request;
use crate::spec::CrowsPairs;
use indexmap::{IndexMap, IndexSet};
use std::path::Path;

impl Maker<'_, '_> {
    pub(super) fn crows(&mut self, file: &CrowsPairs) -> Option<Set> {
        let (rows, writer) = (self.told(bias::crows(file)), self.writer());
        let (rows, writer) = (rows?, writer?);
        let masked = writer.mask.is_some();
        let cases = self.cases(rows, |number, pair: &SentencePair| {
            let texts = if masked {
                shared(&writer, pair)?
            } else {
                vec![writer.whole(&pair.first)?, writer.whole(&pair.second)?]
            };
            let labels = [Some(pair.group.clone()), pair.also.clone()].into_iter().flatten().collect();
            Ok(Case::of(number, format!("pair {number}"), labels, texts))
        });
        let scored = if masked {
            "pseudo-log-likelihood of the tokens that both sentences share, rounded to three decimals (Nangia et al. 2020)".into()
        } else {
            writer.manner() + "; whole sentences, not divided by their length"
        };
        self.finished(Kind::Crows { masked }, cases, vec![("scored", scored)])
    }

    /// Pairs of which the first sentence should be the more probable one.
    pub(super) fn minimal(&mut self, title: &'static str, rows: Result<Lines<SentencePair>, DataError>) -> Option<Set> {
        let (rows, writer) = (self.told(rows), self.writer());
        let (rows, writer) = (rows?, writer?);
        let cases = self.cases(rows, |number, pair: &SentencePair| {
            let labels = [Some(pair.group.clone()), pair.also.clone()].into_iter().flatten().collect();
            let cluster = pair.cluster.clone().unwrap_or(format!("pair {number}"));
            Ok(Case::of(number, cluster, labels, vec![writer.whole(&pair.first)?, writer.whole(&pair.second)?]))
        });
        self.finished(Kind::Pairs { title }, cases, vec![("scored", writer.manner())])
    }

    pub(super) fn winobias(&mut self, pro: &Path, anti: &Path) -> Option<Set> {
        let why = "whose two sentences differ in more than their pronouns";
        let (kept, writer) = (self.kept(bias::winobias(pro, anti), why), self.writer());
        let ((rows, left_out), writer) = (kept?, writer?);
        let cases = self.cases(rows, |number, twins: &bias::Twins| {
            let mut texts = vec![writer.whole(&twins.sentences[0])?, writer.whole(&twins.sentences[1])?];
            if let Some((prompts, onward)) = &twins.asked {
                for prompt in prompts {
                    for answer in onward {
                        texts.push(writer.continuation(prompt, &format!(" {answer}"))?);
                    }
                }
            }
            Ok(Case::of(number, twins.occupation.clone(), Vec::new(), texts))
        });
        let mut facts = vec![
            ("scored", writer.manner()),
            ("accuracy", "of the two ways in which a sentence and its twin go on, which the model finds the more probable after the pronoun: mean ln p of its tokens (Vig et al. 2020); sentences of the first type alone".into()),
            ("stereotype preferred", "whether the pro-stereotypical sentence is the more probable of two that differ in their pronoun alone".into()),
            ("clusters", "sentences about one occupation".into()),
        ];
        facts.extend(left_out);
        self.finished(Kind::WinoBias, cases, facts)
    }

    pub(super) fn winogender(&mut self, path: &Path, shares: Option<&Path>) -> Option<Set> {
        let shares = match shares {
            Some(shares) => self.told(bias::winogender_shares(shares)),
            None => Some(Vec::new()),
        };
        let (rows, writer) = (self.told(bias::winogender(path)), self.writer());
        let (rows, writer, shares) = (rows?, writer?, shares?);
        let occupations: IndexSet<String> = rows.iter().map(|(_, row)| row.occupation.clone()).collect();
        let cases = self.cases(rows, |number, row: &bias::Pronouns| {
            let texts = row.sentences.iter().map(|sentence| writer.whole(sentence)).collect::<Result<_, _>>()?;
            let whom = if row.of_occupation { "occupation" } else { "participant" };
            let of =
                |(_, table): &(String, IndexMap<String, f64>)| table.get(&row.occupation).copied().unwrap_or(f64::NAN);
            let place = occupations.get_index_of(&row.occupation).unwrap_or(0) as f64;
            let known =
                [f64::from(u8::from(row.of_occupation)), place].into_iter().chain(shares.iter().map(of)).collect();
            Ok(Case::of(number, row.occupation.clone(), vec![whom.into()], texts).map(|case| case.knowing(known)))
        });
        let facts = vec![
            ("scored", writer.manner()),
            ("log-odds", "ln p(sentence with the feminine pronoun) − ln p(sentence with the masculine one)".into()),
            ("clusters", "sentences with one occupation".into()),
        ];
        let sources = shares.into_iter().map(|(source, _)| source).collect();
        self.finished(Kind::Winogender { sources }, cases, facts)
    }
}

/// Both sentences of a pair by the tokens that they share, but for the first and the last.
fn shared(writer: &Writer, pair: &SentencePair) -> Result<Vec<Option<Vec<Request>>>, String> {
    let [Own { ids: one, .. }, Own { ids: other, .. }] = [writer.tokens(&pair.first)?, writer.tokens(&pair.second)?];
    let pairs = matched(&one, &other);
    let inner = pairs.get(1..pairs.len().saturating_sub(1)).unwrap_or(&[]);
    let of_one = writer.masked(&one, inner.iter().map(|(at, _)| *at));
    let of_other = writer.masked(&other, inner.iter().map(|(_, at)| *at));
    Ok(vec![of_one, of_other])
}
