//! Delta tables, their logs written by hand after the protocol; `.ci/delta` runs the last test
//! against tables of another writer.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use engine::Engine;
use plan::project::{DatasetFormat, TableVersion};
use roaring::RoaringTreemap;
use serde_json::{Value, json};

use crate::support::{Case, write_parquet};

const NEWEST: DatasetFormat = DatasetFormat::Delta { version: TableVersion::Newest };

fn at(number: u64) -> DatasetFormat {
    DatasetFormat::Delta { version: TableVersion::Number(number) }
}

/// Rows, written as JSON lines, as a batch.
fn batch(fields: &[Field], rows: &str) -> RecordBatch {
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let reader = arrow_json::ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(1 << 16);
    let mut reader = reader.build(Cursor::new(rows)).expect("a reader");
    let batch = reader.next().map(|batch| batch.expect("rows of the schema"));
    batch.unwrap_or_else(|| RecordBatch::new_empty(schema))
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

trait Table: Sized {
    fn data(self, name: &str, fields: &[Field], rows: &str) -> Self;
    fn commit(self, number: u64, actions: &[Value]) -> Self;
}

impl Table for Case {
    fn data(self, name: &str, fields: &[Field], rows: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        write_parquet(&path, &batch(fields, rows), 2);
        self
    }

    fn commit(self, number: u64, actions: &[Value]) -> Self {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        self.text(&format!("_delta_log/{number:020}.json"), lines.join("\n"))
    }
}

fn protocol() -> Value {
    json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
}

fn features(names: &[&str]) -> Value {
    let features = json!({"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": names});
    json!({"protocol": features})
}

fn column(name: &str, kind: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind.into(), "nullable": true, "metadata": {}})
}

fn metadata(columns: &[Value]) -> Value {
    partitioned(columns, &[])
}

fn partitioned(columns: &[Value], by: &[&str]) -> Value {
    let schema = json!({"type": "struct", "fields": columns}).to_string();
    json!({"metaData": {
        "id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
        "partitionColumns": by, "configuration": {}, "createdTime": 0,
    }})
}

fn add(path: &str) -> Value {
    add_with(path, json!({}))
}

fn add_with(path: &str, partition_values: Value) -> Value {
    json!({"add": {
        "path": path, "partitionValues": partition_values, "size": 1, "modificationTime": 0,
        "dataChange": true, "stats": "{\"numRecords\":1}",
    }})
}

fn remove(path: &str) -> Value {
    json!({"remove": {"path": path, "deletionTimestamp": 0, "dataChange": true}})
}

/// Three versions: a file, another one, and the first replaced by a third.
fn three_versions() -> Case {
    let fields = [long("id")];
    Case::new(NEWEST)
        .data("a.parquet", &fields, "{\"id\":1}\n{\"id\":2}\n{\"id\":3}")
        .data("b.parquet", &fields, "{\"id\":4}")
        .data("c.parquet", &fields, "{\"id\":2}")
        .data("of nobody.parquet", &fields, "{\"id\":99}")
        .commit(0, &[protocol(), metadata(&[column("id", "long")]), add("a.parquet")])
        .commit(1, &[add("b.parquet"), json!({"txn": {"appId": "x", "version": 1}})])
        .commit(2, &[remove("a.parquet"), add("c.parquet")])
        .columns(&["id"])
}

async fn inputs(case: &Case) -> Vec<String> {
    let profiles = case.pin().await.expect("the table is pinned");
    let folder = case.folder.path().to_string_lossy().into_owned();
    let input = |input: &engine::Input| {
        let version = input.version.to_string();
        let kind = version.split(':').next().unwrap_or_default();
        let version = if kind == "delta" { &version } else { kind };
        format!("{} {version}", input.location.replace(&folder, "FOLDER"))
    };
    profiles.inputs().map(input).collect()
}

#[tokio::test]
async fn a_version_is_the_files_that_its_log_names() {
    let mut case = three_versions();
    assert_eq!(case.rows().await, ["4", "2"]);
    insta::assert_snapshot!(inputs(&case).await.join("\n"), @r"
    FOLDER delta:2
    FOLDER/b.parquet modified
    FOLDER/c.parquet modified
    ");
    for (number, expected) in [(0, "1 2 3"), (1, "1 2 3 4"), (2, "4 2")] {
        case.dataset.format = at(number);
        assert_eq!(case.rows().await.join(" "), expected, "version {number}");
    }
    case.dataset.format = at(3);
    insta::assert_snapshot!(case.error().await, @r"
    no_table_version: the Delta table has no version 3 (FOLDER)
      Its newest version is 2.
    ");
}

#[tokio::test]
async fn a_pinned_version_stays_while_the_table_is_written() {
    let case = three_versions();
    let profiles = case.pin().await.expect("the table is pinned");
    let case = case
        .data("d.parquet", &[long("id")], "{\"id\":5}")
        .commit(3, &[remove("b.parquet"), remove("c.parquet"), add("d.parquet")]);
    let engine: Engine = case.engine();
    let count = engine.count(&case.query, &profiles).await.expect("the old version is read");
    assert_eq!(count.activated, 2);
    // The files of the old version are vacuumed between the last read and the check.
    fs::remove_file(case.path("b.parquet")).expect("the file is removed");
    engine.verify(&profiles).await.expect("what was read was whole");
    assert_eq!(case.rows().await, ["5"]);
    let error = engine.count(&case.query, &profiles).await.expect_err("a file is gone");
    assert_eq!(error.kind(), engine::Kind::Changed);
}

#[tokio::test]
async fn partition_values_come_from_the_log() {
    let columns = [
        column("id", "long"),
        column("country", "string"),
        column("day", "date"),
        column("level", "integer"),
        column("price", "decimal(10,2)"),
        column("at", "timestamp"),
    ];
    let by = ["country", "day", "level", "price", "at"];
    let values = json!({
        "country": "FR", "day": "2026-01-31", "level": "7", "price": "1.5",
        "at": "2026-01-31 10:00:00",
    });
    let none = json!({"country": null, "day": "", "level": null, "price": null});
    let case = Case::new(NEWEST)
        .data("country=FR/x 1.parquet", &[long("id")], "{\"id\":1}\n{\"id\":2}")
        .data("y.parquet", &[long("id")], "{\"id\":3}")
        .commit(0, &[protocol(), partitioned(&columns, &by)])
        .commit(1, &[add_with("country=FR/x%201.parquet", values), add_with("y.parquet", none)])
        .columns(&["id", "country", "day", "level", "price", "at"]);
    assert_eq!(
        case.rows().await,
        [
            "1|FR|2026-01-31|7|1.50|2026-01-31T10:00:00Z",
            "2|FR|2026-01-31|7|1.50|2026-01-31T10:00:00Z",
            "3|∅|∅|∅|∅|∅",
        ]
    );
    let case = case.rule("country = 'FR' AND level > 6 AND day >= DATE '2026-01-01'");
    assert_eq!(case.counts().await.received, 2);
}

#[tokio::test]
async fn a_partition_value_of_another_type_is_an_error() {
    let columns = [column("id", "long"), column("level", "integer")];
    let case = Case::new(NEWEST)
        .data("y.parquet", &[long("id")], "{\"id\":3}")
        .commit(0, &[protocol(), partitioned(&columns, &["level"])])
        .commit(1, &[add_with("y.parquet", json!({"level": "secret"}))])
        .columns(&["level"]);
    insta::assert_snapshot!(case.error().await, @"damaged_table: the Delta table is damaged: a partition value is not of its column's type (FOLDER/y.parquet, field `level`)");
}

#[tokio::test]
async fn columns_that_were_added_are_null_in_old_files() {
    let address =
        json!({"type": "struct", "fields": [column("city", "string"), column("zip", "string")]});
    let columns = [column("id", "long"), column("home", address), column("new", "double")];
    let old = [long("id"), Field::new("home", DataType::Struct(vec![text("city")].into()), true)];
    let case = Case::new(NEWEST)
        .data("a.parquet", &old, "{\"id\":1,\"home\":{\"city\":\"Nice\"}}")
        .commit(0, &[protocol(), metadata(&columns[..1]), add("a.parquet")])
        .commit(1, &[metadata(&columns)])
        .columns(&["id", "home.city", "home.zip", "new"]);
    assert_eq!(case.rows().await, ["1|Nice|∅|∅"]);
    assert_eq!(case.fields().await.expect("fields"), ["id integer", "home struct", "new float"]);
}

#[tokio::test]
async fn narrower_numbers_and_old_timestamps_are_read_as_the_tables_types() {
    let columns = [column("n", "long"), column("x", "double"), column("at", "timestamp")];
    let fields = [
        Field::new("n", DataType::Int32, true),
        Field::new("x", DataType::Float32, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ];
    let case = Case::new(NEWEST)
        .data("a.parquet", &fields, "{\"n\":1,\"x\":0.5,\"at\":\"2026-01-31T10:00:00\"}")
        .commit(0, &[features(&["typeWidening"]), metadata(&columns), add("a.parquet")])
        .columns(&["n", "x", "at"]);
    assert_eq!(case.rows().await, ["1|0.5|2026-01-31T10:00:00Z"]);
}

/// A column that was renamed, and the name and number that its files know it by.
fn mapped(name: &str, physical: &str, id: i64, kind: impl Into<Value>) -> Value {
    json!({"name": name, "type": kind.into(), "nullable": true, "metadata": {
        "delta.columnMapping.physicalName": physical, "delta.columnMapping.id": id,
    }})
}

fn with_id(field: Field, id: i64) -> Field {
    field.with_metadata(HashMap::from([("PARQUET:field_id".to_owned(), id.to_string())]))
}

#[tokio::test]
async fn columns_are_found_by_name_or_number_when_they_were_renamed() {
    let person = json!({"type": "struct", "fields": [mapped("first", "p1", 3, "string")]});
    let visit = json!({"type": "struct", "fields": [mapped("page", "p2", 6, "string")]});
    let visits = json!({"type": "array", "elementType": visit, "containsNull": true});
    let columns = [
        mapped("id", "c1", 1, "long"),
        mapped("person", "c2", 2, person),
        mapped("country", "c3", 4, "string"),
        mapped("visits", "c5", 5, visits),
    ];
    for mode in ["name", "id"] {
        // With numbers, the names in the files mean nothing.
        let name = |physical: &str| match mode {
            "id" => format!("other-{physical}"),
            _ => physical.to_owned(),
        };
        let inner = with_id(text(&name("p1")), 3);
        let page: Fields = vec![with_id(text(&name("p2")), 6)].into();
        let element = Field::new_list_field(DataType::Struct(page), true);
        let fields = [
            with_id(long(&name("c1")), 1),
            with_id(Field::new(name("c2"), DataType::Struct(vec![inner].into()), true), 2),
            with_id(text("id"), 99),
            with_id(Field::new(name("c5"), DataType::List(Arc::new(element)), true), 5),
        ];
        let row = json!({
            name("c1"): 1, name("c2"): {name("p1"): "Zoé"}, "id": "dropped",
            name("c5"): [{name("p2"): "home"}, {name("p2"): "cart"}],
        });
        let mut meta = partitioned(&columns, &["country"]);
        meta["metaData"]["configuration"] = json!({"delta.columnMapping.mode": mode});
        let protocol = json!({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}});
        let case = Case::new(NEWEST)
            .data("a.parquet", &fields, &row.to_string())
            .commit(0, &[protocol, meta, add_with("a.parquet", json!({"c3": "FR"}))])
            .columns(&["id", "person.first", "country", "visits[1].page", "visits"]);
        assert_eq!(case.rows().await, ["1|Zoé|FR|cart|[{page: home}, {page: cart}]"], "{mode}");
        let case = case.rule("person.first = 'Zoé' AND country = 'FR'");
        assert_eq!(case.counts().await.received, 1, "{mode}");
    }
}

const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

fn z85(bytes: &[u8]) -> String {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    let group = |group: &[u8]| {
        let value = u32::from_be_bytes(group.try_into().expect("four bytes"));
        (0..5).rev().map(move |power| char::from(Z85[(value / 85_u32.pow(power) % 85) as usize]))
    };
    padded.chunks(4).flat_map(group).collect()
}

fn bitmap(rows: &[u64]) -> Vec<u8> {
    let mut bytes = 1_681_511_377_u32.to_le_bytes().to_vec();
    let rows: RoaringTreemap = rows.iter().copied().collect();
    rows.serialize_into(&mut bytes).expect("the bitmap is written");
    bytes
}

fn with_vector(path: &str, vector: Value) -> Value {
    let mut action = add(path);
    action["add"]["deletionVector"] = vector;
    action
}

#[tokio::test]
async fn deleted_rows_are_left_out() {
    let rows: Vec<String> = (0..9).map(|id| format!("{{\"id\":{id}}}")).collect();
    let deletion = bitmap(&[0, 3, 8]);
    let inline = json!({"storageType": "i", "pathOrInlineDv": z85(&deletion),
        "sizeInBytes": deletion.len(), "cardinality": 3});
    let case = Case::new(NEWEST)
        .data("a.parquet", &[long("id")], &rows.join("\n"))
        .commit(0, &[features(&["deletionVectors"]), metadata(&[column("id", "long")])])
        .commit(1, &[add("a.parquet")])
        .commit(2, &[remove("a.parquet"), with_vector("a.parquet", inline.clone())])
        .columns(&["id"]);
    assert_eq!(case.rows().await.join(" "), "1 2 4 5 6 7");

    // In a file of its own, behind another one; row groups have two rows.
    let id = z85(&[0x22; 16]);
    let more = bitmap(&[0, 1, 2, 3, 4, 6]);
    let mut file = vec![1_u8, 9, 9, 9];
    file.extend((more.len() as u32).to_be_bytes());
    file.extend(&more);
    file.extend(
        (crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &more) as u32).to_be_bytes(),
    );
    let vector = json!({"storageType": "u", "pathOrInlineDv": format!("ab{id}"), "offset": 4,
        "sizeInBytes": more.len(), "cardinality": 6});
    let mut old = remove("a.parquet");
    old["remove"]["deletionVector"] = inline;
    let name = "ab/deletion_vector_22222222-2222-2222-2222-222222222222.bin";
    let case = case.text(name, &file).commit(3, &[with_vector("a.parquet", vector), old]);
    assert_eq!(case.rows().await.join(" "), "5 7 8");
    assert_eq!(inputs(&case).await.len(), 3, "the table, the data and the vector are recorded");

    file[12] ^= 1;
    let case = case.text(name, &file);
    insta::assert_snapshot!(case.error().await, @"damaged_table: the Delta table is damaged: a deletion vector cannot be read (FOLDER/a.parquet)");
}

/// The columns of a checkpoint.
fn checkpoint_fields() -> Vec<Field> {
    let map = |name: &str| {
        let entries = vec![Field::new("key", DataType::Utf8, false), text("value")];
        let entries = Field::new("key_value", DataType::Struct(entries.into()), false);
        Field::new(name, DataType::Map(Arc::new(entries), false), true)
    };
    let group =
        |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(fields.into()), true);
    let list = Field::new_list_field(DataType::Utf8, true);
    let strings = |name: &str| Field::new(name, DataType::List(Arc::new(list.clone())), true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    vec![
        group("add", vec![text("path"), map("partitionValues"), long("size"), text("stats")]),
        group("remove", vec![text("path")]),
        group(
            "metaData",
            vec![
                text("id"),
                text("schemaString"),
                strings("partitionColumns"),
                map("configuration"),
            ],
        ),
        group(
            "protocol",
            vec![int("minReaderVersion"), int("minWriterVersion"), strings("readerFeatures")],
        ),
        group("sidecar", vec![text("path"), long("sizeInBytes")]),
        group("checkpointMetadata", vec![long("version")]),
    ]
}

fn lines(actions: &[Value]) -> String {
    actions.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// Version 10 by a checkpoint of some form; commits before it are cleaned up.
fn checkpointed(files: &[(&str, Vec<Value>)]) -> Case {
    let fields = checkpoint_fields();
    let mut case = Case::new(NEWEST).columns(&["id", "country"]);
    for (name, actions) in files {
        case = case.data(&format!("_delta_log/{name}"), &fields, &lines(actions));
    }
    case.data("a.parquet", &[long("id")], "{\"id\":1}")
        .data("b.parquet", &[long("id")], "{\"id\":2}")
        .data("c.parquet", &[long("id")], "{\"id\":3}")
        .commit(11, &[remove("b.parquet"), add_with("c.parquet", json!({"country": "BE"}))])
}

fn country_table() -> Value {
    partitioned(&[column("id", "long"), column("country", "string")], &["country"])
}

#[tokio::test]
async fn checkpoints_stand_for_the_commits_before_them() {
    let a = || add_with("a.parquet", json!({"country": "FR"}));
    let b = || add_with("b.parquet", json!({"country": null}));
    let one = checkpointed(&[(
        "00000000000000000010.checkpoint.parquet",
        vec![protocol(), country_table(), a(), b(), remove("z.parquet")],
    )]);
    let parts = checkpointed(&[
        ("00000000000000000010.checkpoint.0000000001.0000000002.parquet", vec![a(), b()]),
        (
            "00000000000000000010.checkpoint.0000000002.0000000002.parquet",
            vec![protocol(), country_table()],
        ),
    ]);
    let names = |path: &str| json!({"sidecar": {"path": path, "sizeInBytes": 1}});
    let top = || {
        vec![features(&["v2Checkpoint"]), country_table(), names("s1.parquet"), names("s2.parquet")]
    };
    let sidecars = [("_sidecars/s1.parquet", vec![a()]), ("_sidecars/s2.parquet", vec![b()])];
    let id = "00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11";
    let v2 = format!("{id}.parquet");
    let mut files = sidecars.to_vec();
    files.push((&v2, top()));
    let v2_parquet = checkpointed(&files);
    let v2_json = checkpointed(&sidecars).text(&format!("_delta_log/{id}.json"), lines(&top()));
    let forms = [("one", one), ("parts", parts), ("v2 parquet", v2_parquet), ("v2 json", v2_json)];
    for (form, mut case) in forms {
        assert_eq!(case.rows().await, ["1|FR", "3|BE"], "{form}");
        case.dataset.format = at(10);
        assert_eq!(case.rows().await, ["1|FR", "2|∅"], "{form}");
        case.dataset.format = at(9);
        let error = case.error().await;
        assert!(error.contains("version 9 is not in the log any more"), "{form}: {error}");
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_not_whole_is_passed_over() {
    let part = "00000000000000000002.checkpoint.0000000001.0000000002.parquet";
    let case = three_versions().data(
        &format!("_delta_log/{part}"),
        &checkpoint_fields(),
        &add("of nobody.parquet").to_string(),
    );
    assert_eq!(case.rows().await, ["4", "2"]);
    insta::assert_snapshot!(
        {
            fs::remove_file(case.path("_delta_log/00000000000000000001.json")).expect("removed");
            case.error().await
        },
        @r"
    damaged_table: the Delta table is damaged: its log lacks commit 1, which version 2 needs (FOLDER)
      Logs are cleaned up after a time: read a newer version, up to 2.
    "
    );
}

#[tokio::test]
async fn what_cannot_be_read_rightly_is_refused_by_name() {
    let columns = [column("id", "long")];
    let table = |protocol: Value, columns: &[Value]| {
        Case::new(NEWEST).commit(0, &[protocol, metadata(columns)]).columns(&["id"])
    };
    let mut errors = Vec::new();
    errors.push(table(features(&["deletionVectors", "catalogManaged"]), &columns).error().await);
    errors.push(
        table(json!({"protocol": {"minReaderVersion": 4, "minWriterVersion": 9}}), &columns)
            .error()
            .await,
    );
    errors.push(table(features(&[]), &[column("v", "variant")]).error().await);
    errors.push(table(protocol(), &[column("v", "interval year")]).error().await);
    errors.push(table(protocol(), &columns).commit(1, &[add("s3://far/a.parquet")]).error().await);
    errors.push(table(protocol(), &columns).commit(1, &[add("gone.parquet")]).error().await);
    errors.push(
        table(protocol(), &columns).text("_delta_log/00000000000000000001.json", "x").error().await,
    );
    errors.push(Case::new(NEWEST).text("a.parquet", "x").error().await);
    errors.push(Case::new(NEWEST).location("nowhere").error().await);
    errors.push(Case::new(NEWEST).location("*.parquet").error().await);
    let outside = json!({"storageType": "p", "pathOrInlineDv": "s3://b/x", "sizeInBytes": 1, "cardinality": 1});
    let far = table(features(&["deletionVectors"]), &columns);
    errors.push(far.commit(1, &[with_vector("a.parquet", outside)]).error().await);
    insta::assert_snapshot!(errors.join("\n"), @r"
    unsupported_table: the Delta table uses the feature `catalogManaged`, which cannot be read (FOLDER)
      Drop it from the table (`ALTER TABLE … DROP FEATURE catalogManaged`), or read a copy that was written without it.
    unsupported_table: the Delta table needs readers of version 4, Segue is one of version 3 (FOLDER)
      Read a copy that was written for older readers.
    unsupported_table: the Delta table uses the feature `variantType`, which cannot be read (FOLDER)
      Drop it from the table (`ALTER TABLE … DROP FEATURE variantType`), or read a copy that was written without it.
    unsupported_table: columns of type `interval year` cannot be read (FOLDER, field `v`)
      Read a copy of the table without the column, or with it as a string.
    unsupported_table: the Delta table refers to files outside of its folder (a shallow clone) (FOLDER)
      Read a copy of the table that holds its own files (`CREATE TABLE … DEEP CLONE …`).
    table_vacuumed: version 1 of the Delta table lacks one of its files, `gone.parquet` (FOLDER)
      `VACUUM` removes files that newer versions do not use: read a newer version, or restore the file.
    damaged_table: the Delta table is damaged: a commit holds a line that is no action (FOLDER)
    no_table: the folder is not a Delta table: it has no `_delta_log` with commits (FOLDER)
      Name the table's own folder, or write `format: parquet` for a folder of Parquet files.
    input_not_found: cannot find the dataset (FOLDER/nowhere)
      The path exists only as far as `FOLDER`.
    invalid_location: a Delta table is one folder, not a pattern (FOLDER/*.parquet)
      Name the table's folder.
    unsupported_table: the Delta table keeps deletion vectors outside of its folder (FOLDER)
      Rewrite the table without them (`REORG TABLE … APPLY (PURGE)`).
    ");
}

#[tokio::test]
async fn a_table_without_files_has_no_rows() {
    let case = Case::new(NEWEST)
        .commit(0, &[protocol(), metadata(&[column("id", "long")])])
        .columns(&["id"]);
    assert_eq!(case.rows().await, Vec::<String>::new());
    assert_eq!(inputs(&case).await, ["FOLDER delta:0"]);
}

/// Tables that another writer made, with the rows that it reads of them: `.ci/delta` makes them.
#[tokio::test]
async fn real_delta_tables_of_another_writer() {
    #[expect(clippy::disallowed_methods, reason = "the environment says whether there are tables")]
    let Ok(folder) = std::env::var("SEGUE_TEST_DELTA") else {
        println!("not run: SEGUE_TEST_DELTA names no folder with tables");
        return;
    };
    let list =
        fs::read_to_string(Path::new(&folder).join("tables.json")).expect("a list of tables");
    let tables: Vec<Value> = serde_json::from_str(&list).expect("a list of tables");
    assert!(tables.len() >= 5, "{} tables", tables.len());
    for table in tables {
        let text = |key: &str| table[key].as_str().expect("a text").to_owned();
        let format = table["version"].as_u64().map_or(NEWEST, at);
        let columns: Vec<String> = serde_json::from_value(table["columns"].clone()).expect("names");
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut expected: Vec<String> =
            serde_json::from_value(table["rows"].clone()).expect("rows");
        let case = Case::new(format).location(&text("path")).columns(&columns);
        let mut rows = case.rows().await;
        expected.sort_unstable();
        rows.sort_unstable();
        assert_eq!(rows, expected, "{}", text("path"));
    }
}

/// A table in a folder of its own, of one commit.
fn table_in(case: Case, folder: &str, columns: &[Value], files: &[(&str, &[Field], &str)]) -> Case {
    let mut actions = vec![protocol(), metadata(columns)];
    let mut case = case;
    for (name, fields, rows) in files {
        case = case.data(&format!("{folder}/{name}"), fields, rows);
        actions.push(add(name));
    }
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    case.text(&format!("{folder}/_delta_log/{:020}.json", 0), lines.join("\n"))
}

fn time(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_can_be_events() {
    let columns = [column("who", "long"), column("at", "timestamp"), column("total", "double")];
    let fields = [long("who"), time("at"), Field::new("total", DataType::Float64, true)];
    let first = "{\"who\":1,\"at\":\"2026-01-30T10:00:00Z\",\"total\":10.5}\n{\"who\":2,\"at\":\"2025-01-30T10:00:00Z\",\"total\":9}";
    let second = "{\"who\":1,\"at\":\"2026-01-02T10:00:00Z\",\"total\":20}\n{\"who\":9,\"at\":\"2026-01-02T10:00:00Z\",\"total\":1}";
    let case = Case::new(crate::support::CSV)
        .location("people.csv")
        .text("people.csv", "id\n1\n2\n3\n")
        .identified_by("id", "CRMID")
        .event_csv("orders", "who", "CRMID", "at", "");
    let files: [(&str, &[Field], &str); 2] =
        [("a.parquet", &fields, first), ("b.parquet", &fields, second)];
    let mut case = table_in(case, "orders", &columns, &files).columns(&["id"]);
    (case.events[0].format, case.events[0].location) = (NEWEST, "orders".to_owned());
    for (rule, expected) in [
        ("(SELECT sum(total) FROM orders) = 30.5", "1"),
        ("EXISTS (SELECT FROM orders WHERE \"timestamp\" > now() - INTERVAL '30 days')", "1"),
        ("NOT EXISTS (SELECT FROM orders)", "3"),
        ("(SELECT count(*) FROM orders WHERE total > 8) >= 1", "1 2"),
    ] {
        case = case.rule(rule);
        assert_eq!(case.rows().await.join(" "), expected, "{rule}");
    }
    insta::assert_snapshot!(inputs(&case).await.join("\n"), @r"
    FOLDER/people.csv modified
    FOLDER/orders delta:0
    FOLDER/orders/a.parquet modified
    FOLDER/orders/b.parquet modified
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_can_be_a_part_of_merged_profiles() {
    let columns = [column("id", "long"), column("name", "string"), column("seen", "timestamp")];
    let fields = [long("id"), text("name"), time("seen")];
    let rows = "{\"id\":1,\"name\":\"Ann\",\"seen\":\"2026-01-02T00:00:00Z\"}\n{\"id\":2,\"name\":\"Bob\",\"seen\":\"2026-01-02T00:00:00Z\"}";
    let case = Case::new(NEWEST).location("crm").timestamp("seen").identified_by("id", "CRMID");
    let case = table_in(case, "crm", &columns, &[("a.parquet", &fields, rows)])
        .text(
            "web.csv",
            "id,name,pages,seen\n2,Bobby,7,2026-01-03T00:00:00Z\n3,,9,2026-01-01T00:00:00Z\n",
        )
        .columns(&["id", "name", "pages", "seen"]);
    let web = plan::project::Dataset {
        key: "web".to_owned(),
        location: "web.csv".to_owned(),
        format: crate::support::CSV,
        ..case.dataset.clone()
    };
    let merged = async || {
        let engine = case.engine();
        let mut snapshots = Vec::new();
        for dataset in [&case.dataset, &web] {
            snapshots.push(engine.pin(dataset, case.folder.path()).await.expect("it is pinned"));
        }
        let profiles = engine::Profiles::new(case.policy.clone(), snapshots);
        let rows = crate::merge::rows(&engine, &case, &profiles).await;
        let mut rows = rows.expect("the profiles are read");
        rows.sort();
        rows.join("\n")
    };
    insta::assert_snapshot!(merged().await, @r"
    1|Ann|∅|2026-01-02T00:00:00Z
    2|Bobby|7|2026-01-03T00:00:00Z
    3|∅|9|2026-01-01T00:00:00Z
    ");
    // Another version of the table, with one more file.
    let more = "{\"id\":3,\"name\":\"Cid\",\"seen\":\"2026-01-09T00:00:00Z\"}";
    let path = case.path("crm/b.parquet");
    write_parquet(&path, &batch(&fields, more), 2);
    let commit = case.path(&format!("crm/_delta_log/{:020}.json", 1));
    fs::write(commit, add("b.parquet").to_string()).expect("the commit is written");
    insta::assert_snapshot!(merged().await, @r"
    1|Ann|∅|2026-01-02T00:00:00Z
    2|Bobby|7|2026-01-03T00:00:00Z
    3|Cid|9|2026-01-09T00:00:00Z
    ");
}
