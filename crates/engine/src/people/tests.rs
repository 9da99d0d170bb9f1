use arrow::array::{ArrayRef, StringArray};

use super::write::PORTION;
use super::*;

/// Numbers without order, none of them that of nobody.
fn number(of: u64) -> u64 {
    let mut number = (of + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number ^= number >> 29;
    number | 1
}

fn person(of: u64) -> PersonHash {
    PersonHash { row: number(of), entity: NOBODY }
}

#[tokio::test]
async fn everybody_is_found_in_records_of_several_portions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("who-got/run.parquet");
    let mut recorder = Recorder::create(&path, ["id", "a,b"]).expect("it begins");
    // File 1 has two portions and a half, file 2 a few rows, file 3 one portion exactly.
    let half = PORTION / 2;
    let sizes = [(1, 5 * half), (2, 10), (3, PORTION)];
    let mut first = 0;
    for (file, rows) in sizes {
        let all: Vec<u64> = (first..first + rows as u64).map(number).collect();
        for batch in all.chunks(8_192) {
            let people = People::of_profiles(batch.to_vec());
            // Two files may share a batch.
            recorder.add(file, &people, 0..batch.len() / 3).await.expect("it is written");
            recorder.add(file, &people, batch.len() / 3..batch.len()).await.expect("it is written");
        }
        first += rows as u64;
    }
    let pending = recorder.finish().await.expect("it ends");
    assert!(!path.exists(), "nothing is there before");
    pending.persist().expect("it is put in its place");
    let files = |person: PersonHash| {
        let found = Found::in_record(&path, &[person]).expect("it is read").expect("it is there");
        assert_eq!((found.rows, found.nameless), (first, 0));
        assert_eq!(found.columns, ["id", "a,b"]);
        found.files
    };
    let mut begin = 0;
    for (file, rows) in sizes {
        for of in [0, 1, rows / 2, rows - 1] {
            assert_eq!(files(person(begin + of as u64)), [file], "{of}");
        }
        begin += rows as u64;
    }
    assert_eq!(files(person(first)), [0; 0]);
    assert_eq!(files(PersonHash { row: 3, entity: number(7) }), [1], "as of a baseline");
    assert_eq!(everybody_in(&path).expect("it is read").len() as u64, first);
    assert!(Found::in_record(&folder.path().join("none"), &[]).expect("it is looked").is_none());
    std::fs::write(&path, "torn").expect("it is torn");
    let error = Found::in_record(&path, &[person(1)]).expect_err("it is damaged");
    assert_eq!(error.code(), "damaged_record");
    // A record that nobody waits for leaves nothing.
    let dropped = folder.path().join("who-got/dropped.parquet");
    drop(Recorder::create(&dropped, []).expect("it begins"));
    let there = std::fs::read_dir(folder.path().join("who-got")).expect("the folder").count();
    assert_eq!(there, 1);
}

#[test]
fn rows_that_are_left_out_and_rows_of_nobody() {
    let people = People { profiles: vec![1, NOBODY, 3, NOBODY, 5], identities: Vec::new() };
    let mut all = Vec::new();
    assert_eq!((people.put(1..5, &mut all), all), (2, vec![3, 5]));
    let rest = people.without(&[0, 3]);
    assert_eq!(rest.profiles, [NOBODY, 3, 5]);
    let both = People { profiles: vec![1, NOBODY, NOBODY], identities: vec![11, 12, NOBODY] };
    let mut all = Vec::new();
    assert_eq!((both.put(0..3, &mut all), all), (1, vec![1, 11, 12]));
    assert_eq!(both.without(&[1]).identities, [11, NOBODY]);
}

#[test]
fn a_person_is_the_same_whether_profiles_are_merged_or_not() {
    let texts = |values: [Option<&str>; 4]| -> StringViewArray {
        let column: ArrayRef = std::sync::Arc::new(StringArray::from(values.to_vec()));
        super::texts(&column).expect("texts")
    };
    let values = texts([Some("1"), Some("2"), None, Some("")]);
    let namespaces = texts([Some("CRMID"), Some("Email"), Some("CRMID"), Some("CRMID")]);
    let named = hashes_of_named(&namespaces, &values);
    let hash = |namespace, value| hash_of(namespace, value).row;
    assert_eq!(named, [hash("CRMID", "1"), hash("Email", "2"), NOBODY, NOBODY]);
    assert_eq!(hashes("CRMID", &values), [hash("CRMID", "1"), hash("CRMID", "2"), NOBODY, NOBODY]);
    // Records are kept for years: these never change.
    assert_eq!(
        hash_of("CRMID", "12345"),
        PersonHash { row: 572_020_836_411_228_893, entity: 4_677_864_126_862_826_273 }
    );
}
