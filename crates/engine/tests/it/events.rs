//! Rules over events: which profiles they take.

use crate::support::{CSV, Case};

const PEOPLE: &str = "\
crmId,email,country
1,ann@x,FR
2,bob@x,BE
3,cid@x,FR
4,,DE
";

/// Times are days of January 2026; rules are evaluated on the 31st at 2.
const ORDERS: &str = "\
orderId,crmId,at,total,shop
a,1,2026-01-30T10:00:00Z,10.5,web
b,1,2026-01-02T10:00:00Z,20,web
c,2,2026-01-24T02:00:00Z,5,store
d,2,2026-01-24T01:59:59Z,7,store
e,9,2026-01-30T10:00:00Z,1,web
f,,2026-01-30T10:00:00Z,1,web
g,3,,1,web
";

const CLICKS: &str = "\
mail,when,page
ann@x,2026-01-29T00:00:00Z,cart
ann@x,2026-01-30T00:00:00Z,order
bob@x,2026-01-20T00:00:00Z,cart
cid@x,2026-01-30T00:00:00Z,order
cid@x,2026-01-31T00:00:00Z,cart
eve@x,2026-01-31T00:00:00Z,cart
";

fn case() -> Case {
    Case::new(CSV)
        .location("people.csv")
        .text("people.csv", PEOPLE)
        .identified_by("crmId", "CRMID")
        .identified_by("email", "Email")
        .event_csv("orders", "crmId", "CRMID", "at", ORDERS)
        .event_csv("clicks", "mail", "Email", "when", CLICKS)
        .columns(&["crmId"])
}

async fn members(rule: &str) -> String {
    case().rule(rule).rows().await.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_there_or_not() {
    assert_eq!(members("EXISTS (SELECT FROM orders)").await, "1 2");
    assert_eq!(members("NOT EXISTS (SELECT FROM orders)").await, "3 4");
    assert_eq!(members("EXISTS (SELECT 1 FROM orders WHERE total > 8)").await, "1");
    assert_eq!(
        members("EXISTS (SELECT * FROM orders WHERE shop = 'web') OR country = 'DE'").await,
        "1 4"
    );
    assert_eq!(members("EXISTS (SELECT FROM events)").await, "1 2 3");
    assert_eq!(
        members("EXISTS (SELECT FROM events WHERE page = 'cart' OR total = 7)").await,
        "1 2 3"
    );
    assert_eq!(members("exists (select from \"orders\" where total < 0)").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_and_summed() {
    assert_eq!(members("(SELECT count(*) FROM orders) = 2").await, "1 2");
    assert_eq!(members("(SELECT count(*) FROM orders) = 0").await, "3 4");
    assert_eq!(members("(SELECT count(*) FROM events) >= 3").await, "1 2");
    assert_eq!(members("(SELECT sum(total) FROM orders) = 30.5").await, "1");
    assert_eq!(members("(SELECT sum(total) FROM orders) IS NULL").await, "3 4");
    assert_eq!(members("(SELECT avg(total) FROM orders WHERE shop = 'store') = 6").await, "2");
    assert_eq!(
        members("(SELECT min(total) FROM orders) < 6 OR (SELECT max(total) FROM orders) >= 20")
            .await,
        "1 2"
    );
    assert_eq!(members("(SELECT count(page) FROM events) = 2").await, "1 3");
    assert_eq!(
        members("(SELECT max(\"timestamp\") FROM events) > TIMESTAMP '2026-01-30T12:00:00Z'").await,
        "3"
    );
    assert_eq!(
        members("(SELECT sum(total) FROM orders) / (SELECT count(*) FROM orders) = 6").await,
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_end_where_they_say() {
    let week = |op: &str| {
        format!("EXISTS (SELECT FROM orders WHERE \"timestamp\" {op} now() - INTERVAL '7 days')")
    };
    assert_eq!(members(&week(">=")).await, "1 2");
    assert_eq!(members(&week(">")).await, "1");
    assert_eq!(members(&week("<")).await, "1 2");
    assert_eq!(
        members("(SELECT count(*) FROM orders WHERE at >= now() - INTERVAL '7 days') = 1").await,
        "1 2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_follow_one_another() {
    let sequence = |parts: &str| format!("sequence('clicks', {parts})");
    assert_eq!(members(&sequence("step(page = 'cart'), step(page = 'order')")).await, "1");
    assert_eq!(members(&sequence("step(page = 'order'), step(page = 'cart')")).await, "3");
    let soon = "step(page = 'cart'), step(page = 'order', within => INTERVAL '23 hours')";
    assert_eq!(members(&sequence(soon)).await, "");
    let abandoned = "step(page = 'cart'), without(page = 'order', within => INTERVAL '2 days')";
    assert_eq!(members(&sequence(abandoned)).await, "2 3");
    let both = "sequence('events', step(shop = 'store'), step(total = 5))";
    assert_eq!(members(both).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_nobody_are_counted() {
    let counts = case().rule("EXISTS (SELECT FROM events)").counts().await;
    let left_out: Vec<String> =
        counts.left_out.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    insta::assert_snapshot!(left_out.join("\n"), @"
    event_without_identity:orders 1
    event_without_time:orders 1
    event_without_profile:orders 1
    event_without_identity:clicks 0
    event_without_time:clicks 0
    event_without_profile:clicks 1
    ");
    let counts = case().rule("country = 'FR'").counts().await;
    assert_eq!(counts.left_out, [], "nobody asked for events");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_can_ask_too() {
    let case = case().rule("country = 'FR'").columns(&[
        "orders=(SELECT count(*) FROM orders)",
        "!total=(SELECT sum(total) FROM orders)",
        "last=(SELECT max(at) FROM orders)",
    ]);
    let (rows, counts) = case.run().await.expect("the run succeeds");
    assert_eq!(rows, ["1|2|30.5|2026-01-30T10:00:00Z"]);
    assert_eq!(counts.excluded, [("missing:total".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_decide_between_rows_of_one_key() {
    let case = case().columns(&[
        "#who=left(email, 1) || coalesce(country, '')",
        "orders=(SELECT count(*) FROM orders)",
    ]);
    assert_eq!(case.rows().await, ["1|aFR|2", "2|bBE|2", "3|cFR|0", "4|∅|0"]);
    let case = self::case().columns(&["#country", "!orders=(SELECT count(*) FROM orders)"]);
    assert_eq!(case.rows().await.len(), 3, "one of two in France");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_files_outside_the_window_are_not_read() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, StringArray};
    use plan::project::DatasetFormat;
    let people: ArrayRef = Arc::new(StringArray::from(vec!["1", "2", "3", "1"]));
    // The second half is of the last days before the evaluation, 20 484 days since 1970.
    let days: ArrayRef = Arc::new(Date32Array::from(vec![20_000, 20_001, 20_482, 20_483]));
    let case = case().parquet_groups("visits.parquet", vec![("who", people), ("day", days)], 2);
    let mut visits = case.events[0].clone();
    visits.key = "visits".to_owned();
    visits.location = "visits.parquet".to_owned();
    visits.format = DatasetFormat::Parquet;
    visits.identities = vec![crate::support::identity("who", "CRMID")];
    visits.timestamp = Some(plan::field::FieldPath::parse("day").expect("a path"));
    // The first page, whose row group nobody needs, is no page any more.
    let path = case.path("visits.parquet");
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes[4..20].fill(0xff);
    std::fs::write(&path, bytes).expect("a file");
    let with = |rule: &str| {
        let mut case = self::case().rule(rule);
        std::fs::copy(&path, case.path("visits.parquet")).expect("a copy");
        case.events.push(visits.clone());
        case
    };
    let recent = "EXISTS (SELECT FROM visits WHERE \"timestamp\" >= now() - INTERVAL '30 days')";
    assert_eq!(with(recent).rows().await, ["1", "3"]);
    let sequence = format!(
        "sequence('visits', step({}))",
        "\"timestamp\" > now() - INTERVAL '9 days' AND who <> 'x'"
    );
    assert_eq!(with(&sequence).rows().await, ["1", "3"]);
    assert!(with("EXISTS (SELECT FROM visits)").run().await.is_err(), "the damage is found");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_change_fail_the_run() {
    let case = case().rule("EXISTS (SELECT FROM orders)");
    let profiles = case.pin().await.expect("all is there");
    assert_eq!(profiles.inputs().count(), 3);
    let asked = profiles.asked_by(&case.query);
    assert_eq!(asked.inputs().count(), 2, "clicks are not asked");
    std::fs::write(case.path("orders.csv"), format!("{ORDERS}h,4,2026-01-30T10:00:00Z,1,web\n"))
        .expect("a file");
    let engine = case.engine();
    let error = engine.rows(&case.query, &profiles).await.expect_err("another file");
    assert_eq!(error.kind(), engine::Kind::Changed);
    let error = engine.verify(&asked).await.expect_err("another file");
    assert_eq!(error.kind(), engine::Kind::Changed);
    std::fs::write(case.path("orders.csv"), ORDERS).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn pql_asks_the_same() {
    let cases = [
        ("xEvent.count() >= 3", "1 2"),
        ("exists E from xEvent where E.total > 8", "1"),
        ("not (exists E from xEvent where E.total > 8)", "2 3 4"),
        ("xEvent[(timestamp occurs <= 7 days before now)].sum(total) > 4", "1 2"),
        ("CHAIN(xEvent, timestamp, [A: WHAT(page = \"cart\") COUNT(1)])", "1 2 3"),
        (
            "CHAIN(xEvent, timestamp, [A: WHAT(page = \"cart\"), B: WHAT(page = \"order\") WITHIN(1 day)])",
            "1",
        ),
        (
            "CHAIN(xEvent, timestamp, [A: WHAT(page = \"cart\"), B: not WHAT(page = \"order\") WITHIN(2 days)])",
            "2 3",
        ),
        ("CHAIN(xEvent, timestamp, [A: WHAT(true) COUNT(3)])", "1 2"),
        ("CHAIN(xEvent, timestamp, [A: WHAT(true) WHEN(today), B: WHAT(true)])", ""),
        ("not (CHAIN(xEvent, timestamp, [A: WHAT(total > 1)])) and country = \"FR\"", "3"),
    ];
    let mut wrong = Vec::new();
    for (pql, expected) in cases {
        let sql = plan::pql::translate(pql, &[]).expect(pql).sql;
        let found = members(&sql).await;
        if found != expected {
            wrong.push(format!("{pql}: {found}, not {expected}\n  {sql}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a rule is refused with.
async fn refused(rules: &[&str]) -> String {
    let mut said = Vec::new();
    for rule in rules {
        said.push(format!("{rule}\n{}", case().rule(rule).error().await));
    }
    said.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_with_its_place() {
    let said = refused(&[
        "EXISTS (SELECT FROM ordrs)",
        "EXISTS (SELECT FROM crm)",
        "EXISTS (SELECT FROM orders WHERE totl > 5)",
        "EXISTS (SELECT FROM events WHERE country = 'FR')",
        "EXISTS (SELECT FROM orders WHERE total > 'a')",
        "EXISTS (SELECT FROM orders WHERE total)",
        "EXISTS (SELECT FROM orders o WHERE o.total > 5)",
        "EXISTS (SELECT FROM orders, clicks)",
        "EXISTS (SELECT FROM orders JOIN clicks ON TRUE)",
        "EXISTS (SELECT total FROM orders)",
        "EXISTS (SELECT FROM a.orders)",
        "EXISTS (SELECT FROM orders LIMIT 1)",
        "EXISTS (SELECT FROM orders UNION SELECT FROM clicks)",
        "EXISTS (WITH a AS (SELECT 1) SELECT FROM orders)",
        "EXISTS (VALUES (1))",
        "EXISTS (SELECT FROM orders WHERE EXISTS (SELECT FROM clicks))",
        "EXISTS (SELECT FROM read_parquet('a.parquet'))",
        "(SELECT total FROM orders) > 5",
        "(SELECT sum(total) + 1 FROM orders) > 5",
        "(SELECT count(DISTINCT total) FROM orders) > 5",
        "(SELECT sum(total) FILTER (WHERE total > 1) FROM orders) > 5",
        "(SELECT median(total) FROM orders) > 5",
        "(SELECT sum(*) FROM orders) > 5",
        "(SELECT sum(shop) FROM orders) > 5",
        "(SELECT max(shop) FROM orders) > 'a'",
        "(SELECT count(*) FROM orders)",
        "crmId IN (SELECT crmId FROM orders)",
        "sum(total) > 5",
    ])
    .await;
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_that_make_no_sense_are_refused() {
    let said = refused(&[
        "sequence()",
        "sequence(orders, step(total > 1))",
        "sequence('orders')",
        "sequence('ordrs', step(total > 1))",
        "sequence('orders', total > 1)",
        "sequence('orders', stop(total > 1))",
        "sequence('orders', step())",
        "sequence('orders', step(total > 1, total > 2))",
        "sequence('orders', step(totl > 1))",
        "sequence('orders', step(total))",
        "sequence('orders', without(total > 1), step(total > 2))",
        "sequence('orders', step(total > 1, within => INTERVAL '1 day'))",
        "sequence('orders', step(total > 1), step(total > 2, within => 7))",
        "sequence('orders', step(total > 1), step(total > 2, within => INTERVAL '-1 day'))",
        "sequence('orders', step(total > 1), step(total > 2, in => INTERVAL '1 day'))",
        "sequence('orders', step(total > 1), without(total > 2, after => INTERVAL '1 day'))",
    ])
    .await;
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold() {
    let step = "step(total > 1), ";
    let long = format!("sequence('orders', {}step(total > 2))", step.repeat(60));
    let many: Vec<String> =
        (0..101).map(|n| format!("EXISTS (SELECT FROM orders WHERE total > {n})")).collect();
    let deep =
        format!("EXISTS (SELECT FROM orders WHERE {}TRUE{})", "(".repeat(70), ")".repeat(70));
    let chain = format!("EXISTS (SELECT FROM orders WHERE total > {}1)", "1+".repeat(300));
    let mut said = Vec::new();
    for rule in [long, many.join(" OR "), deep, chain] {
        said.push(case().rule(&rule).error().await);
    }
    insta::assert_snapshot!(said.join("\n"));
    let wide =
        format!("EXISTS (SELECT FROM orders WHERE {}total > 8)", "total > 900 OR ".repeat(1_500));
    assert_eq!(members(&wide).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_fail_are_one_clear_error() {
    let said = refused(&[
        "EXISTS (SELECT FROM orders WHERE 1 / (CAST(total AS BIGINT) - 7) = 1)",
        "(SELECT sum(CAST(total AS BIGINT) * 900000000000000000) FROM orders) > 1",
        "(SELECT sum(9000000000000000000) FROM orders) > 1",
        "(SELECT sum(1e308) FROM orders) > 1",
        "(SELECT sum(CAST(shop AS INT)) FROM orders) > 1",
    ])
    .await;
    insta::assert_snapshot!(said);
    let guarded = "(SELECT sum(1 / (total - 7)) FROM orders WHERE total <> 7) < 0";
    assert_eq!(members(guarded).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn datasets_may_differ() {
    let shops = "who,shop,total\n1,7,a\n3,8,b\n";
    let members = |rule: &str| case().event_csv("visits", "who", "CRMID", "", shops).rule(rule);
    assert_eq!(members("EXISTS (SELECT FROM visits)").rows().await, ["1", "3"]);
    assert_eq!(members("(SELECT count(*) FROM events) = 3").rows().await, ["2", "3"]);
    let mut said = Vec::new();
    for rule in [
        "EXISTS (SELECT FROM events WHERE total = 'a')",
        "EXISTS (SELECT FROM visits WHERE \"timestamp\" > now())",
        "EXISTS (SELECT FROM events WHERE \"timestamp\" > now())",
        "sequence('visits', step(shop = 7))",
    ] {
        said.push(format!("{rule}\n{}", members(rule).error().await));
    }
    insta::assert_snapshot!(said.join("\n"));
}
