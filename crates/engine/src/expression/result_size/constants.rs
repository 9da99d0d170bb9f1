//! What is made of constants alone is made when an expression is checked, without any record.

use std::collections::HashMap;

use datafusion_common::Result;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::Expr as Logical;

use super::estimate::Estimate;

/// The largest result that is made of constants alone, in bytes.
const CONSTANT_BYTES_MAX: u64 = 16 << 20;

/// Whether what an expression makes of constants alone may be too large. It is computed when the
/// expression is checked.
pub(in crate::expression) fn are_constants_too_large(logical: &Logical) -> Result<bool> {
    let mut is_too_large = false;
    constant_bytes(logical, &HashMap::new(), &mut is_too_large)?;
    Ok(is_too_large)
}

/// The most bytes of a constant, `None` for what a record decides.
fn constant_bytes(
    logical: &Logical,
    variables: &HashMap<&str, Option<u64>>,
    is_too_large: &mut bool,
) -> Result<Option<u64>> {
    let bytes = match logical {
        Logical::Column(_) => return Ok(None),
        Logical::Literal(value, _) => return Ok(Some(value.size() as u64)),
        Logical::LambdaVariable(variable) => {
            return Ok(variables.get(variable.name.as_str()).copied().flatten());
        }
        Logical::HigherOrderFunction(call) => {
            let (mut list, mut made) = (Some(0), None);
            for argument in &call.args {
                match argument {
                    Logical::Lambda(lambda) => {
                        let mut variables = variables.clone();
                        variables.extend(lambda.params.iter().map(|name| (name.as_str(), list)));
                        made = constant_bytes(&lambda.body, &variables, is_too_large)?;
                    }
                    other => list = constant_bytes(other, variables, is_too_large)?,
                }
            }
            list.zip(made).map(|(list, made)| list.saturating_mul(made.max(1)))
        }
        other => {
            let mut sizes = Vec::new();
            let mut is_constant = true;
            other.apply_children(|part| {
                match constant_bytes(part, variables, is_too_large)? {
                    Some(bytes) => sizes.push(bytes),
                    None => is_constant = false,
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
            let is_product = match other {
                Logical::ScalarFunction(call) => {
                    !matches!(Estimate::of(call.name()), None | Some(Estimate::Sum))
                }
                _ => false,
            };
            let all = if is_product {
                sizes.iter().fold(1_u64, |all, bytes| all.saturating_mul((*bytes).max(1)))
            } else {
                let sum = sizes.iter().fold(0_u64, |all, bytes| all.saturating_add(*bytes));
                let factor = if let Logical::ScalarFunction(_) = other { 2 } else { 1 };
                sum.saturating_mul(factor)
            };
            is_constant.then_some(all)
        }
    };
    *is_too_large |= bytes.is_some_and(|bytes| bytes > CONSTANT_BYTES_MAX);
    Ok(bytes)
}
