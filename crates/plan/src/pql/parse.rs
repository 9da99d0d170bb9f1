//! From tokens to the tree. One function for each precedence, the loosest first.

mod chain;
mod primary;
mod time;

use std::ops::Range;

use super::lexer::{Kind, Token};
use super::tree::{Comparison, Expr, Name, Node, Query};
use super::{DEPTH_MAX, Error};

/// Words that join what stands on both sides of them, and so end an operand.
const INFIX: [&str; 11] =
    ["and", "or", "in", "notIn", "like", "occurs", "where", "from", "over", "not", "as"];

/// Reads a whole rule.
pub(super) fn query(text: &str, tokens: &[Token]) -> Result<Query, Error> {
    let mut parser = Parser { text, tokens, position: 0, depth: 0 };
    if let [only] = tokens {
        return Err(Error::new(only.place.clone(), "empty", "the rule is empty"));
    }
    let profile = parser.parameters()?;
    let body = parser.expression()?;
    match &parser.peek().kind {
        Kind::End => Ok(Query { profile, body }),
        _ => Err(parser.unexpected("the end of the rule")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    position: usize,
    depth: usize,
}

type Parsed<T = Expr> = Result<T, Error>;

impl Parser<'_> {
    /// `(Profile) =>` or `Profile =>` before the condition.
    fn parameters(&mut self) -> Parsed<Option<Name>> {
        let first = self.position;
        let in_brackets = self.accept("(");
        let Some(name) = self.accept_name() else {
            self.position = first;
            return Ok(None);
        };
        let more = self.peek().place.clone();
        if in_brackets && self.accept(",") {
            let error = Error::new(more, "unsupported", "a rule has one parameter, the profile");
            return Err(error.with_hint("Events are `xEvent`."));
        }
        if (!in_brackets || self.accept(")")) && self.accept("=>") {
            return Ok(Some(name));
        }
        self.position = first;
        Ok(None)
    }

    /// Anything; what `or` joins binds loosest.
    fn expression(&mut self) -> Parsed {
        self.nested(|parser| match parser.at_word("let") && !parser.at_sign_behind() {
            true => parser.binding(),
            false => parser.any(),
        })
    }

    /// Counts one level of nesting while `inner` reads.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("the rule is nested more than {DEPTH_MAX} deep");
            return Err(Error::new(self.peek().place.clone(), "too_deep", message));
        }
        let read = inner(self);
        self.depth -= 1;
        read
    }

    /// `let V = VALUE in BODY`
    fn binding(&mut self) -> Parsed {
        let start = self.next().place.start;
        let name = self.name("a name for the value")?;
        self.expect("=")?;
        let value = self.sum()?;
        self.expect_word("in")?;
        let body = self.expression()?;
        Ok(self.node(start, Node::Let(name, Box::new(value), Box::new(body))))
    }

    fn any(&mut self) -> Parsed {
        let start = self.peek().place.start;
        let mut operands = vec![self.all()?];
        while self.accept("||") || self.accept_word("or") {
            operands.push(self.all()?);
        }
        Ok(self.joined(start, operands, Node::Any))
    }

    fn all(&mut self) -> Parsed {
        let start = self.peek().place.start;
        let mut operands = vec![self.negation()?];
        while self.accept("&&") || self.accept_word("and") {
            operands.push(self.negation()?);
        }
        Ok(self.joined(start, operands, Node::All))
    }

    fn joined(
        &self,
        start: usize,
        mut operands: Vec<Expr>,
        join: impl FnOnce(Vec<Expr>) -> Node,
    ) -> Expr {
        match operands.len() {
            1 => operands.remove(0),
            _ => self.node(start, join(operands)),
        }
    }

    fn negation(&mut self) -> Parsed {
        let start = self.peek().place.start;
        if self.accept("!") || self.accept_word("not") {
            let inner = self.nested(Self::negation)?;
            return Ok(self.node(start, Node::Not(Box::new(inner))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let start = self.peek().place.start;
        let left = self.sum()?;
        let node = if let Some(operator) = self.accept_comparison()? {
            Node::Compare(operator, Box::new(left), Box::new(self.sum()?))
        } else if self.at_word("in") || self.at_word("notIn") {
            let negated = self.at_word("notIn");
            self.next();
            Node::In { value: Box::new(left), list: Box::new(self.sum()?), negated }
        } else if self.accept_word("like") {
            Node::Like(Box::new(left), Box::new(self.sum()?))
        } else if self.accept_word("occurs") {
            Node::Occurs(Box::new(left), Box::new(self.occurs()?))
        } else {
            return Ok(left);
        };
        if self.accept_comparison()?.is_some() {
            let place = self.tokens[self.position - 1].place.clone();
            let error = Error::new(place, "syntax_error", "a comparison is compared once more");
            return Err(error.with_hint("Join two comparisons with `and`."));
        }
        Ok(self.node(start, node))
    }

    fn accept_comparison(&mut self) -> Parsed<Option<Comparison>> {
        let Kind::Sign(sign) = self.peek().kind else { return Ok(None) };
        let operator = match sign {
            "=" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "==" => {
                let place = self.peek().place.clone();
                let error = Error::new(place, "syntax_error", "`==` is no operator of PQL");
                return Err(error.with_hint("Write `=`."));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(operator))
    }

    fn sum(&mut self) -> Parsed {
        self.chain_of(["+", "-", ""], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.chain_of(["*", "/", "%"], Self::sign)
    }

    fn chain_of(
        &mut self,
        operators: [&'static str; 3],
        operand: impl Fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let start = self.peek().place.start;
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Kind::Sign(sign) = self.peek().kind
            && operators.contains(&sign)
        {
            self.next();
            rest.push((sign, operand(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.node(start, Node::Arithmetic(Box::new(first), rest)))
    }

    fn sign(&mut self) -> Parsed {
        let start = self.peek().place.start;
        if self.accept("-") {
            let inner = self.nested(Self::sign)?;
            return Ok(self.node(start, Node::Negative(Box::new(inner))));
        }
        self.postfix()
    }

    /// A value and what is done with it: `.name`, `.method(…)`, `[…]`.
    fn postfix(&mut self) -> Parsed {
        let start = self.peek().place.start;
        let mut value = self.primary()?;
        let mut levels = 0;
        loop {
            let node = if self.accept(".") {
                let name = self.step()?;
                match self.accept("(") {
                    true => Node::Method(Box::new(value), name, self.arguments()?),
                    false => Node::Member(Box::new(value), name),
                }
            } else if self.accept("[") {
                let inside = self.expression()?;
                self.expect("]")?;
                Node::Select(Box::new(value), Box::new(inside))
            } else {
                self.depth -= levels;
                return Ok(value);
            };
            // The tree is as deep as the chain is long, and what walks it descends into it.
            levels += 1;
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                let message = format!("the rule is nested more than {DEPTH_MAX} deep");
                return Err(Error::new(self.peek().place.clone(), "too_deep", message));
            }
            value = self.node(start, node);
        }
    }

    /// Arguments and the closing parenthesis.
    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.accept(")") {
                return Ok(arguments);
            }
            if !self.accept(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    /// An expression, or `X => expression`.
    fn argument(&mut self) -> Parsed {
        let start = self.peek().place.start;
        match self.parameters()? {
            Some(name) => {
                let body = self.expression()?;
                Ok(self.node(start, Node::Lambda(name, Box::new(body))))
            }
            None => self.expression(),
        }
    }

    /// A node from `start` to the token before this one.
    fn node(&self, start: usize, node: Node) -> Expr {
        Expr { node, place: start..self.end().max(start) }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.position]
    }

    /// The token behind the next.
    fn peek_second(&self) -> &Token {
        &self.tokens[(self.position + 1).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token.kind != Kind::End {
            self.position += 1;
        }
        token
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek().kind, Kind::Sign(found) if found == sign);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// Words of the language may be written in small or capital letters.
    fn at_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.position += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// Whether the token behind the next is a sign, so that the next is a name, not a word of the
    /// language: `let.x`, `let = 1`.
    fn at_sign_behind(&self) -> bool {
        matches!(self.peek_second().kind, Kind::Sign(_) | Kind::End)
    }

    fn accept_name(&mut self) -> Option<Name> {
        let (Kind::Word(text) | Kind::Quoted(text)) = &self.peek().kind else { return None };
        let name = Name { text: text.clone(), place: self.peek().place.clone() };
        self.position += 1;
        Some(name)
    }

    fn name(&mut self, wanted: &str) -> Parsed<Name> {
        self.accept_name().ok_or_else(|| self.unexpected(wanted))
    }

    /// The name behind a dot, which may be any word.
    fn step(&mut self) -> Parsed<Name> {
        self.name("a name behind the dot")
    }

    /// Where the last token ends.
    fn end(&self) -> usize {
        self.tokens[..self.position].last().map_or(0, |last| last.place.end)
    }

    fn place(&self) -> Range<usize> {
        self.peek().place.clone()
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let token = self.peek();
        let found = match &token.kind {
            Kind::End => "the end".to_owned(),
            _ => {
                let written: String = self.text[token.place.clone()].chars().take(40).collect();
                format!("`{written}`")
            }
        };
        let message = format!("expected {wanted}, found {found}");
        let error = Error::new(token.place.clone(), "syntax_error", message);
        match &token.kind {
            Kind::Word(word) if word.eq_ignore_ascii_case("not") => {
                error.with_hint("Write `x notIn […]`, or `not (…)` around the condition.")
            }
            _ => error,
        }
    }
}
