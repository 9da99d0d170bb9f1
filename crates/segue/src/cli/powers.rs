//! What credentials can do although no delivery needs it, in words.

use ::plan::permission::Scope;
use ::plan::power::Power;
use serde_json::{Value, json};

/// Says what the credentials of a destination can do beyond what it needs; nothing when there is
/// nothing to say.
pub(super) fn said(powers: &[Power], destination: &str) -> Option<String> {
    let words: Vec<&str> = powers.iter().map(|power| power.words()).collect();
    let list = match words.as_slice() {
        [] => return None,
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    };
    Some(format!(
        "The credentials can do more than {destination} needs: they can {list}. Whoever gets hold of them can too: grant only what `segue policy {destination}` prints."
    ))
}

pub(super) fn json(powers: &[Power], scope: &Scope) -> Value {
    let one = |power: &Power| {
        json!({
            "action": power.action(),
            "resource": power.resource(scope),
            "can": power.words(),
        })
    };
    powers.iter().map(one).collect()
}
