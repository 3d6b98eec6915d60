//! `patchclamp treat`: the weights that an experiment treats, written as a checkpoint that other programs load.

use super::FileArgs;
use super::commands::experiment;
use super::open::{planned, prepared, source};
use super::screen::{Voice, say};
use crate::model::Model;
use crate::model::family::{self, Config};
use crate::model::load::folder;
use crate::model::weights::Weights;
use crate::precision::Precision;
use crate::report::{Folder, ron_value};
use crate::spec::{Experiment, Treatment};
use crate::tensor::{Setting, Tensor, cpu, to_doubles};
use crate::treat::{save, shortened::shortened};
use crate::{device, model};
use anyhow::{Context, anyhow, ensure};
use clap::Args;
use safetensors::Dtype;
use std::path::{Path, PathBuf};

/// What to treat, and where it goes.
#[derive(Args)]
pub struct TreatArgs {
    #[command(flatten)]
    experiment: FileArgs,
    /// A variant of `against` whose treatment is taken in the place of the experiment's own
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Where the model goes
    #[arg(long)]
    out: PathBuf,
}

/// The files of a checkpoint before its weights.
pub struct Source {
    /// `config.json`.
    pub config: String,
    /// Those beside it: the tokenizer and its like.
    pub beside: Vec<(String, Vec<u8>)>,
    /// The weights.
    pub weights: Weights,
}

/// Writes `config.json`, `model.safetensors`, `recipe.ron` and what stood beside the model.
pub fn treat(args: &TreatArgs) -> anyhow::Result<()> {
    let mut asked = experiment(&args.experiment)?;
    if let Some(name) = &args.variant {
        let known = || asked.against.iter().map(|variant| variant.name.clone()).collect::<Vec<_>>().join(", ");
        let variant = asked.against.iter().find(|variant| variant.name == *name);
        asked = asked.varied(variant.ok_or_else(|| anyhow!("there is no variant {name:?}; there are: {}", known()))?);
    }
    ensure!(
        !asked.treat.is_empty(),
        "treat: nothing is to be done to the weights; write for instance treat: [Round(bits: 4)], or name a variant that says so"
    );
    // what processing does to weights is no part of a checkpoint
    asked.process = Vec::new();
    // nor is what it would be rounded to when it computes
    if asked.precision != Precision::F64 {
        asked.precision = Precision::F32;
    }
    ensure!(!args.out.exists(), "{} is there already; give another folder", args.out.display());
    if asked.treat.iter().any(|step| matches!(step, Treatment::Distil(how) if how.steps > 0)) {
        savable(&asked, &args.experiment.file)?;
    }
    let (plan, treated) = prepared(asked, &args.experiment.file, Voice::Terminal)?;
    let setting = device::setting(plan.experiment.device, plan.experiment.precision)?;
    let (source, plain) = source(&plan.experiment.model, &setting, Voice::Terminal)?;
    let (source, plain) = match plan.recipe.layers(plain.dims().layers) {
        Some(layers) => kept(source, plain.as_ref(), &layers, &setting)?,
        None => (source, plain),
    };
    let config = Config::parse("config.json", &source.config)?;
    let recipe = ron_value(&plan.experiment.treat);
    let both = [plain.as_ref(), treated.model.as_ref()];
    let written = save::write(&config, &source.weights, both, &[("patchclamp recipe", recipe.clone())])?;
    let mut files = source.beside;
    files.push(("config.json".into(), widened(&source.config, written.widened)?.into_bytes()));
    files.push(("recipe.ron".into(), recipe.into_bytes()));
    files.push(("model.safetensors".into(), written.bytes));
    // a number that was trained may lose its last bit where a checkpoint holds it less one, as norms of Gemma
    let trained = plan.ledger.as_ref().is_some_and(|ledger| !ledger.lessons.is_empty());
    let lost = if trained { f64::from(f32::EPSILON) } else { 0.0 };
    checked(&args.out, &files, |folder| same_again(folder, treated.model.as_ref(), lost, &setting))?;
    let said = plan.ledger.as_ref().map(|ledger| ledger.said()).unwrap_or_default();
    say(&format!("The model is in {}: {} tensors changed; {said}.", args.out.display(), written.changed.len()))
}

/// Refuses a student that could not be written, before it is trained for hours.
fn savable(asked: &Experiment, file: &Path) -> anyhow::Result<()> {
    let (plan, loaded) = planned(asked.clone(), file, Voice::Quiet)?;
    drop(loaded);
    let setting = device::setting(plan.experiment.device, plan.experiment.precision)?;
    let (source, plain) = source(&plan.experiment.model, &setting, Voice::Quiet)?;
    let Some(layers) = plan.recipe.layers(plain.dims().layers) else { return Ok(()) };
    let (source, plain) = kept(source, plain.as_ref(), &layers, &setting)?;
    Ok(save::writable(&Config::parse("config.json", &source.config)?, &source.weights, plain.as_ref())?)
}

/// The files of a model with some of its blocks alone, and that model.
fn kept(
    source: Source,
    model: &dyn Model,
    layers: &[usize],
    setting: &Setting,
) -> anyhow::Result<(Source, Box<dyn Model>)> {
    let (config, bytes) = shortened(&source.config, &source.weights, model, layers)?;
    let (parsed, bytes) = (Config::parse("config.json", &config)?, bytes::Bytes::from(bytes));
    let build = family::of(&parsed)?.build;
    let built = build(&parsed, &Weights::carried(bytes.clone(), setting)?)?.into_model();
    Ok((Source { config, weights: Weights::carried(bytes, &cpu())?, ..source }, built))
}

/// A folder with these files, which stands at `path` only once it was found good.
fn checked(
    path: &Path,
    files: &[(String, Vec<u8>)],
    good: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let name = path.file_name().context("--out: give a folder with a name")?.to_string_lossy();
    let partial = path.with_file_name(format!("{name}.{}.partial", std::process::id()));
    let (folder, _) = Folder::fresh(&partial)?;
    let written = files.iter().try_for_each(|(name, bytes)| folder.write(name, bytes)).map_err(anyhow::Error::from);
    let kept = written.and_then(|()| good(&partial)).and_then(|()| Ok(std::fs::rename(&partial, path)?));
    if kept.is_err() {
        let _ = std::fs::remove_dir_all(&partial);
    }
    kept
}

/// The configuration; where tensors need more bits it says so, as programs would round them to what it says, or to what they take
/// where it says nothing.
fn widened(config: &str, to: Option<Dtype>) -> anyhow::Result<String> {
    let Some(dtype) = to else { return Ok(config.to_string()) };
    let mut fields: serde_json::Value = serde_json::from_str(config)?;
    let fields_mut = fields.as_object_mut().context("config.json is no object")?;
    let mut names: Vec<&str> =
        ["dtype", "torch_dtype"].into_iter().filter(|name| fields_mut.contains_key(*name)).collect();
    if names.is_empty() {
        names.push("torch_dtype"); // which programs of any age read
    }
    let word = if dtype == Dtype::F64 { "float64" } else { "float32" };
    names.into_iter().for_each(|name| drop(fields_mut.insert(name.into(), word.into())));
    Ok(serde_json::to_string_pretty(&fields)? + "\n")
}

/// What was written is loaded again, and is what was treated: to the bit, or of what is trained but for the share `lost`.
fn same_again(path: &Path, treated: &dyn Model, lost: f64, setting: &Setting) -> anyhow::Result<()> {
    let setting = Setting { device: cpu(), precision: setting.precision };
    let again = folder(path, &[], &setting)?;
    let both = [treated, again.model.as_ref()];
    let [expected, found] = both.map(weights);
    let same = |(one, other): (&f64, &f64)| {
        one.to_bits() == other.to_bits() || (one - other).abs() <= lost * one.abs().max(1.0)
    };
    let alike = |expected: &Weight, found: &Weight| {
        expected.0 == found.0 && expected.1.len() == found.1.len() && expected.1.iter().zip(&found.1).all(same)
    };
    let differs = expected.iter().zip(&found).find(|(expected, found)| !alike(expected, found));
    let [seen, sees] = both.map(|model| (0..model.dims().layers).map(|layer| model.sight(layer)).collect::<Vec<_>>());
    match differs {
        None if expected.len() == found.len() && seen == sees => Ok(()),
        _ => Err(anyhow!(
            "{}: {} would not be loaded again as it was treated; this is a fault of the program",
            path.display(),
            differs.map_or("a tensor", |((name, _), _)| name)
        )),
    }
}

/// Name and numbers.
type Weight = (String, Vec<f64>);

/// Every weight.
fn weights(model: &dyn Model) -> Vec<Weight> {
    struct Read(Vec<Weight>);
    impl model::Visitor for Read {
        fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
            self.0.push((name.into(), to_doubles(weight)));
        }
        fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
            self.0.push((name.into(), to_doubles(weight)));
        }
    }
    let mut read = Read(Vec::new());
    model.parted(&[]).visit(&mut read);
    read.0
}
