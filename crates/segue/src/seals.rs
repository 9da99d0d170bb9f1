//! What the encryption of a run is drawn from, in a file of its own beside the ledger.
//!
//! With it, and only with it, a lost upload can be made again byte for byte. It is not in the ledger:
//! whoever gets hold of a ledger or of its backup must not be able to open files. It is there before
//! the first upload, and goes when the run is over; after that nobody but the recipients can.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use delivery::pgp::RUN_SECRET_BYTES;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::private_file;

/// The seals of the runs that are not over.
#[derive(Debug, Clone)]
pub(crate) struct Seals {
    folder: PathBuf,
}

/// The seal of one run.
pub(crate) struct RunSeal {
    /// What everything random is drawn from.
    pub(crate) secret: SecretSlice<u8>,
    /// When it was made. Keys are judged as of then, so that a repair uses the same parts of them.
    pub(crate) made: Timestamp,
}

impl Seals {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the seal of a run, a new one if it has none.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn make(&self, run_id: Uuid, now: Timestamp) -> Result<RunSeal, Failure> {
        if let Some(seal) = self.find(run_id)? {
            return Ok(seal);
        }
        let seal = RunSeal { secret: ambient::secret_bytes(RUN_SECRET_BYTES)?, made: now };
        let mut content = Zeroizing::new(seal.made.as_second().to_be_bytes().to_vec());
        content.extend_from_slice(seal.secret.expose_secret());
        private_file::write(&self.path(run_id), &content)
            .map_err(|error| self.failed("written", run_id, &error))?;
        // Judged to the second, as it will be when it is read again.
        let made = Timestamp::from_second(seal.made.as_second()).unwrap_or(seal.made);
        Ok(RunSeal { made, ..seal })
    }

    /// Returns the seal of a run, if it has one.
    ///
    /// # Errors
    /// The file cannot be read, or is not a seal.
    pub(crate) fn find(&self, run_id: Uuid) -> Result<Option<RunSeal>, Failure> {
        let content = match fs::read(self.path(run_id)) {
            Ok(content) => Zeroizing::new(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read", run_id, &error)),
        };
        let parsed = content.split_first_chunk::<8>().and_then(|(made, secret)| {
            let made = Timestamp::from_second(i64::from_be_bytes(*made)).ok()?;
            (secret.len() == RUN_SECRET_BYTES)
                .then(|| RunSeal { secret: SecretSlice::from(secret.to_vec()), made })
        });
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
        parsed.map(Some).ok_or_else(|| self.failed("read", run_id, &damaged()))
    }

    /// Removes the seal of a run that is over. What stays behind is removed by the next start.
    pub(crate) fn remove(&self, run_id: Uuid) {
        let path = self.path(run_id);
        match private_file::remove(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a seal could not be removed");
            }
        }
    }

    /// The runs that have a seal.
    pub(crate) fn all(&self) -> Vec<Uuid> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let run_of = |entry: fs::DirEntry| Uuid::parse_str(entry.file_name().to_str()?).ok();
        entries.flatten().filter_map(run_of).collect()
    }

    /// Removes those of `sealed` that are not of `unfinished` runs.
    pub(crate) fn sweep(&self, sealed: &[Uuid], unfinished: &BTreeSet<Uuid>) {
        for run_id in sealed.iter().filter(|run_id| !unfinished.contains(run_id)) {
            self.remove(*run_id);
        }
    }

    fn path(&self, run_id: Uuid) -> PathBuf {
        self.folder.join(run_id.to_string())
    }

    fn failed(&self, act: &str, run_id: Uuid, error: &io::Error) -> Failure {
        let shown = Path::display(&self.folder).to_string();
        Failure::from_error(Kind::Run, error)
            .context(format!("the seal of run {run_id} in {shown} cannot be {act}"))
            .hint("Nothing of the run is lost; make the folder usable and run again.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_seal_is_the_same_until_its_run_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let seals = Seals::new(folder.path().join("seals"));
        assert!(seals.find(RUN).unwrap().is_none());
        let now: Timestamp = "2026-01-04T06:30:00.5Z".parse().unwrap();
        let made = seals.make(RUN, now).unwrap();
        let again = seals.make(RUN, Timestamp::MAX).unwrap();
        assert_eq!(made.secret.expose_secret(), again.secret.expose_secret());
        assert_eq!((made.made, again.made), ("2026-01-04T06:30:00Z".parse().unwrap(), made.made));
        let other = seals.make(Uuid::from_u128(8), now).unwrap();
        assert_ne!(made.secret.expose_secret(), other.secret.expose_secret());
        seals.sweep(&seals.all(), &BTreeSet::from([RUN]));
        assert!(seals.find(RUN).unwrap().is_some());
        assert!(seals.find(Uuid::from_u128(8)).unwrap().is_none());
        seals.remove(RUN);
        assert!(seals.find(RUN).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_seal() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let seals = Seals::new(folder.path().join("seals"));
        seals.make(RUN, Timestamp::UNIX_EPOCH).unwrap();
        let mode = fs::metadata(seals.path(RUN)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_seal_is_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let seals = Seals::new(folder.path().to_path_buf());
        fs::write(seals.path(RUN), b"short").unwrap();
        let failure = seals.make(RUN, Timestamp::UNIX_EPOCH).err().unwrap();
        assert!(failure.text().contains("damaged"), "{}", failure.text());
    }
}
