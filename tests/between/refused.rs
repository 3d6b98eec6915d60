//! What cannot be put in is said.

use super::*;

#[test]
fn what_cannot_be_put_in_is_said() {
    let problems = |methods: &str, more: &str| {
        let text = question(&random_pairs(&[4, 4], None), methods, more);
        planned(&text, beside("gpt2", |model| twin(model, 5))).err().unwrap_or_default()
    };
    let said = |methods: &str, more: &str, expected: &str| {
        let found = problems(methods, more);
        assert!(found.contains(expected), "{found}");
    };
    said(
        "PatchWeights(with: \"int4\")",
        AGAINST,
        "methods[0].with: no variant of `against` is called \"int4\"; there are \"other\"",
    );
    said("PatchModels(with: \"int4\")", "", "there is none");
    said(
        "PatchWeights(with: \"other\", along: \"share\")",
        AGAINST,
        "methods[0].along: not every item has a label \"share\"",
    );
    said(
        "PatchWeights(with: \"other\", shares: (path: \"s.csv\", label: \"a\", value: \"b\"))",
        AGAINST,
        "methods[0].shares: are of a label's values; name the label in `along`",
    );
    said("PatchWeights(with: \"other\", by: Head, sets: 16)", AGAINST, "methods[0].sets: 16 sets are orders of");
    let folded = AGAINST.replace("model:", "process: [FoldNorms], model:");
    said("PatchWeights(with: \"other\")", &folded, "has a `process` of its own");
    let treated = format!("{AGAINST} treat: [Round(bits: 4)]");
    said("PatchWeights(with: \"other\")", &treated, "`treat` changes the experiment's own weights");
    let own = AGAINST.replace("model:", "metric: Logit, model:");
    said("PatchModels(with: \"other\")", &own, "has data, a control or a metric of its own");
    said("PatchModels(with: \"other\"), Circuit(select: TopN(3))", AGAINST, "methods[0]: stands before methods[1]");
    let same = beside("gpt2", |model| model.parted(&[]));
    let text = question(&random_pairs(&[4, 4], None), "PatchWeights(with: \"other\")", AGAINST);
    let error = planned(&text, same).err().unwrap();
    assert!(error.contains("has the very same weights"), "{error}");
    for (method, expected) in
        [("PatchWeights", "only models of one shape"), ("PatchModels", "other layers, heads or widths")]
    {
        let text = question(&random_pairs(&[4, 4], None), &format!("{method}(with: \"other\")"), AGAINST);
        let error = planned(&text, [load("gpt2"), load("llama")]).err().unwrap();
        assert!(error.contains(expected) || error.contains("tokens"), "{error}");
    }
    // a model that nobody has loaded is not passed over
    let text = question(&random_pairs(&[4, 4], None), "PatchModels(with: \"other\")", AGAINST);
    let error = Plan::new(&experiment(&text), &load("gpt2")).err().unwrap().to_string();
    assert!(error.contains("was not loaded"), "{error}");
}

/// A golden model whose configuration says something else, in a folder of its own.
fn configured(case: &str, from: &str, to: &str) -> (tempfile::TempDir, Loaded) {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(case)).unwrap().map(|entry| entry.unwrap().path()) {
        std::fs::copy(&entry, folder.path().join(entry.file_name().unwrap())).unwrap();
    }
    let path = folder.path().join("config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    assert!(config.contains(from), "{config}");
    std::fs::write(&path, config.replace(from, to)).unwrap();
    let loaded = patchclamp::model::load::folder(folder.path(), &[], &device()).unwrap();
    (folder, loaded)
}

#[test]
fn models_that_differ_in_more_than_weights_are_refused() {
    let (_folder, mut other) = configured("llama", "\"rms_norm_eps\": 0.001", "\"rms_norm_eps\": 0.5");
    other.model = patchclamp::model::exchange::Exchange::new(
        other.model.as_ref(),
        twin(other.model.as_ref(), 2).as_ref(),
        Grain::Map,
    )
    .map(|exchange| exchange.with(other.model.as_ref(), &[0]))
    .unwrap();
    let text = question(&random_pairs(&[4, 4], None), "PatchWeights(with: \"other\")", AGAINST);
    let error = planned(&text, [load("llama"), other]).err().unwrap();
    assert!(error.contains("differs in more than weights"), "{error}");
}
