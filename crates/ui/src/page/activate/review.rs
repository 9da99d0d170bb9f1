//! The last step: what would be sent, what usage policies say to it, and what is worth knowing before.

use maud::{Markup, html};

use super::{Activate, Warning};
use crate::component::{Note, Tone, badge, colon, flush_card, nothing, told, told_step};
use crate::page::wizard::Policy;
use crate::shell::Shell;
use crate::words::Lang;

impl Activate {
    /// What is known at once, and a place for what takes counting.
    pub(super) fn review(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let (_, part) = self.found();
        let counted = format!("{}/review?counted=yes&from={}", self.base(), part.from);
        html! {
            (self.policies(lang))
            @for each in &self.warnings { (warning(lang, *each)) }
            @if self.preview.is_counted() {
                (self.preview.rows(shell))
                (self.preview.lines(lang))
            } @else if !self.preview.has_faults_besides_policies() {
                div class="stack" id="counted" data-more=(counted) aria-live="polite" {
                    section class="card" {
                        div class="body" {
                            p class="muted waiting" { (lang.counting()) }
                            p class="without-scripts" { a href=(counted) { (lang.show_all()) } }
                        }
                    }
                }
            }
            @if part.shown < part.all { section class="card" { (self.pager(lang, part)) } }
        }
    }

    /// What was counted, and the first lines, for a page that stands already; and what only the data told
    /// is wrong, as the page counts nothing where it is told of something before.
    pub fn counted(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            (self.told().faults_besides_policies(lang))
            (self.preview.rows(shell))
            (self.preview.lines(lang))
        }
    }

    /// What usage policies say, those that hold and those that do not.
    fn policies(&self, lang: Lang) -> Markup {
        let all = &self.preview.policies;
        let blocking = all.iter().filter(|it| !it.against.is_empty()).count();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let beside = match (all.len(), blocking) {
            (0, _) => nothing(),
            (asked, 0) => html! { p { (lang.policies_hold(count(asked))) } },
            (_, blocking) => html! { p { (lang.policies_block(count(blocking))) } },
        };
        let body = html! {
            @if all.is_empty() { p class="muted padded" { (lang.no_policy_asked()) } }
            @else { ul class="policies" { @for each in all { (policy(lang, each)) } } }
        };
        flush_card(lang.usage_policies(), &beside, &body)
    }
}

fn policy(lang: Lang, policy: &Policy) -> Markup {
    let holds = policy.against.is_empty();
    let forbids = lang.policy_forbids(&policy.labels.join(", "), &policy.actions.join(", "));
    let step = told_step(lang, policy.hint.as_deref());
    html! {
        li {
            div class="row apart" {
                b { (policy.name) }
                @if holds { (badge(Tone::Ok, lang.policy_holds())) } @else { (badge(Tone::Bad, lang.policy_blocks())) }
            }
            p class="muted small" { (forbids) }
            @if !holds { ul class="against" { @for text in &policy.against { li { (told(lang, text)) } } } }
            @if let Some(step) = step { p { b { (lang.what_to_do()) (colon(lang)) } " " (step) } }
        }
    }
}

fn warning(lang: Lang, warning: Warning) -> Markup {
    let text = match warning {
        Warning::StaticName => lang.warn_static(),
        Warning::NoIdentity => lang.warn_no_identity(),
        Warning::NoUnique => lang.warn_no_unique(),
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
}
