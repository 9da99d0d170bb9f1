//! Activating segments, in four steps.

use maud::{Markup, html};

use super::wizard::{Draft, Frame, Preview, Step};
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
    /// The segments that there are.
    pub segments: Vec<Segment>,
    /// The fields of profiles.
    pub fields: Vec<String>,
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
    ("schedule", &["frequency.*", "at.*", "export.*", "file_name.*", "zone", "min_rows"]),
    ("attributes", &["column.source", "column.target", "column.rule"]),
    ("review", &[]),
];

/// The steps.
pub fn steps(lang: Lang) -> [Step; 4] {
    [
        Step { key: "segments", name: lang.segments_title() },
        Step { key: "schedule", name: lang.schedule() },
        Step { key: "attributes", name: lang.mapping() },
        Step { key: "review", name: lang.step_review() },
    ]
}

/// What a file is called if nobody says otherwise.
pub const FILE_NAME: &str = "%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%";

impl Activate {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[(lang.activations_title(), Place::Activations.url())],
            title: lang.activate_title(),
            beside: nothing(),
            lead: html! { (lang.activate_lead()) },
            actions: nothing(),
        };
        let body = match self.at.as_str() {
            "schedule" => self.schedule(lang),
            "attributes" => self.attributes(lang),
            "review" => self.review(shell),
            _ => self.choose(shell),
        };
        let frame = Frame {
            steps: &steps(lang),
            at: &self.at,
            base: "/activate",
            body,
            beside: self.beside(shell),
            finish: lang.finish(),
        };
        shell.page(
            Some(Place::Activations),
            lang.activate_title(),
            &html! { (head.draw(lang)) (frame.draw(shell)) },
        )
    }

    /// Draws what would come of it: beside the form, and alone while somebody types.
    pub fn beside(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            (self.preview.faults(lang))
            @match self.at.as_str() {
                "schedule" => { (self.preview.slots(shell)) (self.preview.names(lang)) }
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
        let chosen: Vec<&str> = draft.all("segment").collect();
        let list = html! {
            div class="field find padded" {
                label for="find-segment" class="hidden" { (lang.find_segment()) }
                input class="input" id="find-segment" type="search" placeholder=(lang.find_segment()) autocomplete="off" data-find="segments";
            }
            ul class="list choose" id="segments" {
                @for segment in &self.segments {
                    li {
                        label { input type="checkbox" name="segment" value=(segment.key) checked[chosen.contains(&segment.key.as_str())]; span { b { (segment.name) } code class="under" { (segment.key) } } }
                        span class="number muted small" { @match segment.members { Some(members) => (lang.profiles(members)), None => (lang.never_sent()) } }
                    }
                }
            }
        };
        let first = html! {
            div class="stack" {
                (pick("destination", "destination", lang.destination(), &destinations, draft.get("destination")))
                (text_field("key", lang.key()).value(draft.get("key")).hint(lang.activation_key_hint()).draw())
            }
        };
        html! {
            (card(lang.destination(), &nothing(), &first))
            (flush_card(lang.segments_title(), &nothing(), &list))
        }
    }

    fn schedule(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let frequencies = [
            ("none", lang.by_hand()),
            ("hourly", lang.freq_hourly()),
            ("daily", lang.freq_daily()),
            ("weekly", lang.freq_weekly()),
            ("monthly", lang.freq_monthly()),
        ];
        let frequencies =
            frequencies.map(|(value, text)| Choice { value: value.into(), text: text.into() });
        let exports = [
            ("full", lang.export_full()),
            ("incremental", lang.export_incremental()),
            ("changes", lang.export_changes()),
        ];
        let exports =
            exports.map(|(value, text)| Choice { value: value.into(), text: text.into() });
        let one = |key: &str, name: &str, number: usize| {
            let field = |what: &str| format!("{what}.{key}");
            let id = |what: &str| format!("{what}-{number}");
            let value = |what: &str, otherwise: &str| draft.or(&field(what), otherwise).to_owned();
            html! {
                fieldset class="card body stack" {
                    legend class="hidden" { (name) }
                    h2 { (name) }
                    div class="filters" {
                        (pick(&id("frequency"), &field("frequency"), lang.how_often(), &frequencies, &value("frequency", "daily")))
                        (text_field(&field("at"), lang.at_time()).id(&id("at")).value(&value("at", "06:00")).draw())
                        (pick(&id("export"), &field("export"), lang.export_kind(), &exports, &value("export", "full")))
                    }
                    (text_field(&field("file_name"), lang.file_name()).id(&id("file")).value(&value("file_name", FILE_NAME)).hint(lang.file_name_hint()).draw())
                }
            }
        };
        let zone = html! {
            div class="filters" {
                (text_field("zone", lang.time_zone()).value(draft.or("zone", "UTC")).draw())
                (text_field("min_rows", lang.at_least_rows()).value(draft.get("min_rows")).draw())
                button class="button" name="go" value="same" formnovalidate { (lang.same_for_all()) }
            }
        };
        html! {
            (card(lang.for_all(), &nothing(), &zone))
            @for (number, key) in draft.all("segment").enumerate() { (one(key, self.name_of(key), number)) }
        }
    }

    fn name_of<'a>(&'a self, key: &'a str) -> &'a str {
        self.segments.iter().find(|segment| segment.key == key).map_or(key, |it| it.name.as_str())
    }

    fn attributes(&self, lang: Lang) -> Markup {
        let rules = [
            ("", lang.rule_none()),
            ("mandatory", lang.mandatory()),
            ("deduplicate", lang.deduplicated()),
            ("both", lang.rule_both()),
        ];
        let rules = rules.map(|(value, text)| Choice { value: value.into(), text: text.into() });
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
                    (text_field("column.source", lang.source()).id(&id("source")).value(source).draw())
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
        let tree = html! {
            div class="field find" {
                label for="find-field" class="hidden" { (lang.find_field()) }
                input class="input" id="find-field" type="search" placeholder=(lang.find_field()) autocomplete="off" data-find="fields";
            }
            ul class="fields" id="fields" tabindex="0" aria-label=(lang.all_fields()) {
                @for field in &self.fields { li { button name="go" value={ "add:" (field) } formnovalidate { (field) } } }
            }
        };
        html! {
            (flush_card(lang.mapping(), &nothing(), &rows))
            (card(lang.all_fields(), &html! { p { (lang.press_to_add()) } }, &tree))
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
