//! A ledger in a folder, or in a schema of a PostgreSQL server, of its own, and runs to put into it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{Timestamp, ToSpan as _};
use ledger::alert::{Channel, Telling};
use ledger::audit::Act;
use ledger::{
    Address, Claim, Claimed, Counts, Excluded, Ledger, NewRun, Place, SnapshotInput, Stop,
};
use plan::protocol::Verification;
use plan::staged::{Condition, ObjectKind, PublishedObject, StagedObject, StagedPart};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use uuid::Uuid;

/// Something for the audit log.
pub(crate) fn act(number: impl ToString) -> Act {
    Act {
        actor: "ann".to_owned(),
        address: "127.0.0.1".to_owned(),
        action: "run".to_owned(),
        object: number.to_string(),
        outcome: "done".to_owned(),
    }
}

/// Alerts that are posted, with ids that are not used before.
pub(crate) fn telling() -> Telling<'static> {
    fn id() -> Uuid {
        static GIVEN: AtomicU32 = AtomicU32::new(0);
        Uuid::from_u128(GIVEN.fetch_add(1, Ordering::Relaxed).into())
    }
    Telling { to: &[Channel::Webhook], id: &id }
}

/// The alerts that wait to be posted or are listed: `slot kind code: message`, the newest first.
pub(crate) async fn alerts(ledger: &Ledger) -> String {
    let told = ledger.alerts(None, 100).await.unwrap().into_iter().map(|alert| {
        let code = alert.code.unwrap_or_default();
        let sending = if alert.next_attempt.is_some() { "" } else { " (only listed)" };
        format!("{} {} {code}: {}{sending}", alert.key.slot, alert.kind, alert.message)
    });
    told.collect::<Vec<_>>().join("\n")
}

pub(crate) const STORE: &str = "https://s3.example/audiences";

thread_local! {
    /// Whether the fixtures of the test on this thread are in PostgreSQL.
    static ON_POSTGRES: Cell<bool> = const { Cell::new(false) };
}

/// Runs tests of a module a second time, on PostgreSQL, where there is a server.
macro_rules! also_on_postgres {
    ($($test:ident),+ $(,)?) => {
        mod real_postgres {
            $(
                #[test]
                fn $test() {
                    crate::fixture::on_postgres(super::$test);
                }
            )+
        }
    };
}

pub(crate) use also_on_postgres;

/// Runs a test with fixtures in PostgreSQL, if there is a server.
pub(crate) fn on_postgres(test: fn()) {
    if told_server().is_none() {
        return;
    }
    ON_POSTGRES.set(true);
    test();
    ON_POSTGRES.set(false);
}

/// The address of the server for tests.
#[expect(clippy::disallowed_methods, reason = "the environment says whether there is a server")]
pub(crate) fn server() -> Option<String> {
    std::env::var("SEGUE_TEST_POSTGRES_URL").ok()
}

/// The same; that there is none is told.
#[expect(clippy::print_stdout, reason = "a test that does not run says so")]
pub(crate) fn told_server() -> Option<String> {
    let server = server();
    if server.is_none() {
        println!("not run: SEGUE_TEST_POSTGRES_URL names no server; `.ci/postgres` starts one");
    }
    server
}

/// A schema of its own at the server.
pub(crate) fn new_schema() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("ledger_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The address of a schema at the server.
pub(crate) fn address(schema: &str) -> Address {
    let url = format!("{}?schema={schema}", server().expect("there is a server"));
    Address::parse(&url, None).unwrap()
}

/// An open ledger; the folder goes with it.
pub(crate) struct Fixture {
    pub(crate) ledger: Ledger,
    pub(crate) place: Place,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = match ON_POSTGRES.get() {
            true => Place::Postgres(address(&new_schema())),
            false => Place::File(path_in(folder.path())),
        };
        let ledger = Ledger::open(&place).await.unwrap();
        Self { ledger, place, folder }
    }

    /// Runs statements behind the ledger's back.
    pub(crate) async fn tamper(&self, sql: &str) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.place {
            Place::File(path) => {
                let url = format!("sqlite:{}", path.display());
                let mut db = sqlx::SqliteConnection::connect(&url).await?;
                sqlx::raw_sql(sql).execute(&mut db).await?;
                db.close().await
            }
            Place::Postgres(address) => {
                let shown = address.to_string();
                let (_, schema) = shown.split_once("?schema=").expect("not the default");
                let url = server().expect("there is a server");
                let mut db = sqlx::PgConnection::connect(&url).await?;
                let path = AssertSqlSafe(format!("SET search_path = {schema}"));
                sqlx::raw_sql(path).execute(&mut db).await?;
                sqlx::raw_sql(sql).execute(&mut db).await?;
                db.close().await
            }
        }
    }

    /// What a later process finds when this one is killed now: the files as they are, without a
    /// clean end. (The shared memory file is rebuilt by whoever comes first.) A database is left as
    /// it is.
    pub(crate) async fn kill(self) -> Self {
        if let Place::Postgres(_) = self.place {
            let ledger = Ledger::open(&self.place).await.unwrap();
            return Self { ledger, ..self };
        }
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (path_in(self.folder.path()), path_in(folder.path()));
        for suffix in ["", "-wal"] {
            let with_suffix = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
            std::fs::copy(with_suffix(&from), with_suffix(&to)).unwrap();
        }
        let ledger = Ledger::open(&to).await.unwrap();
        Self { ledger, place: Place::File(to), folder }
    }

    /// Claims a run that can be claimed.
    #[track_caller]
    pub(crate) fn claim(&self, new: &NewRun, now: Timestamp) -> impl Future<Output = Claim> {
        let ledger = self.ledger.clone();
        let new = new.clone();
        async move {
            match ledger.claim(&new, now).await.unwrap() {
                Claimed::Run(claim) => claim,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Claims, pins and opens the uploads of `data_files` and a manifest.
    pub(crate) async fn stage(&self, new: &NewRun, data_files: u32) -> (Claim, Vec<StagedObject>) {
        let claim = self.claim(new, at(0)).await;
        self.ledger.pin_snapshot(&claim, &[input()], at(1)).await.unwrap();
        let mut objects = Vec::new();
        for number in (1..=data_files).chain([0]) {
            objects.push(self.upload(&claim, new, number).await);
        }
        (claim, objects)
    }

    /// Opens one upload as a worker does, and returns what it staged.
    pub(crate) async fn upload(&self, claim: &Claim, new: &NewRun, number: u32) -> StagedObject {
        let object = staged(new, claim.epoch, number);
        let intent = self
            .ledger
            .intend_upload(claim, number, &object.key, &object.token, at(2))
            .await
            .unwrap();
        self.ledger.upload_opened(claim, intent, &object.upload_id, at(2)).await.unwrap();
        object
    }

    pub(crate) async fn commit(&self, new: &NewRun, data_files: u32) -> (Claim, Vec<StagedObject>) {
        let (claim, objects) = self.stage(new, data_files).await;
        self.ledger.commit(&claim, &objects, &counts(), at(3)).await.unwrap();
        (claim, objects)
    }

    pub(crate) async fn publish(&self, claim: &Claim, objects: &[StagedObject]) {
        for object in objects {
            let published = published(object);
            self.ledger
                .object_published(claim, &published, Verification::Checked, at(4))
                .await
                .unwrap();
        }
    }

    pub(crate) async fn deliver(&self, new: &NewRun, data_files: u32) -> Vec<StagedObject> {
        let (claim, objects) = self.commit(new, data_files).await;
        self.publish(&claim, &objects).await;
        self.ledger.deliver(&claim, at(5)).await.unwrap();
        objects
    }
}

/// Where the ledger is in a folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("ledger.sqlite")
}

/// Seconds after a fixed time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-03-01T02:00:00Z".parse::<Timestamp>().unwrap() + seconds.seconds()
}

/// The run of the `day`th slot of one segment, with a name of its own.
pub(crate) fn dated(day: u8) -> NewRun {
    let run_id = Uuid::from_u128(u128::from(day) << 64 | 1);
    let stem = format!("exports/luxury_{day}");
    NewRun {
        run_id,
        slot: at(i64::from(day) * 86_400),
        activation: "daily".to_owned(),
        segment: "luxury".to_owned(),
        segment_id: Uuid::from_u128(7),
        destination: "partner".to_owned(),
        store: STORE.to_owned(),
        bucket: "audiences".to_owned(),
        keys: vec![format!("{stem}.csv"), format!("exports/manifest-{run_id}.json")],
        stem,
        export: plan::project::Export::Full,
        is_static: false,
    }
}

/// The same with one name for all slots.
pub(crate) fn fixed(day: u8) -> NewRun {
    let mut new = dated(day);
    new.stem = "exports/luxury".to_owned();
    new.keys[0] = "exports/luxury.csv".to_owned();
    new.is_static = true;
    new
}

pub(crate) fn key(new: &NewRun, number: u32) -> String {
    match number {
        0 => new.keys[1].clone(),
        1 => new.keys[0].clone(),
        _ => format!("{}_{number}.csv", new.stem),
    }
}

/// What a worker of an epoch stages as a file.
pub(crate) fn staged(new: &NewRun, epoch: u32, number: u32) -> StagedObject {
    let part = StagedPart {
        number: 1,
        bytes: 1_000,
        etag: "\"5d41402abc4b2a76b9719d911017c592\"".to_owned(),
        crc64nvme: Some("AAAAAAAAAAA=".to_owned()),
    };
    StagedObject {
        kind: if number == 0 { ObjectKind::Manifest } else { ObjectKind::Data },
        number,
        key: key(new, number),
        upload_id: format!("upload-{epoch}-{number}"),
        token: format!("{}.{number}.{epoch}", new.run_id),
        parts: vec![part],
        bytes: 1_000,
        rows: if number == 0 { 0 } else { 50 },
        replaced: 0,
        sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
        crc64nvme: Some("AAAAAAAAAAA=".to_owned()),
        condition: Condition::Absent,
    }
}

pub(crate) fn published(object: &StagedObject) -> PublishedObject {
    PublishedObject {
        number: object.number,
        etag: format!("\"{}-1\"", object.upload_id),
        version_id: Some("v1".to_owned()),
    }
}

pub(crate) fn input() -> SnapshotInput {
    SnapshotInput {
        location: "data/crm/part-0.parquet".to_owned(),
        bytes: 123_456,
        version: "2026-02-28T23:00:00.123456789Z".to_owned(),
        rows: Some(1_000),
    }
}

pub(crate) fn counts() -> Counts {
    let excluded = |reason: &str, profiles| Excluded { reason: reason.to_owned(), profiles };
    Counts {
        received: 120,
        activated: 100,
        excluded: vec![excluded("missing:email", 15), excluded("duplicate", 5)],
        movement: None,
    }
}

pub(crate) fn stop() -> Stop {
    Stop { code: "guard".to_owned(), message: "the segment shrank by 90 %".to_owned() }
}
