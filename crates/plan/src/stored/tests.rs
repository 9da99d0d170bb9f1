//! Stored objects beside a project file: one project, places that can be told apart, and nothing of the
//! machine.

use serde_json::{Value, json};

use super::{Section, Stored, keys_in, lines_of, objects_in, to_yaml, value_of};
use crate::interpolate::{Outside, SecretProblem};
use crate::read::{Reading, read_with_stored};
use crate::tree;

const FILE: &str = "\
version: 1
name: shop
datasets:
  people: { location: people.csv, identities: { id: CRMID } }
segments:
  loyal: { rule: points >= 10 }
accounts:
  lab: { auth: { kind: default } }
destinations:
  partner: { account: lab, bucket: exports }
activations:
  daily: { destination: partner, segments: [{ segment: loyal }], mapping: [{ source: id, deduplicate: true }, points] }";

fn read(text: &str, stored: &[(Section, &str, Value)]) -> Reading {
    let stored: Vec<Stored<'_>> = stored
        .iter()
        .map(|(section, key, definition)| Stored { section: *section, key, definition })
        .collect();
    let variables = |name: &str| (name == "HOME").then(|| "alice".to_owned());
    let files = |_: &str| Err("no such file".to_owned());
    let secrets = |name: &str| match name {
        "partner" => Ok("sesame".to_owned().into()),
        _ => Err(SecretProblem { message: "is not stored".into(), hint: "Store it.".into() }),
    };
    read_with_stored(
        text,
        &stored,
        Outside { variables: &variables, files: &files, secrets: &secrets },
    )
}

/// Each problem with where it is.
fn told(reading: &Reading) -> String {
    let one = |found: &crate::Diagnostic| {
        let span = found.span.expect("a place");
        let part = reading.parts.iter().find(|part| part.holds(span));
        let place = match part {
            Some(part) => format!("{} at {:?}", part.label(), part.pointer(&reading.text, span)),
            None => format!("file {}:{}", span.line, span.column),
        };
        format!("{place}: {} [{}]", found.message, found.code)
    };
    reading.diagnostics.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn file_and_stored_objects_are_one_project() {
    let reading = read(
        FILE,
        &[
            (Section::Segments, "big", json!({ "rule": "points >= 100\n  AND city = 'Paris'" })),
            (
                Section::Activations,
                "weekly",
                json!({ "destination": "partner", "segments": [{ "segment": "big" }], "mapping": [{ "source": "id", "deduplicate": true }, "points"] }),
            ),
        ],
    );
    assert_eq!(told(&reading), "");
    let project = reading.project.expect("a project");
    let keys: Vec<&str> = project.segments.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["loyal", "big"]);
    assert_eq!(project.activations[1].segments[0].segment, "big");
    let place = project.segments[1].rule.origin.place(20, 4).expect("a place in the lines");
    assert_eq!(&reading.text[place.start..place.end], "city");
}

#[test]
fn a_stored_object_is_what_it_would_be_in_the_file() {
    let rule = json!({ "name": "Big spenders", "rule": "points >= 100" });
    let stored = read(FILE, &[(Section::Segments, "big", rule)]);
    assert_eq!(told(&stored), "");
    let stored = stored.project.expect("a project");
    let written =
        FILE.replace("accounts:", "  big: { name: Big spenders, rule: points >= 100 }\naccounts:");
    let written = read(&written, &[]).project.expect("a project");
    assert_eq!(stored.segments[1].id, written.segments[1].id);
    assert_eq!(stored.segments[1].rule.text, written.segments[1].rule.text);
}

#[test]
fn problems_of_stored_objects_have_their_place() {
    let reading = read(
        FILE,
        &[
            (Section::Segments, "a/b", json!({ "rule": "x" })),
            (Section::Segments, "half", json!({ "name": "Half" })),
            (
                Section::Activations,
                "weekly",
                json!({ "destination": "partner", "segments": [{ "segment": "nobody", "schedule": { "frequency": "dayly" } }], "mapping": [{ "source": "id", "deduplicate": true }, "points"], "colour": "red" }),
            ),
        ],
    );
    insta::assert_snapshot!(told(&reading), @r#"
    stored segment `a/b` at "": a key is made of letters, digits, `-`, `_` and `.`, begins with a letter or a digit, and has at most 64 characters [key_form]
    stored segment `half` at "": the segment has no rule [missing_rule]
    stored activation `weekly` at "/segments/0/segment": there is no segment `nobody` [unknown_segment]
    stored activation `weekly` at "/segments/0/schedule/frequency": unknown value `dayly` [unknown_value]
    stored activation `weekly` at "/colour": unknown key `colour` [unknown_key]
    "#);
    assert!(reading.project.is_none());
}

#[test]
fn the_file_wins_and_says_so() {
    let reading = read(FILE, &[(Section::Segments, "loyal", json!({ "rule": "points >= 1" }))]);
    insta::assert_snapshot!(told(&reading), @"file 6:3: the stored segment `loyal` is not used: the file has one of this key [hidden_object]");
    assert_eq!(reading.project.expect("a project").segments[0].rule.text, "points >= 10");
}

#[test]
fn nothing_of_the_machine_is_read_for_stored_objects() {
    let account = |auth: Value| {
        (Section::Accounts, "evil", json!({ "auth": auth, "ca_file": "/etc/passwd" }))
    };
    let reading = read(
        FILE,
        &[
            account(
                json!({ "kind": "access-key", "access_key_id": "${SEGUE_MASTER_KEY}", "secret_access_key": "sesame" }),
            ),
            (
                Section::Destinations,
                "to",
                json!({ "account": "${HOME}", "bucket": "exports", "folder": "${HOME}", "encryption": { "pgp": ["/etc/passwd"], "pgp_sign": "${file:/etc/shadow}" } }),
            ),
            (Section::Segments, "a", json!({ "rule_file": "/etc/passwd" })),
            (
                Section::Segments,
                "b",
                json!({ "import": { "location": "../people.csv", "field": "id", "namespace": "CRMID" } }),
            ),
            (
                Section::Segments,
                "c",
                json!({ "import": { "location": ".segue/master.key", "field": "id", "namespace": "CRMID" } }),
            ),
        ],
    );
    // A message about a value would tell what it is.
    assert!(!told(&reading).contains("alice"));
    let found: Vec<String> = told(&reading)
        .lines()
        .filter(|line| line.contains("_stored]") || line.contains("in_clear]"))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    stored account `evil` at "/auth/access_key_id": the variable `SEGUE_MASTER_KEY` of the server is not for this place [not_for_stored]
    stored account `evil` at "/auth/secret_access_key": `secret_access_key` is written in the clear [secret_in_clear]
    stored account `evil` at "/ca_file": `ca_file` names a file of the server, which is not for stored objects [not_for_stored]
    stored destination `to` at "/account": the variable `HOME` of the server is not for this place [not_for_stored]
    stored destination `to` at "/folder": the variable `HOME` of the server is not for this place [not_for_stored]
    stored destination `to` at "/encryption/pgp/0": `pgp` names a file of the server, which is not for stored objects [not_for_stored]
    stored destination `to` at "/encryption/pgp_sign": `${file:…}` reads a file of the server, which is not for stored objects [not_for_stored]
    stored segment `a` at "/rule_file": `rule_file` names a file of the server, which is not for stored objects [not_for_stored]
    stored segment `b` at "/import/location": the location is outside the project's folder, or hidden in it [not_for_stored]
    stored segment `c` at "/import/location": the location is outside the project's folder, or hidden in it [not_for_stored]
    "#);
}

#[test]
fn what_is_no_public_key_is_told_as_what_it_is() {
    let keys = [
        "hello",
        "mQENBFnopQENBFno",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample partner@example.com",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI",
        "keys/partner.asc",
        "${file:partner.asc}",
    ];
    let definition =
        json!({ "account": "lab", "bucket": "exports", "encryption": { "pgp": keys } });
    let reading = read(FILE, &[(Section::Destinations, "to", definition)]);
    let hint = |it: &crate::Diagnostic| it.hint.clone().unwrap_or_default();
    let found = reading.diagnostics.iter().filter(|it| it.code != "unknown_account");
    let found: Vec<String> =
        found.map(|it| format!("{} [{}]\n    {}", it.message, it.code, hint(it))).collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn credentials_of_stored_accounts_come_from_the_store() {
    let auth = json!({ "kind": "access-key", "access_key_id": "AK", "secret_access_key": "${secret:partner}" });
    let reading =
        read(FILE, &[(Section::Accounts, "own", json!({ "auth": auth, "region": "eu-west-3" }))]);
    assert_eq!(told(&reading), "");
    assert_eq!(reading.project.expect("a project").accounts.len(), 2);
    assert!(!reading.text.contains("sesame"));
    for clear in ["sesame", "sesame${X:-}", "${X:-sesame}", "$${sesame}"] {
        let auth =
            json!({ "kind": "access-key", "access_key_id": "AK", "secret_access_key": clear });
        let reading = read(FILE, &[(Section::Accounts, "own", json!({ "auth": auth }))]);
        assert!(told(&reading).contains("[secret_in_clear]"), "{clear}");
        assert!(!reading.masked().contains("sesame"), "{clear}");
    }
}

#[test]
fn values_become_yaml_for_people() {
    let value = json!({
        "name": "Café: \"loyal\"", "rule": "points >= 10\n  AND x = 'y'\n", "pql": "a\n\nb", "yes": "true",
        "number": 12, "text": "12", "none": null, "empty": {}, "list": [], "first name": "x",
        "segments": [{ "segment": "loyal", "schedule": { "at": "02:00" } }, "id", ["a", ["b"]], [], {}],
        "last": "line\u{2028}end\u{7f}", "led": " space", "file": "%DATETIME(yyyy)%", "c": "a: b", "d": "- x", "odd": "a\n  \nb",
    });
    insta::assert_snapshot!(to_yaml(&value), @r#"
    name: "Café: \"loyal\""
    rule: |
      points >= 10
        AND x = 'y'
    pql: |-
      a

      b
    yes: "true"
    number: 12
    text: "12"
    none: null
    empty: {}
    list: []
    "first name": x
    segments:
      - segment: loyal
        schedule:
          at: "02:00"
      - id
      - - a
        - - b
      - []
      - {}
    last: "line\u2028end\u007f"
    led: " space"
    file: "%DATETIME(yyyy)%"
    c: "a: b"
    d: "- x"
    odd: "a\n  \nb"
    "#);
}

/// A value by small steps of a generator, with texts that are awkward in YAML.
fn drawn(state: &mut u64, depth: usize) -> Value {
    let mut next = |most: u64| {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % most
    };
    const TEXTS: [&str; 24] = [
        "",
        " ",
        "a",
        "null",
        "~",
        "-",
        "- a",
        "a: b",
        "a:",
        "# x",
        "a #b",
        "1",
        "0x1f",
        ".inf",
        "1e3",
        "'",
        "\"",
        "a\nb",
        "a\n",
        "\na",
        "a\r\nb",
        "\t",
        "é\u{1F600}\u{85}",
        "{a: b}",
    ];
    match next(if depth > 4 { 4 } else { 7 }) {
        0 => Value::Null,
        1 => json!(next(2) == 0),
        2 => json!(next(1_000_000)),
        3 => json!(TEXTS[usize::try_from(next(24)).expect("small")]),
        4 => (0..next(4)).map(|_| drawn(state, depth + 1)).collect(),
        _ => {
            let count = next(4);
            let keys: Vec<u64> = (0..count).map(|_| next(24)).collect();
            let entries = keys.into_iter().map(|key| {
                let key = TEXTS[usize::try_from(key).expect("small")].to_owned();
                (key, drawn(state, depth + 1))
            });
            Value::Object(entries.collect())
        }
    }
}

#[test]
fn any_value_comes_back_from_its_yaml() {
    let mut state = 42;
    for round in 0..3_000 {
        let value = json!({ "root": drawn(&mut state, 0) });
        let text = to_yaml(&value);
        let (root, problems) = tree::parse(&text);
        assert_eq!(problems, [], "round {round}\n{text}");
        assert_eq!(value_of(&root.expect("YAML")), value, "round {round}\n{text}");
    }
}

#[test]
fn lines_of_an_object_fit_into_the_file() {
    let definition = json!({ "rule": "points >= 1" });
    let object = Stored { section: Section::Segments, key: "all", definition: &definition };
    assert_eq!(lines_of(&object), "segments:\n  all:\n    rule: points >= 1\n");
}

#[test]
fn objects_are_read_as_they_are_written() {
    assert_eq!(keys_in(FILE).len(), 4);
    let written = objects_in(FILE).expect("a good file");
    assert_eq!(written.others, ["version", "name", "datasets"]);
    assert_eq!(written.objects[0].1, json!({ "rule": "points >= 10" }));
    let problems = objects_in("segments: [a]\n").expect_err("no mapping");
    assert_eq!(problems[0].message, "expected a mapping under `segments`");
}
