use std::time::{Duration, Instant};

use plan::schema::{Field, FieldType, Schema};

use super::*;

fn field(name: &str, field_type: FieldType) -> Field {
    Field { name: name.to_owned(), field_type }
}

/// An order with items.
fn order() -> FieldType {
    let item = FieldType::Struct(vec![field("sku", FieldType::String)]);
    FieldType::Struct(vec![
        field("total", FieldType::Float),
        field("items", FieldType::List(Box::new(item))),
        field("notes", FieldType::Map(Box::new(FieldType::String))),
        field("Case", FieldType::Boolean),
    ])
}

fn schema() -> Schema {
    let email = FieldType::Struct(vec![field("address", FieldType::String)]);
    Schema {
        fields: vec![
            field("crmId", FieldType::String),
            field("loyalty", FieldType::Struct(vec![field("points", FieldType::Integer)])),
            field("country", FieldType::String),
            field("score", FieldType::Float),
            field("amount", FieldType::Decimal),
            field("active", FieldType::Boolean),
            field("birth", FieldType::Date),
            field("seen", FieldType::Timestamp),
            field("tags", FieldType::List(Box::new(FieldType::String))),
            field("emails", FieldType::List(Box::new(email))),
            field("attributes", FieldType::Map(Box::new(FieldType::String))),
            field("orders", FieldType::List(Box::new(order()))),
            field("odd name", FieldType::Integer),
            field("Case", FieldType::Integer),
            field("order", FieldType::Integer),
            field("timestamp", FieldType::Timestamp),
            field("a.b", FieldType::Boolean),
        ],
    }
}

fn check(text: &str, expect: Expect) -> Result<FieldType, ExpressionError> {
    check_expression(text, &schema(), expect)
}

#[test]
fn rules_of_every_kind_pass() {
    let rules = [
        "active",
        "loyalty.points >= 1000 AND country IN ('FR', 'BE')",
        "loyalty['points'] > 1",
        "LOWER(country) LIKE 'f%' OR country ILIKE '%x'",
        "country NOT LIKE 'a_b'",
        "country ~ '^[A-Z]{2}$' AND country !~* 'x'",
        "crmId IS NOT NULL AND active IS NOT TRUE",
        "score BETWEEN 0.5 AND 1e3",
        "country IS DISTINCT FROM 'FR'",
        "NOT (active AND -loyalty.points < +3)",
        "CASE country WHEN 'FR' THEN TRUE ELSE FALSE END",
        "CASE WHEN active THEN score > 1 WHEN score IS NULL THEN FALSE END",
        "birth < DATE '2000-01-01' AND seen > now() - INTERVAL '30 days'",
        "birth > '1999-12-31'",
        "date_part('year', birth) = 1999 AND EXTRACT(month FROM birth) = 2",
        "date_trunc('month', seen) = TIMESTAMP '2026-01-01 00:00:00'",
        "tags[1] = 'x' AND tags[-1] = 'y' AND 'vip' = ANY(tags)",
        "array_has(tags, 'vip') AND array_length(tags) > 2 AND cardinality(tags) > 0",
        "array_to_string(tags, '|') = 'a|b' AND tags[1:2] IS NOT NULL",
        "emails[1].address LIKE '%@example.com'",
        "attributes['lang'] = 'fr'",
        "\"odd name\" = 1 AND \"Case\" = 2 AND Case = 3",
        "loyalty.\"points\" = 1 AND \"order\" = 1 AND \"timestamp\" < now()",
        "\"a.b\"",
        "TRY_CAST(crmId AS BIGINT) % 2 = 0 AND crmId::int > 3",
        "coalesce(country, 'FR') = 'FR' AND nullif(score, 0) > 1",
        "substring(country FROM 1 FOR 1) = 'F' AND trim(BOTH ' ' FROM country) = 'x'",
        "position('a' IN country) > 0 AND country || 'x' = 'FRx'",
        "lpad(crmId, 10, '0') = '0000000001'",
        "amount > 10 AND amount * 2 <= 100.5 AND round(amount, 1) = 1.5 AND floor(score) = 1",
        "seen AT TIME ZONE 'Europe/Paris' > '2026-01-01'",
        "country = 'FR' -- the home market\n AND /* and */ active",
        "sha256(crmId) = 'x' AND encode(digest(crmId, 'md5'), 'hex') = 'x'",
        "array_any_match(orders, o -> o.total > 10)",
        "array_any_match(orders, (O) -> O.total > score AND O.Case)",
        "array_any_match(orders, o -> array_any_match(o.items, i -> i.sku = country))",
        "array_any_match(orders, o -> o.notes['x'] = 'y' AND o.items[1].sku = 'z')",
        "array_any_match(array_filter(orders, o -> o.total > 10), country -> country.Case)",
        "array_filter(orders, o -> o.total > 10)[1]['total'] > 10",
        "array_max(array_transform(orders, o -> o.total * 2)) > 1",
        "cardinality(array_filter(tags, tag -> tag LIKE 'a%' OR tag = country)) > 0",
        "array_first(tags, tag -> tag <> 'x') = 'y'",
        "array_top(orders, array_transform(orders, o -> o.total), 1)[1]['Case']",
        "NOT array_any_match(tags, \"order\" -> NOT coalesce(\"order\" = 'x', FALSE))",
        "iif(active, 'a', 'b') = 'a' AND equals(lcase(country), 'fr')",
        "decode(country, 'FR', 1, 'BE', 2, 0) > 1 AND matches_regex(country, '^F')",
        "(country, active) IS NULL OR active",
    ];
    for rule in &rules[..rules.len() - 1] {
        assert_eq!(check(rule, Expect::Boolean), Ok(FieldType::Boolean), "{rule}");
    }
    assert!(check(rules[rules.len() - 1], Expect::Boolean).is_err());
}

#[test]
fn calculated_columns_have_their_type() {
    let cases = [
        ("upper(country)", "string"),
        ("loyalty.points * 2", "integer"),
        ("score / 2", "float"),
        ("amount + 1", "decimal"),
        ("birth + INTERVAL '1 day'", "date"),
        ("now()", "timestamp"),
        ("current_date", "date"),
        ("tags", "list"),
        ("emails[1]", "struct"),
        ("make_date(2026, 1, 1)", "date"),
        ("'constant'", "string"),
        ("NULL", "string"),
        ("array_transform(orders, o -> to_object('amount', o.total))", "list"),
        ("sha256(country)", "string"),
        ("to_decimal(country)", "decimal"),
        ("get_url_query_str(country)", "map"),
    ];
    for (text, expected) in cases {
        let found = check(text, Expect::Any).map(|found| found.name().to_owned());
        assert_eq!(found, Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn refusals_name_the_place_and_the_next_step() {
    let cases = [
        "",
        "-- nothing\n",
        "SELECT 1",
        "COPY (SELECT 1) TO '/etc/x'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "SET x = 1",
        "active; DROP TABLE t",
        "active AND (SELECT TRUE)",
        "EXISTS (SELECT 1)",
        "crmId IN (SELECT crmId FROM 's3://b/x.parquet')",
        "active AND",
        "active && active",
        "active AND !active",
        "score => 1",
        "score NOT 1",
        "active active",
        "crmId = 'never closed",
        "(active",
        "country = \"FR\"",
        "loyalty.pionts > 1",
        "é = 1 AND\n  contry = 'FR'",
        "CRMID = 'x'",
        "attributes.lang.x = 1",
        "tags[0] = 'x'",
        "tags.x = 1",
        "emails[array_length(emails)].address = 'x'",
        "uper(country) = 'X'",
        "random() < 0.5",
        "uuid() = 'x'",
        "map_keys(map(['a', 'b', 'a'], tags)) = tags",
        "map_keys(map(['a', NULL], [country, crmId])) = tags",
        "map_keys(arrays_to_object(['a', 'b'], [country])) = tags",
        "count(*) > 1",
        "sum(score) OVER () > 1",
        "lower(country) FILTER (WHERE active) = 'x'",
        "repeat('a', 1000000000) = 'x'",
        "lpad('a', 1000000000) = 'x'",
        "lpad('a', loyalty.points) = 'x'",
        "unnest(tags) = 'x'",
        "read_csv('/etc/passwd') = 1",
        "pg_sleep(10)",
        "crmId = $1",
        "crmId = ?",
        "* = 1",
        "loyalty.points",
        "score + 1",
        "country = 1",
        "loyalty.points > '1000'",
        "loyalty.points IN ('1', '2')",
        "active AND country + 1 > 2",
        "birth > 5",
        "upper(active, country) = 'X'",
        "CAST(country AS nonsense) = 1",
        "country @> 'x'",
        "x -> x",
        "array_any_match(orders, o -> o.totl > 10)",
        "array_any_match(orders, o -> array_any_match(o.items, i -> i.sk = 'x'))",
        "array_any_match(array_filter(orders, o -> TRUE), o -> o.total.x = 1)",
        "array_any_match(orders, o -> o.total > 'x')",
        "array_any_match(orders, o -> o.total + country > 1)",
        "array_any_match(orders, o -> array_any_match(o.items, i -> upper(i.sku, 'x') = 'y'))",
        "array_any_match(country, c -> c = 'x')",
        "array_any_match(orders, o -> o.total)",
        "array_any_match(orders)",
        "array_any_match(orders, active)",
        "array_any_match(orders, (a, b) -> a.Case)",
        "array_any_match(orders, a.b -> TRUE)",
        "array_any_match(orders, LAMBDA o : o.Case)",
        "coalesce(active, o -> active)",
        "array_any_match(orders, o -> o.Case) OR o.Case",
        "array_any_match(tags, a -> array_any_match(tags, b -> array_any_match(tags, c -> array_any_match(tags, d -> array_any_match(tags, e -> TRUE)))))",
        "regexp_like(country, '(')",
        "regexp_like(country, '(?=a)')",
        "regexp_like(country, 'a{1000}{1000}')",
        "encode(sha256(country), 'hex') = 'x'",
        "guid() = 'x'",
        "json_to_object(country) = 'x'",
        "format(country, 'yyyy') = 'x'",
        "to_array(country, 1) = 1",
        "min(score) > 1",
        "country ~ '['",
        "hash_phone(country, 'XX') = 'x'",
        "format(seen, 'yyyy-QQ') = 'x'",
        "format(seen, 'yyyy ''T') = 'x'",
        "set_date_part('mont', seen, 1) = seen",
        "make_date_time(2026, 1, 1, 0, 0, 0, 0, 'Europe/Pari') = seen",
        "get_url_query_str(country, 'anchor') IS NULL",
        "str_to_object(country, '', '=') IS NULL",
        "json_value(country, 'a..b') = 'x'",
    ];
    let mut seen = String::new();
    for text in cases {
        let error = check(text, Expect::Boolean).expect_err(text);
        let part = &text[error.offset..error.offset + error.length];
        seen.push_str(&format!("{text:?}\n  {} at {part:?}: {}\n", error.code, error.message));
        if let Some(hint) = error.hint {
            seen.push_str(&format!("  {hint}\n"));
        }
    }
    insta::assert_snapshot!(seen, @r#"
    ""
      empty at "": the expression is empty
    "-- nothing\n"
      empty at "-- nothing\n": the expression is empty
    "SELECT 1"
      not_an_expression at "SELECT": a rule is one expression, not a `SELECT` statement
    "COPY (SELECT 1) TO '/etc/x'"
      not_an_expression at "COPY": a rule is one expression, not a `COPY` statement
    "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'"
      not_an_expression at "CREATE": a rule is one expression, not a `CREATE` statement
    "SET x = 1"
      not_an_expression at "SET": a rule is one expression, not a `SET` statement
    "active; DROP TABLE t"
      not_an_expression at ";": a rule is one expression, not a statement
    "active AND (SELECT TRUE)"
      not_allowed at "SELECT TRUE": a query over events has the form `SELECT … FROM dataset WHERE …`
      Other parts of queries, such as joins, groups, orders and aliases, are not available.
    "EXISTS (SELECT 1)"
      not_allowed at "SELECT 1": a query over events has the form `SELECT … FROM dataset WHERE …`
      Other parts of queries, such as joins, groups, orders and aliases, are not available.
    "crmId IN (SELECT crmId FROM 's3://b/x.parquet')"
      not_allowed at "crmId IN (SELECT crmId": a list cannot come from a query
      Put the condition into the query: `EXISTS (SELECT FROM orders WHERE …)`.
    "active AND"
      syntax_error at "": the expression ends where a value should follow
      Complete the last condition, or take out the word before it.
    "active && active"
      not_allowed at "active && active": the operator `&&` is not available
      Write `AND` instead of `&&`.
    "active AND !active"
      syntax_error at "!": `!` stands where a value should
      Write `NOT` instead of `!`.
    "score => 1"
      syntax_error at "=>": the expression should end before `=>`
      Write `>=` instead of `=>`.
    "score NOT 1"
      syntax_error at "NOT": the expression should end before `NOT`
    "active active"
      syntax_error at "active": the expression should end before `active`
    "crmId = 'never closed"
      syntax_error at "'": unterminated string literal
      End the text with a single quote; one inside it is written twice.
    "(active"
      syntax_error at "": the expression ends where `)` should follow
      Close every bracket that was opened.
    "country = \"FR\""
      unknown_field at "\"FR\"": the dataset has no field `FR`
      Texts stand between single quotes; double quotes name fields.
    "loyalty.pionts > 1"
      unknown_field at "loyalty.pionts": the dataset has no field `loyalty.pionts`
      Did you mean `loyalty.points`?
    "é = 1 AND\n  contry = 'FR'"
      unknown_field at "é": the dataset has no field `é`
    "CRMID = 'x'"
      unknown_field at "CRMID": the dataset has no field `CRMID`
      Did you mean `crmId`?
    "attributes.lang.x = 1"
      unknown_field at "attributes.lang.x": the dataset has no field `attributes.lang.x`
    "tags[0] = 'x'"
      invalid_position at "0": positions in a rule count from 1
      Write `[1]` for the first element.
    "tags.x = 1"
      unknown_field at "tags.x": the dataset has no field `tags.x`
      Did you mean `tags`?
    "emails[array_length(emails)].address = 'x'"
      syntax_error at ".": only a field can be followed by a dot and a name
    "uper(country) = 'X'"
      unknown_function at "uper": unknown function `uper`
      Did you mean `upper`?
    "random() < 0.5"
      function_not_allowed at "random": `random` is not available: its result would differ from run to run
    "uuid() = 'x'"
      function_not_allowed at "uuid": `uuid` is not available: its result would differ from run to run
    "map_keys(map(['a', 'b', 'a'], tags)) = tags"
      wrong_argument at "'a'": this key stands there twice
      Keys of a map differ from each other.
    "map_keys(map(['a', NULL], [country, crmId])) = tags"
      wrong_argument at "NULL": a key is missing
      Leave it and its value out.
    "map_keys(arrays_to_object(['a', 'b'], [country])) = tags"
      wrong_argument at "country": the numbers of keys and values differ: 2 and 1
      Write as many values as keys: `map(['a', 'b'], [x, y])`.
    "count(*) > 1"
      function_not_allowed at "count": `count` is not available: it works on many records, and a rule sees one
    "sum(score) OVER () > 1"
      function_not_allowed at "sum": `sum` is not available: it works on many records, and a rule sees one
    "lower(country) FILTER (WHERE active) = 'x'"
      not_allowed at "lower(country) FILTER (WHERE active": functions over many records are not available
    "repeat('a', 1000000000) = 'x'"
      function_not_allowed at "repeat": `repeat` is not available: its result could be of any length
    "lpad('a', 1000000000) = 'x'"
      not_allowed at "lpad": the length has to be a number up to 10000
    "lpad('a', loyalty.points) = 'x'"
      not_allowed at "lpad": the length has to be a number up to 10000
    "unnest(tags) = 'x'"
      function_not_allowed at "unnest": `unnest` is not available: it would make several records of one
    "read_csv('/etc/passwd') = 1"
      unknown_function at "read_csv": unknown function `read_csv`
    "pg_sleep(10)"
      unknown_function at "pg_sleep": unknown function `pg_sleep`
    "crmId = $1"
      not_allowed at "$1": placeholders have no meaning here
    "crmId = ?"
      not_allowed at "?": placeholders have no meaning here
    "* = 1"
      syntax_error at "*": `*` stands where a value should
    "loyalty.points"
      not_boolean at "loyalty.points": a rule has to be true or false, this is of type integer
      Compare the value with another: `points > 0`.
    "score + 1"
      not_boolean at "score + 1": a rule has to be true or false, this is of type float
      Compare the value with another: `points > 0`.
    "country = 1"
      type_error at "country = 1": values of type string and integer cannot be compared
      Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.
    "loyalty.points > '1000'"
      type_error at "loyalty.points > '1000'": values of type integer and string cannot be compared
      Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.
    "loyalty.points IN ('1', '2')"
      type_error at "loyalty.points IN ('1', '2'": values of type integer and string cannot be compared
      Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.
    "active AND country + 1 > 2"
      type_error at "country + 1": cannot coerce arithmetic expression text + Int64 to valid types
    "birth > 5"
      type_error at "birth > 5": values of type date and integer cannot be compared
      Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.
    "upper(active, country) = 'X'"
      type_error at "upper(active, country": function 'upper' expects 1 arguments but received 2. No function matches the given name and argument types 'upper(Boolean, text)'. You might need to add explicit type casts
    "CAST(country AS nonsense) = 1"
      type_error at "country": unsupported SQL type nonsense
    "country @> 'x'"
      not_allowed at "country @> 'x'": the operator `@>` is not available
    "x -> x"
      not_allowed at "x -> x": a function of elements stands only as the last argument of another
      Write for example `array_filter(orders, o -> o.total > 10)`.
    "array_any_match(orders, o -> o.totl > 10)"
      unknown_field at "o.totl": the elements have no field `o.totl`
      Did you mean `o.total`?
    "array_any_match(orders, o -> array_any_match(o.items, i -> i.sk = 'x'))"
      unknown_field at "i.sk": the elements have no field `i.sk`
      Did you mean `i.sku`?
    "array_any_match(array_filter(orders, o -> TRUE), o -> o.total.x = 1)"
      unknown_field at "o.total.x": the elements have no field `o.total.x`
      Did you mean `o.total`?
    "array_any_match(orders, o -> o.total > 'x')"
      type_error at "o.total > 'x'": values of type float and string cannot be compared
      Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.
    "array_any_match(orders, o -> o.total + country > 1)"
      type_error at "o.total + country": cannot coerce arithmetic expression Float64 + text to valid types
    "array_any_match(orders, o -> array_any_match(o.items, i -> upper(i.sku, 'x') = 'y'))"
      type_error at "upper(i.sku, 'x'": function 'upper' expects 1 arguments but received 2. No function matches the given name and argument types 'upper(text, text)'. You might need to add explicit type casts
    "array_any_match(country, c -> c = 'x')"
      type_error at "array_any_match(country": array_any_match expected a list as first argument, got text
    "array_any_match(orders, o -> o.total)"
      not_boolean at "array_any_match(orders": what is asked of the elements has to be true or false, this is of type float
      Compare the value with another: `o -> o.total > 10`.
    "array_any_match(orders)"
      not_allowed at "array_any_match": `array_any_match` takes a list and a function of its elements
      Write for example `array_any_match(orders, o -> o.total > 10)`.
    "array_any_match(orders, active)"
      not_allowed at "array_any_match": `array_any_match` takes a list and a function of its elements
      Write for example `array_any_match(orders, o -> o.total > 10)`.
    "array_any_match(orders, (a, b) -> a.Case)"
      not_allowed at "array_any_match": a function of elements has one name on the left of `->`
    "array_any_match(orders, a.b -> TRUE)"
      not_allowed at "array_any_match": a function of elements has one name on the left of `->`
    "array_any_match(orders, LAMBDA o : o.Case)"
      not_allowed at "array_any_match": a function of elements has one name on the left of `->`
    "coalesce(active, o -> active)"
      not_allowed at "coalesce(active, o -> active)": a function of elements stands only as the last argument of another
      Write for example `array_filter(orders, o -> o.total > 10)`.
    "array_any_match(orders, o -> o.Case) OR o.Case"
      unknown_field at "o.Case": the dataset has no field `o.Case`
      Did you mean `Case`?
    "array_any_match(tags, a -> array_any_match(tags, b -> array_any_match(tags, c -> array_any_match(tags, d -> array_any_match(tags, e -> TRUE)))))"
      too_deep at "array_any_match": functions of elements are nested more than 4 deep
    "regexp_like(country, '(')"
      invalid_pattern at "'('": this is no pattern: unclosed group
      Look-around and back references are not available.
    "regexp_like(country, '(?=a)')"
      invalid_pattern at "'(?=a)'": this is no pattern: look-around, including look-ahead and look-behind, is not supported
      Look-around and back references are not available.
    "regexp_like(country, 'a{1000}{1000}')"
      invalid_pattern at "'a{1000}{1000}'": the pattern is too large
    "encode(sha256(country), 'hex') = 'x'"
      not_allowed at "encode": `sha256` is a text of hexadecimal digits already
      Leave `encode` out, or take the bytes with `digest(x, 'sha256')`.
    "guid() = 'x'"
      function_not_allowed at "guid": `guid` is not available: its result would differ from run to run
    "json_to_object(country) = 'x'"
      function_not_allowed at "json_to_object": `json_to_object` is not available: the type of its result would differ from record to record; take one value with `json_value(text, 'a.b')`
    "format(country, 'yyyy') = 'x'"
      type_error at "format(country, 'yyyy'": format takes a time and a pattern
    "to_array(country, 1) = 1"
      not_allowed at "to_array": the first argument of `to_array` is `TRUE` or `FALSE`
      It tells whether what is missing is kept: `to_array(FALSE, a, b)`.
    "min(score) > 1"
      function_not_allowed at "min": `min` is not available: it works on many records, and a rule sees one
    "country ~ '['"
      invalid_pattern at "'['": this is no pattern: unclosed character class
      Look-around and back references are not available.
    "hash_phone(country, 'XX') = 'x'"
      wrong_argument at "'XX'": there is no country `XX`, or its numbers are not known
      Write the two letters of a country: `FR`.
    "format(seen, 'yyyy-QQ') = 'x'"
      wrong_argument at "'yyyy-QQ'": the letter `Q` has no meaning in the pattern of a time
      Write for example `yyyy-MM-dd HH:mm:ss`; texts stand in two single quotes.
    "format(seen, 'yyyy ''T') = 'x'"
      wrong_argument at "'yyyy ''T'": a quote in the pattern is not closed
      Write for example `yyyy-MM-dd HH:mm:ss`; texts stand in two single quotes.
    "set_date_part('mont', seen, 1) = seen"
      wrong_argument at "'mont'": a time has no part `mont` that can be set
      Did you mean `month`?
    "make_date_time(2026, 1, 1, 0, 0, 0, 0, 'Europe/Pari') = seen"
      wrong_argument at "'Europe/Pari'": there is no time zone `Europe/Pari`
      Write a name such as `Europe/Paris`.
    "get_url_query_str(country, 'anchor') IS NULL"
      wrong_argument at "'anchor'": `anchor` says nothing about the anchor
      Write one of `remove`, `retain`, `append`.
    "str_to_object(country, '', '=') IS NULL"
      wrong_argument at "''": the text between pairs, or in a pair, is empty
      Write for example `str_to_object(x, '&', '=')`.
    "json_value(country, 'a..b') = 'x'"
      wrong_argument at "'a..b'": this is no path: expected a field name
      Write for example `items[0].sku`.
    "#);
}

#[test]
fn arguments_are_told_by_what_a_function_takes() {
    let cases = [
        (
            "array_to_string(to_object('a', crmId), ',')",
            "`array_to_string` takes a list of single values, these are of type struct",
        ),
        (
            "array_to_string([to_object('a', crmId)], ',')",
            "`array_to_string` takes a list of single values, these are of type struct",
        ),
        (
            "join(',', array_transform(orders, o -> to_object('a', o.total)))",
            "`array_to_string` takes a list of single values, these are of type struct",
        ),
        ("sha256(loyalty.points)", "`sha256` takes one text; this is an integer"),
        ("md5(score)", "`md5` takes one text; this is a float"),
        ("md5(crmId, crmId)", "`md5` takes one text; these are a string and a string"),
        ("md5(crmId, 'UTF-16')", "digests are of the UTF-8 bytes of a text, and not of `UTF-16`"),
        (
            "hash_phone(loyalty.points)",
            "`hash_phone` takes a text, and perhaps the two letters of a country; this is an integer",
        ),
        (
            "hash_phone(crmId, 33)",
            "`hash_phone` takes a text, and perhaps the two letters of a country; these are a string and an integer",
        ),
        (
            "hash_phone(crmId, country, 'x')",
            "`hash_phone` takes a text, and perhaps the two letters of a country; these are a string and a string and a string",
        ),
        ("get_keys(crmId)", "`get_keys` takes a map; this is a string"),
        ("get_values(to_object('a', 1))", "`get_values` takes a map; this is a struct"),
        ("contains_key(score, 'a')", "`contains_key` takes a map; this is a float"),
        ("get_values(attributes, 5)", "a key is a text in single quotes"),
        ("size_of(score)", "`size_of` takes a list or a map; this is a float"),
        (
            "to_object(crmId)",
            "`to_object` takes names in single quotes, each followed by its value; this is a string",
        ),
        (
            "str_to_object(crmId)",
            "`str_to_object` takes a text, what stands between pairs, and what stands in a pair; this is a string",
        ),
        ("first(crmId)", "`first` takes a list first; these are a string and an integer"),
        ("flatten(score)", "`flatten` takes a list of lists; this is a float"),
        (
            "array_to_string(crmId, ',')",
            "`array_to_string` takes a list of single values, a separator, and perhaps a text for what is missing; these are a string and a string",
        ),
        ("upper(crmId, country)", "function 'upper' expects 1 arguments but received 2"),
        ("format(country, 'yyyy')", "format takes a time and a pattern"),
        ("seen AT TIME ZONE 'Europe/Pari'", "there is no time zone `Europe/Pari`"),
        ("zone_date_to_zone(seen, country)", "a time zone is a text in single quotes"),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let message = check(text, Expect::Any).expect_err(text).message;
        if message != expected {
            wrong.push(format!("{text}: {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in ["md5(crmId, 'UTF-8') = md5(crmId)", "sha256(crmId, 'utf8') = 'x'"] {
        assert_eq!(check(text, Expect::Boolean), Ok(FieldType::Boolean), "{text}");
    }
}

#[test]
fn texts_that_would_exhaust_a_stack_are_refused_within_a_second() {
    let chain = |part: &str, count: usize, end: &str| format!("{}{end}", part.repeat(count));
    let cases = [
        (chain("1+", 2_000, "1 > 0"), "too_deep"),
        (chain("active OR ", 20_000, "active"), "too_long"),
        (chain("(", 10_000, ")"), "too_deep"),
        (format!("{}active{}", "(".repeat(10_000), ")".repeat(10_000)), "too_deep"),
        (chain("NOT ", 9_000, "active"), "too_deep"),
        (chain("- ", 9_000, "1 > 0"), "too_deep"),
        (chain("CASE WHEN ", 3_000, "active"), "syntax_error"),
        (chain("country || ", 4_000, "'x' = 'y'"), "too_deep"),
        (chain("a.", 4_000, "b"), "too_deep"),
        (chain("a.", 60, "["), "syntax_error"),
        (chain("a.", 60, ""), "syntax_error"),
        (chain("tags[1]", 1, &"[1]".repeat(3_000)), "too_deep"),
        (chain("active IS NULL ", 1, &"IS NULL ".repeat(4_000)), "too_deep"),
        (format!("crmId IN ({}'x')", "'x',".repeat(1_000_000)), "too_long"),
        (" ".repeat(5 << 20), "too_long"),
        (chain("lower(", 60, "active"), "syntax_error"),
        (chain("a.b(", 60, ""), "unknown_function"),
        (chain("CAST(a.", 60, "a"), "unknown_function"),
        (chain("CAST(", 60, "a"), "syntax_error"),
        (chain("INTERVAL ", 5_000, "'1'"), "too_deep"),
    ];
    for (text, code) in cases {
        let shown: String = text.chars().take(40).collect();
        let error = timed(&text).expect_err(&shown);
        assert_eq!(error.code, code, "{shown}");
    }
}

/// Checks a text; a debug build on a busy machine has some seconds for what takes milliseconds.
fn timed(text: &str) -> Result<FieldType, ExpressionError> {
    let begin = Instant::now();
    let outcome = check(text, Expect::Boolean);
    let shown: String = text.chars().take(40).collect();
    assert!(begin.elapsed() < Duration::from_secs(8), "{shown} took {:?}", begin.elapsed());
    outcome
}

#[test]
fn nothing_that_nests_takes_exponential_time() {
    let beginnings = [
        "(",
        "((a,",
        "a.",
        "a.b(",
        "CAST(a.",
        "CAST(",
        "a::",
        "lower(a.",
        "CASE ",
        "CASE WHEN a.",
        "(SELECT ",
        "ARRAY[",
        "STRUCT(",
        "STRUCT<",
        "a < ANY(",
        "DATE ",
        "DATE(",
        "EXTRACT(",
        "INTERVAL ",
        "INTERVAL (",
        "NOT ",
        "EXISTS(",
        "a IN (",
        "a BETWEEN ",
        "a LIKE ",
        "{",
        "{'a': ",
        "[",
        "a[",
        "x -> ",
        "array_any_match(tags, x -> ",
        "array_filter(tags, (x) -> ",
        "array_filter(array_filter(tags, x -> ",
        "iif(",
        "iif(active, ",
        "equals(",
        "decode(a, ",
        "(x) -> ",
        "(x, y) -> (",
        "MAP {",
        "TRIM(",
        "SUBSTRING(",
        "POSITION(",
        "CEIL(",
        "TRY_CAST(",
        "CONVERT(",
        "a IS ",
        "a AT TIME ZONE ",
        "COLLATE ",
        "OVERLAY(",
        "PRIOR ",
        "MATCH(",
        "array(",
        "row(",
        "f(a => ",
        "f(DISTINCT ",
        "f(SELECT ",
        "'a' ",
        "b'",
        "TIMESTAMP(",
        "timestamp.",
        "order.",
        "a.order(",
        "a.a[",
        "a.a[1].",
        "f(a.a).",
        "a[b].",
        "a <",
        "a ||",
        "@",
        "a -> ",
        "a #>> ",
    ];
    for beginning in beginnings {
        for end in ["", "a", "active", ")"] {
            // Most are refused, and nobody waits for it.
            drop(timed(&format!("{}{end}", beginning.repeat(60))));
        }
    }
}

#[test]
fn long_chains_of_and_and_or_are_fine() {
    let any = vec!["crmId = 'x'"; 2_000].join(" OR ");
    assert_eq!(check(&any, Expect::Boolean), Ok(FieldType::Boolean));
    let mixed = vec!["active AND country = 'x'"; 1_200].join(" OR ");
    assert_eq!(check(&mixed, Expect::Boolean), Ok(FieldType::Boolean));
    let list = format!("crmId IN ({}'x')", "'y',".repeat(4_000));
    assert_eq!(check(&list, Expect::Boolean), Ok(FieldType::Boolean));
}
