use super::*;
use crate::diagnostic::Span;
use crate::project::RuleOrigin;

const FULL: &str = include_str!("../read/full.yaml");

fn project(text: &str) -> Project {
    let variable = |_: &str| Some("secret".to_owned());
    let rule_file = |_: &str| Ok("true".to_owned());
    let reading = crate::read(text, &variable, &rule_file);
    reading.project.unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
}

fn slot(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn a_plan_holds_all_that_a_run_needs() {
    let project = project(FULL);
    let at = slot("2026-01-05T01:00:00Z");
    let plan = project.run_plan("partner-daily", "luxury", at).expect("it is planned");
    assert_eq!(plan.output.key(1), "exports/Luxury Audience/Partner_drop_20260105.txt.gz");
    assert_eq!(plan.output.key(2), "exports/Luxury Audience/Partner_drop_20260105_2.txt.gz");
    let manifest =
        format!("exports/Luxury Audience/manifest-{}-{}.json", plan.destination_id, plan.run_id);
    assert_eq!(plan.output.manifest_key.as_deref(), Some(manifest.as_str()));
    assert_eq!(plan.output.bucket, "acme-audiences");
    assert!(!plan.output.is_static);
    assert_eq!((plan.segment.as_str(), plan.segment_name.as_str()), ("luxury", "Luxury Audience"));
    assert_eq!(plan.query.columns.len(), 5);
    assert_eq!(plan.query.evaluated_at, at);
    assert_eq!(plan.guard.max_shrink_percent, Some(50.0));
    let default = project.run_plan("partner-daily", "lapsed", at).expect("it is planned");
    let name =
        format!("exports/lapsed/Partner_drop_segment{}_20260105010000.txt.gz", default.segment_id);
    assert_eq!(default.output.key(1), name);
}

#[test]
fn the_same_slot_is_the_same_run() {
    let (one, other) = (project(FULL), project(&FULL.replace("rule: points", "rule: 1 + points")));
    let id = |project: &Project, segment: &str, at: &str| {
        project.run_plan("partner-daily", segment, slot(at)).expect("it is planned").run_id
    };
    let first = id(&one, "luxury", "2026-01-05T01:00:00Z");
    assert_eq!(first, id(&other, "luxury", "2026-01-05T01:00:00Z"));
    assert_ne!(first, id(&one, "luxury", "2026-01-06T01:00:00Z"));
    assert_ne!(first, id(&one, "lapsed", "2026-01-05T01:00:00Z"));
    // Derived ids are part of what users rely on: they never change.
    insta::assert_snapshot!(first, @r#"
    72839fd5-a31c-56e7-b0c4-3b6247ea67db
    "#);
    insta::assert_snapshot!(one.segments[1].id, @r#"
    78e1f6ae-93ad-5543-9696-29dd7d4796b0
    "#);
    insta::assert_snapshot!(one.activations[0].id, @r#"
    c246b2a2-14c9-55e4-8408-f8e011ab48ba
    "#);
}

#[test]
fn what_has_a_schedule_is_due() {
    let project = project(FULL);
    let due = |now: &str| -> Vec<String> {
        let due = project.due(slot(now));
        due.iter()
            .map(|it| format!("{} {} {}", it.activation.key, it.segment.key, it.slot))
            .collect()
    };
    assert!(due("2026-01-04T00:59:59Z").is_empty(), "the first day has not come");
    assert_eq!(due("2026-01-06T00:00:00Z"), ["partner-daily luxury 2026-01-05T01:00:00Z"]);
    assert_eq!(due("2027-01-01T00:00:00Z"), ["partner-daily luxury 2026-01-11T01:00:00Z"]);
}

#[test]
fn what_cannot_be_planned_says_why() {
    let project = project(FULL);
    let problem = |activation: &str, segment: &str| {
        let error = project
            .run_plan(activation, segment, slot("2026-01-05T01:00:00Z"))
            .expect_err("there is no plan");
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    insta::assert_snapshot!(problem("partner-dayly", "luxury"), @r#"
    there is no activation `partner-dayly`; Did you mean `partner-daily`?
    "#);
    insta::assert_snapshot!(problem("x", "luxury"), @r#"
    there is no activation `x`;
    "#);
    insta::assert_snapshot!(problem("partner-daily", "luxary"), @r#"
    the activation `partner-daily` does not send a segment `luxary`; Did you mean `luxury`?
    "#);
}

#[test]
fn names_that_meet_at_one_slot_only_are_refused_there() {
    let text = FULL
        .replace("_%DATETIME(yyyyMMdd)%", "_20260105")
        .replace(
            "- segment: lapsed",
            "- { segment: lapsed, file_name: \"%DESTINATION_NAME%_%DATETIME(yyyyMMdd)%\" }",
        )
        .replace("folder: exports/%SEGMENT_NAME%", "folder: exports");
    let project = project(&text);
    let plan = |at: &str| project.run_plan("partner-daily", "lapsed", slot(at));
    assert!(plan("2026-01-06T00:00:00Z").is_ok());
    let error = plan("2026-01-05T00:00:00Z").expect_err("both write the same object");
    let together =
        [("lapsed", slot("2026-01-06T00:00:00Z")), ("lapsed", slot("2026-01-05T00:00:00Z"))];
    let refused = project.run_plans("partner-daily", together).expect_err("the second is refused");
    assert_eq!(refused.to_string(), error.to_string());
    insta::assert_snapshot!(error, @r#"
    the object `exports/Partner_drop_20260105.txt.gz` would also be written by `luxury` of `partner-daily`
    "#);
}

#[test]
fn plans_of_several_segments_are_those_of_each() {
    let project = project(FULL);
    let (first, second) = (slot("2026-01-05T01:00:00Z"), slot("2026-01-06T01:00:00Z"));
    let wanted = [("luxury", first), ("lapsed", first), ("luxury", second), ("lapsed", first)];
    let plans = project.run_plans("partner-daily", wanted).expect("they are planned");
    assert_eq!(plans.len(), wanted.len());
    for (plan, (segment, at)) in plans.iter().zip(wanted) {
        let alone = project.run_plan("partner-daily", segment, at).expect("it is planned");
        assert_eq!(format!("{plan:?}"), format!("{alone:?}"));
    }
}

#[test]
fn places_in_rules_are_places_in_the_file() {
    let project = project(FULL);
    let RuleOrigin::Project { spans_text, .. } = &project.segments[0].rule.origin else {
        panic!("the rule is in the project file");
    };
    assert!(spans_text);
    let place = project.segments[0].rule.origin.place(15, 19).expect("it has a place");
    assert_eq!(&FULL[place.start..place.end], "AND homeAddress.cou");
    assert_eq!(place, Span::of(FULL, place.start..place.end));
    assert_eq!(project.segments[1].rule.origin.place(0, 1), None);
    let text =
        FULL.replace("rule: points >= 1000 AND", "rule: |\n      points >= 1000\n\n        AND");
    let block = self::project(&text);
    let rule = &block.segments[0].rule;
    let offset = rule.text.find("AND homeA").expect("the rule has two lines");
    let place = rule.origin.place(offset, 19).expect("it has a place");
    assert_eq!(&text[place.start..place.end], "AND homeAddress.cou");
    assert_eq!(place, Span::of(&text, place.start..place.end));
    let across = rule.origin.place(10, offset - 10 + 3).expect("it has a place");
    assert_eq!(&text[across.start..across.end], "1000\n\n        AND");
    let text = text.replace("rule: |", "rule: >");
    let folded = self::project(&text);
    let rule = &folded.segments[0].rule;
    let offset = rule.text.find("AND homeA").expect("the rule is folded");
    let place = rule.origin.place(offset, 19).expect("it has a place");
    assert_eq!(&text[place.start..place.end], "AND homeAddress.cou");
    assert_eq!(place, Span::of(&text, place.start..place.end));
}

#[test]
fn places_in_translated_rules_are_places_in_the_pql() {
    let text = FULL.replace(
        "rule: points >= 1000 AND homeAddress.country = 'FR'",
        "pql: |\n      points >= 1000 and\n      homeAddress.country in [\"FR\"]",
    );
    let project = project(&text);
    let rule = &project.segments[0].rule;
    assert_eq!(rule.text, "points >= 1000 AND homeAddress.country IN ('FR')");
    let place = rule.origin.place(rule.text.find("homeA").expect("the field"), 19);
    let place = place.expect("it has a place");
    assert_eq!(&text[place.start..place.end], "homeAddress.country");
    assert_eq!(place, Span::of(&text, place.start..place.end));
}
