//! What went wrong, for a person: facts, causes, the next step, and the exit code.

use std::fmt::Write as _;

/// What kind of failure it is; each kind is one documented exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run failed.
    Run,
    /// The command line or the project file is wrong.
    Usage,
    /// The service cannot be reached, or refuses.
    Connection,
    /// A guard or a policy stopped the run before anything was visible.
    Blocked,
    /// It may work when it is tried again later.
    Temporary,
    /// Another process has it in hand at this moment.
    Elsewhere,
    /// Nothing was due, and `--error-on-nothing` was given.
    Nothing,
    /// A fault of Segue itself.
    Internal,
    /// The user stopped it.
    Interrupted,
}

impl Kind {
    /// The exit code, stable and documented in the README.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Run => 1,
            Self::Usage => 2,
            Self::Connection => 3,
            Self::Blocked => 4,
            Self::Temporary | Self::Elsewhere => 5,
            Self::Nothing => 9,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }

    /// The word for machines.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Run => "run_failed",
            Self::Usage => "usage",
            Self::Connection => "connection",
            Self::Blocked => "blocked",
            Self::Temporary | Self::Elsewhere => "temporary",
            Self::Nothing => "nothing_due",
            Self::Internal => "internal",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A failure on its way to a person. It holds no profile value and no secret.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What was attempted and what is wrong: a lower-case fragment.
    pub(crate) message: String,
    /// Why, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do next: sentences.
    pub(crate) hints: Vec<String>,
    /// Text that was already laid out (excerpts of the project file), printed before the message.
    pub(crate) report: Option<String>,
    /// The same for machines: the problems, each with its place.
    pub(crate) diagnostics: Option<Box<serde_json::Value>>,
    /// Whether the result that was printed for machines holds this failure already.
    pub(crate) is_answered: bool,
    /// The process that has the ledger, when that is what stands in the way.
    pub(crate) holder: Option<u32>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            report: None,
            diagnostics: None,
            is_answered: false,
            holder: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Wraps an error with what was attempted.
    pub(crate) fn from_error(kind: Kind, error: &dyn std::error::Error) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure
    }

    /// Puts what was attempted in front: the old message becomes the first cause.
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.message, message.into());
        self.causes.insert(0, cause);
        self
    }

    /// The text for a terminal: message, causes, hints, each on a line of its own.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(report) = &self.report {
            text.push_str(report);
            text.push('\n');
        }
        text.push_str("error: ");
        text.push_str(&self.message);
        for cause in &self.causes {
            let _ = write!(text, "\n  caused by: {cause}");
        }
        for hint in &self.hints {
            let _ = write!(text, "\n  hint: {hint}");
        }
        text
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut value = serde_json::json!({
            "error": {
                "code": self.kind.code(),
                "exitCode": self.kind.exit_code(),
                "message": self.message,
                "causes": self.causes,
                "hints": self.hints,
            }
        });
        if let Some(diagnostics) = &self.diagnostics {
            value["diagnostics"] = (**diagnostics).clone();
        }
        value
    }
}

impl Failure {
    /// The message and its causes in one line, for the ledger.
    pub(crate) fn one_line(&self) -> String {
        let mut line = self.message.clone();
        for cause in self.causes.iter().map(String::as_str).chain(self.first_problem()) {
            line.push_str(": ");
            line.push_str(cause);
        }
        line
    }

    /// The first error of the project, where there are any.
    fn first_problem(&self) -> Option<&str> {
        let problems = self.diagnostics.as_ref()?.as_array()?;
        problems.iter().find(|it| it["severity"] == "error")?["message"].as_str()
    }
}

impl From<plan::PlanError> for Failure {
    fn from(error: plan::PlanError) -> Self {
        let mut failure = Self::from_error(Kind::Usage, &error);
        failure.hints.extend(error.hint());
        failure
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        let kind = match error.kind() {
            engine::Kind::NotFound | engine::Kind::Invalid => Kind::Usage,
            engine::Kind::Changed => Kind::Temporary,
            engine::Kind::Denied | engine::Kind::Unreachable => Kind::Connection,
            engine::Kind::Unavailable => Kind::Temporary,
            engine::Kind::Resources => Kind::Run,
            engine::Kind::Internal => Kind::Internal,
        };
        let mut failure = Self::from_error(kind, &error);
        failure.hints.extend(error.hint().map(str::to_owned));
        failure
    }
}

impl From<delivery::Error> for Failure {
    fn from(error: delivery::Error) -> Self {
        use delivery::error::Kind as Delivery;
        let kind = match error.kind() {
            Delivery::Denied | Delivery::Connection | Delivery::Unsupported => Kind::Connection,
            Delivery::Temporary | Delivery::Full => Kind::Temporary,
            Delivery::Conflict | Delivery::Invalid | Delivery::Corrupt => Kind::Run,
            Delivery::Internal => Kind::Internal,
        };
        let mut failure = Self::from_error(kind, &error);
        failure.hints.extend(error.hint());
        failure
    }
}

impl From<delivery::encode::Error> for Failure {
    fn from(error: delivery::encode::Error) -> Self {
        let mut failure = Self::from_error(Kind::Run, &error);
        failure.hints.extend(error.hint().map(str::to_owned));
        failure
    }
}

impl From<ledger::Error> for Failure {
    fn from(error: ledger::Error) -> Self {
        let kind = match error.kind() {
            _ if matches!(error, ledger::Error::Elsewhere { .. }) => Kind::Elsewhere,
            ledger::Kind::Locked
            | ledger::Kind::Busy
            | ledger::Kind::Full
            | ledger::Kind::Fenced => Kind::Temporary,
            ledger::Kind::NotFound | ledger::Kind::NewerSchema | ledger::Kind::Invalid => {
                Kind::Usage
            }
            ledger::Kind::Unreachable | ledger::Kind::Denied => Kind::Connection,
            ledger::Kind::Conflict => Kind::Blocked,
            ledger::Kind::Corrupt | ledger::Kind::Io => Kind::Run,
            _ => Kind::Internal,
        };
        let mut failure = Self::from_error(kind, &error);
        if let ledger::Error::Locked { owner, .. } = error {
            failure.holder = owner;
        }
        failure.hints.extend(error.hint().map(str::to_owned));
        failure
    }
}
