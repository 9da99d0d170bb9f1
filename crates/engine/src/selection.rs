//! Who is in, and as which columns: the rule and the mapping of a query, ready to be applied to
//! batches of records.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::FilterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion_common::DataFusionError;
use jiff::Timestamp;
use plan::Query;
use plan::field::FieldPath;
use plan::project::{Column, ColumnSource};
use plan::schema::FieldType;

use crate::consent::Consent;
use crate::error::{Error, Kind};
use crate::expression::compile::{Compiled, compile, flat_schema};
use crate::expression::{self, Expect, ExpressionError, Parsed, in_segment};
use crate::fields;
use crate::members::{Members, times_of};
use crate::path::Steps;
use crate::row_set::RowSet;
use crate::survey::Survey;
use crate::terms::{Around, Terms};

/// A rule and columns, compiled for one dataset.
#[derive(Debug)]
pub(crate) struct Selection {
    membership: Membership,
    /// Since when members are so, if that was found out.
    times: Option<Arc<Members>>,
    /// Who may be sent, if anything asks that.
    consent: Option<Consent>,
    /// Columns that are withheld from those who left and may not be sent.
    withheld: Vec<usize>,
    /// The other segments that rule and columns name.
    terms: Terms,
    inputs: Inputs,
    outputs: Vec<Output>,
    mandatory: Vec<usize>,
    /// Headers and types of the columns.
    pub(crate) schema: SchemaRef,
    /// The fields that have to be read.
    pub(crate) needed: BTreeSet<Steps>,
}

#[derive(Debug)]
enum Output {
    Input(usize),
    Compiled(Compiled),
    Status,
    Operation,
    Time(i64),
}

/// Who is a member.
#[derive(Debug)]
enum Membership {
    /// Everybody.
    Everyone,
    /// For whom the rule is true.
    Rule(Condition),
    /// Who was found to be one before.
    Known(Arc<Members>),
}

/// Where a batch stands in the profiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) morsel: usize,
    /// Position in the morsel of the first record.
    pub(crate) first_row: u64,
    /// Since when members of the morsel are so who are no new ones, sorted by row; nothing where that
    /// is not known.
    pub(crate) since: Option<&'a [(u64, i64)]>,
}

impl Spot<'_> {
    /// The bits of the batch in a set.
    pub(crate) fn bits(&self, set: &RowSet, rows: usize) -> BooleanBuffer {
        let bits = set.slice(self.morsel, self.first_row, rows);
        bits.unwrap_or_else(|| BooleanBuffer::new_unset(rows))
    }
}

/// An expression that is true or false for each record.
#[derive(Debug)]
pub(crate) struct Condition {
    compiled: Compiled,
    inputs: Inputs,
    /// What it is, for messages: `rule`.
    place: String,
}

/// Flat columns taken out of the records.
#[derive(Debug)]
pub(crate) struct Inputs {
    paths: Vec<Steps>,
    schema: SchemaRef,
}

/// Which records a pass looks at, by position in the batch.
#[derive(Debug, Clone)]
pub(crate) enum Restriction {
    /// All.
    None,
    /// Those whose bit is set.
    Only(BooleanBuffer),
    /// Those whose bit is not set; members among the others are counted as duplicates.
    Without(BooleanBuffer),
    /// Those whose bit is set, whether they are members or not.
    Exactly { rows: BooleanBuffer, marks: Marks },
}

/// Why records are sent that are not simply members.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    /// They were sent before, with other attributes.
    pub(crate) changed: BooleanBuffer,
    /// They are not in the set any more.
    pub(crate) removed: BooleanBuffer,
    /// Since when changed ones are in the set, by position, sorted; in microseconds.
    pub(crate) since: Vec<(usize, i64)>,
}

/// What became of a batch of records.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The rows, with the columns of the selection.
    pub(crate) batch: RecordBatch,
    /// Members of the segment.
    pub(crate) received: u64,
    /// Members left out for each reason, in the order of [`Selection::reasons`].
    pub(crate) left_out: Vec<u64>,
    /// Members left out by [`Restriction::Without`].
    pub(crate) duplicates: u64,
    members: BooleanBuffer,
    complete: Option<BooleanBuffer>,
}

impl Selected {
    /// The positions, in the batch that was selected from, of the rows.
    pub(crate) fn positions(&self) -> Vec<usize> {
        let members = self.members.set_indices();
        match &self.complete {
            None => members.collect(),
            Some(complete) => {
                let with_bit = members.enumerate().filter(|&(row, _)| complete.value(row));
                with_bit.map(|(_, position)| position).collect()
            }
        }
    }
}

/// Whom a selection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who<'a> {
    /// The members of the query who may be sent.
    Members,
    /// Everybody.
    Everyone,
    /// Everybody; of those who left and may not be sent, only `kept` columns and what is said of
    /// their membership.
    Left { kept: &'a [usize] },
}

/// What a selection is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) who: Who<'a>,
    pub(crate) columns: &'a [Column],
    /// More columns, behind the others and without headers.
    pub(crate) hidden: &'a [Steps],
    /// Whose rule it is, and what the expressions of columns rest on.
    pub(crate) query: &'a Query,
}

impl Selection {
    /// Compiles a rule and columns.
    ///
    /// # Errors
    /// An unknown field, a wrong expression, a type that cannot be written.
    pub(crate) fn new(parts: Parts<'_>, survey: &Survey) -> Result<Self, Error> {
        expression::with_stack(|| Self::compile(parts, survey))
    }

    /// The same on a stack for expressions.
    pub(crate) fn compile(parts: Parts<'_>, survey: &Survey) -> Result<Self, Error> {
        let schema = survey.schema.as_ref();
        let plan_schema = fields::describe(schema);
        let parse = |text: &str, place: &str| {
            let parsed = Parsed::new(text, &plan_schema);
            let parsed = parsed.map_err(|error| wrong_expression(error, place))?;
            check_answers(&parsed, schema)?;
            Ok::<_, Error>(parsed)
        };
        let evaluated_at = parts.query.evaluated_at;
        let membership = Membership::of(parts, survey)?;
        let consent = match parts.who {
            Who::Everyone => None,
            Who::Members | Who::Left { .. } => {
                Consent::new(&parts.query.consent, schema, evaluated_at)?
            }
        };
        let mut sources = Vec::new();
        for column in parts.columns {
            sources.push(match &column.source {
                ColumnSource::Field(path) => {
                    Source::Path(known(path, &plan_schema, &column.header)?)
                }
                ColumnSource::Expression { text, .. } => {
                    Source::Parsed(Box::new(parse(text, &column.header)?))
                }
                ColumnSource::MembershipStatus => Source::Status,
                ColumnSource::MembershipOperation => Source::Operation,
                ColumnSource::LastQualificationTime => Source::Time,
            });
        }
        for path in parts.hidden {
            if path.data_type(schema).is_none() {
                let message = format!("the dataset has no field `{path}`");
                let error = Error::new(Kind::Invalid, "unknown_field", message);
                return Err(error.at_field("timestamp"));
            }
            sources.push(Source::Path(path.clone()));
        }
        let mut paths: Vec<Steps> = sources.iter().flat_map(Source::paths).cloned().collect();
        paths.sort();
        paths.dedup();
        let inputs = Inputs::new(paths, schema);
        let mut outputs = Vec::new();
        let mut output_fields = Vec::new();
        for (number, source) in sources.into_iter().enumerate() {
            let header = parts.columns.get(number).map_or("", |column| column.header.as_str());
            let output = source.output(&inputs, evaluated_at, header)?;
            output_fields.push(Field::new(header, output.data_type(&inputs), true));
            outputs.push(output);
        }
        let marked = parts.columns.iter().enumerate().filter(|(_, column)| column.mandatory);
        let mandatory = marked.map(|(number, _)| number).collect();
        let named = membership.paths().chain(consent.iter().flat_map(Consent::paths));
        let named: Vec<&Steps> = named.chain(&inputs.paths).collect();
        let around = Around { segments: &parts.query.segments, survey, evaluated_at };
        let terms = Terms::new(named.iter().copied(), around)?;
        let is_read = |path: &&Steps| in_segment::written(path).is_none();
        let needed = named.iter().copied().chain(terms.paths());
        let needed = needed.filter(is_read).cloned().collect();
        let withheld = match parts.who {
            Who::Left { kept } if consent.is_some() => {
                let of_profile = |&column: &usize| {
                    matches!(outputs[column], Output::Input(_) | Output::Compiled(_))
                };
                (0..outputs.len())
                    .filter(|column| !kept.contains(column))
                    .filter(of_profile)
                    .collect()
            }
            _ => Vec::new(),
        };
        let schema = Arc::new(Schema::new(output_fields));
        let times = survey.known.members(parts.query);
        Ok(Self {
            membership,
            times,
            consent,
            withheld,
            terms,
            inputs,
            outputs,
            mandatory,
            schema,
            needed,
        })
    }

    /// The reasons for which members are left out: no consent, then no value, in column order.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = String> {
        let consent = self.asks_consent().then(|| "consent".to_owned());
        let headers = self.mandatory.iter().map(|&column| self.schema.field(column).name());
        consent.into_iter().chain(headers.map(|header| format!("missing:{header}")))
    }

    fn asks_consent(&self) -> bool {
        self.consent.is_some() && !matches!(self.membership, Membership::Everyone)
    }

    /// Since when members of a morsel are so, where that was found out and a column tells it.
    ///
    /// # Errors
    /// Temporary files cannot be read.
    pub(crate) fn since(&self, morsel: usize) -> Result<Option<Vec<(u64, i64)>>, Error> {
        let is_told = self.outputs.iter().any(|output| matches!(output, Output::Time(_)));
        match self.times.as_ref().and_then(|members| members.since.as_ref()) {
            Some(times) if is_told => times_of(times, morsel).map(Some),
            _ => Ok(None),
        }
    }

    /// Applies the rule and the mapping to a batch of records.
    pub(crate) fn select(
        &self,
        records: &RecordBatch,
        restriction: &Restriction,
        spot: Spot<'_>,
    ) -> Result<Selected, Error> {
        let records = &self.terms.extend(records, spot)?;
        let (members, marks) = match restriction {
            Restriction::Exactly { rows, marks } => (rows.clone(), Some(marks)),
            _ => (self.members(records, spot)?, None),
        };
        let mut received = members.count_set_bits() as u64;
        let mut duplicates = 0;
        let (members, refused) = match (restriction, &self.consent) {
            (Restriction::Exactly { .. }, _) | (_, None) => (members, 0),
            (_, Some(_)) if !self.asks_consent() => (members, 0),
            (_, Some(consent)) => {
                let given = &members & &consent.given(records)?;
                let refused = received - given.count_set_bits() as u64;
                (given, refused)
            }
        };
        let members = match restriction {
            Restriction::None | Restriction::Exactly { .. } => members,
            Restriction::Only(bits) => {
                let members = &members & bits;
                received = members.count_set_bits() as u64;
                members
            }
            Restriction::Without(bits) => {
                let kept = &members & &!bits;
                duplicates = (members.count_set_bits() - kept.count_set_bits()) as u64;
                kept
            }
        };
        let rows = members.count_set_bits();
        let mut columns = self.columns(records, &members, rows, marks, spot)?;
        if let Some(marks) = marks {
            self.withhold(&mut columns, records, &members, marks)?;
        }
        let batch = self.batch(columns, rows)?;
        let (complete, missing) = self.complete(&batch);
        let refused = self.asks_consent().then_some(refused);
        let left_out = refused.into_iter().chain(missing).collect();
        let batch = match &complete {
            None => batch,
            Some(complete) => {
                let mask = BooleanArray::new(complete.clone(), None);
                arrow::compute::filter_record_batch(&batch, &mask).map_err(broken)?
            }
        };
        Ok(Selected { batch, received, left_out, duplicates, members, complete })
    }

    fn members(&self, records: &RecordBatch, spot: Spot<'_>) -> Result<BooleanBuffer, Error> {
        match &self.membership {
            Membership::Everyone => Ok(BooleanBuffer::new_set(records.num_rows())),
            Membership::Rule(rule) => rule.holds(records),
            Membership::Known(known) => Ok(spot.bits(&known.set, records.num_rows())),
        }
    }

    /// Takes the attributes out of rows of those who left and may not be sent: they are told that
    /// their row is void, and nothing else.
    fn withhold(
        &self,
        columns: &mut [ArrayRef],
        records: &RecordBatch,
        rows: &BooleanBuffer,
        marks: &Marks,
    ) -> Result<(), Error> {
        let Some(consent) = self.consent.as_ref().filter(|_| !self.withheld.is_empty()) else {
            return Ok(());
        };
        let silent = &marks.removed & &!&consent.given(records)?;
        if (&silent & rows).count_set_bits() == 0 {
            return Ok(());
        }
        let silent: BooleanArray = rows.set_indices().map(|row| Some(silent.value(row))).collect();
        for &column in &self.withheld {
            columns[column] = arrow::compute::nullif(&columns[column], &silent).map_err(broken)?;
        }
        Ok(())
    }

    fn columns(
        &self,
        records: &RecordBatch,
        members: &BooleanBuffer,
        rows: usize,
        marks: Option<&Marks>,
        spot: Spot<'_>,
    ) -> Result<Vec<ArrayRef>, Error> {
        let mut inputs = self.inputs.extract(records)?;
        if rows < records.num_rows() {
            let mask = BooleanArray::new(members.clone(), None);
            let filter = FilterBuilder::new(&mask).optimize().build();
            for column in &mut inputs {
                *column = filter.filter(column).map_err(broken)?;
            }
        }
        let has_compiled = self.outputs.iter().any(|output| matches!(output, Output::Compiled(_)));
        let flat = if has_compiled { Some(self.inputs.batch(inputs.clone(), rows)?) } else { None };
        let outputs = self.outputs.iter().zip(self.schema.fields());
        outputs
            .map(|(output, field)| match (output, &flat) {
                (Output::Input(input), _) => Ok(Arc::clone(&inputs[*input])),
                (Output::Compiled(compiled), Some(flat)) => {
                    let failed = |error: DataFusionError| failed_value(&error, field.name());
                    let value = compiled.expression.evaluate(flat).map_err(failed)?;
                    value.into_array(rows).map_err(failed)
                }
                (Output::Compiled(_), None) => Err(Error::internal("no input for an expression")),
                (Output::Status, _) => Ok(status(marks, members, rows)),
                (Output::Operation, _) => Ok(operation(marks, members, rows)),
                (Output::Time(time), _) => Ok(times(*time, marks, members, rows, spot)),
            })
            .collect()
    }

    /// What a column says of those who left and have no record any more, if it is the membership that
    /// it tells about.
    pub(crate) fn column_of_the_gone(&self, column: usize, rows: usize) -> Option<ArrayRef> {
        let text = |text| {
            Some(Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(text, rows)))
                as ArrayRef)
        };
        match &self.outputs[column] {
            Output::Status => text(EXPIRED),
            Output::Operation => text(REMOVED),
            Output::Time(time) => {
                let times = TimestampMicrosecondArray::from_value(*time, rows);
                Some(Arc::new(times.with_timezone("UTC")))
            }
            Output::Input(_) | Output::Compiled(_) => None,
        }
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(broken)
    }

    /// Which rows have a value in each mandatory column, and how many lack one, each row counted
    /// at the first that it lacks. Nothing when every row is complete.
    fn complete(&self, batch: &RecordBatch) -> (Option<BooleanBuffer>, Vec<u64>) {
        let mut complete: Option<BooleanBuffer> = None;
        let mut missing = Vec::with_capacity(self.mandatory.len());
        for &column in &self.mandatory {
            let Some(present) = present(batch.column(column)) else {
                missing.push(0);
                continue;
            };
            let before = complete.as_ref().map_or(batch.num_rows(), BooleanBuffer::count_set_bits);
            let after = complete.as_ref().map_or_else(|| present.clone(), |known| known & &present);
            missing.push((before - after.count_set_bits()) as u64);
            complete = Some(after);
        }
        (complete.filter(|bits| bits.count_set_bits() < batch.num_rows()), missing)
    }
}

impl Membership {
    fn of(parts: Parts<'_>, survey: &Survey) -> Result<Self, Error> {
        let query = parts.query;
        Ok(match parts.who {
            Who::Everyone | Who::Left { .. } => Self::Everyone,
            Who::Members => match survey.known.members(query) {
                Some(known) => Self::Known(known),
                None => {
                    let (text, now) = (&query.rule.text, query.evaluated_at);
                    Self::Rule(Condition::new(text, "rule", &survey.schema, now)?)
                }
            },
        })
    }

    /// The columns that are read to tell it.
    fn paths(&self) -> std::slice::Iter<'_, Steps> {
        match self {
            Self::Rule(rule) => rule.paths(),
            Self::Everyone | Self::Known(_) => [].iter(),
        }
    }
}

impl Condition {
    /// Compiles an expression that is true or false; call it on a stack for expressions.
    ///
    /// # Errors
    /// The text does not fit the records; `place` says what it is.
    pub(crate) fn new(
        text: &str,
        place: &str,
        schema: &Schema,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let failed = |error| wrong_expression(error, place);
        let parsed = Parsed::new(text, &fields::describe(schema)).map_err(failed)?;
        check_answers(&parsed, schema)?;
        let inputs = Inputs::new(parsed.fields.clone(), schema);
        let compiled = compile(&parsed, &inputs.schema, Expect::Boolean, now).map_err(failed)?;
        Ok(Self { compiled, inputs, place: place.to_owned() })
    }

    /// The columns that it reads.
    pub(crate) fn paths(&self) -> std::slice::Iter<'_, Steps> {
        self.inputs.paths.iter()
    }

    /// For which records it is true: one that is neither true nor false for a record is not.
    ///
    /// # Errors
    /// It cannot be computed for a value.
    pub(crate) fn holds(&self, records: &RecordBatch) -> Result<BooleanBuffer, Error> {
        let failed = |error: DataFusionError| failed_value(&error, &self.place);
        let columns = self.inputs.extract(records)?;
        let flat = self.inputs.batch(columns, records.num_rows())?;
        let result = self.compiled.expression.evaluate(&flat).map_err(failed)?;
        let result = result.into_array(records.num_rows()).map_err(failed)?;
        let result = result.as_boolean();
        Ok(match result.nulls() {
            Some(nulls) => result.values() & nulls.inner(),
            None => result.values().clone(),
        })
    }
}

/// Where a column comes from, parsed.
enum Source {
    Path(Steps),
    Parsed(Box<Parsed>),
    Status,
    Operation,
    Time,
}

impl Source {
    fn paths(&self) -> &[Steps] {
        match self {
            Self::Path(path) => std::slice::from_ref(path),
            Self::Parsed(parsed) => &parsed.fields,
            Self::Status | Self::Operation | Self::Time => &[],
        }
    }

    fn output(self, inputs: &Inputs, now: Timestamp, header: &str) -> Result<Output, Error> {
        match self {
            Self::Path(path) => {
                let input = inputs.paths.binary_search(&path);
                let input = input.map_err(|_| Error::internal("a column without its field"))?;
                let found = fields::kind_of(inputs.schema.field(input).data_type());
                match found {
                    FieldType::Unsupported(name) => {
                        let message = format!("a value of type {name} cannot be written");
                        Err(Error::new(Kind::Invalid, "unsupported_type", message).at_field(header))
                    }
                    _ => Ok(Output::Input(input)),
                }
            }
            Self::Parsed(parsed) => compile(&parsed, &inputs.schema, Expect::Any, now)
                .map(Output::Compiled)
                .map_err(|error| wrong_expression(error, header)),
            Self::Status => Ok(Output::Status),
            Self::Operation => Ok(Output::Operation),
            Self::Time => Ok(Output::Time(now.as_microsecond())),
        }
    }
}

impl Output {
    fn data_type(&self, inputs: &Inputs) -> DataType {
        match self {
            Self::Input(input) => inputs.schema.field(*input).data_type().clone(),
            Self::Compiled(compiled) => compiled.data_type.clone(),
            Self::Status | Self::Operation => DataType::Utf8View,
            Self::Time(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

impl Inputs {
    pub(crate) fn new(paths: Vec<Steps>, schema: &Schema) -> Self {
        let flat = flat_schema(&paths, schema);
        Self { paths, schema: Arc::new(flat) }
    }

    /// What is read.
    pub(crate) fn paths(&self) -> &[Steps] {
        &self.paths
    }

    /// The flat columns.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn extract(&self, records: &RecordBatch) -> Result<Vec<ArrayRef>, Error> {
        let columns = self.paths.iter().zip(self.schema.fields());
        columns
            .map(|(path, field)| {
                path.extract(records, field.data_type()).map_err(|_| {
                    let kind = fields::kind_of(field.data_type());
                    let message = format!("a value cannot be read as {}", kind.name());
                    Error::new(Kind::Invalid, "invalid_input", message).at_field(path.to_string())
                })
            })
            .collect()
    }

    pub(crate) fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(broken)
    }
}

/// Which values are there: neither null nor an empty text. Nothing when all are.
pub(crate) fn present(column: &ArrayRef) -> Option<BooleanBuffer> {
    let has_text = match column.data_type() {
        DataType::Utf8 => empties(column.as_string::<i32>().iter()),
        DataType::LargeUtf8 => empties(column.as_string::<i64>().iter()),
        // The length is the lower half of a view.
        DataType::Utf8View => {
            let views = column.as_string_view().views();
            let has_empty = views.iter().any(|&view| view as u32 == 0);
            has_empty.then(|| views.iter().map(|&view| view as u32 != 0).collect())
        }
        _ => None,
    };
    let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    match (has_text, nulls) {
        (None, None) => None,
        (Some(text), None) => Some(text),
        (None, Some(nulls)) => Some(nulls.into_inner()),
        (Some(text), Some(nulls)) => Some(&text & nulls.inner()),
    }
}

fn empties<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Option<BooleanBuffer> {
    let has_empty = texts.clone().any(|text| text == Some(""));
    has_empty.then(|| texts.map(|text| text != Some("")).collect())
}

/// What is written of members and of those who left (behaviour reference §3.4).
const ACTIVE: &str = "active";
const EXPIRED: &str = "expired";
const ADDED: &str = "added";
const CHANGED: &str = "changed";
const REMOVED: &str = "removed";

fn status(marks: Option<&Marks>, members: &BooleanBuffer, rows: usize) -> ArrayRef {
    Arc::new(match marks {
        None => StringViewArray::from_iter_values(std::iter::repeat_n(ACTIVE, rows)),
        Some(marks) => members
            .set_indices()
            .map(|row| Some(if marks.removed.value(row) { EXPIRED } else { ACTIVE }))
            .collect(),
    })
}

fn operation(marks: Option<&Marks>, members: &BooleanBuffer, rows: usize) -> ArrayRef {
    let word = |marks: &Marks, row| match () {
        () if marks.removed.value(row) => REMOVED,
        () if marks.changed.value(row) => CHANGED,
        () => ADDED,
    };
    Arc::new(match marks {
        None => StringViewArray::from_iter_values(std::iter::repeat_n(ADDED, rows)),
        Some(marks) => members.set_indices().map(|row| Some(word(marks, row))).collect(),
    })
}

/// When members became so: now, but for those who were so before. Those who left did so now.
fn times(
    time: i64,
    marks: Option<&Marks>,
    members: &BooleanBuffer,
    rows: usize,
    spot: Spot<'_>,
) -> ArrayRef {
    let sent = marks.map_or(&[][..], |marks| &marks.since);
    let is_removed = |row: usize| marks.is_some_and(|marks| marks.removed.value(row));
    let times = match spot.since {
        Some([]) => TimestampMicrosecondArray::from_value(time, rows),
        Some(since) => {
            let first = spot.first_row;
            let known = |row: usize| since.binary_search_by_key(&(first + row as u64), |it| it.0);
            let told = |row: usize| match known(row) {
                Ok(found) if !is_removed(row) => since[found].1,
                _ => time,
            };
            TimestampMicrosecondArray::from_iter_values(members.set_indices().map(told))
        }
        None if sent.is_empty() => TimestampMicrosecondArray::from_value(time, rows),
        None => {
            let known = |row| sent.binary_search_by_key(&row, |(row, _)| *row);
            let told = |row| known(row).map_or(time, |found| sent[found].1);
            TimestampMicrosecondArray::from_iter_values(members.set_indices().map(told))
        }
    };
    Arc::new(times.with_timezone("UTC"))
}

/// Checks that what an expression asks of events has been answered.
fn check_answers(parsed: &Parsed, schema: &Schema) -> Result<(), Error> {
    let is_answered = |name: &str| schema.column_with_name(name).is_some();
    match parsed.queries.iter().all(|query| is_answered(&query.answer)) {
        true => Ok(()),
        false => Err(Error::internal("an expression asks for events that were not looked at")),
    }
}

/// Checks that the dataset has a mapped field.
fn known(path: &FieldPath, schema: &plan::Schema, header: &str) -> Result<Steps, Error> {
    match schema.resolve(path) {
        Ok(_) => Ok(Steps::from(path)),
        Err(unknown) => {
            let message = format!("the dataset has no field `{path}`");
            let error = Error::new(Kind::Invalid, "unknown_field", message).at_field(header);
            Err(match unknown.nearest {
                Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
                None => error,
            })
        }
    }
}

pub(crate) fn wrong_expression(error: ExpressionError, place: &str) -> Error {
    let message = format!("{} at character {}", error.message, error.offset + 1);
    let failed = Error::new(Kind::Invalid, error.code, message).at_field(place);
    match error.hint {
        Some(hint) => failed.with_hint(hint),
        None => failed,
    }
}

/// A value for which an expression cannot be computed. The engine's text would quote the value.
pub(crate) fn failed_value(error: &DataFusionError, place: &str) -> Error {
    use arrow::error::ArrowError;
    let message = match error.find_root() {
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero => "a division by zero",
            ArrowError::ArithmeticOverflow(_) => "a number became too large",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                "a value could not be converted"
            }
            _ => "the expression failed for a value",
        },
        DataFusionError::ResourcesExhausted(_) => "the expression needs too much memory",
        _ => "the expression failed for a value",
    };
    Error::new(Kind::Invalid, "expression_error", message)
        .at_field(place)
        .with_hint("Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.")
}

fn broken(_: arrow::error::ArrowError) -> Error {
    Error::internal("columns do not fit their own schema")
}
