use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, ListBuilder, RecordBatch, StringViewArray, StringViewBuilder,
};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{DataFusionError, Result};
use jiff::Timestamp;

use super::*;
use crate::expression::compile::{compile_within, flat_schema};
use crate::expression::{Expect, Parsed, check_expression, with_stack};
use crate::fields;

/// Small, so that tests are fast.
const MAX: usize = 1 << 20;

/// Records with a name and a list of tags, so many of each length.
fn people(rows: usize, name: &str, tags: usize) -> RecordBatch {
    let names = StringViewArray::from(vec![name; rows]);
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for _ in 0..rows {
        for tag in 0..tags {
            lists.values().append_value(format!("tag {tag}"));
        }
        lists.append(true);
    }
    let lists = lists.finish();
    let schema = Schema::new(vec![
        Field::new("name", DataType::Utf8View, true),
        Field::new("tags", lists.data_type().clone(), true),
    ]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(names), Arc::new(lists)]).unwrap()
}

fn compute(text: &str, batch: &RecordBatch) -> Result<ArrayRef> {
    let described = fields::describe(batch.schema_ref());
    let (parsed, compiled) = with_stack(|| {
        let parsed = Parsed::new(text, &described).unwrap();
        let flat = flat_schema(&parsed.fields, batch.schema_ref());
        let compiled = compile_within(MAX, &parsed, &flat, Expect::Any, Timestamp::UNIX_EPOCH);
        (parsed, compiled)
    });
    let columns: Vec<usize> = parsed
        .fields
        .iter()
        .map(|path| batch.schema_ref().index_of(&path.to_string()).unwrap())
        .collect();
    let batch = batch.project(&columns).unwrap();
    let result = compiled.unwrap().expression.evaluate(&batch)?.into_array(batch.num_rows())?;
    let is_text = !result.data_type().is_nested();
    Ok(if is_text { arrow::compute::cast(&result, &DataType::Utf8View)? } else { result })
}

fn is_too_large(text: &str, batch: &RecordBatch) -> bool {
    match compute(text, batch) {
        Ok(_) => false,
        Err(error) => {
            assert!(
                matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)),
                "{text}: {error}"
            );
            true
        }
    }
}

/// `replace` in itself so many times, each ten times as long.
fn longer(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| format!("replace({text}, 'n', 'nnnnnnnnnn')"))
}

#[test]
fn what_stays_within_the_limit_is_computed() {
    let batch = people(100, "n, n", 3);
    let texts = compute(&longer("name", 3), &batch).unwrap();
    assert_eq!(texts.as_string_view().value(99).len(), 2_002);
    let cases = [
        ("regexp_replace(name, '(n)', '<\\1>', 'g')", "<n>, <n>"),
        ("replace(name, ', ', '')", "nn"),
        ("concat(name, '!', name)", "n, n!n, n"),
        ("name || name", "n, nn, n"),
        ("array_to_string(tags, '; ')", "tag 0; tag 1; tag 2"),
        ("concat_ws('-', name, name)", "n, n-n, n"),
        (
            "array_to_string(array_transform(tags, t -> concat(t, name)), ' ')",
            "tag 0n, n tag 1n, n tag 2n, n",
        ),
    ];
    for (text, expected) in cases {
        let texts = compute(text, &batch).unwrap();
        assert_eq!(texts.as_string_view().value(50), expected, "{text}");
    }
}

#[test]
fn records_that_are_too_large_together_are_computed_some_at_a_time() {
    // Each place could hold the longest text, and none does.
    let batch = people(400, &"m".repeat(200), 1);
    let text = "replace(name, 'n', 'a text that is a good deal longer than what it stands for')";
    let texts = compute(text, &batch).unwrap();
    assert_eq!((texts.len(), texts.as_string_view().value(399).len()), (400, 200));
}

#[test]
fn what_would_be_too_large_is_an_error() {
    let batch = people(100, "n", 3);
    assert!(is_too_large(&longer("name", 9), &batch), "all together");
    assert!(is_too_large(&longer("name", 20), &people(1, "n", 3)), "in the only one");
    let doubled = |text: &str, times: usize| {
        (0..times).fold(text.to_owned(), |text, _| format!("array_transform({text}, t -> t || t)"))
    };
    assert!(!is_too_large(&doubled("tags", 4), &batch));
    assert!(is_too_large(&doubled("tags", 24), &batch));
    let hex = (0..30).fold("name".to_owned(), |text, _| format!("encode({text}, 'hex')"));
    assert!(is_too_large(&hex, &batch));
    let long = people(4, "n", 2_000);
    assert!(!is_too_large("array_transform(tags, t -> t || name)", &long));
    assert!(is_too_large("array_transform(tags, t -> array_to_string(tags, t))", &long));
    assert!(is_too_large("array_transform(tags, t -> array_transform(tags, u -> t))", &long));
    assert!(is_too_large("array_to_string(tags, array_to_string(tags, ','))", &long));
    assert!(is_too_large("array_replace_all(tags, 'tag 1', array_to_string(tags, ','))", &long));
    assert!(is_too_large(
        "regexp_replace(array_to_string(tags, ','), '', array_to_string(tags, ','), 'g')",
        &long
    ));
}

#[test]
fn constants_are_refused_when_the_expression_is_checked() {
    let schema = fields::describe(people(0, "", 0).schema_ref());
    let refused = |text: &str| check_expression(text, &schema, Expect::Any).unwrap_err();
    for text in [
        longer("'nnnnnnnn'", 9),
        format!("concat(name, {})", longer("'nnnnnnnn'", 9)),
        (0..30).fold("'n'".to_owned(), |text, _| format!("encode({text}, 'hex')")),
        (0..30).fold("['n', 'n']".to_owned(), |text, _| {
            format!("array_transform({text}, t -> t || t || t || t)")
        }),
    ] {
        assert_eq!(refused(&text).code, "too_large", "{text}");
    }
    insta::assert_snapshot!(refused(&longer("'nnnnnnnn'", 9)).message, @"a value that is made of constants alone may become very large");
    for text in ["upper(lower('a'))", "replace('a-b', '-', '')", "concat('a', 'b')"] {
        check_expression(text, &schema, Expect::Any).expect(text);
    }
}
