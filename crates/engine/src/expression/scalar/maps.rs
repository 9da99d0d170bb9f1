//! Maps out of texts.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

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
