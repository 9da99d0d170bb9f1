//! What changed since the last delivered run: who joined, who left, whose attributes differ.
//!
//! A full export sends a set of rows; an incremental one sends the difference between the set that a
//! full export would send now and the set that the receiver has. Whoever applies all increments to
//! the first file therefore has today's set, exactly, whatever happened in between: leaving the
//! segment, losing a mandatory attribute, losing to another row of the same key.
//!
//! ```text
//! records ──rule──▶ entries (entity, address) ──┐
//!                                               ├─ bucket by bucket ─▶ added, changed, removed
//! baseline of the last delivered run ───────────┘                └──▶ baseline of this run
//! ```
//!
//! An entity is what the receiver tells rows apart by: the deduplication key where there is one,
//! otherwise the profile's primary identity ([`entity`]). Entries are compared by a 128-bit hash,
//! bucket by bucket, both sides sorted ([`compare`]); no side is ever in memory as a whole. The
//! baseline is a Parquet file ([`baseline`]). Where the removed are, or what is still known of them,
//! is found out last ([`removed`]).
//!
//! Where most of the snapshot is what it was at the last baseline, people are told by their places,
//! and only those who moved are looked at ([`in_place`]).

mod baseline;
mod compare;
mod entity;
mod in_place;
mod on_the_way;
mod places;
mod remembered;
mod removed;
mod standing;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::BooleanBuffer;
use plan::Query;
use plan::project::Column;
use plan::run_plan::Increment;

use self::baseline::{Baseline, Facts, Paths, Sink, Writer};
use self::compare::{Against, Compared, Today};
use self::entity::{Census, Kept, Maker};
pub(crate) use self::entity::{Teller, texts};
use self::in_place::Form;
pub(crate) use self::on_the_way::OnTheWay;
use self::places::{Pieces, Places};
pub(crate) use self::remembered::remembered;
pub(crate) use self::removed::Gone;
pub(crate) use self::standing::{Standing, standing};
pub use self::trial::RowHashes;
use crate::deduplicate;
use crate::engine::With;
use crate::error::Error;
use crate::members::times_of;
use crate::row_set::{Address, RowSet};
use crate::rows::{Chosen, Counts, Movement, Pass};
use crate::selection::{Marks, Parts, Selection, Who};
use crate::spill::{Limits, Sorted};
use crate::store::blocking;
use crate::survey::{Survey, Told};

/// Where the sets of rows are kept that runs have sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Baselines<'a> {
    /// That of the last delivered run. Without one everybody is new.
    pub last: Option<&'a Path>,
    /// Where this run leaves its own; nothing is left without one.
    pub next: Option<&'a Path>,
}

impl Baselines<'_> {
    /// The files that a baseline may have: that of its set, and those beside it.
    pub fn files(set: &Path) -> [PathBuf; 3] {
        let Paths { set, moves, places } = Paths::of(set);
        [set, moves, places]
    }
}

/// What an increment sends, found out and not yet read.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Reads the rows that are sent, whether the rule takes them or not.
    pub(crate) pass: Pass,
    /// Where they stand, and why they are sent.
    pub(crate) sent: Sent,
    /// Of whom only the baseline knows.
    pub(crate) gone: Option<Gone>,
    /// The next baseline, where it is made while the rows are read.
    pub(crate) on_the_way: Option<OnTheWay>,
    /// Everything but the rows that are still to be read.
    pub(crate) counts: Counts,
}

/// The records that are sent, by address.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    all: RowSet,
    changed: RowSet,
    removed: RowSet,
    /// When the changed ones became members, where it is asked for: entries (address, microseconds)
    /// in the bucket of their morsel.
    since: Option<Sorted>,
}

impl Sent {
    /// Whether any record of a morsel is sent.
    pub(crate) fn has_any(&self, morsel: usize) -> bool {
        self.all.has_any(morsel)
    }

    /// Loads what is known of the rows of a morsel.
    pub(crate) fn known(&self, morsel: usize) -> Result<Known<'_>, Error> {
        let since = self.since.as_ref().map(|since| times_of(since, morsel)).transpose()?;
        Ok(Known { number: morsel, since: since.unwrap_or_default(), sent: self })
    }
}

/// What is known of the rows of one morsel.
pub(crate) struct Known<'a> {
    number: usize,
    /// Sorted by row.
    since: Vec<(u64, i64)>,
    sent: &'a Sent,
}

impl Chosen for Known<'_> {
    fn rows(&self, morsel: usize, first_row: u64, rows: usize) -> BooleanBuffer {
        let slice = self.sent.all.slice(morsel, first_row, rows);
        slice.unwrap_or_else(|| BooleanBuffer::new_unset(rows))
    }

    fn marks(&self, rows: &mut dyn ExactSizeIterator<Item = u64>) -> Marks {
        let (mut changed, mut removed) = (Vec::new(), Vec::new());
        let mut since = Vec::new();
        let has_times = !self.since.is_empty();
        for (position, row) in rows.enumerate() {
            let address = Address::new(self.number, row);
            changed.push(self.sent.changed.contains(address));
            removed.push(self.sent.removed.contains(address));
            let time = if has_times { self.time(row) } else { None };
            since.extend(time.map(|time| (position, time)));
        }
        Marks { changed: changed.into(), removed: removed.into(), since }
    }
}

impl Known<'_> {
    fn time(&self, row: u64) -> Option<i64> {
        let found = self.since.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.since[found].1)
    }
}

/// Whose difference is asked for, and what it may take.
#[derive(Clone, Copy)]
struct Asked<'a> {
    query: &'a Query,
    increment: &'a Increment,
    survey: &'a Arc<Survey>,
    limits: &'a Limits,
    threads: usize,
}

/// What a comparison came to.
struct Outcome {
    census: Census,
    sent: Sent,
    gone: Option<Gone>,
    moved: Moved,
}

/// How many rows did what.
struct Moved {
    members: u64,
    added: u64,
    changed: u64,
    removed: u64,
    unchanged: u64,
    /// Rows with the entity of another row.
    repeated: u64,
}

/// Finds out what changed, and leaves the new baseline.
///
/// # Errors
/// Those of reading the snapshot; a baseline that cannot be read or written.
pub(crate) async fn difference(
    query: &Query,
    increment: &Increment,
    baselines: Baselines<'_>,
    survey: &Arc<Survey>,
    limits: &Limits,
    (with, threads): (With, usize),
) -> Result<Difference, Error> {
    let asked = Asked { query, increment, survey, limits, threads };
    let losers = deduplicate::losers(query, survey, limits.clone(), threads).await?;
    let with_key = losers.is_some();
    let kept = Kept::new(query, increment, survey)?;
    let facts = Facts::new(query, increment, &survey.key, &kept);
    let last = match baselines.last {
        Some(path) => Baseline::open(path, &facts)?,
        None => None,
    };
    let has_baseline = last.is_some();
    let next = baselines.next.map(Paths::of);
    let form = in_place::form(query, increment, &kept, survey);
    let in_place = match (&last, &form) {
        (Some(last), Some(form)) => in_place::find(query, last, form, survey, threads).await?,
        _ => None,
    };
    let pass = reading(query, &kept.columns, with, survey)?;
    let mut on_the_way = None;
    let Outcome { census, sent, gone, moved } = match (in_place, last, &form, next) {
        (Some(found), Some(last), Some(form), Some(next))
            if with == With::People && found.sends_all_who_moved(increment) =>
        {
            let (last, pass) = ((last, &facts, form), &pass);
            let (outcome, baseline) = found.on_the_way(&asked, kept, pass, last, next)?;
            on_the_way = Some(baseline);
            outcome
        }
        (Some(found), Some(last), Some(form), next) => {
            found.compare(&asked, kept, (last, &facts, form), next.as_ref()).await?
        }
        (_, last, _, next) => {
            whole(&asked, kept, losers, (last, &facts, form.as_ref()), next.as_ref()).await?
        }
    };
    let Moved { members, added, changed, removed, unchanged, repeated } = moved;
    let excluded = reasons(query, survey)?.into_iter().zip(census.left_out);
    let excluded = excluded
        .chain(Some(("no_identity".to_owned(), census.without_identity)))
        .chain(with_key.then(|| ("duplicate".to_owned(), census.duplicates)))
        .chain((repeated > 0).then(|| ("repeated_identity".to_owned(), repeated)))
        .chain(Some(("unchanged".to_owned(), unchanged)));
    let counts = Counts {
        left_out: Vec::new(),
        scanned: census.scanned,
        received: census.received + removed,
        excluded: excluded.collect(),
        activated: added + changed + removed,
        movement: Some(Movement { members, added, changed, removed, baseline: has_baseline }),
    };
    Ok(Difference { pass, sent, gone, on_the_way, counts })
}

/// Compares everybody with the whole baseline, and writes the new one as a whole.
async fn whole(
    asked: &Asked<'_>,
    kept: Kept,
    losers: Option<RowSet>,
    (last, facts, form): (Option<Baseline>, &Facts, Option<&Form>),
    next: Option<&Paths>,
) -> Result<Outcome, Error> {
    let Asked { query, increment, survey, limits, threads } = *asked;
    let made = Maker::new(query, increment, Who::Members, kept, survey)?;
    let told = form.map_or(Told::ByFile, |form| form.told);
    let everybody = entity::everybody(made, losers, limits.clone(), threads).await?;
    let today = Today {
        entries: everybody.entries,
        converter: everybody.converter,
        now: query.evaluated_at.as_microsecond(),
        since: query.columns.iter().any(Column::is_qualification_time),
        pieces: Pieces::of(survey, told),
    };
    next.map_or(Ok(()), Paths::clear)?;
    let mut writer = next.map(|paths| Writer::create(&paths.set, facts)).transpose()?;
    let compare = {
        let (last, limits, increment) = (last.clone(), limits.clone(), increment.clone());
        move || {
            let before = last.as_ref().map(Baseline::rows).transpose()?;
            let leavers = increment.leavers && before.is_some();
            let against = Against { before, leavers, changes: increment.changes };
            let sink = writer.as_mut().map(|writer| writer as &mut dyn Sink);
            let compared = compare::compare(today, against, sink, &limits, threads)?;
            writer.map_or(Ok(()), Writer::finish)?;
            Ok::<_, Error>(compared)
        }
    };
    let compared = blocking(compare).await?;
    let Compared { mut sent, added, changed, unchanged, repeated, left, members } = compared;
    // Of two rows for one entity one is in the set, and places do not tell which.
    if let (Some(next), Some(form), 0) = (next, form, repeated) {
        let pieces = Pieces::of(survey, form.told);
        Places::write(&next.places, &pieces, &everybody.set, &form.text)?;
    }
    let (removed, gone) = match (left, last) {
        (Some(left), Some(last)) => {
            let anywhere = (survey, |_| true);
            let found = removed::find(query, left, &last, anywhere, limits, threads).await?;
            sent.removed = found.here;
            sent.all.add_all(&sent.removed);
            (found.count, found.gone)
        }
        _ => (0, None),
    };
    let moved = Moved { members, added, changed, removed, unchanged, repeated };
    Ok(Outcome { census: everybody.census, sent, gone, moved })
}

/// The columns that say who somebody is who left, by position in the mapping.
pub(crate) fn kept_columns(
    query: &Query,
    increment: &Increment,
    survey: &Survey,
) -> Result<Vec<usize>, Error> {
    Ok(Kept::new(query, increment, survey)?.columns)
}

/// The reasons for which members are left out.
fn reasons(query: &Query, survey: &Arc<Survey>) -> Result<Vec<String>, Error> {
    let columns = query.columns.iter().filter(|column| column.mandatory);
    let columns: Vec<Column> = columns.cloned().collect();
    let parts = Parts { who: Who::Members, columns: &columns, hidden: &[], query };
    Ok(Selection::new(parts, survey)?.reasons().collect())
}

/// The pass that reads the rows that are sent: all columns, none of them a condition. Of those who
/// withdrew their consent it has the `kept` columns alone.
fn reading(query: &Query, kept: &[usize], with: With, survey: &Arc<Survey>) -> Result<Pass, Error> {
    let columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
    let hidden = with.hidden(query, survey);
    let parts = Parts { who: Who::Left { kept }, columns: &columns, hidden: &hidden, query };
    let selection = Arc::new(Selection::new(parts, survey)?);
    Ok(Pass { survey: Arc::clone(survey), selection })
}

/// A counter that several threads add to.
#[derive(Debug, Default)]
struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
