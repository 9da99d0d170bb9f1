//! `V from ARR where COND`: quantifiers, selections and sums over a list or the events.

use super::scope::{Scope, Value};
use super::{Translated, Translator, arrays, both, events};
use crate::pql::fragment::{Fragment, Type};
use crate::pql::tree::{Domain, Expr, Name, Node, Quantifier};

impl Translator<'_> {
    /// `V from ARR where COND, W from …`: each further domain is inside the one before.
    pub(super) fn quantifier(
        &self,
        quantifier: Quantifier,
        domains: &[Domain],
        scope: &Scope,
    ) -> Translated {
        let [domain, inner @ ..] = domains else {
            return Ok(Fragment::value("TRUE", Type::Boolean).always());
        };
        let array = self.value(&domain.array, scope)?;
        let inside = |scope: &Scope| -> Translated<Option<Fragment>> {
            let own = domain.condition.as_ref();
            let own = own.map(|condition| self.condition(condition, scope)).transpose()?;
            if inner.is_empty() {
                return Ok(own);
            }
            let more = self.quantifier(quantifier, inner, scope)?;
            Ok(Some(match own {
                None => more,
                Some(own) => both(&own, &more),
            }))
        };
        match array {
            Value::Events(events) => {
                let inner = scope.in_events(&domain.array, Some(&domain.variable), false)?;
                let condition = inside(&inner)?;
                events::quantified(quantifier, &events, condition.as_ref())
            }
            array => {
                let list = self.fragment(array, &domain.array)?;
                let (variable, inner) = self.element(scope, Some(&domain.variable), false);
                let condition = inside(&inner)?;
                Ok(arrays::quantified(quantifier, &list, &variable, condition.as_ref()))
            }
        }
    }

    /// `select V.path from ARR where COND`
    pub(super) fn selection(
        &self,
        value: &Expr,
        domain: &Domain,
        scope: &Scope,
    ) -> Translated<Value> {
        let is_whole = matches!(value.node, Node::Name(_));
        match self.value(&domain.array, scope)? {
            Value::Events(events) => {
                let inner = scope.in_events(&domain.array, Some(&domain.variable), false)?;
                let condition = domain.condition.as_ref();
                let condition = condition.map(|it| self.condition(it, &inner)).transpose()?;
                let mut events = events.with(condition.as_ref());
                if !is_whole {
                    events.value = Some(Box::new(self.value(value, &inner)?));
                }
                Ok(Value::Events(events))
            }
            array => {
                let mut list = self.fragment(array, &domain.array)?;
                let (variable, inner) = self.element(scope, Some(&domain.variable), false);
                if let Some(condition) = &domain.condition {
                    let condition = self.condition(condition, &inner)?;
                    list = arrays::higher("array_filter", &list, &variable, &condition);
                }
                if !is_whole {
                    let value = self.plain(value, &inner)?;
                    list = arrays::higher("array_transform", &list, &variable, &value);
                }
                Ok(Value::from(list))
            }
        }
    }

    /// `sum X.total over X from ARR where COND`
    pub(super) fn over(
        &self,
        name: &Name,
        value: &Expr,
        domain: &Domain,
        scope: &Scope,
    ) -> Translated {
        match self.selection(value, domain, scope)? {
            Value::Events(events) => self.aggregate_events(name, &events),
            list => {
                let list = self.fragment(list, &domain.array)?;
                Ok(arrays::aggregate(&name.text, &list))
            }
        }
    }
}
