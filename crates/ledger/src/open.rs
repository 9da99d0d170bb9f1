//! Opening a ledger, and the frame of every transaction.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::lease::Owner;
use crate::lent::Lent;
use crate::lock::ProcessLock;
use crate::place::{Address, Place};
use crate::postgres::{self, Frame, Use};
use crate::schema;
use crate::sql::{Transaction, answered, query};
use crate::sqlite;

/// The durable memory of runs. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
    pub(crate) owner: Owner,
    /// In the place of the database's.
    clock: Option<SimulatedClock>,
}

/// A clock in the place of that of a database, for simulations: leases end when it says so.
#[derive(Debug, Clone, Default)]
pub struct SimulatedClock(Arc<AtomicI64>);

impl SimulatedClock {
    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::Relaxed);
    }

    fn get(&self) -> Result<Timestamp> {
        let microseconds = self.0.load(Ordering::Relaxed);
        Timestamp::from_microsecond(microseconds).map_err(|error| Error::Corrupt(error.into()))
    }
}

#[derive(Debug)]
struct Inner {
    place: Place,
    database: Database,
    /// Set when the outcome of a write is unknown. After a failed synchronisation a second one may
    /// succeed without the data being on disk, so nothing is written by this process any more.
    stopped: AtomicBool,
    _lock: Option<ProcessLock>,
}

#[derive(Debug)]
enum Database {
    Sqlite {
        /// One connection: writes go one after the other.
        writer: SqlitePool,
        /// They see what is written when they begin, and wait for no write.
        readers: SqlitePool,
        file: Arc<Path>,
    },
    Postgres {
        pool: PgPool,
        /// How transactions begin.
        frame: Frame,
        /// One write of this process at a time: others wait here and not at the server, where each
        /// would hold a connection.
        turn: Arc<Semaphore>,
    },
}

impl Ledger {
    /// Opens the ledger for writing, creates it if there is none, and brings it up to date.
    ///
    /// A file is created for its owner only, with its folder. A database has to be there; the ledger's
    /// schema is made in it.
    ///
    /// # Errors
    /// `Locked` when another process has the file, `NewerSchema` when a newer version wrote it,
    /// `NotALedger` or `Corrupt` for other content, `File`, `Io` or `Full` for the disk, `Unopened` for
    /// the database.
    pub async fn open(place: impl Into<Place>) -> Result<Self> {
        let place = place.into();
        let (database, lock) = match &place {
            Place::File(path) => {
                sqlite::create_folder(path)?;
                let lock = ProcessLock::take(path)?;
                let told = |error: Error| error.of_file(path);
                let writer = sqlite::connect(path).await.map_err(told)?;
                let migrated =
                    schema::migrate_file(&mut *writer.acquire().await?, path, schema::SQLITE).await;
                migrated.map_err(told)?;
                let (readers, file) = (sqlite::readers(path), path.as_path().into());
                (Database::Sqlite { writer, readers, file }, Some(lock))
            }
            Place::Postgres(address) => {
                let mut connection = postgres::sign_in(address).await?;
                schema::migrate_database(&mut connection, address).await?;
                postgres::sign_out(connection).await;
                (Database::of(address, Use::Write), None)
            }
        };
        Ok(Self::with(place, database, lock))
    }

    /// Opens the ledger for reading while another process may be writing it; `None` when there is
    /// none yet. The ledger is not changed; SQLite may leave its own side files beside it, empty.
    ///
    /// # Errors
    /// As for [`Ledger::open`], but `Locked`; `OlderSchema` when it would have to be brought up to
    /// date first.
    pub async fn open_read_only(place: impl Into<Place>) -> Result<Option<Self>> {
        let Some((ledger, found)) = Self::look(place.into()).await? else { return Ok(None) };
        let known = schema::KNOWN;
        if found < known {
            let place = ledger.inner.place.to_string();
            return Err(Error::OlderSchema { place, found, known });
        }
        Ok(Some(ledger))
    }

    /// Opens the ledger for reading, however old it is, and tells its version.
    pub(crate) async fn look(place: Place) -> Result<Option<(Self, i64)>> {
        let (database, found) = match &place {
            Place::File(path) => {
                let Some(pool) = sqlite::connect_read_only(path).await? else { return Ok(None) };
                let found = schema::version_of_file(&mut *pool.acquire().await?, path).await?;
                let (writer, file) = (pool.clone(), path.as_path().into());
                (Database::Sqlite { writer, readers: pool, file }, found)
            }
            Place::Postgres(address) => {
                let mut connection = postgres::sign_in(address).await?;
                let mut looking = postgres::begin_to_look(&mut connection, address).await?;
                let found = postgres::version(&mut looking, address).await?;
                answered(looking.rollback()).await?;
                postgres::sign_out(connection).await;
                let Some(found) = found else { return Ok(None) };
                (Database::of(address, Use::Read), found)
            }
        };
        schema::refuse_newer(&place, found)?;
        Ok(Some((Self::with(place, database, None), found)))
    }

    fn with(place: Place, database: Database, lock: Option<ProcessLock>) -> Self {
        let inner = Inner { place, database, stopped: AtomicBool::new(false), _lock: lock };
        Self { inner: Arc::new(inner), owner: Owner::default(), clock: None }
    }

    /// The same ledger, with leases that end by another clock than that of the database.
    #[must_use]
    pub fn on_clock(mut self, clock: &SimulatedClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    /// Whether other servers may be working with it at this moment.
    pub fn is_shared(&self) -> bool {
        self.inner.place.is_shared()
    }

    /// Closes the connections of all clones. Without it everything that was written is just as safe;
    /// the next process only has more to read.
    pub async fn close(self) {
        match &self.inner.database {
            Database::Sqlite { writer, readers, .. } => {
                readers.close().await;
                // The last connection brings what is beside the file into it.
                writer.close().await;
            }
            Database::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Returns the time by the clock that leases are measured with: that of the database, which all
    /// servers share. A file has no clock, and nobody to share one with: then it is `now`.
    pub async fn time(&self, now: Timestamp) -> Result<Timestamp> {
        if !self.is_shared() {
            return Ok(now);
        }
        if let Some(simulated) = &self.clock {
            return simulated.get();
        }
        self.clock(&mut self.read().await?, now).await
    }

    /// The same within a transaction.
    pub(crate) async fn clock(&self, db: &mut Transaction, now: Timestamp) -> Result<Timestamp> {
        clock(db, self.clock.as_ref(), now).await
    }

    /// The connection to the file, for what only SQLite knows.
    ///
    /// # Errors
    /// `NotAFile` for a database.
    pub(crate) fn file(&self) -> Result<&SqlitePool> {
        match &self.inner.database {
            Database::Sqlite { writer, .. } => Ok(writer),
            Database::Postgres { .. } => {
                Err(Error::NotAFile { place: self.inner.place.to_string() })
            }
        }
    }

    /// Begins to read. All that is read in the transaction is of one moment.
    pub(crate) async fn read(&self) -> Result<Transaction> {
        Ok(match &self.inner.database {
            Database::Sqlite { readers, file, .. } => {
                Transaction::Sqlite(readers.begin().await?, Arc::clone(file))
            }
            Database::Postgres { pool, frame, .. } => {
                Transaction::Postgres(Lent::begin(pool, &frame.read).await?, frame.statements)
            }
        })
    }

    /// Begins to write. The lock is taken at once, so that nothing that is read in the transaction can
    /// change before it ends: SQLite has one lock for its file, and PostgreSQL is asked for that of the
    /// one row of the table `ledger`. So there is one writer at a time on either, and each sees all that
    /// the ones before have written.
    pub(crate) async fn write(&self) -> Result<Write> {
        if self.inner.stopped.load(Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        let inner = Arc::clone(&self.inner);
        match &self.inner.database {
            Database::Sqlite { writer, file, .. } => {
                let begun = writer.begin_with("BEGIN IMMEDIATE").await;
                let begun = begun.map_err(|error| Error::from(error).of_file(file))?;
                let transaction = Transaction::Sqlite(begun, Arc::clone(file));
                Ok(Write { transaction, inner, clock: None, _turn: None })
            }
            Database::Postgres { pool, frame, turn } => {
                // The semaphore is never closed.
                let turn = Arc::clone(turn).acquire_owned().await.map_err(|_| Error::Stopped)?;
                let begun = Lent::begin(pool, &frame.write).await?;
                let mut transaction = Transaction::Postgres(begun, frame.statements);
                let found = query(postgres::LOCK).fetch_value(&mut transaction).await?;
                // A newer server may have changed the tables since this one began.
                schema::refuse_newer(&inner.place, found)?;
                Ok(Write { transaction, inner, clock: self.clock.clone(), _turn: Some(turn) })
            }
        }
    }
}

impl Database {
    fn of(address: &Address, purpose: Use) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self::Postgres { pool: postgres::pool(address), frame: Frame::of(address, purpose), turn }
    }
}

/// The time by the clock that leases are measured with.
async fn clock(
    db: &mut Transaction,
    simulated: Option<&SimulatedClock>,
    now: Timestamp,
) -> Result<Timestamp> {
    if let Transaction::Sqlite(..) = db {
        return Ok(now);
    }
    if let Some(simulated) = simulated {
        return simulated.get();
    }
    let statement = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
    let microseconds = query(statement).fetch_value(db).await?;
    Timestamp::from_microsecond(microseconds).map_err(|error| Error::Corrupt(error.into()))
}

/// A transaction that writes; rolled back when it is dropped.
pub(crate) struct Write {
    transaction: Transaction,
    inner: Arc<Inner>,
    clock: Option<SimulatedClock>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Write {
    pub(crate) fn connection(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    /// The time by the clock that leases are measured with; as for [`Ledger::time`].
    pub(crate) async fn clock(&mut self, now: Timestamp) -> Result<Timestamp> {
        clock(&mut self.transaction, self.clock.as_ref(), now).await
    }

    /// Ends the transaction; it is on disk when this returns.
    pub(crate) async fn commit(self) -> Result<()> {
        self.transaction.commit().await.inspect_err(|error| {
            if matches!(error, Error::Io(_)) {
                self.inner.stopped.store(true, Ordering::Release);
            }
        })
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
