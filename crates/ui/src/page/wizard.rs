//! What both wizards are made of: a draft that is kept on the server, steps that are addresses of their
//! own, and what would come of it beside the form.

use std::collections::{HashMap, HashSet};

use jiff::Zoned;
use maud::{Markup, html};

use super::calendar::{Calendar, Due};
use super::run::reason_text;
use crate::chart::share;
use crate::component::{
    Choice, Note, Tone, badge, card, code_block, copyable, flush_card, hidden_fields, nothing,
    told, told_step,
};
use crate::icon::Icon;
use crate::locale::ratio;
use crate::shell::Shell;
use crate::words::Lang;

/// What was filled in so far: the fields of the forms, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft(pub Vec<(String, String)>);

impl Draft {
    /// The value of a field: the last, as a box that is ticked comes behind what it is otherwise.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The value of a field, or what it is without one.
    pub fn or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        match self.get(name) {
            "" => otherwise,
            value => value,
        }
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Puts the fields of a step in the place of what they were. A box that is not ticked is not sent,
    /// so `names` says which fields the step has.
    pub fn put(&mut self, names: &[&str], fields: &[(String, String)]) {
        let is_own = |key: &str| {
            names.iter().any(|name| {
                key == *name || name.strip_suffix('*').is_some_and(|begin| key.starts_with(begin))
            })
        };
        self.0.retain(|(key, _)| !is_own(key));
        self.0.extend(fields.iter().filter(|(key, _)| is_own(key)).cloned());
    }

    /// The last value of each field by its name, for whoever asks for many.
    pub fn by_name(&self) -> HashMap<&str, &str> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Sets many fields.
    pub fn set_all(&mut self, fields: Vec<(String, String)>) {
        let names: HashSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        self.0.retain(|(name, _)| !names.contains(name.as_str()));
        self.0.extend(fields);
    }

    /// Sets one field.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }
}

/// A step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// As it stands in the address.
    pub key: &'static str,
    /// As it is called.
    pub name: &'static str,
}

/// Choices of a list, each by its value and its text.
pub(crate) fn choices(all: &[(&str, &str)]) -> Vec<Choice> {
    let choice = |(value, text): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        text: (*text).to_owned(),
    };
    all.iter().map(choice).collect()
}

/// Macros that are pressed to be written into the field `id`. Without scripts they are read.
pub(crate) fn macros(lang: Lang, id: &str, all: &[&str]) -> Markup {
    html! {
        div class="macros" role="group" aria-label=(lang.macros()) {
            @for each in all { button type="button" class="tag" data-insert=(id) value=(each) { code { (each) } } }
        }
    }
}

/// What would come of a draft.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The address that files begin with.
    pub address: Option<String>,
    /// What each segment comes to.
    pub segments: Vec<SegmentPreview>,
    /// The first lines of the first file, masked.
    pub text: Option<String>,
    /// What to paste where.
    pub documents: Option<Documents>,
    /// What usage policies say, those that are asked.
    pub policies: Vec<Policy>,
}

/// What a usage policy says to a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The marketing actions for which it is asked.
    pub actions: Vec<String>,
    /// The labels that it forbids then.
    pub labels: Vec<String>,
    /// What it has against the draft, in English; nothing where it holds.
    pub against: Vec<String>,
    /// What to do about that, in English.
    pub hint: Option<String>,
}

/// What to paste where, so that a destination works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documents {
    /// What the user or role that delivers may do, as JSON.
    pub policy: String,
    /// Who may assume the role, as JSON, for accounts with a role.
    pub trust: Option<String>,
    /// What the trust policy asks for.
    pub external_id: Option<String>,
}

impl Documents {
    /// Draws the trust policy of the role and its external id, ready to copy.
    pub fn role(&self, lang: Lang) -> Markup {
        let Some(trust) = &self.trust else { return nothing() };
        let body = html! {
            div class="stack tight" {
                @if let Some(id) = &self.external_id {
                    p { span class="muted" { (lang.external_id()) " " } (copyable(lang, id, id, lang.external_id_what())) }
                }
                p class="muted small" { (lang.trust_policy_hint()) }
                (code_block(lang, trust, &html! { (trust) }, lang.trust_what()))
            }
        };
        card(lang.trust_policy(), &nothing(), &body)
    }

    /// Draws the policy of whoever delivers, ready to copy.
    pub fn delivery(&self, lang: Lang) -> Markup {
        let policy = &self.policy;
        let body = code_block(lang, policy, &html! { (policy) }, lang.policy_what());
        card(lang.policy(), &html! { p { (lang.policy_hint()) } }, &body)
    }
}

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The member of the definition.
    pub place: String,
    /// What that is called, if it has a name.
    pub about: Option<String>,
    /// What is wrong, in English.
    pub message: String,
    /// What to do, in English.
    pub hint: Option<String>,
}

impl Fault {
    /// What it is about, behind the title of a note.
    fn named(&self) -> Markup {
        html! {
            @match &self.about {
                Some(name) => { " · " (name) }
                None if self.place.is_empty() => {}
                None => { " · " code { (self.place) } }
            }
        }
    }
}

/// What a segment of a draft comes to.
#[derive(Debug, Clone, Default)]
pub struct SegmentPreview {
    /// The segment's name.
    pub name: String,
    /// The name of the next file.
    pub file: Option<String>,
    /// The address that its files begin with, where it is known.
    pub address: Option<String>,
    /// Whether each file replaces the one before.
    pub is_static: bool,
    /// The next slots, with whether clocks change before them.
    pub slots: Vec<(Zoned, bool)>,
    /// What is due on the days of the next weeks.
    pub days: Vec<Due>,
    /// Members and rows, where they were counted.
    pub rows: Option<(u64, u64)>,
    /// Members that would be left out, by reason, where they were counted.
    pub excluded: Vec<(String, u64)>,
}

/// The field of a draft and of its last form that tells the form from all others.
pub const FORM: &str = "form";

/// A page of a wizard.
pub struct Frame<'a> {
    /// Its steps.
    pub steps: &'a [Step],
    /// The one that is shown.
    pub at: &'a str,
    /// The address that the steps stand below.
    pub base: &'a str,
    /// The form.
    pub body: Markup,
    /// Beside the form.
    pub beside: Markup,
    /// What the last step does.
    pub finish: &'a str,
    /// Whether every step can be gone to, because all of them are filled in.
    pub jumps: bool,
    /// What tells the last form from all others, so that it does its work once.
    pub form: &'a str,
}

impl Frame<'_> {
    fn position(&self) -> usize {
        self.steps.iter().position(|step| step.key == self.at).unwrap_or(0)
    }

    /// Draws it.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let here = self.position();
        let is_last = here + 1 == self.steps.len();
        html! {
            (self.stepper(here, lang))
            form method="post" action={ (self.base) "/" (self.at) } class="wizard columns wide-left" data-try="preview" data-keep="account preset auth sse format" {
                (hidden_fields(&[("csrf", shell.csrf())]))
                @if is_last && !self.form.is_empty() { (hidden_fields(&[(FORM, self.form)])) }
                // What Enter in a field presses: the first button of a form, wherever it stands.
                button class="hidden" name="go" value="next" tabindex="-1" aria-hidden="true" { (lang.next_step()) }
                div class="stack" {
                    (self.body)
                    div class="row apart" {
                        @if here > 0 { button class="button" name="go" value="back" formnovalidate { (lang.back()) } } @else { span {} }
                        div class="row" {
                            button class="button quiet" name="go" value="discard" formnovalidate { (lang.discard_draft()) }
                            button class="button primary" name="go" value="next" { (if is_last { self.finish } else { lang.next_step() }) @if !is_last { (Icon::Next.draw()) } }
                        }
                    }
                    p class="muted small" { (lang.draft_kept()) }
                }
                div id="preview" class="stack" aria-live="polite" { (self.beside) }
            }
        }
    }

    fn stepper(&self, here: usize, lang: Lang) -> Markup {
        html! {
            nav aria-label=(lang.steps()) {
                ol class="steps" {
                    @for (at, step) in self.steps.iter().enumerate() {
                        li class=[(at < here).then_some("done")] aria-current=[(at == here).then_some("step")] {
                            span class="dot" aria-hidden="true" { @if at < here { (Icon::Check.draw()) } @else { (at + 1) } }
                            span { @if at < here || (self.jumps && at > here) { a href={ (self.base) "/" (step.key) } { (step.name) } } @else { (step.name) } }
                        }
                    }
                }
            }
        }
    }
}

impl Preview {
    /// Whether rows were counted.
    pub(crate) fn is_counted(&self) -> bool {
        self.segments.iter().any(|segment| segment.rows.is_some())
    }

    /// What is wrong with a member of the definition, in the language of the reader.
    pub fn fault_of(&self, lang: Lang, place: &str) -> Markup {
        let is_it = |fault: &&Fault| {
            fault.place == place
                || fault.place.strip_prefix(place).is_some_and(|it| it.starts_with('.'))
        };
        let found = self.faults.iter().find(is_it);
        found.map_or_else(nothing, |fault| told(lang, &fault.message))
    }

    /// Draws what is wrong besides what policies say, which is told with them.
    pub fn faults_besides_policies(&self, lang: Lang) -> Markup {
        let faults = self.besides_policies().cloned().collect();
        Self { faults, ..Self::default() }.faults(lang)
    }

    /// Whether something is wrong besides what policies say.
    pub(crate) fn has_faults_besides_policies(&self) -> bool {
        self.besides_policies().next().is_some()
    }

    fn besides_policies(&self) -> impl Iterator<Item = &Fault> {
        let is_told = |fault: &&Fault| {
            self.policies.iter().any(|policy| policy.against.contains(&fault.message))
        };
        self.faults.iter().filter(move |fault| !is_told(fault))
    }

    /// Draws what is wrong.
    pub fn faults(&self, lang: Lang) -> Markup {
        html! {
            @for fault in &self.faults {
                div data-fault=(fault.place) { (Note {
                    tone: Tone::Bad,
                    title: html! { (lang.draft_wrong()) (fault.named()) },
                    detail: told(lang, &fault.message),
                    next_step: told_step(lang, fault.hint.as_deref()),
                    actions: nothing(),
                }.draw(lang)) }
            }
        }
    }

    /// Draws the first lines as they would be written.
    pub fn lines(&self, lang: Lang) -> Markup {
        let Some(text) = &self.text else { return nothing() };
        let shown = text.replace('\t', "→\t");
        let body = html! {
            div class="code" { pre tabindex="0" aria-label=(lang.first_lines()) { code { (shown) } } }
        };
        card(lang.first_lines(), &html! { p { (lang.masked()) } }, &body)
    }

    /// Draws where files go and what they are called.
    pub fn names(&self, lang: Lang) -> Markup {
        let Some(address) = &self.address else { return nothing() };
        let is_elsewhere =
            |segment: &SegmentPreview| segment.address.as_ref().is_some_and(|own| own != address);
        // A folder may be one for each segment.
        let are_apart = self.segments.iter().any(is_elsewhere);
        let body = html! {
            @if !are_apart { p { code class="address" { (address) } } }
            @for segment in &self.segments {
                @if let Some(file) = &segment.file {
                    p class="example" { span class="muted small" { (segment.name) } code { @if are_apart { (segment.address.as_deref().unwrap_or(address)) } (file) } @if segment.is_static { " " (badge(Tone::Warn, lang.replaces_itself())) } }
                }
            }
        };
        card(lang.goes_to(), &nothing(), &body)
    }

    /// Draws the next slots.
    pub fn slots(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let mut all: Vec<(&str, &Zoned, bool)> = Vec::new();
        for segment in &self.segments {
            all.extend(segment.slots.iter().map(|(at, mark)| (segment.name.as_str(), at, *mark)));
        }
        all.sort_by_key(|(_, at, _)| at.timestamp());
        if all.is_empty() {
            return nothing();
        }
        let list = html! {
            ul class="list" {
                @for (name, at, mark) in all.iter().take(10) {
                    li {
                        div { b { (locale.day(at.date())) " " (at.strftime("%H:%M").to_string()) } span class="under" { (name) " · " (at.time_zone().iana_name().unwrap_or("UTC")) } }
                        span class="number muted small" { @if *mark { (badge(Tone::Warn, lang.clock_change())) } @else { (at.timestamp().strftime("%H:%M UTC").to_string()) } }
                    }
                }
            }
        };
        flush_card(lang.next_slots(), &nothing(), &list)
    }

    /// Draws the next weeks.
    pub fn calendar(&self, shell: &Shell) -> Markup {
        let mut zones: Vec<String> = Vec::new();
        for (at, _) in self.segments.iter().flat_map(|segment| &segment.slots) {
            let zone = at.time_zone().iana_name().unwrap_or("UTC");
            if zones.iter().all(|known| known != zone) {
                zones.push(zone.to_owned());
            }
        }
        let due = self.segments.iter().flat_map(|segment| segment.days.iter().cloned());
        Calendar { due: due.collect(), zones }.draw(shell)
    }

    /// Draws how many rows each segment comes to, and who is left out why; consent is told even where it
    /// leaves out nobody.
    pub fn rows(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let line = |class: &str, text: &str, count: u64, of: u64| {
            html! {
                li class=(class) { span { (text) } span class="count" { (locale.number(count)) } (share(count, of)) }
            }
        };
        let one = |segment: &SegmentPreview, (members, rows): (u64, u64)| {
            let is_told = |(reason, count): &&(String, u64)| *count > 0 || reason == "consent";
            html! {
                ul class="funnel" {
                    (line("", lang.received(), members, members))
                    @for (reason, count) in segment.excluded.iter().filter(is_told) { (line("reason warn", &reason_text(lang, reason), *count, members)) }
                    (line("ok", lang.rows_sent(), rows, members.max(rows)))
                }
            }
        };
        html! {
            @for segment in &self.segments {
                @let title = html! { @match segment.rows { Some((members, rows)) => p { (lang.of_profiles(&locale.percent(ratio(rows, members)), &lang.profiles(members))) }, None => p { "–" } } };
                @let body = html! {
                    @if let Some(file) = &segment.file { p class="small" { code { (file) } } }
                    @if let Some(rows) = segment.rows { (one(segment, rows)) }
                };
                (card(&lang.would_be_sent(&segment.name), &title, &html! { div class="stack tight" { (body) } }))
            }
        }
    }
}
