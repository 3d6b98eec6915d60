//! `patchclamp train`: corpus, tokenizer, training, exam, and a folder with the model.

use super::commands::{changes, parsed};
use super::screen::{Bar, Voice, say};
use crate::figure::{Curves, Estimate, Figure, Series};
use crate::model::load::folder as load;
use crate::organism::batches::Batches;
use crate::organism::corpus::Corpus;
use crate::organism::lexicon::Shares;
use crate::organism::recipe::{Recipe, tokenizer};
use crate::organism::score::{Score, examine};
use crate::organism::{fit::fit, save::save};
use crate::report::Folder;
use crate::steps::Watcher;
use crate::tensor::Device;
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// Trains the model of a file.
pub fn train(file: &Path, sets: &[String], out: Option<PathBuf>) -> anyhow::Result<()> {
    let recipe: Recipe = parsed(file, &changes(sets)?)?;
    recipe.check().map_err(|why| anyhow!("{}: {why}", file.display()))?;
    let path = out.unwrap_or_else(|| Path::new("runs").join(&recipe.name));
    let (folder, _) = Folder::fresh(&path)?;
    let device = Device::Flex(Default::default());
    let losses = fitted(&recipe, &path, &device)?;
    let loaded = load(&path, &[], &device)?;
    let tokenizer = loaded.text.as_ref().ok_or_else(|| anyhow!("the tokenizer was saved a moment ago"))?;
    let score = examine(loaded.model.as_ref(), tokenizer, recipe.corpus.shares)?;
    write(&recipe, &losses, &score, &folder)?;
    ending(&score, &path)
}

/// Trains and saves; the loss of every step.
fn fitted(recipe: &Recipe, path: &Path, device: &Device) -> anyhow::Result<Vec<f32>> {
    let documents = recipe.corpus.documents(recipe.documents);
    // both twins get the tokenizer of the corpus with planted shares, so that their tokens are the same
    let planted = Corpus { shares: Shares::Planted, ..recipe.corpus };
    let library = |error: tokenizers::Error| anyhow!("the tokenizer cannot be trained: {error}");
    let tokenizer = tokenizer(&planted.documents(recipe.documents), recipe.vocabulary).map_err(library)?;
    let mut batches = Batches::new(&documents, &tokenizer, recipe.training.width).map_err(library)?;
    let mut decoder = recipe.model.untrained(tokenizer.get_vocab_size(true), recipe.seed, device);
    let (mut bar, mut losses) = (Bar::new(Voice::Terminal), Vec::new());
    bar.begin("training", recipe.training.steps);
    fit(&mut decoder, &mut batches, &recipe.training, |_, loss| {
        losses.push(loss);
        bar.advance(1);
    });
    bar.finish();
    save(&mut decoder, &tokenizer, path)?;
    Ok(losses)
}

fn write(recipe: &Recipe, losses: &[f32], score: &Score, folder: &Folder) -> anyhow::Result<()> {
    let lines: String = losses.iter().enumerate().map(|(step, loss)| format!("{step},{loss}\n")).collect();
    folder.write("loss.csv", format!("step,loss\n{lines}").as_bytes())?;
    folder.write("exam.json", (serde_json::to_string_pretty(score)? + "\n").as_bytes())?;
    folder.write("run.ron", crate::report::ron_value(recipe).as_bytes())?;
    let point = |(step, loss): (usize, &f32)| Estimate { x: step as f64, y: f64::from(*loss), low: None, high: None };
    let curve = Figure::Curves(Curves {
        title: format!("Training of {}", recipe.name),
        x_title: "step".into(),
        y_title: "loss (nats a token)".into(),
        x: Vec::new(),
        series: vec![Series {
            name: String::new(),
            points: losses.iter().enumerate().step_by(10).map(point).collect(),
        }],
    });
    for (ending, bytes) in curve.files()? {
        folder.write(&format!("loss.{ending}"), &bytes)?;
    }
    Ok(())
}

fn ending(score: &Score, path: &Path) -> anyhow::Result<()> {
    let correlation = score.correlation.map_or("not defined: all shares are equal".into(), |r| format!("{r:.4}"));
    say(&format!("correlation of measured and planted log-odds(she/he): {correlation}"))?;
    say(&format!("largest log-odds of an occupation, without sign: {:.3}", score.largest_log_odds))?;
    say(&format!("names that reach their pronoun: {:.2} %", 100.0 * score.names))?;
    say(&format!("The model is in {}.", path.display()))
}
