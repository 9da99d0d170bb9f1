//! `destinations:` of the project file as written.

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroize as _;

use super::Ordered;

/// Where files go: an account and a bucket, or a folder of this machine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "if" = { "not": { "required": ["location"] } },
    "then" = { "required": ["account", "bucket"] }
))]
pub(crate) struct Destination {
    /// A UUID. Default: derived from the project's name and the destination's key.
    pub id: Option<String>,
    /// The name that people read, and `%DESTINATION_NAME%`. Default: the key.
    pub name: Option<String>,
    /// What the destination is for.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    /// The account that owns the credentials.
    pub account: Option<String>,
    /// The bucket, by its bare name.
    pub bucket: Option<String>,
    /// A folder of this machine, in the place of an account and a bucket; relative to the project file.
    pub location: Option<String>,
    /// The folder inside the bucket or the location, with macros. Default: its root.
    pub folder: Option<String>,
    /// The twelve digits of the AWS account that must own the bucket.
    pub expected_bucket_owner: Option<String>,
    /// Encryption of the objects.
    pub encryption: Option<Encryption>,
    /// What the objects are written with.
    pub objects: Option<Objects>,
    /// How rows become files.
    pub file: Option<File>,
    /// Whether a manifest that lists the files is published behind them. Default: false.
    pub manifest: Option<bool>,
    /// What the receiver uses the data for; recorded, not enforced yet.
    pub marketing_actions: Option<Vec<String>>,
}

/// Encryption of the objects.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryption {
    /// Server-side encryption. Default: what the bucket does.
    pub sse: Option<Sse>,
    /// aws:kms: the key, by id or ARN. Default: Amazon's own key of the account.
    pub kms_key_id: Option<String>,
    /// aws:kms: names and values that the key's policy and its audit log see; no personal data.
    pub kms_context: Option<Ordered<String>>,
    /// aws:kms: whether the bucket's key saves requests to KMS. Default: what the bucket does.
    pub bucket_key: Option<bool>,
    /// OpenPGP: the files with the public keys of the recipients, one key in each. Default: the
    /// files are not encrypted.
    pub pgp: Option<Vec<String>>,
    /// OpenPGP: the file with the private key that signs. Default: nobody signs.
    pub pgp_sign: Option<String>,
    /// OpenPGP: what unlocks `pgp_sign`, only as `${VARIABLE}`. Default: nothing.
    pub pgp_sign_passphrase: Option<String>,
}

/// Secrets do not stay behind in memory.
impl Drop for Encryption {
    fn drop(&mut self) {
        self.pgp_sign.zeroize();
        self.pgp_sign_passphrase.zeroize();
    }
}

/// Hand-written, so that no secret is ever shown.
impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encryption").field("sse", &self.sse).finish_non_exhaustive()
    }
}

/// A kind of server-side encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Sse {
    /// With a key of the service (SSE-S3).
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of AWS KMS (SSE-KMS).
    #[serde(rename = "aws:kms")]
    Kms,
}

/// What the objects are written with.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objects {
    /// `STANDARD_IA`, `INTELLIGENT_TIERING`, …. Default: the service's.
    pub storage_class: Option<String>,
    /// Tags, at most 10.
    pub tags: Option<Ordered<String>>,
    /// A canned ACL: `bucket-owner-full-control`. Default: none is sent.
    pub acl: Option<String>,
    /// The media type of the data files. Default: that of the format.
    pub content_type: Option<String>,
    /// User metadata, without `x-amz-meta-`.
    pub metadata: Option<Ordered<String>>,
}

/// How rows become files.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The kind of file. Default: csv.
    pub format: Option<Format>,
    /// The extension without a dot. Default: csv for csv, txt for tsv, otherwise the format's name.
    pub extension: Option<String>,
    /// csv: the character between cells. Default: a comma.
    pub delimiter: Option<String>,
    /// Whether each file begins with the column headers. Default: true.
    pub header: Option<bool>,
    /// The quote character, or `none`. Default: `"`.
    pub quote: Option<String>,
    /// Which cells are quoted. Default: minimal.
    pub quoting: Option<Quoting>,
    /// What precedes a quote inside a quoted cell. Default: the quote itself.
    pub escape: Option<String>,
    /// The text of a missing value. Default: nothing.
    pub null: Option<String>,
    /// The text of an empty string. Default: two quotes, or nothing when nothing is quoted.
    pub empty: Option<String>,
    /// What ends each row. Default: lf.
    pub line_end: Option<LineEnd>,
    /// How characters become bytes. Default: utf-8.
    pub encoding: Option<Encoding>,
    /// How the files are compressed. Default: none.
    pub compression: Option<Compression>,
    /// A further file begins after this many rows. Default: 5000000.
    #[schemars(range(min = 1))]
    pub rows_per_file: Option<u64>,
    /// A further file begins before this many bytes, counted uncompressed. Default: unset.
    #[schemars(range(min = 1))]
    pub bytes_per_file: Option<u64>,
    /// What a run without rows delivers. Default: header-only.
    pub when_empty: Option<WhenEmpty>,
    /// What happens to text that a spreadsheet would take for a formula. Default: off.
    pub formula_guard: Option<FormulaGuard>,
    /// What happens to a NUL character inside text. Default: reject.
    pub nul: Option<Nul>,
    /// What happens to NaN and the infinities. Default: text.
    pub non_finite: Option<NonFinite>,
    /// What happens to a character that the encoding lacks. Default: reject.
    pub unencodable: Option<Unencodable>,
}

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// Cells between commas, or another delimiter.
    Csv,
    /// Cells between tabs.
    Tsv,
    /// JSON lines: one object for each row.
    Json,
    /// Apache Parquet: typed columns, compressed inside.
    Parquet,
}

/// Which cells are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quoting {
    /// Those that would be read differently without quotes.
    Minimal,
    /// All but missing values.
    All,
    /// None; a cell that would need quotes fails the run.
    None,
}

/// What ends each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineEnd {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    Crlf,
}

/// How characters become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Encoding {
    /// UTF-8 without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-8 with a byte order mark.
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// UTF-16, little end first, with a byte order mark.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first, with a byte order mark.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// ISO 8859-1: the first 256 characters of Unicode.
    #[serde(rename = "iso-8859-1")]
    Iso8859_1,
    /// Windows code page 1252.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// How the files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// gzip, with `.gz` behind the extension.
    Gzip,
    /// Zstandard, with `.zst` behind the extension.
    Zstd,
    /// A zip archive of the one file, with `.zip` behind the extension.
    Zip,
}

/// What a run without rows delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WhenEmpty {
    /// One file with the header alone.
    HeaderOnly,
    /// Nothing.
    Skip,
}

/// What happens to text that a spreadsheet would take for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FormulaGuard {
    /// It is written as it is.
    Off,
    /// A single quote is put before it.
    Prefix,
    /// The row is left out and counted.
    Reject,
}

/// What happens to a NUL character inside text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Nul {
    /// The run fails.
    Reject,
    /// The character is left out.
    Strip,
    /// It is written as it is, quoted.
    Keep,
}

/// What happens to a character that the encoding lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unencodable {
    /// The run fails and names the character.
    Reject,
    /// A question mark is written in its place, and counted.
    Replace,
}

/// What happens to NaN and the infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NonFinite {
    /// They are written as `NaN`, `Infinity`, `-Infinity`.
    Text,
    /// They are written like a missing value.
    Null,
    /// The run fails.
    Reject,
}
