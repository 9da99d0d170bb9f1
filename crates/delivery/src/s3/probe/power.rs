//! What the credentials can do although nobody needs it: found out by asking about things that are not
//! there, or by looking; nothing is changed, and what cannot be told is not claimed.

use plan::permission::PROBE_NAME;
use plan::power::Power;

use super::{Probe, Verdict, judge};
use crate::s3::answer::Failure;

/// Tries each power. `sees_absence` tells whether a missing object can be told from a hidden one,
/// `may_delete` what was found of that right.
pub(super) async fn find(probe: &Probe<'_>, sees_absence: bool, may_delete: bool) -> Vec<Power> {
    let mut powers = Vec::new();
    // A destination without a folder has nothing outside of it.
    if !probe.scope.start.is_empty() {
        let elsewhere = format!("{PROBE_NAME}{}", probe.nonce);
        if is_granted(probe.complete_nothing(&elsewhere).await) {
            powers.push(Power::WriteElsewhere);
        }
        if sees_absence && is_granted(probe.head(&elsewhere, None).await) {
            powers.push(Power::ReadElsewhere);
        }
    }
    if may_delete {
        powers.push(Power::Delete);
    }
    if is_granted(probe.policy().await) {
        powers.push(Power::ReadPolicy);
    }
    if probe.sees_other_buckets().await {
        powers.push(Power::ListBuckets);
    }
    powers
}

fn is_granted<T>(answer: Result<T, Failure>) -> bool {
    matches!(judge(answer), Ok((Verdict::Granted, _)))
}
