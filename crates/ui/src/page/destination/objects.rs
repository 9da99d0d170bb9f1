//! What objects of a destination are written with, and who can read them.

use maud::{Markup, html};

use crate::component::nothing;
use crate::words::Lang;

/// What objects are written with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// How the service encrypts them, as S3 calls it, and the KMS key if one is named; nothing where the
    /// bucket decides.
    pub sse: Option<(String, Option<String>)>,
    /// Whom files are encrypted for before they leave.
    pub readers: Vec<Reader>,
    /// The storage class, if one is set.
    pub storage_class: Option<String>,
    /// Tags, as key and value.
    pub tags: Vec<(String, String)>,
    /// The account that has to own the bucket, if that is checked.
    pub bucket_owner: Option<String>,
}

/// Somebody whom files are encrypted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Whose key it says to be, or where it comes from.
    pub name: String,
    /// Its fingerprint; nothing where the key is of no use.
    pub fingerprint: Option<String>,
}

impl Objects {
    /// Each as a name and what is set. Where the files are in a folder, a service has no part in it.
    pub(super) fn facts(&self, lang: Lang, is_folder: bool) -> Vec<(&'static str, Markup)> {
        let mut all = Vec::new();
        if !is_folder {
            all.push((
                lang.encryption(),
                match &self.sse {
                    Some((sse, key)) => encryption(lang, sse, key.as_deref().unwrap_or_default()),
                    None => html! { (lang.sse_of_bucket()) },
                },
            ));
        }
        if !self.readers.is_empty() {
            let readers = html! { @for reader in &self.readers { (reader.draw(lang)) } };
            all.push((lang.pgp_keys(), readers));
        }
        if let Some(class) = &self.storage_class {
            all.push((lang.storage_class(), html! { code { (class) } }));
        }
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|(key, value)| format!("{key}={value}"));
            let tags: Vec<String> = tags.collect();
            all.push((lang.object_tags(), html! { code class="address" { (tags.join(", ")) } }));
        }
        if let Some(owner) = &self.bucket_owner {
            all.push((lang.bucket_owner(), html! { code { (owner) } }));
        }
        all
    }
}

impl Reader {
    fn draw(&self, lang: Lang) -> Markup {
        html! {
            div {
                (self.name)
                @match &self.fingerprint {
                    Some(fingerprint) => code class="under address" { (in_fours(fingerprint)) },
                    None => span class="under" { (lang.pgp_of_no_use()) },
                }
            }
        }
    }
}

/// A fingerprint as people compare it.
fn in_fours(fingerprint: &str) -> String {
    let letters: Vec<char> = fingerprint.chars().collect();
    let fours = letters.chunks(4).map(|four| four.iter().collect::<String>());
    fours.collect::<Vec<_>>().join(" ")
}

/// How a service encrypts, by the words of the project file, and the key that it takes.
pub(in crate::page) fn encryption(lang: Lang, sse: &str, key: &str) -> Markup {
    let (name, is_kms) = match sse {
        "" => ("–", false),
        "AES256" => ("SSE-S3", false),
        "aws:kms" => ("SSE-KMS", true),
        other => (other, false),
    };
    let of_key = match (is_kms, key.trim()) {
        (false, _) => nothing(),
        (true, "") => html! { span class="under" { (lang.kms_of_account()) } },
        (true, key) => html! { code class="under address" { (key) } },
    };
    html! { (name) (of_key) }
}
