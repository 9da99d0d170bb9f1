//! Functions of the elements of a list: `array_any_match(orders, o -> o.total > 10)`.
//!
//! Inside, `o` is the element and `o.total` a field of it; every other name is a field of the
//! profile, as outside.

use arrow::datatypes::{DataType, Schema};
use plan::field::Step;
use plan::schema::PATHS_SEARCHED_MAX;
use sqlparser::ast::{
    AccessExpr, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, LambdaSyntax,
    OneOrManyWithParens, Subscript, Value,
};
use sqlparser::tokenizer::Span;

use super::allow::{Allowed, Walk};
use super::paths::MARK;
use super::{ExpressionError, Positions};
use crate::fields;
use crate::path::{Steps, step_type};

/// The deepest nesting of functions of elements: each level works on all elements of the one
/// outside, for every element of it.
pub(super) const LAMBDAS_MAX: usize = 4;

/// The name of the elements of a list.
pub(super) struct Variable {
    name: String,
    /// The type of the elements, where it can be told before types are planned.
    element: Option<DataType>,
}

/// A function of elements where none can be.
pub(super) fn stray(positions: &Positions, span: Span) -> ExpressionError {
    let message = "a function of elements stands only as the last argument of another";
    positions
        .error(span, "not_allowed", message)
        .with_hint("Write for example `array_filter(orders, o -> o.total > 10)`.")
}

impl Walk<'_> {
    /// A call whose last argument is a function of the elements of the first.
    pub(super) fn higher_order(
        &mut self,
        function: &str,
        arguments: &mut [FunctionArg],
        span: Span,
        depth: usize,
    ) -> Allowed {
        let [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(list)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(lambda))),
        ] = arguments
        else {
            let message = format!("`{function}` takes a list and a function of its elements");
            let hint = format!("Write for example `{function}(orders, o -> o.total > 10)`.");
            return Err(self.refuse(span, message).with_hint(hint));
        };
        let name = match &mut lambda.params {
            OneOrManyWithParens::One(one) => Some(one),
            OneOrManyWithParens::Many(many) if many.len() == 1 => many.first_mut(),
            OneOrManyWithParens::Many(_) => None,
        };
        let is_plain = lambda.syntax == LambdaSyntax::Arrow;
        let name = name.filter(|name| {
            is_plain && name.data_type.is_none() && !name.name.value.starts_with(MARK)
        });
        let Some(name) = name else {
            let message = "a function of elements has one name on the left of `->`";
            return Err(self.refuse(span, message));
        };
        if self.variables.len() == LAMBDAS_MAX {
            let message = format!("functions of elements are nested more than {LAMBDAS_MAX} deep");
            return Err(self.positions.error(span, "too_deep", message));
        }
        let element = self.element_type(list);
        self.expression(list, depth + 1)?;
        // Unquoted, the planner would turn it into small letters.
        name.name = Ident::with_quote_and_span('"', name.name.span, name.name.value.clone());
        self.variables.push(Variable { name: name.name.value.clone(), element });
        let allowed = self.expression(&mut lambda.body, depth + 1);
        self.variables.pop();
        allowed
    }

    /// The type of the elements of a list that is a field, or made of the elements of one.
    fn element_type(&self, list: &Expr) -> Option<DataType> {
        match list {
            Expr::Nested(inner) => self.element_type(inner),
            Expr::Identifier(name) => {
                let steps = self.paths.steps(name);
                let list = match self.variables.iter().rev().find(|it| it.name == steps.root()) {
                    Some(variable) => {
                        let element = variable.element.clone()?;
                        steps.0[1..]
                            .iter()
                            .try_fold(element, |from, step| step_type(&from, step))?
                    }
                    None => {
                        let fields = fields::arrow_fields(&self.schema.fields);
                        steps.data_type(&Schema::new(fields))?
                    }
                };
                step_type(&list, &Step::Index(0))
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                let FunctionArguments::List(list) = &function.args else { return None };
                let keeps = super::functions::KEEP_ELEMENTS.contains(&name.as_str());
                match list.args.first() {
                    Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) if keeps => {
                        self.element_type(first)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What a path that begins with the name of elements stands for; nothing for other paths.
    pub(super) fn of_variable(
        &self,
        steps: &Steps,
        name: &Ident,
    ) -> Result<Option<Expr>, ExpressionError> {
        let found = self.variables.iter().rev().find(|variable| variable.name == steps.root());
        let Some(variable) = found else { return Ok(None) };
        self.check_element(variable, steps, name)?;
        let root =
            Expr::Identifier(Ident::with_quote_and_span('"', name.span, variable.name.clone()));
        if steps.0.len() == 1 {
            return Ok(Some(root));
        }
        let access = |step: &Step| {
            let index = match step {
                Step::Field(name) | Step::Key(name) => Value::SingleQuotedString(name.clone()),
                Step::Index(index) => Value::Number((u64::from(*index) + 1).to_string(), false),
            };
            let index = Expr::Value(index.with_span(name.span));
            AccessExpr::Subscript(Subscript::Index { index })
        };
        let access_chain = steps.0[1..].iter().map(access).collect();
        Ok(Some(Expr::CompoundFieldAccess { root: Box::new(root), access_chain }))
    }

    fn check_element(&self, variable: &Variable, steps: &Steps, name: &Ident) -> Allowed {
        let Some(element) = &variable.element else { return Ok(()) };
        let found =
            steps.0[1..].iter().try_fold(element.clone(), |from, step| step_type(&from, step));
        if found.is_some() {
            return Ok(());
        }
        let path = steps.to_string();
        let message = format!("the elements have no field `{path}`");
        let error = self.positions.error(name.span, super::UNKNOWN_FIELD, message);
        let DataType::Struct(fields) = element else { return Err(error) };
        let known = fields::describe(&Schema::new(fields.clone())).paths(PATHS_SEARCHED_MAX);
        let known: Vec<String> =
            known.iter().map(|path| format!("{}.{path}", variable.name)).collect();
        Err(match plan::nearest::nearest(&path, known.iter().map(String::as_str)) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None => error,
        })
    }
}
