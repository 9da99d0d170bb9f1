//! Accounts: credentials that never stand in the file, regions, addresses.

use secrecy::SecretString;
use uuid::Uuid;

use super::{Item, Resolver, endpoint};
use crate::config;
use crate::diagnostic::Span;
use crate::project::{Account, Addressing, Auth, Service};
use crate::tree::Node;

/// The keys whose values are never written in the file and never shown.
pub(crate) const SECRET_KEYS: [&str; 4] =
    ["secret_access_key", "session_token", "password", "pgp_sign_passphrase"];

/// The longest name of a session, in characters (AWS STS, `AssumeRole`).
const SESSION_NAME_CHARS_MAX: usize = 64;

/// The most roles on the way to another: each makes signing in longer.
const ROLES_ON_THE_WAY_MAX: usize = 5;

/// The keys that belong to each kind; `kind` belongs to all.
const ACCESS_KEY: &[&str] = &["access_key_id", "secret_access_key", "session_token"];
const ROLE: &[&str] = &["role_arn", "external_id", "through", "sts_endpoint_url"];
const PROFILE: &[&str] = &["profile"];

impl Resolver<'_> {
    pub(super) fn account(&mut self, item: Item<'_>, file: &config::Account) -> Option<Account> {
        let allow_http = file.allow_http.unwrap_or(false);
        let endpoint = |me: &mut Self, item: Item<'_>, key: &str, url: &Option<String>| {
            url.as_deref().and_then(|url| me.endpoint(item, key, url, allow_http))
        };
        let endpoint_url = endpoint(self, item, "endpoint_url", &file.endpoint_url);
        let region = file.region.as_deref().and_then(|region| self.region(item, region));
        let (child, written) = (item.child("auth")?, file.auth.as_ref()?);
        let sts = endpoint(self, child, "sts_endpoint_url", &written.sts_endpoint_url);
        let auth = self.auth(item.key, child, written, sts)?;
        let service = file.service.map(|service| match service {
            config::Service::Minio => Service::Minio,
            config::Service::R2 => Service::R2,
            config::Service::Ceph => Service::Ceph,
            config::Service::Garage => Service::Garage,
            config::Service::Google => Service::Google,
            config::Service::Other => Service::Other,
        });
        let addressing = match file.addressing {
            Some(config::Addressing::Path) => Addressing::Path,
            Some(config::Addressing::Virtual) => Addressing::Virtual,
            Some(config::Addressing::Auto) | None => Addressing::Auto,
        };
        Some(Account {
            key: item.key.to_owned(),
            auth,
            region,
            endpoint_url,
            service,
            addressing,
            ca_file: file.ca_file.clone(),
        })
    }

    fn auth(
        &mut self,
        account: &str,
        item: Item<'_>,
        file: &config::Auth,
        sts_endpoint_url: Option<String>,
    ) -> Option<Auth> {
        // Written in the clear is wrong whatever the kind is, and worth saying first.
        let clear = SECRET_KEYS.map(|key| self.is_in_clear(item, key)).contains(&true);
        let kind = file.kind?;
        let (name, foreign): (_, &[&[&str]]) = match kind {
            config::AuthKind::AccessKey => ("access-key", &[ROLE, PROFILE]),
            config::AuthKind::AssumeRole => ("assume-role", &[]),
            config::AuthKind::Default => ("default", &[ACCESS_KEY, ROLE]),
        };
        for key in foreign.iter().copied().flatten() {
            if item.node.get(key).is_some() {
                let message = format!("`{key}` does not belong to `kind: {name}`");
                self.error("misplaced_key", item.key_place(key), message, "Remove it.");
            }
        }
        let auth = match kind {
            config::AuthKind::AccessKey => self.access_key(item, file),
            config::AuthKind::Default => Some(Auth::Default { profile: file.profile.clone() }),
            config::AuthKind::AssumeRole => self.role(account, item, file, sts_endpoint_url),
        };
        auth.filter(|_| !clear)
    }

    fn access_key(&mut self, item: Item<'_>, file: &config::Auth) -> Option<Auth> {
        let id = self.credential(item, "access_key_id", file.access_key_id.as_deref(), true);
        let secret =
            self.credential(item, "secret_access_key", file.secret_access_key.as_deref(), true);
        let token = self.credential(item, "session_token", file.session_token.as_deref(), false);
        let (id, secret) = (id?, secret?);
        self.check_swapped(item, &id, &secret);
        Some(Auth::AccessKey {
            access_key_id: id,
            secret_access_key: SecretString::from(secret),
            session_token: token.map(SecretString::from),
        })
    }

    fn role(
        &mut self,
        account: &str,
        item: Item<'_>,
        file: &config::Auth,
        sts_endpoint_url: Option<String>,
    ) -> Option<Auth> {
        let has_key = ACCESS_KEY.iter().any(|key| item.node.get(key).is_some());
        if has_key && file.profile.is_some() {
            let message = "the role is assumed either by a key or by a profile";
            self.error("misplaced_key", item.key_place("profile"), message, "Remove one of them.");
        }
        let base = match has_key {
            true => self.access_key(item, file),
            false => Some(Auth::Default { profile: file.profile.clone() }),
        };
        let Some(role_arn) = &file.role_arn else {
            let hint = "Write for example `role_arn: arn:aws:iam::123456789012:role/segue`.";
            let message = "`kind: assume-role` needs a `role_arn`";
            self.error("missing_key", item.key_span, message, hint);
            return None;
        };
        self.check_role(role_arn, item.span("role_arn"));
        let through = file.through.as_deref().unwrap_or_default();
        let nodes = item.node.get("through").map(Node::items).unwrap_or_default();
        for (arn, node) in through.iter().zip(nodes) {
            self.check_role(arn, node.text_span());
        }
        if through.len() > ROLES_ON_THE_WAY_MAX {
            let message = format!("more than {ROLES_ON_THE_WAY_MAX} roles are on the way");
            let hint = "Let an earlier role assume the last one.";
            self.error("role_chain", item.key_place("through"), message, hint);
        }
        let external_id =
            file.external_id.clone().unwrap_or_else(|| self.derived_external_id(account));
        if !is_external_id(&external_id) {
            let hint = "Leave it out: one is made for the account, and `segue policy` shows it.";
            let place = item.span("external_id");
            self.error("external_id_form", place, "this is not an external id", hint);
        }
        let session_name = self.session_name();
        let assumed =
            |base: Auth, role_arn: &String, external_id: Option<String>| Auth::AssumeRole {
                role_arn: role_arn.clone(),
                external_id,
                session_name: session_name.clone(),
                sts_endpoint_url: sts_endpoint_url.clone(),
                base: Box::new(base),
            };
        let base = through.iter().fold(base?, |base, arn| assumed(base, arn, None));
        Some(assumed(base, role_arn, Some(external_id)))
    }

    fn check_role(&mut self, arn: &str, place: Span) {
        if !is_role_arn(arn) {
            let hint = "Write for example `arn:aws:iam::123456789012:role/segue`.";
            self.error("role_arn_form", place, "this is not the ARN of a role", hint);
        }
    }

    /// An external id tells apart whom a role serves; it is no secret. This one follows from the
    /// project's name and the account's key, so that it stays the same on every machine.
    fn derived_external_id(&self, account: &str) -> String {
        let id = Uuid::new_v5(&self.namespace, format!("external-id/{account}").as_bytes());
        format!("segue-{id}")
    }

    fn session_name(&self) -> String {
        let project = self.root.get("name").and_then(Node::scalar).map(|scalar| &*scalar.text);
        let plain = |c: char| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') => c,
            _ => '-',
        };
        let name = format!("segue-{}", project.unwrap_or_default());
        name.chars().map(plain).take(SESSION_NAME_CHARS_MAX).collect()
    }

    /// Reports a secret that stands in the file. The place is the key, never the value.
    pub(super) fn is_in_clear(&mut self, item: Item<'_>, key: &str) -> bool {
        let Some(scalar) = item.node.get(key).and_then(Node::scalar) else { return false };
        if scalar.origin.is_elsewhere() || (scalar.text.is_empty() && !scalar.unfilled) {
            return false;
        }
        let message = format!("`{key}` is written in the clear");
        let variable = match key {
            "session_token" => "AWS_SESSION_TOKEN",
            "pgp_sign_passphrase" => "PGP_SIGN_PASSPHRASE",
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
            if required && item.node.get(key).is_none_or(Node::is_absent) {
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

    fn endpoint(
        &mut self,
        item: Item<'_>,
        key: &str,
        url: &str,
        allow_http: bool,
    ) -> Option<String> {
        let place = item.span(key);
        match endpoint::check(url) {
            Ok(endpoint) => {
                if endpoint.is_plain_and_far && !allow_http {
                    let message = "what is sent would leave this machine unencrypted";
                    let hint = "Use `https://`; if the network is your own, add `allow_http: true` to the account.";
                    self.error("plain_http", place, message, hint);
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

/// `arn:PARTITION:iam::ACCOUNT:role/PATH` (IAM user guide, "IAM identifiers"; names of roles have at
/// most 64 characters).
fn is_role_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, role] = fields[..] else { return false };
    let Some(path) = role.strip_prefix("role/") else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    arn == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=64).contains(&name.len())
        && name.chars().all(is_name)
}

/// 2 to 1224 of the characters that STS takes (`AssumeRole`, `ExternalId`).
fn is_external_id(text: &str) -> bool {
    (2..=1_224).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@:/_-\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_by_their_arn() {
        for (text, expected) in [
            ("arn:aws:iam::123456789012:role/segue", true),
            ("arn:aws-cn:iam::123456789012:role/team/data/segue", true),
            ("arn:aws:iam::123456789012:user/segue", false),
            ("arn:aws:iam::12345678901:role/segue", false),
            ("arn:aws:sts::123456789012:assumed-role/segue/x", false),
            ("arn:aws:iam::123456789012:role/", false),
            ("arn:aws:iam::123456789012:role/a b", false),
            ("segue", false),
        ] {
            assert_eq!(is_role_arn(text), expected, "{text}");
        }
    }

    #[test]
    fn external_ids_are_what_sts_takes() {
        assert!(is_external_id("segue-6f0b5f3e"));
        for text in ["", "x", "a b", "a\nb", "é!"] {
            assert!(!is_external_id(text), "{text}");
        }
    }
}
