//! Values that need no operator: literals, names, calls, quantifiers.

use jiff::civil::Date;

use super::{INFIX, Parsed, Parser};
use crate::pql::Error;
use crate::pql::lexer::Kind;
use crate::pql::names;
use crate::pql::tree::{Domain, Expr, Moment, Name, Node, Quantifier};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed {
        let start = self.peek().place.start;
        let node = match self.peek().kind.clone() {
            Kind::Text(text) => self.taken(Node::Text(text)),
            Kind::Integer(number) => self.taken(Node::Integer(number)),
            Kind::Decimal(number) => self.taken(Node::Decimal(number)),
            Kind::Quoted(name) => self.taken(Node::Name(name)),
            Kind::Parameter(1) => self.taken(Node::Profile),
            Kind::Parameter(number) => {
                let message = format!("a rule has one parameter, so there is no `${number}`");
                let error = Error::new(self.place(), "unsupported", message);
                return Err(error.with_hint("`$1` is the profile; events are `xEvent`."));
            }
            Kind::Sign("(") => {
                self.next();
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(Expr { place: start..self.end(), ..inner });
            }
            Kind::Sign("[") => {
                self.next();
                Node::List(self.items()?)
            }
            Kind::Word(word) => return self.word(&word, start),
            Kind::Sign(_) | Kind::End => return Err(self.unexpected("a value")),
        };
        Ok(self.node(start, node))
    }

    fn taken(&mut self, node: Node) -> Node {
        self.next();
        node
    }

    /// The items of a list and the closing bracket.
    fn items(&mut self) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        if self.accept("]") {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if self.accept("]") {
                return Ok(items);
            }
            if !self.accept(",") {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    /// A word: of the language where one can stand, a name otherwise.
    fn word(&mut self, word: &str, start: usize) -> Parsed {
        let behind = &self.peek_second().kind;
        let is_called = matches!(behind, Kind::Sign("("));
        let is_name_behind = matches!(behind, Kind::Word(_) | Kind::Quoted(_) | Kind::Parameter(_));
        let lower = word.to_ascii_lowercase();
        if is_called {
            return match lower.as_str() {
                "chain" => self.chain(),
                "date" => self.date(),
                _ => self.call(start),
            };
        }
        let node = match lower.as_str() {
            "true" => self.taken(Node::Boolean(true)),
            "false" => self.taken(Node::Boolean(false)),
            "null" => self.taken(Node::Null),
            "now" => self.taken(Node::Moment(Moment::Now)),
            "today" => self.taken(Node::Moment(Moment::Day(0))),
            "yesterday" => self.taken(Node::Moment(Moment::Day(-1))),
            "tomorrow" => self.taken(Node::Moment(Moment::Day(1))),
            "exists" if is_name_behind => return self.quantifier(Quantifier::Exists),
            "forall" if is_name_behind => return self.quantifier(Quantifier::ForAll),
            "select" if is_name_behind => return self.selection(),
            _ if is_name_behind && self.at_aggregate(&lower) => return self.over(start),
            _ if INFIX.iter().any(|infix| infix.eq_ignore_ascii_case(word)) => {
                return Err(self.unexpected("a value"));
            }
            _ => self.taken(Node::Name(word.to_owned())),
        };
        Ok(self.node(start, node))
    }

    /// Whether `sum X.total over …` begins, rather than a field called `sum`.
    fn at_aggregate(&self, word: &str) -> bool {
        let is_joined = match &self.peek_second().kind {
            Kind::Word(behind) => INFIX.iter().any(|infix| infix.eq_ignore_ascii_case(behind)),
            _ => false,
        };
        names::AGGREGATES.contains(&word) && !is_joined
    }

    fn call(&mut self, start: usize) -> Parsed {
        let name = self.name("a function")?;
        self.expect("(")?;
        let arguments = self.arguments()?;
        Ok(self.node(start, Node::Call(name, arguments)))
    }

    /// `date(2020, 3, 14)`
    fn date(&mut self) -> Parsed {
        let start = self.next().place.start;
        self.expect("(")?;
        let year = self.integer("the year")?;
        self.expect(",")?;
        let month = self.integer("the month")?;
        self.expect(",")?;
        let day = self.integer("the day")?;
        self.expect(")")?;
        let place = start..self.end();
        let date = i16::try_from(year)
            .ok()
            .zip(i8::try_from(month).ok())
            .zip(i8::try_from(day).ok())
            .and_then(|((year, month), day)| Date::new(year, month, day).ok());
        match date.filter(|date| date.year() > 0) {
            Some(date) => Ok(Expr { node: Node::Date(date), place }),
            None => Err(Error::new(place, "invalid_date", "the calendar has no such day")),
        }
    }

    pub(super) fn integer(&mut self, wanted: &str) -> Parsed<i64> {
        let Kind::Integer(number) = self.peek().kind else {
            return Err(self.unexpected(&format!("{wanted} as a whole number")));
        };
        self.next();
        Ok(number)
    }

    /// `exists V from ARR where COND, W from ARR where COND`
    fn quantifier(&mut self, quantifier: Quantifier) -> Parsed {
        let start = self.next().place.start;
        let mut domains = vec![self.domain()?];
        while self.at_further_domain() {
            self.next();
            domains.push(self.domain()?);
        }
        Ok(self.node(start, Node::Quantifier(quantifier, domains)))
    }

    /// Whether `, W from` follows, rather than the next argument of a call.
    fn at_further_domain(&self) -> bool {
        match &self.tokens[self.position..] {
            [comma, name, from, ..] => {
                matches!(comma.kind, Kind::Sign(","))
                    && matches!(name.kind, Kind::Word(_) | Kind::Quoted(_))
                    && matches!(&from.kind, Kind::Word(word) if word.eq_ignore_ascii_case("from"))
            }
            _ => false,
        }
    }

    fn domain(&mut self) -> Parsed<Domain> {
        let variable = self.name("a name for the elements")?;
        self.domain_of(variable)
    }

    fn domain_of(&mut self, variable: Name) -> Parsed<Domain> {
        self.expect_word("from")?;
        let array = self.nested(Self::postfix)?;
        let has_condition = self.accept(":") || self.accept_word("where");
        let condition = if has_condition { Some(self.expression()?) } else { None };
        Ok(Domain { variable, array, condition })
    }

    /// `select VALUE from ARR where COND`; the value begins with the variable.
    fn selection(&mut self) -> Parsed {
        let start = self.next().place.start;
        let value = self.nested(Self::postfix)?;
        let variable = variable_of(&value).ok_or_else(|| not_a_variable(&value))?;
        let domain = self.domain_of(variable)?;
        Ok(self.node(start, Node::Selection(Box::new(value), Box::new(domain))))
    }

    /// `sum X.total over X from ARR where COND`
    fn over(&mut self, start: usize) -> Parsed {
        let function = self.name("a function")?;
        let value = self.nested(Self::sum)?;
        self.expect_word("over")?;
        let domain = self.domain()?;
        Ok(self.node(start, Node::Over(function, Box::new(value), Box::new(domain))))
    }
}

/// The name that a path begins with.
fn variable_of(value: &Expr) -> Option<Name> {
    match &value.node {
        Node::Name(text) => Some(Name { text: text.clone(), place: value.place.clone() }),
        Node::Member(inner, _) => variable_of(inner),
        _ => None,
    }
}

fn not_a_variable(value: &Expr) -> Error {
    let message = "`select` is not followed by a variable";
    let error = Error::new(value.place.clone(), "syntax_error", message);
    error.with_hint("Write `select X from orders where X.total > 10`.")
}
