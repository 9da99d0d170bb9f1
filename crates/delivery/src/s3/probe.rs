//! A walk through the permissions of a destination: each is tried by doing what it permits, in the
//! way that changes least.
//!
//! Whoever may do something to an object that is not there is told that it is not there, and whoever
//! may not is refused; so nearly everything is tried on a key and an upload that never existed. What
//! has to be real is an unfinished upload, which nobody can see and which is aborted again. Nothing
//! becomes visible, unless the service does not keep conditions, which is tried only where the object
//! could be deleted again.

mod capability;
mod power;
mod requests;
mod walk;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

pub use self::capability::{Capabilities, Grade, Known, Retention};
use super::S3Store;
use super::answer::Failure;
use super::request::Target;
use crate::error::{Error, Fault};
use crate::store::OpenUpload;
use jiff::Timestamp;
use plan::permission::{Need, PROBE_NAME, Permission, Scope};
use plan::power::Power;

/// A permission, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which one.
    pub permission: Permission,
    /// On what, as policies write it.
    pub resource: String,
    /// How much the destination needs it.
    pub need: Need,
    /// What was found.
    pub verdict: Verdict,
    /// What the service answered, unless it did what was asked without a word.
    pub answer: Option<Answer>,
}

/// Whether a permission is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The service let it pass.
    Granted,
    /// The service refused it; the reason, where more is known than that.
    Missing(Option<String>),
    /// The answer says neither; the reason.
    CannotTell(&'static str),
}

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The S3 error code.
    pub code: Option<String>,
    /// What the service's support asks for.
    pub request_id: Option<String>,
}

/// What a walk found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The permissions, in the order of the needs.
    pub findings: Vec<Finding>,
    /// What the service can do, as far as the permissions let it be seen.
    pub capabilities: Capabilities,
    /// What the credentials can do although the destination does not need it.
    pub powers: Vec<Power>,
    /// Uploads of earlier checks that were still open and are aborted now.
    pub swept: usize,
}

/// What is left of a check, because it could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// An unfinished upload, which nobody can see.
    Upload {
        /// Its key.
        key: String,
        /// Its id.
        upload_id: String,
    },
    /// An object, or one version of it.
    Object {
        /// Its key.
        key: String,
        /// The version.
        version_id: Option<String>,
    },
}

/// A walk through the permissions of a destination.
#[derive(Debug)]
pub struct Probe<'a> {
    store: &'a S3Store,
    scope: &'a Scope,
    needs: &'a [(Permission, Need)],
    nonce: &'a str,
    key: String,
    abandoned_before: Timestamp,
    made: Mutex<Vec<Left>>,
    /// Whether an upload was asked for, whatever was answered.
    has_asked: AtomicBool,
}

impl<'a> Probe<'a> {
    /// Prepares a walk. `nonce` is what no other check has; uploads of other checks that were begun
    /// before `abandoned_before` are ended on the way. A store at the pace of a check keeps a silent
    /// service from keeping everybody waiting.
    pub fn new(
        store: &'a S3Store,
        scope: &'a Scope,
        needs: &'a [(Permission, Need)],
        nonce: &'a str,
        abandoned_before: Timestamp,
    ) -> Self {
        let key = scope.probe_key(nonce);
        let (made, has_asked) = (Mutex::default(), AtomicBool::new(false));
        Self { store, scope, needs, nonce, key, abandoned_before, made, has_asked }
    }

    /// Walks through all permissions, and tells each as soon as it is settled, as it will stand in
    /// what is returned. It may be dropped at any moment; [`clean_up`](Self::clean_up) has to be
    /// called afterwards in any case.
    ///
    /// # Errors
    /// When the service cannot be reached, does not speak S3, knows the bucket not, or does not
    /// accept who signs.
    pub async fn walk(&self, tell: &(dyn Fn(&Finding) + Sync)) -> Result<Checked, Error> {
        Ok(walk::walk(self, tell).await?)
    }

    /// Removes what the walk made. Returns what could not be removed.
    pub async fn clean_up(&self) -> Vec<Left> {
        let made = std::mem::take(&mut *self.made());
        let mut left = Vec::new();
        for thing in made {
            if self.remove(&thing).await.is_err() {
                left.push(thing);
            }
        }
        if !self.has_asked.load(Ordering::Relaxed) {
            return left;
        }
        // Uploads whose answer never came: they are at a key that is this walk's own.
        if let Ok(uploads) = self.store.list_all_uploads(&self.key).await {
            for upload in uploads {
                let thing = Left::Upload { key: upload.key, upload_id: upload.upload_id };
                if self.remove(&thing).await.is_err() && !left.contains(&thing) {
                    left.push(thing);
                }
            }
        }
        left
    }

    async fn remove(&self, thing: &Left) -> Result<(), Failure> {
        match thing {
            Left::Upload { key, upload_id } => {
                self.store.abort_once(&Target { key, upload_id }).await
            }
            Left::Object { key, version_id } => {
                self.delete(key, version_id.clone(), None).await.map(|_| ())
            }
        }
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Vec<Left>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn need(&self, permission: Permission) -> Option<Need> {
        self.needs.iter().find(|(wanted, _)| *wanted == permission).map(|(_, need)| *need)
    }

    /// Aborts the uploads that earlier checks had to leave.
    async fn sweep(&self) -> usize {
        let prefix = format!("{}{PROBE_NAME}", self.scope.start);
        let Ok(uploads) = self.store.list_all_uploads(&prefix).await else { return 0 };
        let mut swept = 0;
        let is_abandoned = |upload: &&OpenUpload| {
            upload.initiated.is_some_and(|initiated| initiated < self.abandoned_before)
        };
        for upload in uploads.iter().filter(is_abandoned) {
            let to = Target { key: &upload.key, upload_id: &upload.upload_id };
            swept += usize::from(self.store.abort_once(&to).await.is_ok());
        }
        swept
    }
}

/// Reads an answer to a request about something that is not there: whoever hears so was let pass.
///
/// # Errors
/// The failure itself when there was no answer, or when it is about something else than permission.
fn judge<T>(result: Result<T, Failure>) -> Result<(Verdict, Option<Answer>), Failure> {
    let failure = match result {
        Ok(_) => return Ok((Verdict::Granted, None)),
        Err(failure) => failure,
    };
    let Some(status) = failure.status else { return Err(failure) };
    let answer =
        Answer { status, code: failure.code.clone(), request_id: failure.request_id.clone() };
    let verdict = match &failure.fault {
        Fault::Denied => Verdict::Missing(None),
        Fault::NoUpload | Fault::ConditionFailed | Fault::Conflict => Verdict::Granted,
        Fault::Refused if is_about_what_is_asked(&failure) => Verdict::Granted,
        Fault::Refused => Verdict::CannotTell("the service refused the request for another reason"),
        Fault::Unsupported => Verdict::CannotTell("the service does not know this request"),
        Fault::Unavailable | Fault::Throttled => {
            Verdict::CannotTell("the service failed to answer")
        }
        _ => return Err(failure),
    };
    Ok((verdict, Some(answer)))
}

/// Tells whether a refusal is about the thing that is not there, or about what was asked for, and hence
/// comes from behind the permission.
fn is_about_what_is_asked(failure: &Failure) -> bool {
    failure.status == Some(404)
        || failure.code.as_deref().is_some_and(|code| {
            matches!(
                code,
                "InvalidPart"
                    | "InvalidPartOrder"
                    | "MalformedXML"
                    | "IllegalVersioningConfigurationException"
                    | "InvalidObjectState"
                    | "ObjectAlreadyInActiveTierError"
            )
        })
}
