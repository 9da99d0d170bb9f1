//! Where an expression that does not compile is wrong.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned,
    Value, Visit, Visitor,
};
use sqlparser::tokenizer::Span;

use super::compile::Planner;

/// Parts of a wrong expression that are tried on their own to find the smallest wrong one.
const PARTS_TRIED_MAX: usize = 500;

/// Finds the smallest part that does not compile where it stands, and the call that it is, if it is one
/// outside of functions of elements.
pub(super) fn smallest(planner: &Planner, tree: &Expr) -> (Span, Option<Function>) {
    let mut parts =
        WrongParts { planner, tried: 0, smallest: None, call: None, around: Vec::new() };
    let _ = tree.visit(&mut parts);
    (parts.smallest.map_or_else(Span::empty, |(_, span)| span), parts.call)
}

/// Tries the parts of an expression one by one.
struct WrongParts<'a> {
    planner: &'a Planner,
    tried: usize,
    smallest: Option<(usize, Span)>,
    /// The smallest one, if it is a call.
    call: Option<Function>,
    /// The calls with a function of elements that the walk is inside of.
    around: Vec<Around>,
}

/// A call with a function of elements.
struct Around {
    call: Function,
    /// Whether the walk is in the function of elements rather than in the list.
    in_elements: bool,
    /// Whether the list is right, so that the rest can be judged.
    is_sound: bool,
}

impl WrongParts<'_> {
    /// The part as it would be planned where it stands: what is said of elements is said of those
    /// of its lists.
    fn in_place(&self, part: &Expr) -> Expr {
        let inside = self.around.iter().rev().filter(|around| around.in_elements);
        inside.fold(part.clone(), |part, around| with_body(&around.call, part))
    }

    fn is_wrong(&self, part: &Expr) -> bool {
        self.planner.compile(&self.in_place(part)).is_err()
    }
}

impl Visitor for WrongParts<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
        self.tried += 1;
        if self.tried > PARTS_TRIED_MAX {
            return ControlFlow::Break(());
        }
        if let Expr::Lambda(_) = part {
            // With nothing said of the elements, what is wrong is not said of them.
            let around = self.around.last().map(|around| with_body(&around.call, nothing()));
            let is_sound = around.is_some_and(|around| !self.is_wrong(&around));
            if let Some(around) = self.around.last_mut() {
                (around.in_elements, around.is_sound) = (true, is_sound);
            }
            return ControlFlow::Continue(());
        }
        let is_judged = self.around.iter().all(|around| around.is_sound);
        if is_judged && self.is_wrong(part) {
            let size = part.to_string().len();
            if self.smallest.is_none_or(|(known, _)| size <= known) {
                self.smallest = Some((size, part.span()));
                self.call = match part {
                    Expr::Function(call) if self.around.is_empty() => Some(call.clone()),
                    _ => None,
                };
            }
        }
        if let Expr::Function(call) = part
            && has_lambda(call)
        {
            let call = call.clone();
            self.around.push(Around { call, in_elements: false, is_sound: true });
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = part
            && has_lambda(call)
        {
            self.around.pop();
        }
        ControlFlow::Continue(())
    }
}

fn arguments(call: &Function) -> &[FunctionArg] {
    match &call.args {
        FunctionArguments::List(list) => &list.args,
        _ => &[],
    }
}

/// `array_transform(list, v -> part)` with the list and the name of the call.
fn with_body(call: &Function, part: Expr) -> Expr {
    let mut call = call.clone();
    call.name = ObjectName::from(vec![Ident::new("array_transform")]);
    if let FunctionArguments::List(list) = &mut call.args
        && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(lambda)))) =
            list.args.last_mut()
    {
        *lambda.body = part;
    }
    Expr::Function(call)
}

fn has_lambda(call: &Function) -> bool {
    let is_lambda = |argument: &FunctionArg| {
        matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Lambda(_))))
    };
    arguments(call).iter().any(is_lambda)
}

fn nothing() -> Expr {
    Expr::Value(Value::Boolean(true).with_empty_span())
}
