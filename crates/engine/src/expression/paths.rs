//! Paths to fields, read off the tokens before the parser sees them.
//!
//! `person.name.firstName`, `attributes['lang']` and `emails[1].address` become one word each. So a
//! step may be any word, `a.order` or `a.timestamp`, and the parser, which tries whole expressions
//! behind each dot, one inside the other, has no dots to try them behind.

use plan::field::{PATH_STEPS_MAX, Step};
use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::{ExpressionError, Positions};
use crate::path::Steps;

/// Begins the words that stand for paths; not allowed in the text itself.
pub(super) const MARK: char = '\u{1f}';

/// The paths of an expression that are more than one word.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths(Vec<Steps>);

impl Paths {
    /// The path that a name of the tree stands for.
    pub(super) fn steps(&self, name: &Ident) -> Steps {
        let number = name.value.strip_prefix(MARK).and_then(|number| number.parse::<usize>().ok());
        match number.and_then(|number| self.0.get(number)) {
            Some(steps) => steps.clone(),
            None => Steps(vec![Step::Field(name.value.clone())]),
        }
    }
}

/// Replaces every path by one word.
pub(super) fn join(
    tokens: Vec<TokenWithSpan>,
    positions: &Positions,
) -> Result<(Vec<TokenWithSpan>, Paths), ExpressionError> {
    let mut joined = Vec::with_capacity(tokens.len());
    let mut paths = Paths::default();
    let mut rest = tokens.as_slice();
    while let [first, behind @ ..] = rest {
        match &first.token {
            Token::Word(root) => {
                let (path, used) = read(root, rest, positions)?;
                rest = &rest[used..];
                if used == 1 {
                    joined.push(first.clone());
                    continue;
                }
                let span = first.span.union(&tokens[tokens.len() - rest.len() - 1].span);
                if rest.first().is_some_and(|next| next.token == Token::LParen) {
                    let message = format!("unknown function `{path}`");
                    return Err(positions.error(span, "unknown_function", message));
                }
                let value = format!("{MARK}{}", paths.0.len());
                paths.0.push(path);
                let word = Word { value, quote_style: Some('"'), keyword: Keyword::NoKeyword };
                joined.push(TokenWithSpan { token: Token::Word(word), span });
            }
            Token::Period => return Err(stray_dot(first.span, positions)),
            _ => {
                joined.push(first.clone());
                rest = behind;
            }
        }
    }
    Ok((joined, paths))
}

fn stray_dot(span: Span, positions: &Positions) -> ExpressionError {
    let message = "only a field can be followed by a dot and a name";
    positions.error(span, "syntax_error", message)
}

/// Reads the path that begins with a word; returns how many tokens it takes.
fn read(
    root: &Word,
    tokens: &[TokenWithSpan],
    positions: &Positions,
) -> Result<(Steps, usize), ExpressionError> {
    let mut steps = vec![Step::Field(root.value.clone())];
    let mut used = 1;
    // `ARRAY['a']` and `THEN [1]` are no paths.
    let mut takes_brackets = root.quote_style.is_some() || root.keyword == Keyword::NoKeyword;
    loop {
        let rest = &tokens[used..];
        let (step, length) = match rest {
            [dot, name, ..] if dot.token == Token::Period => {
                let Token::Word(name) = &name.token else {
                    let message = "a name has to follow the dot";
                    return Err(positions.error(dot.span, "syntax_error", message));
                };
                takes_brackets = true;
                (Step::Field(name.value.clone()), 2)
            }
            [dot] if dot.token == Token::Period => {
                let message = "a name has to follow the dot";
                return Err(positions.error(dot.span, "syntax_error", message));
            }
            [open, inside, close, ..]
                if takes_brackets
                    && open.token == Token::LBracket
                    && close.token == Token::RBracket =>
            {
                match bracketed(inside, positions)? {
                    Some(step) => (step, 3),
                    None => return Ok((Steps(steps), used)),
                }
            }
            _ => return Ok((Steps(steps), used)),
        };
        steps.push(step);
        used += length;
        if steps.len() > PATH_STEPS_MAX {
            let message = format!("the path has more than {PATH_STEPS_MAX} steps");
            return Err(positions.error(tokens[used - 1].span, "too_deep", message));
        }
    }
}

/// A key, or a position in the counting of SQL, from 1.
fn bracketed(
    inside: &TokenWithSpan,
    positions: &Positions,
) -> Result<Option<Step>, ExpressionError> {
    Ok(match &inside.token {
        Token::SingleQuotedString(key) => Some(Step::Key(key.clone())),
        Token::Number(digits, _) => match digits.parse::<u32>() {
            Ok(0) => {
                let message = "positions in a rule count from 1";
                let error = positions.error(inside.span, "invalid_position", message);
                return Err(error.with_hint("Write `[1]` for the first element."));
            }
            Ok(position) => Some(Step::Index(position - 1)),
            Err(_) => None,
        },
        _ => None,
    })
}
