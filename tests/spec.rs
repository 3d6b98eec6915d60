//! RON files: what is read, what `--set` changes, and what is said of mistakes.

use insta::assert_snapshot;
use patchclamp::model::load::{Loaded, folder};
use patchclamp::plan::Plan;
use patchclamp::spec::{Data, Experiment, ModelSpec, Sites, set};
use patchclamp::tensor::Device;
use std::path::Path;

/// An experiment on raw tokens: everything that can be said of it needs no tokenizer.
fn file(methods: &str) -> String {
    format!(
        "(
    question: \"Which heads?\",
    model: Path(\"gpt2\"),
    data: Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6)]),
    methods: [{methods}],
)"
    )
}

const PATCH: &str = "Patch(sites: [\"attn.hook_z\"], over: [Layer, Head])";

fn read(text: &str) -> Result<Experiment, String> {
    Experiment::parse(Path::new("q.ron"), text).map_err(|error| error.to_string())
}

fn wrong(text: &str) -> String {
    read(text).map(|_| ()).expect_err("the file has a mistake")
}

fn golden(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    folder(&path, &[], &Device::Flex(Default::default())).unwrap()
}

fn problems(text: &str, model: &str) -> String {
    Plan::new(&read(text).unwrap(), &golden(model)).map(|_| ()).expect_err("the plan has a mistake").to_string()
}

#[test]
fn what_is_left_out_has_its_default() {
    let read = read(&file(PATCH)).unwrap();
    assert_eq!((read.seed, read.statistics.level, read.statistics.resamples), (0, 0.95, 2000));
    assert_eq!(read.model, ModelSpec::Path("gpt2".into()));
}

#[test]
fn all_is_a_word_and_a_name_stands_in_a_list() {
    let all = read(&file("Record(sites: All)")).unwrap();
    assert!(format!("{:?}", all.methods[0]).contains("sites: All(All)"));
    let named = read(&file(PATCH)).unwrap();
    assert!(format!("{:?}", named.methods[0]).contains(&format!("{:?}", Sites::Named(vec!["attn.hook_z".into()]))));
}

#[test]
fn what_is_written_is_read_again() {
    let methods = "Patch(sites: All, over: [Layer]), Attention(), Record(sites: All), LogitLens(), \
                   Generate(tokens: 2, edits: [(site: \"hook_resid_pre\", change: Zero)]), \
                   PathPatch(paths: [\"a0.h1->logits\"]), PathPatch(senders: Heads, through: Mlps), \
                   Acdc(threshold: [1, 0.5], judge: Metric), Circuit(select: Greedy(9)), Circuit(select: Faithful(0.9)), Circuit(score: Eap, select: TopN(9), by: Sign, ablate: Zero), Acdc(threshold: 0.1), \
                   Knockout(from: [0, Contrast], over: [Layer]), Patchscope(prompt: [1, 2], from: [Last]), Localise(units: CountPerLayer(3), apart: Words), Steer(to: Onward(Last), operations: [Both]), Das(sites: [\"hook_resid_post\"], over: [Layer], boundless: (most: 4), loss: Metric, held_out: (apart: Label(\"template\"))), TunedLens(steps: 9)";
    for control in ["None", "ShuffledAnswers"] {
        let text = set(&file(methods), "control", control).unwrap();
        let once = patchclamp::report::ron_text(&read(&text).unwrap());
        assert_eq!(once, patchclamp::report::ron_text(&read(&once).unwrap()));
    }
}

#[test]
fn a_word_that_is_not_known_is_answered_with_those_that_are() {
    assert_snapshot!(wrong(&file("Patch(site: [\"attn.hook_z\"], over: [Layer])")), @r#"
    q.ron:5:21: there is no field `site` in `Patch`; there are `sites`, `over`, `direction` and `only`
      |
    5 |     methods: [Patch(site: ["attn.hook_z"], over: [Layer])],
      |                     ^
    "#);
    assert_snapshot!(wrong(&file("Patsh(sites: All, over: [Layer])")), @r"
    q.ron:5:15: `Patsh` is no `Method`; there are `Record`, `LogitLens`, `DirectLogitAttribution`, `Attention`, `Patch`, `AttributionPatch`, `Ablate`, `Generate`, `Mediate`, `Trace`, `PathPatch`, `Circuit`, `EdgePruning`, `Acdc`, `EvaluateCircuit`, `Probe`, `Erase`, `Represent`, `Knockout`, `Patchscope`, `Localise`, `Steer`, `Das`, `Measure`, `TunedLens`, `PatchWeights`, `PatchModels`, `Stitch`, `Classify` and `Cut`
      |
    5 |     methods: [Patsh(sites: All, over: [Layer])],
      |               ^
    ");
    assert_snapshot!(wrong(&file("Patch(sites: \"attn.hook_z\", over: [Layer])")), @r#"
    q.ron:5:29: expected All, or a list of sites in quotes, for instance ["hook_resid_pre"]
      |
    5 |     methods: [Patch(sites: "attn.hook_z", over: [Layer])],
      |                             ^
    "#);
}

#[test]
fn what_is_missing_twice_or_of_another_kind_is_said_with_its_place() {
    assert_snapshot!(wrong(&file("Patch(sites: All)")), @r"
    q.ron:5:31: the field `over` is missing in `Patch`
      |
    5 |     methods: [Patch(sites: All)],
      |                               ^
    ");
    assert_snapshot!(wrong(&file(&format!("{PATCH}], seed: 1, seed: [2"))), @r#"
    q.ron:5:77: the field `seed` stands twice in `Experiment`
      |
    5 |     methods: [Patch(sites: ["attn.hook_z"], over: [Layer, Head])], seed: 1, seed: [2],
      |                                                                             ^
    "#);
    assert_snapshot!(wrong(&file("Generate(tokens: -1)")), @r"
    q.ron:5:33: the number does not fit here; expected a whole number that is not negative
      |
    5 |     methods: [Generate(tokens: -1)],
      |                                 ^
    ");
    assert_snapshot!(wrong(""), @r"
    q.ron:1:1: expected opening `(` for struct `Experiment`
      |
    1 | 
      | ^
    ");
}

#[test]
fn all_mistakes_of_a_plan_are_told_at_once() {
    let methods = "Patch(sites: [\"attn.hook_z\"], over: [Head, Head], only: (heads: [14], layers: [9], positions: [7], neurons: [99])), \
                   Patch(sites: [\"hook_zz\", \"blocks.9.hook_resid_pre\"], over: [Head]), Patch(sites: [\"hook_embed\"], over: [Layer, Head]), \
                   Ablate(sites: [\"hook_resid_pre\"], over: [], with: Resample, only: (heads: [0])), Generate(tokens: 18446744073709551615)";
    assert_snapshot!(problems(&file(methods), "gpt2"), @r#"
    methods[0].over: Head stands twice
    methods[0].only.layers: layer 9 does not exist; gpt2 has layers 0 to 1
    methods[0].only.positions: position 7 does not exist; the shortest prompt has positions 0 to 2
    methods[0].only.heads: head 14 does not exist; gpt2 has heads 0 to 2
    methods[0].only.neurons: neuron 99 does not exist; `attn.hook_z` has neurons 0 to 7
    methods[1].sites[0]: gpt2 has no site "hook_zz"; `patchclamp sites MODEL` lists them
    methods[1].sites[1]: gpt2 has no site "blocks.9.hook_resid_pre"; its layers are 0 to 1
    methods[2].over: `hook_embed` has no heads; sweep for instance attn.hook_z over heads
    methods[2].over: `hook_embed` stands outside the layers
    methods[3].only.heads: `hook_resid_pre` has no heads
    methods[3].with: Resample needs at least two items
    methods[4].tokens: 18446744073709551615 tokens after a prompt of 3; the model's 16 positions leave 1 to 13
    "#);
}

#[test]
fn an_empty_choice_is_a_mistake() {
    let methods = "Patch(sites: [], over: [Layer]), LogitLens(sites: []), Record(sites: []), \
                   Patch(sites: [\"attn.hook_z\", \"attn.hook_z\"], over: [Layer], only: (heads: [1, 1])), \
                   Patch(sites: [\"blocks.0.attn.hook_z\"], over: [Head], only: (layers: [1]))";
    assert_snapshot!(problems(&file(methods), "gpt2"), @r#"
    methods[0].sites: is empty; name at least one, for instance ["hook_resid_pre"], or write All
    methods[1].sites: is empty; name at least one, for instance ["hook_resid_pre"], or write All
    methods[2].sites: is empty; name at least one, for instance ["hook_resid_pre"], or write All
    methods[3].sites[1]: "attn.hook_z" stands twice
    methods[3].only.heads: 1 stands twice
    methods[4].only.layers: `blocks.0.attn.hook_z` is in none of them
    "#);
    let none = file("");
    assert!(problems(&none, "gpt2").starts_with("methods: is empty; name at least one"));
}

#[test]
fn heads_of_keys_are_counted_on_their_own() {
    let text = file("Patch(sites: [\"attn.hook_k\"], over: [Head], only: (heads: [3]))");
    assert_snapshot!(problems(&text, "llama"), @"methods[0].only.heads: head 3 does not exist; `attn.hook_k` has heads 0 to 1");
}

#[test]
fn statistics_that_cannot_be_are_refused() {
    let text =
        file(PATCH).replace("question", "statistics: (level: 1.5, resamples: 0, permutations: 99999999999), question");
    assert_snapshot!(problems(&text, "gpt2"), @r"
    statistics.level: 1.5 is not between 0 and 1
    statistics.resamples: 0 is not between 1 and 100000000
    statistics.permutations: 99999999999 is not between 1 and 100000000
    ");
    let text = file(PATCH).replace("question", "statistics: (level: NaN), question");
    assert_snapshot!(problems(&text, "gpt2"), @"statistics.level: NaN is not between 0 and 1");
}

/// The file with other data.
fn with_data(data: &str, methods: &str) -> String {
    let (before, _) = file("").split_once("data:").map(|(before, after)| (before.to_string(), after.len())).unwrap();
    format!("{before}data: {data},\n    methods: [{methods}],\n)")
}

#[test]
fn prompts_that_cannot_run_say_which_and_why() {
    let pairs = "Pairs([
        (clean: [1, 2], corrupt: [1], right: 5, wrong: 6),
        (clean: [], corrupt: [48], right: 5, wrong: 6),
        (clean: [1], corrupt: [2], right: 7, wrong: 7),
        (clean: [1], corrupt: [2], right: 7, wrong: 8, at: 1),
        (clean: \"text\", corrupt: [2], right: 7, wrong: 8),
        (clean: [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0], corrupt: [2], right: 7, wrong: 8),
    ])";
    assert_snapshot!(problems(&with_data(pairs, PATCH), "gpt2"), @r"
    data[0]: the clean prompt has 2 tokens and the corrupted one 1, but a patch needs the same positions in both; choose words of equally many tokens
        clean:   1 2
        corrupt: 1
    data[1].clean: the prompt is empty
    data[1].corrupt: token 48 does not exist; the vocabulary has 0 to 47
    data[2]: right and wrong answer are the same token, 7
    data[3].at: position 1 does not exist; the prompt has 0 to 0
    data[4].clean: is text, but the model's folder has no tokenizer.json; write tokens, for instance [5, 9]
    data[5].clean: the prompt has 17 tokens; the model has 16 positions
    ");
}

#[test]
fn many_prompts_of_one_mistake_do_not_bury_the_others() {
    let pairs = format!("Pairs([{}])", "(clean: [1, 2], corrupt: [1, 3], right: 7, wrong: 7),".repeat(50));
    let told = problems(&with_data(&pairs, "Patch(sites: [\"hook_zz\"], over: [Layer])"), "gpt2");
    assert_eq!(told.lines().count(), 22, "{told}");
    assert!(told.contains("data: 30 problems more of this kind\nmethods[0].sites[0]: gpt2 has no site"), "{told}");
}

#[test]
fn data_without_a_prompt_says_why() {
    let told = |data: &str| problems(&with_data(data, "Attention()"), "gpt2");
    assert_snapshot!(told("Pairs([])"), @"data: the list is empty, so there is no prompt");
    assert_snapshot!(told("Tokens([[]])"), @"data[0]: the prompt is empty");
    let templates = |rest: &str| {
        told(&format!(
            "Templates(templates: [\"{{x}}\"], clean: {{\"x\": [\"a\"]}}, corrupt: {{\"x\": [\"b\"]}}, right: \"c\", wrong: \"d\"{rest})"
        ))
    };
    assert_snapshot!(templates(", items: 0"), @"data: `items` is 0, so there is no prompt");
    assert_snapshot!(templates(", shared: {\"y\": []}"), @"data: the list of `shared` for {y} is empty, so there is no prompt");
}

#[test]
fn prompts_of_several_lengths_have_no_common_position() {
    let prompts =
        "Pairs([(clean: [1, 2], corrupt: [1, 3], right: 5, wrong: 6), (clean: [1], corrupt: [2], right: 5, wrong: 6)])";
    let methods = "Patch(sites: [\"hook_resid_pre\"], over: [Position]), Attention(), Ablate(sites: [\"hook_resid_pre\"], over: [Layer], with: MeanPerPosition)";
    assert_snapshot!(problems(&with_data(prompts, methods), "gpt2"), @r"
    methods[0].over: prompts have 1 to 2 tokens, so a position is not the same place in all; choose words of equally many tokens, or leave Position out
    methods[1]: patterns are averaged over items, which needs prompts of one length; choose words of equally many tokens
    methods[2].with: MeanPerPosition needs prompts of one length; use Mean or Zero, or split the data
    ");
}

#[test]
fn an_encoder_says_what_it_cannot_do() {
    let methods = format!("{PATCH}, Generate(tokens: 3), DirectLogitAttribution");
    assert_snapshot!(problems(&file(&methods), "bert"), @r"
    data[0]: a model that sees both ways reads the answer at its mask token, and the model's tokenizer has none; write `at: position` in the pair
    methods[1]: a model that sees both ways cannot continue a text
    methods[2]: the head of an encoder is not linear, so its logits do not split into parts
    ");
}

#[test]
fn logits_that_are_no_sum_are_not_attributed() {
    assert_snapshot!(problems(&file("DirectLogitAttribution"), "gemma2"), @"methods[0]: its logits are bent to a bound (`final_logit_softcapping`), so its logits do not split into parts");
    assert_snapshot!(problems(&file("DirectLogitAttribution"), "opt-behind"), @"methods[0]: the norms behind its blocks rescale what earlier parts have written, so its logits do not split into parts");
}

#[test]
fn edits_of_a_generation_are_checked_like_sweeps() {
    let edits = "(site: \"attn.hook_z\", heads: [14], rows: [4], positions: [99], neurons: [50], change: Zero), \
                 (site: \"hook_resid_pre\", change: Scale(NaN)), (site: \"attn.hook_pattern\", change: AddContrast(1.0)), \
                 (site: \"hook_resid_pre\", change: Add(file: \"no such file\", tensor: \"v\", times: 1.0))";
    let told = problems(&file(&format!("Generate(tokens: 2, temperature: -1.0, edits: [{edits}])")), "gpt2");
    assert_snapshot!(told, @r"
    methods[0].temperature: -1 is not 0 or above
    methods[0].edits[0].rows: 4 does not exist; the data has rows 0 to 0
    methods[0].edits[0].heads: 14 does not exist; `attn.hook_z` has heads 0 to 2
    methods[0].edits[0].positions: 99 does not exist; the model has positions 0 to 15
    methods[0].edits[0].neurons: 50 does not exist; `attn.hook_z` has neurons 0 to 7
    methods[0].edits[1].change: the factor NaN is not finite
    methods[0].edits[2].change: `attn.hook_pattern` is as wide as the prompt is long, so it has no contrast over prompts
    methods[0].edits[3].change: no such file: No such file or directory (os error 2)
    ");
}

#[test]
fn a_control_that_would_change_nothing_is_refused() {
    let text = set(&file(PATCH), "control", "ShuffledAnswers").unwrap();
    assert_snapshot!(problems(&text, "gpt2"), @"control: ShuffledAnswers exchanges the answers of half of the items, so it needs at least two");
}

#[test]
fn a_set_value_is_judged_alone() {
    let told = |path, value| set(&file(PATCH), path, value).map(|_| ()).expect_err("it is wrong").to_string();
    assert_snapshot!(told("question", "Why?"), @"--set question: `Why?` is no RON value: something stands behind the end; is there one bracket too many?; a text stands in quotes, as in 'question=\"Why?\"'");
    assert_snapshot!(told("methods[7].over", "[Head]"), @r#"--set methods[7].over: there is no entry 7 in `[Patch(sites: ["attn.hook_z"], over: [Layer, Head])]`"#);
}

#[test]
fn a_relative_path_is_looked_for_from_the_working_folder_then_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pairs.csv"), "clean,corrupt,right,wrong\n").unwrap();
    let ron = folder.path().join("q.ron");
    let found = |name: &str| {
        std::fs::write(&ron, with_data(&format!("Csv(path: {name:?})"), PATCH)).unwrap();
        let Data::Csv(file) = Experiment::read(&ron).unwrap().data else { panic!("it is a CSV file") };
        file.path
    };
    assert_eq!(found("pairs.csv"), folder.path().join("pairs.csv"));
    assert_eq!(found("Cargo.toml"), Path::new("Cargo.toml"));
    assert_eq!(found("nowhere.csv"), Path::new("nowhere.csv"));
}
