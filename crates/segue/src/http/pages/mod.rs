//! The pages: what people see and press. A second table beside the one of routes, because pages are no
//! API: each page names the operation of the API whose right it needs, and whatever a page changes it
//! changes by that operation (`dispatch::perform`). A test walks both tables.
//!
//! Reading order: [`PAGES`] is the table, [`visit`] somebody at a page, and then one file for each group
//! of pages: [`door`] lets people in, [`views`] show, [`acts`] change.

mod accounts;
mod activate;
mod acts;
mod checks;
mod connect;
mod door;
mod edits;
mod live;
mod people;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod views;
mod visit;
mod wizard;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, Method};
use hyper::body::Incoming;

use super::asker::Asker;
use super::problem::{Code, Problem};
use super::request::Reply;
use super::rights::Right;
use super::route::Route;
use super::routes::{self, Parameters, ROUTES};
use super::sign_in::{self, Actor, Guard};
use super::{App, dispatch};
use crate::ambient;
use visit::Visit;

/// What answers a page.
type Handler = fn(Visit) -> BoxFuture<'static, Result<Reply, Problem>>;

/// A page, or what a form of one does.
pub(super) struct Page {
    method: Method,
    /// With `{name}` for what varies.
    path: &'static str,
    /// The operation of the API that this is a face of; without one it tells and changes nothing.
    operation: Option<&'static str>,
    /// The page that is shown again when it was not done.
    back: &'static str,
    handler: Handler,
}

/// A page that shows something.
macro_rules! show {
    ($path:literal, $operation:expr, $handler:path) => {
        Page {
            method: Method::GET,
            path: $path,
            operation: $operation,
            back: "",
            handler: |visit| Box::pin($handler(visit)),
        }
    };
}

/// What a form does.
macro_rules! act {
    ($path:literal, $operation:expr, $back:literal, $handler:path) => {
        Page {
            method: Method::POST,
            path: $path,
            operation: $operation,
            back: $back,
            handler: |visit| Box::pin($handler(visit)),
        }
    };
}

/// The table.
const PAGES: &[Page] = &[
    show!("/assets/{name}", None, door::asset),
    show!("/favicon.ico", None, door::favicon),
    act!("/preferences", None, "/", door::preferences),
    show!("/sign-in", Some("begin_session"), door::sign_in_page),
    act!("/sign-in", Some("begin_session"), "/sign-in", door::sign_in),
    act!("/sign-out", Some("end_session"), "/", door::sign_out),
    show!("/setup", Some("set_up"), door::set_up_page),
    act!("/setup", Some("set_up"), "/setup", door::set_up),
    show!("/", Some("list_runs"), views::page),
    show!("/runs", Some("list_runs"), views::runs),
    show!("/choices/segments", Some("list_segments"), views::segment_choices),
    show!("/runs/{id}", Some("get_run"), views::page),
    show!("/runs/{id}/live", Some("run_events"), live::events),
    act!("/runs/{id}/retry", Some("run_activation"), "/runs/{id}", acts::retry),
    act!("/runs/{id}/again", Some("run_activation"), "/runs/{id}", acts::again),
    act!("/runs/{id}/replay", Some("replay_run"), "/runs/{id}", acts::replay),
    act!("/runs/{id}/release", Some("release_run"), "/runs/{id}", acts::release),
    act!("/runs/{id}/reject", Some("reject_run"), "/runs/{id}", acts::reject),
    show!("/activations", Some("list_activations"), views::page),
    show!("/activations/{key}", Some("get_activation"), views::page),
    act!("/activations/{key}/run", Some("run_activation"), "/activations/{key}", acts::run),
    act!("/activations/{key}/pause", Some("disable_activation"), "/activations/{key}", acts::pause),
    act!(
        "/activations/{key}/enable",
        Some("enable_activation"),
        "/activations/{key}",
        acts::enable
    ),
    show!("/activations/{key}/edit", Some("change_activation"), activate::begin_change),
    show!("/activations/{key}/edit/{step}", Some("change_activation"), activate::page),
    act!(
        "/activations/{key}/edit/{step}",
        Some("change_activation"),
        "/activations/{key}/edit/{step}",
        activate::step
    ),
    act!(
        "/activations/{key}/remove",
        Some("remove_activation"),
        "/activations/{key}",
        edits::remove_activation
    ),
    show!("/destinations", Some("list_destinations"), views::page),
    show!("/destinations/{key}", Some("get_destination"), views::page),
    act!(
        "/destinations/{key}/check",
        Some("check_destination"),
        "/destinations/{key}",
        acts::check
    ),
    act!(
        "/destinations/{key}/check/live",
        Some("check_destination_events"),
        "/destinations/{key}",
        checks::live
    ),
    show!("/destinations/{key}/edit", Some("change_destination"), connect::begin_change),
    show!("/destinations/{key}/edit/{step}", Some("change_destination"), connect::page),
    act!(
        "/destinations/{key}/edit/{step}",
        Some("change_destination"),
        "/destinations/{key}/edit/{step}",
        connect::step
    ),
    act!(
        "/destinations/{key}/remove",
        Some("remove_destination"),
        "/destinations/{key}",
        edits::remove_destination
    ),
    show!("/accounts/{key}", Some("get_account"), views::page),
    show!("/accounts/{key}/edit", Some("change_account"), accounts::edit),
    act!("/accounts/{key}/edit", Some("change_account"), "/accounts/{key}/edit", accounts::change),
    act!(
        "/accounts/{key}/remove",
        Some("remove_account"),
        "/accounts/{key}",
        edits::remove_account
    ),
    show!("/connect", Some("add_destination"), connect::begin),
    show!("/connect/{step}", Some("add_destination"), connect::page),
    act!("/connect/{step}", Some("add_destination"), "/connect/{step}", connect::step),
    show!("/activate", Some("add_activation"), activate::begin),
    show!("/activate/{step}", Some("add_activation"), activate::page),
    act!("/activate/{step}", Some("add_activation"), "/activate/{step}", activate::step),
    show!("/segments", Some("list_segments"), views::page),
    act!("/segments", Some("add_segment"), "/rule", rules::add),
    show!("/segments/{key}", Some("get_segment"), views::page),
    show!("/segments/{key}/sample", Some("try_rule"), rules::sample),
    show!("/segments/{key}/edit", Some("change_segment"), rules::edit),
    act!("/segments/{key}/edit", Some("change_segment"), "/segments/{key}/edit", rules::change),
    act!(
        "/segments/{key}/remove",
        Some("remove_segment"),
        "/segments/{key}",
        edits::remove_segment
    ),
    act!("/segments/{key}/count", Some("count_segment"), "/segments/{key}", acts::count),
    show!("/fields", Some("get_schema"), rules::all_fields),
    act!("/fields/shares", Some("count_values"), "/rule", rules::shares),
    show!("/rule", Some("try_rule"), rules::page),
    act!("/rule", Some("try_rule"), "/rule", rules::tried),
    show!("/profiles", Some("look_up_person"), people::page),
    act!("/profiles", Some("look_up_person"), "/profiles", people::look_up),
    show!("/audit", Some("list_audit"), views::audit),
    show!("/settings", Some("get_server"), settings::page),
    act!("/settings/users", Some("add_user"), "/settings", settings::add_user),
    act!("/settings/users/{name}", Some("change_user"), "/settings", settings::change_user),
    act!("/settings/roles", Some("change_user"), "/settings", settings::change_role),
    act!("/settings/users/{name}/remove", Some("remove_user"), "/settings", settings::remove_user),
    act!("/settings/alerts", Some("set_alert_channels"), "/settings", settings::set_channels),
    act!("/settings/secrets", Some("put_secret"), "/settings", settings::put_secret),
    act!("/settings/secrets/remove", Some("remove_secret"), "/settings", settings::remove_secret),
    act!("/settings/tokens", Some("add_token"), "/settings", settings::add_token),
    act!("/settings/tokens/{id}/revoke", Some("remove_token"), "/settings", settings::revoke),
];

impl Page {
    fn route(&self) -> Option<&'static Route> {
        self.operation.and_then(routes::Table::named)
    }

    /// What it needs. A page whose operation is not in the table is for nobody.
    fn right(&self) -> Right {
        match self.operation {
            None => Right::Open,
            Some(_) => self.route().map_or(Right::Administer, |route| route.right),
        }
    }
}

/// The table, made to be searched.
pub(super) struct Table {
    paths: matchit::Router<HashMap<Method, &'static Page>>,
}

/// Where a request leads among the pages.
pub(super) struct Found {
    page: Option<&'static Page>,
    parameters: Parameters,
}

impl Table {
    pub(super) fn new() -> Self {
        let mut by_path: HashMap<&str, HashMap<Method, &'static Page>> = HashMap::new();
        for page in PAGES {
            by_path.entry(page.path).or_default().insert(page.method.clone(), page);
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in by_path {
            // The test `every_page_is_reached` would fail.
            drop(paths.insert(path, methods));
        }
        Self { paths }
    }

    /// Finds the page of a request; nothing where the path belongs to the API.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Found> {
        let first = |path: &str| path.trim_start_matches('/').split('/').next().map(str::to_owned);
        if ROUTES.iter().any(|route| first(route.path) == first(path)) {
            return None;
        }
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let missing = Found { page: None, parameters: Vec::new() };
        let Ok(matched) = self.paths.at(path) else { return Some(missing) };
        let page = matched.value.get(wanted).copied();
        Some(Found { page, parameters: routes::decoded(&matched.params) })
    }
}

/// Answers a request for a page. Whatever goes wrong becomes a page, too.
pub(super) async fn answer(
    app: &Arc<App>,
    found: Found,
    (address, asker): (IpAddr, Asker),
    parts: &Parts,
    body: Incoming,
) -> Result<Reply, Problem> {
    let changes = parts.method == Method::POST;
    if !changes && !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Problem::other_method(&["GET", "HEAD", "POST"]));
    }
    let form = if changes { visit::fields(&dispatch::read(body).await?) } else { Vec::new() };
    let mut visit = Visit::new(app, (address, asker), parts, found.parameters, form);
    let right = found.page.map_or(Right::SignedIn, Page::right);
    if right != Right::Open {
        let token = visit.field("csrf").to_owned();
        let guard = if changes { Guard::Brought(Some(&token)) } else { Guard::NotAsked };
        match sign_in::actor(app, &parts.headers, guard, ambient::now()).await {
            Ok(actor) if actor.role.is_some() => visit.actor = actor,
            Ok(_) => return Ok(door::way_in(&visit)),
            Err(problem) if problem.code == Code::NotSignedIn => return Ok(door::way_in(&visit)),
            Err(problem) => {
                // Who it is is known from the cookie; only the form was not good.
                let known = sign_in::actor(app, &parts.headers, Guard::NotAsked, ambient::now());
                visit.actor = known.await.unwrap_or_else(|_| Actor::nobody());
                return visit.failed(problem).await;
            }
        }
    }
    let Some(page) = found.page else { return visit.missing().await };
    if !visit.may(right) {
        if let Some(route) = page.route().filter(|_| changes) {
            let path = parts.uri.path();
            // It is refused below in any case; this writes it down.
            drop(dispatch::permit(app, route, &visit.actor, address, path).await);
        }
        return visit.not_allowed().await;
    }
    open(page, visit).await
}

/// Opens a page, and shows the page before again if something was not done.
async fn open(page: &'static Page, visit: Visit) -> Result<Reply, Problem> {
    let again = visit.clone();
    // A handler that panics is a problem of its request only.
    let answered = tokio::spawn((page.handler)(visit)).await;
    let problem = match answered {
        Ok(Ok(reply)) => return Ok(reply),
        Ok(Err(problem)) => problem,
        Err(_) => {
            Problem::new(Code::Internal, "A fault of Segue; the log of the server says where.")
        }
    };
    if page.right() == Right::Open {
        return Err(problem);
    }
    if page.method == Method::GET {
        return match problem.code {
            Code::NotFound => again.missing().await,
            _ => again.failed(problem).await,
        };
    }
    let shown = PAGES.iter().find(|it| it.path == page.back && it.method == Method::GET);
    let Some(shown) = shown else { return again.failed(problem).await };
    let status = problem.code.status();
    let back = visit::filled(page.back, &again.parameters);
    match (shown.handler)(again.back_at(&back, &problem)).await {
        Ok(reply) => Ok(reply.with_status(status)),
        Err(_) => again.failed(problem).await,
    }
}

/// A header map that says that a body is JSON.
fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let json = http::HeaderValue::from_static("application/json");
    headers.insert(http::header::CONTENT_TYPE, json);
    headers
}
