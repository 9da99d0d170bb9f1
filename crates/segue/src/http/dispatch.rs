//! What every request goes through, in this order: how much is asked, by which host, from which site,
//! which route, who asks, may they, how large is it; then the answer, its headers, and the audit log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use ledger::audit::Act;

use super::App;
use super::problem::{Code, Problem};
use super::request::{Ask, Body, Content, Reply};
use super::rights::Right;
use super::route::Route;
use super::sign_in::{self, Actor};
use crate::ambient;

/// The most bytes of a body.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Pages use the scripts and styles of this server, and ask this server.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
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
    let reply = match reply(app, address, request).await {
        Ok(reply) => reply,
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
    let wait = |wait: Duration| Problem {
        retry_after: Some(wait.as_secs() + 1),
        ..Problem::new(Code::TooManyRequests, "Wait before you ask again.")
    };
    app.requests.take(&address.to_string(), ambient::instant()).map_err(wait)?;
    check_host(&app, &parts.headers)?;
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    check_site(&app, &parts.headers, changes)?;
    let (route, parameters) = app.routes.find(&parts.method, parts.uri.path())?;
    let now = ambient::now();
    let actor = match route.right {
        Right::Open => Actor::nobody(),
        _ => sign_in::actor(&app, &parts.headers, changes, now).await?,
    };
    let allowed = check_right(route, &actor);
    let act = |outcome: String| Act {
        actor: actor.name.clone(),
        address: address.to_string(),
        action: route.name.to_owned(),
        object: parts.uri.path().to_owned(),
        outcome,
    };
    if let Err(problem) = allowed {
        if changes && actor.role.is_some() {
            app.shared.ledger.audit(&act("forbidden".to_owned()), now).await?;
        }
        return Err(problem);
    }
    let query = query(parts.uri.query().unwrap_or_default(), route)?;
    if route.name == "begin_session" || route.name == "set_up" {
        app.sign_ins.take(&address.to_string(), ambient::instant()).map_err(wait)?;
    }
    let body = read(body).await?;
    let ask = Ask {
        actor: actor.clone(),
        headers: parts.headers.clone(),
        address: address.to_string(),
        path: parts.uri.path().to_owned(),
        parameters,
        query,
        body,
    };
    let handler = route.handler;
    // A handler that panics is a problem of its request only.
    let answered = tokio::spawn(handler(Arc::clone(&app), ask)).await;
    let answered = answered.unwrap_or_else(|_| {
        Err(Problem::new(Code::Internal, "A fault of Segue; the log of the server says where."))
    });
    if changes {
        let outcome = match &answered {
            Ok(reply) => reply.status.as_u16().to_string(),
            Err(problem) => problem.code.facts().1.to_owned(),
        };
        app.shared.ledger.audit(&act(outcome), ambient::now()).await?;
    }
    answered
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
            return Err(Problem::new(Code::InvalidValue, format!("`{name}` is one of {words}.")));
        }
    }
    Ok(pairs)
}

async fn read(body: Incoming) -> Result<Bytes, Problem> {
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

/// What every answer tells the browser: no sniffing, no frames, nothing from elsewhere, nothing kept.
fn secured(reply: Reply) -> Response<Body> {
    let is_page = matches!(&reply.content, Content::Bytes("text/html; charset=utf-8", _));
    let mut response = reply.into_response();
    let policy = if is_page { PAGE_POLICY } else { "default-src 'none'; frame-ancestors 'none'" };
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
