//! Who asks: a token, or a session of a user.

use std::sync::Arc;

use http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::App;
use super::problem::{Code, Problem};
use super::rights::Role;
use crate::app::access;

/// The cookie's name; browsers keep a cookie of such a name to one host and to TLS or loopback.
pub(crate) const COOKIE: &str = "__Host-segue";
/// The header that a request of a session has to bring when it changes something.
pub(crate) const GUARD_HEADER: &str = "x-segue-guard";
/// A session that is not used for so long is over.
const IDLE_MAX: SignedDuration = SignedDuration::from_mins(30);
/// A session is over after so long in any case.
const LIFE_MAX: SignedDuration = SignedDuration::from_hours(12);
/// How many passwords are hashed at once: each takes 19 MiB and some time.
pub(crate) const HASHES_AT_ONCE: usize = 2;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The name of a user, `token ID`, or `nobody`.
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    /// The digest of the session, if it is one.
    pub(crate) session: Option<String>,
}

impl Actor {
    /// Somebody who did not sign in.
    pub(crate) fn nobody() -> Self {
        Self { name: "nobody".to_owned(), role: None, session: None }
    }
}

/// What a session brings besides its cookie, which browsers send by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guard<'a> {
    /// Nothing is changed.
    NotAsked,
    /// Something is changed: this was brought, in the header or in a field of a form.
    Brought(Option<&'a str>),
}

impl<'a> Guard<'a> {
    /// What the header brings.
    pub(crate) fn of_header(headers: &'a HeaderMap) -> Self {
        Self::Brought(headers.get(GUARD_HEADER).and_then(|value| value.to_str().ok()))
    }
}

/// Finds out who asks. A wrong token or cookie is a problem and not nobody.
pub(crate) async fn actor(
    app: &App,
    headers: &HeaderMap,
    guard: Guard<'_>,
    now: Timestamp,
) -> Result<Actor, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let Some(token) = text.strip_prefix("Bearer ") else {
            return Err(not_signed_in("Only bearer tokens are taken."));
        };
        return of_token(app, token.trim(), now).await;
    }
    match cookie(headers) {
        Some(secret) => of_session(app, secret, guard, now).await,
        None => Ok(Actor::nobody()),
    }
}

async fn of_token(app: &App, text: &str, now: Timestamp) -> Result<Actor, Problem> {
    let token = app.shared.ledger.use_token(&access::digest(text), now).await?;
    let Some(token) = token else {
        return Err(not_signed_in("The token is not one of this server, or it has expired."));
    };
    Ok(Actor { name: format!("token {}", token.id), role: Role::parse(&token.role), session: None })
}

async fn of_session(
    app: &App,
    secret: &str,
    guard: Guard<'_>,
    now: Timestamp,
) -> Result<Actor, Problem> {
    let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let digest = access::digest(secret);
    let ledger = &app.shared.ledger;
    let session = ledger.use_session(&digest, before(LIFE_MAX), before(IDLE_MAX), now).await?;
    let Some(session) = session else {
        return Err(not_signed_in("The session is over."));
    };
    let is_guarded = match guard {
        Guard::NotAsked => true,
        Guard::Brought(guard) => guard.is_some_and(|it| access::digest(it) == session.guard),
    };
    if !is_guarded {
        let detail = format!("A request that changes something needs the header `{GUARD_HEADER}`.");
        return Err(Problem::new(Code::CrossSite, detail)
            .hint("It is in the answer that began the session."));
    }
    Ok(Actor { name: session.name, role: Role::parse(&session.role), session: Some(digest) })
}

fn not_signed_in(detail: &str) -> Problem {
    Problem::new(Code::NotSignedIn, detail)
}

/// The secret of the session's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie_named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A session that just began: the cookie's value and the guard.
pub(crate) struct Begun {
    pub(crate) cookie: String,
    pub(crate) guard: String,
}

/// Begins a session if the password is right.
pub(crate) async fn sign_in(
    app: &App,
    name: &str,
    password: String,
    now: Timestamp,
) -> Result<(Role, Begun), Problem> {
    let user = app.shared.ledger.user(name).await?;
    let hash = user.as_ref().map(|user| user.password.clone());
    let right = with_hashing(app, move || access::is_right(&password, hash.as_deref())).await?;
    let role = user.and_then(|user| Role::parse(&user.role)).filter(|_| right);
    let Some(role) = role else {
        return Err(Problem::new(
            Code::SignInFailed,
            "There is no user of this name and password.",
        ));
    };
    let cookie = access::secret()?;
    let begun = Begun { guard: access::guard_of(&cookie), cookie };
    app.shared
        .ledger
        .add_session(&access::digest(&begun.cookie), name, &access::digest(&begun.guard), now)
        .await?;
    Ok((role, begun))
}

/// Ends a session, and forgets those that are too old.
pub(crate) async fn sign_out(app: &App, digest: &str, now: Timestamp) -> Result<(), Problem> {
    let began_after = now.checked_sub(LIFE_MAX).unwrap_or(Timestamp::MIN);
    Ok(app.shared.ledger.end_session(digest, began_after).await?)
}

/// Does work on passwords, a few at a time, where it keeps nobody else waiting.
pub(crate) async fn with_hashing<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let internal = || Problem::new(Code::Internal, "A password could not be looked at.");
    let permit = Arc::clone(&app.hashing).acquire_owned().await.map_err(|_| internal())?;
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    })
    .await
    .map_err(|_| internal())
}

/// The gate before passwords.
pub(crate) fn hashing() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(HASHES_AT_ONCE))
}
