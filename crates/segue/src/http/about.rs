//! Which thing an entry of the audit log is about: the path that was asked, with the name of what only the
//! answer or the ledger knows.

use http::{Method, StatusCode};
use serde_json::Value;

use super::App;
use super::problem::Problem;
use super::request::{Ask, Content, Reply};
use super::route::Route;

/// How many names an entry holds.
const NAMES_MAX: usize = 5;

/// What is known before it is done: the path, and what a token is called before it is gone.
pub(super) async fn asked(app: &App, route: &Route, ask: &Ask) -> Result<String, Problem> {
    let path = ask.path.clone();
    if route.name != "remove_token" {
        return Ok(path);
    }
    let tokens = app.shared.ledger.tokens().await?;
    let token = tokens.into_iter().find(|token| token.id == ask.parameter("id"));
    Ok(token.map_or_else(|| path.clone(), |token| format!("{path} {}", token.name)))
}

/// The same when it is done: with the key of what was made, or the names of what was done to several.
pub(super) fn done(route: &Route, object: String, reply: &Reply) -> String {
    let Content::Bytes(_, bytes) = &reply.content else { return object };
    let names = |said: &Value| match route.name {
        // Who came in is the actor.
        "begin_session" => None,
        "add_token" => {
            Some(format!("{object}/{} {}", said["id"].as_str()?, said["name"].as_str()?))
        }
        "evaluate_segments" => listed(&object, &said["items"], |it| text(&it["segment"])),
        "apply_objects" => listed(&object, &said["differences"], difference),
        _ if route.method == Method::POST && reply.status == StatusCode::CREATED => {
            let name = ["key", "id", "name"].into_iter().find_map(|member| said[member].as_str());
            Some(format!("{object}/{}", name?))
        }
        _ => None,
    };
    serde_json::from_slice(bytes).ok().and_then(|said| names(&said)).unwrap_or(object)
}

/// What an object became, if it is not as it was.
fn difference(it: &Value) -> Option<String> {
    let is_one = matches!(it["action"].as_str()?, "add" | "change" | "remove");
    let named = || Some(format!("{}/{}", it["section"].as_str()?, it["key"].as_str()?));
    is_one.then(named).flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The first names of a list.
fn listed(object: &str, items: &Value, name: fn(&Value) -> Option<String>) -> Option<String> {
    let names: Vec<String> = items.as_array()?.iter().filter_map(name).collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    let first: Vec<&str> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
    (!first.is_empty()).then(|| format!("{object} {}{more}", first.join(", ")))
}
