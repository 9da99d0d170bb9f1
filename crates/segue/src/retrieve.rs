//! A delivered object, read back into a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use delivery::s3::S3Store;

use crate::failure::{Failure, Kind};

/// Reads an object into a file that is not there yet, and returns its SHA-256 in lower-case hex. The
/// file is there as a whole or not at all.
///
/// # Errors
/// A file of this name is there, it cannot be written, or the object cannot be read.
pub(crate) async fn into_file(
    store: &S3Store,
    key: &str,
    version_id: Option<&str>,
    path: &Path,
) -> Result<String, Failure> {
    if path.exists() {
        return Err(Failure::usage(format!("{} is there already", path.display()))
            .hint("Name another file with --into."));
    }
    let unfinished = Unfinished::new(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&unfinished.path)
        .map_err(|error| unwritable(path, &error))?;
    let mut digest = Context::new(&SHA256);
    let mut take = |piece: &[u8]| {
        digest.update(piece);
        file.write_all(piece).map_err(|source| delivery::Error::Folder {
            act: "write",
            path: path.to_path_buf(),
            source,
        })
    };
    store.read(key, version_id, &mut take).await?;
    file.sync_all().map_err(|error| unwritable(path, &error))?;
    fs::hard_link(&unfinished.path, path).map_err(|error| unwritable(path, &error))?;
    Ok(digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The file while it is being written; gone when this is.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn new(path: &Path) -> Self {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", crate::ambient::nonce()));
        Self { path: path.with_file_name(name) }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The finished file is another name of it.
        let _ = fs::remove_file(&self.path);
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::from_error(Kind::Run, error)
        .context(format!("failed to write {}", path.display()))
        .hint("Name a place where this user may write with --into.")
}
