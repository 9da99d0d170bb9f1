//! Where the file of a key may live: a readable relative path when the key is a safe one, an escaped name otherwise.
//!
//! Keys are opaque to S3 (`a/../b` and `//x` are ordinary names), paths are not. Nothing here touches a disk.

use std::path::PathBuf;

use s3s::crypto::{Checksum as _, Sha256};

use crate::checksum::hex;

/// The folder inside a bucket's folder for keys that are no safe paths.
pub(crate) const ESCAPED_FOLDER: &str = ".escaped";

/// The longest name of a file or folder, in bytes, that every common file system takes.
const SEGMENT_BYTES_MAX: usize = 200;

/// The longest relative path, in bytes, leaving room for where the folder itself is.
const PATH_BYTES_MAX: usize = 900;

/// How much of a key is repeated in its escaped name, in bytes.
const READABLE_BYTES_MAX: usize = 120;

/// Returns the path of a key as it is written, if it is safe on every common file system.
pub(crate) fn plain(key: &str) -> Option<PathBuf> {
    let safe = key.len() <= PATH_BYTES_MAX && key.split('/').all(is_safe_segment);
    let own = key.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(ESCAPED_FOLDER));
    (safe && !own).then(|| key.split('/').collect())
}

/// Returns a file name for any key: something to recognise it by, and a hash that no other key has.
pub(crate) fn escaped(key: &str) -> PathBuf {
    let mut name = String::new();
    for c in key.chars() {
        let readable = c.is_ascii_alphanumeric() || "-_.".contains(c);
        name.push(if readable { c } else { '_' });
        if name.len() == READABLE_BYTES_MAX {
            break;
        }
    }
    let hash = hex(&Sha256::checksum(key.as_bytes()));
    [ESCAPED_FOLDER, &format!("{name}~{}", &hash[..32])].iter().collect()
}

fn is_safe_segment(segment: &str) -> bool {
    let unsafe_anywhere = |c: char| c.is_control() || r#"\:*?"<>|"#.contains(c);
    !segment.is_empty()
        && segment.len() <= SEGMENT_BYTES_MAX
        && segment != "."
        && segment != ".."
        && !segment.ends_with(['.', ' '])
        && !segment.contains(unsafe_anywhere)
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use super::*;

    #[test]
    fn readable_keys_stay_readable() {
        for key in ["a.csv", "exports/2026-11-22/März & co.csv", "a/b/c/.hidden", "%41", "a b"] {
            assert_eq!(plain(key).as_deref(), Some(Path::new(key)), "{key}");
        }
    }

    #[test]
    fn unsafe_keys_are_escaped() {
        let long = "x".repeat(1024);
        for key in [
            "", "/", "a/", "/a", "a//b", "a/../b", "..", "./a", "a\0b", "a\nb", r"a\b", "c:x",
            "a.", &long,
        ] {
            assert_eq!(plain(key), None, "{key}");
            let path = escaped(key);
            assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{key}");
            assert!(path.file_name().is_some_and(|name| name.len() < 200), "{key}");
        }
        assert_eq!(plain(".escaped/x"), None);
        assert_ne!(escaped("a/"), escaped("a_"));
    }
}
