//! `segue who-got`: every file that a person's data went out in.

use jiff::Timestamp;
use ledger::Ledger;
use serde_json::{Value, json};

use crate::app::who_got::{self, Answer, Gap, Wanted, Went, Why};
use crate::cli::explain::identity;
use crate::cli::{Format, Global, report, table};
use crate::failure::Failure;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// How many runs are named that have no record; JSON has all.
const GAPS_TOLD_MAX: usize = 20;

/// List every delivered file that a person's data went out in
///
/// The answer comes from records that runs leave, so it is exact also for those who left, were excluded
/// since, or are not in the datasets any more. Runs without a record are named.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One of the person's identities, such as `CRMID:12345`
    #[arg(value_name = "NAMESPACE:ID")]
    identity: String,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let person = identity(&args.identity, "segue who-got CRMID:12345")?;
    let workspace = Workspace::load(global).await?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let Some(ledger) = Ledger::open_read_only(workspace.ledger_place()).await? else {
        return Err(Failure::usage("nothing was delivered yet").hint("`segue run` delivers."));
    };
    let mut wanted = Wanted { person, behind: None, now: crate::ambient::now() };
    let mut answer = who_got::ask(&workspace, &sources, &ledger, &wanted).await?;
    while answer.next.is_some() {
        wanted.behind = answer.next;
        let more = who_got::ask(&workspace, &sources, &ledger, &wanted).await?;
        answer.files.extend(more.files);
        answer.gaps.extend(more.gaps);
        answer.next = more.next;
    }
    let kept_days = workspace.project.who_got.kept_days;
    match global.output {
        Format::Text => super::answer(&text(&answer, kept_days)),
        Format::Json => super::answer_json(&as_json(&answer, kept_days)),
    }
    Ok(())
}

fn text(answer: &Answer, kept_days: u32) -> String {
    let mut parts = Vec::new();
    parts.push(match answer.files.len() {
        0 => "No recorded file has data of this person.".to_owned(),
        _ => files(&answer.files),
    });
    let mut notes = Vec::new();
    if !answer.has_profile {
        notes.push(
            "No profile has this identity today: files are found that went out under this very identity."
                .to_owned(),
        );
    }
    notes.push(match answer.recorded_since {
        Some(since) => format!(
            "Each run that was delivered since {} has a record; records are kept for {kept_days} days.",
            to_the_second(since)
        ),
        None => format!("The last delivered run has no record; records are kept for {kept_days} days."),
    });
    parts.push(notes.join("\n"));
    if !answer.gaps.is_empty() {
        parts.push(gaps(&answer.gaps));
    }
    parts.join("\n\n")
}

/// A time as tables show it.
fn to_the_second(at: Timestamp) -> String {
    format!("{at:.0}")
}

fn files(files: &[Went]) -> String {
    let row = |went: &Went| {
        vec![
            went.file.published.map(to_the_second).unwrap_or_default(),
            went.run.destination.clone(),
            went.run.activation.clone(),
            went.run.segment.clone(),
            report::short_id(&went.run),
            report::url(&went.run, &went.file.key),
            went.file.version_id.clone().unwrap_or_else(|| "-".to_owned()),
            went.columns.join(", "),
        ]
    };
    let headers =
        ["went out", "destination", "activation", "segment", "run", "object", "version", "columns"];
    table::table(&headers, &[], files.iter().map(row).collect())
}

fn gaps(gaps: &[Gap]) -> String {
    let row = |gap: &Gap| {
        vec![
            report::short_id(&gap.run),
            gap.run.finished.map(to_the_second).unwrap_or_default(),
            gap.run.activation.clone(),
            gap.run.segment.clone(),
            why(gap.why),
        ]
    };
    let told = gaps.iter().take(GAPS_TOLD_MAX).map(row).collect();
    let headers = ["run", "delivered", "activation", "segment", "why"];
    let more = match gaps.len().saturating_sub(GAPS_TOLD_MAX) {
        0 => String::new(),
        more => format!("\nand {more} more; `--output json` has all"),
    };
    format!(
        "It is not known whether these runs sent data of this person:\n{}{more}",
        table::table(&headers, &[], told)
    )
}

fn why(why: Why) -> String {
    match why {
        Why::Expired => "its record is older than records are kept".to_owned(),
        Why::NoRecord => "it has no record".to_owned(),
        Why::Damaged => "its record is damaged".to_owned(),
        Why::Nameless(1) => "a row of it does not tell whose it is".to_owned(),
        Why::Nameless(rows) => {
            format!("{} of it do not tell whose they are", table::counted(rows, "row"))
        }
    }
}

fn as_json(answer: &Answer, kept_days: u32) -> Value {
    let file = |went: &Went| {
        let mut value = report::file_json(&went.run, &went.file);
        value["runId"] = went.run.run_id.to_string().into();
        value["activation"] = went.run.activation.clone().into();
        value["segment"] = went.run.segment.clone().into();
        value["destination"] = went.run.destination.clone().into();
        value["slot"] = went.run.slot.to_string().into();
        value["columns"] = went.columns.clone().into();
        value
    };
    let gap = |gap: &Gap| {
        json!({
            "runId": gap.run.run_id.to_string(),
            "activation": gap.run.activation,
            "segment": gap.run.segment,
            "slot": gap.run.slot.to_string(),
            "deliveredAt": gap.run.finished.map(|at| at.to_string()),
            "why": gap.why.code(),
            "rows": match gap.why { Why::Nameless(rows) => Some(rows), _ => None },
        })
    };
    json!({
        "hasProfile": answer.has_profile,
        "files": answer.files.iter().map(file).collect::<Vec<_>>(),
        "notKnown": answer.gaps.iter().map(gap).collect::<Vec<_>>(),
        "recordedSince": answer.recorded_since.map(|at| at.to_string()),
        "keptDays": kept_days,
    })
}
