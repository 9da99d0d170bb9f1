//! The two actions of AWS STS that a delivery needs: `AssumeRole`, with its external id and its end, and
//! `GetCallerIdentity`.
//!
//! Written from the API reference of AWS STS; requests and answers are those of its query protocol.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};

use crate::answer::Refusal;
use crate::host;
use crate::iam::Policy;
use crate::operation::percent_decode;
use crate::options::User;
use crate::shared::Shared;

/// The longest form that is read, in bytes.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// A role that can be assumed.
#[derive(Clone, Debug)]
pub struct Role {
    /// `arn:aws:iam::111122223333:role/segue`
    pub arn: String,
    /// What whoever assumes it has to know, if the role's trust policy asks for it.
    pub external_id: Option<String>,
    /// What it may do.
    pub policy: Policy,
    /// How long its credentials hold.
    pub session: Duration,
}

/// The route behind which STS answers: `POST /`.
pub(crate) struct Sts(pub(crate) Arc<Shared>);

#[async_trait::async_trait]
impl S3Route for Sts {
    fn is_match(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        _extensions: &mut Extensions,
    ) -> bool {
        method == Method::POST && uri.path() == "/" && host::bucket(headers).is_none()
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let caller = request.credentials.as_ref().map(|found| found.access_key.clone());
        let caller = caller.unwrap_or_default();
        let body = request.input.collect().await.map(|body| body.to_bytes());
        let body = body.ok().filter(|body| body.len() <= FORM_BYTES_MAX);
        let Some(body) = body else {
            return Err(s3_error!(InvalidRequest, "The form could not be read."));
        };
        let form = Form::of(&body);
        let answer = match form.get("Action").as_deref() {
            Some("AssumeRole") => self.assume(&caller, &form),
            Some("GetCallerIdentity") => Ok(self.caller(&caller)),
            _ => Err(Refusal::new(400, "InvalidAction", "Could not find operation.")),
        };
        let response = answer.unwrap_or_else(Refusal::into_response);
        let (head, body) = response.into_parts();
        let mut response = S3Response::with_headers(body, head.headers);
        response.status = Some(head.status);
        Ok(response)
    }
}

impl Sts {
    fn assume(&self, caller: &str, form: &Form) -> Result<http::Response<Body>, Refusal> {
        let arn = form.get("RoleArn").unwrap_or_default();
        let name = form.get("RoleSessionName").unwrap_or_default();
        let role = self.0.options.roles.iter().find(|role| role.arn == arn);
        let knows =
            |role: &&Role| role.external_id.is_none() || role.external_id == form.get("ExternalId");
        let may = self.0.permits(caller, "sts:AssumeRole", &arn);
        let Some(role) = role.filter(knows).filter(|_| may && !name.is_empty()) else {
            let message = format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            );
            return Err(Refusal::new(403, "AccessDenied", message));
        };
        let expires = self.0.now() + role.session;
        let user = User {
            access_key_id: format!("ASIA{}", &self.0.unique("session")[..16].to_uppercase()),
            secret_access_key: self.0.unique("session secret")[..40].to_owned(),
            session_token: Some(self.0.unique("session token")),
            policy: role.policy.clone(),
            expires: Some(expires),
            is_root: false,
        };
        let answer = document(&user, expires, &format!("{arn}/{name}"));
        self.0.add_user(user);
        Ok(xml(answer))
    }

    /// Says who asks. Users have the id of their key for a name; what a session's role was is not kept.
    fn caller(&self, caller: &str) -> http::Response<Body> {
        let account = &self.0.options.account_id;
        let user = self.0.user(caller);
        let arn = match &user {
            Some(user) if user.is_root => format!("arn:aws:iam::{account}:root"),
            Some(user) if user.expires.is_some() => {
                format!("arn:aws:sts::{account}:assumed-role/lab/{caller}")
            }
            _ => format!("arn:aws:iam::{account}:user/{caller}"),
        };
        xml(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>{caller}</UserId>\
             <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ))
    }
}

fn xml(document: String) -> http::Response<Body> {
    let mut response = http::Response::new(Body::from(document));
    *response.status_mut() = StatusCode::OK;
    let xml = http::HeaderValue::from_static("text/xml");
    response.headers_mut().insert(http::header::CONTENT_TYPE, xml);
    response
}

fn document(user: &User, expires: SystemTime, assumed: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROALAB:lab</AssumedRoleId><Arn>{assumed}</Arn></AssumedRoleUser>\
         </AssumeRoleResult></AssumeRoleResponse>",
        user.access_key_id,
        user.secret_access_key,
        user.session_token.as_deref().unwrap_or_default(),
        crate::signature::iso(expires),
    )
}

/// The fields of a form.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn of(body: &[u8]) -> Self {
        let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes());
        let text = String::from_utf8_lossy(body);
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}
