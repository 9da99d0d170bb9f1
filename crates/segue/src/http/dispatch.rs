//! What every request goes through, in this order: how much is asked, by which host, from which site,
//! page or route, who asks, may they, how large is it; then the answer, its headers, and the audit log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use ledger::audit::Act;
use uuid::Uuid;

use super::asker::Presence;
use super::problem::{Code, Problem};
use super::request::{Ask, Body, Content, Reply};
use super::rights::Right;
use super::route::Route;
use super::sign_in::{self, Actor, Guard};
use super::{App, about, pages};
use crate::ambient;

/// The most bytes of a body.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Pages use the scripts and styles of this server, and ask this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// How long until an entry that could not be written is tried again.
const ENTER_AGAIN: Duration = Duration::from_secs(1);
/// How long a client may take for it.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Answers a request, whatever it is.
pub(crate) async fn answer(
    app: Arc<App>,
    address: IpAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let closed = app.closed();
    let reply = match reply(app, address, request).await {
        Ok(reply) => reply.until(closed),
        Err(problem) => problem.into(),
    };
    tracing::debug!(%method, path, status = reply.status.as_u16(), "answered");
    secured(reply)
}

async fn reply(
    app: Arc<App>,
    address: IpAddr,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let (parts, body) = request.into_parts();
    // Goes with this future, which is dropped when the connection is closed.
    let presence = Presence::new();
    app.requests.take(&address.to_string(), ambient::instant()).map_err(wait)?;
    check_host(&app, &parts.headers)?;
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    check_site(&app, &parts.headers, changes)?;
    if let Some(found) = app.pages.find(&parts.method, parts.uri.path()) {
        return pages::answer(&app, found, (address, presence.asker()), &parts, body).await;
    }
    let (route, parameters) = app.routes.find(&parts.method, parts.uri.path())?;
    let actor = match route.right {
        Right::Open => Actor::nobody(),
        _ => {
            let guard = if changes { Guard::of_header(&parts.headers) } else { Guard::NotAsked };
            sign_in::actor(&app, &parts.headers, guard, ambient::now()).await?
        }
    };
    let path = parts.uri.path().to_owned();
    permit(&app, route, &actor, address, &path).await?;
    let query = query(parts.uri.query().unwrap_or_default(), route)?;
    let body = read(body).await?;
    let ask = Ask {
        actor,
        asker: presence.asker(),
        headers: parts.headers,
        address: address.to_string(),
        path,
        parameters,
        query,
        body,
    };
    perform(&app, route, address, ask).await
}

fn wait(wait: Duration) -> Problem {
    Problem {
        retry_after: Some(wait.as_secs() + 1),
        ..Problem::new(Code::TooManyRequests, "Wait before you ask again.")
    }
}

/// Refuses what the role does not allow; a refused change is in the audit log.
pub(super) async fn permit(
    app: &App,
    route: &Route,
    actor: &Actor,
    address: IpAddr,
    path: &str,
) -> Result<(), Problem> {
    let Err(problem) = check_right(route, actor) else { return Ok(()) };
    if route.method != Method::GET && actor.role.is_some() {
        let act = act(route, actor, address, path, "forbidden".to_owned());
        app.shared.ledger.audit(&act, ambient::now()).await?;
    }
    Err(problem)
}

fn act(route: &Route, actor: &Actor, address: IpAddr, object: &str, outcome: String) -> Act {
    Act {
        actor: actor.name.clone(),
        address: address.to_string(),
        action: route.name.to_owned(),
        object: object.to_owned(),
        outcome,
    }
}

/// Does what a route does, for somebody who is known, and writes a change into the audit log. Pages
/// come this way too, so that they can do nothing else and nothing unseen.
pub(super) async fn perform(
    app: &Arc<App>,
    route: &'static Route,
    address: IpAddr,
    ask: Ask,
) -> Result<Reply, Problem> {
    permit(app, route, &ask.actor, address, &ask.path).await?;
    if route.name == "begin_session" || route.name == "set_up" {
        app.sign_ins.take(&address.to_string(), ambient::instant()).map_err(wait)?;
    }
    if route.method == Method::GET {
        return handled(app, route, ask).await;
    }
    let object = about::asked(app, route, &ask).await?;
    let act = act(route, &ask.actor, address, &object, String::new());
    // On a task of its own: whoever asked may go away, and the entry is written all the same.
    let app = Arc::clone(app);
    let done = tokio::spawn(async move { audited(&app, route, ask, act).await });
    done.await.unwrap_or_else(|_| Err(fault()))
}

async fn handled(app: &Arc<App>, route: &Route, ask: Ask) -> Result<Reply, Problem> {
    let handler = route.handler;
    // A handler that panics is a problem of its request only.
    let answered = tokio::spawn(handler(Arc::clone(app), ask)).await;
    answered.unwrap_or_else(|_| Err(fault()))
}

fn fault() -> Problem {
    Problem::new(Code::Internal, "A fault of Segue; the log of the server says where.")
}

/// Does what may change something. That it begins is in the ledger before, so that its entry in the audit
/// log comes in any case: now, when the database is back, or with the next start.
async fn audited(app: &Arc<App>, route: &Route, ask: Ask, act: Act) -> Result<Reply, Problem> {
    let id = ambient::id();
    app.shared.ledger.begin_act(id, &act, ambient::now()).await?;
    let answered = handled(app, route, ask).await;
    let outcome = match &answered {
        Ok(reply) => reply.status.as_u16().to_string(),
        Err(problem) => problem.code.facts().1.to_owned(),
    };
    let mut act = Act { outcome, ..act };
    if let Ok(reply) = &answered {
        act.object = about::done(route, act.object, reply);
    }
    if let ("begin_session" | "set_up", Ok(reply)) = (route.name, &answered) {
        // Nobody is known before.
        act.actor = name_in(reply).unwrap_or(act.actor);
    }
    if let Err(error) = app.shared.ledger.end_act(id, &act, ambient::now()).await {
        tracing::error!(%error, "the audit log cannot be written; the entry follows");
        entered_later(app, id, act);
    }
    answered
}

/// Who signed in, as the answer says.
fn name_in(reply: &Reply) -> Option<String> {
    let Content::Bytes(_, bytes) = &reply.content else { return None };
    let session: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    session["name"].as_str().map(str::to_owned)
}

/// Goes on trying to write an entry of the audit log. For more of them than may wait, the next start says
/// that what came of them is unknown.
fn entered_later(app: &Arc<App>, id: Uuid, act: Act) {
    let Ok(permit) = Arc::clone(&app.entries).try_acquire_owned() else { return };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let _permit = permit;
        loop {
            tokio::time::sleep(ENTER_AGAIN).await;
            if app.shared.ledger.end_act(id, &act, ambient::now()).await.is_ok() {
                return;
            }
        }
    });
}

/// A page of another site that made the browser resolve its own name to this machine is caught here.
fn check_host(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if app.hosts.contains(&host.to_lowercase()) {
        return Ok(());
    }
    Err(Problem::new(Code::WrongHost, "The `Host` header names another server.")
        .hint("Start the server with --host and the name by which it is called."))
}

/// A page of another site that makes the browser send requests is caught here.
fn check_site(app: &App, headers: &HeaderMap, changes: bool) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let cross = || Err(Problem::new(Code::CrossSite, "Requests of other sites are not answered."));
    if let Some(site) = text("sec-fetch-site") {
        // Following a link from elsewhere is no request of elsewhere's code.
        let is_visit = !changes && text("sec-fetch-mode") == Some("navigate");
        if !matches!(site, "same-origin" | "none") && !is_visit {
            return cross();
        }
    }
    match text("origin") {
        Some(origin) => {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            if app.hosts.contains(&host.to_lowercase()) { Ok(()) } else { cross() }
        }
        None => Ok(()),
    }
}

fn check_right(route: &Route, actor: &Actor) -> Result<(), Problem> {
    match (route.right, actor.role) {
        (Right::Open, _) => Ok(()),
        (_, None) => Err(Problem::new(Code::NotSignedIn, "This needs a token or a session.")),
        (right, Some(role)) if role.may(right) => Ok(()),
        (_, Some(role)) => {
            Err(Problem::new(Code::Forbidden, format!("The role {role} does not allow this.")))
        }
    }
}

/// A parameter that the route does not have would be without effect, and nobody would notice.
fn query(text: &str, route: &Route) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    for (position, (name, value)) in pairs.iter().enumerate() {
        let Some(known) = route.query.iter().find(|known| known.name == name) else {
            let names: Vec<&str> = route.query.iter().map(|known| known.name).collect();
            let hint = match names.as_slice() {
                [] => "This takes none.".to_owned(),
                names => format!("There are: {}.", names.join(", ")),
            };
            return Err(
                Problem::new(Code::UnknownParameter, "There is no such parameter.").hint(hint)
            );
        };
        if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
            return Err(Problem::new(Code::MalformedRequest, format!("`{name}` is given twice.")));
        }
        if !known.words.is_empty() && !known.words.contains(&value.as_str()) {
            let words = known.words.join(", ");
            return Err(Problem::at_parameter(name, format!("`{name}` is one of {words}.")));
        }
    }
    Ok(pairs)
}

pub(super) async fn read(body: Incoming) -> Result<Bytes, Problem> {
    let limited = Limited::new(body, BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIME_MAX, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::TooLarge, "A body has at most 1 MiB."))
        }
        Ok(Err(_)) | Err(_) => {
            Err(Problem::new(Code::MalformedRequest, "The body did not arrive whole."))
        }
    }
}

/// What every answer tells the browser: no sniffing, no frames, nothing from elsewhere, and nothing kept
/// but what the answer itself allows to be kept.
pub(super) fn secured(reply: Reply) -> Response<Body> {
    let is_page = matches!(&reply.content, Content::Bytes("text/html; charset=utf-8", _));
    let mut response = reply.into_response();
    let policy = if is_page { PAGE_POLICY } else { "default-src 'none'; frame-ancestors 'none'" };
    // Without a referrer browsers say that forms come from `null`, and those are refused.
    let referrer = if is_page { "same-origin" } else { "no-referrer" };
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", referrer),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
