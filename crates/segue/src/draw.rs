//! Drawing of problems of the project file: line, column, excerpt, next step.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use plan::{Diagnostic, Severity, Span};

/// The width that excerpts are cut to when they are not on a terminal.
const WIDTH: usize = 120;

/// Draws every diagnostic with its excerpt, warnings before errors, each in the order of the file,
/// so that what has to be mended stands last. `text` is the file with secrets masked.
pub(crate) fn diagnostics(path: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::styled().term_width(WIDTH);
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.span.map(|span| span.start)));
    let drawn: Vec<String> =
        ordered.iter().map(|diagnostic| one(&renderer, path, text, diagnostic)).collect();
    drawn.join("\n\n")
}

fn one(renderer: &Renderer, path: &str, text: &str, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = match diagnostic.span {
        Some(span) => {
            let annotation = AnnotationKind::Primary.span(clamp(span, text));
            title.element(Snippet::source(text).path(path).annotation(annotation))
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

/// The same for machines.
pub(crate) fn diagnostics_json(path: &str, diagnostics: &[Diagnostic]) -> serde_json::Value {
    let one = |diagnostic: &Diagnostic| {
        serde_json::json!({
            "severity": match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "code": diagnostic.code,
            "message": diagnostic.message,
            "hint": diagnostic.hint,
            "path": path,
            "line": diagnostic.span.map(|span| span.line),
            "column": diagnostic.span.map(|span| span.column),
        })
    };
    diagnostics.iter().map(one).collect()
}
