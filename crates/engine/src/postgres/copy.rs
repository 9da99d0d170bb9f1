//! The stream of `COPY … TO STDOUT (FORMAT binary)`, as batches of rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::describe::Column;
use super::refusal;
use super::values::{Unfit, Values};
use crate::error::{Error, Kind};
use crate::parquet_file::{BATCH_BYTES_TARGET, BATCH_ROWS_MAX};

/// The largest row, in bytes.
pub(super) const ROW_BYTES_MAX: usize = 256 << 20;
/// Begins every stream.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Takes in the bytes of a stream and gives batches.
pub(super) struct Rows<'a> {
    place: &'a str,
    columns: &'a [Column],
    schema: SchemaRef,
    values: Vec<Values>,
    /// Bytes that are not a whole row yet.
    rest: Vec<u8>,
    rows_in_batch: usize,
    bytes_in_batch: usize,
    /// Rows so far.
    pub(super) rows: u64,
    has_begun: bool,
    has_ended: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(place: &'a str, columns: &'a [Column], schema: SchemaRef) -> Self {
        Self {
            place,
            columns,
            schema,
            values: columns.iter().map(|column| Values::new(&column.kind)).collect(),
            rest: Vec::new(),
            rows_in_batch: 0,
            bytes_in_batch: 0,
            rows: 0,
            has_begun: false,
            has_ended: false,
        }
    }

    /// Takes bytes in; gives a batch when there are enough rows for one.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<RecordBatch>, Error> {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut used = 0;
        if !self.has_begun {
            used = self.header(&rest)?;
        }
        while self.has_begun && !self.has_ended {
            match row_length(&rest[used..], self.columns.len()) {
                Some(Row::Whole(length)) => {
                    self.row(&rest[used..used + length])?;
                    used += length;
                }
                Some(Row::End) => {
                    used += 2;
                    self.has_ended = true;
                }
                Some(Row::Broken) => return Err(refusal::odd(self.place)),
                None => break,
            }
        }
        self.rest = rest;
        self.rest.drain(..used);
        if self.rest.len() > ROW_BYTES_MAX || self.has_ended && !self.rest.is_empty() {
            return Err(match self.has_ended {
                true => refusal::odd(self.place),
                false => self.too_large(),
            });
        }
        let is_full = self.rows_in_batch >= BATCH_ROWS_MAX
            || self.bytes_in_batch as u64 >= BATCH_BYTES_TARGET;
        if is_full { self.batch().map(Some) } else { Ok(None) }
    }

    /// The last rows. The stream has to have come to its own end.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, Error> {
        if !self.has_ended {
            return Err(refusal::lost(self.place, &format!("after {} rows", self.rows)));
        }
        self.batch()
    }

    fn header(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let known = bytes.len().min(SIGNATURE.len());
        if bytes[..known] != SIGNATURE[..known] {
            return Err(refusal::odd(self.place));
        }
        let Some(fixed) = bytes.get(..SIGNATURE.len() + 8) else { return Ok(0) };
        let extension: [u8; 4] = fixed[SIGNATURE.len() + 4..].try_into().unwrap_or_default();
        let length = fixed.len() + u32::from_be_bytes(extension) as usize;
        if length > ROW_BYTES_MAX {
            return Err(refusal::odd(self.place));
        }
        if bytes.len() < length {
            return Ok(0);
        }
        self.has_begun = true;
        Ok(length)
    }

    fn row(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.bytes_in_batch += bytes.len();
        bytes = &bytes[2..];
        for (column, values) in self.columns.iter().zip(&mut self.values) {
            let (size, behind) = bytes.split_at(4);
            let size = i32::from_be_bytes(size.try_into().unwrap_or_default());
            // Only a missing value has a negative length.
            let length = usize::try_from(size).unwrap_or(0);
            let (value, behind) = behind.split_at(length);
            bytes = behind;
            values.push((size >= 0).then_some(value)).map_err(|unfit| {
                unfit_value(self.place, unfit).at_row(self.rows + 1).at_field(&column.name)
            })?;
        }
        self.rows += 1;
        self.rows_in_batch += 1;
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch, Error> {
        let arrays = self.values.iter_mut().map(Values::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows_in_batch));
        (self.rows_in_batch, self.bytes_in_batch) = (0, 0);
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|_| Error::internal("rows of a database do not fit their own columns"))
    }

    fn too_large(&self) -> Error {
        let message = format!("a row is larger than {ROW_BYTES_MAX} bytes");
        Error::new(Kind::Resources, "too_large", message)
            .in_file(self.place)
            .at_row(self.rows + 1)
            .with_hint("Leave large columns out with a `query`.")
    }
}

enum Row {
    Whole(usize),
    End,
    Broken,
}

/// How long the row at the front is; nothing if it is not whole yet.
fn row_length(bytes: &[u8], columns: usize) -> Option<Row> {
    let count = i16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
    if count == -1 {
        return Some(Row::End);
    }
    if usize::try_from(count) != Ok(columns) {
        return Some(Row::Broken);
    }
    let mut at = 2;
    for _ in 0..columns {
        let size = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        at += 4;
        match usize::try_from(size) {
            Ok(size) => at += size,
            Err(_) if size == -1 => {}
            Err(_) => return Some(Row::Broken),
        }
    }
    (bytes.len() >= at).then_some(Row::Whole(at))
}

fn unfit_value(place: &str, unfit: Unfit) -> Error {
    let (message, hint) = match unfit {
        Unfit::Broken => ("a value is not of its column's type", ""),
        Unfit::Endless => (
            "a value is `infinity` or `NaN`, which files cannot hold",
            "Replace it in a `query`, for example with `nullif(valid_until, 'infinity')`, or declare the field as `string` under `types:`.",
        ),
        Unfit::Nested => {
            ("a list holds lists", "Read it as text: declare the field as `string` under `types:`.")
        }
    };
    let error = Error::new(Kind::Invalid, "database_value", message).in_file(place);
    if hint.is_empty() { error } else { error.with_hint(hint) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::describe::Description;
    use crate::postgres::values::Kind as ValueKind;

    fn stream(rows: &[(i64, Option<&str>)]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        for (id, name) in rows {
            bytes.extend(2_i16.to_be_bytes());
            bytes.extend(8_i32.to_be_bytes());
            bytes.extend(id.to_be_bytes());
            bytes.extend(name.map_or(-1, |name| name.len() as i32).to_be_bytes());
            bytes.extend(name.unwrap_or_default().as_bytes());
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    fn description() -> Description {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        Description {
            name: "t".to_owned(),
            columns: vec![column("id", ValueKind::Int64), column("name", ValueKind::Text)],
            select: String::new(),
        }
    }

    /// However the stream is cut, the rows are the same; without its end it is an error.
    #[test]
    fn streams_are_read_whole_or_not_at_all() {
        let description = description();
        let bytes = stream(&[(1, Some("Zoé")), (2, None), (3, Some(""))]);
        for step in 1..bytes.len() {
            let mut rows = Rows::new("db", &description.columns, description.schema());
            for part in bytes.chunks(step) {
                assert!(rows.take(part).expect("the stream is right").is_none());
            }
            let batch = rows.finish().expect("the stream is whole");
            assert_eq!((batch.num_rows(), batch.column(1).null_count()), (3, 1), "{step}");
        }
        for cut in 0..bytes.len() {
            let mut rows = Rows::new("db", &description.columns, description.schema());
            rows.take(&bytes[..cut]).expect("so far it is right");
            let error = rows.finish().expect_err("the end is missing");
            assert_eq!(error.code(), "database_lost", "{cut}");
        }
        let mut rows = Rows::new("db", &description.columns, description.schema());
        assert!(rows.take(b"HTTP/1.1 400").is_err());
    }
}
