//! SQL expressions as texts: what they name, without understanding more of them than quotes and comments.
//! Whoever compiles an expression knows better; what is asked here has to be known without data.

use std::ops::Range;

/// Goes through a SQL expression without understanding more of it than quotes and comments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner<'a> {
    sql: &'a str,
    /// The byte that comes next.
    pub(crate) at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(sql: &'a str, at: usize) -> Self {
        Self { sql, at }
    }

    /// The next word outside quotes and comments.
    pub(crate) fn next_word(&mut self) -> Option<Range<usize>> {
        loop {
            self.skip_blank();
            let letter = self.rest().chars().next()?;
            match letter {
                '\'' | '"' => drop(self.quoted(letter)),
                _ if begins_word(letter) => return Some(self.word()),
                _ => self.at += letter.len_utf8(),
            }
        }
    }

    fn rest(&self) -> &str {
        &self.sql[self.at..]
    }

    /// Passes white space and comments.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let rest = &rest[blank..];
            let comment = if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                0
            };
            self.at += blank + comment;
            if blank + comment == 0 {
                return;
            }
        }
    }

    pub(crate) fn takes(&mut self, sign: char) -> bool {
        self.skip_blank();
        let is_there = self.rest().starts_with(sign);
        self.at += if is_there { sign.len_utf8() } else { 0 };
        is_there
    }

    /// A text between single quotes, and where it stands.
    pub(crate) fn text(&mut self) -> Option<(String, Range<usize>)> {
        self.skip_blank();
        let start = self.at;
        let text = self.rest().starts_with('\'').then(|| self.quoted('\''))?;
        Some((text, start..self.at))
    }

    /// What stands between quotes, in which the quote itself is doubled.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            if letter != quote {
                text.push(letter);
            } else if letters.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                self.at += at + quote.len_utf8();
                return text;
            }
        }
        self.at = self.sql.len();
        text
    }

    /// The word that begins here.
    fn word(&mut self) -> Range<usize> {
        let start = self.at;
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        self.at += self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        start..self.at
    }

    /// A name: a word, or what stands between double quotes.
    fn name(&mut self) -> Option<String> {
        self.skip_blank();
        match self.rest().chars().next()? {
            '"' => Some(self.quoted('"')),
            letter if begins_word(letter) => {
                let word = self.word();
                Some(self.sql[word].to_owned())
            }
            _ => None,
        }
    }

    /// What follows the name of a field: `.name`, `['key']`, `[0]`. A number adds nothing.
    fn steps(&mut self, names: &mut Vec<String>) {
        loop {
            let mut next = *self;
            if next.takes('.') {
                let Some(name) = next.name() else { return };
                names.push(name);
            } else if next.takes('[') {
                match next.text() {
                    Some((key, _)) => names.push(key),
                    None => next.at += next.rest().find(']').unwrap_or(next.rest().len()),
                }
                if !next.takes(']') {
                    return;
                }
            } else {
                return;
            }
            *self = next;
        }
    }
}

/// What a SQL expression names, as far as its text tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// What may be fields, each as the names of its steps. Words of the language are among them.
    pub(crate) fields: Vec<Vec<String>>,
    /// Texts between single quotes, which name datasets of events among others.
    pub(crate) texts: Vec<String>,
}

/// Returns what a SQL expression names. Names that are called as functions are left out.
pub(crate) fn named(sql: &str) -> Named {
    let mut found = Named::default();
    let mut rest = Scanner::new(sql, 0);
    loop {
        rest.skip_blank();
        let Some(letter) = rest.rest().chars().next() else { return found };
        if letter == '\'' {
            found.texts.extend(rest.text().map(|(text, _)| text));
        } else if letter.is_ascii_digit() {
            // With what belongs to it: `1e5` names nothing.
            rest.word();
        } else if let Some(name) = rest.name() {
            let mut names = vec![name];
            rest.steps(&mut names);
            if !Scanner::new(sql, rest.at).takes('(') {
                found.fields.push(names);
            }
        } else {
            rest.at += letter.len_utf8();
        }
    }
}

fn begins_word(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn fields_are_found_by_their_names() {
        let found = named(
            "lower(home.\"post code\") = 'a.b' /* c.d */ AND mails[0].address IS NULL -- e.f\n \
             OR attributes['lang'] > 1e5 OR exists('orders', total.net > 2) OR \"x y\"",
        );
        let fields: Vec<String> = found.fields.iter().map(|it| it.join("/")).collect();
        assert_eq!(
            fields,
            [
                "home/post code",
                "AND",
                "mails/address",
                "IS",
                "NULL",
                "OR",
                "attributes/lang",
                "OR",
                "total/net",
                "OR",
                "x y"
            ]
        );
        assert_eq!(found.texts, ["a.b", "orders"]);
        // Whatever is written, there is an end.
        for text in ["a.", "a[", "a['", "a[0", "'", "\"", "/*", "a.[", "."] {
            named(text);
        }
    }
}
