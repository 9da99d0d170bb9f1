//! A project on disk: its file, its folder, its state.

use std::path::{Path, PathBuf};

use plan::{Diagnostic, Outside, Project, Severity};

use crate::ambient;
use crate::cli::Global;
use crate::draw;
use crate::failure::{Failure, Kind};
use crate::seals::Seals;
use crate::secrets::{self, Secrets};
use crate::stores::Sessions;

/// The name of a project file.
pub(crate) const PROJECT_FILE: &str = "segue.yaml";
/// The folder beside the project file in which runs are recorded.
const STATE_FOLDER: &str = ".segue";
/// What is known of the services of destinations, inside the state folder.
const CAPABILITIES_FOLDER: &str = "destinations";
/// The seals of runs that are not over, inside the state folder.
const SEALS_FOLDER: &str = "seals";
/// The ledger inside the state folder.
const LEDGER_FILE: &str = "ledger.sqlite";

/// A project that was read and is free of errors.
pub(crate) struct Workspace {
    /// The project file, as the user would name it.
    pub(crate) path: PathBuf,
    /// The text of the project file, secrets masked, for excerpts.
    pub(crate) text: String,
    /// Where relative locations begin.
    pub(crate) folder: PathBuf,
    /// What the file says.
    pub(crate) project: Project,
    /// What is worth knowing about it.
    pub(crate) warnings: Vec<Diagnostic>,
    /// The accounts that were signed in to.
    pub(crate) sessions: Sessions,
    state: PathBuf,
}

impl Workspace {
    /// Finds and reads the project.
    ///
    /// # Errors
    /// There is no project file, or it has problems; all of them are in the failure's report.
    pub(crate) fn load(global: &Global) -> Result<Self, Failure> {
        Self::load_with(global, &ambient::variable)
    }

    /// The same with other environment variables than the process's.
    pub(crate) fn load_with(
        global: &Global,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let path = locate(global.project.as_deref())?;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::from_error(Kind::Usage, &error)
                .context(format!("failed to read the project file {}", path.display()))
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let state = global.state_dir.clone().unwrap_or_else(|| folder.join(STATE_FOLDER));
        let reading = read(&text, &folder, &state, variables);
        let text = reading.masked(&text);
        let Some(project) = reading.project else {
            return Err(invalid(&path, &text, &reading.diagnostics));
        };
        Ok(Self {
            path,
            text,
            folder,
            project,
            warnings: reading.diagnostics,
            sessions: Sessions::default(),
            state,
        })
    }

    /// Turns errors among diagnostics into a failure.
    pub(crate) fn fail_on_errors(&self, diagnostics: &[Diagnostic]) -> Result<(), Failure> {
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(invalid(&self.path, &self.text, diagnostics));
        }
        Ok(())
    }

    /// The ledger's file.
    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.state.join(LEDGER_FILE)
    }

    /// What is known of a destination's service.
    pub(crate) fn capabilities_path(&self, destination: &str) -> PathBuf {
        self.state.join(CAPABILITIES_FOLDER).join(format!("{destination}.json"))
    }

    /// Where incremental runs leave what they have sent.
    pub(crate) fn baselines_folder(&self) -> PathBuf {
        self.state.join("baselines")
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

/// Reads a project text with the files beside it and the secrets in its state directory.
fn read(
    text: &str,
    folder: &Path,
    state: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
) -> plan::Reading {
    let files =
        |path: &str| std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string());
    let store = Secrets::new(state, variables);
    let secrets = |name: &str| store.get(name).map_err(|failure| secrets::problem_of(&failure));
    plan::read_with(text, Outside { variables, files: &files, secrets: &secrets })
}

/// A project file that has problems, with all of them drawn.
fn invalid(path: &Path, text: &str, diagnostics: &[Diagnostic]) -> Failure {
    let shown = path.display().to_string();
    let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let problems = if errors == 1 { "1 problem".to_owned() } else { format!("{errors} problems") };
    let mut failure = Failure::usage(format!("{shown} has {problems}"));
    failure.report = Some(draw::diagnostics(&shown, text, diagnostics));
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
