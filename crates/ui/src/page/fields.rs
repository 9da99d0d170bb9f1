//! The fields of profiles, as a tree that is searched and pressed: for rules and for columns.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::component::card;
use crate::locale::{Locale, ratio};
use crate::shell::Shell;
use crate::words::Lang;

/// How many fields a page holds at first; the rest comes when the page stands.
pub const SHOWN_FIRST: usize = 60;

/// A field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// Its dotted path.
    pub path: String,
    /// Its type, as the API names it.
    pub kind: String,
}

/// The fields of profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// In the order of the schema; on a page perhaps the first ones only.
    pub shown: Vec<Field>,
    /// How many there are.
    pub all: usize,
    /// Whether the viewer may know how many profiles have a value.
    pub has_shares: bool,
}

impl Fields {
    /// All of them.
    pub fn all(all: Vec<Field>) -> Self {
        Self { all: all.len(), shown: all, has_shares: false }
    }

    /// The first of them, for a page.
    #[must_use]
    pub fn first(mut self) -> Self {
        self.shown.truncate(SHOWN_FIRST);
        self
    }

    /// Whether there are more than these.
    fn is_part(&self) -> bool {
        self.shown.len() < self.all
    }
}

/// What pressing a field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// It is written into the rule.
    Insert,
    /// It becomes a column.
    Add,
}

impl Press {
    /// The word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Add => "add",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Insert, Self::Add].into_iter().find(|press| press.word() == word)
    }
}

impl Fields {
    /// Draws them in a card, with a field to search in.
    pub fn card(&self, shell: &Shell, press: Press) -> Markup {
        let lang = shell.lang();
        let more = format!("/fields?for={}", press.word());
        let body = html! {
            div class="field find" {
                label for="find-field" class="hidden" { (lang.find_field()) }
                input class="input" id="find-field" type="search" placeholder=(lang.find_field()) autocomplete="off" data-find="fields";
            }
            div class="fields" id="fields" tabindex="0" role="group" aria-label=(lang.all_fields())
                data-more=[self.is_part().then_some(&more)] data-shares=[self.has_shares.then_some("/fields/shares")] {
                (self.tree(lang, press))
            }
            p class="muted small none-found" hidden { (lang.no_match()) }
            @if self.is_part() { p class="small without-scripts" { a href=(more) { (lang.show_all()) } } }
        };
        let beside =
            html! { p { (shell.locale.number(u64::try_from(self.all).unwrap_or(u64::MAX))) } };
        card(lang.all_fields(), &beside, &body)
    }

    /// Draws the tree alone, which is what a page asks for when it stands.
    pub fn tree(&self, lang: Lang, press: Press) -> Markup {
        let mut groups: Vec<(&str, Vec<&Field>)> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for field in &self.shown {
            // A quoted name may hold a dot.
            let group = field.path.split_once('.').filter(|_| !field.path.starts_with('['));
            let group = group.map_or("", |(group, _)| group);
            // A field that is in no group is a group of its own.
            let at = (!group.is_empty()).then(|| places.get(group).copied()).flatten();
            match at {
                Some(at) => groups[at].1.push(field),
                None => {
                    places.insert(group, groups.len());
                    groups.push((group, vec![field]));
                }
            }
        }
        let is_open = self.all <= SHOWN_FIRST;
        html! {
            ul {
                @for (group, fields) in &groups {
                    @if group.is_empty() || fields.len() == 1 {
                        @for field in fields { li { (field.button(lang, press, &field.path)) } }
                    } @else {
                        li { details open[is_open] {
                            summary { code { (group) } span class="muted small" { (fields.len()) } }
                            ul { @for field in fields { li { (field.button(lang, press, &field.path[group.len() + 1..])) } } }
                        } }
                    }
                }
            }
        }
    }
}

impl Field {
    fn button(&self, lang: Lang, press: Press, shown: &str) -> Markup {
        let inside = html! {
            code { (shown) }
            span class="kind" { (type_name(lang, &self.kind)) }
            span class="share" aria-hidden="true" {}
        };
        match press {
            Press::Insert => {
                html! { button type="button" data-insert="rule" value=(self.path) title=(self.path) { (inside) } }
            }
            Press::Add => {
                html! { button name="go" value={ "add:" (self.path) } data-field=(self.path) title=(self.path) formnovalidate { (inside) } }
            }
        }
    }
}

/// How many profiles have a value: a share, and the same as a sentence.
pub fn share(locale: &Locale, present: u64, profiles: u64) -> [String; 2] {
    let share = locale.percent(ratio(present, profiles));
    let told = locale.lang.has_value(&share);
    [share, told]
}

/// The name of a type.
fn type_name(lang: Lang, kind: &str) -> &str {
    match kind {
        "string" => lang.type_text(),
        "integer" | "float" | "decimal" => lang.type_number(),
        "boolean" => lang.type_yes_no(),
        "date" => lang.type_date(),
        "timestamp" => lang.type_moment(),
        "time" => lang.type_time(),
        "list" => lang.type_list(),
        "map" => lang.type_map(),
        other => other,
    }
}
