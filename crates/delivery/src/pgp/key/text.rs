//! From what people paste to one key: ASCII armour, or Base64 of the key or of its armour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pgp::composed::{Deserializable, SignedPublicKey, SignedSecretKey};
use zeroize::Zeroizing;

use super::KeyProblem;

/// What armour begins with.
const BEGIN: &str = "-----BEGIN ";
/// The tag of a packet with a private key (RFC 9580, 5).
const SECRET_KEY_TAG: u8 = 5;

const NOT_A_KEY_HINT: &str =
    "Hand over the result of `gpg --export --armor KEY`, or its bytes in Base64.";

/// Reads the one public key of a text.
pub(super) fn public_key(text: &str) -> Result<SignedPublicKey, KeyProblem> {
    match content(text)? {
        Content { is_private: true, .. } => Err(KeyProblem::new(
            "pgp_private_key",
            "is a private key, which only its owner may have",
            "Ask the recipient for the public key (`gpg --export --armor`), and tell them that the private one was shared.",
        )),
        content => one(&content),
    }
}

/// Reads the one private key of a text.
pub(super) fn private_key(text: &str) -> Result<SignedSecretKey, KeyProblem> {
    match content(text)? {
        Content { is_private: false, .. } => Err(KeyProblem::new(
            "pgp_public_key",
            "is a public key, which cannot sign",
            "Export the private key with `gpg --export-secret-keys --armor KEY`.",
        )),
        content => one(&content),
    }
}

struct Content {
    bytes: Zeroizing<Vec<u8>>,
    is_armoured: bool,
    is_private: bool,
}

fn content(text: &str) -> Result<Content, KeyProblem> {
    let text = text.trim();
    if !text.contains(BEGIN) {
        let plain: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
        let bytes = Zeroizing::new(STANDARD.decode(&*plain).map_err(|_| not_a_key())?);
        return match std::str::from_utf8(&bytes) {
            Ok(inside) if inside.trim_start().starts_with(BEGIN) => armoured(inside.trim()),
            _ => Ok(Content { is_private: is_private(&bytes), is_armoured: false, bytes }),
        };
    }
    armoured(text)
}

fn armoured(text: &str) -> Result<Content, KeyProblem> {
    if text.matches(BEGIN).count() > 1 {
        return Err(several());
    }
    let label = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once("-----"));
    let is_private = match label.map(|(label, _)| label) {
        Some("PGP PUBLIC KEY BLOCK") => false,
        Some("PGP PRIVATE KEY BLOCK") => true,
        Some(label) => {
            let label: String = label.chars().filter(|c| !c.is_control()).take(40).collect();
            let message = format!("is no OpenPGP key but: {}", label.to_lowercase());
            return Err(KeyProblem::new("pgp_not_a_key", message, NOT_A_KEY_HINT));
        }
        None => return Err(not_a_key()),
    };
    let bytes = Zeroizing::new(text.as_bytes().to_vec());
    Ok(Content { bytes, is_armoured: true, is_private })
}

fn one<K: Deserializable>(content: &Content) -> Result<K, KeyProblem> {
    let bytes: &[u8] = &content.bytes;
    let keys = match content.is_armoured {
        true => K::from_armor_many_buf(bytes).map(|(keys, _)| keys),
        false => K::from_bytes_many(bytes),
    };
    let mut keys = keys.map_err(|_| not_a_key())?;
    let key = keys.next().ok_or_else(not_a_key)?.map_err(|_| damaged())?;
    match keys.next() {
        None => Ok(key),
        Some(_) => Err(several()),
    }
}

/// By the tag of the first packet, in the new form or the old.
fn is_private(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|&first| match first & 0x40 {
        0 => (first >> 2) & 0x0f == SECRET_KEY_TAG,
        _ => first & 0x3f == SECRET_KEY_TAG,
    })
}

fn not_a_key() -> KeyProblem {
    KeyProblem::new("pgp_not_a_key", "is no OpenPGP key", NOT_A_KEY_HINT)
}

fn damaged() -> KeyProblem {
    KeyProblem::new("pgp_not_a_key", "is a damaged OpenPGP key", NOT_A_KEY_HINT)
}

fn several() -> KeyProblem {
    KeyProblem::new(
        "pgp_several_keys",
        "holds several keys, and it cannot be told whom of them the files are for",
        "Put each key into a file of its own, and name those that are meant.",
    )
}
