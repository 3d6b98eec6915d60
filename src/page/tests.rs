//! Claims about the page.

use super::{Drawing, Explorer, Page, Section};
use crate::figure::figures_of;
use crate::table::{Row, Table};
use indexmap::IndexMap;

const HOSTILE: &str = "<script>alert(\"x\")</script>&'";

fn table(rows: usize) -> Table {
    let row = |index: usize| Row {
        method: HOSTILE.into(),
        site: Some(format!("site {HOSTILE}")),
        layer: Some(index / 2),
        position: Some(index % 2),
        metric: "logit_diff".into(),
        effect: index as f64 - 3.0,
        n: 10,
        ..Row::default()
    };
    Table {
        name: "01_patch".into(),
        title: HOSTILE.into(),
        facts: IndexMap::from([(HOSTILE.into(), HOSTILE.into())]),
        positions: vec![HOSTILE.into(), " a".into()],
        rows: (0..rows).map(row).collect(),
    }
}

fn page(table: &Table) -> String {
    let draw = |(stem, figure): (String, crate::figure::Figure)| Drawing { stem, svg: figure.svg() };
    let section = Section {
        heading: HOSTILE.into(),
        text: format!("{HOSTILE}\n\nsecond"),
        figures: figures_of(table).into_iter().map(draw).collect(),
        explorer: Some(Explorer::new(&[HOSTILE])),
        table: Some(table),
    };
    let page = Page {
        title: HOSTILE.into(),
        question: HOSTILE.into(),
        summary: vec![(HOSTILE.into(), HOSTILE.into())],
        sections: vec![section],
        run_ron: format!("Experiment(name: {HOSTILE})"),
        tokens: vec![vec![HOSTILE.into(), " b\n".into()]],
    };
    page.html()
}

#[test]
fn whatever_a_token_holds_is_shown_and_not_obeyed() {
    let html = page(&table(8));
    assert!(!html.contains("<script>alert"));
    assert!(html.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;"));
    assert!(html.contains("<title>&lt;script"));
    assert!(html.contains("␣b↵"));
}

#[test]
fn the_page_asks_nothing_of_the_outside() {
    let html = page(&table(8));
    assert!(!html.contains("http://") && !html.contains("https://"));
    assert!(!html.contains("src=\"") && !html.contains("<link") && !html.contains("@import"));
    assert!(html.contains("<svg ") && html.contains("@font-face"));
}

#[test]
fn headers_sort_by_key_and_say_so() {
    let html = page(&table(8));
    assert!(html.contains("aria-sort=\"none\""));
    assert!(html.contains("data-key=\"-3\""));
}

#[test]
fn a_long_table_shows_its_largest_rows_and_says_so() {
    let html = page(&table(2500));
    assert!(html.contains("The 500 rows of largest |effect| of 2500. All rows are in 01_patch.csv."));
    assert_eq!(html.matches("<tr><td").count(), 500);
}

#[test]
fn a_page_of_nothing_is_a_page() {
    let page = Page {
        title: String::new(),
        question: String::new(),
        summary: vec![],
        sections: vec![],
        run_ron: String::new(),
        tokens: vec![],
    };
    assert!(page.html().contains("</html>"));
    assert!(super::Page { sections: vec![], ..page }.html().starts_with("<!DOCTYPE html>"));
    assert!(self::page(&table(0)).contains("The table has no rows."));
}
