//! Accounts: credentials that never stand in the file, regions, addresses.

use secrecy::SecretString;

use super::{Item, Resolver, endpoint};
use crate::config;
use crate::project::{Account, Addressing, Auth};
use crate::tree::{Node, Origin};

/// The keys whose values are never written in the file and never shown.
pub(crate) const SECRET_KEYS: [&str; 2] = ["secret_access_key", "session_token"];

impl Resolver<'_> {
    pub(super) fn account(&mut self, item: Item<'_>, file: &config::Account) -> Option<Account> {
        let endpoint_url = file.endpoint_url.as_deref().and_then(|url| self.endpoint(item, url));
        let region = file.region.as_deref().and_then(|region| self.region(item, region));
        let auth = self.auth(item.child("auth")?, file.auth.as_ref()?)?;
        let addressing = match file.addressing {
            Some(config::Addressing::Path) => Addressing::Path,
            Some(config::Addressing::Virtual) => Addressing::Virtual,
            Some(config::Addressing::Auto) | None => Addressing::Auto,
        };
        Some(Account { key: item.key.to_owned(), auth, region, endpoint_url, addressing })
    }

    fn auth(&mut self, item: Item<'_>, file: &config::Auth) -> Option<Auth> {
        // Written in the clear is wrong whatever the kind is, and worth saying first.
        let clear = SECRET_KEYS.map(|key| self.is_in_clear(item, key));
        match file.kind? {
            config::AuthKind::AccessKey => {}
            config::AuthKind::AssumeRole => {
                self.not_available(item.span("kind"), "assuming a role");
                return None;
            }
            config::AuthKind::Default => {
                self.not_available(item.span("kind"), "the default chain of credentials");
                return None;
            }
        }
        for key in ["role_arn", "external_id", "profile"] {
            if item.node.get(key).is_some() {
                let message = format!("`{key}` does not belong to `kind: access-key`");
                self.error("misplaced_key", item.key_place(key), message, "Remove it.");
            }
        }
        let id = self.credential(item, "access_key_id", file.access_key_id.as_deref(), true);
        let secret =
            self.credential(item, "secret_access_key", file.secret_access_key.as_deref(), true);
        let token = self.credential(item, "session_token", file.session_token.as_deref(), false);
        let (id, secret) = (id?, secret?);
        self.check_swapped(item, &id, &secret);
        if clear.contains(&true) {
            return None;
        }
        Some(Auth::AccessKey {
            access_key_id: id,
            secret_access_key: SecretString::from(secret),
            session_token: token.map(SecretString::from),
        })
    }

    /// Reports a secret that stands in the file. The place is the key, never the value.
    fn is_in_clear(&mut self, item: Item<'_>, key: &str) -> bool {
        let Some(scalar) = item.node.get(key).and_then(Node::scalar) else { return false };
        if scalar.origin == Origin::Variable || (scalar.text.is_empty() && !scalar.unfilled) {
            return false;
        }
        let message = format!("`{key}` is written in the clear");
        let variable = match key {
            "session_token" => "AWS_SESSION_TOKEN",
            _ => "AWS_SECRET_ACCESS_KEY",
        };
        let hint = format!(
            "Write `{key}: ${{{variable}}}` and set the variable; replace the key if the file was shared."
        );
        self.error("secret_in_clear", item.key_place(key), message, &hint);
        true
    }

    /// A part of the credentials, trimmed; its value is never shown.
    fn credential(
        &mut self,
        item: Item<'_>,
        key: &str,
        value: Option<&str>,
        required: bool,
    ) -> Option<String> {
        let place = item.key_place(key);
        let Some(value) = value else {
            if required && item.node.get(key).is_none_or(Node::is_null) {
                let hint = "An access key has `access_key_id` and `secret_access_key`.";
                self.error("missing_key", place, format!("the key `{key}` is missing"), hint);
            }
            return None;
        };
        let trimmed = value.trim();
        if trimmed.is_empty() && !required {
            return None;
        }
        if trimmed.is_empty() {
            // Counting, previewing and delivering to a folder need no credentials.
            let hint = "Set the variable before you deliver with this account.";
            self.warn("empty_credential", place, format!("`{key}` is empty"), hint);
            return Some(String::new());
        }
        if trimmed.contains(|c: char| c.is_whitespace() || c.is_control() || c == '{') {
            let hint =
                "Set the variable to the bare credential, without quotes, braces or line breaks.";
            self.error("credential_form", place, format!("`{key}` is not a credential"), hint);
            return None;
        }
        if trimmed != value {
            let hint = "Spaces and line breaks around it were left out.";
            self.warn("trimmed", place, format!("`{key}` has spaces around it"), hint);
        }
        Some(trimmed.to_owned())
    }

    /// The id of an Amazon key has 20 characters and a known beginning, a secret has 40.
    fn check_swapped(&mut self, item: Item<'_>, id: &str, secret: &str) {
        let looks_like_id =
            |text: &str| text.len() == 20 && (text.starts_with("AKIA") || text.starts_with("ASIA"));
        if looks_like_id(secret) && !looks_like_id(id) {
            let message = "`access_key_id` and `secret_access_key` look swapped";
            let hint = "The id begins with AKIA or ASIA.";
            self.error("swapped_credentials", item.key_place("access_key_id"), message, hint);
        }
    }

    fn region(&mut self, item: Item<'_>, written: &str) -> Option<String> {
        let place = item.span("region");
        let region = written.trim().to_lowercase();
        let plain =
            region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if region.is_empty() || region.len() > 63 || !plain {
            let hint = "Write for example `eu-west-3`, or leave the key out.";
            self.error("region_form", place, "this is not the name of a region", hint);
            return None;
        }
        if region != written {
            let message = format!("the region is read as `{region}`");
            self.warn("region_form", place, message, "Write it in small letters without spaces.");
        }
        Some(region)
    }

    fn endpoint(&mut self, item: Item<'_>, url: &str) -> Option<String> {
        let place = item.span("endpoint_url");
        match endpoint::check(url) {
            Ok(endpoint) => {
                if endpoint.is_plain_and_far {
                    let message = "the address is not encrypted";
                    let hint = "Use `https://`, unless the network is your own.";
                    self.warn("plain_http", place, message, hint);
                }
                Some(endpoint.url)
            }
            Err(problem) => {
                self.error("endpoint_form", place, problem.message, problem.hint);
                None
            }
        }
    }
}
