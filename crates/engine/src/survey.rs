//! What a snapshot holds: the fields that all its files agree on, and the pieces in which its rows
//! are read.
//!
//! The pieces, called morsels, are the unit of parallel work and of order: all rows of a dataset,
//! in snapshot order, are the rows of its morsels one after the other.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Field, FieldRef, Fields, Schema, SchemaRef};
use futures::TryStreamExt;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use plan::field::Step;
use plan::project::{Dataset, DatasetFormat, Identity};
use plan::schema::FieldType;
use twox_hash::XxHash3_128;

use crate::csv_record::Format;
use crate::error::{Error, Kind};
use crate::events::{self, Answers};
use crate::fields::PROFILE_FIELD;
use crate::identity_rows::IdentityRows;
use crate::kept::Held;
use crate::members::Known;
use crate::merge::Union;
use crate::ordered::{Ordered, QUEUE_LENGTH, Stop};
use crate::parquet_file::{self, BATCH_ROWS_MAX, Slice, Wanted};
use crate::path::Steps;
use crate::source::Source;
use crate::store::{Input, Store, Version};
use crate::stretches::{Stretch, Stretches};
use crate::{csv_file, delta, fields, json_lines};

/// Rows of Parquet that are read as one piece, about. Each piece decodes the dictionaries of its row
/// group anew, so smaller ones cost; the results of a larger one would not fit its queue, and the
/// job would stand still until its turn.
pub(crate) const MORSEL_ROWS: u64 = (QUEUE_LENGTH * BATCH_ROWS_MAX) as u64;
/// Parquet footers that are kept decoded; others are read again when their turn comes.
pub(crate) const FOOTERS_KEPT_MAX: usize = 16;

/// A piece of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Morsel {
    /// Position of the file in the snapshot.
    input: usize,
    /// Rows of a row group; absent for text files, which are read whole.
    slice: Option<Slice>,
}

/// What tells profiles apart: the namespace and the value of their key, the same whether the
/// profiles were merged or are the records themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileKey {
    /// The columns: the value alone, or namespace and value. None if nothing tells them apart.
    pub(crate) columns: Vec<Steps>,
    /// The namespace, where it is the same for all and no column holds it.
    pub(crate) namespace: Option<String>,
    /// The primary namespace of the first dataset, for messages and for comparing baselines.
    pub(crate) primary: String,
}

impl ProfileKey {
    /// The key of records that are profiles.
    fn computed(identity: &Identity) -> Self {
        Self {
            columns: vec![Steps::from(&identity.field)],
            namespace: Some(identity.namespace.clone()),
            primary: identity.namespace.clone(),
        }
    }
}

/// Rows of a morsel that are the same people in the same places as long as their hash is the same, see
/// [`Survey::pieces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The position in the morsel behind the last of them; nothing for all that there are.
    pub(crate) end: Option<u64>,
    pub(crate) hash: u64,
    /// When a local file was last written, in nanoseconds since 1970, where its time has a say.
    pub(crate) modified: Option<i128>,
}

/// What pieces are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The version of their file: the same records.
    ByFile,
    /// The identities in them: the same people, whatever else became of their records.
    ByIdentities,
}

/// What one file turned out to hold.
struct FileSurvey {
    fields: Fields,
    slices: Option<Vec<Slice>>,
}

/// Batches of records.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Error>>>;

/// What a snapshot holds.
#[derive(Debug)]
pub(crate) struct Survey {
    reader: FileReader,
    inputs: Vec<Arc<Input>>,
    /// The fields of the dataset, in the order in which the files name them.
    pub(crate) schema: SchemaRef,
    /// Those of them that no record had a value of when types were guessed: they are read as text
    /// unless another dataset knows better.
    valueless: Fields,
    /// The field that says which of two records is newer.
    pub(crate) timestamp: Option<Steps>,
    /// What tells one profile from another.
    pub(crate) key: ProfileKey,
    pub(crate) morsels: Vec<Morsel>,
    /// Who is in which segment, as far as it was found out.
    pub(crate) known: Arc<Known>,
    /// Keeps the files of merged profiles from being removed.
    held: Option<Arc<Held>>,
    /// Repeats the records for identities.
    identity_rows: Option<IdentityRows>,
    /// What was asked of the events of the profiles, as more fields.
    answers: Option<Arc<Answers>>,
    /// Which records hold whom, where that was found out.
    stretches: Option<Arc<Stretches>>,
    footers: Mutex<VecDeque<(usize, ArrowReaderMetadata)>>,
}

/// How the files of a dataset are read.
#[derive(Debug, Clone)]
pub(crate) struct FileReader {
    store: Store,
    format: DatasetFormat,
    /// The Delta table that they belong to.
    table: Option<Arc<delta::Table>>,
}

impl Survey {
    /// Looks into every file.
    ///
    /// # Errors
    /// A file cannot be read, or two disagree on the type of a field.
    pub(crate) async fn take(
        reader: FileReader,
        dataset: &Dataset,
        inputs: &[Arc<Input>],
        threads: usize,
    ) -> Result<Self, Error> {
        let (job_reader, job_inputs) = (reader.clone(), inputs.to_vec());
        let mut files: Ordered<FileSurvey, Error> =
            Ordered::new(inputs.len(), threads, move |number, outlet| {
                let survey = job_reader.survey(&job_inputs[number]).map_err(Stop::Failed)?;
                Ok(outlet.send(survey)?)
            });
        let mut union = United::new(dataset);
        let mut morsels = Vec::new();
        let mut number = 0;
        while let Some(file) = files.try_next().await? {
            // The fields of a table are those that its log names, whatever its files hold.
            if reader.table.is_none() {
                union.add(&file.fields, &inputs[number].location)?;
            }
            match file.slices {
                None => morsels.push(Morsel { input: number, slice: None }),
                Some(slices) => morsels.extend(
                    slices.into_iter().map(|slice| Morsel { input: number, slice: Some(slice) }),
                ),
            }
            number += 1;
        }
        let valueless = fields::without_values(&union.fields);
        let fields = match &reader.table {
            Some(table) => table.fields(),
            None => union.finish(dataset)?,
        };
        let schema = Arc::new(Schema::new(fields));
        let timestamp = dataset.timestamp.as_ref().map(Steps::from);
        let key = dataset.identities.first().map(ProfileKey::computed).unwrap_or_default();
        let (inputs, footers) = (inputs.to_vec(), Mutex::default());
        let (known, held, answers, identity_rows) = (Arc::default(), None, None, None);
        let stretches = None;
        Ok(Self {
            reader,
            inputs,
            schema,
            valueless,
            timestamp,
            key,
            morsels,
            known,
            held,
            answers,
            identity_rows,
            stretches,
            footers,
        })
    }

    /// Makes this survey, of files of merged profiles, one of their fields and their latest times.
    pub(crate) fn of_merged(self, union: &Union, held: Held) -> Self {
        let known =
            |name: &str| Steps([PROFILE_FIELD, name].map(|it| Step::Field(it.to_owned())).to_vec());
        Self {
            schema: union.schema(),
            timestamp: Some(known("latest")),
            key: ProfileKey {
                columns: vec![known("namespace"), known("value")],
                namespace: None,
                primary: union.primary_namespace().to_owned(),
            },
            held: Some(Arc::new(held)),
            ..self
        }
    }

    /// The same with a row for each identity instead of one for each profile.
    pub(crate) fn with_identity_rows(&self, rows: IdentityRows) -> Self {
        let schema = rows.schema(&self.schema);
        Self { identity_rows: Some(rows), ..self.with_schema(schema) }
    }

    /// The same with the answers to what is asked of events as more fields.
    pub(crate) fn with_answers(&self, answers: Answers) -> Self {
        let schema = Arc::new(events::with_fields(&self.schema, &answers));
        Self { answers: Some(Arc::new(answers)), ..self.with_schema(schema) }
    }

    /// The same, knowing which of its records hold whom.
    pub(crate) fn with_stretches(&self, stretches: Stretches) -> Self {
        let stretches = Some(Arc::new(stretches));
        Self { stretches, ..self.with_schema(Arc::clone(&self.schema)) }
    }

    /// Whether it is known which of its records hold whom.
    pub(crate) fn has_stretches(&self) -> bool {
        self.stretches.is_some()
    }

    /// The fields that any record had a value of when types were guessed.
    pub(crate) fn fields_with_values(&self) -> Fields {
        let has_values = |field: &&FieldRef| self.valueless.find(field.name()).is_none();
        self.schema.fields().iter().filter(has_values).cloned().collect()
    }

    /// The same with the types of `others` for fields that no record had a value of when types were
    /// guessed; nothing if there are none.
    pub(crate) fn with_types_of(&self, others: &[SchemaRef]) -> Option<Self> {
        let known = |field: &FieldRef| {
            self.valueless.find(field.name())?;
            let types = others.iter().filter_map(|other| other.field_with_name(field.name()).ok());
            types.map(|other| other.data_type()).find(|it| fields::kind_of(it).is_scalar())
        };
        let adopted = |field: &FieldRef| match known(field) {
            Some(known) => Arc::new(field.as_ref().clone().with_data_type(known.clone())),
            None => Arc::clone(field),
        };
        let schema = Schema::new(self.schema.fields().iter().map(adopted).collect::<Fields>());
        (schema != *self.schema).then(|| self.with_schema(Arc::new(schema)))
    }

    fn with_schema(&self, schema: SchemaRef) -> Self {
        Self {
            reader: self.reader.clone(),
            inputs: self.inputs.clone(),
            schema,
            valueless: self.valueless.clone(),
            timestamp: self.timestamp.clone(),
            key: self.key.clone(),
            morsels: self.morsels.clone(),
            known: Arc::clone(&self.known),
            held: self.held.clone(),
            answers: self.answers.clone(),
            identity_rows: self.identity_rows.clone(),
            stretches: self.stretches.clone(),
            footers: Mutex::default(),
        }
    }

    /// The footer of the file of a morsel, and which of its row groups the morsel is of; nothing for
    /// other files than Parquet.
    pub(crate) fn row_group(
        &self,
        morsel: usize,
    ) -> Result<Option<(ArrowReaderMetadata, usize)>, Error> {
        let Morsel { input, slice } = &self.morsels[morsel];
        let Some(slice) = slice else { return Ok(None) };
        let source = Source::open(&self.reader.store, &self.inputs[*input])?;
        Ok(Some((self.footer(*input, &source)?, slice.row_group)))
    }

    /// Bytes of all files together.
    pub(crate) fn bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.size).sum()
    }

    /// All files.
    pub(crate) fn inputs(&self) -> &[Arc<Input>] {
        &self.inputs
    }

    /// The position of the file of a morsel among all.
    pub(crate) fn input_of(&self, morsel: usize) -> usize {
        self.morsels[morsel].input
    }

    /// The file of a morsel, for messages.
    pub(crate) fn location(&self, morsel: usize) -> &str {
        &self.inputs[self.morsels[morsel].input].location
    }

    /// The position in its file of the first row of a morsel; nothing where rows are not records of a
    /// file that somebody wrote.
    pub(crate) fn first_row(&self, morsel: usize) -> Option<u64> {
        let is_file =
            !matches!(self.reader.format, DatasetFormat::Delta { .. } | DatasetFormat::Postgres);
        if !is_file || self.held.is_some() || self.identity_rows.is_some() {
            return None;
        }
        let input = self.morsels[morsel].input;
        let before = self.morsels[..morsel].iter().rev().take_while(|it| it.input == input);
        Some(before.filter_map(|it| it.slice.as_ref()).map(|it| it.rows.end - it.rows.start).sum())
    }

    /// Reads the rows of a morsel with the fields that `needed` paths lead through.
    pub(crate) fn read(&self, morsel: usize, needed: &BTreeSet<Steps>) -> Result<Batches, Error> {
        self.read_coded(morsel, needed, &BTreeSet::new())
    }

    /// The same, with texts as codes where the file holds them so: those that `coded` paths lead to
    /// may be dictionaries.
    pub(crate) fn read_coded(
        &self,
        morsel: usize,
        needed: &BTreeSet<Steps>,
        coded: &BTreeSet<Steps>,
    ) -> Result<Batches, Error> {
        let Some(rows) = self.identity_rows.clone() else {
            return self.read_answered(morsel, needed, coded);
        };
        let records = self.read_answered(morsel, &rows.needed(needed), &BTreeSet::new())?;
        let mut first = 0;
        let repeated = records.flat_map(move |records| {
            let repeated = records.and_then(|records| {
                let repeated = rows.of(&records, first);
                first += records.num_rows() as u64;
                repeated
            });
            match repeated {
                Ok(batches) => batches.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        });
        Ok(Box::new(repeated))
    }

    /// Reads those rows of a morsel whose bit is set, with as little work for the others as the file
    /// allows; nothing if it allows none, or if what is asked rests on where rows stand. `rows` has a
    /// bit for each row of the morsel, see [`Survey::rows_of`].
    pub(crate) fn read_only(
        &self,
        morsel: usize,
        needed: &BTreeSet<Steps>,
        rows: &BooleanBuffer,
    ) -> Result<Option<Batches>, Error> {
        let is_answer = |path: &Steps| self.answers.as_ref().is_some_and(|it| it.has(path.root()));
        let Morsel { input, slice: Some(slice) } = &self.morsels[morsel] else { return Ok(None) };
        if self.reader.format != DatasetFormat::Parquet
            || self.identity_rows.is_some()
            || needed.iter().any(is_answer)
        {
            return Ok(None);
        }
        let source = Source::open(&self.reader.store, &self.inputs[*input])?;
        let footer = self.footer(*input, &source)?;
        let wanted = Wanted { only: Some(rows), ..Wanted::of(needed) };
        Ok(Some(Box::new(parquet_file::Reader::new(source, footer, slice, wanted)?)))
    }

    /// How many rows a morsel has, where that is known before it is read.
    pub(crate) fn rows_of(&self, morsel: usize) -> Option<usize> {
        let rows = &self.morsels[morsel].slice.as_ref()?.rows;
        usize::try_from(rows.end - rows.start).ok()
    }

    /// What stands for the rows of a morsel from one snapshot to the next: equal pieces hold the same
    /// people in the same places, and the same records if they are told by their file. Nothing where
    /// places are not those of a file's records.
    pub(crate) fn pieces(&self, morsel: usize, told: Told) -> Option<Vec<Piece>> {
        if self.identity_rows.is_some() {
            return None;
        }
        match told {
            Told::ByFile => Some(vec![self.whole_piece(morsel)]),
            Told::ByIdentities => {
                let stretches = self.stretches.as_ref()?.of(morsel).iter();
                let piece =
                    |it: &Stretch| Piece { end: Some(it.end), hash: it.hash, modified: None };
                Some(stretches.map(piece).collect())
            }
        }
    }

    fn whole_piece(&self, morsel: usize) -> Piece {
        let Morsel { input, slice } = &self.morsels[morsel];
        let Input { location, size, version, .. } = self.inputs[*input].as_ref();
        // A file of merged profiles is taken over into the folder of another state under its name.
        let is_merged = self.held.is_some();
        let name = location.rsplit('/').next().filter(|_| is_merged).unwrap_or(location);
        let table = self.reader.table.as_ref().map(|table| table.rows_of(*input));
        let (format, version) = (self.reader.format, version.content());
        let text = format!("{name}\0{size}\0{version}\0{format:?}\0{table:?}\0{slice:?}");
        let modified = match self.inputs[*input].version {
            // Those files are never written again, so that their times cannot mislead.
            Version::Modified { nanoseconds } if !is_merged => Some(nanoseconds),
            _ => None,
        };
        Piece { end: None, hash: XxHash3_128::oneshot(text.as_bytes()) as u64, modified }
    }

    fn read_answered(
        &self,
        morsel: usize,
        needed: &BTreeSet<Steps>,
        coded: &BTreeSet<Steps>,
    ) -> Result<Batches, Error> {
        let Some(answers) = &self.answers else { return self.read_files(morsel, needed, coded) };
        let is_answer = |path: &&Steps| answers.has(path.root());
        if !needed.iter().any(|path| is_answer(&path)) {
            return self.read_files(morsel, needed, coded);
        }
        let of_files = needed.iter().filter(|path| !is_answer(path)).cloned().collect();
        let (answers, mut first_row) = (Arc::clone(answers), 0);
        let answered = move |records: Result<RecordBatch, Error>| {
            let records = records?;
            let row = first_row;
            first_row += records.num_rows() as u64;
            answers.add(morsel, row, &records)
        };
        Ok(Box::new(self.read_files(morsel, &of_files, coded)?.map(answered)))
    }

    fn read_files(
        &self,
        morsel: usize,
        needed: &BTreeSet<Steps>,
        coded: &BTreeSet<Steps>,
    ) -> Result<Batches, Error> {
        let Morsel { input, slice } = &self.morsels[morsel];
        let source = Source::open(&self.reader.store, &self.inputs[*input])?;
        let roots = || -> Fields {
            let is_needed =
                |field: &&FieldRef| needed.iter().any(|path| path.root() == field.name());
            self.schema.fields().iter().filter(is_needed).cloned().collect()
        };
        match (self.reader.format, slice) {
            (DatasetFormat::Parquet, Some(slice)) => {
                let footer = self.footer(*input, &source)?;
                let wanted = Wanted { coded, ..Wanted::of(needed) };
                Ok(Box::new(parquet_file::Reader::new(source, footer, slice, wanted)?))
            }
            (DatasetFormat::Delta { .. }, Some(slice)) => {
                let footer = self.footer(*input, &source)?;
                let table = self.reader.table.as_ref();
                let table = table.ok_or_else(|| Error::internal("files of no table"))?;
                let file = (&self.reader.store, source, footer);
                Ok(Box::new(delta::Reader::new(table, *input, file, slice, needed)?))
            }
            (DatasetFormat::Csv { delimiter, quote }, _) => {
                let format = Format { delimiter, quote };
                Ok(Box::new(csv_file::Reader::new(source, format, &roots())?))
            }
            (DatasetFormat::JsonLines, _) => Ok(Box::new(json_lines::Reader::new(source, roots()))),
            (DatasetFormat::Parquet | DatasetFormat::Delta { .. }, None) => {
                Err(Error::internal("Parquet is read in slices"))
            }
            (DatasetFormat::Postgres, _) => {
                Err(Error::internal("rows of databases are read as Parquet"))
            }
        }
    }

    /// The footer of a file, from those kept or from the file.
    fn footer(&self, input: usize, source: &Arc<Source>) -> Result<ArrowReaderMetadata, Error> {
        let kept = || self.footers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, footer)) = kept().iter().find(|(number, _)| *number == input) {
            return Ok(footer.clone());
        }
        let footer = parquet_file::open(source)?;
        let mut kept = kept();
        if kept.len() == FOOTERS_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((input, footer.clone()));
        Ok(footer)
    }
}

impl FileReader {
    pub(crate) fn new(
        store: Store,
        format: DatasetFormat,
        table: Option<Arc<delta::Table>>,
    ) -> Self {
        Self { store, format, table }
    }

    fn survey(&self, input: &Arc<Input>) -> Result<FileSurvey, Error> {
        let source = Source::open(&self.store, input)?;
        match self.format {
            DatasetFormat::Parquet | DatasetFormat::Delta { .. } => {
                let footer = parquet_file::open(&source)?;
                let slices = parquet_file::slices(footer.metadata(), MORSEL_ROWS);
                Ok(FileSurvey { fields: footer.schema().fields().clone(), slices: Some(slices) })
            }
            DatasetFormat::Csv { delimiter, quote } => {
                let fields = csv_file::sample(&source, Format { delimiter, quote })?;
                Ok(FileSurvey { fields, slices: None })
            }
            DatasetFormat::Postgres => {
                Err(Error::internal("rows of databases are read as Parquet"))
            }
            DatasetFormat::JsonLines => {
                Ok(FileSurvey { fields: json_lines::sample(&source)?, slices: None })
            }
        }
    }
}

/// The fields of the files seen so far.
struct United<'a> {
    declared: &'a [(String, FieldType)],
    format: DatasetFormat,
    fields: Fields,
    /// The file that a field was first seen in, by position in `fields`.
    seen_in: Vec<String>,
}

impl<'a> United<'a> {
    fn new(dataset: &'a Dataset) -> Self {
        let (declared, format) = (dataset.declared.as_slice(), dataset.format);
        Self { declared, format, fields: Fields::empty(), seen_in: Vec::new() }
    }

    fn add(&mut self, more: &Fields, location: &str) -> Result<(), Error> {
        let more = match self.format {
            DatasetFormat::Parquet | DatasetFormat::Delta { .. } | DatasetFormat::Postgres => {
                more.clone()
            }
            DatasetFormat::Csv { .. } | DatasetFormat::JsonLines => self.as_declared(more),
        };
        let guessed = self.format != DatasetFormat::Parquet;
        let more = if guessed { self.as_guessed_before(&more) } else { more };
        self.fields = fields::unite(&self.fields, &more).map_err(|found| {
            let root = found.field.split('.').next().unwrap_or_default();
            let known = self.fields.find(root).map_or("", |(position, _)| &self.seen_in[position]);
            let message =
                format!("the field is {} here, but {} in {known}", found.there, found.here);
            Error::input(location, message)
                .at_field(found.field)
                .with_hint("All files of a dataset have to agree on the type of a field.")
        })?;
        self.seen_in.resize_with(self.fields.len(), || location.to_owned());
        Ok(())
    }

    fn as_declared(&self, found: &Fields) -> Fields {
        let declared = |field: &FieldRef| {
            let entry = self.declared.iter().find(|(name, _)| name == field.name());
            entry.map_or_else(
                || Arc::clone(field),
                |(name, kind)| Arc::new(Field::new(name, fields::arrow_type(kind), true)),
            )
        };
        found.iter().map(declared).collect()
    }

    /// Lets whole and floating point numbers, guessed from different files, be one type.
    fn as_guessed_before(&mut self, more: &Fields) -> Fields {
        let mut known: Vec<FieldRef> = self.fields.iter().cloned().collect();
        let mut more: Vec<FieldRef> = more.iter().cloned().collect();
        for known in &mut known {
            let Some(field) = more.iter_mut().find(|field| field.name() == known.name()) else {
                continue;
            };
            let joined = fields::unite_guesses(known.data_type(), field.data_type());
            if let Some(joined) = joined {
                *known = Arc::new(Field::new(known.name(), joined, true));
                *field = Arc::clone(known);
            }
        }
        self.fields = known.into();
        more.into()
    }

    /// The fields of the dataset, with those that are declared.
    fn finish(self, dataset: &Dataset) -> Result<Fields, Error> {
        let mut united: Vec<FieldRef> =
            fields::nulls_as_text(&self.fields).iter().cloned().collect();
        for (name, kind) in self.declared {
            let found = united.iter().find(|field| field.name() == name);
            match (found, self.format) {
                (None, DatasetFormat::JsonLines) => {
                    united.push(Arc::new(Field::new(name, fields::arrow_type(kind), true)));
                }
                (None, _) => return Err(undeclared(dataset, name, &united)),
                (Some(field), DatasetFormat::Parquet) => {
                    let found = fields::kind_of(field.data_type());
                    if found.name() != kind.name() {
                        let message =
                            format!("declared as {}, but it is {}", kind.name(), found.name());
                        return Err(invalid_type(dataset, name, message));
                    }
                }
                (Some(_), DatasetFormat::Csv { .. }) if !kind.is_scalar() => {
                    let message = format!("a {} cannot be read from CSV", kind.name());
                    return Err(invalid_type(dataset, name, message));
                }
                (Some(_), _) => {}
            }
        }
        Ok(united.into())
    }
}

fn invalid_type(dataset: &Dataset, field: &str, message: String) -> Error {
    Error::new(Kind::Invalid, "invalid_type", message).in_file(&dataset.location).at_field(field)
}

fn undeclared(dataset: &Dataset, name: &str, fields: &[FieldRef]) -> Error {
    let names = fields.iter().map(|field| field.name().as_str());
    let error =
        invalid_type(dataset, name, "a type is declared for a field that no file has".into());
    match plan::nearest::nearest(name, names) {
        Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
        None => error,
    }
}
