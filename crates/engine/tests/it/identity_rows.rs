//! Identity columns: a row for each identity, beside a plain computation with maps in memory.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Baselines, Engine, Profiles};
use futures::TryStreamExt;
use plan::field::FieldPath;
use plan::project::{Column, ColumnSource, Dataset, Identity, MergePolicy, Stitch};
use plan::run_plan::Increment;
use plan::schema::FieldType;

use crate::merge::{Chance, engine};
use crate::support::{CSV, Case, SPAN, lines};

/// Projects that are made up.
const PROJECTS: u64 = 25;

/// `identityMap.<namespace>`, mandatory and the key as the project file makes it.
fn identity(namespace: &str) -> Column {
    Column {
        header: format!("identityMap_{namespace}"),
        source: ColumnSource::Identity(namespace.to_owned()),
        mandatory: true,
        deduplicate: true,
        span: SPAN,
    }
}

fn dataset(key: &str, identities: [(&str, &str); 2], texts: &[&str]) -> Dataset {
    let path = |text: &str| FieldPath::parse(text).expect("a path");
    let identities = identities.map(|(field, namespace)| Identity {
        field: path(field),
        namespace: namespace.to_owned(),
        span: SPAN,
    });
    let mut dataset = Case::new(CSV).dataset;
    dataset.key = key.to_owned();
    dataset.location = format!("{key}.csv");
    dataset.declared = texts.iter().map(|name| ((*name).to_owned(), FieldType::String)).collect();
    dataset.declared.push(("at".to_owned(), FieldType::Integer));
    dataset.identities = identities.into();
    dataset.timestamp = Some(path("at"));
    dataset
}

fn datasets() -> [Dataset; 2] {
    [
        dataset("crm", [("id", "CRMID"), ("mail", "Email")], &["id", "mail", "name"]),
        dataset("web", [("cookie", "ECID"), ("mail", "Email")], &["cookie", "mail", "city"]),
    ]
}

const HEADS: [&str; 2] = ["id,mail,name,at\n", "cookie,mail,city,at\n"];

async fn pinned(case: &Case, engine: &Engine, count: usize, stitch: Stitch) -> Profiles {
    let mut snapshots = Vec::new();
    for dataset in &datasets()[..count] {
        snapshots.push(engine.pin(dataset, case.folder.path()).await.expect("it is pinned"));
    }
    Profiles::new(MergePolicy { stitch, ..MergePolicy::default() }, snapshots)
}

async fn rows(engine: &Engine, case: &Case, profiles: &Profiles) -> Vec<String> {
    let rows = engine.rows(&case.query, profiles).await.expect("rows are prepared");
    let found = rows.map_ordered(|batch| Ok::<_, engine::Error>(lines(&batch)));
    found.try_collect::<Vec<_>>().await.expect("rows are read").concat()
}

/// The worked example of behaviour reference §4.8: two profiles share an address, and each has one
/// of its own. Every address is a row, with the values of the profile that was qualified last.
#[tokio::test]
async fn the_worked_example() {
    let mut case = Case::new(CSV)
        .text(
            "crm.csv",
            "id,mail,name,at\nA,johndoe@example.com,Doe,20210310\nB,johndoe@example.com,D,20210410\n\
             A,doejohn_1@example.com,Doe,20210309\nB,doejohn_2@example.com,D,20210409\n\
             C,,Nobody,20210409\n",
        )
        .columns(&["name", "hash=sha256(identityMap.Email)"]);
    case.query.columns.insert(0, identity("Email"));
    let engine = engine(&case, 2, 1 << 20);
    let profiles = pinned(&case, &engine, 1, Stitch::None).await;
    let mut found = rows(&engine, &case, &profiles).await;
    found.sort();
    insta::assert_snapshot!(found.join("\n"), @r"
    doejohn_1@example.com|Doe|8931312243ef1c2573747888963245d3c34912889cb66ed7e5ffe9c2f5302e09
    doejohn_2@example.com|D|911f580305cdfd36225373261ee2e1b98c6cfbc0fc87bcbd3de9207143f16944
    johndoe@example.com|D|55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149
    ");
    let counts = engine.count(&case.query, &profiles).await.expect("they are counted");
    let excluded = [("missing:identityMap_Email".to_owned(), 1), ("duplicate".to_owned(), 1)];
    assert_eq!((counts.received, counts.activated), (5, 3));
    assert_eq!(counts.excluded, excluded);
}

/// A record as the reference sees it.
#[derive(Debug, Clone)]
struct Record {
    dataset: usize,
    primary: Option<String>,
    mail: Option<String>,
    value: Option<String>,
    at: u64,
}

#[derive(Default)]
struct Person {
    mails: BTreeSet<String>,
    latest: u64,
    /// `name` and `city`, each with its time.
    values: [Option<(u64, String)>; 2],
}

struct World {
    records: Vec<Record>,
    datasets: usize,
    stitch: Stitch,
}

impl World {
    fn new(chance: &mut Chance) -> Self {
        let stitch = if chance.below(2) == 0 { Stitch::None } else { Stitch::Graph };
        let datasets = 1 + chance.below(2) as usize;
        Self { records: Self::records(chance, datasets), datasets, stitch }
    }

    fn records(chance: &mut Chance, datasets: usize) -> Vec<Record> {
        let people = 2 + chance.below(12);
        let mut records = Vec::new();
        for at in 0..chance.below(40) {
            let dataset = chance.below(datasets as u64) as usize;
            let (primary, mail) = (chance.below(people), chance.below(people));
            let value = chance.below(3);
            records.push(Record {
                dataset,
                primary: chance.maybe(9, format!("{}{primary}", ["i", "c"][dataset])),
                mail: chance.maybe(6, format!("m{mail}")),
                value: chance.maybe(8, format!("v{value}")),
                // No two records are equally old.
                at: 1_000 + at * 7 % 41,
            });
        }
        records
    }

    fn write(&self, case: &Case) {
        for (dataset, head) in HEADS.iter().enumerate() {
            let mut text = (*head).to_owned();
            for record in self.records.iter().filter(|record| record.dataset == dataset) {
                let cell = |value: &Option<String>| value.clone().unwrap_or_default();
                let Record { primary, mail, value, at, .. } = record;
                text += &format!("{},{},{},{at}\n", cell(primary), cell(mail), cell(value));
            }
            std::fs::write(case.path(["crm.csv", "web.csv"][dataset]), text).expect("a file");
        }
    }

    fn people(&self) -> Vec<Person> {
        // Of each record the name of its person: with the graph, names run together.
        let mut names: Vec<Option<String>> =
            self.records.iter().map(|record| record.primary.clone()).collect();
        if self.stitch == Stitch::Graph {
            for (name, record) in names.iter_mut().zip(&self.records) {
                *name = name.take().or_else(|| record.mail.clone());
            }
            let mut is_settled = false;
            while !is_settled {
                is_settled = true;
                for left in 0..names.len() {
                    for right in 0..names.len() {
                        let (one, other) = (&self.records[left], &self.records[right]);
                        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
                        let meet =
                            same(&one.primary, &other.primary) || same(&one.mail, &other.mail);
                        if meet && names[left] < names[right] {
                            names[right] = names[left].clone();
                            is_settled = false;
                        }
                    }
                }
            }
        }
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        for (name, record) in names.into_iter().zip(&self.records) {
            let Some(name) = name else { continue };
            let person = people.entry(name).or_default();
            person.mails.extend(record.mail.clone());
            person.latest = person.latest.max(record.at);
            if let Some(value) = &record.value {
                let best = &mut person.values[record.dataset];
                if best.as_ref().is_none_or(|(at, _)| *at < record.at) {
                    *best = Some((record.at, value.clone()));
                }
            }
        }
        people.into_values().collect()
    }

    /// The rows by address, and how many members are left out: without an address, and as duplicates.
    fn expected(&self) -> (BTreeMap<String, String>, u64, u64) {
        let mut best: BTreeMap<String, (u64, [(bool, String); 2])> = BTreeMap::new();
        let (mut without, mut all) = (0, 0);
        for person in self.people() {
            let value =
                |place: usize| person.values[place].as_ref().map(|(_, value)| value.clone());
            let [name, city] = [value(0), value(1)];
            // The rule.
            if name.as_deref() == Some("v0") {
                continue;
            }
            without += u64::from(person.mails.is_empty());
            all += person.mails.len() as u64;
            // Missing values rank last.
            let rank = |value: Option<String>| (value.is_none(), value.unwrap_or_default());
            let rank = (person.latest, [rank(name), rank(city)]);
            for mail in person.mails {
                let best = best.entry(mail).or_insert_with(|| rank.clone());
                if (std::cmp::Reverse(rank.0), &rank.1) < (std::cmp::Reverse(best.0), &best.1) {
                    *best = rank.clone();
                }
            }
        }
        let duplicates = all - best.len() as u64;
        let cell =
            |(is_missing, value): (bool, String)| if is_missing { "∅".into() } else { value };
        let row = |(mail, (_, [name, city])): (String, (u64, [_; 2]))| {
            let row = format!("{mail}|{}|{}", cell(name), cell(city));
            (mail, row)
        };
        (best.into_iter().map(row).collect(), without, duplicates)
    }
}

fn case(datasets: usize) -> Case {
    let city = if datasets == 2 { "city" } else { "city=CAST(NULL AS VARCHAR)" };
    let mut case =
        Case::new(CSV).rule("name IS DISTINCT FROM 'v0'").columns(&["name", city, "$operation"]);
    case.query.columns.insert(0, identity("Email"));
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_increments_are_those_of_a_plain_computation() {
    for seed in 0..PROJECTS {
        let mut chance = Chance::new(seed + 1);
        let mut world = World::new(&mut chance);
        let case = case(world.datasets);
        let baselines = [0, 1, 2].map(|run| case.path(&format!("baseline-{run}")));
        let increment = Increment { changes: true, leavers: true, identities: Vec::new() };
        let mut receiver: BTreeMap<String, String> = BTreeMap::new();
        for run in 0..3 {
            if run > 0 {
                world.records = World::records(&mut chance, world.datasets);
            }
            world.write(&case);
            let (expected, without, duplicates) = world.expected();
            let mut before: Option<Vec<String>> = None;
            for threads in 1..=3 {
                let engine = engine(&case, threads, 1 << 20);
                let profiles = pinned(&case, &engine, world.datasets, world.stitch).await;
                let found = rows(&engine, &case, &profiles).await;
                let as_map = |rows: &[String]| -> BTreeMap<String, String> {
                    let row = |row: &String| {
                        let row = row.strip_suffix("|added").unwrap_or(row).to_owned();
                        (row.split('|').next().unwrap_or_default().to_owned(), row)
                    };
                    rows.iter().map(row).collect()
                };
                let place = format!("project {seed}, run {run}, {threads} threads");
                assert_eq!(as_map(&found), expected, "{place}");
                assert_eq!(found.len(), expected.len(), "{place}");
                assert!(before.is_none_or(|before| before == found), "the order: {place}");
                before = Some(found);
                let counts = engine.count(&case.query, &profiles).await.expect("they are counted");
                let excluded = [
                    ("missing:identityMap_Email".to_owned(), without),
                    ("duplicate".to_owned(), duplicates),
                ];
                assert_eq!(counts.excluded, excluded, "{place}");
                assert_eq!(counts.activated, expected.len() as u64, "{place}");
            }
            let engine = engine(&case, 2, 1 << 20);
            let profiles = pinned(&case, &engine, world.datasets, world.stitch).await;
            let last = (run > 0).then(|| baselines[run - 1].as_path());
            let files = Baselines { last, next: Some(&baselines[run]) };
            let difference = engine.difference(&case.query, &increment, files, &profiles).await;
            let difference = difference.expect("the difference is found");
            let sent = difference.map_ordered(|batch| Ok::<_, engine::Error>(lines(&batch)));
            for row in sent.try_collect::<Vec<_>>().await.expect("it is read").concat() {
                let (row, operation) = row.rsplit_once('|').expect("an operation");
                let mail = row.split('|').next().unwrap_or_default().to_owned();
                let place = format!("project {seed}, run {run}: {row} {operation}");
                let known = match operation {
                    "removed" => receiver.remove(&mail).is_some(),
                    _ => receiver.insert(mail, row.to_owned()).is_some(),
                };
                assert_eq!(known, operation != "added", "{place}");
            }
            assert_eq!(receiver, expected, "project {seed}, run {run}");
        }
    }
}
