//! Dictionary columns: each value of the dictionary is made a cell once for all batches that have it,
//! and a row only copies it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{Array, DictionaryArray, downcast_dictionary_array};
use arrow_buffer::ArrowNativeType;
use arrow_data::ArrayData;
use arrow_schema::DataType;

use super::column::{self, BoxedColumn, Column, Fault, Unsupported, Validity};
use super::lane::{LANE_ROWS, Lane, Slot};
use super::rules::Rules;
use super::text::{Bytes, Texts, Words};

/// A dictionary with more values than this times the rows of the batch is not worth preparing:
/// most of its values are those of other batches.
const VALUES_PER_ROW_MAX: usize = 2;
/// A dictionary of more bytes than this is not prepared either.
const VALUES_BYTES_MAX: usize = 4 << 20;
/// The most bytes of dictionaries and their cells that are kept from one batch to the next.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Finds the way to write the cells of a dictionary array. `kept` are the cells of dictionaries of
/// earlier batches.
///
/// # Errors
/// The type of the values if it has no form in a cell.
pub(super) fn resolve<'a>(
    array: &'a dyn Array,
    (rules, kept): (&Rules, &Kept),
    leads: bool,
) -> Result<BoxedColumn<'a>, Unsupported> {
    downcast_dictionary_array!(
        array => keyed(array, (rules, kept), leads),
        other => Err(Unsupported(other.clone())),
    )
}

fn keyed<'a, K: ArrowDictionaryKeyType>(
    array: &'a DictionaryArray<K>,
    (rules, kept): (&Rules, &Kept),
    leads: bool,
) -> Result<BoxedColumn<'a>, Unsupported> {
    let values = array.values();
    let column = column::resolve(values.as_ref(), (rules, kept), leads)?;
    let nulls = array.logical_nulls();
    let (validity, keys) = (Validity::new(nulls.as_ref()), array.keys().values().as_ref());
    let data = values.to_data();
    let is_worth_it = values.len() <= VALUES_PER_ROW_MAX * array.len()
        && data.get_buffer_memory_size() <= VALUES_BYTES_MAX;
    let make = || prepare(column.as_ref(), values.len(), rules, leads);
    let cells = kept.cells(&data, leads, is_worth_it, make);
    Ok(match (cells, values.data_type()) {
        (Some(cells), _) => Box::new(Prepared { validity, keys, cells }),
        (None, DataType::Utf8) if !rules.is_json() => {
            let texts = Bytes::new(values.as_string::<i32>());
            Box::new(Words::new(validity, Coded { keys, texts }))
        }
        (None, _) => Box::new(Keyed { validity, keys, values: column }),
    })
}

/// Makes the cell of each value. None if one of them is at fault: whether that matters depends on
/// whether a row has it.
fn prepare(values: &dyn Column, count: usize, rules: &Rules, leads: bool) -> Option<Vec<Lane>> {
    let mut lanes = Vec::with_capacity(count.div_ceil(LANE_ROWS));
    for start in (0..count).step_by(LANE_ROWS) {
        // What ends a cell is left to the lane that it is copied to.
        let mut lane = Lane::new(rules, leads, rules.ending(false));
        values.fill(start, LANE_ROWS.min(count - start), &mut lane, rules).ok()?;
        lanes.push(lane);
    }
    Some(lanes)
}

/// The cells of dictionaries, which batches of one row group share.
#[derive(Default)]
pub(super) struct Kept(Mutex<Held>);

#[derive(Default)]
struct Held {
    cells: HashMap<Name, Arc<Cells>>,
    /// From the oldest to the newest.
    order: VecDeque<Name>,
    bytes: usize,
}

/// Where a dictionary that is held lies in memory, and whether it is of the first column.
type Name = (usize, bool);

/// The cells of a dictionary, [`LANE_ROWS`] in each lane.
struct Cells {
    values: ArrayData,
    lanes: Vec<Lane>,
}

impl Cells {
    fn bytes(&self) -> usize {
        let lanes: usize = self.lanes.iter().map(Lane::bytes_held).sum();
        lanes + self.values.get_buffer_memory_size()
    }
}

impl Kept {
    /// The cells of a dictionary: those that were made for an earlier batch, or those that `make`
    /// makes now if that is worth it.
    fn cells(
        &self,
        values: &ArrayData,
        leads: bool,
        is_worth_it: bool,
        make: impl FnOnce() -> Option<Vec<Lane>>,
    ) -> Option<Arc<Cells>> {
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (values.buffers().first().map_or(0, |it| it.as_ptr() as usize), leads);
        let known = held().cells.get(&name).filter(|cells| cells.values.ptr_eq(values)).cloned();
        if known.is_some() || !is_worth_it {
            return known;
        }
        let cells = Arc::new(Cells { values: values.clone(), lanes: make()? });
        held().put(name, &cells);
        Some(cells)
    }
}

impl Held {
    /// Takes cells in, and lets go of the oldest: those are of row groups that were read before.
    fn put(&mut self, name: Name, cells: &Arc<Cells>) {
        self.bytes += cells.bytes();
        match self.cells.insert(name, Arc::clone(cells)) {
            Some(before) => self.bytes -= before.bytes(),
            None => self.order.push_back(name),
        }
        while self.bytes > KEPT_BYTES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            let cells = self.cells.remove(&oldest);
            self.bytes -= cells.map_or(0, |cells| cells.bytes());
        }
    }
}

/// A column of keys into cells that are ready.
struct Prepared<'a, K> {
    validity: Validity,
    keys: &'a [K],
    cells: Arc<Cells>,
}

impl<K: ArrowNativeType> Column for Prepared<'_, K> {
    fn fill(&self, start: usize, count: usize, lane: &mut Lane, _: &Rules) -> Result<(), Fault> {
        self.validity.fill((start, count), lane, |lane, row| {
            let key = self.keys[start + row].as_usize();
            lane.copy_cell(row, &self.cells.lanes[key / LANE_ROWS], key % LANE_ROWS);
            Ok(())
        })
    }
}

/// Texts by their keys.
struct Coded<'a, K> {
    keys: &'a [K],
    texts: Bytes<'a, i32>,
}

impl<K: ArrowNativeType> Texts for Coded<'_, K> {
    fn is_utf8(&self) -> bool {
        self.texts.is_utf8()
    }

    fn text(&self, row: usize) -> &[u8] {
        self.texts.text(self.keys[row].as_usize())
    }

    #[inline(always)]
    fn window(&self, row: usize) -> Option<(&Slot, usize)> {
        self.texts.window(self.keys[row].as_usize())
    }
}

/// A column of keys into `values`, whose cells are made for each row.
struct Keyed<'a, K> {
    validity: Validity,
    keys: &'a [K],
    values: BoxedColumn<'a>,
}

impl<K: ArrowNativeType> Column for Keyed<'_, K> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        let mut single = Lane::new(rules, lane.leads, rules.ending(false));
        self.validity.fill((start, count), lane, |lane, row| {
            single.clear();
            self.values
                .fill(self.keys[start + row].as_usize(), 1, &mut single, rules)
                .map_err(|fault| fault.problem)?;
            lane.copy_cell(row, &single, 0);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringArray;

    use super::*;

    fn dictionary(number: usize) -> ArrayData {
        StringArray::from(vec![number.to_string().repeat(1 << 20)]).into_data()
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_newest_stays() {
        let kept = Kept::default();
        let all: Vec<ArrayData> = (0..100).map(dictionary).collect();
        let cells = |values: &ArrayData, is_worth_it: bool| {
            kept.cells(values, false, is_worth_it, || Some(Vec::new()))
        };
        for values in &all {
            assert!(cells(values, false).is_none(), "it is new");
            assert!(cells(values, true).is_some());
            assert!(cells(values, false).is_some(), "it is kept");
            assert!(kept.0.lock().unwrap().bytes <= KEPT_BYTES_MAX);
        }
        assert!(cells(&all[0], false).is_none(), "the oldest was let go");
        let held = kept.0.lock().unwrap();
        assert_eq!(held.bytes, held.cells.values().map(|it| it.bytes()).sum::<usize>());
        assert_eq!(held.order.len(), held.cells.len());
    }

    #[test]
    fn another_column_or_another_part_has_cells_of_its_own() {
        let kept = Kept::default();
        let values = StringArray::from(vec!["a", "b", "c"]).into_data();
        let cells =
            |values: &ArrayData, leads: bool| kept.cells(values, leads, false, || None).is_some();
        kept.cells(&values, true, true, || Some(Vec::new()));
        assert!(cells(&values, true));
        assert!(!cells(&values, false));
        assert!(!cells(&values.slice(1, 2), true));
    }
}
