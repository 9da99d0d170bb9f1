//! What every request of a lab shares: options, store, users, state, and the numbers that make ids unique.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::SystemTime;

use s3s::crypto::{Checksum as _, Sha256};

use crate::access_log::AccessLog;
use crate::checksum::hex;
use crate::error::Error;
use crate::fault::Faults;
use crate::object::{Bucket, Stored, Tags, Versioning};
use crate::options::{BucketSpec, Options, User};
use crate::state::{NewVersion, State};
use crate::store::{Adopted, Store};

/// What every request of a lab shares.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) log: AccessLog,
    state: Mutex<State>,
    pub(crate) users: RwLock<Vec<User>>,
    counter: AtomicU64,
}

impl Shared {
    /// Makes the buckets that the options name and those that a folder has.
    pub(crate) fn new(
        options: Options,
        store: Store,
        adopted: Vec<Adopted>,
    ) -> Result<Self, Error> {
        let mut state = State::new(options.history_changes_max);
        if let Store::Folder(folder) = &store {
            for name in folder.buckets() {
                add_bucket(&mut state, &options, &store, &BucketSpec::from(name.as_str()))?;
            }
        }
        for spec in &options.buckets {
            add_bucket(&mut state, &options, &store, spec)?;
        }
        for found in adopted {
            state.adopt(&found.bucket, found.key, found.version);
        }
        Ok(Self {
            faults: Faults::new(),
            log: AccessLog::new(options.log_entries_max),
            state: Mutex::new(state),
            users: RwLock::new(options.users.clone()),
            counter: AtomicU64::new(0),
            options,
            store,
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.options.clock.now()
    }

    /// Returns 64 hexadecimal digits that this lab never returned before.
    pub(crate) fn unique(&self, what: &str) -> String {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        hex(&Sha256::checksum(format!("{what} {number} {:?}", self.now()).as_bytes()))
    }

    pub(crate) fn user(&self, access_key_id: &str) -> Option<User> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        users.iter().find(|user| user.access_key_id == access_key_id).cloned()
    }

    /// Tells whether a new object is written with everything that is demanded of a user.
    pub(crate) fn meets_demands<'a>(
        &self,
        access_key_id: &str,
        header: &dyn Fn(&str) -> Option<&'a str>,
    ) -> bool {
        self.user(access_key_id).is_some_and(|user| {
            user.policy.demands.iter().all(|(name, value)| header(name) == Some(value))
        })
    }

    /// Adds a user with a key that nobody has yet.
    pub(crate) fn add_user(&self, user: User) {
        self.users.write().unwrap_or_else(PoisonError::into_inner).push(user);
    }

    /// Tells whether a user may do something to `bucket` or `bucket/key`.
    pub(crate) fn permits(&self, access_key_id: &str, action: &str, resource: &str) -> bool {
        self.user(access_key_id).is_some_and(|user| user.policy.permits(action, resource))
    }
}

fn add_bucket(
    state: &mut State,
    options: &Options,
    store: &Store,
    spec: &BucketSpec,
) -> Result<(), Error> {
    if !s3s::path::check_bucket_name(&spec.name) {
        return Err(Error::BucketName { name: spec.name.clone() });
    }
    if let Store::Folder(folder) = store {
        let path = spec.name.clone().into();
        folder.create_bucket(&spec.name).map_err(|source| Error::Folder { path, source })?;
    }
    let bucket = Bucket {
        created: options.clock.now(),
        region: spec.region.clone().unwrap_or_else(|| options.region.clone()),
        versioning: if spec.versioned { Versioning::Enabled } else { Versioning::Never },
        retention: spec.retention.filter(|_| spec.versioned),
        keys: BTreeMap::new(),
    };
    state.buckets.insert(spec.name.clone(), bucket);
    Ok(())
}

/// Makes a version of content that is stored already.
pub(crate) fn new_version(shared: &Shared, stored: Stored, tags: Tags) -> NewVersion {
    NewVersion {
        id: shared.unique("version")[..32].to_owned(),
        at: shared.now(),
        content: Some(Arc::new(stored)),
        tags,
    }
}
