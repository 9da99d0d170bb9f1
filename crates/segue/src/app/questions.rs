//! Questions that read profiles: how many, the first rows, why, who. They are asked of what the project
//! has, and of objects that somebody only tries and that are kept nowhere.

use ::plan::file_format::{FileFormat, Layout};
use ::plan::{RunPlan, Section};
use delivery::encode::Encoder;
use engine::{Baselines, Effects, Evaluated, PersonId, Rows};
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::last_sent::{self, LastSent};
use super::objects::Name;
use crate::cli::explain;
use crate::cli::mask::mask;
use crate::failure::{Failure, Kind};
use crate::sources::Sources;
use crate::workspace::{self, Workspace};

/// The most rows of one preview.
pub(crate) const ROWS_MAX: usize = 1_000;
/// The key of what is only tried, where nobody gave one.
pub(crate) const DRAFT: &str = "draft.trial";

/// Whether values are shown as they are. Masked, letters are `x` and digits `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Masked,
    Shown,
}

/// Which file of an incremental export is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The one that it would send next: what changed since the last delivered run.
    Next,
    /// A first one, with everybody.
    Full,
}

/// The first rows of a file.
pub(crate) struct FirstRows {
    /// The run since which these rows changed; nothing of a file with everybody.
    pub(crate) changed_since: Option<LastSent>,
    /// What the file begins with.
    pub(crate) header: String,
    /// The rows as they would be written.
    pub(crate) text: String,
    /// The same as values, by column.
    pub(crate) rows: Vec<Value>,
}

/// Counts the members of a segment.
///
/// # Errors
/// There is no such segment, or the profiles cannot be read.
pub(crate) async fn count(
    workspace: &Workspace,
    sources: &Sources,
    segment: &str,
    now: Timestamp,
) -> Result<Evaluated, Failure> {
    let segment = found_segment(workspace, segment)?;
    let query = workspace.project.members(segment, now);
    let mut found =
        sources.engine.evaluate(&[&query], &sources.profiles, Effects::default()).await?;
    let nothing = || Failure::new(Kind::Internal, "a segment was not evaluated");
    Ok(found.pop().ok_or_else(nothing)??)
}

/// Makes the plan of what an activation would send of a segment, or of its first one.
///
/// # Errors
/// There is no such activation, or it does not send the segment.
pub(crate) fn plan_of(
    workspace: &Workspace,
    activation: &str,
    segment: Option<&str>,
    now: Timestamp,
) -> Result<RunPlan, Failure> {
    let project = &workspace.project;
    let found = project.activation(activation).ok_or_else(|| {
        let names = project.activations.iter().map(|it| it.key.as_str());
        workspace::unknown("activation", activation, names)
    })?;
    let first = found.segments.first().map(|export| export.segment.as_str());
    let segment = segment
        .or(first)
        .ok_or_else(|| Failure::usage(format!("activation `{activation}` has no segments")))?;
    Ok(project.run_plan(activation, segment, now)?)
}

/// Reads the first rows of what a plan would send.
///
/// # Errors
/// The profiles cannot be read, or a row cannot be written.
pub(crate) async fn first_rows(
    (workspace, sources): (&Workspace, &Sources),
    plan: &RunPlan,
    shown: Shown,
    wanted: usize,
    values: Values,
) -> Result<FirstRows, Failure> {
    crate::run::look(&plan.query, &sources.engine, &sources.profiles).await?;
    let wanted = wanted.min(ROWS_MAX);
    let (rows, changed_since) = rows_of(workspace, sources, plan, shown).await?;
    let lines = FileFormat::new(Layout::Json);
    // Nobody can read Parquet; its rows are shown as lines of JSON.
    let file = match plan.output.file.layout {
        Layout::Parquet => &lines,
        _ => &plan.output.file,
    };
    let as_written = Encoder::new(file, &rows.schema()).map_err(Failure::from)?;
    let as_values = Encoder::new(&lines, &rows.schema()).map_err(Failure::from)?;
    let header = readable(as_written.header())?;
    let mut chunks = rows.map_ordered(move |batch| {
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        let written = as_written.encode(&batch).map_err(Failure::from)?;
        Ok::<_, Failure>((written, as_values.encode(&batch).map_err(Failure::from)?))
    });
    let mut first = FirstRows { changed_since, header, text: String::new(), rows: Vec::new() };
    while first.rows.len() < wanted
        && let Some(chunk) = chunks.next().await
    {
        let (mut written, mut lines) = chunk?;
        let missing = wanted - first.rows.len();
        if written.rows() > missing {
            written.split_off(missing);
            lines.split_off(missing);
        }
        first.text.push_str(&readable(written.text)?);
        for line in readable(lines.text)?.lines() {
            let row = serde_json::from_str(line)
                .map_err(|_| Failure::new(Kind::Internal, "a row is no JSON"))?;
            first.rows.push(row);
        }
    }
    if values == Values::Masked {
        first.text = match plan.output.file.layout {
            layout if layout.is_delimited() => mask(&first.text),
            _ => mask_lines(&first.text),
        };
        first.rows.iter_mut().for_each(mask_columns);
    }
    Ok(first)
}

/// The rows of the next file, or of one with everybody.
async fn rows_of(
    workspace: &Workspace,
    sources: &Sources,
    plan: &RunPlan,
    shown: Shown,
) -> Result<(Rows, Option<LastSent>), Failure> {
    let (engine, profiles) = (&sources.engine, &sources.profiles);
    let last = match shown {
        Shown::Next => last_sent::find(workspace, plan).await?,
        Shown::Full => None,
    };
    let (Some(increment), Some(last)) = (&plan.increment, last) else {
        return Ok((engine.rows(&plan.query, profiles).await?, None));
    };
    let baselines = Baselines { last: Some(&last.baseline), next: None };
    let rows = engine.difference(&plan.query, increment, baselines, profiles).await?;
    // Without that set, or with another key by now, everybody is new.
    let is_compared = rows.tally().counts().movement.is_some_and(|movement| movement.baseline);
    Ok((rows, Some(last).filter(|_| is_compared)))
}

/// Says why a person is in a segment or not, and what becomes of them in the file of an activation.
///
/// # Errors
/// There is no such segment, activation or person, or the profiles cannot be read.
pub(crate) async fn explain(
    workspace: &Workspace,
    sources: &Sources,
    segment: &str,
    activation: Option<&str>,
    person: &PersonId,
    values: Values,
) -> Result<Value, Failure> {
    let segment = found_segment(workspace, segment)?;
    let is_shown = values == Values::Shown;
    explain::told(workspace, sources, segment, activation, person, is_shown).await
}

/// The objects that show members of a segment without anything being sent: an activation of the
/// segment to nowhere.
pub(crate) fn sample_of(
    segment: &str,
    definition: Option<Value>,
    columns: &[String],
) -> Vec<(Name, Value)> {
    let name = |section| (section, DRAFT.to_owned());
    let mut objects = vec![
        (name(Section::Accounts), json!({ "auth": { "kind": "default" } })),
        // In JSON, one column is as good as many.
        (
            name(Section::Destinations),
            json!({ "account": DRAFT, "bucket": "draft", "file": { "format": "json" } }),
        ),
        (
            name(Section::Activations),
            json!({ "destination": DRAFT, "segments": [{ "segment": segment }], "mapping": columns }),
        ),
    ];
    objects.extend(definition.map(|it| ((Section::Segments, segment.to_owned()), it)));
    objects
}

fn found_segment<'a>(
    workspace: &'a Workspace,
    key: &str,
) -> Result<&'a ::plan::project::Segment, Failure> {
    let project = &workspace.project;
    let names = project.segments.iter().map(|segment| segment.key.as_str());
    project.segment(key).ok_or_else(|| workspace::unknown("segment", key, names))
}

fn readable(text: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(text)
        .map_err(|error| Failure::from_error(Kind::Internal, &error.utf8_error()))
}

/// As [`mask`], for lines of JSON: the names of columns stay, and so does `null`, which is no value.
/// Names inside a value stay hidden, since a map may have them from the data.
fn mask_lines(lines: &str) -> String {
    let mut masked = String::new();
    for line in lines.split_inclusive('\n') {
        let (mut depth, mut rest) = (0_u32, line);
        while let Some(letter) = rest.chars().next() {
            let end = token_end(rest);
            let (token, behind) = rest.split_at(end);
            match letter {
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is_name = depth == 1 && letter == '"' && behind.starts_with(':');
            let stays = is_name || token == "null";
            masked.push_str(&if stays { token.to_owned() } else { mask(token) });
            rest = behind;
        }
    }
    masked
}

/// Where the first token of JSON ends: a string, a word or number, or a sign.
fn token_end(text: &str) -> usize {
    let mut letters = text.char_indices();
    match letters.next() {
        Some((_, '"')) => {
            let mut escaped = false;
            for (at, letter) in letters {
                match letter {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => return at + 1,
                    _ => {}
                }
            }
            text.len()
        }
        Some((_, letter)) if letter.is_alphanumeric() || letter == '-' => text
            .find(|letter: char| !letter.is_alphanumeric() && !"+-.".contains(letter))
            .unwrap_or(text.len()),
        Some((_, letter)) => letter.len_utf8(),
        None => 0,
    }
}

/// Masks the values of a row and keeps the names of its columns.
fn mask_columns(row: &mut Value) {
    for value in row.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        *value = masked(value);
    }
}

/// A value with nothing to be read from it but its shape.
fn masked(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => mask(text).into(),
        Value::Bool(_) | Value::Number(_) => mask(&value.to_string()).into(),
        Value::Array(items) => items.iter().map(masked).collect(),
        // A map may have its names from the data.
        Value::Object(members) => {
            members.iter().map(|(name, value)| (mask(name), masked(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_json_keeps_the_names_of_columns() {
        let line =
            r#"{"e_mail":"a\"b@x.com","n":-1.5e+7,"ok":true,"no":null,"map":{"key":["v",null]}}"#;
        let masked =
            r#"{"e_mail":"x\"x@x.xxx","n":-0.0x+0,"ok":xxxx,"no":null,"map":{"xxx":["x",null]}}"#;
        assert_eq!(mask_lines(&format!("{line}\n{line}\n")), format!("{masked}\n{masked}\n"));
    }

    #[test]
    fn masking_values_keeps_their_shape() {
        let mut row = json!({ "e_mail": "Zoë@x.com", "n": -1.5, "ok": true, "no": null, "map": { "key": ["v", null] } });
        mask_columns(&mut row);
        let expected = json!({ "e_mail": "xxx@x.xxx", "n": "-0.0", "ok": "xxxx", "no": null, "map": { "xxx": ["x", null] } });
        assert_eq!(row, expected);
    }
}
