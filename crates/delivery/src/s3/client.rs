//! Clients of an S3 service: signing, addressing, time limits and retries, from the account of a
//! project file.
//!
//! Requests that may be repeated are, by the SDK's standard rules and within [`REQUEST_ATTEMPTS_MAX`].
//! The one that may not, `CompleteMultipartUpload`, takes [`once`].

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Config, Region, RequestChecksumCalculation,
    ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use plan::project::{Account, Addressing};

use super::answer;
use super::bounded::Bounded;
use super::session::Session;
use crate::error::{Act, Error, Fault};

/// How often a request that may be repeated is sent at most.
pub const REQUEST_ATTEMPTS_MAX: u32 = 5;
/// The wait before the first repetition; it doubles from there, with jitter.
pub const BACKOFF_INITIAL: Duration = Duration::from_millis(100);
/// The longest wait between repetitions.
pub const BACKOFF_MAX: Duration = Duration::from_secs(20);
/// How long a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a service may be silent before the first byte of its answer.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one attempt of a request may take. The longest is a part over a slow line; a line that
/// stands still is noticed earlier, by [`STALL_GRACE`].
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(300);
/// How long completing an object may take: Amazon documents "several minutes", with white space sent
/// meanwhile to keep the connection.
pub const COMPLETE_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a body may move no byte.
pub const STALL_GRACE: Duration = Duration::from_secs(20);
/// How often a request of a check is sent at most.
pub const CHECK_ATTEMPTS_MAX: u32 = 2;
/// How long a service may be silent when it is checked, or when a role is assumed; and how long the first
/// request of a check may take with all its repetitions.
pub const CHECK_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// The region that requests are signed for when an account with an endpoint names none: what
/// S3-compatible services take as their default.
pub const REGION_DEFAULT: &str = "us-east-1";
/// Where Amazon's own service answers, for messages.
pub(crate) const AMAZON_ENDPOINT: &str = "https://s3.amazonaws.com";

/// Makes a client for an account, signing for its region, or for [`REGION_DEFAULT`] when it names none.
pub fn client(account: &Account) -> Client {
    Session::new(account, None).client()
}

/// Makes the same client for another region.
pub(super) fn in_region(client: &Client, region: &str) -> Client {
    Client::from_conf(client.config().to_builder().region(Region::new(region.to_owned())).build())
}

/// Returns the settings for a request that is sent once, whatever comes back.
pub(super) fn once() -> Builder {
    let timeouts = timeouts(COMPLETE_TIMEOUT);
    Config::builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts)
}

/// Returns the settings for the first request of a check: one that failed at once is sent again, and one that
/// was not answered is not, as nobody may be there.
pub(super) fn first_of_check() -> Builder {
    let timeouts = timeouts_of_sign_in().to_builder().operation_timeout(CHECK_READ_TIMEOUT);
    Config::builder().timeout_config(timeouts.build())
}

/// Returns the address of an account's service without anything that could be a secret.
pub(super) fn shown_endpoint(account: &Account) -> String {
    let Some(url) = &account.endpoint_url else { return AMAZON_ENDPOINT.to_owned() };
    let url = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Tells whether bodies travel encrypted, so that their signature would only cost time: the part's own
/// checksum is signed as a header.
pub(super) fn is_encrypted(account: &Account) -> bool {
    account.endpoint_url.as_deref().is_none_or(|url| url.starts_with("https://"))
}

/// Returns the settings of a client, all but who signs.
pub(super) fn config(account: &Account, region: &str, pace: Pace, no_objects: bool) -> Builder {
    // `WhenRequired` for every service: parts carry checksums that this crate sets itself, and the
    // SDK's own additions (a trailer over http) are refused by several compatible services.
    let builder = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .retry_config(pace.retries())
        .timeout_config(pace.timeouts())
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build(),
        )
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .interceptor(Bounded { no_objects })
        .force_path_style(is_path_style(account));
    match &account.endpoint_url {
        Some(url) => builder
            .endpoint_url(url)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired),
        None => builder,
    }
}

/// How long a client waits and how often it repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As a run does, which nobody watches.
    Run,
    /// As a check does, which somebody waits for.
    Check,
}

impl Pace {
    fn retries(self) -> RetryConfig {
        match self {
            Self::Run => retries(),
            Self::Check => retries().with_max_attempts(CHECK_ATTEMPTS_MAX),
        }
    }

    fn timeouts(self) -> TimeoutConfig {
        match self {
            Self::Run => timeouts(ATTEMPT_TIMEOUT),
            Self::Check => timeouts_of_sign_in(),
        }
    }
}

fn is_path_style(account: &Account) -> bool {
    match account.addressing {
        Addressing::Path => true,
        Addressing::Virtual => false,
        Addressing::Auto => account.endpoint_url.is_some(),
    }
}

pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(REQUEST_ATTEMPTS_MAX)
        .with_initial_backoff(BACKOFF_INITIAL)
        .with_max_backoff(BACKOFF_MAX)
}

/// The time limits of requests that carry next to nothing.
pub(super) fn timeouts_of_sign_in() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(CHECK_READ_TIMEOUT)
        .operation_attempt_timeout(CHECK_READ_TIMEOUT)
        .build()
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .build()
}

/// Asks Amazon where a bucket is. The answer names the region in a header whether or not the caller
/// may see the bucket.
pub(super) async fn find_region(client: &Client, bucket: &str) -> Result<String, Error> {
    let error = match client.head_bucket().bucket(bucket).send().await {
        Ok(found) => return Ok(found.bucket_region().unwrap_or(REGION_DEFAULT).to_owned()),
        Err(error) => error,
    };
    if let Some(region) = answer::region_of(&error) {
        return Ok(region);
    }
    let mut failure = answer::failure(Act::FindRegion, AMAZON_ENDPOINT, bucket, None, &error);
    if failure.status == Some(404) {
        failure.fault = Fault::NoBucket;
    }
    Err(failure.into())
}

#[cfg(test)]
mod tests {
    use plan::project::Auth;

    use super::*;

    fn account(endpoint_url: Option<&str>) -> Account {
        Account {
            key: "a".to_owned(),
            auth: Auth::AccessKey {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret_access_key: "canary-secret".into(),
                session_token: None,
            },
            region: None,
            endpoint_url: endpoint_url.map(str::to_owned),
            addressing: Addressing::Auto,
            service: None,
            ca_file: None,
        }
    }

    #[test]
    fn an_endpoint_is_shown_without_what_could_be_a_secret() {
        for (url, shown) in [
            (None, "https://s3.amazonaws.com"),
            (Some("http://127.0.0.1:9000/"), "http://127.0.0.1:9000"),
            (
                Some("https://user:canary@s3.example.com/path?token=canary"),
                "https://s3.example.com/path",
            ),
            (Some("s3.example.com"), "https://s3.example.com"),
        ] {
            assert_eq!(shown_endpoint(&account(url)), shown);
        }
    }

    #[test]
    fn addressing_follows_the_endpoint_unless_it_is_given() {
        for (addressing, url, path_style) in [
            (Addressing::Auto, None, false),
            (Addressing::Auto, Some("http://localhost:9000"), true),
            (Addressing::Path, None, true),
            (Addressing::Virtual, Some("http://localhost:9000"), false),
        ] {
            let account = Account { addressing, ..account(url) };
            assert_eq!(is_path_style(&account), path_style, "{addressing:?} {url:?}");
        }
    }

    #[test]
    fn the_debug_form_of_a_client_holds_no_secret() {
        let client = client(&account(Some("http://127.0.0.1:9000")));
        assert!(!format!("{client:?} {:?}", client.config()).contains("canary-secret"));
    }
}
