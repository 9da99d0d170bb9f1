//! What holds for every page, and a few as snapshots.

use ui::shell::Scheme;
use ui::{Lang, asset};

use crate::fixture;
use crate::gallery::pages;

#[test]
fn no_page_needs_what_the_content_policy_forbids() {
    for lang in Lang::ALL {
        for (name, markup) in pages(&fixture::shell(lang, Scheme::System)) {
            let text = markup.0;
            for forbidden in [
                " style=",
                "<style",
                "onclick",
                "onload",
                "javascript:",
                "=\"http://",
                "=\"https://",
            ] {
                assert!(!text.contains(forbidden), "{name} holds {forbidden}");
            }
            let scripts = text.matches("<script").count();
            assert_eq!(scripts, 1, "{name} has scripts of its own");
            assert!(
                text.contains(&format!("lang=\"{}\"", lang.tag())),
                "{name} does not say its language"
            );
            assert_eq!(text.matches("<h1").count(), 1, "{name} has one title");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for (name, markup) in pages(&fixture::shell(Lang::En, Scheme::System)) {
        if name.starts_with("sign-in") || name == "set-up" {
            continue;
        }
        // Preferences are open to those who did not sign in, too.
        for form in markup.0.split("<form").skip(1) {
            let form = form.split("</form>").next().expect("a form ends");
            if form.contains("method=\"post\"") {
                assert!(form.contains("name=\"csrf\""), "{name} has a form without token: {form}");
            }
        }
    }
}

#[test]
fn no_page_is_in_two_languages() {
    let english = pages(&fixture::shell(Lang::En, Scheme::System));
    let french = pages(&fixture::shell(Lang::Fr, Scheme::System));
    for ((name, english), (_, french)) in english.into_iter().zip(french) {
        for word in
            ["Delivered", "Settings", "Skip to content", "Destination administrator", "Due "]
        {
            assert!(!french.0.contains(&format!(">{word}")), "{name} says {word} in French");
        }
        assert!(!english.0.contains("Réglages"), "{name} says Réglages in English");
    }
}

#[test]
fn assets_are_found_by_the_name_that_pages_use() {
    let page = fixture::home().draw(&fixture::shell(Lang::En, Scheme::System)).0;
    for asset in [asset::style(), asset::script(), asset::icon()] {
        assert!(page.contains(&asset.url()));
        assert!(asset::find(&asset.name).is_some());
    }
    assert!(asset::find("app.css").is_none());
}

#[test]
fn text_from_outside_is_escaped() {
    let mut run = fixture::run_failed();
    run.segment.name = "<script>alert(1)</script>\"'".into();
    let page = run.draw(&fixture::shell(Lang::En, Scheme::System)).0;
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(1)"));
}

/// The part of a page that is its own.
fn content(page: &str) -> String {
    let main = page.split("<main id=\"content\">").nth(1).expect("a page has content");
    main.split("</main>").next().expect("it ends").replace("><", ">\n<")
}

#[test]
fn a_failed_run_says_what_to_do() {
    for lang in Lang::ALL {
        let page = fixture::run_failed().draw(&fixture::shell(lang, Scheme::System)).0;
        insta::assert_snapshot!(format!("run_failed_{}", lang.tag()), content(&page));
    }
}

#[test]
fn home_says_what_waits() {
    for lang in Lang::ALL {
        let page = fixture::home().draw(&fixture::shell(lang, Scheme::System)).0;
        insta::assert_snapshot!(format!("home_{}", lang.tag()), content(&page));
    }
}

#[test]
fn a_chart_has_a_table_of_the_same_numbers() {
    let shell = fixture::shell(Lang::En, Scheme::System);
    let chart = ui::chart::bars(&shell.locale, "Rows", "Rows", &fixture::bars()).0;
    insta::assert_snapshot!("chart", chart.replace("><", ">\n<"));
}
