//! Evaluation: who is in each of many segments, found out in one scan of the profiles.
//!
//! Fields that several rules read are read once, and a segment that several rules name is asked once.
//! What was found is kept beside the survey of the profiles (`members`), and moves the histories of
//! the segments that have one (`membership`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use futures::TryStreamExt;
use jiff::Timestamp;
use plan::Query;

use crate::engine::Settings;
use crate::error::Error;
use crate::expression::{self, event_query, in_segment};
use crate::increment::{Teller, texts};
use crate::members::Members;
use crate::membership::{self, Advanced, Standing, TRACKED_MAX, Tracked};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::row_set::{Address, RowSet, Words};
use crate::rows::first_failing;
use crate::selection::{Condition, Parts, Restriction, Selection, Spot, Who};
use crate::spill::{Buckets, Limits, Sorted};
use crate::state_file::Pending;
use crate::store::blocking;
use crate::survey::Survey;
use crate::terms::{Around, Terms};

/// The most segments of one scan.
const SEGMENTS_MAX: usize = TRACKED_MAX;
/// The part of the memory that sets of members may take; those that do not fit are asked for again.
const KEPT_SHARE: usize = 8;

/// What evaluations may do besides counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Histories move for evaluations at or before this instant; without one, none moves. What is
    /// evaluated for later is a look ahead, and leaves no trace.
    pub move_until: Option<Timestamp>,
    /// Whether it is kept who the members are, for rows of the same query that are read later.
    pub keep: bool,
}

/// What an evaluation found of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// Records that are no profile; see [`Counts`](crate::Counts).
    pub left_out: Vec<(String, u64)>,
    /// Profiles read.
    pub scanned: u64,
    /// Members.
    pub members: u64,
    /// What the history of the segment says behind the evaluation; nothing for a segment without one.
    pub standing: Option<Standing>,
}

/// What one scan found, and what is to be done once its inputs are known to be the pinned ones.
pub(crate) struct Scanned {
    pub(crate) found: Vec<Evaluated>,
    pub(crate) next: Vec<Pending>,
    /// The members of each query, if they are wanted.
    pub(crate) members: Vec<Members>,
}

/// Splits queries into groups that are evaluated in one scan each: at most so many, and each history
/// once, the earliest instant first; events are asked about one instant in each.
pub(crate) fn scans(queries: &[&Query]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..queries.len()).collect();
    order.sort_by_key(|&query| queries[query].evaluated_at);
    let mut scans: Vec<Vec<usize>> = Vec::new();
    for query in order {
        let history = queries[query].history.map(|history| history.segment);
        let asks = asks_events(queries[query]);
        let clashes = |scan: &Vec<usize>| {
            let same = |&other: &usize| {
                let other = queries[other];
                let same_history = other.history.map(|it| it.segment) == history;
                // Events are asked about one instant.
                let other_instant = other.evaluated_at != queries[query].evaluated_at;
                history.is_some() && same_history || asks && other_instant && asks_events(other)
            };
            scan.iter().any(same)
        };
        let behind = scans.iter().rposition(clashes).map_or(0, |scan| scan + 1);
        match scans.iter_mut().skip(behind).find(|scan| scan.len() < SEGMENTS_MAX) {
            Some(scan) => scan.push(query),
            None => scans.push(vec![query]),
        }
    }
    scans
}

/// Whether a rule of a query, or one that it rests on, asks for events.
pub(crate) fn asks_events(query: &Query) -> bool {
    let segments = query.segments.iter().map(|segment| &segment.rule.text);
    [&query.rule.text].into_iter().chain(segments).any(|text| event_query::asks(text))
}

/// Evaluates queries in one scan; those that ask for events are of one instant.
///
/// # Errors
/// A rule does not fit the profiles or cannot be computed for one; whatever reading does.
pub(crate) async fn scan(
    queries: &[&Query],
    survey: &Arc<Survey>,
    settings: &Settings,
    effects: Effects,
) -> Result<Scanned, Error> {
    let plan = Arc::new(Plan::new(queries, survey, effects)?);
    let limits = settings.limits();
    let buckets = Arc::new(Mutex::new(Buckets::new(limits.clone())));
    let (work, shared) = (Arc::clone(&plan), Arc::clone(&buckets));
    let count = survey.morsels.len();
    let mut jobs: Ordered<Found, Error> =
        Ordered::new(count, settings.threads, move |morsel, outlet: &Outlet<Found, Error>| {
            let found = work.morsel(morsel, &shared);
            let location = work.survey.location(morsel);
            let found = found.map_err(|error| Stop::Failed(error.in_file_if_untold(location)))?;
            Ok(outlet.send(found)?)
        });
    let mut found = vec![
        Evaluated { left_out: Vec::new(), scanned: 0, members: 0, standing: None };
        queries.len()
    ];
    let mut sets: Vec<RowSet> = queries.iter().map(|_| RowSet::default()).collect();
    while let Some(Found { morsel, scanned, members }) = jobs.try_next().await? {
        for (number, words) in members.into_iter().enumerate() {
            found[number].scanned += scanned;
            found[number].members += words.count();
            if effects.keep {
                sets[number].put(morsel, words);
            }
        }
    }
    drop(jobs);
    let buckets =
        Arc::into_inner(buckets).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    let buckets = buckets.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    let advanced = plan.advance(buckets, settings, limits).await?;
    let (mut times, mut next): (Vec<Option<Sorted>>, _) =
        (queries.iter().map(|_| None).collect(), Vec::new());
    for (query, advanced) in plan.tracked_queries().zip(advanced) {
        let Advanced { since, next: pending, standing } = advanced;
        found[query].standing = Some(standing);
        times[query] = since;
        next.extend(pending);
    }
    let members = sets.into_iter().zip(times).map(|(set, since)| Members { set, since });
    Ok(Scanned { found, next, members: if effects.keep { members.collect() } else { Vec::new() } })
}

/// Keeps who the members of queries are, as far as memory allows; those with a history always.
pub(crate) fn keep(queries: &[&Query], members: Vec<Members>, survey: &Survey, memory: usize) {
    for (query, members) in queries.iter().zip(members) {
        let bytes = survey.known.bytes() + members.set.bytes();
        if members.since.is_some() || bytes <= memory / KEPT_SHARE {
            survey.known.keep_members(query, members);
        }
    }
}

/// Rules of many queries, ready to be asked of batches of records.
struct Plan {
    survey: Arc<Survey>,
    /// Queries of one instant each.
    groups: Vec<Group>,
    /// The number of queries.
    queries: usize,
    needed: BTreeSet<Steps>,
    tracked: Vec<(usize, Tracked)>,
    keys: Option<Keys>,
}

struct Group {
    terms: Terms,
    conditions: Vec<(usize, Condition)>,
}

/// What was found in a morsel, by query.
struct Found {
    morsel: usize,
    scanned: u64,
    members: Vec<Words>,
}

impl Plan {
    fn new(queries: &[&Query], survey: &Arc<Survey>, effects: Effects) -> Result<Self, Error> {
        expression::with_stack(|| Self::compile(queries, survey, effects))
    }

    fn compile(queries: &[&Query], survey: &Arc<Survey>, effects: Effects) -> Result<Self, Error> {
        let instants: BTreeSet<Timestamp> =
            queries.iter().map(|query| query.evaluated_at).collect();
        let mut groups = Vec::new();
        for evaluated_at in instants {
            let asked = queries.iter().enumerate();
            let asked = asked.filter(|(_, query)| query.evaluated_at == evaluated_at);
            let mut group = Group { terms: Terms::default(), conditions: Vec::new() };
            for (number, query) in asked {
                let rule = &query.rule.text;
                let condition = Condition::new(rule, "rule", &survey.schema, evaluated_at)?;
                let around = Around { segments: &query.segments, survey, evaluated_at };
                group.terms.include(condition.paths(), around)?;
                group.conditions.push((number, condition));
            }
            groups.push(group);
        }
        let tracked = tracked(queries, survey, effects);
        let keys = match tracked.first() {
            None => None,
            Some((query, _)) => Some(Keys::new(queries[*query], survey)?),
        };
        let rules = groups.iter().flat_map(|group| {
            let conditions = group.conditions.iter().flat_map(|(_, rule)| rule.paths());
            conditions.chain(group.terms.paths())
        });
        let is_read = |path: &&Steps| in_segment::written(path).is_none();
        let mut needed: BTreeSet<Steps> = rules.filter(is_read).cloned().collect();
        needed.extend(keys.iter().flat_map(|keys| keys.selection.needed.iter().cloned()));
        let (survey, queries) = (Arc::clone(survey), queries.len());
        Ok(Self { survey, groups, queries, needed, tracked, keys })
    }

    fn tracked_queries(&self) -> impl Iterator<Item = usize> + '_ {
        self.tracked.iter().map(|(query, _)| *query)
    }

    fn morsel(&self, morsel: usize, buckets: &Mutex<Buckets>) -> Result<Found, Error> {
        let mut members: Vec<Words> = (0..self.queries).map(|_| Words::default()).collect();
        let mut first_row = 0;
        for records in self.survey.read(morsel, &self.needed)? {
            let records = records?;
            let spot = Spot { morsel, first_row, since: None };
            let bits = self.batch(&records, spot);
            let bits = bits.map_err(|error| self.at_record(error, spot, &records))?;
            if let Some(keys) = &self.keys {
                keys.add(&records, spot, &self.tracked, &bits, buckets)?;
            }
            for (words, bits) in members.iter_mut().zip(&bits) {
                words.append(bits);
            }
            first_row += records.num_rows() as u64;
        }
        Ok(Found { morsel, scanned: first_row, members })
    }

    /// Names the first record for which a rule fails, where records can be counted in a file.
    fn at_record(&self, error: Error, spot: Spot<'_>, records: &RecordBatch) -> Error {
        let start = self.survey.first_row(spot.morsel);
        let (Some(start), "expression_error") = (start, error.code()) else { return error };
        let fails = |from: usize, rows: usize| {
            let spot = Spot { first_row: spot.first_row + from as u64, ..spot };
            self.batch(&records.slice(from, rows), spot).is_err()
        };
        match first_failing(records.num_rows(), fails) {
            Some(record) => error.at_row(start + spot.first_row + record as u64 + 1),
            None => error,
        }
    }

    /// Who is a member, by query.
    fn batch(&self, records: &RecordBatch, spot: Spot<'_>) -> Result<Vec<BooleanBuffer>, Error> {
        let mut found = vec![None; self.queries];
        for Group { terms, conditions } in &self.groups {
            let extended = terms.extend(records, spot)?;
            for (query, condition) in conditions {
                found[*query] = Some(condition.holds(&extended)?);
            }
        }
        let nobody = || BooleanBuffer::new_unset(records.num_rows());
        Ok(found.into_iter().map(|bits| bits.unwrap_or_else(nobody)).collect())
    }

    /// Compares the members with the histories of their segments.
    async fn advance(
        &self,
        members: Sorted,
        settings: &Settings,
        limits: Limits,
    ) -> Result<Vec<Advanced>, Error> {
        let tracked: Vec<Tracked> = self.tracked.iter().map(|(_, tracked)| *tracked).collect();
        if tracked.is_empty() {
            return Ok(Vec::new());
        }
        let (folder, primary) =
            (settings.membership_folder.clone(), self.survey.key.primary.clone());
        if tracked.iter().any(|tracked| tracked.may_move) {
            membership::sweep(&folder);
        }
        let threads = settings.threads;
        let compare =
            move || membership::advance(members, &tracked, &primary, &folder, &limits, threads);
        blocking(compare).await
    }
}

/// The queries whose segments have a history. Profiles that nothing tells apart have none.
fn tracked(queries: &[&Query], survey: &Survey, effects: Effects) -> Vec<(usize, Tracked)> {
    if survey.key.columns.is_empty() {
        return Vec::new();
    }
    let tracked = queries.iter().enumerate().filter_map(|(number, query)| {
        let history = query.history?;
        let tracked = Tracked {
            segment: history.segment,
            evaluated_at: query.evaluated_at,
            exits_kept_days: history.exits_kept_days,
            may_move: effects.move_until.is_some_and(|until| query.evaluated_at <= until),
            wants_times: effects.keep,
        };
        Some((number, tracked))
    });
    tracked.take(TRACKED_MAX).collect()
}

/// What tells one profile from another.
struct Keys {
    selection: Selection,
    teller: Teller,
    namespace: Option<String>,
}

impl Keys {
    fn new(query: &Query, survey: &Survey) -> Result<Self, Error> {
        let hidden = &survey.key.columns;
        let parts = Parts { who: Who::Everyone, columns: &[], hidden, query };
        let selection = Selection::compile(parts, survey)?;
        let teller = Teller::new(&[], &selection.schema, &survey.key)?;
        Ok(Self { selection, teller, namespace: survey.key.namespace.clone() })
    }

    /// Adds the members of tracked queries among the records.
    fn add(
        &self,
        records: &RecordBatch,
        spot: Spot<'_>,
        tracked: &[(usize, Tracked)],
        members: &[BooleanBuffer],
        buckets: &Mutex<Buckets>,
    ) -> Result<(), Error> {
        let sets = tracked.iter().map(|(query, _)| &members[*query]);
        let any = sets.clone().cloned().reduce(|left, right| &left | &right);
        let Some(any) = any.filter(|any| any.count_set_bits() > 0) else { return Ok(()) };
        let positions: Vec<usize> = any.set_indices().collect();
        let selected = self.selection.select(records, &Restriction::Only(any), spot)?;
        let entities = self.teller.tell(&selected.batch)?;
        let columns = selected.batch.columns().iter().map(texts);
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for (row, &position) in positions.iter().enumerate() {
            let Some(entity) = entities[row] else { continue };
            let bit = |(bit, set): (usize, &BooleanBuffer)| u64::from(set.value(position)) << bit;
            let mask = sets.clone().enumerate().map(bit).fold(0, |mask, bit| mask | bit);
            let key = match (&self.namespace, columns.as_slice()) {
                (Some(namespace), [value, ..]) => [namespace.as_str(), value.value(row)],
                (None, [namespace, value, ..]) => [namespace.value(row), value.value(row)],
                _ => [""; 2],
            };
            let address = Address::new(spot.morsel, spot.first_row + position as u64);
            membership::push(&mut buckets, entity, mask, address, key)?;
        }
        Ok(())
    }
}
