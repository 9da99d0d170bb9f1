//! Rules in PQL, from the project file to who is sent.

use crate::project::{Project, Text, lab};

const SQL: &str = "    rule: points >= 10";

fn project_with(rule: &str) -> Project {
    let yaml = Text::default().yaml();
    assert!(yaml.contains(SQL));
    Project::new(&yaml.replace(SQL, rule), None)
}

const BLOCK: &str = "    pql: |
      points >= 10 and
      not (email.doesNotContain(\"EXAMPLE\", false))";

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_rule_in_pql_are_sent() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml().replace(SQL, BLOCK), Some(&lab));
    let counted = project.json(&["count"]);
    assert_eq!((&counted[0]["members"], &counted[0]["profiles"]), (&4.into(), &6.into()));
    let run = project.json(&["run", "daily"]);
    assert_eq!(run["runs"][0]["activated"], 3, "{run}");
}

/// What a command says, as a snapshot.
fn show(name: &str, project: &Project, command: &[&str]) {
    let said = project.segue(command);
    insta::assert_snapshot!(name, project.transcript(&said));
}

#[test]
fn translations_can_be_looked_at() {
    let project = project_with(BLOCK);
    let translate = ["segment", "translate", "loyal"];
    show("translate", &project, &translate);
    let json = project.json(&translate);
    assert_eq!(json["segment"], "loyal");
    assert_eq!(json["sql"], project.segue(&translate).stdout.trim_end());
    let of = |text| ["segment", "translate", "--pql", text];
    show("translate_text", &project, &of("points > 1 and inSegment(\"loyal\")"));
    show("translate_wrong_text", &project, &of("exists O from orders wher O.total > 5"));
    show("translate_unknown_segment", &project, &["segment", "translate", "loyl"]);
    show("translate_nothing", &project, &["segment", "translate"]);
    show("translate_sql", &project_with(SQL), &translate);
}

/// A rule is translated whatever is wrong with others.
#[test]
fn a_translation_needs_only_its_own_rule() {
    let broken =
        format!("{BLOCK}\n  broken:\n    pql: points.frobnicate()\n  wrong:\n    nothing: 1");
    let project = project_with(&broken);
    assert_eq!(project.segue(&["validate"]).code, 2);
    let sql = project.segue(&["segment", "translate", "loyal"]);
    assert_eq!(sql.code, 0, "{}", sql.stderr);
    assert_eq!(sql.stdout, project_with(BLOCK).segue(&["segment", "translate", "loyal"]).stdout);
    let text = ["segment", "translate", "--pql", "inSegment(\"broken\") and points > 1"];
    let said = project.segue(&text);
    assert_eq!(said.stdout.trim(), "in_segment('broken') AND points > 1", "{}", said.stderr);
    assert_eq!(project.segue(&["segment", "translate", "broken"]).code, 2);
}

#[test]
fn a_text_needs_no_project() {
    let project = project_with(SQL);
    std::fs::remove_file(project.path("segue.yaml")).expect("a file");
    let of = |text| ["segment", "translate", "--pql", text];
    show("translate_without_project", &project, &of("age >= 18 and xEvent.count() > 2"));
    show("translate_segment_without_project", &project, &of("inSegment(\"loyal\")"));
}

#[test]
fn problems_are_shown_in_the_pql() {
    let check = |name: &str, rule: &str| show(name, &project_with(rule), &["validate"]);
    check("pql_wrong_word", "    pql: |\n      points >= 10 and\n      email.containz(\"x\")");
    check(
        "pql_wrong_field",
        "    pql: |\n      email.contains(\"x\") and\n      not (pionts >= 10)",
    );
    check("pql_wrong_type", "    pql: points >= \"10\"");
    check("sql_block", "    rule: |\n      points >= 10\n      AND pionts < 5");

    let in_file = project_with("    pql_file: segments/loyal.pql");
    in_file.write("segments/loyal.pql", "points >= 10\nand pionts in [1, 2]\n");
    show("pql_file_wrong_field", &in_file, &["validate"]);
    in_file.write("segments/loyal.pql", "points >= 10\nand uper(email) = 1\n");
    show("pql_file_wrong_word", &in_file, &["validate"]);

    // Folded, over several lines, and with escaped quotes, a place is that of the word.
    for (name, rule) in [
        (
            "pql_folded",
            "    pql: >\n      points >= 10 and\n      email.contains(\"x\") and pionts > 1",
        ),
        ("pql_several_lines", "    pql: points >= 10 and\n      email.frobnicate()"),
        ("pql_escaped", "    pql: \"email.contains(\\\"x\\\") and pionts > 1\""),
        ("sql_folded", "    rule: >-\n      points >= 10\n      AND pionts < 5"),
    ] {
        check(name, rule);
    }
}
