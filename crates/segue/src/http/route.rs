//! The table of routes. It is the router, the table of rights and the API's document in one: what is
//! not here cannot be reached, and what is here is described.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::App;
use super::problem::Problem;
use super::request::{Ask, Reply};
use super::rights::Right;

/// What answers a route.
pub(crate) type Handler = fn(Arc<App>, Ask) -> BoxFuture<'static, Result<Reply, Problem>>;

/// A way to ask.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With `{name}` for what varies.
    pub(crate) path: &'static str,
    /// Its name, unique.
    pub(crate) name: &'static str,
    /// What it does, in a sentence.
    pub(crate) summary: &'static str,
    pub(crate) right: Right,
    pub(crate) query: &'static [Parameter],
    pub(crate) takes: Option<SchemaOf>,
    /// The status and form of a good answer; `None` for an empty one.
    pub(crate) status: u16,
    pub(crate) gives: Gives,
    pub(crate) handler: Handler,
}

/// Whether a request has to name the version that it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    May,
    Must,
}

/// What can be kept in the ledger and has versions.
const VERSIONED: [&str; 4] = [
    "/api/v1/segments/{key}",
    "/api/v1/accounts/{key}",
    "/api/v1/destinations/{key}",
    "/api/v1/activations/{key}",
];
/// The same as scripts for the Flow Service know it. Only a patch has to name a version there.
const FLOW_SERVICE: [&str; 3] = [
    "/data/foundation/flowservice/connections/{id}",
    "/data/foundation/flowservice/targetConnections/{id}",
    "/data/foundation/flowservice/flows/{id}",
];
/// All of it together.
const ALL_OBJECTS: &str = "/api/v1/objects";

impl Route {
    /// Whether `If-Match` means something here.
    pub(crate) fn condition(&self) -> Option<Need> {
        if self.method == Method::GET {
            None
        } else if VERSIONED.contains(&self.path) || self.method == Method::PATCH {
            Some(Need::Must)
        } else {
            let may = self.path == ALL_OBJECTS || FLOW_SERVICE.contains(&self.path);
            may.then_some(Need::May)
        }
    }

    /// Whether a good answer has an ETag.
    pub(crate) fn is_versioned(&self) -> bool {
        let is_one = |path: &str| VERSIONED.contains(&path) || FLOW_SERVICE.contains(&path);
        let is_made =
            |path: &str| ["/{key}", "/{id}"].iter().any(|end| is_one(&format!("{path}{end}")));
        (is_one(self.path) && self.method != Method::DELETE)
            || self.path == ALL_OBJECTS
            || (self.method == Method::POST && is_made(self.path))
    }
}

/// The schema of a type, made when the document is.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The form of a good answer.
#[derive(Clone, Copy)]
pub(crate) enum Gives {
    Nothing,
    Json(SchemaOf),
    /// Another media type.
    Text(&'static str),
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether it is a whole number, and its bounds.
    pub(crate) number: Option<(u32, u32)>,
    /// The words that it may be, if they are few.
    pub(crate) words: &'static [&'static str],
}

impl Parameter {
    pub(crate) const fn text(name: &'static str, about: &'static str) -> Self {
        Self { name, about, number: None, words: &[] }
    }

    pub(crate) const fn number(
        name: &'static str,
        about: &'static str,
        least: u32,
        most: u32,
    ) -> Self {
        Self { name, about, number: Some((least, most)), words: &[] }
    }
}

/// The schema of a type.
pub(crate) fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
