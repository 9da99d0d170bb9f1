//! Several datasets become one profile per person.

use crate::project::{BUCKET, Project, Text, lab, records};

/// People of a shop, and what a web site knows of them. Ann is in both under two names of the same
/// person; the last record of each has no id.
const CRM: &str = "\
id,email,points,name,changed
1,ann@example.com,10,Ann,2026-01-01T10:00:00Z
2,bob@example.com,20,Bob,2026-01-02T10:00:00Z
2,,25,,2026-01-03T10:00:00Z
,nobody@example.com,99,Nobody,2026-01-01T10:00:00Z
";
const WEB: &str = "\
cookie,email,points,city,seen
c1,ann@example.com,11,Paris,2026-01-02T12:00:00Z
c2,eve@example.com,30,Lyon,2026-01-02T12:00:00Z
,,70,Nice,2026-01-02T12:00:00Z
";

/// The usual project with two datasets in the place of its one.
fn two(profiles: &str) -> String {
    let text = Text { mapping: "[id, cookie, email, points, name, city]", ..Text::default() };
    let yaml = text.yaml();
    let (head, rest) = yaml.split_once("datasets:").expect("datasets");
    let (_, tail) = rest.split_once("segments:").expect("segments");
    format!(
        "{head}datasets:
  crm:
    location: crm.csv
    identities: {{ id: CRMID, email: Email }}
    timestamp: changed
  web:
    location: web.csv
    identities: {{ cookie: ECID, email: Email }}
    timestamp: seen
profiles: {profiles}
segments:{tail}"
    )
}

fn project(profiles: &str, lab: Option<&s3lab::Lab>) -> Project {
    let project = Project::new(&two(profiles), lab);
    project.write("crm.csv", CRM);
    project.write("web.csv", WEB);
    project
}

/// What is sent, sorted: profiles come in the order of their hashes.
fn sent(project: &Project) -> Vec<String> {
    let run = project.json(&["run", "daily", "--to", "out"])["runs"][0].clone();
    assert_eq!(run["state"], "delivered", "{run}");
    let file = project.path("out").join(run["objects"][0]["key"].as_str().expect("a key"));
    let mut rows: Vec<String> = records(&std::fs::read(file).expect("the file"))
        .into_iter()
        .skip(1)
        .map(|row| row.join(","))
        .collect();
    rows.sort();
    rows
}

#[test]
fn people_are_joined_by_primary_identity_or_by_all() {
    let cases = [
        (
            "{ stitch: graph }",
            vec![
                ",,nobody@example.com,99,Nobody,",
                ",c2,eve@example.com,30,,Lyon",
                "1,c1,ann@example.com,11,Ann,Paris",
                "2,,bob@example.com,25,Bob,",
            ],
        ),
        (
            "{ stitch: graph, merge: [crm, web] }",
            vec![
                ",,nobody@example.com,99,Nobody,",
                ",c2,eve@example.com,30,,Lyon",
                "1,c1,ann@example.com,10,Ann,Paris",
                "2,,bob@example.com,25,Bob,",
            ],
        ),
        (
            "{ stitch: none }",
            vec![
                ",c1,ann@example.com,11,,Paris",
                ",c2,eve@example.com,30,,Lyon",
                "1,,ann@example.com,10,Ann,",
                "2,,bob@example.com,25,Bob,",
            ],
        ),
    ];
    for (profiles, expected) in cases {
        assert_eq!(sent(&project(profiles, None)), expected, "{profiles}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_answer_over_merged_profiles() {
    let lab = lab().await;
    let project = project("{ stitch: graph }", Some(&lab));
    for (name, command) in [
        ("profiles_validate", &["validate"] as &[&str]),
        ("profiles_count", &["count"]),
        ("profiles_count_json", &["count", "--output", "json"]),
        ("profiles_plan", &["plan", "daily"]),
        ("profiles_preview", &["preview", "daily"]),
        ("profiles_run", &["run", "daily"]),
        ("profile_show", &["profile", "show", "CRMID:1"]),
        ("profile_show_unmasked", &["profile", "show", "Email:ann@example.com", "--unmask"]),
        ("profile_show_json", &["profile", "show", "ECID:c1", "--output", "json", "--unmask"]),
        ("profile_show_missing", &["profile", "show", "CRMID:404"]),
        ("profile_show_namespace", &["profile", "show", "CRMDI:1"]),
        ("profile_show_form", &["profile", "show", "ann@example.com"]),
    ] {
        let said = project.segue(command);
        insta::with_settings!({ filters => vec![(r"\b[0-9a-f]{16}\b", "[checksum]      ")] }, {
            insta::assert_snapshot!(name, project.transcript(&said));
        });
    }
    let manifest = lab.keys(BUCKET).into_iter().find(|key| key.contains("manifest-"));
    let manifest = lab.object(BUCKET, &manifest.expect("a manifest")).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    let snapshot = manifest["snapshot"].to_string();
    assert!(snapshot.contains("crm.csv") && snapshot.contains("web.csv"), "{manifest}");
    let excluded = manifest.to_string();
    assert!(excluded.contains("no_identity:web"), "{manifest}");
}

#[test]
fn an_identity_of_several_profiles_is_ambiguous() {
    let project = project("{ stitch: none }", None);
    let said = project.segue(&["profile", "show", "Email:ann@example.com"]);
    insta::assert_snapshot!("profile_show_ambiguous", project.transcript(&said));
    assert_eq!(project.segue(&["profile", "show", "ECID:c1"]).code, 0);
}

fn kept(project: &Project) -> Vec<String> {
    let folder = project.path(".segue/profiles");
    let entries = std::fs::read_dir(folder).expect("profiles are kept");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn profiles_are_merged_once_for_each_state_of_the_inputs() {
    let project = project("{ stitch: graph }", None);
    let count = || project.json(&["count"])[0]["profiles"].clone();
    assert_eq!(count(), 4);
    let first = kept(&project);
    assert_eq!(count(), 4);
    assert_eq!(kept(&project), first);
    let changed = |folder: &str| {
        let parts = std::fs::read_dir(project.path(".segue/profiles").join(folder));
        let modified = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.expect("an entry");
            let is_part = entry.file_name().to_string_lossy().starts_with("part-");
            is_part.then(|| entry.metadata().expect("a file").modified().expect("a time"))
        };
        parts.expect("a folder").filter_map(modified).max()
    };
    let before = changed(&first[0]);
    assert!(before.is_some());
    assert_eq!(count(), 4);
    assert_eq!(changed(&first[0]), before, "nothing is written again");

    for id in 5..8 {
        let more = std::fs::read_to_string(project.path("crm.csv")).expect("a file");
        project
            .write("crm.csv", format!("{more}{id},x{id}@example.com,1,X,2026-01-01T10:00:00Z\n"));
        project.segue(&["count"]);
    }
    assert_eq!(count(), 7);
    assert_eq!(kept(&project).len(), 2, "the last two are kept");
    assert!(!kept(&project).contains(&first[0]));
}

#[test]
fn one_dataset_of_unique_people_is_read_where_it_is() {
    let project = Project::new(&Text::default().yaml(), None);
    assert_eq!(project.json(&["count"])[0]["profiles"], 6);
    let [folder] = &kept(&project)[..] else { panic!("one verdict is kept") };
    let folder = project.path(".segue/profiles").join(folder);
    let has_part = std::fs::read_dir(folder)
        .expect("a folder")
        .any(|entry| entry.expect("an entry").file_name().to_string_lossy().starts_with("part-"));
    assert!(!has_part, "nothing was merged");
    let said = project.segue(&["profile", "show", "CRMID:2", "--unmask"]);
    insta::assert_snapshot!("profile_show_direct", project.transcript(&said));

    project.write("people.csv", "id,email,points\n1,,10\n2,b@example.com,12\n1,a@example.com,5\n");
    assert_eq!(project.json(&["count"])[0]["profiles"], 2);
    let run = project.json(&["run", "daily", "--to", "out"])["runs"][0].clone();
    assert_eq!(run["activated"], 2, "the first value of each field wins: {run}");
}

/// A column without any value says nothing of its type: it takes that of the other dataset.
#[test]
fn a_column_without_values_takes_the_type_that_others_have() {
    let project = project("{ stitch: graph }", None);
    let without = |text: &str, points: [&str; 2]| {
        let cut = |text: String, points: &&str| text.replace(&format!(",{points},"), ",,");
        points.iter().fold(text.to_owned(), cut)
    };
    project.write("web.csv", without(WEB, ["11", "30"]).replace(",70,", ",,"));
    assert_eq!(
        sent(&project),
        [
            ",,nobody@example.com,99,Nobody,",
            "1,c1,ann@example.com,10,Ann,Paris",
            "2,,bob@example.com,25,Bob,"
        ]
    );
    // The first dataset may be the one without values.
    let other = self::project("{ stitch: graph }", None);
    other.write("crm.csv", without(&without(CRM, ["10", "20"]), ["25", "99"]));
    assert_eq!(sent(&other), [",c2,eve@example.com,30,,Lyon", "1,c1,ann@example.com,11,Ann,Paris"]);
    // A value behind those that types are guessed from has to be of that type.
    let late =
        format!("{}9,z@example.com,many,Zoe,2026-01-01T10:00:00Z\n", "9,,,,\n".repeat(1_001));
    project.write("web.csv", WEB);
    project
        .write("crm.csv", format!("{}{late}", without(&without(CRM, ["10", "20"]), ["25", "99"])));
    let said = project.segue(&["count"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    insta::assert_snapshot!("profiles_late_value", project.transcript(&said));
}

#[test]
fn problems_of_several_datasets_are_told_in_place() {
    let check = |name: &str, change: &dyn Fn(&Project)| {
        let project = project("{ stitch: graph }", None);
        change(&project);
        let said = project.segue(&["validate"]);
        assert_eq!(said.code, 2, "{name}");
        insta::assert_snapshot!(name, project.transcript(&said));
    };
    check("profiles_type_disagreement", &|project| {
        project.write("web.csv", WEB.replace("points", "name").replace(",Paris", ",1"));
    });
    check("profiles_time_disagreement", &|project| {
        project.write("web.csv", WEB.replace("2026-01-02T12:00:00Z", "7"));
    });
    check("profiles_zone_disagreement", &|project| {
        let zoneless = CRM.replace("00Z", "00");
        project.write("crm.csv", zoneless.replace(",changed", ",seen"));
        project.write(
            "segue.yaml",
            two("{ stitch: graph }").replace("timestamp: changed", "timestamp: seen"),
        );
    });
    check("profiles_unknown_field", &|project| {
        project.write(
            "segue.yaml",
            two("{}").replace("cookie, email, points", "coockie, email, points"),
        );
    });
}
