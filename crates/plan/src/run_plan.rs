//! One run, fully decided: nothing behind this point reads the project file again.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::consent::Consent;
use crate::error::PlanError;
use crate::field::FieldPath;
use crate::file_format::FileFormat;
use crate::nearest::nearest;
use crate::object_key::{self, Template, Values};
use crate::project::{
    Activation, Column, Destination, Export, Guard, Pgp, Project, Rule, Segment, SegmentExport,
};

/// What happens for one slot: one segment of one activation at one time.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// UUIDv5 of activation, segment and slot: the same slot is the same run, whoever asks.
    pub run_id: Uuid,
    /// The time for which the run is due; names and `lastQualificationTime` use it.
    pub slot: Timestamp,
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The segment's id.
    pub segment_id: Uuid,
    /// The segment's name.
    pub segment_name: String,
    /// The destination's key.
    pub destination: String,
    /// The destination's id.
    pub destination_id: Uuid,
    /// Which rows.
    pub query: Query,
    /// Which of them are sent.
    pub export: Export,
    /// What an incremental export rests on; nothing for a full one.
    pub increment: Option<Increment>,
    /// Which objects.
    pub output: Output,
    /// Who can read the files, if they are encrypted.
    pub pgp: Option<Pgp>,
    /// What stops the run before anything is visible.
    pub guard: Guard,
}

/// Which profiles of the project a run sends, and as which columns.
#[derive(Debug, Clone)]
pub struct Query {
    /// Who is a member.
    pub rule: Rule,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The segments that `in_segment` may name in rule and columns, and those that they rest on.
    pub segments: Vec<Segment>,
    /// Whom nobody may send, whatever the rule says.
    pub consent: Consent,
    /// The history of the segment that the rows rest on: who is a member since when. Without one
    /// everybody is a member since `evaluated_at`.
    pub history: Option<History>,
    /// The instant at which the rule is evaluated: `now()` in rules, and
    /// `lastQualificationTime` of those who have just become members.
    pub evaluated_at: Timestamp,
}

/// The history of a segment's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The id of the segment.
    pub segment: Uuid,
    /// How many days it is remembered that somebody left.
    pub exits_kept_days: u32,
}

/// How an incremental export tells what changed since the last delivered run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Increment {
    /// Whether members are sent whose mapped attributes changed.
    pub changes: bool,
    /// Whether those are sent who left.
    pub leavers: bool,
    /// All fields that identify people; their columns are kept for those who leave.
    pub identities: Vec<FieldPath>,
}

/// Which objects a run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The bucket (empty for a folder on disk).
    pub bucket: String,
    /// Everything of the key before the extension: expanded folder and file name.
    pub stem: String,
    /// The key of the manifest, if one is asked for.
    pub manifest_key: Option<String>,
    /// Whether the name holds no time: each run then replaces the objects of the last one.
    pub is_static: bool,
    /// How rows become files.
    pub file: FileFormat,
    /// The account id that must own the bucket.
    pub expected_bucket_owner: Option<String>,
    /// The media type of the data files, if it is not that of the format.
    pub content_type: Option<String>,
}

impl Output {
    /// The key of the `number`th file, counted from 1: `name.csv`, `name_2.csv`, `name_3.csv`
    /// (behaviour reference §5.6).
    pub fn key(&self, number: u32) -> String {
        let part = if number == 1 { String::new() } else { format!("_{number}") };
        let file = &self.file;
        format!("{}{part}.{}{}", self.stem, file.extension, file.suffix())
    }

    /// The name of an object without its folder.
    pub fn name_of(key: &str) -> &str {
        key.rsplit('/').next().unwrap_or(key)
    }
}

/// A slot that has come.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// The activation.
    pub activation: &'a Activation,
    /// The segment that it sends.
    pub segment: &'a Segment,
    /// The slot.
    pub slot: Timestamp,
}

/// Stands for the service where a destination is a folder of this machine.
const FOLDERS: &str = "file:";

/// The object names of one export at one slot.
pub(crate) struct ExportNames<'a> {
    pub activation: &'a Activation,
    pub export: &'a SegmentExport,
    /// The service and the bucket; names clash only inside one.
    place: (Option<&'a str>, &'a str),
    pub run_id: Uuid,
    pub stem: String,
    /// Behind the stem: `.csv`, `.txt.gz`.
    pub suffix: String,
    pub manifest_key: String,
    pub is_static: bool,
}

/// How the names of two exports get in each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// Both write the same object.
    SameKey,
    /// A further file of one, `name_2.csv`, is the first file of the other.
    FurtherFile,
    /// The keys differ in case only.
    CaseOnly,
}

/// What macros stand for in a run.
fn values<'a>(
    destination: &'a Destination,
    segment: &'a Segment,
    activation: &'a Activation,
    (slot, run_id): (Timestamp, Uuid),
) -> Values<'a> {
    Values {
        destination_name: &destination.name,
        destination_id: destination.id,
        segment_name: &segment.name,
        segment_id: segment.id,
        activation_name: &activation.name,
        activation_id: activation.id,
        run_id,
        slot,
    }
}

impl ExportNames<'_> {
    pub(crate) fn key(&self) -> String {
        format!("{}{}", self.stem, self.suffix)
    }

    /// What stands before `_2`, `_3`, … if the stem ends so: a file of that stem has further files
    /// that are named like this one.
    pub(crate) fn stem_of_first(&self) -> Option<&str> {
        let (first, number) = self.stem.rsplit_once('_')?;
        let counted = number.parse::<u32>().ok().filter(|it| it.to_string() == number)?;
        (counted >= 2).then_some(first)
    }

    pub(crate) fn clash(&self, other: &Self) -> Option<Clash> {
        if self.place != other.place || self.suffix != other.suffix {
            return None;
        }
        if self.stem == other.stem {
            Some(Clash::SameKey)
        } else if self.stem_of_first() == Some(&other.stem)
            || other.stem_of_first() == Some(&self.stem)
        {
            Some(Clash::FurtherFile)
        } else if self.stem.to_lowercase() == other.stem.to_lowercase() {
            Some(Clash::CaseOnly)
        } else {
            None
        }
    }
}

impl Project {
    /// Returns everything that one run needs to know.
    ///
    /// # Errors
    /// The activation or the segment is not in the project, or at this slot another export would
    /// write the same object.
    ///
    /// # Panics
    /// Never for a project that [`read`](crate::read()) returned: its names are resolved.
    pub fn run_plan(
        &self,
        activation: &str,
        segment: &str,
        slot: Timestamp,
    ) -> Result<RunPlan, PlanError> {
        let (activation, export) = self.find_export(activation, segment)?;
        let run_id = run_id(activation, self.segment_of(export), slot);
        self.plan_of(activation, export, slot, run_id)
    }

    /// Returns the same for a run to another place than the destination's. It has an id of its own: what
    /// is delivered there is not what the slot is due for.
    ///
    /// # Errors
    /// As [`Project::run_plan`].
    ///
    /// # Panics
    /// As [`Project::run_plan`].
    pub fn run_plan_apart(
        &self,
        activation: &str,
        segment: &str,
        slot: Timestamp,
        place: &str,
    ) -> Result<RunPlan, PlanError> {
        let (activation, export) = self.find_export(activation, segment)?;
        let of_slot = run_id(activation, self.segment_of(export), slot);
        let run_id = Uuid::new_v5(&of_slot, place.as_bytes());
        self.plan_of(activation, export, slot, run_id)
    }

    /// Returns what [`Project::run_plan`] returns for several segments of an activation, each at a slot.
    /// The names of all exports are worked out once for those with the same slot that follow each other.
    ///
    /// # Errors
    /// As [`Project::run_plan`], for the first segment that has one.
    ///
    /// # Panics
    /// As [`Project::run_plan`].
    pub fn run_plans<'a>(
        &self,
        activation: &str,
        wanted: impl IntoIterator<Item = (&'a str, Timestamp)>,
    ) -> Result<Vec<RunPlan>, PlanError> {
        // Those of one slot at a time, as there may be many slots.
        let mut known: Option<(Timestamp, Vec<ExportNames<'_>>)> = None;
        let plan = |(segment, slot): (&str, Timestamp)| {
            let (activation, export) = self.find_export(activation, segment)?;
            let others = match known.take() {
                Some(names) if names.0 == slot => names,
                _ => (slot, self.export_names(slot)),
            };
            let (_, others) = known.insert(others);
            let run_id = run_id(activation, self.segment_of(export), slot);
            self.plan_among(others, activation, export, slot, run_id)
        };
        wanted.into_iter().map(plan).collect()
    }

    fn plan_of(
        &self,
        activation: &Activation,
        export: &SegmentExport,
        slot: Timestamp,
        run_id: Uuid,
    ) -> Result<RunPlan, PlanError> {
        self.plan_among(&self.export_names(slot), activation, export, slot, run_id)
    }

    /// The plan of a run among the names of all exports at its slot.
    fn plan_among(
        &self,
        others: &[ExportNames<'_>],
        activation: &Activation,
        export: &SegmentExport,
        slot: Timestamp,
        run_id: Uuid,
    ) -> Result<RunPlan, PlanError> {
        let segment = self.segment_of(export);
        let names = self.names_of_run(activation, (export, segment), slot, run_id);
        refuse_clash(others, &names)?;
        let destination = self.destination_of(activation);
        let consent = self.consent_for(destination);
        Ok(RunPlan {
            run_id: names.run_id,
            slot,
            activation: activation.key.clone(),
            segment: segment.key.clone(),
            segment_id: segment.id,
            segment_name: segment.name.clone(),
            destination: destination.key.clone(),
            destination_id: destination.id,
            query: Query {
                rule: segment.rule.clone(),
                columns: activation.mapping.clone(),
                segments: self.segments_of(&segment.rule, &activation.mapping, &consent),
                consent,
                history: activation
                    .mapping
                    .iter()
                    .any(Column::rests_on_history)
                    .then(|| self.history(segment)),
                evaluated_at: slot,
            },
            output: Output {
                bucket: destination.bucket.clone(),
                stem: names.stem,
                manifest_key: destination.manifest.then_some(names.manifest_key),
                is_static: names.is_static,
                file: destination.file.clone(),
                expected_bucket_owner: destination.expected_bucket_owner.clone(),
                content_type: destination.objects.content_type.clone(),
            },
            export: export.export,
            increment: self.increment(export),
            pgp: destination.pgp.clone(),
            guard: activation.guard,
        })
    }

    /// Returns the key of the first file of an export at a slot, without asking whether another export
    /// writes the same object, as [`Project::run_plan`] does.
    pub fn first_key(
        &self,
        activation: &Activation,
        export: &SegmentExport,
        slot: Timestamp,
    ) -> String {
        self.names(activation, export, slot).key()
    }

    /// Returns the id of the run of a slot, if the activation sends the segment.
    pub fn run_id(&self, activation: &str, segment: &str, slot: Timestamp) -> Option<Uuid> {
        let (activation, export) = self.find_export(activation, segment).ok()?;
        Some(run_id(activation, self.segment_of(export), slot))
    }

    /// The history of a segment.
    pub fn history(&self, segment: &Segment) -> History {
        History { segment: segment.id, exits_kept_days: self.membership.exits_kept_days }
    }

    fn increment(&self, export: &SegmentExport) -> Option<Increment> {
        let identities = self.profile_datasets().flat_map(|dataset| dataset.identities.iter());
        (export.export != Export::Full).then(|| Increment {
            changes: export.export == Export::Changes,
            leavers: export.leavers,
            identities: identities.map(|identity| identity.field.clone()).collect(),
        })
    }

    /// Goes through every segment of every activation, in the order of the file.
    pub fn exports(&self) -> impl Iterator<Item = (&Activation, &SegmentExport)> {
        self.activations.iter().flat_map(|activation| {
            activation.segments.iter().map(move |export| (activation, export))
        })
    }

    /// Returns the latest slot of every export that has a schedule with one, in the order of the
    /// file. Whether a slot has had its run is for the ledger to say.
    pub fn due(&self, now: Timestamp) -> Vec<Due<'_>> {
        let due = |(activation, export): (_, &SegmentExport)| {
            let slot = export.schedule.as_ref()?.latest_slot(now)?;
            Some(Due { activation, segment: self.segment_of(export), slot })
        };
        self.exports().filter_map(due).collect()
    }

    /// The names of all exports at one slot.
    pub(crate) fn export_names(&self, slot: Timestamp) -> Vec<ExportNames<'_>> {
        let segments: HashMap<&str, &Segment> =
            self.segments.iter().map(|segment| (segment.key.as_str(), segment)).collect();
        let mut names = Vec::new();
        for (activation, export) in self.exports() {
            let segment = segments.get(export.segment.as_str()).copied();
            let segment = segment.expect("the segment of an export is known");
            let run_id = run_id(activation, segment, slot);
            names.push(self.names_of_run(activation, (export, segment), slot, run_id));
        }
        names
    }

    /// What the folder and the file name of an export are made from.
    pub(crate) fn templates<'a>(
        &'a self,
        activation: &Activation,
        export: &'a SegmentExport,
    ) -> [&'a Template; 2] {
        [&self.destination_of(activation).folder, &export.file_name]
    }

    pub(crate) fn names<'a>(
        &'a self,
        activation: &'a Activation,
        export: &'a SegmentExport,
        slot: Timestamp,
    ) -> ExportNames<'a> {
        let segment = self.segment_of(export);
        self.names_of_run(activation, (export, segment), slot, run_id(activation, segment, slot))
    }

    /// The key of the first file of an export, for any slot: times stand there as they are written.
    pub(crate) fn key_of_any_slot(&self, names: &ExportNames<'_>) -> String {
        let destination = self.destination_of(names.activation);
        let segment = self.segment_of(names.export);
        let any = (Timestamp::UNIX_EPOCH, names.run_id);
        let values = values(destination, segment, names.activation, any);
        let folder = destination.folder.expand_but_times(&values);
        let stem = object_key::join(&folder, &names.export.file_name.expand_but_times(&values));
        format!("{stem}{}", names.suffix)
    }

    fn names_of_run<'a>(
        &'a self,
        activation: &'a Activation,
        (export, segment): (&'a SegmentExport, &Segment),
        slot: Timestamp,
        run_id: Uuid,
    ) -> ExportNames<'a> {
        let destination = self.destination_of(activation);
        let values = values(destination, segment, activation, (slot, run_id));
        let folder = destination.folder.expand(&values);
        let manifest = format!("manifest-{}-{run_id}.json", destination.id);
        let file = &destination.file;
        let account = self.account(&destination.account);
        ExportNames {
            activation,
            export,
            place: match &destination.location {
                Some(location) => (Some(FOLDERS), location),
                None => (
                    account.and_then(|account| account.endpoint_url.as_deref()),
                    &destination.bucket,
                ),
            },
            run_id,
            stem: object_key::join(&folder, &export.file_name.expand(&values)),
            suffix: format!(".{}{}", file.extension, file.suffix()),
            manifest_key: object_key::join(&folder, &manifest),
            is_static: destination.folder.is_static() && export.file_name.is_static(),
        }
    }

    fn find_export(
        &self,
        activation: &str,
        segment: &str,
    ) -> Result<(&Activation, &SegmentExport), PlanError> {
        let Some(found) = self.activation(activation) else {
            let known = self.activations.iter().map(|known| known.key.as_str());
            return Err(PlanError::UnknownActivation {
                activation: activation.to_owned(),
                nearest: nearest(activation, known).map(str::to_owned),
            });
        };
        match found.segments.iter().find(|export| export.segment == segment) {
            Some(export) => Ok((found, export)),
            None => {
                let known = found.segments.iter().map(|export| export.segment.as_str());
                Err(PlanError::NotSent {
                    activation: activation.to_owned(),
                    segment: segment.to_owned(),
                    nearest: nearest(segment, known).map(str::to_owned),
                })
            }
        }
    }

    fn destination_of(&self, activation: &Activation) -> &Destination {
        self.destination(&activation.destination)
            .expect("the destination of an activation is known")
    }

    fn segment_of(&self, export: &SegmentExport) -> &Segment {
        self.segment(&export.segment).expect("the segment of an export is known")
    }
}

/// The project was checked with one slot; another may still bring two names together.
fn refuse_clash(others: &[ExportNames<'_>], names: &ExportNames<'_>) -> Result<(), PlanError> {
    for other in others {
        let same_export = other.activation.key == names.activation.key
            && other.export.segment == names.export.segment;
        let clash = if same_export { None } else { names.clash(other) };
        if matches!(clash, Some(Clash::SameKey | Clash::FurtherFile)) {
            return Err(PlanError::SameKey {
                key: names.key(),
                activation: other.activation.key.clone(),
                segment: other.export.segment.clone(),
            });
        }
    }
    Ok(())
}

fn run_id(activation: &Activation, segment: &Segment, slot: Timestamp) -> Uuid {
    Uuid::new_v5(&activation.id, format!("{}/{slot}", segment.id).as_bytes())
}

#[cfg(test)]
mod tests;
