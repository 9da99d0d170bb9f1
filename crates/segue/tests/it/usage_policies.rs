//! Usage policies: what they forbid is told by the command line, the API and the pages alike.

use serde_json::{Value, json};

use crate::http::Server;
use crate::project::{Project, Text, lab};

/// A project whose destination is used for something, with a policy that reads two labels.
fn labelled() -> String {
    let text = Text::default().yaml();
    let text = text.replace(
        "    identities: { id: CRMID }\n",
        "    identities: { id: CRMID }\n    labels: { email: [I1], points: [S1] }\npolicies:\n  partners: { name: No scores to partners, marketing_actions: [third-party], labels: [I1 AND S1] }\n",
    );
    text.replace(
        "    manifest: true\n",
        "    manifest: true\n    marketing_actions: [third-party]\n",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_forbids_is_a_mistake_of_the_project() {
    let project = Project::new(&labelled(), None);
    let told = project.segue(&["validate", "--offline"]);
    assert_eq!(told.code, 2, "{}", told.stderr);
    insta::assert_snapshot!(told.stderr, @r"
    warning[no_deduplication]: no deduplication key: people with several profiles are sent several times
      --> segue.yaml:36:5
       |
    36 |     mapping: [id, { source: email, target: e_mail, mandatory: true }, points]
       |     ^^^^^^^
       |
       = help: Mark the identifying column with `deduplicate: true`.

    error[policy_violated]: the rule of segment `loyal` asks `points` (S1), which policy `partners` forbids for `third-party`
      --> segue.yaml:34:18
       |
    34 |       - segment: loyal
       |                  ^^^^^
       |
       = help: Take it out, or send to another destination than `partner`, which is used for `third-party`.

    error[policy_violated]: the column `e_mail` holds `email` (I1), which policy `partners` forbids for `third-party`
      --> segue.yaml:36:29
       |
    36 |     mapping: [id, { source: email, target: e_mail, mandatory: true }, points]
       |                             ^^^^^
       |
       = help: Take it out, or send to another destination than `partner`, which is used for `third-party`.

    error[policy_violated]: the column `points` holds `points` (S1), which policy `partners` forbids for `third-party`
      --> segue.yaml:36:71
       |
    36 |     mapping: [id, { source: email, target: e_mail, mandatory: true }, points]
       |                                                                       ^^^^^^
       |
       = help: Take it out, or send to another destination than `partner`, which is used for `third-party`.
    error: segue.yaml has 3 problems
    ");
    let allowed = labelled().replace("[I1 AND S1]", "[I2]");
    project.write("segue.yaml", &allowed);
    let told = project.segue(&["validate", "--offline"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    insta::assert_snapshot!(told.stderr, @r"
    warning[unread_label]: no policy reads the label `I1`
     --> segue.yaml:7:22
      |
    7 |     labels: { email: [I1], points: [S1] }
      |                      ^^^^
      |
      = help: Name it under `policies:`; until then it is only recorded.

    warning[unread_label]: no policy reads the label `S1`
     --> segue.yaml:7:36
      |
    7 |     labels: { email: [I1], points: [S1] }
      |                                    ^^^^
      |
      = help: Name it under `policies:`; until then it is only recorded.

    warning[unknown_label]: no field has the label `I2`
     --> segue.yaml:9:87
      |
    9 |   partners: { name: No scores to partners, marketing_actions: [third-party], labels: [I2] }
      |                                                                                       ^^
      |
      = help: Did you mean `I1`?

    warning[no_deduplication]: no deduplication key: people with several profiles are sent several times
      --> segue.yaml:36:5
       |
    36 |     mapping: [id, { source: email, target: e_mail, mandatory: true }, points]
       |     ^^^^^^^
       |
       = help: Mark the identifying column with `deduplicate: true`.
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_shows_what_policies_say_and_saves_nothing_against_them() {
    let lab = lab().await;
    // What is in the file holds; what is made is against it.
    let text = labelled().replace("    marketing_actions: [third-party]\n", "");
    let text = text.replace(
        "activations:\n",
        "  agency: { account: lab, bucket: exports, folder: agency, marketing_actions: [third-party] }\nactivations:\n",
    );
    let project = Project::new(&text, Some(&lab));
    let server = Server::start(&project).await;
    let activation = |columns: Value| json!({ "destination": "agency", "segments": [{ "segment": "loyal" }], "mapping": columns });
    let preview = |definition: &Value| {
        let body = json!({
            "activations": { "draft": definition }, "activation": "draft", "rows": 1, "count": true,
        });
        let answer = server.ask("POST", "/api/v1/preview", &server.analyst, &[], Some(body));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    // The rule asks for points, and the column shows the address.
    let forbidden = activation(json!(["id", "email"]));
    let found = preview(&forbidden);
    assert_eq!(found["valid"], false);
    assert_eq!(found["problems"][0]["code"], "policy_violated", "{found}");
    assert_eq!(found["problems"][0]["place"], "segments.0.segment", "{found}");
    assert_eq!(found["segments"][0]["rows"], 4, "it is looked at all the same: {found}");
    insta::assert_snapshot!(format!("{:#}", found["policies"]), @r#"
    [
      {
        "policy": "partners",
        "name": "No scores to partners",
        "marketingActions": [
          "third-party"
        ],
        "labels": [
          "I1 AND S1"
        ],
        "holds": false,
        "uses": [
          {
            "field": "email",
            "labels": [
              "I1"
            ],
            "column": "email",
            "position": 1,
            "segment": null,
            "message": "the column `email` holds `email` (I1), which policy `partners` forbids for `third-party`"
          },
          {
            "field": "points",
            "labels": [
              "S1"
            ],
            "column": null,
            "position": null,
            "segment": "loyal",
            "message": "the rule of segment `loyal` asks `points` (S1), which policy `partners` forbids for `third-party`"
          }
        ],
        "hint": "Take it out, or send to another destination than `agency`, which is used for `third-party`."
      }
    ]
    "#);
    let body = json!({ "key": "agency", "definition": forbidden });
    let refused = server.ask("POST", "/api/v1/activations", &server.operator, &[], Some(body));
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("which policy `partners` forbids"), "{}", refused.text);
    let fine = activation(json!(["id", "points"]));
    let found = preview(&fine);
    assert_eq!((&found["valid"], &found["policies"][0]["holds"]), (&json!(true), &json!(true)));
    let body = json!({ "key": "agency", "definition": fine });
    let made = server.ask("POST", "/api/v1/activations", &server.operator, &[], Some(body));
    assert_eq!(made.status, 201, "{}", made.text);
    // Only the segments that are named are looked at.
    let body = json!({ "activations": {}, "activation": "agency", "only": ["nothing"] });
    let none = server.ask("POST", "/api/v1/preview", &server.analyst, &[], Some(body)).json();
    assert_eq!(none["segments"], json!([]));
}
