//! Mistakes, all at once.

use super::*;

fn told(data: &str, keep: &str, ways: &str, more: &str) -> String {
    let text = cutting(data, keep, ways, more);
    Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err("the plan has a mistake").to_string()
}

fn data() -> String {
    random_pairs(&[5, 5, 5], None)
}

#[test]
fn all_mistakes_are_told_at_once() {
    let ways = "Edges(counts: [0, 3, 3, 999999]), Nodes(counts: [], ablate: Corrupted), \
                Orthogonal(score: InformationFlow, counts: [1], ablate: MeanPerPosition), \
                Erase(sites: [\"hook_zz\"], with: Oracle), Edges(score: EapIg(steps: 0), counts: [1])";
    insta::assert_snapshot!(told(&data(), &data(), ways, "folds: 1, random: 100001, apart: Items"), @r#"
    methods[0].random: 100001 draws; give 10000 at the most, or 0 for none
    methods[0].folds: 1, but a cut is chosen on other items than it is tried on; give at least 2
    methods[0].ways[0].counts: 3 stands twice
    methods[0].ways[0].counts: 0 edges; give 1 to 74: this model has 75, and a random cut must be able to be another one; write random: 0 for none
    methods[0].ways[0].counts: 999999 edges; give 1 to 74: this model has 75, and a random cut must be able to be another one; write random: 0 for none
    methods[0].ways[1].ablate: Corrupted hangs on the prompt, its positions or what else is cut, but a cut is the same in every text; write Mean or Zero
    methods[0].ways[1].counts: is an empty list; say how many are cut, for instance [5, 10, 20]
    methods[0].ways[2].ablate: MeanPerPosition hangs on the prompt, its positions or what else is cut, but a cut is the same in every text; write Mean or Zero
    methods[0].ways[2].score: InformationFlow says how near an edge brings a stream, not what hangs on it; write for instance EapIg()
    methods[0].ways[3].with: Oracle needs the class of every text, which a cut model is not told; write Leace, Mean or Inlp(rounds: 8)
    methods[0].ways[3].sites[0]: gpt2 has no site "hook_zz"; `patchclamp sites MODEL` lists them
    methods[0].ways[4].score.steps: 0 is not between 1 and 10000
    "#);
    insta::assert_snapshot!(told(&data(), &data(), "", "folds: 9, apart: Label(\"job\"), text: \"nowhere.txt\""), @r#"
    methods[0].ways: is empty; name at least one, for instance Edges(counts: [5, 10, 20])
    methods[0].text: nowhere.txt: No such file or directory (os error 2)
    methods[0].apart: not every item of data has a label "job"
    methods[0].apart: not every item of methods[0].keep.data has a label "job"
    "#);
}

#[test]
fn parts_that_cannot_be_made_are_a_mistake_and_no_panic() {
    insta::assert_snapshot!(told(&data(), &data(), "Erase()", "folds: 0, apart: Items"), @"methods[0].folds: 0, but a cut is chosen on other items than it is tried on; give at least 2");
    insta::assert_snapshot!(told(&data(), &data(), "Erase()", "folds: 9, apart: Items"), @r"
    data: its 3 items hang together by prompts in 3 groups, so they cannot be divided into 9 parts; add items, or choose fewer `folds` or another `apart`
    methods[0].keep.data: its 3 items hang together by prompts in 3 groups, so they cannot be divided into 9 parts; add items, or choose fewer `folds` or another `apart`
    ");
}

#[test]
fn what_clean_prompts_have_is_not_told_of_pairs_both_ways_round() {
    let both = "Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6), (clean: [1, 4, 3], corrupt: [1, 2, 3], right: 6, wrong: 5), (clean: [1, 7, 3], corrupt: [1, 8, 3], right: 5, wrong: 6)])";
    for way in ["Erase()", "Orthogonal(counts: [1])"] {
        let wrong = told(both, &data(), way, "apart: Items");
        assert!(wrong.starts_with("data: a prompt is clean in one pair and corrupted in another"), "{wrong}");
    }
    planned(&cutting(both, &data(), "Edges(counts: [1])", "apart: Items"), &load("gpt2"));
}

#[test]
fn what_must_be_kept_has_mistakes_of_its_own() {
    let keep = "Pairs([(clean: [1, 99, 3], corrupt: [1, 4, 3], right: 5, wrong: 6)])";
    insta::assert_snapshot!(told(&data(), keep, "Erase()", "apart: Items"), @"methods[0].keep.data[0].clean: token 99 does not exist; the vocabulary has 0 to 47");
    let same = "Pairs([(clean: [1, 4, 3], corrupt: [1, 4, 3], right: 5, wrong: 6), (clean: [2, 4, 3], corrupt: [2, 4, 3], right: 5, wrong: 6)])";
    insta::assert_snapshot!(told(&data(), same, "Erase()", "apart: Items"), @"methods[0].keep.data: no pair's prompts differ, so that there is nothing to cut or to keep");
    insta::assert_snapshot!(told(&data(), "Tokens([[1, 2, 3]])", "Erase()", "apart: Items"), @"methods[0].keep.data: needs prompts in pairs with answers; write data as Pairs, Templates, Csv or Jsonl");
}
