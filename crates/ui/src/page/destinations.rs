//! The catalogue: the destinations that there are, and what else can be connected.

use maud::{Markup, html};

use super::destination::Auth;
use super::{RunStatus, account_url, destination_url, entry, relative};
use crate::component::{Column, Head, Table, empty, flush_card, link_button, nothing};
use crate::icon::Icon;
use crate::shell::{Place, Shell};
use crate::words::Lang;

/// What the catalogue shows.
#[derive(Debug, Clone)]
pub struct Destinations {
    /// In the order of the project.
    pub destinations: Vec<Line>,
    /// The accounts that they go by, in the order of the project.
    pub accounts: Vec<AccountLine>,
    /// Whether the viewer may connect one.
    pub may_connect: bool,
    /// Whether the server has a folder in which destinations may be.
    pub has_outbox: bool,
}

/// A destination in the list.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The address that its files begin with.
    pub address: String,
    /// What kind of service it is.
    pub preset: Preset,
    /// What is promised there.
    pub grade: Option<Grade>,
    /// How many activations go there.
    pub activations: u64,
    /// The newest run that went there: how it stands, and its slot.
    pub last: Option<(RunStatus, jiff::Timestamp)>,
}

/// An account in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Its key.
    pub key: String,
    /// What kind of service it is for.
    pub preset: Preset,
    /// How requests are signed.
    pub auth: Auth,
    /// How many destinations go by it.
    pub destinations: u64,
}

/// What a service can do, as a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Everything.
    A,
    /// It cannot refuse an overwrite.
    B,
    /// It does not check bytes.
    C,
}

impl Grade {
    fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    pub(crate) fn promise(self, lang: Lang) -> &'static str {
        match self {
            Self::A => lang.grade_a(),
            Self::B => lang.grade_b(),
            Self::C => lang.grade_c(),
        }
    }

    /// Draws a grade that may not be known.
    pub(crate) fn draw(grade: Option<Self>, lang: Lang) -> Markup {
        let class = match grade {
            Some(Self::A) => "grade",
            Some(Self::B) => "grade b",
            Some(Self::C) => "grade c",
            None => "grade none",
        };
        let said = grade
            .map_or_else(|| lang.grade_unknown().to_owned(), |grade| lang.grade_is(grade.letter()));
        html! {
            span class=(class) {
                span aria-hidden="true" { (grade.map_or("?", Self::letter)) }
                span class="hidden" { (said) }
            }
        }
    }
}

/// A kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Amazon's own.
    Amazon,
    /// `MinIO`.
    Minio,
    /// Cloudflare R2.
    R2,
    /// Ceph.
    Ceph,
    /// Garage.
    Garage,
    /// Google Cloud Storage.
    Google,
    /// Any other service that speaks S3.
    Other,
    /// A folder of this machine.
    Folder,
}

impl Preset {
    /// All, in the order of the catalogue.
    pub const ALL: [Self; 8] = [
        Self::Amazon,
        Self::Minio,
        Self::R2,
        Self::Ceph,
        Self::Garage,
        Self::Google,
        Self::Other,
        Self::Folder,
    ];

    /// The word for it in addresses and forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Minio => "minio",
            Self::R2 => "r2",
            Self::Ceph => "ceph",
            Self::Garage => "garage",
            Self::Google => "google",
            Self::Other => "other",
            Self::Folder => "folder",
        }
    }

    /// What a word stands for; Amazon's without one.
    pub fn of_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|preset| preset.word() == word).unwrap_or(Self::Amazon)
    }

    /// The address of its service, where there is one for all.
    pub fn endpoint(self) -> &'static str {
        if self == Self::Google { self.endpoint_hint() } else { "" }
    }

    /// The region that its service goes by, where there is one for all.
    pub fn region(self) -> &'static str {
        match self {
            Self::R2 | Self::Google => "auto",
            Self::Garage => "garage",
            Self::Minio | Self::Ceph | Self::Other => "us-east-1",
            Self::Amazon | Self::Folder => "",
        }
    }

    /// What the address of its service looks like.
    pub(crate) fn endpoint_hint(self) -> &'static str {
        match self {
            Self::Minio => "https://minio.example.com:9000",
            Self::R2 => "https://ACCOUNT.r2.cloudflarestorage.com",
            Self::Ceph => "https://ceph.example.com:7480",
            Self::Garage => "https://garage.example.com:3900",
            Self::Google => "https://storage.googleapis.com",
            Self::Amazon | Self::Other | Self::Folder => "https://s3.example.com",
        }
    }

    /// Tells the kind of a service by the host of its address; Amazon's without one.
    pub fn of_endpoint(endpoint: Option<&str>) -> Self {
        let Some(endpoint) = endpoint else { return Self::Amazon };
        let host = endpoint.split("://").last().unwrap_or(endpoint).to_ascii_lowercase();
        let host = host.split('/').next().unwrap_or_default();
        let known = [
            (".amazonaws.com", Self::Amazon),
            (".r2.cloudflarestorage.com", Self::R2),
            ("storage.googleapis.com", Self::Google),
            ("minio", Self::Minio),
            ("garage", Self::Garage),
            ("ceph", Self::Ceph),
        ];
        known
            .into_iter()
            .find(|(part, _)| host.contains(part))
            .map_or(Self::Other, |(_, preset)| preset)
    }

    pub(crate) fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Amazon => lang.preset_amazon(),
            Self::Minio => lang.preset_minio(),
            Self::R2 => lang.preset_r2(),
            Self::Ceph => lang.preset_ceph(),
            Self::Garage => lang.preset_garage(),
            Self::Google => lang.preset_google(),
            Self::Other => lang.preset_other(),
            Self::Folder => lang.preset_folder(),
        }
    }

    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Amazon => lang.preset_amazon_text(),
            Self::Minio => lang.preset_minio_text(),
            Self::R2 => lang.preset_r2_text(),
            Self::Ceph => lang.preset_ceph_text(),
            Self::Garage => lang.preset_garage_text(),
            Self::Google => lang.preset_google_text(),
            Self::Other => lang.preset_other_text(),
            Self::Folder => lang.preset_folder_text(),
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Amazon => Icon::Bucket,
            Self::R2 | Self::Google => Icon::Cloud,
            Self::Folder => Icon::Folder,
            _ => Icon::Server,
        }
    }
}

impl Destinations {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let head = Head {
            crumbs: &[],
            title: lang.destinations_title(),
            beside: nothing(),
            lead: html! { (lang.destinations_lead()) },
            actions: html! { @if self.may_connect { (link_button("/connect", Some(Icon::Plus), lang.connect(), "primary")) } },
        };
        let content = html! {
            (head.draw(lang))
            div class="stack" {
                @if self.destinations.is_empty() {
                    section class="card" {
                        @if self.may_connect { (empty(Icon::Bucket, lang.destinations_empty(), lang.destinations_empty_how(), &link_button("/connect", None, lang.connect(), ""))) }
                        @else { (empty(Icon::Bucket, lang.destinations_empty(), lang.destinations_empty_text(), &nothing())) }
                    }
                } @else { (flush_card(lang.connections(), &nothing(), &self.table(shell))) }
                @if !self.accounts.is_empty() { (flush_card(lang.accounts(), &html! { p { (lang.accounts_hint()) } }, &self.accounts(shell))) }
                section class="stack" aria-labelledby="catalogue" {
                    h2 id="catalogue" { (lang.catalogue()) }
                    ul class="catalogue" {
                        @for preset in &Preset::ALL {
                            li class="card preset" {
                                span class="logo" { (preset.icon().draw()) }
                                h3 {
                                    @if self.may_connect && (*preset != Preset::Folder || self.has_outbox) { a class="main" href={ "/connect?preset=" (preset.word()) } { (preset.name(lang)) } } @else { (preset.name(lang)) }
                                }
                                p { (preset.text(lang)) @if *preset == Preset::Folder && !self.has_outbox { " · " (lang.preset_folder_off()) } }
                            }
                        }
                    }
                }
            }
        };
        shell.page(Some(Place::Destinations), lang.destinations_title(), &content)
    }

    fn accounts(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let signed = |auth: &Auth| match auth {
            Auth::Keys(id) => html! { (lang.auth_keys()) code class="under" { (id) } },
            Auth::Role { arn, .. } => html! { (lang.auth_role()) code class="under" { (arn) } },
            Auth::Chain => html! { (lang.auth_chain()) },
        };
        let row = |line: &AccountLine| {
            vec![
                entry(&account_url(&line.key), &line.key, ""),
                html! { (line.preset.name(lang)) },
                signed(&line.auth),
                html! { (locale.number(line.destinations)) },
            ]
        };
        let table = Table {
            caption: lang.accounts(),
            columns: &[
                Column::words(lang.account()),
                Column::tied(lang.service()),
                Column::words(lang.signed_with()),
                Column::numbers(lang.destinations_title()),
            ],
            rows: self.accounts.iter().map(row).collect(),
            empty: lang.none(),
        };
        table.draw()
    }

    fn table(&self, shell: &Shell) -> Markup {
        let (lang, locale) = (shell.lang(), &shell.locale);
        let row = |line: &Line| {
            vec![
                html! { (entry(&destination_url(&line.key), &line.name, "")) code class="under" { (line.address) } },
                html! { (line.preset.name(lang)) },
                html! { @match line.grade { Some(grade) => (lang.grade_is(grade.letter())), None => span class="muted" { (lang.grade_unknown()) } } },
                html! { @match line.last { Some((status, _)) => (status.badge(lang)), None => span class="muted" { (lang.never()) } } },
                html! { @if let Some((_, at)) = line.last { (relative(locale, at)) } },
                html! { (locale.number(line.activations)) },
            ]
        };
        let table = Table {
            caption: lang.connections(),
            columns: &[
                Column::words(lang.destination()),
                Column::tied(lang.service()),
                Column::tied(lang.grade()),
                Column::tied(lang.last_run()),
                Column::tied(lang.due()),
                Column::numbers(lang.activations_title()),
            ],
            rows: self.destinations.iter().map(row).collect(),
            empty: lang.destinations_empty(),
        };
        table.draw()
    }
}

#[cfg(test)]
mod tests {
    use super::Preset;

    #[test]
    fn a_service_is_known_by_its_host() {
        let known = |endpoint| Preset::of_endpoint(Some(endpoint));
        assert_eq!(Preset::of_endpoint(None), Preset::Amazon);
        assert_eq!(known("https://s3.eu-west-3.amazonaws.com"), Preset::Amazon);
        assert_eq!(known("https://0123.r2.cloudflarestorage.com/x"), Preset::R2);
        assert_eq!(known("https://storage.googleapis.com"), Preset::Google);
        assert_eq!(known("http://minio.internal:9000"), Preset::Minio);
        assert_eq!(known("https://objects.example.com/minio"), Preset::Other);
    }
}
