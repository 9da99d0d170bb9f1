//! `segue demo`, as a new user runs it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn demo(folder: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["demo", "--profiles", "3000"])
        .arg(folder)
        .env("SEGUE_NOW", "2026-01-04T06:30:00Z")
        .output()
        .expect("the binary runs")
}

/// Every file below a folder that is not hidden.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !is_hidden {
            found.extend(files(&path));
        } else if !is_hidden {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(path).expect("a file");
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    } else {
        std::io::BufReader::new(file).read_to_end(&mut bytes).expect("bytes");
    }
    bytes
}

fn rows(path: &Path, delimiter: u8) -> (Vec<String>, usize) {
    let bytes = read(path);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes.as_slice());
    let headers = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let records: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
    (headers, records.expect("whole records").len())
}

#[test]
fn the_demo_delivers_whole_files_that_other_readers_understand() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = folder.path().join("demo");
    let output = demo(&target);
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    for expected in [
        "partner-daily",
        "agency-weekly",
        "delivered",
        "The first lines of",
        "A bucket of your own",
    ] {
        assert!(stdout.contains(expected), "{expected} is missing in {stdout}");
    }

    let found = files(&target.join("s3/segue-demo"));
    let names: Vec<String> = found
        .iter()
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(found.len(), 5, "{names:?}");
    let csv: Vec<&PathBuf> = found
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect();
    assert_eq!(csv.len(), 2, "{names:?}");
    for path in csv {
        let (headers, count) = rows(path, b',');
        assert_eq!(headers[..3], ["email", "person_name_firstName", "person_name_lastName"]);
        let manifest = fs::read_dir(path.parent().expect("a folder"))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.extension().is_some_and(|extension| extension == "json"))
            .expect("a manifest beside the file");
        let manifest: serde_json::Value = serde_json::from_slice(&read(&manifest)).expect("JSON");
        let listed = &manifest["exportResults"][0];
        assert_eq!(listed["rows"], count);
        assert_eq!(listed["size"], fs::metadata(path).expect("a file").len());
        assert_eq!(manifest["scheduledTime"], "2026-01-04T06:30:00Z");
    }
    let text = found
        .iter()
        .find(|path| path.to_string_lossy().ends_with(".txt.gz"))
        .expect("a tab-delimited file");
    let (headers, count) = rows(text, b'\t');
    assert_eq!(headers, ["crmId", "phone", "last_order", "tags", "language", "modified_at"]);
    assert!(count > 100, "{count}");
}

#[test]
fn the_same_sample_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let contents = |name: &str| -> Vec<(PathBuf, Vec<u8>)> {
        let target = folder.path().join(name);
        assert!(demo(&target).status.success());
        let bucket = target.join("s3/segue-demo");
        let data = files(&bucket)
            .into_iter()
            .filter(|path| path.extension().is_none_or(|extension| extension != "json"));
        data.map(|path| {
            (path.strip_prefix(&bucket).expect("below the bucket").to_path_buf(), read(&path))
        })
        .collect()
    };
    assert_eq!(contents("one"), contents("two"));
}

#[test]
fn a_foreign_folder_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    let output = demo(folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}
