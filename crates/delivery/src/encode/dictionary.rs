//! Dictionary columns: each value of the dictionary is made a cell once per batch, and a row only
//! copies it.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::column::{self, BoxedColumn, Column, Fault, Unsupported, Validity};
use super::lane::{LANE_ROWS, Lane};
use super::rules::Rules;

/// A dictionary with more values than this times the rows of the batch is not worth preparing:
/// most of its values are those of other batches.
const VALUES_PER_ROW_MAX: usize = 2;

/// Finds the way to write the cells of a dictionary array.
///
/// # Errors
/// The type of the values if it has no form in a cell.
pub(super) fn resolve<'a>(
    array: &'a dyn Array,
    rules: &Rules,
    leads: bool,
) -> Result<BoxedColumn<'a>, Unsupported> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    let column = column::resolve(values.as_ref(), rules, leads)?;
    // Without values, no row has one, and there are no keys to speak of.
    let keys = if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
    let prepared = match values.len() <= VALUES_PER_ROW_MAX * array.len() {
        true => prepare(column.as_ref(), values.len(), rules, leads),
        false => None,
    };
    let validity = Validity::new(array.nulls());
    Ok(Box::new(Keyed { validity, keys, values: column, prepared }))
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

/// A column of keys into `values`.
struct Keyed<'a> {
    validity: Validity,
    keys: Vec<usize>,
    values: BoxedColumn<'a>,
    /// The cells of the values, [`LANE_ROWS`] in each lane.
    prepared: Option<Vec<Lane>>,
}

impl Column for Keyed<'_> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        if let Some(prepared) = &self.prepared {
            return self.validity.fill((start, count), lane, |lane, row| {
                let key = self.keys[start + row];
                lane.copy_cell(row, &prepared[key / LANE_ROWS], key % LANE_ROWS);
                Ok(())
            });
        }
        let mut single = Lane::new(rules, lane.leads, rules.ending(false));
        self.validity.fill((start, count), lane, |lane, row| {
            single.clear();
            self.values
                .fill(self.keys[start + row], 1, &mut single, rules)
                .map_err(|fault| fault.problem)?;
            lane.copy_cell(row, &single, 0);
            Ok(())
        })
    }
}
