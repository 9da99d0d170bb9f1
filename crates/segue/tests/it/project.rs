//! A project in a temporary folder, and the binary run in it.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use s3lab::{Lab, Options, User};

/// The instant that the binary takes for now.
pub(crate) const NOW: &str = "2026-01-04T06:30:00Z";
pub(crate) const BUCKET: &str = "exports";
pub(crate) const SECRET: &str = "canary-secret-b1946ac92492d234";

/// A project with its folder.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    endpoint: String,
}

/// What a finished process said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The parts of a project file that tests change.
pub(crate) struct Text {
    pub(crate) location: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) file_name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) mapping: &'static str,
    pub(crate) guard: &'static str,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            location: "people.csv",
            rule: "points >= 10",
            folder: "drop",
            file_name: "%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%",
            file: "{ format: csv }",
            mapping: "[id, { source: email, target: e_mail, mandatory: true }, points]",
            guard: "{}",
        }
    }
}

impl Text {
    pub(crate) fn yaml(&self) -> String {
        let Self { location, rule, folder, file_name, file, mapping, guard } = self;
        format!(
            "version: 1
name: test
datasets:
  people:
    location: {location}
    identities: {{ id: CRMID }}
segments:
  loyal:
    rule: {rule}
accounts:
  lab:
    type: amazon-s3
    auth:
      kind: access-key
      access_key_id: LAB
      secret_access_key: ${{LAB_SECRET}}
    region: us-east-1
    endpoint_url: ${{LAB_ENDPOINT}}
destinations:
  partner:
    account: lab
    bucket: exports
    folder: {folder}
    file: {file}
    manifest: true
activations:
  daily:
    destination: partner
    segments:
      - segment: loyal
        file_name: \"{file_name}\"
    mapping: {mapping}
    guard: {guard}
"
        )
    }
}

/// Six people; four of them have ten points or more, and one of those has no address.
pub(crate) const PEOPLE: &str = "\
id,email,points
1,ann@example.com,10
2,bob@example.com,9
3,,30
4,\"o'neill, \"\"the\"\" dee@example.com\",12
5,eve@example.com,11
6,mallory@example.com,1
";

/// A process that goes with the test that started it, also when that fails.
pub(crate) struct Running(Option<Child>);

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(Some(child))
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it is not finished")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is not finished")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Project {
    /// Writes a project file and the people beside it.
    pub(crate) fn new(yaml: &str, lab: Option<&Lab>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let endpoint = lab.map_or_else(|| "http://127.0.0.1:9".to_owned(), Lab::endpoint);
        let project = Self { folder, endpoint };
        project.write("segue.yaml", yaml);
        project.write("people.csv", PEOPLE);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// A command in the project's folder with a pinned clock.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("SEGUE_NOW", NOW)
            .env("LAB_SECRET", SECRET)
            .env("LAB_ENDPOINT", &self.endpoint)
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub(crate) fn segue(&self, arguments: &[&str]) -> Said {
        self.finish(self.start(arguments))
    }

    /// As [`Project::segue`], with more variables.
    pub(crate) fn segue_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        self.finish(command.spawn().expect("the binary starts"))
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.command(arguments).spawn().expect("the binary starts").into()
    }

    pub(crate) fn finish(&self, running: impl Into<Running>) -> Said {
        let child = running.into().0.take().expect("it is finished once");
        let output = child.wait_with_output().expect("the binary ends");
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        }
    }

    /// What was said, without what differs from run to run, for snapshots.
    pub(crate) fn transcript(&self, said: &Said) -> String {
        let mut text = format!("exit code {}\n", said.code);
        for (name, stream) in [("stdout", &said.stdout), ("stderr", &said.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", stream.trim_end()));
            }
        }
        let folder = self.folder.path().canonicalize().expect("the folder is there");
        text.replace(&folder.display().to_string(), "[folder]")
            .replace(&self.folder.path().display().to_string(), "[folder]")
            .replace(&self.endpoint, "[endpoint]")
    }

    /// The result of a command as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let said = self.segue(&all);
        serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("{error} in {} {}", said.stdout, said.stderr))
    }
}

/// A lab with one bucket and one user who may do everything.
pub(crate) async fn lab() -> Lab {
    lab_with(Options::default()).await
}

pub(crate) async fn lab_with(options: Options) -> Lab {
    let user = User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        ..User::default()
    };
    let options = Options { buckets: vec![BUCKET.into()], users: vec![user], ..options };
    Lab::start(options).await.expect("the lab starts")
}

/// Reads a CSV object with an independent reader.
pub(crate) fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader
        .records()
        .map(|record| record.expect("a record").iter().map(str::to_owned).collect())
        .collect()
}
