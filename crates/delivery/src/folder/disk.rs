//! Files as the folder store writes them: replaced whole, synced where it counts, and with errors
//! that name the path.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::error::Error;

/// How much of a file is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// Returns what turns an I/O error into ours, for use behind `map_err`.
pub(super) fn at(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Folder { act, path, source }
}

/// Replaces a small file by other content, whole or not at all, and waits until it is on the disk.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let next = path.with_extension("next");
    let written = File::create(&next).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(at("write", &next))?;
    fs::rename(&next, path).map_err(at("write", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Reads a small file, or nothing if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", path)(error)),
    }
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Waits until the names in a folder are on the disk.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(at("sync", path))
}

/// Folders cannot be opened for syncing here; the file system's journal has to do.
#[cfg(not(unix))]
pub(super) fn sync_folder(_path: &Path) -> Result<(), Error> {
    Ok(())
}

/// Reads a file and returns its CRC-64/NVME and its size.
pub(super) fn checksum(path: &Path) -> Result<(u64, u64), Error> {
    let mut file = File::open(path).map_err(at("read", path))?;
    checksum_of(&mut file, u64::MAX).map_err(at("read", path))
}

/// Reads at most `bytes_max` from where the file stands and returns their CRC-64/NVME and number.
pub(super) fn checksum_of(file: &mut File, bytes_max: u64) -> io::Result<(u64, u64)> {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0;
    while bytes < bytes_max {
        let wanted =
            usize::try_from(bytes_max - bytes).map_or(READ_BYTES, |left| left.min(READ_BYTES));
        match file.read(&mut buffer[..wanted])? {
            0 => break,
            count => {
                digest.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
    Ok((digest.finalize(), bytes))
}
