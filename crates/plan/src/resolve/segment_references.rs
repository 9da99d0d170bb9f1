//! Segments that rules and expressions name: all there, and none resting on itself.

use super::Resolver;
use crate::diagnostic::{Diagnostic, Span};
use crate::project::{ColumnSource, Project, RuleOrigin, Segment};
use crate::segment_reference::{Mention, NotFound, find, mentions};

/// A text that may name segments.
struct Written<'a> {
    text: &'a str,
    origin: &'a RuleOrigin,
}

impl Resolver<'_> {
    /// Reports every segment that is named and not there, and every circle of segments.
    pub(super) fn check_segment_references(&mut self, project: &Project) {
        let rules = project
            .segments
            .iter()
            .map(|segment| Written { text: &segment.rule.text, origin: &segment.rule.origin });
        let columns = project.activations.iter().flat_map(|activation| &activation.mapping);
        let expressions = columns.filter_map(|column| match &column.source {
            ColumnSource::Expression { text, origin } => Some(Written { text, origin }),
            _ => None,
        });
        let purposes = project.consent.purposes.iter();
        let purposes = purposes
            .map(|purpose| Written { text: &purpose.rule.text, origin: &purpose.rule.origin });
        for written in rules.chain(expressions).chain(purposes) {
            for mention in mentions(written.text) {
                if let Err(reason) = find(&project.segments, &mention.name) {
                    self.report_mention(&written, &mention, reason);
                }
            }
        }
        self.check_circles(&project.segments);
    }

    fn report_mention(&mut self, written: &Written<'_>, mention: &Mention, reason: NotFound) {
        // A segment with problems of its own is in the file, and they have been reported.
        let is_in_file = self.segments.iter().any(|known| {
            known.key == mention.name
                || known.id.eq_ignore_ascii_case(&mention.name)
                || known.name == mention.name && reason != NotFound::Ambiguous
        });
        if is_in_file {
            return;
        }
        let (message, hint) = match reason {
            NotFound::Ambiguous => (
                format!("several segments are called `{}`", mention.name),
                "Name one by its key.".to_owned(),
            ),
            NotFound::Unknown { nearest } => {
                let hint = nearest.map_or_else(
                    || "Name a segment of the project by its key, id or name; if it was deleted, take the condition out.".to_owned(),
                    |near| format!("Did you mean `{near}`?"),
                );
                (format!("there is no segment `{}`", mention.name), hint)
            }
        };
        let place = place(written.origin, mention);
        let message = format!("{message}{}", in_file(written, mention));
        self.push(Diagnostic::error("unknown_segment", place, message).with_hint(hint));
    }

    /// A circle is reported once, at the first of its segments in the file.
    fn check_circles(&mut self, segments: &[Segment]) {
        let mut walk = Walk { segments, state: vec![State::New; segments.len()], way: Vec::new() };
        let mut circles = Vec::new();
        for start in 0..segments.len() {
            walk.visit(start, &mut circles);
        }
        for circle in circles {
            let first = circle.iter().map(|(segment, _)| *segment).min().unwrap_or_default();
            let start =
                circle.iter().position(|(segment, _)| *segment == first).unwrap_or_default();
            let circle: Vec<&(usize, Mention)> =
                circle.iter().cycle().skip(start).take(circle.len()).collect();
            self.report_circle(segments, &circle);
        }
    }

    fn report_circle(&mut self, segments: &[Segment], circle: &[&(usize, Mention)]) {
        let Some((first, mention)) = circle.first() else { return };
        let key = |segment: usize| format!("`{}`", segments[segment].key);
        let mut way: Vec<String> = circle.iter().map(|(segment, _)| key(*segment)).collect();
        way.push(key(*first));
        let step = |(segment, mention): &&(usize, Mention)| {
            let Span { line, .. } = place(&segments[*segment].rule.origin, mention);
            format!("{} on line {line}", key(*segment))
        };
        let steps: Vec<String> = circle.iter().map(step).collect();
        let message = match circle {
            [_] => format!("the segment {} rests on itself", way[0]),
            _ => format!(
                "segments rest on each other in a circle: {} ({})",
                way.join(" → "),
                steps.join(", ")
            ),
        };
        let place = place(&segments[*first].rule.origin, mention);
        let hint = "Take one of the conditions out.";
        self.error("segment_circle", place, message, hint);
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// A walk along the segments that rules name.
struct Walk<'a> {
    segments: &'a [Segment],
    state: Vec<State>,
    /// Segments that are open, each with the mention that led on.
    way: Vec<(usize, Mention)>,
}

impl Walk<'_> {
    /// Visits what a segment rests on; without recursion, as a chain may be as long as the file.
    fn visit(&mut self, start: usize, circles: &mut Vec<Vec<(usize, Mention)>>) {
        if self.state[start] != State::New {
            return;
        }
        self.state[start] = State::Open;
        let mut open = vec![(start, self.named(start))];
        while let Some((segment, named)) = open.last_mut() {
            let segment = *segment;
            let Some((next, mention)) = named.pop() else {
                self.state[segment] = State::Done;
                open.pop();
                self.way.pop();
                continue;
            };
            match self.state[next] {
                State::Done => {}
                State::New => {
                    self.state[next] = State::Open;
                    self.way.push((segment, mention));
                    open.push((next, self.named(next)));
                }
                State::Open => {
                    let from = open.iter().position(|(open, _)| *open == next);
                    let mut circle = self.way[from.unwrap_or_default()..].to_vec();
                    circle.push((segment, mention));
                    circles.push(circle);
                }
            }
        }
    }

    /// The segments that one names, the first last.
    fn named(&self, segment: usize) -> Vec<(usize, Mention)> {
        let position = |mention: &Mention| {
            let found = find(self.segments, &mention.name).ok()?;
            self.segments.iter().position(|known| known.key == found.key)
        };
        // An imported segment is its own rule.
        let has_rule = self.segments[segment].import.is_none();
        let text = if has_rule { self.segments[segment].rule.text.as_str() } else { "" };
        let named = mentions(text).into_iter();
        named.filter_map(|mention| Some((position(&mention)?, mention))).rev().collect()
    }
}

/// Where a mention stands in the project file, or what holds the text.
fn place(origin: &RuleOrigin, mention: &Mention) -> Span {
    let (start, length) = (mention.place.start, mention.place.len());
    origin.place(start, length).unwrap_or_else(|| origin.span())
}

/// Where a mention stands in a file of its own.
fn in_file(written: &Written<'_>, mention: &Mention) -> String {
    match written.origin.written(mention.place.start, mention.place.len()) {
        (RuleOrigin::File { path, .. }, at, _)
            if matches!(written.origin, RuleOrigin::File { .. }) =>
        {
            let at = Span::of(written.text, at..at);
            format!(" ({path}, line {}, column {})", at.line, at.column)
        }
        (RuleOrigin::File { path, .. }, ..) => format!(" ({path})"),
        _ => String::new(),
    }
}
