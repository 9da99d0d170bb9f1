//! Encryption of files: the keys of a project, checked, and made into what encrypts a run.

use std::sync::Arc;

use delivery::pgp::{KeyProblem, Recipient, Seal, SignWith};
use jiff::{SignedDuration, Timestamp};
use plan::diagnostic::Span;
use plan::project::{Destination, Pgp};
use plan::{Diagnostic, Project};

use crate::failure::{Failure, Kind};
use crate::seals::RunSeal;

/// A key that expires within this time is worth a warning.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Checks every key of a project as of `now`, each at its place.
pub(crate) fn check(project: &Project, now: Timestamp) -> Vec<Diagnostic> {
    project.destinations.iter().flat_map(|destination| check_one(destination, now)).collect()
}

/// Checks the keys of one destination.
pub(crate) fn check_one(destination: &Destination, now: Timestamp) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(pgp) = &destination.pgp else { return found };
    for key in &pgp.recipients {
        match Recipient::read(&key.text, now) {
            Ok(recipient) => found.extend(expiring(&key.name, key.span, recipient.expires(), now)),
            Err(problem) => found.push(misfit(&key.name, key.span, &problem)),
        }
    }
    if let Some(signer) = &pgp.signer {
        match SignWith::read(&signer.text, signer.passphrase.as_ref(), now) {
            Ok(key) => found.extend(expiring(&signer.name, signer.span, key.expires(), now)),
            Err(problem) => found.push(misfit(&signer.name, signer.span, &problem)),
        }
    }
    found
}

/// Makes what encrypts the files of a run. The keys are judged as of when its seal was made.
///
/// # Errors
/// A key is of no use.
pub(crate) fn seal(pgp: &Pgp, seal: RunSeal, slot: Timestamp) -> Result<Arc<Seal>, Failure> {
    let RunSeal { secret, made } = seal;
    let recipients: Result<Vec<Recipient>, Failure> = pgp
        .recipients
        .iter()
        .map(|key| Recipient::read(&key.text, made).map_err(|problem| useless(&key.name, &problem)))
        .collect();
    let read = |signer: &plan::project::SignerText| {
        SignWith::read(&signer.text, signer.passphrase.as_ref(), made)
            .map_err(|problem| useless(&signer.name, &problem))
    };
    let signer = pgp.signer.as_ref().map(read).transpose()?;
    Ok(Seal::new(recipients?, signer, secret, slot))
}

/// Says which key of a destination is of no use, if one is.
pub(crate) fn useless_key(pgp: &Pgp, now: Timestamp) -> Option<Failure> {
    let recipients = pgp.recipients.iter().filter_map(|key| {
        Recipient::read(&key.text, now).err().map(|problem| useless(&key.name, &problem))
    });
    let signer = pgp.signer.iter().filter_map(|key| {
        let read = SignWith::read(&key.text, key.passphrase.as_ref(), now);
        read.err().map(|problem| useless(&key.name, &problem))
    });
    recipients.chain(signer).next().map(|failure| Failure { kind: Kind::Usage, ..failure })
}

fn useless(name: &str, problem: &KeyProblem) -> Failure {
    Failure::new(Kind::Run, format!("the files cannot be encrypted: {name} {}", problem.message))
        .hint(problem.hint)
}

fn misfit(name: &str, place: Span, problem: &KeyProblem) -> Diagnostic {
    Diagnostic::error(problem.code, place, format!("{name} {}", problem.message))
        .with_hint(problem.hint)
}

fn expiring(
    name: &str,
    place: Span,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Option<Diagnostic> {
    let expires = expires.filter(|expires| expires.duration_since(now) <= EXPIRES_SOON)?;
    let message = format!("{name} expires on {}", expires.strftime("%Y-%m-%d"));
    let hint = "Runs fail from then on: ask its owner for a new one in time.";
    Some(Diagnostic::warning("pgp_key_expires", place, message).with_hint(hint))
}
