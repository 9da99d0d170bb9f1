//! Conditions of requests: `If-Match`, `If-None-Match` and their dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

/// The condition under which a write takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    Always,
    /// `If-None-Match: *`: no object is there.
    Absent,
    /// `If-Match: *` of a deletion: an object is there.
    Present,
    /// `If-Match`: the object that is there has this ETag.
    Matches(String),
}

impl WriteCondition {
    /// Reads the two headers of a write. S3 knows only `*` for the one and only an ETag for the other.
    pub(crate) fn of(
        if_match: Option<&ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<Self> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::Always),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (Some(ETagCondition::ETag(etag)), None) => Ok(Self::Matches(etag.value().to_owned())),
            _ => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            )),
        }
    }

    /// Compares with the ETag of the object that is visible now.
    pub(crate) fn check(&self, current: Option<&str>) -> S3Result<()> {
        match (self, current) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Matches(etag), Some(current)) if etag == current => Ok(()),
            (Self::Matches(_), None) => {
                Err(s3_error!(NoSuchKey, "The specified key does not exist."))
            }
            (Self::Absent | Self::Matches(_), Some(_)) | (Self::Present, None) => Err(failed()),
        }
    }
}

fn failed() -> s3s::S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// The conditions of a read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadCondition {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// Compares with an object, in the order of RFC 9110 §13.2.2, which Amazon's reference repeats.
    pub(crate) fn check(&self, etag: &str, modified: SystemTime) -> S3Result<()> {
        let is = |condition: &ETagCondition| {
            condition.as_etag().is_none_or(|given| given.value() == etag)
        };
        let newer = |than: &Timestamp| whole_seconds(modified) > Timestamp::clone(than);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !is(condition) => return Err(failed()),
            (None, Some(date)) if newer(date) => return Err(failed()),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if is(condition) => Err(s3_error!(NotModified, "Not Modified")),
            (None, Some(date)) if !newer(date) => Err(s3_error!(NotModified, "Not Modified")),
            _ => Ok(()),
        }
    }
}

/// HTTP dates have no fractions.
fn whole_seconds(time: SystemTime) -> Timestamp {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use s3s::dto::ETag;

    use super::*;

    fn etag(value: &str) -> ETagCondition {
        ETagCondition::ETag(ETag::Strong(value.into()))
    }

    #[test]
    fn writes() {
        let any = ETagCondition::Any;
        let a = etag("a");
        for (if_match, if_none_match, current, expected) in [
            (None, None, Some("a"), "ok"),
            (None, Some(&any), None, "ok"),
            (None, Some(&any), Some("a"), "PreconditionFailed"),
            (Some(&a), None, Some("a"), "ok"),
            (Some(&a), None, Some("b"), "PreconditionFailed"),
            (Some(&a), None, None, "NoSuchKey"),
            (None, Some(&a), None, "NotImplemented"),
            (Some(&any), None, Some("a"), "NotImplemented"),
            (Some(&a), Some(&any), None, "NotImplemented"),
        ] {
            let seen = WriteCondition::of(if_match, if_none_match)
                .and_then(|condition| condition.check(current));
            let seen = seen.map_or_else(|e| e.code().as_str().to_owned(), |()| "ok".into());
            assert_eq!(seen, expected, "{if_match:?} {if_none_match:?} {current:?}");
        }
    }

    #[test]
    fn reads() {
        let modified = UNIX_EPOCH + Duration::from_millis(10_500);
        let at = |seconds| Some(Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds)));
        let none = ReadCondition::default;
        for (condition, expected) in [
            (none(), "ok"),
            (ReadCondition { if_match: Some(etag("a")), ..none() }, "ok"),
            (ReadCondition { if_match: Some(etag("b")), ..none() }, "PreconditionFailed"),
            (ReadCondition { if_none_match: Some(etag("a")), ..none() }, "NotModified"),
            (ReadCondition { if_none_match: Some(etag("b")), ..none() }, "ok"),
            (ReadCondition { if_modified_since: at(10), ..none() }, "NotModified"),
            (ReadCondition { if_modified_since: at(9), ..none() }, "ok"),
            (ReadCondition { if_unmodified_since: at(10), ..none() }, "ok"),
            (ReadCondition { if_unmodified_since: at(9), ..none() }, "PreconditionFailed"),
            (
                ReadCondition { if_match: Some(etag("a")), if_unmodified_since: at(9), ..none() },
                "ok",
            ),
            (
                ReadCondition {
                    if_none_match: Some(etag("b")),
                    if_modified_since: at(10),
                    ..none()
                },
                "ok",
            ),
        ] {
            let seen = condition
                .check("a", modified)
                .map_or_else(|e| e.code().as_str().to_owned(), |()| "ok".into());
            assert_eq!(seen, expected, "{condition:?}");
        }
    }
}
