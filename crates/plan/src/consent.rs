//! Who may not be sent, whatever a segment says.

use crate::diagnostic::Span;
use crate::field::FieldPath;
use crate::project::{Destination, Project, Rule};

/// The field by which people opt out of everything, unless the project names another.
pub const OPT_OUT_DEFAULT: &str = "privacy.optOut";

/// What the project says about consent.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// The field by which people opt out of everything.
    pub opt_out: Option<OptOut>,
    /// Who consents to which marketing action, in the order of the file.
    pub purposes: Vec<Purpose>,
}

/// The field by which people opt out of everything: a boolean, a text or a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// The field.
    pub field: FieldPath,
    /// Where it stands in the file; nothing for the default, which need not be a field at all.
    pub span: Option<Span>,
}

/// Who consents to a marketing action.
#[derive(Debug, Clone)]
pub struct Purpose {
    /// The marketing action, as destinations name it.
    pub action: String,
    /// True for those who consent; neither true nor false is no consent.
    pub rule: Rule,
}

impl Default for OptOut {
    fn default() -> Self {
        let field = FieldPath::parse(OPT_OUT_DEFAULT).expect("the default is a field");
        Self { field, span: None }
    }
}

impl Project {
    /// What consent asks of everybody who is sent to a destination: that nobody has opted out, and
    /// the rules of its marketing actions. No activation can do without.
    pub fn consent_for(&self, destination: &Destination) -> Consent {
        let is_asked = |purpose: &&Purpose| destination.marketing_actions.contains(&purpose.action);
        Consent {
            opt_out: self.consent.opt_out.clone(),
            purposes: self.consent.purposes.iter().filter(is_asked).cloned().collect(),
        }
    }
}
