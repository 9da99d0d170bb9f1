//! How large the result of a call may become, from the sizes of its arguments.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

/// How large a result may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Estimate {
    /// The second argument may stand in the first as often as there is place, and the third in its place.
    Replace,
    /// The third argument may come to stand behind every character, and may repeat what it replaces.
    ReplacePattern,
    /// The second argument stands between the elements of the first, and the third for missing ones.
    JoinElements,
    /// The first argument stands between the others.
    Join,
    /// The last argument may take the place of every element.
    ReplaceElements,
    /// All arguments, one behind the other.
    Sum,
}

impl Estimate {
    pub(super) fn of(function: &str) -> Option<Self> {
        Some(match function {
            "replace" => Self::Replace,
            "regexp_replace" => Self::ReplacePattern,
            "array_to_string" => Self::JoinElements,
            "concat_ws" => Self::Join,
            "array_replace" | "array_replace_all" => Self::ReplaceElements,
            "concat" | "array_concat" | "make_array" | "named_struct" => Self::Sum,
            _ => return None,
        })
    }

    /// The most bytes that a call may make of these arguments.
    pub(super) fn bytes(
        self,
        call: &Arc<dyn PhysicalExpr>,
        arguments: &RecordBatch,
    ) -> Result<usize> {
        let rows = arguments.num_rows();
        let sizes: Vec<Size> = call
            .children()
            .into_iter()
            .map(|argument| match argument.evaluate(arguments)? {
                ColumnarValue::Array(array) => Ok(Size::of(&array)),
                ColumnarValue::Scalar(value) => {
                    let size = Size::of(&value.to_array()?);
                    Ok(Size { total: size.total.saturating_mul(rows), ..size })
                }
            })
            .collect::<Result<_>>()?;
        let size = |index: usize| sizes.get(index).copied().unwrap_or_default();
        let sum = sizes.iter().fold(0_usize, |sum, size| sum.saturating_add(size.total));
        let (first, second, third) = (size(0), size(1), size(2));
        let added = match self {
            Self::Replace => {
                let places = first.total / second.shortest.max(1) + rows;
                places.saturating_mul(third.longest)
            }
            Self::ReplacePattern => {
                (first.total + rows).saturating_mul(third.longest).saturating_mul(2)
            }
            Self::JoinElements => {
                first.elements.saturating_mul(second.longest.saturating_add(third.longest))
            }
            Self::Join => first.longest.saturating_mul(rows).saturating_mul(sizes.len()),
            Self::ReplaceElements => {
                let last = sizes.last().copied().unwrap_or_default();
                first.elements.saturating_mul(last.longest)
            }
            Self::Sum => 0,
        };
        Ok(sum.saturating_add(added))
    }
}

/// How large the values of a column are.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    total: usize,
    shortest: usize,
    longest: usize,
    /// All elements, of lists.
    elements: usize,
}

impl Size {
    fn of(array: &ArrayRef) -> Self {
        let mut size = Self { shortest: usize::MAX, elements: elements(array), ..Self::default() };
        each_bytes(array, |bytes| {
            size.total = size.total.saturating_add(bytes);
            size.shortest = size.shortest.min(bytes);
            size.longest = size.longest.max(bytes);
        });
        if array.is_empty() {
            size.shortest = 0;
        }
        size
    }
}

fn elements(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::List(_) => {
            let offsets = array.as_list::<i32>().value_offsets();
            usize::try_from(offsets[array.len()] - offsets[0]).unwrap_or(0)
        }
        DataType::LargeList(_) => {
            let offsets = array.as_list::<i64>().value_offsets();
            usize::try_from(offsets[array.len()] - offsets[0]).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Calls `act` with the bytes of each value: of texts as they are, of elements on an average.
pub(super) fn each_bytes(array: &ArrayRef, mut act: impl FnMut(usize)) {
    let between = |offsets: &[i32]| usize::try_from(offsets[1] - offsets[0]).unwrap_or(0);
    let between_large = |offsets: &[i64]| usize::try_from(offsets[1] - offsets[0]).unwrap_or(0);
    match array.data_type() {
        DataType::Utf8View => {
            // The lower half of a view is the length.
            let views = array.as_string_view().views();
            views.iter().for_each(|view| act(*view as u32 as usize));
        }
        DataType::Utf8 => {
            array.as_string::<i32>().value_offsets().windows(2).for_each(|it| act(between(it)));
        }
        DataType::LargeUtf8 => {
            let offsets = array.as_string::<i64>().value_offsets();
            offsets.windows(2).for_each(|it| act(between_large(it)));
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let each = on_average(list.values());
            list.value_offsets().windows(2).for_each(|it| act(between(it).saturating_mul(each)));
        }
        _ => {
            let each = on_average(array);
            (0..array.len()).for_each(|_| act(each));
        }
    }
}

fn on_average(array: &ArrayRef) -> usize {
    bytes(array).div_ceil(array.len().max(1))
}

/// The bytes of an array: of texts that lie in the buffers of others, those that it shows.
pub(super) fn bytes(array: &ArrayRef) -> usize {
    let each = |width: usize| array.len().saturating_mul(width);
    match array.data_type() {
        DataType::Utf8View => {
            let mut all = each(size_of::<u128>());
            each_bytes(array, |bytes| all = all.saturating_add(bytes));
            all
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let first = list.value_offsets()[0] as usize;
            let shown = list.values().slice(first, elements(array));
            each(size_of::<i32>()).saturating_add(bytes(&shown))
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter();
            columns.fold(0, |all, column| all.saturating_add(bytes(column)))
        }
        _ => array
            .to_data()
            .get_slice_memory_size()
            .unwrap_or_else(|_| array.get_array_memory_size()),
    }
}
