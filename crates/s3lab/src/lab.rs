//! The service as its owner sees it: started, looked into, changed behind its clients' backs, and stopped.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access_log::Entry;
use crate::error::Error;
use crate::fault::Faults;
use crate::front::Front;
use crate::gate::Gate;
use crate::history::Change;
use crate::host::{self, Hosts};
use crate::iam::Policy;
use crate::listen::accept;
use crate::object::{Attributes, Bucket, Stored, Version};
use crate::options::{Options, User};
use crate::service::Service;
use crate::shared::Shared;
use crate::state::Place;
use crate::store::Store;
use crate::sts::Sts;
use crate::upload::Upload;

/// A running S3 service on a loopback port of its own. It stops when it is dropped.
pub struct Lab {
    front: Front,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

/// An object as it is visible now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The body; empty in a lab that discards bodies.
    pub bytes: Bytes,
    /// How many bytes it has.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// User metadata, names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// As the writer gave it.
    pub content_type: Option<String>,
    /// As the writer gave it.
    pub content_encoding: Option<String>,
    /// As the writer gave it; `None` for STANDARD.
    pub storage_class: Option<String>,
    /// As the writer gave it: `AES256`, `aws:kms` or nothing.
    pub server_side_encryption: Option<String>,
    /// As the writer gave it.
    pub kms_key_id: Option<String>,
    /// Tag names and values.
    pub tags: Vec<(String, String)>,
    /// The checksum that is kept: algorithm, kind and value, as in `CRC64NVME`, `FULL_OBJECT`, base64.
    pub checksum: Option<(String, String, String)>,
    /// `None` in a bucket without versions.
    pub version_id: Option<String>,
    /// When it was written, by the lab's clock.
    pub last_modified: SystemTime,
}

/// An upload in parts that was neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// Its key.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it began, by the lab's clock.
    pub initiated: SystemTime,
    /// The numbers and sizes of the parts that are there.
    pub parts: Vec<(i32, u64)>,
}

impl Lab {
    /// Starts a service on a free port of 127.0.0.1. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the port or the folder cannot be opened, or a bucket has no valid name.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (store, adopted) = Store::open(&options.backend)?;
        let shared = Arc::new(Shared::new(options, store, adopted)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let front = Front { service: protocol(&shared), shared };
        let (stop, stopping) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, front.clone(), stopping));
        Ok(Self { front, address, stop, accepting: Some(accepting) })
    }

    /// Returns the endpoint for path-style clients, such as `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the endpoint for clients that put the bucket into the host, such as
    /// `http://s3.localhost:40123`. Their resolver has to know that names below `localhost` are this machine.
    pub fn domain_endpoint(&self) -> String {
        format!("http://{}:{}", host::DOMAIN, self.address.port())
    }

    /// Returns the address that the lab listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the lab's region.
    pub fn region(&self) -> &str {
        &self.shared().options.region
    }

    /// Returns the faults, to add to and take from.
    pub fn faults(&self) -> &Faults {
        &self.shared().faults
    }

    /// Returns the requests that were answered, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        self.shared().log.all()
    }

    /// Forgets the requests that were answered.
    pub fn clear_log(&self) {
        self.shared().log.clear();
    }

    /// Returns everything that ever became visible, oldest first.
    pub fn history(&self) -> Vec<Change> {
        self.shared().state().history.all()
    }

    /// Forgets a user, as when a key is deleted.
    pub fn remove_user(&self, access_key_id: &str) {
        let mut users = self.shared().users.write().unwrap_or_else(PoisonError::into_inner);
        users.retain(|user| user.access_key_id != access_key_id);
    }

    /// Replaces what a user may do, from the next request on. Tells whether there is such a user.
    pub fn set_policy(&self, access_key_id: &str, policy: Policy) -> bool {
        let mut users = self.shared().users.write().unwrap_or_else(PoisonError::into_inner);
        let user = users.iter_mut().find(|user| user.access_key_id == access_key_id);
        user.map(|user| user.policy = policy).is_some()
    }

    /// Adds a user, or replaces the one with the same access key id.
    pub fn set_user(&self, user: User) {
        let mut users = self.shared().users.write().unwrap_or_else(PoisonError::into_inner);
        users.retain(|known| known.access_key_id != user.access_key_id);
        users.push(user);
    }

    /// Ends all temporary credentials that were given out by [`Role`](crate::Role)s, before their time.
    pub fn end_sessions(&self) {
        let now = self.shared().now();
        let mut users = self.shared().users.write().unwrap_or_else(PoisonError::into_inner);
        users.iter_mut().filter(|user| user.expires.is_some()).for_each(|user| {
            user.expires = Some(now);
        });
    }

    /// Returns the object that is visible now.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Object> {
        let state = self.shared().state();
        let bucket = state.buckets.get(bucket)?;
        let (version, stored) = bucket.visible(key)?;
        Some(shown(bucket.shown_id(version), version, stored))
    }

    /// Returns the visible keys of a bucket in order; none if there is no such bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let state = self.shared().state();
        let keys = state.buckets.get(bucket).into_iter().flat_map(Bucket::visible_keys);
        keys.map(|(key, _)| key.to_owned()).collect()
    }

    /// Returns the uploads of a bucket that were neither completed nor aborted, by key.
    pub fn open_uploads(&self, bucket: &str) -> Vec<OpenUpload> {
        let state = self.shared().state();
        let uploads = state.uploads.of_bucket(bucket).into_iter();
        let shown = uploads.map(|(id, upload)| OpenUpload {
            key: upload.place.key.clone(),
            upload_id: id.to_owned(),
            initiated: upload.initiated,
            parts: upload.parts.iter().map(|(number, part)| (*number, part.size)).collect(),
        });
        shown.collect()
    }

    /// Writes an object without a request, as a stranger would. Returns its ETag.
    ///
    /// # Errors
    /// When there is no such bucket, or the folder cannot be written.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<String, Error> {
        let place = Place { bucket: bucket.to_owned(), key: key.to_owned() };
        crate::service::put_directly(self.shared(), &place, bytes.into()).await.map_err(Error::from)
    }

    /// Opens an upload without a request: as one does that arrives when nobody waits for its answer any
    /// more. Returns its id.
    pub fn open_upload(&self, bucket: &str, key: &str) -> String {
        let initiated = self.shared().now();
        let unique = self.shared().unique("upload");
        let mut state = self.shared().state();
        let id = format!("{:012}-{}", state.uploads.next_number(), &unique[..32]);
        let upload = Upload {
            place: Place { bucket: bucket.to_owned(), key: key.to_owned() },
            initiated,
            initiator: String::new(),
            attributes: Attributes::default(),
            tags: Vec::new(),
            checksum: None,
            parts: Default::default(),
        };
        state.uploads.begin(id.clone(), upload);
        id
    }

    /// Deletes an object without a request, as a stranger would.
    ///
    /// # Errors
    /// When there is no such bucket, or the folder cannot be written.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        let place = Place { bucket: bucket.to_owned(), key: key.to_owned() };
        let (at, id) = (self.shared().now(), self.shared().unique("version"));
        self.shared().state().delete(&self.shared().store, &place, at, id)?;
        Ok(())
    }

    /// Lets every copy of an archived object arrive that was asked for.
    pub fn finish_restores(&self) {
        let now = self.shared().now();
        self.shared().state().archive.finish(now);
    }

    /// Ends an upload as a lifecycle rule does. Tells whether it was open.
    pub fn drop_upload(&self, upload_id: &str) -> bool {
        self.shared().state().uploads.remove(upload_id)
    }

    /// Serves the requests that [`Action::HoldDuplicate`](crate::Action::HoldDuplicate) kept, in their order.
    /// Returns the status and the S3 error code of each.
    pub async fn deliver_held(&self) -> Vec<(u16, Option<String>)> {
        let mut answers = Vec::new();
        for held in self.shared().faults.take_held() {
            answers.push(self.front.replay(held).await);
        }
        answers
    }

    /// Stops, and waits until the last connection is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // It ends by itself; that it could be cancelled is the runtime's business.
            let _ = accepting.await;
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.front.shared
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Sets up the protocol layer. Its own check of the time is made void: it asks the machine, ours asks the lab.
fn protocol(shared: &Arc<Shared>) -> s3s::service::S3Service {
    let mut config = S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut builder = S3ServiceBuilder::new(Service(Arc::clone(shared)));
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(Gate(Arc::clone(shared)));
    builder.set_access(Gate(Arc::clone(shared)));
    builder.set_host(Hosts);
    builder.set_route(Sts(Arc::clone(shared)));
    builder.build()
}

fn shown(version_id: Option<String>, version: &Version, stored: &Stored) -> Object {
    let Attributes {
        content_type,
        content_encoding,
        metadata,
        storage_class,
        encryption,
        kms_key_id,
        ..
    } = stored.attributes.clone();
    let checksum = stored.checksum.as_ref();
    Object {
        // A file that somebody removed behind the lab's back reads as empty; its size tells.
        bytes: stored.blob.bytes().map(Bytes::from).unwrap_or_default(),
        size: stored.size,
        etag: stored.etag.clone(),
        metadata,
        content_type,
        content_encoding,
        storage_class,
        server_side_encryption: encryption,
        kms_key_id,
        tags: version.tags.clone(),
        checksum: checksum
            .map(|c| (c.algorithm.name().into(), c.kind.name().into(), c.value.clone())),
        version_id,
        last_modified: version.modified,
    }
}
