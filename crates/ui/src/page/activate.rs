//! Activating segments, in four steps.

use std::collections::HashMap;

use maud::{Markup, html};

mod attributes;
mod choose;
mod review;
mod schedule;

use super::fields::Fields;
use super::wizard::{Draft, FORM, Frame, Preview, Step};
use crate::component::{Head, Part, card, nothing};
use crate::icon::Icon;
use crate::locale::number;
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
    /// Which of the chosen segments are shown where there are many.
    pub shown: Shown,
    /// Whether segments may be counted, and a few of their members shown, masked.
    pub may_sample: bool,
}

/// Which of the chosen segments a step shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// A part of their names or keys.
    pub find: String,
    /// The first of those, from 0.
    pub from: usize,
}

/// How many segments the schedule and the review show at once.
const SHOWN: usize = 20;
/// Up to how many segments the fields of each are open.
const SHOWN_OPEN: usize = 3;

impl Shown {
    /// Of segments by key and name, the keys of those that are found, and which of them are shown.
    pub fn of<'a>(&self, chosen: impl Iterator<Item = (&'a str, &'a str)>) -> (Vec<&'a str>, Part) {
        let wanted = self.find.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let found: Vec<&str> =
            chosen.filter(|(key, name)| has(key) || has(name)).map(|(key, _)| key).collect();
        let from = if self.from < found.len() { self.from } else { 0 };
        let part = Part { from, shown: (found.len() - from).min(SHOWN), all: found.len() };
        (found, part)
    }
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
    /// No column is unique.
    NoUnique,
    /// No guard stops a segment that collapsed.
    NoGuard,
}

/// The fields of each step.
pub const FIELDS: [(&str, &[&str]); 4] = [
    ("segments", &["destination", "key", "segment"]),
    // It may show some of the segments only, so its fields are put in by segment.
    ("schedule", &[]),
    ("attributes", &["column.source", "column.target", "column.rule"]),
    ("review", &[]),
];

/// What can be filled in for several segments at once. In the form each stands behind `bulk.`, where an empty
/// one leaves what there is; `bulk.segment` names the segments, unless `bulk.who` means all of them.
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

/// A place for the first lines, which are read when the page stands.
fn lines_to_come(lang: Lang, base: &str) -> Markup {
    let body = html! {
        p class="muted waiting" data-live-first { (lang.reading_lines()) }
        p class="without-scripts" { a href={ (base) "/attributes?lines=yes" } { (lang.show_all()) } }
    };
    card(lang.first_lines(), &nothing(), &body)
}

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
            form: self.draft.get(FORM),
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
            @if self.at == "review" { (self.told().faults_besides_policies(lang)) } @else { (self.told().faults(lang)) }
            @match self.at.as_str() {
                "schedule" => { (self.preview.calendar(shell)) (self.preview.slots(shell)) (self.preview.names(lang)) }
                "attributes" => {
                    @if self.preview.address.is_some() && self.preview.text.is_none() { (lines_to_come(lang, &self.base())) }
                    (self.preview.lines(lang))
                }
                "review" => { (self.preview.names(lang)) (self.preview.slots(shell)) }
                _ => { (card(lang.activate_how(), &nothing(), &html! { p class="muted" { (lang.activate_how_text()) } })) }
            }
        }
    }

    /// The same with segments by their names in what is wrong, where the draft has them by number.
    fn told(&self) -> Preview {
        let keys: Vec<&str> = self.draft.all("segment").collect();
        let mut preview = self.preview.clone();
        for fault in &mut preview.faults {
            let number = fault.place.strip_prefix("segments.").and_then(|it| it.split('.').next());
            let Some(own) = number.and_then(|it| keys.get(it.parse::<usize>().ok()?)) else {
                continue;
            };
            // Another one that it names, as two stand in each other's way.
            let is_named =
                |key: &&&str| *key == own || fault.message.contains(&format!("`{key}` of `"));
            let names: Vec<&str> =
                keys.iter().filter(is_named).map(|key| self.name_of(key)).collect();
            fault.about = Some(names.join(", "));
        }
        preview
    }

    /// The chosen segments that are found, and which of them are shown.
    fn found(&self) -> (Vec<&str>, Part) {
        let names: HashMap<&str, &str> =
            self.segments.iter().map(|it| (it.key.as_str(), it.name.as_str())).collect();
        let name = |key| names.get(key).copied().unwrap_or(key);
        self.shown.of(self.draft.all("segment").map(|key| (key, name(key))))
    }

    /// Ways to the other segments, which keep what is filled in; nothing where all are shown.
    fn pager(&self, lang: Lang, part: Part) -> Markup {
        let range = part.range();
        let count = |at: usize| number(lang, u64::try_from(at).unwrap_or(u64::MAX));
        let button = |from: usize, text: &str, icon: Option<Icon>| {
            html! { button class="button small" name="go" value={ "from:" (from) } formnovalidate { @if let Some(icon) = icon { (icon.draw()) } (text) } }
        };
        html! {
            @if part.shown < part.all {
                footer class="row apart" {
                    span { (lang.pages_of(&count(range.start + 1), &count(range.end), &count(part.all))) }
                    span class="row" {
                        @if range.start > 0 { (button(range.start.saturating_sub(SHOWN), lang.page_before(), None)) }
                        @if range.end < part.all { (button(range.end, lang.page_behind(), Some(Icon::Next))) }
                    }
                }
            }
        }
    }

    fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        self.segments.iter().find(|segment| segment.key == key).map_or(key, |it| it.name.as_str())
    }
}
