//! Paths to fields: `person.name.firstName`, `emails[0].address`, `attributes['lang']`.

use std::fmt;

/// The longest path text that is read, in bytes.
pub const PATH_BYTES_MAX: usize = 1_024;
/// The most steps of one path.
pub const PATH_STEPS_MAX: usize = 64;

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A field of a struct, or a top-level column.
    Field(String),
    /// An element of a list, counted from 0.
    Index(u32),
    /// The value of a map under a key.
    Key(String),
}

/// A path from the root of a profile to one value.
///
/// The text form is dotted; names that are not plain identifiers are written `['odd name']`, also at
/// the root, the same form that addresses a map key. Whether such a step means a struct field or a map key is
/// decided by the schema, so a bracketed name parses as [`Step::Key`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    steps: Vec<Step>,
}

/// Why a text is not a field path; `offset` counts bytes from the start of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PathError {
    /// Where in the text the problem is, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl FieldPath {
    /// Parses the text form.
    ///
    /// # Errors
    /// The text is empty, too long, or not of the form described at [`FieldPath`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError { offset: PATH_BYTES_MAX, reason: "the path is too long" });
        }
        let mut steps = Vec::new();
        let mut rest = Cursor { text, offset: 0 };
        steps.push(Step::Field(rest.root()?));
        while !rest.is_at_end() {
            if steps.len() == PATH_STEPS_MAX {
                return Err(rest.error("the path has too many steps"));
            }
            steps.push(rest.step()?);
        }
        Ok(Self { steps })
    }

    /// The steps, at least one, the first always a [`Step::Field`].
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The name of the top-level column that the path starts in.
    pub fn root(&self) -> &str {
        match &self.steps[0] {
            Step::Field(name) => name,
            Step::Index(_) | Step::Key(_) => unreachable!("a path starts with a field"),
        }
    }

    /// The default header of a column made from this field: dots and brackets become underscores
    /// (`person.name.firstName` → `person_name_firstName`; behaviour reference §4.6).
    pub fn header(&self) -> String {
        let mut header = String::new();
        for step in &self.steps {
            if !header.is_empty() {
                header.push('_');
            }
            match step {
                Step::Field(name) | Step::Key(name) => header.push_str(&name.replace('.', "_")),
                Step::Index(index) => header.push_str(&index.to_string()),
            }
        }
        header
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) if !name.chars().all(is_plain) => write_quoted(f, name)?,
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write_quoted(f, key)?,
            }
        }
        Ok(())
    }
}

/// Whether a name may hold the character without quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '$' | ':')
}

fn write_quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "['{}']", name.replace('\'', "''"))
}

/// What is left of the text being parsed.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl Cursor<'_> {
    fn is_at_end(&self) -> bool {
        self.offset == self.text.len()
    }

    fn rest(&self) -> &str {
        &self.text[self.offset..]
    }

    fn error(&self, reason: &'static str) -> PathError {
        PathError { offset: self.offset, reason }
    }

    /// The name that a path begins with: a plain one, or a quoted one in brackets.
    fn root(&mut self) -> Result<String, PathError> {
        if !self.rest().starts_with("['") {
            return self.name();
        }
        match self.step()? {
            Step::Key(name) if !name.is_empty() => Ok(name),
            _ => Err(PathError { offset: 0, reason: "expected a field name" }),
        }
    }

    fn step(&mut self) -> Result<Step, PathError> {
        if self.eat('.') {
            return Ok(Step::Field(self.name()?));
        }
        if !self.eat('[') {
            return Err(self.error("expected `.` or `[`"));
        }
        let step =
            if self.eat('\'') { Step::Key(self.quoted()?) } else { Step::Index(self.index()?) };
        if self.eat(']') { Ok(step) } else { Err(self.error("expected `]`")) }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.offset += wanted.len_utf8();
        }
        found
    }

    fn name(&mut self) -> Result<String, PathError> {
        let end = self.rest().find(|c| !is_plain(c)).unwrap_or(self.rest().len());
        if end == 0 {
            return Err(self.error("expected a field name"));
        }
        let name = self.rest()[..end].to_owned();
        self.offset += end;
        Ok(name)
    }

    /// A name between single quotes; a quote inside is doubled.
    fn quoted(&mut self) -> Result<String, PathError> {
        let mut name = String::new();
        loop {
            let Some(end) = self.rest().find('\'') else {
                return Err(self.error("the quoted name has no end"));
            };
            name.push_str(&self.rest()[..end]);
            self.offset += end + 1;
            if !self.eat('\'') {
                return Ok(name);
            }
            name.push('\'');
        }
    }

    fn index(&mut self) -> Result<u32, PathError> {
        let end = self.rest().find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len());
        let index = self.rest()[..end]
            .parse()
            .map_err(|_| self.error("expected a position such as `0`, or a quoted name"))?;
        self.offset += end;
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, header: &str) {
        let path = FieldPath::parse(text).expect("the path parses");
        assert_eq!(path.to_string(), text);
        assert_eq!(path.header(), header);
    }

    #[test]
    fn paths_keep_their_text_and_give_a_header() {
        check("crmId", "crmId");
        check("person.name.firstName", "person_name_firstName");
        check("emails[0].address", "emails_0_address");
        check("attributes['lang']", "attributes_lang");
        check("attributes['it''s']", "attributes_it's");
        check("attributes['a.b']", "attributes_a_b");
        check("prénom.é-t", "prénom_é-t");
        check("['first name']", "first name");
        check("['a.b']['c d'].e", "a_b_c d_e");
    }

    #[test]
    fn broken_paths_say_where() {
        let cases = [
            ("", 0, "expected a field name"),
            (".a", 0, "expected a field name"),
            ("a.", 2, "expected a field name"),
            ("a..b", 2, "expected a field name"),
            ("a[", 2, "expected a position such as `0`, or a quoted name"),
            ("a[x]", 2, "expected a position such as `0`, or a quoted name"),
            ("a[99999999999]", 2, "expected a position such as `0`, or a quoted name"),
            ("a['b", 3, "the quoted name has no end"),
            ("a['b'", 5, "expected `]`"),
            ("a b", 1, "expected `.` or `[`"),
            ("['']", 0, "expected a field name"),
            ("[0]", 0, "expected a field name"),
            ("['a", 2, "the quoted name has no end"),
        ];
        for (text, offset, reason) in cases {
            assert_eq!(FieldPath::parse(text), Err(PathError { offset, reason }), "{text}");
        }
        assert!(FieldPath::parse(&"a".repeat(PATH_BYTES_MAX + 1)).is_err());
        assert!(FieldPath::parse(&vec!["a"; PATH_STEPS_MAX + 1].join(".")).is_err());
    }
}
