//! Where credentials come from: the project file, a role that is assumed, or what the machine offers.
//!
//! Nothing is asked for until the first request is signed. The standard chain is that of the SDK; it
//! is the one place of this crate in which the environment of the process is read.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_sts::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sts::operation::RequestId as _;
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use plan::project::{Account, Auth};
use secrecy::ExposeSecret as _;

use super::bounded::Bounded;
use super::client::{REGION_DEFAULT, retries, timeouts_of_sign_in};
use super::connection;
use super::trust::Trust;
use crate::error::short_message;

/// The name under which the SDK's logs know these credentials.
const NAME: &str = "segue account";

/// The credentials of an account, found when they are first needed.
pub(super) struct SignIn {
    auth: Auth,
    region: Option<String>,
    trust: Option<Trust>,
    chain: Mutex<Option<SharedCredentialsProvider>>,
}

/// Why a role could not be assumed, as STS said it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) role_arn: String,
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the role {} was not given", self.role_arn)
    }
}

impl std::error::Error for Refused {}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    pub(super) fn new(account: &Account, trust: Option<&Trust>) -> Self {
        Self {
            auth: account.auth.clone(),
            region: account.region.clone(),
            trust: trust.cloned(),
            chain: Mutex::new(None),
        }
    }

    /// Whether asking again may give other credentials.
    pub(super) fn can_renew(&self) -> bool {
        !matches!(self.auth, Auth::AccessKey { .. })
    }

    async fn find(&self) -> Result<Credentials, CredentialsError> {
        match &self.auth {
            Auth::AssumeRole { external_id, .. } => self.assume(external_id.as_deref()).await,
            base => self.base(base).await,
        }
    }

    /// Assumes the role of the account, with the external id or, to see whether the role insists on
    /// one, without.
    pub(super) async fn assume(
        &self,
        external_id: Option<&str>,
    ) -> Result<Credentials, CredentialsError> {
        self.assume_role(&self.auth, external_id).await
    }

    /// Assumes a role, and those on the way to it before.
    async fn assume_role(
        &self,
        auth: &Auth,
        external_id: Option<&str>,
    ) -> Result<Credentials, CredentialsError> {
        let Auth::AssumeRole { role_arn, session_name, sts_endpoint_url, base, .. } = auth else {
            return Err(CredentialsError::invalid_configuration("the account has no role"));
        };
        let client = self.sts(sts_endpoint_url.as_deref(), self.base(base).await?);
        let assumed = client
            .assume_role()
            .role_arn(role_arn)
            .role_session_name(session_name)
            .set_external_id(external_id.map(str::to_owned))
            .send()
            .await;
        match assumed {
            Ok(assumed) => credentials_of(assumed),
            Err(error) => Err(refused(role_arn, error)),
        }
    }

    fn sts(&self, endpoint_url: Option<&str>, base: Credentials) -> aws_sdk_sts::Client {
        let config = self.sts_config(endpoint_url).credentials_provider(base);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// The settings of a client of STS, all but who signs.
    pub(super) fn sts_config(&self, endpoint_url: Option<&str>) -> aws_sdk_sts::config::Builder {
        let region = self.region.as_deref().unwrap_or(REGION_DEFAULT);
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .retry_config(retries())
            .timeout_config(timeouts_of_sign_in())
            .interceptor(Bounded { no_objects: true })
            .http_client(connection::http_client(self.trust.as_ref()));
        match endpoint_url {
            Some(url) => config.endpoint_url(url),
            None => config,
        }
    }

    async fn base(&self, auth: &Auth) -> Result<Credentials, CredentialsError> {
        match auth {
            Auth::AccessKey { access_key_id, secret_access_key, session_token } => {
                let token = session_token.as_ref().map(|token| token.expose_secret().to_owned());
                let secret = secret_access_key.expose_secret();
                Ok(Credentials::new(access_key_id, secret, token, None, NAME))
            }
            Auth::Default { profile } => {
                self.chain(profile.as_deref()).await.provide_credentials().await
            }
            Auth::AssumeRole { external_id, .. } => {
                Box::pin(self.assume_role(auth, external_id.as_deref())).await
            }
        }
    }

    /// What the machine offers, looked for once until it is forgotten.
    async fn chain(&self, profile: Option<&str>) -> SharedCredentialsProvider {
        let known = self.known_chain().clone();
        if let Some(chain) = known {
            return chain;
        }
        let mut chain = DefaultCredentialsChain::builder();
        if let Some(profile) = profile {
            chain = chain.profile_name(profile);
        }
        chain.set_region(self.region.clone().map(Region::new));
        let chain = SharedCredentialsProvider::new(chain.build().await);
        self.known_chain().insert(chain).clone()
    }

    /// Has the machine looked at again: the SDK reads the files of profiles once and keeps what it has
    /// read.
    pub(super) fn forget(&self) {
        *self.known_chain() = None;
    }

    fn known_chain(&self) -> MutexGuard<'_, Option<SharedCredentialsProvider>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same as the SDK wants it.
#[derive(Debug)]
pub(super) struct Source(pub(super) Arc<SignIn>);

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.0.find())
    }
}

fn credentials_of(assumed: AssumeRoleOutput) -> Result<Credentials, CredentialsError> {
    let missing = || CredentialsError::unhandled("the answer of STS holds no credentials");
    let found = assumed.credentials.ok_or_else(missing)?;
    let expiration = found
        .expiration
        .try_into()
        .map_err(|_| CredentialsError::unhandled("STS gave credentials without an end"))?;
    let mut credentials = Credentials::builder()
        .access_key_id(found.access_key_id)
        .secret_access_key(found.secret_access_key)
        .session_token(found.session_token)
        .provider_name(NAME);
    credentials.set_expiry(Some(expiration));
    Ok(credentials.build())
}

fn refused(
    role_arn: &str,
    error: SdkError<AssumeRoleError, aws_sdk_sts::config::http::HttpResponse>,
) -> CredentialsError {
    let Some(answer) = error.as_service_error() else {
        return CredentialsError::provider_error(error);
    };
    CredentialsError::provider_error(Refused {
        role_arn: role_arn.to_owned(),
        status: error.raw_response().map(|raw| raw.status().as_u16()),
        code: answer.code().map(short_message),
        message: answer.message().map(short_message),
        request_id: error.request_id().map(short_message),
    })
}
