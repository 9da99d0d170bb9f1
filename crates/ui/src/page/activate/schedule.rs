//! The second step: when each segment is sent, which rows, and under which name. Hundreds of segments are
//! shown some at a time, each closed, and changed together.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{Activate, FILE_NAME, SHOWN_OPEN};
use crate::component::{Choice, Tone, badge, card, nothing, pick, text_field};
use crate::page::wizard::{choices, macros};
use crate::words::Lang;

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

/// The frequencies for which a time of day is asked, for the stylesheet.
const TIMED: &str = "once hourly daily weekly monthly";
/// Those for which a first day is.
const SCHEDULED: &str = "once hourly daily weekly monthly cron";
/// Those for which a last day is.
const REPEATING: &str = "hourly daily weekly monthly cron";

impl Activate {
    pub(super) fn schedule(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let guard =
            |name: &'static str, label| text_field(name, label).value(draft.get(name)).draw();
        let has_several = draft.all("segment").nth(1).is_some();
        let for_all = html! {
            div class="stack" {
                div class="filters" {
                    (text_field("zone", lang.time_zone()).value(draft.or("zone", "UTC")).list("zones").draw())
                    @if has_several { button class="button" name="go" value="same" formnovalidate { (lang.same_for_all()) } }
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
            @if has_several { (self.bulk(lang)) }
            (self.exports(lang, has_several))
        }
    }

    /// The segments, those that are shown, each with its own fields.
    fn exports(&self, lang: Lang, has_several: bool) -> Markup {
        let (found, part) = self.found();
        let is_open = found.len() <= SHOWN_OPEN;
        let all: Vec<&str> = self.draft.all("segment").collect();
        let filled = self.draft.by_name();
        let ticked: Vec<&str> = self.draft.all("bulk.segment").collect();
        let number = |key: &str| all.iter().position(|it| *it == key).unwrap_or_default();
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        html! {
            section class="card" {
                header { h2 { (lang.segments_title()) } p { (lang.chosen(count)) } }
                @if has_several {
                    div class="row padded" {
                        @if all.len() > SHOWN_OPEN {
                            (text_field("find", lang.find_segment()).of_kind("search").value(&self.shown.find).draw())
                            button class="button" id="find-them" name="go" value="find" formnovalidate { (lang.find()) }
                        }
                        button type="button" class="button small" data-tick="bulk.segment" { (lang.choose_all()) }
                        button type="button" class="button small quiet" data-untick="bulk.segment" { (lang.choose_none()) }
                    }
                }
                input type="hidden" name="from" value=(part.from);
                ul class="exports" {
                    @for key in &found[part.range()] {
                        li {
                            input type="hidden" name="shown" value=(key);
                            @if has_several { input type="checkbox" name="bulk.segment" value=(key) checked[ticked.contains(key)] aria-label=(lang.tick_segment(self.name_of(key))); }
                            (self.export(lang, key, (number(key), is_open), &filled))
                        }
                    }
                }
                @if found.is_empty() { p class="muted padded" { (lang.no_segment_found()) } }
                (self.pager(lang, part))
            }
        }
    }

    /// What is the same for several segments, filled in once.
    fn bulk(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let as_it_is = [("", lang.as_it_is())];
        let frequencies = choices(&[&as_it_is[..], &frequencies(lang)].concat());
        let exports = choices(&[&as_it_is[..], &exports(lang)].concat());
        let text = |name: &'static str, label: &'static str, kind: &'static str| {
            text_field(name, label).of_kind(kind).value(draft.get(name)).draw()
        };
        let pick = |name: &str, label: &str, choices: &[Choice]| {
            pick(name, name, label, choices, draft.get(name))
        };
        let (found, _) = self.found();
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let everybody = match self.shown.find.as_str() {
            "" => lang.all_chosen(count),
            _ => lang.all_found(count),
        };
        let who = |value: &str, text: &str, is_chosen: bool| {
            html! { label class="choice" { input type="radio" name="bulk.who" value=(value) checked[is_chosen]; span { (text) } } }
        };
        let is_all = draft.get("bulk.who") == "all";
        let body = html! {
            p class="muted small" { (lang.bulk_hint()) }
            div class="filters times" {
                (pick("bulk.frequency", lang.how_often(), &frequencies))
                (text("bulk.at", lang.at_time(), "text"))
                div data-when="hourly" { (text("bulk.every", lang.every_hours_label(), "number")) }
                div data-when="cron" { (text("bulk.cron", lang.cron_expression(), "text")) }
                (pick("bulk.export", lang.export_kind(), &exports))
            }
            div class="filters" {
                (text("bulk.start", lang.first_day(), "date"))
                (text("bulk.end", lang.last_day(), "date"))
                (text_field("bulk.zone", lang.time_zone()).value(draft.get("bulk.zone")).list("zones").draw())
            }
            (text_field("bulk.file_name", lang.file_name()).value(draft.get("bulk.file_name")).hint(lang.file_name_hint()).draw())
            (macros(lang, "bulk.file_name", FILE_MACROS))
            fieldset class="row" {
                legend class="hidden" { (lang.for_which()) }
                (who("ticked", lang.the_ticked(), !is_all))
                (who("all", &everybody, is_all))
            }
            div class="row" { button class="button" name="go" value="bulk" formnovalidate { (lang.apply()) } }
        };
        html! {
            details class="card bulk" {
                summary { h2 { (lang.for_several()) } }
                div class="body stack" { (body) }
            }
        }
    }

    /// When a segment is sent, which rows, and under which name: in a line, and to be changed.
    fn export(
        &self,
        lang: Lang,
        key: &str,
        (number, is_open): (usize, bool),
        filled: &HashMap<&str, &str>,
    ) -> Markup {
        let (frequencies, exports) = (choices(&frequencies(lang)), choices(&exports(lang)));
        let name = |what: &str| format!("{what}.{key}");
        let id = |what: &str| format!("{what}-{number}");
        let value = |what: &str, otherwise: &'static str| {
            let value = filled.get(name(what).as_str()).copied().unwrap_or_default();
            if value.is_empty() { otherwise } else { value }.to_owned()
        };
        let (frequency, export) = (value("frequency", "daily"), value("export", "full"));
        let text = |what: &str, label: &str, otherwise: &'static str, kind: &str, hint: &str| {
            text_field(&name(what), label)
                .id(&id(what))
                .of_kind(kind)
                .value(&value(what, otherwise))
                .hint(hint)
                .draw()
        };
        let fault = self.preview.fault_of(lang, &format!("segments.{number}"));
        let hints = [
            ("once", lang.hint_once()),
            ("hourly", lang.hint_hourly()),
            ("weekly", lang.hint_weekly()),
            ("monthly", lang.hint_monthly()),
        ];
        let named = |all: &[Choice], value: &str| {
            all.iter().find(|it| it.value == value).map(|it| it.text.clone()).unwrap_or_default()
        };
        let when = match frequency.as_str() {
            "none" => String::new(),
            "cron" => format!(" · {}", value("cron", "0 6 * * *")),
            _ => format!(" · {}", value("at", "06:00")),
        };
        html! {
            details open[is_open || !fault.0.is_empty()] {
                summary {
                    span class="named" { b { (self.name_of(key)) } span class="under" data-says="when" { (named(&frequencies, &frequency)) (when) } }
                    @if !fault.0.is_empty() { (badge(Tone::Bad, lang.draft_wrong())) }
                    span class="badge plain" data-says="export" { (named(&exports, &export)) }
                }
                fieldset class="stack times" {
                    legend class="hidden" { (self.name_of(key)) }
                    div class="filters" {
                        (pick(&id("frequency"), &name("frequency"), lang.how_often(), &frequencies, &frequency))
                        div data-when="hourly" { (text("every", lang.every_hours_label(), "1", "number", "")) }
                        div data-when="cron" { (text("cron", lang.cron_expression(), "0 6 * * *", "text", "")) }
                        div data-when=(TIMED) { (text("at", lang.at_time(), "06:00", "text", "")) }
                        (pick(&id("export"), &name("export"), lang.export_kind(), &exports, &export))
                    }
                    div class="filters" data-when=(SCHEDULED) {
                        (text("start", lang.first_day(), "", "date", ""))
                        div data-when=(REPEATING) { (text("end", lang.last_day(), "", "date", "")) }
                        @if !value("zone", "").is_empty() { (text("zone", lang.time_zone(), "UTC", "text", "")) }
                    }
                    @for (when, hint) in hints { p class="muted small" data-when=(when) { (hint) } }
                    (text("file_name", lang.file_name(), FILE_NAME, "text", lang.file_name_hint()))
                    (macros(lang, &id("file_name"), FILE_MACROS))
                }
            }
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
