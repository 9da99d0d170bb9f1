//! Why an edit was not made: what stands in its way, or what would be wrong with the project.

use plan::{Diagnostic, Severity};

use super::{Name, named};
use crate::draw::Source;
use crate::failure::{Failure, Kind};
use crate::workspace::{self, Workspace};

/// Why nothing was changed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The project file has it, and is what is changed.
    ReadOnly(Name),
    /// There is one already.
    Exists(Name),
    /// There is none.
    Missing(Name),
    /// The edit does not say which version it was made for.
    VersionNeeded(Name),
    /// It was changed since.
    Changed(Name),
    /// What is kept beside objects was changed since.
    NoteChanged,
    /// Others name it, so it cannot go: where they do.
    InUse(Name, Vec<String>),
    /// Some definition is too long, or there are too many.
    TooMuch(String),
    /// The project would not be valid.
    Invalid(Vec<Found>),
    /// It could not be looked at.
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ledger::Error> for Refused {
    fn from(error: ledger::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A problem of the project as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The stored object that has it; nothing for the project file.
    pub(crate) object: Option<Name>,
    /// The member of the definition, as a JSON Pointer.
    pub(crate) pointer: String,
    /// Where a person finds it.
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::ReadOnly(name) => {
                Self::usage(format!("the {} is in the project file", named(&name)))
                    .hint("Change it there.")
            }
            Refused::Exists(name) => Self::usage(format!("there is a {} already", named(&name)))
                .hint("Choose another key."),
            Refused::Missing(name) => Self::usage(format!("there is no stored {}", named(&name))),
            Refused::VersionNeeded(name) | Refused::Changed(name) => {
                Self::new(Kind::Temporary, format!("the {} was changed meanwhile", named(&name)))
                    .hint("Look at the differences again.")
            }
            Refused::NoteChanged => {
                Self::new(Kind::Temporary, "it was changed meanwhile").hint("Read it again.")
            }
            Refused::InUse(name, by) => {
                Self::usage(format!("the {} is used by {}", named(&name), by.join(", ")))
                    .hint("Change or remove first what uses it.")
            }
            Refused::TooMuch(message) => Self::usage(message.trim_end_matches('.').to_owned()),
            Refused::Invalid(found) => {
                let mut failure = Self::usage(format!(
                    "the project would have {}",
                    workspace::counted(found.len(), "problem")
                ));
                failure.causes = found.iter().map(Found::line).collect();
                failure
            }
            Refused::Failed(failure) => failure,
        }
    }
}

impl Found {
    /// Place, problem and next step in one line.
    pub(crate) fn line(&self) -> String {
        let at =
            if self.pointer.is_empty() { String::new() } else { format!(" at {}", self.pointer) };
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{}{at}: {}{hint}", self.place, self.message)
    }
}

/// The errors among what was found in a project, at their places in the objects that are kept.
pub(crate) fn errors_in(workspace: &Workspace, diagnostics: &[Diagnostic]) -> Vec<Found> {
    let source = &workspace.source;
    // Secrets are masked without moving anything.
    let texts = Texts { shown: source.clone(), whole: source.text.clone() };
    texts.errors(diagnostics)
}

/// The text that was read, as it may be shown and as it is.
pub(super) struct Texts {
    pub(super) shown: Source,
    pub(super) whole: String,
}

impl Texts {
    pub(super) fn errors(&self, diagnostics: &[Diagnostic]) -> Vec<Found> {
        let errors = diagnostics.iter().filter(|it| it.severity == Severity::Error);
        errors.map(|error| self.found(error)).collect()
    }

    fn found(&self, diagnostic: &Diagnostic) -> Found {
        let part = diagnostic.span.and_then(|span| Some((self.shown.part(span)?, span)));
        let place = match (part, diagnostic.span) {
            (Some((part, _)), _) => part.label(),
            (None, Some(span)) => format!("{}:{}:{}", self.shown.path, span.line, span.column),
            (None, None) => self.shown.path.clone(),
        };
        Found {
            object: part.map(|(part, _)| (part.section, part.key.clone())),
            pointer: part.map_or_else(String::new, |(part, span)| part.pointer(&self.whole, span)),
            place,
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
        }
    }
}
