use plan::staged::ObjectKind;

use super::*;

async fn store() -> (tempfile::TempDir, FolderStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).await.unwrap();
    (folder, store)
}

/// Stages an object of two parts of five bytes and one shorter.
async fn stage(store: &FolderStore, key: &str, token: &str, condition: Condition) -> StagedObject {
    let new = NewUpload {
        key: key.to_owned(),
        token: token.to_owned(),
        content_type: String::new(),
        part_bytes: 5,
    };
    let upload_id = store.create_upload(&new).await.unwrap();
    let mut parts = Vec::new();
    for (index, body) in [&b"hello"[..], b" worl", b"d"].into_iter().enumerate() {
        let part = Part::new(index as u32 + 1, bytes::Bytes::from_static(body));
        parts.push(store.put_part(key, &upload_id, &part).await.unwrap());
    }
    StagedObject {
        kind: ObjectKind::Data,
        number: 1,
        key: key.to_owned(),
        upload_id,
        token: token.to_owned(),
        parts,
        bytes: 11,
        rows: 1,
        replaced: 0,
        sha256: String::new(),
        crc64nvme: Some(crc64_text(crc_fast::crc64_nvme(b"hello world"))),
        condition,
    }
}

#[tokio::test]
async fn keys_stay_in_the_folder() {
    let (folder, store) = store().await;
    let root = fs::canonicalize(folder.path()).unwrap();
    for (key, expected) in [
        ("a.csv", Some("a.csv")),
        ("day/a b+c=é.csv", Some("day/a b+c=é.csv")),
        ("day/..a", Some("day/..a")),
        ("../a.csv", None),
        ("day/../../a.csv", None),
        ("day/./a.csv", None),
        ("/etc/passwd", None),
        ("day//a.csv", None),
        ("day/", None),
        ("", None),
        ("c:\\a.csv", None),
        (".segue-staging/lock", None),
        ("day/.segue-staging/x", None),
    ] {
        assert_eq!(store.path_of(key).ok(), expected.map(|path| root.join(path)), "{key:?}");
    }
    let error = store.path_of("../a.csv").unwrap_err();
    insta::assert_snapshot!(error, @r#"key "../a.csv" climbs out of the folder"#);
}

#[tokio::test]
async fn a_file_appears_whole_and_known_as_ours() {
    let (folder, store) = store().await;
    let object = stage(&store, "day/a.csv", "t1", Condition::Absent).await;
    assert!(!folder.path().join("day").exists());
    let Completion::Done { etag, .. } = store.complete(&object).await else { panic!("not done") };
    assert_eq!(fs::read(folder.path().join("day/a.csv")).unwrap(), b"hello world");
    let head = store.head("day/a.csv").await.unwrap().unwrap();
    assert_eq!((head.token.as_deref(), &head.etag, head.bytes), (Some("t1"), &etag, 11));
    assert_eq!(head.crc64nvme, object.crc64nvme);
    let left = fs::read_dir(folder.path().join(STAGING).join("uploads")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_file_that_somebody_else_wrote_is_foreign_and_safe() {
    let (folder, store) = store().await;
    let first = stage(&store, "a.csv", "t1", Condition::Absent).await;
    let Completion::Done { etag, .. } = store.complete(&first).await else { panic!("not done") };
    fs::write(folder.path().join("a.csv"), "HELLO WORLD").unwrap();
    let next = stage(&store, "a.csv", "t2", Condition::Unchanged { etag: etag.clone() }).await;
    let refused = store.complete(&next).await;
    let Completion::ConditionFailed(error) = refused else { panic!("{refused:?}") };
    insta::assert_snapshot!(error, @"a.csv has been changed by another writer");
    assert_eq!(fs::read(folder.path().join("a.csv")).unwrap(), b"HELLO WORLD");
    assert_eq!(store.head("a.csv").await.unwrap().unwrap().token, None);

    // The same bytes under another time of modification: nobody's, and still the expected content.
    fs::write(folder.path().join("a.csv"), "hello world").unwrap();
    assert!(matches!(store.complete(&next).await, Completion::Done { .. }));
}

#[tokio::test]
async fn parts_of_another_process_are_read_back() {
    let (folder, first) = store().await;
    let object = stage(&first, "a.csv", "t1", Condition::Absent).await;
    let data =
        folder.path().join(STAGING).join("uploads").join(format!("{}.data", object.upload_id));
    drop(first);

    // As a loss of power may leave it: the size is there, the bytes are not.
    let whole = fs::read(&data).unwrap();
    fs::write(&data, [0; 11]).unwrap();
    let second = FolderStore::open(folder.path()).await.unwrap();
    assert!(matches!(second.complete(&object).await, Completion::Gone(_)));
    let seen = second.inspect(&object).await.unwrap();
    assert_eq!(seen.upload, crate::store::UploadState::Gone);
    assert!(!folder.path().join("a.csv").exists());

    let object = stage(&second, "a.csv", "t2", Condition::Absent).await;
    fs::write(data.with_file_name(format!("{}.data", object.upload_id)), &whole).unwrap();
    let third = FolderStore::open(folder.path()).await.unwrap();
    assert!(matches!(third.complete(&object).await, Completion::Done { .. }));
    assert_eq!(fs::read(folder.path().join("a.csv")).unwrap(), b"hello world");
}

#[tokio::test]
async fn a_list_of_parts_that_was_cut_short_loses_its_last_line_only() {
    let (folder, store) = store().await;
    let object = stage(&store, "a.csv", "t1", Condition::Absent).await;
    let list =
        folder.path().join(STAGING).join("uploads").join(format!("{}.parts", object.upload_id));
    let text = fs::read(&list).unwrap();
    fs::write(&list, &text[..text.len() - 4]).unwrap();
    let parts = store.parts("a.csv", &object.upload_id).await.unwrap().unwrap();
    assert_eq!(parts, object.parts[..2]);
    assert!(matches!(store.complete(&object).await, Completion::Refused(_)));
}

#[tokio::test]
async fn an_attempt_that_ended_before_cleaning_up_is_ours() {
    let (folder, store) = store().await;
    let object = stage(&store, "a.csv", "t1", Condition::Absent).await;
    let uploads = folder.path().join(STAGING).join("uploads");
    let kept: Vec<_> = fs::read_dir(&uploads).unwrap().map(|entry| entry.unwrap().path()).collect();
    let copies: Vec<_> = kept.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    assert!(matches!(store.complete(&object).await, Completion::Done { .. }));
    for (path, content) in copies {
        fs::write(path, content).unwrap();
    }
    assert!(matches!(store.complete(&object).await, Completion::ConditionFailed(_)));
    let seen = store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, crate::store::AtKey::Ours { .. }), "{seen:?}");
    assert_eq!(fs::read_dir(&uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn names_that_are_taken_by_folders_are_errors() {
    let (folder, store) = store().await;
    fs::create_dir(folder.path().join("taken")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let object = stage(&store, "taken", "t1", Condition::Absent).await;
    let refused = store.complete(&object).await;
    assert!(matches!(refused, Completion::Refused(_)), "{refused:?}");
    let below = stage(&store, "file/a.csv", "t2", Condition::Absent).await;
    assert_eq!(store.head("file/a.csv").await.unwrap(), None);
    let refused = store.complete(&below).await;
    assert!(!matches!(refused, Completion::Done { .. }), "{refused:?}");
}

#[tokio::test]
async fn ids_from_elsewhere_name_no_file() {
    let (folder, store) = store().await;
    fs::write(folder.path().join("victim.json"), "{}").unwrap();
    for upload_id in ["../../victim", "", "a/b", "x"] {
        assert_eq!(store.parts("a.csv", upload_id).await.unwrap(), None);
        store.abort("a.csv", upload_id).await.unwrap();
    }
    assert!(folder.path().join("victim.json").exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_a_clear_error_and_leaves_nothing_visible() {
    let (folder, store) = store().await;
    let object = stage(&store, "a.csv", "t1", Condition::Absent).await;
    let data =
        folder.path().join(STAGING).join("uploads").join(format!("{}.data", object.upload_id));
    fs::remove_file(&data).unwrap();
    std::os::unix::fs::symlink("/dev/full", &data).unwrap();
    let part = Part::new(2, bytes::Bytes::from_static(b" worl"));
    let error = store.put_part("a.csv", &object.upload_id, &part).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Full);
    assert!(error.hint().unwrap().starts_with("Free space on the disk of "), "{error:?}");
    assert!(!matches!(store.complete(&object).await, Completion::Done { .. }));
    assert!(!folder.path().join("a.csv").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_made_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = FolderStore::open(folder.path().join("file/below")).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to create "), "{error}");
    assert_eq!(error.kind(), Kind::Invalid);
}
