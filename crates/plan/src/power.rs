//! What credentials may be able to do although no delivery needs it, as far as it can be found out
//! without doing any of it.

use crate::permission::Scope;

/// Tells whether who signs is the root of an account, as STS names it.
pub fn is_root(caller: &str) -> bool {
    caller.starts_with("arn:") && caller.contains(":iam::") && caller.ends_with(":root")
}

/// Something that no delivery needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Everything in the account: they are those of its root.
    Everything,
    /// Objects of the bucket outside of the destination's folder can be written.
    WriteElsewhere,
    /// Objects of the bucket outside of the destination's folder can be read.
    ReadElsewhere,
    /// Objects can be deleted.
    Delete,
    /// The policy of the bucket can be read.
    ReadPolicy,
    /// Other buckets can be seen.
    ListBuckets,
}

impl Power {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::Everything,
        Self::WriteElsewhere,
        Self::ReadElsewhere,
        Self::Delete,
        Self::ReadPolicy,
        Self::ListBuckets,
    ];

    /// Finds the power that an action is the sign of.
    pub fn of_action(action: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|power| power.action() == action)
    }

    /// Returns the action that permits it.
    pub fn action(self) -> &'static str {
        match self {
            Self::Everything => "*",
            Self::WriteElsewhere => "s3:PutObject",
            Self::ReadElsewhere => "s3:GetObject",
            Self::Delete => "s3:DeleteObject",
            Self::ReadPolicy => "s3:GetBucketPolicy",
            Self::ListBuckets => "s3:ListAllMyBuckets",
        }
    }

    /// Returns what it was found on, as policies write it.
    pub fn resource(self, scope: &Scope) -> String {
        match self {
            Self::WriteElsewhere | Self::ReadElsewhere => format!("{}/*", scope.bucket_arn()),
            Self::Delete => scope.objects_arn(),
            Self::ReadPolicy => scope.bucket_arn(),
            Self::ListBuckets | Self::Everything => "*".to_owned(),
        }
    }

    /// Returns the words for it, behind "can".
    pub fn words(self) -> &'static str {
        match self {
            Self::Everything => "do everything, being those of the account's root",
            Self::WriteElsewhere => "write outside of the folder",
            Self::ReadElsewhere => "read objects outside of the folder",
            Self::Delete => "delete what was delivered",
            Self::ReadPolicy => "read the bucket's policy",
            Self::ListBuckets => "see other buckets",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_power_is_found_by_its_action() {
        for power in Power::ALL {
            assert_eq!(Power::of_action(power.action()), Some(power));
        }
        assert_eq!(Power::of_action("s3:GetBucketAcl"), None);
        assert!(is_root("arn:aws:iam::111122223333:root"));
        assert!(!is_root("arn:aws:iam::111122223333:user/root"));
    }
}
