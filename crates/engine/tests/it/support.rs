//! Projects of one dataset in a temporary folder, and their rows as text.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use engine::{Counts, Engine, Error, Profiles, Settings};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use plan::field::FieldPath;
use plan::project::{
    Column, ColumnSource, Dataset, DatasetFormat, DatasetKind, Identity, MergePolicy, Rule,
    RuleOrigin,
};
use plan::schema::FieldType;
use plan::{Query, Span};

pub(crate) const SPAN: Span = Span { start: 0, end: 0, line: 1, column: 1 };
pub(crate) const CSV: DatasetFormat = DatasetFormat::Csv { delimiter: b',', quote: b'"' };

/// Plays random histories, each from its own number, on all cores: `count` of them, or as many as the
/// variable `SEGUE_HISTORIES` says. Returns the sum of what they return.
#[expect(clippy::disallowed_methods, reason = "more histories are played when somebody asks")]
pub(crate) fn histories<F: Future<Output = usize>>(
    count: u64,
    play: impl Fn(u64) -> F + Sync,
) -> usize {
    let asked = std::env::var("SEGUE_HISTORIES").ok().and_then(|text| text.parse().ok());
    let (count, next) = (asked.unwrap_or(count), AtomicU64::new(0));
    let player = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let mut sum = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return sum;
            }
            sum += runtime.block_on(play(seed));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(player)).collect();
        let sums = players.into_iter().map(|it| it.join());
        sums.map(|sum| sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    })
}

/// A dataset, a rule and columns.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) dataset: Dataset,
    pub(crate) events: Vec<Dataset>,
    pub(crate) policy: MergePolicy,
    pub(crate) query: Query,
    pub(crate) threads: usize,
    pub(crate) memory_bytes: usize,
    pub(crate) client: Option<aws_sdk_s3::Client>,
}

impl Case {
    /// A case over everything of `format` in a new folder; the rule takes everyone.
    pub(crate) fn new(format: DatasetFormat) -> Self {
        let dataset = Dataset {
            key: "crm".to_owned(),
            kind: DatasetKind::Profile,
            location: ".".to_owned(),
            account: None,
            format,
            database: None,
            declared: Vec::new(),
            identities: Vec::new(),
            timestamp: None,
            span: SPAN,
            version_span: None,
        };
        let query = Query {
            rule: rule("TRUE"),
            columns: Vec::new(),
            segments: Vec::new(),
            consent: plan::Consent::default(),
            history: None,
            evaluated_at: "2026-01-31T02:00:00Z".parse().expect("a timestamp"),
        };
        let folder = tempfile::tempdir().expect("a folder");
        let events = Vec::new();
        let policy = MergePolicy::default();
        Self {
            folder,
            dataset,
            events,
            policy,
            query,
            threads: 2,
            memory_bytes: 1 << 20,
            client: None,
        }
    }

    /// Moves to a folder in memory, where there is one: what is made durable costs nothing there.
    pub(crate) fn in_memory(mut self) -> Self {
        if let Ok(folder) = tempfile::tempdir_in("/dev/shm") {
            self.folder = folder;
        }
        self
    }

    pub(crate) fn rule(mut self, text: &str) -> Self {
        self.query.rule = rule(text);
        self
    }

    pub(crate) fn location(mut self, location: &str) -> Self {
        self.dataset.location = location.to_owned();
        self
    }

    pub(crate) fn timestamp(mut self, path: &str) -> Self {
        self.dataset.timestamp = Some(FieldPath::parse(path).expect("a path"));
        self
    }

    pub(crate) fn declare(mut self, field: &str, field_type: FieldType) -> Self {
        self.dataset.declared.push((field.to_owned(), field_type));
        self
    }

    /// Adds columns. `path`, `header=SQL`, `$status`, `$time`; a leading `!` marks a mandatory
    /// column, `#` one of the key.
    pub(crate) fn columns(mut self, columns: &[&str]) -> Self {
        self.query.columns.extend(columns.iter().map(|text| column(text)));
        self
    }

    pub(crate) fn text(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, content).expect("the file is written");
        self
    }

    pub(crate) fn parquet(self, name: &str, columns: Vec<(&str, ArrayRef)>) -> Self {
        self.parquet_groups(name, columns, 1 << 20)
    }

    pub(crate) fn parquet_groups(
        self,
        name: &str,
        columns: Vec<(&str, ArrayRef)>,
        group_rows: usize,
    ) -> Self {
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        write_parquet(&self.path(name), &batch, group_rows);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn engine(&self) -> Engine {
        let mut settings = Settings::new(&self.folder.path().join(".state"));
        settings.threads = self.threads;
        settings.memory_bytes = self.memory_bytes;
        settings.stretch_records = 2;
        let mut engine = Engine::new(settings);
        if let Some(client) = &self.client {
            engine.add_s3("aws", client.clone());
        }
        engine
    }

    /// Reads from an account `aws` of this client.
    pub(crate) fn client(mut self, client: aws_sdk_s3::Client) -> Self {
        self.client = Some(client);
        self.dataset.account = Some("aws".to_owned());
        self
    }

    pub(crate) async fn pin(&self) -> Result<Profiles, Error> {
        let (engine, folder) = (self.engine(), self.folder.path());
        let snapshot = engine.pin(&self.dataset, folder).await?;
        let mut events = Vec::new();
        for dataset in &self.events {
            events.push(engine.pin(dataset, folder).await?);
        }
        Ok(Profiles::new(self.policy.clone(), vec![snapshot]).with_events(events))
    }

    /// Adds a dataset of events in a file of CSV: its key, the field that identifies the person, the
    /// namespace, and the field that holds the time.
    pub(crate) fn event_csv(
        mut self,
        key: &str,
        field: &str,
        namespace: &str,
        time: &str,
        content: &str,
    ) -> Self {
        let path = |text: &str| FieldPath::parse(text).expect("a path");
        let location = format!("{key}.csv");
        self.events.push(Dataset {
            key: key.to_owned(),
            kind: DatasetKind::Event,
            location: location.clone(),
            identities: vec![identity(field, namespace)],
            timestamp: (!time.is_empty()).then(|| path(time)),
            format: CSV,
            ..self.dataset.clone()
        });
        self.text(&location, content)
    }

    /// Lets a field of the profiles identify them.
    pub(crate) fn identified_by(mut self, field: &str, namespace: &str) -> Self {
        self.dataset.identities.push(identity(field, namespace));
        self
    }

    pub(crate) async fn fields(&self) -> Result<Vec<String>, Error> {
        let profiles = self.pin().await?;
        let schema = self.engine().fields(&profiles).await?;
        let field =
            |field: &plan::schema::Field| format!("{} {}", field.name, field.field_type.name());
        Ok(schema.fields.iter().map(field).collect())
    }

    /// The rows, cells between bars, and the counts.
    pub(crate) async fn run(&self) -> Result<(Vec<String>, Counts), Error> {
        let profiles = self.pin().await?;
        let engine = self.engine();
        let rows = engine.rows(&self.query, &profiles).await?;
        let tally = rows.tally();
        let lines: Vec<Vec<String>> =
            rows.map_ordered(|batch| Ok::<_, Error>(lines(&batch))).try_collect().await?;
        engine.verify(&profiles).await?;
        let coded = engine.rows(&self.query, &profiles).await?.coded();
        let coded: Vec<Vec<String>> =
            coded.map_ordered(|batch| Ok::<_, Error>(self::lines(&batch))).try_collect().await?;
        assert_eq!(coded, lines, "texts as codes are the same texts");
        let counts = engine.count(&self.query, &profiles).await?;
        assert_eq!(counts, tally.counts(), "counting agrees with reading");
        let lost: u64 = counts.excluded.iter().map(|(_, count)| count).sum();
        assert_eq!(counts.received, counts.activated + lost);
        Ok((lines.concat(), counts))
    }

    pub(crate) async fn rows(&self) -> Vec<String> {
        self.run().await.expect("the run succeeds").0
    }

    /// Expects of each expression, over the one record that there is, the value beside it.
    pub(crate) async fn gives(mut self, expected: &[(&str, &str)]) {
        for (number, (expression, _)) in expected.iter().enumerate() {
            self = self.columns(&[format!("c{number}={expression}").as_str()]);
        }
        let rows = self.rows().await;
        let found: Vec<&str> = rows[0].split('|').collect();
        assert_eq!(found.len(), expected.len());
        let wrong: Vec<String> = expected
            .iter()
            .zip(&found)
            .filter(|((_, expected), found)| expected != *found)
            .map(|((expression, expected), found)| format!("{expression}: {found}, not {expected}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The rows with times as files have them: all in UTC (`docs/output.md`).
    pub(crate) async fn written(&self) -> Vec<String> {
        let profiles = self.pin().await.expect("the inputs are pinned");
        let rows = self.engine().rows(&self.query, &profiles).await.expect("the query fits");
        let lines: Vec<Vec<String>> = rows
            .map_ordered(|batch| Ok::<_, Error>(lines(&in_utc(&batch))))
            .try_collect()
            .await
            .expect("the rows are read");
        lines.concat()
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.run().await.expect("the run succeeds").1
    }

    /// The error of the run, with its hint and without the name of the folder.
    pub(crate) async fn error(&self) -> String {
        let error = self.run().await.expect_err("the run fails");
        let hint = error.hint().map_or_else(String::new, |hint| format!("\n  {hint}"));
        let folder = self.folder.path().to_string_lossy().into_owned();
        format!("{}: {error}{hint}", error.code()).replace(&folder, "FOLDER")
    }

    /// The error of the same case with another rule.
    pub(crate) async fn error_of_rule(&mut self, text: &str) -> String {
        self.query.rule = rule(text);
        self.error().await
    }
}

pub(crate) fn identity(field: &str, namespace: &str) -> Identity {
    let field = FieldPath::parse(field).expect("a path");
    Identity { field, namespace: namespace.to_owned(), span: SPAN }
}

fn rule(text: &str) -> Rule {
    Rule { text: text.to_owned(), origin: origin() }
}

fn origin() -> RuleOrigin {
    RuleOrigin::Project { span: SPAN, spans_text: true }
}

fn column(text: &str) -> Column {
    let (mut text, mut mandatory, mut deduplicate) = (text, false, false);
    while let Some(mark) = text.chars().next().filter(|mark| matches!(mark, '!' | '#')) {
        mandatory |= mark == '!';
        deduplicate |= mark == '#';
        text = &text[1..];
    }
    let (header, source) = match (text, text.split_once('=')) {
        ("$status", _) => ("status".to_owned(), ColumnSource::MembershipStatus),
        ("$operation", _) => ("operation".to_owned(), ColumnSource::MembershipOperation),
        ("$time", _) => ("time".to_owned(), ColumnSource::LastQualificationTime),
        (_, Some((header, sql))) => {
            let text = sql.to_owned();
            (header.to_owned(), ColumnSource::Expression { text, origin: origin() })
        }
        (path, None) => {
            let path = FieldPath::parse(path).expect("a path");
            (path.header(), ColumnSource::Field(path))
        }
    };
    Column { header, source, mandatory, deduplicate, span: SPAN }
}

pub(crate) fn write_parquet(path: &Path, batch: &RecordBatch, group_rows: usize) {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let file = File::create(path).expect("the file is made");
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("rows are written");
    writer.close().expect("the footer is written");
}

fn in_utc(batch: &RecordBatch) -> RecordBatch {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let column = |(field, column): (&FieldRef, &ArrayRef)| match column.data_type() {
        DataType::Timestamp(unit, _) => {
            let utc = DataType::Timestamp(*unit, Some("UTC".into()));
            (field.name().clone(), cast(column, &utc).expect("a time has another zone"))
        }
        _ => (field.name().clone(), Arc::clone(column)),
    };
    RecordBatch::try_from_iter(columns.map(column)).expect("the same columns")
}

pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).expect("a formatter"))
        .collect();
    let cells =
        |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>();
    (0..batch.num_rows()).map(|row| cells(row).join("|")).collect()
}
