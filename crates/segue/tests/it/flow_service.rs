//! Requests as they are written for Adobe's Flow Service, word for word but for names, ids and the
//! address of the S3 service, end to end to files.

use std::io::Read as _;

use s3lab::Lab;
use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::{Answer, Server};
use crate::project::{BUCKET, Project, SECRET, lab};

const FLOWS: &str = "/data/foundation/flowservice";
/// The specifications of 2021: of connections, and of flows.
const OF_2021: [&str; 2] =
    ["4890fc95-5a1f-4983-94bb-e060c08e3f81", "71471eba-b620-49e4-90fd-23f1fa0174d8"];
/// And those of 2023.
const OF_2023: [&str; 2] =
    ["4fce964d-3f37-408f-9778-e597338a21ee", "269ba276-16fc-47db-92b0-c1049a3c131f"];
const PROFILES: &str = "8a9c3494-9708-43d7-ae3f-cda01e5030e1";
const LUXURY: &str = "25768be6-ebd5-45cc-8913-12fb3f348615";
const FRENCH: &str = "0b1d2c3e-5a6f-4b7c-8d9e-0f1a2b3c4d5e";
/// What every request brings, and Segue does not need.
const HEADERS: [&str; 3] =
    ["x-api-key: key", "x-gw-ims-org-id: org@AdobeOrg", "x-sandbox-name: prod"];

const PROJECT: &str = "version: 1
name: flows
datasets:
  people:
    location: people.jsonl
    identities: { crmId: CRMID, personalEmail.address: Email }
segments:
  luxury: { id: 25768be6-ebd5-45cc-8913-12fb3f348615, name: Luxury Audience, rule: loyalty.points >= 1000 }
  french: { id: 0b1d2c3e-5a6f-4b7c-8d9e-0f1a2b3c4d5e, name: French, rule: \"homeAddress.country = 'FR'\" }
";

const PEOPLE: &str = r#"{"crmId":"1","person":{"lastName":"Ash","name":{"firstName":"Ann"}},"personalEmail":{"address":"ann@example.com"},"homeAddress":{"country":"FR"},"loyalty":{"points":2000}}
{"crmId":"2","person":{"lastName":"Birch","name":{"firstName":"Bob"}},"personalEmail":{"address":"bob@example.com"},"homeAddress":{"country":"DE"},"loyalty":{"points":1500}}
{"crmId":"3","person":{"lastName":"Cedar","name":{"firstName":null}},"personalEmail":{"address":"cat@example.com"},"homeAddress":{"country":"FR"},"loyalty":{"points":1200}}
{"crmId":"4","person":{"lastName":"Doe","name":{"firstName":"Dan"}},"personalEmail":{"address":"dan@example.com"},"homeAddress":{"country":"FR"},"loyalty":{"points":5}}
"#;

fn project(lab: &Lab) -> Project {
    let project = Project::new(PROJECT, Some(lab));
    project.write("people.jsonl", PEOPLE);
    project.write("other.secret", "another");
    let said = project.segue(&["secret", "set", "other", "--from-file", "other.secret"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    project
}

fn post(server: &Server<'_>, path: &str, body: Value) -> Answer {
    server.ask("POST", path, &server.admin, &HEADERS, Some(body))
}

/// What was made: its id and its ETag.
fn made(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 201, "{}", answer.text);
    let made = answer.json();
    let text = |key: &str| made[key].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    assert!(answer.head.contains(&format!("etag: {}", text("etag"))), "{}", answer.head);
    (text("id"), text("etag"))
}

/// Patches as the examples do: without saying that it is JSON.
fn patch(server: &Server<'_>, flow: &str, etag: &str, operations: &Value) -> Answer {
    let body = operations.to_string();
    let headers = HEADERS.join("\r\n");
    server.raw(&format!(
        "PATCH {FLOWS}/flows/{flow} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n\
         authorization: Bearer {}\r\nif-match: {etag}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        server.admin,
        body.len()
    ))
}

fn patched(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["etag"].as_str().expect("an ETag").to_owned()
}

fn flow(server: &Server<'_>, id: &str) -> Value {
    let got = server.ask("GET", &format!("{FLOWS}/flows/{id}"), &server.viewer, &HEADERS, None);
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()["items"][0].clone()
}

/// What was refused: the code, and what is wrong where.
fn told(answer: &Answer) -> String {
    let problem = answer.json();
    let mut text = format!(
        "{} {}: {}",
        answer.status,
        problem["code"].as_str().unwrap_or("fine"),
        problem["detail"].as_str().unwrap_or_default()
    );
    if let Some(hint) = problem["hint"].as_str() {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    for error in problem["errors"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "\n  at {}: {}",
            error["pointer"].as_str().unwrap_or("-"),
            error["detail"].as_str().unwrap_or_default()
        ));
    }
    text
}

/// The account and the destination of a walk.
fn connect(server: &Server<'_>, lab: &Lab, spec: &str, params: Value) -> (String, String) {
    let connection = json!({
        "name": "Connect to Amazon S3", "description": "summer advertising campaign",
        "connectionSpec": { "id": spec, "version": "1.0" },
        "auth": { "specName": "Access Key", "params": {
            "s3AccessKey": "LAB", "s3SecretKey": SECRET,
            "serviceUrl": lab.endpoint(), "region": "us-east-1",
        } },
    });
    let answer = post(server, &format!("{FLOWS}/connections"), connection);
    assert!(!answer.text.contains(SECRET));
    let (base, _) = made(&answer);
    let target = json!({
        "name": "TargetConnection for Amazon S3", "baseConnectionId": base,
        "connectionSpec": { "id": spec, "version": "1.0" },
        "data": { "format": "json", "schema": { "id": "1.0", "version": "1.0" } },
        "params": params,
    });
    let (target, _) = made(&post(server, &format!("{FLOWS}/targetConnections"), target));
    (base, target)
}

/// Runs segments of a flow now, waits for the run, and gives the text of its file.
async fn run(server: &Server<'_>, lab: &Lab, id: &str, segment: &str) -> (String, String) {
    let before = lab.keys(BUCKET);
    let answer = server.ask(
        "POST",
        "/data/core/activation/disflowprovider/adhocrun",
        &server.operator,
        &["accept: application/vnd.adobe.adhoc.activation+json; version=2"],
        Some(json!({ "activationInfo": { id: [segment] } })),
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    let order = answer.json()["order"][0].clone();
    assert_eq!((order["segment"].as_str(), order["order"].as_str()), (Some(segment), Some(id)));
    let url = order["statusURL"].as_str().expect("an address").to_owned();
    let path = url.split_once(&server.address).map(|(_, path)| path.to_owned()).expect("ours");
    let state = || {
        let got = server.ask("GET", &path, &server.viewer, &[], None);
        assert_eq!(got.status, 200, "{}", got.text);
        got.json()["items"][0]["metrics"]["statusSummary"]["status"].clone()
    };
    wait_until(|| !["queued", "processing"].contains(&state().as_str().unwrap_or_default())).await;
    let got = server.ask("GET", &path, &server.viewer, &[], None);
    assert_eq!(state(), "success", "{}", got.text);
    let mut new = lab.keys(BUCKET).into_iter().filter(|key| !before.contains(key));
    let key = new.find(|key| !key.contains("manifest")).expect("a file");
    let bytes = lab.object(BUCKET, &key).expect("it is there").bytes.to_vec();
    let text = if key.ends_with(".gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
        text
    } else {
        String::from_utf8(bytes).expect("UTF-8")
    };
    (key, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_2021_end_in_files() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::with(&project, &[], &[]).await;
    let profiles = json!({
        "name": "Base connection to the profile store",
        "connectionSpec": { "id": PROFILES, "version": "1.0" },
    });
    let (store, _) = made(&post(&server, &format!("{FLOWS}/connections"), profiles));
    let source = json!({
        "name": "Connect to Profile Store", "connectionSpec": { "id": PROFILES, "version": "1.0" },
        "baseConnectionId": store, "data": { "format": "CSV", "schema": null }, "params": {},
    });
    let (source, _) = made(&post(&server, &format!("{FLOWS}/sourceConnections"), source));
    let params = json!({ "mode": "S3", "bucketName": BUCKET, "path": "legacy/%SEGMENT_NAME%", "format": "CSV" });
    let (_, target) = connect(&server, &lab, OF_2021[0], params);
    let body = json!({
        "name": "2021 winter campaign",
        "flowSpec": { "id": OF_2021[1], "version": "1.0" },
        "sourceConnectionIds": [source], "targetConnectionIds": [target],
        "transformations": [{ "name": "GeneralTransform", "params": {
            "segmentSelectors": { "selectors": [{ "type": "PLATFORM_SEGMENT", "value": {
                "id": LUXURY, "name": "Luxury Audience",
                "filenameTemplate": "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
                "exportMode": "DAILY_FULL_EXPORT",
                "schedule": { "frequency": "ONCE", "startDate": "2021-12-25", "startTime": "20:00" },
            } }] },
            "profileSelectors": {
                "selectors": [
                    { "type": "JSON_PATH", "value": { "path": "personalEmail.address", "operator": "EXISTS" } },
                    { "type": "JSON_PATH", "value": { "path": "person.name.firstName", "operator": "EXISTS",
                        "mapping": { "sourceType": "text/x.schema-path", "source": "person.name.firstName",
                            "destination": "person.name.firstName", "identity": false } } },
                ],
                "mandatoryFields": ["person.name.firstName"],
                "primaryFields": [{ "fieldType": "ATTRIBUTE", "attributePath": "personalEmail.address" }],
            },
        } }],
    });
    let (id, etag) = made(&post(&server, &format!("{FLOWS}/flows"), body));
    let shown = flow(&server, &id);
    assert_eq!((&shown["state"], &shown["etag"]), (&json!("enabled"), &json!(etag)));
    // An attribute more, as scripts of that time add it.
    let add = json!([{ "op": "add", "path": "/transformations/0/params/profileSelectors/selectors/-",
        "value": { "type": "JSON_PATH", "value": { "path": "person.lastName" } } }]);
    let next = patched(&patch(&server, &id, &etag, &add));
    assert_ne!(next, etag);
    let (key, text) = run(&server, &lab, &id, LUXURY).await;
    assert!(
        key.starts_with(&format!(
            "legacy/Luxury Audience/TargetConnection_for_Amazon_S3_{LUXURY}_20"
        )) && key.ends_with(".csv"),
        "{key}"
    );
    insta::assert_snapshot!(text, @r"
    personalEmail_address,person_name_firstName,person_lastName
    ann@example.com,Ann,Ash
    bob@example.com,Bob,Birch
    ");
    let runs = server.ask(
        "GET",
        &format!("{FLOWS}/runs?property=flowId=={id}"),
        &server.viewer,
        &HEADERS,
        None,
    );
    let run = &runs.json()["items"][0];
    let metrics = &run["metrics"];
    assert_eq!(run["flowId"], id);
    assert_eq!(metrics["recordSummary"]["inputRecordCount"], 3, "{}", runs.text);
    assert_eq!(metrics["recordSummary"]["outputRecordCount"], 2);
    assert_eq!(metrics["recordSummary"]["skippedRecordCount"], 1);
    assert_eq!(metrics["fileSummary"]["outputFileCount"], 1);
    assert!(
        metrics["durationSummary"]["completedAtUTC"].as_i64()
            > metrics["durationSummary"]["startedAtUTC"].as_i64()
    );
    // Disabled and enabled; what is disabled is not run.
    let act = |op: &str| {
        let path = format!("{FLOWS}/flows/{id}/action?op={op}");
        let answer = server.ask("POST", &path, &server.operator, &HEADERS, None);
        assert_eq!(answer.status, 202, "{}", answer.text);
        assert_eq!(answer.json()["id"], id);
        flow(&server, &id)["state"].clone()
    };
    assert_eq!(act("disable"), "disabled");
    let adhoc = "/data/core/activation/disflowprovider/adhocrun";
    let refused = post(&server, adhoc, json!({ "activationInfo": { &id: [LUXURY] } }));
    assert_eq!(
        told(&refused).lines().next(),
        Some("409 activation_disabled: The activation `2021-winter-campaign` is disabled.")
    );
    assert_eq!(act("enable"), "enabled");
    // All of it is what `/api/v1` and the command line know, with the secret by its name only.
    let kept = server.ask("GET", "/api/v1/objects", &server.viewer, &[], None).json();
    let yaml = kept["yaml"].as_str().expect("YAML");
    let known =
        [(target.as_str(), "[target]"), (id.as_str(), "[flow]"), (&lab.endpoint(), "[endpoint]")];
    let yaml = known.iter().fold(yaml.to_owned(), |text, (from, to)| text.replace(from, to));
    insta::assert_snapshot!(yaml, @r#"
    accounts:
      connect-to-amazon-s3:
        name: Connect to Amazon S3
        description: summer advertising campaign
        auth:
          kind: access-key
          access_key_id: LAB
          secret_access_key: "${secret:flow-service.connect-to-amazon-s3}"
        region: us-east-1
        endpoint_url: "[endpoint]"
    destinations:
      targetconnection-for-amazon-s3:
        id: [target]
        name: TargetConnection for Amazon S3
        account: connect-to-amazon-s3
        bucket: exports
        folder: legacy/%SEGMENT_NAME%
        file:
          format: csv
    activations:
      2021-winter-campaign:
        id: [flow]
        name: 2021 winter campaign
        destination: targetconnection-for-amazon-s3
        segments:
          - segment: luxury
            export: full
            file_name: "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%"
            schedule:
              frequency: once
              at: "20:00"
              start: 2021-12-25
        mapping:
          - source: personalEmail.address
            deduplicate: true
          - source: person.name.firstName
            mandatory: true
          - person.lastName
    "#);
    let activation =
        server.ask("GET", "/api/v1/activations/2021-winter-campaign", &server.viewer, &[], None);
    assert_eq!(activation.status, 200);
    assert_eq!(project.segue(&["export"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_2023_end_in_files_and_a_patch_changes_the_next() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::with(&project, &[], &[]).await;
    let source = json!({
        "name": "Connect to Profile Store", "connectionSpec": { "id": PROFILES, "version": "1.0" },
    });
    let (source, _) = made(&post(&server, &format!("{FLOWS}/sourceConnections"), source));
    let params = json!({
        "mode": "Server-to-server", "bucketName": BUCKET, "path": "folder/subfolder",
        "compression": "GZIP", "fileType": "CSV",
        "csvOptions": { "nullValue": "null", "emptyValue": "", "escape": "\\", "quote": "", "delimiter": "," },
    });
    let (_, target) = connect(&server, &lab, OF_2023[0], params);
    let body = json!({
        "name": "Activate segments to Amazon S3",
        "flowSpec": { "id": OF_2023[1], "version": "1.0" },
        "sourceConnectionIds": [source], "targetConnectionIds": [target], "transformations": [],
    });
    let (id, etag) = made(&post(&server, &format!("{FLOWS}/flows"), body));
    assert_eq!(flow(&server, &id)["state"], "draft");
    // It is no activation yet, and nothing of it is in the project.
    assert_eq!(
        server.ask("GET", "/api/v1/activations", &server.viewer, &[], None).json()["items"],
        json!([])
    );
    let add = json!([{ "op": "add", "path": "/transformations/0/params/segmentSelectors/selectors/-",
        "value": { "type": "PLATFORM_SEGMENT", "value": {
            "id": LUXURY, "name": "Luxury Audience",
            "filenameTemplate": "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
            "exportMode": "FIRST_FULL_THEN_INCREMENTAL",
            "schedule": { "frequency": "EVERY_6_HOURS", "startDate": "2021-12-22", "endDate": "2021-12-31", "startTime": "17:00" },
        } } }]);
    let etag = patched(&patch(&server, &id, &etag, &add));
    assert_eq!(flow(&server, &id)["state"], "draft");
    let schema =
        json!({ "name": "Sample Schema for Flow Mapping", "jsonSchema": { "type": "object" } });
    let schema = post(&server, "/data/foundation/conversion/schemas", schema);
    assert_eq!(schema.status, 201, "{}", schema.text);
    let schema = schema.json()["id"].clone();
    let mappings = json!([
        { "destination": "personalEmail_address", "source": "personalEmail.address", "sourceType": "ATTRIBUTE" },
        { "destination": "Email", "source": "identityMap.Email", "sourceType": "ATTRIBUTE" },
        { "destination": "segmentMembership_status", "source": "segmentMembership.ups.seg_id.status", "sourceType": "ATTRIBUTE" },
    ]);
    let set = json!({ "inputSchema": { "id": schema }, "outputSchema": { "id": schema }, "mappings": mappings, "xdmVersion": "1.0" });
    let set = post(&server, "/data/foundation/conversion/mappingSets", set);
    assert_eq!(set.status, 201, "{}", set.text);
    let set = set.json()["id"].as_str().expect("an id").to_owned();
    let take_up = json!([{ "op": "ADD", "path": "/transformations/0/params/profileMapping",
        "value": { "mappingId": set, "mappingVersion": 0 } }]);
    let etag = patched(&patch(&server, &id, &etag, &take_up));
    let shown = flow(&server, &id);
    assert_eq!(shown["state"], "enabled");
    let selector =
        &shown["transformations"][0]["params"]["segmentSelectors"]["selectors"][0]["value"];
    assert_eq!(selector["schedule"]["endDate"], "2021-12-31", "{selector}");
    assert_eq!(selector["schedule"]["frequency"], "EVERY_6_HOURS");
    let (key, text) = run(&server, &lab, &id, LUXURY).await;
    assert!(key.starts_with("folder/subfolder/") && key.ends_with(".csv.gz"), "{key}");
    insta::assert_snapshot!(text, @r"
    personalEmail_address,Email,segmentMembership_status
    ann@example.com,ann@example.com,active
    bob@example.com,bob@example.com,active
    cat@example.com,cat@example.com,active
    ");
    // Another segment, other attributes, a mandatory one and a key: the next file has them.
    let edit = json!([
        { "op": "add", "path": "/transformations/0/params/segmentSelectors/selectors/-",
          "value": { "type": "PLATFORM_SEGMENT", "value": { "id": FRENCH,
            "filenameTemplate": "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%_custom-text",
            "exportMode": "DAILY_FULL_EXPORT",
            "schedule": { "frequency": "DAILY", "triggerType": "SCHEDULED", "startDate": "2030-01-05", "startTime": "16:00" } } } },
        { "op": "replace", "path": "/transformations/0/params/profileSelectors/selectors",
          "value": [
            { "type": "JSON_PATH", "value": { "path": "crmId" } },
            { "type": "JSON_PATH", "value": { "path": "person.name.firstName" } },
          ] },
        { "op": "add", "path": "/transformations/0/params/mandatoryFields", "value": ["person.name.firstName"] },
        { "op": "add", "path": "/transformations/0/params/primaryFields",
          "value": [{ "fieldType": "ATTRIBUTE", "attributePath": "crmId" }] },
        { "op": "replace", "path": "/name", "value": "2021/2022 winter campaign" },
    ]);
    let etag = patched(&patch(&server, &id, etag.trim_matches('"'), &edit));
    let (key, text) = run(&server, &lab, &id, FRENCH).await;
    assert!(key.ends_with("_custom-text.csv.gz"), "{key}");
    insta::assert_snapshot!(text, @r"
    crmId,person_name_firstName
    1,Ann
    4,Dan
    ");
    let shown = flow(&server, &id);
    let params = &shown["transformations"][0]["params"];
    assert_eq!(shown["name"], "2021/2022 winter campaign");
    assert_eq!(params["mandatoryFields"], json!(["person.name.firstName"]));
    assert_eq!(params["segmentSelectors"]["selectors"].as_array().map(Vec::len), Some(2));
    // The first is updated by its index, and then removed.
    let update = json!([{ "op": "replace", "path": "/transformations/0/params/segmentSelectors/selectors/0",
        "value": { "type": "PLATFORM_SEGMENT", "value": { "id": LUXURY, "name": "Luxury Audience",
            "filenameTemplate": "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
            "exportMode": "DAILY_FULL_EXPORT",
            "schedule": { "frequency": "EVERY_12_HOURS", "startDate": "2022-01-05", "endDate": "2022-01-30", "startTime": "20:00" },
            "createTime": "1640289901", "updateTime": "1640289901" } } }]);
    let etag = patched(&patch(&server, &id, &etag, &update));
    let shown = flow(&server, &id);
    let selectors = &shown["transformations"][0]["params"]["segmentSelectors"]["selectors"];
    assert_eq!(selectors[0]["value"]["schedule"]["frequency"], "EVERY_12_HOURS");
    let remove = json!([{ "op": "remove", "path": "/transformations/0/params/segmentSelectors/selectors/0",
        "value": { "type": "PLATFORM_SEGMENT", "value": {} } }]);
    let etag = patched(&patch(&server, &id, &etag, &remove));
    let shown = flow(&server, &id);
    let selectors = &shown["transformations"][0]["params"]["segmentSelectors"]["selectors"];
    assert_eq!(selectors.as_array().map(Vec::len), Some(1));
    assert_eq!(selectors[0]["value"]["id"], FRENCH);
    // The last one stays.
    let refused = patch(&server, &id, &etag, &remove);
    insta::assert_snapshot!(told(&refused), @r"
    422 invalid_value: A flow that runs keeps a segment and an attribute.
      hint: Disable it instead, or remove it with DELETE.
      at /transformations/0/params: A flow that runs keeps a segment and an attribute.
    ");
}

/// A file of one column that may be missing would have empty lines; with the second one it is whole.
#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_added_one_after_the_other() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let params = json!({ "mode": "S3", "bucketName": BUCKET, "path": "x", "format": "CSV" });
    let (_, target) = connect(&server, &lab, OF_2021[0], params);
    let mut body = json!({
        "name": "One by one", "flowSpec": { "id": OF_2021[1], "version": "1.0" },
        "sourceConnectionIds": [], "targetConnectionIds": [target], "transformations": [],
    });
    let source =
        server.ask("GET", &format!("{FLOWS}/sourceConnections"), &server.viewer, &[], None);
    body["sourceConnectionIds"] = json!([source.json()["items"][0]["id"]]);
    let (id, mut etag) = made(&post(&server, &format!("{FLOWS}/flows"), body));
    let segment = json!([{ "op": "add", "path": "/transformations/0/params/segmentSelectors/selectors/-",
        "value": { "type": "PLATFORM_SEGMENT", "value": { "id": LUXURY, "exportMode": "DAILY_FULL_EXPORT" } } }]);
    etag = patched(&patch(&server, &id, &etag, &segment));
    let attribute = |path: &str| {
        json!([{ "op": "add", "path": "/transformations/0/params/profileSelectors/selectors/-",
            "value": { "type": "JSON_PATH", "value": { "path": path } } }])
    };
    etag = patched(&patch(&server, &id, &etag, &attribute("personalEmail.address")));
    assert_eq!(flow(&server, &id)["state"], "draft");
    let adhoc = "/data/core/activation/disflowprovider/adhocrun";
    let early = post(&server, adhoc, json!({ "activationInfo": { &id: [LUXURY] } }));
    assert!((400..500).contains(&early.status), "{}", early.text);
    let switched = server.ask(
        "POST",
        &format!("{FLOWS}/flows/{id}/action?op=enable"),
        &server.operator,
        &[],
        None,
    );
    insta::assert_snapshot!(told(&switched), @"
    409 conflict: The flow is a draft: it lacks a segment, or attributes.
      hint: PATCH them into it first. If there is to be one attribute, name it in `mandatoryFields`.
    ");
    // What is wrong otherwise is told at once.
    let unknown = patch(&server, &id, &etag, &attribute("personalEmail.adress"));
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    patched(&patch(&server, &id, &etag, &attribute("person.lastName")));
    assert_eq!(flow(&server, &id)["state"], "enabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_cannot_say_is_kept_and_what_does_not_fit_is_told() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let params = json!({ "bucketName": BUCKET, "path": "x", "fileType": "CSV" });
    let (base, target) = connect(&server, &lab, OF_2023[0], params.clone());
    // An activation that was made elsewhere is a flow, too.
    let definition = json!({
        "destination": "targetconnection-for-amazon-s3",
        "segments": [{ "segment": "luxury", "schedule": { "frequency": "daily", "at": "02:00", "zone": "Europe/Paris", "overlap": "skip" } }],
        "mapping": ["crmId", { "expression": "upper(person.lastName)", "target": "NAME" }],
        "guard": { "min_rows": 1 },
    });
    let body = json!({ "key": "own", "definition": definition });
    let own = server.ask("POST", "/api/v1/activations", &server.admin, &[], Some(body));
    assert_eq!(own.status, 201, "{}", own.text);
    let id = own.json()["id"].as_str().expect("an id").to_owned();
    let etag = flow(&server, &id)["etag"].as_str().expect("an ETag").to_owned();
    let add = json!([
        { "op": "add", "path": "/transformations/0/params/profileSelectors/selectors/-",
          "value": { "type": "JSON_PATH", "value": { "path": "personalEmail.address" } } },
        { "op": "replace", "path": "/description", "value": "told" },
    ]);
    patched(&patch(&server, &id, &etag, &add));
    let kept = server.ask("GET", "/api/v1/activations/own", &server.viewer, &[], None).json();
    insta::assert_snapshot!(kept["definition"], @r#"{"destination":"targetconnection-for-amazon-s3","segments":[{"segment":"luxury","schedule":{"frequency":"daily","at":"02:00","zone":"Europe/Paris","overlap":"skip"}}],"mapping":["crmId",{"expression":"upper(person.lastName)","target":"NAME"},"personalEmail.address"],"guard":{"min_rows":1},"name":"own","description":"told"}"#);
    // What does not fit.
    let flow_body = |spec: &str, target: &str| {
        json!({
            "name": "x", "flowSpec": { "id": spec, "version": "1.0" },
            "sourceConnectionIds": ["00000000-0000-0000-0000-000000000000"], "targetConnectionIds": [target],
        })
    };
    let etag = flow(&server, &id)["etag"].as_str().expect("an ETag").to_owned();
    let at_end = "/transformations/0/params/segmentSelectors/selectors/-";
    let segment = |value: Value| json!([{ "op": "add", "path": at_end, "value": { "type": "PLATFORM_SEGMENT", "value": value } }]);
    let all = [
        told(&post(
            &server,
            &format!("{FLOWS}/connections"),
            json!({ "name": "x", "connectionSpec": { "id": FRENCH } }),
        )),
        told(&post(
            &server,
            &format!("{FLOWS}/connections"),
            json!({ "name": "x", "connectionSpec": { "id": OF_2023[0] },
            "auth": { "specName": "Access Key", "params": { "s3AccessKey": "LAB" } } }),
        )),
        told(&post(
            &server,
            &format!("{FLOWS}/connections"),
            json!({ "name": "x", "connectionSpec": { "id": OF_2023[0] },
            "auth": { "specName": "Access Key", "params": { "s3AccessKey": "LAB", "s3SecretKey": "canary", "encryption": "x" } } }),
        )),
        told(&post(
            &server,
            &format!("{FLOWS}/targetConnections"),
            json!({ "name": "x", "baseConnectionId": FRENCH,
            "connectionSpec": { "id": OF_2023[0] }, "params": params }),
        )),
        told(&post(
            &server,
            &format!("{FLOWS}/targetConnections"),
            json!({ "name": "x", "baseConnectionId": base,
            "connectionSpec": { "id": OF_2023[0] }, "params": { "bucketName": "Not A Bucket", "fileType": "CSV" } }),
        )),
        told(&post(&server, &format!("{FLOWS}/flows"), flow_body(FRENCH, &target))),
        told(&post(&server, &format!("{FLOWS}/flows"), flow_body(OF_2021[1], &target))),
        told(&patch(&server, &id, "\"1\"", &add)),
        told(&patch(
            &server,
            &id,
            &etag,
            &json!([{ "op": "remove", "path": "/transformations/0/params/segmentSelectors/selectors/7" }]),
        )),
        told(&patch(&server, &id, &etag, &segment(json!({ "id": "nobody" })))),
        told(&patch(
            &server,
            &id,
            &etag,
            &segment(json!({ "id": FRENCH, "schedule": { "frequency": "SOMETIMES" } })),
        )),
        told(&patch(
            &server,
            &id,
            &etag,
            &segment(json!({ "id": FRENCH, "filenameTemplate": "%NONSENSE%" })),
        )),
        told(&patch(
            &server,
            &id,
            &etag,
            &segment(
                json!({ "id": FRENCH, "schedule": { "frequency": "DAILY", "startDate": "2026-01-04", "endDate": "2026-01-04" } }),
            ),
        )),
        told(&patch(
            &server,
            &id,
            &etag,
            &json!([{ "op": "add", "path": "/transformations/0/params/profileSelectors/selectors/-",
            "value": { "type": "JSON_PATH", "value": { "path": "person.lastNaem" } } }]),
        )),
        told(&patch(
            &server,
            &id,
            &etag,
            &json!([{ "op": "add", "path": "/transformations/0/params/mandatoryFields", "value": ["Phone"] }]),
        )),
        told(&patch(
            &server,
            &id,
            &etag,
            &json!([{ "op": "add", "path": "/transformations/0/params/profileMapping",
            "value": { "mappingId": FRENCH, "mappingVersion": 0 } }]),
        )),
        told(&post(
            &server,
            "/data/core/activation/disflowprovider/adhocrun",
            json!({ "activationInfo": { &id: ["french"] } }),
        )),
        told(&post(
            &server,
            "/data/core/activation/disflowprovider/adhocrun",
            json!({ "activationInfo": {} }),
        )),
        told(&server.ask(
            "GET",
            &format!("{FLOWS}/runs?property=name==x"),
            &server.viewer,
            &[],
            None,
        )),
        told(&server.ask(
            "PATCH",
            &format!("{FLOWS}/flows/{id}"),
            &server.admin,
            &[],
            Some(add.clone()),
        )),
        told(&server.ask(
            "PATCH",
            &format!("{FLOWS}/flows/{id}"),
            &server.viewer,
            &["if-match: *"],
            Some(add.clone()),
        )),
        told(&server.ask(
            "POST",
            &format!("{FLOWS}/connections"),
            &server.operator,
            &[],
            Some(json!({})),
        )),
        told(&server.ask("GET", &format!("{FLOWS}/flows/{FRENCH}"), &server.viewer, &[], None)),
        told(&server.ask(
            "DELETE",
            &format!("{FLOWS}/connections/{base}"),
            &server.admin,
            &[],
            None,
        )),
    ];
    let all =
        all.join("\n").replace(&id, "[flow]").replace(&base, "[base]").replace(&target, "[target]");
    insta::assert_snapshot!(all);
    assert!(!all.contains("canary"));
    // What nothing uses goes, its secret with it.
    let remove = |what: &str, id: &str| {
        server.ask("DELETE", &format!("{FLOWS}/{what}/{id}"), &server.admin, &HEADERS, None).status
    };
    assert_eq!(remove("flows", &id), 204);
    assert_eq!(remove("targetConnections", &target), 204);
    assert_eq!(remove("connections", &base), 204);
    let secrets = server.ask("GET", "/api/v1/secrets", &server.admin, &[], None).json();
    assert_eq!(secrets["items"].as_array().map(Vec::len), Some(1), "{secrets}");
    let kept = server.ask("GET", "/api/v1/objects", &server.viewer, &[], None).json();
    assert_eq!(kept["objects"], json!({}));
}
