//! Nested values as JSON: compact, keys sorted, nothing left out.
//!
//! Numbers and booleans are written as in a cell, with all digits; all other values are strings of
//! what a cell would hold. Missing parts are `null`. A number that is not finite is a string.
//! In delimited text such a value is one cell, in JSON lines it stands as it is.

use arrow_array::cast::AsArray;
use arrow_array::{Array, OffsetSizeTrait};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;
use plan::file_format::{CELL_BYTES_MAX, NonFinitePolicy, NulPolicy};

use super::column::{BoxedColumn, Column, Fault, Unsupported, Validity};
use super::error::Problem;
use super::json_string;
use super::lane::{Lane, Slot};
use super::rules::{CellKind, Rules};
use super::scalar::{self, Shape, Sink};
use super::text::Texts;

/// Finds the way to write the cells of a nested array.
///
/// # Errors
/// The first type inside it that has no form in JSON.
pub(super) fn resolve<'a>(
    array: &'a dyn Array,
    rules: &Rules,
) -> Result<BoxedColumn<'a>, Unsupported> {
    let validity = Validity::new(array.nulls());
    let style = Style { non_finite: rules.non_finite(), nul: rules.nul() };
    Ok(Box::new(Documents { validity, node: node(array, style)? }))
}

/// What to do with values that JSON, or its readers, have trouble with.
#[derive(Clone, Copy)]
struct Style {
    non_finite: NonFinitePolicy,
    nul: NulPolicy,
}

/// A column of JSON texts.
struct Documents<'a> {
    validity: Validity,
    node: BoxedNode<'a>,
}

impl Column for Documents<'_> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        let mut text = Vec::new();
        self.validity.fill((start, count), lane, |lane, row| {
            text.clear();
            self.node.append(start + row, &mut text)?;
            if rules.is_json() {
                lane.put_bare(row, &text);
                return Ok(());
            }
            lane.put_text(row, &text, CellKind::Nested, rules)
        })
    }
}

/// A part of nested values.
trait Node {
    /// Appends the JSON of one value, `null` if there is none.
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem>;
}

type BoxedNode<'a> = Box<dyn Node + 'a>;

fn node(array: &dyn Array, style: Style) -> Result<BoxedNode<'_>, Unsupported> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(Missing),
        DataType::Dictionary(..) => Box::new(keyed(array, style)?),
        DataType::Struct(_) => Box::new(object(array, style)?),
        DataType::Map(..) => Box::new(map(array, style)?),
        DataType::List(_) => Box::new(list::<i32>(array, style)?),
        DataType::LargeList(_) => Box::new(list::<i64>(array, style)?),
        DataType::ListView(_) => Box::new(list_view::<i32>(array, style)?),
        DataType::LargeListView(_) => Box::new(list_view::<i64>(array, style)?),
        DataType::FixedSizeList(..) => Box::new(fixed_list(array, style)?),
        _ => scalar::resolve(array, style.non_finite, Parts { style })?,
    })
}

/// Refuses to go on once the text is larger than a cell can be, so that one row cannot fill the
/// memory.
fn check_size(out: &[u8]) -> Result<(), Problem> {
    if out.len() > CELL_BYTES_MAX { Err(Problem::CellTooLarge) } else { Ok(()) }
}

fn is_null(nulls: &Option<NullBuffer>, index: usize) -> bool {
    nulls.as_ref().is_some_and(|nulls| nulls.is_null(index))
}

fn append_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

struct Missing;

impl Node for Missing {
    fn append(&self, _: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        append_null(out);
        Ok(())
    }
}

/// Makes nodes of scalar arrays.
struct Parts {
    style: Style,
}

impl<'a> Sink<'a> for Parts {
    type Output = BoxedNode<'a>;

    fn short<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedNode<'a>
    where
        F: Fn(usize, &mut Slot) -> Result<usize, Problem> + 'a,
    {
        Box::new(Leaf {
            nulls: nulls.cloned(),
            write: move |index, out: &mut Vec<u8>| {
                let mut slot = Slot::default();
                match write(index, &mut slot)? {
                    0 => append_null(out),
                    length => append_value(&slot[..length], shape, out),
                }
                Ok(())
            },
        })
    }

    fn long<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedNode<'a>
    where
        F: Fn(usize, &mut Vec<u8>) + 'a,
    {
        Box::new(Leaf {
            nulls: nulls.cloned(),
            write: move |index, out: &mut Vec<u8>| {
                let mut text = Vec::new();
                write(index, &mut text);
                append_value(&text, shape, out);
                Ok(())
            },
        })
    }

    fn text<T: Texts + 'a>(self, nulls: Option<&NullBuffer>, texts: T) -> BoxedNode<'a> {
        let nul = self.style.nul;
        Box::new(Leaf {
            nulls: nulls.cloned(),
            write: move |index, out: &mut Vec<u8>| {
                let text = texts.text(index);
                if !texts.is_utf8() {
                    str::from_utf8(text).map_err(|_| Problem::InvalidUnicode)?;
                }
                json_string::append(text, nul, out)?;
                check_size(out)
            },
        })
    }
}

/// Appends a value whose text holds nothing to escape.
fn append_value(text: &[u8], shape: Shape, out: &mut Vec<u8>) {
    if shape.is_bare_in_json(text) {
        out.extend_from_slice(text);
    } else {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }
}

struct Leaf<F> {
    nulls: Option<NullBuffer>,
    write: F,
}

impl<F: Fn(usize, &mut Vec<u8>) -> Result<(), Problem>> Node for Leaf<F> {
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if is_null(&self.nulls, index) {
            append_null(out);
            return Ok(());
        }
        (self.write)(index, out)
    }
}

struct Keyed<'a> {
    nulls: Option<NullBuffer>,
    keys: Vec<usize>,
    values: BoxedNode<'a>,
}

fn keyed(array: &dyn Array, style: Style) -> Result<Keyed<'_>, Unsupported> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    let keys = if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
    Ok(Keyed { nulls: array.nulls().cloned(), keys, values: node(values.as_ref(), style)? })
}

impl Node for Keyed<'_> {
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if is_null(&self.nulls, index) {
            append_null(out);
            return Ok(());
        }
        self.values.append(self.keys[index], out)
    }
}

/// Lists of every kind: `bounds` tells where in the items a list begins and ends.
struct List<'a, B> {
    nulls: Option<NullBuffer>,
    bounds: B,
    items: BoxedNode<'a>,
}

impl<B: Fn(usize) -> (usize, usize)> Node for List<'_, B> {
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if is_null(&self.nulls, index) {
            append_null(out);
            return Ok(());
        }
        let (start, end) = (self.bounds)(index);
        out.push(b'[');
        for item in start..end {
            if item > start {
                out.push(b',');
            }
            self.items.append(item, out)?;
            check_size(out)?;
        }
        out.push(b']');
        Ok(())
    }
}

fn list<O: OffsetSizeTrait>(
    array: &dyn Array,
    style: Style,
) -> Result<List<'_, impl Fn(usize) -> (usize, usize)>, Unsupported> {
    let list = array.as_list::<O>();
    let offsets = list.value_offsets();
    Ok(List {
        nulls: list.nulls().cloned(),
        bounds: move |index: usize| (offsets[index].as_usize(), offsets[index + 1].as_usize()),
        items: node(list.values().as_ref(), style)?,
    })
}

fn list_view<O: OffsetSizeTrait>(
    array: &dyn Array,
    style: Style,
) -> Result<List<'_, impl Fn(usize) -> (usize, usize)>, Unsupported> {
    let list = array.as_list_view::<O>();
    let (offsets, sizes) = (list.value_offsets(), list.value_sizes());
    Ok(List {
        nulls: list.nulls().cloned(),
        bounds: move |index: usize| {
            let start = offsets[index].as_usize();
            (start, start + sizes[index].as_usize())
        },
        items: node(list.values().as_ref(), style)?,
    })
}

fn fixed_list(
    array: &dyn Array,
    style: Style,
) -> Result<List<'_, impl Fn(usize) -> (usize, usize)>, Unsupported> {
    let list = array.as_fixed_size_list();
    let length = list.value_length().as_usize();
    Ok(List {
        nulls: list.nulls().cloned(),
        bounds: move |index: usize| (index * length, (index + 1) * length),
        items: node(list.values().as_ref(), style)?,
    })
}

/// A struct: its keys are known, sorted and written as JSON beforehand.
struct Object<'a> {
    nulls: Option<NullBuffer>,
    members: Vec<(Vec<u8>, BoxedNode<'a>)>,
}

fn object(array: &dyn Array, style: Style) -> Result<Object<'_>, Unsupported> {
    let object = array.as_struct();
    let mut columns: Vec<_> = object.column_names().into_iter().zip(object.columns()).collect();
    columns.sort_by_key(|(name, _)| *name);
    if columns.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Unsupported(array.data_type().clone()));
    }
    let mut members = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        let mut key = Vec::new();
        json_string::append(name.as_bytes(), NulPolicy::Keep, &mut key)
            .expect("the only character that can be refused is kept");
        key.push(b':');
        members.push((key, node(column.as_ref(), style)?));
    }
    Ok(Object { nulls: object.nulls().cloned(), members })
}

impl Node for Object<'_> {
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if is_null(&self.nulls, index) {
            append_null(out);
            return Ok(());
        }
        out.push(b'{');
        for (position, (key, member)) in self.members.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            member.append(index, out)?;
            check_size(out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// A map: its keys differ from row to row and are sorted each time.
struct Map<'a> {
    nulls: Option<NullBuffer>,
    offsets: &'a [i32],
    keys: BoxedNode<'a>,
    values: BoxedNode<'a>,
}

fn map(array: &dyn Array, style: Style) -> Result<Map<'_>, Unsupported> {
    let map = array.as_map();
    if map.keys().data_type().is_nested() && map.keys().as_any_dictionary_opt().is_none() {
        return Err(Unsupported(array.data_type().clone()));
    }
    Ok(Map {
        nulls: map.nulls().cloned(),
        offsets: map.value_offsets(),
        keys: node(map.keys().as_ref(), style)?,
        values: node(map.values().as_ref(), style)?,
    })
}

impl Map<'_> {
    /// The keys as JSON strings with the place of their values, sorted.
    fn sorted_keys(&self, start: usize, end: usize) -> Result<Vec<(Vec<u8>, usize)>, Problem> {
        let mut keys = Vec::with_capacity(end - start);
        for entry in start..end {
            let mut key = Vec::new();
            self.keys.append(entry, &mut key)?;
            // JSON has no keys but strings.
            if key.first() != Some(&b'"') {
                key.insert(0, b'"');
                key.push(b'"');
            }
            keys.push((key, entry));
        }
        // Without the quote behind them, which would put `a b` before `a`.
        keys.sort_unstable_by(|(a, _), (b, _)| a[..a.len() - 1].cmp(&b[..b.len() - 1]));
        if keys.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Problem::DuplicateKey);
        }
        Ok(keys)
    }
}

impl Node for Map<'_> {
    fn append(&self, index: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
        if is_null(&self.nulls, index) {
            append_null(out);
            return Ok(());
        }
        let (start, end) = (self.offsets[index].as_usize(), self.offsets[index + 1].as_usize());
        out.push(b'{');
        for (position, (key, entry)) in self.sorted_keys(start, end)?.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            out.push(b':');
            self.values.append(*entry, out)?;
            check_size(out)?;
        }
        out.push(b'}');
        Ok(())
    }
}
