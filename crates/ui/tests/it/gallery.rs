//! Every page as a file under `target/ui-gallery`, to be looked at without a server.

use std::fs;
use std::path::Path;

use ui::page::activation::Waits;
use ui::page::home::Home;
use ui::page::message::Message;
use ui::page::profile::Profile;
use ui::page::rule::{Changes, Rule, Saving};
use ui::page::run::{May, Run, Stop};
use ui::page::runs::{Filter, Period, Runs};
use ui::page::segment::Segment;
use ui::page::settings::Settings;
use ui::page::sign_in::{Problem, SignIn};
use ui::page::wizard::Fault;
use ui::page::{RunStatus, destinations::Destinations, segments::Segments};
use ui::shell::{Notice, Said, Scheme};
use ui::{Lang, Markup, Shell, asset};

use crate::fixture;

/// Every page in every state that looks different, by name.
pub(crate) fn pages(shell: &Shell) -> Vec<(&'static str, Markup)> {
    let door = SignIn { lang: shell.lang(), scheme: shell.scheme, ..SignIn::default() };
    let refused =
        SignIn { user_name: "camille".into(), problem: Some(Problem::Refused), ..door.clone() };
    let calm = Home { alerts: Vec::new(), ..fixture::home() };
    let nothing =
        Home { alerts: Vec::new(), next: Vec::new(), recent: Vec::new(), ..fixture::home() };
    let blocked = Run {
        status: RunStatus::Blocked,
        stop: Some(Stop {
            code: "guard".into(),
            message:
                "the guard stopped the run: 2104 rows are 91.0 % fewer than the 23377 of the last run, and max_shrink is 50 %"
                    .into(),
            hint: None,
        }),
        may: May { release: true, reject: true, ..May::default() },
        ..fixture::run_delivered()
    };
    let replayable = Run {
        may: May { again: true, replay: true, ..May::default() },
        ..fixture::run_delivered()
    };
    let no_runs = Runs { lanes: Vec::new(), runs: Vec::new(), older: None, ..fixture::runs() };
    let no_match = Runs {
        runs: Vec::new(),
        older: None,
        filter: Filter { state: Some("failed".into()), ..Filter::default() },
        ..fixture::runs()
    };
    let filter = Filter {
        activation: Some("crm-daily".into()),
        destination: Some("crm".into()),
        from: Some("2026-11-01".parse().expect("a day")),
        to: Some("2026-11-23".parse().expect("a day")),
        ..Filter::default()
    };
    let (from, to) = (filter.from, filter.to);
    let month = Runs {
        period: Period::of_days(from, to, &shell.locale.zone, shell.locale.now),
        filter,
        lanes_beyond: 488,
        ..fixture::runs()
    };
    let waiting =
        Run { status: RunStatus::Waiting, people: None, files: Vec::new(), ..fixture::run_live() };
    let waiting = Run {
        live: None,
        waits: Some(Waits::Slot(fixture::ago(40))),
        behind: Some(fixture::run_retrying().id),
        ..waiting
    };
    let told = |notice| Shell { notice: Some(notice), ..shell.clone() };
    let refusal = Notice::Problem {
        code: "activation_disabled".into(),
        detail: "The activation `partner-drop` is disabled.".into(),
        hint: Some("Enable it first.".into()),
    };
    let long = Segments {
        part: ui::component::Part::of(500, 50),
        find: "lux".into(),
        ..fixture::segments()
    };
    let kept = Segment {
        is_in_file: false,
        editing: Some(fixture::editing("/segments/luxury", "Luxury audience")),
        ..fixture::segment()
    };
    let saving = Saving {
        changes: Some(Changes { key: "luxury".into(), revision: "12".into() }),
        name: "Luxury audience".into(),
        key: String::new(),
    };
    let changed = Rule { saving: Some(saving), ..fixture::rule() };
    let mut wrong = fixture::activate("attributes", shell.lang());
    wrong.preview = ui::page::wizard::Preview::default();
    wrong.preview.faults.push(Fault {
        about: None,
        place: "mapping.1.source".into(),
        message: "there is no field `personalEmail.adress`".into(),
        hint: Some("Did you mean `personalEmail.address`?".into()),
    });
    let mut folder = fixture::connect("place", shell.lang());
    folder.draft.set("account", "");
    folder.draft.set("preset", "folder");
    folder.draft.set("location", "/srv/outbox/partner");
    folder.outboxes = vec!["/srv/outbox".into()];
    let fault = Message::Failed {
        message: "the ledger is locked by another process".into(),
        hints: vec!["Stop the other process.".into()],
    };
    vec![
        ("home", fixture::home().draw(shell)),
        ("home-calm", calm.draw(shell)),
        ("home-first", nothing.draw(shell)),
        ("runs", fixture::runs().draw(shell)),
        ("runs-none", no_runs.draw(shell)),
        ("runs-no-match", no_match.draw(shell)),
        ("runs-month", month.draw(shell)),
        ("run-delivered", fixture::run_delivered().draw(shell)),
        ("run-replay", replayable.draw(&told(Notice::Done(Said::StillThere)))),
        ("run-live", fixture::run_live().draw(shell)),
        ("run-failed", fixture::run_failed().draw(shell)),
        ("run-retrying", fixture::run_retrying().draw(shell)),
        ("run-blocked", blocked.draw(shell)),
        ("segments", fixture::segments().draw(shell)),
        ("segments-none", Segments { segments: Vec::new(), ..fixture::segments() }.draw(shell)),
        ("segments-long", long.draw(shell)),
        ("segment-kept", kept.draw(shell)),
        ("conflict", fixture::conflict().draw(shell)),
        ("rule-changed", changed.draw(shell)),
        ("segment", fixture::segment().draw(shell)),
        ("destinations", fixture::destinations().draw(shell)),
        (
            "destinations-none",
            Destinations {
                destinations: Vec::new(),
                accounts: Vec::new(),
                may_connect: true,
                has_outbox: false,
            }
            .draw(shell),
        ),
        ("destination", fixture::destination().draw(shell)),
        ("account", fixture::one_account().draw(shell)),
        ("account-edit", fixture::edit_account().draw(shell)),
        ("activations", fixture::activations().draw(shell)),
        ("activation", fixture::activation().draw(shell)),
        (
            "profile-form",
            Profile { found: ui::page::profile::Found::NotAsked, ..fixture::profile() }.draw(shell),
        ),
        ("profile", fixture::profile().draw(shell)),
        ("profile-revealed", fixture::profile_revealed().draw(shell)),
        ("rule", fixture::rule().draw(shell)),
        ("rule-wrong", fixture::rule_wrong().draw(shell)),
        ("run-waiting", waiting.draw(shell)),
        ("done", fixture::activation().draw(&told(Notice::Done(Said::RunAsked)))),
        ("refused", fixture::activation().draw(&told(refusal))),
        (
            "token-made",
            Settings { made: Some("segue_9f2c41aa07be_canary".into()), ..fixture::settings() }
                .draw(shell),
        ),
        ("connect-account", fixture::connect("account", shell.lang()).draw(shell)),
        ("connect-place", fixture::connect("place", shell.lang()).draw(shell)),
        ("connect-format", fixture::connect("format", shell.lang()).draw(shell)),
        ("connect-review", fixture::connect("review", shell.lang()).draw(shell)),
        ("connect-folder", folder.draw(shell)),
        ("activate-segments", fixture::activate("segments", shell.lang()).draw(shell)),
        ("activate-schedule", fixture::activate("schedule", shell.lang()).draw(shell)),
        ("activate-many", fixture::activate_many(shell.lang()).draw(shell)),
        ("activate-attributes", fixture::activate("attributes", shell.lang()).draw(shell)),
        ("activate-review", fixture::activate("review", shell.lang()).draw(shell)),
        ("activate-wrong", wrong.draw(shell)),
        ("audit", fixture::audit().draw(shell)),
        ("settings", fixture::settings().draw(shell)),
        ("sign-in", door.draw()),
        ("sign-in-refused", refused.draw()),
        ("set-up", door.draw_set_up("")),
        ("not-found", Message::NotFound.draw(shell)),
        ("not-allowed", Message::NotAllowed.draw(shell)),
        ("failed", fault.draw(shell)),
    ]
}

#[test]
fn every_page_is_written_to_be_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ui-gallery");
    for asset in [asset::style(), asset::script(), asset::icon()] {
        let path = folder.join("assets").join(&asset.name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, asset.content).expect("written");
    }
    let shells = Lang::ALL.map(|lang| (lang.tag(), fixture::shell(lang, Scheme::System)));
    let nobody = ("files", fixture::shell_for_nobody(Lang::En));
    for (set, shell) in shells.into_iter().chain([nobody]) {
        let written = pages(&shell);
        assert!(written.len() > 25);
        for (name, markup) in written {
            let path = folder.join(set).join(format!("{name}.html"));
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, markup.0).expect("written");
        }
    }
}
