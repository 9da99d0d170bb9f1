//! Objects in an archive, and the copies of them that are asked for.
//!
//! Written from "Restoring an archived object" of the Amazon S3 user guide: an object of the classes
//! `GLACIER` and `DEEP_ARCHIVE` cannot be read before a copy was restored, which takes hours; the copy
//! goes after the days that were asked for. Here it comes when the test says so.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::object::{Attributes, Version};
use crate::state::Place;

/// The restored copies, by bucket, key and version.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    copies: BTreeMap<(String, String, String), Restore>,
}

#[derive(Debug, Clone, Copy)]
struct Restore {
    days: u32,
    /// Absent while it is on its way.
    until: Option<SystemTime>,
}

/// What came of asking for a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is on its way now.
    Begun,
    /// It was on its way before.
    UnderWay,
    /// It is there, and stays for longer.
    Prolonged,
}

/// Whether an object of these attributes is in an archive.
pub(crate) fn is_archived(attributes: &Attributes) -> bool {
    matches!(attributes.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"))
}

impl Archive {
    pub(crate) fn ask(
        &mut self,
        place: &Place,
        version: &Version,
        days: u32,
        now: SystemTime,
    ) -> Asked {
        let id = id(place, version);
        match self.copies.get_mut(&id) {
            Some(Restore { until: None, .. }) => Asked::UnderWay,
            Some(restore @ Restore { until: Some(_), .. }) => {
                restore.until = Some(now + length(days));
                Asked::Prolonged
            }
            None => {
                self.copies.insert(id, Restore { days, until: None });
                Asked::Begun
            }
        }
    }

    /// Lets every copy that is on its way arrive.
    pub(crate) fn finish(&mut self, now: SystemTime) {
        for restore in self.copies.values_mut().filter(|restore| restore.until.is_none()) {
            restore.until = Some(now + length(restore.days));
        }
    }

    /// The header `x-amz-restore` of an object, if a copy was asked for.
    pub(crate) fn header(&self, place: &Place, version: &Version) -> Option<String> {
        let restore = self.copies.get(&id(place, version))?;
        Some(match restore.until {
            None => "ongoing-request=\"true\"".to_owned(),
            Some(until) => {
                let until = http_date(until);
                format!("ongoing-request=\"false\", expiry-date=\"{until}\"")
            }
        })
    }

    /// Whether there is a copy that can be read.
    pub(crate) fn has_copy(&self, place: &Place, version: &Version, now: SystemTime) -> bool {
        let restore = self.copies.get(&id(place, version));
        restore.and_then(|restore| restore.until).is_some_and(|until| until > now)
    }
}

fn id(place: &Place, version: &Version) -> (String, String, String) {
    (place.bucket.clone(), place.key.clone(), version.id.clone())
}

fn http_date(time: SystemTime) -> String {
    let shown = jiff::Timestamp::try_from(time);
    shown.map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap_or_default()
}

fn length(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}
