//! A problem has its French from the day on which it is written: the texts in the source of the other
//! crates are tried against the tables.
//!
//! Found are texts that stand where a problem or a step is made. One that is put together elsewhere is
//! covered where a snapshot has it, in [`told`](super::told).

use std::path::{Path, PathBuf};

use ui::Lang;

/// The sources of what can stand on a page.
const CRATES: [&str; 5] = ["plan/src", "engine/src", "delivery/src", "ledger/src", "segue/src"];

/// What makes problems and steps of texts.
const CALLS: [&str; 14] = [
    "#[error(",
    ".hint(",
    "with_hint(",
    "Diagnostic::error(",
    "Diagnostic::warning(",
    "Error::input(",
    "Error::internal(",
    "Error::new(",
    "Failure::new(",
    "Failure::usage(",
    "Problem::at_member(",
    "Problem::at_parameter(",
    "Problem::new(",
    "Refusal::new(",
];

/// Sources whose texts stand on no page: of the command line, of a start that fails, of requests that no
/// page makes.
const ELSEWHERE: [&str; 12] = [
    "segue/src/app/backup.rs",
    "segue/src/cli/",
    "segue/src/demo/",
    "segue/src/http/flow_service",
    "segue/src/http/listen.rs",
    "segue/src/http/unreadable.rs",
    "segue/src/opening.rs",
    "segue/src/remote.rs",
    "segue/src/retrieve.rs",
    "segue/src/server/mail.rs",
    "segue/src/traces.rs",
    "segue/src/workspace.rs",
];

/// Texts that are put together: there is French for each that comes of it.
const COMPOSED: [&str; 11] = [
    "{} is not what was staged: {}",
    "{} of {} would pass the limit of {}",
    "Give it on standard input, or with --from-file.",
    "The body is not JSON ({}).",
    "column {} is of type {}, which has no form in {}",
    "in the database",
    "the address of the database {}",
    "the files cannot be encrypted: {} {}",
    "the ledger {} is in use by another process{}",
    "the project would have {}",
    "what stands at {} {}",
];

fn sources() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|it| crates.join(it)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(&crates).expect("below").to_string_lossy().into_owned();
            let is_test = ["/tests", "tests.rs"].iter().any(|it| name.contains(it));
            if is_test || ELSEWHERE.iter().any(|it| format!("{name}/").starts_with(it)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                found.push((name, std::fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    found
}

/// The literals in brackets, up to where they close.
fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = rest.find(['"', '(', ')', '\'']) else { return found };
        let (sign, behind) = rest[at..].split_at(1);
        rest = match sign {
            "\"" => {
                let (literal, behind) = literal(behind);
                found.push(literal);
                behind
            }
            // A sign as a value is no bracket and no text.
            "'" => {
                ["\"'", "('", ")'"].iter().find_map(|it| behind.strip_prefix(it)).unwrap_or(behind)
            }
            _ => {
                depth += if sign == "(" { 1 } else { -1 };
                behind
            }
        };
    }
    found
}

/// A literal up to its closing quote, and what stands behind that.
fn literal(text: &str) -> (String, &str) {
    let mut said = String::new();
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return (said, &text[at + 1..]),
            '\\' => match signs.next() {
                // The next line goes on with this one.
                Some((_, '\n')) => while signs.next_if(|(_, it)| it.is_whitespace()).is_some() {},
                Some((_, 'n')) => said.push('\n'),
                Some((_, other)) => said.push(other),
                None => {}
            },
            other => said.push(other),
        }
    }
    (said, "")
}

/// A text with `{}` for each fact.
fn pattern(literal: &str) -> String {
    let mut said = String::new();
    let mut rest = literal;
    while let Some((before, behind)) = rest.split_once('{') {
        said.push_str(before);
        rest = match (behind.strip_prefix('{'), behind.split_once('}')) {
            (Some(behind), _) => {
                said.push('{');
                behind
            }
            (None, Some((_, behind))) => {
                said.push_str("{}");
                behind
            }
            (None, None) => behind,
        };
    }
    said + rest
}

/// Whether a text says something by itself, and is no word for machines.
fn is_sentence(text: &str) -> bool {
    let words = text.split(|it: char| !it.is_alphabetic()).filter(|word| word.len() > 1).count();
    words > 2 && text.contains(' ')
}

#[test]
fn what_is_told_in_the_source_is_told_in_french() {
    let mut count = 0;
    let mut english = Vec::new();
    for (name, source) in sources() {
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: Vec<&str> =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        for (at, call) in CALLS.iter().flat_map(|call| code.match_indices(call)) {
            for literal in literals(&code[at + call.len()..]) {
                let pattern = pattern(&literal);
                if !is_sentence(&pattern) || COMPOSED.contains(&pattern.as_str()) {
                    continue;
                }
                count += 1;
                // What is behind a colon has a French of its own.
                let text = match pattern.strip_suffix(": {}") {
                    Some(before) => format!("{before}: access denied"),
                    None => pattern,
                };
                let text = text.replace("{}", "1");
                // What is wrong with a key of a recipient is told behind its name.
                let of_key = format!("the key {text}");
                if [&text, &of_key].iter().all(|it| Lang::Fr.told(it).is_none()) {
                    english.push(format!("{name}: {text}"));
                }
            }
        }
    }
    assert!(count > 500, "only {count} texts were found");
    english.sort();
    english.dedup();
    assert!(english.is_empty(), "no French in words/told for:\n{}", english.join("\n"));
}
