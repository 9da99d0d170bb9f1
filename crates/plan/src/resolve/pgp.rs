//! `encryption.pgp` of a destination: the texts of the keys. What is in them is for those who encrypt.

use secrecy::SecretString;

use super::{Item, Resolver};
use crate::config;
use crate::diagnostic::Span;
use crate::project::{Pgp, PublicKeyText, SignerText};
use crate::tree::Node;

/// The most recipients of a destination.
const RECIPIENTS_MAX: usize = 50;
/// The longest key, in bytes: one with pictures and many signatures is shorter.
const KEY_BYTES_MAX: usize = 1 << 20;
/// What the text of a key begins with; anything else is the name of a file.
const ARMOUR: &str = "-----BEGIN ";

impl Resolver<'_> {
    pub(super) fn pgp(&mut self, item: Item<'_>, file: &config::Destination) -> Option<Pgp> {
        let (item, file) = item.child("encryption").zip(file.encryption.as_ref())?;
        let Some(names) = &file.pgp else {
            for key in ["pgp_sign", "pgp_sign_passphrase"] {
                if item.node.get(key).is_some() {
                    let message = format!("`{key}` belongs to `pgp`");
                    let hint = "Name the recipients with `pgp: [keys/partner.asc]`, or remove it.";
                    self.error("misplaced_key", item.key_place(key), message, hint);
                }
            }
            return None;
        };
        self.check_count(item, names.len());
        let nodes = item.node.get("pgp").map(Node::items).unwrap_or_default();
        let recipients: Vec<PublicKeyText> = nodes
            .iter()
            .zip(names)
            .enumerate()
            .filter_map(|(at, (node, name))| {
                let span = node.text_span();
                let called = match names.len() {
                    1 => "the key".to_owned(),
                    _ => format!("key {}", at + 1),
                };
                let (name, text) = self.key_text(name, called, span)?;
                Some(PublicKeyText { name, text, span })
            })
            .collect();
        let signer = self.signer(item, file);
        (recipients.len() == names.len() && !names.is_empty()).then_some(Pgp { recipients, signer })
    }

    fn check_count(&mut self, item: Item<'_>, count: usize) {
        let place = item.key_place("pgp");
        if count == 0 {
            let hint = "Name the file with the public key of each recipient, or remove `pgp`.";
            self.error("pgp_recipients", place, "the files are encrypted for nobody", hint);
        }
        if count > RECIPIENTS_MAX {
            let message = format!("the files are encrypted for more than {RECIPIENTS_MAX} keys");
            self.error("pgp_recipients", place, message, "Make a destination for each group.");
        }
    }

    fn signer(&mut self, item: Item<'_>, file: &config::Encryption) -> Option<SignerText> {
        let clear = self.is_in_clear(item, "pgp_sign_passphrase");
        let Some(written) = &file.pgp_sign else {
            if file.pgp_sign_passphrase.is_some() {
                let message = "`pgp_sign_passphrase` belongs to `pgp_sign`";
                let place = item.key_place("pgp_sign_passphrase");
                self.error("misplaced_key", place, message, "Name the key, or remove it.");
            }
            return None;
        };
        let from_variable = item
            .node
            .get("pgp_sign")
            .and_then(Node::scalar)
            .is_some_and(|scalar| scalar.origin.is_elsewhere());
        if is_armoured(written) && !from_variable {
            let hint = "Name a file that only this user can read, or write `pgp_sign: ${PGP_SIGN}`; replace the key if the file was shared.";
            let place = item.key_place("pgp_sign");
            self.error("secret_in_clear", place, "`pgp_sign` is written in the clear", hint);
            return None;
        }
        let span = item.key_place("pgp_sign");
        let (name, text) = self.key_text(written, "the key".to_owned(), span)?;
        let passphrase = file.pgp_sign_passphrase.clone().map(SecretString::from);
        (!clear).then(|| SignerText { name, text: SecretString::from(text), passphrase, span })
    }

    /// A key as it is written, `called` so in messages, or the text of the file that is named.
    fn key_text(&mut self, written: &str, called: String, span: Span) -> Option<(String, String)> {
        let (name, text) = match is_armoured(written) {
            true => (called, Ok(written.to_owned())),
            false => (written.to_owned(), (self.files)(written)),
        };
        let (message, hint) = match text {
            Ok(text) if text.len() <= KEY_BYTES_MAX => return Some((name, text)),
            Ok(_) => (
                format!("{name} has more than {KEY_BYTES_MAX} bytes"),
                "A file with a key is much smaller: is it the right file?",
            ),
            Err(reason) => (
                format!("the key cannot be read: {reason}"),
                "The path is relative to the project file; the key is ASCII-armoured (`gpg --export --armor`) or in Base64.",
            ),
        };
        self.error("pgp_key_file", span, message, hint);
        None
    }
}

fn is_armoured(text: &str) -> bool {
    text.trim_start().starts_with(ARMOUR)
}
