//! `segue profile show`: one person, and where everything that is known of them comes from.

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use engine::{LeftOut, PersonId, Profile};

use crate::cli::explain::why_left_out;
use crate::cli::mask::mask;
use crate::cli::{Format, Global, table};
use crate::failure::{Failure, Kind};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most characters of a value in a table; JSON has all.
const VALUE_CHARS_MAX: usize = 60;

/// Look at profiles
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(ShowArgs),
}

/// Show one profile: its identities, and each value with the record that it comes from
///
/// Letters and digits are masked unless --unmask is given.
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// One of its identities, such as `CRMID:12345`
    #[arg(value_name = "NAMESPACE:ID")]
    identity: String,
    /// Show real values
    #[arg(long)]
    unmask: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let Command::Show(args) = &args.command;
    let (namespace, value) = args.identity.split_once(':').ok_or_else(|| {
        Failure::usage("an identity is a namespace and a value with a colon between them")
            .hint("Write for example `segue profile show CRMID:12345`.")
    })?;
    let workspace = Workspace::load(global).await?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let found = sources.engine.profile(&sources.profiles, namespace, value).await?;
    let Some(profile) = found else {
        let person = PersonId { namespace: namespace.to_owned(), value: value.to_owned() };
        return Err(missing(sources.engine.left_out(&sources.profiles, &person).await?.as_ref()));
    };
    let shown = |text: &str| if args.unmask { text.to_owned() } else { mask(text) };
    match global.output {
        Format::Text => super::answer(&text(&profile, &shown)?),
        Format::Json => super::answer_json(&json(&profile, !args.unmask, &shown)?),
    }
    Ok(())
}

fn missing(left_out: Option<&LeftOut>) -> Failure {
    match left_out {
        Some(reason) => Failure::usage(format!(
            "the records with this identity are no profile: {}",
            why_left_out(reason)
        ))
        .hint("`segue count` tells how many are left out for each reason; docs/profiles.md says why they are."),
        None => Failure::usage("no record has this identity")
            .hint("Identities are compared letter by letter; `segue who-got` tells what was sent of somebody who is gone."),
    }
}

/// The values of a row in the order of its columns, as text.
pub(crate) fn cells(batch: &RecordBatch, row: usize) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::from_error(Kind::Internal, &error);
    let options = FormatOptions::default();
    let columns = batch.columns().iter();
    columns
        .map(|column| {
            let formatter = ArrayFormatter::try_new(column, &options).map_err(failed)?;
            formatter.value(row).try_to_string().map_err(failed)
        })
        .collect()
}

fn text(profile: &Profile, shown: &impl Fn(&str) -> String) -> Result<String, Failure> {
    let identities = profile.identities.iter().map(|(namespace, values)| {
        let values: Vec<String> = values.iter().map(|value| shown(value)).collect();
        format!("{namespace} {}", values.join(", "))
    });
    let records = profile.records.iter();
    let records: Vec<String> =
        records.map(|(dataset, count)| format!("{} of {dataset}", table::number(*count))).collect();
    let schema = profile.values.schema();
    let rows = schema.fields().iter().zip(cells(&profile.values, 0)?).zip(&profile.origins);
    let rows = rows.map(|((field, value), origin)| {
        let time = origin.time.clone().unwrap_or_default();
        vec![field.name().clone(), short(&shown(&value)), origin.dataset.clone(), time]
    });
    let lines = [
        format!("profile     {} {}", profile.namespace, shown(&profile.value)),
        format!("hash        {}", profile.hash),
        format!("identities  {}", identities.collect::<Vec<_>>().join("; ")),
        format!("records     {}", records.join(", ")),
        String::new(),
        table::table(&["field", "value", "from", "record of"], &[], rows.collect()),
    ];
    Ok(lines.join("\n"))
}

/// The beginning of a value, on one line.
fn short(value: &str) -> String {
    let line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn json(
    profile: &Profile,
    masked: bool,
    shown: &impl Fn(&str) -> String,
) -> Result<serde_json::Value, Failure> {
    let identities: serde_json::Map<String, serde_json::Value> = profile
        .identities
        .iter()
        .map(|(namespace, values)| {
            (namespace.clone(), values.iter().map(|value| shown(value)).collect())
        })
        .collect();
    let records: serde_json::Map<String, serde_json::Value> =
        profile.records.iter().map(|(dataset, count)| (dataset.clone(), (*count).into())).collect();
    let schema = profile.values.schema();
    let fields = schema.fields().iter().zip(cells(&profile.values, 0)?).zip(&profile.origins);
    let fields = fields.map(|((field, value), origin)| {
        serde_json::json!({
            "field": field.name(),
            "value": shown(&value),
            "dataset": origin.dataset,
            "recordTime": origin.time,
        })
    });
    Ok(serde_json::json!({
        "namespace": profile.namespace,
        "value": shown(&profile.value),
        "hash": profile.hash,
        "masked": masked,
        "identities": identities,
        "records": records,
        "fields": fields.collect::<Vec<_>>(),
    }))
}
