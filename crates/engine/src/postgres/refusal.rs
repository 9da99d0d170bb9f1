//! What a database refuses, as facts and a next step.
//!
//! The server's own words are passed on only where they speak of the query and its names, that is
//! before any row is read: a message about a value may quote it.

use sqlx::postgres::PgDatabaseError;

use crate::error::{Error, Kind};

/// A refusal at the sign-in.
pub(super) fn of_sign_in(place: &str, error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
            encryption(place)
        }
        sqlx::Error::Io(cause) => {
            let reason = match cause.kind() {
                std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
                std::io::ErrorKind::TimedOut => "it does not answer".to_owned(),
                _ if cause.to_string().contains("lookup") => "the host is not known".to_owned(),
                _ => cause.to_string(),
            };
            unreachable(place, &reason)
        }
        other => of(place, other),
    }
}

fn unreachable(place: &str, reason: &str) -> Error {
    let message = format!("the database cannot be reached: {reason}");
    Error::new(Kind::Unreachable, "database_unreachable", message)
        .in_file(place)
        .with_hint("Check host and port of the address, and that this machine may connect to it.")
}

/// A server that does not answer.
pub(super) fn silent(place: &str) -> Error {
    unreachable(place, "it does not answer")
}

/// A connection that ended too early.
pub(super) fn lost(place: &str, when: &str) -> Error {
    let message = format!("the connection to the database was lost {when}");
    Error::new(Kind::Unavailable, "database_lost", message)
        .in_file(place)
        .with_hint("Nothing of it was kept; run again.")
}

/// A refusal before any row is read.
pub(super) fn of(place: &str, error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_server(place, error, true),
            None => Error::internal("an error of another database"),
        },
        sqlx::Error::Tls(_) => encryption(place),
        sqlx::Error::Configuration(_) => Error::new(
            Kind::Invalid,
            "invalid_location",
            "the certificates of the address cannot be read",
        )
        .in_file(place)
        .with_hint(
            "`sslrootcert`, `sslcert` and `sslkey` name PEM files, relative to the project file.",
        ),
        sqlx::Error::Io(_) => lost(place, "before its rows were read"),
        _ => odd(place),
    }
}

/// A refusal while rows are read, behind `rows` rows.
pub(super) fn of_reading(place: &str, error: &sqlx::Error, rows: u64) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_server(place, error, false),
            None => Error::internal("an error of another database"),
        },
        sqlx::Error::Io(_) => lost(place, &format!("after {rows} rows")),
        _ => odd(place),
    }
}

/// The server says something that was not expected.
pub(super) fn odd(place: &str) -> Error {
    Error::new(Kind::Unavailable, "database_protocol", "the answer of the database cannot be understood")
        .in_file(place)
        .with_hint("Check that the address is that of a PostgreSQL server, and not of a proxy that changes its answers.")
}

fn encryption(place: &str) -> Error {
    let message = "no encrypted connection to the database could be made";
    Error::new(Kind::Unreachable, "database_tls", message).in_file(place).with_hint(
        "Add `?sslrootcert=ca.pem` with the server's authority to the address; or `?sslmode=disable` in a network that nobody else is in.",
    )
}

fn of_server(place: &str, error: &PgDatabaseError, may_quote: bool) -> Error {
    let state = error.code();
    let (kind, code, message, hint) = known(state);
    let message = match may_quote && state.starts_with("42") {
        true => format!("{message}: {}", error.message()),
        false if message.is_empty() => format!("the database answered with error {state}"),
        false => message.to_owned(),
    };
    let hint = match error.hint().filter(|_| may_quote && state.starts_with("42")) {
        Some(own) => own.to_owned(),
        None => hint.to_owned(),
    };
    let error = Error::new(kind, code, message).in_file(place);
    if hint.is_empty() { error } else { error.with_hint(hint) }
}

/// Errors by their code (PostgreSQL, appendix A).
fn known(state: &str) -> (Kind, &'static str, &'static str, &'static str) {
    match state {
        "28P01" | "28000" => (
            Kind::Denied,
            "database_sign_in",
            "the database refuses the sign-in",
            "Check the user of the address and the variable of `password`.",
        ),
        "3D000" => (
            Kind::NotFound,
            "database_not_found",
            "the server has no such database",
            "Check the last part of the address.",
        ),
        "42501" => (
            Kind::Denied,
            "database_denied",
            "the database refuses to be read",
            "Let the user read it: `GRANT SELECT ON … TO …`, and `GRANT USAGE ON SCHEMA … TO …`.",
        ),
        "57014" => (
            Kind::Unavailable,
            "database_timeout",
            "the database ended the query: it took longer than its statement timeout",
            "Raise `statement_timeout` for this user (`ALTER ROLE … SET statement_timeout = …`), or read less.",
        ),
        "53300" => (
            Kind::Unavailable,
            "database_busy",
            "the database has no connection left",
            "Try again later, or raise `max_connections`.",
        ),
        "40001" | "40P01" | "57P01" | "57P02" | "57P03" | "25P03" | "57P05" | "08006" | "08003" => {
            (
                Kind::Unavailable,
                "database_lost",
                "the database ended the transaction",
                "Nothing of it was kept; run again.",
            )
        }
        "25006" => (
            Kind::Invalid,
            "database_read_only",
            "the query would change the database",
            "Only queries that read can be a dataset.",
        ),
        _ if state.starts_with("42") || state.starts_with("0A") => (
            Kind::Invalid,
            "database_query",
            "the database does not take the query",
            "Correct `query` or `table`.",
        ),
        _ if state.starts_with("22") => (
            Kind::Invalid,
            "database_value",
            "a value cannot be computed or converted by the database",
            "Look at the casts and divisions of `query`, and at `types`.",
        ),
        _ if state.starts_with("53") => (
            Kind::Unavailable,
            "database_resources",
            "the database has not the resources for the query",
            "Try again later, or read less.",
        ),
        _ => (Kind::Unavailable, "database_error", "", "Look into the server's log."),
    }
}
