//! Lists of uploads under way and of their parts.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::attributes;
use super::checksums::set_sum;
use super::listings::{Marker, Naming, as_count, owner, page_limit};
use crate::listing::{Query, page};
use crate::shared::Shared;
use crate::state::{Place, no_such_key};

pub(super) async fn uploads(
    shared: &Arc<Shared>,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let naming = Naming::of(input.encoding_type.as_ref())?;
    let max_uploads = page_limit("max-uploads", input.max_uploads)?;
    let marker = Marker {
        key: input.key_marker.as_deref().unwrap_or_default(),
        id: input.upload_id_marker.as_deref(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
    };
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: marker.delimiter,
        after: "",
        max: as_count(max_uploads),
    };
    let state = shared.state();
    state.bucket(&input.bucket)?;
    let open = state.uploads.of_bucket(&input.bucket);
    let items = open.iter().map(|(id, upload)| (upload.place.key.as_str(), (*id, *upload))).filter(
        |(key, (id, _))| {
            let behind = *key == marker.key && marker.id.is_none_or(|marker| *id <= marker);
            !(marker.covers(key) || behind)
        },
    );
    let page = page(items, &query);
    let last = page.last.as_deref().filter(|_| page.truncated);
    let last_item = page.items.last().filter(|(_, upload)| Some(upload.place.key.as_str()) == last);
    let uploads = page.items.iter().map(|(id, upload)| MultipartUpload {
        key: Some(naming.name(&upload.place.key)),
        upload_id: Some((*id).to_owned()),
        initiated: Some(Timestamp::from(upload.initiated)),
        initiator: Some(Initiator { display_name: None, id: Some(upload.initiator.clone()) }),
        owner: Some(owner(shared)),
        storage_class: Some(attributes::storage_class(&upload.attributes).into()),
        checksum_algorithm: upload.checksum.map(|(a, _)| ChecksumAlgorithm::from_static(a.name())),
        checksum_type: upload.checksum.map(|(_, kind)| ChecksumType::from_static(kind.name())),
    });
    let output = ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        common_prefixes: Some(naming.prefixes(&page.common_prefixes)),
        is_truncated: Some(page.truncated),
        next_key_marker: naming.given(last),
        next_upload_id_marker: last_item.map(|(id, _)| (*id).to_owned()),
        prefix: Some(naming.name(query.prefix)),
        delimiter: naming.given(Some(query.delimiter)),
        key_marker: Some(naming.name(marker.key)),
        upload_id_marker: input.upload_id_marker.clone(),
        bucket: Some(input.bucket.clone()),
        max_uploads: Some(max_uploads),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn parts(
    shared: &Arc<Shared>,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let max_parts = page_limit("max-parts", input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or_default();
    let place = Place { bucket: input.bucket, key: input.key };
    let state = shared.state();
    state.bucket(&place.bucket)?;
    let upload = match state.uploads.get(&input.upload_id, &place) {
        Err(_) if shared.options.dialect.bare_completions => return Err(no_such_key()),
        found => found?,
    };
    let mut rest = upload.parts.iter().filter(|(number, _)| **number > marker);
    let page: Vec<_> = rest.by_ref().take(as_count(max_parts)).collect();
    let truncated = max_parts > 0 && rest.next().is_some();
    let parts = page.iter().map(|(number, part)| {
        let mut shown = Part {
            part_number: Some(**number),
            size: i64::try_from(part.size).ok(),
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(Timestamp::from(part.modified)),
            ..Default::default()
        };
        let declared =
            upload.checksum.and_then(|(algorithm, _)| Some((algorithm, part.sum(algorithm)?)));
        if let Some((algorithm, value)) = declared {
            set_sum!(shown, algorithm, value.to_owned());
        }
        shown
    });
    let output = ListPartsOutput {
        parts: Some(parts.collect()),
        is_truncated: Some(truncated),
        next_part_number_marker: page.last().map(|(number, _)| **number),
        part_number_marker: Some(marker),
        max_parts: Some(max_parts),
        upload_id: Some(input.upload_id),
        storage_class: Some(attributes::storage_class(&upload.attributes).into()),
        checksum_algorithm: upload.checksum.map(|(a, _)| ChecksumAlgorithm::from_static(a.name())),
        checksum_type: upload.checksum.map(|(_, kind)| ChecksumType::from_static(kind.name())),
        initiator: Some(Initiator { display_name: None, id: Some(upload.initiator.clone()) }),
        owner: Some(owner(shared)),
        bucket: Some(place.bucket.clone()),
        key: Some(place.key.clone()),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}
