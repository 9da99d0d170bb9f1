//! Texts as codes: a row group that holds a column by a dictionary alone can be read as one, so that
//! each text is looked at once for the whole row group and not once for each row.

use std::collections::{BTreeSet, HashSet};
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
    let fields = metadata.schema().fields();
    let wanted: HashSet<Vec<&str>> = coded.iter().map(|path| path.struct_names(fields)).collect();
    let columns = metadata.metadata().row_group(row_group).columns().iter();
    let held: HashSet<Vec<&str>> = columns
        .filter(|column| holds_codes(column))
        .map(|column| column.column_path().parts().iter().map(String::as_str).collect())
        .filter(|names| wanted.contains(names))
        .collect();
    if held.is_empty() {
        return metadata;
    }
    let fields = with_types(fields, &mut Vec::new(), &held);
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

/// The fields, of which the texts that `coded` names lead to are read as codes; `above` are the names
/// that lead to the fields.
fn with_types<'f>(
    fields: &'f Fields,
    above: &mut Vec<&'f str>,
    coded: &HashSet<Vec<&str>>,
) -> Fields {
    let mut changed = |field: &'f FieldRef| -> FieldRef {
        above.push(field.name());
        let data_type = match field.data_type() {
            DataType::Struct(inner) => Some(DataType::Struct(with_types(inner, above, coded))),
            data_type => (data_type.is_string() && coded.contains(&*above)).then(codes),
        };
        above.pop();
        let with = |data_type| Arc::new(Field::clone(field).with_data_type(data_type));
        data_type.map_or_else(|| Arc::clone(field), with)
    };
    fields.iter().map(&mut changed).collect()
}
