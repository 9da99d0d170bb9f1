//! Private keys have no place in a definition: one that holds any is refused before it is compared, shown
//! or kept.

use plan::Section;
use serde_json::Value;

use super::{Found, Name, Refused};

/// What is said of it.
pub(crate) const PRIVATE_KEY: &str =
    "this is a private key, which only its owner may have: it was not kept";
/// What to do where the public key of a recipient should stand.
pub(crate) const PRIVATE_KEY_HINT: &str = "Ask the recipient for the public key (`gpg --export --armor KEY`). If the private key was shown to anybody, its owner has to revoke it and make a new one.";
const SECRET_HINT: &str = "Store it as a secret, and write `${secret:NAME}`; make a new key if this one was shown to anybody.";

/// Refuses definitions that hold private keys.
///
/// # Errors
/// Some do: where.
pub(crate) fn refuse_private_keys<'a>(
    objects: impl IntoIterator<Item = (&'a Name, &'a Value)>,
) -> Result<(), Refused> {
    let mut found = Vec::new();
    for (name, definition) in objects {
        search(name, definition, "", &mut found);
    }
    if found.is_empty() { Ok(()) } else { Err(Refused::Invalid(found)) }
}

fn search(name: &Name, value: &Value, pointer: &str, out: &mut Vec<Found>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                search(name, member, &format!("{pointer}/{key}"), out);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                search(name, item, &format!("{pointer}/{at}"), out);
            }
        }
        Value::String(text) if delivery::pgp::holds_private_key(text) => {
            out.push(private(name.clone(), pointer.to_owned()));
        }
        _ => {}
    }
}

fn private(name: Name, pointer: String) -> Found {
    let is_recipient = name.0 == Section::Destinations && pointer.starts_with("/encryption/pgp/");
    Found {
        place: format!("stored {}", super::named(&name)),
        object: Some(name),
        pointer,
        code: "pgp_private_key",
        message: PRIVATE_KEY.to_owned(),
        hint: Some(if is_recipient { PRIVATE_KEY_HINT } else { SECRET_HINT }.to_owned()),
    }
}
