//! What an S3 service answered, in our words.
//!
//! The SDK's error types differ per operation and say little that is not in the status, the code and
//! a few headers; this module reads those, once, for all operations. A status alone is never
//! believed: `200` may hold an error, `404` may mean that the upload was completed.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId as _;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use jiff::Timestamp;

use super::bounded::is_web_page;
use super::connection::Forbidden;
use super::sign_in::Refused;
use crate::error::{Act, CredentialSource, Error, Fault, RequestError, short_message};
use crate::store::Completion;

/// A request that failed.
pub(super) type Failure = Box<RequestError>;

/// Describes a failed request.
pub(super) fn failure<E>(
    act: Act,
    endpoint: &str,
    bucket: &str,
    key: Option<&str>,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let raw = error.raw_response();
    let meta = error.as_service_error();
    let text = |text: Option<&str>| text.map(short_message).filter(|text| !text.is_empty());
    let mut failure = RequestError {
        act,
        endpoint: endpoint.to_owned(),
        bucket: bucket.to_owned(),
        key: key.map(str::to_owned),
        fault: Fault::Broken,
        status: raw.map(|raw| raw.status().as_u16()),
        code: text(meta.and_then(|meta| meta.code())),
        message: text(meta.and_then(|meta| meta.message())),
        request_id: raw.and_then(|raw| raw.headers().get("x-amz-request-id")).map(short_message),
    };
    failure.fault = match raw {
        Some(raw) if raw.headers().get("content-type").is_some_and(is_web_page) => Fault::NotS3,
        Some(raw) => {
            let code = failure.code.as_deref();
            fault_of_answer(act, raw.status().as_u16(), code, region_of(error))
        }
        None => match fault_of_sign_in(error, &mut failure) {
            Some(fault) => fault,
            None => fault_without_answer(error),
        },
    };
    // Ceph's gateway has no word of its own for the parts of an upload that is not there.
    if act == Act::ListParts && failure.code.as_deref() == Some("NoSuchKey") {
        failure.fault = Fault::NoUpload;
    }
    Box::new(failure)
}

/// Finds out whether a request was never sent because there was nothing to sign it with, and why.
fn fault_of_sign_in(error: &(dyn StdError + 'static), facts: &mut RequestError) -> Option<Fault> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            facts.act = Act::SignIn;
            facts.status = refused.status;
            facts.code.clone_from(&refused.code);
            facts.message.clone_from(&refused.message);
            facts.request_id.clone_from(&refused.request_id);
            return Some(fault_of_sts(refused));
        }
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            facts.act = Act::SignIn;
            match credentials {
                CredentialsError::ProviderTimedOut(_) => found = Some(Fault::Timeout),
                // The outermost sees all that went wrong inside.
                _ if found.is_none() => found = Some(fault_of_chain(credentials)),
                _ => {}
            }
        }
        if let Some(fault) = fault_of_role(error, facts) {
            return Some(fault);
        }
        next = error.source();
    }
    found
}

/// Reads what STS answered to the chain of the SDK, for the role of a profile or of a web identity.
fn fault_of_role(error: &(dyn StdError + 'static), facts: &mut RequestError) -> Option<Fault> {
    type Refusal<E> = SdkError<E, HttpResponse>;
    let (status, meta, request_id) =
        if let Some(refusal) = error.downcast_ref::<Refusal<AssumeRoleError>>() {
            (refusal.raw_response()?.status(), refusal.meta(), refusal.request_id())
        } else {
            let refusal = error.downcast_ref::<Refusal<AssumeRoleWithWebIdentityError>>()?;
            (refusal.raw_response()?.status(), refusal.meta(), refusal.request_id())
        };
    facts.status = Some(status.as_u16());
    facts.code = meta.code().map(short_message);
    facts.message = meta.message().map(short_message);
    facts.request_id = request_id.map(short_message);
    Some(match fault_of_sts_code(facts.code.as_deref(), facts.status) {
        Some(fault) => fault,
        None => Fault::SourceFailed(CredentialSource::Role),
    })
}

/// Reads why the chain has nothing: there are no credentials, what should give them does not, or the way
/// to it is broken. It goes by the words of the SDK, which has no types for it.
fn fault_of_chain(error: &CredentialsError) -> Fault {
    let Some(source) = error.source() else { return Fault::NoCredentials };
    let text = with_causes(source);
    let failed = |source| Fault::SourceFailed(source);
    match error {
        CredentialsError::InvalidConfiguration(_) => failed(CredentialSource::Files),
        CredentialsError::CredentialsNotLoaded(_) => match missing_profile(&text) {
            Some(name) => Fault::NoProfile(short_message(name)),
            None => Fault::NoCredentials,
        },
        CredentialsError::ProviderError(_) if is_about_single_sign_on(&text) => Fault::SignedOut,
        CredentialsError::ProviderError(_) if text.contains("external process") => {
            failed(CredentialSource::Process)
        }
        CredentialsError::ProviderError(_) => match fault_of_connection(source) {
            Fault::Broken => failed(CredentialSource::Metadata),
            fault => fault,
        },
        _ => failed(CredentialSource::Metadata),
    }
}

/// Reads the name of the profile that the shared files lack.
fn missing_profile(text: &str) -> Option<&str> {
    let (before, _) = text.split_once("` was not defined")?;
    before.rsplit_once("profile `").map(|(_, name)| name)
}

/// Tells whether the chain broke because nobody has signed in.
fn is_about_single_sign_on(text: &str) -> bool {
    text.contains("SSO token") || text.contains("UnauthorizedException")
}

/// An error and its causes, one a line.
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&error.to_string());
        text.push('\n');
        next = error.source();
    }
    text
}

/// Reads what STS said to a role that was asked for.
fn fault_of_sts(refused: &Refused) -> Fault {
    fault_of_sts_code(refused.code.as_deref(), refused.status)
        .unwrap_or_else(|| Fault::RoleRefused(refused.role_arn.clone()))
}

/// Reads the codes of STS ("Common Errors" and `AssumeRole` of its API reference). `None` for what is
/// about the role.
fn fault_of_sts_code(code: Option<&str>, status: Option<u16>) -> Option<Fault> {
    Some(match code.unwrap_or_default() {
        "SignatureDoesNotMatch" => Fault::WrongSecret,
        "InvalidClientTokenId" | "InvalidAccessKeyId" => Fault::UnknownKey,
        "ExpiredToken" | "ExpiredTokenException" => Fault::ExpiredToken,
        "RequestExpired" | "RequestTimeTooSkewed" => Fault::ClockSkew,
        "Throttling" | "ThrottlingException" => Fault::Throttled,
        _ if status.is_some_and(|status| status >= 500) => Fault::Unavailable,
        _ => return None,
    })
}

/// Sorts an unsuccessful attempt to complete an upload.
pub(super) fn completion(failure: Failure) -> Completion {
    let (fault, status) = (failure.fault.clone(), failure.status);
    // A missing object under `If-Match` is answered with 404 NoSuchKey: the condition did not hold.
    let is_missing_object = failure.code.as_deref() == Some("NoSuchKey");
    let error = Error::from(failure);
    match fault {
        Fault::NoUpload => Completion::Gone(error),
        Fault::ConditionFailed => Completion::ConditionFailed(error),
        Fault::Refused if is_missing_object => Completion::ConditionFailed(error),
        Fault::Conflict => Completion::Conflict(error),
        Fault::Refused | Fault::Damaged
            if status.is_some_and(|status| (400..500).contains(&status)) =>
        {
            Completion::Refused(error)
        }
        Fault::WrongSecret
        | Fault::UnknownKey
        | Fault::ExpiredToken
        | Fault::Denied
        | Fault::WrongToken
        | Fault::NoCredentials
        | Fault::SignedOut
        | Fault::NoProfile(_)
        | Fault::SourceFailed(_)
        | Fault::WrongOwner
        | Fault::KeyUnusable
        | Fault::RoleRefused(_) => Completion::Denied(error),
        Fault::NoBucket | Fault::ClockSkew => Completion::Denied(error),
        Fault::WrongRegion(_) => Completion::Misdirected(error),
        _ => Completion::Unclear(error),
    }
}

/// Returns the region that the bucket is in, when the answer to a failed request says it.
pub(super) fn region_of<E>(error: &SdkError<E, HttpResponse>) -> Option<String>
where
    E: ProvideErrorMetadata,
{
    let raw = error.raw_response()?;
    let header = raw.headers().get("x-amz-bucket-region");
    plan::region::named_by_answer(header, raw.body().bytes().unwrap_or_default())
}

/// Returns what the clock of the service showed when it answered (RFC 9110, 6.6.1).
pub(super) fn time_of<E>(error: &SdkError<E, HttpResponse>) -> Option<Timestamp> {
    let date = error.raw_response()?.headers().get("date")?;
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp())
}

/// Reads status and code ("List of error codes" of the S3 API reference); without a code, the status.
fn fault_of_answer(act: Act, status: u16, code: Option<&str>, region: Option<String>) -> Fault {
    match code.unwrap_or_default() {
        "SignatureDoesNotMatch" => return Fault::WrongSecret,
        "InvalidAccessKeyId" | "NotSignedUp" => return Fault::UnknownKey,
        "KMS.DisabledException" | "KMS.NotFoundException" | "KMS.KMSInvalidStateException" => {
            return Fault::KeyUnusable;
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            return Fault::ExpiredToken;
        }
        "InvalidToken" => return Fault::WrongToken,
        "RequestTimeTooSkewed" => return Fault::ClockSkew,
        "NoSuchBucket" => return Fault::NoBucket,
        "NoSuchUpload" => return Fault::NoUpload,
        "PreconditionFailed" => return Fault::ConditionFailed,
        "ConditionalRequestConflict" | "OperationAborted" => return Fault::Conflict,
        "BadDigest"
        | "InvalidDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch" => {
            return Fault::Damaged;
        }
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            return Fault::Throttled;
        }
        "InternalError" | "ServiceUnavailable" | "RequestTimeout" => return Fault::Unavailable,
        "NotImplemented" | "MethodNotAllowed" => return Fault::Unsupported,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => {
            return Fault::WrongRegion(region);
        }
        _ => {}
    }
    // Some services name their region in every error: a code that is about something else wins.
    let region = region.filter(|_| code.is_none() || status != 400);
    // Answers to HEAD have no body, hence never a code.
    let speaks_s3 = code.is_some() || matches!(act, Act::Head | Act::FindRegion);
    fault_of_status(status, speaks_s3, region)
}

fn fault_of_status(status: u16, speaks_s3: bool, region: Option<String>) -> Fault {
    match status {
        200..=299 if speaks_s3 => Fault::Unavailable,
        200..=299 => Fault::Broken,
        301 | 307 | 308 => Fault::WrongRegion(region),
        400 if region.is_some() => Fault::WrongRegion(region),
        401 | 403 => Fault::Denied,
        408 => Fault::Unavailable,
        409 => Fault::Conflict,
        412 => Fault::ConditionFailed,
        405 | 501 if speaks_s3 => Fault::Unsupported,
        429 => Fault::Throttled,
        500..=599 => Fault::Unavailable,
        400..=499 if speaks_s3 => Fault::Refused,
        // No S3 service answers so: a web server, a proxy's page, another protocol.
        _ => Fault::NotS3,
    }
}

fn fault_without_answer<E>(error: &SdkError<E, HttpResponse>) -> Fault {
    match error {
        SdkError::ConstructionFailure(_) => Fault::Construction,
        SdkError::TimeoutError(_) => Fault::Timeout,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => Fault::Timeout,
        SdkError::DispatchFailure(dispatch) if dispatch.is_user() => Fault::Construction,
        SdkError::DispatchFailure(dispatch) => dispatch
            .as_connector_error()
            .map_or(Fault::Broken, |connector| fault_of_connection(connector)),
        _ => Fault::Broken,
    }
}

/// Reads why a connection failed: by the operating system's error where one is in the chain, and else
/// by the words of the connector, which has no types for it.
fn fault_of_connection(error: &(dyn StdError + 'static)) -> Fault {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::ConnectionRefused
        {
            return Fault::ConnectionRefused;
        }
        next = error.source();
    }
    let chain = with_causes(error);
    let says = |words: &[&str]| words.iter().any(|word| chain.contains(word));
    if says(&[&Forbidden.to_string()]) {
        return Fault::ForbiddenAddress;
    }
    if says(&["dns error", "failed to lookup address", "DNS lookup", "resolve"]) {
        Fault::UnknownHost
    } else if says(&[
        "certificate",
        "tls",
        "TLS",
        "HandshakeFailure",
        "InvalidContentType",
        "CorruptMessage",
    ]) {
        Fault::Tls
    } else {
        Fault::Broken
    }
}

#[cfg(test)]
mod tests;
