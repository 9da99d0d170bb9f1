//! Somebody at a page: who it is, how they read, what they sent.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ui::page::message::Message;
use ui::page::settings::Role as RoleName;
use ui::shell::{Notice, Place, Said, Scheme, Viewer};
use ui::{Lang, Locale, Markup, Shell};

use crate::ambient;
use crate::app::access;
use crate::http::answers::once;
use crate::http::asker::Asker;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Content, Reply};
use crate::http::rights::{Right, Role};
use crate::http::routes::{self, Parameters};
use crate::http::sign_in::{self, Actor};
use crate::http::{App, dispatch};
use crate::web::{self, Look};
use crate::workspace::Workspace;

/// The cookies that remember how somebody reads.
pub(super) const LANG_COOKIE: &str = "segue-lang";
pub(super) const SCHEME_COOKIE: &str = "segue-scheme";
/// Set by the script of the pages: the time zone of the browser.
const ZONE_COOKIE: &str = "segue-zone";
/// Carries what was done to the page that follows.
const SAID_COOKIE: &str = "segue-said";
/// How many runs a page of the list holds.
const RUNS_LISTED: u32 = 50;
/// Names of places in the menu, with what each needs.
const PLACES: [(Place, Right); 8] = [
    (Place::Home, Right::Read),
    (Place::Runs, Right::Read),
    (Place::Activations, Right::Read),
    (Place::Destinations, Right::Read),
    (Place::Segments, Right::Read),
    (Place::Profiles, Right::Analyse),
    (Place::Audit, Right::Audit),
    (Place::Settings, Right::Read),
];

/// Somebody at a page.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) app: Arc<App>,
    pub(super) address: IpAddr,
    asker: Asker,
    pub(super) actor: Actor,
    pub(super) headers: HeaderMap,
    /// Without the query.
    pub(super) path: String,
    pub(super) parameters: Parameters,
    query_text: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    notice: Option<Notice>,
}

impl Visit {
    pub(super) fn new(
        app: &Arc<App>,
        (address, asker): (IpAddr, Asker),
        parts: &Parts,
        parameters: Parameters,
        form: Vec<(String, String)>,
    ) -> Self {
        let query_text = parts.uri.query().unwrap_or_default().to_owned();
        let said = sign_in::cookie_named(&parts.headers, SAID_COOKIE).and_then(Said::parse);
        Self {
            app: Arc::clone(app),
            address,
            asker,
            actor: Actor::nobody(),
            headers: parts.headers.clone(),
            path: parts.uri.path().to_owned(),
            parameters,
            query: fields(query_text.as_bytes()),
            query_text,
            form,
            notice: said.map(Notice::Done),
        }
    }

    /// The same person at the page before, with why nothing was done.
    pub(super) fn back_at(&self, path: &str, problem: &Problem) -> Self {
        let notice = Notice::Problem {
            code: problem.code.facts().1.to_owned(),
            detail: problem.detail.clone(),
            hint: problem.hint.clone(),
        };
        Self {
            path: path.to_owned(),
            query_text: String::new(),
            query: Vec::new(),
            notice: Some(notice),
            ..self.clone()
        }
    }

    /// A part of the path.
    pub(super) fn parameter(&self, name: &str) -> &str {
        value_of(&self.parameters, name)
    }

    /// A parameter of the query, if it says something.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        Some(value_of(&self.query, name)).filter(|value| !value.is_empty())
    }

    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> &str {
        value_of(&self.form, name)
    }

    /// All fields of the form.
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.form
    }

    /// Whether only the part of the page is wanted that answers what somebody types.
    pub(super) fn is_part(&self) -> bool {
        self.headers.get("x-segue-part").is_some()
    }

    pub(super) fn may(&self, right: Right) -> bool {
        right == Right::Open || self.actor.role.is_some_and(|role| role.may(right))
    }

    /// Whether the visitor may do what an operation of the API does.
    pub(super) fn may_do(&self, operation: &str) -> bool {
        routes::Table::named(operation).is_some_and(|route| self.may(route.right))
    }

    /// What was done before this page.
    pub(super) fn said(&self) -> Option<Said> {
        match self.notice {
            Some(Notice::Done(said)) => Some(said),
            _ => None,
        }
    }

    pub(super) fn lang(&self) -> Lang {
        let header = self.headers.get(header::ACCEPT_LANGUAGE);
        let header = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
        sign_in::cookie_named(&self.headers, LANG_COOKIE)
            .and_then(Lang::of_tag)
            .unwrap_or_else(|| Lang::of_header(header))
    }

    pub(super) fn scheme(&self) -> Scheme {
        sign_in::cookie_named(&self.headers, SCHEME_COOKIE)
            .and_then(Scheme::parse)
            .unwrap_or_default()
    }

    pub(super) fn locale(&self) -> Locale {
        let zone = sign_in::cookie_named(&self.headers, ZONE_COOKIE)
            .and_then(|name| TimeZoneDatabase::bundled().get(&name.replace("%2F", "/")).ok())
            .unwrap_or(TimeZone::UTC);
        Locale { lang: self.lang(), zone, now: ambient::now() }
    }

    /// The address of this page, to come back to.
    pub(super) fn here(&self) -> String {
        match self.query_text.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    pub(super) fn csrf(&self) -> String {
        sign_in::cookie(&self.headers).map(access::guard_of).unwrap_or_default()
    }

    /// What pages are made from.
    pub(super) async fn look<'a>(&'a self, workspace: &'a Workspace) -> Result<Look<'a>, Problem> {
        let ledger = &self.app.shared.ledger;
        let disabled = ledger.disabled().await?;
        Ok(Look {
            workspace,
            ledger,
            now: ambient::now(),
            zone: self.locale().zone,
            limit: RUNS_LISTED,
            disabled: disabled.into_iter().map(|it| it.activation).collect(),
            next_attempts: ledger.next_attempts().await?,
            may: web::May {
                run: self.may_do("run_activation"),
                check: self.may_do("check_destination"),
                count: self.may_do("count_segment"),
                connect: self.may_do("add_destination"),
                activate: self.may_do("add_activation"),
                define: self.may_do("add_segment"),
            },
            late_after: self.app.shared.rules().late_after,
            gauges: Some(&self.app.shared.gauges),
            asked: Some(web::Asked {
                from: self.query("from").and_then(|it| it.parse().ok()).unwrap_or_default(),
                find: self.query("find").unwrap_or_default().to_owned(),
            }),
        })
    }

    /// The frame of a page.
    pub(super) async fn shell(&self, look: &Look<'_>) -> Result<Shell, Problem> {
        let role = self.actor.role.unwrap_or(Role::Viewer);
        let places = PLACES.iter().filter(|(_, right)| self.may(*right));
        Ok(Shell {
            locale: self.locale(),
            scheme: self.scheme(),
            viewer: Some(Viewer {
                name: self.actor.name.clone(),
                role: role_name(role).name(self.lang()).to_owned(),
                csrf: self.csrf(),
            }),
            project: look.workspace.project.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            places: places.map(|(place, _)| *place).collect(),
            attention: web::attention(look).await?,
            here: self.here(),
            notice: self.notice.clone(),
        })
    }

    /// Does what an operation of the API does, as the visitor.
    pub(super) async fn perform(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Reply, Problem> {
        self.perform_with(operation, parameters, Vec::new(), super::json_headers(), body).await
    }

    /// The same at most once for a form, which brings a key of its own: sent again, as browsers do when a
    /// page is loaded again, it is refused.
    pub(super) async fn ask_once<T: DeserializeOwned>(
        &self,
        operation: &str,
        body: Value,
    ) -> Result<T, Problem> {
        let mut headers = super::json_headers();
        let key = HeaderValue::from_str(self.field("form")).ok().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            Problem::new(Code::MalformedRequest, "The form has no key.")
                .hint("Open the page again.")
        })?;
        headers.insert(once::HEADER, key);
        value(&self.perform_with(operation, &[], Vec::new(), headers, Some(body)).await?)
    }

    /// The same for an object that is kept here, for the version that the visitor saw.
    pub(super) async fn edit(
        &self,
        operation: &str,
        key: &str,
        revision: &str,
        body: Option<Value>,
    ) -> Result<Reply, Problem> {
        let mut headers = super::json_headers();
        // What is no number is no version either, and is answered so.
        let seen: String = revision.chars().filter(char::is_ascii_digit).collect();
        if let Ok(seen) = HeaderValue::from_str(&format!("\"{seen}\"")) {
            headers.insert(header::IF_MATCH, seen);
        }
        self.perform_with(operation, &[("key", key)], Vec::new(), headers, body).await
    }

    async fn perform_with(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        query: Vec<(String, String)>,
        headers: HeaderMap,
        body: Option<Value>,
    ) -> Result<Reply, Problem> {
        let route = routes::Table::named(operation).ok_or_else(|| {
            Problem::new(Code::Internal, "A fault of Segue; the log of the server says where.")
        })?;
        let parameters: Parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let ask = Ask {
            actor: self.actor.clone(),
            asker: self.asker.clone(),
            headers,
            address: self.address.to_string(),
            path: filled(route.path, &parameters),
            parameters,
            query,
            body: body.map(|body| body.to_string()).unwrap_or_default().into(),
        };
        dispatch::perform(&self.app, route, self.address, ask).await
    }

    /// What an operation of the API that changes nothing gives, as a value.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        operation: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Problem> {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers = super::json_headers();
        value(&self.perform_with(operation, &[], query.collect(), headers, None).await?)
    }

    /// Does what an operation of the API does, and gives its answer as a value.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<T, Problem> {
        value(&self.perform(operation, parameters, body).await?)
    }

    /// A page as an answer. What was said is said once.
    pub(super) fn draw(&self, page: Markup) -> Reply {
        let mut reply = html(page);
        if sign_in::cookie_named(&self.headers, SAID_COOKIE).is_some() {
            set_cookie(&mut reply, &format!("{SAID_COOKIE}=; Path=/; Max-Age=0"));
        }
        reply
    }

    pub(super) async fn missing(&self) -> Result<Reply, Problem> {
        self.message(&Message::NotFound, StatusCode::NOT_FOUND).await
    }

    pub(super) async fn not_allowed(&self) -> Result<Reply, Problem> {
        self.message(&Message::NotAllowed, StatusCode::FORBIDDEN).await
    }

    pub(super) async fn failed(&self, problem: Problem) -> Result<Reply, Problem> {
        let message = Message::Failed {
            message: problem.detail.clone(),
            hints: problem.hint.clone().into_iter().collect(),
        };
        self.message(&message, problem.code.status()).await
    }

    async fn message(&self, message: &Message, status: StatusCode) -> Result<Reply, Problem> {
        let workspace = self.app.shared.workspace();
        let look = self.look(&workspace).await?;
        let shell = self.shell(&look).await?;
        Ok(html(message.draw(&shell)).with_status(status))
    }
}

/// An answer of the API as a value.
fn value<T: DeserializeOwned>(reply: &Reply) -> Result<T, Problem> {
    let Content::Bytes(_, bytes) = &reply.content else {
        return Err(Problem::new(Code::Internal, "The answer is empty."));
    };
    serde_json::from_slice(bytes)
        .map_err(|_| Problem::new(Code::Internal, "The answer cannot be read."))
}

/// The name of a role in the pages.
pub(super) fn role_name(role: Role) -> RoleName {
    match role {
        Role::Viewer => RoleName::Viewer,
        Role::Analyst => RoleName::Analyst,
        Role::Operator => RoleName::Operator,
        Role::DestinationAdmin => RoleName::DestinationAdmin,
        Role::Privacy => RoleName::Privacy,
        Role::Admin => RoleName::Admin,
    }
}

/// The fields of a form or a query.
pub(super) fn fields(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// A path with its `{names}` filled in.
pub(super) fn filled(path: &str, parameters: &Parameters) -> String {
    parameters.iter().fold(path.to_owned(), |path, (name, value)| {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        path.replace(&format!("{{{name}}}"), &value.replace('+', "%20"))
    })
}

/// A page as an answer.
pub(super) fn html(page: Markup) -> Reply {
    Reply::text("text/html; charset=utf-8", page.0)
}

/// Leads on to another page of this server.
pub(super) fn see_other(path: &str) -> Reply {
    let mut reply = Reply::of(Content::Nothing).with_status(StatusCode::SEE_OTHER);
    if let Ok(value) = HeaderValue::from_str(path) {
        reply.headers.insert(header::LOCATION, value);
    }
    reply
}

/// The same, and says there what was done.
pub(super) fn done(path: &str, said: Said) -> Reply {
    let mut reply = see_other(path);
    let cookie =
        format!("{SAID_COOKIE}={}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict", said.as_str());
    set_cookie(&mut reply, &cookie);
    reply
}

pub(super) fn set_cookie(reply: &mut Reply, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        reply.headers.append(header::SET_COOKIE, value);
    }
}
