//! Why no run can be planned.

/// Why [`Project::run_plan`](crate::Project::run_plan) has no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No activation has this key.
    #[error("there is no activation `{activation}`")]
    UnknownActivation {
        /// The key that was asked for.
        activation: String,
        /// The nearest key of the project.
        nearest: Option<String>,
    },
    /// The activation does not send this segment.
    #[error("the activation `{activation}` does not send a segment `{segment}`")]
    NotSent {
        /// The activation.
        activation: String,
        /// The key that was asked for.
        segment: String,
        /// The nearest key among the segments that it sends.
        nearest: Option<String>,
    },
    /// Another export would write the same object at this slot.
    #[error("the object `{key}` would also be written by `{segment}` of `{activation}`")]
    SameKey {
        /// The object.
        key: String,
        /// The activation of the other export.
        activation: String,
        /// The segment of the other export.
        segment: String,
    },
}

impl PlanError {
    /// Returns what to do next, as a sentence.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownActivation { nearest, .. } | Self::NotSent { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("Did you mean `{nearest}`?"))
            }
            Self::SameKey { .. } => Some(
                "Put `%SEGMENT_ID%` or `%ACTIVATION_NAME%` into the file name or the folder."
                    .to_owned(),
            ),
        }
    }
}
