//! Large writes that go straight to the disk.
//!
//! Parts are written once and read by somebody else, if at all on this machine, and the object waits
//! for the disk before it becomes visible. Their way through the operating system's cache would cost
//! more processor time than everything else that happens to a byte, and push out what others need
//! there. So whole pages of large parts pass it by, where the system and the file system can do that;
//! everything else is written as usual.

use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::buffers::PAGE_BYTES;

/// Smaller writes are left to the cache: waiting for the disk each time would take longer.
const BYTES_MIN: usize = 1 << 20;

/// Writes bytes at their place in a file that exists.
pub(super) fn write_at(path: &Path, start: u64, bytes: &[u8]) -> io::Result<()> {
    let written = if is_fit(start, bytes) {
        let whole = bytes.len() - bytes.len() % PAGE_BYTES;
        match write_pages(path, start, &bytes[..whole]) {
            Ok(()) => whole,
            // The file system wants it otherwise, or cannot do it at all.
            Err(error) if is_refusal(&error) => 0,
            Err(error) => return Err(error),
        }
    } else {
        0
    };
    if written == bytes.len() {
        return Ok(());
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(start + written as u64))?;
    file.write_all(&bytes[written..])
}

/// Whether memory and place are such that a disk takes them page by page.
fn is_fit(start: u64, bytes: &[u8]) -> bool {
    bytes.len() >= BYTES_MIN
        && start.is_multiple_of(PAGE_BYTES as u64)
        && bytes.as_ptr().addr().is_multiple_of(PAGE_BYTES)
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

#[cfg(target_os = "linux")]
fn write_pages(path: &Path, start: u64, pages: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
    let file = OpenOptions::new().write(true).custom_flags(libc::O_DIRECT).open(path)?;
    file.write_all_at(pages, start)
}

#[cfg(not(target_os = "linux"))]
fn write_pages(_path: &Path, _start: u64, _pages: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn bytes_arrive_however_they_lie_in_memory_and_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let content: Vec<u8> = (0..BYTES_MIN + 4 * PAGE_BYTES).map(|at| (at % 251) as u8).collect();
        let page = content.as_ptr().align_offset(PAGE_BYTES);
        for (from, length, start) in [
            (page, BYTES_MIN, 0),
            (page, BYTES_MIN + 5, PAGE_BYTES as u64),
            (page + 1, BYTES_MIN, 0),
            (page, BYTES_MIN, 3),
            (page, 10, 0),
            (page, 0, 0),
        ] {
            fs::write(&path, b"").unwrap();
            let bytes = &content[from..from + length];
            write_at(&path, start, bytes).unwrap();
            let found = fs::read(&path).unwrap();
            let expected = if length == 0 { 0 } else { start as usize + length };
            assert_eq!(found.len(), expected, "{from} {length} {start}");
            assert!(found.ends_with(bytes), "{from} {length} {start}");
        }
    }

    #[test]
    fn only_large_writes_of_pages_pass_the_cache_by() {
        let content = vec![0; BYTES_MIN + 2 * PAGE_BYTES];
        let page = content.as_ptr().align_offset(PAGE_BYTES);
        assert!(is_fit(0, &content[page..][..BYTES_MIN]));
        assert!(is_fit(PAGE_BYTES as u64, &content[page..][..BYTES_MIN + 1]));
        assert!(!is_fit(1, &content[page..][..BYTES_MIN]));
        assert!(!is_fit(0, &content[page + 1..][..BYTES_MIN]));
        assert!(!is_fit(0, &content[page..][..BYTES_MIN - 1]));
    }
}
