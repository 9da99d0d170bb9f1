use crate::usage::UsedBy;
use crate::{Reading, Severity, read};

const PROJECT: &str = "\
version: 1
name: acme
datasets:
  crm:
    location: crm.parquet
    identities: { id: CRMID, mail.address: Email }
    labels: { mail: [I1], income: [S1, C9], home.country: [G1] }
  orders:
    kind: event
    location: orders.parquet
    profile: { field: id, namespace: CRMID }
    timestamp: at
    labels: { total: [C9] }
policies:
  no-third-party: { name: Nothing personal to others, marketing_actions: [third-party, ads], labels: [C9, I1 AND S1] }
  mail-only: { marketing_actions: [post], labels: [I1] }
segments:
  rich: { rule: income > 5 }
  french: { rule: \"home.country = 'FR'\" }
  buyers: { rule: \"count('orders', total > 10) > 1 AND in_segment('french')\" }
  both: { rule: \"in_segment('rich') AND in_segment('french')\" }
accounts:
  aws: { type: amazon-s3, auth: { kind: default } }
destinations:
  partner: { account: aws, bucket: exports, marketing_actions: [third-party] }
activations:
  daily:
    destination: partner
    segments: [ { segment: SEGMENT } ]
    mapping: [ { source: id, deduplicate: true }, COLUMN ]
";

fn reading(segment: &str, column: &str) -> Reading {
    let text = PROJECT.replace("SEGMENT", segment).replace("COLUMN", column);
    read(&text, &|_| None, &|_| Err("no such file".to_owned()))
}

/// What policies forbid of an activation with a segment and a column, a line each.
fn forbidden(segment: &str, column: &str) -> String {
    let reading = reading(segment, column);
    let errors = reading.diagnostics.iter().filter(|it| it.severity == Severity::Error);
    let line = |it: &crate::Diagnostic| {
        let span = it.span.expect("it has a place");
        let (place, hint) = (&reading.text[span.start..span.end], it.hint.as_deref());
        format!("{} <{place}> {}\n  {}", it.code, it.message, hint.unwrap_or_default())
    };
    errors.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_policies_forbid_is_told_at_the_column_or_the_segment() {
    // One label of two that have to meet is not enough, nor is a policy of another action.
    assert_eq!(forbidden("french", "mail.address"), "");
    insta::assert_snapshot!(forbidden("french", "{ source: income, target: money }"), @"
    policy_violated <income> the column `money` holds `income` (C9), which policy `no-third-party` forbids for `third-party`
      Take it out, or send to another destination than `partner`, which is used for `third-party`.
    ");
    // Inside what is labelled, around it, in an expression, and by its namespace.
    for column in [
        "mail.address",
        "mail",
        "{ expression: 'lower(mail.address)', target: m }",
        "identityMap.Email",
    ] {
        let found = forbidden("rich", column);
        assert!(found.contains("`mail` (I1)"), "{column}: {found}");
    }
    // What a text, a comment or a function is called is no field.
    assert_eq!(forbidden("french", "{ expression: \"'income' || income(home)\", target: m }"), "");
}

#[test]
fn rules_count_with_the_segments_and_events_that_they_ask() {
    insta::assert_snapshot!(forbidden("both", "home.country"), @"
    policy_violated <both> the rule of segment `rich` asks `income` (C9), which policy `no-third-party` forbids for `third-party`
      Take it out, or send to another destination than `partner`, which is used for `third-party`.
    ");
    insta::assert_snapshot!(forbidden("buyers", "home.country"), @"
    policy_violated <buyers> the rule of segment `buyers` asks `total` (C9), which policy `no-third-party` forbids for `third-party`
      Take it out, or send to another destination than `partner`, which is used for `third-party`.
    ");
    assert_eq!(forbidden("french", "{ source: total, target: t }"), "", "a field of profiles");
}

#[test]
fn policies_that_hold_are_told_too() {
    let reading = reading("french", "mail.address");
    let project = reading.project.expect("nothing is forbidden");
    let verdicts = project.verdicts(&project.activations[0]);
    let [verdict] = verdicts.as_slice() else { panic!("one policy is asked: {verdicts:?}") };
    assert_eq!(verdict.policy.name, "Nothing personal to others");
    assert_eq!(verdict.actions, ["third-party"]);
    assert_eq!(verdict.policy.sets().collect::<Vec<_>>(), ["C9", "I1 AND S1"]);
    assert!(verdict.uses.is_empty());
}

#[test]
fn a_draft_tells_every_use_of_a_set() {
    let reading = reading("rich", "mail.address");
    assert!(reading.project.is_none(), "nothing runs from it");
    let project = reading.draft.expect("it can be understood").project;
    let verdicts = project.verdicts(&project.activations[0]);
    let uses = verdicts[0].uses.iter().map(|it| (it.labels.join(","), it.by));
    assert_eq!(
        uses.collect::<Vec<_>>(),
        [
            ("I1".to_owned(), UsedBy::Column { position: 1, header: "mail_address" }),
            ("S1,C9".to_owned(), UsedBy::Rule { segment: "rich" }),
        ]
    );
}
