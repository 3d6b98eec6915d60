//! What identifies a run: versions, commit, device, hashes, tokens.

use crate::circuit::{Circuit, exchange};
use crate::model::load::Loaded;
use crate::plan::{DATA_HASH, Item, Plan, Step, data_hash, has_sets};
use crate::score::Request;
use crate::spec::{HubModel, ModelSpec};
use crate::text::SpecialTokens;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};

/// The tokens of one item: of its prompts and of its answers.
pub type ItemTokens = IndexMap<String, Vec<String>>;

/// Facts of a run, and the tokens of every item.
pub fn facts(plan: &Plan, loaded: &Loaded) -> (IndexMap<String, String>, Vec<ItemTokens>) {
    let (experiment, dims) = (&plan.experiment, loaded.model.dims());
    let facts = [
        ("model", format!("{:?}", experiment.model)),
        ("family", loaded.family.clone()),
        (
            "size",
            format!(
                "{} layers, {} heads, d_model {}, vocabulary {}",
                dims.layers, dims.heads, dims.d_model, dims.vocabulary
            ),
        ),
        ("weights sha256", loaded.hash.text().to_string()),
        ("items", plan.items.len().to_string()),
        (DATA_HASH, data_hash(&plan.items)),
        ("special tokens", special(plan, loaded)),
        ("control", format!("{:?}", experiment.control)),
        ("metric", format!("{} = {}", experiment.metric, sign(plan))),
        ("seed", experiment.seed.to_string()),
        ("device", experiment.device.to_string()),
        ("precision", experiment.precision.to_string()),
        ("patchclamp", env!("CARGO_PKG_VERSION").to_string()),
        ("commit", env!("PATCHCLAMP_COMMIT").to_string()),
        ("burn", "0.21.0".to_string()),
    ];
    let commit = match &experiment.model {
        ModelSpec::Hub(HubModel { commit: Some(commit), .. }) => Some(("model commit", commit.clone())),
        _ => None,
    };
    let left_out = (plan.left_out > 0)
        .then(|| ("left out", format!("{} pairs, whose prompts have different numbers of tokens", plan.left_out)));
    let treated = plan.ledger.as_ref().map(|ledger| ("treated", ledger.said()));
    let texts = (plan.recipe.steps.iter().any(|step| step.treatment.calibration().is_some()))
        .then(|| ("calibration sha256", calibration(plan)));
    let leaked = plan.recipe.on_own_prompts(dims).map(|told| ("calibrated on", told));
    let treated = treated.into_iter().chain(texts).chain(leaked);
    let facts =
        facts.into_iter().chain(left_out).chain(commit).chain(treated).map(|(name, value)| (name.to_string(), value));
    let facts = facts.chain(read(plan)).collect();
    (facts, plan.items.iter().map(|item| tokens(item, loaded)).collect())
}

/// What identifies the texts that the weights were treated by; those that the model says itself hang on its weights.
fn calibration(plan: &Plan) -> String {
    let texts = plan.recipe.steps.iter().map(|step| format!("{:?}\n", step.texts));
    let sum = texts.fold(Sha256::new(), |hash, text| hash.chain_update(text));
    hex(sum.finalize().as_ref())
}

fn sign(plan: &Plan) -> &'static str {
    if has_sets(&plan.items) { plan.metric().sign_of_sets() } else { plan.metric().sign() }
}

/// What was put around the prompts, in words.
fn special(plan: &Plan, loaded: &Loaded) -> String {
    let written = || {
        let (text, item) = (loaded.text.as_ref()?, plan.items.first()?);
        let plain = text.encode("a", SpecialTokens::Never).ok()?.len();
        let added = text.encode("a", SpecialTokens::AsTokenizer).ok()?.len() - plain;
        Some((added, text.label(*item.clean.first()?)))
    };
    match (plan.experiment.special_tokens, written()) {
        (_, None) if plan.items.is_empty() => "there are no prompts; tables say what stands around texts".into(),
        (_, None) => "none: the data is raw tokens".into(),
        (SpecialTokens::Never, _) => "none were added".into(),
        (SpecialTokens::AsTokenizer, Some((0, _))) => "the tokenizer adds none".into(),
        (SpecialTokens::AsTokenizer, Some((added, first))) => {
            format!("{added} added by the tokenizer; the first token of item 0 is {first}")
        }
    }
}

/// What identifies circuits and states that are read from files: others make another run.
fn read(plan: &Plan) -> Vec<(String, String)> {
    let given = plan.steps.iter().filter_map(|step| match step {
        Step::EvaluateCircuit(given) => Some((format!("sha256 of {}", given.file), &given.circuit)),
        _ => None,
    });
    let truth = plan.truth.iter().map(|truth| ("sha256 of the true circuit".to_string(), truth));
    let hashed = |circuit: &Circuit| hex(Sha256::digest(exchange::write(circuit, &exchange::Facts::new())).as_ref());
    let recorded = plan.steps.iter().filter_map(|step| match step {
        Step::Probe(plan) => plan.states.as_ref(),
        _ => None,
    });
    let recorded = recorded.map(|states| {
        let sums = states.sums().fold(Sha256::new(), |hash, sum| hash.chain_update(sum));
        (format!("sha256 of the states in {}", states.folder.display()), hex(sums.finalize().as_ref()))
    });
    let texts = measured(plan).map(|sum| ("sha256 of the texts measured".to_string(), sum));
    let texts = texts.into_iter().chain(cut(plan));
    let read = given.chain(truth).map(|(name, circuit)| (name, hashed(circuit))).chain(recorded).chain(texts);
    let merged = plan.recipe.merged.iter();
    let merged =
        merged.map(|(step, sum)| (format!("weights sha256 of the model merged in treat[{step}]"), sum.clone()));
    read.chain(plan.steps.iter().filter_map(guest)).chain(merged).collect()
}

/// The weights of another model that a method works with.
fn guest(step: &Step) -> Option<(String, String)> {
    let (name, hash) = match step {
        Step::Stitch(plan) => (&plan.name, &plan.guest.hash),
        Step::PatchWeights(plan) => (&plan.with, &plan.other.hash),
        Step::PatchModels(plan) => (&plan.with, &plan.other.hash),
        _ => return None,
    };
    Some((format!("weights sha256 of {name}"), hash.text().to_string()))
}

/// The sum of every text that measures score, and of what is read of it.
fn measured(plan: &Plan) -> Option<String> {
    let measures = plan.steps.iter().filter_map(|step| match step {
        Step::Measure(measuring) => Some(measuring),
        _ => None,
    });
    summed(measures.flat_map(|measuring| measuring.requests()))
}

/// What identifies what cuts must not lose, and the texts in which their loss is measured.
fn cut(plan: &Plan) -> Vec<(String, String)> {
    let cuts = plan.steps.iter().filter_map(|step| match step {
        Step::Cut(cutting) => Some(cutting),
        _ => None,
    });
    let facts = cuts.enumerate().flat_map(|(number, cutting)| {
        let of = if number == 0 { String::new() } else { format!(" ({})", number + 1) };
        let texts = cutting.windows.as_ref().and_then(|windows| summed(&windows.texts));
        let kept = (format!("sha256 of what cuts keep{of}"), data_hash(&cutting.tasks[1].items));
        [kept].into_iter().chain(texts.map(|sum| (format!("sha256 of the texts of cuts{of}"), sum)))
    });
    facts.collect()
}

/// The sum of texts, and of what is read of them; none of none.
fn summed<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Option<String> {
    let mut sum = None;
    for request in requests {
        let hash: Sha256 = sum.unwrap_or_default();
        let ids = request.ids.iter().flat_map(|id| id.to_le_bytes());
        let reads =
            request.reads.iter().flat_map(|(at, token)| [(*at as u32).to_le_bytes(), token.to_le_bytes()].concat());
        sum = Some(hash.chain_update(ids.chain(reads).collect::<Vec<u8>>()));
    }
    sum.map(|sum| hex(sum.finalize().as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tokens(item: &Item, loaded: &Loaded) -> ItemTokens {
    let label = |id: &u32| loaded.text.as_ref().map_or(id.to_string(), |text| text.label(*id));
    let mut tokens = IndexMap::from([("clean".to_string(), item.clean.iter().map(label).collect::<Vec<_>>())]);
    if let Some(answers) = &item.answers {
        tokens.insert("corrupt".into(), item.corrupt.iter().map(label).collect());
        let in_row = |tokens: &[u32], between| tokens.iter().map(label).collect::<Vec<_>>().join(between);
        let whole = |any: &[u32], more: &[u32]| match any {
            [first] => in_row(&[&[*first], more].concat(), " "),
            several => in_row(several, " | "),
        };
        let [right, wrong] = &item.more;
        tokens.insert("answers".into(), vec![whole(&answers.right, right), whole(&answers.wrong, wrong)]);
    }
    if let Some(subject) = &item.subject {
        tokens.insert("subject".into(), item.clean[subject.clone()].iter().map(label).collect());
    }
    if !item.labels.is_empty() {
        tokens.insert("labels".into(), item.labels.iter().map(|(name, value)| format!("{name}: {value}")).collect());
    }
    tokens
}
