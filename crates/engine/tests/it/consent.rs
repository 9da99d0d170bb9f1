//! Who may be sent.

use plan::consent::{Consent, OptOut, Purpose};
use plan::field::FieldPath;
use plan::project::{Rule, RuleOrigin};

use crate::support::{CSV, Case, SPAN};

const PEOPLE: &str = "id,email,out,mail\n1,a@x,,true\n2,a@x,yes,true\n3,b@x,no,false\n4,,,true\n5,c@x,pending,\n6,d@x,0,\n";

fn case(opt_out: Option<&str>, purposes: &[&str]) -> Case {
    let mut case = Case::new(CSV).text("a.csv", PEOPLE).rule("id < 6").columns(&["id", "!#email"]);
    let purpose = |rule: &&str| Purpose {
        action: "email-targeting".to_owned(),
        rule: Rule {
            text: (*rule).to_owned(),
            origin: RuleOrigin::Project { span: SPAN, spans_text: true },
        },
    };
    let field = |path| FieldPath::parse(path).expect("a path");
    case.query.consent = Consent {
        opt_out: opt_out.map(|path| OptOut { field: field(path), span: Some(SPAN) }),
        purposes: purposes.iter().map(purpose).collect(),
    };
    case
}

fn counts(excluded: &[(&str, u64)]) -> Vec<(String, u64)> {
    excluded.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
}

#[tokio::test]
async fn who_opted_out_is_not_sent_and_wins_over_nobody() {
    let (rows, found) = case(Some("out"), &[]).run().await.expect("a run");
    assert_eq!(rows, ["1|a@x", "3|b@x"]);
    assert_eq!(found.received, 5);
    let excluded = [("consent", 2), ("missing:email", 1), ("duplicate", 0)];
    assert_eq!(found.excluded, counts(&excluded));
}

#[tokio::test]
async fn a_purpose_needs_a_clear_yes() {
    let (rows, found) = case(None, &["mail"]).run().await.expect("a run");
    assert_eq!(rows, ["1|a@x"]);
    let excluded = [("consent", 2), ("missing:email", 1), ("duplicate", 1)];
    assert_eq!(found.excluded, counts(&excluded));
    assert_eq!(case(Some("out"), &["mail OR id = 3", "id > 1"]).rows().await, ["3|b@x"]);
}

#[tokio::test]
async fn the_default_field_need_not_be_there() {
    let mut case = case(None, &[]);
    case.query.consent.opt_out = Some(OptOut::default());
    let (rows, found) = case.run().await.expect("a run");
    assert_eq!(rows, ["1|a@x", "3|b@x", "5|c@x"]);
    assert!(found.excluded.iter().all(|(reason, _)| reason != "consent"));
    let nested = Case::new(plan::project::DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"id\":1,\"privacy\":{\"optOut\":true}}\n{\"id\":2,\"privacy\":null}\n")
        .columns(&["id"]);
    let mut nested = nested;
    nested.query.consent.opt_out = Some(OptOut::default());
    assert_eq!(nested.rows().await, ["2"]);
}

#[tokio::test]
async fn what_tells_no_consent_is_refused() {
    insta::assert_snapshot!(case(Some("nobody"), &[]).error().await, @"unknown_field: the dataset has no field `nobody` (field `consent`)");
    insta::assert_snapshot!(case(None, &["id / (id - 3) > 1"]).error().await, @"
    expression_error: a division by zero (FOLDER/a.csv, row 3, field `consent to email-targeting`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    ");
    let mut list = Case::new(plan::project::DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"id\":1,\"privacy\":{\"optOut\":[1]}}\n")
        .columns(&["id"]);
    list.query.consent.opt_out = Some(OptOut::default());
    insta::assert_snapshot!(list.error().await, @"
    opt_out_type: `privacy.optOut` is of type list and does not tell who opted out (field `consent`)
      Name a field under `consent: { opt_out: … }` that is a boolean, a text or a whole number.
    ");
}
