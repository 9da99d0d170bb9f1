//! Long lists, a page at a time.

use maud::{Markup, html};

use super::link_button;
use crate::icon::Icon;
use crate::locale::number;
use crate::words::Lang;

/// How many lines a page of a list has.
pub const PAGE: usize = 50;

/// Which part of a list is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// The first line that is shown, from 0.
    pub from: usize,
    /// How many are shown.
    pub shown: usize,
    /// How many lines there are.
    pub all: usize,
}

impl Part {
    /// The part that begins at a line, or at the first where there is no such line.
    pub fn of(all: usize, from: usize) -> Self {
        let from = if from < all { from } else { 0 };
        Self { from, shown: (all - from).min(PAGE), all }
    }

    /// All of it.
    pub fn whole(all: usize) -> Self {
        Self { from: 0, shown: all, all }
    }

    /// The lines that are shown.
    pub fn range(self) -> std::ops::Range<usize> {
        self.from..self.from.saturating_add(self.shown)
    }

    /// Draws where one is and the ways on, below a list; nothing where the list is whole. `address` is
    /// what the number of the first line is written behind: `/segments?from=`.
    pub fn draw(self, lang: Lang, address: &str) -> Markup {
        let range = self.range();
        if range.len() >= self.all {
            return html! {};
        }
        let count = |at: usize| number(lang, u64::try_from(at).unwrap_or(u64::MAX));
        let to = |at: usize| format!("{address}{at}");
        html! {
            footer class="row apart" {
                span { (lang.pages_of(&count(range.start + 1), &count(range.end), &count(self.all))) }
                span class="row" {
                    @if range.start > 0 { (link_button(&to(range.start.saturating_sub(PAGE)), None, lang.page_before(), "small")) }
                    @if range.end < self.all { (link_button(&to(range.end), Some(Icon::Next), lang.page_behind(), "small")) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;
    use crate::words::Lang;

    #[test]
    fn a_list_is_shown_in_parts() {
        assert_eq!(Part::of(12, 0).range(), 0..12);
        assert_eq!(Part::of(12, 0).draw(Lang::En, "/x?from=").0, "");
        assert_eq!(Part::of(120, 100).range(), 100..120);
        assert_eq!(Part::of(120, 999).range(), 0..50, "there is no such line");
        let drawn = Part::of(120, 50).draw(Lang::En, "/x?from=").0;
        for text in ["51 to 100 of 120", "/x?from=0\"", "/x?from=100\""] {
            assert!(drawn.contains(text), "no {text} in {drawn}");
        }
    }
}
