//! Texts as codes: a row group that holds a column by a dictionary alone can be read as one, so that
//! each text is looked at once for the whole row group and not once for each row.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Encoding;
use parquet::file::metadata::ColumnChunkMetaData;

use crate::path::Steps;

/// The type in which such a column is read.
fn codes() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Lets the texts that `coded` paths lead to be read as codes, as far as a row group holds them so.
pub(super) fn with_codes(
    metadata: ArrowReaderMetadata,
    row_group: usize,
    coded: &BTreeSet<Steps>,
) -> ArrowReaderMetadata {
    if coded.is_empty() {
        return metadata;
    }
    let columns = metadata.metadata().row_group(row_group).columns();
    let mut fields = metadata.schema().fields().clone();
    for path in coded {
        let names = path.struct_names(&fields);
        let column = columns.iter().find(|column| {
            let parts = column.column_path().parts();
            parts.iter().map(String::as_str).eq(names.iter().copied())
        });
        if column.is_some_and(holds_codes) {
            fields = with_type(&fields, &names);
        }
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
    // A file whose types do not allow it is read as it was before.
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).unwrap_or(metadata)
}

/// Whether every page of a column refers to the dictionary. Writers give up on dictionaries that become
/// too large, and go on with the texts themselves.
fn holds_codes(column: &ColumnChunkMetaData) -> bool {
    column.dictionary_page_offset().is_some()
        && column.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::PLAIN_DICTIONARY) || mask.is_only(Encoding::RLE_DICTIONARY)
        })
}

/// The fields, of which the text that `names` lead to is read as codes.
fn with_type(fields: &Fields, names: &[&str]) -> Fields {
    let Some((first, rest)) = names.split_first() else { return fields.clone() };
    let changed = |field: &FieldRef| -> FieldRef {
        let data_type = match field.data_type() {
            DataType::Struct(inner) if !rest.is_empty() => DataType::Struct(with_type(inner, rest)),
            data_type if data_type.is_string() && rest.is_empty() => codes(),
            _ => return Arc::clone(field),
        };
        Arc::new(Field::clone(field).with_data_type(data_type))
    };
    let fields = fields.iter();
    fields.map(|it| if it.name() == first { changed(it) } else { Arc::clone(it) }).collect()
}
