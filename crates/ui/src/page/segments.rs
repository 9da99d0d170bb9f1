//! The list of segments.

use maud::{Markup, html};

use super::{entry, segment_url};
use crate::chart::spark;
use crate::component::{Column, Head, Table, empty, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Segments {
    /// In the order of the project.
    pub segments: Vec<Line>,
    /// Whether the viewer may try a rule.
    pub may_try: bool,
}

/// A segment in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The rule as it was written.
    pub rule: String,
    /// Members at each of the last deliveries, oldest first.
    pub sizes: Vec<u64>,
    /// The keys of the activations that send it.
    pub used_in: Vec<String>,
}

impl Segments {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.segments_title(),
            beside: nothing(),
            lead: html! { (lang.segments_lead()) },
            actions: html! { @if self.may_try { (link_button("/rule", Some(Icon::Segments), lang.try_rule(), "primary")) } },
        };
        let content = html! {
            (head.draw(lang))
            section class="card" {
                @if self.segments.is_empty() {
                    (empty(Icon::Segments, lang.segments_empty(), lang.segments_empty_text(), &nothing()))
                } @else { (self.table(shell)) }
            }
        };
        shell.page(Some(Place::Segments), lang.segments_title(), &content)
    }

    fn table(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |line: &Line| {
            let newest = line.sizes.last();
            vec![
                html! { (entry(&segment_url(&line.key), &line.name, "")) code class="under rule" { (line.rule) } },
                html! { @match newest { Some(size) => (locale.number(*size)), None => "–" } },
                html! { @if let Some(change) = change(&line.sizes) { (locale.change(change)) } },
                spark(&lang.trend_of(&line.name), &line.sizes),
                html! {
                    @match line.used_in.as_slice() {
                        [] => span class="muted" { (lang.not_used()) },
                        [only] => (only),
                        several => (lang.activations(u64::try_from(several.len()).unwrap_or(u64::MAX))),
                    }
                },
            ]
        };
        let table = Table {
            caption: lang.segments_title(),
            columns: &[
                Column::words(lang.segment()),
                Column::numbers(lang.members_last()),
                Column::numbers(lang.change_head()),
                Column::tied(lang.trend()),
                Column::words(lang.used_in()),
            ],
            rows: self.segments.iter().map(row).collect(),
            empty: lang.segments_empty(),
        };
        table.draw()
    }
}

/// The change between the last two sizes, as a share of the first.
pub(crate) fn change(sizes: &[u64]) -> Option<f64> {
    let [.., before, last] = sizes else { return None };
    if *before == 0 {
        return None;
    }
    let change = crate::locale::ratio(last.abs_diff(*before), *before);
    Some(if last < before { -change } else { change })
}
