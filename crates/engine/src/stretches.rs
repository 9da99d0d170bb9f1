//! Stretches of records that hold the same identities in the same order, told by a hash of those.
//!
//! A file that is written anew mostly holds the same people in the same order. Where a stretch ends
//! is decided by the identities in it, not by counting: somebody who comes or goes changes the one
//! stretch, and those behind it are the same as before.

use std::fs;
use std::path::Path;

use twox_hash::XxHash3_128;

use crate::error::Error;

/// How many times longer than usual a stretch may become: then it ends whatever is in it.
const LONGEST: usize = 8;
const HEAD: &str = "segue stretches 1";

/// Records of a morsel, behind those of the stretch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The position in the morsel behind the last of them.
    pub(crate) end: u64,
    /// What stands for their identities.
    pub(crate) hash: u64,
}

/// The stretches of all records of a dataset, by morsel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stretches(Vec<Vec<Stretch>>);

/// Cuts the records of one morsel into stretches.
#[derive(Debug)]
pub(crate) struct Cutter {
    /// About how many records a stretch has.
    usual: usize,
    /// The hashes of the identities since the last cut.
    bytes: Vec<u8>,
    end: u64,
    done: Vec<Stretch>,
}

impl Cutter {
    /// A cutter into stretches of about so many records; it is a power of two.
    pub(crate) fn new(usual: usize) -> Self {
        Self { usual, bytes: Vec::new(), end: 0, done: Vec::new() }
    }

    /// Takes in the hash of the next record's identity.
    #[inline]
    pub(crate) fn add(&mut self, identity: u64) {
        self.bytes.extend_from_slice(&identity.to_le_bytes());
        self.end += 1;
        let is_last = identity & (self.usual as u64 - 1) == 0;
        if is_last || self.bytes.len() == 8 * LONGEST * self.usual {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let hash = XxHash3_128::oneshot(&self.bytes) as u64;
        self.done.push(Stretch { end: self.end, hash });
        self.bytes.clear();
    }

    /// The stretches.
    pub(crate) fn finish(mut self) -> Vec<Stretch> {
        if !self.bytes.is_empty() {
            self.cut();
        }
        self.done
    }
}

impl FromIterator<Vec<Stretch>> for Stretches {
    fn from_iter<I: IntoIterator<Item = Vec<Stretch>>>(morsels: I) -> Self {
        Self(morsels.into_iter().collect())
    }
}

impl Stretches {
    /// Those of a morsel.
    pub(crate) fn of(&self, morsel: usize) -> &[Stretch] {
        self.0.get(morsel).map_or(&[], Vec::as_slice)
    }

    /// Writes them to a file.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = format!("{HEAD}\n");
        for morsel in &self.0 {
            let stretches = morsel.iter().map(|Stretch { end, hash }| format!("{end}:{hash:x}"));
            text.push_str(&stretches.collect::<Vec<_>>().join(" "));
            text.push('\n');
        }
        text.push_str("end\n");
        fs::write(path, text).map_err(|error| Error::io(&path.to_string_lossy(), "write it", error))
    }

    /// Reads them back; nothing if they are not there as a whole, or of another number of morsels. It
    /// is known then that people are where they were only of files that are what they were.
    pub(crate) fn read(path: &Path, morsels: usize) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?.strip_suffix("end\n")?.lines();
        let stretch = |text: &str| {
            let (end, hash) = text.split_once(':')?;
            Some(Stretch { end: end.parse().ok()?, hash: u64::from_str_radix(hash, 16).ok()? })
        };
        let morsel = |line: &str| line.split_whitespace().map(stretch).collect::<Option<Vec<_>>>();
        let read = lines.map(morsel).collect::<Option<Vec<_>>>()?;
        (read.len() == morsels).then_some(Self(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that looks like a hash.
    fn hash(identity: u64) -> u64 {
        XxHash3_128::oneshot(&identity.to_le_bytes()) as u64
    }

    fn cut(identities: impl Iterator<Item = u64>) -> Vec<Stretch> {
        let mut cutter = Cutter::new(16);
        identities.for_each(|identity| cutter.add(hash(identity)));
        cutter.finish()
    }

    #[test]
    fn somebody_who_goes_or_comes_changes_one_stretch() {
        let before = cut(0..10_000);
        assert_eq!(before.last().map(|last| last.end), Some(10_000));
        let ends = before.windows(2).map(|pair| pair[1].end - pair[0].end);
        assert!(ends.clone().max() <= Some(8 * 16), "none is longer than it may be");
        assert!(before.len() > 10_000 / 32, "{} stretches", before.len());
        let without = cut((0..10_000).filter(|it| *it != 5_000));
        let with =
            cut((0..10_000).flat_map(|it| [it].into_iter().chain((it == 77).then_some(99_999))));
        for after in [without, with] {
            let known = |one: &&Stretch| before.iter().any(|other| other.hash == one.hash);
            let new = after.iter().filter(|it| !known(it)).count();
            assert!((1..=2).contains(&new), "{new} stretches are new");
        }
    }

    #[test]
    fn the_order_has_a_say() {
        let [one, other] = [[1, 2, 3], [2, 1, 3]].map(|it| cut(it.into_iter()));
        assert_ne!(one, other);
    }

    #[test]
    fn stretches_are_read_back_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stretches");
        assert_eq!(Stretches::read(&path, 3), None);
        let stretches: Stretches = [cut(0..100), Vec::new(), cut(100..103)].into_iter().collect();
        stretches.write(&path).expect("they are written");
        assert_eq!(Stretches::read(&path, 2), None);
        let text = fs::read_to_string(&path).expect("a text");
        fs::write(&path, &text[..text.len() - 5]).expect("a shorter one");
        assert_eq!(Stretches::read(&path, 3), None);
        fs::write(&path, text).expect("the whole one");
        assert_eq!(Stretches::read(&path, 3), Some(stretches));
    }
}
