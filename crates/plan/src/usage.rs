//! Usage policies: which labelled fields may not be sent where files are used for a marketing action.
//!
//! Datasets label fields (`email: [I1]`), destinations name what their files are used for, and a policy
//! says which labels that excludes. A field counts where a column shows it, and where the rule of a
//! segment asks it, because whoever gets the file learns the answer. A rule counts with the rules of the
//! segments it names. Everything here follows from the project alone, so that nothing that a policy
//! forbids is ever saved, and nothing runs from a project in which something is.

use crate::consent::Consent;
use crate::diagnostic::{Diagnostic, Span};
use crate::field::{FieldPath, Step};
use crate::project::{Activation, Column, ColumnSource, DatasetKind, Project};
use crate::sql_text::{self, Named};

/// The code of the problem that a policy forbids something.
pub const FORBIDDEN: &str = "policy_violated";
/// Stands between labels that have to be there together.
pub const TOGETHER: &str = " AND ";

/// Labels of fields, and the policies that read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// In the order of the file.
    pub labels: Vec<Labelled>,
    /// In the order of the file.
    pub policies: Vec<UsagePolicy>,
}

/// A field with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The dataset that says so. Fields of profiles are one, whichever dataset labels them.
    pub dataset: String,
    /// Whether its records are profiles or events.
    pub kind: DatasetKind,
    /// The field. What is inside it is labelled, too.
    pub field: FieldPath,
    /// At least one.
    pub labels: Vec<String>,
    /// Where the labels stand in the file.
    pub(crate) span: Span,
}

/// What must not be sent for some marketing actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePolicy {
    /// Its key in the project file.
    pub key: String,
    /// Its name: as written, or the key.
    pub name: String,
    /// The marketing actions that it is about, as destinations name them.
    pub actions: Vec<String>,
    /// What it forbids: any of these sets of labels, where one file has all labels of the set.
    pub labels: Vec<Vec<String>>,
}

/// What a policy says to an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The policy.
    pub policy: &'a UsagePolicy,
    /// Those of its marketing actions that the destination's files are used for.
    pub actions: Vec<&'a str>,
    /// What it forbids; nothing where it holds.
    pub uses: Vec<Use<'a>>,
}

/// A labelled field that would be sent, or tells who is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use<'a> {
    /// The field as it is labelled.
    pub field: &'a FieldPath,
    /// Those of its labels that the policy reads.
    pub labels: Vec<&'a str>,
    /// Where it is used.
    pub by: UsedBy<'a>,
    span: Span,
}

/// What uses a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedBy<'a> {
    /// A column.
    Column {
        /// Its place in the mapping, counted from 0.
        position: usize,
        /// Its header.
        header: &'a str,
    },
    /// The rule of a segment that is sent, or that such a segment names.
    Rule {
        /// The key of the segment that has the rule.
        segment: &'a str,
    },
}

impl UsagePolicy {
    /// What it forbids, as the file says it: `C2`, `I1 AND S1`.
    pub fn sets(&self) -> impl Iterator<Item = String> {
        self.labels.iter().map(|set| set.join(TOGETHER))
    }
}

impl Project {
    /// What each policy says that asks for a marketing action of the activation's destination, in the
    /// order of the file.
    pub fn verdicts<'a>(&'a self, activation: &'a Activation) -> Vec<Verdict<'a>> {
        let Some(destination) = self.destination(&activation.destination) else {
            return Vec::new();
        };
        let mut verdicts = Vec::new();
        let mut files: Option<Vec<Vec<Use<'a>>>> = None;
        for policy in &self.usage.policies {
            let is_asked = |action: &&String| destination.marketing_actions.contains(action);
            let actions: Vec<&str> =
                policy.actions.iter().filter(is_asked).map(String::as_str).collect();
            if actions.is_empty() {
                continue;
            }
            let files = files.get_or_insert_with(|| self.files(activation));
            let mut uses: Vec<Use<'a>> = Vec::new();
            for found in files.iter().flat_map(|file| forbidden(policy, file)) {
                if !uses.contains(&found) {
                    uses.push(found);
                }
            }
            verdicts.push(Verdict { policy, actions, uses });
        }
        verdicts
    }

    /// The labelled fields of each file set of an activation.
    fn files<'a>(&'a self, activation: &'a Activation) -> Vec<Vec<Use<'a>>> {
        let columns = activation.mapping.iter().enumerate();
        let columns: Vec<Use<'a>> =
            columns.flat_map(|(position, column)| self.used_by_column(position, column)).collect();
        let mut files = Vec::new();
        for export in &activation.segments {
            let Some(segment) = self.segment(&export.segment) else { continue };
            let rests = self.segments_of(&segment.rule, &activation.mapping, &Consent::default());
            let rests = rests.iter().filter(|it| it.key != segment.key);
            let rests = rests.filter_map(|it| self.segment(&it.key));
            let mut uses = columns.clone();
            for asked in std::iter::once(segment).chain(rests) {
                let by = UsedBy::Rule { segment: &asked.key };
                let named = sql_text::named(&asked.rule.text);
                uses.extend(self.used_by_text(&named, by, export.span));
            }
            files.push(uses);
        }
        files
    }

    fn used_by_column<'a>(&'a self, position: usize, column: &'a Column) -> Vec<Use<'a>> {
        let by = UsedBy::Column { position, header: &column.header };
        let of_profiles = |labelled: &&Labelled| labelled.kind == DatasetKind::Profile;
        let found: Vec<&Labelled> = match &column.source {
            ColumnSource::Field(field) => {
                let shows = |it: &&Labelled| meets(&names(&it.field), &names(field));
                self.usage.labels.iter().filter(of_profiles).filter(shows).collect()
            }
            ColumnSource::Identity(namespace) => {
                let datasets = self.profile_datasets().flat_map(|it| &it.identities);
                let fields: Vec<Vec<&str>> = datasets
                    .filter(|identity| identity.namespace == *namespace)
                    .map(|identity| names(&identity.field))
                    .collect();
                let shows =
                    |it: &&Labelled| fields.iter().any(|field| meets(&names(&it.field), field));
                self.usage.labels.iter().filter(of_profiles).filter(shows).collect()
            }
            ColumnSource::Expression { text, .. } => {
                return self.used_by_text(&sql_text::named(text), by, column.span);
            }
            ColumnSource::MembershipStatus
            | ColumnSource::MembershipOperation
            | ColumnSource::LastQualificationTime => Vec::new(),
        };
        found.into_iter().map(|it| it.used(by, column.span)).collect()
    }

    fn used_by_text<'a>(&'a self, named: &Named, by: UsedBy<'a>, span: Span) -> Vec<Use<'a>> {
        let is_named = |labelled: &&'a Labelled| {
            let is_asked = match labelled.kind {
                DatasetKind::Profile => true,
                DatasetKind::Event => named.texts.contains(&labelled.dataset),
            };
            let field = names(&labelled.field);
            let is_it = |it: &Vec<String>| {
                meets(&field, &it.iter().map(String::as_str).collect::<Vec<_>>())
            };
            is_asked && named.fields.iter().any(is_it)
        };
        self.usage.labels.iter().filter(is_named).map(|it| it.used(by, span)).collect()
    }

    /// What policies forbid, each at the column or the segment that has to go.
    pub(crate) fn forbidden_uses(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for activation in &self.activations {
            for verdict in self.verdicts(activation) {
                for use_ in &verdict.uses {
                    let hint = verdict.way_out(&activation.destination);
                    let told = verdict.told(use_);
                    found.push(Diagnostic::error(FORBIDDEN, use_.span, told).with_hint(hint));
                }
            }
        }
        found
    }
}

impl Labelled {
    fn used<'a>(&'a self, by: UsedBy<'a>, span: Span) -> Use<'a> {
        let labels = self.labels.iter().map(String::as_str).collect();
        Use { field: &self.field, labels, by, span }
    }
}

impl Verdict<'_> {
    /// What the policy has against a use, in a sentence.
    pub fn told(&self, found: &Use<'_>) -> String {
        let labels = found.labels.join(", ");
        let subject = match found.by {
            UsedBy::Column { header, .. } => {
                format!("the column `{header}` holds `{}` ({labels})", found.field)
            }
            UsedBy::Rule { segment } => {
                format!("the rule of segment `{segment}` asks `{}` ({labels})", found.field)
            }
        };
        let actions: Vec<String> = self.actions.iter().map(|it| format!("`{it}`")).collect();
        let policy = &self.policy.key;
        format!("{subject}, which policy `{policy}` forbids for {}", actions.join(", "))
    }

    /// What to do about it.
    pub fn way_out(&self, destination: &str) -> String {
        let actions: Vec<String> = self.actions.iter().map(|it| format!("`{it}`")).collect();
        format!(
            "Take it out, or send to another destination than `{destination}`, which is used for {}.",
            actions.join(" or ")
        )
    }
}

/// The uses in one file that a policy forbids, with the labels that it reads.
fn forbidden<'a>(policy: &'a UsagePolicy, file: &[Use<'a>]) -> Vec<Use<'a>> {
    let has = |label: &String| file.iter().any(|it| it.labels.contains(&label.as_str()));
    let met: Vec<&Vec<String>> = policy.labels.iter().filter(|set| set.iter().all(has)).collect();
    let mut uses = Vec::new();
    for found in file {
        let mut found = found.clone();
        found.labels.retain(|label| met.iter().any(|set| set.iter().any(|it| it == label)));
        if !found.labels.is_empty() {
            uses.push(found);
        }
    }
    uses
}

/// The names along a path; which element of a list it is does not matter.
fn names(field: &FieldPath) -> Vec<&str> {
    let name = |step| match step {
        &Step::Field(ref name) | &Step::Key(ref name) => Some(name.as_str()),
        Step::Index(_) => None,
    };
    field.steps().iter().filter_map(name).collect()
}

/// Whether one is the other, or inside it. Small and capital letters are the same: better one field too
/// many than one too few.
fn meets(one: &[&str], other: &[&str]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests;
