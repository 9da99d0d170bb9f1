//! Rules and calculated columns: one SQL expression, checked before anything recursive sees it.
//!
//! The way of a text: limits are checked on its tokens, which takes no recursion; paths to fields
//! become single words; the parser builds a tree; [`allow`] lets only known shapes pass, finds every field and makes long chains of `AND`
//! and `OR` shallow; [`compile`] plans it with types. All of it happens on a thread with a stack of
//! its own, so that no text can take the process down.
//!
//! What is asked of events, [`event_query`], is taken out on the way and answered elsewhere.
//!
//! Fields are dotted paths, case-sensitive: `person.name.firstName`, `"odd name"`,
//! `attributes['lang']`. Positions in lists count from 1, as everywhere in SQL (`tags[1]`), whereas
//! the paths of a mapping count from 0.

mod allow;
mod arguments;
mod catalog;
pub(crate) mod compile;
mod complaint;
mod dialect;
pub(crate) mod event_query;
mod functions;
pub(crate) mod in_segment;
mod lambda;
pub(crate) mod parts;
mod paths;
mod result_size;
mod scalar;
mod takes;
mod times;
mod vocabulary;
mod wrong_parts;

use std::thread;

use plan::schema::FieldType;
use sqlparser::ast::{Expr, Spanned as _};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use self::allow::Owner;
use self::dialect::ExpressionDialect;
use self::event_query::EventQuery;
use self::paths::Paths;
pub(crate) use self::result_size::RESULT_BYTES_MAX;
pub(crate) use self::scalar::MAP_LENGTHS;
use crate::events::EventFields;
use crate::path::Steps;

/// The longest text, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most tokens, white space and comments not counted.
pub(crate) const TOKENS_MAX: usize = 10_000;
/// The deepest nesting of brackets.
pub(crate) const BRACKETS_MAX: usize = 64;
/// The deepest tree. Chains of `AND` and `OR` are not deep; a chain of 200 additions is.
pub(crate) const DEPTH_MAX: usize = 128;
/// The stack on which expressions are parsed and planned, in bytes. Memory is taken as it is used.
const STACK_BYTES: usize = 256 << 20;

/// What an expression has to result in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// True or false: a rule.
    Boolean,
    /// Any value that can be written: a calculated column.
    Any,
}

/// Why a text is no usable expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Where the problem begins, in bytes from the start of the text.
    pub offset: usize,
    /// How long the problem is, in bytes.
    pub length: usize,
    /// A stable word for machines: `unknown_field`, `too_deep`, `not_boolean`, ….
    pub code: &'static str,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do next: a sentence.
    pub hint: Option<String>,
}

/// Checks an expression against the fields of profiles and returns the type of its result.
///
/// # Errors
/// The text is not one allowed expression, names unknown fields or functions, or its types do not
/// fit together. The position is that of the smallest part that is wrong.
pub fn check_expression(
    text: &str,
    schema: &plan::Schema,
    expect: Expect,
) -> Result<FieldType, ExpressionError> {
    check_with_events(text, schema, &EventFields::default(), expect)
}

/// As [`check_expression`], for expressions that may ask for events with these fields.
///
/// # Errors
/// As [`check_expression`].
pub fn check_with_events(
    text: &str,
    schema: &plan::Schema,
    events: &EventFields,
    expect: Expect,
) -> Result<FieldType, ExpressionError> {
    with_stack(|| {
        let parsed = Parsed::new(text, schema)?;
        let mut types = crate::fields::arrow_fields(&schema.fields).to_vec();
        types.extend(events.answer_fields(&parsed)?);
        let schema = arrow::datatypes::Schema::new(types);
        compile::check(&parsed, &schema, expect)
    })
}

/// Returns everything that is wrong with an expression: every unknown name, or else what else there
/// is. In the order in which it was found; nothing if the expression can be used.
pub fn problems_with_events(
    text: &str,
    schema: &plan::Schema,
    events: &EventFields,
    expect: Expect,
) -> Vec<ExpressionError> {
    let known = with_stack(|| Parsed::or_all_problems(text, schema).map(drop));
    match known {
        Err(problems) => problems,
        Ok(()) => check_with_events(text, schema, events, expect).err().into_iter().collect(),
    }
}

/// Returns what is wrong with an expression whatever the fields of profiles are.
pub fn problems_of_syntax(text: &str) -> Vec<ExpressionError> {
    let nothing = plan::Schema::default();
    let mut problems =
        with_stack(|| Parsed::or_all_problems(text, &nothing).err().unwrap_or_default());
    problems.retain(|problem| problem.code != UNKNOWN_FIELD);
    problems
}

/// The code of an error about a field that is not there.
pub(crate) const UNKNOWN_FIELD: &str = "unknown_field";

/// Runs `work` on a stack that the limits of this module cannot exhaust.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK_BYTES);
        let handle = builder.spawn_scoped(scope, work).expect("the system gives one more thread");
        match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// An allowed expression: every field in it replaced by a flat name.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) tree: Expr,
    /// The fields that occur; their texts are the flat names.
    pub(crate) fields: Vec<Steps>,
    pub(crate) positions: Positions,
    /// What is asked of events; each has a field of its own among `fields`.
    pub(crate) queries: Vec<EventQuery>,
    paths: Paths,
    /// Where it stands in the text, if it is a part of one.
    span: Span,
}

impl Parsed {
    /// Parses a text; call inside [`with_stack`].
    pub(crate) fn new(text: &str, schema: &plan::Schema) -> Result<Self, ExpressionError> {
        Self::or_all_problems(text, schema).map_err(first)
    }

    /// The same, or everything that is wrong with it.
    fn or_all_problems(text: &str, schema: &plan::Schema) -> Result<Self, Vec<ExpressionError>> {
        let one = |error| vec![error];
        let positions = Positions::new(text).map_err(one)?;
        let tokens = tokens(text, &positions).map_err(one)?;
        let (tokens, paths) = paths::join(tokens, &positions).map_err(one)?;
        let mut tree = parse(tokens, &positions).map_err(one)?;
        let named = allow::check(&mut tree, schema, Owner::Profiles, &paths, &positions)?;
        let (fields, queries) = (named.fields, named.queries);
        Ok(Self { tree, fields, positions, queries, paths, span: Span::empty() })
    }

    /// An expression over events that is a part of this one; `dataset` is whose, if of one.
    pub(crate) fn part(
        &self,
        tree: &Expr,
        schema: &plan::Schema,
        dataset: Option<&str>,
    ) -> Result<Self, ExpressionError> {
        let (mut tree, span) = (tree.clone(), tree.span());
        let (positions, paths) = (self.positions.clone(), self.paths.clone());
        let owner = Owner::Events(dataset);
        let named = allow::check(&mut tree, schema, owner, &paths, &positions).map_err(first)?;
        let (fields, queries) = (named.fields, named.queries);
        Ok(Self { tree, fields, positions, queries, paths, span })
    }

    /// Returns an error about a place in it, or about all of it.
    pub(crate) fn error(
        &self,
        span: Option<Span>,
        code: &'static str,
        message: impl Into<String>,
    ) -> ExpressionError {
        self.positions.error(span.unwrap_or(self.span), code, message)
    }

    /// Whether it is a condition or a value of events.
    pub(crate) fn is_part(&self) -> bool {
        self.span != Span::empty()
    }
}

/// The problem that was found first.
fn first(problems: Vec<ExpressionError>) -> ExpressionError {
    problems.into_iter().next().expect("what is refused has a reason")
}

/// Where in the text the lines begin, to turn positions of the parser into offsets.
#[derive(Debug, Clone)]
pub(crate) struct Positions {
    text: String,
    lines: Vec<usize>,
}

impl Positions {
    fn new(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the expression is longer than {TEXT_BYTES_MAX} bytes");
            let (offset, length, code) = (0, text.len(), "too_long");
            return Err(ExpressionError { offset, length, code, message, hint: None });
        }
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(offset, _)| offset + 1)).collect();
        Ok(Self { text: text.to_owned(), lines })
    }

    fn offset(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(1).max(1) - 1;
        let Some(&start) = self.lines.get(line) else { return self.text.len() };
        let column = usize::try_from(location.column).unwrap_or(1).max(1) - 1;
        let rest = &self.text[start..];
        rest.char_indices().nth(column).map_or(self.text.len(), |(offset, _)| start + offset)
    }

    /// Returns an error about a part of the text; an empty span means all of it.
    pub(crate) fn error(
        &self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
    ) -> ExpressionError {
        let (start, end) = self.range(span);
        let (offset, length) = (start, end - start);
        ExpressionError { offset, length, code, message: message.into(), hint: None }
    }

    /// The word with which a part of the text begins.
    pub(crate) fn word(&self, span: Span) -> Option<&str> {
        let rest = self.text.get(self.range(span).0..)?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(&rest[..end]).filter(|word| !word.is_empty())
    }

    fn range(&self, span: Span) -> (usize, usize) {
        if span == Span::empty() {
            return (0, self.text.len());
        }
        let start = self.offset(span.start);
        let first = self.text[start..].chars().next().map_or(0, char::len_utf8);
        (start, self.offset(span.end).max(start + first))
    }
}

impl ExpressionError {
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Splits the text into tokens and checks the limits that protect what comes after.
fn tokens(text: &str, positions: &Positions) -> Result<Vec<TokenWithSpan>, ExpressionError> {
    let mut tokens = Tokenizer::new(&ExpressionDialect::default(), text)
        .tokenize_with_location()
        .map_err(|error| {
        let span = Span::new(error.location, error.location);
        complaint::told(positions.error(span, "syntax_error", ""), &error.message, text)
    })?;
    if let Some(offset) = text.find(paths::MARK) {
        let message = "the expression holds a control character";
        return Err(ExpressionError {
            offset,
            ..positions.error(Span::empty(), "syntax_error", message)
        });
    }
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if tokens.iter().all(|token| token.token == Token::EOF) {
        return Err(positions.error(Span::empty(), "empty", "the expression is empty"));
    }
    check_brackets(&tokens, positions)?;
    if let Some(first) = tokens.get(TOKENS_MAX) {
        let message = format!("the expression has more than {TOKENS_MAX} words and signs");
        return Err(positions.error(first.span, "too_long", message));
    }
    Ok(tokens)
}

fn check_brackets(tokens: &[TokenWithSpan], positions: &Positions) -> Result<(), ExpressionError> {
    let mut depth = 0_usize;
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::SemiColon => {
                let message = "a rule is one expression, not a statement";
                return Err(positions.error(token.span, "not_an_expression", message));
            }
            _ => {}
        }
        if depth > BRACKETS_MAX {
            let message = format!("brackets are nested more than {BRACKETS_MAX} deep");
            return Err(positions.error(token.span, "too_deep", message));
        }
    }
    Ok(())
}

fn parse(tokens: Vec<TokenWithSpan>, positions: &Positions) -> Result<Expr, ExpressionError> {
    let dialect = ExpressionDialect::default();
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(TOKENS_MAX).with_tokens_with_locations(tokens);
    if let Some(error) = refuse_statement(&parser, positions) {
        return Err(error);
    }
    let parsed = parser.parse_expr();
    let at = parser.peek_token();
    match parsed {
        Ok(tree) if at.token == Token::EOF => Ok(tree),
        Ok(_) => {
            let message = format!("the expression should end before `{}`", at.token);
            let hint = complaint::foreign_sign(&at.token.to_string());
            Err(ExpressionError { hint, ..positions.error(at.span, "syntax_error", message) })
        }
        Err(ParserError::RecursionLimitExceeded) => {
            Err(positions.error(at.span, "too_deep", "the expression is nested too deeply"))
        }
        Err(ParserError::TokenizerError(text) | ParserError::ParserError(text)) => {
            let (message, location) = split_location(&text);
            let span = location.map_or(at.span, |location| Span::new(location, location));
            let mut error = positions.error(span, "syntax_error", "");
            if at.token == Token::EOF && span == Span::empty() {
                (error.offset, error.length) = (positions.text.len(), 0);
            }
            Err(complaint::told(error, message, &positions.text))
        }
    }
}

/// Words that begin statements, for a plain refusal instead of the parser's guess.
const STATEMENTS: [&str; 14] = [
    "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "COPY", "EXPLAIN",
    "SET", "SHOW", "TRUNCATE", "MERGE",
];

fn refuse_statement(parser: &Parser<'_>, positions: &Positions) -> Option<ExpressionError> {
    let [first, second] = parser.peek_tokens_with_location();
    let Token::Word(word) = &first.token else { return None };
    let is_alone = matches!(
        second.token,
        Token::Word(_)
            | Token::Mul
            | Token::LParen
            | Token::Number(..)
            | Token::SingleQuotedString(_)
    );
    let is_statement = STATEMENTS.iter().any(|name| word.value.eq_ignore_ascii_case(name));
    (word.quote_style.is_none() && is_alone && is_statement).then(|| {
        let message =
            format!("a rule is one expression, not a `{}` statement", word.value.to_uppercase());
        positions.error(first.span, "not_an_expression", message)
    })
}

/// Takes the place out of a message of the parser: `… at Line: 1, Column: 5`.
fn split_location(text: &str) -> (&str, Option<Location>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (text, None) };
    let location = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some(Location::new(line.parse().ok()?, column.parse().ok()?)));
    (message, location)
}

#[cfg(test)]
mod tests;
