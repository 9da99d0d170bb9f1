//! What is checked of a signature before its digest: version, time, region, key and token.
//!
//! The protocol layer computes and compares the digest; it knows neither the lab's clock nor its regions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Uri};

use crate::answer::Refusal;
use crate::operation::percent_decode;
use crate::options::User;

/// What a request says about who signed it, and for where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    /// The service that it is signed for: `s3`, `sts`, `iam`.
    pub(crate) service: String,
    /// `x-amz-date`, as it was written.
    date: Option<String>,
    token: Option<String>,
}

/// What a claim is checked against.
pub(crate) struct Expected<'a> {
    pub(crate) now: SystemTime,
    pub(crate) skew_max: Duration,
    /// The lab's region.
    pub(crate) region: &'a str,
    /// The region of the bucket that is asked for.
    pub(crate) bucket_region: Option<&'a str>,
    /// The user with the claimed key.
    pub(crate) user: Option<&'a User>,
}

impl Claim {
    /// Reads the header or the query of a request; `None` if it is anonymous.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let query = |name: &str| query_value(uri.query().unwrap_or_default(), name);
        if let Some(authorization) = header("authorization") {
            let Some(rest) = authorization.strip_prefix("AWS4-HMAC-SHA256") else {
                return Err(old_mechanism());
            };
            let credential =
                rest.split([' ', ',']).find_map(|field| field.trim().strip_prefix("Credential="));
            let date = header("x-amz-date");
            return scope(credential.unwrap_or_default(), date, header("x-amz-security-token"))
                .map(Some);
        }
        if let Some(credential) = query("X-Amz-Credential") {
            return scope(&credential, query("X-Amz-Date"), query("X-Amz-Security-Token"))
                .map(Some);
        }
        if query("Signature").is_some() && query("AWSAccessKeyId").is_some() {
            return Err(old_mechanism());
        }
        Ok(None)
    }

    /// Checks everything but the digest.
    pub(crate) fn check(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        self.check_time(expected)?;
        let Some(user) = expected.user else { return Err(unknown_key(&self.access_key_id)) };
        if user.session_token != self.token {
            return Err(Refusal::new(
                400,
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ));
        }
        if user.expires.is_some_and(|expires| expires <= expected.now) {
            return Err(Refusal::new(400, "ExpiredToken", "The provided token has expired."));
        }
        self.check_region(expected)
    }

    fn check_time(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        let Some(text) = &self.date else { return Ok(()) };
        let Some(time) = parse_date(text) else {
            return Err(Refusal::new(
                403,
                "AccessDenied",
                "AWS authentication requires a valid Date or x-amz-date header",
            ));
        };
        let skew = time.duration_since(expected.now).unwrap_or_else(|error| error.duration());
        if skew <= expected.skew_max {
            return Ok(());
        }
        Err(Refusal::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .element("RequestTime", text)
        .element("ServerTime", iso(expected.now))
        .element("MaxAllowedSkewMilliseconds", expected.skew_max.as_millis().to_string()))
    }

    fn check_region(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        let wanted = expected.bucket_region.unwrap_or(expected.region);
        if self.region == wanted {
            return Ok(());
        }
        if self.region == expected.region {
            return Err(Refusal::new(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please \
                 send all future requests to this endpoint.",
            )
            .element("Endpoint", format!("s3.{wanted}.amazonaws.com"))
            .header("x-amz-bucket-region", wanted));
        }
        let message = format!(
            "The authorization header is malformed; the region '{}' is wrong; expecting '{wanted}'",
            self.region
        );
        Err(Refusal::new(400, "AuthorizationHeaderMalformed", message)
            .element("Region", wanted)
            .header("x-amz-bucket-region", wanted))
    }
}

pub(crate) fn unknown_key(access_key_id: &str) -> Refusal {
    Refusal::new(
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
    )
    .element("AWSAccessKeyId", access_key_id)
}

fn old_mechanism() -> Refusal {
    Refusal::new(
        400,
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

/// Splits `key/date/region/service/aws4_request`; a key id has no slash.
fn scope(credential: &str, date: Option<String>, token: Option<String>) -> Result<Claim, Refusal> {
    let fields: Vec<&str> = credential.split('/').collect();
    match fields[..] {
        [key, _, region, service @ ("s3" | "sts" | "iam"), "aws4_request"] => Ok(Claim {
            access_key_id: key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            date,
            token,
        }),
        _ => Err(Refusal::new(
            400,
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        )),
    }
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(n, _)| *n == name).map(|(_, value)| percent_decode(value.as_bytes())).next()
}

/// Reads `20261122T093000Z`.
fn parse_date(text: &str) -> Option<SystemTime> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let seconds = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

pub(crate) fn iso(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(authorization: &str) -> Result<Option<Claim>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-date", "20261122T093000Z".parse().unwrap());
        Claim::of(&Uri::from_static("/b/k"), &headers)
    }

    fn check(
        minutes_off: u64,
        region: &str,
        bucket_region: Option<&str>,
        user: Option<&User>,
    ) -> String {
        let text = format!(
            "AWS4-HMAC-SHA256 Credential=AK/20261122/{region}/s3/aws4_request, SignedHeaders=host"
        );
        let now = parse_date("20261122T093000Z").unwrap() + Duration::from_secs(60 * minutes_off);
        let skew_max = Duration::from_secs(900);
        let expected = Expected { now, skew_max, region: "us-east-1", bucket_region, user };
        match claim(&text).unwrap().unwrap().check(&expected) {
            Ok(()) => "ok".into(),
            Err(refusal) => format!("{} {}", refusal.status, refusal.code),
        }
    }

    #[test]
    fn claims_are_checked() {
        let user = User::default();
        let temporary = User { session_token: Some("t".into()), ..User::default() };
        for (off, region, bucket_region, user, expected) in [
            (0, "us-east-1", None, Some(&user), "ok"),
            (15, "us-east-1", None, Some(&user), "ok"),
            (16, "us-east-1", None, Some(&user), "403 RequestTimeTooSkewed"),
            (0, "us-east-1", None, None, "403 InvalidAccessKeyId"),
            (0, "us-east-1", None, Some(&temporary), "400 InvalidToken"),
            (0, "eu-west-1", None, Some(&user), "400 AuthorizationHeaderMalformed"),
            (0, "us-east-1", Some("eu-west-1"), Some(&user), "301 PermanentRedirect"),
            (0, "eu-west-1", Some("eu-west-1"), Some(&user), "ok"),
            (0, "eu-west-2", Some("eu-west-1"), Some(&user), "400 AuthorizationHeaderMalformed"),
        ] {
            assert_eq!(
                check(off, region, bucket_region, user),
                expected,
                "{off} {region} {bucket_region:?}"
            );
        }
    }

    #[test]
    fn old_and_malformed_mechanisms() {
        for (authorization, expected) in [
            ("AWS AK:c2ln", "InvalidRequest"),
            ("Basic abc", "InvalidRequest"),
            (
                "AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/s3",
                "AuthorizationHeaderMalformed",
            ),
            ("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"),
        ] {
            assert_eq!(claim(authorization).unwrap_err().code, expected, "{authorization}");
        }
        let anonymous = Claim::of(&Uri::from_static("/b/k?list-type=2"), &HeaderMap::new());
        assert_eq!(anonymous.unwrap(), None);
    }

    #[test]
    fn times_are_written_as_s3_does() {
        assert_eq!(iso(parse_date("20261122T093000Z").unwrap()), "2026-11-22T09:30:00Z");
        assert_eq!(parse_date("2026-11-22"), None);
    }
}
