//! Incremental exports beside a plain computation with maps in memory, over random histories.
//!
//! `.ci/histories` plays more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use engine::{
    Baselines, Error, FoundInRecord, Movement, People, Recorder, With, everybody_in, hash_of,
};
use futures::TryStreamExt;
use plan::field::FieldPath;
use plan::project::{DatasetFormat, Identity};
use plan::run_plan::Increment;

use crate::support::{CSV, Case, SPAN, histories, lines, write_parquet};

/// Histories that are played when nobody asks for more.
const HISTORIES: u64 = 150;
const RUNS: usize = 6;
const PEOPLE: u64 = 12;

/// A small generator of the same numbers for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// One record of the dataset.
#[derive(Debug, Clone, PartialEq)]
struct Person {
    id: u64,
    email: Option<String>,
    points: i64,
}

impl Person {
    fn cells(&self) -> [String; 3] {
        let cell = |value: Option<String>| value.unwrap_or_else(|| "∅".to_owned());
        [self.id.to_string(), cell(self.email.clone()), self.points.to_string()]
    }

    fn line(&self) -> String {
        format!("{},{},{}\n", self.id, self.email.as_deref().unwrap_or_default(), self.points)
    }
}

fn people(random: &mut Random) -> Vec<Person> {
    let mut people = Vec::new();
    for id in 0..PEOPLE {
        if random.one_in(4) {
            continue;
        }
        people.push(Person {
            id,
            email: (!random.one_in(5)).then(|| format!("{}@x", random.below(PEOPLE))),
            points: random.below(20) as i64,
        });
    }
    if random.one_in(2) {
        people.reverse();
    }
    people
}

/// How the export is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Setup {
    changes: bool,
    leavers: bool,
    deduplicates: bool,
    mandatory: bool,
    least: i64,
    /// Whether the people are in a folder of Parquet files, not all of which are written each time.
    in_parts: bool,
}

impl Setup {
    fn rule(self) -> String {
        format!("points >= {}", self.least)
    }

    fn random(random: &mut Random) -> Self {
        Self {
            changes: random.one_in(2),
            leavers: !random.one_in(3),
            deduplicates: random.one_in(2),
            mandatory: random.one_in(2),
            least: random.below(15) as i64,
            in_parts: false,
        }
    }

    fn case(self) -> Case {
        let email = match (self.mandatory, self.deduplicates) {
            (true, true) => "!#email",
            (true, false) => "!email",
            (false, true) => "#email",
            (false, false) => "email",
        };
        let integer = || plan::schema::FieldType::Integer;
        let mut case = match self.in_parts {
            true => Case::new(DatasetFormat::Parquet).in_memory().location("people"),
            false => Case::new(CSV)
                .in_memory()
                .location("people.csv")
                .declare("id", integer())
                .declare("email", plan::schema::FieldType::String)
                .declare("points", integer()),
        }
        .rule(&self.rule())
        .columns(&["id", email, "points", "$status", "$operation"]);
        let field = FieldPath::parse("id").expect("a path");
        case.dataset.identities.push(Identity { field, namespace: "CRMID".into(), span: SPAN });
        case
    }

    fn increment(self) -> Increment {
        let field = FieldPath::parse("id").expect("a path");
        Increment { changes: self.changes, leavers: self.leavers, identities: vec![field] }
    }

    /// What the receiver tells a row by.
    fn entity(self, person: &Person) -> String {
        let email = person.email.as_ref().filter(|_| self.deduplicates);
        let email = email.map(|email| format!("email {email}"));
        email.unwrap_or_else(|| format!("id {}", person.id))
    }

    /// The positions of the records that a full export sends.
    fn full(self, people: &[Person]) -> BTreeSet<usize> {
        let is_in = |person: &Person| {
            person.points >= self.least && (!self.mandatory || person.email.is_some())
        };
        let mut winners: BTreeMap<String, usize> = BTreeMap::new();
        let mut full = BTreeSet::new();
        for (position, person) in people.iter().enumerate().filter(|(_, person)| is_in(person)) {
            let Some(email) = person.email.as_ref().filter(|_| self.deduplicates) else {
                full.insert(position);
                continue;
            };
            // The first by the other columns.
            let rank = |position: usize| {
                let person = &people[position];
                (person.id, person.points, position)
            };
            let best = winners.entry(email.clone()).or_insert(position);
            if rank(position) < rank(*best) {
                *best = position;
            }
        }
        full.extend(winners.into_values());
        full
    }
}

/// What the receiver has, by entity.
type Had = BTreeMap<String, Person>;

/// The rows of the next file: those with a record in order, then the others.
fn expected(
    setup: Setup,
    people: &[Person],
    had: Option<&Had>,
) -> (Vec<String>, BTreeSet<String>, Had, Movement) {
    let full = setup.full(people);
    let now: Had = full.iter().map(|&at| (setup.entity(&people[at]), people[at].clone())).collect();
    let nobody = Had::new();
    let before = had.unwrap_or(&nobody);
    let mut left: BTreeSet<&String> =
        before.keys().filter(|entity| setup.leavers && !now.contains_key(*entity)).collect();
    let mut movement = Movement {
        members: full.len() as u64,
        removed: left.len() as u64,
        baseline: had.is_some(),
        ..Movement::default()
    };
    let mut rows = Vec::new();
    for (position, person) in people.iter().enumerate() {
        let entity = setup.entity(person);
        let told = match before.get(&entity) {
            _ if left.contains(&entity) => {
                left.remove(&entity);
                Some("expired|removed")
            }
            _ if !full.contains(&position) => None,
            None => {
                movement.added += 1;
                Some("active|added")
            }
            Some(before) if setup.changes && before != person => {
                movement.changed += 1;
                Some("active|changed")
            }
            Some(_) => None,
        };
        rows.extend(told.map(|told| format!("{}|{told}", person.cells().join("|"))));
    }
    let gone = left.into_iter().map(|entity| {
        let [id, email, _] = before[entity].cells();
        let email = if setup.deduplicates { email } else { "∅".to_owned() };
        format!("{id}|{email}|∅|expired|removed")
    });
    (rows, gone.collect(), now, movement)
}

/// Takes down whose the rows are while they go into files of a few rows each. The record then holds
/// exactly those whose ids stand in the rows.
async fn check_record(path: &Path, told: &[(Vec<String>, People)]) -> Result<(), Error> {
    let rows: usize = told.iter().map(|(lines, _)| lines.len()).sum();
    let rows_of_file = 1 + rows % 5;
    let headers = ["id", "e-mail, \"quoted\""];
    let mut recorder = Recorder::create(path, headers)?;
    let mut expected: BTreeSet<(u32, String)> = BTreeSet::new();
    let mut written = 0;
    for (lines, people) in told {
        for (row, line) in lines.iter().enumerate() {
            let file = 1 + (written / rows_of_file) as u32;
            recorder.add(file, people, row..row + 1).await?;
            let id = line.split('|').next().expect("a cell");
            expected.insert((file, id.to_owned()));
            written += 1;
        }
    }
    recorder.finish().await?.persist()?;
    let everybody: BTreeSet<(u32, u64)> = everybody_in(path)?.into_iter().collect();
    assert_eq!(everybody.len(), expected.len(), "nobody else");
    for (file, id) in &expected {
        let person = hash_of("CRMID", id);
        assert!(everybody.iter().any(|(other, number)| other == file && person.is(*number)));
    }
    for id in (rows as u64 % 3..=4 * PEOPLE).step_by(3) {
        let person = hash_of("CRMID", &id.to_string());
        let found = FoundInRecord::in_record(path, &[person])?.expect("a record");
        let files = expected.iter().filter(|(_, other)| *other == id.to_string());
        let files: Vec<u32> = files.map(|(file, _)| *file).collect();
        assert_eq!((found.files, found.rows, found.nameless), (files, rows as u64, 0));
        assert_eq!(found.columns, headers);
    }
    Ok(())
}

/// The rows and counts of a run.
async fn found(
    case: &Case,
    increment: &Increment,
    last: Option<&Path>,
    next: Option<&Path>,
) -> Result<(Vec<String>, Movement), Error> {
    let snapshot = case.pin().await?;
    let baselines = Baselines { last, next };
    let engine = case.engine();
    let (query, with) = (&case.query, With::People);
    let rows = engine.difference_and(query, increment, baselines, with, &snapshot).await?;
    let tally = rows.tally();
    let told = rows.map_with_people(|batch, people| Ok::<_, Error>((lines(&batch), people)));
    let told: Vec<(Vec<String>, People)> = told.try_collect().await?;
    let counts = tally.counts();
    check_record(&case.path("who-got/run.parquet"), &told).await?;
    let lines = told.into_iter().map(|(lines, _)| lines).collect::<Vec<_>>().concat();
    let lost: u64 = counts.excluded.iter().map(|(_, count)| count).sum();
    assert_eq!(counts.received, counts.activated + lost, "{counts:?}");
    assert_eq!(counts.activated, lines.len() as u64);
    Ok((lines, counts.movement.expect("an increment moves")))
}

/// An export run by run, beside the plain computation.
struct Player {
    seed: u64,
    setup: Setup,
    /// The last delivered baseline, and what the receiver has by then.
    delivered: Option<(PathBuf, Had)>,
}

impl Player {
    fn new(seed: u64, setup: Setup) -> Self {
        Self { seed, setup, delivered: None }
    }

    /// Now and then everything goes to disk.
    fn case(&self, random: &mut Random) -> Case {
        let mut case = self.setup.case();
        (case.threads, case.memory_bytes) = match random.below(8) {
            0 => (3, 16),
            other => (1 + other as usize % 2, 1 << 30),
        };
        case
    }

    /// Runs once, and checks rows and counts. Returns the baseline and how many rows were sent.
    async fn run(
        &mut self,
        run: usize,
        case: &Case,
        people: &[Person],
        random: &mut Random,
    ) -> (PathBuf, usize) {
        let Self { seed, setup, delivered } = self;
        let next = case.path(&format!("baselines/{run}.parquet"));
        let last = delivered.as_ref().map(|(path, _)| path.as_path());
        let (rows, movement) = found(case, &setup.increment(), last, Some(&next))
            .await
            .unwrap_or_else(|error| panic!("seed {seed} run {run}: {error}"));
        let had = delivered.as_ref().map(|(_, had)| had);
        let (in_order, gone, now, expected_movement) = expected(*setup, people, had);
        let told = format!("seed {seed} run {run} {setup:?}\n{people:#?}\nhad {had:#?}");
        assert_eq!(rows[..in_order.len().min(rows.len())], in_order[..], "{told}");
        let tail: BTreeSet<String> = rows[in_order.len()..].iter().cloned().collect();
        assert_eq!(tail, gone, "{told}");
        assert_eq!(movement, expected_movement, "{told}");
        // A run that fails leaves a baseline that nobody asks for.
        if !random.one_in(3) {
            *delivered = Some((next.clone(), now));
        }
        (next, rows.len())
    }
}

/// Returns how many rows were sent.
async fn play(seed: u64) -> usize {
    let mut random = Random(seed);
    let mut player = Player::new(seed, Setup::random(&mut random));
    let mut case = player.case(&mut random);
    let mut sent = 0;
    for run in 0..RUNS {
        let people = people(&mut random);
        let text: String = people.iter().map(Person::line).collect();
        case = case.text("people.csv", format!("id,email,points\n{text}"));
        sent += player.run(run, &case, &people, &mut random).await.1;
    }
    sent
}

/// Files of the folder.
const PARTS: usize = 4;
/// Rows of a row group, so that each file has several.
const GROUP_ROWS: usize = 5;

/// The people of a folder of files. A person is in one of them, and not always in the same.
#[derive(Default)]
struct Parts {
    people: [Vec<Person>; PARTS],
    /// How often a file was written: its time, which tells versions of a file apart.
    written: u64,
}

impl Parts {
    /// Writes some of the files anew, with other people or the same, or removes them.
    fn write(&mut self, case: &Case, random: &mut Random) {
        let is_first = self.written == 0;
        let chosen: Vec<usize> = (0..PARTS).filter(|_| is_first || random.one_in(3)).collect();
        let mut free: Vec<u64> = (0..4 * PEOPLE).collect();
        for (part, people) in self.people.iter().enumerate() {
            if !chosen.contains(&part) {
                free.retain(|id| people.iter().all(|person| person.id != *id));
            }
        }
        let before: Vec<Person> =
            chosen.iter().flat_map(|part| std::mem::take(&mut self.people[*part])).collect();
        for id in free.into_iter().filter(|_| !chosen.is_empty()) {
            let known = before.iter().find(|person| person.id == id);
            let person = match known {
                None if !is_first && !random.one_in(6) => continue,
                Some(_) if random.one_in(8) => continue,
                Some(person) if !random.one_in(4) => person.clone(),
                _ => Person {
                    id,
                    email: (!random.one_in(5)).then(|| format!("{}@x", random.below(PEOPLE))),
                    points: random.below(20) as i64,
                },
            };
            self.people[chosen[random.below(chosen.len() as u64) as usize]].push(person);
        }
        self.write_files(chosen, case, random);
    }

    /// Writes all files anew, with nearly the same people in nearly the same places.
    fn write_anew(&mut self, case: &Case, random: &mut Random) {
        let mut free: Vec<u64> = (0..4 * PEOPLE).collect();
        free.retain(|id| self.people.iter().flatten().all(|person| person.id != *id));
        for part in 0..PARTS {
            let people = &mut self.people[part];
            people.retain(|_| !random.one_in(24));
            for person in people.iter_mut() {
                if random.one_in(8) {
                    person.points = random.below(20) as i64;
                }
                if random.one_in(16) {
                    person.email = Some(format!("{}@x", random.below(PEOPLE)));
                }
            }
            if random.one_in(3) && !free.is_empty() {
                let id = free.remove(random.below(free.len() as u64) as usize);
                let person = Person { id, email: None, points: random.below(20) as i64 };
                people.insert(random.below(people.len() as u64 + 1) as usize, person);
            }
            if random.one_in(12) {
                people.reverse();
            }
            if random.one_in(12) && !people.is_empty() {
                let moved = people.remove(random.below(people.len() as u64) as usize);
                self.people[(part + 1) % PARTS].push(moved);
            }
            if random.one_in(12) {
                self.people.swap(part, (part + 1) % PARTS);
            }
        }
        self.write_files((0..PARTS).collect(), case, random);
    }

    fn write_files(&mut self, chosen: Vec<usize>, case: &Case, random: &mut Random) {
        for part in chosen {
            self.written += 1;
            let path = case.path(&format!("people/{part}.parquet"));
            let people = &self.people[part];
            if people.is_empty() && random.one_in(2) {
                let _ = std::fs::remove_file(path);
                continue;
            }
            let ids: Int64Array = people.iter().map(|person| Some(person.id as i64)).collect();
            let emails: StringArray = people.iter().map(|person| person.email.clone()).collect();
            let points: Int64Array = people.iter().map(|person| Some(person.points)).collect();
            let columns: [(&str, ArrayRef); 3] =
                [("id", Arc::new(ids)), ("email", Arc::new(emails)), ("points", Arc::new(points))];
            let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
            write_parquet(&path, &batch, GROUP_ROWS);
            let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.written);
            let file = std::fs::File::options().write(true).open(&path).expect("the file is there");
            file.set_modified(time).expect("the time is set");
        }
    }

    /// In snapshot order.
    fn all(&self) -> Vec<Person> {
        self.people.concat()
    }
}

/// Returns how many baselines are moves beside an older one.
async fn play_in_parts(seed: u64) -> usize {
    play_over_files(Random(seed ^ 0x5eed), false).await
}

/// The same with files all of which are written anew each time.
async fn play_anew(seed: u64) -> usize {
    play_over_files(Random(seed ^ 0xa4e), true).await
}

async fn play_over_files(mut random: Random, is_anew: bool) -> usize {
    let seed = random.0;
    let mut setup = Setup { in_parts: true, ..Setup::random(&mut random) };
    setup.deduplicates &= random.one_in(4);
    let mut player = Player::new(seed, setup);
    let mut case = player.case(&mut random);
    let mut parts = Parts::default();
    let mut in_place = 0;
    for run in 0..2 * RUNS {
        match is_anew && run > 0 {
            true => parts.write_anew(&case, &mut random),
            false => parts.write(&case, &mut random),
        }
        if random.one_in(3) {
            let setup = &mut player.setup;
            setup.least = (setup.least + 1 - random.below(3) as i64).max(0);
            case = case.rule(&setup.rule());
        }
        let people = parts.all();
        if people.is_empty() {
            continue;
        }
        let (next, _) = player.run(run, &case, &people, &mut random).await;
        in_place += usize::from(next.with_extension("moves").exists());
    }
    in_place
}

/// Where nothing but the rule moves, identities are read with the rows if a record of whose they are is
/// made; otherwise before. It makes no difference.
#[tokio::test]
async fn identities_of_those_who_move_are_read_before_their_rows_or_with_them() {
    let setup = Setup {
        changes: false,
        leavers: true,
        deduplicates: false,
        mandatory: false,
        least: 5,
        in_parts: true,
    };
    let case = setup.case();
    // All but the third are members, then all but the first.
    let ids: Int64Array = (1..=40).map(Some).collect();
    let emails: StringArray = (1..=40).map(|id| (id == 1).then_some("a@x")).collect();
    let points: Int64Array = (1..=40).map(|id| Some(if id == 3 { 1 } else { 9 })).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("id", Arc::new(ids)), ("email", Arc::new(emails)), ("points", Arc::new(points))];
    let path = case.path("people/0.parquet");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    write_parquet(&path, &RecordBatch::try_from_iter(columns).expect("columns"), GROUP_ROWS);
    let file = std::fs::File::options().write(true).open(&path).expect("the file is there");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).expect("the time is set");
    let first = case.path("baselines/1.parquet");
    found(&case, &setup.increment(), None, Some(&first)).await.expect("the first run");
    let case = case.rule("points < 9 OR id > 1");
    let mut told = Vec::new();
    for with in [With::Nothing, With::People] {
        let next = case.path(&format!("baselines/{with:?}.parquet"));
        let baselines = Baselines { last: Some(&first), next: Some(&next) };
        let (engine, snapshot) = (case.engine(), case.pin().await.expect("a snapshot"));
        let (query, increment) = (&case.query, setup.increment());
        let rows = engine.difference_and(query, &increment, baselines, with, &snapshot).await;
        let rows = rows.expect("an increment");
        let (is_before, tally) = (with == With::Nothing, rows.tally());
        assert_eq!(next.exists(), is_before, "{with:?}");
        let mut rows = rows.map_with_people(|batch, _| Ok::<_, Error>(lines(&batch)));
        let mut sent = Vec::new();
        while let Some(lines) = rows.try_next().await.expect("rows") {
            assert_eq!(next.exists(), is_before, "{with:?}");
            sent.extend(lines);
        }
        assert!(next.exists() && next.with_extension("moves").exists(), "{with:?}");
        // The next run has nothing to send, after either baseline.
        let (none, movement) = found(&case, &increment, Some(&next), None).await.expect("a run");
        assert_eq!((none.len(), movement.members, movement.added), (0, 39, 0));
        told.push((sent, tally.counts()));
    }
    assert_eq!(told[0], told[1]);
    let (rows, counts) = &told[0];
    assert_eq!(rows[..], ["1|a@x|9|expired|removed", "3|∅|1|active|added"]);
    assert_eq!((counts.activated, counts.received), (2, 40), "{counts:?}");
}

#[test]
fn increments_over_files_that_stay_are_those_of_a_plain_computation() {
    assert!(histories(HISTORIES / 2, play_in_parts) > 0, "some are found in place");
}

#[test]
fn increments_over_files_that_are_written_anew_are_those_of_a_plain_computation() {
    assert!(histories(HISTORIES / 2, play_anew) > 0, "some are found in place");
}

#[test]
fn increments_are_those_of_a_plain_computation() {
    assert!(histories(HISTORIES, play) > 0, "something is sent");
}

#[tokio::test]
async fn what_editing_does_to_the_baseline() {
    let setup = Setup {
        changes: false,
        leavers: true,
        deduplicates: false,
        mandatory: false,
        least: 0,
        in_parts: false,
    };
    let text = "id,email,points\n1,a@x,1\n2,b@x,2\n";
    let case = setup.case().text("people.csv", text);
    let baseline = case.path("baseline.parquet");
    let first = found(&case, &setup.increment(), None, Some(&baseline)).await;
    assert_eq!(first.expect("the first run").1.added, 2);
    let last = Some(baseline.as_path());
    let moved = async |setup: Setup| {
        let case = setup.case().text("people.csv", text);
        let movement = found(&case, &setup.increment(), last, None).await.expect("a run").1;
        (movement.baseline, movement.added, movement.changed, movement.removed)
    };
    assert_eq!(moved(setup).await, (true, 0, 0, 0), "nothing");
    assert_eq!(moved(Setup { least: 2, ..setup }).await, (true, 0, 0, 1), "another rule");
    assert_eq!(moved(Setup { changes: true, ..setup }).await, (true, 0, 2, 0), "another mode");
    assert_eq!(moved(Setup { deduplicates: true, ..setup }).await, (false, 2, 0, 0), "another key");
    let gone = found(&case, &setup.increment(), Some(&case.path("no.parquet")), None).await;
    assert!(!gone.expect("a run").1.baseline, "a baseline that is gone");
    std::fs::write(&baseline, b"PAR1").expect("it is damaged");
    let error = found(&case, &setup.increment(), last, None).await.expect_err("it is damaged");
    insta::assert_snapshot!(error.to_string().replace(&baseline.display().to_string(), "FILE"), @"the record of what was sent is damaged (FILE)");
    insta::assert_snapshot!(error.hint().expect("a hint"), @"Remove the file: the next run then sends everybody again.");
}
