//! The master key: from a file that the environment names, from the environment itself, or from a file
//! beside the store that is made on first use.
//!
//! A place may hold several keys, one a line, while the key is being changed: the first seals, all
//! open.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use zeroize::Zeroizing;

use super::envelope::{hex, unhex};
use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::private_file;

/// Names the file with the master key.
pub(crate) const KEY_FILE_VARIABLE: &str = "SEGUE_MASTER_KEY_FILE";
/// Holds the master key itself.
pub(crate) const KEY_VARIABLE: &str = "SEGUE_MASTER_KEY";
/// The bytes of a master key.
pub(super) const KEY_BYTES: usize = 32;
/// The bytes of its id.
const ID_BYTES: usize = 4;
/// What its id is derived for.
const ID_PURPOSE: &[u8] = b"segue master key id 1";
/// What a key in a file begins with, so that people know what they have found.
const PREFIX: &str = "segue-master-key-1-";
/// The file of a key that Segue makes itself, in the state directory.
const OWN_FILE: &str = "master.key";

/// A key, and what it is called.
#[derive(Clone)]
pub(super) struct MasterKey {
    id: String,
    bytes: SecretSlice<u8>,
}

/// The keys at hand: at least one, the first of which seals.
pub(super) struct Keyring {
    keys: Vec<MasterKey>,
}

/// Where the keys are.
pub(super) enum KeySource {
    /// In a file; `own` if Segue may make it.
    File { path: PathBuf, own: bool },
    /// In the environment.
    Variable(SecretString),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Variable(_) => f.write_str(KEY_VARIABLE),
        }
    }
}

impl MasterKey {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    fn make() -> Result<Self, Failure> {
        Self::of(ambient::secret_bytes(KEY_BYTES)?)
            .ok_or_else(|| Failure::new(Kind::Internal, "a master key cannot be made"))
    }

    fn of(bytes: SecretSlice<u8>) -> Option<Self> {
        let mut id = [0; ID_BYTES];
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(bytes.expose_secret());
        extracted.expand(&[ID_PURPOSE], IdLength).ok()?.fill(&mut id).ok()?;
        Some(Self { id: hex(&id), bytes })
    }

    fn from_line(line: &str) -> Option<Self> {
        let digits = line.strip_prefix(PREFIX).unwrap_or(line);
        let bytes = unhex(digits).filter(|bytes| bytes.len() == KEY_BYTES)?;
        Self::of(SecretSlice::from(bytes))
    }

    fn to_line(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex(self.bytes()));
        Zeroizing::new(format!("{PREFIX}{}\n", *digits))
    }
}

struct IdLength;

impl KeyType for IdLength {
    fn len(&self) -> usize {
        ID_BYTES
    }
}

impl Keyring {
    pub(super) fn current(&self) -> &MasterKey {
        &self.keys[0]
    }

    pub(super) fn with_id(&self, id: &str) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    fn text(&self) -> Zeroizing<String> {
        let lines: Vec<Zeroizing<String>> = self.keys.iter().map(MasterKey::to_line).collect();
        Zeroizing::new(lines.iter().map(|line| line.as_str()).collect())
    }

    fn parse(text: &str, place: &dyn fmt::Display) -> Result<Self, Failure> {
        let lines =
            text.split(|c: char| c.is_whitespace() || c == ',').filter(|line| !line.is_empty());
        let keys: Option<Vec<MasterKey>> = lines.map(MasterKey::from_line).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self { keys }),
            _ => Err(Failure::usage(format!("{place} holds no master key")).hint(
                "A master key is 32 random bytes as 64 hexadecimal digits: `openssl rand -hex 32`.",
            )),
        }
    }
}

/// Whether users other than the owner and the group can read a file.
#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> bool {
    false
}

impl KeySource {
    pub(super) fn find(state: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variables(name).filter(|value| !value.is_empty());
        if let Some(path) = value(KEY_FILE_VARIABLE) {
            return Self::File { path: PathBuf::from(path), own: false };
        }
        match value(KEY_VARIABLE) {
            Some(key) => Self::Variable(SecretString::from(key)),
            None => Self::File { path: state.join(OWN_FILE), own: true },
        }
    }

    pub(super) fn load(&self) -> Result<Keyring, Failure> {
        match self {
            Self::Variable(text) => Keyring::parse(text.expose_secret(), self),
            Self::File { path, .. } => match fs::read_to_string(path).map(Zeroizing::new) {
                Ok(_) if is_open_to_all(path) => Err(Failure::usage(format!(
                    "everybody on this machine can read the master key in {self}"
                ))
                .hint("Let only its owner read it: `chmod 600`.")),
                Ok(text) => Keyring::parse(&text, self),
                Err(error) => Err(Failure::from_error(Kind::Usage, &error)
                    .context(format!("the master key in {self} cannot be read"))
                    .hint(format!("Bring the file back, or name the key with {KEY_FILE_VARIABLE}; without it stored secrets cannot be opened."))),
            },
        }
    }

    /// Whether a key is made as soon as one is needed: Segue keeps its own and has none yet.
    pub(super) fn may_be_made(&self) -> bool {
        matches!(self, Self::File { path, own: true } if !path.exists())
    }

    /// The keys; a new one where [that may be](Self::may_be_made).
    pub(super) fn load_or_make(&self) -> Result<Keyring, Failure> {
        if let Self::File { path, .. } = self
            && self.may_be_made()
        {
            let keys = Keyring { keys: vec![MasterKey::make()?] };
            // Of two that are made at once, one is kept, and both seal under it.
            let is_first = private_file::write_first(path, keys.text().as_bytes());
            if is_first.map_err(|error| self.not_written(&error))? {
                return Ok(keys);
            }
        }
        self.load()
    }

    /// Puts a new key in front of the others, where the place is a file. Keys of the environment are
    /// changed there, by whoever sets it. A rotation that was stopped goes on with its new key.
    pub(super) fn begin_rotation(&self) -> Result<Keyring, Failure> {
        let mut keys = self.load_or_make()?;
        if matches!(self, Self::File { .. }) && keys.keys.len() == 1 {
            keys.keys.insert(0, MasterKey::make()?);
            self.store(&keys)?;
        }
        Ok(keys)
    }

    /// Forgets all keys but the first.
    pub(super) fn end_rotation(&self, keys: &Keyring) -> Result<(), Failure> {
        match self {
            Self::File { .. } => self.store(&Keyring { keys: vec![keys.current().clone()] }),
            Self::Variable(_) => Ok(()),
        }
    }

    fn store(&self, keys: &Keyring) -> Result<(), Failure> {
        let Self::File { path, .. } = self else { return Ok(()) };
        private_file::write(path, keys.text().as_bytes()).map_err(|error| self.not_written(&error))
    }

    fn not_written(&self, error: &io::Error) -> Failure {
        Failure::from_error(Kind::Run, error)
            .context(format!("the master key cannot be written to {self}"))
    }
}
