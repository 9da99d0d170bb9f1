//! The project file as written.
//!
//! These types are the one description of the file's shape: their doc comments and attributes
//! become the JSON Schema for editors, the structure check walks that schema, and serde decodes
//! into them. They say nothing about what a project means; `resolve` does.
//!
//! Every field is optional here, also the required ones (`#[schemars(required)]`): the structure
//! check reports what is missing, and the rest of the file is still decoded and checked.

mod activation;
mod destination;
mod governance;
mod ordered;

pub(crate) use activation::*;
pub(crate) use destination::*;
pub(crate) use governance::*;
pub(crate) use ordered::Ordered;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroize as _;

/// A Segue project: where profiles come from, which segments they fall into, and where, when and
/// with which columns the members of each segment are sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Segue project")]
pub(crate) struct Project {
    /// The version of this file format: 1.
    #[schemars(required, range(min = 1, max = 1))]
    #[expect(dead_code, reason = "the structure check has compared it")]
    pub version: Option<u64>,
    /// The project's name. Ids are derived from it, so keep it when the project moves.
    #[schemars(required)]
    pub name: Option<String>,
    /// Where profiles and events come from.
    #[schemars(required)]
    pub datasets: Option<Ordered<Dataset>>,
    /// How the profile datasets become one profile per person.
    pub profiles: Option<Profiles>,
    /// Who may not be sent, whatever a segment says.
    pub consent: Option<Consent>,
    /// Which labelled fields may not be sent to destinations that are used for some marketing action.
    pub policies: Option<Ordered<UsagePolicy>>,
    /// What is kept of who is in which segment since when.
    pub membership: Option<Membership>,
    /// What is kept of whose data went out in which file.
    pub who_got: Option<WhoGot>,
    /// Named rules over profiles.
    #[schemars(required)]
    pub segments: Option<Ordered<Segment>>,
    /// Credentials for S3 services.
    pub accounts: Option<Ordered<Account>>,
    /// Where files go.
    pub destinations: Option<Ordered<Destination>>,
    /// Which segments go where, when and with which columns.
    pub activations: Option<Ordered<Activation>>,
}

/// Records from one place.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dataset {
    /// What one record is. Default: profile.
    pub kind: Option<DatasetKind>,
    /// A file, folder or glob, relative to the project file, absolute, or `s3://bucket/prefix/`; of a
    /// database `postgres://user@host/database`.
    #[schemars(required)]
    pub location: Option<String>,
    /// The account whose credentials read an `s3://` location.
    pub account: Option<String>,
    /// How the files are read. Default: from the extension of the location.
    pub format: Option<DatasetFormat>,
    /// csv: the character between cells. Default: a comma, or a tab for `.tsv`.
    pub delimiter: Option<String>,
    /// csv: the quote character. Default: `"`.
    pub quote: Option<String>,
    /// postgres: the table or view that is read, as SQL writes it: `customers` or `crm.customers`.
    pub table: Option<String>,
    /// postgres: the query that gives the records, instead of a table.
    pub query: Option<String>,
    /// postgres: the password, from a variable: `${CRM_PASSWORD}`.
    pub password: Option<String>,
    /// delta: the version of the table that is read. Default: the newest.
    pub version: Option<u64>,
    /// Types of top-level fields that are declared rather than inferred: `points: integer`.
    pub types: Option<Ordered<DeclaredType>>,
    /// The fields that identify a person, each with its namespace; the first is the primary one.
    pub identities: Option<Ordered<String>>,
    /// Events: the field that names the person.
    pub profile: Option<EventProfile>,
    /// The field that says which of two records is newer.
    pub timestamp: Option<String>,
    /// Labels by field, which `policies` read: `email: [I1]`.
    pub labels: Option<Ordered<Vec<String>>>,
}

/// What one record of a dataset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DatasetKind {
    /// The state of a person.
    Profile,
    /// Something that happened.
    Event,
}

/// How the files of a dataset are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DatasetFormat {
    /// Apache Parquet.
    Parquet,
    /// Delimited text with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// A Delta table: the folder with its log.
    Delta,
    /// A table or a query of a PostgreSQL database.
    Postgres,
}

/// The type of a declared field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeclaredType {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A floating point number.
    Float,
    /// An exact decimal number.
    Decimal,
    /// Text.
    String,
    /// A day of the calendar.
    Date,
    /// A time of day.
    Time,
    /// An instant.
    Timestamp,
}

/// How an event names its person.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventProfile {
    /// The field that holds the id.
    #[schemars(required)]
    pub field: Option<String>,
    /// The namespace of the id.
    #[schemars(required)]
    pub namespace: Option<String>,
}

/// How the profile datasets become one profile per person.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// Which value of a field wins: `timestamp`, that of the newest record, or a list of all profile
    /// datasets in order of precedence. Default: timestamp.
    pub merge: Option<Merge>,
    /// Which records are of one person: those with the same primary identity, or all that are
    /// connected by any identities. Default: none.
    pub stitch: Option<Stitch>,
}

/// Which of several values wins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Merge {
    /// The newest.
    Order(MergeOrder),
    /// The one of the first dataset in this list.
    Datasets(Vec<String>),
}

/// An order of values that is not a list of datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MergeOrder {
    /// The newest value wins.
    Timestamp,
}

/// Which records are of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stitch {
    /// Those with the same primary identity.
    None,
    /// All that are connected by any identities, however many steps it takes.
    Graph,
}

/// A named rule over profiles. Exactly one of `rule`, `rule_file`, `pql`, `pql_file` and `import` is
/// needed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Segment {
    /// A UUID. Default: derived from the project's name and the segment's key.
    pub id: Option<String>,
    /// The name that people read. Default: the key.
    pub name: Option<String>,
    /// What the segment is for.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    /// A SQL expression that is true for members: `loyalty.points >= 1000`.
    pub rule: Option<String>,
    /// A file that holds the SQL expression, relative to the project file.
    pub rule_file: Option<String>,
    /// A rule in PQL, the language of Adobe Experience Platform: `person.age >= 18`.
    pub pql: Option<String>,
    /// A file that holds the rule in PQL, relative to the project file.
    pub pql_file: Option<String>,
    /// Instead of a rule, a file that lists the members by an identity.
    pub import: Option<Import>,
}

/// A file that lists the members of a segment by an identity.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    /// A file, folder or glob, relative to the project file, absolute, or `s3://bucket/prefix/`.
    #[schemars(required)]
    pub location: Option<String>,
    /// The account whose credentials read an `s3://` location.
    pub account: Option<String>,
    /// How the files are read. Default: from the extension of the location.
    pub format: Option<DatasetFormat>,
    /// csv: the character between cells. Default: a comma, or a tab for `.tsv`.
    pub delimiter: Option<String>,
    /// csv: the quote character. Default: `"`.
    pub quote: Option<String>,
    /// The field that holds the identity.
    #[schemars(required)]
    pub field: Option<String>,
    /// The namespace of the identity, one of those of the profile datasets.
    #[schemars(required)]
    pub namespace: Option<String>,
}

/// Credentials for an S3 service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// The name that people read. Default: the key.
    #[expect(dead_code, reason = "for readers of the file")]
    pub name: Option<String>,
    /// What the account is for.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    /// The kind of service. Default: amazon-s3, which all S3-compatible services are.
    #[serde(rename = "type")]
    #[expect(dead_code, reason = "there is one kind")]
    pub account_type: Option<AccountType>,
    /// How requests are signed.
    #[schemars(required)]
    pub auth: Option<Auth>,
    /// The region of the buckets. Default: found out.
    pub region: Option<String>,
    /// The address of an S3-compatible service: `https://minio.example.com:9000`.
    pub endpoint_url: Option<String>,
    /// What kind of service is at that address, as pages call it. Default: told by the address.
    pub service: Option<Service>,
    /// How the bucket is addressed. Default: auto.
    pub addressing: Option<Addressing>,
    /// A file with the certificates (PEM) that this service is trusted by, instead of those of the
    /// machine; relative to the project file.
    pub ca_file: Option<String>,
    /// Whether an `http://` address beyond this machine is accepted. Default: false.
    pub allow_http: Option<bool>,
}

/// The kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AccountType {
    /// Amazon S3, or a service that speaks its protocol.
    AmazonS3,
}

/// A kind of S3-compatible service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    /// MinIO.
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

/// How requests are signed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    /// Which of the ways.
    #[schemars(required)]
    pub kind: Option<AuthKind>,
    /// access-key, or the key that assumes a role: the public half.
    pub access_key_id: Option<String>,
    /// The secret half, from a variable: `${AWS_SECRET_ACCESS_KEY}`.
    pub secret_access_key: Option<String>,
    /// The token of a temporary key, from a variable.
    pub session_token: Option<String>,
    /// assume-role: the role, `arn:aws:iam::123456789012:role/segue`.
    pub role_arn: Option<String>,
    /// assume-role: the external id that the role asks for. Default: one that is made for this
    /// account; `segue policy` shows it.
    pub external_id: Option<String>,
    /// assume-role: roles that are assumed on the way, each by the one before it, the first by who
    /// signs. Default: none.
    pub through: Option<Vec<String>>,
    /// assume-role: the address of STS, for S3-compatible services. Default: Amazon's.
    pub sts_endpoint_url: Option<String>,
    /// default, or the profile that assumes a role: one of the shared configuration files. Default:
    /// AWS_PROFILE, or `default`.
    pub profile: Option<String>,
}

/// Secrets do not stay behind in memory.
impl Drop for Auth {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
        self.session_token.zeroize();
    }
}

/// Hand-written, so that no secret is ever shown.
impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A way of signing requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuthKind {
    /// With an access key and its secret.
    AccessKey,
    /// With a role that is assumed, by an access key or by what the machine offers.
    AssumeRole,
    /// With whatever the machine offers: variables, files, single sign-on, instance role.
    Default,
}

/// How the bucket is addressed in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Addressing {
    /// Path style when an endpoint is given, virtual style otherwise.
    Auto,
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// Returns the JSON Schema of the project file, for editors and for the structure check.
pub(crate) fn json_schema() -> &'static serde_json::Value {
    static SCHEMA: LazyLock<serde_json::Value> =
        LazyLock::new(|| schemars::schema_for!(Project).to_value());
    &SCHEMA
}
