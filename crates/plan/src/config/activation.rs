//! `activations:` of the project file as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// A destination, the segments sent to it, and one mapping of fields to columns.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Activation {
    /// A UUID. Default: derived from the project's name and the activation's key.
    pub id: Option<String>,
    /// The name that people read, and `%ACTIVATION_NAME%`. Default: the key.
    pub name: Option<String>,
    /// What the activation is for.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    /// The destination.
    #[schemars(required)]
    pub destination: Option<String>,
    /// The segments that are sent, each with its schedule and file name.
    #[schemars(required)]
    pub segments: Option<Vec<SegmentExport>>,
    /// The columns, in order: fields by their path, or mappings.
    #[schemars(required)]
    pub mapping: Option<Vec<Column>>,
    /// What stops a run before anything is visible.
    pub guard: Option<Guard>,
}

/// One segment of an activation.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentExport {
    /// The segment.
    #[schemars(required)]
    pub segment: Option<String>,
    /// Which members are sent. Default: full.
    pub export: Option<Export>,
    /// Whether people who left are sent too. Default: auto.
    pub leavers: Option<Leavers>,
    /// When the segment is due. Without one it runs when it is named.
    pub schedule: Option<Schedule>,
    /// The file name without extension, with macros.
    /// Default: `%DESTINATION_NAME%_segment%SEGMENT_ID%_%DATETIME(yyyyMMddHHmmss)%`.
    pub file_name: Option<String>,
}

/// Which members are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Export {
    /// All members.
    Full,
    /// Those that joined or left since the last delivered run.
    Incremental,
    /// Those that joined, left or changed since the last delivered run.
    Changes,
}

/// Whether people who left are sent too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Leavers {
    /// When a column of the status or the operation is mapped.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When a segment is due.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// How often. Needed, but with `trigger: after-evaluation`.
    pub frequency: Option<Frequency>,
    /// hourly: the hours between two slots. Default: 1.
    #[schemars(range(min = 1, max = 24))]
    pub every: Option<u8>,
    /// The local time of day, `"02:00"`. Default: midnight.
    pub at: Option<String>,
    /// cron: an expression of five fields, `"0 2 * * mon"`.
    pub cron: Option<String>,
    /// The IANA time zone of all times and dates. Default: UTC.
    pub zone: Option<String>,
    /// The first day, `2026-01-04`.
    pub start: Option<String>,
    /// The last day, itself included.
    pub end: Option<String>,
    /// What begins a run. Default: scheduled.
    pub trigger: Option<Trigger>,
    /// Server: what happens to slots that were missed while it was down. Default: latest.
    pub catch_up: Option<CatchUp>,
    /// Server: how old a missed slot may be, `24h`, `90m`, `7d`. Default: 24h.
    pub catch_up_window: Option<String>,
    /// Server: what happens to a slot that comes while the one before is not over. Default: queue.
    pub overlap: Option<Overlap>,
}

/// What happens to slots that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CatchUp {
    /// The latest one is made up for.
    Latest,
    /// Each of them, at most 100.
    All,
    /// None of them.
    None,
}

/// What happens to a slot that comes while the one before is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Overlap {
    /// It waits; a later one takes its place.
    Queue,
    /// It is skipped.
    Skip,
    /// All of them wait, at most 100.
    QueueAll,
}

/// How often a segment is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Frequency {
    /// On the start day.
    Once,
    /// Every so many hours, counted from `at` on the start day.
    Hourly,
    /// Every day.
    Daily,
    /// On the weekday of the start day, or on Mondays.
    Weekly,
    /// On the day of the month of the start day, or on the first.
    Monthly,
    /// By a cron expression.
    Cron,
}

/// What begins a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Trigger {
    /// The schedule.
    Scheduled,
    /// The evaluation of the segment: by the schedule of `membership`, and whenever somebody asks.
    AfterEvaluation,
}

/// One column: the path of a field, or a mapping with more to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Column {
    /// A field of the profile; the header is its path with underscores.
    Field(String),
    /// A field or an expression with its header and marks.
    Mapping(ColumnMapping),
}

/// A column with its header and marks. Exactly one of `source` and `expression` is needed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnMapping {
    /// The field of the profile.
    pub source: Option<String>,
    /// A SQL expression over the fields of the profile.
    pub expression: Option<String>,
    /// The header. Default: the path with underscores; an expression needs one.
    pub target: Option<String>,
    /// Whether profiles without a value are left out and counted. Default: false.
    pub mandatory: Option<bool>,
    /// Whether the column is part of the deduplication key. Default: false.
    pub deduplicate: Option<bool>,
}

/// What stops a run before anything is visible.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guard {
    /// The least rows.
    pub min_rows: Option<u64>,
    /// The most rows.
    pub max_rows: Option<u64>,
    /// The largest loss against the last delivered run, `50%`.
    pub max_shrink: Option<String>,
    /// The largest gain against the last delivered run, `200%`.
    pub max_growth: Option<String>,
    /// The largest share of members that is left out, `20%`.
    pub max_excluded: Option<String>,
}
