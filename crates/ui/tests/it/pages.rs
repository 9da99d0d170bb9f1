//! What holds for every page, and a few as snapshots.

use ui::page::activation::Waits;
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
fn a_run_that_is_tried_again_says_when_and_is_followed() {
    for lang in Lang::ALL {
        let page = fixture::run_retrying().draw(&fixture::shell(lang, Scheme::System)).0;
        assert!(page.contains("/live?seen=retrying-"));
        insta::assert_snapshot!(format!("run_retrying_{}", lang.tag()), content(&page));
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

/// Everything that may be waited for, and nothing; an evaluation comes last.
fn every_wait() -> [Option<Waits>; 8] {
    [
        None,
        Some(Waits::Slot(fixture::ago(120))),
        Some(Waits::HeldSlot(fixture::ago(120))),
        Some(Waits::Decision),
        Some(Waits::Time(fixture::ago(-30))),
        Some(Waits::Turn),
        Some(Waits::Pause),
        Some(Waits::Evaluation),
    ]
}

/// A slot that waits says for what, in both languages.
#[test]
fn open_slots_say_what_they_wait_for() {
    use ui::page::activation::{Activation, OpenSlot};
    let all = every_wait();
    let waits = &all[..7];
    let slot = |waits: &Option<Waits>| OpenSlot {
        segment: "VIP".into(),
        slot: fixture::ago(60),
        run: waits.is_none().then(|| "0f2a".into()),
        waits: *waits,
    };
    let open: Vec<OpenSlot> = waits.iter().map(slot).collect();
    let page = |lang, waits| {
        let shell = fixture::shell(lang, Scheme::System);
        let (open, slots) = (open.clone(), Vec::new());
        Activation { open, slots, waits, ..fixture::activation() }.draw(&shell).0
    };
    let mut told = String::new();
    for (lang, title) in [(Lang::En, "Next slots"), (Lang::Fr, "Prochaines échéances")] {
        for line in page(lang, Some(Waits::Evaluation)).split("VIP · ").skip(1) {
            told.push_str(line.split('<').next().unwrap_or_default());
            told.push('\n');
        }
        for waits in [None, Some(Waits::Pause), Some(Waits::Evaluation)] {
            let page = page(lang, waits);
            let card = page.split(title).nth(1).unwrap_or_default();
            let text = card.split("<p class=\"muted\">").nth(1).unwrap_or_default();
            told.push_str(text.split('<').next().unwrap_or_default());
            told.push('\n');
        }
    }
    assert!(page(Lang::En, None).contains("/runs/0f2a"), "the run is one click away");
    insta::assert_snapshot!(told, @"
    Running
    waits for the slot Mon 23 Nov, 07:42, which is not over
    waits for the slot Mon 23 Nov, 07:42, until somebody releases or rejects its run
    waits until somebody releases or rejects its run
    waits for its next attempt, Mon 23 Nov, 10:12
    waits for its turn among the runs that may go on at once
    waits until the activation is enabled
    No slot is due any more.
    Paused: slots that come due are skipped until it is enabled.
    Sent when a segment is evaluated; no evaluation is scheduled.
    En cours
    attend l’échéance lun. 23 nov., 07:42, qui n’est pas terminée
    attend l’échéance lun. 23 nov., 07:42, jusqu’à ce que quelqu’un libère ou rejette son exécution
    attend que quelqu’un libère ou rejette son exécution
    attend sa prochaine tentative, lun. 23 nov., 10:12
    attend son tour parmi les exécutions simultanées
    attend que l’activation soit réactivée
    Plus aucune échéance.
    En pause : les échéances sont omises jusqu’à ce qu’elle soit réactivée.
    Envoyé quand un segment est évalué ; aucune évaluation n’est planifiée.
    ");
}

#[test]
fn segments_that_are_chosen_stay_so_before_the_whole_list_is_there() {
    let shell = fixture::shell(Lang::En, Scheme::System);
    let hidden = |key: &str| format!("<input type=\"hidden\" name=\"segment\" value=\"{key}\">");
    let mut page = fixture::activate("segments", Lang::En);
    assert!(!page.draw(&shell).0.contains(&hidden("churn-risk")), "its box is there");
    page.segments.truncate(1);
    page.segments_beyond = 1;
    let text = page.draw(&shell).0;
    assert!(text.contains(&hidden("churn-risk")));
    assert!(!text.contains(&hidden("luxury")), "its box is there, and may be unticked");
    let rest = page.segment_list(Lang::En).0;
    assert!(!rest.contains("type=\"hidden\""), "what comes in its place has boxes only");
}

/// So does a run that has not begun, with the run before it one click away.
#[test]
fn a_run_that_waits_says_for_what() {
    use ui::page::{RunStatus, run::Run};
    let mut told = String::new();
    for lang in [Lang::En, Lang::Fr] {
        let shell = fixture::shell(lang, Scheme::System);
        for waits in every_wait() {
            let behind = waits.is_some_and(|it| matches!(it, Waits::Slot(_) | Waits::HeldSlot(_)));
            let behind = behind.then(|| "0f2a".to_owned());
            let is_behind = behind.is_some();
            let run = Run { status: RunStatus::Waiting, waits, behind, ..fixture::run_delivered() };
            let page = run.draw(&shell).0;
            assert_eq!(page.contains("/runs/0f2a"), is_behind);
            let note = page.split("data-live").nth(1).unwrap_or_default();
            let note = note.split("class=\"columns").next().unwrap_or_default();
            let texts = note.split('>').skip(1).filter_map(|it| it.split('<').next());
            let texts: Vec<&str> = texts.map(str::trim).filter(|it| !it.is_empty()).collect();
            told.push_str(&texts.join(" | "));
            told.push('\n');
        }
    }
    insta::assert_snapshot!("waiting_run", told);
}
