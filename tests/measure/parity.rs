//! Log-probabilities: those of `transformers` (`tests/golden/measures.py`), and the same one text at a time.

use super::common::*;
use super::together;
use patchclamp::score::Request;
use patchclamp::text::SpecialTokens;
use serde_json::Value;

/// Of sums of a few logarithms in f32, against another implementation.
const TOLERANCE: f64 = 1e-4;

/// The issue's own bound: batches, prefixes run once and padding leave log-probabilities alone.
const EXACT: f64 = 1e-5;

fn told() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("measures.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(told: &Value) -> Vec<Vec<u32>> {
    told["rows"].as_array().unwrap().iter().map(|row| numbers(row).iter().map(|id| *id as u32).collect()).collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{what}: {found}, expected {expected}");
    }
}

#[test]
fn tokens_have_the_log_probabilities_of_transformers() {
    let told = told();
    for (name, expected) in told["causal"].as_object().unwrap() {
        let loaded = load(name);
        // a case of all rows, which begin differently, and one of the two that begin alike
        let requests: Vec<Request> = rows(&told).iter().map(|row| Request::causal(row, 1)).collect();
        let cases = [requests.clone(), requests[..2].to_vec()];
        let found = together(loaded.model.as_ref(), &cases, 8);
        for (row, expected) in expected.as_array().unwrap().iter().enumerate() {
            assert_close(&found[0][row], &numbers(expected), TOLERANCE, name);
            if row < 2 {
                assert_close(&found[1][row], &numbers(expected), TOLERANCE, name);
            }
        }
    }
    let bert = load("bert");
    let masked = |row: &Vec<u32>| (1..row.len() - 1).map(|at| Request::masked(row, at, 4)).collect::<Vec<_>>();
    let cases: Vec<Vec<Request>> = rows(&told).iter().map(masked).collect();
    for (found, expected) in together(bert.model.as_ref(), &cases, 3).iter().zip(told["masked"].as_array().unwrap()) {
        assert_close(&found.concat(), &numbers(expected), TOLERANCE, "bert");
    }
}

#[test]
fn what_is_scored_together_is_what_is_scored_alone() {
    for name in ["gpt2", "llama", "gemma2", "phi3-long", "pythia-parallel", "bert"] {
        let loaded = load(name);
        let model = loaded.model.as_ref();
        let common = random_rows(&[7, 3, 1], 1);
        let ends = random_rows(&[2, 1, 4, 3, 1, 5, 2, 2, 6], 2);
        let text = |at: usize| [common[at / 3].as_slice(), &ends[at]].concat();
        let cases: Vec<Vec<Request>> =
            (0..3).map(|case| (0..3).map(|end| Request::causal(&text(3 * case + end), 1)).collect()).collect();
        let alone = |request: &Request| together(model, &[vec![request.clone()]], 1)[0][0].clone();
        for rows in [1, 2, 64] {
            for (case, found) in cases.iter().zip(together(model, &cases, rows)) {
                for (request, found) in case.iter().zip(found) {
                    assert_close(&found, &alone(request), EXACT, name);
                }
            }
        }
    }
}

/// A run of measures alone, on a model of the folder beside the checkout.
fn figure(folder: &std::path::Path, measure: &str, group: &str, metric: &str) -> (f64, usize) {
    let text = format!("(question: \"q\", model: Path({folder:?}), methods: [Measure(measures: [{measure}])])");
    let loaded = patchclamp::model::load::folder(folder, &[], &device()).unwrap();
    let findings = findings(&text, &loaded);
    let rows = &findings[0].tables[0].rows;
    let row = rows.iter().find(|row| row.site.as_deref() == Some(group) && row.metric == metric).unwrap();
    (row.effect, row.n)
}

#[test]
fn sentences_and_windows_of_a_real_model_are_those_of_transformers() {
    let Some(folder) = real_weights("stories260K") else { return };
    let loaded = patchclamp::model::load::folder(&folder, &[], &device()).unwrap();
    let (text, told) = (loaded.text.as_ref().unwrap(), told());
    let pairs = told["sentences"].as_array().unwrap();
    let sentence = |pair: &Value, side: usize| pair[side][0].as_str().unwrap().to_string();
    let ids = |words: String| text.encode(&words, SpecialTokens::AsTokenizer).unwrap();
    let cases: Vec<Vec<Request>> =
        pairs.iter().map(|pair| [0, 1].map(|side| Request::causal(&ids(sentence(pair, side)), 1)).to_vec()).collect();
    for (found, pair) in together(loaded.model.as_ref(), &cases, 64).iter().zip(pairs) {
        for (found, side) in found.iter().zip([0, 1]) {
            assert_close(&[found.iter().sum()], &[pair[side][1].as_f64().unwrap()], TOLERANCE * 10.0, "a sentence");
        }
    }
    let place = tempfile::tempdir().unwrap();
    let (written, table) = (place.path().join("t.txt"), place.path().join("pairs.csv"));
    std::fs::write(&written, told["text"].as_str().unwrap()).unwrap();
    for window in told["windows"].as_array().unwrap() {
        let [size, stride, nats, tokens] = numbers(window).try_into().unwrap();
        let measure = format!("Perplexity(text: {written:?}, window: {size}, stride: {stride})");
        assert_close(&[figure(&folder, &measure, "all", "nats a token").0], &[nats / tokens], TOLERANCE, "windows");
        assert_close(&[figure(&folder, &measure, "all", "perplexity").0], &[(nats / tokens).exp()], 1e-3, "windows");
    }
    let quoted = |pair: &Value| format!("\"{}\",\"{}\"\n", sentence(pair, 0), sentence(pair, 1));
    std::fs::write(&table, "a,b\n".to_string() + &pairs.iter().map(quoted).collect::<String>()).unwrap();
    let difference = |pair: &Value| pair[0][1].as_f64().unwrap() - pair[1][1].as_f64().unwrap();
    let preferred = pairs.iter().filter(|pair| difference(pair) > 0.0).count() as f64 * 100.0 / pairs.len() as f64;
    let measure = format!("Pairs(path: {table:?}, first: \"a\", second: \"b\")");
    assert_eq!(figure(&folder, &measure, "all", "accuracy"), (preferred, pairs.len()));
}

/// The sentences of `published` in the script, as the readers of the sets give them.
fn published(data: &std::path::Path) -> Vec<String> {
    use patchclamp::data::bias::{crows, stereoset, winobias};
    let file = patchclamp::spec::CrowsPairs::new(data.join("crows-pairs/crows_pairs_anonymized.csv"));
    let pairs = crows(&file).unwrap().into_iter().take(20).flat_map(|(_, pair)| [pair.first, pair.second]);
    let triples = stereoset(&data.join("stereoset-intrasentence/stereoset.csv")).unwrap().rows.into_iter().take(12);
    let triples = triples.flat_map(|(_, one)| one.options.each_ref().map(|word| one.filled(word)));
    let wino = |side: &str| data.join(format!("winobias/{side}_stereotyped_type1.txt.dev"));
    let twins = winobias(&wino("pro"), &wino("anti")).unwrap().rows;
    let sides = [0, 1].map(|side| twins.iter().take(12).map(move |(_, twins)| twins.sentences[side].clone()));
    pairs.chain(triples).chain(sides.into_iter().flatten()).collect()
}

#[test]
fn published_sentences_are_as_probable_as_in_transformers() {
    let Some(data) = shared(std::path::Path::new("data")) else { return };
    let (sentences, told) = (published(&data), told());
    for (name, expected) in told["published"].as_object().unwrap() {
        let Some(folder) = real_weights(name) else { continue };
        let loaded = patchclamp::model::load::folder(&folder, &[], &device()).unwrap();
        let ids = |text: &String| loaded.text.as_ref().unwrap().encode(text, SpecialTokens::AsTokenizer).unwrap();
        let cases: Vec<Vec<Request>> = sentences.iter().map(|text| vec![Request::causal(&ids(text), 1)]).collect();
        let found = together(loaded.model.as_ref(), &cases, 64);
        let sums: Vec<f64> = found.iter().map(|case| case[0].iter().sum()).collect();
        for ((sum, expected), case) in sums.iter().zip(numbers(expected)).zip(&cases) {
            let tokens = case[0].reads.len() as f64;
            assert_close(&[sum / tokens], &[expected / tokens], TOLERANCE / 10.0, name);
        }
        assert_eq!((sums.len(), expected.as_array().unwrap().len()), (100, 100), "{name}");
    }
}

/// The golden BERT with words for its tokens: `w7` is 7, and 4 is the mask.
fn bert_with_words(folder: &std::path::Path) {
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden("bert").join(file), folder.join(file)).unwrap();
    }
    let name = |id: u32| if id == 4 { "[MASK]".to_string() } else { format!("w{id}") };
    let vocabulary: serde_json::Map<String, Value> = (0..48).map(|id| (name(id), id.into())).collect();
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [{"id": 4, "content": "[MASK]", "single_word": false,
        "lstrip": false, "rstrip": false, "normalized": false, "special": true}], "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"},
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

#[test]
fn masked_crows_pairs_are_those_of_the_authors() {
    let (place, told) = (tempfile::tempdir().unwrap(), told());
    bert_with_words(place.path());
    let words = |row: &Vec<u32>| row.iter().map(|id| format!("w{id}")).collect::<Vec<_>>().join(" ");
    let rows = rows(&told);
    let (table, stereo) = (place.path().join("c.csv"), place.path().join("s.csv"));
    let pair = format!("{},{},stereo,age\n", words(&rows[0]), words(&rows[1]));
    std::fs::write(&table, format!("sent_more,sent_less,stereo_antistereo,bias_type\n{pair}{pair}")).unwrap();
    let triple = "w9,age,w5 BLANK w6,w7,w8,w10";
    std::fs::write(
        &stereo,
        format!("target,bias_type,context,stereotype,anti_stereotype,unrelated\n{triple}\n{triple}\n"),
    )
    .unwrap();
    let loaded = patchclamp::model::load::folder(place.path(), &[], &device()).unwrap();
    let text = format!(
        "(question: \"q\", model: Path({:?}), methods: [Measure(measures: [CrowsPairs(path: {table:?}), StereoSet(path: {stereo:?})])])",
        place.path()
    );
    let finding = findings(&text, &loaded).remove(0);
    let of =
        |table: usize, metric: &str| finding.items[table].rows.iter().find(|row| row.metric == metric).unwrap().effect;
    let expected = numbers(&told["crows"]);
    // both were rounded to three decimals, which f32 may do differently at the edge
    assert_close(&[of(0, "ln p, more"), of(0, "ln p, less")], &expected, 1.1e-3, "crows");
    let one =
        |word: u32| together(loaded.model.as_ref(), &[vec![Request::masked(&[5, word, 6], 1, 4)]], 1)[0][0][0].exp();
    assert_close(&[of(1, "stereotype"), of(1, "unrelated")], &[one(7), one(10)], EXACT, "stereoset");
}
