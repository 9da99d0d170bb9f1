//! The reader that most people at the other end have: Python's `csv` module takes the files apart into
//! the very cells that were written, in every dialect, encoding and compression that it knows.
//!
//! `.ci/run` sets `SEGUE_NEEDS_PYTHON`, so that there the test fails without Python; elsewhere it
//! says that it did not run.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use delivery::compress::Packer;
use delivery::encode::Encoder;
use plan::file_format::{Compression, Dialect, Encoding, FileFormat, Layout, LineEnd, Quoting};
use serde_json::{Value, json};

/// Reads each file of the list and compares its cells.
const READER: &str = r#"
import csv, gzip, json, sys
csv.field_size_limit(1 << 30)
for case in json.load(open(sys.argv[1], encoding="utf-8")):
    opener = gzip.open if case["path"].endswith(".gz") else open
    with opener(case["path"], "rt", encoding=case["encoding"], newline="") as file:
        rows = list(csv.reader(file, strict=True, **case["dialect"]))
    if rows != case["rows"]:
        wrong = [pair for pair in zip(rows, case["rows"]) if pair[0] != pair[1]]
        sys.exit(f"{case['path']}: {len(rows)} rows of {len(case['rows'])}, {wrong[:2]!r}")
print("read")
"#;

/// Texts that break careless files; the last ones are for Unicode only.
const TEXTS: [&str; 33] = [
    "plain",
    "",
    "a,b",
    "say \"hi\"",
    "\"",
    "\"\"",
    "a\nb",
    "a\r\nb",
    "a\rb",
    " a",
    "a ",
    "a\tb",
    "a;b|c",
    "it's",
    "'",
    "\\",
    "\\\"",
    "a\\",
    "=1+1",
    "-1",
    "00123",
    "1E5",
    "NULL",
    "\\N",
    "\\.",
    "Zoë Müller",
    "a\u{a0}",
    "\u{feff}a",
    "a\u{2028}b",
    "😀 👩\u{200d}👧",
    "e\u{301}",
    "ひらがな",
    "a\u{85}b",
];

fn format(change: impl FnOnce(&mut FileFormat, &mut Dialect)) -> FileFormat {
    let mut format = FileFormat::new(Layout::Csv);
    let mut dialect = format.dialect.clone();
    change(&mut format, &mut dialect);
    format.dialect = dialect;
    format
}

/// The formats, each with what Python has to be told about it.
fn formats() -> Vec<(&'static str, FileFormat, Value)> {
    let doubled = json!({"delimiter": ",", "quotechar": "\"", "doublequote": true});
    let escaped = json!({"quotechar": "\"", "doublequote": false, "escapechar": "\\"});
    let odd = json!({"delimiter": "|", "quotechar": "'", "doublequote": true});
    let encoded = |encoding| format(|file, _| file.encoding = encoding);
    vec![
        ("default", format(|_, _| {}), doubled.clone()),
        ("crlf", format(|_, dialect| dialect.line_end = LineEnd::Crlf), doubled.clone()),
        ("all", format(|_, dialect| dialect.quoting = Quoting::All), doubled.clone()),
        ("backslash", format(|_, dialect| dialect.escape = b'\\'), escaped),
        (
            "odd",
            format(|_, dialect| {
                (dialect.delimiter, dialect.quote, dialect.escape) = (b'|', b'\'', b'\'');
                dialect.empty = "''".to_owned();
            }),
            odd,
        ),
        ("tsv", FileFormat::new(Layout::Tsv), json!({"dialect": "excel-tab"})),
        ("gzip", format(|file, _| file.compression = Compression::Gzip), doubled.clone()),
        ("utf-8-sig", encoded(Encoding::Utf8Bom), doubled.clone()),
        ("utf-16", encoded(Encoding::Utf16Le), doubled.clone()),
        ("utf-16", encoded(Encoding::Utf16Be), doubled.clone()),
        ("latin-1", encoded(Encoding::Iso8859_1), doubled.clone()),
        ("cp1252", encoded(Encoding::Windows1252), doubled),
    ]
}

/// Every text in the first, the middle and the last column, beside a value that is missing.
fn rows(encoding: Encoding) -> Vec<[Option<&'static str>; 3]> {
    let is_narrow = matches!(encoding, Encoding::Iso8859_1 | Encoding::Windows1252);
    let fits = |text: &&str| {
        !is_narrow || text.chars().all(|c| c < '\u{80}' || c > '\u{9f}' && c <= '\u{ff}')
    };
    let texts: Vec<&str> = TEXTS.into_iter().filter(fits).collect();
    let shifted = |by: usize, row: usize| texts[(row + by) % texts.len()];
    (0..texts.len() * 3)
        .map(|row| {
            [
                Some(shifted(0, row)),
                (row % 7 > 0).then(|| shifted(5, row * 2)),
                Some(shifted(11, row)),
            ]
        })
        .collect()
}

fn write(path: &Path, format: &FileFormat, rows: &[[Option<&str>; 3]]) {
    let column = |index: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row[index])))
    };
    let columns =
        ["c0", "c,1", "c 2"].into_iter().zip(0..).map(|(name, at)| (name, column(at), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let encoder = Encoder::new(format, &batch.schema()).unwrap();
    let mut packer = Packer::new(format, "file.csv");
    let mut bytes = Vec::new();
    packer.write(&encoder.header(), &mut bytes).unwrap();
    packer.write(&encoder.encode(&batch).unwrap().text, &mut bytes).unwrap();
    packer.finish(&mut bytes).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn python_reads_the_cells_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for (number, (name, format, dialect)) in formats().into_iter().enumerate() {
        let path =
            folder.path().join(format!("{number}-{name}.csv{}", format.compression.suffix()));
        let rows = rows(format.encoding);
        write(&path, &format, &rows);
        // Python does not tell a missing value from an empty one.
        let text = |row: &[Option<&'static str>; 3]| row.map(Option::unwrap_or_default).to_vec();
        let header = vec!["c0", "c,1", "c 2"];
        let expected: Vec<Vec<&str>> =
            std::iter::once(header).chain(rows.iter().map(text)).collect();
        let encoding = if name.contains('-') || name == "cp1252" { name } else { "utf-8" };
        cases.push(
            json!({"path": path, "encoding": encoding, "dialect": dialect, "rows": expected}),
        );
    }
    let list = folder.path().join("cases.json");
    std::fs::write(&list, serde_json::to_vec(&cases).unwrap()).unwrap();
    let answer = match Command::new("python3").args(["-c", READER]).arg(&list).output() {
        Ok(answer) => answer,
        Err(error) if std::env::var_os("SEGUE_NEEDS_PYTHON").is_none() => {
            eprintln!("NOT RUN: Python could not be started ({error})");
            return;
        }
        Err(error) => panic!("Python could not be started: {error}"),
    };
    let (said, wrong) =
        (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
    assert!(answer.status.success() && said == "read\n", "{wrong}");
}
