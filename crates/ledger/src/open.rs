//! Opening the ledger's file, and the frame of every transaction.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use crate::error::{Error, Result};
use crate::lock::ProcessLock;
use crate::schema;

/// How long a statement waits for a lock that another connection holds: a backup, or somebody who
/// looks at the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The durable memory of runs. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: SqlitePool,
    /// Set when the outcome of a write is unknown. After a failed synchronisation a second one may
    /// succeed without the data being on disk, so nothing is written by this process any more.
    stopped: AtomicBool,
    _lock: Option<ProcessLock>,
}

impl Ledger {
    /// Opens the ledger for writing, creates it if there is none, and brings it up to date.
    ///
    /// Its folder and file are created for their owner only.
    ///
    /// # Errors
    /// `Locked` when another process has it, `NewerSchema` when a newer version wrote it,
    /// `NotALedger` or `Corrupt` for other content, `File`, `Io` or `Full` for the disk.
    pub async fn open(path: &Path) -> Result<Self> {
        create_folder(path)?;
        let lock = ProcessLock::take(path)?;
        create_file(path)?;
        let options = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            // WAL with less than FULL may lose a committed transaction when the power fails.
            .synchronous(SqliteSynchronous::Full);
        let pool = connect(options).await?;
        schema::migrate(&mut *pool.acquire().await?, path, schema::MIGRATIONS).await?;
        Ok(Self::with(pool, Some(lock)))
    }

    /// Opens the ledger for reading while another process may be writing it; `None` when there is
    /// none yet. The ledger is not changed; SQLite may leave its own side files beside it, empty.
    ///
    /// # Errors
    /// As for [`Ledger::open`], but `Locked`; `OlderSchema` when it would have to be brought up to
    /// date first.
    pub async fn open_read_only(path: &Path) -> Result<Option<Self>> {
        if !exists(path)? {
            return Ok(None);
        }
        let pool = connect(options(path).read_only(true)).await?;
        schema::check(&mut *pool.acquire().await?, path).await?;
        Ok(Some(Self::with(pool, None)))
    }

    fn with(pool: SqlitePool, lock: Option<ProcessLock>) -> Self {
        Self { inner: Arc::new(Inner { pool, stopped: AtomicBool::new(false), _lock: lock }) }
    }

    /// Closes the file for all clones. Without it everything that was written is just as safe; the
    /// next process only has more to read.
    pub async fn close(self) {
        self.inner.pool.close().await;
    }

    /// The connection itself, for what is no transaction.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Sqlite>> {
        Ok(self.inner.pool.acquire().await?)
    }

    /// Begins to read.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.inner.pool.begin().await?)
    }

    /// Begins to write. The lock is taken at once, so that nothing that is read in the transaction can
    /// change before it ends.
    pub(crate) async fn write(&self) -> Result<Write> {
        if self.inner.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        let transaction = self.inner.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, inner: Arc::clone(&self.inner) })
    }
}

/// A transaction that writes; rolled back when it is dropped.
pub(crate) struct Write {
    transaction: Transaction<'static, Sqlite>,
    inner: Arc<Inner>,
}

impl Write {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Ends the transaction; it is on disk when this returns.
    pub(crate) async fn commit(self) -> Result<()> {
        self.transaction.commit().await.map_err(|error| {
            let error = Error::from(error);
            if matches!(error, Error::Io(_)) {
                self.inner.stopped.store(true, Ordering::Release);
            }
            error
        })
    }
}

/// Connects for one look at a ledger that another process may be writing; `None` when there is none.
pub(crate) async fn connect_read_only(path: &Path) -> Result<Option<SqliteConnection>> {
    if !exists(path)? {
        return Ok(None);
    }
    Ok(Some(SqliteConnection::connect_with(&options(path).read_only(true)).await?))
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|source| Error::File { act: "find", path: path.to_owned(), source })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(BUSY_TIMEOUT)
}

async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool> {
    let pool = SqlitePoolOptions::new()
        // Steps of a run are short; one connection puts them in a row without lock errors.
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_reusable(connection)))
        .connect_with(options)
        .await?;
    Ok(pool)
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

fn create_folder(path: &Path) -> Result<()> {
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

#[cfg(test)]
mod tests;
