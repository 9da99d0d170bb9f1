//! The examples of `docs/functions.md`.

use plan::project::DatasetFormat;

use crate::formats::texts;
use crate::support::Case;

const PAGE: &str = include_str!("../../../../docs/functions.md");

/// The first two cells of each row of the tables, without their back quotes.
fn examples() -> Vec<(&'static str, &'static str)> {
    let cells = |line: &'static str| -> Option<(&'static str, &'static str)> {
        let rest = line.strip_prefix("| `")?;
        let (expression, rest) = rest.split_once("` | `")?;
        let (result, _) = rest.split_once("` |")?;
        Some((expression, result))
    };
    PAGE.lines().filter_map(cells).collect()
}

#[tokio::test]
async fn every_example_gives_what_the_page_says() {
    let examples = examples();
    assert!(examples.len() > 70, "the page is read whole: {}", examples.len());
    let one =
        Case::new(DatasetFormat::Parquet).parquet("a.parquet", vec![("id", texts(&[Some("1")]))]);
    let mut case = one;
    for (number, (expression, _)) in examples.iter().enumerate() {
        let column = format!("c{number}={expression}");
        case = case.columns(&[column.as_str()]);
    }
    let rows = case.written().await;
    let [row] = rows.as_slice() else { panic!("one record gives one row") };
    let found: Vec<&str> = row.split('|').collect();
    let wrong: Vec<String> = examples
        .iter()
        .zip(&found)
        .filter(|((_, expected), found)| expected != *found)
        .map(|((expression, expected), found)| format!("{expression}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(found.len(), examples.len());
}
