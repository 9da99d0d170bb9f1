//! Secrets, encrypted beside the ledger under a master key.
//!
//! Each secret is a small file. Its text is sealed with AES-256-GCM under a key of its own, which
//! HKDF-SHA-256 derives from the master key and a random salt; the name and the id of the master key
//! are authenticated with it, so that no file can stand in for another. Whoever gets hold of the state
//! directory, or of its backup, and not of the master key, has nothing.

mod envelope;
mod master_key;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plan::SecretProblem;
use zeroize::Zeroizing;

use self::envelope::Envelope;
pub(crate) use self::master_key::{KEY_FILE_VARIABLE, KEY_VARIABLE};
use self::master_key::{KeySource, Keyring, MasterKey};
use crate::failure::{Failure, Kind};
use crate::private_file;

/// The longest secret, in bytes: a private key is shorter.
pub(crate) const SECRET_BYTES_MAX: usize = 64 << 10;
/// The most secrets of a project.
pub(crate) const SECRETS_MAX: usize = 1_000;
/// What stands behind the name of a secret in that of its file.
const EXTENSION: &str = "sealed";

/// The secrets of a project.
pub(crate) struct Secrets {
    folder: PathBuf,
    source: KeySource,
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) set: Timestamp,
    /// The id of the master key that it is sealed under.
    pub(crate) key_id: String,
}

impl Secrets {
    /// Opens the store below the state directory `state`. No key is asked for yet. `variables` are
    /// those of the process: [`KEY_FILE_VARIABLE`] and [`KEY_VARIABLE`] say where the master key is.
    pub(crate) fn new(state: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Self {
        Self { folder: state.join("secrets"), source: KeySource::find(state, variables) }
    }

    /// Stores a secret, in place of the one with this name if there is one. A master key is made for the
    /// first one, if there is none.
    ///
    /// # Errors
    /// The secret is empty or too long, there are too many, the master key cannot be read, or a file
    /// cannot be written.
    pub(crate) fn set(&self, name: &str, text: &str, now: Timestamp) -> Result<Entry, Failure> {
        check_name(name)?;
        if text.is_empty() {
            return Err(Failure::usage(format!("the secret `{name}` is empty"))
                .hint("Give it on standard input, or with --from-file."));
        }
        if text.len() > SECRET_BYTES_MAX {
            return Err(Failure::usage(format!(
                "the secret `{name}` has more than {SECRET_BYTES_MAX} bytes"
            )));
        }
        let path = self.path(name);
        if !path.exists() && self.names()?.len() >= SECRETS_MAX {
            return Err(Failure::usage(format!("there are {SECRETS_MAX} secrets already"))
                .hint("Remove those that are not needed with `segue secret remove`."));
        }
        // Where there are secrets, a key that is not there was lost, and another would not open them.
        let keys = match self.names()?.is_empty() {
            true => self.source.load_or_make()?,
            false => self.source.load()?,
        };
        self.write(name, text, keys.current(), now)
    }

    /// Returns a secret.
    ///
    /// # Errors
    /// There is none of this name, or the master key does not open it.
    pub(crate) fn get(&self, name: &str) -> Result<Zeroizing<String>, Failure> {
        check_name(name)?;
        let Some(envelope) = self.envelope(name)? else { return Err(not_stored(name)) };
        open(name, &envelope, &self.source.load()?)
    }

    /// Returns what may be told of every secret, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for name in self.names()? {
            let Some(envelope) = self.envelope(&name)? else { continue };
            let Envelope { set, key_id, .. } = envelope;
            entries.push(Entry { name, set, key_id });
        }
        Ok(entries)
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// There is none of this name, or its file cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        check_name(name)?;
        match private_file::remove(&self.path(name)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_stored(name)),
            Err(error) => Err(self.failed("removed", name, &error)),
        }
    }

    /// Seals every secret under a new master key, or under the first of those that the environment
    /// names, and forgets the old ones. It can be stopped at any time and done again: until the end
    /// the old keys stay beside the new one.
    ///
    /// # Errors
    /// A secret cannot be opened with the keys at hand, or a file cannot be written.
    pub(crate) fn rotate(&self) -> Result<(String, usize), Failure> {
        let keys = self.source.begin_rotation()?;
        let mut sealed = 0;
        for name in self.names()? {
            let Some(envelope) = self.envelope(&name)? else { continue };
            if envelope.key_id != keys.current().id() {
                let text = open(&name, &envelope, &keys)?;
                self.write(&name, &text, keys.current(), envelope.set)?;
            }
            sealed += 1;
        }
        self.source.end_rotation(&keys)?;
        Ok((keys.current().id().to_owned(), sealed))
    }

    /// What tells whether any secret was changed: each is sealed with randomness of its own.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for name in self.names().unwrap_or_default() {
            hasher.update(name.as_bytes());
            hasher.update(&fs::read(self.path(&name)).unwrap_or_default());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Whether a secret can be stored: there is a master key that can be used, or one is made.
    pub(crate) fn can_seal(&self) -> bool {
        self.source.load().is_ok() || self.makes_key()
    }

    /// Whether the next secret is the first, for which a master key is made.
    pub(crate) fn makes_key(&self) -> bool {
        self.source.may_be_made() && self.names().is_ok_and(|names| names.is_empty())
    }

    /// Where the master key is, in words.
    pub(crate) fn key_place(&self) -> String {
        self.source.to_string()
    }

    fn write(
        &self,
        name: &str,
        text: &str,
        key: &MasterKey,
        set: Timestamp,
    ) -> Result<Entry, Failure> {
        let envelope = envelope::seal(name, text, key, set)?;
        private_file::write(&self.path(name), envelope.to_text().as_bytes())
            .map_err(|error| self.failed("written", name, &error))?;
        Ok(Entry { name: name.to_owned(), set, key_id: key.id().to_owned() })
    }

    fn envelope(&self, name: &str) -> Result<Option<Envelope>, Failure> {
        match fs::read_to_string(self.path(name)) {
            Ok(text) => Envelope::from_text(&text).map(Some).ok_or_else(|| damaged(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", name, &error)),
        }
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(Failure::from_error(Kind::Run, &error)
                    .context("the store of secrets cannot be read"));
            }
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let name = name.strip_suffix(EXTENSION)?.strip_suffix('.')?;
                plan::is_secret_name(name).then(|| name.to_owned())
            })
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{EXTENSION}"))
    }

    fn failed(&self, act: &str, name: &str, error: &io::Error) -> Failure {
        Failure::from_error(Kind::Run, error)
            .context(format!("the secret `{name}` cannot be {act} in {}", self.folder.display()))
    }
}

/// The same failure as a problem of the project file that names the secret.
pub(crate) fn problem_of(failure: &Failure) -> SecretProblem {
    let message = failure.one_line();
    let about_it = message.strip_prefix("the secret `").and_then(|rest| rest.split_once("` "));
    let message = match about_it {
        Some((_, problem)) => problem.to_owned(),
        None => format!("cannot be opened: {message}"),
    };
    SecretProblem { message, hint: failure.hints.first().cloned().unwrap_or_default() }
}

fn open(name: &str, envelope: &Envelope, keys: &Keyring) -> Result<Zeroizing<String>, Failure> {
    let key = keys.with_id(&envelope.key_id).ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            format!(
                "the secret `{name}` is sealed under the master key {}, which is not at hand",
                envelope.key_id
            ),
        )
        .hint(format!(
            "Bring back that key, in {KEY_FILE_VARIABLE} or {KEY_VARIABLE}, or store the secret again with `segue secret set {name}`."
        ))
    })?;
    envelope::open(name, envelope, key).ok_or_else(|| damaged(name))
}

fn check_name(name: &str) -> Result<(), Failure> {
    if plan::is_secret_name(name) {
        return Ok(());
    }
    Err(Failure::usage(
        "the name of a secret is made of letters, digits, `_`, `-` and `.`, begins with a letter or a digit, and has at most 64 characters",
    ))
}

fn not_stored(name: &str) -> Failure {
    Failure::usage(format!("the secret `{name}` is not stored")).hint(format!(
        "Store it with `segue secret set {name}`; `segue secret list` shows what is there."
    ))
}

fn damaged(name: &str) -> Failure {
    Failure::usage(format!("the secret `{name}` is damaged, or was put in the place of another"))
        .hint(format!("Store it again with `segue secret set {name}`."))
}

#[cfg(test)]
mod tests;
