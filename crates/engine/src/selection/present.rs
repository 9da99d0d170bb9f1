//! Which values are there, so that mandatory columns can ask.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

/// Which values are there: neither null nor an empty text. Nothing when all are.
pub(crate) fn present(column: &ArrayRef) -> Option<BooleanBuffer> {
    let has_text = match column.data_type() {
        DataType::Utf8 => empties(column.as_string::<i32>().iter()),
        DataType::LargeUtf8 => empties(column.as_string::<i64>().iter()),
        // The length is the lower half of a view.
        DataType::Utf8View => {
            let views = column.as_string_view().views();
            let has_empty = views.iter().any(|&view| view as u32 == 0);
            has_empty.then(|| views.iter().map(|&view| view as u32 != 0).collect())
        }
        _ => None,
    };
    let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    match (has_text, nulls) {
        (None, None) => None,
        (Some(text), None) => Some(text),
        (None, Some(nulls)) => Some(nulls.into_inner()),
        (Some(text), Some(nulls)) => Some(&text & nulls.inner()),
    }
}

fn empties<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Option<BooleanBuffer> {
    let has_empty = texts.clone().any(|text| text == Some(""));
    has_empty.then(|| texts.map(|text| text != Some("")).collect())
}
