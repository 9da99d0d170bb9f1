use proptest::prelude::*;

use super::*;

mod connection;
mod meaning;
mod profiles;
mod segments;
mod tables;

const FULL: &str = include_str!("full.yaml");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG";

fn variable(name: &str) -> Option<String> {
    match name {
        "KEY_ID" => Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        "SECRET" => Some(SECRET.to_owned()),
        "SPACED" => Some(format!(" {SECRET}\n")),
        "EMPTY" => Some(String::new()),
        "JSON" => Some("{\"key\": 1}".to_owned()),
        _ => None,
    }
}

fn rule_file(path: &str) -> Result<String, String> {
    match path {
        "segments/lapsed.sql" => Ok("lastOrder < now() - INTERVAL '90 days'\n".to_owned()),
        "segments/wrong.pql" => Ok("person.age > 5\nand uper(x)\n".to_owned()),
        _ => Err("no such file".to_owned()),
    }
}

fn read_text(text: &str) -> Reading {
    read(text, &variable, &rule_file)
}

/// One problem per line: place, code, message, and the hint on a line of its own.
fn problems(text: &str) -> String {
    let reading = read_text(text);
    let mut shown = String::new();
    for problem in &reading.diagnostics {
        let span = problem.span.expect("every problem of a file has a place");
        let severity = if problem.severity == crate::Severity::Error { "" } else { "warning " };
        let Span { line, column, .. } = span;
        let excerpt = text[span.start..span.end].lines().next().unwrap_or_default();
        shown += &format!(
            "{line}:{column} {severity}{} {} <{excerpt}>\n",
            problem.code, problem.message
        );
        shown += &problem.hint.as_ref().map_or(String::new(), |hint| format!("    {hint}\n"));
    }
    assert!(!shown.contains(SECRET), "a secret is shown");
    shown
}

/// The full example with one text replaced by another; only what that changes is a problem.
fn change(from: &str, to: &str) -> String {
    assert_eq!(FULL.matches(from).count(), 1, "`{from}` is there once");
    problems(&FULL.replace(from, to))
}

#[test]
fn the_full_example_is_a_project_without_problems() {
    assert_eq!(problems(FULL), "");
    let project = read_text(FULL).project.expect("there is no error");
    let shown = format!("{project:#?}");
    assert!(!shown.contains(SECRET));
    let span = r"Span \{\s*start: \d+,\s*end: \d+,\s*line: (\d+),\s*column: (\d+),\s*\}";
    insta::with_settings!({ filters => vec![(span, "$1:$2")] }, {
        insta::assert_snapshot!("full_project", shown);
    });
}

#[test]
fn variables_hold_numbers_and_words_too() {
    let text = FULL
        .replace("rows_per_file: 100", "rows_per_file: \"${NONE:-7}\"")
        .replace("header: false", "header: ${NONE:-true}")
        .replace("compression: gzip", "compression: ${NONE:-zstd}");
    assert_eq!(problems(&text), "");
    let project = read_text(&text).project.expect("there is no error");
    let file = &project.destinations[0].file;
    assert_eq!((file.rows_per_file, file.dialect.header), (7, true));
    assert_eq!(file.compression, crate::file_format::Compression::Zstd);
}

#[test]
fn an_empty_text_is_two_of_the_sign_that_quotes() {
    let empty = |text: &str| {
        let project = read_text(text).project.expect("there is no error");
        project.destinations[0].file.dialect.empty.clone()
    };
    let text = FULL.replace("      empty: \"\"\n", "");
    assert_eq!(empty(&text), "''");
    assert_eq!(empty(&text.replace("      quote: \"'\"\n", "")), "\"\"");
    let bare = text.replace("quote: \"'\"", "quote: none").replace("      quoting: all\n", "");
    assert_eq!(empty(&bare), "");
    assert_eq!(empty(&text.replace("header: false", "header: false\n      empty: E")), "E");
}

#[test]
fn json_is_read_too() {
    let tree = r#"{"version": 1, "name": "a", "datasets": {"d": {"location": "d.parquet",
        "identities": {"id": "ID"}}}, "segments": {"all": {"rule": "true"}}}"#;
    assert_eq!(problems(tree), "");
    assert!(read_text(tree).project.is_some());
}

#[test]
fn structure_problems_come_all_at_once() {
    let text = "\
version: 2
nmae: acme
datasets:
  crm:
    location: 12
    identites: { id: CRMID }
    format: parket
    kind: [profile]
segments: none
accounts:
  aws:
    auth: { kind: acess-key, secret_access_key: hunter2hunter2 }
destinations:
  partner:
    account: aws
    file: { header: \"yes\", rows_per_file: 0, bytes_per_file: -1, compression: gzp }
    folder: [a]
    folder: b
activations:
  daily:
    segments:
      - segment: luxury
        schedule: { every: 25, at: 2.5 }
      - luxury
    mapping: [12, { sourc: a, mandatory: 1 }]
    <<: { x: y }
";
    insta::assert_snapshot!(problems(text), @r#"
    1:1 missing_key the key `name` is missing <>
        `name`: The project's name. Ids are derived from it, so keep it when the project moves.
    1:10 out_of_range expected 1 <2>
    2:1 unknown_key unknown key `nmae` <nmae>
        Did you mean `name`?
    4:3 no_identity a profile dataset needs an identity <crm>
        Write `identities: { id: CRMID }` with the field that identifies a person.
    5:15 wrong_type expected text, found a whole number <12>
        Put the value in quotes.
    6:5 unknown_key unknown key `identites` <identites>
        Did you mean `identities`?
    7:13 unknown_value unknown value `parket` <parket>
        Did you mean `parquet`? Known: `parquet`, `csv`, `jsonl`, `delta`, `postgres`.
    8:11 wrong_type expected one of the known words, found a list <[profile]>
        Known: `profile`, `event`.
    9:11 wrong_type expected a mapping, found text <none>
    12:19 unknown_value unknown value `acess-key` <acess-key>
        Did you mean `access-key`? Known: `access-key`, `assume-role`, `default`.
    12:30 secret_in_clear `secret_access_key` is written in the clear <secret_access_key>
        Write `secret_access_key: ${AWS_SECRET_ACCESS_KEY}` and set the variable; replace the key if the file was shared.
    14:3 missing_key the key `bucket` is missing <partner>
        `bucket`: The bucket, by its bare name.
    16:21 wrong_type expected true or false, found text <"yes">
    16:43 out_of_range expected 1 or more <0>
    16:62 out_of_range expected 1 or more <-1>
    16:79 unknown_value unknown value `gzp` <gzp>
        Did you mean `gzip`? Known: `none`, `gzip`, `zstd`, `zip`.
    17:13 wrong_type expected text, found a list <[a]>
    18:5 duplicate_key the key `folder` is written twice <folder>
        It is already on line 17; rename or remove one of the two.
    20:3 missing_key the key `destination` is missing <daily>
        `destination`: The destination.
    23:28 out_of_range expected 1 to 24 <25>
    23:36 wrong_type expected text, found a number <2.5>
        Put the value in quotes.
    24:9 wrong_type expected a mapping, found text <luxury>
    25:15 wrong_type expected text or a mapping, found a whole number <12>
        Put the value in quotes.
    25:21 unknown_key unknown key `sourc` <sourc>
        Did you mean `source`?
    25:42 wrong_type expected true or false, found a whole number <1>
    26:5 unknown_key unknown key `<<` <<<>
        Merge keys are not supported; repeat the keys.
    "#);
}

#[test]
fn what_is_no_yaml_says_where() {
    let cases = [
        "",
        "# nothing\n",
        "a: b: c\n",
        "a: [1, 2\nb: 3\n",
        "a:\n\tb: 1\n",
        "file_name: %SEGMENT_NAME%\n",
        "a: \"x\n",
        "- a\n- b\n",
        "just text\n",
        "a: 1\n---\nb: 2\n",
        "? [a]\n: 1\n",
        "a: !!binary x\n",
        "a: &x [*x]\n",
        "a: *x\n",
        "{\"a\": 1,}\n}",
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|text| {
            let first: Vec<String> = problems(text).lines().take(2).map(str::to_owned).collect();
            format!("{text:?}\n{}", first.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r##"
    ""
    1:1 empty_project the project file is empty <>
        Begin with `version: 1` and `name:`, or let `segue init` write one.
    "# nothing\n"
    1:1 empty_project the project file is empty <>
        Begin with `version: 1` and `name:`, or let `segue init` write one.
    "a: b: c\n"
    1:5 syntax this is not YAML: mapping values are not allowed in this context <:>
        Check indentation, quotes and colons here and on the line before.
    "a: [1, 2\nb: 3\n"
    2:2 syntax this is not YAML: illegal placement of ':' indicator <:>
        Check indentation, quotes and colons here and on the line before.
    "a:\n\tb: 1\n"
    2:2 syntax this is not YAML: tabs disallowed within this context (block indentation) <b>
        Indent with spaces; YAML does not allow tabs there.
    "file_name: %SEGMENT_NAME%\n"
    1:12 syntax this is not YAML: unexpected character: `%' <%>
        Put a value that begins with `%` in quotes.
    "a: \"x\n"
    1:4 syntax this is not YAML: while scanning a quoted scalar, found unexpected end of stream <">
        Check indentation, quotes and colons here and on the line before.
    "- a\n- b\n"
    1:1 wrong_type expected a mapping, found a list <- a>
    "just text\n"
    1:1 wrong_type expected a mapping, found text <just text>
    "a: 1\n---\nb: 2\n"
    2:1 second_document a second document begins here <--->
        Keep one project per file, without `---` in the middle.
    "? [a]\n: 1\n"
    1:3 key_not_text a key must be text <[>
    "a: !!binary x\n"
    1:4 unsupported_tag the tag `tag:yaml.org,2002:!binary` is not supported <!!binary x>
        Remove the tag.
    "a: &x [*x]\n"
    1:8 alias_in_itself this alias stands inside what it repeats <*x>
    "a: *x\n"
    1:4 syntax this is not YAML: while parsing node, found unknown anchor <*>
        Put a value that begins with this character in quotes.
    "{\"a\": 1,}\n}"
    2:1 syntax this is not YAML: misplaced bracket <}>
        Check indentation, quotes and colons here and on the line before.
    "##);
}

#[test]
fn limits_hold() {
    let deep = "[".repeat(5_000);
    assert!(problems(&deep).contains("too_deep"), "{}", problems(&deep));
    let wide = format!("a: [{}]", "1,".repeat(100_001));
    assert!(problems(&wide).starts_with("1:"), "{}", &problems(&wide)[..200]);
    assert!(problems(&wide).contains("file_too_large"));
    let large = "#".repeat(TEXT_BYTES_MAX + 1);
    assert!(problems(&large).contains("file_too_large"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..8 {
        let repeated = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{repeated}]\n");
    }
    assert!(problems(&bomb).contains("file_too_large"));
    let many: String = (0..5_000).map(|key| format!("k{key}: 1\n")).collect();
    assert_eq!(read_text(&many).diagnostics.len(), DIAGNOSTICS_MAX + 1);
}

#[test]
fn variables_and_secrets() {
    let secret = "secret_access_key: \"${SECRET}\"";
    let cases = [
        ("unset", change(secret, "secret_access_key: \"${SECRETS}\"")),
        ("clear", change(secret, "secret_access_key: wJalrXUtnFEMI")),
        ("half", change(secret, "secret_access_key: \"x${SECRET}\"")),
        ("default", change(secret, "secret_access_key: \"${NONE:-wJalrXUtnFEMI}\"")),
        ("token", change(secret, "secret_access_key: \"${SECRET}\", session_token: abc")),
        ("spaced", change(secret, "secret_access_key: \"${SPACED}\"")),
        ("empty", change(secret, "secret_access_key: \"${EMPTY}\"")),
        ("json", change(secret, "secret_access_key: \"${JSON}\"")),
        (
            "swapped",
            problems(
                &FULL
                    .replace("${KEY_ID}", "${ID}")
                    .replace("${SECRET}", "${KEY_ID}")
                    .replace("${ID}", "${SECRET}"),
            ),
        ),
        ("missing", change(&format!(", {secret}"), "")),
        ("unquoted", change(secret, "secret_access_key: ${SECRET}")),
        ("role", change("kind: access-key", "kind: assume-role, role_arn: x")),
        ("foreign", change("kind: access-key", "kind: access-key, profile: x")),
        ("number", change("region: eu-west-3", "region: ${SECRET}")),
    ];
    let shown: Vec<String> =
        cases.iter().map(|(name, found)| format!("{name}:\n{found}")).collect();
    insta::assert_snapshot!(shown.concat(), @r#"
    unset:
    31:79 unknown_variable the variable `SECRETS` is not set <${SECRETS}>
        Set `SECRETS` in the environment, or write `${SECRETS:-default}`.
    clear:
    31:59 secret_in_clear `secret_access_key` is written in the clear <secret_access_key>
        Write `secret_access_key: ${AWS_SECRET_ACCESS_KEY}` and set the variable; replace the key if the file was shared.
    half:
    31:59 secret_in_clear `secret_access_key` is written in the clear <secret_access_key>
        Write `secret_access_key: ${AWS_SECRET_ACCESS_KEY}` and set the variable; replace the key if the file was shared.
    default:
    31:59 secret_in_clear `secret_access_key` is written in the clear <secret_access_key>
        Write `secret_access_key: ${AWS_SECRET_ACCESS_KEY}` and set the variable; replace the key if the file was shared.
    token:
    31:91 secret_in_clear `session_token` is written in the clear <session_token>
        Write `session_token: ${AWS_SESSION_TOKEN}` and set the variable; replace the key if the file was shared.
    spaced:
    31:59 warning trimmed `secret_access_key` has spaces around it <secret_access_key>
        Spaces and line breaks around it were left out.
    empty:
    31:59 warning empty_credential `secret_access_key` is empty <secret_access_key>
        Set the variable before you deliver with this account.
    json:
    31:59 credential_form `secret_access_key` is not a credential <secret_access_key>
        Set the variable to the bare credential, without quotes, braces or line breaks.
    swapped:
    31:31 swapped_credentials `access_key_id` and `secret_access_key` look swapped <access_key_id>
        The id begins with AKIA or ASIA.
    missing:
    31:5 missing_key the key `secret_access_key` is missing <auth>
        An access key has `access_key_id` and `secret_access_key`.
    unquoted:
    31:79 syntax this is not YAML: while parsing a flow mapping, did not find expected ',' or '}' <{>
        Put `${…}` in quotes inside braces.
    role:
    31:42 role_arn_form this is not the ARN of a role <x>
        Write for example `arn:aws:iam::123456789012:role/segue`.
    foreign:
    31:31 misplaced_key `profile` does not belong to `kind: access-key` <profile>
        Remove it.
    number:
    32:13 region_form this is not the name of a region <${SECRET}>
        Write for example `eu-west-3`, or leave the key out.
    "#);
}

#[test]
fn excerpts_never_show_a_secret() {
    let written = FULL.replace("\"${SECRET}\"", "clear-secret").replace("region:", "regoin:");
    let reading = read_text(&written);
    let masked = reading.masked();
    assert!(!masked.contains("clear-secret"));
    assert!(masked.contains("secret_access_key: ************ }"));
    assert_eq!(masked.len(), written.len());
    assert!(read_text(FULL).secrets.is_empty(), "a variable is no secret");
    let misspelt = "auth: { secret_acces_key: \"gehé im\" }\nx: 1\n";
    assert_eq!(read_text(misspelt).masked(), "auth: { secret_acces_key: ********** }\nx: 1\n");
    let user = "endpoint_url: https://user:hunter2@minio.example.com\n";
    assert!(!read_text(user).masked().contains("hunter2"));
    let broken = "a: b: c\nauth: {\"secret_access_key\": \"clear\", session_token: ${X}\n";
    let masked = read_text(broken).masked();
    assert!(!masked.contains("clear"), "{masked}");
}

#[test]
fn the_schema_for_editors_is_kept() {
    let schema = serde_json::to_string_pretty(&crate::json_schema()).expect("it is JSON");
    insta::assert_snapshot!("json_schema", schema);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,200}") {
        let reading = read_text(&text);
        prop_assert!(reading.project.is_some() || !reading.diagnostics.is_empty());
    }

    /// Pieces of YAML in any order reach further than random characters.
    #[test]
    fn any_yaml_is_read_without_a_panic(pieces in proptest::collection::vec(
        prop::sample::select(vec![
            "version: 1", "name: a", "datasets:", "segments:", "activations:", "mapping:", "file:",
            "\n", "\n  ", "\n    ", "\n      - ", ": ", "{", "}", "[", "]", ",", "\"", "'", "|", ">", "&a ",
            "*a", "${A}", "${", "%", "#", "- ", "null", "12", "-", "é", "\t", "\r\n", "---", "? ",
        ]), 0..40)) {
        let _ = read_text(&pieces.concat());
    }

    /// A file that is cut or damaged anywhere gives problems with places inside of it.
    #[test]
    fn a_damaged_file_is_read_without_a_panic(at in 0..FULL.len(), cut in 0usize..40, put in ".{0,5}") {
        let mut text = FULL.to_owned();
        text.replace_range(at..(at + cut).min(FULL.len()), &put);
        for problem in read_text(&text).diagnostics {
            let span = problem.span.expect("every problem of a file has a place");
            prop_assert!(text.get(span.start..span.end).is_some());
        }
    }
}
