//! Who may do what: one table.

use std::fmt;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing: it tells nothing, or is how one signs in.
    Open,
    /// Any role at all.
    SignedIn,
    /// See what there is and what was delivered; no value of a profile.
    Read,
    /// Have profiles counted and explained, and rows of them shown masked.
    Analyse,
    /// See values of profiles as they are.
    Unmask,
    /// Make, change and remove segments.
    Define,
    /// Begin runs; enable and disable, make, change and remove activations.
    Operate,
    /// Make, change and remove accounts, destinations and secrets; try permissions.
    Connect,
    /// Read the audit log.
    Audit,
    /// Make users and tokens.
    Administer,
}

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Viewer,
    Analyst,
    Operator,
    DestinationAdmin,
    Privacy,
    Admin,
}

impl Role {
    pub(crate) const ALL: [Self; 6] = [
        Self::Viewer,
        Self::Analyst,
        Self::Operator,
        Self::DestinationAdmin,
        Self::Privacy,
        Self::Admin,
    ];

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::DestinationAdmin => "destination-admin",
            Self::Privacy => "privacy",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// All words, for messages.
    pub(crate) fn words() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// The table. What is not in it is denied.
    pub(crate) fn may(self, right: Right) -> bool {
        let rights: &[Right] = match self {
            Self::Viewer => &[Right::Read],
            Self::Analyst => &[Right::Read, Right::Analyse, Right::Define],
            Self::Operator => &[Right::Read, Right::Operate],
            Self::DestinationAdmin => &[Right::Read, Right::Connect],
            Self::Privacy => &[Right::Read, Right::Analyse, Right::Unmask, Right::Audit],
            Self::Admin => &[
                Right::Read,
                Right::Analyse,
                Right::Unmask,
                Right::Define,
                Right::Operate,
                Right::Connect,
                Right::Audit,
                Right::Administer,
            ],
        };
        matches!(right, Right::Open | Right::SignedIn) || rights.contains(&right)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
