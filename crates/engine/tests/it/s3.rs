//! Datasets in S3, read from the strict service of `s3lab`.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use engine::{Error, Kind};
use futures::TryStreamExt;
use plan::project::{Dataset, DatasetFormat, TableVersion};
use s3lab::{BucketSpec, Fault, Lab, Operation, Options, Policy, User};

use crate::support::{CSV, Case, write_parquet};

async fn lab() -> Lab {
    let options = Options { buckets: vec!["lake".into()], ..Options::default() };
    Lab::start(options).await.expect("the service starts")
}

fn client(lab: &Lab, secret: &str, region: &str) -> Client {
    let user = User::default();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(lab.endpoint())
        .credentials_provider(Credentials::new(&user.access_key_id, secret, None, None, "test"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn case(lab: &Lab, format: DatasetFormat, location: &str) -> Case {
    let secret = User::default().secret_access_key;
    let case = Case::new(format).location(location).client(client(lab, &secret, lab.region()));
    case.columns(&["id"])
}

async fn put_csvs(lab: &Lab) {
    for (key, id) in [("crm/a.csv", 1), ("crm/x/b.csv", 2), ("crm2/c.csv", 3), ("crm/_d.csv", 4)] {
        lab.put("lake", key, format!("id\n{id}\n")).await.expect("the object is put");
    }
    lab.put("lake", "crm/", "").await.expect("the object is put");
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_objects_and_globs() {
    let lab = lab().await;
    put_csvs(&lab).await;
    for (location, expected) in [
        ("s3://lake/crm/", "1 2"),
        ("s3://lake/crm", "1 2"),
        ("s3://lake/crm/a.csv", "1"),
        ("s3://lake/*/*.csv", "1 3"),
        ("s3://lake/crm/**/*.csv", "1 2"),
        ("s3://lake", "1 2 3"),
    ] {
        assert_eq!(case(&lab, CSV, location).rows().await.join(" "), expected, "{location}");
    }
}

/// More bytes than are fetched at once.
async fn put_parquet(lab: &Lab, case: &Case) {
    let rows = 300_000_i64;
    let names =
        (0..rows).map(|row| format!("{:x}", (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..rows))),
        ("name", Arc::new(StringArray::from_iter_values(names))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    write_parquet(&case.path("a.parquet"), &batch, 200_000);
    let bytes = std::fs::read(case.path("a.parquet")).expect("the file is read");
    lab.put("lake", "p/a.parquet", bytes).await.expect("the object is put");
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_is_read_in_ranges_and_in_order() {
    let lab = lab().await;
    let case =
        case(&lab, DatasetFormat::Parquet, "s3://lake/p/").rule("id % 1000 = 0 AND name <> ''");
    put_parquet(&lab, &case).await;
    let expected: Vec<String> = (0..300).map(|row| (row * 1_000).to_string()).collect();
    assert_eq!(case.rows().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_replaced_fails_the_run() {
    let lab = lab().await;
    put_csvs(&lab).await;
    let case = case(&lab, CSV, "s3://lake/crm/");
    let snapshot = case.pin().await.expect("the objects are pinned");
    let engine = case.engine();
    let rows = engine.rows(&case.query, &snapshot).await.expect("the query fits");
    lab.put("lake", "crm/x/b.csv", "id\n9\n").await.expect("the object is put");
    let read = rows.map_ordered(|_| Ok::<_, Error>(())).try_for_each(|()| async { Ok(()) }).await;
    let verified = engine.verify(&snapshot).await;
    for error in [read.expect_err("noticed"), verified.expect_err("noticed")] {
        assert_eq!(error.kind(), Kind::Changed);
        assert!(error.to_string().contains("s3://lake/crm/x/b.csv"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_service_say_what_to_do() {
    let lab = lab().await;
    put_csvs(&lab).await;
    let error = |case: Case| async move { case.error().await };
    insta::assert_snapshot!(error(case(&lab, CSV, "s3://lake/nothing/")).await, @r#"
    no_input: no file matches the dataset's location (s3://lake/nothing/)
      A folder is searched for files that end in `.csv`, `.tsv`, `.txt`.
    "#);
    insta::assert_snapshot!(error(case(&lab, CSV, "s3://no-such-lake/a.csv")).await, @r#"
    bucket_not_found: cannot list the bucket: the service answered NoSuchBucket (s3://no-such-lake/a.csv)
      Check the bucket's name and the account's endpoint.
    "#);
    let wrong = case(&lab, CSV, "s3://lake/crm/").client(client(&lab, "wrong", lab.region()));
    insta::assert_snapshot!(error(wrong).await, @r#"
    credentials_refused: cannot list the bucket: the service answered SignatureDoesNotMatch (s3://lake/crm/)
      Check the account's access key and secret.
    "#);
    lab.faults().add(Fault::on_any(s3lab::Action::slow_down_early()).times(1));
    insta::assert_snapshot!(error(case(&lab, CSV, "s3://lake/crm/")).await, @r#"
    input_unavailable: cannot list the bucket: the service answered SlowDown (s3://lake/crm/)
      Try again later.
    "#);
    lab.set_policy(&User::default().access_key_id, Policy::all().without(&["s3:GetObject"]));
    insta::assert_snapshot!(error(case(&lab, CSV, "s3://lake/crm/")).await, @r#"
    input_denied: cannot read the object: the service answered AccessDenied (s3://lake/crm/a.csv)
      The account needs `s3:ListBucket` on the bucket and `s3:GetObject` on its objects.
    "#);
    lab.set_policy(&User::default().access_key_id, Policy::all().without(&["s3:ListBucket"]));
    insta::assert_snapshot!(error(case(&lab, CSV, "s3://lake/crm/")).await, @r#"
    input_denied: cannot list the bucket: the service answered AccessDenied (s3://lake/crm/)
      The account needs `s3:ListBucket` on the bucket and `s3:GetObject` on its objects.
    "#);
}

/// The region of a bucket is learnt from the answer, once for all that is read of the bucket.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_another_region_is_read_there() {
    let far = BucketSpec { region: Some("eu-west-3".to_owned()), ..BucketSpec::from("far") };
    let options = Options { buckets: vec!["lake".into(), far], ..Options::default() };
    let lab = Lab::start(options).await.expect("the service starts");
    for key in ["crm/a.csv", "crm/b.csv"] {
        lab.put("far", key, "id\n7\n").await.expect("the object is put");
        lab.put("lake", key, "id\n8\n").await.expect("the object is put");
    }
    let secret = User::default().secret_access_key;
    for (bucket, region, ids) in [
        ("far", "us-east-1", "7 7"),
        ("far", "ap-south-1", "7 7"),
        ("far", "eu-west-3", "7 7"),
        ("lake", "eu-west-3", "8 8"),
    ] {
        lab.clear_log();
        let location = format!("s3://{bucket}/crm/");
        let case = case(&lab, CSV, &location).client(client(&lab, &secret, region));
        assert_eq!(case.rows().await.join(" "), ids, "{bucket} from {region}");
        let refused = lab.log().iter().filter(|entry| entry.status >= 300).count();
        assert!(refused <= 1, "{bucket} from {region}: {refused} requests were refused");
    }
    // What does not look like a region is not believed, and is asked for nothing again.
    lab.clear_log();
    let lie = s3lab::Action::answer(301, "PermanentRedirect");
    lab.faults().add(Fault::on_any(lie).times(9));
    insta::assert_snapshot!(case(&lab, CSV, "s3://lake/crm/").error().await, @r"
    wrong_region: cannot list the bucket: the service answered PermanentRedirect (s3://lake/crm/)
      No redirect is followed: set the account's `region`, or its `endpoint_url`, to the bucket's.
    ");
    assert_eq!(lab.log().len(), 1);
}

/// An answer that sends the reader to another host is not followed: the credentials stay here.
#[tokio::test(flavor = "multi_thread")]
async fn another_host_is_not_read_from() {
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let location = format!("http://{}", trap.local_addr().expect("an address"));
    let sender = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", sender.local_addr().expect("an address"));
    let elsewhere = location.clone();
    std::thread::spawn(move || {
        for stream in sender.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 8_192]);
            let body = format!(
                "<Error><Code>TemporaryRedirect</Code><Endpoint>{elsewhere}</Endpoint></Error>"
            );
            let _ = write!(
                stream,
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/lake\r\ncontent-type: application/xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let lab = lab().await;
    let near = client(&lab, &User::default().secret_access_key, "us-east-1");
    let config = near.config().to_builder().endpoint_url(endpoint).build();
    let case = case(&lab, CSV, "s3://lake/crm/").client(Client::from_conf(config));
    insta::assert_snapshot!(case.error().await, @r"
    wrong_region: cannot list the bucket: the service answered TemporaryRedirect (s3://lake/crm/)
      No redirect is followed: set the account's `region`, or its `endpoint_url`, to the bucket's.
    ");
    trap.set_nonblocking(true).expect("a socket that does not wait");
    assert!(trap.accept().is_err(), "the other host was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_is_no_end_of_file() {
    let lab = lab().await;
    put_csvs(&lab).await;
    lab.faults()
        .add(Fault::on(Operation::GetObject, s3lab::Action::CutReply { after_bytes: 2 }).times(9));
    let error = case(&lab, CSV, "s3://lake/crm/").run().await.expect_err("the answer is cut");
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
}

/// A Delta table in a bucket, with the log in one folder and a partition's file in another.
#[tokio::test(flavor = "multi_thread")]
async fn a_delta_table_is_pinned_with_the_tags_of_its_files() {
    let lab = lab().await;
    let format = DatasetFormat::Delta { version: TableVersion::Newest };
    let case = case(&lab, format, "s3://lake/crm").columns(&["country"]);
    let ids: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(Int64Array::from(vec![1, 2])))];
    let batch = RecordBatch::try_from_iter(ids).expect("a column");
    write_parquet(&case.path("a.parquet"), &batch, 10);
    let bytes = std::fs::read(case.path("a.parquet")).expect("the file is read");
    let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"country\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}"#;
    let log = format!(
        r#"{{"protocol":{{"minReaderVersion":1,"minWriterVersion":2}}}}
{{"metaData":{{"schemaString":"{schema}","partitionColumns":["country"],"configuration":{{}}}}}}
{{"add":{{"path":"country=FR/a%20b.parquet","partitionValues":{{"country":"FR"}},"size":1}}}}
"#
    );
    let commit = "crm/_delta_log/00000000000000000000.json";
    lab.put("lake", commit, log).await.expect("the object is put");
    insta::assert_snapshot!(case.error().await, @r"
    table_vacuumed: version 0 of the Delta table lacks one of its files, `country=FR/a b.parquet` (s3://lake/crm)
      `VACUUM` removes files that newer versions do not use: read a newer version, or restore the file.
    ");
    let key = "crm/country=FR/a b.parquet";
    lab.put("lake", key, bytes.clone()).await.expect("the object is put");
    lab.put("lake", "crm2/_delta_log/00000000000000000001.json", "x").await.expect("put");
    assert_eq!(case.rows().await, ["1|FR", "2|FR"]);
    let profiles = case.pin().await.expect("the table is pinned");
    let versions: Vec<String> = profiles.inputs().map(|input| input.version.to_string()).collect();
    assert_eq!(versions[0], "delta:0");
    assert!(versions[1].starts_with("etag:"), "{versions:?}");
    lab.put("lake", key, [bytes, b"x".to_vec()].concat()).await.expect("the object is put");
    let error = case.engine().verify(&profiles).await.expect_err("the file was replaced");
    assert_eq!(error.kind(), Kind::Changed);
}

/// Events, and one of two datasets of profiles, in a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn events_and_parts_of_merged_profiles_are_read_from_a_bucket() {
    let lab = lab().await;
    for (key, text) in [
        ("crm/a.csv", "id,name,at\n1,Ann,2026-01-02T00:00:00Z\n2,Bob,2026-01-02T00:00:00Z\n"),
        ("orders/2026/a.csv", "who,at,total\n1,2026-01-30T10:00:00Z,10.5\n"),
        (
            "orders/2026/b.csv",
            "who,at,total\n3,2026-01-30T11:00:00Z,2\n1,2026-01-02T00:00:00Z,20\n",
        ),
    ] {
        lab.put("lake", key, text).await.expect("the object is put");
    }
    let case = case(&lab, CSV, "s3://lake/crm/")
        .identified_by("id", "CRMID")
        .timestamp("at")
        .event_csv("orders", "who", "CRMID", "at", "")
        .text("web.csv", "id,name,at\n2,Bobby,2026-01-03T00:00:00Z\n3,Cid,2026-01-01T00:00:00Z\n")
        .columns(&["name"]);
    let web = Dataset {
        key: "web".to_owned(),
        location: "web.csv".to_owned(),
        account: None,
        ..case.dataset.clone()
    };
    let orders = Dataset { location: "s3://lake/orders/".to_owned(), ..case.events[0].clone() };
    let engine = case.engine();
    let mut snapshots = Vec::new();
    for dataset in [&case.dataset, &web, &orders] {
        snapshots.push(engine.pin(dataset, case.folder.path()).await.expect("it is pinned"));
    }
    let events = snapshots.split_off(2);
    let profiles = engine::Profiles::new(case.policy.clone(), snapshots).with_events(events);
    for (rule, expected) in [
        ("TRUE", "1|Ann 2|Bobby 3|Cid"),
        ("(SELECT sum(total) FROM orders) = 30.5", "1|Ann"),
        (
            "NOT EXISTS (SELECT FROM orders WHERE \"timestamp\" > now() - INTERVAL '2 days')",
            "2|Bobby",
        ),
    ] {
        let mut query = case.query.clone();
        query.rule.text = rule.to_owned();
        let rows = engine.rows(&query, &profiles).await.expect("the rule fits");
        let found: Vec<Vec<String>> = rows
            .map_ordered(|batch| Ok::<_, Error>(crate::support::lines(&batch)))
            .try_collect()
            .await
            .expect("the rows are read");
        let mut found = found.concat();
        found.sort();
        assert_eq!(found.join(" "), expected, "{rule}");
    }
    lab.put("lake", "orders/2026/a.csv", "who,at,total\n").await.expect("the object is put");
    let error = engine.verify(&profiles).await.expect_err("an object of events was replaced");
    assert_eq!(error.kind(), Kind::Changed);
}
