//! The door: signing in and out, the first user, how somebody reads, and the files that pages need.

use http::header::{self, HeaderValue};
use serde_json::json;
use ui::page::sign_in::{Problem as Refusal, SignIn};
use ui::shell::{Said, Scheme};
use ui::{Lang, asset};

use super::visit::{LANG_COOKIE, SCHEME_COOKIE, Visit, done, html, see_other, set_cookie};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::http::sign_in::COOKIE;

/// How long a browser keeps how somebody reads: a year.
const PREFERENCE_SECONDS: u32 = 365 * 24 * 3_600;

/// Leads somebody who did not sign in to where that is done, and back afterwards.
///
/// The session's cookie is not sent when a link of another place is followed, so such a visit is begun
/// once more from here before anybody is asked for a password.
pub(super) fn way_in(visit: &Visit) -> Reply {
    let header = |name: &str| visit.headers.get(name).and_then(|value| value.to_str().ok());
    if header("sec-fetch-site") == Some("cross-site") {
        return html(ui::page::sign_in::once_more(visit.lang(), visit.scheme(), &visit.here()));
    }
    let next: String = url::form_urlencoded::byte_serialize(visit.here().as_bytes()).collect();
    match visit.here().as_str() {
        "/" => see_other("/sign-in"),
        _ => see_other(&format!("/sign-in?next={next}")),
    }
}

fn door(visit: &Visit, problem: Option<Refusal>) -> SignIn {
    let next = visit.query("next").unwrap_or_else(|| visit.field("next"));
    SignIn {
        lang: visit.lang(),
        scheme: visit.scheme(),
        user_name: visit.field("user").to_owned(),
        next: own(next).to_owned(),
        here: visit.here(),
        said: visit.said(),
        problem,
    }
}

/// An address of this server, and never one of another.
fn own(path: &str) -> &str {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\r', '\n', '\t']);
    if is_own { path } else { "/" }
}

pub(super) async fn sign_in_page(visit: Visit) -> Result<Reply, Problem> {
    if visit.app.shared.ledger.users().await?.is_empty() {
        return Ok(see_other("/setup"));
    }
    Ok(visit.draw(door(&visit, None).draw()))
}

pub(super) async fn sign_in(visit: Visit) -> Result<Reply, Problem> {
    let begun = begin(&visit, visit.field("user")).await;
    let mut begun = match begun {
        Ok(begun) => begun,
        Err(problem) => {
            let refusal = match problem.code {
                Code::SignInFailed => Refusal::Refused,
                _ => Refusal::Other(told(&problem)),
            };
            let page = door(&visit, Some(refusal)).draw();
            return Ok(html(page).with_status(problem.code.status()));
        }
    };
    let mut reply = see_other(own(visit.field("next")));
    if let Some(cookie) = begun.headers.remove(header::SET_COOKIE) {
        reply.headers.append(header::SET_COOKIE, cookie);
    }
    Ok(reply)
}

async fn begin(visit: &Visit, name: &str) -> Result<Reply, Problem> {
    let body = json!({ "name": name, "password": visit.field("password") });
    visit.perform("begin_session", &[], Some(body)).await
}

fn told(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{} {hint}", problem.detail),
        None => problem.detail.clone(),
    }
}

pub(super) async fn sign_out(visit: Visit) -> Result<Reply, Problem> {
    visit.perform("end_session", &[], None).await?;
    let mut reply = done("/sign-in", Said::SignedOut);
    set_cookie(&mut reply, &format!("{COOKIE}=; Path=/; Secure; HttpOnly; Max-Age=0"));
    Ok(reply)
}

pub(super) async fn set_up_page(visit: Visit) -> Result<Reply, Problem> {
    if !visit.app.shared.ledger.users().await?.is_empty() {
        return Ok(see_other("/sign-in"));
    }
    // What stands behind the # of the link is put into the form by the script; no log sees it.
    Ok(visit.draw(door(&visit, None).draw_set_up("")))
}

/// Makes the first user, and signs them in.
pub(super) async fn set_up(visit: Visit) -> Result<Reply, Problem> {
    let secret = visit.field("code").trim();
    let secret = secret.rsplit('#').next().unwrap_or(secret);
    let body = json!({
        "secret": secret, "name": visit.field("user"), "password": visit.field("password"),
    });
    let made = match visit.perform("set_up", &[], Some(body)).await {
        Ok(_) => begin(&visit, visit.field("user")).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(mut begun) => {
            let mut reply = see_other("/");
            if let Some(cookie) = begun.headers.remove(header::SET_COOKIE) {
                reply.headers.append(header::SET_COOKIE, cookie);
            }
            Ok(reply)
        }
        Err(problem) => {
            let page = door(&visit, Some(Refusal::Other(told(&problem)))).draw_set_up(secret);
            Ok(html(page).with_status(problem.code.status()))
        }
    }
}

/// Keeps the language and the colours in cookies of the browser.
pub(super) async fn preferences(visit: Visit) -> Result<Reply, Problem> {
    let mut reply = see_other(own(visit.field("next")));
    let mut keep = |name: &str, value: &str| {
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={PREFERENCE_SECONDS}; HttpOnly; SameSite=Lax");
        set_cookie(&mut reply, &cookie);
    };
    if let Some(lang) = Lang::of_tag(visit.field("lang")) {
        keep(LANG_COOKIE, lang.tag());
    }
    if let Some(scheme) = Scheme::parse(visit.field("scheme")) {
        keep(SCHEME_COOKIE, scheme.as_str());
    }
    Ok(reply)
}

/// A stylesheet, a script or an icon. The name changes with the content, so it may be kept for ever.
pub(super) async fn asset(visit: Visit) -> Result<Reply, Problem> {
    let name = visit.parameter("name");
    let asset = asset::find(name).ok_or_else(|| Problem::not_found("file", name))?;
    let mut reply = Reply::text(asset.content_type, asset.content);
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    reply.headers.insert(header::CACHE_CONTROL, kept);
    Ok(reply)
}

/// The icon, where browsers look for one that no page names. This name stays, so it is kept for a day.
pub(super) async fn favicon(_: Visit) -> Result<Reply, Problem> {
    let icon = asset::icon();
    let mut reply = Reply::text(icon.content_type, icon.content);
    let kept = HeaderValue::from_static("public, max-age=86400");
    reply.headers.insert(header::CACHE_CONTROL, kept);
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn nobody_is_led_to_another_place() {
        for path in ["/", "/runs?state=failed", "/segments/a%20b"] {
            assert_eq!(own(path), path);
        }
        for path in
            ["", "runs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"]
        {
            assert_eq!(own(path), "/", "{path}");
        }
    }
}
