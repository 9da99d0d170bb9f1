//! A project on disk: its file, its folder, its state, and the objects that its ledger keeps.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use ledger::{Address, Definition, Definitions, Ledger, Place};
use plan::{Diagnostic, Outside, Project, Section, Severity, Stored};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::ambient;
use crate::app::objects::NOTES;
use crate::cli::Global;
use crate::draw::{self, Source};
use crate::failure::{Failure, Kind};
use crate::opening;
use crate::seals::Seals;
use crate::secrets::{self, Secrets};
use crate::server;
use crate::stores::Sessions;

/// The name of a project file.
pub(crate) const PROJECT_FILE: &str = "segue.yaml";
/// The folder beside the project file in which runs are recorded.
const STATE_FOLDER: &str = ".segue";
/// What is known of the services of destinations, inside the state folder.
const CAPABILITIES_FOLDER: &str = "destinations";
/// The seals of runs that are not over, inside the state folder.
const SEALS_FOLDER: &str = "seals";
/// The records of whose data runs have sent, inside the state folder.
pub(crate) const RECORDS_FOLDER: &str = "who-got";
/// The ledger inside the state folder.
pub(crate) const LEDGER_FILE: &str = "ledger.sqlite";

/// A project that was read and is free of errors.
pub(crate) struct Workspace {
    /// The project file, as the user would name it.
    pub(crate) path: PathBuf,
    /// The text of the project file and the stored objects behind it, for excerpts.
    pub(crate) source: Source,
    /// Where relative locations begin.
    pub(crate) folder: PathBuf,
    /// What file and stored objects say together.
    pub(crate) project: Project,
    /// The objects that the ledger keeps.
    pub(crate) stored: Definitions,
    /// What is worth knowing about it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// What tells whether anything was changed since that the file only names: stored secrets, and
    /// files with secrets, keys, certificates and rules.
    pub(crate) outside: String,
    /// The accounts that were signed in to.
    pub(crate) sessions: Sessions,
    /// The folders below which stored destinations may be.
    pub(crate) outboxes: Vec<PathBuf>,
    /// Whether nothing may stay on this machine of what is made on the way.
    pub(crate) leaves_nothing: bool,
    state: PathBuf,
    ledger: Place,
}

impl Workspace {
    /// Finds and reads the project, with the objects that its ledger keeps.
    ///
    /// # Errors
    /// There is no project file, it has problems (all of them are in the failure's report), or the
    /// ledger cannot be read.
    pub(crate) async fn load(global: &Global) -> Result<Self, Failure> {
        Self::load_with(global, &ambient::variable).await
    }

    /// The same with other environment variables than the process's.
    pub(crate) async fn load_with(
        global: &Global,
        variables: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, Failure> {
        let file = File::read(global)?;
        let stored = ledger::definitions_in(file.ledger_place()).await?;
        file.with(stored, variables)
    }

    /// As [`Workspace::load`], but what is wrong with the project does not end it.
    ///
    /// # Errors
    /// There is no project file, nothing can be understood of it, or the ledger cannot be read.
    pub(crate) async fn draft(global: &Global) -> Result<Drafted, Failure> {
        let file = File::read(global)?;
        let stored = ledger::definitions_in(file.ledger_place()).await?;
        let mut read = file.understand(&stored.items, &ambient::variable)?;
        let problems = read.reading.diagnostics.clone();
        let has_its_data = match read.reading.draft.take() {
            Some(draft) => {
                read.reading.project = Some(draft.project);
                draft.has_its_data
            }
            None => true,
        };
        let workspace = file.workspace(read, stored)?;
        Ok(Drafted { workspace, problems, has_its_data })
    }

    /// The same with the ledger of this process.
    pub(crate) async fn load_from(global: &Global, ledger: &Ledger) -> Result<Self, Failure> {
        let file = File::read(global)?;
        file.with(ledger.definitions().await?, &ambient::variable)
    }

    /// The object that the ledger keeps under a key, unless the file has one of the same key.
    pub(crate) fn stored(&self, section: Section, key: &str) -> Option<&Definition> {
        let is_used = self.source.parts.iter().any(|it| it.section == section && it.key == key);
        self.stored
            .items
            .iter()
            .find(|it| it.section == section.as_str() && it.key == key)
            .filter(|_| is_used)
    }

    /// Turns errors among diagnostics into a failure.
    pub(crate) fn fail_on_errors(&self, diagnostics: &[Diagnostic]) -> Result<(), Failure> {
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(invalid(&self.source, diagnostics));
        }
        Ok(())
    }

    /// Puts problems that are known before another failure, which kept the rest from being found.
    pub(crate) fn telling(&self, failure: Failure, diagnostics: &[Diagnostic]) -> Failure {
        match diagnostics {
            [] => failure,
            known => Failure {
                report: Some(draw::diagnostics(&self.source, known)),
                diagnostics: Some(Box::new(draw::diagnostics_json(&self.source, known))),
                ..failure
            },
        }
    }

    /// Where the ledger is.
    pub(crate) fn ledger_place(&self) -> &Place {
        &self.ledger
    }

    /// Opens the ledger to work with it, for as long as a command takes.
    ///
    /// # Errors
    /// As for [`opening::open`]; the failure says so when a server has the ledger.
    pub(crate) async fn open_ledger(&self) -> Result<Ledger, Failure> {
        let owner = format!("command {}", ambient::nonce());
        self.open_ledger_as(&owner, opening::LEASE).await
    }

    /// The same in the name of a server.
    pub(crate) async fn open_ledger_as(
        &self,
        owner: &str,
        lease: SignedDuration,
    ) -> Result<Ledger, Failure> {
        let opened = opening::open(&self.ledger, &self.state, owner, lease).await;
        // Whoever has the ledger may be a server.
        opened.map_err(|failure| server::explain(self, failure))
    }

    /// The store of secrets, which the project's credentials may name.
    pub(crate) fn secret_store(&self) -> Secrets {
        Secrets::new(&self.state, &ambient::variable)
    }

    /// What is known of a destination's service.
    pub(crate) fn capabilities_path(&self, destination: &str) -> PathBuf {
        self.state.join(CAPABILITIES_FOLDER).join(format!("{destination}.json"))
    }

    /// Where incremental runs leave what they have sent.
    pub(crate) fn baselines_folder(&self) -> PathBuf {
        self.state.join("baselines")
    }

    /// Where runs leave whose data is in which of their files.
    pub(crate) fn records_folder(&self) -> PathBuf {
        self.state.join(RECORDS_FOLDER)
    }

    /// What the encryption of runs is drawn from.
    pub(crate) fn seals(&self) -> Seals {
        Seals::new(self.state.join(SEALS_FOLDER))
    }

    /// Where everything is kept that a run leaves on this machine.
    pub(crate) fn state_folder(&self) -> &Path {
        &self.state
    }
}

/// The state directory of a project file when no other is asked for.
pub(crate) fn state_beside(project_file: &Path) -> PathBuf {
    project_file.parent().map(Path::to_path_buf).unwrap_or_default().join(STATE_FOLDER)
}

/// A project as far as it can be understood, and what is wrong with it.
pub(crate) struct Drafted {
    /// Nothing may run from it when there are errors.
    pub(crate) workspace: Workspace,
    pub(crate) problems: Vec<Diagnostic>,
    /// Whether fields can be looked up in its datasets.
    pub(crate) has_its_data: bool,
}

/// A project file as it is on disk, not yet understood.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    text: String,
    folder: PathBuf,
    outboxes: Vec<PathBuf>,
    state: PathBuf,
    ledger: Place,
}

/// What reading a project file together with stored objects came to.
pub(crate) struct Read {
    pub(crate) reading: plan::Reading,
    pub(crate) source: Source,
    /// What tells whether anything that the file only names was changed since.
    outside: String,
}

impl File {
    /// Finds and reads it.
    ///
    /// # Errors
    /// There is none, or it cannot be read; the address of the ledger's database is no such thing.
    pub(crate) fn read(global: &Global) -> Result<Self, Failure> {
        let path = locate(global.project.as_deref())?;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::from_error(Kind::Usage, &error)
                .context(format!("failed to read the project file {}", path.display()))
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let state = global.state_dir.clone().unwrap_or_else(|| folder.join(STATE_FOLDER));
        let ledger = ledger_place(global, &state)?;
        let outboxes = global.outboxes.clone();
        Ok(Self { path, text, folder, outboxes, state, ledger })
    }

    /// Where its ledger is, if it has one.
    pub(crate) fn ledger_place(&self) -> &Place {
        &self.ledger
    }

    /// Where everything is kept that runs leave on this machine.
    pub(crate) fn state_folder(&self) -> PathBuf {
        self.state.clone()
    }

    /// The keys of the objects that stand in the file, whatever else is wrong with it.
    pub(crate) fn keys(&self) -> Vec<(Section, String)> {
        plan::stored::keys_in(&self.text)
    }

    /// Reads the project that the file and stored objects are together, with the files beside it and
    /// the secrets in its state directory.
    ///
    /// # Errors
    /// A stored object is damaged.
    pub(crate) fn understand(
        &self,
        stored: &[Definition],
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Read, Failure> {
        let seen = RefCell::new(blake3::Hasher::new());
        let files = |path: &str| {
            let text = std::fs::read_to_string(self.folder.join(path));
            see(&mut seen.borrow_mut(), path, text.as_ref().ok().map(String::as_bytes));
            text.map_err(|error| error.to_string())
        };
        let store = Secrets::new(&self.state, variables);
        let secrets = |name: &str| store.get(name).map_err(|failure| secrets::problem_of(&failure));
        // Before any is read: one that changes meanwhile is noticed at the next look.
        let stored_secrets = store.digest();
        let objects = stored.iter().filter(|it| !it.key.starts_with(NOTES));
        let parsed = objects.map(parse).collect::<Result<Vec<_>, _>>()?;
        let stored: Vec<Stored<'_>> = parsed
            .iter()
            .map(|(section, key, definition)| Stored { section: *section, key, definition })
            .collect();
        let outside = Outside { variables, files: &files, secrets: &secrets };
        let reading = plan::read_with_stored(&self.text, &stored, outside);
        let mut seen = seen.into_inner();
        for account in reading.project.iter().flat_map(|project| &project.accounts) {
            if let Some(path) = &account.ca_file {
                let certificates = std::fs::read(self.folder.join(path));
                see(&mut seen, path, certificates.as_deref().ok());
            }
        }
        let source = Source {
            path: self.path.display().to_string(),
            text: reading.masked(),
            parts: reading.parts.clone(),
        };
        let outside = format!("{stored_secrets} {}", seen.finalize().to_hex());
        Ok(Read { reading, source, outside })
    }

    /// The workspace of a reading without errors.
    ///
    /// # Errors
    /// There are errors.
    pub(crate) fn workspace(self, read: Read, stored: Definitions) -> Result<Workspace, Failure> {
        let Read { reading, source, outside } = read;
        let Some(project) = reading.project else {
            return Err(invalid(&source, &reading.diagnostics));
        };
        Ok(Workspace {
            path: self.path,
            source,
            folder: self.folder,
            project,
            stored,
            warnings: reading.diagnostics,
            outside,
            sessions: Sessions::default(),
            outboxes: self.outboxes,
            leaves_nothing: false,
            state: self.state,
            ledger: self.ledger,
        })
    }

    fn with(
        self,
        stored: Definitions,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Workspace, Failure> {
        let read = self.understand(&stored.items, variables)?;
        self.workspace(read, stored)
    }
}

/// Takes note of a file as it was read, or that it could not be.
fn see(seen: &mut blake3::Hasher, path: &str, bytes: Option<&[u8]>) {
    for part in [Some(path.as_bytes()), bytes] {
        // Lengths keep two files from looking like two others.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        seen.update(&length.to_le_bytes()).update(part.unwrap_or_default());
    }
}

/// The variable that holds the password for the ledger's database.
const PASSWORD_VARIABLE: &str = "SEGUE_DATABASE_PASSWORD";

/// The database that was named, or the file in the state folder.
fn ledger_place(global: &Global, state: &Path) -> Result<Place, Failure> {
    let Some(url) = &global.database else {
        opening::refuse_moved(state)?;
        return Ok(Place::File(state.join(LEDGER_FILE)));
    };
    let password = ambient::variable(PASSWORD_VARIABLE).map(SecretString::from);
    let password = password.as_ref().map(|it| it.expose_secret());
    Ok(Place::Postgres(Address::parse(url.expose_secret(), password)?))
}

fn parse(stored: &Definition) -> Result<(Section, &str, Value), Failure> {
    let section = Section::parse(&stored.section);
    let definition = serde_json::from_str(&stored.text).ok();
    section.zip(definition).map(|(section, it)| (section, stored.key.as_str(), it)).ok_or_else(
        || {
            let message = format!("the stored object {}/{} is damaged", stored.section, stored.key);
            Failure::new(Kind::Run, message).hint("Restore the ledger from a backup.")
        },
    )
}

/// A project that has problems, with all of them drawn.
fn invalid(source: &Source, diagnostics: &[Diagnostic]) -> Failure {
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let problems = if errors == 1 { "1 problem".to_owned() } else { format!("{errors} problems") };
    let mut failure = Failure::usage(format!("{} has {problems}", source.path));
    failure.report = Some(draw::diagnostics(source, diagnostics));
    failure.diagnostics = Some(Box::new(draw::diagnostics_json(source, diagnostics)));
    failure
}

/// The project file that was named, or the nearest `segue.yaml` here or in a parent folder.
pub(crate) fn locate(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        let path = if named.is_dir() { named.join(PROJECT_FILE) } else { named.to_path_buf() };
        if path.is_file() {
            return Ok(path);
        }
        return Err(Failure::usage(format!("there is no project file at {}", path.display()))
            .hint("Name a `segue.yaml`, or the folder that holds one, with --project."));
    }
    let here = std::env::current_dir().map_err(|error| {
        Failure::from_error(Kind::Usage, &error).context("failed to find the current folder")
    })?;
    for (distance, folder) in here.ancestors().enumerate() {
        let path = folder.join(PROJECT_FILE);
        if path.is_file() {
            return Ok(if distance == 0 { PathBuf::from(PROJECT_FILE) } else { path });
        }
    }
    Err(Failure::usage(format!("there is no `{PROJECT_FILE}` in this folder or above it"))
        .hint("Write one with `segue init`, or see everything work with `segue demo`."))
}

/// `1 segment`, `2 segments`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A name that the project does not have, with the nearest that it has.
pub(crate) fn unknown<'a>(
    noun: &str,
    wanted: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Failure {
    let failure = Failure::usage(format!("the project has no {noun} `{wanted}`"));
    match plan::nearest::nearest(wanted, names.clone()) {
        Some(near) => failure.hint(format!("Did you mean `{near}`?")),
        None => failure.hint(format!("It has: {}.", names.collect::<Vec<_>>().join(", "))),
    }
}
