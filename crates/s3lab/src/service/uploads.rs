//! Uploads in parts: begun, filled, completed, aborted.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use super::buckets::check_digest;
use super::caller;
use super::checksums::{given_sums, set_checksum, set_sum};
use super::objects::{care, etag, race};
use crate::body::{self, Received};
use crate::checksum::{Algorithm, Kind, multipart_etag};
use crate::condition::WriteCondition;
use crate::gate::denied;
use crate::object::{Attributes, Stored, StoredPart, Tags};
use crate::options::SecondComplete;
use crate::part_list::{self, Declared, Rules};
use crate::shared::{Shared, new_version};
use crate::state::{Place, State};
use crate::store::Blob;
use crate::upload::{Completed, NamedPart, PART_NUMBERS, Part as Kept, Upload, no_such_upload};

pub(super) async fn create(
    shared: &Arc<Shared>,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let initiator = caller(&request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: input.bucket, key: input.key };
    let mut attributes = attributes::read(&headers, input.metadata.as_ref())?;
    let dialect = &shared.options.dialect;
    if dialect.ignores_encryption {
        (attributes.encryption, attributes.kms_key_id) = (None, None);
    }
    let server_side_encryption =
        shown_encryption(shared, &attributes).filter(|_| !dialect.encryption_said_with_parts);
    let ssekms_key_id = attributes.kms_key_id.clone();
    let checksum = checksum_of(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let checksum = checksum.filter(|_| !shared.options.dialect.no_checksums);
    let checksum =
        checksum.map(|(algorithm, kind)| match shared.options.dialect.composite_checksums {
            true => (algorithm, Kind::Composite),
            false => (algorithm, kind),
        });
    let tags = attributes::read_tags(input.tagging.as_deref())?;
    // The ids grow, so that a list by id is also a list by time.
    let initiated = shared.now();
    let mut state = shared.state();
    state.bucket(&place.bucket)?;
    let upload_id =
        format!("{:012}-{}", state.uploads.next_number(), &shared.unique("upload")[..32]);
    let upload = Upload {
        place: place.clone(),
        initiated,
        initiator,
        attributes,
        tags,
        checksum,
        parts: Default::default(),
    };
    state.uploads.begin(upload_id.clone(), upload);
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(place.bucket),
        key: Some(place.key),
        upload_id: Some(upload_id),
        checksum_algorithm: checksum
            .map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: checksum.map(|(_, kind)| ChecksumType::from_static(kind.name())),
        server_side_encryption,
        ssekms_key_id,
        ..Default::default()
    }))
}

/// How the parts of an upload are encrypted, as this service says it.
fn shown_encryption(shared: &Shared, attributes: &Attributes) -> Option<ServerSideEncryption> {
    attributes::encryption(attributes).filter(|_| !shared.options.dialect.ignores_encryption)
}

fn checksum_of(
    algorithm: Option<&ChecksumAlgorithm>,
    kind: Option<&ChecksumType>,
) -> S3Result<Option<(Algorithm, Kind)>> {
    let Some(name) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )),
        };
    };
    let Some(algorithm) = Algorithm::from_name(name.as_str()) else {
        return Err(s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
             CRC32C, CRC64NVME, SHA1, SHA256]"
        ));
    };
    let kind = match kind {
        None => algorithm.default_kind(),
        Some(kind) => Kind::from_name(kind.as_str())
            .filter(|kind| algorithm.allows(*kind))
            .ok_or_else(|| wrong_kind(kind, algorithm))?,
    };
    Ok(Some((algorithm, kind)))
}

fn wrong_kind(kind: &ChecksumType, algorithm: Algorithm) -> S3Error {
    s3_error!(
        InvalidRequest,
        "The {} checksum type cannot be used with the {} checksum algorithm.",
        kind.as_str(),
        algorithm.name().to_lowercase()
    )
}

pub(super) async fn part(
    shared: &Arc<Shared>,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let S3Request { input, headers, trailing_headers, .. } = request;
    let place = Place { bucket: input.bucket, key: input.key };
    if !PART_NUMBERS.contains(&input.part_number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    check_digest(shared, &place.bucket, &headers)?;
    let declared = body::Declared::of(&headers)?;
    let care = care(shared);
    let wanted = {
        let state = shared.state();
        state.bucket(&place.bucket)?;
        let checksum = state.uploads.get(&input.upload_id, &place)?.checksum;
        if care.verify {
            check_algorithm(checksum, declared.algorithm())?;
        }
        checksum.map_or(Algorithm::Crc64nvme, |(algorithm, _)| algorithm)
    };
    let body = input.body.ok_or_else(|| s3_error!(MissingRequestBodyError))?;
    let received =
        body::receive(&shared.store, body, &declared, trailing_headers.as_ref(), care, &[wanted])
            .await?;
    let shown = received.declared.as_ref().map(|(algorithm, _)| *algorithm);
    let kept = kept_part(shared, received);
    let mut state = shared.state();
    let upload = state.uploads.get_mut(&input.upload_id, &place)?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(kept.etag.clone())),
        server_side_encryption: shown_encryption(shared, &upload.attributes),
        ssekms_key_id: upload.attributes.kms_key_id.clone(),
        ..Default::default()
    };
    let shown = shown.or(upload.checksum.map(|(algorithm, _)| algorithm));
    if let Some((algorithm, value)) =
        shown.and_then(|algorithm| Some((algorithm, kept.sum(algorithm)?)))
    {
        set_sum!(output, algorithm, value.to_owned());
    }
    upload.parts.insert(input.part_number, kept);
    Ok(S3Response::new(output))
}

fn kept_part(shared: &Shared, received: Received) -> Kept {
    let mut sums = received.digest.sums.clone();
    if let Some((algorithm, value)) = &received.declared
        && received.digest.value(*algorithm).is_none()
    {
        // A lab that does not hash believes what is declared.
        sums.push((*algorithm, value.clone()));
    }
    Kept {
        blob: received.blob,
        size: received.digest.size,
        etag: etag(shared, received.digest.md5),
        md5: received.digest.md5,
        sums,
        modified: shared.now(),
    }
}

/// A part must carry the checksum that its upload declared, and no other.
///
/// Amazon's reference of UploadPart says so; seen of the service are refusals of such a part here, with this
/// message, and of the Complete that follows it. Refusing here is the earlier of the two.
fn check_algorithm(upload: Option<(Algorithm, Kind)>, part: Option<Algorithm>) -> S3Result<()> {
    let expected = upload.map(|(algorithm, _)| algorithm);
    let fits = match (upload, part) {
        (None, None | Some(Algorithm::Crc64nvme)) | (Some((_, Kind::FullObject)), None) => true,
        (_, part) => part == expected && part.is_some(),
    };
    if fits {
        return Ok(());
    }
    let name = |algorithm: Option<Algorithm>| {
        algorithm.map_or("null".to_owned(), |a| a.name().to_lowercase())
    };
    Err(s3_error!(
        InvalidRequest,
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        name(expected),
        name(part)
    ))
}

pub(super) async fn abort(
    shared: &Arc<Shared>,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let mut state = shared.state();
    state.bucket(&place.bucket)?;
    state.uploads.get(&input.upload_id, &place)?;
    state.uploads.remove(&input.upload_id);
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn complete(
    shared: &Arc<Shared>,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let condition = WriteCondition::of(input.if_match.as_ref(), input.if_none_match.as_ref());
    let condition =
        if shared.options.dialect.no_conditionals { WriteCondition::Always } else { condition? };
    let named = named_parts(input.multipart_upload.as_ref())?;
    let declared = Declared {
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        kind: input.checksum_type.as_ref().and_then(|kind| Kind::from_name(kind.as_str())),
        sums: given_sums!(input),
    };
    let upload_id = input.upload_id;
    if let Some(done) = completed_before(shared, &shared.state(), &place, &upload_id, &named)? {
        return Ok(S3Response::new(answer(done)));
    }
    let Assembly { blobs, mut stored, tags } =
        assemble(shared, &place, &upload_id, &named, &declared)?;
    stored.blob = shared.store.join(blobs).await.map_err(S3Error::internal_error)?;
    let condition = race(shared, &place, condition).await?;
    let version = new_version(shared, stored, tags);
    let mut state = shared.state();
    // Another Complete, an Abort or a part may have come while the parts were joined.
    if let Some(done) = completed_before(shared, &state, &place, &upload_id, &named)? {
        return Ok(S3Response::new(answer(done)));
    }
    part_list::choose(state.uploads.get(&upload_id, &place)?, &named, rules(shared))?;
    state.check(&place, &condition)?;
    let content = version.content.clone().expect("an assembled version has content");
    let version_id = state.add(&shared.store, &place, version)?;
    let done = Completed {
        place,
        named,
        etag: content.etag.clone(),
        checksum: content.checksum.clone(),
        version_id,
    };
    state.uploads.complete(&upload_id, done.clone());
    let mut first = answer(done);
    if shared.options.dialect.bare_completions {
        first.e_tag = None;
    }
    Ok(S3Response::new(first))
}

/// What a Complete makes of its parts.
struct Assembly {
    blobs: Vec<Blob>,
    /// Its blob is still to be joined.
    stored: Stored,
    tags: Tags,
}

fn assemble(
    shared: &Shared,
    place: &Place,
    upload_id: &str,
    named: &[NamedPart],
    declared: &Declared,
) -> S3Result<Assembly> {
    let state = shared.state();
    let upload = state.uploads.get(upload_id, place)?;
    let chosen = part_list::choose(upload, named, rules(shared))?;
    let checksum = part_list::verify(upload, &chosen, declared, rules(shared))?;
    let algorithm = checksum.as_ref().map(|checksum| checksum.algorithm);
    let parts = chosen.iter().map(|(number, part)| StoredPart {
        number: *number,
        size: part.size,
        checksum: algorithm.and_then(|algorithm| part.sum(algorithm)).map(str::to_owned),
    });
    let md5s: Option<Vec<[u8; 16]>> = chosen.iter().map(|(_, part)| part.md5).collect();
    let stored = Stored {
        blob: Blob::Discarded,
        size: chosen.iter().map(|(_, part)| part.size).sum(),
        etag: match md5s.filter(|_| !shared.options.dialect.opaque_etags) {
            Some(md5s) => multipart_etag(&md5s),
            None => format!("{}-{}", etag(shared, None), chosen.len()),
        },
        checksum,
        parts: parts.collect(),
        attributes: upload.attributes.clone(),
    };
    let blobs = chosen.iter().map(|(_, part)| part.blob.clone()).collect();
    Ok(Assembly { blobs, stored, tags: upload.tags.clone() })
}

fn rules(shared: &Shared) -> Rules {
    let dialect = &shared.options.dialect;
    Rules {
        part_bytes_min: shared.options.part_bytes_min,
        check_etags: !dialect.part_etags_unchecked,
        check_sums: !dialect.no_checksums && shared.options.hash_bodies,
    }
}

fn named_parts(list: Option<&CompletedMultipartUpload>) -> S3Result<Vec<NamedPart>> {
    let parts = list.and_then(|list| list.parts.as_ref()).map(Vec::as_slice).unwrap_or_default();
    let named = parts.iter().map(|part| {
        Some(NamedPart {
            number: part.part_number?,
            etag: part.e_tag.as_ref()?.value().to_owned(),
            sums: given_sums!(part),
        })
    });
    named.collect::<Option<_>>().ok_or_else(|| {
        s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        )
    })
}

/// Returns the result of an earlier Complete of the same upload, as the dialect answers it.
///
/// Amazon documents that a repeated request gets the first result; with another list of parts it is no repeat.
fn completed_before(
    shared: &Shared,
    state: &State,
    place: &Place,
    upload_id: &str,
    named: &[NamedPart],
) -> S3Result<Option<Completed>> {
    state.bucket(&place.bucket)?;
    let Some(done) = state.uploads.completed(upload_id, place) else { return Ok(None) };
    match shared.options.dialect.second_complete {
        SecondComplete::Same if done.named == named => Ok(Some(done.clone())),
        SecondComplete::Same | SecondComplete::NotFound => Err(no_such_upload()),
        SecondComplete::Denied => Err(denied()),
    }
}

fn answer(done: Completed) -> CompleteMultipartUploadOutput {
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", done.place.bucket, done.place.key)),
        bucket: Some(done.place.bucket),
        key: Some(done.place.key),
        e_tag: Some(ETag::Strong(done.etag)),
        version_id: done.version_id,
        ..Default::default()
    };
    set_checksum!(output, &done.checksum);
    output
}
