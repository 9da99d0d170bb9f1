//! What objects are written with: checked against S3's limits, so that a run does not find out.

use super::kms_key::{self, Service};
use super::{Item, Resolver};
use crate::config::{self, Sse};
use crate::object_settings::{
    Encryption, METADATA_BYTES_MAX, ObjectSettings, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX,
    TAGS_MAX,
};
use crate::tree::Node;

/// The storage classes of general purpose buckets that a new object can be written to.
const STORAGE_CLASSES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
];

/// The canned ACLs of objects (Amazon S3 user guide, "Canned ACL").
const CANNED_ACLS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "aws-exec-read",
    "authenticated-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// What Segue's own metadata begins with.
const OWN_METADATA: &str = "segue-";

impl Resolver<'_> {
    pub(super) fn object_settings(
        &mut self,
        item: Item<'_>,
        file: &config::Destination,
    ) -> ObjectSettings {
        let encryption = match (item.child("encryption"), &file.encryption) {
            (Some(child), Some(encryption)) => {
                self.check_kms_key(child, encryption, file.account.as_deref());
                self.encryption(child, encryption)
            }
            _ => None,
        };
        let (Some(child), Some(objects)) = (item.child("objects"), &file.objects) else {
            return ObjectSettings { encryption, ..ObjectSettings::default() };
        };
        self.check_word(child, "storage_class", objects.storage_class.as_deref(), &STORAGE_CLASSES);
        self.check_word(child, "acl", objects.acl.as_deref(), &CANNED_ACLS);
        if let Some(content_type) = &objects.content_type {
            let is_media_type = content_type.is_ascii()
                && content_type.contains('/')
                && !content_type.contains(char::is_control);
            if !is_media_type {
                let hint = "Write for example `text/csv; charset=utf-8`.";
                let place = child.span("content_type");
                self.error("content_type_form", place, "this is not a media type", hint);
            }
        }
        ObjectSettings {
            encryption,
            storage_class: objects.storage_class.clone(),
            tags: self.tags(child, objects),
            acl: objects.acl.clone(),
            content_type: objects.content_type.clone(),
            metadata: self.metadata(child, objects),
        }
    }

    fn encryption(&mut self, item: Item<'_>, file: &config::Encryption) -> Option<Encryption> {
        if file.sse == Some(Sse::Kms) {
            return Some(Encryption::Kms {
                key_id: file.kms_key_id.clone(),
                context: pairs(file.kms_context.as_ref()),
                bucket_key: file.bucket_key,
            });
        }
        for key in ["kms_key_id", "kms_context", "bucket_key"] {
            if item.node.get(key).is_some() {
                let message = format!("`{key}` belongs to `sse: aws:kms`");
                let hint = "Write `sse: aws:kms`, or remove it.";
                self.error("misplaced_key", item.key_place(key), message, hint);
            }
        }
        file.sse.map(|_| Encryption::Aes256)
    }

    fn check_kms_key(&mut self, item: Item<'_>, file: &config::Encryption, account: Option<&str>) {
        let is_unfilled = |node: &Node| node.scalar().is_some_and(|scalar| scalar.unfilled);
        let key = file.kms_key_id.as_deref().filter(|_| file.sse == Some(Sse::Kms));
        let Some(key) = key.filter(|_| !item.node.get("kms_key_id").is_some_and(is_unfilled))
        else {
            return;
        };
        let root = self.root;
        let account = account.and_then(|account| root.get("accounts")?.get(account));
        let said = |member: &str| {
            let scalar = account?.get(member)?.scalar()?;
            Some(scalar.text.trim()).filter(|text| !text.is_empty() || scalar.unfilled)
        };
        let service = match said("endpoint_url") {
            Some(endpoint) if !kms_key::is_amazon(endpoint) => Service::Other,
            _ => Service::Amazon { region: said("region").filter(|region| !region.is_empty()) },
        };
        if let Some(misfit) = kms_key::misfit(key, service) {
            self.error(misfit.code, item.span("kms_key_id"), misfit.message, &misfit.hint);
        }
    }

    fn check_word(&mut self, item: Item<'_>, key: &str, value: Option<&str>, known: &[&str]) {
        let Some(value) = value.filter(|value| !known.contains(value)) else { return };
        let hint = match crate::nearest::nearest(value, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known: {}.", super::quoted_list(known)),
        };
        let message = format!("S3 does not know this `{key}`");
        self.error("unknown_value", item.span(key), message, &hint);
    }

    fn tags(&mut self, item: Item<'_>, file: &config::Objects) -> Vec<(String, String)> {
        let tags = pairs(file.tags.as_ref());
        let place = item.key_place("tags");
        if tags.len() > TAGS_MAX {
            let hint = "Keep those that a lifecycle rule or a policy needs.";
            self.error("tags_max", place, "an object has at most 10 tags", hint);
        }
        let is_too_long = |(key, value): &(String, String)| {
            key.chars().count() > TAG_KEY_CHARS_MAX
                || value.chars().count() > TAG_VALUE_CHARS_MAX
                || key.is_empty()
        };
        if let Some((key, _)) = tags.iter().find(|tag| is_too_long(tag)) {
            let message = format!("the tag `{key}` does not fit");
            let hint = "The key of a tag has 1 to 128 characters, its value at most 256.";
            self.error("tag_form", place, message, hint);
        }
        tags
    }

    fn metadata(&mut self, item: Item<'_>, file: &config::Objects) -> Vec<(String, String)> {
        let written = pairs(file.metadata.as_ref());
        let place = item.key_place("metadata");
        let mut metadata = Vec::new();
        for (name, value) in written {
            let name = name.to_lowercase();
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let is_plain = !name.is_empty() && name.chars().all(is_name);
            let is_value = value.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
            if !is_plain || !is_value || name.starts_with(OWN_METADATA) {
                let message = format!("the metadata `{name}` cannot be sent");
                let hint = "Use ASCII; a name is made of letters, digits, `-`, `_` and `.` and does not begin with `segue-`.";
                self.error("metadata_form", place, message, hint);
            }
            metadata.push((name, value));
        }
        let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > METADATA_BYTES_MAX {
            let message = format!("the metadata has {bytes} bytes");
            let hint = "Names and values have at most 1536 bytes together.";
            self.error("metadata_max", place, message, hint);
        }
        metadata
    }
}

fn pairs(written: Option<&config::Ordered<String>>) -> Vec<(String, String)> {
    let entries = written.into_iter().flat_map(config::Ordered::iter);
    entries.map(|(key, value)| (key.to_owned(), value.clone())).collect()
}
