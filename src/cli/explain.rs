//! `patchclamp explain`: the same pass in two settings, and where they part.

use super::FileArgs;
use super::commands::{experiment, model_spec};
use super::open::prepared;
use super::screen::{Voice, say};
use crate::builtin;
use crate::device::Choice;
use crate::explain::{Against, At, Compared, Explanation, Reference, Rounding, explain as compare};
use crate::plan::{Item, Plan};
use crate::precision::Precision;
use crate::site::{Layout, Site};
use crate::spec::{Experiment, ModelSpec};
use crate::text::Tokens;
use anyhow::{anyhow, bail};
use comfy_table::{CellAlignment, presets};
use std::path::{Path, PathBuf};

/// How an explanation is told.
#[derive(clap::Args)]
pub struct Telling {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Fail where a site differs by more than this
    #[arg(long, value_name = "DIFFERENCE")]
    tolerance: Option<f64>,
}

/// What the first experiment is held against.
enum Second {
    States(PathBuf),
    Experiment(Box<Experiment>, PathBuf),
}

/// Compares an experiment with itself in another setting, with another one, or with states from a file.
pub fn explain(args: &FileArgs, second: &str, telling: &Telling) -> anyhow::Result<()> {
    let first = experiment(args)?;
    let voice = if telling.json { Voice::Json } else { Voice::Terminal };
    let (plan, loaded) = prepared(first.clone(), &args.file, voice)?;
    let clean = batch(&plan, |item| &item.clean);
    let (name, explanation) = match self::second(&first, &args.file, second)? {
        Second::States(path) => {
            let reference = Reference::read(&path)?;
            let corrupt = batch(&plan, |item| &item.corrupt);
            let tokens = reference.prompts(&path, &clean, &corrupt)?;
            let found = compare(loaded.model.as_ref(), &Against::States(&reference), tokens)?;
            (path.display().to_string(), found)
        }
        Second::Experiment(other, file) => {
            let (there, other) = prepared(*other, &file, voice)?;
            same_prompts(&plan, &there, &file)?;
            let against = Against::Model(other.model.as_ref(), rounding(&plan, &there));
            (setting(&there, &file), compare(loaded.model.as_ref(), &against, &clean)?)
        }
    };
    let name = [setting(&plan, &args.file), name];
    if telling.json {
        json(&name, &explanation)?
    } else {
        terminal(&name, &explanation)?
    }
    within(&explanation, telling.tolerance)
}

/// The second word of the command: a precision, a device, states, an experiment, a run folder, or a model.
fn second(first: &Experiment, file: &Path, word: &str) -> anyhow::Result<Second> {
    let changed = |other: Experiment| Ok(Second::Experiment(Box::new(other), file.to_path_buf()));
    let written = |path: PathBuf| Ok(Second::Experiment(Box::new(Experiment::read(&path)?), path));
    if let Ok(precision) = word.parse::<Precision>() {
        return changed(Experiment { precision, ..first.clone() });
    }
    if let Ok(device) = word.parse::<Choice>() {
        return changed(Experiment { device, ..first.clone() });
    }
    let (path, model) = (PathBuf::from(word), model_spec(word)?);
    let run = path.join("run.ron");
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("safetensors") => Ok(Second::States(path)),
        Some("ron") => written(path),
        _ if run.is_file() => written(run),
        _ if path.is_dir() || matches!(model, ModelSpec::Builtin(_) | ModelSpec::Hub(_)) => {
            changed(Experiment { model, ..first.clone() })
        }
        _ => bail!(
            "{word}: neither a file or folder that is there, nor a precision (f64), a device (vulkan) or a built-in model ({})",
            builtin::names().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// One side of all prompts as a batch, as `Record` pads them.
fn batch(plan: &Plan, side: fn(&Item) -> &Vec<u32>) -> Tokens {
    Tokens::padded(plan.items.iter().map(|item| side(item).clone()).collect(), plan.experiment.padding, 0)
}

/// A difference of states says nothing where the prompts differ.
fn same_prompts(here: &Plan, there: &Plan, file: &Path) -> anyhow::Result<()> {
    let (ours, theirs) = (here.items.len(), there.items.len());
    if ours != theirs {
        bail!("{} has {theirs} items and the first experiment {ours}; give the two the same prompts", file.display());
    }
    let mut items = here.items.iter().zip(&there.items).enumerate();
    match items.find(|(_, (ours, theirs))| ours.clean != theirs.clean) {
        Some((item, (ours, theirs))) => Err(anyhow!(
            "item {item} of {} has the tokens {:?} and that of the first experiment {:?}; give the two the same prompts",
            file.display(),
            theirs.clean,
            ours.clean
        )),
        None => Ok(()),
    }
}

fn rounding(here: &Plan, there: &Plan) -> Rounding {
    let arithmetic = |plan: &Plan| (plan.experiment.device, plan.experiment.precision);
    if arithmetic(here) == arithmetic(there) { Rounding::Same } else { Rounding::Own }
}

/// What tells one side from the other.
fn setting(plan: &Plan, file: &Path) -> String {
    let experiment = &plan.experiment;
    let model = match &experiment.model {
        ModelSpec::Builtin(name) => name.clone(),
        ModelSpec::Path(path) => path.display().to_string(),
        ModelSpec::Hub(name) => name.to_string(),
        ModelSpec::Compiled(task) => task.to_string(),
    };
    format!("{}: {model}, {}, {}", file.display(), experiment.device, experiment.precision)
}

fn json(names: &[String; 2], explanation: &Explanation) -> anyhow::Result<()> {
    let mut told = serde_json::to_value(explanation)?;
    told["first"] = names[0].clone().into();
    told["second"] = names[1].clone().into();
    say(&told.to_string())
}

fn terminal([first, second]: &[String; 2], explanation: &Explanation) -> anyhow::Result<()> {
    say(&format!("{first}\n{second}\n"))?;
    let mut screen = comfy_table::Table::new();
    let header = ["", "site", "largest difference", "of the largest value", "rounding makes", "where"];
    screen.load_preset(presets::NOTHING).set_header(header);
    for compared in &explanation.sites {
        let mark = if explanation.begins == Some(compared.site) { "→" } else { "" };
        screen.add_row([&[mark.to_string(), compared.site.to_string()], cells(compared).as_slice()].concat());
    }
    for column in 2..5 {
        if let Some(column) = screen.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    say(&screen.to_string())?;
    for line in absences(explanation) {
        say(&line)?;
    }
    say(&format!("\n{}", verdict(explanation)))
}

fn cells(compared: &Compared) -> [String; 4] {
    let Compared { largest, rounding, .. } = compared;
    let number = |value: f64| if value == 0.0 { "0".into() } else { format!("{value:.1e}") };
    let place = largest.at.map(|at| place(compared.site, at)).unwrap_or_default();
    [number(largest.difference), number(largest.relative()), number(*rounding), place]
}

fn place(site: Site, At { item, position, head, index }: At) -> String {
    let head = head.map(|head| format!(", head {head}")).unwrap_or_default();
    match site.layout() {
        Layout::Pattern => format!("item {item}{head}, query {position}, key {index}"),
        _ => format!("item {item}, position {position}{head}, index {index}"),
    }
}

/// What could not be compared.
fn absences(explanation: &Explanation) -> Vec<String> {
    let named = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let shapes =
        explanation.shapes.iter().map(|(name, ours, theirs)| format!("{name} is {ours:?} here, {theirs:?} there"));
    let missing = named("\nOnly in the first", &explanation.missing);
    let extra = named("\nOnly in the second", &explanation.extra);
    missing.into_iter().chain(extra).chain(shapes).collect()
}

fn verdict(explanation: &Explanation) -> String {
    let begins = explanation.sites.iter().find(|compared| Some(compared.site) == explanation.begins);
    let Some(largest) = explanation.largest() else { return "The two have no site in common.".into() };
    match (begins, largest.largest.at) {
        (Some(begins), _) => {
            let [difference, share, rounding, place] = cells(begins);
            format!(
                "They begin to differ at {}: by {difference} at {place}, which is {share} of the largest value there; rounding makes {rounding}.",
                begins.site
            )
        }
        (None, None) => "They are equal at every site.".into(),
        (None, Some(at)) => format!(
            "They differ nowhere by more than rounding makes; at most by {:.1e}, at {} ({}).",
            largest.largest.difference,
            largest.site,
            place(largest.site, at)
        ),
    }
}

fn within(explanation: &Explanation, tolerance: Option<f64>) -> anyhow::Result<()> {
    let Some((tolerance, largest)) = tolerance.zip(explanation.largest()) else { return Ok(()) };
    match largest.largest.difference <= tolerance {
        true => Ok(()),
        false => bail!("{} differs by {:.1e}, more than {tolerance:e}", largest.site, largest.largest.difference),
    }
}
