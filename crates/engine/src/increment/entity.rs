//! Who a row is about, and what of it is compared and kept.
//!
//! The receiver tells rows apart by the deduplication key; a row with a gap in its key, and a row of
//! a mapping without one, is told apart by the profile's primary identity. What is hashed is the text
//! of the values, so that a field whose type changes from number to text keeps its people.

use std::sync::{Arc, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use plan::Query;
use plan::project::{Column, ColumnSource};
use plan::run_plan::Increment;
use twox_hash::XxHash3_128;

use crate::error::{Error, Kind};
use crate::fields;
use crate::people::{Whose, append, begin_identity};
use crate::row_set::{Address, RowSet, Words};
use crate::rows::{Pass, Piece, visit};
use crate::selection::{Parts, Restriction, Selection, Who, present};
use crate::spill::{Buckets, Limits, Sorted};
use crate::survey::{ProfileKey, Survey};

/// Bytes of an entry before the kept values: entity, row hash, address, length of what follows.
pub(super) const ENTRY_HEAD_BYTES: usize = 16 + 8 + 8 + 4;

/// The columns whose values the baseline keeps, so that a person can be named who is gone: the
/// deduplication key and the identities.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Positions in the mapping.
    pub(super) columns: Vec<usize>,
    /// Their headers and types.
    pub(super) schema: Schema,
    /// Whether it is also kept who the row is about: the key does not tell that of those who are gone.
    pub(super) tells_person: bool,
}

impl Kept {
    pub(super) fn new(
        query: &Query,
        increment: &Increment,
        survey: &Survey,
    ) -> Result<Self, Error> {
        let is_kept = |column: &Column| match &column.source {
            _ if column.deduplicate => true,
            ColumnSource::Field(path) => increment.identities.contains(path),
            _ => false,
        };
        let columns: Vec<usize> = (0..query.columns.len())
            .filter(|&column| increment.leavers && is_kept(&query.columns[column]))
            .collect();
        let read: Vec<Column> =
            columns.iter().map(|&column| query.columns[column].clone()).collect();
        let parts = Parts { who: Who::Everyone, columns: &read, hidden: &[], query };
        let schema = Selection::new(parts, survey)?.schema.as_ref().clone();
        let has_key = query.columns.iter().any(|column| column.deduplicate);
        let tells_person = increment.leavers && has_key;
        Ok(Self { columns, schema, tells_person })
    }

    /// The types of everything that is kept.
    fn types(&self) -> impl Iterator<Item = DataType> {
        let columns = self.schema.fields().iter().map(|field| field.data_type().clone());
        columns.chain(self.tells_person.then_some(DataType::UInt64))
    }
}

/// Tells the entity of each row of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    /// Positions in the batch of the deduplication key.
    key: Vec<usize>,
    /// Positions in the batch of what tells profiles apart.
    profile: Vec<usize>,
    /// The namespace of profiles, where it is not among the columns.
    namespace: Option<String>,
}

impl Teller {
    /// A teller for batches of `columns` followed by what tells profiles apart.
    pub(crate) fn new(
        columns: &[Column],
        schema: &Schema,
        profile_key: &ProfileKey,
    ) -> Result<Self, Error> {
        let key: Vec<usize> =
            (0..columns.len()).filter(|&column| columns[column].deduplicate).collect();
        let profile: Vec<usize> = (columns.len()..schema.fields().len()).collect();
        let is_scalar =
            |&column: &usize| fields::kind_of(schema.field(column).data_type()).is_scalar();
        if !profile.iter().all(is_scalar) {
            let message = "the primary identity has to be a single value";
            return Err(Error::new(Kind::Invalid, "invalid_identity", message)
                .with_hint("Name a field inside it under `identities:`."));
        }
        Ok(Self { key, profile, namespace: profile_key.namespace.clone() })
    }

    /// The entity of each row; nothing for a row without any value to tell it by.
    pub(crate) fn tell(&self, batch: &RecordBatch) -> Result<Vec<Option<u128>>, Error> {
        let key = self.key.iter().map(|&column| texts(batch.column(column)));
        let key = key.collect::<Result<Vec<_>, _>>()?;
        let with_key = self.key.iter().filter_map(|&column| present(batch.column(column)));
        let with_key = with_key.reduce(|left, right| &left & &right);
        let profile = self.profile.iter().map(|&column| texts(batch.column(column)));
        let profile = profile.collect::<Result<Vec<_>, _>>()?;
        let is_known = |row: usize| {
            let has_text =
                |column: &StringViewArray| column.is_valid(row) && !column.value(row).is_empty();
            !profile.is_empty() && profile.iter().all(has_text)
        };
        let mut bytes = Vec::new();
        let tell = |row: usize| {
            bytes.clear();
            if !key.is_empty() && with_key.as_ref().is_none_or(|bits| bits.value(row)) {
                key.iter().for_each(|column| append(&mut bytes, column.value(row)));
            } else if is_known(row) {
                begin_identity(&mut bytes);
                // The same bytes whether profiles are merged or not: the first record that has to
                // be merged makes nobody another one.
                self.namespace.iter().for_each(|namespace| append(&mut bytes, namespace));
                profile.iter().for_each(|column| append(&mut bytes, column.value(row)));
            } else {
                return None;
            }
            Some(XxHash3_128::oneshot(&bytes))
        };
        Ok((0..batch.num_rows()).map(tell).collect())
    }
}

/// The values of a scalar column as text.
pub(crate) fn texts(column: &ArrayRef) -> Result<StringViewArray, Error> {
    let column =
        cast(column, &DataType::Utf8View).map_err(|_| Error::internal("a scalar has no text"))?;
    Ok(column.as_string_view().clone())
}

/// Makes an entry of each row of a batch.
pub(super) struct Maker {
    teller: Teller,
    attributes: Option<Attributes>,
    kept: Option<(RowConverter, Vec<usize>)>,
    /// Tells who a row is about, where that is kept.
    whose: Option<Whose>,
}

/// What entries of the rows of a batch are made of.
pub(super) struct Made {
    /// Nothing for a row without any value to tell it by.
    pub(super) entities: Vec<Option<u128>>,
    hashes: Option<Vec<u64>>,
    values: Option<arrow::row::Rows>,
}

impl Maker {
    /// What is needed of each row to make its entry, and the maker for batches of that.
    pub(super) fn new(
        query: &Query,
        increment: &Increment,
        who: Who<'_>,
        kept: Kept,
        survey: &Arc<Survey>,
    ) -> Result<(Pass, Self), Error> {
        let is_read = |(position, column): &(usize, &Column)| {
            increment.changes
                || column.mandatory
                || column.deduplicate
                || kept.columns.contains(position)
        };
        let read: Vec<(usize, &Column)> =
            query.columns.iter().enumerate().filter(is_read).collect();
        let columns: Vec<Column> = read.iter().map(|(_, column)| (*column).clone()).collect();
        let columns = match who {
            Who::Members => columns,
            // Who is in the set was found out before.
            Who::Everyone | Who::Left { .. } => columns.into_iter().map(Column::optional).collect(),
        };
        let parts = Parts { who, columns: &columns, hidden: &survey.key.columns, query };
        let selection = Arc::new(Selection::new(parts, survey)?);
        let teller = Teller::new(&columns, &selection.schema, &survey.key)?;
        let attributes =
            increment.changes.then(|| Attributes::new(&columns, &selection.schema)).transpose()?;
        let place = |position: &usize| read.iter().position(|(column, _)| column == position);
        let places: Vec<usize> = kept.columns.iter().filter_map(place).collect();
        let kept_person = kept.tells_person && !places.is_empty();
        let kept = match places.is_empty() {
            true => None,
            false => Some((converter(kept.types())?, places)),
        };
        let whose = kept_person.then(|| Whose::of_profiles(survey, columns.len()));
        let pass = Pass { survey: Arc::clone(survey), selection };
        Ok((pass, Self { teller, attributes, kept, whose }))
    }

    /// The maker for batches of all columns of the mapping, followed by what tells profiles apart.
    /// Attributes have no say.
    pub(super) fn of_rows(
        query: &Query,
        kept: Kept,
        (schema, profile_key): (&Schema, &ProfileKey),
    ) -> Result<Self, Error> {
        let teller = Teller::new(&query.columns, schema, profile_key)?;
        let kept = match kept.columns.is_empty() {
            true => None,
            false => Some((converter(kept.types())?, kept.columns)),
        };
        Ok(Self { teller, attributes: None, kept, whose: None })
    }

    pub(super) fn make(&self, batch: &RecordBatch) -> Result<Made, Error> {
        let entities = self.teller.tell(batch)?;
        let hashes = self.attributes.as_ref().map(|it| it.hash(batch)).transpose()?;
        let person = self.whose.as_ref().map(|whose| whose.tell(batch)).transpose()?;
        let person = person.map(|person| Arc::new(person.column()) as ArrayRef);
        let values = self.kept.as_ref();
        let values = values.map(|(converter, places)| values_of(converter, batch, places, person));
        Ok(Made { entities, hashes, values: values.transpose()? })
    }

    /// Decodes the kept values of an entry.
    pub(super) fn into_converter(self) -> Option<RowConverter> {
        self.kept.map(|(converter, _)| converter)
    }
}

impl Made {
    /// Adds the entry of a row.
    pub(super) fn push(
        &self,
        row: usize,
        entity: u128,
        address: Address,
        buckets: &mut Buckets,
    ) -> Result<(), Error> {
        let hash = self.hashes.as_ref().map_or(0, |hashes| hashes[row]);
        let value = self.values.as_ref().map(|values| values.row(row));
        let value = value.as_ref().map_or(&[][..], |value| value.as_ref());
        push(buckets, entity, hash, address, value)
    }
}

/// What was counted on the way.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) scanned: u64,
    pub(super) received: u64,
    /// By reason, as the selection has them.
    pub(super) left_out: Vec<u64>,
    pub(super) duplicates: u64,
    pub(super) without_identity: u64,
}

/// Today's set.
pub(super) struct Everybody {
    /// Sorted by entity.
    pub(super) entries: Sorted,
    pub(super) census: Census,
    /// Where they stand.
    pub(super) set: RowSet,
    /// Decodes the kept values of an entry.
    pub(super) converter: Option<RowConverter>,
}

/// Reads the snapshot and sorts the entries of today's set by entity.
pub(super) async fn everybody(
    (pass, maker): (Pass, Maker),
    losers: Option<RowSet>,
    limits: Limits,
    threads: usize,
) -> Result<Everybody, Error> {
    let restriction = move |morsel: usize, first: u64, rows: usize| {
        let bits = losers.as_ref().and_then(|losers| losers.slice(morsel, first, rows));
        Some(bits.map_or(Restriction::None, Restriction::Without))
    };
    let census = Census::new(&pass.selection);
    let words: Vec<Words> = pass.survey.morsels.iter().map(|_| Words::default()).collect();
    let state = (Buckets::fine(limits), census, words);
    let shared = Arc::new(maker);
    let maker = Arc::clone(&shared);
    let visited = visit(pass, state, threads, restriction, move |morsel, piece, state| {
        let made = maker.make(&piece.selected.batch)?;
        let positions = piece.selected.positions();
        let named = made.entities.iter().zip(&positions);
        let named = named.enumerate().filter_map(|(row, (it, at))| it.map(|it| (row, it, *at)));
        let mut taken = BooleanBufferBuilder::new(piece.scanned);
        taken.append_n(piece.scanned, false);
        named.clone().for_each(|(.., position)| taken.set_bit(position, true));
        let taken = taken.finish();
        let without = made.entities.len() - taken.count_set_bits();
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (buckets, census, words) = &mut *state;
        census.add(piece, without);
        words[morsel].append(&taken);
        for (row, entity, position) in named {
            let address = Address::new(morsel, piece.row(position));
            made.push(row, entity, address, buckets)?;
        }
        Ok(())
    });
    let (buckets, census, words) = visited.await?;
    let mut set = RowSet::default();
    words.into_iter().enumerate().for_each(|(morsel, words)| set.put(morsel, words));
    let converter = Arc::into_inner(shared).and_then(Maker::into_converter);
    Ok(Everybody { entries: buckets.finish(), census, set, converter })
}

/// Adds an entry to the bucket of its entity.
pub(super) fn push(
    buckets: &mut Buckets,
    entity: u128,
    hash: u64,
    address: Address,
    kept: &[u8],
) -> Result<(), Error> {
    // One copy of fixed size instead of four.
    let mut head = [0; ENTRY_HEAD_BYTES];
    head[..16].copy_from_slice(&entity.to_le_bytes());
    head[16..24].copy_from_slice(&hash.to_le_bytes());
    head[24..32].copy_from_slice(&address.0.to_le_bytes());
    head[32..].copy_from_slice(&(kept.len() as u32).to_le_bytes());
    buckets.push_headed((entity >> 64) as u64, &head, kept)
}

impl Census {
    pub(super) fn new(selection: &Selection) -> Self {
        Self { left_out: vec![0; selection.reasons().count()], ..Self::default() }
    }

    /// Counts a batch, of whose rows so many have nothing to tell them by.
    pub(super) fn add(&mut self, piece: &Piece<'_>, without_identity: usize) {
        self.scanned += piece.scanned as u64;
        self.received += piece.selected.received;
        self.duplicates += piece.selected.duplicates;
        self.without_identity += without_identity as u64;
        for (sum, count) in self.left_out.iter_mut().zip(&piece.selected.left_out) {
            *sum += count;
        }
    }
}

fn converter(types: impl Iterator<Item = DataType>) -> Result<RowConverter, Error> {
    RowConverter::new(types.map(SortField::new).collect())
        .map_err(|_| Error::new(Kind::Invalid, "invalid_key", "a key column's type cannot be kept"))
}

fn values_of(
    converter: &RowConverter,
    batch: &RecordBatch,
    places: &[usize],
    person: Option<ArrayRef>,
) -> Result<arrow::row::Rows, Error> {
    let columns = places.iter().map(|&place| Arc::clone(batch.column(place)));
    let columns: Vec<ArrayRef> = columns.chain(person).collect();
    converter.convert_columns(&columns).map_err(|_| Error::internal("a key cannot be kept"))
}

/// Hashes the mapped attributes of a row, so that a change of any of them shows.
pub(super) struct Attributes {
    converter: RowConverter,
    /// Columns that the converter takes.
    plain: Vec<usize>,
    /// Columns that are compared by their text.
    others: Vec<usize>,
}

impl Attributes {
    pub(super) fn new(columns: &[Column], schema: &Schema) -> Result<Self, Error> {
        let varies = |&column: &usize| {
            matches!(
                columns[column].source,
                ColumnSource::Field(_)
                    | ColumnSource::Identity(_)
                    | ColumnSource::Expression { .. }
            )
        };
        let field = |column: &usize| SortField::new(schema.field(*column).data_type().clone());
        let (plain, others) = (0..columns.len())
            .filter(varies)
            .partition::<Vec<usize>, _>(|column| RowConverter::supports_fields(&[field(column)]));
        let converter = RowConverter::new(plain.iter().map(field).collect())
            .map_err(|_| Error::internal("attributes cannot be compared"))?;
        Ok(Self { converter, plain, others })
    }

    pub(super) fn hash(&self, batch: &RecordBatch) -> Result<Vec<u64>, Error> {
        let columns: Vec<ArrayRef> =
            self.plain.iter().map(|&column| Arc::clone(batch.column(column))).collect();
        let failed = |_| Error::internal("attributes cannot be compared");
        let rows = match columns.is_empty() {
            true => None,
            false => Some(self.converter.convert_columns(&columns).map_err(failed)?),
        };
        let options = FormatOptions::default();
        let others = self.others.iter();
        let others = others.map(|&column| ArrayFormatter::try_new(batch.column(column), &options));
        let others = others.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut bytes = Vec::new();
        let hash = |row: usize| {
            bytes.clear();
            if let Some(rows) = &rows {
                bytes.extend_from_slice(rows.row(row).as_ref());
            }
            for other in &others {
                append(&mut bytes, &other.value(row).to_string());
            }
            XxHash3_128::oneshot(&bytes) as u64
        };
        Ok((0..batch.num_rows()).map(hash).collect())
    }
}
