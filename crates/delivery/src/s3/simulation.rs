//! What IAM says that somebody may do, asked of its simulator: nothing is done. It tells what the
//! policies of the user or role say, and knows nothing of the bucket's. Only those may ask who have
//! `iam:SimulatePrincipalPolicy`.
//!
//! IAM speaks the protocol of STS, so this one request of it goes through the client of STS, under
//! another name and with another form, instead of through a client with all of IAM in it.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::error::ProvideErrorMetadata as _;
use aws_sdk_sts::operation::RequestId as _;
use aws_types::SigningName;
use aws_types::region::SigningRegion;

use super::probe::Answer;
use super::shape::escaped;
use crate::error::short_message;

/// The version of IAM's API.
const VERSION: &str = "2010-05-08";

/// What IAM said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Simulation {
    /// Whether the action is allowed; `None` where IAM does not tell: the service is another, or who
    /// asks may not ask.
    pub(super) is_allowed: Option<bool>,
    /// The answer, if there was one.
    pub(super) answer: Option<Answer>,
}

/// Where an IAM is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) url: &'a str,
    /// What its requests are signed for, where that is not the region of the account.
    pub(super) region: Option<&'static str>,
}

impl<'a> Place<'a> {
    /// The IAM of an account whose requests are signed by `caller`: at the account's endpoint, or one
    /// place for each of Amazon's partitions.
    pub(super) fn of(endpoint_url: Option<&'a str>, caller: &str) -> Self {
        let (url, region) = match endpoint_url {
            Some(url) => (url, None),
            None if caller.starts_with("arn:aws-cn:") => {
                ("https://iam.cn-north-1.amazonaws.com.cn", Some("cn-north-1"))
            }
            None if caller.starts_with("arn:aws-us-gov:") => {
                ("https://iam.us-gov.amazonaws.com", Some("us-gov-west-1"))
            }
            None => ("https://iam.amazonaws.com", Some("us-east-1")),
        };
        Self { url, region }
    }
}

/// Asks whether `source`, a user or a role, may do `action` on `resource`.
pub(super) async fn ask(
    client: &aws_sdk_sts::Client,
    region: Option<&'static str>,
    source: &str,
    action: &str,
    resource: &str,
) -> Simulation {
    let fields = [
        ("Action", "SimulatePrincipalPolicy"),
        ("Version", VERSION),
        ("PolicySourceArn", source),
        ("ActionNames.member.1", action),
        ("ResourceArns.member.1", resource),
    ];
    let form: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let once = aws_sdk_sts::Config::builder().retry_config(RetryConfig::disabled());
    let request = client.get_caller_identity().customize().config_override(once);
    let sent = request.interceptor(AsIam { form: form.join("&"), region }).send().await;
    // The answer is none to the question that the client believes to have asked.
    let Err(error) = sent else { return Simulation::default() };
    let Some(raw) = error.raw_response() else { return Simulation::default() };
    let status = raw.status().as_u16();
    let said = raw.body().bytes().filter(|_| raw.status().is_success()).and_then(decision);
    let code = match said {
        Some(word) => Some(word.to_owned()),
        None => error.code().map(short_message),
    };
    let request_id = error.request_id().map(short_message);
    let is_allowed = said.map(|word| word == ALLOWED);
    Simulation { is_allowed, answer: Some(Answer { status, code, request_id }) }
}

const ALLOWED: &str = "allowed";

/// Reads the word that an answer decides with.
fn decision(answer: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, behind) = text.split_once("<EvalDecision>")?;
    let word = behind.split_once('<')?.0;
    matches!(word, ALLOWED | "explicitDeny" | "implicitDeny").then_some(word)
}

/// Returns whose policies hold for a caller, as STS names it: the user, or the role of the session.
/// `None` for the root of an account, who has none.
pub(super) fn source_of(caller: &str) -> Option<String> {
    let (begin, name) = caller.split_once('/')?;
    match begin.rsplit_once(':')? {
        (_, "user" | "role") => Some(caller.to_owned()),
        (account, "assumed-role") => {
            let role = name.split('/').next()?;
            Some(format!("{}:role/{role}", account.replacen(":sts:", ":iam:", 1)))
        }
        _ => None,
    }
}

/// Makes a request to STS one to IAM.
#[derive(Debug)]
struct AsIam {
    form: String,
    region: Option<&'static str>,
}

impl Intercept for AsIam {
    fn name(&self) -> &'static str {
        "AsIam"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.form.len().to_string());
        *request.body_mut() = SdkBody::from(self.form.clone());
        let state = config.interceptor_state();
        state.store_put(SigningName::from_static("iam"));
        if let Some(region) = self.region {
            state.store_put(SigningRegion::from_static(region));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_of_a_session_are_those_of_its_role() {
        for (caller, source) in [
            (
                "arn:aws:iam::111122223333:user/team/segue",
                Some("arn:aws:iam::111122223333:user/team/segue"),
            ),
            ("arn:aws:iam::111122223333:role/segue", Some("arn:aws:iam::111122223333:role/segue")),
            (
                "arn:aws:sts::111122223333:assumed-role/segue/run",
                Some("arn:aws:iam::111122223333:role/segue"),
            ),
            ("arn:aws:iam::111122223333:root", None),
            ("admin", None),
        ] {
            assert_eq!(source_of(caller).as_deref(), source, "{caller}");
        }
    }

    #[test]
    fn only_the_words_of_iam_count() {
        let answer = |word: &str| format!("<a><EvalDecision>{word}</EvalDecision></a>");
        for word in ["allowed", "implicitDeny", "explicitDeny"] {
            assert_eq!(decision(answer(word).as_bytes()), Some(word));
        }
        assert_eq!(decision(answer("perhaps").as_bytes()), None);
        assert_eq!(decision(b"<html>"), None);
    }

    #[test]
    fn each_partition_has_an_iam_of_its_own() {
        let place = |endpoint, caller| Place::of(endpoint, caller);
        let amazon = place(None, "arn:aws:iam::111122223333:user/a");
        assert_eq!((amazon.url, amazon.region), ("https://iam.amazonaws.com", Some("us-east-1")));
        let china = place(None, "arn:aws-cn:iam::111122223333:user/a");
        assert_eq!(china.region, Some("cn-north-1"));
        let own = place(Some("http://127.0.0.1:9000"), "arn:aws:iam::111122223333:user/a");
        assert_eq!((own.url, own.region), ("http://127.0.0.1:9000", None));
    }
}
