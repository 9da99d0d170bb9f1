//! What pages show of single things.

use ui::Lang;
use ui::shell::Scheme;

use crate::fixture;

/// What first stands between two texts.
fn between<'a>(page: &'a str, before: &str, behind: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split_once(behind).map_or(rest, |(found, _)| found)
}

/// The names and values of a list of facts, a line each, without markup.
fn facts(page: &str) -> String {
    let facts = between(page, "<dl class=\"facts\">", "</dl>");
    let facts = facts.replace("<dt>", "\n").replace("<dd>", ": ").replace('<', " <");
    let mut text = String::new();
    let mut is_tag = false;
    for letter in facts.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Whatever an act was about is named, and leads to its page where it has one.
#[test]
fn the_audit_log_says_what_acts_were_about() {
    use ui::page::audit::{Audit, Entry, Outcome};
    let entry = |about: &&str| Entry {
        number: 1,
        at: fixture::ago(1),
        who: "admin".into(),
        what: "act".into(),
        about: (*about).into(),
        outcome: Outcome::Done,
    };
    let objects = [
        "/api/v1/users/jules@example.com",
        "/api/v1/setup/admin",
        "/api/v1/tokens/9f2c41aa07be airflow",
        "/api/v1/tokens/9f2c41aa07be",
        "/api/v1/segments/loyal",
        "/api/v1/segments/loyal/preview loyal",
        "/api/v1/accounts/partner",
        "/api/v1/secrets/partner-secret",
        "/api/v1/evaluations loyal, new",
        "/api/v1/objects segments/loyal, accounts/partner",
        "/api/v1/profiles/reveal",
        "/api/v1/preview",
        "/data/foundation/flowservice/flows/5e0f",
    ];
    let page = Audit { entries: objects.iter().map(entry).collect(), broken_at: None, older: None };
    let page = page.draw(&fixture::shell(Lang::En, Scheme::System)).0;
    let row = |row: &str| row.split("<td").nth(1)?.split_once('>').map(|(_, it)| it.to_owned());
    let things: Vec<String> =
        page.split("<tr").filter_map(row).map(|it| it.replace("</td>", "")).collect();
    insta::assert_snapshot!(things.join("\n"), @r#"
    jules@example.com
    admin
    airflow<code class="under">9f2c41aa07be</code>
    9f2c41aa07be
    <a href="/segments/loyal">loyal</a>
    <a href="/segments/loyal">loyal</a>
    <a href="/accounts/partner">partner</a>
    partner-secret
    loyal, new
    segments/loyal, accounts/partner
    –
    –
    /data/foundation/flowservice/flows/5e0f
    "#);
}

/// How objects are encrypted, for whom, and what else they are written with.
#[test]
fn a_destination_says_who_can_read_its_files() {
    let shell = |lang| fixture::shell(lang, Scheme::System);
    let english = facts(&fixture::destination().draw(&shell(Lang::En)).0);
    insta::assert_snapshot!("destination_en", english);
    let french = facts(&fixture::destination().draw(&shell(Lang::Fr)).0);
    insta::assert_snapshot!("destination_fr", french);
    let mut plain = fixture::destination();
    plain.objects = ui::page::destination::Objects {
        sse: Some(("AES256".into(), None)),
        readers: vec![ui::page::destination::Reader {
            name: "keys/a.asc".into(),
            fingerprint: None,
        }],
        ..Default::default()
    };
    let plain = facts(&plain.draw(&shell(Lang::En)).0);
    insta::assert_snapshot!("destination_plain", plain);
}

/// The key of KMS is named before the destination is saved.
#[test]
fn the_review_of_a_destination_names_the_kms_key() {
    let mut connect = fixture::connect("review", Lang::En);
    let shell = fixture::shell(Lang::En, Scheme::System);
    connect.draft.set("sse", "aws:kms");
    insta::assert_snapshot!("connect_review_kms", facts(&connect.draw(&shell).0));
    connect.draft.set("kms_key_id", "alias/exports");
    insta::assert_snapshot!("connect_review_kms_key", facts(&connect.draw(&shell).0));
}

/// What is due and not over is no delivered file.
#[test]
fn home_says_what_is_late_and_under_way() {
    use ui::page::home::{Late, Open};
    let late = |segment: &str, minutes, run: Option<&str>| Late {
        segment: segment.into(),
        activation: "crm-daily".into(),
        slot: fixture::ago(minutes),
        run: run.map(str::to_owned),
        is_retried: false,
    };
    let again = Late { is_retried: true, ..late("Churn risk", 500, Some("1b2c")) };
    let all = [
        Open { under_way: 1, waiting: 0, late: 0, latest: vec![] },
        Open { under_way: 0, waiting: 2, late: 0, latest: vec![] },
        Open {
            under_way: 1,
            waiting: 4,
            late: 5,
            latest: vec![
                late("Luxury audience", 700, Some("5e0f")),
                again,
                late("Newsletter", 300, None),
            ],
        },
    ];
    let mut told = String::new();
    for lang in Lang::ALL {
        for open in &all {
            let home =
                ui::page::home::Home { alerts: Vec::new(), open: open.clone(), ..fixture::home() };
            let page = home.draw(&fixture::shell(lang, Scheme::System)).0;
            assert!(!page.contains("has been delivered") && !page.contains("a été livré"));
            let note = between(&page, "<div class=\"note ", "<div class=\"side-actions\">");
            told.push_str(&note.replace("<svg", "\n<svg").replace("</svg>", "</svg>\n"));
            told.push_str("\n\n");
        }
    }
    let shown: Vec<&str> = told.lines().filter(|line| !line.starts_with("<svg")).collect();
    insta::assert_snapshot!("home_open", shown.join("\n"));
}

/// A run that is tried again says so, and when; figures are written as the language writes them.
#[test]
fn home_says_what_is_tried_again_and_counts_as_one_does() {
    let mut home = fixture::home();
    let mut retried = home.alerts[0].clone();
    retried.status = ui::page::RunStatus::Retrying;
    retried.next_attempt = Some(fixture::ago(-12));
    home.alerts[0] = retried;
    let told = Lang::ALL.map(|lang| {
        let page = home.draw(&fixture::shell(lang, Scheme::System)).0;
        let notes = page.split("<div class=\"note ").skip(1).take(2).map(|note| {
            let text = note.split("</svg>").nth(1).unwrap_or_default();
            text.split("<div class=\"side-actions\">").next().unwrap_or_default().to_owned()
        });
        notes.collect::<Vec<_>>().join("\n").replace(['\u{a0}', '\u{202f}'], " ")
    });
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    <h2>Churn risk was not delivered yet, and is tried again by itself</h2><p class="detail">agency-weekly, due today, 08:00, next attempt today, 09:54 — AccessDenied: kms:GenerateDataKey on key 1234abcd</p>
    <h2>Birthday this month is stopped and waits for you</h2><p class="detail">crm-daily, due today, 06:00 — 2,104 rows are 91.0 % fewer than the 23,377 of the last run, and max_shrink is 50 %</p>

    <h2>Churn risk n’est pas encore livré, et est réessayé automatiquement</h2><p class="detail">agency-weekly, prévu aujourd’hui, 08:00, prochaine tentative aujourd’hui, 09:54 — « <span lang="en">AccessDenied: kms:GenerateDataKey on key 1234abcd</span> »</p>
    <h2>Birthday this month est arrêté et vous attend</h2><p class="detail">crm-daily, prévu aujourd’hui, 06:00 — 2 104 lignes, 91,0 % de moins que les 23 377 de la dernière exécution ; <code>max_shrink</code> est à 50 %</p>
    "#);
}

/// What is not known in the language of the page is quoted behind its words.
#[test]
fn what_nobody_translated_is_quoted() {
    let mut run = fixture::run_failed();
    run.stop = Some(ui::page::run::Stop {
        code: "internal".into(),
        message: "the moon is full".into(),
        hint: None,
    });
    let told = Lang::ALL.map(|lang| {
        let page = run.draw(&fixture::shell(lang, Scheme::System)).0;
        between(&page, "<p class=\"detail\">", "</p>").replace('\u{a0}', " ")
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    A fault of Segue stopped it. Nothing is visible in the bucket. (the moon is full)
    Une faute de Segue l’a arrêtée. Rien n’est visible dans le bucket. (« <span lang="en">the moon is full</span> »)
    "#);
}

/// Two deliveries of one day are told apart in the chart and in its table.
#[test]
fn sizes_of_one_day_are_told_apart() {
    use ui::page::segment::Size;
    let mut segment = fixture::segment();
    let size = |minutes, members| Size { at: fixture::ago(minutes), members };
    segment.history = vec![size(3_000, 10), size(500, 20), size(300, 30)];
    let page = segment.draw(&fixture::shell(Lang::En, Scheme::System)).0;
    let titles: Vec<&str> = page
        .split("<title>")
        .skip(1)
        .filter_map(|it| it.split("</title>").next())
        .filter(|it| it.contains(" — "))
        .collect();
    insta::assert_snapshot!(titles.join(" | ").replace('\u{a0}', " "), @"21 Nov — 10 profiles | 23 Nov, 01:22 — 20 profiles | 23 Nov, 04:42 — 30 profiles");
}

/// What is wrong with segments of a draft is told by their names, once.
#[test]
fn two_segments_on_one_key_are_told_once_by_their_names() {
    let mut activate = fixture::activate("review", Lang::En);
    let keys: Vec<String> = activate.draft.all("segment").map(str::to_owned).collect();
    let [first, second, ..] = keys.as_slice() else { panic!("two segments are chosen") };
    activate.preview = ui::page::wizard::Preview::default();
    activate.preview.faults.push(ui::page::wizard::Fault {
        place: "segments.1.segment".into(),
        about: None,
        message: format!("`{first}` of `partner` and `{second}` of `partner` would write the same object `in/%DATETIME(yyyy)%.csv`"),
        hint: Some("Put `%SEGMENT_ID%` or `%ACTIVATION_NAME%` into the file name or the folder.".into()),
    });
    for (lang, same) in [(Lang::En, "same object"), (Lang::Fr, "même objet")] {
        let page = activate.draw(&fixture::shell(lang, Scheme::System)).0;
        assert_eq!(page.matches(same).count(), 1, "{page}");
        assert!(!page.contains("id=\"counted\""), "nothing is counted: {page}");
        let fault = between(&page, "data-fault=\"segments.1.segment\">", "</h2>");
        let title = fault.split("<h2>").nth(1).unwrap_or_default();
        insta::allow_duplicates! {
            insta::assert_snapshot!(title.split_once(" · ").map_or(title, |(_, it)| it), @"Luxury audience, Churn risk");
        }
    }
}

#[test]
fn home_counts_runs_that_failed_today() {
    let note = |lang: Lang, failed: u64| {
        let mut home = fixture::home();
        home.days.last_mut().expect("today").failed = failed;
        home.draw(&fixture::shell(lang, Scheme::System)).0
    };
    for (lang, failed, told) in [
        (Lang::En, 1, ">1 run failed<"),
        (Lang::En, 4, ">4 runs failed<"),
        (Lang::Fr, 1, ">1 exécution échouée<"),
        (Lang::Fr, 4, ">4 exécutions échouées<"),
    ] {
        assert!(note(lang, failed).contains(told), "{told}");
    }
}
