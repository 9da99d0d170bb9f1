//! The one action of IAM that a check asks for: `SimulatePrincipalPolicy`, of the caller's own policies.
//!
//! The protocol layer serves S3 and STS and refuses what is signed for other services, so these requests
//! are verified here ("Create a signed AWS API request" in the IAM user guide).

use http::request::Parts;
use http::{HeaderValue, Response};
use s3s::Body;
use s3s::crypto::{Checksum as _, Sha256};

use crate::answer::Refusal;
use crate::checksum::hex;
use crate::shared::Shared;
use crate::sts::Form;

/// The bytes of a block of SHA-256.
const BLOCK_BYTES: usize = 64;

/// Answers a request that is signed for IAM by the user of this key.
pub(crate) fn answer(
    shared: &Shared,
    caller: &str,
    head: &Parts,
    body: &[u8],
) -> Result<Response<Body>, Refusal> {
    let secret = shared.user(caller).map(|user| user.secret_access_key).unwrap_or_default();
    if !is_signed(head, body, &secret).unwrap_or_default() {
        let message =
            "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message));
    }
    let form = Form::of(body);
    let field = |name: &str| form.get(name).unwrap_or_default();
    if field("Action") != "SimulatePrincipalPolicy" {
        return Err(Refusal::new(400, "InvalidAction", "Could not find operation."));
    }
    let source = field("PolicySourceArn");
    if !is_own(shared, caller, &source)
        || !shared.permits(caller, "iam:SimulatePrincipalPolicy", &source)
    {
        let message =
            format!("User: {caller} is not authorized to perform: iam:SimulatePrincipalPolicy");
        return Err(Refusal::new(403, "AccessDenied", message));
    }
    let (action, resource) = (field("ActionNames.member.1"), field("ResourceArns.member.1"));
    let target = resource.strip_prefix("arn:aws:s3:::").unwrap_or(&resource);
    let decision = match shared.permits(caller, &action, target) {
        true => "allowed",
        false => "implicitDeny",
    };
    let mut response = Response::new(Body::from(format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member>\
         <EvalDecision>{decision}</EvalDecision></member></EvaluationResults>\
         </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    Ok(response)
}

/// Whether the ARN is that of the caller, or of a role for the one who has assumed it.
fn is_own(shared: &Shared, caller: &str, source: &str) -> bool {
    let is_session = shared.user(caller).is_some_and(|user| user.expires.is_some());
    let is_role = shared.options.roles.iter().any(|role| role.arn == source);
    source == format!("arn:aws:iam::{}:user/{caller}", shared.options.account_id)
        || (is_session && is_role)
}

/// Verifies the signature of a request; `None` when it is not well-formed.
fn is_signed(head: &Parts, body: &[u8], secret: &str) -> Option<bool> {
    let header = |name: &str| head.headers.get(name)?.to_str().ok();
    let fields = header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let field = |name: &str| {
        fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (_, scope) = field("Credential")?.split_once('/')?;
    let signed = field("SignedHeaders")?;
    let mut request = format!("{}\n{}\n\n", head.method, head.uri.path());
    for name in signed.split(';') {
        request.push_str(&format!("{name}:{}\n", header(name)?.trim()));
    }
    request.push_str(&format!("\n{signed}\n{}", hex(&Sha256::checksum(body))));
    let digest = hex(&Sha256::checksum(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", header("x-amz-date")?);
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes()).to_vec();
    }
    Some(hex(&hmac(&key, text.as_bytes())) == field("Signature")?)
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK_BYTES];
    match key.len() > BLOCK_BYTES {
        true => block[..32].copy_from_slice(&Sha256::checksum(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let padded = |pad: u8, rest: &[u8]| {
        let begin: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
        Sha256::checksum(&[&begin[..], rest].concat())
    };
    padded(0x5c, &padded(0x36, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_rfc_4231() {
        for (key, message, digest) in [
            (&b"Jefe"[..], &b"what do ya want for nothing?"[..], "5bdcc146bf60754e"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f",
            ),
        ] {
            assert_eq!(hex(&hmac(key, message))[..16], *digest);
        }
    }
}
