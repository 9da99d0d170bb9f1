//! `to_timestamp` and its siblings, whose results are instants: in UTC, and not times without a zone.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

/// The functions that make times of numbers and texts.
const NAMES: [&str; 5] = [
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
];

/// The function in the place of one of the engine's.
pub(in crate::expression) fn instead_of(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match NAMES.contains(&function.name()) {
        true => Arc::new(ScalarUDF::from(ToInstant { inner: function })),
        false => function,
    }
}

/// One of the engine's functions, with UTC said of its result.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ToInstant {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ToInstant {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types).map(in_utc)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let utc = args.return_field.data_type().clone();
        // A time without a zone is one of UTC; the engine's own setting leaves texts out.
        self.inner.inner().invoke_with_args(args)?.cast_to(&utc, None)
    }
}

fn in_utc(data_type: DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, _) => DataType::Timestamp(unit, Some("UTC".into())),
        other => other,
    }
}
