//! Who is in, and as which columns: the rule and the mapping of a query, ready to be applied to
//! batches of records.

mod column;
mod condition;
mod present;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::compute::FilterBuilder;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use plan::Query;
use plan::project::Column;

use self::column::{Output, Source};
pub(crate) use self::condition::{Condition, Inputs, failed_value, wrong_expression};
use self::condition::{broken, check_answers};
pub(crate) use self::present::present;
pub(crate) use self::told::{Marks, Records, Spot};
use crate::consent::Consent;
use crate::error::{Error, Kind};
use crate::expression::{self, Parsed, in_segment};
use crate::fields;
use crate::identity_rows::IdentityView;
use crate::members::{Members, times_of};
use crate::path::Steps;
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
    /// How columns see the identity of a row, where rows are for identities.
    identity: Option<IdentityView>,
    mandatory: Vec<usize>,
    /// Headers and types of the columns.
    pub(crate) schema: SchemaRef,
    /// The fields that have to be read.
    pub(crate) needed: BTreeSet<Steps>,
    /// Those that are texts which become columns as they are and which nothing else looks at.
    pub(crate) coded: BTreeSet<Steps>,
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
    /// The rows as bits of the `records` that were selected from.
    pub(crate) fn taken(&self, records: usize) -> BooleanBuffer {
        if self.complete.is_none() {
            return self.members.clone();
        }
        let mut taken = BooleanBufferBuilder::new(records);
        taken.append_n(records, false);
        self.positions().into_iter().for_each(|position| taken.set_bit(position, true));
        taken.finish()
    }

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
        let parse = |text: &str, fields: &plan::Schema, place: &str| {
            let parsed = Parsed::new(text, fields);
            let parsed = parsed.map_err(|error| wrong_expression(error, place))?;
            check_answers(&parsed, schema)?;
            Ok::<_, Error>(parsed)
        };
        let identity = IdentityView::of(schema);
        let column_schema =
            identity.as_ref().map_or_else(|| schema.clone(), |it| it.schema(schema));
        let column_fields = fields::describe(&column_schema);
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
            let parse = |text: &str| parse(text, &column_fields, &column.header);
            sources.push(Source::of(column, &plan_schema, parse)?);
        }
        for path in parts.hidden {
            if path.data_type(schema).is_none() {
                let message = format!("the dataset has no field `{path}`");
                let error = Error::new(Kind::Invalid, "unknown_field", message);
                return Err(error.at_field("timestamp"));
            }
            sources.push(Source::Path(path.clone()));
        }
        let is_looked_at = |number: usize, source: &Source| {
            !matches!(source, Source::Path(_))
                || parts.columns.get(number).is_none_or(|column| column.mandatory)
        };
        let looked_at = sources.iter().enumerate().filter(|(number, it)| is_looked_at(*number, it));
        let looked_at: Vec<Steps> = looked_at.flat_map(|(_, it)| it.paths()).cloned().collect();
        let mut paths: Vec<Steps> = sources.iter().flat_map(Source::paths).cloned().collect();
        paths.sort();
        paths.dedup();
        let inputs = Inputs::new(paths, &column_schema);
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
        let source =
            |path: &Steps| identity.as_ref().map_or_else(|| path.clone(), |it| it.source(path));
        let named = membership.paths().chain(consent.iter().flat_map(Consent::paths));
        let named: Vec<Steps> = named.cloned().chain(inputs.paths.iter().map(source)).collect();
        let around = Around { segments: &parts.query.segments, survey, evaluated_at };
        let terms = Terms::new(named.iter(), around)?;
        let of_rule = membership.paths().chain(consent.iter().flat_map(Consent::paths));
        let looked_at: BTreeSet<&Steps> = of_rule.chain(terms.paths()).chain(&looked_at).collect();
        let coded = match identity {
            None => inputs.coded(&looked_at),
            Some(_) => BTreeSet::new(),
        };
        let is_read = |path: &&Steps| in_segment::written(path).is_none();
        let needed = named.iter().chain(terms.paths());
        let needed = needed.filter(is_read).cloned().collect();
        let withheld = match parts.who {
            Who::Left { kept } if consent.is_some() => {
                let of_profile = |&column: &usize| {
                    matches!(outputs[column], Output::Input(_) | Output::Compiled(_))
                };
                // What is hidden is not sent.
                (0..parts.columns.len())
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
            identity,
            mandatory,
            schema,
            needed,
            coded,
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

    /// Whether what becomes of a record depends on where it stands, besides its values.
    pub(crate) fn rests_on_places(&self) -> bool {
        let is_told = self.outputs.iter().any(|output| matches!(output, Output::Time(_)));
        matches!(self.membership, Membership::Known(_))
            || (is_told && self.times.as_ref().is_some_and(|times| times.since.is_some()))
            || self.terms.rest_on_places()
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
            Membership::Known(known) => Ok(Records::of(records, spot).bits(&known.set)),
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

    /// The columns that are withheld from the first of these records if that is of somebody who left.
    pub(crate) fn withheld_of(
        &self,
        records: &RecordBatch,
        spot: Spot<'_>,
    ) -> Result<&[usize], Error> {
        let Some(consent) = &self.consent else { return Ok(&[]) };
        let records = &self.terms.extend(records, spot)?;
        Ok(if consent.given(records)?.value(0) { &[] } else { &self.withheld })
    }

    fn columns(
        &self,
        records: &RecordBatch,
        members: &BooleanBuffer,
        rows: usize,
        marks: Option<&Marks>,
        spot: Spot<'_>,
    ) -> Result<Vec<ArrayRef>, Error> {
        let mut inputs = match &self.identity {
            None => self.inputs.extract(records)?,
            Some(identity) => self.inputs.extract(&identity.batch(records)?)?,
        };
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
                (Output::Status, _) => Ok(told::status(marks, members, rows)),
                (Output::Operation, _) => Ok(told::operation(marks, members, rows)),
                (Output::Time(time), _) => {
                    let at = (spot, Records::of(records, spot));
                    Ok(told::times(*time, marks, members, rows, at))
                }
            })
            .collect()
    }

    /// What a column says of those who left and have no record any more, if it is the membership that
    /// it tells about.
    pub(crate) fn column_of_the_gone(&self, column: usize, rows: usize) -> Option<ArrayRef> {
        self.outputs[column].of_the_gone(rows)
    }

    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Error> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = with_types_of(&self.schema, &columns);
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(broken)
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

/// The schema of columns, some of which may have come as dictionaries.
fn with_types_of(schema: &SchemaRef, columns: &[ArrayRef]) -> SchemaRef {
    let types = || columns.iter().map(|column| column.data_type());
    if schema.fields().iter().map(|field| field.data_type()).eq(types()) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().zip(types());
    let fields = fields.map(|(field, data_type)| Field::new(field.name(), data_type.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
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
