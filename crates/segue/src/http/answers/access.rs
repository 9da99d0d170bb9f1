//! Signing in, users and tokens.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::once;
use crate::ambient;
use crate::app::access;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::http::rights::Role;
use crate::http::routes;
use crate::http::sign_in::{self, COOKIE};

/// The first user.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUp {
    /// What stands behind the # of the one-time link
    secret: String,
    name: String,
    password: String,
}

/// Name and password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    name: String,
    password: String,
}

/// A session that began; its cookie is in the header.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Session {
    name: String,
    role: String,
    /// To be sent as `X-Segue-Guard` with every request that changes something
    guard: String,
}

/// Who asks.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Who {
    name: String,
    role: String,
    /// The names of the operations that the role allows
    may: Vec<String>,
}

/// A user.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    name: String,
    role: String,
    created_at: String,
}

/// Users.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Users {
    items: Vec<User>,
}

/// A user to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    name: String,
    password: String,
    /// viewer, analyst, operator, destination-admin, privacy or admin
    role: String,
}

/// What a user becomes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedUser {
    /// The password stays without it
    #[serde(default)]
    password: Option<String>,
    /// viewer, analyst, operator, destination-admin, privacy or admin
    role: String,
}

/// A token, without its text.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    id: String,
    name: String,
    role: String,
    created_at: String,
    created_by: String,
    expires_at: String,
    last_used_at: Option<String>,
}

/// Tokens.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tokens {
    items: Vec<Token>,
}

/// A token to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for
    name: String,
    /// viewer, analyst, operator, destination-admin, privacy or admin
    role: String,
    /// How long it lives
    #[schemars(range(min = 1, max = 3650))]
    days: u32,
}

/// A token that was made.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    token: Token,
    /// To be sent as `Authorization: Bearer …`; it is not shown again
    secret: String,
}

pub(crate) async fn set_up(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let SetUp { secret, name, password } = ask.json()?;
    let now = ambient::now();
    let new = sign_in::with_hashing(&app, move || access::user(&name, Role::Admin, &password, now));
    let new = new.await?.map_err(invalid)?;
    if !app.shared.ledger.use_setup_link(&access::digest(&secret), &new).await? {
        return Err(Problem::new(Code::Forbidden, "The link was used, or is too old.")
            .hint("While there is no user, each start of the server prints a new one."));
    }
    Ok(Reply::json(&User::of(&new))?.with_status(StatusCode::CREATED))
}

pub(crate) async fn begin_session(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let SignIn { name, password } = ask.json()?;
    let (role, begun) = sign_in::sign_in(&app, &name, password, ambient::now()).await?;
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200",
        begun.cookie
    );
    let role = role.as_str().to_owned();
    let mut reply = Reply::json(&Session { name, role, guard: begun.guard })?;
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        reply.headers.insert(header::SET_COOKIE, value);
    }
    Ok(reply.with_status(StatusCode::CREATED))
}

pub(crate) async fn session(_: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let role = ask.actor.role.unwrap_or(Role::Viewer);
    Reply::json(&Who {
        name: ask.actor.name,
        role: role.as_str().to_owned(),
        may: routes::allowed(role).into_iter().map(str::to_owned).collect(),
    })
}

pub(crate) async fn end_session(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    if let Some(session) = &ask.actor.session {
        sign_in::sign_out(&app, session, ambient::now()).await?;
    }
    Ok(Reply::nothing())
}

pub(crate) async fn users(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let users = app.shared.ledger.users().await?;
    Reply::json(&Users { items: users.iter().map(User::of).collect() })
}

pub(crate) async fn add_user(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewUser { name, password, role } = ask.json()?;
    let (role, now) = (role_of(&role)?, ambient::now());
    let new = sign_in::with_hashing(&app, move || access::user(&name, role, &password, now));
    let new = new.await?.map_err(invalid)?;
    if !app.shared.ledger.add_user(&new).await? {
        return Err(Problem::new(
            Code::Conflict,
            format!("There is a user `{}` already.", new.name),
        ));
    }
    Ok(Reply::json(&User::of(&new))?.with_status(StatusCode::CREATED))
}

pub(crate) async fn change_user(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let ChangedUser { password, role } = ask.json()?;
    let name = ask.parameter("name").to_owned();
    let (role, now) = (role_of(&role)?, ambient::now());
    let Some(known) = app.shared.ledger.user(&name).await? else {
        return Err(Problem::not_found("user", &name));
    };
    check_last_admin(&app, &name, Some(role)).await?;
    let new = match password {
        None => ledger::User { role: role.as_str().to_owned(), ..known },
        Some(password) => {
            let of_user = name.clone();
            let new =
                sign_in::with_hashing(&app, move || access::user(&of_user, role, &password, now));
            ledger::User { created: known.created, ..new.await?.map_err(invalid)? }
        }
    };
    app.shared.ledger.change_user(&name, &new.role, &new.password, now).await?;
    Reply::json(&User::of(&new))
}

pub(crate) async fn remove_user(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let name = ask.parameter("name");
    check_last_admin(&app, name, None).await?;
    if !app.shared.ledger.remove_user(name).await? {
        return Err(Problem::not_found("user", name));
    }
    Ok(Reply::nothing())
}

/// Without an admin nobody could make users any more.
async fn check_last_admin(app: &App, name: &str, becomes: Option<Role>) -> Result<(), Problem> {
    let users = app.shared.ledger.users().await?;
    let admins: Vec<&str> = users
        .iter()
        .filter(|user| user.role == Role::Admin.as_str())
        .map(|user| user.name.as_str())
        .collect();
    if admins == [name] && becomes != Some(Role::Admin) {
        return Err(Problem::new(Code::Conflict, "This is the last admin.")
            .hint("Make another user admin first."));
    }
    Ok(())
}

pub(crate) async fn tokens(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let tokens = app.shared.ledger.tokens().await?;
    Reply::json(&Tokens { items: tokens.iter().map(Token::of).collect() })
}

/// Makes a token. Its text is told once: the same request under the same idempotency key makes none.
pub(crate) async fn add_token(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewToken { name, role, days } = ask.json()?;
    let role = role_of(&role)?;
    let (now, ledger) = (ambient::now(), &app.shared.ledger);
    let key = once::key(&ask)?;
    let _turn = app.keyed.lock().await;
    if let Some(key) = &key
        && let Some(made) = once::answered(ledger, &ask, key).await?
    {
        let detail = format!("This request made the token {made} already.");
        return Err(Problem::new(Code::Conflict, detail)
            .hint("Its text was told once. If nobody has it, revoke the token and make another."));
    }
    let made = access::make_token(ledger, &name, role, days, &ask.actor.name, now).await;
    let (token, secret) = made.map_err(invalid)?;
    if let Some(key) = &key {
        once::keep(ledger, &ask, key, &format!("`{name}` ({})", token.id), now).await?;
    }
    let made = MadeToken { token: Token::of(&token), secret };
    Ok(Reply::json(&made)?.with_status(StatusCode::CREATED))
}

pub(crate) async fn remove_token(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let id = ask.parameter("id");
    if !app.shared.ledger.remove_token(id).await? {
        return Err(Problem::not_found("token", id));
    }
    Ok(Reply::nothing())
}

fn role_of(word: &str) -> Result<Role, Problem> {
    Role::parse(word)
        .ok_or_else(|| Problem::at_member("/role", format!("`role` is one of {}.", Role::words())))
}

/// What does not do is the asker's to correct.
fn invalid(failure: crate::failure::Failure) -> Problem {
    if failure.kind != crate::failure::Kind::Usage {
        return failure.into();
    }
    let member = match failure.message.as_str() {
        told if told.contains("password") => "/password",
        told if told.starts_with("a token lives") => "/days",
        _ => "/name",
    };
    Problem::at_member(member, failure.message).first_of(failure.hints)
}

impl User {
    fn of(user: &ledger::User) -> Self {
        Self {
            name: user.name.clone(),
            role: user.role.clone(),
            created_at: user.created.to_string(),
        }
    }
}

impl Token {
    fn of(token: &ledger::Token) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            role: token.role.clone(),
            created_at: token.created.to_string(),
            created_by: token.creator.clone(),
            expires_at: token.expires.to_string(),
            last_used_at: token.last_used.map(|at| at.to_string()),
        }
    }
}
