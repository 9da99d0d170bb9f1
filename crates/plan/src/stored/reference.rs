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
    if key == "pgp" && !text.starts_with(ARMOUR) {
        let message = "`pgp` names a file of the server, which is not for stored objects";
        out.push(refused(place, message, "Write the armoured public keys themselves."));
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
