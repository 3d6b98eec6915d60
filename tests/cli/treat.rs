//! `treat`: runs under treatment, variants that are rounded, and checkpoints written for other programs.

use super::{PATCH, Place, TOKENS, golden};
use std::fs;

fn place(model: &str, methods: &str, more: &str) -> Place {
    let place = Place::new(model, TOKENS, methods);
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let end = text.trim_end().strip_suffix(')').unwrap().to_string();
    place.write("q.ron", format!("{end}    {more},\n)").as_bytes());
    place
}

fn gpt2() -> String {
    format!("Path({:?})", golden("gpt2"))
}

#[test]
fn a_run_tells_what_was_done_to_its_weights() {
    let place = place(&gpt2(), PATCH, "treat: [Magnitude(sparsity: 0.5), Gptq(bits: 4)]");
    place.good(&["run", "q.ron", "--out", "r"]);
    let table = String::from_utf8(place.read("r/tables/02_treat.csv")).unwrap();
    for metric in ["bits", "zeros", "relative_error", "output_error"] {
        // six maps in each of two layers
        assert_eq!(table.lines().filter(|line| line.contains(&format!(",{metric},"))).count(), 12, "{metric}");
    }
    let run = String::from_utf8(place.read("r/run.ron")).unwrap();
    assert!(run.contains("\"treated\": \"12 maps at") && run.contains("\"calibration sha256\""), "{run}");
    // four prompts of three tokens, and d_mlp: as many inputs as that would be needed at least
    assert!(run.contains("own prompts (12 inputs; the widest map reads 96)"), "{run}");
    // the run again is the same run
    place.good(&["run", "r/run.ron", "--out", "again"]);
    assert!(place.read("r/results.csv") == place.read("again/results.csv"));
    // and with another recipe it is another
    place.good(&["run", "q.ron", "--out", "r", "--set", "treat=[Round(bits: 3)]"]);
    assert!(place.path("r~1/run.ron").is_file());
    assert!(place.read("r/results.csv") != place.read("again/results.csv"));
    place.good(&["run", "q.ron", "--out", "plain", "--set", "treat=[]"]);
    assert!(!place.path("plain/tables/02_treat.csv").exists());
}

#[test]
fn circuits_are_held_against_those_of_rounded_weights() {
    let against = "against: [(name: \"int3\", treat: [Round(bits: 3, per: Group(8))])]";
    let place = place(&gpt2(), "Circuit(select: TopN(12))", against);
    let told = place.good(&["run", "q.ron", "--out", "r"]);
    assert!(told.contains("against int3"), "{told}");
    assert!(place.path("r/against/int3/tables/02_treat.csv").is_file());
    assert!(!place.path("r/tables/02_treat.csv").exists());
    let told = place.bad(&["run", "q.ron", "--set", "against[0].treat=[Round(bits: 1)]"]);
    assert!(told.contains("against[0] (int3)") && told.contains("treat[0].bits: 1 is not between"), "{told}");
}

#[test]
fn a_treated_model_is_written_for_other_programs() {
    for (model, treat) in [
        (gpt2(), "[Wanda(sparsity: 0.5), Round(bits: 4)]".to_string()),
        (
            "Builtin(\"organism\")".into(),
            "[Round(bits: 4, per: Group(64)), Merge(with: Builtin(\"organism-flat\"))]".into(),
        ),
    ] {
        let place = place(&model, PATCH, &format!("treat: {treat}"));
        let told = place.good(&["treat", "q.ron", "--out", "m"]);
        assert!(told.contains("tensors changed"), "{told}");
        for file in ["config.json", "recipe.ron", "model.safetensors"] {
            assert!(place.path("m").join(file).is_file(), "{file}");
        }
        let (header, _) = super::opened(&place.read("m/model.safetensors"));
        assert_eq!(header["__metadata__"]["format"], "pt");
        assert!(header["__metadata__"]["patchclamp recipe"].as_str().unwrap().contains("Round"));
        // asked as it is, it answers as the model did under treatment
        place.good(&["run", "q.ron", "--out", "treated"]);
        place.good(&["run", "q.ron", "--out", "saved", "--set", "treat=[]", "--model", "m"]);
        assert!(
            place.read("treated/tables/01_patch.denoise.csv") == place.read("saved/tables/01_patch.denoise.csv"),
            "{model}"
        );
        let told = place.bad(&["treat", "q.ron", "--out", "m"]);
        assert!(told.contains("is there already"), "{told}");
    }
}

#[test]
fn what_cannot_be_written_or_merged_is_refused() {
    let with = format!("treat: [Merge(with: Path({:?}))]", golden("llama"));
    let place = place(&gpt2(), PATCH, &with);
    place.refuses("only models of one shape can be merged");
    let told = place.bad(&["treat", "q.ron", "--out", "m", "--set", "treat=[]"]);
    assert!(told.contains("nothing is to be done"), "{told}");
    let told = place.bad(&["treat", "q.ron", "--out", "m", "--variant", "int4"]);
    assert!(told.contains("there is no variant \"int4\""), "{told}");
    fs::write(place.path("crows.csv"), "sent_more,sent_less\n").unwrap();
    let fair = "treat=[FairGptq(bits: 4, pairs: CrowsPairs(\"crows.csv\"))]";
    let told = place.bad(&["check", "q.ron", "--set", fair]);
    assert!(told.contains("there is no pair of two texts with as many tokens"), "{told}");
}

/// Weights are merged before they are processed, so that the other model need not be.
#[test]
fn models_are_merged_before_they_are_processed() {
    let with = format!("process: [FoldNorms], treat: [Merge(with: Path({:?}))]", golden("gpt2"));
    let place = place(&gpt2(), PATCH, &with);
    place.good(&["run", "q.ron", "--out", "r"]);
    let run = String::from_utf8(place.read("r/run.ron")).unwrap();
    assert!(run.contains("\"weights sha256 of the model merged in treat[0]\": \""), "{run}");
    // drawn to itself it is what it was
    place.good(&["run", "q.ron", "--out", "plain", "--set", "treat=[]"]);
    assert!(place.read("r/tables/01_patch.denoise.csv") == place.read("plain/tables/01_patch.denoise.csv"));
}

#[test]
fn a_checkpoint_keeps_the_bits_that_nothing_was_done_to() {
    let place = place("Builtin(\"organism\")", PATCH, "treat: [PruneHeads(These([(0, 1)]))]");
    place.good(&["treat", "q.ron", "--out", "m"]);
    place.good(&["treat", "q.ron", "--out", "rounded", "--set", "precision=Bf16"]);
    // notes in a header come in any order
    let [whole, rounded] = ["m", "rounded"].map(|folder| {
        let (mut header, data) = super::opened(&place.read(&format!("{folder}/model.safetensors")));
        header.as_object_mut().unwrap().remove("__metadata__");
        (header, data)
    });
    assert!(whole == rounded);
    let left = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.contains("partial")).count(), 0);
}

#[test]
fn a_configuration_says_what_its_weights_need() {
    let place = place(&format!("Path({:?})", golden("half")), PATCH, "treat: [Round(bits: 4)]");
    fs::create_dir(place.path("bare")).unwrap();
    let config = fs::read_to_string(golden("half").join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config.as_object_mut().unwrap().remove("dtype");
    place.write("bare/config.json", config.to_string().as_bytes());
    fs::copy(golden("half").join("model.safetensors"), place.path("bare/model.safetensors")).unwrap();
    for (model, precision, name, expected) in
        [("bare", "F32", "torch_dtype", "float32"), ("bare", "F64", "torch_dtype", "float64")]
    {
        let out = format!("{model}-{precision}");
        place.good(&["treat", "q.ron", "--model", model, "--out", &out, "--set", &format!("precision={precision}")]);
        let config: serde_json::Value = serde_json::from_slice(&place.read(&format!("{out}/config.json"))).unwrap();
        assert_eq!(config[name], expected, "{out}");
    }
    place.good(&["treat", "q.ron", "--out", "named"]);
    let config: serde_json::Value = serde_json::from_slice(&place.read("named/config.json")).unwrap();
    assert_eq!((&config["dtype"], config.get("torch_dtype")), (&"float32".into(), None));
}

/// A student is a variant as any other, and a checkpoint of its own, with fewer layers in its configuration.
#[test]
fn a_student_is_held_against_its_teacher_and_written() {
    let distil = "Distil(layers: These([1, 3]), steps: 2, rows: 4, calibration: (from: Sampled, rows: 20, length: 8))";
    let against = format!("against: [(name: \"two\", treat: [{distil}], twins: 2)]");
    let place = place("Builtin(\"organism\")", "Measure(measures: [Perplexity()])", &against);
    place.good(&["run", "q.ron", "--out", "r"]);
    let run = String::from_utf8(place.read("r/against/two/run.ron")).unwrap();
    assert!(run.contains("a student with layers 1, 3 of 4, trained for 2 steps on 18 texts"), "{run}");
    assert!(run.contains("\"size\": \"2 layers"), "{run}");
    let bias = String::from_utf8(place.read("r/bias.csv")).unwrap();
    assert!(bias.lines().any(|line| line.starts_with("organism,two,perplexity")), "{bias}");
    // a student is one of its twins, so it has no place among them
    let twins = String::from_utf8(place.read("r/tables/01_measure.perplexity.twins.two.csv")).unwrap();
    assert!(twins.contains("change of twins") && !twins.contains("quantile"), "{twins}");
    let header: Vec<String> = csv_fields(bias.lines().next().unwrap());
    let column = header.iter().position(|name| name == "null_quantile").unwrap();
    assert!(bias.lines().skip(1).all(|line| csv_fields(line)[column].is_empty()), "{bias}");
    // again it has the same bits, and with another seed it is another run
    place.good(&["run", "r/against/two/run.ron", "--out", "again"]);
    assert!(
        place.read("r/against/two/tables/01_measure.perplexity.csv")
            == place.read("again/tables/01_measure.perplexity.csv")
    );
    place.good(&["run", "r/against/two/run.ron", "--out", "again", "--set", "treat[0].seed=1"]);
    assert!(place.path("again~1/run.ron").is_file());
    place.good(&["treat", "q.ron", "--variant", "two", "--out", "m"]);
    let config: serde_json::Value = serde_json::from_slice(&place.read("m/config.json")).unwrap();
    assert_eq!((&config["n_layer"], &config["torch_dtype"]), (&2.into(), &"float32".into()));
    place.good(&["run", "q.ron", "--out", "saved", "--set", "against=[]", "--model", "m"]);
    assert!(
        place.read("r/against/two/tables/01_measure.perplexity.csv")
            == place.read("saved/tables/01_measure.perplexity.csv")
    );
}

#[test]
fn a_student_that_cannot_be_written_is_not_trained() {
    let model = format!("Path({:?})", golden("opt-behind"));
    let place = place(&model, PATCH, "treat: [Distil(layers: Spread(1), steps: 1000000, lambda: 0)]");
    let told = place.bad(&["treat", "q.ron", "--out", "m"]);
    assert!(told.contains("cannot be written back") && !place.path("m").exists(), "{told}");
}

/// The same texts, told by two models; other texts are refused.
#[test]
fn classifiers_are_held_against_each_other() {
    let place = Place::new(
        "Builtin(\"organism\")",
        "Biographies(from: Grammar(count: 160, occupations: [\"nurse\", \"plumber\"], women: [0.8, 0.2]))",
        "Classify(first: \"female\", shuffles: 10, penalties: [10]), Classify(first: \"female\", train: Whole(epochs: 1, rate: 1e-3)), Classify(first: \"female\", train: Whole(epochs: 1, rate: 1e-3, draw: 1)), Classify(first: \"female\", shuffles: 10, penalties: [1])",
    );
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let end = text.trim_end().strip_suffix(')').unwrap().to_string();
    let against = "[(name: \"flat\", model: Builtin(\"organism-flat\")), (name: \"short\", treat: [Distil(layers: Spread(2), steps: 0)])]";
    place.write("q.ron", format!("{end}    against: {against},\n)").as_bytes());
    place.good(&["run", "q.ron", "--out", "r"]);
    let of = |file: &str| String::from_utf8(place.read(file)).unwrap();
    let value = |file: &str, parts: &[&str]| -> f64 {
        let table = of(file);
        let line = table.lines().find(|line| parts.iter().all(|part| line.contains(part)));
        let line = line.unwrap_or_else(|| panic!("{parts:?} in {file}:\n{table}"));
        let column = table.lines().next().unwrap().split(',').position(|name| name == "effect").unwrap();
        csv_fields(line)[column].parse().unwrap()
    };
    let held = "r/tables/01_classify.against.flat.csv";
    let stream = "blocks.3.hook_resid_post";
    let own = value("r/tables/01_classify.csv", &[",3,", ",accuracy,"]);
    let theirs = value("r/against/flat/tables/01_classify.csv", &[",3,", ",accuracy,"]);
    assert_eq!(value(held, &["here,", stream, ",accuracy,"]), own);
    assert_eq!(value(held, &["flat,", stream, ",accuracy,"]), theirs);
    assert!((value(held, &["difference,", stream, ",accuracy,"]) - (theirs - own)).abs() < 1e-12);
    let bias = of("r/bias.csv");
    for line in [
        "organism,,\"classify, method 01: accuracy\",blocks.3.hook_resid_post,",
        "organism,,\"classify, method 04: accuracy\",blocks.3.hook_resid_post,",
        "organism,,\"classify, whole model, draw 0: accuracy\",blocks.3.hook_resid_post,",
        "organism,,\"classify, whole model, draw 1: accuracy\",blocks.3.hook_resid_post,",
        "flat,,\"classify, method 01: gap\",\"blocks.3.hook_resid_post, nurse\",",
        "organism,short,\"classify, method 01: accuracy\",",
    ] {
        assert!(bias.lines().any(|found| found.starts_with(line)), "{line}\n{bias}");
    }
    // a row's key is its own
    let keys: Vec<Vec<String>> = bias.lines().map(|line| csv_fields(line)[..4].to_vec()).collect();
    let apart: std::collections::BTreeSet<&Vec<String>> = keys.iter().collect();
    assert_eq!(apart.len(), keys.len(), "{bias}");
    // no stream of a model with other layers is held against the one of the same number
    let short = of("r/tables/01_classify.against.short.csv");
    assert!(!short.contains(",blocks.1.hook_resid_post,") && short.contains("post ~ blocks.1"), "{short}");
    assert!(of("r/tables/01_classify.against.short.json").contains("only the last streams of either"));
    assert!(of("r/tables/02_classify.json").contains("p and intervals are of these trained models"));
    // the last stream of a model with fewer layers is held against the last of the other
    assert!(
        of("r/tables/02_classify.against.short.csv").contains("blocks.3.hook_resid_post ~ blocks.1.hook_resid_post")
    );
    assert!(place.path("r/figures/01_classify.against.flat_accuracy.svg").is_file());
    let told = place.bad(&["run", "q.ron", "--out", "s", "--set", "against=[(name: \"other\", seed: 7)]"]);
    assert!(told.contains("against[0] (other): its texts have other classes or groups"), "{told}");
}

/// The fields of a line, of which some are in quotation marks.
fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}
