//! What the list of segments and the page of one segment show.

use std::collections::BTreeMap;

use plan::Section;
use plan::project::{Activation, RuleOrigin, Segment};
use ui::Locale;
use ui::page::segment::{self, Size, Use};
use ui::page::segments::{Line, Segments};

use super::Look;
use super::activation::schedule;
use crate::failure::Failure;

/// How many deliveries the small line shows, and the chart.
const LINE: u32 = 14;
const CHART: u32 = 30;

/// Fills the list.
pub(super) async fn segments(look: &Look<'_>) -> Result<Segments, Failure> {
    let find = look.asked.as_ref().map(|asked| asked.find.trim().to_owned()).unwrap_or_default();
    let wanted = find.to_lowercase();
    let fits = |it: &&Segment| {
        it.name.to_lowercase().contains(&wanted) || it.key.to_lowercase().contains(&wanted)
    };
    let found: Vec<&Segment> = look.project().segments.iter().filter(fits).collect();
    let part = look.part(found.len());
    let shown = &found[part.range()];
    let keys: Vec<&str> = shown.iter().map(|segment| segment.key.as_str()).collect();
    let mut sizes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for size in look.ledger.segment_sizes(&keys, LINE).await? {
        sizes.entry(size.segment).or_default().push(size.members);
    }
    let line = |segment: &Segment| Line {
        key: segment.key.clone(),
        name: segment.name.clone(),
        rule: segment.rule.text.clone(),
        sizes: sizes.get(&segment.key).cloned().unwrap_or_default(),
        used_in: users(look, &segment.key).map(|activation| activation.key.clone()).collect(),
    };
    Ok(Segments {
        segments: shown.iter().copied().map(line).collect(),
        part,
        find,
        may_try: look.may.count,
        may_add: look.may.define && look.may.count,
    })
}

/// The activations that send a segment.
fn users<'a>(look: &'a Look<'_>, segment: &'a str) -> impl Iterator<Item = &'a Activation> {
    let sends =
        move |activation: &&Activation| activation.segments.iter().any(|it| it.segment == segment);
    look.workspace.project.activations.iter().filter(sends)
}

/// Fills the page of one segment.
pub(crate) async fn segment(
    look: &Look<'_>,
    locale: &Locale,
    segment: &Segment,
) -> Result<segment::Segment, Failure> {
    let sizes = look.ledger.segment_sizes(&[&segment.key], CHART).await?;
    let use_of = |activation: &Activation| Use {
        activation: activation.key.clone(),
        destination: look.destination(&activation.destination).name,
        schedule: activation
            .segments
            .iter()
            .find(|export| export.segment == segment.key)
            .map(|export| schedule(export).said(locale))
            .unwrap_or_default(),
    };
    Ok(segment::Segment {
        is_in_file: look.workspace.stored(Section::Segments, &segment.key).is_none(),
        // Those that are imported have no rule to edit.
        editing: look
            .editing(Section::Segments, &segment.key, &segment.name)
            .filter(|_| segment.import.is_none()),
        may_activate: look.may.activate,
        key: segment.key.clone(),
        name: segment.name.clone(),
        id: segment.id.to_string(),
        rule: segment.rule.text.clone(),
        language: match segment.rule.origin {
            RuleOrigin::Translated { .. } => "PQL → SQL".to_owned(),
            _ => "SQL".to_owned(),
        },
        history: sizes.iter().map(|size| Size { at: size.slot, members: size.members }).collect(),
        count: None,
        may_count: look.may.count,
        used_in: users(look, &segment.key).map(use_of).collect(),
    })
}
