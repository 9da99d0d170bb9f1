//! Segments that rest on other segments.

use plan::project::{Rule, RuleOrigin, Segment};

use crate::support::{CSV, Case, SPAN};

fn segment(key: &str, rule: &str) -> Segment {
    let rule = Rule {
        text: rule.to_owned(),
        origin: RuleOrigin::Project { span: SPAN, spans_text: true },
    };
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, key.as_bytes());
    Segment { key: key.to_owned(), id, name: format!("The {key}"), rule, import: None }
}

fn case(rule: &str) -> Case {
    let mut case = Case::new(CSV)
        .text("a.csv", "id,points,country\n1,5,FR\n2,15,FR\n3,15,DE\n4,,FR\n5,20,\n")
        .columns(&["id"])
        .rule(rule);
    case.query.segments = vec![
        segment("rich", "points > 10"),
        segment("french", "country = 'FR'"),
        segment("both", "in_segment('rich') AND in_segment('The french')"),
        segment("deep", "NOT in_segment('both') AND in_segment('rich')"),
        segment("wrong", "points / (points - 15) > 0"),
        segment("round", "in_segment('trip')"),
        segment("trip", "in_segment('round')"),
    ];
    case
}

#[tokio::test]
async fn a_segment_asks_the_rule_of_another() {
    assert_eq!(case("in_segment('rich')").rows().await, ["2", "3", "5"]);
    // Who is neither in nor out is not in: `NOT` of it is true.
    assert_eq!(case("NOT in_segment('rich')").rows().await, ["1", "4"]);
    assert_eq!(case("in_segment('both')").rows().await, ["2"]);
    assert_eq!(case("in_segment('deep') OR points = 5").rows().await, ["1", "3", "5"]);
    let id = segment("french", "").id.to_string();
    assert_eq!(case(&format!("in_segment('{id}') AND points > 1")).rows().await, ["1", "2"]);
}

#[tokio::test]
async fn columns_may_name_segments() {
    let case =
        case("TRUE").columns(&["tier=CASE WHEN in_segment('both') THEN 'gold' ELSE '-' END"]);
    assert_eq!(case.rows().await, ["1|-", "2|gold", "3|-", "4|-", "5|-"]);
}

#[tokio::test]
async fn what_is_wrong_with_another_segment_is_said_of_it() {
    insta::assert_snapshot!(case("in_segment('wrong')").error().await, @"
    expression_error: a division by zero (FOLDER/a.csv, row 2, field `segment wrong`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    ");
    insta::assert_snapshot!(case("in_segment('reich')").error().await, @"unknown_segment: there is no segment `reich`");
    insta::assert_snapshot!(case("in_segment('round')").error().await, @"segment_circle: segments rest on each other in a circle, or more than 64 deep (field `round`)");
    insta::assert_snapshot!(case("in_segment(country)").error().await, @"
    wrong_argument: `in_segment` takes one text: the key, id or name of a segment at character 1 (field `rule`)
      Write `in_segment('luxury')`.
    ");
    insta::assert_snapshot!(case("in_segmnt('rich')").error().await, @"
    unknown_function: unknown function `in_segmnt` at character 1 (field `rule`)
      Did you mean `in_segment`?
    ");
}

const ORDERS: &str = "\
order,who,at,total
a,1,2026-01-30T10:00:00Z,10
b,2,2026-01-02T10:00:00Z,20
c,2,2026-01-24T01:00:00Z,5
d,3,2026-01-29T10:00:00Z,50
";

/// The same people with orders, and segments that ask for them.
fn with_orders(rule: &str) -> Case {
    let mut case = case(rule)
        .location("a.csv")
        .identified_by("id", "CRMID")
        .event_csv("orders", "who", "CRMID", "at", ORDERS);
    case.query.segments.extend([
        segment("buyers", "EXISTS (SELECT FROM orders WHERE at > now() - INTERVAL '7 days')"),
        segment("rich buyers", "in_segment('buyers') AND in_segment('rich')"),
    ]);
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_that_are_named_may_ask_for_events() {
    assert_eq!(with_orders("in_segment('buyers')").rows().await, ["1", "3"]);
    assert_eq!(with_orders("in_segment('rich buyers')").rows().await, ["3"]);
    let both = "in_segment('buyers') OR (SELECT count(*) FROM orders) = 2";
    assert_eq!(with_orders(both).rows().await, ["1", "2", "3"]);
    let mut asked = with_orders("points > 1");
    asked.query.consent.purposes = vec![plan::consent::Purpose {
        action: "mail".to_owned(),
        rule: segment("", "NOT in_segment('buyers')").rule,
    }];
    assert_eq!(asked.rows().await, ["2", "5"]);
}

/// Events are asked about one instant, so that segments of two instants are two scans.
#[tokio::test(flavor = "multi_thread")]
async fn segments_over_events_are_evaluated_each_at_its_instant() {
    let case = with_orders("in_segment('buyers')");
    let profiles = case.pin().await.expect("it is pinned");
    let mut later = case.query.clone();
    later.evaluated_at = "2026-02-05T12:00:00Z".parse().expect("a time");
    let mut plain = later.clone();
    plain.rule.text = "in_segment('rich')".to_owned();
    let queries = [&case.query, &later, &plain, &case.query];
    let effects = engine::Effects::default();
    let found = case.engine().evaluate(&queries, &profiles, effects).await.expect("a scan");
    let members: Vec<u64> =
        found.into_iter().map(|found| found.expect("it is evaluated").members).collect();
    assert_eq!(members, [2, 1, 3, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_events_name_no_segment() {
    let rule = "EXISTS (SELECT FROM orders WHERE in_segment('rich'))";
    insta::assert_snapshot!(with_orders(rule).error().await, @"not_allowed: a condition on events cannot ask for a segment at character 34 (field `rule`)");
}
