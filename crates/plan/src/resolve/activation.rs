//! Activations: segments with schedules and names, one mapping, guards.

use std::collections::HashSet;

use super::increment::{Increments, export_of};
use super::{Item, Resolver};
use crate::config;
use crate::diagnostic::Span;
use crate::field::FieldPath;
use crate::file_format::{COLUMNS_MAX, FileFormat};
use crate::object_key::{FILE_NAME_DEFAULT, Part};
use crate::project::{
    Activation, Column, ColumnSource, Export, Guard, Project, Schedule, SegmentExport,
};
use crate::tree::Node;

impl Resolver<'_> {
    /// Resolves one activation; of `project`, everything but the activations is there.
    pub(super) fn activation(
        &mut self,
        project: &Project,
        item: Item<'_>,
        file: &config::Activation,
    ) -> Option<Activation> {
        let id = self.id(item, "activation", file.id.as_deref());
        let name = self.name(item, file.name.as_deref());
        let guard = self.guard(item, file.guard.as_ref());
        let known = file.destination.as_deref().is_some_and(|key| {
            let place = item.span("destination");
            self.check_reference("unknown_destination", "destinations", key, place)
        });
        let target = file.destination.as_deref().and_then(|key| project.destination(key));
        let mapping = self.mapping(project, item, file);
        let increments = Increments { mapping: mapping.as_deref(), target };
        let segments = self.exports(item, file, &increments);
        let mut activation = Activation {
            key: item.key.to_owned(),
            id,
            name,
            destination: file.destination.clone().unwrap_or_default(),
            segments: Vec::new(),
            mapping: mapping?,
            guard,
            span: item.key_span,
        };
        let (true, Some(mut segments), Some(target)) = (known, segments, target) else {
            self.incomplete.push(activation);
            return None;
        };
        // What is known but could not be resolved has been reported where it stands.
        let resolved: HashSet<&str> = project.segments.iter().map(|it| it.key.as_str()).collect();
        segments.retain(|export| resolved.contains(export.segment.as_str()));
        activation.segments = segments;
        self.check_single_column(&activation.mapping, &target.file);
        self.check_encoding(&activation.mapping, &target.file);
        Some(activation)
    }

    fn exports(
        &mut self,
        item: Item<'_>,
        file: &config::Activation,
        around: &Increments<'_>,
    ) -> Option<Vec<SegmentExport>> {
        let written = file.segments.as_ref()?;
        if written.is_empty() {
            let hint = "Add `- segment: …`, or remove the activation.";
            self.error("no_segments", item.span("segments"), "no segment is sent", hint);
        }
        let nodes = item.node.get("segments").map_or(&[][..], Node::items);
        let mut exports: Vec<SegmentExport> = Vec::new();
        let mut sent = HashSet::new();
        for (node, export) in nodes.iter().zip(written) {
            let Some(export) = self.export(node, export, around) else { continue };
            if !sent.insert(export.segment.clone()) {
                let message =
                    format!("the segment `{}` is sent twice by this activation", export.segment);
                let hint = "Keep one of the two, or make another activation.";
                self.error("duplicate_segment", export.span, message, hint);
                continue;
            }
            exports.push(export);
        }
        Some(exports)
    }

    fn export(
        &mut self,
        node: &Node,
        file: &config::SegmentExport,
        around: &Increments<'_>,
    ) -> Option<SegmentExport> {
        let start = Span { end: node.span.start, ..node.span };
        let item = Item { key: "segments", key_span: start, node };
        let export = export_of(file.export);
        let leavers = self.leavers(item, export, file.leavers, around);
        let written = file.schedule.as_ref().zip(item.child("schedule"));
        let schedule = written.map(|(file, item)| self.schedule(item, file));
        let text = file.file_name.as_deref().unwrap_or(FILE_NAME_DEFAULT);
        let file_name = self.template(item, "file_name", text, Part::FileName);
        let segment = file.segment.clone()?;
        let span = item.span("segment");
        let known = self.check_reference("unknown_segment", "segments", &segment, span);
        let schedule = match schedule {
            Some(schedule) => Some(schedule?),
            None => None,
        };
        let file_name = file_name.filter(|_| known)?;
        let is_static =
            file_name.is_static() && around.target.is_some_and(|it| it.folder.is_static());
        if export != Export::Full {
            let repeats = schedule.as_ref().is_none_or(Schedule::repeats);
            self.check_increment(item, repeats, is_static, around);
        }
        if is_static && export == Export::Full && schedule.as_ref().is_none_or(Schedule::repeats) {
            let message = "the name holds no time: each run replaces the file of the last";
            let hint = "Add `%DATETIME(yyyyMMdd_HHmmss)%` to keep every file.";
            self.warn("static_name", item.span("file_name"), message, hint);
        }
        Some(SegmentExport { segment, export, leavers, schedule, file_name, span })
    }

    fn mapping(
        &mut self,
        project: &Project,
        item: Item<'_>,
        file: &config::Activation,
    ) -> Option<Vec<Column>> {
        let written = file.mapping.as_ref()?;
        let place = item.key_place("mapping");
        if written.is_empty() {
            let hint = "Map at least one field.";
            self.error("no_columns", place, "the mapping has no columns", hint);
            return None;
        }
        if written.len() > COLUMNS_MAX {
            let message = format!("the mapping has more than {COLUMNS_MAX} columns");
            self.error("too_many_columns", place, message, "Send fewer columns.");
            return None;
        }
        let nodes = item.node.get("mapping").map_or(&[][..], Node::items);
        let (mut columns, mut places, mut resolved) = (Vec::new(), Vec::new(), Vec::new());
        for (node, written) in nodes.iter().zip(written) {
            let Some(column) = self.column(node, written) else { continue };
            places.push(node.get("target").map_or(column.span, Node::text_span));
            columns.push(column);
            resolved.push(written);
        }
        self.identity_columns(project, &mut columns, &resolved);
        self.check_headers(&columns, &places);
        if columns.len() == written.len() {
            self.advise(project, place, &columns);
        }
        Some(columns)
    }

    /// Says what a receiver will miss.
    fn advise(&mut self, project: &Project, place: Span, columns: &[Column]) {
        let identities: Vec<&FieldPath> = project
            .profile_datasets()
            .flat_map(|dataset| dataset.identities.iter().map(|identity| &identity.field))
            .collect();
        let is_identity = |column: &Column| match &column.source {
            ColumnSource::Field(path) => identities.contains(&path),
            ColumnSource::Identity(_) => true,
            _ => false,
        };
        if !identities.is_empty() && !columns.iter().any(is_identity) {
            let message = "no identity is mapped, so rows cannot be matched to people";
            let hint = "Map one of the fields under `identities:`.";
            self.warn("no_identity_column", place, message, hint);
        }
        if !columns.iter().any(|column| column.deduplicate) {
            let message =
                "no deduplication key: people with several profiles are sent several times";
            let hint = "Mark the identifying column with `deduplicate: true`.";
            self.warn("no_deduplication", place, message, hint);
        }
    }

    /// A row of one missing value would be an empty line, which most readers skip.
    fn check_single_column(&mut self, columns: &[Column], format: &FileFormat) {
        let [column] = columns else { return };
        let nullable = !column.mandatory
            && matches!(column.source, ColumnSource::Field(_) | ColumnSource::Expression { .. });
        if nullable && format.layout.is_delimited() && format.dialect.null.is_empty() {
            let message = "in a file of one column, a missing value would be an empty line";
            let hint = "Make the column mandatory, or choose a text for `null` in `file:` of the destination.";
            self.error("ambiguous_null_single_column", column.span, message, hint);
        }
    }

    /// A header that cannot be encoded would fail every run.
    fn check_encoding(&mut self, columns: &[Column], format: &FileFormat) {
        if !format.dialect.header {
            return;
        }
        for column in columns {
            let unknown = column.header.chars().find(|c| !format.encoding.has(*c));
            let Some(c) = unknown else { continue };
            let message = format!(
                "the header `{}` holds U+{:04X}, which the encoding of the file does not have",
                column.header,
                u32::from(c)
            );
            let hint = "Choose another header, or `encoding: utf-8`.";
            self.error("unencodable_header", column.span, message, hint);
        }
    }

    fn guard(&mut self, item: Item<'_>, file: Option<&config::Guard>) -> Guard {
        let Some((file, item)) = file.zip(item.child("guard")) else { return Guard::default() };
        let guard = Guard {
            min_rows: file.min_rows,
            max_rows: file.max_rows,
            max_shrink_percent: self.percent(item, "max_shrink", file.max_shrink.as_deref()),
            max_growth_percent: self.percent(item, "max_growth", file.max_growth.as_deref()),
            max_excluded_percent: self.percent(item, "max_excluded", file.max_excluded.as_deref()),
        };
        if let (Some(min), Some(max)) = (guard.min_rows, guard.max_rows)
            && max < min
        {
            let message = "no number of rows passes: `max_rows` is less than `min_rows`";
            self.error("guard_conflict", item.span("max_rows"), message, "Swap or change them.");
        }
        if guard.max_shrink_percent.is_some_and(|percent| percent > 100.0) {
            let message = "a segment cannot lose more than all of its members";
            self.error("percent_form", item.span("max_shrink"), message, "Write 100% or less.");
        }
        guard
    }

    fn percent(&mut self, item: Item<'_>, key: &str, text: Option<&str>) -> Option<f64> {
        let number = text?.strip_suffix('%').map(str::trim);
        let plain = |text: &&str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let parsed = number.filter(plain).and_then(|number| number.parse::<f64>().ok());
        if parsed.is_none() {
            let hint = "Write a number with a percent sign: `50%`.";
            self.error("percent_form", item.span(key), "this is not a percentage", hint);
        }
        parsed
    }
}
