//! The world around the workers: ledger, store and network, small enough to be copied, and what must
//! hold in it.

use std::hash::{BuildHasher, Hash, Hasher};

/// P2: whoever sees the manifest sees every file of it.
pub(super) const TORN: &str = "the manifest is visible and a file of it is not";
/// P4: nothing is visible that no commit record names.
pub(super) const UNNAMED: &str = "an object became visible that the commit record does not name";
/// P7, and what delivered means.
pub(super) const BACKWARD: &str = "a delivered run is not what is in the bucket";
/// What is held is nowhere.
pub(super) const HELD: &str = "a run that a guard holds is committed";
/// P7 while a run is being published.
pub(super) const STRANGE: &str = "an object of neither this run nor the last is in the bucket";

/// Two data files and the manifest.
pub(super) const FILES: usize = 3;
pub(super) const MANIFEST: usize = 2;
pub(super) const RUNS: u8 = 2;

/// An upload: which run, which claim of it, which file, and whether it is a repair. It fits into six
/// bits, so that a set of uploads is a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Id(pub(super) u8);

impl Id {
    pub(super) const NONE: Self = Self(u8::MAX);

    pub(super) fn new(run: u8, epoch: u8, file: usize, repair: bool) -> Self {
        debug_assert!(
            run < RUNS && (1..=4).contains(&epoch) && file < FILES,
            "an upload id of six bits"
        );
        Self(run << 5 | (epoch - 1) << 3 | (file as u8) << 1 | u8::from(repair))
    }

    pub(super) fn run(self) -> u8 {
        self.0 >> 5
    }

    pub(super) fn epoch(self) -> u8 {
        (self.0 >> 3 & 3) + 1
    }

    fn file(self) -> usize {
        usize::from(self.0 >> 1 & 3)
    }

    pub(super) fn bit(self) -> u64 {
        1 << self.0
    }

    pub(super) fn all(set: u64) -> impl Iterator<Item = Self> {
        (0..64).filter(move |number| set >> number & 1 == 1).map(Self)
    }
}

/// One state of everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct World {
    /// The run that is due: 0, 1, or 2 when both are delivered.
    pub(super) run: u8,
    /// Ledger: claims of this run, and of both.
    pub(super) epoch: u8,
    pub(super) claims: u8,
    /// Ledger: the commit record of this run, and which objects are recorded as visible.
    pub(super) committed: bool,
    /// Ledger: whether a guard holds this run.
    pub(super) held: bool,
    pub(super) record: [Id; FILES],
    pub(super) published: u8,
    /// Store: what is visible at each name.
    pub(super) visible: [Id; FILES],
    /// Store: uploads that are open, and uploads that were completed.
    pub(super) open: u64,
    pub(super) done: u64,
    /// Network: requests to complete an upload that may still arrive, any number of times.
    pub(super) late: u64,
    /// Network, for planted bugs: plain writes of the manifest that may still arrive.
    pub(super) puts: u8,
    pub(super) drops: u8,
    /// What each worker is doing, by number; 0 is nothing.
    pub(super) workers: [u32; 2],
}

impl World {
    pub(super) fn start() -> Self {
        Self {
            run: 0,
            epoch: 0,
            claims: 0,
            committed: false,
            held: false,
            record: [Id::NONE; FILES],
            published: 0,
            visible: [Id::NONE; FILES],
            open: 0,
            done: 0,
            late: 0,
            puts: 0,
            drops: 0,
            workers: [0; 2],
        }
    }

    /// Whether both runs are delivered.
    pub(super) fn is_over(&self) -> bool {
        self.run == RUNS
    }

    /// The run of what is visible at a name.
    pub(super) fn run_at(&self, file: usize) -> Option<u8> {
        (self.visible[file] != Id::NONE).then(|| self.visible[file].run())
    }

    /// The invariant that this state breaks, if it breaks one.
    pub(super) fn broken(&self) -> Option<&'static str> {
        let last = self.run.checked_sub(1);
        if !self.committed {
            return (0..FILES).any(|file| self.run_at(file) != last).then_some(BACKWARD);
        }
        if self.held {
            return Some(HELD);
        }
        let this = Some(self.run);
        if (0..FILES).any(|file| self.run_at(file) != this && self.run_at(file) != last) {
            return Some(STRANGE);
        }
        let is_torn =
            self.run_at(MANIFEST) == this && (0..MANIFEST).any(|file| self.run_at(file) != this);
        is_torn.then_some(TORN)
    }

    /// A request to complete an upload reaches the store.
    pub(super) fn complete(&mut self, id: Id) -> Result<(), &'static str> {
        if self.open & id.bit() == 0 {
            return Ok(());
        }
        self.close(id);
        self.done |= id.bit();
        self.visible[id.file()] = id;
        let is_named = self.committed && self.record[id.file()] == id;
        if is_named { Ok(()) } else { Err(UNNAMED) }
    }

    /// Requests for an upload that is not open can have no effect any more, whenever they arrive.
    pub(super) fn close(&mut self, id: Id) {
        self.open &= !id.bit();
        self.late &= self.open;
    }

    /// A plain write of the manifest reaches the store.
    pub(super) fn put(&mut self, put: Put) {
        if put.condition.is_none_or(|expected| self.run_at(MANIFEST) == expected) {
            self.visible[MANIFEST] = Id::new(put.run, 1, MANIFEST, false);
        }
    }

    /// The two workers are alike.
    pub(super) fn sorted(mut self) -> Self {
        self.workers.sort_unstable();
        self
    }

    fn packed(&self) -> [u64; 5] {
        let small = [
            self.run,
            self.epoch,
            self.claims,
            u8::from(self.committed),
            self.published,
            self.puts,
            self.drops,
            u8::from(self.held),
        ];
        let [a, b, c] = self.record.map(|id| id.0);
        let [d, e, f] = self.visible.map(|id| id.0);
        let ids = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        let workers = u64::from(self.workers[0]) << 32 | u64::from(self.workers[1]);
        [u64::from_le_bytes(small), ids ^ self.late.rotate_left(23), self.open, self.done, workers]
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for word in self.packed() {
            state.write_u64(word);
        }
    }
}

/// A fast hash for states; nobody chooses them in bad faith.
#[derive(Clone, Copy, Default)]
pub(super) struct Mixer;

pub(super) struct Mix(u64);

impl BuildHasher for Mixer {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        Mix(0)
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    }
}

/// A plain write of the manifest of a run, perhaps only if the manifest of a certain run is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Put {
    pub(super) run: u8,
    pub(super) condition: Option<Option<u8>>,
}

impl Put {
    pub(super) const ALL: [Self; 8] = {
        let conditions = [None, Some(None), Some(Some(0)), Some(Some(1))];
        let mut all = [Self { run: 0, condition: None }; 8];
        let mut at = 0;
        while at < all.len() {
            all[at] = Self { run: (at / 4) as u8, condition: conditions[at % 4] };
            at += 1;
        }
        all
    };

    pub(super) fn bit(self) -> u8 {
        Self::ALL.iter().position(|put| *put == self).map_or(0, |at| 1 << at)
    }
}
