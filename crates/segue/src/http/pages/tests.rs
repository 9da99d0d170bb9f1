//! What the table of pages promises: every page is reached, and has no power that the API lacks.

use http::Method;

use super::{PAGES, Table};
use crate::http::rights::{Right, Role};
use crate::http::routes::{self, ROUTES};

#[test]
fn every_page_is_reached() {
    let table = Table::new();
    for page in PAGES {
        let path = page.path.replace(['{', '}'], "");
        let found =
            table.find(&page.method, &path).unwrap_or_else(|| panic!("{path} is the API's"));
        let found = found.page.unwrap_or_else(|| panic!("nothing at {path}"));
        assert_eq!((found.path, &found.method), (page.path, &page.method));
    }
    assert!(table.find(&Method::GET, "/nothing").is_some_and(|found| found.page.is_none()));
    for route in ROUTES {
        assert!(table.find(&route.method, route.path).is_none(), "{} is a page", route.path);
    }
}

#[test]
fn every_page_is_a_face_of_an_operation() {
    for page in PAGES {
        let Some(operation) = page.operation else {
            let open = ["/assets/{name}", "/favicon.ico", "/preferences"];
            assert!(open.contains(&page.path), "{}", page.path);
            continue;
        };
        let route = routes::Table::named(operation);
        let route = route.unwrap_or_else(|| panic!("{}: there is no {operation}", page.path));
        if page.method == Method::GET {
            continue;
        }
        assert_ne!(route.method, Method::GET, "{} changes by {operation}", page.path);
        let back = PAGES.iter().find(|it| it.path == page.back && it.method == Method::GET);
        assert!(back.is_some(), "{} leads back to {}", page.path, page.back);
    }
}

/// Who gets in where, written out; it follows from the rights of the API's operations.
#[test]
fn the_pages_are_for_these() {
    let mut text = String::new();
    for page in PAGES.iter().filter(|page| page.right() != Right::Open) {
        let roles: Vec<&str> =
            Role::ALL.into_iter().filter(|role| role.may(page.right())).map(Role::as_str).collect();
        text.push_str(&format!("{} {}: {}\n", page.method, page.path, roles.join(" ")));
    }
    insta::assert_snapshot!("pages", text);
}

/// The audit log says in words what was done.
#[test]
fn every_act_has_a_name() {
    for route in ROUTES.iter().filter(|route| route.method != Method::GET) {
        for lang in ui::Lang::ALL {
            assert!(ui::page::audit::act(lang, route.name).is_some(), "{}", route.name);
        }
    }
}
