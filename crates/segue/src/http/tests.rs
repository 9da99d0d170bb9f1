//! What the tables promise: every route has its right and is reached, the document is the one that is
//! checked in, every code is explained.

use std::collections::BTreeSet;

use super::problem::Code;
use super::rights::{Right, Role};
use super::routes::{ROUTES, Table};
use super::{document, route::Gives};

#[test]
fn every_route_is_reached_and_has_a_name_of_its_own() {
    let table = Table::new();
    let mut names = BTreeSet::new();
    for route in ROUTES {
        assert!(names.insert(route.name), "{} is there twice", route.name);
        let path = route.path.replace(['{', '}'], "");
        let (found, _) = table.find(&route.method, &path).unwrap_or_else(|_| panic!("{path}"));
        assert_eq!(found.name, route.name);
        assert!(!route.summary.is_empty() && !route.summary.ends_with('.'), "{}", route.name);
    }
}

#[test]
fn only_what_tells_nothing_is_open() {
    let open: Vec<&str> =
        ROUTES.iter().filter(|route| route.right == Right::Open).map(|route| route.name).collect();
    assert_eq!(
        open,
        [
            "health",
            "readiness",
            "explorer",
            "explorer_script",
            "explorer_style",
            "openapi",
            "set_up",
            "begin_session"
        ]
    );
}

/// The table of rights, written out. A new route has to be entered here by somebody who thought of it.
#[test]
fn the_rights_are_these() {
    let mut text = String::new();
    for route in ROUTES.iter().filter(|route| route.right != Right::Open) {
        let roles: Vec<&str> =
            Role::ALL.into_iter().filter(|role| role.may(route.right)).map(Role::as_str).collect();
        text.push_str(&format!("{} {}: {}\n", route.method, route.path, roles.join(" ")));
    }
    insta::assert_snapshot!("rights", text);
}

#[test]
fn changes_are_not_made_by_get() {
    for route in ROUTES.iter().filter(|route| route.method == http::Method::GET) {
        assert!(route.takes.is_none(), "{}", route.name);
        assert!(!matches!(route.gives, Gives::Nothing), "{}", route.name);
    }
}

#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let made = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    if crate::ambient::variable("SEGUE_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &made).expect("the document is written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/openapi.json is not what the code makes; run this test with SEGUE_WRITE_OPENAPI=1"
    );
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in text.split("#/components/schemas/").skip(1) {
        let name = name.split('"').next().unwrap_or_default();
        assert!(schemas.contains_key(name), "{name}");
    }
    assert!(schemas.len() > 20, "{}", schemas.len());
}

#[test]
fn every_code_is_explained() {
    let page = include_str!("../../../../docs/api.md");
    for code in Code::ALL {
        let (status, word, _) = code.facts();
        assert!(page.contains(&format!("| `{word}` | {status} |")), "{word} {status}");
    }
}
