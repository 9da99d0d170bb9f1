//! Digests of records, so that it shows whether a bucket holds what it held before.
//!
//! What is hashed is what the arrays say, not how they lie in memory. The place of a record is left
//! out: it is another one when a file is added before its own, and only the order matters.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait, RecordBatch};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};

use super::fragments::ADDRESS;
use crate::error::Error;

/// What stands for some records in their order.
pub(super) type Digest = [u8; 16];
/// The digest of no records.
pub(super) const NOTHING: Digest = [0; 16];

/// Whether records of these columns can be told apart.
pub(super) fn can_tell(schema: &Schema) -> bool {
    schema.fields().iter().all(|field| is_known(field.data_type()))
}

fn is_known(kind: &DataType) -> bool {
    use DataType::*;
    match kind {
        Null | Boolean | FixedSizeBinary(_) | Utf8 | LargeUtf8 | Utf8View | Binary
        | LargeBinary | BinaryView => true,
        List(item) | LargeList(item) | FixedSizeList(item, _) | Map(item, _) => {
            is_known(item.data_type())
        }
        Struct(fields) => fields.iter().all(|field| is_known(field.data_type())),
        Dictionary(_, value) => is_known(value),
        other => other.is_primitive(),
    }
}

/// Takes records in, behind those before.
pub(super) fn extend(digest: &mut Digest, records: &RecordBatch) -> Result<(), Error> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest);
    for (number, column) in records.columns().iter().enumerate() {
        if number != ADDRESS {
            add(&mut hasher, column.as_ref())?;
        }
    }
    if let Some(first) = hasher.finalize().as_bytes().first_chunk() {
        *digest = *first;
    }
    Ok(())
}

/// Hashes the values of an array; the number of bytes follows from its type and what came before.
fn add(hasher: &mut blake3::Hasher, array: &dyn Array) -> Result<(), Error> {
    number(hasher, array.len());
    number(hasher, array.null_count());
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        bits(hasher, nulls.inner());
    }
    use DataType::*;
    match array.data_type() {
        Null => {}
        Boolean => bits(hasher, array.as_boolean().values()),
        Utf8 => {
            bytes(hasher, array.as_string::<i32>().offsets(), array.as_string::<i32>().values())
        }
        LargeUtf8 => {
            bytes(hasher, array.as_string::<i64>().offsets(), array.as_string::<i64>().values());
        }
        Binary => {
            bytes(hasher, array.as_binary::<i32>().offsets(), array.as_binary::<i32>().values())
        }
        LargeBinary => {
            bytes(hasher, array.as_binary::<i64>().offsets(), array.as_binary::<i64>().values());
        }
        Utf8View => array.as_string_view().iter().for_each(|text| {
            let text = text.unwrap_or_default();
            number(hasher, text.len());
            hasher.update(text.as_bytes());
        }),
        BinaryView => array.as_binary_view().iter().for_each(|value| {
            let value = value.unwrap_or_default();
            number(hasher, value.len());
            hasher.update(value);
        }),
        List(_) => {
            items(hasher, array.as_list::<i32>().offsets(), array.as_list::<i32>().values())?
        }
        LargeList(_) => {
            items(hasher, array.as_list::<i64>().offsets(), array.as_list::<i64>().values())?;
        }
        Map(..) => {
            let map = array.as_map();
            let entries: ArrayRef = std::sync::Arc::new(map.entries().clone());
            items(hasher, map.offsets(), &entries)?;
        }
        FixedSizeList(..) => add(hasher, array.as_fixed_size_list().values().as_ref())?,
        Struct(_) => {
            array.as_struct().columns().iter().try_for_each(|it| add(hasher, it.as_ref()))?;
        }
        Dictionary(_, value) => {
            let values = cast(&array.slice(0, array.len()), value)
                .map_err(|_| Error::internal("a dictionary cannot be unpacked"))?;
            add(hasher, values.as_ref())?;
        }
        kind => {
            let width = match kind {
                FixedSizeBinary(width) => usize::try_from(*width).ok(),
                other => other.primitive_width(),
            };
            let data = array.to_data();
            let values = width.and_then(|width| {
                let (from, to) = (data.offset() * width, (data.offset() + data.len()) * width);
                data.buffers().first()?.get(from..to)
            });
            hasher.update(values.ok_or_else(|| Error::internal("a type has no digest"))?);
        }
    }
    Ok(())
}

fn number(hasher: &mut blake3::Hasher, number: usize) {
    hasher.update(&(number as u64).to_le_bytes());
}

fn bits(hasher: &mut blake3::Hasher, bits: &BooleanBuffer) {
    let chunks = bits.bit_chunks();
    chunks.iter().chain([chunks.remainder_bits()]).for_each(|chunk| {
        hasher.update(&chunk.to_le_bytes());
    });
}

fn lengths<O: OffsetSizeTrait>(hasher: &mut blake3::Hasher, offsets: &OffsetBuffer<O>) {
    offsets.windows(2).for_each(|pair| number(hasher, (pair[1] - pair[0]).as_usize()));
}

/// The range of values that offsets lead to.
fn extent<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> std::ops::Range<usize> {
    let at = |offset: Option<&O>| offset.map_or(0, |offset| offset.as_usize());
    at(offsets.first())..at(offsets.last())
}

fn bytes<O: OffsetSizeTrait>(
    hasher: &mut blake3::Hasher,
    offsets: &OffsetBuffer<O>,
    values: &[u8],
) {
    lengths(hasher, offsets);
    hasher.update(&values[extent(offsets)]);
}

fn items<O: OffsetSizeTrait>(
    hasher: &mut blake3::Hasher,
    offsets: &OffsetBuffer<O>,
    values: &ArrayRef,
) -> Result<(), Error> {
    lengths(hasher, offsets);
    let extent = extent(offsets);
    add(hasher, values.slice(extent.start, extent.len()).as_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, FixedSizeBinaryArray, Int64Array, ListArray, StringArray, StringViewArray,
        UInt64Array,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    fn records(texts: &[Option<&str>], numbers: &[Option<i64>], first_address: u64) -> RecordBatch {
        let hashes = vec![7_u8; 16 * texts.len()];
        let lists = numbers.iter().map(|it| it.map(|it| vec![Some(it as i32); it as usize]));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("hash", Arc::new(FixedSizeBinaryArray::new(16, hashes.into(), None))),
            (
                "address",
                Arc::new(UInt64Array::from_iter_values((first_address..).take(texts.len()))),
            ),
            ("text", Arc::new(StringArray::from(texts.to_vec()))),
            ("view", Arc::new(StringViewArray::from_iter(texts.iter().copied()))),
            ("number", Arc::new(Int64Array::from(numbers.to_vec()))),
            (
                "flag",
                Arc::new(numbers.iter().map(|it| it.map(|it| it > 1)).collect::<BooleanArray>()),
            ),
            ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn digest(records: &RecordBatch) -> Digest {
        let mut digest = NOTHING;
        assert!(can_tell(&records.schema()));
        extend(&mut digest, records).expect("the types are known");
        digest
    }

    #[test]
    fn records_are_told_apart_by_what_they_say() {
        let texts = [Some("ab"), None, Some(""), Some("c"), Some("a longer text than fits a view")];
        let numbers = [Some(1), Some(2), None, Some(0), Some(3)];
        let whole = digest(&records(&texts, &numbers, 0));
        assert_eq!(whole, digest(&records(&texts, &numbers, 90)), "the place does not matter");
        let shifted = [[Some("x"), Some("y")].as_slice(), &texts].concat();
        let sliced = records(&shifted, &[&[None, Some(3)][..], &numbers].concat(), 0).slice(2, 5);
        assert_eq!(whole, digest(&sliced), "nor does how the values lie in memory");
        for others in [
            ([Some("a"), None, Some("b"), Some("c"), texts[4]], numbers),
            ([Some("ab"), Some(""), None, Some("c"), texts[4]], numbers),
            ([texts[1], texts[0], texts[2], texts[3], texts[4]], numbers),
            (texts, [Some(1), Some(2), Some(0), None, Some(3)]),
            (texts, [Some(1), Some(3), None, Some(0), Some(2)]),
        ] {
            assert_ne!(whole, digest(&records(&others.0, &others.1, 0)), "{others:?}");
        }
        let mut parts = NOTHING;
        let all = records(&texts, &numbers, 0);
        extend(&mut parts, &all.slice(0, 2)).expect("the types are known");
        let first = parts;
        extend(&mut parts, &all.slice(2, 3)).expect("the types are known");
        assert_ne!(first, parts, "more records, another digest");
    }
}
