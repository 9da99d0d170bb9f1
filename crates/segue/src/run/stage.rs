//! Staging: rows become files, files become parts in the store, and nothing is visible.

use std::collections::BTreeMap;

use bytes::Bytes;
use delivery::encode::{Chunk, Encoder};
use delivery::manifest::{self, Facts};
use delivery::upload::{self, Intent, Upload};
use engine::{PendingRecord, People, Recorder, Rows, With};
use futures::StreamExt as _;
use ledger::{Excluded, SnapshotInput};
use plan::guard::{Size, Violation, is_of_members};
use plan::protocol::{self, Event, Seen};
use plan::staged::{Condition, StagedObject};
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use super::increment::{Chosen, record_in};
use super::{Attempt, Work};
use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::progress::Phase;

/// The reason under which rows are counted that the formula guard left out.
const FORMULA_REASON: &str = "formula";

/// Why staging stopped.
pub(super) enum Trouble {
    /// The ledger could not be written: what it holds decides what happens next.
    Ledger(ledger::Error),
    /// The run fails.
    Run(Failure),
    /// The guard stops the run, which would have sent so much.
    Guard(Violation, Box<ledger::Counts>),
}

impl<E: Into<Failure>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}

/// What writing all rows came to.
struct Written {
    /// Rows that the formula guard left out.
    rejected: u64,
    /// The record of whose data they are, on its way.
    record: Option<JoinHandle<Result<PendingRecord, engine::Error>>>,
}

/// How the uploads of one pass over the rows are opened.
#[derive(Default)]
pub(super) struct Opening<'a> {
    /// The token of the object that a repair replaces; otherwise each object has its own.
    pub(super) token: Option<&'a str>,
    /// The keys for which an upload was opened.
    pub(super) keys: Vec<String>,
}

impl Attempt<'_> {
    /// Makes every object and uploads it, with an intent in the ledger before each upload.
    pub(super) async fn stage(&self) -> Event {
        let Some(work) = self.work.filter(|_| self.may_stage) else {
            self.held().fail(left_behind());
            return Event::StagingFailed(protocol::Failure::Interrupted);
        };
        match self.try_stage(work).await {
            Ok(event) => event,
            // Another run has the key: this one fails, and the ledger is well.
            Err(Trouble::Ledger(error)) if error.kind() == ledger::Kind::Conflict => {
                self.held().fail(error.into());
                Event::StagingFailed(protocol::Failure::Other)
            }
            Err(Trouble::Ledger(error)) => self.ledger_event(error),
            Err(Trouble::Guard(violation, counts)) => {
                let mut held = self.held();
                held.fail(stopped_by_guard(&violation, self.claim.run_id));
                held.counts = *counts;
                held.violation = Some(violation);
                Event::StagingFailed(protocol::Failure::Guard)
            }
            Err(Trouble::Run(mut failure)) => {
                // The project file was found right before: what shows now is of the data.
                if failure.kind == Kind::Usage {
                    failure.kind = Kind::Run;
                }
                let class = class_of(failure.kind);
                self.held().fail(failure);
                Event::StagingFailed(class)
            }
        }
    }

    async fn try_stage(&self, work: Work<'_>) -> Result<Event, Trouble> {
        work.engine.land(work.profiles).await?;
        let inputs = inputs(work);
        self.record(self.around.ledger.pin_snapshot(&self.claim, &inputs, ambient::now()).await)?;
        self.around.line.phase(Phase::Reading);
        let recorder = self.recorder(work)?;
        let with = if recorder.is_some() { With::People } else { With::Nothing };
        let Chosen { rows, compared_with } = self.choose(work, with).await?;
        let tally = rows.tally();
        let (rows, encoder) = encoded(work, rows)?;
        let store = std::sync::Arc::clone(&self.around.store);
        let mut upload =
            Upload::new(store, &work.plan.output, self.identity.clone(), encoder.head())
                .giving_back_to(&encoder)
                .sealed_by(self.seal(work)?);
        let mut opening = Opening::default();
        let Written { rejected, record } =
            self.write_rows(&mut upload, &mut opening, (rows, encoder), recorder).await?;
        self.go_on()?;
        if let Some(intent) = upload.needs_object_when_empty() {
            self.begin(&mut upload, &mut opening, intent).await?;
        }
        work.engine.verify(work.profiles).await?;
        let counts = counts(tally.counts(), rejected, compared_with);
        self.guard(work, &counts).await?;
        self.around.line.phase(Phase::Sealing);
        let conditions = self.conditions(work, &opening.keys).await?;
        let condition = |key: &str| conditions.get(key).cloned().unwrap_or(Condition::Absent);
        let mut objects = upload.seal(condition).await?;
        if objects.is_empty() {
            return Ok(Event::NothingToSend);
        }
        check_rows(&objects, counts.activated)?;
        let data_files = objects.len();
        let manifest = self.stage_manifest(work, &objects, &counts, &inputs, condition).await?;
        objects.extend(manifest);
        if let Some(record) = record {
            // Before the commit record: whatever is delivered can be asked about.
            record.await.map_err(lost_record)??.persist()?;
        }
        self.go_on()?;
        let event = Event::Staged { data_files, manifest: objects.len() > data_files };
        let mut held = self.held();
        held.set_objects(objects);
        held.counts = counts;
        Ok(event)
    }

    /// Ends the attempt if somebody asked for that: nothing is visible yet, and behind the commit record
    /// the run would be finished.
    fn go_on(&self) -> Result<(), Trouble> {
        match self.around.interrupt.is_requested() {
            true => Err(interrupted().into()),
            false => Ok(()),
        }
    }

    /// Begins the record of whose data the run sends, where one is kept.
    fn recorder(&self, work: Work<'_>) -> Result<Option<Recorder>, Trouble> {
        let Some(folder) = self.around.records else { return Ok(None) };
        let path = record_in(folder, work.plan.run_id, self.claim.epoch);
        let columns = work.plan.query.columns.iter().map(|column| column.header.as_str());
        Ok(Some(Recorder::create(&path, columns)?))
    }

    /// Reads, encodes and sends all rows, and takes down whose they are. Encoding happens on the threads
    /// that read, several batches at once; this loop takes the chunks in snapshot order.
    async fn write_rows(
        &self,
        upload: &mut Upload,
        opening: &mut Opening<'_>,
        (rows, encoder): (Rows, Encoder),
        mut recorder: Option<Recorder>,
    ) -> Result<Written, Trouble> {
        let tally = rows.tally();
        self.around.line.begin_rows(ambient::now());
        let mut chunks = rows.map_with_people(move |batch, people| {
            let chunk = encoder.encode(&batch)?;
            let people = people.without(&chunk.rejected);
            Ok::<_, Chunking>((chunk, people))
        });
        let (mut written, mut rejected) = (0_u64, 0_u64);
        loop {
            let chunk = tokio::select! {
                biased;
                () = self.around.interrupt.requested() => return Err(interrupted().into()),
                chunk = chunks.next() => chunk,
            };
            let Some(chunk) = chunk else {
                self.around.line.all_written();
                // What is left of it is done while the files are sealed.
                let record = recorder.map(|recorder| tokio::spawn(recorder.finish()));
                return Ok(Written { rejected, record });
            };
            let (chunk, people) = chunk.map_err(|error| error.at_row(written + rejected))?;
            rejected += chunk.rejected.len() as u64;
            written += chunk.rows() as u64;
            self.around.line.rows(chunk.rows() as u64, upload.bytes(), tally.expected());
            let whose = recorder.as_mut().map(|recorder| (recorder, &people));
            self.write_chunk(upload, opening, chunk, whose).await?;
        }
    }

    /// Writes a chunk into as many files as it reaches, and opens each of them first; `whose` its rows
    /// are is taken down with the file that they go into.
    pub(super) async fn write_chunk(
        &self,
        upload: &mut Upload,
        opening: &mut Opening<'_>,
        chunk: Chunk,
        mut whose: Option<(&mut Recorder, &People)>,
    ) -> Result<(), Trouble> {
        let all = chunk.rows();
        let (mut rest, mut first) = (Some(chunk), 0);
        while let Some(chunk) = rest {
            if let Some(intent) = upload.needs_object(&chunk) {
                self.begin(upload, opening, intent).await?;
            }
            let file = upload.number();
            rest = upload.write(chunk).await?;
            let end = all - rest.as_ref().map_or(0, Chunk::rows);
            if let Some((recorder, people)) = &mut whose {
                recorder.add(file, people, first..end).await?;
            }
            first = end;
        }
        Ok(())
    }

    /// Opens the upload of an object: the ledger knows of it before the store does.
    pub(super) async fn begin(
        &self,
        upload: &mut Upload,
        opening: &mut Opening<'_>,
        mut intent: Intent,
    ) -> Result<(), Trouble> {
        if let Some(token) = opening.token {
            token.clone_into(&mut intent.token);
        }
        let key = intent.key.clone();
        let _opening = self.opening.read().await;
        let recorded = self.intend(&intent).await?;
        let upload_id = self.created(recorded, upload.begin(intent).await).await?;
        self.opened(recorded, &key, &upload_id).await?;
        opening.keys.push(key);
        Ok(())
    }

    pub(super) async fn intend(&self, intent: &Intent) -> Result<ledger::Intent, Trouble> {
        let Intent { number, key, token, .. } = intent;
        let ledger = self.around.ledger;
        self.record(ledger.intend_upload(&self.claim, *number, key, token, ambient::now()).await)
    }

    pub(super) async fn opened(
        &self,
        intent: ledger::Intent,
        key: &str,
        upload_id: &str,
    ) -> Result<(), Trouble> {
        let ledger = self.around.ledger;
        let recorded = ledger.upload_opened(&self.claim, intent, upload_id, ambient::now()).await;
        if let Err(error) = &recorded
            && error.kind() == ledger::Kind::Fenced
            && let Err(error) = self.around.store.abort(key, upload_id).await
        {
            // Whoever has the run now looked for this upload before it was there.
            tracing::warn!(%error, key, "an upload was opened too late, and could not be aborted");
        }
        self.record(recorded)
    }

    /// When the store has refused to open an upload, there is none: the ledger need not look for it.
    pub(super) async fn created(
        &self,
        intent: ledger::Intent,
        created: Result<String, delivery::Error>,
    ) -> Result<String, Trouble> {
        if let Err(error) = &created
            && error.kind() != delivery::error::Kind::Temporary
        {
            self.record(self.around.ledger.forget_upload(intent).await)?;
        }
        Ok(created?)
    }

    async fn stage_manifest(
        &self,
        work: Work<'_>,
        files: &[StagedObject],
        counts: &ledger::Counts,
        inputs: &[SnapshotInput],
        condition: impl Fn(&str) -> Condition,
    ) -> Result<Option<StagedObject>, Trouble> {
        let Some(intent) = manifest::intent(&work.plan.output, &self.identity) else {
            return Ok(None);
        };
        let stale = self.stale_keys(work, files.len()).await?;
        let text = manifest_text(work, files, counts, inputs, &stale);
        let condition = condition(&intent.key);
        Ok(Some(self.stage_whole(intent, text, condition).await?))
    }

    /// Stages an object whose bytes are at hand.
    pub(super) async fn stage_whole(
        &self,
        intent: Intent,
        body: Bytes,
        condition: Condition,
    ) -> Result<StagedObject, Trouble> {
        let opening = self.opening.read().await;
        let recorded = self.intend(&intent).await?;
        let upload_id =
            self.created(recorded, upload::begin(&*self.around.store, &intent).await).await?;
        self.opened(recorded, &intent.key, &upload_id).await?;
        drop(opening);
        Ok(upload::stage(&self.around.store, intent, upload_id, body, condition).await?)
    }

    /// What must hold at each key, decided now and kept in the commit record.
    ///
    /// An object that is in the way is found here, before anything is committed; what changes after
    /// this is caught by the condition itself.
    async fn conditions(
        &self,
        work: Work<'_>,
        keys: &[String],
    ) -> Result<BTreeMap<String, Condition>, Trouble> {
        let mut conditions = BTreeMap::new();
        let manifest = work.plan.output.manifest_key.as_ref();
        for key in keys.iter().chain(manifest) {
            let left = if work.plan.output.is_static { self.left_by_us(key).await? } else { None };
            conditions.insert(key.clone(), self.condition(key, left).await?);
        }
        Ok(conditions)
    }

    async fn left_by_us(&self, key: &str) -> Result<Option<String>, Trouble> {
        let found = self.around.ledger.current_object(&self.around.store.identity(), key).await;
        Ok(self.record(found)?.map(|object| object.etag))
    }

    async fn condition(&self, key: &str, left: Option<String>) -> Result<Condition, Trouble> {
        let there = match self.around.store.head(key).await {
            Ok(there) => there,
            // Without the right to look, the condition alone has to hold.
            Err(error) if error.kind() == delivery::error::Kind::Denied => {
                return Ok(left.map_or(Condition::Absent, |etag| Condition::Unchanged { etag }));
            }
            Err(error) => return Err(error.into()),
        };
        let was_ours = left.is_some();
        let condition = match (&there, left) {
            (Some(_), Some(etag)) => Condition::Unchanged { etag },
            _ => Condition::Absent,
        };
        match Seen::instead(&condition, there.as_ref().map(|there| there.etag.as_str())) {
            Seen::AsBefore => Ok(condition),
            _ => Err(in_the_way(key, was_ours).into()),
        }
    }

    /// Keys that an earlier, larger set of the same static name has left behind.
    pub(super) async fn stale_keys(
        &self,
        work: Work<'_>,
        files: usize,
    ) -> Result<Vec<String>, Trouble> {
        let mut stale = Vec::new();
        if !work.plan.output.is_static {
            return Ok(stale);
        }
        let mut number = u32::try_from(files).unwrap_or(u32::MAX).saturating_add(1);
        while number <= upload::FILES_MAX {
            let key = work.plan.output.key(number);
            if self.left_by_us(&key).await?.is_none() {
                break;
            }
            stale.push(key);
            number += 1;
        }
        Ok(stale)
    }

    /// Stops the run when its size is outside the activation's bounds, unless somebody has released
    /// what is no further from them.
    async fn guard(&self, work: Work<'_>, counts: &ledger::Counts) -> Result<(), Trouble> {
        let plan = work.plan;
        let last =
            self.record(self.around.ledger.last_delivered(&plan.activation, &plan.segment).await)?;
        let Some(violation) = plan.guard.violation(size(counts), last.map(|last| last.rows)) else {
            return Ok(());
        };
        let hold = self.record(self.around.ledger.hold_of(self.claim.run_id).await)?;
        let released = hold.filter(|hold| hold.is_released());
        if released.is_some_and(|hold| violation.is_covered_by(hold.cause, hold.rows)) {
            return Ok(());
        }
        Err(Trouble::Guard(violation, Box::new(counts.clone())))
    }

    pub(super) fn record<T>(&self, recorded: ledger::Result<T>) -> Result<T, Trouble> {
        recorded.map_err(Trouble::Ledger)
    }
}

/// An error of reading or encoding one batch.
pub(super) enum Chunking {
    Reading(engine::Error),
    Encoding(delivery::encode::Error),
}

impl From<engine::Error> for Chunking {
    fn from(error: engine::Error) -> Self {
        Self::Reading(error)
    }
}

impl From<delivery::encode::Error> for Chunking {
    fn from(error: delivery::encode::Error) -> Self {
        Self::Encoding(error)
    }
}

impl Chunking {
    /// The failure, with rows counted from the start of the run: chunks come in order, so that
    /// `first` rows came before the batch.
    pub(super) fn at_row(self, first: u64) -> Failure {
        match self {
            Self::Reading(error) => error.into(),
            Self::Encoding(error) => error.with_row_offset(first).into(),
        }
    }
}

pub(super) fn manifest_text(
    work: Work<'_>,
    files: &[StagedObject],
    counts: &ledger::Counts,
    inputs: &[SnapshotInput],
    stale: &[String],
) -> Bytes {
    let input = |input: &SnapshotInput| manifest::Input {
        location: input.location.clone(),
        bytes: input.bytes,
        version: input.version.clone(),
    };
    let snapshot: Vec<manifest::Input> = inputs.iter().map(input).collect();
    let excluded = |excluded: &Excluded| (excluded.reason.clone(), excluded.profiles);
    let counts = manifest::Counts {
        received: counts.received,
        excluded: counts.excluded.iter().filter(|it| is_of_profiles(it)).map(excluded).collect(),
        activated: counts.activated,
        movement: counts.movement.map(manifest_movement),
    };
    let facts = Facts { files, snapshot: &snapshot, counts: &counts, stale };
    Bytes::from(manifest::write(work.plan, &facts))
}

/// Events that belong to nobody are no matter of whoever loads the files.
fn is_of_profiles(excluded: &Excluded) -> bool {
    !excluded.reason.starts_with("event_")
}

fn manifest_movement(movement: ledger::Movement) -> manifest::Movement {
    let ledger::Movement { members, added, changed, removed, compared_with } = movement;
    let compared_with = compared_with.map(|run| run.to_string());
    manifest::Movement { members, added, changed, removed, compared_with }
}

/// The snapshot in the ledger's words.
pub(crate) fn inputs(work: Work<'_>) -> Vec<SnapshotInput> {
    let input = |input: &engine::Input| SnapshotInput {
        location: input.location.clone(),
        bytes: input.size,
        version: input.version.to_string(),
        rows: input.rows,
    };
    work.profiles.inputs().map(input).collect()
}

/// The engine's counts, less the rows that the formula guard left out.
fn counts(counted: engine::Counts, rejected: u64, compared_with: Option<Uuid>) -> ledger::Counts {
    let mut excluded: Vec<Excluded> = counted
        .left_out
        .into_iter()
        .chain(counted.excluded)
        .filter(|(_, profiles)| *profiles > 0)
        .map(|(reason, profiles)| Excluded { reason, profiles })
        .collect();
    if rejected > 0 {
        excluded.push(Excluded { reason: FORMULA_REASON.to_owned(), profiles: rejected });
    }
    let movement = counted.movement.map(|movement| ledger::Movement {
        members: movement.members,
        added: movement.added,
        changed: movement.changed,
        removed: movement.removed,
        compared_with,
    });
    let activated = counted.activated - rejected;
    ledger::Counts { received: counted.received, activated, excluded, movement }
}

/// What guards compare.
fn size(counts: &ledger::Counts) -> Size {
    let of_members = counts.excluded.iter().filter(|one| is_of_members(&one.reason));
    Size {
        // The rows that a full export would send.
        rows: counts.movement.map_or(counts.activated, |movement| movement.members),
        received: counts.received,
        excluded: of_members.map(|one| one.profiles).sum(),
    }
}

fn stopped_by_guard(violation: &Violation, run_id: Uuid) -> Failure {
    Failure::new(Kind::Blocked, format!("the guard stopped the run: {violation}")).hint(format!(
        "Look at the segment with `segue count`. If the size is right, `segue release {run_id}`; if not, `segue reject {run_id} --reason …`."
    ))
}

/// Rows that were read and not excluded are rows in files: counted at both ends of the road.
fn check_rows(files: &[StagedObject], activated: u64) -> Result<(), Failure> {
    let staged: u64 = files.iter().map(|file| file.rows).sum();
    if staged == activated {
        return Ok(());
    }
    Err(Failure::new(Kind::Internal, format!("{staged} rows are staged, but {activated} were to be sent"))
        .hint("Nothing is visible. This is a fault of Segue: report it with the version and the project file."))
}

/// Why an object that is there may not be replaced.
pub(crate) fn why_in_the_way(was_ours: bool) -> &'static str {
    match was_ours {
        true => "the object there was changed by another writer since the last run",
        false => "an object is there that this ledger does not know",
    }
}

fn in_the_way(key: &str, was_ours: bool) -> Failure {
    let problem = why_in_the_way(was_ours);
    Failure::new(Kind::Blocked, format!("{key} cannot be written: {problem}"))
        .hint("Move or delete that object if nobody needs it, or give `file_name` (or `folder`) another text.")
}

/// What writes the rows, and the rows in the form that it takes with the least work.
pub(super) fn encoded(work: Work<'_>, rows: Rows) -> Result<(Rows, Encoder), Trouble> {
    let encoder = Encoder::new(&work.plan.output.file, &rows.schema())?;
    Ok((if encoder.takes_dictionaries() { rows.coded() } else { rows }, encoder))
}

fn lost_record(error: JoinError) -> Failure {
    Failure::from_error(Kind::Internal, &error)
        .context("the record of whose data the run sends could not be made")
}

fn interrupted() -> Failure {
    Failure::new(Kind::Interrupted, "the run was interrupted; nothing of it is visible")
}

fn left_behind() -> Failure {
    Failure::new(
        Kind::Interrupted,
        "the process that had the run ended before it was committed; nothing of it is visible",
    )
    .hint("Run it again for the same slot with `--slot`.")
}

/// Why nothing was staged, in the one word that runs, slots and alerts have for it.
pub(crate) fn class_of(kind: Kind) -> protocol::Failure {
    match kind {
        Kind::Blocked => protocol::Failure::InTheWay,
        Kind::Connection => protocol::Failure::Connection,
        Kind::Temporary | Kind::Elsewhere => protocol::Failure::Temporary,
        Kind::Interrupted => protocol::Failure::Interrupted,
        Kind::Run | Kind::Usage | Kind::Nothing | Kind::Internal => protocol::Failure::Other,
    }
}
