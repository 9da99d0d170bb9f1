//! The document of a flow: what scripts send, read and patch, and what it means as an activation.
//!
//! What a patch did not touch keeps the words of the project file: an entry of the document that is as
//! it was shown is the entry of the definition that it was shown for. So nothing is lost that a flow
//! cannot say, such as guards.

use plan::project::Activation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::columns::{Mapping, Marks};
use super::{FLOW_SPECS, Id, Spec, columns, connections, misfit, segments, targets};
use crate::http::problem::Problem;
use crate::workspace::Workspace;

/// The name of the one transformation.
const TRANSFORM: &str = "GeneralTransform";
const PARAMS_AT: &str = "/transformations/0/params";
/// Where the mapping set is named.
const MAPPING_AT: &str = "/transformations/0/params/profileMapping";

/// A flow as scripts send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FlowBody {
    #[schemars(length(min = 1, max = 200))]
    name: String,
    #[serde(default)]
    description: Option<String>,
    flow_spec: Spec,
    source_connection_ids: Vec<Id>,
    target_connection_ids: Vec<Id>,
    /// None, or one with segmentSelectors and profileSelectors
    #[serde(default)]
    transformations: Vec<Transformation>,
}

/// What is sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transformation {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    params: Params,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Params {
    segment_selectors: Selectors,
    profile_selectors: ProfileSelectors,
    profile_mapping: Option<MappingRef>,
    /// Scripts put them here, or among the profile selectors
    mandatory_fields: Option<Vec<Value>>,
    primary_fields: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "SegmentSelectors")]
struct Selectors {
    selectors: Vec<Value>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct ProfileSelectors {
    selectors: Vec<Value>,
    mandatory_fields: Option<Vec<Value>>,
    primary_fields: Option<Vec<Value>>,
}

/// Names a mapping set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MappingRef {
    pub(super) mapping_id: Id,
    #[serde(default)]
    pub(super) mapping_version: u64,
}

/// A flow that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flow {
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// The target connection.
    pub(super) target: Id,
    /// Which segments, when.
    segments: Vec<Value>,
    /// Which attributes.
    fields: Vec<Value>,
    marks: Marks,
    mapping: Option<MappingRef>,
}

/// A flow that is an activation already.
pub(super) struct Before<'a> {
    /// As it was shown.
    pub(super) shown: Flow,
    /// As the ledger keeps it.
    pub(super) definition: &'a Value,
}

impl Flow {
    /// The flow that an activation is shown as.
    pub(super) fn of(workspace: &Workspace, activation: &Activation) -> Self {
        let project = &workspace.project;
        let stored = workspace.stored(plan::Section::Activations, &activation.key);
        let definition = stored.map(crate::app::objects::value).unwrap_or_default();
        let fields: Vec<Value> = activation.mapping.iter().map(columns::of).collect();
        let target = project.destination(&activation.destination).map(|it| Id(it.id));
        Self {
            name: activation.name.clone(),
            description: definition["description"].as_str().map(str::to_owned),
            target: target.unwrap_or_default(),
            segments: activation.segments.iter().map(|it| segments::of(project, it)).collect(),
            mapping: Some(MappingRef { mapping_id: mapping_id(activation), mapping_version: 0 }),
            marks: columns::marks_of(&activation.mapping),
            fields,
        }
    }

    /// What a body says. `before` is the flow that it was made from, if it was patched.
    pub(super) fn read(
        workspace: &Workspace,
        body: FlowBody,
        before: Option<&Self>,
    ) -> Result<Self, Problem> {
        body.flow_spec.expect(&FLOW_SPECS, "/flowSpec/id", "files in Amazon S3")?;
        if body.name.trim().is_empty() {
            return Err(misfit("/name", "The name is empty.", "Choose a short, plain name."));
        }
        let source = connections::source_id(workspace);
        if body.source_connection_ids != [source] {
            let detail = "`sourceConnectionIds` is not the one source connection.";
            let hint = "POST /sourceConnections gives its id.";
            return Err(misfit("/sourceConnectionIds", detail, hint));
        }
        let [target] = body.target_connection_ids.as_slice() else {
            let detail = "A flow has one target connection.";
            return Err(misfit("/targetConnectionIds", detail, "Make a flow for each target."));
        };
        let mut transformations = body.transformations.into_iter();
        let transformation = transformations.next();
        if transformations.next().is_some() {
            let hint = "Put all selectors into the first.";
            return Err(misfit("/transformations/1", "A flow has one transformation.", hint));
        }
        let name = transformation.as_ref().and_then(|it| it.name.as_deref());
        if name.is_some_and(|name| name != TRANSFORM) {
            let detail = "There is no such transformation.";
            return Err(misfit("/transformations/0/name", detail, format!("Write {TRANSFORM}.")));
        }
        let params = transformation.map(|it| it.params).unwrap_or_default();
        let inner = params.profile_selectors;
        Ok(Self {
            name: body.name.trim().to_owned(),
            description: body.description,
            target: *target,
            segments: params.segment_selectors.selectors,
            fields: inner.selectors,
            marks: Marks {
                mandatory: either(
                    params.mandatory_fields,
                    inner.mandatory_fields,
                    before.map(|it| &it.marks.mandatory),
                ),
                primary: either(
                    params.primary_fields,
                    inner.primary_fields,
                    before.map(|it| &it.marks.primary),
                ),
            },
            mapping: params.profile_mapping,
        })
    }

    /// Refuses a flow to nowhere.
    pub(super) fn check_target(&self, workspace: &Workspace) -> Result<(), Problem> {
        if targets::destination_of(workspace, self.target).is_some() {
            return Ok(());
        }
        let detail = format!("There is no target connection `{}`.", self.target);
        Err(misfit("/targetConnectionIds/0", detail, "POST /targetConnections makes one."))
    }

    /// The document, for scripts and for patches.
    pub(super) fn document(&self, workspace: &Workspace) -> Value {
        let mut document = json!({
            "name": self.name,
            "description": self.description,
            "flowSpec": Spec::of(FLOW_SPECS[0]),
            "sourceConnectionIds": [connections::source_id(workspace)],
            "targetConnectionIds": [self.target],
        });
        document["transformations"] = self.transformations();
        document
    }

    /// The one transformation. Marks stand in both of the places where scripts look for them.
    pub(super) fn transformations(&self) -> Value {
        let mut params = json!({
            "segmentSelectors": { "selectors": self.segments },
            "profileSelectors": {
                "selectors": self.fields,
                "mandatoryFields": self.marks.mandatory,
                "primaryFields": self.marks.primary,
            },
            "mandatoryFields": self.marks.mandatory,
            "primaryFields": self.marks.primary,
        });
        if let Some(mapping) = &self.mapping {
            params["profileMapping"] = json!(mapping);
        }
        json!([{ "name": TRANSFORM, "params": params }])
    }

    /// The mapping set that is to be used, unless it is the one that the flow was shown with.
    pub(super) fn new_mapping(&self, before: Option<&Before<'_>>) -> Option<&MappingRef> {
        let shown = before.and_then(|before| before.shown.mapping.as_ref());
        self.mapping.as_ref().filter(|mapping| Some(*mapping) != shown)
    }

    /// The members of the activation that this flow is: all but those that flows cannot say. Nothing
    /// while there is no segment or no attribute. `set` is the mapping set that [`Flow::new_mapping`]
    /// names.
    pub(super) fn meaning(
        &self,
        workspace: &Workspace,
        before: Option<&Before<'_>>,
        set: Option<&[Mapping]>,
    ) -> Result<Option<Map<String, Value>>, Problem> {
        let segments = self.segments(workspace, before)?;
        let columns = self.columns(before, set)?;
        if segments.is_empty() || columns.is_empty() {
            return match before {
                None => Ok(None),
                Some(_) => {
                    let (detail, hint) = (
                        "A flow that runs keeps a segment and an attribute.",
                        "Disable it instead, or remove it with DELETE.",
                    );
                    Err(misfit(PARAMS_AT, detail, hint))
                }
            };
        }
        let is_same = before.is_some_and(|it| it.shown.marks == self.marks)
            && set.is_none()
            && before.is_some_and(|it| it.shown.fields == self.fields);
        let columns = if is_same { columns } else { columns::marked(columns, &self.marks)? };
        let destination = targets::destination_of(workspace, self.target);
        let mut members = Map::new();
        members.insert("name".to_owned(), self.name.clone().into());
        super::put(&mut members, "description", self.description.clone());
        super::put(&mut members, "destination", destination.map(|it| it.key.clone()));
        members.insert("segments".to_owned(), segments.into());
        members.insert("mapping".to_owned(), columns.into());
        Ok(Some(members))
    }

    fn segments(
        &self,
        workspace: &Workspace,
        before: Option<&Before<'_>>,
    ) -> Result<Vec<Value>, Problem> {
        let project = &workspace.project;
        let shown = before.map_or(&[][..], |before| before.shown.segments.as_slice());
        let kept = before.map(|before| &before.definition["segments"]);
        let meaning = |(index, selector): (usize, &Value)| {
            let as_shown = shown.iter().position(|it| it == selector);
            if let Some(own) = as_shown.and_then(|at| kept?.get(at)) {
                return Ok(own.clone());
            }
            let id = |selector: &Value| selector["value"]["id"].as_str().map(str::to_owned);
            let key = id(selector).and_then(|id| segments::segment(project, &id)).map(|it| &it.key);
            let own = kept.and_then(Value::as_array).into_iter().flatten();
            let own = own.into_iter().find(|it| key.is_some_and(|key| it["segment"] == **key));
            segments::meaning(project, index, selector, own)
        };
        self.segments.iter().enumerate().map(meaning).collect()
    }

    fn columns(
        &self,
        before: Option<&Before<'_>>,
        set: Option<&[Mapping]>,
    ) -> Result<Vec<Value>, Problem> {
        let shown = before.map_or(&[][..], |before| before.shown.fields.as_slice());
        if let Some(set) = set {
            if self.fields != shown {
                let detail = "A mapping set and profile selectors are both given.";
                return Err(misfit(MAPPING_AT, detail, "Send one of the two."));
            }
            return set.iter().enumerate().map(|(at, it)| columns::mapped(at, it)).collect();
        }
        let kept = before.map(|before| &before.definition["mapping"]);
        let meaning = |(index, selector): (usize, &Value)| {
            let as_shown = shown.iter().position(|it| it == selector);
            match as_shown.and_then(|at| kept?.get(at)) {
                Some(own) => Ok(own.clone()),
                None => columns::meaning(index, selector),
            }
        };
        self.fields.iter().enumerate().map(meaning).collect()
    }
}

/// Of a list that may stand in two places, the one that was changed.
fn either(
    outer: Option<Vec<Value>>,
    inner: Option<Vec<Value>>,
    before: Option<&Vec<Value>>,
) -> Vec<Value> {
    match before {
        Some(before) if outer.as_ref() != Some(before) => outer.unwrap_or_default(),
        Some(_) => inner.unwrap_or_default(),
        None => outer.filter(|it| !it.is_empty()).or(inner).unwrap_or_default(),
    }
}

/// The id of the mapping set that an activation's mapping is.
pub(super) fn mapping_id(activation: &Activation) -> Id {
    let columns: Vec<Mapping> = activation.mapping.iter().map(columns::mapping_of).collect();
    let text = serde_json::to_string(&columns).unwrap_or_default();
    Id(Uuid::new_v5(&activation.id, text.as_bytes()))
}

/// Where in the document stands what the definition of an activation has at a pointer.
pub(super) fn at(pointer: &str) -> Option<String> {
    let known = [
        ("/segments", segments::AT),
        ("/mapping", columns::AT),
        ("/name", "/name"),
        ("/destination", "/targetConnectionIds/0"),
    ];
    let (ours, theirs) = known.iter().find(|(ours, _)| pointer.starts_with(ours))?;
    // Inside an entry the words differ.
    let entry = pointer.strip_prefix(ours)?.split('/').nth(1);
    Some(entry.map_or_else(|| (*theirs).to_owned(), |entry| format!("{theirs}/{entry}")))
}
