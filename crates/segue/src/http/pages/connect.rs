//! Connecting a destination: a draft becomes an account and a destination, by the API's operations.

use serde_json::{Map, Value, json};
use ui::page::connect::{Connect, FIELDS};
use ui::page::destinations::Preset;
use ui::page::wizard::{Draft, Preview};
use ui::shell::Said;

use super::visit::{Visit, done, html, see_other};
use super::wizard::{self, fresh, key_of, put};
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

const WIZARD: &str = "connect";
/// How many lines are shown.
const LINES: usize = 6;
/// How many columns the sample has.
const COLUMNS: usize = 6;
/// The names that a sample takes in a project for as long as it is looked at.
const SAMPLE: &str = "segue-sample";

/// Begins where the draft is, or with a kind of service.
pub(super) async fn begin(visit: Visit) -> Result<Reply, Problem> {
    if let Some(preset) = visit.query("preset") {
        let mut draft = wizard::load(&visit, WIZARD);
        draft.set("preset", preset);
        draft.set("account", "");
        wizard::keep(&visit, WIZARD, &draft)?;
    }
    Ok(see_other("/connect/account"))
}

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let draft = wizard::load(&visit, WIZARD);
    let step = visit.parameter("step").to_owned();
    drawn(&visit, &step, draft).await
}

/// Keeps what was filled in, and goes on.
pub(super) async fn step(visit: Visit) -> Result<Reply, Problem> {
    let Some((at, mut draft)) = wizard::filled(&visit, WIZARD, &FIELDS) else {
        return visit.missing().await;
    };
    let step = FIELDS[at].0;
    let secret = draft.get("secret").to_owned();
    draft.set("secret", "");
    let go = visit.field("go");
    if !secret.is_empty() && go == "next" {
        let account = account_key(&visit.app.shared.workspace(), &draft);
        let name = format!("{account}-secret");
        let body = json!({ "value": secret });
        if let Err(problem) = visit.perform("put_secret", &[("name", &name)], Some(body)).await {
            wizard::keep(&visit, WIZARD, &draft)?;
            return Err(problem);
        }
        draft.set("secret_name", &name);
    }
    wizard::keep(&visit, WIZARD, &draft)?;
    if visit.is_part() {
        return drawn(&visit, step, draft).await;
    }
    match wizard::way(&visit, WIZARD, &FIELDS, at, go, "/destinations") {
        Some(reply) => Ok(reply),
        None => finish(&visit, &draft).await,
    }
}

async fn drawn(visit: &Visit, step: &str, draft: Draft) -> Result<Reply, Problem> {
    if FIELDS.iter().all(|(key, _)| *key != step) {
        return visit.missing().await;
    }
    let workspace = visit.app.shared.workspace();
    let preview = match step {
        "account" => Preview::default(),
        _ if draft.get("bucket").is_empty() => Preview::default(),
        _ => {
            let rows = if step == "place" { 0 } else { LINES };
            wizard::preview(visit, sample(visit, &workspace, &draft, rows).await?).await?
        }
    };
    let page = Connect {
        at: step.to_owned(),
        draft,
        accounts: workspace.project.accounts.iter().map(|it| it.key.clone()).collect(),
        has_master_key: workspace.secret_store().has_key(),
        preview,
    };
    let look = visit.look(&workspace).await?;
    let shell = visit.shell(&look).await?;
    if visit.is_part() {
        return Ok(html(page.beside(&shell)));
    }
    Ok(visit.draw(page.draw(&shell)))
}

/// Makes the account and the destination, and leads to where the check is.
async fn finish(visit: &Visit, draft: &Draft) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    for (needed, name) in [("name", "a name"), ("bucket", "a bucket")] {
        if draft.get(needed).is_empty() {
            let detail = format!("The destination needs {name}.");
            return Err(
                Problem::new(Code::InvalidValue, detail).hint("Go back to the second step.")
            );
        }
    }
    let account = account_key(&workspace, draft);
    if draft.get("account").is_empty() {
        let body = json!({ "key": account, "definition": account_of(draft) });
        visit.perform("add_account", &[], Some(body)).await?;
    }
    let is_taken = |key: &str| workspace.project.destination(key).is_some();
    let wanted = Some(key_of(draft.get("name"))).filter(|key| !key.is_empty());
    let key = fresh(&wanted.unwrap_or_else(|| "destination".to_owned()), is_taken);
    let body = json!({ "key": key, "definition": destination_of(draft, &account) });
    if let Err(problem) = visit.perform("add_destination", &[], Some(body)).await {
        // The account alone would be in the way of the next attempt.
        let mut kept = draft.clone();
        if draft.get("account").is_empty() {
            kept.set("account", &account);
            wizard::keep(visit, WIZARD, &kept)?;
        }
        return Err(problem);
    }
    wizard::forget(visit, WIZARD);
    Ok(done(&format!("/destinations/{key}?check=now"), Said::Saved))
}

/// The key of the account: the one that is chosen, or one that is free.
fn account_key(workspace: &Workspace, draft: &Draft) -> String {
    match draft.get("account") {
        "" => fresh(draft.or("preset", Preset::Amazon.word()), |key| {
            workspace.project.account(key).is_some()
        }),
        key => key.to_owned(),
    }
}

/// The account as it would stand in the project file.
fn account_of(draft: &Draft) -> Value {
    let mut auth = Map::new();
    let kind = draft.or("auth", "access-key");
    auth.insert("kind".to_owned(), kind.into());
    match kind {
        "assume-role" => put(&mut auth, "role_arn", draft.get("role_arn")),
        "default" => {}
        _ => {
            put(&mut auth, "access_key_id", draft.get("access_key_id"));
            let secret = match draft.get("secret_name") {
                "" => String::new(),
                name => format!("${{secret:{name}}}"),
            };
            auth.insert("secret_access_key".to_owned(), secret.into());
        }
    }
    let mut account = Map::new();
    account.insert("type".to_owned(), "amazon-s3".into());
    account.insert("auth".to_owned(), auth.into());
    put(&mut account, "region", draft.get("region"));
    if draft.or("preset", Preset::Amazon.word()) != Preset::Amazon.word() {
        put(&mut account, "endpoint_url", draft.get("endpoint"));
    }
    account.into()
}

/// The destination as it would stand in the project file.
fn destination_of(draft: &Draft, account: &str) -> Value {
    let mut destination = Map::new();
    put(&mut destination, "account", account);
    put(&mut destination, "name", draft.get("name"));
    put(&mut destination, "bucket", draft.get("bucket"));
    put(&mut destination, "folder", draft.get("folder").trim_matches('/'));
    destination.insert("manifest".to_owned(), (draft.or("manifest", "yes") == "yes").into());
    if !draft.get("sse").is_empty() {
        let mut encryption = Map::new();
        put(&mut encryption, "sse", draft.get("sse"));
        if draft.get("sse") == "aws:kms" {
            put(&mut encryption, "kms_key_id", draft.get("kms_key_id"));
        }
        destination.insert("encryption".to_owned(), encryption.into());
    }
    let actions = draft.get("actions").split(',').map(str::trim).filter(|it| !it.is_empty());
    let actions: Vec<&str> = actions.collect();
    if !actions.is_empty() {
        destination.insert("marketing_actions".to_owned(), actions.into());
    }
    destination.insert("file".to_owned(), file_of(draft));
    destination.into()
}

fn file_of(draft: &Draft) -> Value {
    let mut file = Map::new();
    let format = draft.or("format", "csv");
    put(&mut file, "format", format);
    if format == "csv" {
        put(&mut file, "delimiter", draft.or("delimiter", ","));
    }
    if matches!(format, "csv" | "tsv") {
        put(&mut file, "quoting", draft.or("quoting", "minimal"));
        put(&mut file, "line_end", draft.or("line_end", "lf"));
        put(&mut file, "encoding", draft.or("encoding", "utf-8"));
        file.insert("header".to_owned(), (draft.or("header", "yes") == "yes").into());
    }
    if format != "parquet" {
        put(&mut file, "compression", draft.or("compression", "none"));
    }
    file.into()
}

/// What is asked to see how files of the draft would look: everybody, with a few columns.
async fn sample(
    visit: &Visit,
    workspace: &Workspace,
    draft: &Draft,
    rows: usize,
) -> Result<Value, Problem> {
    let account = account_key(workspace, draft);
    let mut accounts = Map::new();
    if draft.get("account").is_empty() {
        accounts.insert(account.clone(), account_of(draft));
    }
    let fields = super::rules::fields(visit).await?;
    let columns: Vec<String> = fields.into_iter().take(COLUMNS).collect();
    let mut destination = destination_of(draft, &account);
    if draft.get("name").is_empty() {
        destination["name"] = SAMPLE.into();
    }
    // Who is asked for consent depends on the actions; a look at the format does not.
    if let Some(members) = destination.as_object_mut() {
        members.remove("marketing_actions");
    }
    Ok(json!({
        "segments": { SAMPLE: { "rule": "true", "name": "Segment" } },
        "accounts": accounts,
        "destinations": { SAMPLE: destination },
        "activations": { SAMPLE: {
            "destination": SAMPLE,
            "segments": [{ "segment": SAMPLE }],
            "mapping": columns,
        } },
        "activation": SAMPLE,
        "rows": rows,
    }))
}
