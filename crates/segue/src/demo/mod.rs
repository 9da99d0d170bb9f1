//! The demo project: its file, its seeded data, and the folder they live in.

pub(crate) mod sample;

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::workspace::PROJECT_FILE;

/// Tells a folder that `segue demo` made from any other.
const MARKER: &str = ".segue-demo";
const PROJECT: &str = include_str!("segue.yaml");

/// Writes the demo project into `folder`, or accepts the one that is there.
///
/// # Errors
/// The folder holds something else, or cannot be written.
pub(crate) fn prepare(folder: &Path, profiles: u64) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("failed to write the demo into {}", folder.display()))
            .hint("Name a folder that you may write to: `segue demo FOLDER`.")
    };
    if is_occupied(folder).map_err(failed)? {
        return Err(Failure::usage(format!("{} is not empty, and not a demo", folder.display()))
            .hint("Name another folder: `segue demo FOLDER`."));
    }
    let marker = folder.join(MARKER);
    let wanted = profiles.to_string();
    if fs::read_to_string(&marker).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    write(folder, profiles).and_then(|()| fs::write(&marker, wanted)).map_err(failed)
}

fn write(folder: &Path, profiles: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // The marker comes first, empty: a demo that was stopped half way is a demo all the same.
    fs::write(folder.join(MARKER), "")?;
    fs::write(folder.join(PROJECT_FILE), PROJECT)?;
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    sample::write_profiles(&data.join("profiles"), profiles)?;
    sample::write_orders(&data.join("orders/orders.parquet"), profiles)
}

/// Whether the folder holds anything that is not a demo.
fn is_occupied(folder: &Path) -> io::Result<bool> {
    if !folder.exists() || folder.join(MARKER).is_file() {
        return Ok(false);
    }
    Ok(fs::read_dir(folder)?.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_is_made_once_and_foreign_folders_are_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let demo = folder.path().join("demo");
        prepare(&demo, 50).expect("a new folder");
        let made = fs::metadata(demo.join("data/profiles/profiles-000.parquet")).expect("data");
        prepare(&demo, 50).expect("the same demo again");
        let again = fs::metadata(demo.join("data/profiles/profiles-000.parquet")).expect("data");
        assert_eq!(made.modified().expect("a time"), again.modified().expect("a time"));

        fs::create_dir(folder.path().join("other")).expect("a folder");
        fs::write(folder.path().join("other/notes.txt"), "mine").expect("a file");
        let refused = prepare(&folder.path().join("other"), 50).expect_err("not a demo");
        assert_eq!(refused.kind, Kind::Usage);
        prepare(&folder.path().join("empty"), 0).expect("a demo of nobody is a demo");
    }
}
