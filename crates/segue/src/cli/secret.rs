//! `segue secret`: credentials that are kept encrypted beside the ledger.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use zeroize::Zeroizing;

use crate::ambient;
use crate::cli::{Format, Global, table};
use crate::failure::{Failure, Kind};
use crate::secrets::{Entry, SECRET_BYTES_MAX, Secrets};
use crate::workspace;

/// Keep credentials encrypted beside the ledger; the project file names them as `${secret:NAME}`
///
/// They are sealed under a master key: that of the file which SEGUE_MASTER_KEY_FILE names, that in
/// SEGUE_MASTER_KEY (64 hexadecimal digits), or one that is made on first use, in the file
/// `master.key` of the state directory. Keep the key away from backups of that directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Store a secret: typed in, from standard input, or from a file
    ///
    /// A line end behind it is left out. One with the same name is replaced; runs that are under way
    /// keep what they began with, and the next ones, recovery included, use the new one.
    Set {
        /// The name, by which the project file refers to it
        name: String,
        /// The file that holds it
        #[arg(long, value_name = "PATH")]
        from_file: Option<PathBuf>,
    },
    /// List the names of the secrets, never their values
    List,
    /// Remove a secret
    Remove {
        /// The name
        name: String,
    },
    /// Seal all secrets under a new master key
    ///
    /// A key in a file is replaced by a new one. Keys in SEGUE_MASTER_KEY are changed by whoever sets
    /// it: put the new key in front of the old one, separated by a comma, rotate, and then take the
    /// old one away.
    Rotate,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let secrets = open(global)?;
    match &args.action {
        Action::Set { name, from_file } => {
            let text = read(name, from_file.as_deref())?;
            let entry = secrets.set(name, &text, ambient::now())?;
            let said = format!(
                "{name} is stored, sealed under the master key in {}; refer to it as ${{secret:{name}}}",
                secrets.key_place()
            );
            told(global, &said, entry_json(&entry));
        }
        Action::List => list(global, &secrets.list()?),
        Action::Remove { name } => {
            secrets.remove(name)?;
            told(global, &format!("{name} is removed"), serde_json::json!({ "name": name }));
        }
        Action::Rotate => {
            let (key_id, sealed) = secrets.rotate()?;
            let counted = workspace::counted(sealed, "secret");
            let said = format!(
                "{counted} sealed under the master key {key_id} in {}",
                secrets.key_place()
            );
            told(global, &said, serde_json::json!({ "keyId": key_id, "secrets": sealed }));
        }
    }
    Ok(())
}

/// The store, also of a project whose file still has problems: a secret may be what it lacks.
fn open(global: &Global) -> Result<Secrets, Failure> {
    let state = match &global.state_dir {
        Some(state) => state.clone(),
        None => {
            let path = workspace::locate(global.project.as_deref())?;
            workspace::state_beside(&path)
        }
    };
    Ok(Secrets::new(&state, &ambient::variable))
}

fn read(name: &str, from_file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin();
    let text = match from_file {
        Some(path) => std::fs::read_to_string(path).map(Zeroizing::new),
        None if stdin.is_terminal() => {
            rpassword::prompt_password(format!("Secret `{name}` (not shown): ")).map(Zeroizing::new)
        }
        None => {
            let mut text = Zeroizing::new(String::new());
            let limit = SECRET_BYTES_MAX as u64 + 2;
            stdin.lock().take(limit).read_to_string(&mut text).map(|_| text)
        }
    };
    let mut text = text.map_err(|error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("the secret `{name}` cannot be read"))
    })?;
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    Ok(text)
}

fn list(global: &Global, entries: &[Entry]) {
    match global.output {
        Format::Text if entries.is_empty() => {
            super::say("No secret is stored. Store one with `segue secret set NAME`.");
        }
        Format::Text => {
            let row = |entry: &Entry| {
                vec![entry.name.clone(), format!("{:.0}", entry.set), entry.key_id.clone()]
            };
            let rows = entries.iter().map(row).collect();
            super::answer(&table::table(&["name", "set", "master key"], &[], rows));
        }
        Format::Json => super::answer_json(&entries.iter().map(entry_json).collect()),
    }
}

fn entry_json(entry: &Entry) -> serde_json::Value {
    let Entry { name, set, key_id } = entry;
    serde_json::json!({ "name": name, "set": set.to_string(), "keyId": key_id })
}

fn told(global: &Global, text: &str, json: serde_json::Value) {
    match global.output {
        Format::Text => super::answer(text),
        Format::Json => super::answer_json(&json),
    }
}
