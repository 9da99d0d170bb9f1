//! `consent:`, `membership:` and `who_got:` of the project file as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Ordered;
use super::activation::Schedule;

/// Who may not be sent, whatever a segment says.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    /// The field by which people opt out of everything. Default: `privacy.optOut`, if there is such
    /// a field.
    pub opt_out: Option<String>,
    /// For each marketing action a SQL expression that is true for those who consent to it:
    /// `email-targeting: consents.email = 'y'`.
    pub purposes: Option<Ordered<String>>,
}

/// What must not be sent for some marketing actions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsagePolicy {
    /// What people call it. Default: the key.
    pub name: Option<String>,
    /// The marketing actions that it is about, as destinations name them.
    #[schemars(required)]
    pub marketing_actions: Option<Vec<String>>,
    /// The labels that must not be sent then; `I1 AND S1` where only both together must not.
    #[schemars(required)]
    pub labels: Option<Vec<String>>,
}

/// What is kept of memberships.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    /// How many days it is remembered that somebody left a segment. Default: 30.
    #[schemars(range(min = 0, max = 3650))]
    pub exits_kept_days: Option<u32>,
    /// When a server evaluates what exports with `trigger: after-evaluation` send. Default: only when
    /// somebody asks for it.
    pub schedule: Option<Schedule>,
}

/// What is kept of whose data went out in which file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhoGot {
    /// For how many days it is kept of each run. Default: 400.
    #[schemars(range(min = 1, max = 3650))]
    pub kept_days: Option<u32>,
}
