//! What a key is good for at a time: by its owner's own signatures.

use jiff::Timestamp;
use pgp::composed::SignedPublicKey;
use pgp::packet::{KeyFlags, PublicKey, Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::{EcdhPublicParams, KeyDetails, KeyVersion, PublicParams, Tag};

use super::KeyProblem;

/// The smallest RSA key that is used, in bits (NIST SP 800-131A: at least 112 bits of security).
const RSA_BITS_MIN: u16 = 2_048;

const NEW_KEY_HINT: &str = "Ask its owner for one that is in use.";

/// What a part of a key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Encrypt,
    Sign,
}

/// A key that is neither revoked nor expired as a whole.
pub(super) struct Certificate<'k> {
    key: &'k SignedPublicKey,
    /// Seconds since 1970.
    at: u64,
    /// The owner's newest word on the primary key.
    word: &'k Signature,
    expires: Option<u64>,
}

/// The part of a key that does what is wanted.
pub(super) struct Chosen {
    /// Which subkey; the primary key otherwise.
    pub(super) subkey: Option<usize>,
    pub(super) expires: Option<Timestamp>,
}

impl<'k> Certificate<'k> {
    pub(super) fn new(key: &'k SignedPublicKey, at: Timestamp) -> Result<Self, KeyProblem> {
        let at = u64::try_from(at.as_second()).unwrap_or_default();
        let primary = &key.primary_key;
        if !matches!(primary.version(), KeyVersion::V4 | KeyVersion::V6) {
            return Err(KeyProblem::new(
                "pgp_key_outdated",
                "is a key of a form that is no longer safe",
                NEW_KEY_HINT,
            ));
        }
        let revocations = &key.details.revocation_signatures;
        if revocations.iter().any(|signature| signature.verify_key(primary).is_ok()) {
            return Err(KeyProblem::new(
                "pgp_key_revoked",
                "was revoked by its owner",
                NEW_KEY_HINT,
            ));
        }
        if u64::from(primary.created_at().as_secs()) > at {
            let message =
                format!("is valid only from {}", shown(primary.created_at().as_secs().into()));
            return Err(KeyProblem::new(
                "pgp_key_not_yet",
                message,
                "Check the clock of this machine.",
            ));
        }
        let word = newest(own_words(key), at).ok_or_else(|| {
            let message = "bears no signature of its owner that can be verified";
            KeyProblem::new("pgp_key_unsigned", message, "Ask its owner to export it again, or for a key of a usual kind: RSA, Curve25519, a NIST curve.")
        })?;
        let expires = expiry(primary, word);
        match expires.filter(|expires| *expires <= at) {
            Some(expired) => Err(KeyProblem::new(
                "pgp_key_expired",
                format!("expired on {}", shown(expired)),
                NEW_KEY_HINT,
            )),
            None => Ok(Self { key, at, word, expires }),
        }
    }

    /// Finds the newest part that does what is wanted, subkeys first.
    pub(super) fn choose(&self, wanted: Use) -> Result<Chosen, KeyProblem> {
        let mut problems = Vec::new();
        let mut found: Option<(u32, Chosen)> = None;
        for (index, subkey) in self.key.public_subkeys.iter().enumerate() {
            match self.subkey(index, wanted) {
                Ok(expires) => {
                    let created = subkey.key.created_at().as_secs();
                    if found.as_ref().is_none_or(|(newest, _)| created >= *newest) {
                        let expires = earliest(expires, self.expires);
                        found = Some((created, Chosen { subkey: Some(index), expires }));
                    }
                }
                Err(problem) => problems.extend(problem),
            }
        }
        if let Some((_, chosen)) = found {
            return Ok(chosen);
        }
        match usable(&self.key.primary_key, self.word, wanted) {
            Ok(()) => return Ok(Chosen { subkey: None, expires: earliest(None, self.expires) }),
            Err(problem) => problems.extend(problem),
        }
        Err(problems.into_iter().next().unwrap_or_else(|| match wanted {
            Use::Encrypt => KeyProblem::new(
                "pgp_key_cannot_encrypt",
                "cannot encrypt: it is for signing or for certifying",
                "Ask its owner for a key with a part for encryption.",
            ),
            Use::Sign => KeyProblem::new(
                "pgp_key_cannot_sign",
                "cannot sign: it is for other uses",
                "Name a key with a part for signing.",
            ),
        }))
    }

    /// When a subkey that does what is wanted expires; or why it does not do it, unless it is meant
    /// for something else.
    fn subkey(&self, index: usize, wanted: Use) -> Result<Option<u64>, Option<KeyProblem>> {
        let (primary, subkey) = (&self.key.primary_key, &self.key.public_subkeys[index]);
        let verifies =
            |signature: &&Signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok();
        let of_type = |wanted: SignatureType| {
            subkey.signatures.iter().filter(move |signature| signature.typ() == Some(wanted))
        };
        let bindings = of_type(SignatureType::SubkeyBinding).filter(verifies).collect();
        let Some(word) = newest(bindings, self.at) else { return Err(None) };
        usable(&subkey.key, word, wanted)?;
        let part = match wanted {
            Use::Encrypt => "its part for encryption",
            Use::Sign => "its part for signing",
        };
        if of_type(SignatureType::SubkeyRevocation).any(|signature| verifies(&signature)) {
            let message = format!("is of no use: {part} was revoked");
            return Err(Some(KeyProblem::new("pgp_key_revoked", message, NEW_KEY_HINT)));
        }
        let expires = expiry(&subkey.key, word);
        match expires.filter(|expires| *expires <= self.at) {
            Some(expired) => {
                let message = format!("is of no use: {part} expired on {}", shown(expired));
                Err(Some(KeyProblem::new("pgp_key_expired", message, NEW_KEY_HINT)))
            }
            None => Ok(expires),
        }
    }
}

/// The owner's signatures over the primary key, alone or with a user id, that verify.
fn own_words(key: &SignedPublicKey) -> Vec<&Signature> {
    let primary: &PublicKey = &key.primary_key;
    let direct = key.details.direct_signatures.iter();
    let mut words: Vec<&Signature> =
        direct.filter(|signature| signature.verify_key(primary).is_ok()).collect();
    for user in &key.details.users {
        let own = user.signatures.iter().filter(|signature| {
            signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        });
        let (revocations, certifications): (Vec<&Signature>, Vec<&Signature>) =
            own.partition(|signature| signature.typ() == Some(SignatureType::CertRevocation));
        if revocations.is_empty() {
            words.extend(certifications);
        }
    }
    words
}

/// The newest signature that exists and has not expired at a time.
fn newest(words: Vec<&Signature>, at: u64) -> Option<&Signature> {
    let created = |word: &&Signature| word.created().map_or(0, |created| created.as_secs());
    let counts = |word: &&Signature| {
        let from = u64::from(created(word));
        let length = word.signature_expiration_time().map_or(0, |length| length.as_secs());
        from <= at && (length == 0 || from + u64::from(length) > at)
    };
    words.into_iter().filter(counts).max_by_key(created)
}

fn expiry(key: &impl KeyDetails, word: &Signature) -> Option<u64> {
    let length = word.key_expiration_time().map_or(0, |length| length.as_secs());
    (length > 0).then(|| u64::from(key.created_at().as_secs()) + u64::from(length))
}

fn earliest(one: Option<u64>, other: Option<u64>) -> Option<Timestamp> {
    let seconds = [one, other].into_iter().flatten().min()?;
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// Whether a part of a key is meant for a use, and can do it. `Err(None)` when it is meant for
/// something else.
fn usable(key: &impl KeyDetails, word: &Signature, wanted: Use) -> Result<(), Option<KeyProblem>> {
    let flags = word.key_flags();
    let is_meant = match wanted {
        // Old keys do not say what they are for.
        _ if flags == KeyFlags::default() => true,
        Use::Encrypt => flags.encrypt_comms() || flags.encrypt_storage(),
        Use::Sign => flags.sign(),
    };
    if !is_meant {
        return Err(None);
    }
    match (key.public_params(), wanted) {
        (PublicParams::RSA(_), _) => match rsa_bits(key.public_params()) {
            bits if bits < RSA_BITS_MIN => Err(Some(KeyProblem::new(
                "pgp_key_weak",
                format!("is too weak: RSA of {bits} bits"),
                "Ask its owner for an elliptic key, or RSA of at least 2048 bits.",
            ))),
            _ => Ok(()),
        },
        (
            PublicParams::ECDH(
                EcdhPublicParams::Curve25519Legacy { .. }
                | EcdhPublicParams::P256 { .. }
                | EcdhPublicParams::P384 { .. }
                | EcdhPublicParams::P521 { .. },
            )
            | PublicParams::X25519(_)
            | PublicParams::X448(_),
            Use::Encrypt,
        )
        | (
            PublicParams::ECDSA(_)
            | PublicParams::EdDSALegacy(_)
            | PublicParams::Ed25519(_)
            | PublicParams::Ed448(_),
            Use::Sign,
        ) => Ok(()),
        // Meant for both by those who do not say, and able to do one.
        (PublicParams::ECDSA(_) | PublicParams::EdDSALegacy(_) | PublicParams::ECDH(_), _)
            if flags == KeyFlags::default() =>
        {
            Err(None)
        }
        _ => Err(Some(KeyProblem::new(
            "pgp_key_unsupported",
            format!("is of a kind that is not supported ({:?})", key.algorithm()),
            "Ask its owner for RSA, Curve25519, Curve448 or a NIST curve.",
        ))),
    }
}

/// The length of the modulus, which a multiprecision integer begins with (RFC 9580, 3.2).
fn rsa_bits(params: &PublicParams) -> u16 {
    let mut bytes = Vec::new();
    match params.to_writer(&mut bytes) {
        Ok(()) if bytes.len() > 2 => u16::from_be_bytes([bytes[0], bytes[1]]),
        _ => 0,
    }
}

fn shown(seconds: u64) -> String {
    let instant = i64::try_from(seconds).ok().and_then(|it| Timestamp::from_second(it).ok());
    instant.map_or_else(String::new, |instant| instant.strftime("%Y-%m-%d").to_string())
}
