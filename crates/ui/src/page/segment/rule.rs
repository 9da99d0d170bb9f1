//! A rule with its keywords, texts and numbers told apart.

use maud::{Markup, html};

/// The words of SQL and PQL that rules are made of.
const KEYWORDS: [&str; 27] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "like",
    "between",
    "case",
    "when",
    "then",
    "else",
    "end",
    "true",
    "false",
    "interval",
    "timestamp",
    "date",
    "exists",
    "select",
    "where",
    "from",
    "occurs",
    "before",
    "within",
    "days",
    "cast",
];

/// Draws a rule. Whatever is not understood is drawn as it is.
pub(super) fn highlight(rule: &str) -> Markup {
    html! {
        @for (class, text) in pieces(rule) {
            @match class { Some(class) => span class=(class) { (text) }, None => (text) }
        }
    }
}

/// The rule in pieces with the class of each: `k` keyword, `s` text, `n` number.
fn pieces(rule: &str) -> Vec<(Option<&'static str>, &str)> {
    let mut found = Vec::new();
    let mut rest = rule;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '\'' | '"' => (Some("s"), quoted(rest, first)),
            first if first.is_ascii_digit() => {
                (Some("n"), span(rest, |c| c.is_ascii_digit() || c == '.'))
            }
            first if is_word(first) => {
                let length = span(rest, |c| is_word(c) || c == '.');
                (KEYWORDS.contains(&rest[..length].to_lowercase().as_str()).then_some("k"), length)
            }
            _ => (None, span(rest, |c| !is_word(c) && c != '\'' && c != '"').max(first.len_utf8())),
        };
        let (piece, behind) = rest.split_at(length);
        found.push((class, piece));
        rest = behind;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a quoted text, its end included.
fn quoted(text: &str, quote: char) -> usize {
    text[quote.len_utf8()..].find(quote).map_or(text.len(), |end| end + 2 * quote.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::{highlight, pieces};

    #[test]
    fn a_rule_is_told_apart_and_nothing_is_lost() {
        let rule = "loyalty.points >= 6000 AND homeAddress.country IN ('FR', 'B’E')\n OR x = 'open";
        let whole: String = pieces(rule).into_iter().map(|(_, piece)| piece).collect();
        assert_eq!(whole, rule);
        insta::assert_snapshot!(highlight("points >= 6000 AND c IN ('F<R')").0, @r#"points &gt;= <span class="n">6000</span> <span class="k">AND</span> c <span class="k">IN</span> (<span class="s">'F&lt;R'</span>)"#);
    }
}
