//! Incremental exports: what they need of the datasets, the mapping and the file.

use super::{Item, Resolver};
use crate::config;
use crate::file_format::FormulaGuard;
use crate::project::{Column, ColumnSource, Destination, Export};

/// What an export is resolved against; what could not be resolved itself is not there.
pub(super) struct Increments<'a> {
    pub(super) mapping: Option<&'a [Column]>,
    pub(super) target: Option<&'a Destination>,
}

/// The export as the project means it.
pub(super) fn export_of(written: Option<config::Export>) -> Export {
    match written {
        Some(config::Export::Full) | None => Export::Full,
        Some(config::Export::Incremental) => Export::Incremental,
        Some(config::Export::Changes) => Export::Changes,
    }
}

/// Whether a column tells leavers from members.
fn tells_leavers(column: &Column) -> bool {
    matches!(column.source, ColumnSource::MembershipStatus | ColumnSource::MembershipOperation)
}

impl Resolver<'_> {
    /// Whether leavers are sent.
    pub(super) fn leavers(
        &mut self,
        item: Item<'_>,
        export: Export,
        written: Option<config::Leavers>,
        around: &Increments<'_>,
    ) -> bool {
        let is_told = around.mapping.is_some_and(|columns| columns.iter().any(tells_leavers));
        match (export, written) {
            (Export::Full, Some(config::Leavers::Always)) => {
                let message = "a full export holds members only";
                let hint = "Choose `export: incremental` or `changes`, or remove `leavers`.";
                self.error("leavers_in_full", item.span("leavers"), message, hint);
                false
            }
            (_, Some(config::Leavers::Never)) | (Export::Full, _) => false,
            (_, Some(config::Leavers::Always)) => {
                if !is_told && around.mapping.is_some() {
                    let message = "nothing in the file would tell those who left from members";
                    let hint = "Map `segmentMembership.status` or `segmentMembership.operation`.";
                    self.error("unmarked_leavers", item.span("leavers"), message, hint);
                }
                true
            }
            (_, Some(config::Leavers::Auto) | None) => is_told,
        }
    }

    /// Checks what an incremental export rests on.
    pub(super) fn check_increment(
        &mut self,
        item: Item<'_>,
        repeats: bool,
        is_static: bool,
        around: &Increments<'_>,
    ) {
        let place = item.span("export");
        if !repeats {
            let message = "a run that happens once has nothing to compare with";
            let hint = "Choose another `frequency`, or `export: full`.";
            self.error("increment_once", place, message, hint);
        }
        let guard = around.target.map(|target| target.file.dialect.formula_guard);
        if guard == Some(FormulaGuard::Reject) {
            let message = "rows that `formula_guard: reject` leaves out would be taken for sent";
            let hint = "Choose `formula_guard: prefix` or `off`, or `export: full`.";
            self.error("increment_with_reject", place, message, hint);
        }
        if is_static {
            let message = "the name holds no time: each increment replaces the one before";
            let hint =
                "Add `%DATETIME(yyyyMMdd_HHmmss)%`, so that a reader who is late loses nothing.";
            self.warn("static_increment", item.span("file_name"), message, hint);
        }
    }
}
