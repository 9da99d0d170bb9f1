//! Drawing of problems of the project: line, column, excerpt, next step.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use plan::{Diagnostic, Part, Severity, Span};

/// The width that excerpts are cut to when they are not on a terminal.
const WIDTH: usize = 120;

/// What was read, so that places in it can be shown: the project file, and behind it the objects that
/// are kept in the ledger.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// The file, as the user would name it.
    pub(crate) path: String,
    /// All of the text, secrets masked.
    pub(crate) text: String,
    /// Where stored objects stand in it.
    pub(crate) parts: Vec<Part>,
}

/// A place as a person finds it.
pub(crate) struct Place<'a> {
    /// The file, or what the stored object is called.
    pub(crate) name: String,
    /// The lines of that file or object alone.
    pub(crate) text: &'a str,
    /// The place in them.
    pub(crate) span: Span,
}

impl Source {
    /// A text of its own.
    pub(crate) fn of_text(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), parts: Vec::new() }
    }

    /// The stored object that holds a place.
    pub(crate) fn part(&self, span: Span) -> Option<&Part> {
        self.parts.iter().find(|part| part.holds(span))
    }

    /// Finds what holds a place of the whole text.
    pub(crate) fn place(&self, span: Span) -> Place<'_> {
        match self.part(span) {
            Some(part) => Place {
                name: part.label(),
                text: self.text.get(part.range.clone()).unwrap_or_default(),
                span: part.local(span),
            },
            None => {
                let end = self.parts.first().map_or(self.text.len(), |part| part.range.start);
                Place {
                    name: self.path.clone(),
                    text: self.text.get(..end).unwrap_or_default(),
                    span,
                }
            }
        }
    }
}

/// Draws every diagnostic with its excerpt, warnings before errors, each in the order of the file,
/// so that what has to be mended stands last.
pub(crate) fn diagnostics(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::styled().term_width(WIDTH);
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.span.map(|span| span.start)));
    let drawn: Vec<String> =
        ordered.iter().map(|diagnostic| one(&renderer, source, diagnostic)).collect();
    drawn.join("\n\n")
}

fn one(renderer: &Renderer, source: &Source, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let place = diagnostic.span.map(|span| source.place(span));
    let mut group = match &place {
        Some(Place { name, text, span }) => {
            let annotation = AnnotationKind::Primary.span(clamp(*span, text));
            title.element(Snippet::source(*text).path(name.as_str()).annotation(annotation))
        }
        None => Group::with_title(title),
    };
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    renderer.render(&[group])
}

/// A span that lies inside the text and covers at least one character where there is one.
fn clamp(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = span.start.min(text.len());
    let first_line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let end = span.end.clamp(start, first_line_end.max(start));
    start..end
}

/// The same for machines, in the order of the file.
pub(crate) fn diagnostics_json(source: &Source, diagnostics: &[Diagnostic]) -> serde_json::Value {
    let one = |diagnostic: &Diagnostic| {
        let place = diagnostic.span.map(|span| source.place(span));
        serde_json::json!({
            "severity": match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "code": diagnostic.code,
            "message": diagnostic.message,
            "hint": diagnostic.hint,
            "path": place.as_ref().map_or(&source.path, |place| &place.name),
            "line": place.as_ref().map(|place| place.span.line),
            "column": place.as_ref().map(|place| place.span.column),
        })
    };
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
    ordered.into_iter().map(one).collect()
}
