//! The folder that people can open.

use std::path::{Path, PathBuf};

use aws_sdk_s3::types::{ChecksumMode, Tag, Tagging};
use s3lab::{Backend, Lab};

use crate::client::{client, code, get, put, start};
use crate::multipart::{Upload, two_parts};

/// Every file below a folder, relative to it, sorted.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn visible(root: &Path) -> Vec<String> {
    files(root).into_iter().filter(|file| !file.starts_with(".s3lab")).collect()
}

async fn lab() -> (tempfile::TempDir, PathBuf, Lab) {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    let lab = start(Backend::Folder(root.clone())).await;
    (outer, root, lab)
}

#[tokio::test]
async fn delivered_files_can_be_opened() {
    let (_outer, root, lab) = lab().await;
    let client = client(&lab);
    put(&client, "bucket", "exports/2026-11-22/März.csv", "a,b\n").await;
    two_parts(&client, "exports/large.csv").await.finish().await.unwrap();
    assert_eq!(visible(&root), ["bucket/exports/2026-11-22/März.csv", "bucket/exports/large.csv"]);
    assert_eq!(
        std::fs::read_to_string(root.join("bucket/exports/2026-11-22/März.csv")).unwrap(),
        "a,b\n"
    );
    assert!(
        std::fs::read_to_string(root.join("bucket/exports/large.csv")).unwrap().ends_with("aatail")
    );
    client
        .delete_object()
        .bucket("bucket")
        .key("exports/2026-11-22/März.csv")
        .send()
        .await
        .unwrap();
    assert!(!root.join("bucket/exports/2026-11-22").exists(), "empty folders go");
    client.delete_object().bucket("bucket").key("exports/large.csv").send().await.unwrap();
    assert!(root.join("bucket").is_dir());
}

#[tokio::test]
async fn nothing_is_visible_before_it_is_whole() {
    let (_outer, root, lab) = lab().await;
    let client = client(&lab);
    let upload = two_parts(&client, "k").await;
    assert!(visible(&root).is_empty());
    assert_eq!(files(&root).len(), 2, "two parts in staging");
    client
        .abort_multipart_upload()
        .bucket("bucket")
        .key("k")
        .upload_id(&upload.id)
        .send()
        .await
        .unwrap();
    assert!(files(&root).is_empty());
    let wrong = client.put_object().bucket("bucket").key("k").checksum_crc32("AAAAAA==");
    assert_eq!(code(&wrong.body(crate::client::body("x")).send().await), "BadDigest");
    assert!(files(&root).is_empty(), "a refused body leaves nothing behind");
}

#[tokio::test]
async fn any_key_stays_inside() {
    let (outer, root, lab) = lab().await;
    let client = client(&lab);
    let keys = [
        "../../up",
        "/etc/passwd",
        "a/../../../b",
        "x",
        "x/y",
        "x/y/z",
        "dir/",
        "c:\\x",
        ".escaped/mine",
        "a//b",
    ];
    for key in keys {
        put(&client, "bucket", key, key).await;
    }
    assert!(files(outer.path()).iter().all(|file| file.starts_with("root/")));
    assert_eq!(visible(&root).len(), keys.len());
    assert!(root.join("bucket/x").is_file());
    for key in keys {
        assert_eq!(get(&client, "bucket", key).await, key);
        client.delete_object().bucket("bucket").key(key).send().await.unwrap();
    }
    assert!(visible(&root).is_empty());
}

#[tokio::test]
async fn older_versions_stay_readable_out_of_sight() {
    let (_outer, root, lab) = lab().await;
    let client = client(&lab);
    put(&client, "versioned", "k", "one").await;
    let first = lab.object("versioned", "k").unwrap().version_id.unwrap();
    put(&client, "versioned", "k", "two").await;
    assert_eq!(std::fs::read_to_string(root.join("versioned/k")).unwrap(), "two");
    client.delete_object().bucket("versioned").key("k").send().await.unwrap();
    assert!(visible(&root).is_empty());
    let old =
        client.get_object().bucket("versioned").key("k").version_id(first).send().await.unwrap();
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"one");
}

#[tokio::test]
async fn what_does_not_change_a_file_leaves_it_where_it_is() {
    let (_outer, root, lab) = lab().await;
    let client = client(&lab);
    put(&client, "versioned", "a/k", "one").await;
    let first = lab.object("versioned", "a/k").unwrap().version_id.unwrap();
    put(&client, "versioned", "a/k", "two").await;
    let tag = Tag::builder().key("a").value("b").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    client
        .put_object_tagging()
        .bucket("versioned")
        .key("a/k")
        .tagging(tagging)
        .send()
        .await
        .unwrap();
    client.delete_object().bucket("versioned").key("a/k").version_id(first).send().await.unwrap();
    assert_eq!(visible(&root), ["versioned/a/k"]);
    assert_eq!(get(&client, "versioned", "a/k").await, "two");
}

#[tokio::test]
async fn a_file_removed_by_hand_does_not_block_its_key() {
    let (_outer, root, lab) = lab().await;
    let client = client(&lab);
    for key in ["replaced", "deleted"] {
        put(&client, "bucket", key, "x").await;
        std::fs::remove_file(root.join("bucket").join(key)).unwrap();
    }
    assert_eq!(
        code(&client.get_object().bucket("bucket").key("replaced").send().await),
        "InternalError"
    );
    put(&client, "bucket", "replaced", "y").await;
    client.delete_object().bucket("bucket").key("deleted").send().await.unwrap();
    assert_eq!(visible(&root), ["bucket/replaced"]);
    assert_eq!(lab.keys("bucket"), ["replaced"]);
}

#[tokio::test]
async fn objects_are_found_again_at_the_next_start() {
    let (_outer, root, lab) = lab().await;
    let through = client(&lab);
    let begin = through
        .create_multipart_upload()
        .bucket("bucket")
        .key("exports/a.csv")
        .content_type("text/csv");
    let begun = begin.metadata("token", "t ü").tagging("a=b c").send().await.unwrap();
    let mut upload = Upload::of(&through, "exports/a.csv", begun.upload_id().unwrap());
    upload.part(1, &[b'x'; 1500]).await;
    upload.part(2, b"tail").await;
    upload.finish().await.unwrap();
    put(&through, "bucket", "odd//key", "odd").await;
    put(&through, "bucket", "lost.csv", "lost").await;
    let before = lab.object("bucket", "exports/a.csv").unwrap();
    let unfinished = two_parts(&through, "unfinished").await;
    lab.stop().await;
    std::fs::write(root.join("bucket/by-hand.txt"), "hello").unwrap();
    std::fs::remove_file(root.join("bucket/lost.csv")).unwrap();

    let lab = start(Backend::Folder(root.clone())).await;
    assert_eq!(lab.keys("bucket"), ["by-hand.txt", "exports/a.csv", "odd//key"]);
    let after = lab.object("bucket", "exports/a.csv").unwrap();
    assert_eq!(
        after.last_modified.duration_since(before.last_modified).unwrap_or_default().as_secs(),
        0
    );
    assert_eq!(s3lab::Object { last_modified: before.last_modified, ..after }, before);
    assert_eq!(
        lab.object("bucket", "by-hand.txt").unwrap().etag,
        "5d41402abc4b2a76b9719d911017c592"
    );
    let again = client(&lab);
    assert_eq!(get(&again, "bucket", "odd//key").await, "odd");
    let head = again
        .head_object()
        .bucket("bucket")
        .key("exports/a.csv")
        .checksum_mode(ChecksumMode::Enabled);
    assert!(head.send().await.unwrap().checksum_crc64_nvme().is_some());
    // Uploads under way and their parts go with the lab.
    let late = again
        .complete_multipart_upload()
        .bucket("bucket")
        .key("unfinished")
        .upload_id(&unfinished.id);
    assert_ne!(code(&late.send().await), "ok");
    assert!(lab.open_uploads("bucket").is_empty());
    put(&again, "bucket", "exports/a.csv", "replaced").await;
    assert_eq!(std::fs::read_to_string(root.join("bucket/exports/a.csv")).unwrap(), "replaced");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let options = s3lab::Options { backend: Backend::Folder(path.clone()), ..Default::default() };
    let error = Lab::start(options).await.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to use {}", path.display()));
    assert!(!error.hint().is_empty());
    let options = s3lab::Options { buckets: vec!["Not A Bucket".into()], ..Default::default() };
    let error = Lab::start(options).await.unwrap_err();
    assert_eq!(error.to_string(), r#"bucket name "Not A Bucket" is not a valid S3 bucket name"#);
}
