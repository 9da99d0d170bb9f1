//! A project with a life: destinations, segments, activations, runs good and bad. All of it invented.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ui::chart::Bar;
use ui::component::{Choice, Tone};
use ui::page::activate::{self, Activate, Warning};
use ui::page::activation::{
    self, Activation, Frequency, MappedColumn, Schedule, SegmentExport, Slot, Source,
};
use ui::page::calendar::{Calendar, Due};
use ui::page::connect::Connect;
use ui::page::destination::{Auth, Check, Destination, Finding, Policy, PolicyKind};
use ui::page::destinations::{Destinations, Grade, Preset};
use ui::page::editing::{self, Conflict, Editing, Send};
use ui::page::fields::{self, Fields};
use ui::page::home::{Alert, Day, Delivered, Home, Next, Share};
use ui::page::profile::{Field, Found, Membership, Person, Profile, Sent};
use ui::page::rule::{Rule, Saving};
use ui::page::run::{
    Export, File, Input, Live, May, Movement, Named, People, Run, Step, StepKind, Stop,
};
use ui::page::runs::{Choices, Filter, Lane, Mark, Runs};
use ui::page::segment::{Count, Segment, Size, Use};
use ui::page::segments::Segments;
use ui::page::settings::{Alerts, Channels, Role, Server, Settings, Token, User};
use ui::page::wizard::{Documents, Draft, Preview, SegmentPreview};
use ui::page::{
    RunLine, RunStatus, activations, audit, destination, destinations, rule, segments, settings,
};
use ui::shell::{Place, Scheme, Viewer};
use ui::{Lang, Locale, Shell};

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

pub(crate) fn home() -> Home {
    let today = now().to_zoned(TimeZone::get("Europe/Paris").expect("a zone")).date();
    let day = |back: i32| {
        let seed = u64::from(back.unsigned_abs());
        let failed = u64::from(back == 9 || back == 21);
        let rows = if failed > 0 {
            bump(seed, 2_000_000, 5_000_000)
        } else {
            bump(seed, 9_000_000, 19_000_000)
        };
        Day {
            date: today - back.days(),
            delivered: ui::page::home::Delivered {
                rows,
                files: bump(seed, 9, 24),
                bytes: rows * 212,
            },
            failed,
        }
    };
    let next = |minutes: i64, segment: &str, activation: &str, destination: &str| Next {
        activation: activation.into(),
        segment: segment.into(),
        destination: destination.into(),
        at: ago(-minutes),
    };
    Home {
        alerts: vec![
            Alert {
                run: lines()[2].id.clone(),
                status: RunStatus::Failed,
                segment: "Churn risk".into(),
                activation: "agency-weekly".into(),
                slot: ago(102),
                reason: Some("AccessDenied: kms:GenerateDataKey on key 1234abcd".into()),
            },
            Alert {
                run: lines()[4].id.clone(),
                status: RunStatus::Blocked,
                segment: "Birthday this month".into(),
                activation: "crm-daily".into(),
                slot: ago(222),
                reason: Some("2,104 rows, 91% fewer than the last delivery".into()),
            },
        ],
        today: Delivered { rows: 13_394_735, files: 6, bytes: 2_839_683_820 },
        month: Share { good: 587, all: 591 },
        days: (0..30).rev().map(day).collect(),
        next: vec![
            next(18, "Luxury audience", "partner-drop", "Partner SFTP bridge"),
            next(78, "Win-back, spring", "crm-daily", "CRM production"),
            next(198, "Newsletter opt-ins", "crm-daily", "CRM production"),
            next(918, "Lapsed customers", "agency-weekly", "Agency"),
            next(1_398, "High-value customers – France", "crm-daily", "CRM production"),
        ],
        recent: lines().into_iter().take(6).collect(),
    }
}

pub(crate) fn runs() -> Runs {
    use RunStatus::{Blocked, Delivered, Failed, Running, Skipped};
    let lane = |segment: &str,
                activation: &str,
                every: i64,
                offset: i64,
                odd: &[(usize, RunStatus)]| {
        let count = usize::try_from(7 * 24 * 60 / every).expect("a count");
        let mark = |at: usize| Mark {
            run: lines()[1].id.clone(),
            slot: ago(offset + every * i64::try_from(at).expect("a count")),
            status: odd.iter().find(|(odd, _)| *odd == at).map_or(Delivered, |(_, status)| *status),
        };
        Lane {
            segment: segment.into(),
            activation: activation.into(),
            runs: (0..count).map(mark).collect(),
        }
    };
    let choice = |value: &str| Choice { value: value.into(), text: value.into() };
    Runs {
        lanes: vec![
            lane("High-value customers – France", "crm-daily", 1_440, 2, &[(0, Running)]),
            lane("Cart abandoners, 7 days", "crm-daily", 360, 42, &[(11, Failed)]),
            lane("Newsletter opt-ins", "crm-daily", 1_440, 162, &[]),
            lane("Birthday this month", "crm-daily", 1_440, 222, &[(0, Blocked)]),
            lane("Churn risk", "agency-weekly", 2_880, 102, &[(0, Failed), (2, Skipped)]),
            lane("Luxury audience", "partner-drop", 720, 282, &[]),
        ],
        choices: Choices {
            activations: vec![choice("crm-daily"), choice("agency-weekly"), choice("partner-drop")],
            segments: vec![choice("luxury"), choice("newsletter")],
        },
        filter: Filter::default(),
        runs: lines(),
        older: Some("/runs?page=2".into()),
        is_later_page: false,
        goes_on: false,
        waiting_beyond: 0,
    }
}

fn step(kind: StepKind, tone: Tone, minutes: i64, seconds: i64) -> Step {
    Step {
        kind,
        tone,
        at: (minutes > 0).then(|| ago(minutes)),
        took: (seconds > 0).then(|| SignedDuration::from_secs(seconds)),
    }
}

pub(crate) fn run_delivered() -> Run {
    let file = |name: &str, rows: u64, bytes: u64| File {
        is_manifest: rows == 0,
        name: name.into(),
        address: format!("s3://aubert-crm-inbound/audiences/{name}"),
        rows,
        bytes,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        is_visible: true,
        is_verified: true,
    };
    Run {
        id: lines()[3].id.clone(),
        segment: Named { key: "newsletter".into(), name: "Newsletter opt-ins".into() },
        activation: "crm-daily".into(),
        destination: Named { key: "crm-prod-eu".into(), name: "CRM production".into() },
        slot: ago(162),
        status: RunStatus::Delivered,
        stop: None,
        live: None,
        steps: vec![
            step(StepKind::Claimed, Tone::Ok, 162, 1),
            step(StepKind::Staged, Tone::Ok, 157, 341),
            step(StepKind::Committed, Tone::Ok, 156, 2),
            step(StepKind::Delivered, Tone::Ok, 156, 18),
        ],
        people: Some(People {
            received: 13_214_870,
            excluded: vec![("missing:email".into(), 301_204), ("duplicate".into(), 33_562)],
            activated: 12_880_104,
        }),
        movement: Some(Movement { added: 41_208, changed: 0, removed: 12_911 }),
        files: vec![
            file("newsletter_20261123-0700.csv.gz", 5_000_000, 1_061_442_118),
            file("newsletter_20261123-0700_2.csv.gz", 5_000_000, 1_060_998_431),
            file("newsletter_20261123-0700_3.csv.gz", 2_880_104, 611_207_090),
            file("newsletter_20261123-0700.manifest.json", 0, 1_873),
        ],
        inputs: vec![
            Input {
                location: "s3://aubert-lake/profiles/part-0001.parquet".into(),
                bytes: 1_882_301_447,
                version: "\"6f2c…e1\"".into(),
            },
            Input {
                location: "s3://aubert-lake/profiles/part-0002.parquet".into(),
                bytes: 1_790_411_020,
                version: "\"0b77…9c\"".into(),
            },
        ],
        export: Export::Incremental,
        attempts: 1,
        may: May::default(),
    }
}

pub(crate) fn run_live() -> Run {
    Run {
        id: lines()[0].id.clone(),
        segment: Named {
            key: "high-value-fr".into(),
            name: "High-value customers – France".into(),
        },
        status: RunStatus::Running,
        live: Some(Live {
            rows: 1_924_118,
            expected: Some(3_102_770),
            bytes: 402_118_332,
            parts: 48,
            elapsed: SignedDuration::from_secs(130),
        }),
        steps: vec![
            step(StepKind::Claimed, Tone::Ok, 2, 1),
            step(StepKind::Staged, Tone::Live, 0, 0),
            step(StepKind::Committed, Tone::Idle, 0, 0),
            step(StepKind::Delivered, Tone::Idle, 0, 0),
        ],
        people: None,
        movement: None,
        files: Vec::new(),
        slot: ago(2),
        export: Export::Full,
        ..run_delivered()
    }
}

pub(crate) fn run_failed() -> Run {
    Run {
        id: lines()[2].id.clone(),
        segment: Named { key: "churn-risk".into(), name: "Churn risk".into() },
        activation: "agency-weekly".into(),
        destination: Named { key: "agency".into(), name: "Agency".into() },
        slot: ago(102),
        status: RunStatus::Failed,
        stop: Some(Stop {
            code: "denied".into(),
            message: "failed to upload s3://aubert-agency/in/churn.csv: AccessDenied: kms:GenerateDataKey (request id 7F3A)".into(),
        }),
        steps: vec![
            step(StepKind::Claimed, Tone::Ok, 102, 1),
            step(StepKind::Staged, Tone::Bad, 102, 3),
            step(StepKind::Committed, Tone::Idle, 0, 0),
            step(StepKind::Delivered, Tone::Idle, 0, 0),
        ],
        people: None,
        movement: None,
        files: Vec::new(),
        inputs: Vec::new(),
        export: Export::Full,
        attempts: 3,
        may: May { retry: true, ..May::default() },
        ..run_delivered()
    }
}

pub(crate) fn segments() -> Segments {
    let line = |key: &str, name: &str, rule: &str, base: u64, used_in: &[&str]| segments::Line {
        key: key.into(),
        name: name.into(),
        rule: rule.into(),
        sizes: if base == 0 {
            Vec::new()
        } else {
            (0..14).map(|at| base + base * at / 90 + bump(at + base, 0, base / 20)).collect()
        },
        used_in: used_in.iter().map(ToString::to_string).collect(),
    };
    Segments {
        may_try: true,
        may_add: true,
        part: ui::component::Part::whole(6),
        find: String::new(),
        segments: vec![
            line(
                "luxury",
                "Luxury audience",
                "loyalty.points >= 6000 AND homeAddress.country IN ('FR', 'BE', 'CH')",
                91_000,
                &["partner-drop"],
            ),
            line(
                "newsletter",
                "Newsletter opt-ins",
                "marketing.email AND NOT privacy.optOut AND array_has(tags, 'newsletter')",
                12_100_000,
                &["crm-daily", "agency-weekly"],
            ),
            line(
                "churn-risk",
                "Churn risk",
                "modifiedAt < now() - INTERVAL '90 days' AND loyalty.points > 200",
                640_000,
                &["agency-weekly"],
            ),
            line(
                "birthday",
                "Birthday this month",
                "extract(month FROM person.birthDate) = extract(month FROM now())",
                23_400,
                &["crm-daily"],
            ),
            line(
                "test",
                "Staff and test accounts",
                "personalEmail.address LIKE '%@aubert.example'",
                0,
                &[],
            ),
        ],
    }
}

pub(crate) fn segment() -> Segment {
    let size = |at: u64| Size {
        at: ago(1_440 * i64::try_from(29 - at).expect("a count")),
        members: 88_000 + at * 290 + bump(at, 0, 2_500),
    };
    Segment {
        is_in_file: true,
        key: "luxury".into(),
        name: "Luxury audience".into(),
        id: "7b0a5f1e-8a35-5c1d-b8f1-0e7f4f3a9c21".into(),
        rule: "loyalty.points >= 6000\n  AND homeAddress.country IN ('FR', 'BE', 'CH')\n  AND NOT privacy.optOut".into(),
        language: "SQL".into(),
        history: (0..30).map(size).collect(),
        count: Some(Count {
            members: 96_411,
            profiles: 14_202_880,
            columns: ["email", "first_name", "city", "points"].map(String::from).to_vec(),
            rows: vec![
                ["c·····@·····.fr", "C·····", "Lyon", "8,214"].map(String::from).to_vec(),
                ["m··@·······.be", "M··", "Liège", "6,020"].map(String::from).to_vec(),
                ["a·······@····.ch", "A·······", "Genève", "11,930"].map(String::from).to_vec(),
            ],
        }),
        may_count: true,
        editing: None,
        may_activate: true,
        used_in: vec![Use { activation: "partner-drop".into(), destination: "CRM production".into(), schedule: "Every day at 02:00".into() }],
    }
}

pub(crate) fn destinations() -> Destinations {
    let line = |key: &str, name: &str, address: &str, preset, grade, activations, last| {
        destinations::Line {
            key: key.into(),
            name: name.into(),
            address: address.into(),
            preset,
            grade,
            activations,
            last,
        }
    };
    Destinations {
        may_connect: true,
        destinations: vec![
            line(
                "crm-prod-eu",
                "CRM production",
                "s3://aubert-crm-inbound/audiences/",
                Preset::Amazon,
                Some(Grade::A),
                2,
                Some((RunStatus::Running, ago(2))),
            ),
            line(
                "agency",
                "Agency",
                "s3://aubert-agency/in/",
                Preset::R2,
                Some(Grade::B),
                1,
                Some((RunStatus::Failed, ago(102))),
            ),
            line(
                "archive",
                "Nightly archive",
                "s3://archive/segue/%SEGMENT_NAME%/",
                Preset::Minio,
                None,
                1,
                None,
            ),
        ],
    }
}

pub(crate) fn destination() -> Destination {
    let finding =
        |action: &str, resource: &str, is_required, is_granted, answer: &str, without: &str| {
            Finding {
                action: action.into(),
                resource: resource.into(),
                is_required,
                is_granted,
                answer: answer.into(),
                without: without.into(),
            }
        };
    let objects = "arn:aws:s3:::aubert-agency/in/*";
    Destination {
        is_in_file: true,
        key: "agency".into(),
        name: "Agency".into(),
        address: "s3://aubert-agency/in/".into(),
        preset: Preset::Amazon,
        bucket: "aubert-agency".into(),
        folder: "in".into(),
        account: "agency".into(),
        auth: Auth::Role { arn: "arn:aws:iam::210987654321:role/segue-agency".into(), external_id: Some("segue-3a1f9c0e5b7d".into()) },
        region: Some("eu-west-3".into()),
        file_format: "TSV (.txt)".into(),
        compression: Some("gzip".into()),
        manifest: true,
        grade: Some(Grade::A),
        check: Some(Check {
            at: ago(12),
            findings: vec![
                finding("s3:PutObject", objects, true, Some(true), "", ""),
                finding("kms:GenerateDataKey", "arn:aws:kms:eu-west-3:210987654321:key/1234abcd", true, Some(false), "403 AccessDenied, request id 7F3A", "objects cannot be encrypted with the key, so nothing is delivered"),
                finding("s3:AbortMultipartUpload", objects, true, Some(true), "", ""),
                finding("s3:ListMultipartUploadParts", objects, false, Some(false), "403 AccessDenied, request id 7F3B", "an unclear answer is settled by uploading again"),
                finding("s3:GetObject", objects, false, None, "404 NoSuchKey", "files are not read back after they became visible"),
            ],
            notes: vec![],
            failure: None,
        }),
        may_check: true,
        editing: None,
        may_activate: true,
        policies: vec![Policy {
            kind: PolicyKind::Permissions,
            json: "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"SegueWrites\",\n      \"Effect\": \"Allow\",\n      \"Action\": [\"s3:PutObject\", \"s3:AbortMultipartUpload\"],\n      \"Resource\": \"arn:aws:s3:::aubert-agency/in/*\"\n    }\n  ]\n}".into(),
        }],
        activations: vec![destination::Use { key: "agency-weekly".into(), segments: 2 }],
        recent: vec![lines()[2].clone(), lines()[6].clone()],
    }
}

pub(crate) fn activations() -> activations::Activations {
    let line =
        |key: &str, destination: &str, segments, columns, is_enabled, next: Option<i64>, last| {
            activations::Line {
                key: key.into(),
                destination: destination.into(),
                segments,
                columns,
                is_enabled,
                next: next.map(|minutes| ago(-minutes)),
                last,
            }
        };
    activations::Activations {
        may_activate: true,
        activations: vec![
            line(
                "crm-daily",
                "CRM production",
                4,
                11,
                true,
                Some(78),
                Some((RunStatus::Running, ago(2))),
            ),
            line(
                "agency-weekly",
                "Agency",
                2,
                6,
                true,
                Some(918),
                Some((RunStatus::Failed, ago(102))),
            ),
            line(
                "partner-drop",
                "CRM production",
                1,
                9,
                true,
                Some(18),
                Some((RunStatus::Delivered, ago(282))),
            ),
            line("archive", "Nightly archive", 1, 24, false, None, None),
        ],
    }
}

pub(crate) fn activation() -> Activation {
    let column = |header: &str, source: Source, mandatory, deduplicate| MappedColumn {
        header: header.into(),
        source,
        mandatory,
        deduplicate,
    };
    let zone = TimeZone::get("Europe/Paris").expect("a zone");
    let slot = |minutes: i64, segment: &str, clocks_change| Slot {
        segment: segment.into(),
        local: ago(-minutes).to_zoned(zone.clone()),
        clocks_change,
    };
    let at = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
    Activation {
        is_in_file: true,
        key: "crm-daily".into(),
        destination: Named { key: "crm-prod-eu".into(), name: "CRM production".into() },
        address: "s3://aubert-crm-inbound/audiences/".into(),
        is_enabled: true,
        exports: vec![
            SegmentExport {
                segment: Named { key: "newsletter".into(), name: "Newsletter opt-ins".into() },
                export: Export::Incremental,
                leavers: true,
                schedule: Schedule::At(Frequency::Daily(at(7, 0)), "Europe/Paris".into()),
                file_name: "%SEGMENT_NAME%_%DATETIME(yyyyMMdd-HHmm)%".into(),
                next_file: Some("newsletter_20261124-0600.csv.gz".into()),
            },
            SegmentExport {
                segment: Named { key: "birthday".into(), name: "Birthday this month".into() },
                export: Export::Full,
                leavers: false,
                schedule: Schedule::At(
                    Frequency::Weekly(jiff::civil::Weekday::Monday, at(6, 0)),
                    "Europe/Paris".into(),
                ),
                file_name: "birthdays".into(),
                next_file: Some("birthdays.csv.gz".into()),
            },
        ],
        slots: vec![
            slot(1_278, "Newsletter opt-ins", false),
            slot(2_718, "Newsletter opt-ins", false),
            slot(4_158, "Newsletter opt-ins", true),
            slot(9_978, "Birthday this month", false),
        ],
        mapping: vec![
            column("email", Source::Field("personalEmail.address".into()), true, true),
            column("first_name", Source::Field("person.name.firstName".into()), false, false),
            column("last_name", Source::Field("person.name.lastName".into()), false, false),
            column(
                "country",
                Source::Expression("upper(homeAddress.country)".into()),
                false,
                false,
            ),
            column("status", Source::MembershipStatus, false, false),
        ],
        guard: activation::Guard {
            min_rows: Some(1_000),
            max_rows: None,
            max_shrink: Some(0.5),
            max_growth: None,
        },
        recent: vec![lines()[0].clone(), lines()[1].clone(), lines()[3].clone()],
        may: activation::May { run: true, pause: true },
        editing: None,
        calendar: Calendar { due: days("Luxury audience"), zones: vec!["Europe/Paris".into()] },
        part: ui::component::Part::whole(2),
    }
}

pub(crate) fn profile() -> Profile {
    let field = |path: &str, value: &str, origin: &str| Field {
        path: path.into(),
        value: value.into(),
        origin: origin.into(),
    };
    Profile {
        namespaces: vec!["CRMID".into(), "Email".into()],
        namespace: Some("Email".into()),
        may_reveal: true,
        is_revealed: false,
        found: Found::Person(Box::new(Person {
            fields: vec![
                field("crmId", "A-······", "crm"),
                field("person.name.firstName", "C······", "crm"),
                field("personalEmail.address", "c······@·······.··", "shop"),
                field("homeAddress.country", "··", "crm"),
                field("loyalty.points", "····", "loyalty"),
            ],
            datasets: vec!["crm".into(), "shop".into(), "loyalty".into()],
            memberships: vec![
                Membership {
                    key: "luxury".into(),
                    name: "Luxury audience".into(),
                    is_member: true,
                    decided_by: vec!["loyalty.points >= 6000  (loyalty.points = 0000)".into()],
                },
                Membership {
                    key: "churn-risk".into(),
                    name: "Churn risk".into(),
                    is_member: false,
                    decided_by: vec!["modifiedAt < now() - INTERVAL '90 days'".into()],
                },
            ],
            files: vec![Sent {
                run: lines()[5].id.clone(),
                address: "s3://aubert-crm-inbound/partner/luxury.csv".into(),
                at: ago(282),
            }],
        })),
    }
}

pub(crate) fn audit() -> audit::Audit {
    let entry = |number: u64, minutes: i64, who: &str, what: &str, about: &str, is_done: bool| {
        audit::Entry {
            number,
            at: ago(minutes),
            who: who.into(),
            what: what.into(),
            about: about.into(),
            is_done,
        }
    };
    audit::Audit {
        entries: vec![
            entry(412, 3, "camille", "run.retry", "e09b1f0c", true),
            entry(411, 12, "camille", "destination.check", "agency", true),
            entry(410, 55, "jules", "profile.unmask", "Email", false),
            entry(409, 1_300, "admin", "user.create", "jules", true),
        ],
        broken_at: None,
        older: Some("/audit?before=409".into()),
    }
}

pub(crate) fn settings() -> Settings {
    let user =
        |name: &str, role, minutes: i64| User { name: name.into(), role, created: ago(minutes) };
    Settings {
        users: Some(vec![
            user("admin", Role::Admin, 81_300),
            user("camille", Role::Operator, 44_003),
            user("jules", Role::Analyst, 2_110),
        ]),
        tokens: Some(vec![Token {
            id: "9f2c41aa07be".into(),
            name: "airflow".into(),
            role: Role::Operator,
            last_used: Some(ago(12)),
            expires: ago(-90_000),
        }]),
        made: None,
        secrets: settings::Secrets {
            all: vec![("AWS_SECRET_ACCESS_KEY".into(), ago(44_000))],
            may_change: true,
            has_master_key: true,
        },
        alerts: Alerts {
            channels: Channels {
                webhook_of_start: true,
                mail: Some(settings::Mail {
                    server: "smtps://alerts@mail.aubert.example".into(),
                    from: "segue@aubert.example".into(),
                    to: vec!["ops@aubert.example".into()],
                }),
                may_change: true,
                ..Channels::default()
            },
            newest: vec![alert("failed", 96, Some(true)), alert("late", 1_510, Some(false))],
        },
        server: Server {
            project_file: "/srv/segue/segue.yaml".into(),
            state_folder: "/srv/segue/.segue".into(),
        },
    }
}

fn alert(kind: &str, minutes: i64, is_sent: Option<bool>) -> settings::Alert {
    settings::Alert {
        kind: kind.into(),
        segment: "Churn risk".into(),
        activation: "agency-weekly".into(),
        run: Some(lines()[5].id.clone()),
        at: ago(minutes),
        is_sent,
    }
}

/// The fields of the invented profiles.
fn fields() -> Fields {
    let field = |(path, kind): (&str, &str)| fields::Field { path: path.into(), kind: kind.into() };
    let all = [
        ("crmId", "string"),
        ("homeAddress.city", "string"),
        ("homeAddress.country", "string"),
        ("loyalty.points", "integer"),
        ("loyalty.since", "date"),
        ("personalEmail.address", "string"),
        ("privacy.optOut", "boolean"),
    ];
    Fields { has_shares: true, ..Fields::all(all.map(field).to_vec()) }
}

/// A segment that two people changed at once.
pub(crate) fn conflict() -> Conflict {
    let rule = |points: u64| format!("name: Luxury audience\nrule: loyalty.points >= {points}\n");
    Conflict {
        place: Place::Segments,
        name: "Luxury audience".into(),
        url: "/segments/luxury".into(),
        changed_by: "jules".into(),
        changed_at: ago(4),
        members: vec![editing::Member {
            place: "rule".into(),
            theirs: Some("loyalty.points >= 5000".into()),
            yours: Some("loyalty.points >= 6000".into()),
        }],
        theirs: rule(5_000),
        yours: rule(6_000),
        save: Send { action: "/segments/luxury/edit".into(), fields: Vec::new() },
        go_on: Send { action: "/rule".into(), fields: Vec::new() },
    }
}

/// How an object is changed on its page.
pub(crate) fn editing(url: &str, name: &str) -> Editing {
    Editing { url: url.into(), name: name.into(), revision: "12".into() }
}

pub(crate) fn rule_wrong() -> Rule {
    Rule {
        text: "loyalty.points >= 6000\n  AND homeAddress.contry IN ('FR', 'BE')".into(),
        found: rule::Found::Wrong(rule::Fault {
            message: "there is no field `homeAddress.contry`".into(),
            hint: Some("Did you mean `homeAddress.country`?".into()),
            place: Some((2, 7, 18)),
        }),
        ..rule()
    }
}

pub(crate) fn rule() -> Rule {
    let row = |row: [&str; 3]| row.map(str::to_owned).to_vec();
    Rule {
        text: "loyalty.points >= 6000 AND homeAddress.country IN ('FR', 'BE')".into(),
        language: "sql".into(),
        fields: fields(),
        saving: Some(Saving { name: "Luxury audience".into(), ..Saving::default() }),
        found: rule::Found::Counted(rule::Counted {
            members: 91_244,
            profiles: 1_204_310,
            columns: ["crmId", "loyalty.points", "homeAddress.country"].map(str::to_owned).to_vec(),
            rows: vec![row(["X-000000", "0000", "xx"]), row(["X-000000", "00000", "xx"])],
        }),
    }
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

/// A segment that is due every day, with a change of clocks.
fn days(segment: &str) -> Vec<Due> {
    let today = now().to_zoned(TimeZone::get("Europe/Paris").expect("a zone")).date();
    let day = |number: i64| Due {
        segment: segment.into(),
        date: today.saturating_add(jiff::Span::new().days(number + 1)),
        first: Some(jiff::civil::time(6, 0, 0, 0)),
        count: 1,
        clocks_change: number == 9,
    };
    (0..30).map(day).collect()
}

fn preview(_: Lang) -> Preview {
    let at = |minutes: i64| ago(-minutes).to_zoned(TimeZone::get("Europe/Paris").expect("a zone"));
    let segment = |name: &str, file: &str, is_static: bool, rows: u64| SegmentPreview {
        name: name.into(),
        file: Some(file.into()),
        is_static,
        slots: vec![(at(900), false), (at(2_340), true)],
        days: days(name),
        rows: Some((rows + 4_210, rows)),
        excluded: vec![
            ("consent".into(), 3_900),
            ("missing:e_mail".into(), 310),
            ("duplicate".into(), 0),
        ],
    };
    Preview {
        faults: Vec::new(),
        address: Some("s3://aubert-crm-inbound/partner/".into()),
        segments: vec![
            segment("Luxury audience", "luxury_20261124060000.csv", false, 91_244),
            segment("Churn risk", "churn-risk.csv", true, 18_020),
        ],
        documents: Some(Documents {
            policy: "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}".into(),
            trust: Some("{\n  \"Effect\": \"Allow\",\n  \"Action\": \"sts:AssumeRole\"\n}".into()),
            external_id: Some("segue-7b0a5f1e-8a35-5c1d-b8f1-0e7f4f3a9c21".into()),
        }),
        text: Some(
            "crmId,e_mail,points\nX-000000,xxxxxxx@xxxxxxx.xx,0000\nX-000000,xxxx@xxxx.xxx,00000\n"
                .into(),
        ),
    }
}

fn draft(fields: &[(&str, &str)]) -> Draft {
    Draft(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

pub(crate) fn connect(at: &str, lang: Lang) -> Connect {
    Connect {
        at: at.into(),
        draft: draft(&[
            ("preset", "minio"),
            ("access_key_id", "AKIAEXAMPLE"),
            ("endpoint", "minio.example.com:9000"),
            ("name", "Partner"),
            ("bucket", "aubert-crm-inbound"),
            ("folder", "partner"),
            ("format", "csv"),
        ]),
        accounts: vec!["aubert".into(), "agency".into()],
        changes: None,
        has_master_key: true,
        preview: preview(lang),
    }
}

pub(crate) fn activate(at: &str, lang: Lang) -> Activate {
    Activate {
        at: at.into(),
        draft: draft(&[
            ("destination", "partner"),
            ("segment", "luxury"),
            ("segment", "churn-risk"),
            ("zone", "Europe/Paris"),
            ("column.source", "crmId"),
            ("column.target", ""),
            ("column.rule", "both"),
            ("column.source", "personalEmail.address"),
            ("column.target", "e_mail"),
            ("column.rule", "mandatory"),
            ("column.source", "= loyalty.points / 100"),
            ("column.target", "tier"),
            ("column.rule", ""),
        ]),
        destinations: vec![("partner".into(), "Partner".into())],
        segments: [("luxury", "Luxury audience", Some(91_244)), ("churn-risk", "Churn risk", None)]
            .map(|(key, name, members)| activate::Segment {
                key: key.into(),
                name: name.into(),
                members,
            })
            .to_vec(),
        fields: fields(),
        changes: None,
        preview: preview(lang),
        warnings: vec![Warning::StaticName, Warning::NoGuard],
    }
}
