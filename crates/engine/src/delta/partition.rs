//! Values of partition columns, which the log holds as texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryViewArray, StringArray, UInt64Array, new_null_array};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::DataType;

/// A column of one value. Nothing if the text is no value of the type.
pub(super) fn repeated(text: Option<&str>, data_type: &DataType, rows: usize) -> Option<ArrayRef> {
    // An empty text stands for a missing value.
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Some(new_null_array(data_type, rows));
    };
    let one: ArrayRef = match data_type {
        // Each character is a byte.
        DataType::BinaryView => {
            let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
            Arc::new(BinaryViewArray::from_iter_values([bytes.collect::<Option<Vec<u8>>>()?]))
        }
        other => {
            let text: ArrayRef = Arc::new(StringArray::from_iter_values([text]));
            let options = CastOptions { safe: true, ..CastOptions::default() };
            compute::cast_with_options(&text, other, &options).ok()?
        }
    };
    if one.is_null(0) {
        return None;
    }
    compute::take(&one, &UInt64Array::from_value(0, rows), None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;
    use arrow::util::display::array_value_to_string;

    fn shown(text: &str, data_type: &DataType) -> Option<String> {
        let array = repeated(Some(text), data_type, 2)?;
        assert_eq!((array.len(), array.data_type()), (2, data_type));
        (!array.is_null(1)).then(|| array_value_to_string(&array, 1).expect("a text"))
    }

    #[test]
    fn texts_become_values_of_the_columns_type() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        let cases = [
            ("FR", DataType::Utf8View, Some("FR")),
            ("-7", DataType::Int32, Some("-7")),
            ("1.5", DataType::Decimal128(10, 2), Some("1.50")),
            ("true", DataType::Boolean, Some("true")),
            ("2026-01-31", DataType::Date32, Some("2026-01-31")),
            ("2026-01-31 12:30:00", utc.clone(), Some("2026-01-31T12:30:00Z")),
            ("2026-01-31T12:30:00.123456Z", utc, Some("2026-01-31T12:30:00.123456Z")),
            ("2026-01-31 12:30:00.5", local, Some("2026-01-31T12:30:00.500")),
            ("\u{1}\u{ff}", DataType::BinaryView, Some("01ff")),
            ("x", DataType::Int32, None),
            ("\u{100}", DataType::BinaryView, None),
        ];
        for (text, data_type, expected) in cases {
            assert_eq!(shown(text, &data_type).as_deref(), expected, "{text} as {data_type}");
        }
    }

    #[test]
    fn nothing_and_the_empty_text_are_missing_values() {
        for text in [None, Some("")] {
            let array = repeated(text, &DataType::Int32, 3).expect("a column");
            assert_eq!(array.null_count(), 3);
        }
    }
}
