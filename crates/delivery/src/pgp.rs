//! Files that only their recipients can read: OpenPGP (RFC 9580), behind the compression.
//!
//! A lost upload is repaired by making the same bytes again, while encryption is random on purpose.
//! So everything random of a file comes from a generator that is seeded by a secret of the run, the
//! token of the object, and the keys: the same run makes the same bytes, and nobody without that
//! secret can tell what they are drawn from.
//!
//! Every implementation in use reads what is written: a message of version 1 with integrity
//! protection, AES-256, no compression inside, and a signature, if any, behind the data.

mod key;
mod sealer;

use std::sync::Arc;

use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use aws_lc_rs::hmac;
use jiff::Timestamp;
use rand_chacha08::ChaCha20Rng;
use rand_chacha08::rand_core::SeedableRng as _;
use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::Zeroizing;

pub use self::key::{KeyProblem, Recipient, SignWith, holds_private_key};
pub(crate) use self::sealer::Sealer;

/// The bytes of the secret of a run.
pub const RUN_SECRET_BYTES: usize = 32;

/// How the files of one run are encrypted.
pub struct Seal {
    recipients: Vec<Recipient>,
    signer: Option<SignWith>,
    secret: SecretSlice<u8>,
    signed_at: Timestamp,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("recipients", &self.recipients).finish_non_exhaustive()
    }
}

impl Seal {
    /// Encrypts for `recipients`, signed by `signer` with `signed_at` as its time, and draws
    /// everything random from `secret`, [`RUN_SECRET_BYTES`] that were drawn for this run alone.
    pub fn new(
        recipients: Vec<Recipient>,
        signer: Option<SignWith>,
        secret: SecretSlice<u8>,
        signed_at: Timestamp,
    ) -> Arc<Self> {
        Arc::new(Self { recipients, signer, secret, signed_at })
    }

    /// The generator of an object: the same for the same run, token and keys.
    fn generator(&self, token: &str) -> ChaCha20Rng {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose_secret());
        let mut context = hmac::Context::with_key(&key);
        context.update(token.as_bytes());
        for recipient in &self.recipients {
            context.update(b"\0");
            context.update(recipient.fingerprint().as_bytes());
        }
        if let Some(signer) = &self.signer {
            context.update(b"\0\0");
            context.update(signer.fingerprint().as_bytes());
        }
        let tag = context.sign();
        let mut seed = Zeroizing::new([0_u8; SHA256_OUTPUT_LEN]);
        seed.copy_from_slice(tag.as_ref());
        ChaCha20Rng::from_seed(*seed)
    }
}

#[cfg(test)]
mod tests;
