//! The parts of a rule: how AND, OR and NOT join its conditions, at their places in the text.
//!
//! The text is taken apart by its tokens, so that each part is a piece of what was written and can be
//! compiled on its own. A rule that was accepted is never taken apart wrongly in a way that shows:
//! what does not compile is not opened (see `explain`).

use std::ops::Range;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::{ExpressionError, Positions, tokens};

/// The most conditions of a rule that is taken apart; a longer one is one condition.
const CONDITIONS_MAX: usize = 500;

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where it stands in the text, in bytes.
    pub(crate) range: Range<usize>,
    pub(crate) form: Form,
}

/// What a part is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Joined by AND.
    All(Vec<Part>),
    /// Joined by OR.
    Any(Vec<Part>),
    Not(Box<Part>),
    /// `coalesce(…, FALSE)`: what is unknown counts as false.
    Known(Box<Part>),
    /// Anything else. If it is a comparison, its two sides.
    Condition(Option<[Range<usize>; 2]>),
}

/// Takes a rule apart.
///
/// # Errors
/// The text cannot be split into words and signs.
pub(crate) fn parts(text: &str) -> Result<Part, ExpressionError> {
    let positions = Positions::new(text)?;
    let found = tokens(text, &positions)?;
    let found = found.into_iter().filter(|token| token.token != Token::EOF);
    let mut is_inside = false;
    let pieces: Vec<Piece> = found
        .map(|token| {
            let (start, end) = positions.range(token.span);
            let sign = Sign::of(&token.token, is_inside);
            is_inside = token.token == Token::Period;
            Piece { sign, range: start..end }
        })
        .collect();
    let whole = part(&pieces, 0..text.len());
    let is_short = conditions(&whole) <= CONDITIONS_MAX;
    Ok(if is_short { whole } else { Part { range: whole.range, form: Form::Condition(None) } })
}

fn conditions(part: &Part) -> usize {
    match &part.form {
        Form::All(parts) | Form::Any(parts) => parts.iter().map(conditions).sum(),
        Form::Not(inner) | Form::Known(inner) => conditions(inner),
        Form::Condition(_) => 1,
    }
}

/// A token, as far as the structure of a rule depends on it.
#[derive(Debug)]
struct Piece {
    sign: Sign,
    range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    And,
    Or,
    Not,
    Between,
    Case,
    End,
    Coalesce,
    False,
    Comparison,
    Open,
    Close,
    Comma,
    Other,
}

impl Sign {
    fn of(token: &Token, is_inside: bool) -> Self {
        match token {
            Token::Word(word) if word.quote_style.is_none() && !is_inside => match word.keyword {
                Keyword::AND => Self::And,
                Keyword::OR => Self::Or,
                Keyword::NOT => Self::Not,
                Keyword::BETWEEN => Self::Between,
                Keyword::CASE => Self::Case,
                Keyword::END => Self::End,
                Keyword::FALSE => Self::False,
                _ if word.value.eq_ignore_ascii_case("coalesce") => Self::Coalesce,
                _ => Self::Other,
            },
            Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => {
                Self::Comparison
            }
            Token::LParen | Token::LBracket | Token::LBrace => Self::Open,
            Token::RParen | Token::RBracket | Token::RBrace => Self::Close,
            Token::Comma => Self::Comma,
            _ => Self::Other,
        }
    }
}

/// The part that is made of these tokens; `empty` is where none are.
fn part(pieces: &[Piece], empty: Range<usize>) -> Part {
    let [first, .., last] = pieces else {
        let range = pieces.first().map_or(empty, |only| only.range.clone());
        return Part { range, form: Form::Condition(None) };
    };
    let range = first.range.start..last.range.end;
    let joined = |pieces: Vec<&[Piece]>| -> Vec<Part> {
        pieces.into_iter().map(|pieces| part(pieces, range.clone())).collect()
    };
    let form = if let Some(pieces) = split(pieces, Sign::Or) {
        Form::Any(joined(pieces))
    } else if let Some(pieces) = split(pieces, Sign::And) {
        Form::All(joined(pieces))
    } else if first.sign == Sign::Not {
        Form::Not(Box::new(part(&pieces[1..], range.clone())))
    } else if closes(pieces) == Some(pieces.len() - 1) && pieces.len() > 2 {
        // Brackets around the whole say nothing more.
        return Part { range, ..part(&pieces[1..pieces.len() - 1], 0..0) };
    } else if let Some(inner) = known(pieces) {
        Form::Known(Box::new(part(inner, range.clone())))
    } else {
        Form::Condition(sides(pieces))
    };
    Part { range, form }
}

/// The tokens that are in no brackets and in no CASE, by position.
fn outermost(pieces: &[Piece]) -> impl Iterator<Item = (usize, Sign)> {
    let mut depth = 0_usize;
    pieces.iter().enumerate().filter_map(move |(position, piece)| {
        match piece.sign {
            Sign::Open | Sign::Case => depth += 1,
            Sign::Close | Sign::End => depth = depth.saturating_sub(1),
            sign if depth == 0 => return Some((position, sign)),
            _ => {}
        }
        None
    })
}

/// Splits at a logical operator; nothing if there is none, or nothing stands beside one.
fn split(pieces: &[Piece], operator: Sign) -> Option<Vec<&[Piece]>> {
    let (mut found, mut start, mut between) = (Vec::new(), 0, 0_usize);
    for (position, sign) in outermost(pieces) {
        match sign {
            Sign::Between => between += 1,
            Sign::And if between > 0 => between -= 1,
            sign if sign == operator => {
                found.push(&pieces[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    found.push(&pieces[start..]);
    (found.len() > 1 && found.iter().all(|pieces| !pieces.is_empty())).then_some(found)
}

/// Where the bracket closes that the tokens begin with.
fn closes(pieces: &[Piece]) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, piece) in pieces.iter().enumerate() {
        match piece.sign {
            Sign::Open => depth += 1,
            Sign::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return (position > 0).then_some(position);
        }
    }
    None
}

/// What stands in `coalesce(…, FALSE)`.
fn known(pieces: &[Piece]) -> Option<&[Piece]> {
    let [first, behind @ ..] = pieces else { return None };
    let is_call = first.sign == Sign::Coalesce && closes(behind) == Some(behind.len() - 1);
    let inside = if is_call { behind.get(1..behind.len() - 1)? } else { return None };
    let [inner @ .., comma, last] = inside else { return None };
    let has_one = outermost(inner).all(|(_, sign)| sign != Sign::Comma);
    let is_known = comma.sign == Sign::Comma && last.sign == Sign::False && !inner.is_empty();
    (is_known && has_one).then_some(inner)
}

/// The sides of a comparison.
fn sides(pieces: &[Piece]) -> Option<[Range<usize>; 2]> {
    let mut comparisons = outermost(pieces).filter(|(_, sign)| *sign == Sign::Comparison);
    let (Some((at, _)), None) = (comparisons.next(), comparisons.next()) else { return None };
    let around = |pieces: &[Piece]| Some(pieces.first()?.range.start..pieces.last()?.range.end);
    Some([around(&pieces[..at])?, around(&pieces[at + 1..])?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        fn show(part: &Part, text: &str) -> String {
            let list = |parts: &[Part]| {
                parts.iter().map(|part| show(part, text)).collect::<Vec<_>>().join(", ")
            };
            match &part.form {
                Form::All(parts) => format!("all({})", list(parts)),
                Form::Any(parts) => format!("any({})", list(parts)),
                Form::Not(inner) => format!("not({})", show(inner, text)),
                Form::Known(inner) => format!("known({})", show(inner, text)),
                Form::Condition(sides) => {
                    let bars = if sides.is_some() { "|" } else { "" };
                    format!("{bars}{}{bars}", &text[part.range.clone()])
                }
            }
        }
        show(&parts(text).expect("the text has tokens"), text)
    }

    #[test]
    fn rules_are_taken_apart_where_logic_joins_them() {
        let cases = [
            ("a > 1", "|a > 1|"),
            ("a AND b or not c = 2", "any(all(a, b), not(|c = 2|))"),
            ("((a OR b)) AND (c)", "all(any(a, b), (c))"),
            ("x BETWEEN 1 AND 2 AND y", "all(x BETWEEN 1 AND 2, y)"),
            ("x NOT BETWEEN 1 AND 2 OR y IS NOT NULL", "any(x NOT BETWEEN 1 AND 2, y IS NOT NULL)"),
            ("CASE WHEN a AND b THEN c OR d END", "CASE WHEN a AND b THEN c OR d END"),
            ("a.and = 1 AND \"or\" = 'x OR y'", "all(|a.and = 1|, |\"or\" = 'x OR y'|)"),
            ("NOT coalesce(age < 18, FALSE)", "not(known(|age < 18|))"),
            ("coalesce(a, b, FALSE)", "coalesce(a, b, FALSE)"),
            (
                "array_any_match(o, v -> v.a = 1 AND v.b)",
                "array_any_match(o, v -> v.a = 1 AND v.b)",
            ),
            ("(a + 1) > (b)", "|(a + 1) > (b)|"),
            ("é = 'ü' AND TRUE", "all(|é = 'ü'|, TRUE)"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
        let long = vec!["a"; CONDITIONS_MAX + 1].join(" OR ");
        assert_eq!(shown(&long), long);
    }
}
