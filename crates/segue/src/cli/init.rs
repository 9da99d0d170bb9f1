//! `segue init`: a project file to start from.

use std::path::PathBuf;

use crate::failure::{Failure, Kind};
use crate::workspace::PROJECT_FILE;

/// Write a commented project file to start from
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the project begins
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The project's name (default: the folder's)
    #[arg(long)]
    name: Option<String>,
}

const TEMPLATE: &str = include_str!("init.yaml");

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let path = args.folder.join(PROJECT_FILE);
    if path.exists() {
        return Err(Failure::usage(format!("{} exists already", path.display()))
            .hint("Edit it, or name another folder: `segue init FOLDER`."));
    }
    let name = args.name.clone().unwrap_or_else(|| folder_name(&args.folder));
    write(&path, &TEMPLATE.replace("name: my-project", &format!("name: {}", plain_name(&name))))?;
    super::answer(&format!(
        "Wrote {path}.\n\nNext:\n  1. Point `location` at your profiles, and name your fields in `rule` and `mapping`.\n  2. segue validate                    check the file against your data\n  3. segue preview partner-daily       see the first rows as they would be written\n  4. segue run partner-daily --to out  write the files of this instant to a folder, without S3",
        path = path.display()
    ));
    Ok(())
}

fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text)).map_err(|error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("failed to write {}", path.display()))
    })
}

/// The last part of the folder's full path.
fn folder_name(folder: &std::path::Path) -> String {
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    full.file_name()
        .map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A name that needs no quotes in the project file.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' },
        )
        .collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "project".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_no_quotes() {
        assert_eq!(plain_name("My Project"), "my-project");
        assert_eq!(plain_name("\"x\": y"), "x---y");
        assert_eq!(plain_name("日本"), "project");
    }
}
