//! Which runs a command means: what is named, or what is due.

use jiff::Timestamp;
use plan::project::{Activation, SegmentExport};
use plan::{Project, RunPlan};

use crate::failure::Failure;
use crate::workspace;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Keys of activations; none means what is due.
    pub(crate) activations: Vec<String>,
    /// Only these segments of them.
    pub(crate) segments: Vec<String>,
    /// The slot to run, instead of the due one or the present instant.
    pub(crate) slot: Option<Timestamp>,
}

impl Request {
    /// Whether runs are named rather than due.
    pub(crate) fn is_named(&self) -> bool {
        !self.activations.is_empty() || !self.segments.is_empty() || self.slot.is_some()
    }
}

/// Returns the plans of the runs that are meant, in the order of the project file.
///
/// A segment that is named runs for the slot that is given, or for `now`. Otherwise the segments
/// with a schedule run for the latest slot at or before `now`.
///
/// # Errors
/// A name is not in the project, or a plan cannot be made.
pub(crate) fn runs(
    project: &Project,
    request: &Request,
    now: Timestamp,
) -> Result<Vec<RunPlan>, Failure> {
    check_names(project, request)?;
    let mut plans = Vec::new();
    for activation in project.activations.iter().filter(|activation| is_meant(activation, request))
    {
        for export in &activation.segments {
            if !request.segments.is_empty() && !request.segments.contains(&export.segment) {
                continue;
            }
            let Some(slot) = slot(export, request, now) else { continue };
            plans.push(
                project.run_plan(&activation.key, &export.segment, slot).map_err(Failure::from)?,
            );
        }
    }
    Ok(plans)
}

fn is_meant(activation: &Activation, request: &Request) -> bool {
    request.activations.is_empty() || request.activations.contains(&activation.key)
}

fn slot(export: &SegmentExport, request: &Request, now: Timestamp) -> Option<Timestamp> {
    if request.is_named() {
        return Some(request.slot.unwrap_or(now));
    }
    export.schedule.as_ref()?.latest_slot(now)
}

fn check_names(project: &Project, request: &Request) -> Result<(), Failure> {
    for key in &request.activations {
        if project.activation(key).is_none() {
            let names = project.activations.iter().map(|activation| activation.key.as_str());
            return Err(workspace::unknown("activation", key, names));
        }
    }
    for key in &request.segments {
        let mut exports =
            project.activations.iter().filter(|activation| is_meant(activation, request));
        if !exports
            .any(|activation| activation.segments.iter().any(|export| export.segment == *key))
        {
            let all = project.activations.iter().filter(|activation| is_meant(activation, request));
            let names = all.flat_map(|activation| {
                activation.segments.iter().map(|export| export.segment.as_str())
            });
            return Err(workspace::unknown("activated segment", key, names));
        }
    }
    Ok(())
}
