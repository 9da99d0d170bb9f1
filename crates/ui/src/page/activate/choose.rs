//! The first step: where to, and which segments.

use std::collections::HashSet;

use maud::{Markup, html};

use super::{Activate, Segment};
use crate::component::{Choice, card, flush_card, nothing, pick, text_field};
use crate::page::segment_url;
use crate::shell::Shell;
use crate::words::Lang;

impl Activate {
    pub(super) fn choose(&self, shell: &Shell) -> Markup {
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
            ul class="list choose" id="segments" data-more=[is_part.then_some(&more)] { (self.segment_list(lang)) (self.chosen_beyond()) }
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

    /// Segments that are chosen and that the page does not begin with: they stay chosen, whether or not the
    /// rest of the list comes.
    fn chosen_beyond(&self) -> Markup {
        let shown: HashSet<&str> = self.segments.iter().map(|it| it.key.as_str()).collect();
        let mut beyond = self.draft.all("segment").filter(|key| !shown.contains(key)).peekable();
        html! {
            @if self.segments_beyond > 0 && beyond.peek().is_some() {
                li class="beyond" hidden { @for key in beyond { input type="hidden" name="segment" value=(key); } }
            }
        }
    }

    /// Draws the segments to choose from: in the page, and alone for one that stands already.
    pub fn segment_list(&self, lang: Lang) -> Markup {
        let chosen: HashSet<&str> = self.draft.all("segment").collect();
        html! {
            @for segment in &self.segments {
                li {
                    label { input type="checkbox" name="segment" value=(segment.key) checked[chosen.contains(segment.key.as_str())]; span { b { (segment.name) } code class="under" { (segment.key) } } }
                    span class="number muted small" { @match segment.members { Some(members) => (lang.profiles(members)), None => (lang.never_sent()) } }
                    @if self.may_sample { (sample(lang, segment)) }
                }
            }
        }
    }
}

/// A place for the exact count and a few members, which are asked for when it is opened.
fn sample(lang: Lang, segment: &Segment) -> Markup {
    let url = segment_url(&segment.key);
    html! {
        details data-load={ (url) "/sample" } {
            summary class="small" { (lang.count_and_sample()) span class="hidden" { " " (segment.name) } }
            div class="stack tight" {
                p class="muted small waiting" { (lang.counting()) }
                p class="without-scripts" { a href=(url) { (segment.name) } }
            }
        }
    }
}
