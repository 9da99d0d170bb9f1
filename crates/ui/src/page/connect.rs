//! Connecting a destination, in four steps.

use maud::{Markup, html};

use super::destination::encryption;
use super::destinations::Preset;
use super::wizard::{Draft, FORM, Frame, Preview, Step, choices, macros};
use crate::component::{Choice, Head, card, facts, hidden_fields, nothing, pick, text_field, tick};
use crate::shell::{Notice, Place, Shell};
use crate::words::Lang;

/// What the wizard shows.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// The step.
    pub at: String,
    /// What was filled in so far.
    pub draft: Draft,
    /// The accounts that there are.
    pub accounts: Vec<String>,
    /// The destination that is changed: key and name; nothing for a new one.
    pub changes: Option<(String, String)>,
    /// Whether secrets can be kept on this server.
    pub keeps_secrets: bool,
    /// The folders of the server in which destinations may be.
    pub outboxes: Vec<String>,
    /// What would come of it.
    pub preview: Preview,
}

/// The fields of each step.
pub const FIELDS: [(&str, &[&str]); 4] = [
    (
        "account",
        &[
            "preset",
            "account",
            "auth",
            "access_key_id",
            "secret",
            "role_arn",
            "region",
            "endpoint",
            "sts_endpoint",
        ],
    ),
    (
        "place",
        &[
            "name",
            "bucket",
            "location",
            "folder",
            "sse",
            "kms_key_id",
            "pgp",
            "actions",
            "manifest",
        ],
    ),
    (
        "format",
        &["format", "delimiter", "quoting", "compression", "line_end", "encoding", "header"],
    ),
    ("review", &[]),
];

/// The member of a destination that names the recipients of its files.
pub const PGP: &str = "encryption.pgp";

/// The macros of folders that are offered.
const FOLDER_MACROS: &[&str] = &[
    "%SEGMENT_NAME%",
    "%SEGMENT_ID%",
    "%DESTINATION_NAME%",
    "%DATETIME(yyyy-MM-dd)%",
    "%DATETIME(yyyy/MM/dd)%",
];

/// The steps.
pub fn steps(lang: Lang) -> [Step; 4] {
    [
        Step { key: "account", name: lang.account() },
        Step { key: "place", name: lang.step_place() },
        Step { key: "format", name: lang.file_format() },
        Step { key: "review", name: lang.step_review() },
    ]
}

/// Whether a draft is of a folder of the server, and not of a bucket.
pub fn is_folder(draft: &Draft) -> bool {
    draft.get("account").is_empty() && draft.get("preset") == Preset::Folder.word()
}

impl Connect {
    /// Draws the page.
    pub fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let title = match &self.changes {
            Some((_, name)) => lang.edit_title(name),
            None => lang.connect_title().to_owned(),
        };
        let url = self.changes.as_ref().map(|(key, _)| super::destination_url(key));
        let url = url.unwrap_or_default();
        let mut crumbs = vec![(lang.destinations_title(), Place::Destinations.url())];
        if let Some((_, name)) = &self.changes {
            crumbs.push((name, &url));
        }
        let head = Head {
            crumbs: &crumbs,
            title: &title,
            beside: nothing(),
            lead: html! { (lang.connect_lead()) },
            actions: nothing(),
        };
        let body = match self.at.as_str() {
            "place" => self.place(lang),
            "format" => self.format(lang),
            "review" => self.review(lang),
            _ => self.account(lang),
        };
        let frame = Frame {
            steps: &steps(lang),
            at: &self.at,
            base: &self.base(),
            body,
            beside: self.beside(shell),
            jumps: self.changes.is_some(),
            form: self.draft.get(FORM),
            finish: if self.changes.is_some() {
                lang.save_changes()
            } else {
                lang.connect_and_check()
            },
        };
        shell.page(
            Some(Place::Destinations),
            &title,
            &html! { (head.draw(lang)) (frame.draw(shell)) },
        )
    }

    /// The address that the steps stand below.
    pub fn base(&self) -> String {
        match &self.changes {
            Some((key, _)) => format!("{}/edit", super::destination_url(key)),
            None => "/connect".to_owned(),
        }
    }

    /// Draws what would come of it: beside the form, and alone while somebody types.
    pub fn beside(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        html! {
            // What a step was not left for is told above the page, and at its field.
            @if !matches!(shell.notice, Some(Notice::Problem { .. })) { (self.preview.faults(lang)) }
            @if self.at != "account" { (self.preview.names(lang)) }
            @if self.at == "format" || self.at == "review" { (self.preview.lines(lang)) }
            @if let Some(documents) = &self.preview.documents {
                @if self.at == "account" { (documents.role(lang)) }
                @if self.at == "review" { (documents.role(lang)) (documents.delivery(lang)) }
            }
            @if self.at == "account" { (card(lang.connect_how(), &nothing(), &html! { p class="muted" { (lang.connect_how_text()) } })) }
        }
    }

    fn account(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let preset = Preset::of_word(draft.get("preset"));
        let presets: Vec<Choice> = Preset::ALL
            .iter()
            .filter(|it| **it != Preset::Folder || !self.outboxes.is_empty())
            .map(|it| Choice { value: it.word().to_owned(), text: it.name(lang).to_owned() })
            .collect();
        let mut accounts =
            vec![Choice { value: String::new(), text: lang.new_account().to_owned() }];
        accounts.extend(
            self.accounts.iter().map(|key| Choice { value: key.clone(), text: key.clone() }),
        );
        let ways = choices(&[
            ("access-key", lang.auth_keys()),
            ("assume-role", lang.auth_role()),
            ("default", lang.auth_chain()),
        ]);
        let secret_hint = match (self.keeps_secrets, draft.get("secret_name")) {
            (false, _) => lang.secret_no_key(),
            (true, "") => lang.secret_hint(),
            (true, _) => lang.secret_kept(),
        };
        let body = html! {
            div class="stack" {
                (pick("account", "account", lang.account(), &accounts, draft.get("account")))
                @if is_folder(draft) {
                    (pick("preset", "preset", lang.service(), &presets, preset.word()))
                    p class="muted small" { (lang.location_how()) }
                } @else if draft.get("account").is_empty() {
                    (pick("preset", "preset", lang.service(), &presets, preset.word()))
                    (pick("auth", "auth", lang.signed_with(), &ways, draft.or("auth", "access-key")))
                    @match draft.or("auth", "access-key") {
                        "assume-role" => (text_field("role_arn", lang.role_arn()).value(draft.get("role_arn")).hint(lang.role_hint()).draw()),
                        "default" => p class="muted small" { (lang.chain_hint()) },
                        _ => {
                            (text_field("access_key_id", lang.access_key_id()).value(draft.get("access_key_id")).draw())
                            (text_field("secret", lang.secret_key()).secret().hint(secret_hint).draw())
                        }
                    }
                    @if preset != Preset::Amazon {
                        (text_field("endpoint", lang.endpoint()).value(draft.or("endpoint", preset.endpoint())).hint(preset.endpoint_hint()).draw())
                        @if draft.get("auth") == "assume-role" {
                            (text_field("sts_endpoint", lang.sts_endpoint()).value(draft.get("sts_endpoint")).hint(lang.sts_endpoint_hint()).draw())
                        }
                    }
                    (text_field("region", lang.region()).value(draft.or("region", preset.region())).hint(lang.region_hint()).draw())
                }
            }
        };
        card(lang.account(), &nothing(), &body)
    }

    fn place(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let outbox = self.outboxes.first().cloned().unwrap_or_default();
        let location_hint = lang.location_hint(&self.outboxes.join(", "));
        let sse = choices(&[("", lang.none_set()), ("AES256", "SSE-S3"), ("aws:kms", "SSE-KMS")]);
        let field = |name: &'static str, place: &'static str, label: &'static str| {
            let fault = self.preview.fault_of(lang, place);
            text_field(name, label).value(draft.get(name)).place(place).error(fault)
        };
        let body = html! {
            div class="stack" {
                (field("name", "name", lang.name()).hint(lang.destination_name_hint()).required().draw())
                @if is_folder(draft) {
                    (field("location", "location", lang.location()).value(draft.or("location", &outbox)).hint(&location_hint).required().draw())
                } @else {
                    (field("bucket", "bucket", lang.bucket()).required().draw())
                }
                (field("folder", "folder", lang.folder()).hint(lang.folder_hint()).draw())
                (macros(lang, "folder", FOLDER_MACROS))
                @if !is_folder(draft) { (pick("sse", "sse", lang.encryption(), &sse, draft.get("sse"))) }
                @if draft.get("sse") == "aws:kms" && !is_folder(draft) { (field("kms_key_id", "encryption.kms_key_id", lang.kms_key()).hint(lang.kms_key_hint()).draw()) }
                (self.pgp(lang))
                (text_field("actions", lang.marketing_actions()).value(draft.get("actions")).hint(lang.actions_hint()).draw())
                (hidden_fields(&[("manifest", "no")]))
                (tick("manifest", lang.manifest(), lang.manifest_hint(), draft.or("manifest", "yes") == "yes"))
            }
        };
        card(lang.step_place(), &nothing(), &body)
    }

    fn pgp(&self, lang: Lang) -> Markup {
        let fault = self.preview.fault_of(lang, PGP);
        let is_wrong = !fault.0.is_empty();
        html! {
            div class="field" {
                label for="pgp" { (lang.pgp_keys()) }
                textarea class="textarea code-text" id="pgp" name="pgp" rows="3" spellcheck="false" autocapitalize="off" autocomplete="off" data-of=(PGP)
                    aria-invalid=[is_wrong.then_some("true")] aria-describedby=(if is_wrong { "pgp-error pgp-hint" } else { "pgp-hint" }) { (self.draft.get("pgp")) }
                @if is_wrong { p class="error" id="pgp-error" { (fault) } }
                p class="hint" id="pgp-hint" { (lang.pgp_hint()) }
            }
        }
    }

    fn format(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let format = draft.or("format", "csv");
        let is_text = matches!(format, "csv" | "tsv");
        let body = html! {
            div class="stack" {
                (pick("format", "format", lang.file_format(), &choices(&FORMATS), format))
                @if format == "csv" { (pick("delimiter", "delimiter", lang.delimiter(), &choices(&[(",", ","), (";", ";"), ("|", "|")]), draft.or("delimiter", ","))) }
                @if is_text {
                    (pick("quoting", "quoting", lang.quoting(), &choices(&[("minimal", lang.quoting_minimal()), ("all", lang.quoting_all())]), draft.or("quoting", "minimal")))
                    (pick("line_end", "line_end", lang.line_end(), &choices(&[("lf", "LF"), ("crlf", "CR LF")]), draft.or("line_end", "lf")))
                    (pick("encoding", "encoding", lang.encoding(), &choices(&[("utf-8", "UTF-8"), ("utf-8-bom", "UTF-8, BOM"), ("windows-1252", "Windows-1252")]), draft.or("encoding", "utf-8")))
                    (hidden_fields(&[("header", "no")]))
                    (tick("header", lang.header_line(), "", draft.or("header", "yes") == "yes"))
                }
                @if format != "parquet" { (pick("compression", "compression", lang.compression(), &choices(&compressions(lang)), draft.or("compression", "none"))) }
            }
        };
        card(lang.file_format(), &nothing(), &body)
    }

    fn review(&self, lang: Lang) -> Markup {
        let draft = &self.draft;
        let account = match draft.get("account") {
            "" => lang.new_account(),
            key => key,
        };
        let [where_to, into] = match is_folder(draft) {
            true => [
                (lang.service(), Preset::Folder.name(lang)),
                (lang.location(), draft.get("location")),
            ],
            false => [(lang.account(), account), (lang.bucket(), draft.get("bucket"))],
        };
        let all = [
            (lang.name(), draft.get("name")),
            where_to,
            into,
            (lang.folder(), draft.or("folder", "–")),
            (lang.file_format(), named(&FORMATS, draft.or("format", "csv"))),
            (lang.compression(), named(&compressions(lang), draft.or("compression", "none"))),
            (lang.pgp_keys(), if draft.get("pgp").trim().is_empty() { "–" } else { lang.pgp_on() }),
            (lang.marketing_actions(), draft.or("actions", "–")),
        ];
        let mut all: Vec<(&str, Markup)> =
            all.iter().map(|(name, value)| (*name, html! { (value) })).collect();
        let sse = if is_folder(draft) { "" } else { draft.get("sse") };
        let at_rest = encryption(lang, sse, draft.get("kms_key_id"));
        all.insert(ENCRYPTION_AT, (lang.encryption(), at_rest));
        let body =
            html! { (facts(&all)) p class="muted small from-files" { (lang.connect_review()) } };
        card(lang.step_review(), &nothing(), &body)
    }
}

/// Where encryption stands in the review.
const ENCRYPTION_AT: usize = 6;

/// The formats of files, by the words of the project file.
const FORMATS: [(&str, &str); 4] = [
    ("csv", "CSV (.csv)"),
    ("tsv", "TSV (.txt)"),
    ("json", "JSON lines (.json)"),
    ("parquet", "Parquet (.parquet)"),
];

fn compressions(lang: Lang) -> [(&'static str, &'static str); 4] {
    [("none", lang.none_set()), ("gzip", "gzip"), ("zstd", "Zstandard"), ("zip", "zip")]
}

/// What a value of a list is called.
fn named<'a>(all: &[(&str, &'a str)], value: &'a str) -> &'a str {
    all.iter().find(|(known, _)| *known == value).map_or(value, |(_, name)| name)
}
