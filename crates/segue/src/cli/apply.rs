//! `segue apply`: what the ledger keeps is brought to what a file says.

use std::path::{Path, PathBuf};

use ::plan::Section;
use ::plan::stored::objects_in;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::ambient;
use crate::app::objects::{self, Action, Difference, Editor, Member, Wanted};
use crate::cli::{Format, Global};
use crate::draw::{self, Source};
use crate::failure::{Failure, Kind};
use crate::opening;
use crate::remote::Remote;
use crate::server;
use crate::workspace::{self, File, Workspace};

/// Bring the objects of a server to what a file says
///
/// The file has the shape of a project file; its segments, accounts, destinations and activations are
/// made or changed in the ledger, all or none, after the checks of `segue validate`. Objects that are
/// kept and not in the file stay, unless --prune is given; the server's own project file is never
/// changed. `segue plan --apply FILE` shows the differences first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file with the objects
    file: PathBuf,
    #[command(flatten)]
    how: How,
    /// Only show the differences
    #[arg(long)]
    dry_run: bool,
}

/// What applying takes, and planning it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct How {
    /// Also remove objects that are kept and not in the file
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    server: Server,
}

/// A server that is asked instead of the ledger of this project.
#[derive(Clone, clap::Args)]
pub(crate) struct Server {
    /// Ask the server at this address instead of the ledger beside the project file
    #[arg(long, value_name = "URL", env = "SEGUE_SERVER")]
    server: Option<String>,
    /// The token for it
    #[arg(long, value_name = "TOKEN", env = "SEGUE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Hand-written, so that no token is ever shown.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Server {
    /// The server, if one was named.
    pub(crate) fn remote(&self) -> Result<Option<Remote>, Failure> {
        let Some(url) = &self.server else { return Ok(None) };
        let token = self.token.clone().filter(|token| !token.is_empty()).ok_or_else(|| {
            Failure::usage("a server wants a token")
                .hint("Give one with --token or in SEGUE_TOKEN; `segue token create` makes it.")
        })?;
        Remote::new(url, SecretString::from(token)).map(Some)
    }
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    apply(global, &args.file, &args.how, args.dry_run).await
}

/// Shows the differences and, without `dry_run`, makes the changes.
pub(crate) async fn apply(
    global: &Global,
    file: &Path,
    how: &How,
    dry_run: bool,
) -> Result<(), Failure> {
    let wanted = read(file, how.prune)?;
    let found = match how.server.remote()? {
        Some(remote) => there(&remote, &wanted, dry_run).await?,
        None => here(global, &wanted, dry_run).await?,
    };
    let changes = found.iter().filter(|it| it.action.changes()).count();
    let applied = !dry_run && changes > 0;
    match global.output {
        Format::Text => super::answer(&text(&found, changes, applied)),
        Format::Json => super::answer_json(&json!({
            "applied": applied,
            "differences": found.iter().map(json_of).collect::<Vec<_>>(),
        })),
    }
    Ok(())
}

/// In the ledger of this project.
async fn here(global: &Global, wanted: &Wanted, dry_run: bool) -> Result<Vec<Difference>, Failure> {
    let file = File::read(global)?;
    let of_file = file.keys().into_iter().collect();
    let place = file.ledger_place();
    let kept = ledger::definitions_in(place).await?;
    let found = objects::differences(wanted, &kept, &of_file);
    if dry_run || !found.iter().any(|it| it.action.changes()) {
        return Ok(found);
    }
    let state = file.state_folder();
    let owner = format!("command {}", ambient::nonce());
    let ledger = match opening::open(place, &state, &owner, opening::LEASE).await {
        Ok(ledger) => ledger,
        Err(failure) if failure.holder.is_some() => {
            let workspace = Workspace::load(global).await?;
            return Err(server::explain(&workspace, failure)
                .hint("Name the server with --server and a token of role admin."));
        }
        Err(failure) => return Err(failure),
    };
    let turn = Mutex::new(());
    let editor = Editor { global, ledger: &ledger, turn: &turn };
    let edits = objects::edits(wanted, &found);
    editor.edit(&edits, "command line", ambient::now()).await?;
    ledger.close().await;
    Ok(found)
}

/// On a server: the differences first, then the changes for the very state that they were told of.
async fn there(
    remote: &Remote,
    wanted: &Wanted,
    dry_run: bool,
) -> Result<Vec<Difference>, Failure> {
    let path = "/api/v1/objects";
    let mut body = json!({ "prune": wanted.prune, "dryRun": true });
    for ((section, key), definition) in &wanted.objects {
        body[section.as_str()][key] = definition.clone();
    }
    let told = remote.ask(Method::PUT, path, None, Some(&body)).await?;
    let found: Vec<Difference> =
        told["differences"].as_array().into_iter().flatten().filter_map(difference).collect();
    if !dry_run && found.iter().any(|it| it.action.changes()) {
        body["dryRun"] = Value::Bool(false);
        let tag = format!("\"{}\"", told["revision"]);
        remote.ask(Method::PUT, path, Some(&tag), Some(&body)).await?;
    }
    Ok(found)
}

fn difference(json: &Value) -> Option<Difference> {
    let actions =
        [Action::Add, Action::Change, Action::Remove, Action::Keep, Action::Leave, Action::InFile];
    let member = |it: &Value| Member {
        pointer: it["pointer"].as_str().unwrap_or_default().to_owned(),
        before: Some(it["before"].clone()).filter(|it| !it.is_null()),
        after: Some(it["after"].clone()).filter(|it| !it.is_null()),
    };
    Some(Difference {
        name: (Section::parse(json["section"].as_str()?)?, json["key"].as_str()?.to_owned()),
        action: actions.into_iter().find(|it| json["action"] == it.as_str())?,
        members: json["members"].as_array().into_iter().flatten().map(member).collect(),
    })
}

/// Reads the objects of a file. What the file names beside itself is taken into them: the server does
/// not have those files.
fn read(path: &Path, prune: bool) -> Result<Wanted, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("failed to read {}", path.display()))
    })?;
    let written = objects_in(&text).map_err(|problems| {
        let source = Source::of_text(&path.display().to_string(), &text);
        let mut failure = Failure::usage(format!(
            "{} has {}",
            path.display(),
            workspace::counted(problems.len(), "problem")
        ));
        failure.report = Some(draw::diagnostics(&source, &problems));
        failure
    })?;
    let others: Vec<&str> = written
        .others
        .iter()
        .map(String::as_str)
        .filter(|key| !matches!(*key, "version" | "name"))
        .collect();
    if !others.is_empty() {
        super::say(&format!(
            "note: {} stay as the server's own project file says",
            others.join(", ")
        ));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut wanted = Wanted { objects: written.objects, prune };
    for (_, definition) in &mut wanted.objects {
        take_in(definition, folder)?;
    }
    // Before differences are printed, or anything is sent to a server.
    objects::refuse_private_keys(wanted.objects.iter().map(|(name, it)| (name, it)))?;
    Ok(wanted)
}

/// Puts the texts of `rule_file`, `pql_file` and `pgp` in the place of their names.
fn take_in(definition: &mut Value, folder: &Path) -> Result<(), Failure> {
    let text_of = |name: &str| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| {
            Failure::from_error(Kind::Usage, &error)
                .context(format!("failed to read {}", folder.join(name).display()))
        })
    };
    let Some(members) = definition.as_object_mut() else { return Ok(()) };
    for (file_key, key) in [("rule_file", "rule"), ("pql_file", "pql")] {
        if let Some(name) = members.get(file_key).and_then(Value::as_str) {
            let text = text_of(name)?;
            members.remove(file_key);
            members.insert(key.to_owned(), text.trim_end().into());
        }
    }
    let recipients = members.get_mut("encryption").and_then(|it| it.get_mut("pgp"));
    for recipient in recipients.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(name) = recipient.as_str().filter(|it| !it.starts_with("-----BEGIN ")) {
            *recipient = text_of(name)?.into();
        }
    }
    Ok(())
}

fn text(found: &[Difference], changes: usize, applied: bool) -> String {
    let mut lines = Vec::new();
    for it in found {
        let (sign, note) = match it.action {
            Action::Add => ("+", ""),
            Action::Change => ("~", ""),
            Action::Remove => ("-", ""),
            Action::Keep => continue,
            Action::Leave => (" ", ": kept, and not in the file (--prune removes it)"),
            Action::InFile => (" ", ": in the server's own project file; left out"),
        };
        lines.push(format!("{sign} {}{note}", objects::named(&it.name)));
        for member in &it.members {
            let shown = |value: &Option<Value>| {
                value.as_ref().map_or_else(|| "(nothing)".to_owned(), Value::to_string)
            };
            lines.push(format!(
                "    {}: {} → {}",
                member.pointer,
                shown(&member.before),
                shown(&member.after)
            ));
        }
    }
    let counted = workspace::counted(changes, "object");
    lines.push(match (changes, applied) {
        (0, _) => "Everything is as the file says.".to_owned(),
        (_, true) => format!("{counted} changed."),
        (_, false) => format!("{counted} would change. `segue apply` does it."),
    });
    lines.join("\n")
}

fn json_of(difference: &Difference) -> Value {
    let member =
        |it: &Member| json!({ "pointer": it.pointer, "before": it.before, "after": it.after });
    json!({
        "section": difference.name.0.as_str(),
        "key": difference.name.1,
        "action": difference.action.as_str(),
        "members": difference.members.iter().map(member).collect::<Vec<_>>(),
    })
}
