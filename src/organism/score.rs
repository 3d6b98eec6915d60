//! The exam: what a trained model says after templates that its corpus never held.

use super::exam::{name_exam, occupation_exam};
use super::lexicon::{Shares, occupations};
use crate::model::{Model, Pass, Read};
use crate::tensor::to_floats;
use crate::text::{Padding, SpecialTokens, Text, TextError, Tokens};
use patchclamp_probes::{pearson, slope};
use serde::Serialize;

/// Rows a batch of the exam.
const ROWS: usize = 64;

/// How a model did.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// Correlation of measured and planted log-odds over occupations; `None` where all planted shares are equal.
    pub correlation: Option<f64>,
    /// Slope of measured on planted log-odds; 1 is calibrated.
    pub slope: Option<f64>,
    /// The largest measured log-odds of an occupation, without sign.
    pub largest_log_odds: f64,
    /// Share of name prompts whose pronoun has the higher logit.
    pub names: f64,
    /// A row an occupation.
    pub occupations: Vec<OccupationScore>,
}

/// Planted against measured for one occupation.
#[derive(Clone, Debug, Serialize)]
pub struct OccupationScore {
    /// The occupation.
    pub occupation: String,
    /// ln(share of women / share of men) in the corpus.
    pub planted: f64,
    /// Mean logit(" she") − logit(" he") over the held-out templates.
    pub measured: f64,
}

/// Examines a model that was trained with these shares.
pub fn examine(model: &dyn Model, text: &Text, shares: Shares) -> Result<Score, TextError> {
    let (occupations, names) = (occupation_scores(model, text, shares)?, name_share(model, text)?);
    let planted: Vec<f64> = occupations.iter().map(|score| score.planted).collect();
    let measured: Vec<f64> = occupations.iter().map(|score| score.measured).collect();
    let largest_log_odds = measured.iter().map(|value| value.abs()).fold(0.0, f64::max);
    Ok(Score {
        correlation: pearson(&planted, &measured),
        slope: slope(&planted, &measured),
        largest_log_odds,
        names,
        occupations,
    })
}

fn occupation_scores(model: &dyn Model, text: &Text, shares: Shares) -> Result<Vec<OccupationScore>, TextError> {
    let exam = occupation_exam();
    let prompts: Vec<&str> = exam.iter().map(|item| item.prompt.as_str()).collect();
    let odds = log_odds(model, text, &prompts)?;
    let score = |(index, occupation): (usize, super::lexicon::Occupation)| {
        let own = exam.iter().zip(&odds).filter(|(item, _)| item.occupation == index).map(|(_, odds)| *odds);
        let own: Vec<f64> = own.collect();
        let share = shares.of(&occupation);
        let measured = own.iter().sum::<f64>() / own.len() as f64;
        OccupationScore { occupation: occupation.english, planted: (share / (1.0 - share)).ln(), measured }
    };
    Ok(occupations().into_iter().enumerate().map(score).collect())
}

fn name_share(model: &dyn Model, text: &Text) -> Result<f64, TextError> {
    let exam = name_exam();
    let prompts: Vec<&str> = exam.iter().map(|item| item.prompt.as_str()).collect();
    let odds = log_odds(model, text, &prompts)?;
    let right = exam.iter().zip(&odds).filter(|(item, odds)| item.female == (**odds > 0.0)).count();
    Ok(right as f64 / exam.len() as f64)
}

/// logit(" she") − logit(" he") after each prompt.
fn log_odds(model: &dyn Model, text: &Text, prompts: &[&str]) -> Result<Vec<f64>, TextError> {
    let mut odds = Vec::with_capacity(prompts.len());
    for batch in prompts.chunks(ROWS) {
        let rows =
            batch.iter().map(|prompt| text.encode(prompt, SpecialTokens::AsTokenizer)).collect::<Result<_, _>>()?;
        let tokens = Tokens::padded(rows, Padding::Right, 0);
        let answers = |answer| -> Result<u32, TextError> { Ok(text.continuation(batch[0], answer)?[0]) };
        let read = Read {
            positions: Some((0..tokens.rows()).map(|row| tokens.last(row)).collect()),
            tokens: Some(vec![vec![answers(" she")?, answers(" he")?]; tokens.rows()]),
        };
        let logits = to_floats(&model.pass(&Pass::whole(&tokens).reading(read), &mut ()));
        odds.extend(logits.chunks_exact(2).map(|pair| f64::from(pair[0]) - f64::from(pair[1])));
    }
    Ok(odds)
}
