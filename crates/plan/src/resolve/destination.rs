//! Destinations: bucket or location, folder, owner.

use std::net::Ipv4Addr;

use super::{Item, Resolver};
use crate::config;
use crate::diagnostic::{Diagnostic, Span};
use crate::object_key::{Part, Template, TemplateError};
use crate::project::Destination;
use crate::tree::Node;

impl Resolver<'_> {
    pub(super) fn destination(
        &mut self,
        item: Item<'_>,
        file: &config::Destination,
    ) -> Option<Destination> {
        let name = self.name(item, file.name.as_deref());
        let id = self.id(item, "destination", file.id.as_deref());
        let objects = self.object_settings(item, file);
        let pgp = self.pgp(item, file);
        let mut format = self.file(item.child("file"), file.file.as_ref());
        if let Some(format) = &mut format {
            format.encrypted = pgp.is_some();
        }
        let owner = file.expected_bucket_owner.as_deref();
        if owner
            .is_some_and(|owner| owner.len() != 12 || !owner.chars().all(|c| c.is_ascii_digit()))
        {
            let place = item.span("expected_bucket_owner");
            let hint = "Write the twelve digits of the AWS account, in quotes.";
            self.error("bucket_owner", place, "this is not an AWS account id", hint);
        }
        let folder =
            self.template(item, "folder", file.folder.as_deref().unwrap_or(""), Part::Folder);
        let (account, bucket) = self.place(item, file)?;
        Some(Destination {
            key: item.key.to_owned(),
            id,
            name,
            account,
            bucket,
            location: file.location.clone(),
            folder: folder?,
            expected_bucket_owner: file.expected_bucket_owner.clone(),
            objects,
            file: format?,
            manifest: file.manifest.unwrap_or(false),
            pgp,
            marketing_actions: file.marketing_actions.clone().unwrap_or_default(),
            span: item.key_span,
        })
    }

    /// The account and the bucket; both are empty where the destination is a folder of this machine.
    fn place(&mut self, item: Item<'_>, file: &config::Destination) -> Option<(String, String)> {
        if let Some(location) = &file.location {
            self.check_folder(item, location);
            return Some((String::new(), String::new()));
        }
        for (key, about, is_there) in [
            ("account", "The account that owns the credentials.", file.account.is_some()),
            ("bucket", "The bucket, by its bare name.", file.bucket.is_some()),
        ] {
            // One whose value is wrong is told as that.
            if !is_there && item.node.get(key).is_none() {
                let hint = format!("`{key}`: {about}");
                let message = format!("the key `{key}` is missing");
                self.error("missing_key", item.key_span, message, &hint);
            }
        }
        if let Some(account) = &file.account {
            self.check_reference("unknown_account", "accounts", account, item.span("account"));
        }
        if let Some(bucket) = &file.bucket {
            self.check_bucket(bucket, item.span("bucket"));
        }
        file.account.clone().zip(file.bucket.clone())
    }

    fn check_folder(&mut self, item: Item<'_>, location: &str) {
        let place = item.span("location");
        if location.trim().is_empty() {
            let hint = "Write the path of a folder, such as `/srv/outbox`.";
            self.error("location_form", place, "the location is empty", hint);
        } else if location.contains("://") {
            let hint = "Write `account` and `bucket` for a service, or the path of a folder.";
            self.error("location_form", place, "the location is an address, not a path", hint);
        } else if location.split(['/', '\\']).any(|part| part == "..") {
            let hint = "Write the path without `..`.";
            self.error("location_form", place, "the location climbs out of a folder", hint);
        }
        for key in ["account", "bucket", "expected_bucket_owner", "objects"] {
            if item.node.get(key).is_some() {
                let message = format!("`{key}` is of buckets, and this destination is a folder");
                let hint = "Remove it, or remove `location`.";
                self.error("misplaced_key", item.key_place(key), message, hint);
            }
        }
        let Some(encryption) = item.child("encryption") else { return };
        for key in ["sse", "kms_key_id", "kms_context", "bucket_key"] {
            if encryption.node.get(key).is_some() {
                let message = format!("`{key}` is of buckets, and this destination is a folder");
                let hint = "Remove it; `pgp` encrypts the files themselves.";
                self.error("misplaced_key", encryption.key_place(key), message, hint);
            }
        }
    }

    /// Parses a folder or a file name and reports each of its problems at its place.
    pub(super) fn template(
        &mut self,
        item: Item<'_>,
        key: &str,
        text: &str,
        part: Part,
    ) -> Option<Template> {
        let node = item.node.get(key);
        match Template::parse(text, part) {
            Ok(template) => Some(template),
            Err(errors) => {
                for error in errors {
                    let place = template_place(node, text, &error).unwrap_or(item.key_span);
                    let problem = Diagnostic::error(error.code, place, error.message);
                    self.push(match error.hint {
                        Some(hint) => problem.with_hint(hint),
                        None => problem,
                    });
                }
                None
            }
        }
    }

    fn check_bucket(&mut self, bucket: &str, place: Span) {
        if let Some((message, hint)) = bucket_problem(bucket) {
            self.error("bucket_form", place, message, &hint);
        }
    }
}

fn template_place(node: Option<&Node>, text: &str, error: &TemplateError) -> Option<Span> {
    let node = node?;
    let Some(verbatim) = node.scalar().and_then(|scalar| scalar.verbatim) else {
        return Some(node.span);
    };
    let from = super::dataset::place_in(verbatim, text, error.offset);
    Some(Span { end: (from.start + error.length).min(verbatim.end), ..from })
}

/// What is wrong with the name of a bucket, and what to write instead (Amazon S3 user guide,
/// "general purpose bucket naming rules").
fn bucket_problem(bucket: &str) -> Option<(&'static str, String)> {
    let hint = |text: &str| text.to_owned();
    let bare = bucket.strip_prefix("s3://").or_else(|| bucket.strip_prefix("arn:aws:s3:::"));
    if let Some(bare) = bare {
        let bare = bare.trim_end_matches('/');
        return Some(("the bucket is written as an address", split_hint(bare)));
    }
    if bucket.starts_with("arn:") {
        let hint = hint("Write the bare name of the bucket; access points are not supported.");
        return Some(("the bucket is written as an ARN", hint));
    }
    if bucket.contains('/') {
        return Some(("the bucket holds a slash", split_hint(bucket.trim_matches('/'))));
    }
    if !(3..=63).contains(&bucket.len()) {
        return Some(("the name of a bucket has 3 to 63 characters", hint("Check the name.")));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !bucket.chars().all(allowed) {
        let hint = hint("Use small letters, digits, `-` and `.`.");
        return Some(("the name of a bucket holds a character that is not allowed", hint));
    }
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !bucket.starts_with(edge) || !bucket.ends_with(edge) {
        let hint = hint("Check the name.");
        return Some(("the name of a bucket begins and ends with a letter or a digit", hint));
    }
    if bucket.contains("..") || bucket.contains(".-") || bucket.contains("-.") {
        return Some((
            "a dot in the name of a bucket stands between letters or digits",
            hint("Check the name."),
        ));
    }
    if bucket.parse::<Ipv4Addr>().is_ok() {
        return Some((
            "the name of a bucket is not an IP address",
            hint("Put the address into `endpoint_url` of the account."),
        ));
    }
    let reserved_start = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|p| bucket.starts_with(p));
    let reserved_end = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
        .iter()
        .any(|s| bucket.ends_with(s));
    if reserved_start || reserved_end {
        return Some((
            "this name is reserved for other things than buckets",
            hint("Write the name of a general purpose bucket."),
        ));
    }
    None
}

fn split_hint(path: &str) -> String {
    match path.split_once('/') {
        Some((bucket, folder)) => format!("Write `bucket: {bucket}` and `folder: {folder}`."),
        None => format!("Write `bucket: {path}`."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_by_the_rules() {
        for good in ["abc", "acme-audiences", "a.b.c", "1bucket", &"a".repeat(63)] {
            assert_eq!(bucket_problem(good), None, "{good}");
        }
        let cases = [
            ("UPPER", "Use small letters, digits, `-` and `.`."),
            ("a..b", "Check the name."),
            ("a.-b", "Check the name."),
            ("-ab", "Check the name."),
            ("ab-", "Check the name."),
            ("ab", "Check the name."),
            (&"a".repeat(64), "Check the name."),
            ("192.168.0.1", "Put the address into `endpoint_url` of the account."),
            ("xn--x", "Write the name of a general purpose bucket."),
            ("b-s3alias", "Write the name of a general purpose bucket."),
            ("b/prefix", "Write `bucket: b` and `folder: prefix`."),
            ("s3://b/p/q/", "Write `bucket: b` and `folder: p/q`."),
            ("arn:aws:s3:::bucket", "Write `bucket: bucket`."),
            (
                "arn:aws:s3:eu-west-3:1:accesspoint/x",
                "Write the bare name of the bucket; access points are not supported.",
            ),
            ("buck*t", "Use small letters, digits, `-` and `.`."),
            ("bucket ", "Use small letters, digits, `-` and `.`."),
            ("bücket", "Use small letters, digits, `-` and `.`."),
        ];
        for (bucket, hint) in cases {
            let found = bucket_problem(bucket).map(|(_, hint)| hint);
            assert_eq!(found.as_deref(), Some(hint), "{bucket}");
        }
    }
}
