//! Where objects go: the bucket of a destination, or a folder on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use delivery::Store;
use delivery::folder::FolderStore;
use delivery::s3::{Pace, Place, S3Store, Session, Trust};
use ledger::Ledger;
use plan::project::{Account, Auth, Destination};
use secrecy::ExposeSecret as _;

use crate::failure::{Failure, Kind};
use crate::outbox;
use crate::workspace::Workspace;

/// What a folder store's identity begins with.
const FOLDER_SCHEME: &str = "file://";

/// Where the runs of a command deliver.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// To the buckets of their destinations.
    Buckets,
    /// To this folder, by the same protocol.
    Folder(PathBuf),
}

/// The accounts of a project that were signed in to: each once for a process.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    made: Mutex<BTreeMap<String, Session>>,
}

impl Sessions {
    /// Returns the session of an account; certificates are read from below `folder`.
    ///
    /// # Errors
    /// The file with the certificates cannot be read.
    pub(crate) fn of(&self, account: &Account, folder: &Path) -> Result<Session, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = made.get(&account.key) {
            return Ok(session.clone());
        }
        let trust = account.ca_file.as_deref().map(|name| trust(folder, name)).transpose()?;
        let session = Session::new(account, trust.as_ref());
        made.insert(account.key.clone(), session.clone());
        Ok(session)
    }
}

fn trust(folder: &Path, name: &str) -> Result<Trust, Failure> {
    let pem = std::fs::read(folder.join(name)).map_err(|error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("failed to read the certificates {name}"))
            .hint("Correct ca_file of the account; it is relative to the project file.")
    })?;
    Trust::from_pem(name, &pem).map_err(|error| Failure { kind: Kind::Usage, ..error.into() })
}

/// Opens the store of a destination.
///
/// # Errors
/// The bucket cannot be reached, or the folder not be made.
pub(crate) async fn open(
    workspace: &Workspace,
    destination: &str,
    target: &Target,
) -> Result<Arc<dyn Store>, Failure> {
    let folder = match target {
        Target::Folder(folder) => Some(folder.clone()),
        Target::Buckets => outbox::folder_of(workspace, destination)?,
    };
    match folder {
        Some(folder) => open_folder(&folder).await,
        None => Ok(Arc::new(bucket(workspace, destination, Pace::Run).await?.0)),
    }
}

/// Opens the store in which an earlier process left a run, by what the ledger holds of it. `None`
/// when the project has no such destination any more, or it now goes elsewhere.
pub(crate) async fn reopen(
    workspace: &Workspace,
    run: &ledger::RunRecord,
) -> Result<Option<Arc<dyn Store>>, Failure> {
    if let Some(folder) = run.store.strip_prefix(FOLDER_SCHEME) {
        return open_folder(Path::new(folder)).await.map(Some);
    }
    let found = workspace.project.destination(&run.destination);
    if found.is_none_or(|found| found.location.is_some()) {
        return Ok(None);
    }
    let (store, _) = bucket(workspace, &run.destination, Pace::Run).await?;
    Ok((store.identity() == run.store).then(|| Arc::new(store) as Arc<dyn Store>))
}

/// What the ledger calls the bucket of a destination, or its folder.
pub(crate) fn identity(workspace: &Workspace, destination: &str) -> Option<String> {
    let project = &workspace.project;
    let destination = project.destination(destination)?;
    if let Some(location) = &destination.location {
        let folder = workspace.folder.join(location);
        // One that is not there has nothing in it.
        let folder = folder.canonicalize().ok()?;
        return Some(format!("{FOLDER_SCHEME}{}", folder.display()));
    }
    let account = project.account(&destination.account)?;
    Some(delivery::s3::identity(account, &destination.bucket))
}

/// Leaves nothing but files in a folder in which runs are over. What is hidden there belongs to runs
/// that are not, which may be those of another process.
pub(crate) async fn tidy(ledger: &Ledger, store: &str) -> Result<(), Failure> {
    let Some(folder) = store.strip_prefix(FOLDER_SCHEME) else { return Ok(()) };
    if ledger.unfinished().await?.iter().all(|run| run.store != store) {
        FolderStore::tidy(folder).await?;
    }
    Ok(())
}

async fn open_folder(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(FolderStore::open(folder).await?))
}

/// Opens the bucket of a destination.
///
/// # Errors
/// There is no such destination, its account has no credentials, or Amazon does not know the bucket.
pub(crate) async fn bucket(
    workspace: &Workspace,
    destination: &str,
    pace: Pace,
) -> Result<(S3Store, Session), Failure> {
    let project = &workspace.project;
    let missing = |what: &str| {
        Failure::new(Kind::Internal, format!("destination `{destination}` has no {what}"))
    };
    let found = project.destination(destination).ok_or_else(|| missing("entry"))?;
    let account = project.account(&found.account).ok_or_else(|| missing("account"))?;
    check_credentials(account)?;
    let session = workspace.sessions.of(account, &workspace.folder)?;
    let store = session.open(&place(found), pace).await?;
    Ok((store, session))
}

fn place(destination: &Destination) -> Place {
    Place {
        bucket: destination.bucket.clone(),
        expected_owner: destination.expected_bucket_owner.clone(),
        objects: destination.objects.clone(),
    }
}

/// A project may be read without credentials; delivering needs them. What the machine offers is only
/// known when it is asked.
fn check_credentials(account: &Account) -> Result<(), Failure> {
    let mut auth = &account.auth;
    while let Auth::AssumeRole { base, .. } = auth {
        auth = base;
    }
    let Auth::AccessKey { access_key_id, secret_access_key, .. } = auth else { return Ok(()) };
    let missing = match (access_key_id.is_empty(), secret_access_key.expose_secret().is_empty()) {
        (true, _) => "access_key_id",
        (false, true) => "secret_access_key",
        (false, false) => return Ok(()),
    };
    Err(Failure::new(Kind::Connection, format!("`{missing}` of account `{}` is empty", account.key))
        .hint("Set the variable that the project file names there, and run again; or deliver to a folder with --to."))
}
