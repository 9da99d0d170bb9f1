//! Segments that are imported from a file of identities.

use engine::{Engine, Error, Profiles};
use futures::TryStreamExt;
use plan::field::FieldPath;
use plan::project::{
    Dataset, DatasetFormat, DatasetKind, Identity, Merge, MergePolicy, Rule, RuleOrigin, Segment,
    Stitch,
};
use uuid::Uuid;

use crate::support::{CSV, Case, SPAN, lines};

fn identity(field: &str, namespace: &str) -> Identity {
    let field = FieldPath::parse(field).expect("a path");
    Identity { field, namespace: namespace.to_owned(), span: SPAN }
}

fn file(location: &str, format: DatasetFormat, field: &str, namespace: &str) -> Dataset {
    Dataset {
        key: "news".to_owned(),
        kind: DatasetKind::Profile,
        location: location.to_owned(),
        account: None,
        format,
        database: None,
        declared: Vec::new(),
        identities: vec![identity(field, namespace)],
        timestamp: None,
        span: SPAN,
        version_span: None,
    }
}

/// A case of everybody in the imported segment.
fn case(import: Dataset) -> Case {
    let mut case = Case::new(CSV)
        .location("people.csv")
        .text("people.csv", "id,mail\n1,a@x\n2,b@x\n03,c@x\n4,\n")
        .columns(&["id"])
        .rule("in_segment('news')");
    case.dataset.identities = vec![identity("id", "CRMID"), identity("mail", "Email")];
    let rule = Rule {
        text: "in_segment('news')".to_owned(),
        origin: RuleOrigin::Project { span: SPAN, spans_text: false },
    };
    let (id, name) = (Uuid::from_u128(1), "News".to_owned());
    let import = Some(import);
    case.query.segments = vec![Segment { key: "news".to_owned(), id, name, rule, import }];
    case
}

async fn profiles(
    case: &Case,
    more: &[Dataset],
    stitch: Stitch,
) -> Result<(Engine, Profiles), Error> {
    let (engine, folder) = (case.engine(), case.folder.path());
    let mut datasets = vec![engine.pin(&case.dataset, folder).await?];
    for dataset in more {
        datasets.push(engine.pin(dataset, folder).await?);
    }
    let import = case.query.segments[0].import.as_ref().expect("an import");
    let import = engine.pin(import, folder).await?;
    let order = ["crm", "news"].map(str::to_owned).to_vec();
    let policy = MergePolicy { merge: Merge::Datasets(order), stitch };
    Ok((engine, Profiles::new(policy, datasets).with_imports(vec![import])))
}

async fn found(case: &Case) -> Result<(Vec<String>, Vec<(String, u64)>), Error> {
    let (engine, profiles) = profiles(case, &[], Stitch::None).await?;
    found_in(case, &engine, &profiles).await
}

async fn found_in(
    case: &Case,
    engine: &Engine,
    profiles: &Profiles,
) -> Result<(Vec<String>, Vec<(String, u64)>), Error> {
    let rows = engine.rows(&case.query, profiles).await?;
    let tally = rows.tally();
    let lines: Vec<Vec<String>> =
        rows.map_ordered(|batch| Ok::<_, Error>(lines(&batch))).try_collect().await?;
    engine.verify(profiles).await?;
    let counts = tally.counts();
    assert_eq!(engine.count(&case.query, profiles).await?, counts);
    let left_out = counts.left_out.into_iter().filter(|(_, count)| *count > 0);
    Ok((lines.concat(), left_out.collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_of_any_kind_of_file_find_their_profiles() {
    let emails = "mail\na@x\na@x\nz@x\n\"\"\nb@x\n";
    let unknown = vec![("no_profile:news".to_owned(), 1), ("no_identity:news".to_owned(), 1)];
    for memory in [1 << 30, 16] {
        let mut case = case(file("ids.csv", CSV, "mail", "Email")).text("ids.csv", emails);
        case.memory_bytes = memory;
        assert_eq!(
            found(&case).await.expect("a run"),
            (vec!["1".into(), "2".into()], unknown.clone())
        );
    }
    let lines = file("ids.jsonl", DatasetFormat::JsonLines, "who.id", "CRMID");
    let case =
        case(lines).text("ids.jsonl", "{\"who\":{\"id\":\"03\"}}\n{\"who\":{\"id\":\"4\"}}\n");
    assert_eq!(found(&case).await.expect("a run").0, ["03", "4"]);
    let case = case.rule("NOT in_segment('News')");
    assert_eq!(found(&case).await.expect("a run").0, ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_identity_of_a_merged_profile_counts() {
    let case = case(file("ids.csv", CSV, "mail", "Email"))
        .text("ids.csv", "mail\nold@x\nc@x\n")
        .text("web.csv", "cookie,mail\nc1,a@x\nc1,old@x\n");
    let mut web = file("web.csv", CSV, "cookie", "ECID");
    web.identities.push(identity("mail", "Email"));
    let (engine, profiles) = profiles(&case, &[web], Stitch::Graph).await.expect("profiles");
    let (mut rows, left_out) = found_in(&case, &engine, &profiles).await.expect("a run");
    rows.sort();
    assert_eq!((rows, left_out), (vec!["03".into(), "1".into()], Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_pinned_with_the_profiles() {
    let case = case(file("ids.csv", CSV, "mail", "Email")).text("ids.csv", "mail\na@x\n");
    let (engine, profiles) = profiles(&case, &[], Stitch::None).await.expect("profiles");
    assert_eq!(profiles.inputs().count(), 2);
    let case = case.text("ids.csv", "mail\na@x\nb@x\n");
    let error = engine.verify(&profiles).await.expect_err("it changed");
    assert_eq!(error.kind(), engine::Kind::Changed);
    drop(case);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_the_field_says_so() {
    let case = case(file("ids.csv", CSV, "email", "Email")).text("ids.csv", "mail\na@x\n");
    let error = found(&case).await.expect_err("there is no such field");
    insta::assert_snapshot!(error.to_string(), @"the file of imported segment `news` has no such field (field `email`)");
}
