//! Lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, cast, sort_to_indices, take};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// `array_top(list, keys, n)` and `array_bottom`: the elements with the `n` largest or smallest
/// keys, in that order; of equal keys the first in the list comes first, elements without a key
/// come last.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Best {
    name: &'static str,
    signature: Signature,
}

impl Best {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Best {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, keys, count] = types else {
            return plan_err!("{} takes a list, a list of keys and a count", self.name);
        };
        if !count.is_integer() {
            return plan_err!("the count of {} is a whole number", self.name);
        }
        Ok(vec![as_list(list)?, as_list(keys)?, DataType::Int64])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        as_list(&types[0])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let (lists, keys) = (columns[0].as_list::<i32>(), columns[1].as_list::<i32>());
        let counts: &Int64Array = columns[2].as_primitive::<Int64Type>();
        let mut chosen: Vec<u64> = Vec::new();
        let mut lengths = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let before = chosen.len();
            if lists.is_valid(row) && keys.is_valid(row) && counts.is_valid(row) {
                let (begin, length) = (lists.value_offsets()[row], lists.value_length(row));
                if keys.value_length(row) != length {
                    return exec_err!("a list and its keys differ in length");
                }
                let best = self.best(&keys.value(row), counts.value(row))?;
                let begin = u64::try_from(begin).unwrap_or(0);
                chosen.extend(best.into_iter().map(|position| begin + position));
            }
            lengths.push(chosen.len() - before);
        }
        let values = take(lists.values(), &UInt64Array::from(chosen), None)?;
        let DataType::List(field) = lists.data_type() else {
            return exec_err!("{} takes a list", self.name);
        };
        let nulls = arrow::buffer::NullBuffer::union(lists.nulls(), keys.nulls());
        let offsets = OffsetBuffer::from_lengths(lengths);
        let best = ListArray::try_new(Arc::clone(field), offsets, values, nulls)?;
        Ok(ColumnarValue::Array(Arc::new(best)))
    }
}

impl Best {
    /// The positions of the best keys, the best first.
    fn best(&self, keys: &ArrayRef, count: i64) -> Result<Vec<u64>> {
        let count = usize::try_from(count).unwrap_or(0).min(keys.len());
        let descending = self.name == "array_top";
        // The engine's sort does not keep equal keys in order, so ranks are compared.
        let options = SortOptions { descending, nulls_first: false };
        let order = sort_to_indices(keys, Some(options), None)?;
        let mut order: Vec<u64> = order.values().iter().map(|index| u64::from(*index)).collect();
        let compare = arrow::array::make_comparator(keys, keys, options)?;
        let at = |position: u64| usize::try_from(position).unwrap_or(0);
        order.sort_by(|left, right| compare(at(*left), at(*right)).then(left.cmp(right)));
        order.truncate(count);
        Ok(order)
    }
}

/// Every kind of list as one.
fn as_list(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => Ok(DataType::List(Arc::clone(field))),
        DataType::Null => Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Null, true)))),
        other => plan_err!("expected a list, found {other}"),
    }
}

/// `is_empty(x)`: whether a text, a list or a map has nothing in it; what is missing is empty.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IsEmpty {
    signature: Signature,
}

impl IsEmpty {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IsEmpty {
    fn name(&self) -> &'static str {
        "is_empty"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match &types[0] {
            DataType::Map(..) | DataType::Null => Ok(DataType::Boolean),
            text if text.is_string() => Ok(DataType::Boolean),
            list => as_list(list).map(|_| DataType::Boolean),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = ColumnarValue::values_to_arrays(&args.args)?.remove(0);
        let is_empty: Vec<bool> = match column.data_type() {
            DataType::Null => vec![true; column.len()],
            DataType::Map(..) => {
                let maps = column.as_map();
                rows(&column, |row| maps.value_length(row) == 0)
            }
            data_type if data_type.is_string() => {
                let texts = super::text_column(&column)?;
                rows(&column, |row| texts.value(row).is_empty())
            }
            data_type => {
                let lists = cast(&column, &as_list(data_type)?)?;
                let lists = lists.as_list::<i32>();
                rows(&column, |row| lists.value_length(row) == 0)
            }
        };
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(is_empty))))
    }
}

fn rows(column: &ArrayRef, is_empty: impl Fn(usize) -> bool) -> Vec<bool> {
    (0..column.len()).map(|row| column.is_null(row) || is_empty(row)).collect()
}
