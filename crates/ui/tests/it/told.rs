//! What is told on pages is told in French too: the messages and hints that the tests of the other crates
//! keep are tried against the tables.
//!
//! Covered is what forms, checks and runs tell: the meaning of segments, accounts, destinations and
//! activations, keys of recipients, answers of services, and files that are written. Not covered are the
//! shape of the project file as YAML, and what the command line alone says: neither stands on a page. A
//! message that no snapshot has is not covered either, so a new one is snapshotted where it is told.

use std::path::Path;

use ui::Lang;

/// Tests and snapshots with messages, below `crates`. One that ends with `*` is every file that begins so.
const SOURCES: [&str; 45] = [
    "plan/src/pql/snapshots/*",
    "plan/src/read/tests.rs",
    "plan/src/read/tests/meaning.rs",
    "plan/src/read/tests/profiles.rs",
    "plan/src/read/tests/segments.rs",
    "plan/src/read/tests/tables.rs",
    "plan/src/read/tests/snapshots/plan__read__tests__connection__accounts*",
    "plan/src/read/tests/snapshots/plan__read__tests__connection__objects_that*",
    "plan/src/read/tests/snapshots/plan__read__tests__connection__kms*",
    "engine/src/expression/tests.rs",
    "engine/tests/it/bad_input.rs",
    "engine/tests/it/compressed.rs",
    "engine/tests/it/consent.rs",
    "engine/tests/it/delta.rs",
    "engine/tests/it/formats.rs",
    "engine/tests/it/mapping.rs",
    "engine/tests/it/postgres.rs",
    "engine/tests/it/s3.rs",
    "engine/tests/it/segments.rs",
    "engine/tests/it/snapshots/*",
    "delivery/src/error/tests.rs",
    "delivery/tests/it/lab.rs",
    "segue/src/secrets/snapshots/*",
    "segue/tests/it/snapshots/it__check__*",
    "segue/tests/it/snapshots/it__encryption__*",
    "segue/tests/it/snapshots/it__events__*",
    "segue/tests/it/snapshots/it__explain__*",
    "segue/tests/it/snapshots/it__machine__*",
    "segue/tests/it/snapshots/it__messages__*",
    "segue/tests/it/snapshots/it__newcomer__*",
    "segue/tests/it/snapshots/it__objects__*",
    "segue/tests/it/snapshots/it__profiles__*",
    "segue/tests/it/snapshots/it__recipients__recipients_by*",
    "segue/tests/it/snapshots/it__secrets__*",
    "segue/tests/it/snapshots/it__segments__*",
    "segue/tests/it/snapshots/it__sign_in__*",
    "segue/tests/it/snapshots/it__trust__*",
    "segue/tests/it/snapshots/it__who_got__*",
    "segue/tests/it/formats.rs",
    "segue/tests/it/guard.rs",
    "segue/tests/it/increment.rs",
    "segue/tests/it/machine.rs",
    "segue/tests/it/replay.rs",
    "segue/tests/it/schedule.rs",
    "segue/tests/it/usage_policies.rs",
];

/// What is in them and is told on no page, or is no text of ours.
const ALLOWED: [&str; 24] = [
    // Of the shape of the file.
    "expected ",
    "pql",
    "rows_per_file",
    "a_%TIMESTAMP%",
    "%RUN_ID%",
    "location: crm.parquet",
    "`name`: The project's name.",
    // What the command line asks for.
    "an identity is a namespace and a value",
    "Name a `segue.yaml`, or the folder",
    "invalid value 'yesterday'",
    "unrecognized subcommand",
    "the following required arguments",
    "the rule of segment `loyal` is written in SQL",
    "Only rules in PQL are translated",
    // What the command line puts in front.
    "daily/loyal for",
    "segue.yaml has",
    "the project would have",
    "stored destination",
    "The run is committed and loses nothing",
    "run [id] is blocked",
    // Of the operating system.
    "no storage space",
    "permission denied",
    "No space left on device (os error)",
    "(code: 13) database or disk is full",
];

fn texts(source: &str) -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Some(begin) = source.strip_suffix('*') else {
        return vec![std::fs::read_to_string(crates.join(source)).expect(source)];
    };
    let (folder, begin) = begin.rsplit_once('/').expect("a folder");
    let mut found: Vec<_> = std::fs::read_dir(crates.join(folder))
        .expect(folder)
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(begin) && name.ends_with(".snap")
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{source} is nowhere");
    found.iter().map(|path| std::fs::read_to_string(path).expect("a snapshot")).collect()
}

/// The messages and hints in a text: behind the words of the command line, or behind a place in a file
/// with a code, or behind a code alone, and in the line below that.
fn messages(text: &str, is_coded: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_below = false;
    for line in text.lines() {
        let bare = line.trim();
        let said = ["error: ", "caused by: ", "hint: "];
        if let Some(message) = said.iter().find_map(|word| bare.strip_prefix(word)) {
            found.push(message.to_owned());
            is_below = false;
        } else if let Some(message) = placed(bare).or_else(|| coded(bare).filter(|_| is_coded)) {
            found.push(message.to_owned());
            is_below = true;
        } else {
            if is_below && line.starts_with(' ') && !bare.is_empty() && !bare.starts_with('"') {
                found.push(bare.to_owned());
            }
            is_below = false;
        }
    }
    found
}

/// The message of `60:24 unknown_value unknown value `kms` <kms>`.
fn placed(line: &str) -> Option<&str> {
    let (place, rest) = line.split_once(' ')?;
    let (row, column) = place.split_once(':')?;
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let rest = rest.strip_prefix("warning ").unwrap_or(rest);
    let (code, rest) = rest.split_once(' ')?;
    let is_code = code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let message = rest.rsplit_once(" <").map(|(message, _)| message)?;
    (is_number(row) && is_number(column) && is_code).then_some(message)
}

/// The message of `not_allowed: …` and of `syntax_error at "==": …`, which is no line of a program.
fn coded(line: &str) -> Option<&str> {
    let (code, message) = line.split_once(": ")?;
    let (code, message) = match code.split_once(" at \"") {
        Some((code, _)) => (code, line.split_once("\": ")?.1),
        None => (code, message),
    };
    let is_code = code.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        && (code.contains('_') || ["empty", "unsupported"].contains(&code));
    let is_program = message.ends_with([',', ';', '(', '{']) || !message.contains(' ');
    (is_code && !is_program).then_some(message)
}

#[test]
fn what_is_told_on_pages_is_told_in_french() {
    let mut count = 0;
    let mut english = Vec::new();
    for source in SOURCES {
        for text in texts(source) {
            // Only there stand codes without places.
            let is_coded = source.starts_with("engine/") || source.contains("/pql/");
            for message in messages(&text, is_coded) {
                count += 1;
                let is_allowed = ALLOWED.iter().any(|begin| message.starts_with(begin));
                if !is_allowed && Lang::Fr.told(&message).is_none() {
                    english.push(format!("{source}: {message}"));
                }
            }
        }
    }
    assert!(count > 1_200, "only {count} messages were found");
    english.sort();
    english.dedup();
    assert!(english.is_empty(), "no French in words/told for:\n{}", english.join("\n"));
}
