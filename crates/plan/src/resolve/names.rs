//! The object names of all activations together: long enough to be told apart, short enough to
//! be keys.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::diagnostic::Diagnostic;
use crate::object_key::{FILE_NAME_CHARS_MAX, KEY_BYTES_MAX, PART_SUFFIX_LONGEST};
use crate::project::{Project, Schedule};
use crate::run_plan::{Clash, ExportNames};

/// How many coming slots are compared to find out whether a name repeats.
const SLOTS_COMPARED: usize = 64;

pub(super) fn check(project: &Project, out: &mut Vec<Diagnostic>) {
    let names: Vec<ExportNames<'_>> = project.export_names(probe_slot());
    let mut compared = Compared::new();
    for export in &names {
        check_length(export, out);
        check_repeats(project, export, &mut compared, out);
    }
    check_clashes(project, &names, out);
}

/// Any slot will do: all have texts of the same length but for those of other millennia.
fn probe_slot() -> Timestamp {
    Timestamp::constant(1_767_225_600, 0)
}

fn check_length(names: &ExportNames<'_>, out: &mut Vec<Diagnostic>) {
    let place = names.export.span;
    let last = format!("{}{PART_SUFFIX_LONGEST}{}", names.stem, names.suffix);
    let file_name = last.rsplit('/').next().unwrap_or(&last);
    let characters = file_name.chars().count();
    if characters > FILE_NAME_CHARS_MAX {
        let message =
            format!("the file name has {characters} characters, more than {FILE_NAME_CHARS_MAX}");
        let hint = "Shorten `file_name` or the names in it; a number for further files is counted.";
        out.push(Diagnostic::error("file_name_too_long", place, message).with_hint(hint));
    }
    let bytes = last.len().max(names.manifest_key.len());
    if bytes > KEY_BYTES_MAX {
        let message = format!("the object key has {bytes} bytes, more than {KEY_BYTES_MAX}");
        let hint = "Shorten the folder or the file name.";
        out.push(Diagnostic::error("key_too_long", place, message).with_hint(hint));
    }
}

/// Names of coming slots that were compared already: by the texts of folder and file name, and the
/// schedules with those.
type Compared<'a> = HashMap<[&'a str; 2], Vec<(&'a Schedule, Option<[Timestamp; 2]>)>>;

/// A name that holds a time must hold enough of it: two slots of one name would be two runs that
/// each claim the same objects.
fn check_repeats<'a>(
    project: &'a Project,
    names: &ExportNames<'a>,
    compared: &mut Compared<'a>,
    out: &mut Vec<Diagnostic>,
) {
    let Some(schedule) = &names.export.schedule else { return };
    let [folder, file_name] = project.templates(names.activation, names.export);
    if names.is_static || folder.has_run_id() || file_name.has_run_id() {
        return;
    }
    // With one time in a name, whether two of them are alike does not depend on what stands around it, so
    // hundreds of segments with one schedule are looked at once.
    let known = match folder.times() + file_name.times() {
        1 => Some(compared.entry([folder.text(), file_name.text()]).or_default()),
        _ => None,
    };
    let same = known.as_ref().and_then(|all| all.iter().find(|(other, _)| *other == schedule));
    let found = match same {
        Some((_, found)) => *found,
        None => {
            let found = repeated(project, names, schedule);
            if let Some(known) = known {
                known.push((schedule, found));
            }
            found
        }
    };
    let Some([first, slot]) = found else { return };
    let message = format!("the slots {first} and {slot} would have the same file name");
    let hint = "Put more of the time into the name: `%DATETIME(yyyyMMdd_HHmmss)%`.";
    out.push(Diagnostic::error("name_repeats", names.export.span, message).with_hint(hint));
}

/// The first two coming slots of one name.
fn repeated(
    project: &Project,
    names: &ExportNames<'_>,
    schedule: &Schedule,
) -> Option<[Timestamp; 2]> {
    let mut seen: BTreeMap<String, Timestamp> = BTreeMap::new();
    schedule.slots_after(probe_slot(), SLOTS_COMPARED).into_iter().find_map(|slot| {
        let stem = project.names(names.activation, names.export, slot).stem;
        Some([seen.insert(stem, slot)?, slot])
    })
}

/// Reports each export that gets in the way of another, once.
fn check_clashes(project: &Project, names: &[ExportNames<'_>], out: &mut Vec<Diagnostic>) {
    let mut by_stem: HashMap<String, Vec<&ExportNames<'_>>> = HashMap::new();
    for one in names {
        let near = by_stem.entry(one.stem.to_lowercase()).or_default();
        let clash = near.iter().find_map(|other| Some((*other, one.clash(other)?)));
        out.extend(clash.map(|(other, clash)| report(project, one, other, clash)));
        near.push(one);
    }
    for one in names {
        let Some(first) = one.stem_of_first() else { continue };
        let near = by_stem.get(&first.to_lowercase()).into_iter().flatten();
        let other = near.copied().find(|other| one.clash(other) == Some(Clash::FurtherFile));
        out.extend(other.map(|other| report(project, one, other, Clash::FurtherFile)));
    }
}

fn report(
    project: &Project,
    one: &ExportNames<'_>,
    other: &ExportNames<'_>,
    clash: Clash,
) -> Diagnostic {
    let place = one.export.span;
    let of = |names: &ExportNames<'_>| {
        format!("`{}` of `{}`", names.export.segment, names.activation.key)
    };
    let both = format!("{} and {}", of(other), of(one));
    let hint = "Put `%SEGMENT_ID%` or `%ACTIVATION_NAME%` into the file name or the folder.";
    let key = project.key_of_any_slot(one);
    match clash {
        Clash::SameKey => Diagnostic::error(
            "same_key",
            place,
            format!("{both} would write the same object `{key}`"),
        ),
        Clash::FurtherFile => {
            let message = format!(
                "a further file of {} would write the object `{key}` of {}",
                of(other),
                of(one)
            );
            Diagnostic::error("same_key", place, message)
        }
        Clash::CaseOnly => {
            let message = format!("the objects of {both} differ in case only: `{key}`");
            Diagnostic::warning("key_case", place, message)
        }
    }
    .with_hint(hint)
}

#[cfg(test)]
mod tests;
