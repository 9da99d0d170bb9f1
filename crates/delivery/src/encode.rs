//! Rows become what files are made of: Arrow batches to lines of CSV, TSV or JSON, or to the columns of
//! a Parquet file.
//!
//! The rules of cells are the output contract in `docs/output.md`; `rules` holds them all. The
//! encoder is pure: the same batch and settings give the same bytes. Where files begin and end
//! ([`crate::split`]), character sets ([`crate::charset`]) and compression ([`crate::compress`])
//! are not its business, nor is the Parquet file itself ([`crate::table`]): for one, the encoder only
//! brings columns into the types that Parquet has and measures the rows.
//!
//! How lines are made: 64 rows at a time, each column writes its cells into a lane of fixed-size slots
//! (one tight loop per type), then the lanes are joined row by row with copies of fixed size. A cell
//! that is surely plain is recognised by a few wide instructions; any other takes the careful way
//! through all the rules. A row of JSON is the same with names between the cells.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
//! use plan::file_format::{FileFormat, Layout};
//!
//! let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Zoë, Dr."), None, Some("")]));
//! let points: ArrayRef = Arc::new(Int64Array::from(vec![1200, 0, -3]));
//! let batch = RecordBatch::try_from_iter([("name", names), ("points", points)])?;
//! let encoder = delivery::encode::Encoder::new(&FileFormat::new(Layout::Csv), &batch.schema())?;
//! assert_eq!(encoder.header(), b"name,points\n");
//! assert_eq!(encoder.encode(&batch)?.text, "\"Zoë, Dr.\",1200\n,0\n\"\",-3\n".as_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use plan::file_format::{COLUMNS_MAX, FileFormat, Layout};

use crate::buffers::Buffers;

mod calendar;
mod chunk;
mod column;
mod columns;
mod dictionary;
mod error;
mod json;
mod json_string;
mod json_value;
mod lane;
mod lines;
mod measure;
mod number;
mod rows;
mod rules;
mod scalar;
#[cfg(test)]
mod tests;
mod text;

pub use chunk::Chunk;
pub use error::{Error, Problem};

use column::Unsupported;
use columns::Columns;
use lines::Lines;

/// How deep lists, structs and maps may be nested inside each other.
pub const NESTING_MAX: usize = 64;

/// Writes batches of one schema in one format. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Encoder {
    shared: Arc<Shared>,
}

struct Shared {
    form: Form,
    /// Texts of chunks that are done with.
    texts: Arc<Buffers>,
}

enum Form {
    Lines(Box<Lines>),
    Columns(Columns),
}

/// What every file of a run begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A text, possibly none.
    Text(Vec<u8>),
    /// The columns of a Parquet file, which its footer describes.
    Columns(SchemaRef),
}

/// The most texts of chunks that are kept to be used again.
const TEXTS_KEPT_MAX: usize = 32;

impl Encoder {
    /// Prepares to write batches of `schema`, whose column names are the headers.
    ///
    /// # Errors
    /// When there are no columns, too many, or two of one name; when a type has no form in the file;
    /// when the settings contradict each other or cannot write a header.
    pub fn new(format: &FileFormat, schema: &Schema) -> Result<Self, Error> {
        let headers: Vec<String> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        check_headers(&headers)?;
        for field in schema.fields() {
            if nesting(field.data_type()) > NESTING_MAX {
                return Err(Unsupported(field.data_type().clone()).in_column(field.name()));
            }
        }
        let form = match format.layout {
            Layout::Parquet => Form::Columns(Columns::new(schema)?),
            _ => Form::Lines(Box::new(Lines::new(format, schema, headers)?)),
        };
        Ok(Self { shared: Arc::new(Shared { form, texts: Buffers::new(TEXTS_KEPT_MAX) }) })
    }

    /// Returns the line of headers with its line end, in UTF-8; nothing when headers are off or the
    /// format has none.
    pub fn header(&self) -> Vec<u8> {
        match &self.shared.form {
            Form::Lines(lines) => lines.header().to_vec(),
            Form::Columns(_) => Vec::new(),
        }
    }

    /// Whether columns of text may come as dictionaries of texts, whatever the schema says.
    pub fn takes_dictionaries(&self) -> bool {
        matches!(self.shared.form, Form::Lines(_))
    }

    /// Returns what every file begins with.
    pub fn head(&self) -> Head {
        match &self.shared.form {
            Form::Lines(lines) => Head::Text(lines.header().to_vec()),
            Form::Columns(columns) => Head::Columns(columns.schema()),
        }
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// The first row that cannot be written, with its column and what is wrong there.
    pub fn encode(&self, batch: &RecordBatch) -> Result<Chunk, Error> {
        let text = match self.shared.form {
            Form::Lines(_) => self.shared.texts.take(),
            Form::Columns(_) => Vec::new(),
        };
        let mut chunk = Chunk { text, ..Chunk::default() };
        self.encode_into(batch, &mut chunk)?;
        Ok(chunk)
    }

    /// Where texts of chunks may be given back.
    pub(crate) fn texts(&self) -> Arc<Buffers> {
        Arc::clone(&self.shared.texts)
    }

    /// As [`Encoder::encode`], with the buffers of an earlier chunk, whose rows are lost.
    ///
    /// # Errors
    /// As [`Encoder::encode`]; the chunk then holds no useful rows.
    pub fn encode_into(&self, batch: &RecordBatch, chunk: &mut Chunk) -> Result<(), Error> {
        match &self.shared.form {
            Form::Lines(lines) => lines.encode_into(batch, chunk),
            Form::Columns(columns) => columns.encode_into(batch, chunk),
        }
    }
}

fn check_headers(headers: &[String]) -> Result<(), Error> {
    match headers.len() {
        0 => return Err(Error::NoColumns),
        count if count > COLUMNS_MAX => return Err(Error::TooManyColumns { count }),
        _ => {}
    }
    let mut seen: HashMap<String, &String> = HashMap::with_capacity(headers.len());
    for header in headers {
        if let Some(first) = seen.insert(header.to_lowercase(), header) {
            let (first, second) = (first.clone(), header.clone());
            return Err(Error::DuplicateColumn { first, second });
        }
    }
    Ok(())
}

/// How deep a type is nested; 0 for one without parts.
fn nesting(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => 1 + nesting(item.data_type()),
        DataType::Struct(fields) => {
            1 + fields.iter().map(|field| nesting(field.data_type())).max().unwrap_or(0)
        }
        DataType::Dictionary(_, values) => 1 + nesting(values),
        _ => 0,
    }
}
