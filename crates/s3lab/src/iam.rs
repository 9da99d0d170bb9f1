//! Who may do what: policies, and their evaluation.
//!
//! The rules are Amazon's: an action is refused unless an allowing grant matches it, and a denying grant wins
//! over every allowing one. Of conditions only those on headers of new objects are modelled, and no
//! principals: a policy belongs to a user.

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Grants that allow.
    pub allow: Vec<Grant>,
    /// Grants that deny, whatever is allowed.
    pub deny: Vec<Grant>,
    /// Headers that a new object has to be written with, as a bucket's policy may demand.
    pub demands: Vec<(String, String)>,
}

/// Actions on resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Action names such as `s3:PutObject`, with `*` and `?` as wildcards.
    pub actions: Vec<String>,
    /// `bucket`, `bucket/key`, or the same behind `arn:aws:s3:::`, with `*` and `?` as wildcards.
    pub resources: Vec<String>,
}

impl Policy {
    /// Returns a policy that allows everything.
    pub fn all() -> Self {
        Self::only(&["*"])
    }

    /// Returns a policy that allows these actions on everything.
    pub fn only(actions: &[&str]) -> Self {
        Self::default().and_allow(actions, &["*"])
    }

    /// Adds a grant that allows.
    #[must_use]
    pub fn and_allow(mut self, actions: &[&str], resources: &[&str]) -> Self {
        self.allow.push(Grant::new(actions, resources));
        self
    }

    /// Adds a grant that denies these actions on everything.
    #[must_use]
    pub fn without(self, actions: &[&str]) -> Self {
        self.and_deny(actions, &["*"])
    }

    /// Adds a grant that denies.
    #[must_use]
    pub fn and_deny(mut self, actions: &[&str], resources: &[&str]) -> Self {
        self.deny.push(Grant::new(actions, resources));
        self
    }

    /// Refuses new objects that are not written with this header.
    #[must_use]
    pub fn and_demand(mut self, header: &str, value: &str) -> Self {
        self.demands.push((header.to_owned(), value.to_owned()));
        self
    }

    /// Tells whether the action is allowed on the resource (`bucket` or `bucket/key`; `*` for no bucket).
    pub(crate) fn permits(&self, action: &str, resource: &str) -> bool {
        let matching = |grants: &[Grant]| grants.iter().any(|grant| grant.covers(action, resource));
        matching(&self.allow) && !matching(&self.deny)
    }
}

impl Grant {
    /// Makes a grant of patterns.
    pub fn new(actions: &[&str], resources: &[&str]) -> Self {
        let owned = |patterns: &[&str]| patterns.iter().map(|&p| p.to_owned()).collect();
        Self { actions: owned(actions), resources: owned(resources) }
    }

    fn covers(&self, action: &str, resource: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions.iter().any(|p| matches(&p.to_ascii_lowercase(), &action))
            && self
                .resources
                .iter()
                .any(|p| matches(p.strip_prefix("arn:aws:s3:::").unwrap_or(p), resource))
    }
}

/// Matches text against a pattern in which `*` is any text and `?` any one character.
///
/// Takes time in proportion to the product of both lengths, whatever the pattern: on a mismatch only the last
/// `*` is tried again.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&c| c == '?' || c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("s3:get*", "s3:getobject", true),
            ("s3:get*", "s3:putobject", false),
            ("bucket/a*", "bucket/a/b", true),
            ("bucket/a*", "bucket", false),
            ("b?cket", "bucket", true),
            ("b?cket", "bcket", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} against {text}");
        }
    }

    #[test]
    fn denial_wins_and_nothing_is_allowed_by_default() {
        let policy =
            Policy::only(&["s3:*"]).and_deny(&["s3:PutObject"], &["arn:aws:s3:::bucket/secret/*"]);
        assert!(policy.permits("s3:PutObject", "bucket/public"));
        assert!(!policy.permits("s3:PutObject", "bucket/secret/a"));
        assert!(policy.permits("S3:getobject", "bucket/secret/a"));
        assert!(!policy.permits("kms:Decrypt", "bucket/a"));
        assert!(!Policy::default().permits("s3:GetObject", "bucket/a"));
    }
}
