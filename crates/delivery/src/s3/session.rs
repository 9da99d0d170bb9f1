//! An account that requests are signed with: one for all clients of a process, so that a role is
//! assumed once and not once per file, and so that credentials that end are renewed for all.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Config, IdentityCache, SharedHttpClient, SharedIdentityCache};
use aws_sdk_sts::config::retry::RetryConfig;
use plan::object_settings::ObjectSettings;
use plan::project::{Account, Auth};

use super::client::{self, REGION_DEFAULT};
use super::connection;
use super::renewal::{Current, Renewing};
use super::sign_in::{SignIn, Source};
use super::simulation::{self, Simulation};
use super::trust::Trust;
use super::{Pace, S3Store};
use crate::error::{Error, short_message};

/// How long finding credentials may take: a `credential_process` or a single sign-on may be slow.
pub const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(60);
/// How long before they end credentials are renewed at the earliest: the SDK waits for a random part of
/// it, so that many processes do not ask at once.
pub const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// An account, ready to sign. Clones share the credentials.
#[derive(Debug, Clone)]
pub struct Session {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) account: Account,
    pub(super) sign_in: Arc<SignIn>,
    provider: SharedCredentialsProvider,
    trust: Option<Trust>,
    cache: RwLock<Generation>,
}

/// The credentials at hand, and how often they were thrown away.
#[derive(Debug, Clone)]
struct Generation {
    number: u64,
    cache: SharedIdentityCache,
}

/// A place in a service: a bucket and how its objects are written.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The account id that must own the bucket, sent with every request.
    pub expected_owner: Option<String>,
    /// What its objects are written with.
    pub objects: ObjectSettings,
}

impl Session {
    /// Makes a session. Nothing is asked for yet, of nobody.
    pub fn new(account: &Account, trust: Option<&Trust>) -> Self {
        let sign_in = Arc::new(SignIn::new(account, trust));
        let provider = SharedCredentialsProvider::new(Source(Arc::clone(&sign_in)));
        let cache = RwLock::new(Generation { number: 0, cache: fresh_cache() });
        let account = account.clone();
        let trust = trust.cloned();
        Self { shared: Arc::new(Shared { account, sign_in, provider, trust, cache }) }
    }

    /// Makes a client that signs for the account's region, or for [`REGION_DEFAULT`] when it names
    /// none, for reading objects.
    pub fn client(&self) -> Client {
        let region = self.shared.account.region.as_deref().unwrap_or(REGION_DEFAULT);
        let config = client::config(&self.shared.account, region, Pace::Run, false);
        let mut config = self.signed(config, &self.generation()).to_builder();
        config.set_http_client(Some(self.http_client()));
        // Whoever reads does not know of sessions, so the client itself renews its credentials.
        if self.shared.sign_in.can_renew() {
            config.set_identity_cache(Current(self.clone()));
            config = config.retry_classifier(Renewing(self.clone()));
        }
        Client::from_conf(config.build())
    }

    /// Opens a bucket. The service is asked for nothing unless the region has to be found out.
    ///
    /// # Errors
    /// When Amazon has to be asked for the region of the bucket and cannot be reached, or knows no
    /// such bucket.
    pub async fn open(&self, place: &Place, pace: Pace) -> Result<S3Store, Error> {
        S3Store::open(self.clone(), place, pace).await
    }

    /// Finds out whether the account's role is given to whoever names it, without the external id: then
    /// everybody whom the role trusts could be made to use it. `None` for other accounts.
    pub async fn role_is_open(&self) -> Option<bool> {
        match self.shared.account.auth {
            Auth::AssumeRole { .. } => Some(self.shared.sign_in.assume(None).await.is_ok()),
            _ => None,
        }
    }

    /// Finds out who signs, as an ARN: of the user, or of the role that is assumed. Nobody needs a
    /// permission for that. `None` where the service does not tell: others than Amazon's seldom do.
    pub async fn caller(&self) -> Option<String> {
        if let Auth::AssumeRole { role_arn, .. } = &self.shared.account.auth {
            return Some(role_arn.clone());
        }
        let client = self.signed_sts(self.shared.account.endpoint_url.as_deref());
        let once = aws_sdk_sts::Config::builder().retry_config(RetryConfig::disabled());
        let asked = client.get_caller_identity().customize().config_override(once).send().await;
        asked.ok()?.arn.as_deref().map(short_message)
    }

    /// Asks IAM whether who signs may do something, without doing it.
    pub(super) async fn simulate(&self, action: &str, resource: &str) -> Simulation {
        let Some(caller) = self.caller().await else { return Simulation::default() };
        let Some(source) = simulation::source_of(&caller) else { return Simulation::default() };
        let endpoint_url = self.shared.account.endpoint_url.as_deref();
        let place = simulation::Place::of(endpoint_url, &caller);
        let client = self.signed_sts(Some(place.url));
        simulation::ask(&client, place.region, &source, action, resource).await
    }

    /// Makes a client of STS that signs as stores do, with the credentials at hand.
    fn signed_sts(&self, endpoint_url: Option<&str>) -> aws_sdk_sts::Client {
        let config = self.shared.sign_in.sts_config(endpoint_url);
        let config = config.credentials_provider(self.shared.provider.clone());
        aws_sdk_sts::Client::from_conf(config.identity_cache(self.cache()).build())
    }

    /// Makes a client for a store, with the number of the credentials that it signs with.
    pub(super) fn store_client(&self, pace: Pace) -> (Client, u64) {
        let region = self.shared.account.region.as_deref().unwrap_or(REGION_DEFAULT);
        let generation = self.generation();
        let config = client::config(&self.shared.account, region, pace, true);
        let mut config = self.signed(config, &generation).to_builder();
        config.set_http_client(Some(self.http_client()));
        (Client::from_conf(config.build()), generation.number)
    }

    fn http_client(&self) -> SharedHttpClient {
        connection::http_client(self.shared.trust.as_ref())
    }

    /// Replaces the credentials that a client signs with, after the service said that they have
    /// ended. `None` when asking again would give the same ones.
    pub(super) fn renewed(&self, client: &Client, seen: u64) -> Option<(Client, u64)> {
        if !self.shared.sign_in.can_renew() {
            return None;
        }
        let generation = self.throw_away(seen);
        let config = client.config().to_builder();
        Some((Client::from_conf(self.signed(config, &generation)), generation.number))
    }

    /// Forgets credentials that have ended, unless somebody has done so already.
    fn throw_away(&self, seen: u64) -> Generation {
        let mut current = self.shared.cache.write().unwrap_or_else(PoisonError::into_inner);
        if current.number == seen {
            self.shared.sign_in.forget();
            *current = Generation { number: seen + 1, cache: fresh_cache() };
        }
        current.clone()
    }

    /// The number of the credentials at hand.
    pub(super) fn number(&self) -> u64 {
        self.generation().number
    }

    /// Forgets the credentials with this number, for clients that follow what is at hand.
    pub(super) fn forget(&self, number: u64) {
        self.throw_away(number);
    }

    /// The cache of the credentials at hand.
    pub(super) fn cache(&self) -> SharedIdentityCache {
        self.generation().cache
    }

    fn generation(&self) -> Generation {
        self.shared.cache.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn signed(&self, mut config: aws_sdk_s3::config::Builder, generation: &Generation) -> Config {
        // The provider itself and not a new one around it: the cache knows it by its identity.
        config.set_credentials_provider(Some(self.shared.provider.clone()));
        config.set_identity_cache(generation.cache.clone());
        config.build()
    }
}

fn fresh_cache() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(SIGN_IN_TIMEOUT).buffer_time(RENEW_BEFORE).build()
}
