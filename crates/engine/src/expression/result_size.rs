//! No result of an expression is larger than memory allows.
//!
//! Some functions make much out of little: each `replace` in another may make a text ten times as long,
//! and a function of the elements of a list may see the whole list for each of them. So what a call may
//! make is estimated before it is made, from the sizes of its arguments, and measured afterwards. Records
//! whose results together may be too large are taken some at a time; a record whose own result is too
//! large ends the run with an error, and not the process.

mod constants;
mod estimate;
mod spread;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion_physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, ScalarFunctionExpr};

pub(super) use self::constants::are_constants_too_large;
use self::estimate::{Estimate, bytes};
use self::spread::Spread;

/// The largest result of one call for the records of one batch, in bytes, beyond what the batch holds.
pub(crate) const RESULT_BYTES_MAX: usize = 256 << 20;

/// Makes every call of an expression keep the limit.
pub(super) fn limited(
    expression: Arc<dyn PhysicalExpr>,
    max: usize,
) -> Result<Arc<dyn PhysicalExpr>> {
    Ok(expression.transform_up(|node| limit(node, max))?.data)
}

fn limit(node: Arc<dyn PhysicalExpr>, max: usize) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    if let Some(call) = node.downcast_ref::<ScalarFunctionExpr>() {
        return Ok(Transformed::yes(match Estimate::of(call.name()) {
            Some(estimate) => Arc::new(Estimated::new(&node, estimate, max)?),
            None => Arc::new(Measured { call: Call(node), max }),
        }));
    }
    if let Some(call) = node.downcast_ref::<HigherOrderFunctionExpr>() {
        let spread = Spread::of(call.args(), max)?;
        let node = match spread {
            Some(arguments) => Arc::clone(&node).with_new_children(arguments)?,
            None => node,
        };
        return Ok(Transformed::yes(Arc::new(Measured { call: Call(node), max })));
    }
    let is_joined = node
        .downcast_ref::<BinaryExpr>()
        .is_some_and(|operation| *operation.op() == Operator::StringConcat);
    if is_joined {
        return Ok(Transformed::yes(Arc::new(Measured { call: Call(node), max })));
    }
    Ok(Transformed::no(node))
}

/// A call of a function. What is derived for it directly would move it.
#[derive(Debug, Clone, Eq)]
struct Call(Arc<dyn PhysicalExpr>);

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq(&other.0)
    }
}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// A call whose result is no longer than its arguments by more than a small factor: it is measured when
/// it is there.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Measured {
    call: Call,
    max: usize,
}

impl PhysicalExpr for Measured {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let result = self.call.0.evaluate(batch)?;
        if let ColumnarValue::Array(array) = &result {
            check(array, bytes_max(batch, self.max))?;
        }
        Ok(result)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.call.0.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.call.0]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let call = children.pop().ok_or_else(no_child)?;
        Ok(Arc::new(Self { call: Call(call), max: self.max }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.0.fmt_sql(f)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.0.fmt(f)
    }
}

/// A call whose result may be as long as the product of its arguments.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Estimated {
    estimate: Estimate,
    /// What is not written out, in order.
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    /// The call, with columns of these in their places.
    call: Call,
    max: usize,
}

impl Estimated {
    fn new(call: &Arc<dyn PhysicalExpr>, estimate: Estimate, max: usize) -> Result<Self> {
        let mut arguments = Vec::new();
        let mut places: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
        for argument in call.children() {
            if argument.downcast_ref::<Literal>().is_some() {
                places.push(Arc::clone(argument));
                continue;
            }
            places.push(Arc::new(Column::new("", arguments.len())));
            arguments.push(Arc::clone(argument));
        }
        let call = Arc::clone(call).with_new_children(places)?;
        Ok(Self { estimate, arguments, call: Call(call), max })
    }

    /// The arguments of a batch, as a batch.
    fn arguments(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for argument in &self.arguments {
            let field = argument.return_field(batch.schema_ref())?;
            fields.push(field.as_ref().clone().with_nullable(true));
            columns.push(argument.evaluate(batch)?.into_array(batch.num_rows())?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let schema = Arc::new(Schema::new(fields));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }

    /// Makes the results some at a time, as they may be too large together.
    fn some_at_a_time(
        &self,
        arguments: &RecordBatch,
        max: usize,
        results: &mut Results,
    ) -> Result<()> {
        let rows = arguments.num_rows();
        if self.estimate.bytes(&self.call.0, arguments)? <= max {
            let result = self.call.0.evaluate(arguments)?.into_array(rows)?;
            results.bytes = results.bytes.saturating_add(bytes(&result));
            results.arrays.push(result);
            return if results.bytes > max { Err(too_large()) } else { Ok(()) };
        }
        if rows <= 1 {
            return Err(too_large());
        }
        let half = rows / 2;
        self.some_at_a_time(&arguments.slice(0, half), max, results)?;
        self.some_at_a_time(&arguments.slice(half, rows - half), max, results)
    }
}

#[derive(Default)]
struct Results {
    arrays: Vec<ArrayRef>,
    bytes: usize,
}

impl PhysicalExpr for Estimated {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let max = bytes_max(batch, self.max);
        let arguments = self.arguments(batch)?;
        if self.estimate.bytes(&self.call.0, &arguments)? <= max {
            return self.call.0.evaluate(&arguments);
        }
        let mut results = Results::default();
        self.some_at_a_time(&arguments, max, &mut results)?;
        let arrays: Vec<&dyn Array> = results.arrays.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(arrow::compute::concat(&arrays)?))
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.call.0.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.arguments.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        arguments: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self {
            estimate: self.estimate,
            arguments,
            call: self.call.clone(),
            max: self.max,
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.0.fmt_sql(f)
    }
}

impl fmt::Display for Estimated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.0.fmt(f)
    }
}

/// How large a result may be for a batch: records that are large themselves may have large results.
fn bytes_max(batch: &RecordBatch, max: usize) -> usize {
    batch.get_array_memory_size().saturating_mul(2).saturating_add(max)
}

fn check(array: &ArrayRef, max: usize) -> Result<()> {
    // The second one is exact, and takes longer.
    if array.get_array_memory_size() > max && bytes(array) > max {
        return Err(too_large());
    }
    Ok(())
}

fn too_large() -> DataFusionError {
    DataFusionError::ResourcesExhausted("the result of a function is too large".to_owned())
}

fn no_child() -> DataFusionError {
    DataFusionError::Internal("a call has one child".to_owned())
}

#[cfg(test)]
mod tests;
