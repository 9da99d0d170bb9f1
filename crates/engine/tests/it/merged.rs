//! Merged profiles of many records, and of fields of every kind.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Engine, Profiles};
use plan::field::FieldPath;
use plan::project::{Dataset, DatasetFormat, Identity, MergePolicy};

use crate::merge::{dataset, engine, rows};
use crate::support::{Case, SPAN};

/// A dataset in files of its own folder, made of identity fields and a field for the time.
fn parquet_dataset(key: &str, identities: &[(&str, &str)]) -> Dataset {
    let path = |text: &str| FieldPath::parse(text).expect("a path");
    let identity = |(field, namespace): &(&str, &str)| Identity {
        field: path(field),
        namespace: (*namespace).to_owned(),
        span: SPAN,
    };
    Dataset {
        key: key.to_owned(),
        format: DatasetFormat::Parquet,
        declared: Vec::new(),
        location: format!("{key}.parquet"),
        identities: identities.iter().map(identity).collect(),
        ..dataset(0)
    }
}

async fn pinned(case: &Case, engine: &Engine, datasets: &[Dataset]) -> Profiles {
    let mut snapshots = Vec::new();
    for dataset in datasets {
        snapshots.push(engine.pin(dataset, case.folder.path()).await.expect("it is pinned"));
    }
    Profiles::new(MergePolicy::default(), snapshots)
}

/// The bytes of all kept files by name.
fn parts(engine_folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut parts = BTreeMap::new();
    for state in std::fs::read_dir(engine_folder.join("profiles")).expect("profiles are kept") {
        for entry in std::fs::read_dir(state.expect("a folder").path()).expect("a folder") {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with("part-") {
                parts.insert(name, std::fs::read(path).expect("the file is read"));
            }
        }
    }
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_are_split_into_buckets_and_give_the_same_files_on_any_threads() {
    use crate::formats::{numbers, texts};
    let ids: Vec<String> = (0..30_000).map(|row| format!("id{}", row * 7_919 % 9_000)).collect();
    let ids: Vec<Option<&str>> = ids.iter().map(|id| Some(id.as_str())).collect();
    // Somebody has more records than a person can have.
    let crowd = vec![Some("nobody"); 10_001];
    let all: Vec<Option<&str>> = ids.into_iter().chain(crowd).collect();
    let order: Vec<Option<i64>> = (0..all.len() as i64).map(Some).collect();
    let case = Case::new(DatasetFormat::Parquet)
        .parquet_groups(
            "crm.parquet",
            vec![("id", texts(&all)), ("at", numbers(&order)), ("n", numbers(&order))],
            7_000,
        )
        .columns(&["id", "n"]);
    let mut expected = BTreeMap::new();
    for (id, row) in all.iter().zip(0..).filter(|(id, _)| **id != Some("nobody")) {
        expected.insert(id.expect("an id"), row);
    }
    let expected: BTreeSet<String> =
        expected.into_iter().map(|(id, row)| format!("{id}|{row}")).collect();
    let mut files = Vec::new();
    for (threads, memory) in [(1, 1 << 20), (4, 4 << 20), (2, 1 << 10), (2, 1 << 30)] {
        let engine = engine(&case, threads, memory);
        let datasets = [parquet_dataset("crm", &[("id", "CRMID")])];
        let profiles = pinned(&case, &engine, &datasets).await;
        let found = rows(&engine, &case, &profiles).await.expect("the profiles are read");
        assert_eq!(found.len(), 9_000);
        assert_eq!(BTreeSet::from_iter(found), expected, "{threads} threads, {memory} bytes");
        let counts = engine.count(&case.query, &profiles).await.expect("they are counted");
        let too_many = ("too_many_records".to_owned(), 1);
        assert!(counts.left_out.contains(&too_many), "{:?}", counts.left_out);
        files.push(parts(&case.path(&format!(".state-{threads}"))));
        std::fs::remove_dir_all(case.path(&format!(".state-{threads}"))).expect("it is removed");
    }
    assert_eq!(files[0], files[1], "one thread or four, the same files");
    assert!(files[2].len() > 20 && files[3].len() == 1, "little memory means many buckets");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_every_kind_are_merged() {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
        Float64Array, Int16Array, Int64Array, ListArray, MapBuilder, StringBuilder, StructArray,
        TimestampMillisecondArray, TimestampNanosecondArray, UInt8Array,
    };
    use arrow::datatypes::{DataType, Field, Int32Type};

    use crate::formats::texts;

    let inner = |first: &[Option<&str>], last: &[Option<&str>]| -> ArrayRef {
        let fields = vec![
            Field::new("first", DataType::Utf8, true),
            Field::new("last", DataType::Utf8, true),
        ];
        Arc::new(StructArray::new(fields.into(), vec![texts(first), texts(last)], None))
    };
    let map = |entries: &[Option<(&str, &str)>]| -> ArrayRef {
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for entry in entries {
            if let Some((key, value)) = entry {
                map.keys().append_value(key);
                map.values().append_value(value);
            }
            map.append(entry.is_some()).expect("a map");
        }
        Arc::new(map.finish())
    };
    let list = |values: Vec<Option<Vec<Option<i32>>>>| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(values))
    };
    let instants = TimestampMillisecondArray::from(vec![Some(2_000), Some(1_000)]);
    let case = Case::new(DatasetFormat::Parquet)
        .parquet(
            "crm.parquet",
            vec![
                ("id", texts(&[Some("a"), Some("b")])),
                ("at", Arc::new(instants.with_timezone("UTC"))),
                ("name", inner(&[Some("Ann"), None], &[None, None])),
                ("map", map(&[None, Some(("k", "crm"))])),
                ("list", list(vec![Some(vec![]), None])),
                ("small", Arc::new(Int16Array::from(vec![Some(1), None]))),
                ("float", Arc::new(Float32Array::from(vec![Some(0.5), None]))),
                ("bytes", Arc::new(BinaryArray::from_opt_vec(vec![Some(b"x"), None]))),
                ("flag", Arc::new(BooleanArray::from(vec![None, Some(true)]))),
                ("day", Arc::new(Date32Array::from(vec![Some(1), None]))),
            ],
        )
        .parquet(
            "web.parquet",
            vec![
                ("key", texts(&[Some("b"), Some("a"), Some("c")])),
                (
                    "at",
                    Arc::new(
                        TimestampNanosecondArray::from(vec![1_500_000_000, 1_500_000_000, 1])
                            .with_timezone("UTC"),
                    ),
                ),
                ("name", inner(&[Some("Bob"), Some("Anna"), None], &[None, Some("Lee"), None])),
                ("map", map(&[Some(("k", "web")), Some(("k", "web")), None])),
                ("list", list(vec![Some(vec![Some(7), None]), Some(vec![Some(8)]), None])),
                ("small", Arc::new(UInt8Array::from(vec![Some(2), Some(3), None]))),
                ("float", Arc::new(Float64Array::from(vec![Some(1.25), Some(2.5), None]))),
                ("money", {
                    let money = Decimal128Array::from(vec![Some(1_234), None, Some(5)]);
                    Arc::new(money.with_precision_and_scale(10, 2).expect("it fits"))
                }),
                ("only", Arc::new(Int64Array::from(vec![None, Some(9), None]))),
            ],
        )
        .columns(&[
            "id",
            "key",
            "name",
            "name.first",
            "map['k']",
            "list",
            "small",
            "float",
            "bytes",
            "flag",
            "day",
            "money",
            "only",
            "at",
        ]);
    let engine = engine(&case, 2, 1 << 20);
    let datasets =
        [parquet_dataset("crm", &[("id", "CRMID")]), parquet_dataset("web", &[("key", "CRMID")])];
    let profiles = pinned(&case, &engine, &datasets).await;
    let fields = engine.fields(&profiles).await.expect("the fields agree");
    let names: Vec<&str> = fields.fields.iter().map(|field| field.name.as_str()).collect();
    let expected = "id at name map list small float bytes flag day key money only"
        .split(' ')
        .collect::<Vec<_>>();
    assert_eq!(names, expected, "in the order in which they are first seen");
    let mut found = rows(&engine, &case, &profiles).await.expect("the profiles are read");
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @r#"
    a|a|{first: Ann, last: Lee}|Ann|web|[]|1|0.5|78|∅|1970-01-02|∅|9|1970-01-01T00:00:02Z
    b|b|{first: Bob, last: ∅}|Bob|web|[7, ∅]|2|1.25|∅|true|∅|12.34|∅|1970-01-01T00:00:01.500Z
    ∅|c|∅|∅|∅|∅|∅|∅|∅|∅|∅|0.05|∅|1970-01-01T00:00:00.000000001Z
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_merged_only_if_somebody_has_two_or_none_is_known() {
    use crate::formats::{numbers, texts};
    // In the order of the key, over ranges that come in another order than the files.
    let rising = [["c1", "c2", "c3"], ["a1", "a2", "b9"]];
    for (name, ids, is_merged) in [
        ("rising", rising.map(|ids| ids.map(Some)), false),
        ("out of order", [["c1", "c3", "c2"], ["a1", "b9", "a2"]].map(|ids| ids.map(Some)), false),
        ("overlapping", [["a1", "b1", "c1"], ["a2", "b2", "c2"]].map(|ids| ids.map(Some)), false),
        ("twice in a row", [["c1", "c2", "c2"], ["a1", "a2", "b9"]].map(|ids| ids.map(Some)), true),
        (
            "twice in two files",
            [["c1", "c2", "c3"], ["a1", "a2", "c1"]].map(|ids| ids.map(Some)),
            true,
        ),
        ("at a border", [["a1", "a2", "c1"], ["c1", "c2", "c3"]].map(|ids| ids.map(Some)), true),
        ("nobody", [[Some("c1"), Some("c2"), Some("c3")], [Some("a1"), None, Some("b9")]], true),
    ] {
        let order = numbers(&[Some(1), Some(2), Some(3)]);
        let mut case = Case::new(DatasetFormat::Parquet).columns(&["id"]);
        std::fs::create_dir_all(case.path("crm")).expect("a folder");
        for (number, ids) in ids.iter().enumerate() {
            let columns = vec![("id", texts(ids)), ("at", order.clone())];
            case = case.parquet_groups(&format!("crm/{number}.parquet"), columns, 2);
        }
        for threads in [1, 3] {
            let engine = engine(&case, threads, 1 << 20);
            let dataset = Dataset {
                location: "crm".to_owned(),
                ..parquet_dataset("crm", &[("id", "CRMID")])
            };
            let profiles = pinned(&case, &engine, &[dataset]).await;
            let mut found = rows(&engine, &case, &profiles).await.expect("the profiles are read");
            found.sort_unstable();
            let people: BTreeSet<&str> = ids.iter().flatten().flatten().copied().collect();
            assert_eq!(found, people.into_iter().collect::<Vec<_>>(), "{name}");
            let state = case.path(&format!(".state-{threads}"));
            assert_eq!(!parts(&state).is_empty(), is_merged, "{name}");
            std::fs::remove_dir_all(state).expect("the state is removed");
        }
    }
}

/// Of merged profiles, too, only those are looked at who moved, where their files were taken over.
#[tokio::test(flavor = "multi_thread")]
async fn people_of_merged_profiles_are_told_by_their_places() {
    use engine::Baselines;
    use futures::TryStreamExt;
    use plan::run_plan::Increment;

    use crate::formats::{numbers, texts};
    use crate::support::lines;
    let ids: Vec<String> = (0..40_000).map(|id| format!("id{id}")).collect();
    let mut points: Vec<i64> = (0..40_000).map(|id| id % 10).collect();
    let datasets =
        [parquet_dataset("crm", &[("id", "CRMID")]), parquet_dataset("web", &[("id", "CRMID")])];
    let mut case = Case::new(DatasetFormat::Parquet).rule("points > 0").columns(&[
        "id",
        "points",
        "name",
        "$operation",
    ]);
    let named: Vec<Option<&str>> = ids.iter().map(|id| Some(id.as_str())).collect();
    let column = |values: &[i64]| numbers(&values.iter().map(|it| Some(*it)).collect::<Vec<_>>());
    let web =
        vec![("id", texts(&named)), ("name", texts(&named)), ("at", column(&vec![1; ids.len()]))];
    case = case.parquet("web.parquet", web);
    let increment = Increment { changes: true, leavers: true, identities: Vec::new() };
    let mut sent: Vec<Vec<String>> = Vec::new();
    for run in 0..4 {
        // One leaves, one joins, one changes; and then nobody does anything.
        if run == 1 {
            (points[1], points[10], points[2]) = (0, 5, 7);
        }
        let crm = vec![
            ("id", texts(&named)),
            ("points", column(&points)),
            ("at", column(&vec![2; ids.len()])),
        ];
        if run != 3 {
            case = case.parquet("crm.parquet", crm);
        } else {
            // The rule moves instead, over files that stay.
            case = case.rule("points > 0 OR id = 'id20'");
        }
        let engine = engine(&case, 2, 8 << 20);
        let profiles = pinned(&case, &engine, &datasets).await;
        let last = (run > 0).then(|| case.path(&format!("baseline-{}.parquet", run - 1)));
        let next = case.path(&format!("baseline-{run}.parquet"));
        let files = Baselines { last: last.as_deref(), next: Some(&next) };
        let rows = engine.difference(&case.query, &increment, files, &profiles).await;
        let rows = rows.expect("the difference is found");
        let rows = rows.map_ordered(|batch| Ok::<_, engine::Error>(lines(&batch)));
        let mut rows = rows.try_collect::<Vec<_>>().await.expect("it is read").concat();
        rows.sort_unstable();
        sent.push(rows);
        // When one person moves, all of their file may have to be compared.
        if run != 1 {
            assert_eq!(next.with_extension("moves").exists(), run > 1, "run {run}");
        }
    }
    assert_eq!(sent[0].len(), 36_000);
    assert_eq!(sent[1], ["id10|5|id10|added", "id1|0|id1|removed", "id2|7|id2|changed"]);
    assert_eq!(sent[2], Vec::<String>::new());
    assert_eq!(sent[3], ["id20|0|id20|added"]);
}
