//! Functions of our own, over Arrow arrays.
//!
//! Each gives the same result for the same arguments, wherever and whenever it runs, and nothing
//! longer than its arguments by more than a constant factor. A missing argument gives a missing
//! result unless a function says otherwise.

mod contact;
mod countries;
mod digest;
mod instants;
mod json;
mod lists;
mod literals;
mod maps;
mod read_time;
mod times;
mod url;

pub(super) use instants::instead_of;
pub(super) use literals::wrong_literal;
pub(crate) use maps::LENGTHS as MAP_LENGTHS;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

/// Every function of our own.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let texts = [
        digest::ALL.as_slice(),
        contact::ALL.as_slice(),
        url::ALL.as_slice(),
        json::ALL.as_slice(),
    ];
    let texts =
        texts.into_iter().flatten().map(|function| ScalarUDF::from(TextFunction::new(*function)));
    let others = [
        ScalarUDF::from(url::Port::new()),
        ScalarUDF::from(url::QueryText::new()),
        ScalarUDF::from(maps::TextToObject::new()),
        ScalarUDF::from(maps::ListsToMap::new()),
        ScalarUDF::from(lists::Best::new("array_top")),
        ScalarUDF::from(lists::Best::new("array_bottom")),
        ScalarUDF::from(lists::IsEmpty::new()),
        ScalarUDF::from(times::Format::new("format")),
        ScalarUDF::from(times::Format::new("dformat")),
        ScalarUDF::from(read_time::ReadTime::new()),
        ScalarUDF::from(times::SetPart::new()),
        ScalarUDF::from(times::MakeTime::new()),
    ];
    texts.chain(others).map(Arc::new).collect()
}

/// A function from texts to a text: its name, how many texts it takes, and what it does.
#[derive(Debug, Clone, Copy)]
struct Texts {
    name: &'static str,
    least: usize,
    most: usize,
    apply: fn(&[&str]) -> Option<String>,
}

/// A [`Texts`] as the engine knows it.
#[derive(Debug)]
struct TextFunction {
    function: Texts,
    signature: Signature,
}

impl TextFunction {
    fn new(function: Texts) -> Self {
        Self { function, signature: texts(function.least..=function.most) }
    }
}

/// The signature of a function that takes so many texts.
fn texts(counts: std::ops::RangeInclusive<usize>) -> Signature {
    Signature::one_of(counts.map(TypeSignature::String).collect(), Volatility::Immutable)
}

impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for TextFunction {}

impl Hash for TextFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = text_columns(&args)?;
        let mut results = StringViewBuilder::with_capacity(rows(&columns));
        each_row(&columns, |row| {
            results.append_option(row.and_then(|texts| (self.function.apply)(texts)));
        });
        Ok(ColumnarValue::Array(Arc::new(results.finish())))
    }
}

/// All arguments as columns of texts, of one length.
fn text_columns(args: &ScalarFunctionArgs) -> Result<Vec<StringViewArray>> {
    let columns = ColumnarValue::values_to_arrays(&args.args)?;
    columns.iter().map(text_column).collect()
}

fn text_column(column: &ArrayRef) -> Result<StringViewArray> {
    Ok(cast(column, &DataType::Utf8View)?.as_string_view().clone())
}

fn rows(columns: &[StringViewArray]) -> usize {
    columns.first().map_or(0, Array::len)
}

/// Calls `act` for each row: with its texts, or with nothing when one is missing.
fn each_row(columns: &[StringViewArray], mut act: impl FnMut(Option<&[&str]>)) {
    let mut texts: Vec<&str> = Vec::with_capacity(columns.len());
    for row in 0..rows(columns) {
        if columns.iter().any(|column| column.is_null(row)) {
            act(None);
            continue;
        }
        texts.clear();
        texts.extend(columns.iter().map(|column| column.value(row)));
        act(Some(&texts));
    }
}
