//! What stored objects may not say: whoever may use the API may not therefore read the files and the
//! environment of the machine, and no secret goes into the ledger.

use crate::diagnostic::{Diagnostic, Span};
use crate::interpolate::{self, Reference};
use crate::tree::{Content, Node};

/// Keys whose values are names of files on the server's machine.
const FILE_KEYS: [&str; 3] = ["rule_file", "pql_file", "ca_file"];
/// Variables of Segue itself are not for accounts.
const OWN_VARIABLES: &str = "SEGUE_";
/// What the text of a key begins with; anything else is the name of a file.
const ARMOUR: &str = "-----BEGIN ";

/// What public keys of SSH begin with (OpenSSH, `sshd(8)`; RFC 4716).
const SSH_KEYS: [&str; 5] = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2"];
/// What the names of files with keys end with.
const KEY_FILES: [&str; 5] = [".asc", ".gpg", ".pgp", ".key", ".pub"];
const ASK_FOR_KEY: &str = "Ask the recipient for an OpenPGP key: `gpg --export --armor KEY` prints it, and it begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`.";
const KEY_BEGINS: &str = "Write the whole of what `gpg --export --armor KEY` prints: it begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`.";

/// Reports what a stored object says and may not, and takes it out of the tree: nothing of the machine
/// is filled in for it, so that no other message can tell what is there.
pub(super) fn check(node: &mut Node, out: &mut Vec<Diagnostic>) {
    value(node, "", out);
}

fn value(node: &mut Node, key: &str, out: &mut Vec<Diagnostic>) {
    if matches!(node.content, Content::Scalar(_)) {
        let before = out.len();
        text(key, node, out);
        if let Content::Scalar(scalar) = &mut node.content
            && out.len() > before
        {
            scalar.text.clear();
            scalar.unfilled = true;
        }
        return;
    }
    match &mut node.content {
        Content::Scalar(_) => {}
        Content::Sequence(items) => items.iter_mut().for_each(|item| value(item, key, out)),
        Content::Mapping(entries) => {
            for entry in entries {
                if entry.key == "import" {
                    import(&entry.value, out);
                }
                value(&mut entry.value, &entry.key, out);
            }
        }
    }
}

fn text(key: &str, node: &Node, out: &mut Vec<Diagnostic>) {
    let place = node.text_span();
    let Some(text) = node.scalar().map(|scalar| scalar.text.as_str()).filter(|_| !node.is_null())
    else {
        return;
    };
    if FILE_KEYS.contains(&key) {
        let message =
            format!("`{key}` names a file of the server, which is not for stored objects");
        let hint = "Write the text itself, or keep the object in the project file.";
        out.push(refused(place, message, hint));
        return;
    }
    if key == "pgp" && !text.trim_start().starts_with(ARMOUR) {
        out.push(no_key(text, place));
        return;
    }
    // Credentials in the clear are told as they are in the file.
    if key == "pgp_sign" && !interpolate::is_reference(text) {
        let message = "`pgp_sign` names a file of the server, which is not for stored objects";
        out.push(refused(place, message, "Store the key as a secret, and write `${secret:NAME}`."));
        return;
    }
    let is_place = interpolate::may_be_secret(key);
    for reference in interpolate::references(text) {
        match reference {
            // Whether it stands where it may is checked as in the file.
            Reference::Secret => {}
            Reference::File => {
                let message =
                    "`${file:…}` reads a file of the server, which is not for stored objects";
                out.push(refused(place, message, "Use `${secret:NAME}`."));
            }
            Reference::Variable(name) if !is_place || name.starts_with(OWN_VARIABLES) => {
                let message = format!("the variable `{name}` of the server is not for this place");
                let hint = "Write the value itself; credentials may be `${secret:NAME}`.";
                out.push(refused(place, message, hint));
            }
            Reference::Variable(_) => {}
        }
    }
}

/// What stands where the public key of a recipient should, by what it looks like.
fn no_key(text: &str, place: Span) -> Diagnostic {
    let text = text.trim();
    if SSH_KEYS.iter().any(|begin| text.starts_with(begin)) {
        let message = "this is an SSH key, which cannot encrypt files";
        return Diagnostic::error("pgp_not_a_key", place, message).with_hint(ASK_FOR_KEY);
    }
    let is_named = text.starts_with("${");
    let is_path = !text.contains(char::is_whitespace)
        && (text.starts_with(['/', '.', '~']) || KEY_FILES.iter().any(|end| text.ends_with(end)));
    if is_named || is_path {
        let message = "`pgp` names a file of the server, which is not for stored objects";
        return refused(place, message, "Write the armoured public keys themselves.");
    }
    let message = "this is not an OpenPGP public key";
    Diagnostic::error("pgp_not_a_key", place, message).with_hint(KEY_BEGINS)
}

/// A list of members is a file too; those of the project's own folder may be named.
fn import(node: &Node, out: &mut Vec<Diagnostic>) {
    let Some(location) = node.get("location") else { return };
    let Some(scalar) = location.scalar() else { return };
    let path = scalar.text.replace('\\', "/");
    let is_inside = !path.starts_with('/')
        && !path.contains(':')
        && !path.split('/').any(|part| part.starts_with('.') || part.contains("${"));
    if scalar.text.starts_with("s3://") || is_inside {
        return;
    }
    let message = "the location is outside the project's folder, or hidden in it";
    let hint = "Name an `s3://` location, or a file in the project's folder.";
    out.push(refused(location.text_span(), message, hint));
}

fn refused(place: Span, message: impl Into<String>, hint: &str) -> Diagnostic {
    Diagnostic::error("not_for_stored", place, message).with_hint(hint)
}
