//! Commands that leave nothing: folders that were made on the way go away with them.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of a state folder that were not there, and are removed when this is dropped, as far as
/// they are empty. What else is made removes itself before that.
#[derive(Debug)]
pub(crate) struct Traceless {
    missing: Vec<PathBuf>,
}

impl Traceless {
    /// Takes note of what is there before the command begins.
    pub(crate) fn begin(state: &Path) -> Self {
        let inside = ["profiles", "landed", "spill"].map(|name| state.join(name));
        let folders = inside.into_iter().chain([state.to_path_buf()]);
        Self { missing: folders.filter(|folder| !folder.is_dir()).collect() }
    }
}

impl Drop for Traceless {
    fn drop(&mut self) {
        for folder in &self.missing {
            for inside in fs::read_dir(folder).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(inside.path());
            }
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_folders_that_were_not_there_go_away() {
        let root = tempfile::tempdir().expect("a folder");
        let state = root.path().join("state");
        drop(Traceless::begin(&state));
        assert!(!state.exists());

        let traceless = Traceless::begin(&state);
        fs::create_dir_all(state.join("landed/place")).expect("a folder");
        fs::create_dir_all(state.join("spill")).expect("a folder");
        drop(traceless);
        assert!(!state.exists());

        fs::create_dir_all(state.join("profiles")).expect("a folder");
        let traceless = Traceless::begin(&state);
        fs::create_dir_all(state.join("landed")).expect("a folder");
        fs::write(state.join("landed/kept"), "").expect("a file");
        drop(traceless);
        assert!(state.join("profiles").exists() && state.join("landed/kept").exists());
    }
}
