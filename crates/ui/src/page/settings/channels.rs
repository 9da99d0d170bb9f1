//! Where alerts are told: a webhook, mail, both or neither.

use maud::{Markup, html};

use crate::component::{dialog, hidden_fields, text_field};
use crate::icon::Icon;
use crate::shell::Shell;

/// Where alerts are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channels {
    /// The host that alerts are posted to, if there is one: the rest of the address may be a secret.
    pub webhook: Option<String>,
    /// The whole address, for those who may change it.
    pub webhook_url: Option<String>,
    /// Whether the server was started with a webhook.
    pub webhook_of_start: bool,
    /// The mail server, from whom and to whom, if there is one.
    pub mail: Option<Mail>,
    /// Whether the server was started with a mail server.
    pub mail_of_start: bool,
    /// Whether the viewer may change it.
    pub may_change: bool,
}

/// Mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The mail server.
    pub server: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
}

impl Channels {
    /// Draws what is told where, and the button to change it.
    pub(super) fn draw(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let is_fixed = self.webhook_of_start && self.mail_of_start;
        html! {
            div class="channels" {
                ul class="stack tight small" {
                    @if let Some(url) = &self.webhook { @if !self.webhook_of_start { li { (lang.webhook_to()) " " code { (url) } } } }
                    @if self.webhook_of_start { li { (lang.webhook_on()) } }
                    @if let Some(mail) = &self.mail { @if !self.mail_of_start { li { (lang.mail_to()) " " (mail.to.join(", ")) } } }
                    @if self.mail_of_start { li { (lang.mail_on()) } }
                    @if self.is_nowhere() { li class="muted" { (lang.told_nowhere()) } }
                }
                @if self.may_change && !is_fixed { (self.change(shell)) }
            }
        }
    }

    fn is_nowhere(&self) -> bool {
        self.webhook.is_none()
            && self.mail.is_none()
            && !self.webhook_of_start
            && !self.mail_of_start
    }

    fn change(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let mail = self.mail.clone().unwrap_or_default();
        let kept = |is_there: bool| if is_there { lang.secret_stays() } else { "" };
        let body = html! {
            p { (lang.channels_text()) }
            @if !self.webhook_of_start {
                (text_field("webhook", lang.webhook_url()).value(self.webhook_url.as_deref().unwrap_or_default()).hint(lang.webhook_url_hint()).draw())
                (text_field("webhook_secret", lang.webhook_secret()).secret().hint(if self.webhook.is_some() { lang.secret_stays() } else { lang.webhook_secret_hint() }).draw())
            }
            @if !self.mail_of_start {
                (text_field("mail_to", lang.mail_recipients()).value(&mail.to.join(", ")).hint(lang.mail_recipients_hint()).draw())
                (text_field("mail_from", lang.mail_sender()).value(&mail.from).draw())
                (text_field("mail_server", lang.mail_server()).value(&mail.server).hint(lang.mail_server_hint()).draw())
                (text_field("mail_password", lang.password()).id("mail-password").secret().hint(kept(self.mail.is_some())).draw())
            }
        };
        dialog(
            lang,
            "channels",
            (
                "small",
                &html! { (Icon::Edit.draw()) (lang.change()) span class="hidden" { " " (lang.alert_channels()) } },
            ),
            lang.channels_title(),
            &body,
            (
                "/settings/alerts",
                &hidden_fields(&[("csrf", shell.csrf())]),
                &html! { button class="button primary" { (lang.save()) } },
            ),
        )
    }
}
