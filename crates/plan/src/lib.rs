//! What to do: project files become a validated [`Project`], and one run of it an immutable
//! [`RunPlan`].
//!
//! Everything here is pure. The crate performs no input or output, cannot ask the time, and knows
//! neither Arrow, nor SQL engines, nor S3. Time, environment variables and schemas come in as
//! arguments; problems go out as [`Diagnostic`] values with their place in the file.
//!
//! Reading order: [`project`] is the vocabulary, [`run_plan`] is what one run needs to know, and
//! [`protocol`] is how a run becomes visible whole or not at all.

pub mod address;
mod check_fields;
mod config;
pub mod consent;
pub mod diagnostic;
pub mod error;
pub mod field;
pub mod file_format;
pub mod guard;
pub mod identity_rows;
mod interpolate;
pub mod nearest;
pub mod object_key;
pub mod object_settings;
pub mod permission;
pub mod planner;
pub mod policy;
pub mod power;
pub mod pql;
pub mod project;
pub mod protocol;
pub mod read;
pub mod region;
mod resolve;
pub mod run_plan;
pub mod schedule;
pub mod schema;
pub mod segment_reference;
mod sql_text;
pub mod staged;
pub mod stored;
mod structure;
mod tree;
pub mod usage;

pub use consent::Consent;
pub use diagnostic::{Diagnostic, Severity, Span};
pub use error::PlanError;
pub use field::FieldPath;
pub use file_format::FileFormat;
pub use interpolate::{Outside, SECRET_NAME_BYTES_MAX, SecretProblem, is_secret_name};
pub use project::Project;
pub use read::{Draft, Reading, read, read_with, read_with_stored};
pub use run_plan::{Due, Output, Query, RunPlan};
pub use schema::Schema;
pub use stored::{Part, Section, Stored};

/// Returns the JSON Schema of the project file, for editors.
pub fn json_schema() -> serde_json::Value {
    config::json_schema().clone()
}
