//! One line of JSON, byte by byte, by the letter of RFC 8259.
//!
//! Decoders forgive what changes a value without a word: of two members with one name the last one
//! wins, half of a surrogate pair becomes another character, a number is rounded. The scan comes
//! before them, refuses such lines and knows the column. What a value has to be, a [`Shape`] says.

use std::borrow::Cow;

use crate::digits;

/// The deepest nesting of objects and lists.
pub(super) const DEPTH_MAX: usize = 64;
/// The most members of one object that are compared in pairs; more are sorted.
const PAIRS_MAX: usize = 24;
/// The longest name that a message shows, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Numbers that are written shorter, without an exponent, are finite.
const DIGITS_FINITE: usize = 300;

/// A place in a [`Shape`]: the root object is 0.
pub(super) type Node = usize;

/// The node of the line's object.
pub(super) const ROOT: Node = 0;

/// What values have to be, or what they turn out to be.
pub(super) trait Shape {
    /// The node of a member of an object; `None` when nobody asks for it.
    fn member(&mut self, object: Node, name: &str) -> Option<Node>;
    /// The node of the elements of a list.
    fn element(&mut self, list: Node) -> Option<Node>;
    /// Takes a value: a list or an object when it begins, any other when it is complete.
    fn found(&mut self, node: Node, value: Value<'_>) -> Result<(), Refusal>;
}

/// A value, as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Boolean(&'a str),
    Number(&'a str),
    /// With its quotes.
    Text(&'a str),
    List,
    Object,
}

impl Value<'_> {
    /// What to call it in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// Why a value is refused.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { code: "invalid_input", message: message.into(), hint: None }
    }

    pub(super) fn with_hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// What is wrong with a line, and where.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) refusal: Refusal,
    /// The byte of the line at which it shows.
    pub(super) at: usize,
    /// The names down to the value, joined by dots; empty for the line itself.
    pub(super) field: String,
}

impl Fault {
    fn inside(mut self, name: &str) -> Self {
        let name = shown(name);
        self.field = if self.field.is_empty() { name } else { format!("{name}.{}", self.field) };
        self
    }
}

/// A name as a message may show it.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(NAME_CHARS_MAX).collect();
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let more = if short.len() < name.len() { "…" } else { "" };
    short.chars().map(plain).chain(more.chars()).collect()
}

/// Checks that `line` is one JSON object and nothing else, and shows its values to `shape`.
pub(super) fn scan(line: &str, shape: &mut impl Shape) -> Result<(), Fault> {
    let mut scan = Scan { text: line, at: 0, depth: 0, names: Vec::new(), shape };
    if scan.peek() != Some(b'{') {
        return Err(scan.fault(Refusal::new("the line is not a JSON object")));
    }
    scan.value(Some(ROOT))?;
    scan.skip_space();
    if scan.at < line.len() {
        let refusal = Refusal::new("something follows the object")
            .with_hint("Write one object on each line.");
        return Err(scan.fault(refusal));
    }
    Ok(())
}

struct Scan<'a, S> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The names of the members so far of all objects that are open, each with its place.
    names: Vec<(Cow<'a, str>, usize)>,
    shape: &'a mut S,
}

impl<'a, S: Shape> Scan<'a, S> {
    fn value(&mut self, node: Option<Node>) -> Result<(), Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => {
                self.show(node, start, Value::Object)?;
                self.nested(|scan| scan.object(node))
            }
            Some(b'[') => {
                self.show(node, start, Value::List)?;
                self.nested(|scan| scan.list(node))
            }
            Some(b'"') => {
                self.text()?;
                self.show(node, start, Value::Text(&self.text[start..self.at]))
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.show(node, start, Value::Number(&self.text[start..self.at]))
            }
            Some(b't') => self.word("true", node, Value::Boolean("true")),
            Some(b'f') => self.word("false", node, Value::Boolean("false")),
            Some(b'n') => self.word("null", node, Value::Null),
            _ => Err(self.no_value()),
        }
    }

    /// Shows a value to the shape, if anybody asks for it.
    fn show(&mut self, node: Option<Node>, at: usize, value: Value<'_>) -> Result<(), Fault> {
        let Some(node) = node else { return Ok(()) };
        let refused = |refusal| Fault { refusal, at, field: String::new() };
        self.shape.found(node, value).map_err(refused)
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.depth == DEPTH_MAX {
            let message = format!("the line is nested more than {DEPTH_MAX} deep");
            return Err(self.fault(Refusal::new(message)));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let done = inner(self);
        self.depth -= 1;
        done
    }

    fn object(&mut self, node: Option<Node>) -> Result<(), Fault> {
        let first = self.names.len();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let place = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in double quotes"));
            }
            let name = self.name()?;
            let member = node.and_then(|node| self.shape.member(node, &name));
            self.skip_space();
            if !self.take(b':') {
                return Err(self.expected("a colon").inside(&name));
            }
            self.skip_space();
            self.names.push((name, place));
            let position = self.names.len() - 1;
            if let Err(fault) = self.value(member) {
                return Err(fault.inside(&self.names[position].0));
            }
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.expected("a comma or `}`"));
            }
            self.skip_space();
        }
        if let Some((name, at)) = repeated(&mut self.names[first..]) {
            let message = format!("the object has the member `{}` twice", shown(name));
            let refusal = Refusal { code: "duplicate_member", ..Refusal::new(message) }
                .with_hint("Write each member once: nobody can tell which of the two is meant.");
            return Err(Fault { refusal, at, field: String::new() });
        }
        self.names.truncate(first);
        Ok(())
    }

    fn list(&mut self, node: Option<Node>) -> Result<(), Fault> {
        if self.take(b']') {
            return Ok(());
        }
        let element = node.and_then(|node| self.shape.element(node));
        loop {
            self.value(element)?;
            self.skip_space();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("a comma or `]`"));
            }
            self.skip_space();
        }
    }

    fn name(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        let has_escapes = self.text()?;
        let raw = &self.text[start..self.at];
        if !has_escapes {
            return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
        }
        let name: Option<String> = serde_json::from_str(raw).ok();
        name.map(Cow::Owned).ok_or_else(|| self.expected("a name"))
    }

    /// Passes over a text; true if it has escapes.
    fn text(&mut self) -> Result<bool, Fault> {
        let mut has_escapes = false;
        let opened = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => {
                    let refusal = Refusal::new("a control character stands in a text as it is")
                        .with_hint("Write it as an escape, such as `\\n` or `\\u0000`.");
                    return Err(self.fault(refusal));
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = opened;
                    let refusal = Refusal::new("the text that begins here is never closed")
                        .with_hint("Close it, and write a quote inside it as `\\\"`.");
                    return Err(self.fault(refusal));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            _ => {
                let hint = "JSON knows `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` and `\\uXXXX`.";
                return Err(self.fault(Refusal::new("an escape is none of JSON").with_hint(hint)));
            }
        }
        let lone = |scan: &mut Self| {
            scan.at = start;
            let message = "an escape is half of a surrogate pair, which is no character";
            let refusal = Refusal { code: "invalid_unicode", ..Refusal::new(message) }.with_hint(
                "Write the whole pair, such as `\\ud83d\\ude00`, or the character itself.",
            );
            Err(scan.fault(refusal))
        };
        match self.code_unit()? {
            0xd800..=0xdbff => {
                if !self.text[self.at..].starts_with("\\u")
                    || !(0xdc00..=0xdfff).contains(&self.code_unit()?)
                {
                    return lone(self);
                }
                Ok(())
            }
            0xdc00..=0xdfff => lone(self),
            _ => Ok(()),
        }
    }

    /// Passes over `\uXXXX`.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(self.at + 2..self.at + 6);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        let Some(unit) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            let refusal = Refusal::new("an escape is not complete")
                .with_hint("Behind `\\u` stand four hexadecimal digits.");
            return Err(self.fault(refusal));
        };
        self.at += 6;
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.take(b'-');
        let whole = self.at;
        let mut is_well_formed = self.digits() > 0;
        is_well_formed &= self.at == whole + 1 || self.text.as_bytes().get(whole) != Some(&b'0');
        if self.take(b'.') {
            is_well_formed &= self.digits() > 0;
        }
        let has_exponent = self.take(b'e') || self.take(b'E');
        if has_exponent {
            let _sign = self.take(b'+') || self.take(b'-');
            is_well_formed &= self.digits() > 0;
        }
        let number = &self.text[start..self.at];
        let refusal = if !is_well_formed {
            Refusal::new("a number is not written as JSON has it")
                .with_hint("Leading zeros and a dot without digits are none of JSON; put quotes around what is a text.")
        } else if (has_exponent || number.len() > DIGITS_FINITE) && !digits::is_finite(number) {
            Refusal::new("a number is larger than any type holds")
                .with_hint("Put quotes around it, to have it as a text.")
        } else {
            return Ok(());
        };
        self.at = start;
        Err(self.fault(refusal))
    }

    /// Passes over digits, and counts them.
    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(
        &mut self,
        word: &'static str,
        node: Option<Node>,
        value: Value<'_>,
    ) -> Result<(), Fault> {
        let start = self.at;
        if !self.text[self.at..].starts_with(word) {
            return Err(self.no_value());
        }
        self.at += word.len();
        self.show(node, start, value)
    }

    fn no_value(&self) -> Fault {
        if self.at >= self.text.len() {
            return self.expected("a value");
        }
        let refusal = Refusal::new("what stands here is no value of JSON").with_hint(
            "A value is a text in double quotes, a number, true, false, null, a list or an object; write null for NaN.",
        );
        self.fault(refusal)
    }

    fn expected(&self, what: &str) -> Fault {
        let refusal = if self.at >= self.text.len() {
            Refusal::new("the line ends inside of its object")
                .with_hint("Each object stands on one line; the file may be cut short.")
        } else {
            Refusal::new(format!("{what} is expected here"))
        };
        self.fault(refusal)
    }

    fn fault(&self, refusal: Refusal) -> Fault {
        Fault { refusal, at: self.at, field: String::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}

/// The first name that stands there a second time, with the place where it does.
fn repeated<'n>(names: &'n mut [(Cow<'_, str>, usize)]) -> Option<(&'n str, usize)> {
    if names.len() <= PAIRS_MAX {
        let is_second = |at: usize| names[..at].iter().any(|(name, _)| *name == names[at].0);
        let second = (1..names.len()).find(|&at| is_second(at))?;
        return Some((&names[second].0, names[second].1));
    }
    names.sort_unstable();
    let pairs = names.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let second = pairs.map(|pair| &pair[1]).min_by_key(|(_, place)| *place)?;
    Some((&second.0, second.1))
}

#[cfg(test)]
mod tests;
