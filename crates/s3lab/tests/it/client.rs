//! Amazon's SDK, pointed at a lab.

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Region, RequestChecksumCalculation, StalledStreamProtectionConfig,
    retry::RetryConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use s3lab::{Backend, Lab, Options, User};

/// The smallest part in these tests: the rule is the same, the tests are quick.
pub(crate) const PART: usize = 1000;

/// A lab with a bucket named `bucket` and another with versions.
pub(crate) async fn start(backend: Backend) -> Lab {
    start_with(Options { backend, ..options() }).await
}

pub(crate) async fn start_with(options: Options) -> Lab {
    Lab::start(options).await.unwrap()
}

pub(crate) fn options() -> Options {
    let versioned = s3lab::BucketSpec { versioned: true, ..s3lab::BucketSpec::from("versioned") };
    Options {
        buckets: vec!["bucket".into(), versioned],
        part_bytes_min: PART as u64,
        ..Options::default()
    }
}

/// The administrator's client; checksums only where S3 wants them.
pub(crate) fn client(lab: &Lab) -> Client {
    client_of(lab, &User::default(), RequestChecksumCalculation::WhenRequired)
}

/// The administrator's client as the SDK comes: CRC32 on everything, sent behind the body.
pub(crate) fn checking_client(lab: &Lab) -> Client {
    client_of(lab, &User::default(), RequestChecksumCalculation::WhenSupported)
}

pub(crate) fn client_of(lab: &Lab, user: &User, checksums: RequestChecksumCalculation) -> Client {
    let (key, secret, token) =
        (&user.access_key_id, &user.secret_access_key, user.session_token.clone());
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(lab.endpoint())
        .credentials_provider(Credentials::new(key, secret, token, None, "test"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .request_checksum_calculation(checksums)
        .build();
    Client::from_conf(config)
}

/// The S3 error code of an outcome, or `ok`. HEAD has no body: the SDK names the status then.
pub(crate) fn code<T, E: ProvideErrorMetadata>(outcome: &Result<T, SdkError<E>>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(SdkError::ServiceError(error)) => {
            let status = error.raw().status().as_u16();
            error.err().code().map_or_else(|| status.to_string(), str::to_owned)
        }
        Err(SdkError::DispatchFailure(_)) => "no answer".to_owned(),
        Err(SdkError::ResponseError(_)) => "broken answer".to_owned(),
        Err(SdkError::TimeoutError(_)) => "timeout".to_owned(),
        Err(_) => "other".to_owned(),
    }
}

/// The HTTP status of an outcome.
pub(crate) fn status<T, E>(outcome: &Result<T, SdkError<E>>) -> u16 {
    match outcome {
        Err(SdkError::ServiceError(error)) => error.raw().status().as_u16(),
        Err(_) => 0,
        Ok(_) => 200,
    }
}

pub(crate) fn body(text: &str) -> ByteStream {
    ByteStream::from(text.as_bytes().to_vec())
}

/// Puts an object and returns its ETag without quotes.
pub(crate) async fn put(client: &Client, bucket: &str, key: &str, text: &str) -> String {
    let put = client.put_object().bucket(bucket).key(key).body(body(text)).send().await.unwrap();
    put.e_tag().unwrap().trim_matches('"').to_owned()
}

/// Reads an object as text.
pub(crate) async fn get(client: &Client, bucket: &str, key: &str) -> String {
    let got = client.get_object().bucket(bucket).key(key).send().await.unwrap();
    String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
}
