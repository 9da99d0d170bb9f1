//! Merged profiles, compared with a plain computation in memory on random inputs.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Engine, Error, Profiles, Settings};
use futures::TryStreamExt;
use plan::field::FieldPath;
use plan::project::{Dataset, DatasetFormat, DatasetKind, Identity, Merge, MergePolicy, Stitch};

use crate::support::{Case, SPAN, histories, lines};

/// Random inputs that change, when nobody asks for more.
const CHANGING: u64 = 12;

/// Numbers that follow from a seed (Marsaglia's xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// Something in some of 10 cases.
    pub(crate) fn maybe<T>(&mut self, of_ten: u64, value: T) -> Option<T> {
        (self.below(10) < of_ten).then_some(value)
    }
}

const NAMESPACES: [&str; 3] = ["CRMID", "Email", "ECID"];
/// The key of a dataset, its identity fields with the namespaces' positions, and its other fields.
type Shape = (&'static str, &'static [(&'static str, usize)], &'static [&'static str]);
const DATASETS: [Shape; 3] = [
    ("crm", &[("crmId", 0), ("mail", 1)], &["name.first", "name.last", "tags", "points"]),
    ("web", &[("ecid", 2), ("mail", 1)], &["name.last", "points", "pages"]),
    ("shop", &[("crmId", 0), ("ecid", 2)], &["name.first", "tags", "pages", "name.middle.short"]),
];
/// All fields, in the order in which the datasets name them.
const FIELDS: [&str; 9] = [
    "crmId",
    "mail",
    "name.first",
    "name.last",
    "name.middle.short",
    "tags",
    "points",
    "ecid",
    "pages",
];

/// A record as the reference sees it: values by field, as JSON text.
#[derive(Debug, Clone, Default)]
struct Record {
    dataset: usize,
    time: Option<i64>,
    values: BTreeMap<&'static str, String>,
}

impl Record {
    fn identities(&self) -> Vec<(usize, String)> {
        let fields = DATASETS[self.dataset].1.iter();
        let value =
            |field: &str| self.values.get(field).map(|text| text.trim_matches('"').to_owned());
        fields
            .filter_map(|(field, namespace)| Some((*namespace, value(field)?)))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    fn primary(&self) -> Option<(usize, String)> {
        let (field, namespace) = DATASETS[self.dataset].1[0];
        let value = self.values.get(field)?.trim_matches('"').to_owned();
        (!value.is_empty()).then_some((namespace, value))
    }

    /// A line of JSON, structs nested.
    fn json(&self) -> String {
        let mut fields: Vec<String> = Vec::new();
        let (mut name, mut middle) = (Vec::new(), None);
        for (field, value) in &self.values {
            match field.strip_prefix("name.") {
                Some("middle.short") => middle = Some(format!("\"middle\":{{\"short\":{value}}}")),
                Some(inner) => name.push(format!("\"{inner}\":{value}")),
                None => fields.push(format!("\"{field}\":{value}")),
            }
        }
        name.extend(middle);
        if !name.is_empty() {
            fields.push(format!("\"name\":{{{}}}", name.join(",")));
        }
        fields.extend(self.time.map(|time| format!("\"at\":{time}")));
        format!("{{{}}}", fields.join(","))
    }
}

/// Records by the identity that their person is known by.
type People<'a> = BTreeMap<(usize, String), Vec<&'a Record>>;

/// A random project.
struct World {
    records: Vec<Record>,
    policy: MergePolicy,
    datasets: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let datasets = 1 + chance.below(3) as usize;
        let merge = match chance.below(2) {
            0 => Merge::Timestamp,
            _ => {
                let mut order: Vec<String> =
                    DATASETS[..datasets].iter().map(|dataset| dataset.0.to_owned()).collect();
                let turn = chance.below(datasets as u64) as usize;
                order.rotate_left(turn);
                Merge::Datasets(order)
            }
        };
        let stitch = if chance.below(2) == 0 { Stitch::None } else { Stitch::Graph };
        let people = 1 + chance.below(30);
        let mut records = Vec::new();
        for dataset in 0..datasets {
            for _ in 0..chance.below(80) {
                records.push(record(&mut chance, dataset, people));
            }
        }
        Self { records, policy: MergePolicy { merge, stitch }, datasets }
    }

    /// Writes the datasets, each in up to three files, and pins them.
    async fn profiles(&self, case: &Case, engine: &Engine) -> Profiles {
        let mut snapshots = Vec::new();
        for (number, (key, ..)) in DATASETS.iter().enumerate().take(self.datasets) {
            let records: Vec<String> = self.of(number).map(Record::json).collect();
            let folder = case.path(key);
            std::fs::create_dir_all(&folder).expect("a folder");
            for (file, lines) in records.chunks(records.len().div_ceil(3).max(1)).enumerate() {
                let path = folder.join(format!("{file}.jsonl"));
                std::fs::write(path, lines.join("\n")).expect("a file");
            }
            if records.is_empty() {
                std::fs::write(folder.join("0.jsonl"), "").expect("a file");
            }
            let dataset = dataset(number);
            snapshots.push(engine.pin(&dataset, case.folder.path()).await.expect("it is pinned"));
        }
        Profiles::new(self.policy.clone(), snapshots)
    }

    fn of(&self, dataset: usize) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.dataset == dataset)
    }

    /// Who is a person: records by key, and what is left out.
    fn people(&self) -> (People<'_>, BTreeMap<String, u64>) {
        let mut people: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
        let mut left_out = BTreeMap::new();
        let mut excluded = BTreeSet::new();
        for record in &self.records {
            let found = match self.policy.stitch {
                Stitch::None => record.primary(),
                Stitch::Graph => record.identities().first().map(|first| {
                    let all = self.connected(first);
                    let key = all.first().expect("at least itself").clone();
                    if all.len() > 50 {
                        excluded.insert(key.clone());
                    }
                    key
                }),
            };
            match found {
                None => {
                    let reason = format!("no_identity:{}", DATASETS[record.dataset].0);
                    *left_out.entry(reason).or_default() += 1;
                }
                Some(key) if excluded.contains(&key) => {}
                Some(key) => people.entry(key).or_default().push(record),
            }
        }
        if !excluded.is_empty() {
            left_out.insert("too_many_identities".to_owned(), excluded.len() as u64);
        }
        (people, left_out)
    }

    /// All identities that can be reached from one, by going round until nothing is new.
    fn connected(&self, from: &(usize, String)) -> BTreeSet<(usize, String)> {
        let mut all = BTreeSet::from([from.clone()]);
        loop {
            let before = all.len();
            for record in &self.records {
                let identities = record.identities();
                if identities.iter().any(|identity| all.contains(identity)) {
                    all.extend(identities);
                }
            }
            if all.len() == before {
                return all;
            }
        }
    }

    /// The value of each field of a person: that of the best record that has one.
    fn merge(&self, mut records: Vec<&Record>) -> Vec<String> {
        let precedence = |record: &Record| match &self.policy.merge {
            Merge::Timestamp => 0,
            Merge::Datasets(order) => {
                order.iter().position(|key| key == DATASETS[record.dataset].0).expect("it is named")
            }
        };
        // Records are in the order of the datasets, files and lines, and this sort keeps it.
        records.sort_by_key(|record| (precedence(record), std::cmp::Reverse(record.time)));
        let value = |field: &str| {
            let found = records.iter().find_map(|record| record.values.get(field));
            found.map_or("∅".to_owned(), |text| shown(text))
        };
        FIELDS.iter().map(|field| value(field)).collect()
    }
}

/// As the engine's lists and texts are shown.
fn shown(json: &str) -> String {
    json.replace('"', "").replace(',', ", ")
}

fn record(chance: &mut Chance, dataset: usize, people: u64) -> Record {
    let (_, identities, fields) = DATASETS[dataset];
    let person = chance.below(people);
    let mut values = BTreeMap::new();
    for (field, _) in identities {
        // Now and then somebody else's identity, so that chains and circles come about.
        let other = chance.below(people);
        let of = if chance.below(8) == 0 { other } else { person };
        let text = if chance.below(30) == 0 { String::new() } else { format!("{field}{of}") };
        values.extend(chance.maybe(8, (*field, format!("\"{text}\""))));
    }
    for &field in fields {
        let number = chance.below(5);
        let value = match field {
            "points" => format!("{number}"),
            "tags" => format!("[{}]", vec!["\"t\""; number as usize].join(",")),
            "pages" => format!("[{}]", vec!["7"; number as usize].join(",")),
            _ => format!("\"{field}{number}\""),
        };
        values.extend(chance.maybe(6, (field, value)));
    }
    Record { dataset, time: chance.below(4).checked_sub(1).map(|time| time as i64), values }
}

pub(crate) fn dataset(number: usize) -> Dataset {
    let (key, identities, _) = DATASETS[number];
    let path = |text: &str| FieldPath::parse(text).expect("a path");
    let identity = |(field, namespace): &(&str, usize)| Identity {
        field: path(field),
        namespace: NAMESPACES[*namespace].to_owned(),
        span: SPAN,
    };
    use plan::schema::FieldType;
    let text = || FieldType::String;
    let list = |of| FieldType::List(Box::new(of));
    let field = |name: &str, field_type| plan::schema::Field { name: name.to_owned(), field_type };
    let name = FieldType::Struct(vec![
        field("first", text()),
        field("last", text()),
        field("middle", FieldType::Struct(vec![field("short", text())])),
    ]);
    let declared = [
        ("crmId", text()),
        ("mail", text()),
        ("name", name),
        ("tags", list(text())),
        ("points", FieldType::Integer),
        ("ecid", text()),
        ("pages", list(FieldType::Integer)),
        ("at", FieldType::Integer),
    ];
    Dataset {
        key: key.to_owned(),
        kind: DatasetKind::Profile,
        location: key.to_owned(),
        account: None,
        format: DatasetFormat::JsonLines,
        database: None,
        declared: declared.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
        identities: identities.iter().map(identity).collect(),
        timestamp: Some(path("at")),
        span: SPAN,
        version_span: None,
    }
}

pub(crate) fn engine(case: &Case, threads: usize, memory_bytes: usize) -> Engine {
    let folder = case.path(&format!(".state-{threads}"));
    Engine::new(Settings { threads, memory_bytes, ..Settings::new(&folder) })
}

pub(crate) async fn rows(
    engine: &Engine,
    case: &Case,
    profiles: &Profiles,
) -> Result<Vec<String>, Error> {
    let rows = engine.rows(&case.query, profiles).await?;
    let lines: Vec<Vec<String>> =
        rows.map_ordered(|batch| Ok::<_, Error>(lines(&batch))).try_collect().await?;
    Ok(lines.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_those_of_a_plain_computation() {
    let (mut merged, mut left) = (0, BTreeSet::new());
    for seed in 0..120 {
        let world = World::new(seed);
        let case = Case::new(DatasetFormat::JsonLines).columns(&FIELDS);
        let (people, left_out) = world.people();
        let mut expected: Vec<String> =
            people.into_values().map(|records| world.merge(records).join("|")).collect();
        expected.sort();
        let mut orders = Vec::new();
        for (threads, memory) in [(1, 1 << 30), (3, 1 << 18)] {
            let engine = engine(&case, threads, memory);
            let profiles = world.profiles(&case, &engine).await;
            let found = rows(&engine, &case, &profiles).await.expect("the profiles are read");
            let mut sorted = found.clone();
            sorted.sort();
            assert_eq!(sorted, expected, "seed {seed}, {:?}", world.policy);
            let counts = engine.count(&case.query, &profiles).await.expect("they are counted");
            let counted = counts.left_out.into_iter().filter(|(_, count)| *count > 0);
            assert_eq!(counted.collect::<BTreeMap<_, _>>(), left_out, "seed {seed}");
            orders.push(found);
        }
        assert_eq!(orders[0], orders[1], "seed {seed}: the order does not depend on threads");
        merged += usize::from(expected.len() < world.records.len());
        left.extend(left_out.into_keys());
    }
    assert!(merged > 80, "{merged} of the inputs have something to merge");
    assert_eq!(left.len(), 4, "every reason comes up: {left:?}");
}

/// Random inputs that change: of each dataset three files of records.
struct Changing {
    files: Vec<Vec<Vec<Record>>>,
    policy: MergePolicy,
    people: u64,
}

impl Changing {
    fn new(chance: &mut Chance, seed: u64) -> Self {
        let World { policy, datasets, .. } = World::new(seed);
        let people = 20 + chance.below(40);
        let mut files = vec![vec![Vec::new(); 3]; datasets];
        for (dataset, files) in files.iter_mut().enumerate() {
            for file in files {
                *file =
                    (0..10 + chance.below(30)).map(|_| record(chance, dataset, people)).collect();
            }
        }
        Self { files, policy, people }
    }

    /// Changes something, and returns which files have to be written anew.
    fn change(&mut self, chance: &mut Chance) -> Vec<(usize, usize)> {
        let dataset = chance.below(self.files.len() as u64) as usize;
        let number = chance.below(3) as usize;
        let file = &mut self.files[dataset][number];
        let place = chance.below(file.len().max(1) as u64) as usize;
        match chance.below(7) {
            // Nothing at all.
            0 => return Vec::new(),
            // The precedence of datasets, where they have one.
            1 => {
                if let Merge::Datasets(order) = &mut self.policy.merge {
                    order.rotate_left(1);
                }
                return Vec::new();
            }
            // The same again.
            2 => {}
            3 if !file.is_empty() => drop(file.remove(place)),
            4 => file.truncate(place),
            5 => file.reverse(),
            _ if !file.is_empty() => file[place] = record(chance, dataset, self.people),
            _ => file.push(record(chance, dataset, self.people)),
        }
        vec![(dataset, number)]
    }

    fn write(&self, case: &Case, files: &[(usize, usize)]) {
        for &(dataset, number) in files {
            let folder = case.path(DATASETS[dataset].0);
            std::fs::create_dir_all(&folder).expect("a folder");
            let lines: Vec<String> = self.files[dataset][number].iter().map(Record::json).collect();
            std::fs::write(folder.join(format!("{number}.jsonl")), lines.join("\n"))
                .expect("a file");
        }
    }

    fn world(&self) -> World {
        let records = self.files.iter().flatten().flatten().cloned().collect();
        World { records, policy: self.policy.clone(), datasets: self.files.len() }
    }

    async fn profiles(&self, case: &Case, engine: &Engine) -> Profiles {
        let mut snapshots = Vec::new();
        for number in 0..self.files.len() {
            let dataset = dataset(number);
            snapshots.push(engine.pin(&dataset, case.folder.path()).await.expect("it is pinned"));
        }
        Profiles::new(self.policy.clone(), snapshots)
    }
}

/// The files of the profiles that were used last, by name: their content, and the file's own number.
pub(crate) fn kept_last(state: &std::path::Path) -> BTreeMap<String, (Vec<u8>, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let folders = std::fs::read_dir(state.join("profiles")).expect("profiles are kept");
    let folders = folders.map(|folder| folder.expect("a folder").path());
    let used = |folder: &std::path::PathBuf| {
        let lock = std::fs::metadata(folder.join("lock")).expect("each has a lock");
        lock.modified().expect("a time")
    };
    let last = folders.max_by_key(used).expect("at least one");
    let parts = std::fs::read_dir(last).expect("a folder").map(|file| file.expect("a file"));
    let parts = parts.filter(|file| file.file_name().to_string_lossy().starts_with("part-"));
    parts
        .map(|file| {
            let bytes = std::fs::read(file.path()).expect("it is read");
            let number = file.metadata().expect("it is there").ino();
            (file.file_name().to_string_lossy().into_owned(), (bytes, number))
        })
        .collect()
}

#[test]
fn what_is_taken_over_is_what_would_be_made_again() {
    let taken = histories(CHANGING, changing);
    assert!(taken > 100, "{taken} files are taken over");
}

/// Merges random inputs that change, each time with what was kept before and without it. Returns how
/// many files were taken over.
async fn changing(seed: u64) -> usize {
    let mut taken = 0;
    let mut chance = Chance::new(seed + 1_000);
    let mut inputs = Changing::new(&mut chance, seed);
    let case = Case::new(DatasetFormat::JsonLines).in_memory().columns(&FIELDS);
    let all = (0..inputs.files.len()).flat_map(|it| (0..3).map(move |file| (it, file)));
    inputs.write(&case, &all.collect::<Vec<_>>());
    let (mut before, mut has_changed) = (BTreeMap::new(), false);
    for step in 0..5 {
        let world = inputs.world();
        let (people, left_out) = world.people();
        let mut expected: Vec<String> =
            people.into_values().map(|records| world.merge(records).join("|")).collect();
        expected.sort();
        let at = format!("seed {seed}, step {step}, {:?}", world.policy);
        // Little memory, so that there are many buckets.
        let warm = engine(&case, 2, 1 << 10);
        let profiles = inputs.profiles(&case, &warm).await;
        let mut found = rows(&warm, &case, &profiles).await.expect("the profiles are read");
        found.sort();
        assert_eq!(found, expected, "{at}");
        let counts = warm.count(&case.query, &profiles).await.expect("they are counted");
        let counted = counts.left_out.into_iter().filter(|(_, count)| *count > 0);
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), left_out, "{at}");
        let cold = engine(&case, 1, 1 << 10);
        let profiles = inputs.profiles(&case, &cold).await;
        rows(&cold, &case, &profiles).await.expect("the profiles are read");
        let kept = kept_last(&case.path(".state-2"));
        let anew = kept_last(&case.path(".state-1"));
        assert!(kept.keys().eq(anew.keys()), "{at}: the same files as without a past");
        for (name, (bytes, _)) in &kept {
            assert!(*bytes == anew[name].0, "{at}: {name} is as without a past");
        }
        std::fs::remove_dir_all(case.path(".state-1")).expect("it is removed");
        let is_taken = |it: &(Vec<u8>, u64)| before.values().any(|old: &(_, u64)| old.1 == it.1);
        taken += kept.values().filter(|it| has_changed && is_taken(it)).count();
        before = kept;
        let changed = inputs.change(&mut chance);
        inputs.write(&case, &changed);
        has_changed = !changed.is_empty();
    }
    taken
}
