//! A project with a life: destinations, segments, activations, runs good and bad. All of it invented.

mod editing;
mod objects;
mod people;
mod runs;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ui::chart::Bar;
use ui::component::Tone;
use ui::page::settings::Role;
use ui::page::{RunLine, RunStatus};
use ui::shell::{Place, Scheme, Viewer};
use ui::{Lang, Locale, Shell};

pub(crate) use editing::*;
pub(crate) use objects::*;
pub(crate) use people::*;
pub(crate) use runs::*;

pub(crate) const NOW: &str = "2026-11-23T08:42:10Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

pub(crate) fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub(crate) fn shell(lang: Lang, scheme: Scheme) -> Shell {
    let zone = TimeZone::get("Europe/Paris").expect("a zone");
    Shell {
        locale: Locale { lang, zone, now: now() },
        scheme,
        viewer: Some(Viewer {
            name: "Camille Moreau".into(),
            role: Role::Operator.name(lang).into(),
            csrf: "token".into(),
        }),
        project: "Maison Aubert".into(),
        version: "0.1.0".into(),
        places: vec![
            Place::Home,
            Place::Runs,
            Place::Activations,
            Place::Destinations,
            Place::Segments,
            Place::Profiles,
            Place::Audit,
            Place::Settings,
        ],
        attention: 2,
        here: "/".into(),
        notice: None,
    }
}

/// The frame of pages that are files: nobody is signed in.
pub(crate) fn shell_for_nobody(lang: Lang) -> Shell {
    let places =
        [Place::Home, Place::Runs, Place::Activations, Place::Destinations, Place::Segments];
    Shell { viewer: None, places: places.to_vec(), ..shell(lang, Scheme::System) }
}

/// A small generator, so that fixtures have the same bumps every time.
fn bump(seed: u64, low: u64, high: u64) -> u64 {
    let mixed =
        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    low + (mixed >> 33) % (high - low)
}

fn line(
    id: &str,
    segment: &str,
    activation: &str,
    status: RunStatus,
    minutes: i64,
    rows: u64,
    seconds: i64,
) -> RunLine {
    let destination = if activation == "agency-weekly" { "Agency" } else { "CRM production" };
    RunLine {
        id: format!("{id}1f0c-5d7a-5b1e-9a34-7c0d2f8be611"),
        segment: segment.into(),
        activation: activation.into(),
        destination: destination.into(),
        status,
        slot: ago(minutes),
        rows: (rows > 0).then_some(rows),
        files: rows.div_ceil(5_000_000),
        bytes: rows * 212,
        duration: (seconds > 0).then(|| SignedDuration::from_secs(seconds)),
    }
}

pub(crate) fn lines() -> Vec<RunLine> {
    use RunStatus::{Blocked, Delivered, Failed, Running, Skipped};
    vec![
        line("8c2e", "High-value customers – France", "crm-daily", Running, 2, 0, 130),
        line("51d7", "Cart abandoners, 7 days", "crm-daily", Delivered, 42, 418_220, 21),
        line("e09b", "Churn risk", "agency-weekly", Failed, 102, 0, 3),
        line("77a1", "Newsletter opt-ins", "crm-daily", Delivered, 162, 12_880_104, 362),
        line("0b64", "Birthday this month", "crm-daily", Blocked, 222, 2_104, 4),
        line("3fd2", "Luxury audience", "partner-drop", Delivered, 282, 96_411, 9),
        line("a9e3", "Lapsed customers", "agency-weekly", Skipped, 342, 0, 1),
        line(
            "c518",
            "High-value customers – France",
            "crm-daily",
            Delivered,
            1_442,
            3_102_770,
            198,
        ),
        line("f6b0", "Cart abandoners, 7 days", "crm-daily", Delivered, 1_482, 402_118, 20),
    ]
}

pub(crate) fn bars() -> Vec<Bar> {
    let bar = |label: &str, value, tone| Bar {
        label: label.into(),
        value,
        tone,
        told: format!("{value} rows"),
    };
    vec![bar("22 Nov", 1_200, Tone::Live), bar("23 Nov", 0, Tone::Bad)]
}
