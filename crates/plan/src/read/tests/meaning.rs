//! What each problem of meaning says: one change of the full example, and the problems it makes.

use super::{FULL, change, problems};

/// The problems of several changes of the full example, each under its name.
fn changes(cases: &[(&str, &str)]) -> String {
    let shown = cases.iter().map(|(from, to)| format!("{to}\n{}", change(from, to)));
    shown.collect()
}

#[test]
fn datasets() {
    let location = "location: data/crm/*.csv\n    delimiter: \";\"\n    types: { points: integer }";
    let identities = "identities:\n      crmId: CRMID\n      personalEmail.address: Email";
    let sign = "delimiter: \";\"";
    insta::assert_snapshot!(changes(&[
        (location, "location: data/crm/"),
        (location, "location: data/crm.parquet\n    delimiter: a"),
        (location, "location: data/crm.parquet\n    types: { a: date }"),
        (location, "location: s3://bucket/crm.parquet"),
        (location, "location: s3:///crm.parquet\n    account: asw"),
        (location, "location: https://example.com/crm.parquet"),
        (location, "location: crm.parquet\n    account: aws"),
        (location, "location: \" \"\n    format: csv"),
        (location, "location: \"a\\tb.csv\""),
        (sign, "delimiter: ab"),
        (sign, "delimiter: '\\t'"),
        (sign, "delimiter: x"),
        (sign, "delimiter: \";\"\n    quote: \";\""),
        ("points: integer", "points.total: integer"),
        ("points: integer", "points: int"),
        (identities, "identities: {}"),
        (identities, "identities: { \"a..b\": CRMID, c: \"\" }"),
        ("timestamp: modifiedAt", "timestamp: modified At"),
        ("timestamp: modifiedAt", "labels: { crmId: [I1] }"),
        ("timestamp: modifiedAt", "profile: { field: a, namespace: b }"),
        ("kind: profile", "kind: event"),
        ("profiles:", "  web: { kind: event, location: web.csv, profile: { field: id, namespace: ECID } }\nprofiles:"),
        ("merge: timestamp", "merge: newest"),
    ]), @r#"
    location: data/crm/
    8:15 missing_format the format cannot be told from the location <data/crm/>
        Add `format: parquet`, `csv`, `jsonl`, `delta` or `postgres`.
    location: data/crm.parquet
        delimiter: a
    9:5 misplaced_key `delimiter` is for csv only <delimiter>
        Remove it.
    location: data/crm.parquet
        types: { a: date }
    9:5 misplaced_key Parquet files declare their own types <types>
        Remove `types`.
    location: s3://bucket/crm.parquet
    8:15 missing_account an `s3://` location needs an account <s3://bucket/crm.parquet>
        Add `account:` with the account that may read the bucket.
    location: s3:///crm.parquet
        account: asw
    8:15 location_form the location names no bucket <s3:///crm.parquet>
        Write `s3://bucket/prefix/`.
    9:14 unknown_account there is no account `asw` <asw>
        Did you mean `aws`?
    location: https://example.com/crm.parquet
    8:15 location_form this kind of address cannot be read <https://example.com/crm.parquet>
        Locations are local paths, or begin with `s3://` or `postgres://`.
    location: crm.parquet
        account: aws
    9:14 warning unused_account the account is not used <aws>
        Only `s3://` locations are read with an account.
    location: " "
        format: csv
    8:16 location_form the location is empty < >
        Write a file, a folder, a glob, or `s3://bucket/prefix/`.
    location: "a\tb.csv"
    8:15 location_form the location holds a control character <"a\tb.csv">
        Remove it.
    delimiter: ab
    9:16 delimiter_form the delimiter is not one character <ab>
        Write exactly one ASCII character.
    delimiter: '\t'
    9:17 delimiter_form the delimiter is not one character <\t>
        Write a tab as "\t", in double quotes.
    delimiter: x
    9:16 delimiter_form this character cannot be the delimiter <x>
        Choose a sign or a tab.
    delimiter: ";"
        quote: ";"
    9:17 delimiter_conflict delimiter and quote are the same character <;>
        Choose two characters.
    points.total: integer
    10:14 declared_field types are declared for top-level fields only <points.total>
        Name the top-level field.
    points: int
    10:22 unknown_value unknown value `int` <int>
        Known: `boolean`, `integer`, `float`, `decimal`, `string`, `date`, `time`, `timestamp`.
    identities: {}
    11:5 no_identity a profile dataset needs an identity <identities>
        Write `identities: { id: CRMID }` with the field that identifies a person.
    identities: { "a..b": CRMID, c: "" }
    11:19 field_path not a field: expected a field name <"a..b">
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    11:38 name_form the name is empty <>
        Choose a short, plain name.
    70:5 warning no_identity_column no identity is mapped, so rows cannot be matched to people <mapping>
        Map one of the fields under `identities:`.
    timestamp: modified At
    14:24 field_path not a field: expected `.` or `[` < At>
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    labels: { crmId: [I1] }
    6:3 missing_timestamp `merge: timestamp` needs a `timestamp` in `crm` <crm>
        Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.
    14:22 warning unread_label no policy reads the label `I1` <[I1]>
        Name it under `policies:`; until then it is only recorded.
    profile: { field: a, namespace: b }
    6:3 missing_timestamp `merge: timestamp` needs a `timestamp` in `crm` <crm>
        Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.
    14:5 misplaced_key `profile` belongs to event datasets <profile>
        A profile dataset names its person by `identities:`.
    kind: event
    5:1 no_profile_dataset there is no profile dataset <datasets>
        Add a dataset of `kind: profile`.
    6:3 no_identity an event dataset needs `profile` <crm>
        Write `profile: { field: crmId, namespace: CRMID }`.
    11:5 misplaced_key `identities` belongs to profile datasets <identities>
        An event names its person by `profile: { field: …, namespace: … }`.
      web: { kind: event, location: web.csv, profile: { field: id, namespace: ECID } }
    profiles:
    16:75 unknown_namespace no profile dataset has identities of the namespace `ECID` <ECID>
        Known: `CRMID`, `Email`.
    merge: newest
    17:10 unknown_value unknown value `newest` <newest>
        Known: `timestamp`.
    "#);
}

#[test]
fn names_keys_and_segments() {
    let rule = "rule: points >= 1000 AND homeAddress.country = 'FR'";
    insta::assert_snapshot!(changes(&[
        ("name: acme", "name: \"\""),
        ("name: acme", "name: \" acme\""),
        ("name: acme", "name: \"a\\nb\""),
        ("lapsed:\n", "\"lapsed people\":\n"),
        ("lapsed:\n", "luxury:\n"),
        ("id: 25768be6-ebd5-45cc-8913-12fb3f348615", "id: 25768be6"),
        ("rule_file: segments/lapsed.sql", "id: 25768be6-ebd5-45cc-8913-12fb3f348615\n    rule_file: segments/lapsed.sql"),
        ("rule_file: segments/lapsed.sql", "name: Luxury Audience\n    rule_file: segments/lapsed.sql"),
        ("rule_file: segments/lapsed.sql", "rule_file: segments/laped.sql"),
        (rule, "description: nothing"),
        (rule, "rule:"),
        (rule, "rule: \"  \""),
        (rule, "rule: a\n    rule_file: segments/lapsed.sql"),
        (rule, "pql: \"  \""),
        (rule, "pql: person.age >"),
        (rule, "pql: inSegment(\"laps\")"),
        (rule, "pql: |\n      person.age > 5\n\n      and uper(x)"),
        (rule, "pql: >\n      person.age > 5\n      and uper(x)"),
        (rule, "pql_file: segments/wrong.pql"),
        (rule, "pql_file: segments/none.pql"),
        (rule, "rule: 1"),
    ]), @r#"
    name: ""
    3:8 name_form the name is empty <>
        Choose a short, plain name.
    name: " acme"
    3:8 name_form the name begins or ends with a space < acme>
        Choose a short, plain name.
    name: "a\nb"
    3:7 name_form the name holds a control character <"a\nb">
        Choose a short, plain name.
    "lapsed people":

    25:3 key_form a key is made of letters, digits, `-`, `_` and `.`, begins with a letter or a digit, and has at most 64 characters <"lapsed people">
        Shorten the key; `name:` may hold any text.
    71:18 unknown_segment there is no segment `lapsed` <lapsed>
        Known: `luxury`, `lapsed people`.
    luxury:

    25:3 duplicate_key the key `luxury` is written twice <luxury>
        It is already on line 21; rename or remove one of the two.
    71:18 unknown_segment there is no segment `lapsed` <lapsed>
        Known: `luxury`.
    id: 25768be6
    22:9 invalid_id the id is not a UUID <25768be6>
        Leave the key out, or write for example `6ce83013-fdce-5b7e-b90f-78801cff6167`.
    id: 25768be6-ebd5-45cc-8913-12fb3f348615
        rule_file: segments/lapsed.sql
    26:9 duplicate_id `luxury` and `lapsed` have the same id <25768be6-ebd5-45cc-8913-12fb3f348615>
        Give each an id of its own, or leave it out.
    name: Luxury Audience
        rule_file: segments/lapsed.sql
    26:11 warning duplicate_name `luxury` and `lapsed` have the same name <Luxury Audience>
        People cannot tell them apart.
    rule_file: segments/laped.sql
    26:16 rule_file the rule file cannot be read: no such file <segments/laped.sql>
        The path is relative to the project file.
    description: nothing
    21:3 missing_rule the segment has no rule <luxury>
        Add `rule:` with a SQL expression, or `pql:`, `rule_file:`, `pql_file:` or `import:`.
    rule:
    21:3 missing_rule the segment has no rule <luxury>
        Add `rule:` with a SQL expression, or `pql:`, `rule_file:`, `pql_file:` or `import:`.
    rule: "  "
    24:12 missing_rule the rule is empty <  >
        Write a SQL expression that is true for members.
    rule: a
        rule_file: segments/lapsed.sql
    25:5 two_rules the segment has a rule twice: `rule` and `rule_file` <rule_file>
        Keep one of the two.
    pql: "  "
    24:11 missing_rule the rule is empty <  >
        Write a condition in PQL that is true for members.
    pql: person.age >
    24:22 syntax_error expected a value, found the end <>
    pql: inSegment("laps")
    24:20 unknown_segment there is no segment `laps` <"laps">
        Name the key of a segment of the project, or give a segment the id that it has in Adobe with `id:`.
    pql: |
          person.age > 5

          and uper(x)
    27:11 unknown_function unknown function `uper` <uper>
    pql: >
          person.age > 5
          and uper(x)
    26:11 unknown_function unknown function `uper` <uper>
    pql_file: segments/wrong.pql
    24:15 unknown_function unknown function `uper` (segments/wrong.pql, line 2, column 5) <segments/wrong.pql>
    pql_file: segments/none.pql
    24:15 rule_file the rule file cannot be read: no such file <segments/none.pql>
        The path is relative to the project file.
    rule: 1
    24:11 wrong_type expected text, found a whole number <1>
        Put the value in quotes.
    "#);
}

#[test]
fn accounts() {
    let endpoint = "endpoint_url: http://127.0.0.1:9000/";
    insta::assert_snapshot!(changes(&[
        ("region: eu-west-3", "region: \"US-EAST-1 \""),
        ("region: eu-west-3", "region: ../"),
        (endpoint, "endpoint_url: http://minio.example.com"),
        (endpoint, "endpoint_url: http://169.254.169.254"),
        (endpoint, "endpoint_url: https://user:hunter2@minio.example.com"),
        (endpoint, "endpoint_url: minio.example.com"),
        ("type: amazon-s3", "type: amazon_s3"),
        ("addressing: path", "addressing: paths"),
        ("kind: access-key", "kind: default"),
    ]), @r#"
    region: "US-EAST-1 "
    32:14 warning region_form the region is read as `us-east-1` <US-EAST-1 >
        Write it in small letters without spaces.
    region: ../
    32:13 region_form this is not the name of a region <../>
        Write for example `eu-west-3`, or leave the key out.
    endpoint_url: http://minio.example.com
    33:19 plain_http what is sent would leave this machine unencrypted <http://minio.example.com>
        Use `https://`; if the network is your own, add `allow_http: true` to the account.
    endpoint_url: http://169.254.169.254
    33:19 endpoint_form no service can be at this address <http://169.254.169.254>
        Write for example `https://minio.example.com:9000`.
    endpoint_url: https://user:hunter2@minio.example.com
    33:19 endpoint_form the address holds a user <https://user:hunter2@minio.example.com>
        Put credentials into `auth:`, from variables.
    endpoint_url: minio.example.com
    33:19 endpoint_form the address has no scheme <minio.example.com>
        Write for example `https://minio.example.com:9000`.
    type: amazon_s3
    30:11 unknown_value unknown value `amazon_s3` <amazon_s3>
        Did you mean `amazon-s3`? Known: `amazon-s3`.
    addressing: paths
    34:17 unknown_value unknown value `paths` <paths>
        Did you mean `path`? Known: `auto`, `path`, `virtual`.
    kind: default
    31:28 misplaced_key `access_key_id` does not belong to `kind: default` <access_key_id>
        Remove it.
    31:56 misplaced_key `secret_access_key` does not belong to `kind: default` <secret_access_key>
        Remove it.
    "#);
}

#[test]
fn destinations() {
    let folder = "folder: exports/%SEGMENT_NAME%";
    let bucket = "account: aws\n    name: Partner drop\n    bucket: acme-audiences\n    folder: exports/%SEGMENT_NAME%\n    expected_bucket_owner: \"123456789012\"";
    insta::assert_snapshot!(changes(&[
        ("account: aws", "account: asw"),
        ("bucket: acme-audiences", "bucket: s3://acme-audiences/exports"),
        ("bucket: acme-audiences", "bucket: \"${NONE:-Acme}\""),
        (folder, "folder: /exports/"),
        (folder, "folder: \"é/%SEGMENT%/x#\""),
        (folder, "folder: exports/%DATETIME(yyyy-DD)%"),
        (folder, "folder: \"%TIMESTAMP%/%DATETIME(yyyy)%\""),
        ("\"123456789012\"", "\"12345\""),
        ("\"123456789012\"", "123456789012"),
        ("manifest: true", "encryption: { pgp: [keys/partner.asc] }"),
        ("manifest: true", "marketing_actions: [email-targeting]"),
        ("name: Partner drop", "name: Partner drop\n    id: x"),
        (bucket, "location: /srv/outbox"),
        (bucket, "location: \" \""),
        (bucket, "location: s3://acme"),
        (bucket, "location: ../outbox"),
        ("bucket: acme-audiences", "location: outbox"),
        (bucket, "location: outbox\n    encryption: { sse: AES256 }"),
    ]), @r#"
    account: asw
    38:14 unknown_account there is no account `asw` <asw>
        Did you mean `aws`?
    bucket: s3://acme-audiences/exports
    40:13 bucket_form the bucket is written as an address <s3://acme-audiences/exports>
        Write `bucket: acme-audiences` and `folder: exports`.
    bucket: "${NONE:-Acme}"
    40:13 bucket_form the name of a bucket holds a character that is not allowed <"${NONE:-Acme}">
        Use small letters, digits, `-` and `.`.
    folder: /exports/
    41:13 folder_form the folder begins with a slash </exports/>
        Write `exports`.
    folder: "é/%SEGMENT%/x#"
    41:16 unknown_macro unknown macro `%SEGMENT%` <%SEGMENT%>
        Known: `%DESTINATION_NAME%`, `%DESTINATION_ID%`, `%SEGMENT_NAME%`, `%SEGMENT_ID%`, `%ACTIVATION_NAME%`, `%ACTIVATION_ID%`, `%RUN_ID%`, `%DATETIME(pattern)%`, `%TIMESTAMP%`.
    41:27 key_character the character `#` is unsafe in a folder <#>
        Use letters, digits, and ! _ . * ' ( ) = -
    folder: exports/%DATETIME(yyyy-DD)%
    41:36 date_pattern the date pattern does not know `DD` <DD>
        Did you mean `dd`? Known are yyyy MM dd HH mm ss SSS, the signs - _ . : T Z, and 'text' in single quotes.
    folder: "%TIMESTAMP%/%DATETIME(yyyy)%"
    41:14 datetime_and_timestamp both `%DATETIME(…)%` and `%TIMESTAMP%` <%TIMESTAMP%/%DATETIME(yyyy)%>
        Keep one of the two; both tell the slot's time.
    "12345"
    42:29 bucket_owner this is not an AWS account id <12345>
        Write the twelve digits of the AWS account, in quotes.
    123456789012
    42:28 wrong_type expected text, found a whole number <123456789012>
        Put the value in quotes.
    encryption: { pgp: [keys/partner.asc] }
    60:25 pgp_key_file the key cannot be read: no such file <keys/partner.asc>
        The path is relative to the project file; the key is ASCII-armoured (`gpg --export --armor`) or in Base64.
    marketing_actions: [email-targeting]
    60:25 warning no_consent_rule no consent is asked for `email-targeting` <email-targeting>
        Add a rule under `consent: { purposes: … }`; without one the action is only recorded.
    name: Partner drop
        id: x
    40:9 invalid_id the id is not a UUID <x>
        Leave the key out, or write for example `f041bdfb-d0f2-59d2-9d74-e0588defbc52`.
    location: /srv/outbox
    location: " "
    38:16 location_form the location is empty < >
        Write the path of a folder, such as `/srv/outbox`.
    location: s3://acme
    38:15 location_form the location is an address, not a path <s3://acme>
        Write `account` and `bucket` for a service, or the path of a folder.
    location: ../outbox
    38:15 location_form the location climbs out of a folder <../outbox>
        Write the path without `..`.
    location: outbox
    38:5 misplaced_key `account` is of buckets, and this destination is a folder <account>
        Remove it, or remove `location`.
    42:5 misplaced_key `expected_bucket_owner` is of buckets, and this destination is a folder <expected_bucket_owner>
        Remove it, or remove `location`.
    location: outbox
        encryption: { sse: AES256 }
    39:19 misplaced_key `sse` is of buckets, and this destination is a folder <sse>
        Remove it; `pgp` encrypts the files themselves.
    "#);
}

#[test]
fn file_settings() {
    insta::assert_snapshot!(changes(&[
        ("format: tsv", "format: tsv\n      delimiter: \",\""),
        ("format: tsv", "format: tsv\n      extension: .csv"),
        ("format: tsv", "format: csv\n      delimiter: \"'\""),
        ("format: tsv", "format: csv\n      delimiter: \"\\\\\""),
        ("format: tsv", "format: csv\n      delimiter: \"\\n\""),
        ("format: tsv", "format: csv\n      delimiter: \"\\0\""),
        ("format: tsv", "format: csv\n      delimiter: a"),
        ("format: tsv", "format: csv\n      delimiter: \"||\""),
        ("quote: \"'\"", "quote: none"),
        ("quoting: all", "quoting: none"),
        ("null: \"NULL\"", "null: \"a\\tb\""),
        ("null: \"NULL\"", "null: \"it's\""),
        ("null: \"NULL\"", "null: \"''\""),
        ("null: \"NULL\"", "null: \"\""),
        ("null: \"NULL\"", "null: NULL"),
        ("encoding: utf-16le", "encoding: utf8"),
        ("rows_per_file: 100\n", "rows_per_file: 99999999999999999999\n"),
        ("rows_per_file: 100\n", "rows_per_file: \"${NONE:-many}\"\n"),
    ]), @r#"
    format: tsv
          delimiter: ","
    45:7 misplaced_key the delimiter of tsv is a tab <delimiter>
        Remove it, or write `format: csv`.
    format: tsv
          extension: .csv
    45:18 extension_form this is not an extension <.csv>
        Write it without a dot in front, for example `csv`.
    format: csv
          delimiter: "'"
    45:19 delimiter_conflict delimiter and quote are the same character <'>
        Choose different characters.
    format: csv
          delimiter: "\\"
    48:15 delimiter_conflict delimiter and escape are the same character <\>
        Choose different characters.
    format: csv
          delimiter: "\n"
    45:18 delimiter_form the delimiter cannot be a letter, a digit, a line end or NUL <"\n">
        Choose a sign or a tab.
    format: csv
          delimiter: "\0"
    45:18 delimiter_form the delimiter cannot be a letter, a digit, a line end or NUL <"\0">
        Choose a sign or a tab.
    format: csv
          delimiter: a
    45:18 delimiter_form the delimiter cannot be a letter, a digit, a line end or NUL <a>
        Choose a sign or a tab.
    format: csv
          delimiter: "||"
    45:19 delimiter_form the delimiter is not one character <||>
        Write exactly one ASCII character.
    quote: none
    46:16 delimiter_conflict cells are quoted without a quote <all>
        Name a quote character, or write `quoting: none`.
    47:7 warning unused_escape nothing is quoted, so nothing is escaped <escape>
        Remove it, or let cells be quoted.
    quoting: none
    47:7 warning unused_escape nothing is quoted, so nothing is escaped <escape>
        Remove it, or let cells be quoted.
    null: "a\tb"
    48:13 mark_form the text for `null` holds a control character <"a\tb">
        Choose a short word, such as `NULL`.
    null: "it's"
    48:14 mark_form the text for `null` holds the quote character <it's>
        Choose a short word, such as `NULL`.
    null: "''"
    null: ""
    48:14 warning null_equals_empty missing values and empty strings look the same <>
        Choose different texts if the reader should tell them apart.
    null: NULL
    48:7 mark_form `null` has no value <null>
        Write `null: ""` for nothing, or the text in quotes.
    49:15 warning null_equals_empty missing values and empty strings look the same <>
        Choose different texts if the reader should tell them apart.
    encoding: utf8
    52:17 unknown_value unknown value `utf8` <utf8>
        Did you mean `utf-8`? Known: `utf-8`, `utf-8-bom`, `utf-16le`, `utf-16be`, `iso-8859-1`, `windows-1252`.
    rows_per_file: 99999999999999999999

    54:22 wrong_type expected a whole number, found one that is too large <99999999999999999999>
    rows_per_file: "${NONE:-many}"

    54:22 wrong_type expected a whole number, found text <"${NONE:-many}">
    "#);
}

/// The full example with other settings of the file, and its problems.
fn file_of(settings: &str) -> String {
    let (before, rest) = FULL.split_once("      format: tsv\n").expect("the file has a format");
    let (_, after) = rest.split_once("    manifest: true").expect("a manifest follows");
    problems(&format!("{before}      {settings}\n    manifest: true{after}"))
}

#[test]
fn settings_that_a_format_does_not_have() {
    assert_eq!(file_of("format: csv\n      compression: zip"), "");
    assert_eq!(file_of("format: json\n      compression: zstd\n      nul: keep"), "");
    assert_eq!(file_of("format: parquet\n      compression: none"), "");
    let settings = "format: parquet\n      compression: zip\n      header: true\n      nul: keep";
    insta::assert_snapshot!(file_of(settings), @r"
    45:7 misplaced_key a Parquet file is compressed inside, and not once more as a whole <compression>
        Remove it: its columns are compressed with Zstandard.
    46:7 misplaced_key `header` has no meaning for `format: parquet` <header>
        Remove it, or write `format: csv`.
    47:7 misplaced_key `nul` has no meaning for `format: parquet` <nul>
        Remove it: Parquet keeps such values as they are.
    ");
    insta::assert_snapshot!(file_of("format: json\n      delimiter: \",\""), @r"
    45:7 misplaced_key `delimiter` has no meaning for `format: json` <delimiter>
        Remove it, or write `format: csv`.
    ");
    insta::assert_snapshot!(change("format: tsv", "format: json"), @r#"
    45:7 misplaced_key `quote` has no meaning for `format: json` <quote>
        Remove it, or write `format: csv`.
    46:7 misplaced_key `quoting` has no meaning for `format: json` <quoting>
        Remove it, or write `format: csv`.
    47:7 misplaced_key `escape` has no meaning for `format: json` <escape>
        Remove it, or write `format: csv`.
    48:7 misplaced_key `null` has no meaning for `format: json` <null>
        Remove it, or write `format: csv`.
    49:7 misplaced_key `empty` has no meaning for `format: json` <empty>
        Remove it, or write `format: csv`.
    50:7 misplaced_key `header` has no meaning for `format: json` <header>
        Remove it, or write `format: csv`.
    51:7 misplaced_key `line_end` has no meaning for `format: json` <line_end>
        Remove it, or write `format: csv`.
    52:7 misplaced_key `encoding` has no meaning for `format: json` <encoding>
        Remove it, or write `format: csv`.
    57:7 misplaced_key `formula_guard` has no meaning for `format: json` <formula_guard>
        Remove it, or write `format: csv`.
    "#);
}

#[test]
fn increments() {
    let increment = |more: &[(&str, &str)]| {
        let mut text = FULL.replace("export: full", "export: incremental");
        for (from, to) in more {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        problems(&text)
    };
    let status = "      - { source: segmentMembership.status, target: status }\n";
    let name = "%DESTINATION_NAME%_%DATETIME(yyyyMMdd)%";
    insta::assert_snapshot!([
        increment(&[]),
        increment(&[("leavers: auto", "leavers: always"), (status, "")]),
        increment(&[(name, "%SEGMENT_NAME%")]),
        increment(&[("frequency: daily", "frequency: once"), (", end: 2026-01-11", "")]),
        increment(&[("formula_guard: prefix", "formula_guard: reject")]),
    ]
    .join("--\n"), @"
    --
    68:18 unmarked_leavers nothing in the file would tell those who left from members <always>
        Map `segmentMembership.status` or `segmentMembership.operation`.
    --
    70:21 warning static_increment the name holds no time: each increment replaces the one before <%SEGMENT_NAME%>
        Add `%DATETIME(yyyyMMdd_HHmmss)%`, so that a reader who is late loses nothing.
    --
    67:17 increment_once a run that happens once has nothing to compare with <incremental>
        Choose another `frequency`, or `export: full`.
    --
    67:17 increment_with_reject rows that `formula_guard: reject` leaves out would be taken for sent <incremental>
        Choose `formula_guard: prefix` or `off`, or `export: full`.
    ");
}

#[test]
fn activations() {
    let name = "file_name: \"%DESTINATION_NAME%_%DATETIME(yyyyMMdd)%\"";
    let first = "- person.name.firstName";
    let guard = "guard: { max_shrink: 50%, max_growth: 200%, min_rows: 1, max_rows: 10 }";
    insta::assert_snapshot!(changes(&[
        ("destination: partner", "destination: partners"),
        ("- segment: luxury", "- segment: luxary"),
        ("- segment: lapsed", "- segment: luxury"),
        ("leavers: auto", "leavers: always"),
        (name, "file_name: \"%SEGMENT_NAME%\""),
        (name, "file_name: \"../%SEGMENT%\""),
        (name, "file_name: \"{{segment}}_%RUN_ID\""),
        (name, "file_name: \"%DATETIME(yyyyMM)%\""),
        (first, "- person name"),
        (first, "- identityMap.Emial"),
        (first, "- identityMap.Email[0]"),
        (first, "- { source: identityMap.Email, mandatory: false }"),
        (first, "- identityMap.Email\n      - identityMap.CRMID"),
        (first, "- segmentMembership.stauts"),
        (first, "- segmentMembership.ups.abc.status"),
        (first, "- { target: x }"),
        (first, "- { source: a, expression: b, target: x }"),
        (first, "- { expression: upper(a) }"),
        (first, "- { expression: \" \", target: x }"),
        (first, "- { source: a, target: \"\" }"),
        (first, "- { source: a, target: \"a\\nb\" }"),
        (first, "- { source: a, target: \"=a\" }"),
        (first, "- { source: a, target: status }"),
        (first, "- { source: a, target: Status }"),
        ("target: status }", "target: status, deduplicate: true }"),
        ("mandatory: true, deduplicate: true", "mandatory: true"),
        ("personalEmail.address, target", "email, target"),
        (guard, "guard: { max_shrink: 50 }"),
        (guard, "guard: { max_shrink: half, max_growth: 1.5.2% }"),
        (guard, "guard: { max_shrink: 150%, min_rows: 5, max_rows: 4 }"),
    ]), @r#"
    destination: partners
    64:18 unknown_destination there is no destination `partners` <partners>
        Did you mean `partner`?
    - segment: luxary
    66:18 unknown_segment there is no segment `luxary` <luxary>
        Did you mean `luxury`?
    - segment: luxury
    71:18 duplicate_segment the segment `luxury` is sent twice by this activation <luxury>
        Keep one of the two, or make another activation.
    leavers: always
    68:18 leavers_in_full a full export holds members only <always>
        Choose `export: incremental` or `changes`, or remove `leavers`.
    file_name: "%SEGMENT_NAME%"
    70:21 warning static_name the name holds no time: each run replaces the file of the last <%SEGMENT_NAME%>
        Add `%DATETIME(yyyyMMdd_HHmmss)%` to keep every file.
    file_name: "../%SEGMENT%"
    70:23 file_name_slash a slash in a file name </>
        Put folders into `folder:` of the destination.
    70:24 unknown_macro unknown macro `%SEGMENT%` <%SEGMENT%>
        Known: `%DESTINATION_NAME%`, `%DESTINATION_ID%`, `%SEGMENT_NAME%`, `%SEGMENT_ID%`, `%ACTIVATION_NAME%`, `%ACTIVATION_ID%`, `%RUN_ID%`, `%DATETIME(pattern)%`, `%TIMESTAMP%`.
    file_name: "{{segment}}_%RUN_ID"
    70:21 unknown_macro macros are not written in braces <{>
        Write macros between percent signs: `%SEGMENT_NAME%`.
    70:22 unknown_macro macros are not written in braces <{>
        Write macros between percent signs: `%SEGMENT_NAME%`.
    70:30 unknown_macro macros are not written in braces <}>
        Write macros between percent signs: `%SEGMENT_NAME%`.
    70:31 unknown_macro macros are not written in braces <}>
        Write macros between percent signs: `%SEGMENT_NAME%`.
    70:33 unclosed_macro a macro has no closing `%` <%RUN_ID>
        Put `%` behind the macro's name; a plain percent sign is not possible in a name.
    file_name: "%DATETIME(yyyyMM)%"
    66:18 name_repeats the slots 2026-01-04T01:00:00Z and 2026-01-05T01:00:00Z would have the same file name <luxury>
        Put more of the time into the name: `%DATETIME(yyyyMMdd_HHmmss)%`.
    - person name
    73:15 field_path not a field: expected `.` or `[` < name>
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    - identityMap.Emial
    73:9 unknown_namespace no profile dataset has the namespace `Emial` <identityMap.Emial>
        Did you mean `identityMap.Email`?
    - identityMap.Email[0]
    73:9 identity_form `identityMap` is followed by a namespace <identityMap.Email[0]>
        Write `identityMap.Email` or `identityMap['Web id']`.
    - { source: identityMap.Email, mandatory: false }
    73:19 identity_column a column of identities is always mandatory and part of the key <identityMap.Email>
        Remove `mandatory` and `deduplicate`.
    - identityMap.Email
          - identityMap.CRMID
    74:9 several_namespaces a mapping has a row for each identity of one namespace, here `Email`; this is another <identityMap.CRMID>
        Map the field that holds the identity, or make another activation.
    - segmentMembership.stauts
    73:9 unknown_field there is no field `segmentMembership.stauts` <segmentMembership.stauts>
        Did you mean `segmentMembership.status`? It is that of the segment being sent.
    - segmentMembership.ups.abc.status
    73:9 unknown_field there is no field `segmentMembership.ups.abc.status` <segmentMembership.ups.abc.status>
        Did you mean `segmentMembership.status`? It is that of the segment being sent.
    - { target: x }
    73:9 missing_source a column has no source <>
        Add `source:` with a field, or `expression:`.
    - { source: a, expression: b, target: x }
    73:22 two_sources a column has both `source` and `expression` <expression>
        Keep one of the two.
    - { expression: upper(a) }
    73:23 missing_target an expression needs a target <upper(a)>
        Add `target:` with the header.
    - { expression: " ", target: x }
    73:24 missing_source the expression is empty < >
        Write a SQL expression over the fields of the profile.
    - { source: a, target: "" }
    73:31 header_form the header is empty <>
        Name the column.
    - { source: a, target: "a\nb" }
    73:30 header_form the header holds a control character <"a\nb">
        Remove line breaks and other control characters.
    - { source: a, target: "=a" }
    73:31 warning header_formula a spreadsheet would take the header for a formula <=a>
        Begin it with a letter.
    - { source: a, target: status }
    75:53 duplicate_header two columns have the header `status` <status>
        Give one of them a `target:`.
    - { source: a, target: Status }
    75:53 header_case the headers `Status` and `status` differ in case only <status>
        Many readers take them for the same column, Parquet's among them: give one of them another `target:`.
    target: status, deduplicate: true }
    75:61 deduplicate_membership membership cannot be a deduplication key <deduplicate>
        Every member has the same status; deduplicate by an identity.
    mandatory: true
    72:5 warning no_deduplication no deduplication key: people with several profiles are sent several times <mapping>
        Mark the identifying column with `deduplicate: true`.
    email, target
    72:5 warning no_identity_column no identity is mapped, so rows cannot be matched to people <mapping>
        Map one of the fields under `identities:`.
    guard: { max_shrink: 50 }
    78:26 wrong_type expected text, found a whole number <50>
        Put the value in quotes.
    guard: { max_shrink: half, max_growth: 1.5.2% }
    78:26 percent_form this is not a percentage <half>
        Write a number with a percent sign: `50%`.
    78:44 percent_form this is not a percentage <1.5.2%>
        Write a number with a percent sign: `50%`.
    guard: { max_shrink: 150%, min_rows: 5, max_rows: 4 }
    78:26 percent_form a segment cannot lose more than all of its members <150%>
        Write 100% or less.
    78:55 guard_conflict no number of rows passes: `max_rows` is less than `min_rows` <4>
        Swap or change them.
    "#);
}

#[test]
fn schedules() {
    let schedule = "schedule: { frequency: daily, at: \"02:00\", zone: Europe/Paris, start: 2026-01-04, end: 2026-01-11, trigger: scheduled }";
    let with = |text: &'static str| (schedule, text);
    insta::assert_snapshot!(changes(&[
        with("schedule: { frequency: daily, at: \"2:00\" }"),
        with("schedule: { frequency: daily, at: \"24:00\" }"),
        with("schedule: { frequency: daily, zone: Europe/Pariss }"),
        with("schedule: { frequency: daily, zone: Pariss }"),
        with("schedule: { frequency: daily, zone: Mars/Phobos }"),
        with("schedule: { frequency: daily, start: 4.1.2026, end: 2026-02-30 }"),
        with("schedule: { frequency: daily, start: 2026-01-04, end: 2026-01-03 }"),
        with("schedule: { frequency: daily, every: 6 }"),
        with("schedule: { frequency: daily, cron: \"0 2 * * *\" }"),
        with("schedule: { frequency: daily, trigger: after-evaluation }"),
        with("schedule: { trigger: after-evaluation, start: 2026-01-04, end: 2026-01-11, overlap: skip }"),
        with("schedule: { frequency: weekly, at: \"02:00\", zone: UTC, trigger: after-evaluation }"),
        with("schedule: { at: \"02:00\" }"),
        with("schedule: { frequency: once }"),
        with("schedule: { frequency: once, start: 2026-01-04, end: 2026-01-05 }"),
        with("schedule: { frequency: hourly, every: 6 }"),
        with("schedule: { frequency: cron }"),
        with("schedule: { frequency: cron, cron: \"0 2 * * *\", at: \"02:00\" }"),
        with("schedule: { frequency: cron, cron: \"0 0 31 2 *\" }"),
        with("schedule: { frequency: cron, cron: \"* * * * * *\" }"),
        with("schedule: { frequency: cron, cron: \"60 * * * *\" }"),
        with("schedule: { frequency: cron, cron: \"@reboot\" }"),
        with("schedule: { frequency: cron, cron: \"0 2 13 * fri\" }"),
        with("schedule: { frequency: cron, cron: \"0 2 29 2 *\", start: 2026-01-01, end: 2026-12-31 }"),
        with("schedule: { frequency: dayly }"),
    ]), @r#"
    schedule: { frequency: daily, at: "2:00" }
    69:44 time_form this is not a time of day <2:00>
        Write hours and minutes: `"02:00"`.
    schedule: { frequency: daily, at: "24:00" }
    69:44 time_form this is not a time of day <24:00>
        Write hours and minutes: `"02:00"`.
    schedule: { frequency: daily, zone: Europe/Pariss }
    69:45 unknown_zone there is no time zone `Europe/Pariss` <Europe/Pariss>
        Did you mean `Europe/Paris`?
    schedule: { frequency: daily, zone: Pariss }
    69:45 unknown_zone there is no time zone `Pariss` <Pariss>
        Did you mean `Europe/Paris`?
    schedule: { frequency: daily, zone: Mars/Phobos }
    69:45 unknown_zone there is no time zone `Mars/Phobos` <Mars/Phobos>
        Write an IANA name, such as `Europe/Paris`.
    schedule: { frequency: daily, start: 4.1.2026, end: 2026-02-30 }
    69:46 date_form this is not a date <4.1.2026>
        Write year, month and day: `2026-01-31`.
    69:61 date_form this is not a date <2026-02-30>
        Write year, month and day: `2026-01-31`.
    schedule: { frequency: daily, start: 2026-01-04, end: 2026-01-03 }
    69:63 end_before_start the end is before the start <2026-01-03>
        The end day is included; it may be the start day.
    schedule: { frequency: daily, every: 6 }
    69:39 misplaced_key `every` does not belong to this frequency <every>
        Only `frequency: hourly` has it.
    schedule: { frequency: daily, cron: "0 2 * * *" }
    69:39 misplaced_key `cron` does not belong to this frequency <cron>
        Only `frequency: cron` has it.
    schedule: { frequency: daily, trigger: after-evaluation }
    schedule: { trigger: after-evaluation, start: 2026-01-04, end: 2026-01-11, overlap: skip }
    schedule: { frequency: weekly, at: "02:00", zone: UTC, trigger: after-evaluation }
    69:21 misplaced_key `frequency` says nothing with `trigger: after-evaluation` <frequency>
        Remove it; `schedule` of `membership:` says when segments are evaluated.
    69:40 misplaced_key `at` says nothing with `trigger: after-evaluation` <at>
        Remove it; `schedule` of `membership:` says when segments are evaluated.
    69:53 misplaced_key `zone` says nothing with `trigger: after-evaluation` <zone>
        Remove it; `schedule` of `membership:` says when segments are evaluated.
    schedule: { at: "02:00" }
    69:9 missing_key the schedule does not say how often <schedule>
        Add for example `frequency: daily`.
    schedule: { frequency: once }
    69:9 missing_key `frequency: once` needs a start day <schedule>
        Add `start:` with the day.
    schedule: { frequency: once, start: 2026-01-04, end: 2026-01-05 }
    69:57 misplaced_key `end` does not belong to `frequency: once` <end>
        Remove it.
    schedule: { frequency: hourly, every: 6 }
    66:18 name_repeats the slots 2026-01-01T06:00:00Z and 2026-01-01T12:00:00Z would have the same file name <luxury>
        Put more of the time into the name: `%DATETIME(yyyyMMdd_HHmmss)%`.
    schedule: { frequency: cron }
    69:9 missing_key `frequency: cron` needs an expression <schedule>
        Add for example `cron: "0 2 * * mon-fri"`.
    schedule: { frequency: cron, cron: "0 2 * * *", at: "02:00" }
    69:57 misplaced_key `at` does not belong to this frequency <at>
        The cron expression says the time.
    schedule: { frequency: cron, cron: "0 0 31 2 *" }
    69:45 never_due the cron expression never fires <0 0 31 2 *>
        No month has such a day.
    schedule: { frequency: cron, cron: "* * * * * *" }
    69:45 cron_form a cron expression has five fields, this has 6 fields <* * * * * *>
        Write minute, hour, day of month, month and day of week: `0 2 * * *`.
    schedule: { frequency: cron, cron: "60 * * * *" }
    69:45 cron_form `60` is no minute (0 to 59) <60 * * * *>
        Write minute, hour, day of month, month and day of week: `0 2 * * *`.
    schedule: { frequency: cron, cron: "@reboot" }
    69:45 cron_form a cron expression has five fields, this has 1 field <@reboot>
        Write minute, hour, day of month, month and day of week: `0 2 * * *`.
    schedule: { frequency: cron, cron: "0 2 13 * fri" }
    69:45 warning cron_days day of month and day of week are both given: either is enough <0 2 13 * fri>
        Put `+` before the day of week if both must match.
    schedule: { frequency: cron, cron: "0 2 29 2 *", start: 2026-01-01, end: 2026-12-31 }
    69:82 never_due nothing is due until the end <2026-12-31>
        Move the end, or change the frequency.
    schedule: { frequency: dayly }
    69:32 unknown_value unknown value `dayly` <dayly>
        Did you mean `daily`? Known: `once`, `hourly`, `daily`, `weekly`, `monthly`, `cron`.
    "#);
}

#[test]
fn single_columns_need_a_text_for_missing_values() {
    let mapping = FULL.find("    mapping:").expect("it is there");
    let with = |null: &str, columns: &str| {
        let text = format!("{}    mapping:\n{columns}", &FULL[..mapping]);
        problems(&text.replace("null: \"NULL\"", null))
    };
    let email = "      - { source: personalEmail.address, deduplicate: true";
    insta::assert_snapshot!(with("null: \"\"", &format!("{email} }}\n")), @r#"
    48:14 warning null_equals_empty missing values and empty strings look the same <>
        Choose different texts if the reader should tell them apart.
    73:19 ambiguous_null_single_column in a file of one column, a missing value would be an empty line <personalEmail.address>
        Make the column mandatory, or choose a text for `null` in `file:` of the destination.
    "#);
    assert_eq!(with("null: \"\\\\N\"", &format!("{email} }}\n")), "");
    assert!(!with("null: \"\"", &format!("{email}, mandatory: true }}\n")).contains("ambiguous"));
    insta::assert_snapshot!(change(&FULL[mapping..], "    mapping: []\n"), @r#"
    72:5 no_columns the mapping has no columns <mapping>
        Map at least one field.
    "#);
    let many: String = (0..4_097).map(|n| format!("      - f{n}\n")).collect();
    insta::assert_snapshot!(with("null: x", &many), @r#"
    72:5 too_many_columns the mapping has more than 4096 columns <mapping>
        Send fewer columns.
    "#);
}

#[test]
fn names_that_meet_are_refused() {
    let two = |one: &str, other: &str| {
        let luxury = "file_name: \"%DESTINATION_NAME%_%DATETIME(yyyyMMdd)%\"";
        let text = FULL.replace(luxury, &format!("file_name: \"{one}\""));
        let text = text.replace(
            "- segment: lapsed",
            &format!("- {{ segment: lapsed, file_name: \"{other}\" }}"),
        );
        let found = problems(&text.replace("folder: exports/%SEGMENT_NAME%", "folder: exports"));
        format!(
            "{one} {other}\n{}",
            found.replace(
                "    Put `%SEGMENT_ID%` or `%ACTIVATION_NAME%` into the file name or the folder.\n",
                ""
            )
        )
    };
    let long = "x".repeat(232);
    insta::assert_snapshot!([
        two("%DATETIME(yyyyMMdd)%", "%DATETIME(yyyyMMdd)%"),
        two("a_%TIMESTAMP%", "A_%TIMESTAMP%"),
        two("a_%TIMESTAMP%", "a_%TIMESTAMP%_2"),
        two("a_%TIMESTAMP%", "a_%TIMESTAMP%_02"),
        two("a_%TIMESTAMP%", "a_%TIMESTAMP%_1"),
        two("e\u{301}_%TIMESTAMP%", "é_%TIMESTAMP%"),
        two("%RUN_ID%", "%RUN_ID%"),
        two(&format!("{long}_%TIMESTAMP%"), "b_%TIMESTAMP%"),
    ].concat().replace(&long, "…"), @r#"
    %DATETIME(yyyyMMdd)% %DATETIME(yyyyMMdd)%
    71:20 same_key `luxury` of `partner-daily` and `lapsed` of `partner-daily` would write the same object `exports/%DATETIME(yyyyMMdd)%.txt.gz` <lapsed>
    a_%TIMESTAMP% A_%TIMESTAMP%
    71:20 warning key_case the objects of `luxury` of `partner-daily` and `lapsed` of `partner-daily` differ in case only: `exports/A_%TIMESTAMP%.txt.gz` <lapsed>
    a_%TIMESTAMP% a_%TIMESTAMP%_2
    71:20 same_key a further file of `luxury` of `partner-daily` would write the object `exports/a_%TIMESTAMP%_2.txt.gz` of `lapsed` of `partner-daily` <lapsed>
    a_%TIMESTAMP% a_%TIMESTAMP%_02
    a_%TIMESTAMP% a_%TIMESTAMP%_1
    é_%TIMESTAMP% é_%TIMESTAMP%
    71:20 same_key `luxury` of `partner-daily` and `lapsed` of `partner-daily` would write the same object `exports/é_%TIMESTAMP%.txt.gz` <lapsed>
    %RUN_ID% %RUN_ID%
    …_%TIMESTAMP% b_%TIMESTAMP%
    66:18 file_name_too_long the file name has 256 characters, more than 255 <luxury>
        Shorten `file_name` or the names in it; a number for further files is counted.
    "#);
    let folder = format!("folder: {}", "é".repeat(513));
    insta::assert_snapshot!(change("folder: exports/%SEGMENT_NAME%", &folder).replace(&"é".repeat(513), "…"), @r#"
    66:18 key_too_long the object key has 1114 bytes, more than 1024 <luxury>
        Shorten the folder or the file name.
    71:18 key_too_long the object key has 1114 bytes, more than 1024 <lapsed>
        Shorten the folder or the file name.
    "#);
}

#[test]
fn headers_fit_the_encoding() {
    let text = FULL
        .replace("header: false", "header: true")
        .replace("encoding: utf-16le", "encoding: windows-1252")
        .replace("target: country", "target: 東京")
        .replace("target: email", "target: prix €");
    insta::assert_snapshot!(problems(&text), @r#"
    77:23 unencodable_header the header `東京` holds U+6771, which the encoding of the file does not have <upper(homeAddress.country)>
        Choose another header, or `encoding: utf-8`.
    "#);
}
