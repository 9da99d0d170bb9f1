//! Where a ledger is: a SQLite file, or a schema of a PostgreSQL database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::{Error, Result};
use crate::sql::Statements;

/// The schema of a database in which the ledger is, unless its address says another.
pub const SCHEMA: &str = "segue";
/// The longest name that PostgreSQL takes whole.
const SCHEMA_CHARS_MAX: usize = 63;
/// What an address may say behind its question mark.
const PARAMETERS: [&str; 7] =
    ["schema", "pooler", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

/// Where a ledger is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A SQLite file, which one process at a time works with.
    File(PathBuf),
    /// A database that several servers share.
    Postgres(Address),
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}

impl From<Address> for Place {
    fn from(address: Address) -> Self {
        Self::Postgres(address)
    }
}

impl Place {
    /// Whether several servers can work with it at once.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// The address of a PostgreSQL database, with what is needed to sign in. What is shown of it holds
/// neither user nor password.
#[derive(Clone)]
pub struct Address {
    pub(crate) options: Box<PgConnectOptions>,
    pub(crate) schema: String,
    pub(crate) statements: Statements,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?schema=segue`. A password that is given apart
    /// goes before one in the address.
    ///
    /// A server that is not on this machine has to show a certificate of a known authority for its name,
    /// unless the address says another `sslmode`. What the address does not say comes from the variables
    /// of PostgreSQL's own tools, and the password from their password file.
    ///
    /// # Errors
    /// `Address` when it is no such thing; nothing of it is in the error.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self> {
        let broken = |fact: &str| Error::Address { fact: fact.to_owned() };
        let mut url = url::Url::parse(text).map_err(|_| broken("cannot be read"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(broken("does not begin with postgres://"));
        }
        let parameters: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if let Some((unknown, _)) =
            parameters.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str()))
        {
            let near = plan::nearest::nearest(unknown, PARAMETERS);
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Error::Address {
                fact: format!("has the unknown parameter `{unknown}`{near}"),
            });
        }
        let named = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        let schema = named("schema").unwrap_or_else(|| SCHEMA.to_owned());
        if !is_plain_name(&schema) {
            return Err(broken(
                "names a schema with other characters than small letters, digits and underscores",
            ));
        }
        let statements = match named("pooler").as_deref() {
            None | Some("session") => Statements::Kept,
            Some("transaction") => Statements::Forgotten,
            Some(_) => {
                return Err(broken("has a `pooler` that is neither session nor transaction"));
            }
        };
        // The driver knows the rest, and not these.
        let rest = parameters.iter().filter(|(name, _)| name != "schema" && name != "pooler");
        url.query_pairs_mut().clear().extend_pairs(rest);
        if url.query() == Some("") {
            url.set_query(None);
        }
        let options = PgConnectOptions::from_str(url.as_str());
        let mut options = options.map_err(|_| broken("cannot be read"))?;
        if let Some(password) = password {
            options = options.password(password);
        }
        if named("sslmode").is_none() {
            let mode = if is_here(&options) { PgSslMode::Prefer } else { PgSslMode::VerifyFull };
            options = options.ssl_mode(mode);
        }
        if named("application_name").is_none() {
            options = options.application_name("segue");
        }
        // Poolers refuse what they do not know, and no float is ever read.
        options = options.extra_float_digits(None);
        let options = Box::new(options.disable_statement_logging());
        Ok(Self { options, schema, statements })
    }
}

/// Whether the server is on this machine.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty()
        && name.len() <= SCHEMA_CHARS_MAX
        && name.bytes().all(is_plain)
        && !name.as_bytes()[0].is_ascii_digit()
        && !name.starts_with("pg_")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        write!(f, "postgres://{}:{}", options.get_host(), options.get_port())?;
        write!(f, "/{}", options.get_database().unwrap_or_else(|| options.get_username()))?;
        if self.schema != SCHEMA {
            write!(f, "?schema={}", self.schema)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_who_signs_in() {
        let shown = |text| Address::parse(text, Some("canary-apart")).expect(text).to_string();
        assert_eq!(
            shown("postgres://canary:canary-secret@db.acme:5433/teams"),
            "postgres://db.acme:5433/teams"
        );
        assert_eq!(
            shown("postgresql://canary@db.acme/teams?schema=segue&sslmode=require"),
            "postgres://db.acme:5432/teams"
        );
        assert_eq!(
            shown("postgres://canary@localhost/teams?schema=crm_2"),
            "postgres://localhost:5432/teams?schema=crm_2"
        );
        let place = Place::Postgres(
            Address::parse("postgres://canary:canary-secret@db.acme/teams", None).expect("good"),
        );
        assert_eq!(format!("{place:?}"), "Postgres(Address(postgres://db.acme:5432/teams))");
    }

    #[test]
    fn servers_elsewhere_have_to_prove_who_they_are() {
        let mode = |text| {
            let address = Address::parse(text, None).expect(text);
            format!("{:?}", address.options.get_ssl_mode())
        };
        assert_eq!(mode("postgres://u@db.acme/teams"), "VerifyFull");
        assert_eq!(mode("postgres://u@127.0.0.1:5433/teams"), "Prefer");
        assert_eq!(mode("postgres://u@db.acme/teams?sslmode=require"), "Require");
        assert_eq!(mode("postgres://u@db.acme/teams?sslmode=disable&schema=a"), "Disable");
    }

    #[test]
    fn what_is_no_address_is_told_without_it() {
        let told = |text| Address::parse(text, None).expect_err(text).to_string();
        let all = [
            "canary-secret",
            "mysql://u:canary-secret@db/teams",
            "postgres://u:canary-secret@db:port/teams",
            "postgres://u:canary-secret@db/teams?ssl_mode=require",
            "postgres://u:canary-secret@db/teams?password=canary",
            "postgres://u:canary-secret@db/teams?schema=Teams;",
            "postgres://u:canary-secret@db/teams?sslmode=canary",
            "postgres://u:canary-secret@db/teams?pooler=canary",
        ]
        .map(told)
        .join("\n");
        insta::assert_snapshot!(all, @"
        the address of the database cannot be read
        the address of the database does not begin with postgres://
        the address of the database cannot be read
        the address of the database has the unknown parameter `ssl_mode`; did you mean `sslmode`?
        the address of the database has the unknown parameter `password`
        the address of the database names a schema with other characters than small letters, digits and underscores
        the address of the database cannot be read
        the address of the database has a `pooler` that is neither session nor transaction
        ");
        assert!(!all.contains("canary"));
    }
}
