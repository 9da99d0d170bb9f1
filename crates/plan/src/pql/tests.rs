//! What rules become, what is refused, and that no text takes the translator down.

use proptest::prelude::*;

use super::*;

fn segments() -> Vec<SegmentName> {
    let segment = |key: &str, id: &str, name: &str| SegmentName {
        key: key.to_owned(),
        id: id.to_owned(),
        name: name.to_owned(),
    };
    vec![
        segment("luxury", "25768be6-ebd5-45cc-8913-12fb3f348615", "Luxury Audience"),
        segment("clicked", "a730ed3f-119c-415b-a4ac-27c396ae2dff", "Twice"),
        segment("opened", "5d1b0f6c-1a0e-4b1f-9f5e-0d5d1a2c7b11", "Twice"),
    ]
}

/// The rules of the table, with their translations.
fn table() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("tests/translations.txt").lines();
    let lines: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    lines.chunks(2).map(|pair| (pair[0], pair[1].trim_start())).collect()
}

#[test]
fn rules_become_the_sql_of_the_table() {
    let table = table();
    assert!(table.len() > 150, "the table is read whole: {}", table.len());
    for (text, expected) in table {
        let found = translate(text, &segments()).map(|found| found.sql);
        assert_eq!(found.as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn the_example_of_the_page_is_what_the_command_prints() {
    let page = include_str!("../../../../docs/pql.md");
    let command = "$ segue segment translate --pql '";
    let (_, rest) = page.split_once(command).expect("the page has an example");
    let (rule, rest) = rest.split_once("'\n").expect("the rule ends");
    let (sql, _) = rest.split_once("\n```").expect("the answer ends");
    assert_eq!(translate(rule, &[]).map(|found| found.sql).as_deref(), Ok(sql));
}

#[test]
fn every_name_that_can_be_called_is_in_the_table() {
    let written: String = table().iter().map(|(text, _)| format!("{text}\n")).collect();
    for method in names::METHODS {
        assert!(written.contains(&format!(".{method}(")), "{method}");
    }
    for function in names::FUNCTIONS {
        assert!(written.contains(&format!("{function}(")) || function == "if", "{function}");
    }
    assert!(names::METHODS.is_sorted());
}

#[test]
fn places_in_the_sql_lead_back_to_the_pql() {
    let text = "person.age > 5 and not exists O from orders where O.pirce = \"x\"";
    let translation = translate(text, &[]).expect("the rule is translated");
    let source = |part: &str| {
        let start = translation.sql.find(part).expect("the part is in the SQL");
        let source = translation.map.source(start..start + part.len());
        source.map(|range| &text[range])
    };
    assert_eq!(source("O.pirce"), Some("O.pirce"));
    assert_eq!(source("O.pirce = 'x'"), Some("O.pirce = \"x\""));
    assert_eq!(source("person.age > 5"), Some("person.age > 5"));
    assert_eq!(source("array_any_match"), Some(&text[23..]));
    assert_eq!(source("NOT coalesce"), Some(&text[19..]));
    assert_eq!(source(" AND "), Some(text));
    assert_eq!(translation.map.source(0..10_000), None);
}

#[test]
fn refusals_name_the_place_and_the_next_step() {
    let cases = [
        "",
        "  \n ",
        "\"never closed",
        "a = 'single'",
        "a == 1",
        "a # 1",
        "`",
        "``",
        "$x = 1",
        "$2.a = 1",
        "a = 5x",
        "a = 99999999999999999999",
        "a = ",
        "a = 1 b",
        "a and",
        "(a = 1",
        "a = 1)",
        "a = b = c",
        "a not in [1]",
        "a.",
        "a.1",
        "a in [1, 2",
        "a in [1 2]",
        "x => y => z",
        "(P, Q) => P.a",
        "\"text\"",
        "5",
        "points + 1",
        "[1, 2]",
        "not 5",
        "a and \"b\"",
        "$1",
        "orders.filter(price > 1)",
        "a.intersects([])",
        "date(2020, 2, 30) = a",
        "date(2020, 13, 1) = a",
        "date(a, 1, 1) = b",
        "a.startWith(\"x\")",
        "uper(a)",
        "count(orders)",
        "a.inSegment(\"x\")",
        "orders.groupBy(storeId).count() > 1",
        "groupBy(a)",
        "a.startsWith()",
        "a.startsWith(\"x\", 1)",
        "a.getMonth(1) = 1",
        "if(a, b) = 1",
        "currentMonth(1) = 1",
        "inSegment(luxury)",
        "inSegment(\"luxery\")",
        "inSegment(\"Luxury Audiense\")",
        "inSegment(\"Twice\")",
        "inSegment(\"4afe34ae-8c98-4513-8a1d-67ccaa54bc05\")",
        "a.regexGroup(b, 1) = \"x\"",
        "a.regexGroup(\"x\", b) = \"x\"",
        "orders.topN(price, n).count() = 1",
        "a[99999999999] = 1",
        "O => O.a = (X => X)",
        "a.equals(X => X)",
        "a occurs",
        "a occurs 3 days before now",
        "a occurs <= 3 dyas before now",
        "a occurs <= 3 moons before now",
        "a occurs <= 3 days now",
        "a occurs <= days before now",
        "a occurs < 201 years before now",
        "a occurs <= 1 millennium before now",
        "a occurs between now",
        "a occurs between this decade and now",
        "exists from xEvent",
        "exists E in xEvent",
        "exists E from xEvent where eventType = \"x\"",
        "exists E from xEvent where $1.country = \"FR\"",
        "exists E from xEvent where E = 1",
        "exists E from xEvent where exists F from xEvent where F.a = E.a",
        "exists O from orders where xEvent.count() > 1",
        "orders.filter(xEvent.count() > 1).count() > 1",
        "xEvent = 1",
        "xEvent[0].a = 1",
        "xEvent.head().a = 1",
        "xEvent.topN(a, 5).count() > 1",
        "xEvent.sum() > 1",
        "xEvent.map(a + 1).b.sum() > 1",
        "select 5 from xEvent",
        "let x = 5",
        "let x = 5 in",
        "CHAIN(orders, timestamp, [A: WHAT(a)])",
        "CHAIN(xEvent, timestamp, [])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a) WHERE(b)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a) WHN(today)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a) WHEN(today) WHEN(today)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a) WITHIN(7 days)])",
        "CHAIN(xEvent, timestamp, [A: not WHAT(a), B: WHAT(b)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a), B: WHAT(b) COUNT(= 2)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a), B: WHAT(b) COUNT(60)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(a), B: not WHAT(b) AFTER(1 day)])",
        "CHAIN(xEvent, timestamp, [A: WHAT(homeAddress.country = $1.country)])",
    ];
    let (mut seen, mut passed) = (String::new(), Vec::new());
    for text in cases {
        let error = match translate(text, &segments()) {
            Err(error) => error,
            Ok(found) => {
                passed.push(format!("{text} became {}", found.sql));
                continue;
            }
        };
        let part = &text[error.offset..error.offset + error.length];
        seen.push_str(&format!("{text}\n  {} at {part:?}: {}\n", error.code, error.message));
        if let Some(hint) = error.hint {
            seen.push_str(&format!("  {hint}\n"));
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
    insta::assert_snapshot!("refusals", seen);
}

#[test]
fn limits_hold_before_recursion_can_hurt() {
    let chain = |part: &str, count: usize, end: &str| format!("{}{end}", part.repeat(count));
    let cases = [
        (chain("(", 9_000, ""), "too_deep"),
        (chain("not ", 9_000, "a"), "too_deep"),
        (chain("!", 9_000, "a"), "too_deep"),
        (chain("- ", 9_000, "1 > 0"), "too_deep"),
        (chain("a.b(", 2_000, ""), "too_deep"),
        (chain("a", 1, &".b".repeat(4_000)), "too_deep"),
        (chain("a", 1, &"[0]".repeat(3_000)), "too_deep"),
        (chain("exists E from x where ", 1_000, "a"), "too_deep"),
        (chain("let x = 1 in ", 1_000, "a"), "too_deep"),
        (chain("X => ", 1, &"if(X => ".repeat(2_000)), "too_deep"),
        (chain("[", 9_000, ""), "too_deep"),
        (chain("select E from ", 2_000, "a"), "too_deep"),
        (chain("sum ", 9_000, "a"), "too_deep"),
        (chain("a or ", 20_000, "a"), "too_long"),
        (" ".repeat(TEXT_BYTES_MAX + 1), "too_long"),
        (format!("a in [{}1]", "1,".repeat(30_000)), "too_long"),
        (
            format!(
                "let x = (a in [{}1]) in ({}x)",
                "123456789,".repeat(300),
                "x and ".repeat(2_000)
            ),
            "too_long",
        ),
        (doubling(35), "too_long"),
    ];
    for (text, code) in cases {
        let shown: String = text.chars().take(40).collect();
        let error = translate(&text, &[]).expect_err(&shown);
        assert_eq!(error.code, code, "{shown}: {error}");
    }
}

/// Values that each hold the one before twice.
fn doubling(levels: usize) -> String {
    let mut text = "let a0 = (b = 1) in ".to_owned();
    for level in 1..levels {
        let before = level - 1;
        text.push_str(&format!("let a{level} = (a{before} and a{before}) in "));
    }
    format!("{text}a{}", levels - 1)
}

#[test]
fn long_chains_and_lists_are_fine() {
    let any = vec!["crmId = \"x\""; 2_000].join(" or ");
    let list = format!("crmId in [{}\"x\"]", "\"y\",".repeat(4_000));
    let sum = format!("{} > 1", vec!["a"; 2_000].join(" + "));
    for text in [any, list, sum] {
        assert!(translate(&text, &[]).is_ok());
    }
}

/// Words and signs, so that random rows of them are often nearly rules.
const WORDS: [&str; 84] = [
    "a",
    "b.c",
    "orders",
    "xEvent",
    "$1",
    "E",
    "O",
    "1",
    "2.5",
    "\"x\"",
    "\"\"",
    "true",
    "false",
    "null",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "=>",
    "and",
    "or",
    "not",
    "in",
    "notIn",
    "like",
    "exists",
    "forall",
    "from",
    "where",
    "select",
    "let",
    "over",
    "sum",
    "count",
    "occurs",
    "before",
    "after",
    "on",
    "between",
    "this",
    "last",
    "next",
    "day",
    "days",
    "decade",
    "now",
    "today",
    "yesterday",
    "CHAIN(xEvent, timestamp, [",
    "WHAT(",
    "WHEN(",
    "COUNT(",
    "WITHIN(",
    "AFTER(",
    ".filter(",
    ".map(",
    ".count()",
    ".sum(",
    ".topN(",
    ".head()",
    ".get(",
    ".contains(",
    ".exists(",
    "inSegment(",
    "if(",
    "date(2020,1,1)",
    "`x y`",
];

/// What came of it is in the text, and what was made of it stays within the limit.
fn check(text: &str) {
    match translate(text, &segments()) {
        Ok(translation) => assert!(translation.sql.len() <= TEXT_BYTES_MAX),
        Err(error) => {
            let end = error.offset + error.length;
            assert!(text.get(error.offset..end).is_some(), "{error:?} is in {text:?}");
            assert!(!error.message.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_row_of_words_is_answered(
        words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..60),
    ) {
        check(&words.join(" "));
        check(&words.concat());
    }

    #[test]
    fn any_cut_of_a_rule_is_answered(rule in 0_usize..150, cut in 0_usize..200, word in 0_usize..84) {
        let (text, _) = table()[rule];
        let at = text.floor_char_boundary(cut);
        check(&text[..at]);
        check(&text[at..]);
        check(&format!("{} {} {}", &text[..at], WORDS[word], &text[at..]));
    }
}

#[test]
fn what_nests_is_answered_at_once() {
    let beginnings = [
        "(",
        "[",
        "a.b(",
        "a[",
        "not ",
        "!",
        "-",
        "if(",
        "if((",
        "exists E from (",
        "exists E from ",
        "forall E from a where ",
        "select E from ",
        "let x = ",
        "let x = (",
        "sum ",
        "sum a over ",
        "(X) => ",
        "X => ",
        "f(X => ",
        "f((X) => ",
        "((X",
        "a occurs ",
        "a occurs between ",
        "a occurs on (",
        "a occurs 1 day before ",
        "CHAIN(xEvent, ",
        "CHAIN(xEvent, t, [A: WHAT(",
        "CHAIN(xEvent, t, [A: WHAT(a) WHEN(",
        "a in [",
        "a like ",
        "exists E from x where a, F from ",
        "inSegment(",
        "date(",
        "`",
        "\"",
    ];
    for beginning in beginnings {
        for count in [10, 39, 60, 3_000] {
            for end in ["", "a", ")", "1 days"] {
                check(&format!("{}{end}", beginning.repeat(count)));
            }
        }
    }
}
