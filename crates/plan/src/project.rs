//! The project: what the files say, with every name resolved and every default filled in.
//!
//! These are the words of the product, in the order in which data flows: datasets, segments,
//! accounts, destinations, activations.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use uuid::Uuid;

use crate::consent::Consent;
use crate::diagnostic::Span;
use crate::field::FieldPath;
use crate::file_format::FileFormat;
use crate::object_key::Template;
use crate::object_settings::ObjectSettings;
use crate::planner::Lateness;
use crate::pql::SourceMap;
use crate::schema::FieldType;
use crate::usage::Usage;

/// A project file, resolved.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project's name, part of every id that is derived.
    pub name: String,
    /// Where profiles come from, in the order of the file.
    pub datasets: Vec<Dataset>,
    /// How the records of the profile datasets become profiles.
    pub profiles: MergePolicy,
    /// Who may not be sent, whatever a segment says.
    pub consent: Consent,
    /// Which labelled fields may not be sent for what.
    pub usage: Usage,
    /// What is kept of memberships.
    pub membership: Membership,
    /// What is kept of whose data went out in which file.
    pub who_got: WhoGot,
    /// When segments are evaluated that are sent after their evaluation.
    pub evaluations: Option<Schedule>,
    /// Rules over profiles, in the order of the file.
    pub segments: Vec<Segment>,
    /// Credentials for S3 services.
    pub accounts: Vec<Account>,
    /// Where files go.
    pub destinations: Vec<Destination>,
    /// Which segments go where, when and with which columns.
    pub activations: Vec<Activation>,
    /// Places in the file that no part of the project needs but messages.
    pub(crate) places: Places,
}

/// Places in the file that only messages need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// The timestamp field of each dataset that has one, by key.
    pub timestamps: BTreeMap<String, Span>,
}

/// Records from one place.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its key in the project file.
    pub key: String,
    /// Whether its records are profiles or events.
    pub kind: DatasetKind,
    /// A file, folder or glob; relative to the project's folder, absolute, or `s3://bucket/…`. Of a
    /// database its address without password and parameters.
    pub location: String,
    /// The account whose credentials read an `s3://` location.
    pub account: Option<String>,
    /// How its files are read.
    pub format: DatasetFormat,
    /// The database, where the format is one.
    pub database: Option<Database>,
    /// Types that are declared rather than inferred, by top-level field.
    pub declared: Vec<(String, FieldType)>,
    /// Identity fields with their namespaces; the first is the primary identity.
    pub identities: Vec<Identity>,
    /// The field that says which of two records is newer.
    pub timestamp: Option<FieldPath>,
    /// Where the location stands in the file.
    pub span: Span,
    /// Where the version that is read stands in the file, if it is written.
    pub version_span: Option<Span>,
}

/// What the records of a dataset are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetKind {
    /// One record tells the state of a person.
    Profile,
    /// One record tells something that happened.
    Event,
}

/// How the files of a dataset are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetFormat {
    /// Apache Parquet.
    Parquet,
    /// Delimited text with a header line.
    Csv {
        /// Between cells, ASCII.
        delimiter: u8,
        /// The quote character, ASCII.
        quote: u8,
    },
    /// One JSON object per line.
    JsonLines,
    /// A Delta table: its log, and Parquet files.
    Delta {
        /// Which version is read.
        version: TableVersion,
    },
    /// A table or a query of a PostgreSQL database.
    Postgres,
}

/// Where the records of a PostgreSQL dataset are.
#[derive(Debug, Clone)]
pub struct Database {
    /// User, host, port, database and parameters, as in a URL without scheme and password.
    pub address: String,
    /// The password, if one is given.
    pub password: Option<SecretString>,
    /// What is read.
    pub relation: Relation,
    /// Where that stands in the project file.
    pub relation_span: Span,
}

/// What is read of a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Relation {
    /// A table or view, by its name as SQL writes it.
    Table(String),
    /// A query that gives rows.
    Query(String),
}

/// A version of a table that keeps its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableVersion {
    /// The newest at the time when the dataset is pinned.
    Newest,
    /// The one with this number.
    Number(u64),
}

/// An identity field and what kind of id it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where the value is.
    pub field: FieldPath,
    /// What kind of id it is: `Email`, `CRMID`, ….
    pub namespace: String,
    /// Where the field stands in the file.
    pub span: Span,
}

/// How the records of the profile datasets become one profile per person (behaviour reference §1,
/// merge policy).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergePolicy {
    /// Which of several values of a field wins.
    pub merge: Merge,
    /// Which records are of one person.
    pub stitch: Stitch,
}

/// Which of several values of a field wins. A missing value never does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Merge {
    /// That of the newest record.
    #[default]
    Timestamp,
    /// That of the first of these datasets: the keys of all profile datasets.
    Datasets(Vec<String>),
}

/// Which records are of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stitch {
    /// Those with the same primary identity: namespace and value.
    #[default]
    None,
    /// Those that are connected by any identities, however many steps it takes.
    Graph,
}

/// What is kept of who is in which segment since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Membership {
    /// How many days it is remembered that somebody left.
    pub exits_kept_days: u32,
}

/// What is kept of whose data went out in which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhoGot {
    /// For how many days it is kept of each run.
    pub kept_days: u32,
}

/// A named rule over profiles.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its key in the project file.
    pub key: String,
    /// Its id: as written, or UUIDv5 of project name and key.
    pub id: Uuid,
    /// Its name: as written, or the key.
    pub name: String,
    /// What decides membership; of an imported segment, to be in it.
    pub rule: Rule,
    /// The file that lists the members of an imported segment: a dataset with one identity.
    pub import: Option<Dataset>,
}

/// A boolean SQL expression over the fields of a profile.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The text as written (for `rule_file`, the content of that file), or what PQL was translated
    /// into.
    pub text: String,
    /// Where it comes from, for messages.
    pub origin: RuleOrigin,
}

/// Where the text of a rule or an expression stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOrigin {
    /// In the project file. `spans_text` tells whether the span holds the text character by
    /// character, so that an offset into the text is an offset into the span.
    Project {
        /// Of the value.
        span: Span,
        /// Whether offsets carry over.
        spans_text: bool,
    },
    /// In the project file, in lines: as a block behind `|`, or folded, or with escaped quotes.
    Block {
        /// Of the value.
        span: Span,
        /// Where each line of the text stands, or each run of its characters.
        lines: Vec<BlockLine>,
    },
    /// In a file of its own.
    File {
        /// The path as written.
        path: String,
        /// Of the path in the project file.
        span: Span,
    },
    /// Translated from PQL.
    Translated {
        /// Where the PQL stands.
        written: Box<RuleOrigin>,
        /// From places in the translation to places in the PQL.
        map: SourceMap,
    },
}

/// Where a line of a block of text, or a run of characters, stands in the project file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLine {
    /// Where the line begins in the text, in bytes.
    pub offset: usize,
    /// Where its first character behind the indentation stands in the file, in bytes.
    pub start: usize,
    /// The line in the file, counted from 1.
    pub line: u32,
    /// The column of that first character, counted from 1.
    pub column: u32,
}

impl RuleOrigin {
    /// Returns the place of `length` bytes at `offset` of the text, if the text stands in the
    /// project file line by line, or was translated from one that does.
    ///
    /// The bytes are exact. The column is too as long as the text before it is ASCII;
    /// [`Span::of`] gives it exactly from the text of the file.
    pub fn place(&self, offset: usize, length: usize) -> Option<Span> {
        match self {
            Self::Project { span, spans_text: true } => {
                let start = span.start.checked_add(offset).filter(|start| *start <= span.end)?;
                let end = start.saturating_add(length).min(span.end);
                let column = span.column.saturating_add(u32::try_from(offset).ok()?);
                Some(Span { start, end, line: span.line, column })
            }
            Self::Block { lines, .. } => {
                let line = line_at(lines, offset)?;
                let last = line_at(lines, offset.saturating_add(length.saturating_sub(1)))?;
                let start = line.start + (offset - line.offset);
                let end = last.start + (offset + length).saturating_sub(last.offset);
                let column = line.column.saturating_add(u32::try_from(offset - line.offset).ok()?);
                Some(Span { start, end: end.max(start), line: line.line, column })
            }
            Self::Translated { .. } => {
                let (written, offset, length) = self.written(offset, length);
                written.place(offset, length)
            }
            Self::Project { spans_text: false, .. } | Self::File { .. } => None,
        }
    }

    /// Returns where the whole text, or the path of its file, stands in the project file.
    pub fn span(&self) -> Span {
        match self {
            Self::Project { span, .. } | Self::Block { span, .. } | Self::File { span, .. } => {
                *span
            }
            Self::Translated { written, .. } => written.span(),
        }
    }

    /// Returns the origin of what a person wrote, and the place in it, for `length` bytes at
    /// `offset` of the text: another place only where the text was translated.
    pub fn written(&self, offset: usize, length: usize) -> (&Self, usize, usize) {
        match self {
            Self::Translated { written, map } => {
                let source = map.source(offset..offset.saturating_add(length)).unwrap_or(0..0);
                written.written(source.start, source.len())
            }
            own => (own, offset, length),
        }
    }
}

/// The line that holds an offset.
fn line_at(lines: &[BlockLine], offset: usize) -> Option<&BlockLine> {
    lines[..lines.partition_point(|line| line.offset <= offset)].last()
}

/// Credentials for an S3 service.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its key in the project file.
    pub key: String,
    /// How requests are signed.
    pub auth: Auth,
    /// The region, if it is given.
    pub region: Option<String>,
    /// The address of an S3-compatible service; Amazon's own when absent.
    pub endpoint_url: Option<String>,
    /// What kind of service is there, if it is said: nothing depends on it but what people read.
    pub service: Option<Service>,
    /// How the bucket is addressed.
    pub addressing: Addressing,
    /// A file with the certificates that the service is trusted by, instead of the machine's.
    pub ca_file: Option<String>,
}

/// How requests are signed.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A long-lived or temporary key.
    AccessKey {
        /// The public half.
        access_key_id: String,
        /// The secret half; its Debug form is redacted.
        secret_access_key: SecretString,
        /// For temporary keys.
        session_token: Option<SecretString>,
    },
    /// A role that is assumed, for at most an hour at a time.
    AssumeRole {
        /// The role.
        role_arn: String,
        /// What the role's trust policy asks for, so that nobody else's Segue can be made to use it;
        /// absent for roles on the way to another.
        external_id: Option<String>,
        /// What the sessions are called in the role's audit log.
        session_name: String,
        /// The address of STS; Amazon's own when absent.
        sts_endpoint_url: Option<String>,
        /// Who assumes it: an access key, what the machine offers, or the role before it in a chain.
        base: Box<Auth>,
    },
    /// What the machine offers: variables, shared files, `credential_process`, single sign-on, web
    /// identity, and the roles of containers and instances.
    Default {
        /// The profile of the shared files; AWS_PROFILE or `default` when absent.
        profile: Option<String>,
    },
}

/// A kind of S3-compatible service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
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
    /// Any other.
    Other,
}

impl Service {
    /// Returns the word for it in the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minio => "minio",
            Self::R2 => "r2",
            Self::Ceph => "ceph",
            Self::Garage => "garage",
            Self::Google => "google",
            Self::Other => "other",
        }
    }
}

/// How the bucket is addressed in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// Path style when an endpoint is given, virtual style otherwise.
    Auto,
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// An account, a bucket, a folder and a file format; or a folder of this machine.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its key in the project file.
    pub key: String,
    /// UUIDv5 of project name and key, or as written.
    pub id: Uuid,
    /// Its name: as written, or the key.
    pub name: String,
    /// The key of its account; empty where it is a folder of this machine.
    pub account: String,
    /// The bucket; empty where it is a folder of this machine.
    pub bucket: String,
    /// The folder of this machine, relative to the project's folder or absolute; nothing for a bucket.
    pub location: Option<String>,
    /// The folder, with macros; empty for the root of bucket or location.
    pub folder: Template,
    /// The account id that must own the bucket, sent with every request.
    pub expected_bucket_owner: Option<String>,
    /// What its objects are written with.
    pub objects: ObjectSettings,
    /// How rows become files.
    pub file: FileFormat,
    /// Whether a manifest is published behind the files.
    pub manifest: bool,
    /// Who can read the files, if they are encrypted.
    pub pgp: Option<Pgp>,
    /// What the files are used for; the project's consent rules go by it.
    pub marketing_actions: Vec<String>,
    /// Where the destination stands in the file.
    pub span: Span,
}

impl Destination {
    /// The address of a key there: `s3://bucket/key`, or a path.
    pub fn address(&self, key: &str) -> String {
        match &self.location {
            Some(location) => format!("{}/{key}", location.trim_end_matches('/')),
            None => format!("s3://{}/{key}", self.bucket),
        }
    }
}

/// For whom the files of a destination are encrypted with OpenPGP, and who signs them. The keys are
/// texts: whoever encrypts parses and checks them.
#[derive(Debug, Clone)]
pub struct Pgp {
    /// The public keys of the recipients, at least one.
    pub recipients: Vec<PublicKeyText>,
    /// Who signs.
    pub signer: Option<SignerText>,
}

/// A public key as somebody gave it: ASCII-armoured, or in Base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyText {
    /// The name of its file as written, or `the key` when it stands in the project file.
    pub name: String,
    /// The text.
    pub text: String,
    /// Where the project file names it.
    pub span: Span,
}

/// A private key that signs.
#[derive(Debug, Clone)]
pub struct SignerText {
    /// The name of its file as written, or `the key` when it came from a variable.
    pub name: String,
    /// The text, ASCII-armoured or in Base64.
    pub text: SecretString,
    /// What unlocks it.
    pub passphrase: Option<SecretString>,
    /// Where the project file names it.
    pub span: Span,
}

/// A destination, the segments sent to it, and one mapping of fields to columns.
#[derive(Debug, Clone)]
pub struct Activation {
    /// Its key in the project file.
    pub key: String,
    /// UUIDv5 of project name and key, or as written.
    pub id: Uuid,
    /// Its name: as written, or the key.
    pub name: String,
    /// The key of its destination.
    pub destination: String,
    /// What is sent.
    pub segments: Vec<SegmentExport>,
    /// The columns, in order.
    pub mapping: Vec<Column>,
    /// What stops a run before anything is visible.
    pub guard: Guard,
    /// Where the activation stands in the file.
    pub span: Span,
}

/// Which rows are sent (behaviour reference §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Export {
    /// All members.
    #[default]
    Full,
    /// Those who joined or left since the last delivered run; the first run sends all members.
    Incremental,
    /// As `Incremental`, and members whose mapped attributes changed.
    Changes,
}

impl Export {
    /// Returns the word of the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Changes => "changes",
        }
    }
}

/// One segment of an activation.
#[derive(Debug, Clone)]
pub struct SegmentExport {
    /// The key of the segment.
    pub segment: String,
    /// Which rows are sent.
    pub export: Export,
    /// Whether those who left are sent, too; never in full exports.
    pub leavers: bool,
    /// When it is due; without one it runs when it is named.
    pub schedule: Option<Schedule>,
    /// The file name without extension, with macros.
    pub file_name: Template,
    /// Where it stands in the file.
    pub span: Span,
}

/// When a segment of an activation is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub frequency: Frequency,
    /// The zone in which `at` and the dates are read.
    pub zone: TimeZone,
    /// The first day on which it may be due.
    pub start: Option<Date>,
    /// The last day on which it may be due, itself included.
    pub end: Option<Date>,
    /// What a server does with slots that cannot simply run at their time.
    pub lateness: Lateness,
}

/// How often a segment is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frequency {
    /// On the start day, at this time, once.
    Once {
        /// Local time of day.
        at: Time,
    },
    /// Every so many hours, counted from `at` on the start day (or from local midnight).
    Hourly {
        /// Hours between slots, 1 to 24.
        every: u8,
        /// Local time of day of the first slot.
        at: Time,
    },
    /// Every day.
    Daily {
        /// Local time of day.
        at: Time,
    },
    /// Every week, on the weekday of the start day (Monday without one).
    Weekly {
        /// Local time of day.
        at: Time,
    },
    /// Every month, on the day of the start day (the first without one); the last day of a
    /// shorter month.
    Monthly {
        /// Local time of day.
        at: Time,
    },
    /// By a cron expression of five fields.
    Cron {
        /// The expression, checked.
        expression: String,
    },
    /// Whenever the segment is evaluated.
    Evaluation {
        /// When that is by the clock; nothing when it is only when somebody asks.
        of: Option<Box<Schedule>>,
    },
}

/// One column of the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header.
    pub header: String,
    /// Where its values come from.
    pub source: ColumnSource,
    /// Profiles without a value (missing or empty) are excluded and counted.
    pub mandatory: bool,
    /// Part of the deduplication key.
    pub deduplicate: bool,
    /// Where the source stands in the file.
    pub span: Span,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSource {
    /// A field of the profile.
    Field(FieldPath),
    /// `identityMap.Email`: an identity of this namespace. A profile has a row for each.
    Identity(String),
    /// A SQL expression over the fields of the profile.
    Expression {
        /// The text as written.
        text: String,
        /// Where it stands.
        origin: RuleOrigin,
    },
    /// `segmentMembership.status`: `active` for members.
    MembershipStatus,
    /// `segmentMembership.operation`: `added`, `changed` or `removed` since the last delivered run.
    MembershipOperation,
    /// `segmentMembership.lastQualificationTime`.
    LastQualificationTime,
}

/// What stops a run before anything is visible; each bound is optional.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guard {
    /// The least rows.
    pub min_rows: Option<u64>,
    /// The most rows.
    pub max_rows: Option<u64>,
    /// The largest loss against the last delivered run, in percent of it.
    pub max_shrink_percent: Option<f64>,
    /// The largest gain against the last delivered run, in percent of it.
    pub max_growth_percent: Option<f64>,
    /// The largest share of members that is left out, in percent.
    pub max_excluded_percent: Option<f64>,
}

impl Column {
    /// Whether it tells when somebody became a member.
    pub fn is_qualification_time(&self) -> bool {
        self.source == ColumnSource::LastQualificationTime
    }

    /// Whether the time at which somebody became a member decides what the file holds.
    pub fn rests_on_history(&self) -> bool {
        self.is_qualification_time() || self.deduplicate
    }

    /// Returns the column without conditions for its values.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { mandatory: false, ..self }
    }
}

impl Project {
    /// Finds a dataset by key.
    pub fn dataset(&self, key: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.key == key)
    }

    /// Finds a segment by key.
    pub fn segment(&self, key: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.key == key)
    }

    /// Finds an account by key.
    pub fn account(&self, key: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.key == key)
    }

    /// Finds a destination by key.
    pub fn destination(&self, key: &str) -> Option<&Destination> {
        self.destinations.iter().find(|destination| destination.key == key)
    }

    /// Finds an activation by key.
    pub fn activation(&self, key: &str) -> Option<&Activation> {
        self.activations.iter().find(|activation| activation.key == key)
    }

    /// The profile datasets.
    pub fn profile_datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Profile)
    }

    /// The event datasets.
    pub fn event_datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.iter().filter(|dataset| dataset.kind == DatasetKind::Event)
    }
}
