//! Where objects go: the bucket of a destination, or a folder on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delivery::Store;
use delivery::folder::FolderStore;
use plan::Project;
use plan::project::{Account, Auth};
use secrecy::ExposeSecret as _;

use crate::failure::{Failure, Kind};

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

/// Opens the store of a destination.
///
/// # Errors
/// The bucket cannot be reached, or the folder not be made.
pub(crate) async fn open(
    project: &Project,
    destination: &str,
    target: &Target,
) -> Result<Arc<dyn Store>, Failure> {
    match target {
        Target::Folder(folder) => open_folder(folder).await,
        Target::Buckets => open_bucket(project, destination).await,
    }
}

/// Opens the store in which an earlier process left a run, by what the ledger holds of it. `None`
/// when the project has no such destination any more, or it now goes elsewhere.
pub(crate) async fn reopen(
    project: &Project,
    run: &ledger::RunRecord,
) -> Result<Option<Arc<dyn Store>>, Failure> {
    if let Some(folder) = run.store.strip_prefix(FOLDER_SCHEME) {
        return open_folder(Path::new(folder)).await.map(Some);
    }
    if project.destination(&run.destination).is_none() {
        return Ok(None);
    }
    let store = open_bucket(project, &run.destination).await?;
    Ok((store.identity() == run.store).then_some(store))
}

/// What the ledger calls the bucket of a destination.
pub(crate) fn identity(project: &Project, destination: &str) -> Option<String> {
    let destination = project.destination(destination)?;
    let account = project.account(&destination.account)?;
    Some(delivery::s3::identity(account, &destination.bucket))
}

async fn open_folder(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(FolderStore::open(folder).await?))
}

async fn open_bucket(project: &Project, destination: &str) -> Result<Arc<dyn Store>, Failure> {
    let missing = |what: &str| {
        Failure::new(Kind::Internal, format!("destination `{destination}` has no {what}"))
    };
    let found = project.destination(destination).ok_or_else(|| missing("entry"))?;
    let account = project.account(&found.account).ok_or_else(|| missing("account"))?;
    check_credentials(account)?;
    let owner = found.expected_bucket_owner.as_deref();
    let store = delivery::s3::connect(account, &found.bucket, owner).await?;
    Ok(Arc::new(store))
}

/// A project may be read without credentials; delivering needs them.
fn check_credentials(account: &Account) -> Result<(), Failure> {
    let Auth::AccessKey { access_key_id, secret_access_key, .. } = &account.auth;
    let missing = match (access_key_id.is_empty(), secret_access_key.expose_secret().is_empty()) {
        (true, _) => "access_key_id",
        (false, true) => "secret_access_key",
        (false, false) => return Ok(()),
    };
    Err(Failure::new(Kind::Connection, format!("`{missing}` of account `{}` is empty", account.key))
        .hint("Set the variable that the project file names there, and run again; or deliver to a folder with --to."))
}
