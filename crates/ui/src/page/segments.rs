//! The list of segments.

use maud::{Markup, html};

use super::{entry, segment_url};
use crate::chart::spark;
use crate::component::{Column, Head, Part, Table, empty, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};

/// From how many segments on they are looked for rather than looked through.
const SEARCHED_FROM: usize = 10;

/// What the list shows.
#[derive(Debug, Clone)]
pub struct Segments {
    /// In the order of the project; those of one page.
    pub segments: Vec<Line>,
    /// Which part of all of them, or of those that were looked for.
    pub part: Part,
    /// What was looked for, in names and keys.
    pub find: String,
    /// Whether the viewer may try a rule.
    pub may_try: bool,
    /// Whether the viewer may make a segment of it.
    pub may_add: bool,
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
            actions: html! {
                @if self.may_add { (link_button("/rule", Some(Icon::Plus), lang.new_segment(), "primary")) }
                @else if self.may_try { (link_button("/rule", Some(Icon::Segments), lang.try_rule(), "primary")) }
            },
        };
        let is_searched = !self.find.is_empty();
        let content = html! {
            (head.draw(lang))
            @if is_searched || self.part.all > SEARCHED_FROM { (self.search(shell)) }
            section class="card" {
                @if self.segments.is_empty() && is_searched {
                    (empty(Icon::Search, lang.no_match(), &self.find, &link_button(Place::Segments.url(), None, lang.clear(), "")))
                } @else if self.segments.is_empty() {
                    @if self.may_add { (empty(Icon::Segments, lang.segments_empty(), lang.segments_empty_how(), &link_button("/rule", None, lang.new_segment(), ""))) }
                    @else { (empty(Icon::Segments, lang.segments_empty(), lang.segments_empty_text(), &nothing())) }
                } @else { (self.table(shell)) (self.part.draw(lang, &self.address())) }
            }
        };
        shell.page(Some(Place::Segments), lang.segments_title(), &content)
    }

    /// What the number of the first line is written behind.
    fn address(&self) -> String {
        let mut query = String::from("/segments?");
        if !self.find.is_empty() {
            let find: String = self.find.bytes().map(|byte| format!("%{byte:02X}")).collect();
            query.push_str(&format!("find={find}&"));
        }
        query + "from="
    }

    fn search(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            form class="filters above" role="search" action="/segments" {
                div class="field" {
                    label for="find" { (lang.find_segment()) }
                    input class="input" id="find" name="find" type="search" value=(self.find) autocomplete="off";
                }
                button class="button" { (Icon::Search.draw()) (lang.search()) }
            }
        }
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
