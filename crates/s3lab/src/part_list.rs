//! The rules by which a list of parts becomes an object. Pure.
//!
//! Source: Amazon's reference of CompleteMultipartUpload and its user guide "Checking object integrity".

use s3s::{S3Result, s3_error};

use crate::checksum::{self, Algorithm, Checksum, Kind};
use crate::upload::{NamedPart, Part, Upload};

/// What a Complete request says about the whole object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// `x-amz-mp-object-size`.
    pub(crate) size: Option<u64>,
    /// `x-amz-checksum-type`.
    pub(crate) kind: Option<Kind>,
    /// `x-amz-checksum-*`.
    pub(crate) sums: Vec<(Algorithm, String)>,
}

/// Which rules hold here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) part_bytes_min: u64,
    pub(crate) check_etags: bool,
    pub(crate) check_sums: bool,
}

/// Chooses the parts that a request names, in their order, after every check that needs no other object.
pub(crate) fn choose<'u>(
    upload: &'u Upload,
    named: &[NamedPart],
    rules: Rules,
) -> S3Result<Vec<(i32, &'u Part)>> {
    if named.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    if !named.is_sorted_by(|a, b| a.number < b.number) || has_gaps(upload, named) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        ));
    }
    let mut chosen = Vec::new();
    for part in named {
        let found = upload.parts.get(&part.number).filter(|known| is_same(known, part, rules));
        chosen.push((part.number, found.ok_or_else(invalid_part)?));
    }
    if rules.check_sums {
        require_sums(upload, named)?;
    }
    let all_but_last = &chosen[..chosen.len() - 1];
    if all_but_last.iter().any(|(_, part)| part.size < rules.part_bytes_min) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    Ok(chosen)
}

/// With a CRC32, CRC32C, SHA-1 or SHA-256 on each part, part numbers must run from 1 without a gap.
fn has_gaps(upload: &Upload, named: &[NamedPart]) -> bool {
    let strict = upload.checksum.is_some_and(|(algorithm, _)| algorithm != Algorithm::Crc64nvme);
    strict && named.iter().zip(1..).any(|(part, number)| part.number != number)
}

fn invalid_part() -> s3s::S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
         specified entity tag may not match the part's entity tag."
    )
}

fn is_same(known: &Part, named: &NamedPart, rules: Rules) -> bool {
    let etag = !rules.check_etags || known.etag == named.etag;
    let sums = !rules.check_sums
        || named.sums.iter().all(|(algorithm, value)| known.sum(*algorithm) == Some(value));
    etag && sums
}

/// A composite checksum is made of values that the request must repeat.
fn require_sums(upload: &Upload, named: &[NamedPart]) -> S3Result<()> {
    let Some((algorithm, Kind::Composite)) = upload.checksum else { return Ok(()) };
    match named.iter().find(|part| part.sums.iter().all(|(given, _)| *given != algorithm)) {
        None => Ok(()),
        Some(part) => Err(s3_error!(
            InvalidRequest,
            "The upload was created using a {} checksum. The complete request must include the checksum for each \
             part. It was missing for part {} in the request.",
            algorithm.name().to_lowercase(),
            part.number
        )),
    }
}

/// Computes the checksum of the whole and compares it, and the size, with what the request declares.
pub(crate) fn verify(
    upload: &Upload,
    chosen: &[(i32, &Part)],
    declared: &Declared,
    rules: Rules,
) -> S3Result<Option<Checksum>> {
    let size: u64 = chosen.iter().map(|(_, part)| part.size).sum();
    if declared.size.is_some_and(|expected| expected != size) {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed."
        ));
    }
    if !rules.check_sums {
        return Ok(None);
    }
    let (algorithm, kind) = upload.checksum.unwrap_or((Algorithm::Crc64nvme, Kind::FullObject));
    if declared.kind.is_some_and(|expected| expected != kind) {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind.name()
        ));
    }
    let values: Vec<_> = chosen.iter().map(|(_, part)| (part.sum(algorithm), part.size)).collect();
    let computed = checksum::of_parts(algorithm, kind, &values);
    for (given, value) in &declared.sums {
        compare(*given, value, algorithm, computed.as_ref())?;
    }
    Ok(computed)
}

fn compare(
    given: Algorithm,
    value: &str,
    algorithm: Algorithm,
    computed: Option<&Checksum>,
) -> S3Result<()> {
    if given != algorithm {
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            algorithm.name().to_lowercase(),
            given.name().to_lowercase()
        ));
    }
    // A composite may be given with or without the number of parts.
    let equal =
        |whole: &str| whole == value || whole.split_once('-').is_some_and(|(sum, _)| sum == value);
    match computed {
        Some(checksum) if !equal(&checksum.value) => Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            given.name().to_lowercase()
        )),
        // Without computed values (a lab that does not hash) what is declared is believed.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::checksum::Digest;
    use crate::object::{Attributes, Tags};
    use crate::state::Place;
    use crate::store::Blob;

    const RULES: Rules = Rules { part_bytes_min: 3, check_etags: true, check_sums: true };

    fn upload(checksum: Option<(Algorithm, Kind)>, bodies: &[(i32, &str)]) -> Upload {
        let algorithm = checksum.map_or(Algorithm::Crc64nvme, |(algorithm, _)| algorithm);
        let part = |body: &str| {
            let digest = Digest::of(body.as_bytes(), &[algorithm], true);
            Part {
                blob: Blob::Discarded,
                size: digest.size,
                etag: format!("etag-{body}"),
                md5: digest.md5,
                sums: digest.sums,
                modified: UNIX_EPOCH,
            }
        };
        Upload {
            place: Place { bucket: "b".into(), key: "k".into() },
            initiated: UNIX_EPOCH,
            initiator: "me".into(),
            attributes: Attributes::default(),
            tags: Tags::new(),
            checksum,
            parts: bodies.iter().map(|(number, body)| (*number, part(body))).collect(),
        }
    }

    fn named(list: &[(i32, &str)]) -> Vec<NamedPart> {
        list.iter()
            .map(|(number, etag)| NamedPart { number: *number, etag: (*etag).into(), sums: vec![] })
            .collect()
    }

    fn code<T>(result: S3Result<T>) -> String {
        result.map_or_else(|e| e.code().as_str().to_owned(), |_| "ok".into())
    }

    #[test]
    fn part_rules() {
        let upload = upload(None, &[(1, "aaa"), (3, "bb"), (4, "cccc")]);
        for (list, expected) in [
            (&[(1, "etag-aaa"), (4, "etag-cccc")][..], "ok"),
            (&[(1, "etag-aaa"), (3, "etag-bb")], "ok"),
            (&[(3, "etag-bb")], "ok"),
            (&[(3, "etag-bb"), (4, "etag-cccc")], "EntityTooSmall"),
            (&[(4, "etag-cccc"), (1, "etag-aaa")], "InvalidPartOrder"),
            (&[(1, "etag-aaa"), (1, "etag-aaa")], "InvalidPartOrder"),
            (&[(1, "other")], "InvalidPart"),
            (&[(2, "etag-aaa")], "InvalidPart"),
            (&[], "MalformedXML"),
        ] {
            assert_eq!(code(choose(&upload, &named(list), RULES)), expected, "{list:?}");
        }
        let lenient = Rules { check_etags: false, ..RULES };
        assert_eq!(code(choose(&upload, &named(&[(1, "other")]), lenient)), "ok");
        assert_eq!(code(choose(&upload, &named(&[(2, "other")]), lenient)), "InvalidPart");
    }

    #[test]
    fn composite_uploads_repeat_their_part_sums() {
        let upload = upload(Some((Algorithm::Sha256, Kind::Composite)), &[(1, "aaa")]);
        let mut list = named(&[(1, "etag-aaa")]);
        assert_eq!(code(choose(&upload, &list, RULES)), "InvalidRequest");
        list[0].sums = vec![(Algorithm::Sha256, upload.parts[&1].sums[0].1.clone())];
        assert_eq!(code(choose(&upload, &list, RULES)), "ok");
        list[0].sums[0].1 = "AAAA".into();
        assert_eq!(code(choose(&upload, &list, RULES)), "InvalidPart");
    }

    #[test]
    fn whole_object_declarations() {
        let upload = upload(Some((Algorithm::Crc32, Kind::FullObject)), &[(1, "aaa"), (2, "b")]);
        let chosen = choose(&upload, &named(&[(1, "etag-aaa"), (2, "etag-b")]), RULES).unwrap();
        let whole = Digest::of(b"aaab", &[Algorithm::Crc32], false).sums[0].1.clone();
        let sum = |algorithm, value: &str| vec![(algorithm, value.to_owned())];
        let none = Declared::default;
        for (declared, expected) in [
            (none(), "ok"),
            (Declared { size: Some(4), ..none() }, "ok"),
            (Declared { size: Some(5), ..none() }, "InvalidRequest"),
            (Declared { kind: Some(Kind::FullObject), ..none() }, "ok"),
            (Declared { kind: Some(Kind::Composite), ..none() }, "InvalidRequest"),
            (Declared { sums: sum(Algorithm::Crc32, &whole), ..none() }, "ok"),
            (Declared { sums: sum(Algorithm::Crc32, "AAAAAA=="), ..none() }, "BadDigest"),
            (Declared { sums: sum(Algorithm::Sha1, "AAAA"), ..none() }, "InvalidRequest"),
        ] {
            assert_eq!(code(verify(&upload, &chosen, &declared, RULES)), expected, "{declared:?}");
        }
        let computed = verify(&upload, &chosen, &none(), RULES).unwrap().unwrap();
        assert_eq!(
            computed,
            Checksum { algorithm: Algorithm::Crc32, kind: Kind::FullObject, value: whole }
        );
    }
}
