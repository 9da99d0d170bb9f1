//! A store under test, and a way to read what is visible that is not the store's own.

use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_s3::Client;
use bytes::Bytes;
use delivery::Store;
use delivery::folder::FolderStore;
use delivery::store::{Completion, NewUpload, Part};
use plan::project::{Account, Addressing, Auth};
use plan::staged::{Condition, ObjectKind, StagedObject};
use s3lab::{Lab, Options};

pub(crate) const BUCKET: &str = "exports";

/// What a test works on.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) reader: Reader,
    /// Where its keys begin; differs from run to run on a server that stays.
    pub(crate) prefix: String,
    /// The smallest part that is not the last.
    pub(crate) part_bytes: usize,
}

/// Reads what everybody can see.
pub(crate) enum Reader {
    Folder(PathBuf),
    Bucket { client: Client, bucket: String },
}

impl Reader {
    pub(crate) async fn read(&self, key: &str) -> Option<Bytes> {
        match self {
            Self::Folder(root) => match std::fs::read(root.join(key)) {
                Ok(bytes) => Some(Bytes::from(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => panic!("{key}: {error}"),
            },
            Self::Bucket { client, bucket } => {
                match client.get_object().bucket(bucket).key(key).send().await {
                    Ok(object) => Some(object.body.collect().await.unwrap().into_bytes()),
                    Err(error)
                        if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) =>
                    {
                        None
                    }
                    Err(error) => panic!("{key}: {error:?}"),
                }
            }
        }
    }
}

impl Bench {
    /// A folder that lives as long as the returned guard.
    pub(crate) async fn folder() -> (tempfile::TempDir, Self) {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).await.unwrap();
        let reader = Reader::Folder(folder.path().to_owned());
        let bench =
            Self { store: Arc::new(store), reader, prefix: "day/".to_owned(), part_bytes: 5 };
        (folder, bench)
    }

    /// A bucket in a lab.
    pub(crate) async fn lab(options: Options) -> (Lab, Self) {
        let mut options = Options { part_bytes_min: 5, ..options };
        if options.buckets.is_empty() {
            options.buckets.push(BUCKET.into());
        }
        let lab = Lab::start(options).await.unwrap();
        let account = lab_account(&lab);
        let store = delivery::s3::connect(&account, BUCKET, None).await.unwrap();
        let reader =
            Reader::Bucket { client: delivery::s3::client(&account), bucket: BUCKET.to_owned() };
        let bench =
            Self { store: Arc::new(store), reader, prefix: "day/".to_owned(), part_bytes: 5 };
        (lab, bench)
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Opens an upload.
    pub(crate) async fn create(&self, name: &str, token: &str) -> String {
        let new = NewUpload {
            key: self.key(name),
            token: token.to_owned(),
            content_type: "text/csv".to_owned(),
            part_bytes: self.part_bytes as u64,
        };
        self.store.create_upload(&new).await.unwrap()
    }

    /// A body of so many whole parts and a byte more, different for each seed.
    pub(crate) fn body(&self, parts: usize, seed: u8) -> Bytes {
        (0..parts * self.part_bytes + 1).map(|index| (index % 251) as u8 ^ seed).collect()
    }

    /// Stages a body under an upload, its parts in reverse order.
    pub(crate) async fn put(
        &self,
        name: &str,
        token: &str,
        upload_id: String,
        body: &Bytes,
    ) -> StagedObject {
        let key = self.key(name);
        let pieces: Vec<Bytes> = body.chunks(self.part_bytes).map(Bytes::copy_from_slice).collect();
        let mut parts = Vec::new();
        for (index, piece) in pieces.iter().enumerate().rev() {
            let part = Part::new(index as u32 + 1, piece.clone());
            parts.push(self.store.put_part(&key, &upload_id, &part).await.unwrap());
        }
        parts.reverse();
        let is_checked = parts.iter().all(|part| part.crc64nvme.is_some());
        StagedObject {
            kind: ObjectKind::Data,
            number: 1,
            key,
            upload_id,
            token: token.to_owned(),
            parts,
            bytes: body.len() as u64,
            rows: 1,
            replaced: 0,
            sha256: String::new(),
            crc64nvme: is_checked.then(|| delivery::store::crc64_text(crc_fast::crc64_nvme(body))),
            condition: Condition::Absent,
        }
    }

    /// Stages a body under an upload of its own.
    pub(crate) async fn stage(
        &self,
        name: &str,
        token: &str,
        body: &Bytes,
        condition: Condition,
    ) -> StagedObject {
        let upload_id = self.create(name, token).await;
        StagedObject { condition, ..self.put(name, token, upload_id, body).await }
    }

    /// Completes an upload that must complete, and returns the ETag.
    pub(crate) async fn complete(&self, object: &StagedObject) -> String {
        match self.store.complete(object).await {
            Completion::Done { etag, .. } => etag,
            // Some services leave the ETag out of the answer: then looking tells.
            Completion::Unclear(_) => {
                let head = self.store.head(&object.key).await.unwrap();
                let head = head.unwrap_or_else(|| panic!("{} is not there", object.key));
                assert_eq!(head.token.as_deref(), Some(&*object.token), "{}", object.key);
                head.etag
            }
            other => panic!("{}: {other:?}", object.key),
        }
    }

    pub(crate) async fn read(&self, name: &str) -> Option<Bytes> {
        self.reader.read(&self.key(name)).await
    }
}

/// The account of a lab's first user.
pub(crate) fn lab_account(lab: &Lab) -> Account {
    let user = s3lab::User::default();
    account(lab.endpoint(), user.access_key_id, user.secret_access_key)
}

pub(crate) fn account(
    endpoint_url: String,
    access_key_id: String,
    secret_access_key: String,
) -> Account {
    Account {
        key: "lab".to_owned(),
        auth: Auth::AccessKey {
            access_key_id,
            secret_access_key: secret_access_key.into(),
            session_token: None,
        },
        region: None,
        endpoint_url: Some(endpoint_url),
        addressing: Addressing::Auto,
        service: None,
        ca_file: None,
    }
}
