//! Rules in PQL over a few people: who is a member.
//!
//! The instant of evaluation is Saturday, 31 January 2026, 02:00 UTC.

use plan::project::DatasetFormat;
use plan::schema::FieldType;

use crate::support::Case;

const PEOPLE: &str = r#"
{"id":"ann","age":34,"country":"FR","city":"Nantes","limit":50,"sale":"2026-01-31T01:00:00Z","birth":"1992-06-05","tags":["vip","news"],"favourites":["red","blue"],"orders":[{"price":60.5,"paid":true,"country":"FR","items":[{"sku":"PS"},{"sku":"XB"}]},{"price":10,"paid":false,"country":"BE","items":[]}]}
{"id":"bob","age":17,"country":"CA","city":"Quebec","limit":100,"sale":"2026-01-28T02:00:00Z","birth":"2008-01-30","tags":[],"favourites":["red","green","blue"],"orders":[{"price":99,"paid":true,"country":"CA","items":[{"sku":"XB"}]}]}
{"id":"cat","age":51,"country":"fr","city":"Lille","limit":5,"sale":"2025-12-31T23:59:59Z","birth":"1974-12-24","tags":["news"],"favourites":[],"orders":[]}
{"id":"dan","age":null,"country":null,"city":null,"limit":null,"sale":null,"birth":null,"tags":null,"favourites":null,"orders":null}
{"id":"eve","age":28,"country":"BE","city":"Gent","limit":20,"sale":"2026-02-01T00:00:00Z","birth":"1997-06-30","tags":["vip"],"favourites":["green"],"orders":[{"price":30,"paid":true,"country":"BE","items":null},{"price":30,"paid":true,"country":"NL","items":[{"sku":"PS"}]},{"price":null,"paid":true,"country":"BE","items":[]}]}
"#;

/// The members of a rule, by the first letter of their ids.
async fn members(rule: &str) -> String {
    let translation = plan::pql::translate(rule, &[]).expect(rule);
    let case = Case::new(DatasetFormat::JsonLines)
        .text("people.jsonl", PEOPLE.trim_start())
        .declare("sale", FieldType::Timestamp)
        .declare("birth", FieldType::Date)
        .rule(&translation.sql)
        .columns(&["id"]);
    match case.run().await {
        Ok((rows, _)) => rows.iter().filter_map(|id| id.chars().next()).collect(),
        Err(error) => panic!("{rule}\n{}\n{error}", translation.sql),
    }
}

async fn check(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (rule, expected) in cases {
        let found = members(rule).await;
        if found != *expected {
            wrong.push(format!("{rule}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn comparisons_and_booleans() {
    check(&[
        ("country = \"FR\"", "a"),
        ("country != \"FR\"", "bce"),
        ("not (country = \"FR\")", "bcde"),
        ("country.isNull()", "d"),
        ("country != null and age > 30", "ac"),
        ("age > 30 or country = \"BE\"", "ace"),
        ("not (age > 30 or country = \"BE\")", "bd"),
        ("country in [\"FR\", \"CA\"]", "ab"),
        ("country notIn [\"FR\", \"CA\"]", "ce"),
        ("not (country in [\"FR\", \"CA\"])", "cde"),
        ("not (country notIn [\"FR\", \"CA\"])", "abd"),
        ("if(age >= 18, country, city) = \"Quebec\"", "b"),
        ("age % 17 = 0", "abc"),
        ("age - 10 * 2 < 0", "b"),
        ("(P) => P.age = 28", "e"),
    ])
    .await;
}

#[tokio::test]
async fn texts() {
    check(&[
        ("city like \"%e\"", "c"),
        ("city.startsWith(\"n\")", ""),
        ("city.startsWith(\"n\", false)", "a"),
        ("city.doesNotStartWith(\"N\")", "bce"),
        ("city.contains(\"ille\") or city.endsWith(\"bec\")", "bc"),
        ("not city.doesNotContain(\"e\")", "abcde"),
        ("city.doesNotContain(\"e\")", ""),
        ("country.equals(\"fr\", false)", "ac"),
        ("country.notEqualTo(\"fr\", false)", "be"),
        ("city.matches(\"^[NQ]\")", "ab"),
        ("city.matches(\"(?i)^n\")", "a"),
        ("city.regexGroup(\"^(.)(.)\", 2) = \"e\"", "e"),
        ("city.regexGroup(\"i.\", 0) = \"il\"", "c"),
    ])
    .await;
}

#[tokio::test]
async fn lists_of_values() {
    check(&[
        ("\"vip\" in tags", "ae"),
        ("tags.includes(\"news\")", "ac"),
        ("\"vip\" notIn tags", "bc"),
        ("tags.count() = 0", "bd"),
        ("tags.intersects([\"vip\", \"x\"])", "ae"),
        ("favourites.supersetOf([\"red\", \"blue\"])", "ab"),
        ("favourites.subsetOf([\"red\", \"blue\"])", "ac"),
        ("favourites.intersection([\"red\", \"green\"]).count() = 2", "b"),
        ("favourites.filter(F => F.startsWith(\"r\")).count() = 1", "ab"),
        ("favourites.map(F => F.equals(\"red\")).includes(true)", "ab"),
        ("favourites.distinct().count() > 2", "b"),
        ("favourites[0] = \"red\" and favourites.head() = \"red\"", "ab"),
        ("exists F from favourites where F = country or F = \"green\"", "be"),
        ("forall F from favourites where F != \"green\"", "ac"),
    ])
    .await;
}

#[tokio::test]
async fn lists_of_objects() {
    check(&[
        ("exists O from orders where O.price > 50", "ab"),
        ("exists O from orders where O.price > $1.limit", "ae"),
        ("exists O from orders where O.country = country", "abe"),
        ("not (exists O from orders where O.price > 50)", "cde"),
        ("forall O from orders where O.paid", "bce"),
        ("orders.forall(price > 0)", "abc"),
        ("exists O from orders where O.paid, I from O.items where I.sku = \"PS\"", "ae"),
        ("exists O from orders where (exists I from O.items where I.sku = O.country or I.sku = $1.country)", ""),
        ("orders.exists(items.exists(sku = \"XB\"))", "ab"),
        ("orders.filter(paid).count() >= 2", "e"),
        ("orders[price > 5 and paid].count() = 1", "ab"),
        ("orders.sum(price) > 60", "ab"),
        ("orders.sum(price) = 60", "e"),
        ("orders.average(price) = 30", "e"),
        ("orders.min(price) = 10 or orders.max(price) = 99", "ab"),
        ("orders.topN(price, 1).head().country = \"FR\"", "a"),
        ("orders.bottomN(price, 1).head().country = \"BE\"", "ae"),
        ("orders.topN(price, 2).sum(price) = 60", "e"),
        ("orders[0].items[0].sku = \"PS\"", "a"),
        ("orders.map(price * 2).includes(60.0)", "e"),
        ("select O from orders where O.price = 99", "b"),
        ("(select O.price from orders where O.paid).sum() > 60", "ab"),
        ("let S = (sum O.price over O from orders where O.paid) in (S > 50 and S < 65)", "ae"),
    ])
    .await;
}

#[tokio::test]
async fn times() {
    check(&[
        ("birth.getMonth() = 6 and birth.getDayOfMonth() <= 15", "a"),
        ("birth.getYear() in [1992, 1997]", "ae"),
        ("birth.getMonth() = currentMonth()", "b"),
        ("birth = date(2008, 1, 30)", "b"),
        ("sale occurs today", "a"),
        ("sale occurs tomorrow", "e"),
        ("sale occurs this week", "abe"),
        ("sale occurs last week", ""),
        ("sale occurs this month", "ab"),
        ("sale occurs last month", "c"),
        ("sale occurs next month", "e"),
        ("sale occurs last year", "c"),
        (
            "sale occurs this decade and sale occurs this century and sale occurs this millennium",
            "abce",
        ),
        ("birth occurs last decade", ""),
        ("birth occurs last century", "ace"),
        ("birth occurs before this century", "ace"),
        ("sale occurs before today", "bc"),
        ("sale occurs after today", "e"),
        ("sale occurs from today", "ae"),
        ("sale occurs after now", "e"),
        ("sale occurs on date(2026, 1, 28)", "b"),
        ("sale occurs between date(2026, 1, 28) and date(2026, 1, 31)", "ab"),
        ("sale occurs < 3 days before now", "a"),
        ("sale occurs <= 3 days before now", "ab"),
        ("sale occurs > 3 days before now", "c"),
        ("sale occurs >= 3 days before now", "bc"),
        ("sale occurs = 3 days before today", "b"),
        ("sale occurs != 3 days before today", "ace"),
        ("sale occurs = 1 hour before now", "a"),
        ("sale occurs < 1 day after now", "e"),
        ("sale occurs <= 1 day from now", "ae"),
        ("sale occurs > 1 day from now", "bc"),
        ("sale occurs <= 2 centuries before now", "abc"),
        ("birth occurs <= 20 years before now", "b"),
        ("birth occurs = 1 decade before now", ""),
        ("birth occurs = 3 decades before now", "ae"),
        ("sale occurs <= 1500 milliseconds before date(2026, 1, 1)", "c"),
        ("not (sale occurs before today)", "ade"),
        ("sale < today and sale > yesterday", ""),
    ])
    .await;
}
