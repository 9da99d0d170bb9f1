//! The frame around every page: the navigation, who is signed in, and the head of the document.

mod notice;

pub use notice::{Notice, Said};

use maud::{DOCTYPE, Markup, html};

use crate::asset;
use crate::component::hidden_fields;
use crate::icon::{self, Icon};
use crate::locale::Locale;
use crate::words::Lang;

/// The colours that a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in cookies and forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The scheme of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == word)
    }
}

/// Who looks at the page.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The name.
    pub name: String,
    /// The role, in words.
    pub role: String,
    /// What forms have to carry, so that no foreign page can send them.
    pub csrf: String,
}

/// A part of the product that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `/`
    Home,
    /// `/runs`
    Runs,
    /// `/activations`
    Activations,
    /// `/destinations`
    Destinations,
    /// `/segments`
    Segments,
    /// `/profiles`
    Profiles,
    /// `/audit`
    Audit,
    /// `/settings`
    Settings,
}

impl Place {
    /// The address.
    pub fn url(self) -> &'static str {
        match self {
            Self::Home => "/",
            Self::Runs => "/runs",
            Self::Activations => "/activations",
            Self::Destinations => "/destinations",
            Self::Segments => "/segments",
            Self::Profiles => "/profiles",
            Self::Audit => "/audit",
            Self::Settings => "/settings",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Home => Icon::Home,
            Self::Runs => Icon::Runs,
            Self::Activations => Icon::Activations,
            Self::Destinations => Icon::Bucket,
            Self::Segments => Icon::Segments,
            Self::Profiles => Icon::Person,
            Self::Audit => Icon::Audit,
            Self::Settings => Icon::Settings,
        }
    }

    fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Home => lang.home(),
            Self::Runs => lang.runs_title(),
            Self::Activations => lang.activations_title(),
            Self::Destinations => lang.destinations_title(),
            Self::Segments => lang.segments_title(),
            Self::Profiles => lang.profiles_title(),
            Self::Audit => lang.audit_title(),
            Self::Settings => lang.settings_title(),
        }
    }
}

/// The frame: how the viewer reads, who it is, and what every page tells.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Language, zone and the present.
    pub locale: Locale,
    /// The colours.
    pub scheme: Scheme,
    /// Who looks; nobody where pages are files, which nothing can be asked of.
    pub viewer: Option<Viewer>,
    /// The name of the project.
    pub project: String,
    /// The version of the program.
    pub version: String,
    /// The places that the viewer may see, in order.
    pub places: Vec<Place>,
    /// Runs that somebody has to look at.
    pub attention: u64,
    /// The address of this page, to return to after changing the language.
    pub here: String,
    /// What came of the last thing that the viewer did.
    pub notice: Option<Notice>,
}

impl Shell {
    /// The language.
    pub fn lang(&self) -> Lang {
        self.locale.lang
    }

    /// What forms have to carry.
    pub(crate) fn csrf(&self) -> &str {
        self.viewer.as_ref().map_or("", |viewer| viewer.csrf.as_str())
    }

    /// Draws a page in the frame.
    pub fn page(&self, place: Option<Place>, title: &str, content: &Markup) -> Markup {
        let lang = self.lang();
        let body = html! {
            a class="skip" href="#content" { (lang.skip_to_content()) }
            div class="app" {
                header class="bar" {
                    (brand(lang))
                    button type="button" class="button quiet icon-only" popovertarget="side" aria-label=(lang.open_navigation()) { (Icon::Menu.draw()) }
                }
                nav id="side" class="side" popover="auto" aria-label=(lang.main_navigation()) {
                    (brand(lang))
                    (self.navigation(place))
                    (self.me())
                }
                main id="content" {
                    @if let Some(notice) = &self.notice { (notice.draw(lang)) }
                    (content)
                }
            }
        };
        document(lang, self.scheme, &format!("{title} · {}", self.project), &body)
    }

    fn navigation(&self, here: Option<Place>) -> Markup {
        let lang = self.lang();
        let groups = [
            ("", &[Place::Home, Place::Runs][..]),
            (lang.group_send(), &[Place::Activations, Place::Destinations]),
            (lang.group_data(), &[Place::Segments, Place::Profiles]),
            (lang.group_manage(), &[Place::Audit, Place::Settings]),
        ];
        html! {
            div class="nav" {
                @for (title, places) in groups {
                    @let places: Vec<Place> = places.iter().copied().filter(|place| self.places.contains(place)).collect();
                    @if !places.is_empty() {
                        @if !title.is_empty() { h2 { (title) } }
                        ul { @for place in places { li { (self.entry(place, here)) } } }
                    }
                }
            }
        }
    }

    fn entry(&self, place: Place, here: Option<Place>) -> Markup {
        let lang = self.lang();
        html! {
            a href=(place.url()) aria-current=[(here == Some(place)).then_some("page")] {
                (place.icon().draw()) (place.name(lang))
                @if place == Place::Runs && self.attention > 0 {
                    span class="count" { span aria-hidden="true" { (self.attention) } span class="hidden" { (lang.need_attention(self.attention)) } }
                }
            }
        }
    }

    fn me(&self) -> Markup {
        let lang = self.lang();
        let drawn =
            html! { (lang.times_in(self.locale.zone_name())) " · " (lang.version(&self.version)) };
        let Some(viewer) = &self.viewer else {
            return html! { p class="me muted small" { (drawn) " · " (self.locale.date_time(self.locale.now)) } };
        };
        html! {
            div class="me" {
                button type="button" popovertarget="me" {
                    span class="initials" aria-hidden="true" { (initials(&viewer.name)) }
                    span class="who" { b { (viewer.name) } span class="muted small" { (viewer.role) } }
                    (Icon::UpDown.draw())
                }
                div id="me" class="menu" popover="auto" {
                    (self.preference(lang.language(), "lang", &Lang::ALL.map(|each| (each.tag(), each.own_name(), each == lang))))
                    (self.preference(lang.appearance(), "scheme", &Scheme::ALL.map(|each| (each.as_str(), scheme_name(lang, each), each == self.scheme))))
                    div class="out stack" {
                        p class="muted small" { (drawn) }
                        form method="post" action="/sign-out" {
                            (hidden_fields(&[("csrf", &viewer.csrf)]))
                            button class="button small" { (lang.sign_out()) }
                        }
                    }
                }
            }
        }
    }

    fn preference(&self, label: &str, name: &str, choices: &[(&str, &str, bool)]) -> Markup {
        html! {
            form method="post" action="/preferences" class="field" {
                (hidden_fields(&[("csrf", self.csrf()), ("next", &self.here)]))
                span class="label" { (label) }
                div class="segmented" role="group" aria-label=(label) {
                    @for (value, text, is_chosen) in choices {
                        button name=(name) value=(value) aria-pressed=(is_chosen) { (text) }
                    }
                }
            }
        }
    }
}

/// A whole document around a body.
pub(crate) fn document(lang: Lang, scheme: Scheme, title: &str, body: &Markup) -> Markup {
    document_with(lang, scheme, title, &html! {}, body)
}

/// The same with more in its head.
pub(crate) fn document_with(
    lang: Lang,
    scheme: Scheme,
    title: &str,
    head: &Markup,
    body: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) data-scheme=(scheme.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="same-origin";
                title { (title) }
                (head)
                link rel="icon" href=(asset::icon().url()) type="image/svg+xml";
                link rel="stylesheet" href=(asset::style().url());
                script src=(asset::script().url()) type="module" {}
            }
            body { (body) }
        }
    }
}

pub(crate) fn brand(lang: Lang) -> Markup {
    html! { a class="brand" href="/" { (icon::mark()) (lang.product()) } }
}

fn scheme_name(lang: Lang, scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::System => lang.scheme_system(),
        Scheme::Light => lang.scheme_light(),
        Scheme::Dark => lang.scheme_dark(),
    }
}

fn initials(name: &str) -> String {
    let letters = name.split_whitespace().filter_map(|word| word.chars().next());
    letters.take(2).flat_map(char::to_uppercase).collect()
}
