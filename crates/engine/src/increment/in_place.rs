//! The comparison where most of the snapshot is what it was: only who moved is looked at.
//!
//! Who is in the set is found by rule, consent and mandatory attributes alone. In pieces of the
//! snapshot that were there at the last baseline, people stand where they stood, so bits tell who came
//! and who left. Identities are read of those, and of the rest of the snapshot; and only what the
//! baseline knows of other pieces is compared with them.
//!
//! Where attributes have no say, a piece is told by the identities in it, so that files may be written
//! anew: those were read before, when it was found out that each record is a profile.
//!
//! Where there is no such rest, and all who moved are sent, identities are taken from the rows that are
//! sent ([`super::on_the_way`]).
//!
//! That rests on one record for each entity, which holds where it is the primary identity that tells
//! rows apart: a person of a piece that stayed is in no other.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::BooleanBuffer;
use arrow::row::RowConverter;
use plan::Query;
use plan::project::{Column, ColumnSource};
use plan::run_plan::Increment;

use super::baseline::{Baseline, Facts, Moves, Paths, Sink};
use super::compare::{self, Against, Compared, Today};
use super::entity::{Census, Kept, Maker};
use super::on_the_way::{Entries, OnTheWay};
use super::places::{Pieces, Places};
use super::removed::{self, read_entities};
use super::{Asked, Moved, Outcome, Sent};
use crate::error::Error;
use crate::path::Steps;
use crate::row_set::{RowSet, Words};
use crate::rows::{Chosen, Pass, Piece, visit, visit_chosen};
use crate::selection::{Marks, Parts, Restriction, Selection, Who};
use crate::spill::BUCKETS;
use crate::store::blocking;
use crate::survey::{Survey, Told};

/// The most moves beside a set; they are in memory while a baseline is written. With more of them, or
/// more than a part of the set, everybody is compared, and the set is written anew.
const MOVES_MAX: u64 = 1 << 21;
/// The part of the set, as a divisor.
const MOVES_PART: u64 = 4;

/// How rows are told apart and compared.
#[derive(Debug)]
pub(super) struct Form {
    /// The same as text: places of rows of another form say nothing.
    pub(super) text: String,
    /// What pieces are told by.
    pub(super) told: Told,
}

/// The form of rows; nothing where places would not be enough.
pub(super) fn form(
    query: &Query,
    increment: &Increment,
    kept: &Kept,
    survey: &Survey,
) -> Option<Form> {
    let is_told_apart =
        |column: &Column| column.deduplicate || matches!(column.source, ColumnSource::Identity(_));
    if survey.key.columns.is_empty() || query.columns.iter().any(is_told_apart) {
        return None;
    }
    // A baseline keeps nothing of people but what tells them apart, so that nothing else has to be
    // what it was.
    let is_key = |&column: &usize| match &query.columns[column].source {
        ColumnSource::Field(path) => survey.key.columns == [Steps::from(path)],
        _ => false,
    };
    let by_identities =
        survey.has_stretches() && !increment.changes && kept.columns.iter().all(is_key);
    let told = if by_identities { Told::ByIdentities } else { Told::ByFile };
    let mut form = String::from(match told {
        Told::ByFile => "1",
        Told::ByIdentities => "2",
    });
    for path in &survey.key.columns {
        form += &format!("\0{path:?} {:?}", path.data_type(&survey.schema));
    }
    if increment.changes {
        for column in &query.columns {
            match &column.source {
                ColumnSource::Field(path) => {
                    let kind = Steps::from(path).data_type(&survey.schema);
                    form += &format!("\0{} {path} {kind:?}", column.header);
                }
                // It may give another value for the same record.
                ColumnSource::Expression { .. } => return None,
                _ => form += &format!("\0{}", column.header),
            }
        }
    }
    Some(Form { text: form, told })
}

/// Today's set beside the places of the last one.
pub(super) struct InPlace {
    census: Census,
    /// Everybody in the set.
    set: RowSet,
    /// The morsels all of whose pieces are of then.
    stayed: Vec<bool>,
    /// What stands for pieces of then.
    stood: HashSet<u64>,
    /// All pieces of today.
    pieces: Pieces,
    /// In pieces that stayed: who came, and who left.
    came: RowSet,
    left: RowSet,
    /// Everybody in the other pieces.
    fresh: RowSet,
    /// In pieces that stayed: who was in the set and is.
    unchanged: u64,
    /// Rows of the baseline in pieces that are not there any more.
    lost: u64,
}

/// Finds today's set and puts it beside the places of the last one; nothing if those are not known, or
/// if so much moved that everybody may as well be compared.
pub(super) async fn find(
    query: &Query,
    last: &Baseline,
    form: &Form,
    survey: &Arc<Survey>,
    threads: usize,
) -> Result<Option<InPlace>, Error> {
    if !last.fits {
        return Ok(None);
    }
    let Some(places) = Places::open(&last.paths.places, &form.text)? else { return Ok(None) };
    let pieces = Pieces::of(survey, form.told);
    let stood: HashSet<u64> =
        pieces.all().filter(|it| places.of(*it).is_some()).map(|it| it.hash).collect();
    let lost = places.elsewhere(|piece| stood.contains(&piece));
    let most = MOVES_MAX.min(last.rows / MOVES_PART);
    if stood.is_empty() || last.moved + lost > most {
        return Ok(None);
    }
    let (set, census) = members(query, survey, threads).await?;
    let (mut came, mut left, mut fresh) = <(RowSet, RowSet, RowSet)>::default();
    let mut unchanged = 0;
    let mut stayed = Vec::new();
    for morsel in 0..survey.morsels.len() {
        let now = set.words(morsel);
        let then = places.then(&pieces, morsel, now.len());
        let word = |words: &[u64], at: usize| words.get(at).copied().unwrap_or(0);
        let length = now.len().max(then.was_in.len());
        let bits = |of: fn(u64, u64, u64) -> u64| {
            let words = (0..length)
                .map(|at| of(word(now, at), word(&then.was_in, at), word(&then.stayed, at)));
            Words::from(words.collect::<Vec<_>>())
        };
        came.put(morsel, bits(|now, was_in, stayed| now & !was_in & stayed));
        left.put(morsel, bits(|now, was_in, _| was_in & !now));
        fresh.put(morsel, bits(|now, _, stayed| now & !stayed));
        unchanged += bits(|now, was_in, _| now & was_in).count();
        stayed.push(then.all_stayed);
    }
    if last.moved + lost + came.len() + left.len() + fresh.len() > most {
        return Ok(None);
    }
    Ok(Some(InPlace { census, set, stayed, stood, pieces, came, left, fresh, unchanged, lost }))
}

/// Everybody whom a full file would send, by place.
async fn members(
    query: &Query,
    survey: &Arc<Survey>,
    threads: usize,
) -> Result<(RowSet, Census), Error> {
    let columns: Vec<Column> =
        query.columns.iter().filter(|column| column.mandatory).cloned().collect();
    let parts = Parts { who: Who::Members, columns: &columns, hidden: &[], query };
    let selection = Arc::new(Selection::new(parts, survey)?);
    let census = Census::new(&selection);
    let morsels: Vec<Words> = survey.morsels.iter().map(|_| Words::default()).collect();
    let pass = Pass { survey: Arc::clone(survey), selection };
    let all = |_, _, _| Some(Restriction::None);
    let (morsels, census) = visit(pass, (morsels, census), threads, all, |morsel, piece, found| {
        let taken = piece.taken();
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0[morsel].append(&taken);
        found.1.add(piece, 0);
        Ok(())
    })
    .await?;
    let mut set = RowSet::default();
    morsels.into_iter().enumerate().for_each(|(morsel, words)| set.put(morsel, words));
    Ok((set, census))
}

/// Those whose identities are read.
struct Movers(Arc<RowSet>);

impl Chosen for Movers {
    fn rows(&self, morsel: usize, first_row: u64, rows: usize) -> BooleanBuffer {
        let slice = self.0.slice(morsel, first_row, rows);
        slice.unwrap_or_else(|| BooleanBuffer::new_unset(rows))
    }

    fn marks(&self, rows: &mut dyn ExactSizeIterator<Item = u64>) -> Marks {
        let none = BooleanBuffer::new_unset(rows.len());
        Marks { changed: none.clone(), removed: none, since: Vec::new() }
    }
}

impl InPlace {
    /// Whether those who moved are told by bits alone, and all of them are sent.
    pub(super) fn sends_all_who_moved(&self, increment: &Increment) -> bool {
        let is_by_bits = self.fresh.is_empty() && self.lost == 0 && !increment.changes;
        is_by_bits && (increment.leavers || self.left.is_empty())
    }

    /// Takes the bits for the whole difference. The new baseline is made while `pass` reads the rows,
    /// behind whose columns stands what tells profiles apart.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn on_the_way(
        self,
        asked: &Asked<'_>,
        kept: Kept,
        pass: &Pass,
        (last, facts, form): (Baseline, &Facts, &Form),
        next: Paths,
    ) -> Result<(Outcome, OnTheWay), Error> {
        let Asked { query, survey, limits, threads, .. } = *asked;
        let Self { census, set, came, left, unchanged, .. } = self;
        let maker = Maker::of_rows(query, kept, (&pass.selection.schema, &survey.key))?;
        let pieces = Pieces::of(survey, form.told);
        next.clear()?;
        // Now, and not when the rows were read: a file that is written meanwhile has to look recent.
        Places::write(&next.places, &pieces, &set, &form.text)?;
        let moved = Moved {
            members: set.len(),
            added: came.len(),
            changed: 0,
            removed: left.len(),
            unchanged,
            repeated: 0,
        };
        let mut sent = Sent { all: came, removed: left.clone(), ..Sent::default() };
        sent.all.add_all(&left);
        let on_the_way = OnTheWay {
            maker,
            last,
            facts: facts.clone(),
            next,
            pieces,
            left,
            now: query.evaluated_at.as_microsecond(),
            limits: limits.clone(),
            threads,
            entries: Mutex::new(Entries::new(limits)),
        };
        Ok((Outcome { census, sent, gone: None, moved }, on_the_way))
    }

    /// Compares, and leaves the new baseline as the moves since the last one.
    ///
    /// # Errors
    /// As [`super::difference`].
    pub(super) async fn compare(
        mut self,
        asked: &Asked<'_>,
        kept: Kept,
        (last, facts, form): (Baseline, &Facts, &Form),
        next: Option<&Paths>,
    ) -> Result<Outcome, Error> {
        let Asked { query, increment, survey, limits, threads } = *asked;
        let (entries, converter) = self.entries(asked, kept).await?;
        self.census.without_identity += entries.nameless.len() as u64;
        entries.nameless.iter().for_each(|address| self.set.remove(*address));
        let today = Today {
            entries: entries.here.finish(),
            converter,
            now: query.evaluated_at.as_microsecond(),
            since: query.columns.iter().any(Column::is_qualification_time),
            pieces: Pieces::of(survey, form.told),
        };
        let mut moves = next.map(|_| Moves::after(&last, facts)).transpose()?;
        let compare = {
            let (last, limits, changes) = (last.clone(), limits.clone(), increment.changes);
            let (elsewhere, stayed) = (!self.fresh.is_empty() || self.lost > 0, self.stood);
            move || {
                let before = elsewhere.then(|| last.rows()).transpose()?;
                let before = before.map(|rows| rows.except(stayed));
                let against = Against { leavers: before.is_some(), before, changes };
                let sink = moves.as_mut().map(|moves| moves as &mut dyn Sink);
                let compared = compare::compare(today, against, sink, &limits, threads)?;
                Ok::<_, Error>((compared, moves))
            }
        };
        let (compared, moves) = blocking(compare).await?;
        let Compared { mut sent, added, changed, unchanged, repeated, left, .. } = compared;
        if let (Some(mut moves), Some(next)) = (moves, next) {
            moves.leave(&entries.left)?;
            for bucket in (0..BUCKETS).filter(|_| left.is_some()) {
                let gone = left.iter().map(|left| left.entities.read(bucket, read_entities));
                moves.leave(&gone.collect::<Result<Vec<_>, _>>()?.concat())?;
            }
            next.clear()?;
            moves.finish(&last, next)?;
            Places::write(&next.places, &self.pieces, &self.set, &form.text)?;
        }
        let (mut removed, mut gone) = (0, None);
        if increment.leavers {
            (sent.removed, removed) = (self.left, entries.left.len() as u64);
            if let Some(left) = left {
                let stayed = self.stayed;
                let may_be_in = move |morsel: usize| !stayed[morsel];
                let around = (survey, may_be_in);
                let found = removed::find(query, left, &last, around, limits, threads).await?;
                sent.removed.add_all(&found.here);
                (removed, gone) = (removed + found.count, found.gone);
            }
            sent.all.add_all(&sent.removed);
        }
        let unchanged = self.unchanged + unchanged;
        let members = self.set.len() - repeated;
        let moved = Moved { members, added, changed, removed, unchanged, repeated };
        Ok(Outcome { census: self.census, sent, gone, moved })
    }

    /// Reads the identities of those who moved.
    async fn entries(
        &self,
        asked: &Asked<'_>,
        kept: Kept,
    ) -> Result<(Entries, Option<RowConverter>), Error> {
        let Asked { query, increment, survey, limits, threads } = *asked;
        let (pass, maker) = Maker::new(query, increment, Who::Everyone, kept, survey)?;
        let mut rows = self.came.clone();
        [&self.left, &self.fresh].into_iter().for_each(|set| rows.add_all(set));
        let (rows, left) = (Arc::new(rows), self.left.clone());
        let entries = Entries::new(limits);
        let shared = Arc::new(maker);
        let (maker, has_any) = (Arc::clone(&shared), Arc::clone(&rows));
        let has_any = move |morsel: usize| has_any.has_any(morsel);
        let chosen = Movers(rows);
        let add = move |morsel: usize, piece: &Piece<'_>, entries: &Mutex<Entries>| {
            let made = maker.make(&piece.selected.batch)?;
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.take(&made, piece, morsel, &left)
        };
        let entries = visit_chosen(pass, entries, threads, chosen, has_any, add).await?;
        Ok((entries, Arc::into_inner(shared).and_then(Maker::into_converter)))
    }
}
