//! Text files that are compressed: read as if they were not.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use plan::project::DatasetFormat;

use crate::support::{CSV, Case};

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).expect("it is compressed");
    encoder.finish().expect("it is compressed")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).expect("it is compressed")
}

/// Enough lines for several blocks.
fn lines() -> (String, Vec<String>) {
    let rows: Vec<String> = (0..60_000).map(|row| format!("{row}|name {row}")).collect();
    let text = rows.iter().map(|row| row.replace('|', ",") + "\n");
    ("id,name\n".to_owned() + &text.collect::<String>(), rows)
}

#[tokio::test]
async fn the_first_bytes_tell_and_not_the_name() {
    let (text, expected) = lines();
    for (name, content) in [
        ("a.csv.gz", gzip(&text)),
        ("a.csv.zst", zstd(&text)),
        ("a.csv", gzip(&text)),
        ("a.csv.gz", text.clone().into_bytes()),
    ] {
        let case = Case::new(CSV).text(name, content).columns(&["id", "name"]);
        assert!(case.rows().await == expected, "{name}");
    }
}

#[tokio::test]
async fn marked_texts_are_read_in_their_encoding() {
    let text = "id,name\n1,Zoë\n2,\"\u{1f600}\u{feff}\"\n";
    let marked = format!("\u{feff}{text}");
    let units = || marked.encode_utf16();
    for (name, content) in [
        ("a.csv", marked.clone().into_bytes()),
        ("a.csv", units().flat_map(u16::to_le_bytes).collect()),
        ("a.csv", units().flat_map(u16::to_be_bytes).collect()),
        ("a.csv.gz", gzip(units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())),
    ] {
        let case = Case::new(CSV).text(name, content).columns(&["id", "name"]);
        assert_eq!(case.rows().await, ["1|Zoë", "2|\u{1f600}\u{feff}"], "{name}");
    }
    let marked = "\u{feff}{\"a\":\"é\"}\n";
    for content in
        [marked.as_bytes().to_vec(), marked.encode_utf16().flat_map(u16::to_le_bytes).collect()]
    {
        let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", content).columns(&["a"]);
        assert_eq!(case.rows().await, ["é"]);
    }
}

#[tokio::test]
async fn files_of_several_members_are_one_file() {
    let parts = ["{\"a\":1}\n{\"a\":", "2}\n", "{\"a\":3}\n"];
    for (name, content) in
        [("a.jsonl.gz", parts.map(gzip).concat()), ("a.jsonl.zst", parts.map(zstd).concat())]
    {
        let case = Case::new(DatasetFormat::JsonLines).text(name, content).columns(&["a"]);
        assert_eq!(case.rows().await, ["1", "2", "3"], "{name}");
    }
}

#[tokio::test]
async fn what_is_cut_short_or_damaged_is_an_error() {
    let (text, _) = lines();
    let cut = |mut packed: Vec<u8>| {
        packed.truncate(packed.len() / 2);
        packed
    };
    let spoil = |mut packed: Vec<u8>| {
        let middle = packed.len() / 2;
        packed[middle..middle + 64].fill(0xff);
        packed
    };
    let mut errors = String::new();
    for (name, content) in [
        ("cut.csv.gz", cut(gzip(&text))),
        ("cut.csv.zst", cut(zstd(&text))),
        ("spoilt.csv.gz", spoil(gzip(&text))),
        ("spoilt.csv.zst", spoil(zstd(&text))),
    ] {
        let case = Case::new(CSV).text(name, content).columns(&["id", "name"]);
        errors.push_str(&format!("{}\n", case.error().await));
    }
    // What is spoilt is often seen by whoever reads the text before its checksum is.
    insta::assert_snapshot!(errors, @r"
    invalid_input: the gzip data is damaged or cut short (FOLDER/cut.csv.gz)
      Make the file again, or copy it again from where it came.
    invalid_input: the Zstandard data is damaged or cut short (FOLDER/cut.csv.zst)
      Make the file again, or copy it again from where it came.
    invalid_input: cell 1 is not UTF-8 (FOLDER/spoilt.csv.gz, line 30197)
      Convert the file to UTF-8.
    invalid_input: the record has 3 cells, the header has 2 (FOLDER/spoilt.csv.zst, line 20001)
      Correct the line, or put cells that hold the delimiter or a line break in quotes.
    ");
}
