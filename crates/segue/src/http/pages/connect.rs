//! Connecting a destination: a draft becomes an account and a destination, by the API's operations.

use plan::Section;
use serde_json::{Map, Value, json};
use ui::page::connect::{Connect, FIELDS, PGP, is_folder};
use ui::page::destinations::Preset;
use ui::page::wizard::{Draft, Fault, Preview};

use super::edits::{self, Wanted};
use super::visit::{Visit, html, see_other};
use super::wizard::{self, Wizard, fresh, key_of, put};
use crate::app::objects;
use crate::http::problem::{Code, Problem};
use crate::http::request::Reply;
use crate::workspace::Workspace;

/// A role that there may not be, until somebody writes one.
const ROLE: &str = "arn:aws:iam::123456789012:role/segue";
/// How many lines are shown.
const LINES: usize = 6;
/// How many columns the sample has.
const COLUMNS: usize = 6;
/// The names that a sample takes in a project for as long as it is looked at.
const SAMPLE: &str = "segue-sample";
/// A bucket that nobody has named yet.
const BUCKET: &str = "bucket";
/// The field of a draft that says that a private key was filled in, which is never a part of the draft.
const PRIVATE_KEY: &str = "pgp.private";
/// The members of a destination that the step of the place fills in.
const OF_PLACE: [&str; 5] = ["name", "bucket", "location", "folder", "encryption"];

fn wizard(visit: &Visit) -> Wizard {
    Wizard::of(visit, "connect", "destinations")
}

/// Begins where the draft is, or with a kind of service.
pub(super) async fn begin(visit: Visit) -> Result<Reply, Problem> {
    if let Some(preset) = visit.query("preset") {
        let wizard = wizard(&visit);
        let mut draft = wizard.load(&visit);
        let before = Preset::of_word(draft.get("preset"));
        draft.set("preset", preset);
        draft.set("account", "");
        leave(&mut draft, before);
        wizard.keep(&visit, &draft)?;
    }
    Ok(see_other("/connect/account"))
}

/// Begins to change a destination that is kept here.
pub(super) async fn begin_change(visit: Visit) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let key = visit.parameter("key").to_owned();
    if workspace.project.destination(&key).is_none() {
        return visit.missing().await;
    }
    let Some(stored) = workspace.stored(Section::Destinations, &key) else {
        return Err(super::rules::in_file("destination", &key));
    };
    let wizard = wizard(&visit);
    wizard.begin(&visit, stored, draft_of)?;
    Ok(see_other(&wizard.step("place")))
}

pub(super) async fn page(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let mut draft = wizard.load(&visit);
    if drop_private_keys(&mut draft) {
        // It was kept by a version before this one.
        wizard.keep(&visit, &draft)?;
    }
    let step = visit.parameter("step").to_owned();
    if let Some(reply) = wizard.astray(&draft, &step, &FIELDS) {
        return Ok(reply);
    }
    drawn(&visit, &wizard, &step, draft).await
}

/// Keeps what was filled in, and goes on.
pub(super) async fn step(visit: Visit) -> Result<Reply, Problem> {
    let wizard = wizard(&visit);
    let turn = wizard.turn(&visit).await;
    if turn.is_some()
        && let Some(reply) = wizard.led(&visit).await?
    {
        return Ok(reply);
    }
    let Some((at, mut draft)) = wizard.filled(&visit, &FIELDS) else {
        return visit.missing().await;
    };
    leave(&mut draft, Preset::of_word(wizard.load(&visit).get("preset")));
    let step = FIELDS[at].0;
    if step == "place" {
        draft.set(PRIVATE_KEY, "");
        drop_private_keys(&mut draft);
    }
    let secret = draft.get("secret").to_owned();
    draft.set("secret", "");
    let go = visit.field("go");
    if !secret.is_empty() && go == "next" {
        let account = account_key(&visit.app.shared.workspace(), &draft);
        let name = format!("{account}-secret");
        let body = json!({ "value": secret });
        if let Err(problem) = visit.perform("put_secret", &[("name", &name)], Some(body)).await {
            wizard.keep(&visit, &draft)?;
            return Err(problem);
        }
        draft.set("secret_name", &name);
    }
    wizard.keep(&visit, &draft)?;
    if visit.is_part() {
        return drawn(&visit, &wizard, step, draft).await;
    }
    if step == "place"
        && go == "next"
        && let Some(problem) = wrong_place(&visit, &wizard, &draft).await?
    {
        return Err(problem);
    }
    match wizard.way(&visit, &FIELDS, at, go) {
        Some(reply) => Ok(reply),
        None => finish(&visit, &wizard, &draft).await,
    }
}

/// Takes private keys out of a draft, which is kept in a file. Returns whether there were any.
fn drop_private_keys(draft: &mut Draft) -> bool {
    let holds = delivery::pgp::holds_private_key;
    let text = draft.get("pgp").to_owned();
    if !holds(&text) {
        return false;
    }
    let publics: Vec<String> = pgp_keys(&text).into_iter().filter(|key| !holds(key)).collect();
    draft.set("pgp", &publics.join("\n"));
    draft.set(PRIVATE_KEY, "yes");
    true
}

/// Why the step of the place cannot be left, if it cannot.
async fn wrong_place(
    visit: &Visit,
    wizard: &Wizard,
    draft: &Draft,
) -> Result<Option<Problem>, Problem> {
    let preview = looked(visit, wizard, draft, 0).await?;
    let is_of_place = |fault: &&Fault| {
        let member = fault.place.split('.').next().unwrap_or_default();
        OF_PLACE.contains(&member)
    };
    Ok(preview.faults.iter().find(is_of_place).map(problem_of))
}

fn problem_of(fault: &Fault) -> Problem {
    let problem = Problem::new(Code::InvalidValue, fault.message.clone());
    match &fault.hint {
        Some(hint) => problem.hint(hint.clone()),
        None => problem,
    }
}

/// What the draft would come to, with its first lines. Where there is no bucket yet, what is wrong with
/// the rest is told all the same.
async fn looked(
    visit: &Visit,
    wizard: &Wizard,
    draft: &Draft,
    rows: usize,
) -> Result<Preview, Problem> {
    let mut seen = draft.clone();
    let is_placed = !draft.get(place_of(draft)).is_empty();
    if !is_placed {
        seen.set(place_of(draft), BUCKET);
    }
    let rows = if is_placed { rows } else { 0 };
    let mut found = wizard::preview(visit, sample(visit, wizard, &seen, rows).await?).await?;
    if !is_placed {
        found = Preview { faults: found.faults, ..Preview::default() };
        found.faults.retain(|fault| fault.place != place_of(draft));
    }
    if draft.get(PRIVATE_KEY) == "yes" {
        found.faults.insert(0, private_key());
    }
    Ok(found)
}

/// The fault of a draft that a private key was filled in for, in the words of the API.
fn private_key() -> Fault {
    Fault {
        about: None,
        place: PGP.to_owned(),
        message: objects::PRIVATE_KEY.to_owned(),
        hint: Some(objects::PRIVATE_KEY_HINT.to_owned()),
    }
}

/// What was filled in because of the service before is not what the one that is chosen now goes by.
fn leave(draft: &mut Draft, before: Preset) {
    if Preset::of_word(draft.get("preset")) == before {
        return;
    }
    for (name, of_before) in [("region", before.region()), ("endpoint", before.endpoint())] {
        if draft.get(name) == of_before {
            draft.set(name, "");
        }
    }
}

async fn drawn(
    visit: &Visit,
    wizard: &Wizard,
    step: &str,
    mut draft: Draft,
) -> Result<Reply, Problem> {
    if FIELDS.iter().all(|(key, _)| *key != step) {
        return visit.missing().await;
    }
    wizard.mark(visit, step, &mut draft)?;
    let workspace = visit.app.shared.workspace();
    let preview = match step {
        "account" if draft.or("auth", "access-key") == "assume-role" => {
            // What to paste into the role is known before there is a role or a bucket.
            let mut draft = draft.clone();
            for (name, otherwise) in [("bucket", BUCKET), ("role_arn", ROLE)] {
                if draft.get(name).trim().is_empty() {
                    draft.set(name, otherwise);
                }
            }
            wizard::preview(visit, sample(visit, wizard, &draft, 0).await?).await?
        }
        "account" => Preview::default(),
        "place" => looked(visit, wizard, &draft, 0).await?,
        _ => looked(visit, wizard, &draft, LINES).await?,
    };
    let page = Connect {
        at: step.to_owned(),
        draft,
        accounts: workspace.project.accounts.iter().map(|it| it.key.clone()).collect(),
        changes: wizard.key.as_ref().map(|key| {
            let found = workspace.project.destination(key);
            (key.clone(), found.map_or_else(|| key.clone(), |found| found.name.clone()))
        }),
        keeps_secrets: workspace.secret_store().can_seal(),
        outboxes: workspace.outboxes.iter().map(|it| it.display().to_string()).collect(),
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
async fn finish(visit: &Visit, wizard: &Wizard, draft: &Draft) -> Result<Reply, Problem> {
    let workspace = visit.app.shared.workspace();
    let place = place_of(draft);
    let a_place = format!("a {place}");
    for (needed, name) in [("name", "a name"), (place, a_place.as_str())] {
        if draft.get(needed).is_empty() {
            let detail = format!("The destination needs {name}.");
            return Err(
                Problem::new(Code::InvalidValue, detail).hint("Go back to the second step.")
            );
        }
    }
    if draft.get(PRIVATE_KEY) == "yes" {
        // Without it, files might be encrypted for fewer than was meant, or not at all.
        return Err(problem_of(&private_key()));
    }
    let account = account_key(&workspace, draft);
    if has_new_account(draft) {
        let body = json!({ "key": account, "definition": account_of(draft) });
        visit.perform("add_account", &[], Some(body)).await?;
    }
    if let Some(key) = &wizard.key {
        return change(visit, wizard, key, draft, &account).await;
    }
    let is_taken = |key: &str| workspace.project.destination(key).is_some();
    let wanted = Some(key_of(draft.get("name"))).filter(|key| !key.is_empty());
    let key = fresh(&wanted.unwrap_or_else(|| "destination".to_owned()), is_taken);
    let body = json!({ "key": key, "definition": destination_of(draft, &account, &Value::Null) });
    if let Err(problem) = visit.perform("add_destination", &[], Some(body)).await {
        // The account alone would be in the way of the next attempt.
        let mut kept = draft.clone();
        if has_new_account(draft) {
            kept.set("account", &account);
            wizard.keep(visit, &kept)?;
        }
        return Err(problem);
    }
    wizard.end(visit, draft, &format!("/destinations/{key}?check=now")).await
}

/// Saves a destination that was changed.
async fn change(
    visit: &Visit,
    wizard: &Wizard,
    key: &str,
    draft: &Draft,
    account: &str,
) -> Result<Reply, Problem> {
    let mut kept = draft.clone();
    // If the change is not saved, the account is there already.
    if !is_folder(draft) {
        kept.set("account", account);
    }
    wizard.keep(visit, &kept)?;
    let send = |go: &str| wizard.send(draft, go);
    let wanted = Wanted {
        section: Section::Destinations,
        key,
        revision: Wizard::revision(draft),
        definition: destination_of(draft, account, &before(visit, wizard)),
        save: send("next"),
        go_on: send("stay"),
    };
    if let Some(conflict) = edits::save(visit, wanted).await? {
        return Ok(conflict);
    }
    wizard.end(visit, draft, &format!("/destinations/{key}?check=now")).await
}

/// What the destination says as it is kept now, if one is changed.
fn before(visit: &Visit, wizard: &Wizard) -> Value {
    let workspace = visit.app.shared.workspace();
    let key = wizard.key.as_deref().unwrap_or_default();
    workspace.stored(Section::Destinations, key).map(objects::value).unwrap_or_default()
}

/// The field that says where: a bucket, or a folder of the server.
fn place_of(draft: &Draft) -> &'static str {
    if is_folder(draft) { "location" } else { "bucket" }
}

/// Whether an account is made together with the destination.
fn has_new_account(draft: &Draft) -> bool {
    draft.get("account").is_empty() && !is_folder(draft)
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
    let is_elsewhere = draft.or("preset", Preset::Amazon.word()) != Preset::Amazon.word();
    auth.insert("kind".to_owned(), kind.into());
    match kind {
        "assume-role" => {
            put(&mut auth, "role_arn", draft.get("role_arn").trim());
            if is_elsewhere {
                // Services of this kind give roles where they take objects.
                let endpoint = draft.or("sts_endpoint", draft.get("endpoint"));
                put(&mut auth, "sts_endpoint_url", endpoint.trim());
            }
        }
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
    if is_elsewhere {
        put(&mut account, "endpoint_url", draft.get("endpoint"));
        put(&mut account, "service", draft.get("preset"));
    }
    account.into()
}

/// An object that is changed: what it says already, without members that are said anew.
fn without(before: &Value, members: &[&str]) -> Map<String, Value> {
    let mut object = before.as_object().cloned().unwrap_or_default();
    for member in members {
        object.remove(*member);
    }
    object
}

/// The destination as it would stand in the project file. What it says already, `before`, and the wizard
/// does not ask for, stays.
fn destination_of(draft: &Draft, account: &str, before: &Value) -> Value {
    let mut destination = without(before, &["name", "folder", "encryption", "marketing_actions"]);
    if is_folder(draft) {
        put(&mut destination, "location", draft.get("location").trim());
    } else {
        put(&mut destination, "account", account);
        put(&mut destination, "bucket", draft.get("bucket"));
    }
    put(&mut destination, "name", draft.get("name"));
    put(&mut destination, "folder", draft.get("folder").trim_matches('/'));
    destination.insert("manifest".to_owned(), (draft.or("manifest", "yes") == "yes").into());
    let mut encryption = without(&before["encryption"], &["sse", "kms_key_id", "pgp"]);
    let sse = if is_folder(draft) { "" } else { draft.get("sse") };
    put(&mut encryption, "sse", sse);
    if sse == "aws:kms" {
        put(&mut encryption, "kms_key_id", draft.get("kms_key_id"));
    }
    let keys = pgp_keys(draft.get("pgp"));
    if !keys.is_empty() {
        encryption.insert("pgp".to_owned(), keys.into());
    }
    if !encryption.is_empty() {
        destination.insert("encryption".to_owned(), encryption.into());
    }
    let actions = draft.get("actions").split(',').map(str::trim).filter(|it| !it.is_empty());
    let actions: Vec<&str> = actions.collect();
    if !actions.is_empty() {
        destination.insert("marketing_actions".to_owned(), actions.into());
    }
    destination.insert("file".to_owned(), file_of(draft, &before["file"]));
    destination.into()
}

/// The recipients' keys in a text, one behind the other. What stands between armoured keys is taken for a
/// key as well, so that nothing that was filled in is left out in silence.
fn pgp_keys(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    const DASHES: &str = "-----";
    let text = text.replace("\r\n", "\n");
    let mut keys = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(BEGIN) {
        keys.extend(bare_keys(&rest[..at]));
        let block = &rest[at..];
        let next = block[BEGIN.len()..].find(BEGIN).map(|next| BEGIN.len() + next);
        let end = block.find(END).and_then(|end| {
            let label = end + END.len();
            Some(label + block[label..].find(DASHES)? + DASHES.len())
        });
        let next = next.unwrap_or(block.len());
        let (key, behind) = block.split_at(end.unwrap_or(next).min(next));
        keys.push(format!("{}\n", key.trim_end()));
        rest = behind;
    }
    keys.extend(bare_keys(rest));
    keys
}

/// Keys without armour: each in a file or a secret, or one in Base64.
fn bare_keys(text: &str) -> Vec<String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().all(|line| line.starts_with("${")) {
        return lines().map(str::to_owned).collect();
    }
    vec![text.trim().to_owned()]
}

fn file_of(draft: &Draft, before: &Value) -> Value {
    let format = draft.or("format", "csv");
    let is_same = before["format"].as_str().unwrap_or("csv") == format;
    // What another format was told means nothing for this one.
    let before = if is_same { before } else { &Value::Null };
    let mut file = without(before, &[]);
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

/// The draft that a destination would have come from.
fn draft_of(destination: &Value) -> Draft {
    let mut draft = Draft::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| {
        value.as_array().cloned().unwrap_or_default().iter().map(text).collect::<Vec<_>>()
    };
    let yes = |value: &Value| if value == &Value::Bool(false) { "no" } else { "yes" }.to_owned();
    let (encryption, file) = (&destination["encryption"], &destination["file"]);
    let location = text(&destination["location"]);
    let preset = if location.is_empty() { "" } else { Preset::Folder.word() };
    let fields = [
        ("preset", preset.to_owned()),
        ("location", location),
        ("account", text(&destination["account"])),
        ("name", text(&destination["name"])),
        ("bucket", text(&destination["bucket"])),
        ("folder", text(&destination["folder"])),
        ("manifest", yes(&destination["manifest"])),
        ("sse", text(&encryption["sse"])),
        ("kms_key_id", text(&encryption["kms_key_id"])),
        ("pgp", list(&encryption["pgp"]).join("\n")),
        ("actions", list(&destination["marketing_actions"]).join(", ")),
        ("format", text(&file["format"])),
        ("delimiter", text(&file["delimiter"])),
        ("quoting", text(&file["quoting"])),
        ("line_end", text(&file["line_end"])),
        ("encoding", text(&file["encoding"])),
        ("header", yes(&file["header"])),
        ("compression", text(&file["compression"])),
    ];
    for (name, value) in fields {
        if !value.is_empty() {
            draft.0.push((name.to_owned(), value));
        }
    }
    draft
}

/// What is asked to see how files of the draft would look: everybody, with a few columns.
async fn sample(
    visit: &Visit,
    wizard: &Wizard,
    draft: &Draft,
    rows: usize,
) -> Result<Value, Problem> {
    let account = account_key(&visit.app.shared.workspace(), draft);
    let mut accounts = Map::new();
    if has_new_account(draft) {
        accounts.insert(account.clone(), account_of(draft));
    }
    let fields = super::rules::fields(visit).await?.shown;
    let columns: Vec<String> = fields.into_iter().take(COLUMNS).map(|field| field.path).collect();
    let mut destination = destination_of(draft, &account, &before(visit, wizard));
    if draft.get("name").is_empty() {
        destination["name"] = SAMPLE.into();
    }
    // Who is asked for consent depends on the actions; a look at the format does not.
    if let Some(members) = destination.as_object_mut() {
        members.remove("marketing_actions");
        // The sample is another destination.
        members.remove("id");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_service_goes_by_its_own_region_and_address() {
        let fields = [("preset", "google"), ("region", "us-east-1"), ("endpoint", "https://mine")];
        let mut draft = Draft(fields.map(|(name, value)| (name.into(), value.into())).to_vec());
        leave(&mut draft, Preset::Minio);
        assert_eq!((draft.get("region"), draft.get("endpoint")), ("", "https://mine"));
        draft.set("region", "mine");
        draft.set("endpoint", Preset::Google.endpoint());
        draft.set("preset", "minio");
        leave(&mut draft, Preset::Google);
        assert_eq!((draft.get("region"), draft.get("endpoint")), ("mine", ""));
    }

    #[test]
    fn keys_stand_one_behind_the_other() {
        let key =
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let told = |text: &str| {
            let shown = |one: String| if one == key { "KEY".to_owned() } else { one };
            pgp_keys(text).into_iter().map(shown).collect::<Vec<_>>()
        };
        assert_eq!(told(""), [""; 0]);
        assert_eq!(told(&format!("{key}{key}")), ["KEY", "KEY"]);
        assert_eq!(told(&format!(" {}\r\n", key.replace('\n', "\r\n"))), ["KEY"]);
        assert_eq!(told("${secret:a}\n\n${secret:b}\n"), ["${secret:a}", "${secret:b}"]);
        assert_eq!(told("mQENBF\nmQENBF"), ["mQENBF\nmQENBF"]);
        let mixed = format!("hello\n{key}ssh-rsa AAAA\n{key}\nbye");
        assert_eq!(told(&mixed), ["hello", "KEY", "ssh-rsa AAAA", "KEY", "bye"]);
        let cut = &key[..50];
        assert_eq!(told(&format!("{cut}\n{key}")), [format!("{cut}\n").as_str(), "KEY"]);
        assert_eq!(told("-----BEGIN "), ["-----BEGIN\n"]);
    }

    #[test]
    fn what_is_changed_comes_back_as_it_was() {
        let key =
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let before = json!({
            "account": "aubert",
            "name": "Partner",
            "bucket": "exports",
            "folder": "crm/%SEGMENT_NAME%",
            "manifest": false,
            "expected_bucket_owner": "123456789012",
            "encryption": { "sse": "aws:kms", "kms_key_id": "k", "bucket_key": true, "pgp": [key, key] },
            "objects": { "storage_class": "STANDARD_IA" },
            "marketing_actions": ["emailing", "ads"],
            "file": {
                "format": "csv", "delimiter": ";", "quoting": "all", "line_end": "crlf",
                "encoding": "utf-8-bom", "header": false, "compression": "gzip",
                "null": "NULL", "rows_per_file": 1000,
            },
        });
        let draft = draft_of(&before);
        assert_eq!(destination_of(&draft, "aubert", &before), before);
        let mut changed = draft;
        let folder = json!({
            "location": "/srv/outbox/partner", "name": "Disk", "manifest": true,
            "file": { "format": "json", "compression": "none" },
        });
        let of_folder = draft_of(&folder);
        assert_eq!(destination_of(&of_folder, "never", &folder), folder);
        changed.set("format", "tsv");
        changed.set("sse", "");
        let after = destination_of(&changed, "aubert", &before);
        assert_eq!(after["file"]["null"], Value::Null, "it was said of another format");
        assert_eq!(after["encryption"], json!({ "bucket_key": true, "pgp": [key, key] }));
        assert_eq!(after["objects"], before["objects"]);
    }
}
