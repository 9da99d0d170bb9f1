//! Every test runs on both databases, unless it is about one of them.

/// The modules whose tests are about files, or about PostgreSQL.
const OF_ONE_DATABASE: [&str; 2] = ["file.rs", "postgres.rs"];
/// Tests elsewhere that are about files.
const OF_FILES: [&str; 3] = [
    "other_process",
    "a_process_that_is_killed_leaves_the_ledger_whole_and_free",
    "definitions_are_read_beside_a_writer_and_of_older_ledgers_there_are_none",
];

#[test]
fn every_test_also_runs_on_postgres() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut left_out = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if OF_ONE_DATABASE.contains(&name.as_str()) || name == "tidy.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let listed = text.split_once("also_on_postgres![").map_or("", |(_, list)| list);
        for test in text.split("#[tokio::test]").skip(1) {
            let (_, test) = test.split_once("async fn ").unwrap();
            let (test, _) = test.split_once('(').unwrap();
            count += 1;
            let is_listed = listed.lines().any(|line| line.trim().trim_end_matches(',') == test);
            if !is_listed && !OF_FILES.contains(&test) {
                left_out.push(format!("{name}: {test}"));
            }
        }
    }
    assert!(count > 50, "{count}");
    assert_eq!(left_out, [""; 0], "list them in `also_on_postgres!`");
}
