//! What goes wrong with a request: one table of codes, answered as RFC 9457 problems.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::{Failure, Kind};

/// Every code there is. `docs/api.md` lists them, and a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    MalformedRequest,
    UnknownParameter,
    NotSignedIn,
    SignInFailed,
    Forbidden,
    CrossSite,
    WrongHost,
    NotFound,
    MethodNotAllowed,
    Conflict,
    ActivationDisabled,
    IdempotencyMismatch,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    HeadTooLarge,
    NotJson,
    InvalidValue,
    ReadOnly,
    TooManyRequests,
    ProjectInvalid,
    ServiceRefused,
    RunFailed,
    Internal,
    Unavailable,
}

impl Code {
    pub(crate) const ALL: [Self; 25] = [
        Self::MalformedRequest,
        Self::UnknownParameter,
        Self::NotSignedIn,
        Self::SignInFailed,
        Self::Forbidden,
        Self::CrossSite,
        Self::WrongHost,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::ActivationDisabled,
        Self::IdempotencyMismatch,
        Self::PreconditionFailed,
        Self::PreconditionRequired,
        Self::TooLarge,
        Self::HeadTooLarge,
        Self::NotJson,
        Self::InvalidValue,
        Self::ReadOnly,
        Self::TooManyRequests,
        Self::ProjectInvalid,
        Self::ServiceRefused,
        Self::RunFailed,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status, the word for machines, and the title.
    pub(crate) fn facts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => (400, "malformed_request", "The request cannot be read"),
            Self::UnknownParameter => (400, "unknown_parameter", "There is no such parameter"),
            Self::NotSignedIn => (401, "not_signed_in", "Sign in first"),
            Self::SignInFailed => (401, "sign_in_failed", "Name or password is wrong"),
            Self::Forbidden => (403, "forbidden", "The role does not allow it"),
            Self::CrossSite => (403, "cross_site", "The request comes from another site"),
            Self::WrongHost => (421, "wrong_host", "The host is not one of this server"),
            Self::NotFound => (404, "not_found", "There is no such thing"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "The method does not fit"),
            Self::Conflict => (409, "conflict", "It is there already, or stands in the way"),
            Self::ActivationDisabled => (409, "activation_disabled", "The activation is disabled"),
            Self::IdempotencyMismatch => {
                (409, "idempotency_mismatch", "The key was used for another request")
            }
            Self::PreconditionFailed => {
                (412, "precondition_failed", "It is not the version that was meant")
            }
            Self::PreconditionRequired => {
                (428, "precondition_required", "The request has to name a version")
            }
            Self::TooLarge => (413, "too_large", "The request is too large"),
            Self::HeadTooLarge => (431, "head_too_large", "The head of the request is too large"),
            Self::NotJson => (415, "not_json", "The body has to be JSON"),
            Self::InvalidValue => (422, "invalid_value", "A value does not fit"),
            Self::ReadOnly => {
                (409, "read_only", "The project file says so, and is not changed here")
            }
            Self::TooManyRequests => (429, "too_many_requests", "Too many requests"),
            Self::ProjectInvalid => (422, "project_invalid", "The project cannot be used as it is"),
            Self::ServiceRefused => {
                (502, "service_refused", "The service of the destination refuses")
            }
            Self::RunFailed => (422, "run_failed", "It was tried and did not do"),
            Self::Internal => (500, "internal", "A fault of Segue"),
            Self::Unavailable => (503, "unavailable", "It may work later"),
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.facts().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A problem on its way out. It holds no profile value and no secret.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// What is wrong, in a sentence.
    pub(crate) detail: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// Seconds after which it may work.
    pub(crate) retry_after: Option<u64>,
    /// The methods that the path takes.
    pub(crate) allow: Option<String>,
    /// What is wrong with single members of the body.
    pub(crate) errors: Vec<Pointed>,
}

/// What is wrong with a member of the body, or with what it would do to the project.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Pointed {
    /// The member, as a JSON Pointer into the body; nothing when it is elsewhere in the project
    pub(crate) pointer: Option<String>,
    /// Where a person finds it; the name of a parameter where it is no member of the body
    pub(crate) place: String,
    /// As `segue validate` names it
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
}

/// The body of a problem.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody {
    /// Where the code is explained.
    r#type: String,
    /// What kind of problem it is.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong.
    detail: String,
    /// The word for machines; it does not change.
    code: String,
    /// What to do next.
    hint: Option<String>,
    /// What is wrong with single members of the body.
    errors: Vec<Pointed>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: None,
            retry_after: None,
            allow: None,
            errors: Vec::new(),
        }
    }

    /// A member of the body does not fit, at this JSON Pointer.
    pub(crate) fn at_member(pointer: &str, detail: impl Into<String>) -> Self {
        Self::at(Some(pointer), pointer.trim_start_matches('/').replace('/', "."), detail.into())
    }

    /// A parameter does not fit, or what else is no member of the body.
    pub(crate) fn at_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::at(None, name.to_owned(), detail.into())
    }

    fn at(pointer: Option<&str>, place: String, detail: String) -> Self {
        let pointed = Pointed {
            pointer: pointer.map(str::to_owned),
            place,
            code: Code::InvalidValue.facts().1.to_owned(),
            detail: detail.clone(),
            hint: None,
        };
        Self { errors: vec![pointed], ..Self::new(Code::InvalidValue, detail) }
    }

    /// The path takes these methods, and not the one that was asked with.
    pub(crate) fn other_method(allowed: &[&str]) -> Self {
        Self {
            allow: Some(allowed.join(", ")),
            ..Self::new(Code::MethodNotAllowed, "The path takes other methods.")
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        for error in &mut self.errors {
            error.hint.get_or_insert_with(|| hint.clone());
        }
        self.hint = Some(hint);
        self
    }

    /// The same with the first of some hints, if there is one.
    pub(crate) fn first_of(self, hints: Vec<String>) -> Self {
        match hints.into_iter().next() {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} `{name}`."))
    }

    pub(crate) fn body(&self) -> ProblemBody {
        let (status, code, title) = self.code.facts();
        ProblemBody {
            r#type: format!("/api/docs#{code}"),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            code: code.to_owned(),
            hint: self.hint.clone(),
            errors: self.errors.clone(),
        }
    }
}

/// After how many seconds it may be asked again what could not be answered without the ledger's database.
const AWAY_SECONDS: u64 = 10;

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let code = match failure.kind {
            Kind::Usage => Code::ProjectInvalid,
            Kind::Connection => Code::ServiceRefused,
            Kind::Temporary | Kind::Elsewhere | Kind::Interrupted => Code::Unavailable,
            Kind::Run | Kind::Blocked | Kind::Nothing => Code::RunFailed,
            Kind::Internal => Code::Internal,
        };
        if code == Code::Internal {
            // Its text may name what only the log should.
            tracing::error!(failure = failure.one_line(), "a request failed");
            return Self::new(code, "A fault of Segue; the log of the server says where.");
        }
        let mut problem = Self::new(code, failure.one_line());
        problem.hint = (!failure.hints.is_empty()).then(|| failure.hints.join(" "));
        problem
    }
}

impl From<ledger::Error> for Problem {
    fn from(error: ledger::Error) -> Self {
        // The server's own database, and not the service of a destination.
        let is_away = matches!(
            error.kind(),
            ledger::Kind::Unreachable | ledger::Kind::Denied | ledger::Kind::Busy
        );
        let problem = Self::from(Failure::from(error));
        match is_away {
            true => Self { code: Code::Unavailable, retry_after: Some(AWAY_SECONDS), ..problem },
            false => problem,
        }
    }
}
