use super::*;

const HEAD: &str = "version: 1
name: acme
datasets:
  crm: { location: crm.parquet, identities: { id: CRMID } }
segments:
";

fn segments(rules: &[(&str, &str)]) -> String {
    let segments: String =
        rules.iter().map(|(key, rule)| format!("  {key}:\n    rule: \"{rule}\"\n")).collect();
    format!("{HEAD}{segments}")
}

#[test]
fn segments_that_are_named_are_there() {
    let text = segments(&[
        ("rich", "points > 9"),
        ("vip", "in_segment('rihc') and not IN_SEGMENT ( 'rich' )"),
        ("old", "age > 60 or in_segment('a0000000-0000-4000-8000-000000000000')"),
    ]);
    insta::assert_snapshot!(problems(&text), @"
    9:23 unknown_segment there is no segment `rihc` <'rihc'>
        Did you mean `rich`?
    11:35 unknown_segment there is no segment `a0000000-0000-4000-8000-000000000000` <'a0000000-0000-4000-8000-000000000000'>
        Name a segment of the project by its key, id or name; if it was deleted, take the condition out.
    ");
}

#[test]
fn a_segment_is_named_by_key_id_or_name() {
    let text = format!(
        "{HEAD}  rich: {{ id: a0000000-0000-4000-8000-000000000000, name: Rich people, rule: points > 9 }}
  a: {{ rule: in_segment('rich') }}
  b: {{ rule: in_segment('A0000000-0000-4000-8000-000000000000') }}
  c: {{ rule: in_segment('Rich people') and in_segment('a') }}
  d: {{ name: Twins, rule: a > 1 }}
  e: {{ name: Twins, rule: in_segment('Twins') }}
"
    );
    insta::assert_snapshot!(problems(&text), @"
    11:14 warning duplicate_name `d` and `e` have the same name <Twins>
        People cannot tell them apart.
    11:38 unknown_segment several segments are called `Twins` <'Twins'>
        Name one by its key.
    ");
    let text = text.replace("in_segment('Twins')", "a > 2");
    let project = read_text(&text).project.expect("there is no error");
    let rest_on = |key: &str| {
        let segment = project.segment(key).expect("it is there");
        let query = project.members(segment, jiff::Timestamp::UNIX_EPOCH);
        query.segments.into_iter().map(|segment| segment.key).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(["rich", "a", "b", "c"].map(rest_on), ["", "rich", "rich", "rich a"]);
}

#[test]
fn circles_are_named_with_their_places() {
    let text = segments(&[
        ("a", "x > 1 and in_segment('b')"),
        ("b", "in_segment('c') or in_segment('d')"),
        ("c", "in_segment('a')"),
        ("d", "in_segment('d')"),
        ("e", "in_segment('a')"),
    ]);
    insta::assert_snapshot!(problems(&text), @"
    7:33 segment_circle segments rest on each other in a circle: `a` → `b` → `c` → `a` (`a` on line 7, `b` on line 9, `c` on line 11) <'b'>
        Take one of the conditions out.
    13:23 segment_circle the segment `d` rests on itself <'d'>
        Take one of the conditions out.
    ");
}

#[test]
fn rules_in_pql_and_in_files_name_segments_too() {
    let text = format!(
        "{HEAD}  a: {{ pql: 'inSegment(\"b\")' }}
  b:
    rule: |
      x > 1
      and in_segment('a')
"
    );
    insta::assert_snapshot!(problems(&text), @r#"
    6:14 segment_circle segments rest on each other in a circle: `a` → `b` → `a` (`a` on line 6, `b` on line 10) <inSegment("b")>
        Take one of the conditions out.
    "#);
    let text = segments(&[("a", "x > 1")]) + "  b: { rule_file: segments/others.sql }\n";
    let files = |_: &str| Ok("x > 1\n  and in_segment('c')".to_owned());
    let reading = read(&text, &variable, &files);
    insta::assert_snapshot!(reading.diagnostics[0].message, @"there is no segment `c` (segments/others.sql, line 2, column 18)");
}

#[test]
fn imported_segments_name_a_file_and_a_namespace() {
    let import = |import: &str| problems(&format!("{HEAD}  news: {import}\n"));
    assert_eq!(import("{ import: { location: ids.csv, field: mail, namespace: CRMID } }"), "");
    insta::assert_snapshot!(import("{ import: { location: ids.csv, field: 'a..b', namespace: CRM-ID } }"), @"
    6:50 field_path not a field: expected a field name <.b>
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    6:66 unknown_namespace no profile has an identity of the namespace `CRM-ID` <CRM-ID>
        Did you mean `CRMID`?
    ");
    insta::assert_snapshot!(import("{ import: { location: ids.xlsx, field: mail } }"), @"
    6:11 missing_key the key `namespace` is missing <import>
        `namespace`: The namespace of the identity, one of those of the profile datasets.
    6:31 missing_format the format cannot be told from the location <ids.xlsx>
        Add `format: parquet`, `csv`, `jsonl`, `delta` or `postgres`.
    ");
    insta::assert_snapshot!(import("{ rule: a > 1, import: { location: ids.csv, field: mail, namespace: CRMID } }"), @"
    6:24 two_rules the segment has a rule twice: `rule` and `import` <import>
        Keep one of the two.
    ");
    let text = format!(
        "{HEAD}  news: {{ import: {{ location: 's3://b/ids/', format: jsonl, field: who.id, namespace: CRMID }} }}
  both: {{ rule: in_segment('news') and in_segment('both') }}
"
    );
    insta::assert_snapshot!(problems(&text), @"
    6:32 missing_account an `s3://` location needs an account <s3://b/ids/>
        Add `account:` with the account that may read the bucket.
    7:51 segment_circle the segment `both` rests on itself <'both'>
        Take one of the conditions out.
    ");
}

#[test]
fn consent_is_asked_for_marketing_actions() {
    let consent = |consent: &str| {
        problems(&FULL.replace("segments:\n  luxury", &format!("{consent}segments:\n  luxury")))
    };
    assert_eq!(
        consent("consent: { opt_out: a.b, purposes: { mail: in_segment('luxury') } }\n"),
        ""
    );
    insta::assert_snapshot!(consent("consent: { opt_out: 'a..b', purposes: { mail: ' ', ads: in_segment('luxary') } }\n"), @"
    20:24 field_path not a field: expected a field name <.b>
        Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.
    20:48 missing_rule the rule is empty < >
        Write a SQL expression that is true for those who consent.
    20:68 unknown_segment there is no segment `luxary` <'luxary'>
        Did you mean `luxury`?
    ");
    insta::assert_snapshot!(consent("consent: { optout: a }\nmembership: { exits_kept_days: 99999 }\n"), @"
    20:12 unknown_key unknown key `optout` <optout>
        Did you mean `opt_out`?
    21:32 out_of_range expected 0 to 3650 <99999>
    ");
    insta::assert_snapshot!(consent("who_got: { kept_days: 0 }\n"), @"20:23 out_of_range expected 1 to 3650 <0>");
    let kept = |text: &str| read_text(text).project.expect("there is no error").who_got.kept_days;
    assert_eq!(kept(FULL), 400);
    assert_eq!(
        kept(
            &FULL.replace("segments:\n  luxury", "who_got: { kept_days: 30 }\nsegments:\n  luxury")
        ),
        30
    );
    let text = FULL
        .replace("manifest: true", "manifest: true\n    marketing_actions: [mail, adds]")
        .replace(
            "segments:\n  luxury",
            "consent: { purposes: { mail: a, ads: b } }\nsegments:\n  luxury",
        );
    insta::assert_snapshot!(problems(&text), @"
    62:31 warning no_consent_rule no consent is asked for `adds` <adds>
        Add a rule under `consent: { purposes: … }`, or name one of them: `mail`, `ads`.
    ");
    let project = read_text(&text).project.expect("there is no error");
    let plan = project.run_plan("partner-daily", "luxury", jiff::Timestamp::UNIX_EPOCH);
    let consent = plan.expect("a plan").query.consent;
    let actions: Vec<&str> = consent.purposes.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(actions, ["mail"]);
    let opt_out = consent.opt_out.expect("the default");
    assert_eq!((opt_out.field.to_string().as_str(), opt_out.span), ("privacy.optOut", None));
}
