//! Databases: where they are, and what is read of them. A password comes from a variable and is never
//! shown.

use secrecy::SecretString;

use super::{Item, Resolver};
use crate::config;
use crate::project::{Database, Relation};
use crate::tree::{Node, Origin};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Whether a location is the address of a database.
pub(super) fn is_address(location: &str) -> bool {
    SCHEMES.iter().any(|scheme| location.starts_with(scheme))
}

/// The address as messages name it, without password and parameters.
pub(super) fn shown(database: &Database) -> String {
    let address = database.address.split('?').next().unwrap_or_default();
    format!("postgres://{address}")
}

/// An address taken apart.
struct Parts<'a> {
    user: &'a str,
    password: Option<&'a str>,
    /// Behind the user: host, port, database, parameters.
    rest: &'a str,
}

/// Takes an address apart at its last `@`, so that no part of a password is taken for a host, whatever
/// it holds.
fn parts(location: &str) -> Option<Parts<'_>> {
    let scheme = SCHEMES.iter().find(|scheme| location.starts_with(*scheme))?;
    let address = &location[scheme.len()..];
    let Some((user, rest)) = address.rsplit_once('@') else {
        return Some(Parts { user: "", password: None, rest: address });
    };
    let (user, password) = match user.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user, None),
    };
    Some(Parts { user, password, rest })
}

impl Resolver<'_> {
    pub(super) fn database(
        &mut self,
        item: Item<'_>,
        file: &config::Dataset,
        location: &str,
    ) -> Option<Database> {
        if file.account.is_some() {
            let hint = "A database is read with the user and the password of its address.";
            self.warn("unused_account", item.span("account"), "the account is not used", hint);
        }
        let relation = self.relation(item, file);
        let is_clear = self.has_clear_password(item) | self.is_clear_password_key(item);
        let Some(Parts { user, password, rest }) = parts(location) else {
            let hint = "Write `postgres://user@host/database`, and the password under `password:`.";
            let place = item.span("location");
            self.error("location_form", place, "this is not the address of a database", hint);
            return None;
        };
        if is_clear {
            return None;
        }
        let key = if file.query.is_some() { "query" } else { "table" };
        let given = file.password.clone().or_else(|| password.map(decoded));
        let at = if user.is_empty() { "" } else { "@" };
        Some(Database {
            address: format!("{user}{at}{rest}"),
            password: given.filter(|text| !text.is_empty()).map(SecretString::from),
            relation: relation?,
            relation_span: item.span(key),
        })
    }

    fn relation(&mut self, item: Item<'_>, file: &config::Dataset) -> Option<Relation> {
        let is_there = |text: &&String| !text.trim().is_empty();
        match (file.table.as_ref().filter(is_there), file.query.as_ref().filter(is_there)) {
            (Some(table), None) => Some(Relation::Table(table.trim().to_owned())),
            (None, Some(query)) => {
                let query = query.trim().trim_end_matches(';').trim_end();
                Some(Relation::Query(query.to_owned()))
            }
            (Some(_), Some(_)) => {
                let message = "a dataset is either a `table` or a `query`";
                self.error(
                    "misplaced_key",
                    item.key_place("query"),
                    message,
                    "Remove one of them.",
                );
                None
            }
            (None, None) => {
                let hint = "Add `table: customers`, or `query:` with a SELECT.";
                let message = "a database needs a `table` or a `query`";
                self.error("missing_key", item.key_span, message, hint);
                None
            }
        }
    }

    /// Reports a password that stands in the address. The place is the key, never the value.
    fn has_clear_password(&mut self, item: Item<'_>) -> bool {
        let Some(scalar) = item.node.get("location").and_then(Node::scalar) else { return false };
        // What is the value of a variable as a whole is not in the file.
        let written = scalar.written.as_ref().unwrap_or(&scalar.text);
        let password = parts(written).and_then(|parts| parts.password);
        let in_address = password.is_some_and(|text| !text.is_empty() && !is_variable(text));
        let in_parameters = ["?password=", "&password="].iter().any(|it| written.contains(it));
        if !in_address && !in_parameters {
            return false;
        }
        let message = "the address holds a password in the clear";
        let hint = "Write `password: ${CRM_PASSWORD}` below it and set the variable; replace the password if the file was shared.";
        self.error("secret_in_clear", item.key_place("location"), message, hint);
        true
    }

    fn is_clear_password_key(&mut self, item: Item<'_>) -> bool {
        let Some(scalar) = item.node.get("password").and_then(Node::scalar) else { return false };
        if scalar.origin == Origin::Variable || (scalar.text.is_empty() && !scalar.unfilled) {
            return false;
        }
        let hint = "Write `password: ${CRM_PASSWORD}` and set the variable; replace the password if the file was shared.";
        let place = item.key_place("password");
        self.error("secret_in_clear", place, "`password` is written in the clear", hint);
        true
    }
}

/// Whether a text is one variable without a default and nothing else.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// A part of an address with its `%41` resolved; as it is where that is not possible.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) if byte == b'%' => {
                bytes.push(code);
                rest = &more[2..];
            }
            _ => {
                bytes.push(byte);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_taken_for_anything_else() {
        let cases = [
            ("postgres://db.acme/crm", "", None, "db.acme/crm"),
            ("postgres://u@db:5432/crm?sslmode=require", "u", None, "db:5432/crm?sslmode=require"),
            ("postgresql://u:p@db/crm", "u", Some("p"), "db/crm"),
            ("postgres://u:p@w/o?r#d:@db/crm", "u", Some("p@w/o?r#d:"), "db/crm"),
        ];
        for (location, user, password, rest) in cases {
            let found = parts(location).expect(location);
            assert_eq!((found.user, found.password, found.rest), (user, password, rest));
        }
        assert_eq!(decoded("a%40b%zz%"), "a@b%zz%");
        assert!(is_variable("${CRM}") && !is_variable("${CRM:-x}") && !is_variable("x${CRM}"));
    }
}
