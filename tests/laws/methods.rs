//! Laws of methods that an independent check found broken once.

use super::common::{carry_out, findings, golden, load, logits, question, random_tokens, recorded};
use patchclamp::hook::{Change, Edit, Edits};
use patchclamp::model::{Pass, Read, load};
use patchclamp::plan::{Item, Step};
use patchclamp::site::{Place, Site};
use patchclamp::tensor::{Tensor, to_floats};
use patchclamp::text::{Padding, Tokens};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

/// f32 sums in another order.
const TOLERANCE: f64 = 1e-5;

#[test]
fn attention_is_read_where_each_item_reads_its_answer() {
    let loaded = load("gpt2");
    let data = "Pairs([(clean: [1, 2, 3], corrupt: [4, 2, 3], right: 5, wrong: 6, at: 0), \
                       (clean: [3, 2, 1], corrupt: [3, 4, 1], right: 5, wrong: 6, at: 2)])";
    let found = &findings(&question(data, "Attention()", ""), &loaded)[0].tables[0];
    let tokens = Tokens::new(vec![vec![1, 2, 3], vec![3, 2, 1]]);
    let record = recorded(loaded.model.as_ref(), &tokens, [Site::Pattern(0)]);
    let pattern = record.at(Site::Pattern(0)).unwrap();
    for key in 0..3 {
        let own = |row: usize, query: usize| {
            to_floats(&pattern.clone().slice([row..row + 1, 0..1, query..query + 1, key..key + 1]))[0]
        };
        let expected = f64::from(own(0, 0) + own(1, 2)) / 2.0;
        let row = found.rows.iter().find(|row| (row.layer, row.head, row.position) == (Some(0), Some(0), Some(key)));
        assert!((row.unwrap().effect - expected).abs() < TOLERANCE, "key {key}");
    }
}

#[test]
fn value_weighting_goes_through_the_norm_behind_attention() {
    for case in ["gemma2-uncapped", "llama"] {
        let loaded = load(case);
        let prompt = vec![3, 8, 21, 5];
        let data = format!("Tokens([{prompt:?}])");
        let found = findings(&question(&data, "Attention(weighting: ValueWeighted)", ""), &loaded);
        let record = recorded(loaded.model.as_ref(), &Tokens::new(vec![prompt]), loaded.model.sites());
        let (layer, query) = (1, 3);
        let block = loaded.model.block(layer);
        let at = |site: Site, [head, pos]: [usize; 2]| {
            to_floats(&record.at(site).unwrap().clone().narrow(1, head, 1).narrow(2, pos, 1))
        };
        let maps = block.attention.out_by_head();
        let [_, heads, _, d_model] = maps.dims();
        for (head, key) in (0..heads).flat_map(|head| (0..4).map(move |key| (head, key))) {
            let map = to_floats(&maps.clone().narrow(1, head, 1));
            let value = at(Site::Value(layer), [head / (heads / block.attention.key_heads), key]);
            let alpha = at(Site::Pattern(layer), [head, query])[key];
            let behind = block
                .norm1_post
                .as_ref()
                .map(|norm| (to_floats(norm.weight.as_ref().unwrap()), at(Site::Norm1PostScale(layer), [0, query])[0]));
            let written = |out: usize| {
                let plain: f32 = value.iter().enumerate().map(|(at, value)| value * map[at * d_model + out]).sum();
                let written = behind.as_ref().map_or(plain, |(weight, scale)| plain * weight[out] / scale);
                f64::from(alpha * written).powi(2)
            };
            let expected = (0..d_model).map(written).sum::<f64>().sqrt();
            let rows = &found[0].tables[0].rows;
            let row =
                rows.iter().find(|row| (row.layer, row.head, row.position) == (Some(layer), Some(head), Some(key)));
            assert!((row.unwrap().effect - expected).abs() < TOLERANCE, "{case} head {head} key {key}");
        }
    }
}

#[test]
fn a_heads_attribution_goes_through_the_norms_behind_it() {
    for case in ["gemma2-uncapped", "gpt-neo"] {
        let loaded = load(case);
        let (prompt, [right, wrong]) = (vec![3, 8, 21, 5], [7, 30]);
        let data = format!("Pairs([(clean: {prompt:?}, corrupt: {prompt:?}, right: {right}, wrong: {wrong})])");
        let found = &findings(&question(&data, "DirectLogitAttribution", ""), &loaded)[0].tables[0];
        let model = loaded.model.as_ref();
        let record = recorded(model, &Tokens::new(vec![prompt]), model.sites());
        let last = |site: Site| record.at(site).unwrap().clone().narrow(2, 3, 1); // [1, head or 1, 1, width]
        let (layer, norm) = (1, model.final_norm().unwrap());
        let mut added = last(Site::HeadOut(layer));
        if let Some(behind) = &model.block(layer).norm1_post {
            added = added * behind.weight.clone().unwrap().unsqueeze() / last(Site::Norm1PostScale(layer));
        }
        let mean = if norm.centres() { added.clone().mean_dim(3) } else { last(Site::FinalScale) * 0.0 };
        let normed = (added - mean) * norm.weight.clone().unwrap().unsqueeze() / last(Site::FinalScale);
        let columns = model.unembedding().weight;
        let direction = columns.clone().narrow(1, right, 1) - columns.narrow(1, wrong, 1); // [d_model, 1]
        let shares = to_floats(&normed.matmul(direction.unsqueeze()));
        for (head, expected) in shares.into_iter().map(f64::from).enumerate() {
            let row = found.rows.iter().find(|row| (row.layer, row.head) == (Some(layer), Some(head))).unwrap();
            assert!((row.effect - expected).abs() < TOLERANCE, "{case} head {head}: {} {expected}", row.effect);
        }
    }
}

/// Mean state at the last position of some prompts, `[1, head, 1, width]`.
fn mean_state(loaded: &load::Loaded, site: Site, prompts: Vec<Vec<u32>>) -> Tensor<4> {
    let (tokens, last) = (Tokens::new(prompts.clone()), prompts[0].len() - 1);
    recorded(loaded.model.as_ref(), &tokens, [site]).at(site).unwrap().clone().narrow(2, last, 1).mean_dim(0)
}

#[test]
fn a_contrast_is_added_to_the_heads_it_was_taken_from() {
    let loaded = load("gpt2");
    let data = "Pairs([(clean: [1, 2, 3], corrupt: [4, 2, 3], right: 5, wrong: 6), (clean: [7, 2, 9], corrupt: [8, 2, 9], right: 5, wrong: 6)])";
    let method = "Generate(tokens: 1, edits: [(site: \"blocks.0.attn.hook_z\", heads: [1], change: AddContrast(2.0))])";
    let (plan, outcome) = carry_out(&question(data, method, ""), &loaded);
    assert!(matches!(plan.steps[0], Step::Generate { .. }));

    let site = Site::Mix(0);
    let prompts = |side: fn(&Item) -> &Vec<u32>| plan.items.iter().map(|item| side(item).clone()).collect::<Vec<_>>();
    let clean = prompts(|item| &item.clean);
    let contrast = mean_state(&loaded, site, clean.clone()) - mean_state(&loaded, site, prompts(|item| &item.corrupt));
    let place = Place { heads: Some(vec![1]), ..Place::all(site) };
    let edit = Edit { place, change: Change::Add(contrast.narrow(1, 1, 1) * 2.0) };
    let tokens = Tokens::new(clean);
    let read = Read { positions: Some(vec![2; 2]), tokens: Some(vec![vec![5, 6]; 2]) };
    let metric = |hook: &mut dyn patchclamp::hook::Hook| {
        let found = to_floats(&loaded.model.pass(&Pass::whole(&tokens).reading(read.clone()), hook));
        f64::from(found[0] - found[1] + found[2] - found[3]) / 2.0
    };
    let expected = metric(&mut Edits::new(vec![edit])) - metric(&mut ());
    let effect = outcome.findings[0].tables[0].rows[0].effect;
    assert!(expected.abs() > 1e-3, "an edit that does nothing tests nothing");
    assert!((effect - expected).abs() < TOLERANCE, "{effect} {expected}");
}

/// A copy of a golden whose checkpoint also stores `name`: the embedding times `factor`.
fn with_stored_head(factor: f32, folder: &std::path::Path) {
    std::fs::copy(golden("gpt2").join("config.json"), folder.join("config.json")).unwrap();
    let bytes = std::fs::read(golden("gpt2").join("model.safetensors")).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let embedding = stored.tensor("transformer.wte.weight").unwrap();
    let scaled = |chunk: &[u8]| (f32::from_le_bytes(chunk.try_into().unwrap()) * factor).to_le_bytes();
    let head: Vec<u8> = embedding.data().chunks_exact(4).flat_map(scaled).collect();
    let mut tensors = stored.tensors();
    let shape = embedding.shape().to_vec();
    tensors.push(("lm_head.weight".into(), TensorView::new(Dtype::F32, shape, &head).unwrap()));
    let bytes = safetensors::serialize(tensors, None).unwrap();
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
}

#[test]
fn a_head_stored_beside_a_tie_is_used_as_transformers_does() {
    let tokens = random_tokens(&[4, 4], Padding::Right);
    let tied = to_floats(&logits(load("gpt2").model.as_ref(), &tokens, &mut ()));
    for factor in [1.0, 3.0] {
        let folder = tempfile::tempdir().unwrap();
        with_stored_head(factor, folder.path());
        let loaded = load::folder(folder.path(), &[], &super::common::device()).unwrap();
        let found = to_floats(&logits(loaded.model.as_ref(), &tokens, &mut ()));
        let differs = |(ours, tied): (&f32, &f32)| (ours - factor * tied).abs() > 1e-4 * (1.0 + tied.abs());
        assert!(!found.iter().zip(&tied).any(differs), "times {factor}");
    }
}

#[test]
fn a_pair_asked_both_ways_is_one_observation() {
    let pairs = |label: &str| {
        format!(
            "Pairs([(clean: [1, 2], corrupt: [3, 2], right: 5, wrong: 6{label}), (clean: [3, 2], corrupt: [1, 2], right: 6, wrong: 5{label}), \
             (clean: [7, 2], corrupt: [8, 2], right: 5, wrong: 6)])"
        )
    };
    let loaded = load("gpt2");
    let method = "Patch(sites: [\"attn.hook_z\"], over: [Layer])";
    let count = |data: &str| findings(&question(data, method, ""), &loaded)[0].tables[0].rows[0].n;
    assert_eq!((count(&pairs("")), count(&pairs(", labels: {\"pair\": \"a\"}"))), (3, 2));
}
