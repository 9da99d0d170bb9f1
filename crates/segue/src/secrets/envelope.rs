//! One sealed secret: what is written, and how it is opened.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::master_key::{KEY_BYTES, MasterKey};
use crate::ambient;
use crate::failure::{Failure, Kind};

/// The form of the file.
const VERSION: u64 = 1;
/// The bytes of the salt of each secret.
const SALT_BYTES: usize = 32;
/// What a key is derived for.
const PURPOSE: &[u8] = b"segue secret 1";

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) key_id: String,
    pub(super) set: Timestamp,
    salt: Vec<u8>,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
}

/// Seals a text under a key that is derived for it alone.
pub(super) fn seal(
    name: &str,
    text: &str,
    master: &MasterKey,
    set: Timestamp,
) -> Result<Envelope, Failure> {
    let failed = || Failure::new(Kind::Internal, format!("the secret `{name}` cannot be sealed"));
    let salt = ambient::secret_bytes(SALT_BYTES)?.expose_secret().to_vec();
    let key = derived(master, &salt).ok_or_else(failed)?;
    // The buffer holds the secret until it is sealed in place; it does not grow on the way.
    let mut sealed = Vec::with_capacity(text.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(text.as_bytes());
    let bound = aad(name, master.id());
    let nonce = key.seal_in_place_append_tag(Aad::from(&bound[..]), &mut sealed).map_err(|_| {
        sealed.zeroize();
        failed()
    })?;
    let nonce = nonce.as_ref().to_vec();
    Ok(Envelope { key_id: master.id().to_owned(), set, salt, nonce, sealed })
}

/// Opens what [`seal`] made. `None` when anything about it is not as it was.
pub(super) fn open(
    name: &str,
    envelope: &Envelope,
    master: &MasterKey,
) -> Option<Zeroizing<String>> {
    let key = derived(master, &envelope.salt)?;
    let nonce = Nonce::try_assume_unique_for_key(&envelope.nonce).ok()?;
    let bound = aad(name, &envelope.key_id);
    let mut opened = Zeroizing::new(envelope.sealed.clone());
    let text = key.open_in_place(nonce, Aad::from(&bound[..]), &mut opened).ok()?;
    std::str::from_utf8(text).ok().map(|text| Zeroizing::new(text.to_owned()))
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

fn derived(master: &MasterKey, salt: &[u8]) -> Option<RandomizedNonceKey> {
    let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
    let extracted = Salt::new(HKDF_SHA256, salt).extract(master.bytes());
    extracted.expand(&[PURPOSE], KeyLength).ok()?.fill(&mut *bytes).ok()?;
    RandomizedNonceKey::new(&AES_256_GCM, &*bytes).ok()
}

/// What a sealed text is bound to.
fn aad(name: &str, key_id: &str) -> Vec<u8> {
    [PURPOSE, name.as_bytes(), key_id.as_bytes()].join(&0)
}

impl Envelope {
    pub(super) fn to_text(&self) -> String {
        let Self { key_id, set, salt, nonce, sealed } = self;
        let value = serde_json::json!({
            "version": VERSION,
            "keyId": key_id,
            "set": set.to_string(),
            "salt": hex(salt),
            "nonce": hex(nonce),
            "sealed": hex(sealed),
        });
        format!("{value}\n")
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
        let bytes = |key: &str| unhex(text(key)?);
        let is_known = value.get("version").and_then(serde_json::Value::as_u64) == Some(VERSION);
        is_known.then_some(())?;
        Some(Self {
            key_id: text("keyId")?.to_owned(),
            set: text("set")?.parse().ok()?,
            salt: bytes("salt")?,
            nonce: bytes("nonce")?,
            sealed: bytes("sealed")?,
        })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let mut digits = Zeroizing::new(digits?);
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    let bytes = bytes.collect();
    digits.zeroize();
    bytes
}
