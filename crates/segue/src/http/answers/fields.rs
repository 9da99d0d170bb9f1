//! The fields of profiles, remembered for as long as their files are the same, and how many profiles have a
//! value in them.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use engine::Effects;
use plan::project::{Rule, RuleOrigin, Segment};
use plan::schema::FieldType;
use plan::{FieldPath, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::profiles::{Field, Fields, fields_of, while_asked};
use crate::ambient;
use crate::cli::slot_now;
use crate::failure::{Failure, Kind};
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// For how long files are not looked at again.
const FRESH: Duration = Duration::from_secs(5);
/// The most fields whose values are counted at once.
const COUNTED_MAX: usize = 100;

/// The fields of profiles as they were found last. A page that offers fields does not wait for files to be
/// looked into, nor for a question that reads them.
#[derive(Default)]
pub(crate) struct KnownFields(Mutex<Option<Known>>);

struct Known {
    workspace: Weak<Workspace>,
    /// Location and version of each file.
    inputs: Vec<(String, String)>,
    at: Instant,
    fields: Arc<Vec<Field>>,
}

impl KnownFields {
    /// Finds the fields.
    ///
    /// # Errors
    /// A dataset cannot be read, or two disagree on a type.
    async fn find(&self, app: &Arc<App>) -> Result<Arc<Vec<Field>>, Problem> {
        let mut known = self.0.lock().await;
        let workspace = app.shared.workspace();
        let is_same = |it: &&Known| it.workspace.as_ptr() == Arc::as_ptr(&workspace);
        if let Some(known) = known.as_ref().filter(is_same)
            && known.at.elapsed() < FRESH
        {
            return Ok(Arc::clone(&known.fields));
        }
        let before = known.take().filter(|it| is_same(&it));
        let (global, handle) = (app.shared.global.clone(), tokio::runtime::Handle::current());
        let found = tokio::task::spawn_blocking(move || {
            handle.block_on(Box::pin(look(&workspace, &global, before)))
        });
        let internal = || Problem::new(Code::Internal, "The datasets could not be looked at.");
        let found = found.await.map_err(|_| internal())??;
        let fields = Arc::clone(&found.fields);
        *known = Some(found);
        Ok(fields)
    }
}

async fn look(
    workspace: &Arc<Workspace>,
    global: &crate::cli::Global,
    before: Option<Known>,
) -> Result<Known, Failure> {
    let sources = Sources::pin_profiles(workspace, global).await?;
    let versions =
        sources.profiles.inputs().map(|it| (it.location.clone(), it.version.to_string()));
    let inputs: Vec<(String, String)> = versions.collect();
    let fields = match before.filter(|it| it.inputs == inputs && !inputs.is_empty()) {
        Some(before) => before.fields,
        None => {
            let profiles = sources.engine.agreed(sources.profiles).await?;
            Arc::new(fields_of(&sources.engine.fields(&profiles).await?))
        }
    };
    Ok(Known { workspace: Arc::downgrade(workspace), inputs, at: ambient::instant(), fields })
}

pub(crate) async fn schema(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let fields = app.fields.find(&app).await?;
    Reply::json(&Fields { fields: fields.to_vec() })
}

/// Fields whose values are counted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountValues {
    /// Paths of fields
    #[schemars(length(min = 1, max = 100))]
    fields: Vec<String>,
}

/// How many profiles have a value.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Values {
    /// Profiles in all
    pub(crate) profiles: u64,
    pub(crate) fields: Vec<FieldValues>,
}

/// How many profiles have a value in a field.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct FieldValues {
    pub(crate) path: String,
    /// Profiles with a value that is neither missing nor empty
    pub(crate) present: u64,
}

/// Counts the values of fields, all of them in one scan.
pub(crate) async fn count_values(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let CountValues { fields } = ask.json()?;
    if !(1..=COUNTED_MAX).contains(&fields.len()) {
        let detail = format!("`fields` has 1 to {COUNTED_MAX} paths.");
        return Err(Problem::at_member("/fields", detail));
    }
    let known = app.fields.find(&app).await?;
    let mut rules = Vec::new();
    for (at, path) in fields.into_iter().enumerate() {
        let found = known.iter().find(|field| field.path == path);
        let Some(field) = found.filter(|_| FieldPath::parse(&path).is_ok()) else {
            let pointer = format!("/fields/{at}");
            return Err(Problem::at_member(&pointer, format!("There is no field `{path}`."))
                .hint("`GET /api/v1/schema` lists them."));
        };
        // What is mandatory is neither missing nor empty.
        let rule = match field.r#type == FieldType::String.name() {
            true => format!("{path} IS NOT NULL AND {path} <> ''"),
            false => format!("{path} IS NOT NULL"),
        };
        rules.push((path, rule));
    }
    let now = slot_now();
    let counted = while_asked(&app, &ask.asker, async move |app| {
        let workspace = app.shared.workspace();
        let sources = Sources::pin_profiles(&workspace, &app.shared.global).await?;
        let profiles = sources.engine.agreed(sources.profiles).await?;
        let segment = |(_, text): &(String, String)| Segment {
            key: String::new(),
            id: uuid::Uuid::nil(),
            name: String::new(),
            rule: Rule {
                text: text.clone(),
                origin: RuleOrigin::Project {
                    span: Span::of(text, 0..text.len()),
                    spans_text: true,
                },
            },
            import: None,
        };
        let segments: Vec<Segment> = rules.iter().map(segment).collect();
        let queries: Vec<_> =
            segments.iter().map(|segment| workspace.project.members(segment, now)).collect();
        let queries: Vec<_> = queries.iter().collect();
        let found = sources.engine.evaluate(&queries, &profiles, Effects::default()).await?;
        let mut values = Values { profiles: 0, fields: Vec::new() };
        for ((path, _), found) in rules.into_iter().zip(found) {
            let found = found?;
            values.profiles = found.scanned;
            values.fields.push(FieldValues { path, present: found.members });
        }
        if values.fields.is_empty() {
            return Err(Failure::new(Kind::Internal, "no value was counted"));
        }
        Ok(values)
    });
    Reply::json(&counted.await?)
}
