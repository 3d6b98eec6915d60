//! What a method needs of the model and the data.

use super::{Cell, Known, Problems, has_sets};
use crate::metric::Metric;
use crate::site::Layout;
use crate::spec::{
    Ablation, ChangeSpec, Concept, Control, EditSpec, Experiment, Measure, Method, Sites, Statistics, Variant,
};

/// The most resamples and permutations: more would not end.
const MOST: usize = 100_000_000;

/// Level and counts of intervals and tests.
pub(super) fn statistics(statistics: Statistics, problems: &mut Problems) {
    if !(statistics.level > 0.0 && statistics.level < 1.0) {
        problems.add("statistics.level", format!("{} is not between 0 and 1", statistics.level));
    }
    for (name, count) in [("resamples", statistics.resamples), ("permutations", statistics.permutations)] {
        if count == 0 || count > MOST {
            problems.add(&format!("statistics.{name}"), format!("{count} is not between 1 and {MOST}"));
        }
    }
}

/// Names of variants become folders, and what does not differ cannot be held against anything.
pub(super) fn against(experiment: &Experiment, problems: &mut Problems) {
    let variants = &experiment.against;
    let held = |method: &Method| method.can_be_held() || method.beside().is_some();
    if !variants.is_empty() && !experiment.methods.iter().any(held) {
        problems.add(
            "against",
            "holds circuits, spaces, measures, classifiers and what methods tell of single prompts against each other, and no method tells of any; add for instance `Patch(sites: [\"hook_resid_pre\"], over: [Layer])`, `Circuit(select: TopN(40))` or `Measure(measures: [CrowsPairs(path: \"crows_pairs_anonymized.csv\")])`",
        );
    }
    if let Some(first) = experiment.methods.iter().position(Method::is_left_out)
        && let Some(behind) = experiment.methods[first..].iter().position(|method| !method.is_left_out())
        && !variants.is_empty()
        && experiment.methods.iter().any(Method::can_be_held)
    {
        let what = format!(
            "stands before methods[{}], which variants run too and this one they do not; write it last",
            first + behind
        );
        problems.add(&format!("methods[{first}]"), what);
    }
    let mut found = experiment.methods.iter().filter(|method| method.can_be_held()).peekable();
    let of_items = found.peek().is_some() && found.all(Method::tells_of_items);
    if !variants.is_empty() && experiment.methods.iter().any(Method::chooses_nodes) {
        let what = "`neurons: Top` chooses other neurons in each variant, and circuits of other nodes cannot be held against each other; name them, for instance as the facts of a run without `against` do";
        problems.add("against", what);
    }
    for (index, variant) in variants.iter().enumerate() {
        let at = format!("against[{index}]");
        let plain = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
        if variant.name.is_empty() || !variant.name.chars().all(plain) {
            let what = format!("{:?} becomes a folder: write letters, digits, - and _", variant.name);
            problems.add(&format!("{at}.name"), what);
        }
        if variants[..index].iter().any(|earlier| earlier.name == variant.name) {
            problems.add(&format!("{at}.name"), format!("{:?} is the name of an earlier variant too", variant.name));
        }
        let held = |method: &Method| matches!(method, Method::Represent(_) | Method::Measure(_));
        let compares = experiment.methods.iter().any(held);
        if compares && (variant.data.is_some() || variant.seed.is_some()) {
            let what = "has prompts of its own, but spaces and measures are held against each other on the same prompts; leave `data` and `seed` out, or the methods Represent and Measure";
            problems.add(&at, what);
        } else if variant.asks_otherwise() && of_items {
            let what = "asks other prompts, or another metric of them, and only circuits are held against each other then; leave `data`, `seed` and `metric` out, or add a method that finds a circuit";
            problems.add(&at, what);
        }
        twins(&at, variant, experiment, problems);
        if variant.is_same() {
            problems.add(&at, "differs in nothing; give it a model, data, a metric, a control or a seed of its own");
        }
    }
}

/// The most twins: each is a model that is made and measured.
const MOST_TWINS: usize = 10_000;

/// Twins are of a treatment in which something can be left to chance, and tell of measures.
fn twins(at: &str, variant: &Variant, experiment: &Experiment, problems: &mut Problems) {
    if variant.twins == 0 {
        return;
    }
    let at = format!("{at}.twins");
    if variant.twins > MOST_TWINS {
        problems.add(&at, format!("{} are too many; {MOST_TWINS} are the most", variant.twins));
    }
    let steps = experiment.varied(variant).treat;
    if steps.iter().all(|step| step.twin(1) == step.twin(2)) {
        problems.add(&at, "nothing in `treat` can be left to chance, as rounding and pruning can");
    }
    if !experiment.methods.iter().any(|method| matches!(method, Method::Measure(_))) {
        problems.add(&at, "tell of measures, and there is none; add for instance Measure(measures: [Perplexity()])");
    }
}

/// A control that would change nothing is none.
pub(super) fn control(control: Control, known: &Known, problems: &mut Problems) {
    if control == Control::ShuffledAnswers && known.items.iter().any(|item| item.answers.is_none()) {
        problems.add("control", "ShuffledAnswers needs prompts in pairs with answers");
    }
    if control == Control::ShuffledAnswers && known.complete && known.items.len() < 2 {
        problems.add("control", "ShuffledAnswers exchanges the answers of half of the items, so it needs at least two");
    }
}

/// Patterns are averaged position by position.
pub(super) fn attention(at: &str, known: &Known, problems: &mut Problems) {
    if known.is_uneven() {
        problems.add(
            at,
            "patterns are averaged over items, which needs prompts of one length; choose words of equally many tokens",
        );
    }
}

/// Answers and corrupted twins, where the method needs them.
pub(super) fn needs(at: &str, method: &Method, known: &Known, problems: &mut Problems) {
    let contrast = |edits: &[EditSpec]| edits.iter().any(|edit| matches!(edit.change, ChangeSpec::AddContrast(_)));
    let needed = match method {
        Method::Record { gradients, .. } => *gradients != Sites::Named(Vec::new()),
        Method::Attention { .. } | Method::Trace { .. } | Method::Patchscope { .. } => false,
        Method::Generate { edits, .. } => contrast(edits),
        Method::Represent(_) | Method::Classify(_) => false,
        Method::Measure(spec) => spec.measures.iter().any(|measure| matches!(measure, Measure::LogOdds { .. })),
        Method::Probe(probe) => probe.of == Concept::Answer,
        _ => true,
    };
    if method.reads_prompts() && known.complete && known.items.is_empty() {
        problems.add(at, "asks the experiment's own prompts, and there are none; write `data`, for instance Pairs, Templates, Csv or Jsonl");
    }
    if needed {
        paired(at, known, problems);
    }
}

/// Answers and corrupted twins.
pub(super) fn paired(at: &str, known: &Known, problems: &mut Problems) {
    if known.items.iter().any(|item| item.answers.is_none()) {
        problems.add(at, "needs prompts in pairs with answers; write data as Pairs, Templates, Csv or Jsonl");
    }
}

pub(super) fn attribution(at: &str, metric: Metric, known: &Known, problems: &mut Problems) {
    if let Some(why) = known.model.indivisible() {
        problems.add(at, format!("{why}, so its logits do not split into parts"));
    }
    if metric != Metric::LogitDiff {
        problems.add(at, format!("only a logit difference splits into parts; `metric` is {metric}"));
    }
    if has_sets(known.items) {
        problems.add(
            at,
            "only single logits split into parts, and an answer of the data is a set of tokens; write one token, or leave the method out",
        );
    }
}

/// What an ablation needs of the prompts and of its `cells`.
pub(super) fn ablation(at: &str, with: Ablation, cells: &[Cell], known: &Known, problems: &mut Problems) {
    let patterns = cells.iter().flat_map(|cell| &cell.sites).find(|site| site.layout() == Layout::Pattern);
    if let (Ablation::Mean, Some(site), true) = (with, patterns, known.is_uneven()) {
        let what =
            format!("`{}` is as wide as the prompt is long, so its mean needs prompts of one length", site.kind());
        problems.add(&format!("{at}.with"), what);
    }
    if matches!(with, Ablation::MeanPerPosition | Ablation::Resample) && known.is_uneven() {
        problems.add(
            &format!("{at}.with"),
            format!("{with:?} needs prompts of one length; use Mean or Zero, or split the data"),
        );
    }
    if with == Ablation::Resample && known.complete && known.items.len() < 2 {
        problems.add(&format!("{at}.with"), "Resample needs at least two items");
    }
}

pub(super) fn generation(at: &str, tokens: usize, temperature: f64, known: &Known, problems: &mut Problems) {
    if !known.model.is_causal() {
        problems.add(at, "a model that sees both ways cannot continue a text");
    }
    let longest = known.items.iter().map(|item| item.clean.len()).max().unwrap_or(0);
    let context = known.dims().context;
    if longest.saturating_add(tokens) > context || tokens == 0 {
        let most = context.saturating_sub(longest);
        problems.add(
            &format!("{at}.tokens"),
            format!("{tokens} tokens after a prompt of {longest}; the model's {context} positions leave 1 to {most}"),
        );
    }
    if !(temperature >= 0.0 && temperature.is_finite()) {
        problems.add(&format!("{at}.temperature"), format!("{temperature} is not 0 or above"));
    }
}
