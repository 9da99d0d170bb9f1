//! Activating segments, in four steps.

use maud::{Markup, html};

use super::fields::{Fields, Press};
use super::wizard::{Draft, Frame, Preview, Step, choices, macros};
use crate::component::{Choice, Head, Note, Tone, card, flush_card, nothing, pick, text_field};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the wizard shows.
#[derive(Debug, Clone, Default)]
pub struct Activate {
    /// The step.
    pub at: String,
    /// What was filled in so far.
    pub draft: Draft,
    /// The destinations that there are: key and name.
    pub destinations: Vec<(String, String)>,
    /// The segments that there are; where they are chosen, those that the page begins with.
    pub segments: Vec<Segment>,
    /// Segments besides them, which the page asks for when it stands.
    pub segments_beyond: u64,
    /// The fields of profiles.
    pub fields: Fields,
    /// The activation that is changed; nothing for a new one.
    pub changes: Option<String>,
    /// What would come of it.
    pub preview: Preview,
    /// What is worth knowing before it is finished.
    pub warnings: Vec<Warning>,
}

/// A segment that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Members at the last delivery, if there was one.
    pub members: Option<u64>,
}

/// Something worth knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// A file name without a time.
    StaticName,
    /// No column identifies somebody.
    NoIdentity,
    /// No guard stops a segment that collapsed.
    NoGuard,
}

/// The fields of each step.
pub const FIELDS: [(&str, &[&str]); 4] = [
    ("segments", &["destination", "key", "segment"]),
    (
        "schedule",
        &[
            "frequency.*",
            "at.*",
            "every.*",
            "cron.*",
            "start.*",
            "end.*",
            "zone.*",
            "export.*",
            "file_name.*",
            "zone",
            "min_rows",
            "max_rows",
            "max_shrink",
            "max_growth",
            "bulk.*",
        ],
    ),
    ("attributes", &["column.source", "column.target", "column.rule"]),
    ("review", &[]),
];

/// What can be filled in for several segments at once. In the form each stands behind `bulk.`, where an empty
/// one leaves what there is; `bulk.segment` names the segments.
pub const BULK: [&str; 9] =
    ["frequency", "at", "every", "cron", "start", "end", "zone", "export", "file_name"];

/// The fields that say what stops a run, as the guard of an activation names them.
pub const GUARDS: [&str; 4] = ["min_rows", "max_rows", "max_shrink", "max_growth"];

/// The steps.
pub fn steps(lang: Lang) -> [Step; 4] {
    [
        Step { key: "segments", name: lang.segments_title() },
        Step { key: "schedule", name: lang.schedule() },
        Step { key: "attributes", name: lang.mapping() },
        Step { key: "review", name: lang.step_review() },
    ]
}

/// Zones that are offered; any other can be written.
const ZONES: [&str; 24] = [
    "UTC",
    "Europe/London",
    "Europe/Paris",
    "Europe/Brussels",
    "Europe/Zurich",
    "Europe/Berlin",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Stockholm",
    "Europe/Warsaw",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "America/Montreal",
    "America/Sao_Paulo",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// The macros of file names that are offered.
const FILE_MACROS: &[&str] = &[
    "%SEGMENT_NAME%",
    "%SEGMENT_ID%",
    "%DESTINATION_NAME%",
    "%ACTIVATION_NAME%",
    "%RUN_ID%",
    "%DATETIME(yyyyMMddHHmmss)%",
    "%DATETIME(yyyy-MM-dd)%",
];

/// What a file is called if nobody says otherwise.
pub const FILE_NAME: &str = "%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%";

impl Activate {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let title = match &self.changes {
            Some(key) => lang.edit_title(key),
            None => lang.activate_title().to_owned(),
        };
        let url = self.changes.as_deref().map(super::activation_url).unwrap_or_default();
        let mut crumbs = vec![(lang.activations_title(), Place::Activations.url())];
        if let Some(key) = &self.changes {
            crumbs.push((key, &url));
        }
        let head = Head {
            crumbs: &crumbs,
            title: &title,
            beside: nothing(),
            lead: html! { (lang.activate_lead()) },
            actions: nothing(),
        };
        let body = match self.at.as_str() {
            "schedule" => self.schedule(lang),
            "attributes" => self.attributes(shell),
            "review" => self.review(shell),
            _ => self.choose(shell),
        };
        let frame = Frame {
            steps: &steps(lang),
            at: &self.at,
            base: &self.base(),
            body,
            beside: self.beside(shell),
            jumps: self.changes.is_some(),
            finish: if self.changes.is_some() { lang.save_changes() } else { lang.finish() },
        };
        shell.page(
            Some(Place::Activations),
            &title,
            &html! { (head.draw(lang)) (frame.draw(shell)) },
        )
    }

    /// The address that the steps stand below.
    pub fn base(&self) -> String {
        match &self.changes {
            Some(key) => format!("{}/edit", super::activation_url(key)),
            None => "/activate".to_owned(),
        }
    }

    /// Draws what would come of it: beside the form, and alone while somebody types.
    pub fn beside(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            (self.preview.faults(lang))
            @match self.at.as_str() {
                "schedule" => { (self.preview.calendar(shell)) (self.preview.slots(shell)) (self.preview.names(lang)) }
                "attributes" => { (self.preview.lines(lang)) }
                "review" => { (self.preview.names(lang)) (self.preview.slots(shell)) }
                _ => { (card(lang.activate_how(), &nothing(), &html! { p class="muted" { (lang.activate_how_text()) } })) }
            }
        }
    }

    fn choose(&self, shell: &Shell) -> Markup {
        let (lang, draft) = (shell.lang(), &self.draft);
        let choice =
            |(key, name): &(String, String)| Choice { value: key.clone(), text: name.clone() };
        let destinations: Vec<Choice> = self.destinations.iter().map(choice).collect();
        let is_part = self.segments_beyond > 0;
        let more = format!("{}/segments?all=yes", self.base());
        let list = html! {
            div class="field find padded" {
                label for="find-segment" class="hidden" { (lang.find_segment()) }
                input class="input" id="find-segment" type="search" placeholder=(lang.find_segment()) autocomplete="off" data-find="segments";
            }
            ul class="list choose" id="segments" data-more=[is_part.then_some(&more)] { (self.segment_list(lang)) }
            @if is_part { p class="small padded without-scripts" { a href=(more) { (lang.show_all()) } } }
        };
        let first = html! {
            div class="stack" {
                (pick("destination", "destination", lang.destination(), &destinations, draft.get("destination")))
                @if self.changes.is_none() { (text_field("key", lang.key()).value(draft.get("key")).hint(lang.activation_key_hint()).draw()) }
            }
        };
        html! {
            (card(lang.destination(), &nothing(), &first))
            (flush_card(lang.segments_title(), &nothing(), &list))
        }
    }

    /// Draws the segments to choose from: in the page, and alone for one that stands already.
    pub fn segment_list(&self, lang: Lang) -> Markup {
        let chosen: Vec<&str> = self.draft.all("segment").collect();
        html! {
            @for segment in &self.segments {
                li {
                    label { input type="checkbox" name="segment" value=(segment.key) checked[chosen.contains(&segment.key.as_str())]; span { b { (segment.name) } code class="under" { (segment.key) } } }
                    span class="number muted small" { @match segment.members { Some(members) => (lang.profiles(members)), None => (lang.never_sent()) } }
                }
            }
        }
    }

    fn schedule(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let guard =
            |name: &'static str, label| text_field(name, label).value(draft.get(name)).draw();
        let for_all = html! {
            div class="stack" {
                div class="filters" {
                    (text_field("zone", lang.time_zone()).value(draft.or("zone", "UTC")).list("zones").draw())
                    button class="button" name="go" value="same" formnovalidate { (lang.same_for_all()) }
                }
                fieldset class="stack tight" {
                    legend class="label" { (lang.guards()) }
                    div class="filters two" {
                        (guard("min_rows", lang.at_least_rows()))
                        (guard("max_rows", lang.at_most_rows()))
                        (guard("max_shrink", lang.shrinks_by()))
                        (guard("max_growth", lang.grows_by()))
                    }
                    p class="muted small" { (lang.guards_hint()) }
                }
                datalist id="zones" { @for zone in ZONES { option value=(zone) {} } }
            }
        };
        html! {
            (card(lang.for_all(), &nothing(), &for_all))
            @if draft.all("segment").nth(1).is_some() { (self.bulk(lang)) }
            @for (number, key) in draft.all("segment").enumerate() { (self.export(lang, key, number)) }
        }
    }

    /// What is the same for several segments, filled in once.
    fn bulk(&self, lang: Lang) -> Markup {
        let as_it_is = [("", lang.as_it_is())];
        let frequencies = choices(&[&as_it_is[..], &frequencies(lang)].concat());
        let exports = choices(&[&as_it_is[..], &exports(lang)].concat());
        let text = |name: &'static str, label: &'static str, kind: &'static str| {
            text_field(name, label).of_kind(kind).draw()
        };
        let body = html! {
            p class="muted small" { (lang.bulk_hint()) }
            div class="row" {
                button type="button" class="button small" data-tick="bulk.segment" { (lang.choose_all()) }
                button type="button" class="button small quiet" data-untick="bulk.segment" { (lang.choose_none()) }
            }
            ul class="list choose some" {
                @for key in self.draft.all("segment") {
                    li { label { input type="checkbox" name="bulk.segment" value=(key); span { (self.name_of(key)) } } }
                }
            }
            div class="filters" {
                (pick("bulk.frequency", "bulk.frequency", lang.how_often(), &frequencies, ""))
                (text("bulk.at", lang.at_time(), "text"))
                div data-when="hourly" { (text("bulk.every", lang.every_hours_label(), "number")) }
                div data-when="cron" { (text("bulk.cron", lang.cron_expression(), "text")) }
                (pick("bulk.export", "bulk.export", lang.export_kind(), &exports, ""))
            }
            div class="filters" {
                (text("bulk.start", lang.first_day(), "date"))
                (text("bulk.end", lang.last_day(), "date"))
                (text_field("bulk.zone", lang.time_zone()).list("zones").draw())
            }
            (text_field("bulk.file_name", lang.file_name()).hint(lang.file_name_hint()).draw())
            (macros(lang, "bulk.file_name", FILE_MACROS))
            div class="row" { button class="button" name="go" value="bulk" formnovalidate { (lang.apply_to_chosen()) } }
        };
        html! {
            details class="card bulk" {
                summary { h2 { (lang.for_several()) } }
                div class="body stack" { (body) }
            }
        }
    }

    /// When a segment is sent, which rows, and under which name.
    fn export(&self, lang: Lang, key: &str, number: usize) -> Markup {
        let draft = &self.draft;
        let (frequencies, exports) = (choices(&frequencies(lang)), choices(&exports(lang)));
        let name = |what: &str| format!("{what}.{key}");
        let id = |what: &str| format!("{what}-{number}");
        let value =
            |what: &str, otherwise: &'static str| draft.or(&name(what), otherwise).to_owned();
        let frequency = value("frequency", "daily");
        let text = |what: &str, label: &str, otherwise: &'static str, kind: &str, hint: &str| {
            text_field(&name(what), label)
                .id(&id(what))
                .of_kind(kind)
                .value(&value(what, otherwise))
                .hint(hint)
                .draw()
        };
        let (first_day, at_time) = match frequency.as_str() {
            "weekly" => (lang.first_day_weekly(), lang.at_time()),
            "monthly" => (lang.first_day_monthly(), lang.at_time()),
            "hourly" => (lang.first_day(), lang.starting_time()),
            _ => (lang.first_day(), lang.at_time()),
        };
        html! {
            fieldset class="card body stack" {
                legend class="hidden" { (self.name_of(key)) }
                h2 { (self.name_of(key)) }
                div class="filters" {
                    (pick(&id("frequency"), &name("frequency"), lang.how_often(), &frequencies, &frequency))
                    @match frequency.as_str() {
                        "none" => {},
                        "cron" => (text("cron", lang.cron_expression(), "0 6 * * *", "text", "")),
                        other => {
                            @if other == "hourly" { (text("every", lang.every_hours_label(), "1", "number", "")) }
                            (text("at", at_time, "06:00", "text", ""))
                        }
                    }
                    (pick(&id("export"), &name("export"), lang.export_kind(), &exports, &value("export", "full")))
                }
                @if frequency != "none" {
                    div class="filters" {
                        (text("start", if frequency == "once" { lang.on_day() } else { first_day }, "", "date", ""))
                        @if frequency != "once" { (text("end", lang.last_day(), "", "date", "")) }
                        @if !draft.get(&name("zone")).is_empty() { (text("zone", lang.time_zone(), "UTC", "text", "")) }
                    }
                }
                (text("file_name", lang.file_name(), FILE_NAME, "text", lang.file_name_hint()))
                (macros(lang, &id("file_name"), FILE_MACROS))
            }
        }
    }

    fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        self.segments.iter().find(|segment| segment.key == key).map_or(key, |it| it.name.as_str())
    }

    fn attributes(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let rules = choices(&[
            ("", lang.rule_none()),
            ("mandatory", lang.mandatory()),
            ("deduplicate", lang.deduplicated()),
            ("both", lang.rule_both()),
        ]);
        let draft = &self.draft;
        let (targets, chosen): (Vec<&str>, Vec<&str>) =
            (draft.all("column.target").collect(), draft.all("column.rule").collect());
        let row = |number: usize, source: &str| {
            let id = |what: &str| format!("{what}-{number}");
            let at = |all: &[&str]| all.get(number).copied().unwrap_or_default().to_owned();
            let button = |what: &str, icon: Icon, text: &str| {
                html! { button class="button small icon-only" name="go" value={ (what) ":" (number) } formnovalidate aria-label={ (text) " " (source) } title=(text) { (icon.draw()) } }
            };
            html! {
                li class="column" data-row="" draggable="true" {
                    span class="grip" aria-hidden="true" { (Icon::UpDown.draw()) }
                    (text_field("column.source", lang.source()).id(&id("source")).value(source).error(&self.preview.fault_of(lang, &format!("mapping.{number}"))).draw())
                    (text_field("column.target", lang.column()).id(&id("target")).value(&at(&targets)).draw())
                    (pick(&id("rule"), "column.rule", lang.marks(), &rules, &at(&chosen)))
                    div class="row" {
                        (button("up", Icon::Up, lang.move_up()))
                        (button("down", Icon::Down, lang.move_down()))
                        (button("drop", Icon::Cross, lang.remove()))
                    }
                }
            }
        };
        let rows = html! {
            ol class="columns-list" data-reorder="" {
                @for (number, source) in draft.all("column.source").enumerate() { (row(number, source)) }
            }
            p class="muted small padded" { (lang.source_hint()) }
        };
        html! {
            (flush_card(lang.mapping(), &nothing(), &rows))
            (self.fields.card(shell, Press::Add))
        }
    }

    fn review(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let warning = |warning: &Warning| {
            let text = match warning {
                Warning::StaticName => lang.warn_static(),
                Warning::NoIdentity => lang.warn_no_identity(),
                Warning::NoGuard => lang.warn_no_guard(),
            };
            let note = Note {
                tone: Tone::Warn,
                title: html! { (text) },
                detail: nothing(),
                next_step: None,
                actions: nothing(),
            };
            note.draw(lang)
        };
        html! {
            (self.preview.rows(shell))
            @for each in &self.warnings { (warning(each)) }
            (self.preview.lines(lang))
        }
    }
}

/// How often a segment may be sent.
fn frequencies(lang: Lang) -> [(&'static str, &'static str); 7] {
    [
        ("none", lang.by_hand()),
        ("once", lang.freq_once()),
        ("hourly", lang.freq_hourly()),
        ("daily", lang.freq_daily()),
        ("weekly", lang.freq_weekly()),
        ("monthly", lang.freq_monthly()),
        ("cron", lang.freq_cron()),
    ]
}

/// Which rows a file may hold.
fn exports(lang: Lang) -> [(&'static str, &'static str); 3] {
    [
        ("full", lang.export_full()),
        ("incremental", lang.export_incremental()),
        ("changes", lang.export_changes()),
    ]
}
