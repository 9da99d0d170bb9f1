//! What a function of the elements of a list sees besides the element is there once for each of them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion_common::Result;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, LambdaExpr, LambdaVariable};

use super::estimate::each_bytes;
use super::{bytes_max, no_child, too_large};

/// The list of a function of elements, which is given all that the function sees besides the element, for
/// each element anew.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Spread {
    /// The list; then what else the function sees.
    parts: Vec<Arc<dyn PhysicalExpr>>,
    max: usize,
}

impl Spread {
    /// The arguments of a function of elements with the list in such a guard, if it sees more than its
    /// element.
    pub(super) fn of(
        arguments: &[Arc<dyn PhysicalExpr>],
        max: usize,
    ) -> Result<Option<Vec<Arc<dyn PhysicalExpr>>>> {
        let [list, function] = arguments else { return Ok(None) };
        let Some(lambda) = function.downcast_ref::<LambdaExpr>() else { return Ok(None) };
        let mut parts = vec![Arc::clone(list)];
        let mut names: Vec<Vec<String>> = Vec::new();
        seen(lambda, &mut names, &mut parts)?;
        if parts.len() == 1 {
            return Ok(None);
        }
        Ok(Some(vec![Arc::new(Self { parts, max }), Arc::clone(function)]))
    }
}

/// Adds what a function of elements sees besides its own elements and those of functions inside it.
fn seen(
    lambda: &LambdaExpr,
    names: &mut Vec<Vec<String>>,
    parts: &mut Vec<Arc<dyn PhysicalExpr>>,
) -> Result<()> {
    names.push(lambda.params().to_vec());
    lambda.body().apply(|node| {
        if let Some(inner) = node.downcast_ref::<LambdaExpr>() {
            seen(inner, names, parts)?;
            return Ok(TreeNodeRecursion::Jump);
        }
        let is_outside = match node.downcast_ref::<LambdaVariable>() {
            Some(variable) => !names.iter().flatten().any(|name| name.as_str() == variable.name()),
            None => node.downcast_ref::<Column>().is_some(),
        };
        if is_outside && !parts[1..].contains(node) {
            parts.push(Arc::clone(node));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    names.pop();
    Ok(())
}

impl PhysicalExpr for Spread {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let (list, others) = self.parts.split_first().ok_or_else(no_child)?;
        let list = list.evaluate(batch)?;
        let ColumnarValue::Array(lists) = &list else { return Ok(list) };
        let mut lengths = Vec::with_capacity(rows);
        match lists.data_type() {
            DataType::List(_) => lengths.extend(
                lists
                    .as_list::<i32>()
                    .value_offsets()
                    .windows(2)
                    .map(|it| (it[1] - it[0]) as usize),
            ),
            _ => return Ok(list),
        }
        let mut total = 0_usize;
        for other in others {
            let other = other.evaluate(batch)?.into_array(rows)?;
            let mut lengths = lengths.iter();
            each_bytes(&other, |bytes| {
                let times = lengths.next().copied().unwrap_or_default();
                total = total.saturating_add(times.saturating_mul(bytes));
            });
        }
        if total > bytes_max(batch, self.max) { Err(too_large()) } else { Ok(list) }
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.parts.first().ok_or_else(no_child)?.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.parts.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        parts: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { parts, max: self.max }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.first().map_or(Ok(()), |list| list.fmt_sql(f))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.first().map_or(Ok(()), |list| fmt::Display::fmt(list, f))
    }
}
