//! What is still known of somebody whom no record of today has: from the history of a segment, and from
//! the set that the last delivered run of an increment left.
//!
//! Both know a profile by its primary identity, so that is what has to be asked for.

use std::path::Path;

use plan::Query;
use plan::run_plan::Increment;
use uuid::Uuid;

use super::PersonId;
use crate::Engine;
use crate::error::Error;
use crate::increment::remembered;
use crate::membership::{self, Standing};
use crate::profiles::Profiles;

/// What the history of a segment says of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastMember {
    /// Whether they were a member at the last evaluation; otherwise they had left before.
    pub is_realized: bool,
    /// When they became a member, or stopped being one, in microseconds since 1970.
    pub since: i64,
}

/// A row that a receiver has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// When it came into the set, in microseconds since 1970.
    pub since: i64,
    /// What the baseline keeps of its values, by header: the deduplication key and the identities.
    pub key: Vec<(String, Option<String>)>,
}

impl Engine {
    /// What the history of a segment says of its last evaluation and of somebody, by the identity that
    /// their profile was known by; nothing if no history is kept.
    ///
    /// # Errors
    /// The history is damaged.
    pub fn past_member(
        &self,
        segment: Uuid,
        person: &PersonId,
    ) -> Result<Option<(Standing, Option<PastMember>)>, Error> {
        membership::past_member(&self.settings.membership_folder, segment, person)
    }

    /// The rows of somebody that the receiver of an increment has by a baseline, by the identity that
    /// their profile was known by; nothing if the baseline is not there, or was made for other keys.
    ///
    /// # Errors
    /// The profiles cannot be read, or the baseline is damaged.
    pub async fn sent_rows(
        &self,
        query: &Query,
        increment: &Increment,
        baseline: &Path,
        profiles: &Profiles,
        person: &PersonId,
    ) -> Result<Option<Vec<SentRow>>, Error> {
        let content = profiles.content(&self.settings).await?;
        remembered(query, increment, baseline, &content.survey, person)
    }
}
