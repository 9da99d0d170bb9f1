//! Keys that people hand over, checked before anything is encrypted for them.
//!
//! What counts of a key is what its owner signed: signatures by others are passed over, and those of
//! the owner have to verify. The newest of them says what the key is for and until when.

mod certificate;
mod text;

use jiff::Timestamp;
use pgp::composed::{Encryption, EncryptionSeipdV1, MessageBuilder, SignedPublicKey};
use pgp::errors::Error as PgpError;
use pgp::packet::{PublicKey, PublicSubkey, SecretKey, SecretSubkey, Subpacket, SubpacketData};
use pgp::types::{KeyDetails as _, KeyVersion, Password, SigningKey};
use rand_chacha08::ChaCha20Rng;
use secrecy::{ExposeSecret as _, SecretString};

use self::certificate::{Certificate, Use};
pub use self::text::holds_private_key;

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// Stable, for machines: `pgp_key_expired`.
    pub code: &'static str,
    /// A fragment that follows the name of the file, as in "keys/partner.asc … has expired".
    pub message: String,
    /// The next step, as a sentence.
    pub hint: &'static str,
}

impl KeyProblem {
    fn new(code: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self { code, message: message.into(), hint }
    }
}

/// The part of somebody's public key that files are encrypted with.
#[derive(Debug, Clone)]
pub struct Recipient {
    fingerprint: String,
    owner: Option<String>,
    key: EncryptWith,
    expires: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum EncryptWith {
    Primary(Box<PublicKey>),
    Subkey(Box<PublicSubkey>),
}

impl Recipient {
    /// Reads a public key and finds what of it encrypts at the time `at`.
    ///
    /// # Errors
    /// The text is no public key, or not a single one; the key is revoked, expired, weak, or cannot
    /// encrypt.
    pub fn read(text: &str, at: Timestamp) -> Result<Self, KeyProblem> {
        let key = text::public_key(text)?;
        let certificate = Certificate::new(&key, at)?;
        let chosen = certificate.choose(Use::Encrypt)?;
        let encrypt_with = match chosen.subkey {
            Some(index) => EncryptWith::Subkey(Box::new(key.public_subkeys[index].key.clone())),
            None => EncryptWith::Primary(Box::new(key.primary_key.clone())),
        };
        let owner = key.details.users.iter().find_map(|user| user.id.as_str());
        let owner = owner.map(|name| name.chars().filter(|c| !c.is_control()).collect());
        let fingerprint = fingerprint(&key);
        Ok(Self { fingerprint, owner, key: encrypt_with, expires: chosen.expires })
    }

    /// Returns the fingerprint of the whole key, in upper-case hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns whose key it says to be: `Agency <files@agency.example>`.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Returns when it can no longer be used, if ever.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Adds the session key of a message, readable by this recipient.
    pub(super) fn seal_session_key<R: std::io::Read>(
        &self,
        generator: &mut ChaCha20Rng,
        message: &mut MessageBuilder<'_, R, EncryptionSeipdV1>,
    ) -> Result<(), PgpError>
    where
        EncryptionSeipdV1: Encryption,
    {
        match &self.key {
            EncryptWith::Primary(key) => message.encrypt_to_key(generator, &**key)?,
            EncryptWith::Subkey(key) => message.encrypt_to_key(generator, &**key)?,
        };
        Ok(())
    }
}

/// The part of a private key that signs, unlocked. Its memory is wiped when it is dropped.
pub struct SignWith {
    fingerprint: String,
    key: SigningPart,
    expires: Option<Timestamp>,
}

enum SigningPart {
    Primary(Box<SecretKey>),
    Subkey(Box<SecretSubkey>),
}

impl std::fmt::Debug for SignWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignWith").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl SignWith {
    /// Reads a private key, finds what of it signs at the time `at`, and unlocks that.
    ///
    /// # Errors
    /// The text is no private key, or not a single one; the key is revoked, expired, weak, or cannot
    /// sign; the passphrase is not its own.
    pub fn read(
        text: &SecretString,
        passphrase: Option<&SecretString>,
        at: Timestamp,
    ) -> Result<Self, KeyProblem> {
        let key = text::private_key(text.expose_secret())?;
        let public = SignedPublicKey::from(key.clone());
        let certificate = Certificate::new(&public, at)?;
        let chosen = certificate.choose(Use::Sign)?;
        let password =
            passphrase.map_or_else(Password::empty, |text| Password::from(text.expose_secret()));
        let part = match chosen.subkey {
            Some(index) => {
                let mut part = key.secret_subkeys[index].key.clone();
                part.remove_password(&password).map_err(|_| locked(passphrase))?;
                SigningPart::Subkey(Box::new(part))
            }
            None => {
                let mut part = key.primary_key.clone();
                part.remove_password(&password).map_err(|_| locked(passphrase))?;
                SigningPart::Primary(Box::new(part))
            }
        };
        Ok(Self { fingerprint: fingerprint(&public), key: part, expires: chosen.expires })
    }

    /// Returns the fingerprint of the whole key, in upper-case hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns when it can no longer be used, if ever.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    pub(super) fn key(&self) -> &dyn SigningKey {
        match &self.key {
            SigningPart::Primary(key) => &**key,
            SigningPart::Subkey(key) => &**key,
        }
    }

    /// What a signature says of itself. Its time is not before that of the key, or nobody would
    /// believe it.
    pub(super) fn subpackets(
        &self,
        signed_at: Timestamp,
    ) -> Result<(Vec<Subpacket>, Vec<Subpacket>), PgpError> {
        let key = self.key();
        let slot = u32::try_from(signed_at.as_second()).unwrap_or_default();
        let time = pgp::types::Timestamp::from_secs(slot.max(key.created_at().as_secs()));
        let hashed = vec![
            Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
            Subpacket::regular(SubpacketData::SignatureCreationTime(time))?,
        ];
        let mut unhashed = Vec::new();
        if key.version() == KeyVersion::V4 {
            let id = SubpacketData::IssuerKeyId(key.legacy_key_id());
            unhashed.push(Subpacket::regular(id)?);
        }
        Ok((hashed, unhashed))
    }
}

fn locked(passphrase: Option<&SecretString>) -> KeyProblem {
    match passphrase {
        Some(_) => KeyProblem::new(
            "pgp_passphrase",
            "does not open with the passphrase",
            "Check `pgp_sign_passphrase`.",
        ),
        None => KeyProblem::new(
            "pgp_passphrase",
            "is locked with a passphrase",
            "Add `pgp_sign_passphrase: ${PGP_SIGN_PASSPHRASE}` and set the variable.",
        ),
    }
}

fn fingerprint(key: &SignedPublicKey) -> String {
    let bytes = key.primary_key.fingerprint();
    bytes.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}
