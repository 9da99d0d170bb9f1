//! What ran, as web pages in a folder.

use std::fs;
use std::path::Path;

use crate::project::{Project, SECRET, Text, lab};

/// Every page below a folder, with its path in it.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_becomes_pages_that_need_no_server() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let before = project.segue(&["pages", "site"]);
    assert_eq!(before.code, 2, "nothing ran yet");
    insta::assert_snapshot!("pages_before", project.transcript(&before));
    assert!(!project.path("site").exists());

    let run = project.json(&["run", "daily"])["runs"][0].clone();
    let id = run["runId"].as_str().expect("an id").to_owned();
    let site = project.path("site");
    let folder = site.to_str().expect("a path");
    let said = project.json(&["pages", folder]);
    let written = pages(&site);
    assert_eq!(said["pages"].as_u64(), Some(written.len() as u64), "{said}");
    let page = |name: &str| {
        let found = written.iter().find(|(path, _)| path == name);
        found.map(|(_, page)| page.clone()).unwrap_or_else(|| panic!("there is no {name}"))
    };
    let detail = page(&format!("runs/{id}.html"));
    let objects = run["objects"].as_array().expect("objects");
    for object in objects {
        let checksum = object["sha256"].as_str().expect("a checksum");
        assert!(detail.contains(checksum), "the page of the run has {checksum}");
    }
    assert!(detail.contains("s3://exports/drop/"), "the page of the run has addresses");
    assert!(detail.contains("No value for e_mail"), "and says who was left out");
    for name in ["index.html", "runs.html", "segments/loyal.html", "activations/daily.html"] {
        assert!(page(name).contains("</html>"));
    }

    // Every address leads somewhere, and nothing is asked of another place.
    for (name, text) in &written {
        let above = site.join(name);
        let above = above.parent().expect("a folder");
        for rest in text.split("href=\"").chain(text.split("src=\"")).skip(1) {
            let target = rest.split('"').next().expect("an end");
            if target.starts_with('#') || target.starts_with('<') {
                continue;
            }
            assert!(above.join(target).exists(), "{name} leads to {target}");
        }
        assert!(!text.contains("<form"), "{name} asks nothing");
        for value in ["ann@example.com", SECRET] {
            assert!(!text.contains(value), "{name} holds {value}");
        }
    }

    let french = project.segue(&["pages", folder, "--language", "fr", "--zone", "Europe/Paris"]);
    assert_eq!(french.code, 0, "its own folder is taken again: {}", french.stderr);
    let index = fs::read_to_string(site.join("index.html")).expect("text");
    assert!(index.contains("Accueil") && index.contains("Europe/Paris"), "{index}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_something_else_is_left_alone() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    project.write("taken/index.html", "mine");
    let said = project.segue(&["pages", "taken"]);
    assert_eq!(said.code, 2);
    insta::assert_snapshot!("pages_taken", project.transcript(&said));
    let kept = fs::read_to_string(project.path("taken/index.html")).expect("text");
    assert_eq!(kept, "mine");
}
