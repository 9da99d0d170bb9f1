//! From what people paste to one key: ASCII armour, or Base64 of the key or of its armour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pgp::composed::{Deserializable, SignedPublicKey, SignedSecretKey};
use zeroize::Zeroizing;

use super::KeyProblem;

/// What armour begins with.
const BEGIN: &str = "-----BEGIN ";
/// The tags of packets with a private key, and with a private subkey (RFC 9580, 5).
const SECRET_KEY_TAGS: [u8; 2] = [5, 7];
/// The versions of keys that there have been.
const KEY_VERSIONS: std::ops::RangeInclusive<u8> = 2..=6;
/// What the text of a private key says of itself: armour of any kind, and PuTTY's.
const SAYS_PRIVATE: [&str; 3] =
    ["PRIVATE KEY BLOCK-----", "PRIVATE KEY-----", "PuTTY-User-Key-File"];
/// What armour, and a key of OpenSSH, hold in Base64.
const HEADS_OF_TEXTS: [&str; 2] = ["-----BEGIN PGP PRIVATE KEY", "openssh-key-v1"];
/// How much of a line of Base64 is looked at: the head of a packet, or the first line of armour.
const HEAD_CHARS: usize = 40;

const NOT_A_KEY_HINT: &str = "Hand over the whole of what `gpg --export --armor KEY` prints.";

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

/// Whether a private key stands anywhere in a text: armoured or in Base64, whole or cut off, of OpenPGP or
/// of another kind. Whoever gets a text that should hold public keys asks before the text is kept.
pub fn holds_private_key(text: &str) -> bool {
    let head_of = |word: &str| {
        let head = word.get(..HEAD_CHARS).and_then(|head| STANDARD.decode(head).ok());
        head.map(Zeroizing::new)
    };
    let mut is_inside = false;
    let begins_private = |word: &str| {
        // A line inside a key is any bytes, so that only the first one says what it is.
        let (head, was_inside) = (head_of(word), is_inside);
        is_inside = head.is_some();
        head.filter(|_| !was_inside).is_some_and(|head| {
            let said = String::from_utf8_lossy(&head);
            is_private(&head) || HEADS_OF_TEXTS.iter().any(|begin| said.starts_with(begin))
        })
    };
    SAYS_PRIVATE.iter().any(|says| text.contains(says))
        || text.split_whitespace().any(begins_private)
}

/// By the first packet, in the new form or the old: its tag, and the version behind its length.
fn is_private(bytes: &[u8]) -> bool {
    let Some((&first, rest)) = bytes.split_first() else { return false };
    let is_new = first & 0x40 != 0;
    let tag = if is_new { first & 0x3f } else { (first >> 2) & 0x0f };
    let length_bytes = match (is_new, first & 0x03, rest.first()) {
        (true, _, Some(192..=223)) => 2,
        (true, _, Some(255)) => 5,
        (true, ..) => 1,
        (false, size, _) => [1, 2, 4, 0][usize::from(size)],
    };
    first & 0x80 != 0
        && SECRET_KEY_TAGS.contains(&tag)
        && rest.get(length_bytes).is_some_and(|version| KEY_VERSIONS.contains(version))
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
        "Export each key on its own, and name those that are meant.",
    )
}
