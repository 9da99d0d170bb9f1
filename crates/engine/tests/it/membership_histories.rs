//! Segments of segments, imported segments, events, consent and memberships over time, of profiles that
//! are merged or read where they are, beside a plain computation with maps in memory, over random
//! histories.
//!
//! `.ci/histories` plays more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use engine::{Baselines, Counts, Effects, Error, Profiles};
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use plan::consent::{Consent, OptOut, Purpose};
use plan::field::FieldPath;
use plan::project::{
    Dataset, DatasetKind, Identity, Merge, MergePolicy, Rule, RuleOrigin, Segment,
};
use plan::run_plan::{History, Increment};
use plan::schema::FieldType;
use uuid::Uuid;

use crate::histories::Random;
use crate::support::{CSV, Case, SPAN, histories, lines};

/// Histories that are played when nobody asks for more.
const HISTORIES: u64 = 150;
const RUNS: usize = 7;
const PEOPLE: u64 = 12;
const SEGMENT: Uuid = Uuid::from_u128(7);
/// The end of all time, so that every slot has come.
const END: Timestamp = Timestamp::MAX;

#[derive(Debug, Clone, PartialEq)]
struct Person {
    id: u64,
    email: Option<String>,
    points: i64,
    out: bool,
    agrees: bool,
    /// Orders, of which so many are large.
    large_orders: u64,
    small_orders: u64,
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
            out: random.one_in(5),
            agrees: !random.one_in(5),
            large_orders: random.below(4),
            small_orders: random.below(2),
        });
    }
    if random.one_in(2) {
        people.reverse();
    }
    people
}

/// The people in one file.
fn file(people: &[Person]) -> String {
    let lines = people.iter().map(|person| line(person, |_| true));
    format!("{HEADER}{}", lines.collect::<String>())
}

const HEADER: &str = "id,email,points,out,agrees\n";

/// The record of a person, with those of the four fields behind the id that are asked for.
fn line(person: &Person, mut has: impl FnMut(usize) -> bool) -> String {
    let Person { id, email, points, out, agrees, .. } = person;
    let fields = [
        email.clone().unwrap_or_default(),
        points.to_string(),
        if *out { "yes".to_owned() } else { "no".to_owned() },
        agrees.to_string(),
    ];
    let fields = fields.into_iter().enumerate();
    let fields = fields.map(|(field, text)| if has(field) { text } else { String::new() });
    format!("{id},{}\n", fields.collect::<Vec<_>>().join(","))
}

/// The people in two files, the first of which counts: each value stands in the first, or in the second
/// alone, and where it stands in the first the second says something else.
fn two_files(random: &mut Random, people: &[Person]) -> [String; 2] {
    let [mut first, mut second] = [HEADER.to_owned(), HEADER.to_owned()];
    for person in people {
        let in_first: Vec<bool> = (0..4).map(|_| random.one_in(2)).collect();
        let wrong = Person {
            // Somebody without an address has none anywhere.
            email: person.email.as_ref().map(|_| "wrong@x".to_owned()),
            points: 19 - person.points,
            out: !person.out,
            agrees: !person.agrees,
            ..person.clone()
        };
        first += &line(person, |field| in_first[field]);
        // Of two records in one file the first counts, where neither has a time.
        second += &line(person, |field| !in_first[field]);
        second += &line(&wrong, |_| true);
    }
    [first, second]
}

/// The orders of the people, and some of somebody who is none of them.
fn orders(random: &mut Random, people: &[Person]) -> String {
    let mut lines = Vec::new();
    for person in people {
        lines.extend((0..person.large_orders).map(|_| format!("{},9\n", person.id)));
        lines.extend((0..person.small_orders).map(|_| format!("{},2\n", person.id)));
    }
    lines.push(format!("{},9\n", PEOPLE + random.below(3)));
    let turn = random.below(lines.len() as u64) as usize;
    lines.rotate_left(turn);
    format!("who,total\n{}", lines.concat())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Full,
    Incremental,
    Changes,
}

/// How the export is set up.
#[derive(Debug, Clone, Copy)]
struct Setup {
    mode: Mode,
    leavers: bool,
    deduplicates: bool,
    mandatory: bool,
    opt_out: bool,
    purpose: bool,
    rule: usize,
    least: i64,
    exits_kept_days: u32,
}

const RULES: [&str; 6] = [
    "points >= LEAST",
    "in_segment('base') AND NOT in_segment('list')",
    "in_segment('list')",
    "in_segment('both') OR points >= 18",
    "(SELECT count(*) FROM orders WHERE total > 5) >= 2 AND in_segment('base')",
    "in_segment('buyers') OR points >= 18",
];
/// Those that rest on the imported segment.
const RULES_OF_LIST: [usize; 3] = [1, 2, 3];

impl Setup {
    fn random(random: &mut Random) -> Self {
        Self {
            mode: [Mode::Full, Mode::Incremental, Mode::Changes][random.below(3) as usize],
            leavers: !random.one_in(3),
            deduplicates: random.one_in(2),
            mandatory: random.one_in(2),
            opt_out: random.one_in(2),
            purpose: random.one_in(2),
            rule: random.below(RULES.len() as u64) as usize,
            least: random.below(15) as i64,
            exits_kept_days: [0, 3, 30][random.below(3) as usize],
        }
    }

    fn is_member(&self, person: &Person, listed: &BTreeSet<u64>) -> bool {
        let (base, list) = (person.points >= self.least, listed.contains(&person.id));
        match self.rule {
            0 => base,
            1 => base && !list,
            2 => list,
            3 => base && list || person.points >= 18,
            4 => person.large_orders >= 2 && base,
            _ => person.large_orders == 0 && person.small_orders > 0 || person.points >= 18,
        }
    }

    fn may_be_sent(&self, person: &Person) -> bool {
        !(self.opt_out && person.out) && (!self.purpose || person.agrees)
    }

    /// What the receiver tells a row by.
    fn entity(&self, person: &Person) -> String {
        let email = person.email.as_ref().filter(|_| self.deduplicates);
        email.map_or_else(|| format!("id {}", person.id), |email| format!("email {email}"))
    }

    fn increment(&self) -> Increment {
        let identities = vec![path("id")];
        Increment { changes: self.mode == Mode::Changes, leavers: self.leavers, identities }
    }

    fn configure(&self, case: &mut Case) {
        let least = self.least.to_string();
        let text = |text: &str| Rule { text: text.replace("LEAST", &least), origin: origin() };
        case.query.rule = text(RULES[self.rule]);
        case.query.segments = vec![
            segment("both", text("in_segment('base') AND in_segment('list')"), None),
            segment("base", text("points >= LEAST"), None),
            segment("list", text("in_segment('list')"), Some(listed())),
            segment(
                "buyers",
                text(
                    "EXISTS (SELECT FROM orders) AND NOT EXISTS (SELECT FROM orders WHERE total > 5)",
                ),
                None,
            ),
        ];
        let purpose = Purpose { action: "mail".to_owned(), rule: text("agrees") };
        case.query.consent = Consent {
            opt_out: self.opt_out.then(|| OptOut { field: path("out"), span: Some(SPAN) }),
            purposes: if self.purpose { vec![purpose] } else { Vec::new() },
        };
        let exits_kept_days = self.exits_kept_days;
        case.query.history = Some(History { segment: SEGMENT, exits_kept_days });
        case.query.columns.clear();
    }

    fn columns(&self) -> [&'static str; 6] {
        let email = match (self.mandatory, self.deduplicates) {
            (true, true) => "!#email",
            (true, false) => "!email",
            (false, true) => "#email",
            (false, false) => "email",
        };
        ["id", email, "points", "$status", "$operation", "$time"]
    }
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).expect("a path")
}

fn origin() -> RuleOrigin {
    RuleOrigin::Project { span: SPAN, spans_text: true }
}

fn segment(key: &str, rule: Rule, import: Option<Dataset>) -> Segment {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
    Segment { key: key.to_owned(), id, name: key.to_owned(), rule, import }
}

/// The file of the imported segment.
fn listed() -> Dataset {
    Dataset {
        key: "list".to_owned(),
        kind: DatasetKind::Profile,
        location: "list.csv".to_owned(),
        account: None,
        format: CSV,
        database: None,
        declared: Vec::new(),
        identities: vec![Identity { field: path("who"), namespace: "CRMID".into(), span: SPAN }],
        timestamp: None,
        span: SPAN,
        version_span: None,
    }
}

/// The file of orders.
fn ordered() -> Dataset {
    Dataset {
        key: "orders".to_owned(),
        kind: DatasetKind::Event,
        location: "orders.csv".to_owned(),
        ..listed()
    }
}

/// The second file of people.
fn second(case: &Case) -> Dataset {
    Dataset { key: "second".to_owned(), location: "second.csv".to_owned(), ..case.dataset.clone() }
}

/// Memberships, as the plainest of maps: whether somebody is a member, and since when or until when.
#[derive(Debug, Clone, Default)]
struct Model {
    states: BTreeMap<u64, (bool, Timestamp)>,
    evaluated_at: Option<Timestamp>,
}

impl Model {
    /// Evaluates, and returns since when each member is one.
    fn evaluate(
        &mut self,
        members: &BTreeSet<u64>,
        at: Timestamp,
        kept_days: u32,
    ) -> BTreeMap<u64, Timestamp> {
        let since = |id: &u64| match self.states.get(id) {
            Some((true, time)) => (*time).min(at),
            _ => at,
        };
        let times: BTreeMap<u64, Timestamp> = members.iter().map(|id| (*id, since(id))).collect();
        if self.evaluated_at.is_some_and(|before| before >= at) {
            return times;
        }
        for (id, (is_member, time)) in &mut self.states {
            if *is_member && !members.contains(id) {
                (*is_member, *time) = (false, at);
            }
        }
        let kept = SignedDuration::from_hours(24 * i64::from(kept_days));
        self.states.retain(|id, (is_member, time)| {
            *is_member || members.contains(id) || at.duration_since(*time) < kept
        });
        self.states.extend(times.iter().map(|(id, time)| (*id, (true, *time))));
        self.evaluated_at = Some(at);
        times
    }
}

/// What the receiver has, by entity.
type Had = BTreeMap<String, Person>;

struct Expected {
    rows: Vec<String>,
    gone: BTreeSet<String>,
    now: Had,
}

fn expected(
    setup: &Setup,
    people: &[Person],
    members: &BTreeSet<u64>,
    times: &BTreeMap<u64, Timestamp>,
    at: Timestamp,
    had: Option<&Had>,
) -> Expected {
    let is_in = |person: &Person| {
        members.contains(&person.id)
            && setup.may_be_sent(person)
            && (!setup.mandatory || person.email.is_some())
    };
    let mut full = BTreeMap::new();
    for (position, person) in people.iter().enumerate().filter(|(_, person)| is_in(person)) {
        // The latest time first, then the other columns from the first.
        let rank = |position: usize| {
            let person: &Person = &people[position];
            (std::cmp::Reverse(times[&person.id]), person.id, person.points, position)
        };
        let best = full.entry(setup.entity(person)).or_insert(position);
        if rank(position) < rank(*best) {
            *best = position;
        }
    }
    let now: Had = full.iter().map(|(entity, &at)| (entity.clone(), people[at].clone())).collect();
    let sent: BTreeSet<usize> = full.into_values().collect();
    let told = |person: &Person, told: &str, time: Timestamp, is_silent: bool| {
        let cell = |text: Option<String>| text.unwrap_or_else(|| "∅".to_owned());
        let email = person.email.clone().filter(|_| !is_silent || setup.deduplicates);
        let points = (!is_silent).then(|| person.points.to_string());
        format!("{}|{}|{}|{told}|{time}", person.id, cell(email), cell(points))
    };
    if setup.mode == Mode::Full {
        let rows = sent.iter().map(|&position| {
            let person = &people[position];
            told(person, "active|added", times[&person.id], false)
        });
        return Expected { rows: rows.collect(), gone: BTreeSet::new(), now };
    }
    let nobody = Had::new();
    let before = had.unwrap_or(&nobody);
    let mut left: BTreeSet<&String> =
        before.keys().filter(|entity| setup.leavers && !now.contains_key(*entity)).collect();
    let mut rows = Vec::new();
    for (position, person) in people.iter().enumerate() {
        let entity = setup.entity(person);
        let before = before.get(&entity);
        if left.remove(&entity) {
            rows.push(told(person, "expired|removed", at, !setup.may_be_sent(person)));
        } else if sent.contains(&position) {
            let has_changed = |before: &Person| {
                (before.id, &before.email, before.points)
                    != (person.id, &person.email, person.points)
            };
            match before {
                None => rows.push(told(person, "active|added", times[&person.id], false)),
                Some(before) if setup.mode == Mode::Changes && has_changed(before) => {
                    rows.push(told(person, "active|changed", times[&person.id], false));
                }
                Some(_) => {}
            }
        }
    }
    let gone = left.into_iter().map(|entity| told(&before[entity], "expired|removed", at, true));
    Expected { rows, gone: gone.collect(), now }
}

/// The profiles, from one file or merged from two.
async fn profiles(case: &Case, is_merged: bool) -> Result<Profiles, Error> {
    let (engine, folder) = (case.engine(), case.folder.path());
    let mut snapshots = vec![engine.pin(&case.dataset, folder).await?];
    let mut policy = MergePolicy::default();
    if is_merged {
        let second = second(case);
        policy.merge = Merge::Datasets(vec![case.dataset.key.clone(), second.key.clone()]);
        snapshots.push(engine.pin(&second, folder).await?);
    }
    let list = engine.pin(&listed(), folder).await?;
    let orders = engine.pin(&ordered(), folder).await?;
    Ok(Profiles::new(policy, snapshots).with_imports(vec![list]).with_events(vec![orders]))
}

/// Puts people in the order of their profiles.
async fn put_in_order(
    case: &Case,
    profiles: &Profiles,
    people: &mut [Person],
) -> Result<(), Error> {
    let mut query = case.query.clone();
    query.rule.text = "TRUE".to_owned();
    (query.history, query.consent) = (None, Consent::default());
    query.columns.retain(|column| column.header == "id");
    let rows = case.engine().rows(&query, profiles).await?;
    let ids: Vec<Vec<String>> =
        rows.map_ordered(|batch| Ok::<_, Error>(lines(&batch))).try_collect().await?;
    let ids = ids.concat();
    assert_eq!(ids.len(), people.len(), "each is one profile");
    people.sort_by_key(|person| ids.iter().position(|id| *id == person.id.to_string()));
    Ok(())
}

/// What a run found, and what its evaluation left.
async fn found(
    case: &Case,
    setup: &Setup,
    profiles: &Profiles,
    baselines: Baselines<'_>,
    more: bool,
) -> Result<(Vec<String>, Counts), Error> {
    let engine = case.engine();
    let mut other = case.query.clone();
    other.rule.text = "in_segment('base')".to_owned();
    other.history = None;
    let queries = if more { vec![&other, &case.query] } else { vec![&case.query] };
    let effects = Effects { move_until: Some(END), keep: true };
    let evaluated = engine.evaluate(&queries, profiles, effects).await?;
    let evaluated = evaluated.into_iter().next_back().expect("one for each")?;
    let rows = match setup.mode {
        Mode::Full => engine.rows(&case.query, profiles).await?,
        _ => engine.difference(&case.query, &setup.increment(), baselines, profiles).await?,
    };
    let tally = rows.tally();
    let lines: Vec<Vec<String>> =
        rows.map_ordered(|batch| Ok::<_, Error>(lines(&batch))).try_collect().await?;
    let (lines, counts) = (lines.concat(), tally.counts());
    let lost: u64 = counts.excluded.iter().map(|(_, count)| count).sum();
    assert_eq!(counts.received, counts.activated + lost, "{counts:?}");
    assert_eq!(counts.activated, lines.len() as u64);
    let removed = counts.movement.map_or(0, |movement| movement.removed);
    assert_eq!(counts.received - removed, evaluated.members);
    assert_eq!(counts.left_out, evaluated.left_out);
    Ok((lines, counts))
}

/// The history as it is on disk.
fn states(case: &Case) -> BTreeMap<u64, (bool, Timestamp)> {
    let path = case.path(&format!(".state/membership/{SEGMENT}.parquet"));
    let file = std::fs::File::open(path).expect("a history");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    let mut found = BTreeMap::new();
    for batch in reader.build().expect("a reader") {
        let batch = batch.expect("a batch");
        let text = |name: &str| batch.column_by_name(name).expect("a column").as_string::<i32>();
        let times = batch.column_by_name("lastQualificationTime").expect("a column");
        let times = times.as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            assert_eq!(text("namespace").value(row), "CRMID");
            let id = text("key").value(row).parse().expect("an id");
            let time = Timestamp::from_microsecond(times.value(row)).expect("a time");
            assert!(!times.is_null(row));
            found.insert(id, (text("status").value(row) == "realized", time));
        }
    }
    found
}

/// Returns how many rows were sent.
async fn play(seed: u64) -> usize {
    let mut random = Random(seed);
    let mut setup = Setup::random(&mut random);
    let mut case = Case::new(CSV)
        .in_memory()
        .location("people.csv")
        .declare("id", FieldType::Integer)
        .declare("email", FieldType::String)
        .declare("points", FieldType::Integer)
        .declare("out", FieldType::String)
        .declare("agrees", FieldType::Boolean);
    case.dataset.identities.push(Identity {
        field: path("id"),
        namespace: "CRMID".into(),
        span: SPAN,
    });
    (case.threads, case.memory_bytes) = match random.below(8) {
        0 => (3, 16),
        other => (1 + other as usize % 2, 1 << 30),
    };
    let mut at: Timestamp = "2026-01-31T02:00:00Z".parse().expect("a time");
    let mut model = Model::default();
    let mut delivered: Option<(PathBuf, Had)> = None;
    let mut received = Had::new();
    let mut sent = 0;
    for run in 0..RUNS {
        // Now and then somebody edits the rule, or a slot is run again, or one before it.
        if random.one_in(6) {
            setup.least = random.below(15) as i64;
        }
        let hours = match random.below(8) {
            0 => 0,
            1 if setup.mode == Mode::Full => -30,
            other => other as i64 * 20,
        };
        at += SignedDuration::from_hours(hours);
        let mut people = people(&mut random);
        let listed: BTreeSet<u64> = (0..PEOPLE + 3).filter(|_| random.one_in(2)).collect();
        let list: String = listed.iter().map(|id| format!("{id}\n{id}\n")).collect();
        // The same people from one file or from two are the same people.
        let is_merged = random.one_in(3);
        let [first, second] = match is_merged {
            true => two_files(&mut random, &people),
            false => [file(&people), String::new()],
        };
        case = case
            .text("people.csv", first)
            .text("second.csv", second)
            .text("orders.csv", orders(&mut random, &people))
            .text("list.csv", format!("who\n{list}"));
        setup.configure(&mut case);
        case = case.columns(&setup.columns());
        case.query.evaluated_at = at;

        let profiles = profiles(&case, is_merged).await.expect("they are pinned");
        if is_merged {
            let done = put_in_order(&case, &profiles, &mut people).await;
            done.unwrap_or_else(|error| panic!("seed {seed} run {run}: {error}"));
        }
        let next = case.path(&format!("baselines/{run}.parquet"));
        let last = delivered.as_ref().map(|(path, _)| path.as_path());
        let baselines = Baselines { last, next: Some(&next) };
        let outcome = found(&case, &setup, &profiles, baselines, random.one_in(2)).await;
        let (rows, counts) =
            outcome.unwrap_or_else(|error| panic!("seed {seed} run {run}: {error}"));

        let is_member = |person: &&Person| setup.is_member(person, &listed);
        let members: BTreeSet<u64> = people.iter().filter(is_member).map(|it| it.id).collect();
        let times = model.evaluate(&members, at, setup.exits_kept_days);
        let had = delivered.as_ref().map(|(_, had)| had);
        let wanted = expected(&setup, &people, &members, &times, at, had);
        let told = format!(
            "seed {seed} run {run} at {at} {setup:?}\n{people:#?}\nlisted {listed:?}\nhad {had:#?}\n{model:#?}"
        );
        assert_eq!(rows[..wanted.rows.len().min(rows.len())], wanted.rows[..], "{told}");
        let tail: BTreeSet<String> = rows[wanted.rows.len()..].iter().cloned().collect();
        assert_eq!(tail, wanted.gone, "{told}");
        assert_eq!(states(&case), model.states, "{told}");
        let refused = people
            .iter()
            .filter(|person| members.contains(&person.id) && !setup.may_be_sent(person))
            .count() as u64;
        let consent = counts.excluded.iter().find(|(reason, _)| reason == "consent");
        let asks = setup.opt_out || setup.purpose;
        assert_eq!(consent.map(|(_, count)| *count), asks.then_some(refused), "{told}");
        if RULES_OF_LIST.contains(&setup.rule) {
            let known = |id: &&u64| people.iter().any(|person| person.id == **id);
            let strangers = (listed.len() - listed.iter().filter(known).count()) as u64;
            assert!(counts.left_out.contains(&("no_profile:list".to_owned(), strangers)), "{told}");
        }
        sent += rows.len();
        // A run that fails leaves a baseline that nobody asks for.
        if random.one_in(3) {
            continue;
        }
        replay(&setup, &mut received, &rows);
        if setup.leavers || setup.mode == Mode::Full {
            assert!(received.keys().eq(wanted.now.keys()), "{told}\nreceived {received:#?}");
        }
        if setup.mode == Mode::Full || (setup.leavers && setup.mode == Mode::Changes) {
            let rows = |had: &Had| had.values().map(|it| (it.id, it.points)).collect::<Vec<_>>();
            assert_eq!(rows(&received), rows(&wanted.now), "{told}");
        }
        delivered = Some((next, wanted.now));
    }
    sent
}

/// What a receiver does with a file.
fn replay(setup: &Setup, received: &mut Had, rows: &[String]) {
    if setup.mode == Mode::Full {
        received.clear();
    }
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        let cell = |number: usize| Some(cells[number]).filter(|cell| *cell != "∅");
        let person = Person {
            id: cells[0].parse().expect("an id"),
            email: cell(1).map(str::to_owned),
            points: cell(2).map_or(0, |points| points.parse().expect("a number")),
            out: false,
            agrees: true,
            large_orders: 0,
            small_orders: 0,
        };
        match cells[4] {
            "removed" => received.remove(&setup.entity(&person)),
            _ => received.insert(setup.entity(&person), person),
        };
    }
}

#[test]
fn memberships_are_those_of_a_plain_computation() {
    assert!(histories(HISTORIES, play) > 0, "something is sent");
}
