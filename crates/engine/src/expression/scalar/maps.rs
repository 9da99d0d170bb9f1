//! Maps out of texts and of lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, is_null, nullif};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use datafusion_functions_nested::map::map_udf;

use super::url::{append, map_builder, text_map};
use super::{each_row, text_columns, texts};

/// The most pairs that are taken out of one text.
const PAIRS_MAX: usize = 1_000;

/// `str_to_object('a=1&b=2', '&', '=')`: the pairs of a text as a map.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TextToObject {
    signature: Signature,
}

impl TextToObject {
    pub(super) fn new() -> Self {
        Self { signature: texts(3..=3) }
    }
}

impl ScalarUDFImpl for TextToObject {
    fn name(&self) -> &'static str {
        "str_to_object"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(text_map())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = text_columns(&args)?;
        let mut maps = map_builder();
        let mut done = Ok(());
        each_row(&columns, |row| {
            let pairs = row.and_then(|texts| pairs(texts[0], texts[1], texts[2]));
            if done.is_ok() {
                done = append(&mut maps, pairs);
            }
        });
        done?;
        Ok(ColumnarValue::Array(Arc::new(maps.finish())))
    }
}

fn pairs(text: &str, between_pairs: &str, in_pair: &str) -> Option<Vec<(String, String)>> {
    if between_pairs.is_empty() || in_pair.is_empty() {
        return None;
    }
    let pair = |part: &str| {
        let (key, value) = part.split_once(in_pair)?;
        Some((key.to_owned(), value.to_owned()))
    };
    Some(text.split(between_pairs).filter_map(pair).take(PAIRS_MAX).collect())
}

/// Begins what is said when lists make no map; it holds no value.
pub(crate) const LENGTHS: &str = "the lists of keys and values of a map have different lengths";

/// `map(keys, values)`: the map of two lists; missing where one of them is.
///
/// That of the engine compares how many lists there are on each side and not how long they are: of lists
/// of different lengths, values of one record would come into the map of another.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ListsToMap {
    of_engine: Arc<ScalarUDF>,
}

impl ListsToMap {
    pub(super) fn new() -> Self {
        Self { of_engine: map_udf() }
    }
}

impl ScalarUDFImpl for ListsToMap {
    fn name(&self) -> &'static str {
        "map"
    }

    fn signature(&self) -> &Signature {
        self.of_engine.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.of_engine.return_type(types)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = args.args.iter().map(|list| plain_list(&list.to_array(args.number_rows)?));
        let [mut keys, values] = <[ArrayRef; 2]>::try_from(lists.collect::<Result<Vec<_>>>()?)
            .map_err(|_| exec_datafusion_err!("two lists make a map"))?;
        keys = nullif(&keys, &is_null(&values)?)?;
        let (key_lists, value_lists) = (keys.as_list::<i32>(), values.as_list::<i32>());
        let differ = |row: usize| {
            key_lists.is_valid(row) && key_lists.value_length(row) != value_lists.value_length(row)
        };
        if (0..keys.len()).any(differ) {
            return exec_err!("{LENGTHS}");
        }
        args.args = vec![ColumnarValue::Array(keys), ColumnarValue::Array(values)];
        self.of_engine.invoke_with_args(args)
    }
}

/// The list as one whose elements stand one behind the other.
fn plain_list(list: &ArrayRef) -> Result<ArrayRef> {
    match list.data_type() {
        DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            Ok(cast(list, &DataType::List(Arc::clone(element)))?)
        }
        _ => Ok(Arc::clone(list)),
    }
}
