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
    expression_error: a division by zero (FOLDER/a.csv, field `segment wrong`)
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
