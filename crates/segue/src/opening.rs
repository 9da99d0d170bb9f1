//! Opening a project's ledger to work with it, and what processes that share one agree on: a name for
//! each, the clock of the database, and one state folder.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, Place};
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::private_file;

/// For how long what a process takes is its own when it dies or stops; it is renewed three times within
/// it.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// An answer that took longer says little about the clock: whoever asks first when a database is back
/// waits for a connection, too.
const ASKING_MAX: SignedDuration = SignedDuration::from_secs(1);
/// How often the time is asked for until an answer is quick.
const ASKED_MAX: u32 = 3;

/// The file in a state folder that says to which ledger in a database it belongs.
const BELONGS: &str = "database.json";

/// To which ledger a state folder belongs.
#[derive(Debug, Serialize, Deserialize)]
struct Belongs {
    /// The folder's own id; the ledger knows it.
    id: String,
    /// Where the ledger is, for people.
    ledger: String,
}

/// Opens a ledger in the name of `owner`, which no other process has at the same time.
///
/// # Errors
/// As for [`Ledger::open`]; the ledger belongs to another state folder.
pub(crate) async fn open(
    place: &Place,
    state: &Path,
    owner: &str,
    lease: SignedDuration,
) -> Result<Ledger, Failure> {
    let ledger = Ledger::open(place).await?.owned_by(owner, lease);
    if ledger.is_shared() {
        go_by_its_clock(&ledger).await?;
        bind(&ledger, state).await?;
    }
    Ok(ledger)
}

/// Lets this process go by the clock of the database, which is one for all servers. A clock that is off
/// is told.
///
/// # Errors
/// The database cannot be asked.
pub(crate) async fn go_by_its_clock(ledger: &Ledger) -> Result<(), Failure> {
    if !ledger.is_shared() || ambient::is_pinned() {
        return Ok(());
    }
    let (mut own, mut theirs) = ask_for_time(ledger).await?;
    for _ in 1..ASKED_MAX {
        if own.asked < ASKING_MAX {
            break;
        }
        (own, theirs) = ask_for_time(ledger).await?;
    }
    let own = own.halfway();
    if let Some(apart) = ambient::go_by(theirs, own) {
        tracing::warn!(
            code = "clock_differs",
            seconds = apart.as_secs(),
            "the clock of this machine differs from that of the database; that of the database counts"
        );
    }
    Ok(())
}

/// What the own clock said around a question.
struct Own {
    before: Timestamp,
    /// How long the answer took.
    asked: SignedDuration,
}

impl Own {
    fn halfway(&self) -> Timestamp {
        self.before.checked_add(self.asked / 2).unwrap_or(self.before)
    }
}

async fn ask_for_time(ledger: &Ledger) -> Result<(Own, Timestamp), Failure> {
    let before = ambient::own_clock();
    let theirs = ledger.time(before).await?;
    let asked = ambient::own_clock().duration_since(before);
    Ok((Own { before, asked }, theirs))
}

/// Refuses a file as the ledger where the state folder belongs to a ledger in a database: with an empty
/// or old ledger everything would be sent again.
///
/// # Errors
/// It does.
pub(crate) fn refuse_moved(state: &Path) -> Result<(), Failure> {
    let Some(belongs) = read(state)? else { return Ok(()) };
    Err(Failure::usage(format!(
        "the state folder {} belongs to the ledger {}",
        state.display(),
        belongs.ledger
    ))
    .hint(format!(
        "Name that ledger with --database or SEGUE_DATABASE. If the ledger is to be a file again, remove {} first.",
        state.join(BELONGS).display()
    )))
}

/// Binds ledger and state folder to each other. Increments, memberships and seals are in the folder, so
/// a server with another one would send something else.
async fn bind(ledger: &Ledger, state: &Path) -> Result<(), Failure> {
    let place = ledger.place().to_string();
    if let Some(belongs) = read(state)? {
        let is_of_it = ledger.belongs_to(&belongs.id).await?;
        return if is_of_it { Ok(()) } else { Err(foreign(state, &place)) };
    }
    let belongs = Belongs { id: ambient::id().to_string(), ledger: place.clone() };
    if !write_first(state, &belongs)? {
        // Of processes that start together, another one was faster.
        return Box::pin(bind(ledger, state)).await;
    }
    if ledger.belongs_to(&belongs.id).await? {
        return Ok(());
    }
    // The wrong folder is left as it was.
    drop(fs::remove_file(state.join(BELONGS)));
    Err(foreign(state, &place))
}

fn foreign(state: &Path, place: &str) -> Failure {
    Failure::usage(format!(
        "the ledger {place} belongs to another state folder than {}",
        state.display()
    ))
    .hint(
        "All servers of a ledger share one state folder: name the shared volume with --state-dir. Another project takes another schema: `?schema=…` behind the address.",
    )
}

fn read(state: &Path) -> Result<Option<Belongs>, Failure> {
    let path = state.join(BELONGS);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(Failure::from_error(Kind::Run, &error)
                .context(format!("{} cannot be read", path.display())));
        }
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::from_error(Kind::Run, &error)
            .context(format!("{} is damaged", path.display()))
            .hint("Restore it from a backup of the state folder.")
    })
}

/// Writes the file, unless there is one; it is there as a whole or not at all.
fn write_first(state: &Path, belongs: &Belongs) -> Result<bool, Failure> {
    let path = state.join(BELONGS);
    let fresh = state.join(format!(".{BELONGS}-{}", belongs.id));
    let failed = |error: std::io::Error| {
        Failure::from_error(Kind::Run, &error)
            .context(format!("{} cannot be written", path.display()))
            .hint("Make the state folder writable, and begin again.")
    };
    let text =
        serde_json::to_vec(belongs).map_err(|error| Failure::from_error(Kind::Internal, &error))?;
    private_file::write(&fresh, &text).map_err(failed)?;
    let linked = fs::hard_link(&fresh, &path);
    drop(fs::remove_file(&fresh));
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}
