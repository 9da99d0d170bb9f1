//! The ledger as a file: opening it with SQLite.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, SqliteConnection};

use crate::error::{Error, Result};

/// How long a statement waits for a lock that another connection holds: a backup, or somebody who
/// looks at the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of the file each connection keeps in memory, in KiB: what the lists of some ten thousand runs read.
const CACHE_KIB: u32 = 8 << 10;

/// How many connections read beside the one that writes.
const READERS: u32 = 2;

/// How many rows of an answer may wait to be taken, so that the thread that reads the file need not stop
/// for each: a page of a list.
const ROWS_WAITING: usize = 1_024;

/// Connects to the ledger for writing; the file is made if there is none.
pub(crate) async fn connect(path: &Path) -> Result<SqlitePool> {
    create_file(path)?;
    let options = options(path)
        .journal_mode(SqliteJournalMode::Wal)
        // WAL with less than FULL may lose a committed transaction when the power fails.
        .synchronous(SqliteSynchronous::Full);
    Ok(pool().connect_with(options).await?)
}

/// Connections that read beside the one that writes, each made when it is needed.
pub(crate) fn readers(path: &Path) -> SqlitePool {
    pool().max_connections(READERS).connect_lazy_with(options(path).read_only(true))
}

/// Connects to the ledger for reading, while another process may be writing it; `None` when there is
/// none yet.
pub(crate) async fn connect_read_only(path: &Path) -> Result<Option<SqlitePool>> {
    let is_there = path.try_exists();
    let failed = |source| Error::File { act: "find", path: path.to_owned(), source };
    if !is_there.map_err(failed)? {
        return Ok(None);
    }
    Ok(Some(pool().connect_with(options(path).read_only(true)).await?))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Counted in pages where it is positive, and in KiB where it is negative.
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .row_buffer_size(ROWS_WAITING)
}

fn pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        // Steps of a run are short; one connection puts them in a row without lock errors.
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_reusable(connection)))
}

/// After some errors (a full disk is one) SQLite ends the transaction by itself. The driver does not
/// notice, and would count every further transaction as nested; such a connection is replaced.
async fn is_reusable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // A rollback may still be waiting to be done.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// Creates the folder of the ledger's file, for its owner only.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    let Some(folder) = folder_of(path) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::File {
        act: "create",
        path: folder.to_owned(),
        source,
    })
}

/// Creates the file before SQLite does, which would let others read it.
fn create_file(path: &Path) -> Result<()> {
    let failed = |act: &'static str, path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| Error::File { act, path, source }
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    owner_only(&mut options);
    match options.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed("create", path)(error)),
    }
    // A new name is durable when its folder is.
    #[cfg(unix)]
    {
        let folder = folder_of(path).unwrap_or(Path::new("."));
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("synchronise", folder))?;
    }
    Ok(())
}

/// Lets only the owner read and write what is created.
pub(crate) fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}
