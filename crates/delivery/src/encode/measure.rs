//! How large the values of a column are: what a file of columns counts as its bytes.
//!
//! The plain size of a value is what it takes without any encoding: a boolean 1 byte, a number, date
//! or time its width, text and bytes their length and 4 more, a list or map its parts and 4 more, a
//! struct its parts, a missing value nothing. So it is a property of the row alone.

use arrow_array::cast::AsArray;
use arrow_array::types::{ByteArrayType, ByteViewType};
use arrow_array::{Array, GenericByteArray, GenericByteViewArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;

/// What the length of a text, list or map counts.
const LENGTH_BYTES: u64 = 4;

/// Returns the plain size of each value, in bytes. Types that no file has count 8.
pub(super) fn sizes(array: &dyn Array) -> Vec<u64> {
    let mut sizes = match array.data_type() {
        DataType::Utf8 => of_texts(array.as_string::<i32>()),
        DataType::LargeUtf8 => of_texts(array.as_string::<i64>()),
        DataType::Binary => of_texts(array.as_binary::<i32>()),
        DataType::LargeBinary => of_texts(array.as_binary::<i64>()),
        DataType::Utf8View => of_views(array.as_string_view()),
        DataType::BinaryView => of_views(array.as_binary_view()),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            of_runs(list.values().as_ref(), list.value_offsets())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            of_runs(list.values().as_ref(), list.value_offsets())
        }
        DataType::FixedSizeList(_, length) => {
            let values = array.as_fixed_size_list().values();
            let length = length.as_usize();
            let offsets: Vec<i64> = (0..=array.len()).map(|row| (row * length) as i64).collect();
            of_runs(values.as_ref(), &offsets)
        }
        DataType::Map(..) => {
            let map = array.as_map();
            of_runs(map.entries(), map.value_offsets())
        }
        DataType::Struct(_) => {
            let mut sizes = vec![0; array.len()];
            for part in array.as_struct().columns() {
                sizes
                    .iter_mut()
                    .zip(self::sizes(part.as_ref()))
                    .for_each(|(sum, size)| *sum += size);
            }
            sizes
        }
        data_type => vec![width(data_type); array.len()],
    };
    if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
        for (size, is_valid) in sizes.iter_mut().zip(nulls) {
            *size = if is_valid { *size } else { 0 };
        }
    }
    sizes
}

fn width(data_type: &DataType) -> u64 {
    match data_type {
        DataType::Boolean => 1,
        DataType::FixedSizeBinary(width) => width.as_usize() as u64,
        _ => data_type.primitive_width().unwrap_or(8) as u64,
    }
}

fn of_texts<T: ByteArrayType>(array: &GenericByteArray<T>) -> Vec<u64> {
    array
        .value_offsets()
        .windows(2)
        .map(|ends| (ends[1].as_usize() - ends[0].as_usize()) as u64 + LENGTH_BYTES)
        .collect()
}

fn of_views<T: ByteViewType>(array: &GenericByteViewArray<T>) -> Vec<u64> {
    // The length is the lowest 32 bits of a view.
    array.views().iter().map(|&view| u64::from(view as u32) + LENGTH_BYTES).collect()
}

/// The sizes of lists of `items`, whose bounds are `offsets`.
fn of_runs<O: ArrowNativeType>(items: &dyn Array, offsets: &[O]) -> Vec<u64> {
    let mut ends = vec![0_u64];
    for size in sizes(items) {
        ends.push(ends[ends.len() - 1] + size);
    }
    offsets
        .windows(2)
        .map(|pair| ends[pair[1].as_usize()] - ends[pair[0].as_usize()] + LENGTH_BYTES)
        .collect()
}
