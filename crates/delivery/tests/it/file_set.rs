//! Rows become a set of files: where they are cut, what the parts add up to, and that nothing is
//! visible before it is complete.

use std::sync::Arc;

use bytes::Bytes;
use delivery::encode::{Chunk, Head};
use delivery::upload::{Identity, Upload};
use delivery::{Error, Store, publish};
use plan::Output;
use plan::file_format::{Compression, FileFormat, Layout, WhenEmpty};
use plan::staged::{Condition, StagedObject};

use crate::bench::Bench;
use crate::small_spine::{Ledger, Run};

/// Rows `r0`, `r1`, … with a tail that makes them `row_bytes` long.
pub(crate) fn chunk(rows: std::ops::Range<usize>, row_bytes: usize) -> Chunk {
    let mut chunk = Chunk::default();
    for row in rows {
        let text = format!("r{row},{}", "x".repeat(row_bytes));
        chunk.text.extend_from_slice(&text.as_bytes()[..row_bytes - 1]);
        chunk.text.push(b'\n');
        chunk.row_ends.push(chunk.text.len() as u32);
    }
    chunk
}

pub(crate) fn output(prefix: &str, file: FileFormat) -> Output {
    Output {
        bucket: "exports".to_owned(),
        stem: format!("{prefix}set"),
        manifest_key: None,
        is_static: false,
        file,
        expected_bucket_owner: None,
        content_type: None,
    }
}

/// A run of two files of three rows and one of two, its parts as small as the store takes them.
pub(crate) fn run(bench: &Bench, name: &str) -> Run {
    let prefix = bench.key(&format!("{name}/"));
    let row_bytes = bench.part_bytes / 2 + 1;
    let file = FileFormat { rows_per_file: 3, ..FileFormat::new(Layout::Csv) };
    Run {
        output: output(&prefix, file),
        chunks: vec![
            chunk(0..4, row_bytes),
            Chunk::default(),
            chunk(4..5, row_bytes),
            chunk(5..8, row_bytes),
        ],
        header: b"h\n".to_vec(),
        part_bytes: bench.part_bytes as u64,
        prefix,
        condition: Condition::Absent,
    }
}

/// A run of two files of one part each.
pub(crate) fn small_run(bench: &Bench, name: &str) -> Run {
    let whole = run(bench, name);
    Run { chunks: vec![chunk(0..5, 10)], part_bytes: 1_000, ..whole }
}

/// What the files of [`run`] hold, by key.
pub(crate) fn expected_files(run: &Run) -> Vec<(String, Bytes)> {
    let all: Vec<u8> = run.chunks.iter().flat_map(|chunk| chunk.text.clone()).collect();
    let rows: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
    let per_file = run.output.file.rows_per_file as usize;
    let file = |(index, rows): (usize, &[&[u8]])| {
        let body: Vec<u8> =
            [&run.header[..]].into_iter().chain(rows.iter().copied()).flatten().copied().collect();
        (run.output.key(index as u32 + 1), Bytes::from(body))
    };
    rows.chunks(per_file).enumerate().map(file).collect()
}

pub(crate) async fn a_set_of_files_is_published_whole(bench: &Bench) {
    let run = run(bench, "whole");
    let mut ledger = Ledger::default();
    run.advance(&bench.store, &mut ledger).await.unwrap();
    let files = expected_files(&run);
    assert_eq!(files.len(), 3);
    for (index, (key, body)) in files.iter().enumerate() {
        assert_eq!(bench.reader.read(key).await.as_ref(), Some(body), "{key}");
        let staged = &ledger.commit.as_ref().unwrap()[index];
        assert_eq!(
            (staged.number, &staged.key, staged.bytes),
            (index as u32 + 1, key, body.len() as u64)
        );
        assert_eq!(staged.sha256, sha256(body));
        let (last, others) = staged.parts.split_last().unwrap();
        assert!(
            others.iter().all(|part| part.bytes == run.part_bytes) && last.bytes <= run.part_bytes
        );
    }
    let rows: Vec<u64> = ledger.commit.as_ref().unwrap().iter().map(|object| object.rows).collect();
    assert_eq!(rows, [3, 3, 2, 0]);
    assert!(bench.reader.read(&run.manifest_key()).await.is_some());
}

pub(crate) fn sha256(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn identity() -> Identity {
    Identity { run_id: "run".to_owned(), nonce: "n".to_owned() }
}

/// Stages chunks and returns what was staged.
async fn stage(
    store: &Arc<dyn Store>,
    output: &Output,
    chunks: Vec<Chunk>,
) -> Result<Vec<StagedObject>, Error> {
    let mut upload =
        Upload::new(Arc::clone(store), output, identity(), Head::Text(b"h\n".to_vec()));
    for chunk in chunks {
        let mut rest = Some(chunk);
        while let Some(chunk) = rest {
            if let Some(intent) = upload.needs_object(&chunk) {
                upload.begin(intent).await?;
            }
            rest = upload.write(chunk).await?;
        }
    }
    if let Some(intent) = upload.needs_object_when_empty() {
        upload.begin(intent).await?;
    }
    upload.seal(|key| Condition::Unchanged { etag: key.to_owned() }).await
}

#[tokio::test]
async fn a_set_reaches_a_folder() {
    let (_folder, bench) = Bench::folder().await;
    a_set_of_files_is_published_whole(&bench).await;
}

#[tokio::test]
async fn a_set_reaches_a_bucket() {
    let (lab, bench) = Bench::lab(s3lab::Options::default()).await;
    a_set_of_files_is_published_whole(&bench).await;
    assert_eq!(lab.open_uploads("exports"), []);
}

#[tokio::test]
async fn no_rows_make_a_file_with_the_header_or_none() {
    let (_folder, bench) = Bench::folder().await;
    for (when_empty, chunks, expected) in [
        (WhenEmpty::HeaderOnly, vec![], 1),
        (WhenEmpty::HeaderOnly, vec![Chunk::default()], 1),
        (WhenEmpty::Skip, vec![Chunk::default()], 0),
    ] {
        let file = FileFormat { when_empty, ..FileFormat::new(Layout::Csv) };
        let staged = stage(&bench.store, &output("empty/", file), chunks).await.unwrap();
        assert_eq!(staged.len(), expected);
        if let [object] = &staged[..] {
            assert_eq!((object.number, object.rows, object.bytes), (1, 0, 2));
            assert_eq!(object.sha256, sha256(b"h\n"));
        }
    }
}

#[tokio::test]
async fn conditions_and_names_follow_the_output() {
    let (_folder, bench) = Bench::folder().await;
    let file = FileFormat {
        rows_per_file: 1,
        compression: Compression::Gzip,
        ..FileFormat::new(Layout::Tsv)
    };
    let staged = stage(&bench.store, &output("names/", file), vec![chunk(0..3, 10)]).await.unwrap();
    let keys: Vec<&str> = staged.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["names/set.txt.gz", "names/set_2.txt.gz", "names/set_3.txt.gz"]);
    for object in &staged {
        assert_eq!(object.condition, Condition::Unchanged { etag: object.key.clone() });
        assert_eq!(object.token, format!("run.{}.n", object.number));
    }
}

#[tokio::test]
async fn the_same_rows_give_the_same_objects_however_they_come() {
    let (_folder, bench) = Bench::folder().await;
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Zip] {
        let file = FileFormat { rows_per_file: 4, compression, ..FileFormat::new(Layout::Csv) };
        let output = output("same/", file);
        let whole = stage(&bench.store, &output, vec![chunk(0..10, 40)]).await.unwrap();
        let rows = (0..10).map(|row| chunk(row..row + 1, 40)).collect();
        let pieces = stage(&bench.store, &output, rows).await.unwrap();
        let digest = |staged: &[StagedObject]| {
            staged.iter().map(|object| object.sha256.clone()).collect::<Vec<_>>()
        };
        assert_eq!(digest(&whole), digest(&pieces), "{compression:?}");
        assert_eq!(whole.iter().map(|object| object.rows).sum::<u64>(), 10);
    }
}

#[tokio::test]
async fn aborting_leaves_nothing() {
    let (lab, bench) = Bench::lab(s3lab::Options::default()).await;
    let file = FileFormat { rows_per_file: 1, ..FileFormat::new(Layout::Csv) };
    let mut upload = Upload::new(
        Arc::clone(&bench.store),
        &output("abort/", file),
        identity(),
        Head::Text(Vec::new()),
    );
    let mut rest = Some(chunk(0..6, 100));
    while let Some(chunk) = rest {
        if let Some(intent) = upload.needs_object(&chunk) {
            upload.begin(intent).await.unwrap();
        }
        rest = upload.write(chunk).await.unwrap();
    }
    assert!(!lab.open_uploads("exports").is_empty());
    upload.abort().await.unwrap();
    assert_eq!(lab.open_uploads("exports"), []);
    assert_eq!(lab.keys("exports"), [""; 0]);
}

#[tokio::test]
async fn acts_out_of_turn_are_errors() {
    let (_folder, bench) = Bench::folder().await;
    let file = FileFormat::new(Layout::Csv);
    let mut upload = Upload::new(
        Arc::clone(&bench.store),
        &output("early/", file),
        identity(),
        Head::Text(Vec::new()),
    );
    let error = upload.write(chunk(0..1, 10)).await.unwrap_err();
    insta::assert_snapshot!(error, @"upload (none) of early/set.csv was written to before it was begun");

    let intent = upload.needs_object(&chunk(0..1, 10)).unwrap();
    upload.begin(intent.clone()).await.unwrap();
    assert_eq!(upload.needs_object(&chunk(0..1, 10)), None);
    let error = upload.begin(intent).await.unwrap_err();
    insta::assert_snapshot!(error, @"upload (none) of early/set.csv was begun out of turn");
}

#[tokio::test]
async fn other_bytes_are_no_replacement() {
    let (_folder, bench) = Bench::folder().await;
    let output = output("repair/", FileFormat::new(Layout::Csv));
    let lost = stage(&bench.store, &output, vec![chunk(0..3, 10)]).await.unwrap().remove(0);
    let same = stage(&bench.store, &output, vec![chunk(0..3, 10)]).await.unwrap().remove(0);
    let replacement = publish::replacement(&lost, same.clone()).unwrap();
    assert_eq!(
        (replacement.upload_id, replacement.condition),
        (same.upload_id, lost.condition.clone())
    );
    let other = stage(&bench.store, &output, vec![chunk(1..4, 10)]).await.unwrap().remove(0);
    let error = publish::replacement(&lost, other).unwrap_err();
    assert!(error.to_string().starts_with("nondeterministic_output: repair/set.csv "), "{error}");
}
