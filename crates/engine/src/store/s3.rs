//! Objects of an S3 service, read through the S3 SDK so that accounts sign in here as they do for
//! delivery.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use plan::project::DatasetFormat;
use tokio::runtime::Handle;

use super::{INPUTS_MAX, Input, Version, nothing_found, too_many};
use crate::error::{Error, Kind};
use crate::location::Location;

/// How much is fetched ahead: a request takes as long as a few megabytes.
pub(super) const READ_AHEAD_BYTES: usize = 4 << 20;

/// The most objects that are kept of a listing: data files and deletion vectors of the largest table.
const LISTED_MAX: usize = 2 * INPUTS_MAX;
/// How many ranges of one object are asked for at once.
const REQUESTS_MAX: usize = 8;

/// How often a range is asked for when its bytes end early; the SDK repeats other failures itself.
const READ_ATTEMPTS: usize = 3;
/// The code of the error that is worth another attempt.
const CUT: &str = "input_cut";

/// Who reads the buckets of an account. Clones share what was learnt.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    client: Client,
    /// By bucket, where the service named another region than the account does.
    elsewhere: Arc<RwLock<BTreeMap<String, Client>>>,
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, elsewhere: Arc::default() }
    }

    fn of(&self, bucket: &str) -> Client {
        let elsewhere = self.elsewhere.read().unwrap_or_else(PoisonError::into_inner);
        elsewhere.get(bucket).unwrap_or(&self.client).clone()
    }

    /// Makes a client for the region that the service named, and keeps it for the bucket. `None` when
    /// the refused request was signed for that region already.
    fn moved(&self, refused: &Client, bucket: &str, region: String) -> Option<Client> {
        if refused.config().region().is_some_and(|current| current.as_ref() == region) {
            return None;
        }
        let config = refused.config().to_builder().region(Region::new(region));
        let client = Client::from_conf(config.build());
        let mut elsewhere = self.elsewhere.write().unwrap_or_else(PoisonError::into_inner);
        elsewhere.insert(bucket.to_owned(), client.clone());
        Some(client)
    }
}

/// A bucket and who reads it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    reader: Reader,
    name: String,
}

impl Bucket {
    pub(super) fn new(reader: Reader, name: String) -> Self {
        Self { reader, name }
    }

    /// Sends a request; once more when the answer names another region than it was signed for. No
    /// redirect is followed: only the region is taken from the answer, and no host.
    async fn ask<T, E, F>(&self, call: impl Fn(Client) -> F) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let client = self.reader.of(&self.name);
        // Boxed, or the types of all that waits for it would hold the whole of the SDK's.
        let error = match Box::pin(call(client.clone())).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let moved =
            region_of(&error).and_then(|region| self.reader.moved(&client, &self.name, region));
        match moved {
            Some(client) => Box::pin(call(client)).await,
            None => Err(error),
        }
    }

    /// Lists the objects of a location.
    pub(super) async fn list(
        &self,
        location: &Location,
        prefix: &str,
        format: DatasetFormat,
    ) -> Result<Vec<Input>, Error> {
        let is_meant = |key: &str| {
            let is_below = || prefix_is_folder(key, prefix);
            let takes = || location.takes(key[prefix.len()..].trim_start_matches('/'), format);
            (key == prefix || is_below() && takes()) && !key.ends_with('/')
        };
        let found = self.list_below(location, prefix, is_meant).await?;
        if found.len() > INPUTS_MAX {
            return Err(too_many(location));
        }
        if found.is_empty() { Err(nothing_found(location, format)) } else { Ok(found) }
    }

    /// Lists the objects whose keys begin with `prefix` and are meant.
    pub(super) async fn list_below(
        &self,
        location: &Location,
        prefix: &str,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<Vec<Input>, Error> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let send = |client: Client| {
                let request = client.list_objects_v2().bucket(&self.name).prefix(prefix);
                request.set_continuation_token(token.clone()).send()
            };
            let page = self.ask(send).await;
            let page = page.map_err(|error| failed(&location.text, "list the bucket", error))?;
            for object in page.contents() {
                let (Some(key), Some(etag)) = (object.key(), object.e_tag()) else { continue };
                if is_meant(key) {
                    found.push(self.pin(key, object.size().unwrap_or(0), etag));
                }
            }
            token = page.next_continuation_token().map(str::to_owned);
            // One more than are taken is enough to say that they are too many.
            if token.is_none() || found.len() > LISTED_MAX {
                return Ok(found);
            }
        }
    }

    fn pin(&self, key: &str, size: i64, etag: &str) -> Input {
        Input {
            location: format!("s3://{}/{key}", self.name),
            size: size.unsigned_abs(),
            version: Version::ETag(etag.to_owned()),
            rows: None,
        }
    }

    /// Checks that an object is still the pinned one.
    pub(super) async fn verify(&self, input: &Input) -> Result<(), Error> {
        let send =
            |client: Client| client.head_object().bucket(&self.name).key(self.key(input)).send();
        match self.ask(send).await {
            Ok(found) => {
                let same = found.e_tag() == Some(tag(input))
                    && found.content_length().map(i64::unsigned_abs) == Some(input.size);
                if same { Ok(()) } else { Err(input.changed()) }
            }
            Err(error) if status(&error) == Some(404) => Err(input.gone()),
            Err(error) => Err(failed(&input.location, "look at the object", error)),
        }
    }

    pub(super) fn open(&self, input: &Arc<Input>) -> OpenObject {
        OpenObject {
            bucket: self.clone(),
            key: self.key(input).to_owned(),
            input: Arc::clone(input),
            runtime: Handle::current(),
        }
    }

    fn key<'a>(&self, input: &'a Input) -> &'a str {
        // `s3://` + bucket + `/`
        &input.location["s3://".len() + self.name.len() + 1..]
    }
}

/// Whether a key lies below the prefix taken as a folder: `crm` means `crm/…`, not `crm2/…`.
fn prefix_is_folder(key: &str, prefix: &str) -> bool {
    prefix.is_empty() || prefix.ends_with('/') || key[prefix.len()..].starts_with('/')
}

fn tag(input: &Input) -> &str {
    match &input.version {
        Version::ETag(tag) => tag,
        Version::Modified { .. } | Version::Table { .. } | Version::Rows { .. } => "",
    }
}

/// A pinned object.
#[derive(Debug)]
pub(crate) struct OpenObject {
    bucket: Bucket,
    key: String,
    input: Arc<Input>,
    runtime: Handle,
}

impl OpenObject {
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        self.runtime.block_on(self.fetch_whole(offset, length))
    }

    /// Reads ranges, [`REQUESTS_MAX`] at once, and returns them in the order given.
    pub(super) fn read_several(&self, ranges: &[(u64, usize)]) -> Result<Vec<Bytes>, Error> {
        let fetches = ranges.iter().map(|&(offset, length)| self.fetch_whole(offset, length));
        let fetches = futures::stream::iter(fetches).buffered(REQUESTS_MAX);
        self.runtime.block_on(fetches.try_collect())
    }

    /// Fetches a range, again if its bytes end early.
    async fn fetch_whole(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let mut outcome = self.fetch(offset, length).await;
        for _ in 1..READ_ATTEMPTS {
            match &outcome {
                Err(error) if error.code() == CUT => outcome = self.fetch(offset, length).await,
                _ => break,
            }
        }
        outcome
    }

    /// Fetches a range of the pinned version; the service compares the entity tag.
    async fn fetch(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let last = offset + length as u64 - 1;
        let send = |client: Client| {
            client
                .get_object()
                .bucket(&self.bucket.name)
                .key(&self.key)
                .range(format!("bytes={offset}-{last}"))
                .if_match(tag(&self.input))
                .send()
        };
        let reply = match self.bucket.ask(send).await {
            Ok(reply) => reply,
            Err(error) if matches!(status(&error), Some(404 | 412 | 416)) => {
                return Err(self.input.changed());
            }
            Err(error) => return Err(failed(&self.input.location, "read the object", error)),
        };
        let cut = || {
            Error::new(Kind::Unavailable, CUT, "the object's bytes ended early")
                .in_file(&self.input.location)
        };
        let bytes = reply.body.collect().await.map_err(|_| cut())?.into_bytes();
        if bytes.len() == length { Ok(bytes) } else { Err(cut()) }
    }
}

/// The region that a refusal names.
fn region_of<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let raw = error.raw_response()?;
    if !matches!(raw.status().as_u16(), 301 | 307 | 400 | 403) {
        return None;
    }
    let header = raw.headers().get("x-amz-bucket-region");
    plan::region::named_by_answer(header, raw.body().bytes().unwrap_or_default())
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Turns a refusal of the service into what the user can do about it.
fn failed<E: ProvideErrorMetadata>(location: &str, action: &str, error: SdkError<E>) -> Error {
    let code = error.code().unwrap_or_default().to_owned();
    let (kind, word, hint) = match (code.as_str(), status(&error)) {
        ("NoSuchBucket", _) => (
            Kind::NotFound,
            "bucket_not_found",
            "Check the bucket's name and the account's endpoint.",
        ),
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken", _) => {
            (Kind::Denied, "credentials_refused", "Check the account's access key and secret.")
        }
        (
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
            _,
        )
        | (_, Some(301 | 307 | 308)) => (
            Kind::Invalid,
            "wrong_region",
            "No redirect is followed: set the account's `region`, or its `endpoint_url`, to the bucket's.",
        ),
        (_, Some(401 | 403)) => (
            Kind::Denied,
            "input_denied",
            "The account needs `s3:ListBucket` on the bucket and `s3:GetObject` on its objects.",
        ),
        (_, Some(404)) => (Kind::NotFound, "input_not_found", "Check the dataset's location."),
        (_, Some(400..=499)) => (Kind::Invalid, "input_refused", "Check the account's settings."),
        _ => (Kind::Unavailable, "input_unavailable", "Try again later."),
    };
    let reason = match (code.is_empty(), status(&error)) {
        (false, _) => format!(": the service answered {code}"),
        (true, Some(status)) => format!(": the service answered with status {status}"),
        (true, None) => ": no answer from the service".to_owned(),
    };
    Error::new(kind, word, format!("cannot {action}{reason}")).in_file(location).with_hint(hint)
}
