//! One process at a time: an advisory lock on a file beside the ledger.
//!
//! The operating system drops the lock when the process ends, however it ends. The file itself stays,
//! and holds the id of the process that has or had the lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The most bytes of the lock file that are read: a process id and a line end.
const OWNER_BYTES_MAX: u64 = 32;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    file: File,
}

impl Drop for ProcessLock {
    /// Gives the lock back by word. Closing the file alone leaves it with a child process that was
    /// forked and has not begun its own program yet.
    fn drop(&mut self) {
        // The file is closed next in any case.
        drop(self.file.unlock());
    }
}

impl ProcessLock {
    /// Takes the lock for a ledger, or says who has it.
    pub(crate) fn take(ledger: &Path) -> Result<Self> {
        let path = lock_path(ledger);
        let failed = |act| {
            let path = path.clone();
            move |source| Error::File { act, path, source }
        };
        let mut file = open(&path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { path: ledger.to_owned(), owner: owner(&file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        sign(&mut file).map_err(failed("write"))?;
        Ok(Self { file })
    }
}

fn lock_path(ledger: &Path) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    // The owner's id in it must outlive an attempt that fails to lock.
    options.read(true).write(true).create(true).truncate(false);
    crate::sqlite::owner_only(&mut options);
    options.open(path)
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The id of the process that has the lock; some systems do not let others read a locked file.
fn owner(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(OWNER_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
