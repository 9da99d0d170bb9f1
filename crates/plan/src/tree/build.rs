//! Events of the YAML parser become nodes.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Content, DEPTH_MAX, Entry, NODES_MAX, Node, Origin, Scalar, TEXT_BYTES_MAX, aligned};
use crate::diagnostic::{Diagnostic, Span};
use crate::project::BlockLine;

/// Reads `text`. The root is absent when the text is no YAML or goes beyond a limit; then there
/// is an error among the diagnostics.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let start = Span::of(text, 0..0);
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the project file is larger than {TEXT_BYTES_MAX} bytes");
        return (None, vec![Diagnostic::error("file_too_large", start, message)]);
    }
    let mut builder = Builder::new(text);
    match builder.run() {
        Err(problem) => builder.diagnostics.push(problem),
        Ok(()) if builder.root.is_none() => builder.diagnostics.push(
            Diagnostic::error("empty_project", start, "the project file is empty")
                .with_hint("Begin with `version: 1` and `name:`, or let `segue init` write one."),
        ),
        Ok(()) => return (builder.root, builder.diagnostics),
    }
    (None, builder.diagnostics)
}

/// Characters to bytes and lines. The parser counts characters; everybody else counts bytes.
struct Positions {
    /// Byte offset of each character, and of the end.
    bytes: Vec<usize>,
    /// The character that begins each line.
    lines: Vec<usize>,
}

impl Positions {
    fn new(text: &str) -> Self {
        let mut bytes: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
        bytes.push(text.len());
        let newlines = text.chars().enumerate().filter(|(_, c)| *c == '\n');
        let lines = std::iter::once(0).chain(newlines.map(|(index, _)| index + 1)).collect();
        Self { bytes, lines }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let last = self.bytes.len() - 1;
        let (start, end) = (start.min(last), end.min(last).max(start.min(last)));
        let line = self.lines.partition_point(|first| *first <= start);
        let column = start - self.lines[line - 1] + 1;
        Span {
            start: self.bytes[start],
            end: self.bytes[end],
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// A collection whose end has not come yet.
struct Open {
    start: Marker,
    anchor: usize,
    content: Content,
    /// In a mapping, the key whose value is awaited.
    key: Option<(String, Span)>,
    /// In a mapping, the lines of the keys so far.
    lines: HashMap<String, u32>,
}

struct Builder<'a> {
    text: &'a str,
    positions: Positions,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            positions: Positions::new(text),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            root: None,
            diagnostics: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Diagnostic> {
        let mut parser = Parser::new_from_str(self.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span)?;
                self.finish(anchor, node)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection(anchor, tag.as_deref(), span, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection(anchor, tag.as_deref(), span, Content::Mapping(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::DocumentStart(_) if self.root.is_some() => {
                let place = self.span(span.start, span.end);
                Err(Diagnostic::error("second_document", place, "a second document begins here")
                    .with_hint("Keep one project per file, without `---` in the middle."))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: saphyr_parser::Span,
    ) -> Result<Node, Diagnostic> {
        let place = self.span(span.start, span.end);
        let is_text = self.check_tag(tag, place)?;
        let place = self.trimmed(place);
        let quotes = match style {
            ScalarStyle::Plain => 0,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
            ScalarStyle::Literal | ScalarStyle::Folded => usize::MAX,
        };
        let verbatim = self.verbatim(text, place, quotes);
        let lines = match style {
            ScalarStyle::Literal => self.block_lines(text, place),
            _ if verbatim.is_none() => aligned::runs(text, self.text, place, style),
            _ => None,
        };
        let scalar = Scalar {
            text: text.to_owned(),
            plain: style == ScalarStyle::Plain && !is_text,
            verbatim,
            lines: lines.unwrap_or_default(),
            origin: Origin::Written,
            written: None,
            unfilled: false,
        };
        Ok(Node { span: place, content: Content::Scalar(scalar) })
    }

    /// The span of the text inside `place`, if it is there character by character.
    fn verbatim(&self, text: &str, place: Span, quotes: usize) -> Option<Span> {
        let start = place.start.checked_add(quotes)?;
        let end = place.end.checked_sub(quotes)?;
        if self.text.get(start..end)? != text {
            return None;
        }
        let column = place.column + u32::try_from(quotes).ok()?;
        Some(Span { start, end, line: place.line, column })
    }

    /// Where the lines of a block stand that begins on the line of `place` or the next.
    fn block_lines(&self, text: &str, place: Span) -> Option<Vec<BlockLine>> {
        let first = usize::try_from(place.line).ok()? - 1;
        (first..=first + 1).find_map(|first| self.block_lines_from(text, first))
    }

    /// The same for a block whose first line is `first`, counted from 0: every line of the text is
    /// that of the file without the same indentation.
    fn block_lines_from(&self, text: &str, first: usize) -> Option<Vec<BlockLine>> {
        let mut lines = Vec::new();
        let mut indent = None;
        let mut offset = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let start = *self.positions.bytes.get(*self.positions.lines.get(first + number)?)?;
            let written = self.text[start..].lines().next().unwrap_or_default();
            let line_text = line.trim_end_matches('\n');
            let cut = match line_text.is_empty() {
                true => written.len().min(indent.unwrap_or(0)),
                false => written.len().checked_sub(line_text.len())?,
            };
            let is_indented = written[..cut].bytes().all(|byte| byte == b' ');
            if !line_text.is_empty() {
                let same = *indent.get_or_insert(cut) == cut;
                if !same || !is_indented || cut == 0 || &written[cut..] != line_text {
                    return None;
                }
            }
            lines.push(BlockLine {
                offset,
                start: start + cut,
                line: u32::try_from(first + number + 1).ok()?,
                column: u32::try_from(cut + 1).ok()?,
            });
            offset += line.len();
        }
        Some(lines)
    }

    /// Without the white space that the parser counts to a scalar.
    fn trimmed(&self, place: Span) -> Span {
        let length = self.text[place.start..place.end].trim_end().len();
        Span { end: place.start + length, ..place }
    }

    /// Tells whether the tag makes a scalar text; every other tag but the core ones is refused,
    /// because nothing would look at it.
    fn check_tag(&self, tag: Option<&Tag>, place: Span) -> Result<bool, Diagnostic> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
            Some(tag) => Err(Diagnostic::error(
                "unsupported_tag",
                place,
                format!("the tag `{tag}` is not supported"),
            )
            .with_hint("Remove the tag.")),
        }
    }

    fn collection(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        span: saphyr_parser::Span,
        content: Content,
    ) -> Result<(), Diagnostic> {
        let place = self.span(span.start, span.end);
        self.check_tag(tag, place)?;
        if self.awaits_key() {
            return Err(Diagnostic::error("key_not_text", place, "a key must be text"));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(too_deep(place));
        }
        self.open.push(Open {
            start: span.start,
            anchor,
            content,
            key: None,
            lines: HashMap::new(),
        });
        Ok(())
    }

    fn close(&mut self, span: saphyr_parser::Span) -> Result<(), Diagnostic> {
        let open = self.open.pop().expect("the parser balances starts and ends");
        let place = self.span(open.start, span.end);
        self.finish(open.anchor, Node { span: self.trimmed(place), content: open.content })
    }

    fn alias(&mut self, anchor: usize, span: saphyr_parser::Span) -> Result<(), Diagnostic> {
        let place = self.span(span.start, span.end);
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::error(
                "alias_in_itself",
                place,
                "this alias stands inside what it repeats",
            ));
        };
        if self.open.len() + depth(node) > DEPTH_MAX {
            return Err(too_deep(place));
        }
        let node = node.clone();
        // The anchored node is counted by `finish`, what is inside of it here.
        self.nodes += size(&node) - 1;
        self.finish(0, node)
    }

    /// Puts a whole node where it belongs.
    fn finish(&mut self, anchor: usize, node: Node) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the project file has more than {NODES_MAX} values");
            return Err(Diagnostic::error("file_too_large", node.span, message));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.content, open.key.take()) {
            (Content::Sequence(items), _) => items.push(node),
            (Content::Mapping(_), None) => open.key = Some(key(node)?),
            (Content::Mapping(entries), Some((key, key_span))) => {
                match open.lines.insert(key.clone(), key_span.line) {
                    Some(first) => self.diagnostics.push(twice(&key, key_span, first)),
                    None => entries.push(Entry { key, key_span, value: node }),
                }
            }
            (Content::Scalar(_), _) => unreachable!("a scalar is never open"),
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| matches!(open.content, Content::Mapping(_)) && open.key.is_none())
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        self.positions.span(start.index(), end.index())
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> Diagnostic {
        let index = error.marker().index();
        let place = self.positions.span(index, index + 1);
        if error.info().contains("recursion limit") {
            return too_deep(place);
        }
        let hint = self.syntax_hint(place, error.info());
        let message = format!("this is not YAML: {}", error.info());
        Diagnostic::error("syntax", place, message).with_hint(hint)
    }

    fn syntax_hint(&self, place: Span, problem: &str) -> &'static str {
        let (before, behind) = self.text.split_at(place.start);
        match behind.chars().next() {
            Some('{') if before.ends_with('$') => "Put `${…}` in quotes inside braces.",
            Some('%') => "Put a value that begins with `%` in quotes.",
            Some('*' | '&' | '!' | '@' | '`') => {
                "Put a value that begins with this character in quotes."
            }
            _ if problem.contains("tab") => "Indent with spaces; YAML does not allow tabs there.",
            _ => "Check indentation, quotes and colons here and on the line before.",
        }
    }
}

fn too_deep(place: Span) -> Diagnostic {
    let message = format!("the nesting is deeper than {DEPTH_MAX} levels");
    Diagnostic::error("too_deep", place, message)
}

fn key(node: Node) -> Result<(String, Span), Diagnostic> {
    match node.content {
        Content::Scalar(mut scalar) => Ok((std::mem::take(&mut scalar.text), node.span)),
        Content::Sequence(_) | Content::Mapping(_) => {
            Err(Diagnostic::error("key_not_text", node.span, "a key must be text"))
        }
    }
}

/// A key that is already there; its first value stays.
fn twice(key: &str, place: Span, first: u32) -> Diagnostic {
    let message = format!("the key `{key}` is written twice");
    let hint = format!("It is already on line {first}; rename or remove one of the two.");
    Diagnostic::error("duplicate_key", place, message).with_hint(hint)
}

fn size(node: &Node) -> usize {
    let items = node.items().iter().map(size).sum::<usize>();
    1 + items + node.entries().iter().map(|entry| 1 + size(&entry.value)).sum::<usize>()
}

fn depth(node: &Node) -> usize {
    let values = node.entries().iter().map(|entry| &entry.value);
    match node.content {
        Content::Scalar(_) => 0,
        Content::Sequence(_) | Content::Mapping(_) => {
            1 + node.items().iter().chain(values).map(depth).max().unwrap_or(0)
        }
    }
}
