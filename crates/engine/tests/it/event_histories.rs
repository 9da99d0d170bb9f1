//! Rules over events beside a plain computation with lists in memory, over random people, events and
//! rules.
//!
//! `.ci/histories` tries more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use plan::field::FieldPath;
use plan::project::{Dataset, DatasetFormat, DatasetKind, Stitch};
use plan::schema::FieldType;

use crate::support::{CSV, Case, histories, identity};

/// Cases that are tried when nobody asks for more.
const CASES: u64 = 300;
const HOUR: i64 = 3_600_000_000;
const PEOPLE: u64 = 8;

/// A small generator of the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// One event, its time in hours from the evaluation.
#[derive(Debug, Clone)]
struct Event {
    person: Option<String>,
    hours: Option<i64>,
    kind: Option<&'static str>,
    amount: Option<f64>,
    points: Option<i64>,
}

fn event(random: &mut Random, of: &str) -> Event {
    let kinds = ["a", "b", "c"];
    Event {
        person: (!random.one_in(8)).then(|| format!("{of}{}", random.below(PEOPLE + 2))),
        hours: (!random.one_in(8)).then(|| random.below(40) as i64 - 32),
        kind: (!random.one_in(6)).then(|| kinds[random.below(3) as usize]),
        amount: (!random.one_in(4)).then(|| random.below(40) as f64 / 4.0 - 2.0),
        points: (!random.one_in(4)).then(|| random.below(9) as i64 - 2),
    }
}

/// Whether an event fulfils a condition; unknown is neither true nor false.
type Holds = Box<dyn Fn(&Event) -> Option<bool>>;
/// What is measured of events.
type Measured = Box<dyn Fn(&[&Event]) -> Option<f64>>;
/// A condition on an event, in SQL and as a function.
type Condition = (String, Holds);

fn condition(random: &mut Random, depth: u64) -> Condition {
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => {
            let kind = ["a", "b", "c"][random.below(3) as usize];
            (format!("kind = '{kind}'"), Box::new(move |it| it.kind.map(|it| it == kind)))
        }
        1 => {
            let limit = random.below(9) as i64 - 2;
            (format!("points >= {limit}"), Box::new(move |it| it.points.map(|it| it >= limit)))
        }
        2 => {
            let ago = random.below(34) as i64;
            let sql = format!("\"timestamp\" > now() - INTERVAL '{ago} hours'");
            (sql, Box::new(move |it| it.hours.map(|hours| hours > -ago)))
        }
        3 => {
            let ago = random.below(34) as i64;
            let sql = format!("at <= now() - INTERVAL '{ago} hours'");
            (sql, Box::new(move |it| it.hours.map(|hours| hours <= -ago)))
        }
        4 => {
            let (sql, of) = condition(random, depth - 1);
            (format!("NOT ({sql})"), Box::new(move |it| of(it).map(|it| !it)))
        }
        5 => {
            let (left, right) = (condition(random, depth - 1), condition(random, depth - 1));
            let sql = format!("({} AND {})", left.0, right.0);
            (sql, Box::new(move |it| and(left.1(it), right.1(it))))
        }
        _ => {
            let (left, right) = (condition(random, depth - 1), condition(random, depth - 1));
            let sql = format!("({} OR {})", left.0, right.0);
            let not = |it: Option<bool>| it.map(|it| !it);
            (sql, Box::new(move |it| not(and(not(left.1(it)), not(right.1(it))))))
        }
    }
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// A question to the events of a person; a number, or nothing, or 0 and 1 for false and true.
struct Question {
    sql: String,
    is_condition: bool,
    of: Measured,
}

fn question(random: &mut Random, dataset: &str) -> Question {
    if random.one_in(3) {
        return sequence(random, dataset);
    }
    let (text, holds) = condition(random, 2);
    let has_condition = !random.one_in(6);
    let clause = if has_condition { format!(" WHERE {text}") } else { String::new() };
    let matching = move |events: &[&Event]| -> Vec<Event> {
        let is_in = |event: &&&Event| !has_condition || holds(event) == Some(true);
        events.iter().filter(is_in).map(|event| (*event).clone()).collect()
    };
    if random.one_in(4) {
        let sql = format!("EXISTS (SELECT FROM {dataset}{clause})");
        let of = move |events: &[&Event]| Some(f64::from(u8::from(!matching(events).is_empty())));
        return Question { sql, is_condition: true, of: Box::new(of) };
    }
    let field = ["points", "amount"][random.below(2) as usize];
    let function = ["count", "sum", "min", "max", "avg", "*"][random.below(6) as usize];
    let sql = match function {
        "*" => format!("(SELECT count(*) FROM {dataset}{clause})"),
        _ => format!("(SELECT {function}({field}) FROM {dataset}{clause})"),
    };
    let of = move |events: &[&Event]| {
        let matching = matching(events);
        let value = |event: &Event| match field {
            "points" => event.points.map(|points| points as f64),
            _ => event.amount,
        };
        let values: Vec<f64> = matching.iter().filter_map(value).collect();
        let sum: f64 = values.iter().sum();
        let some = !values.is_empty();
        match function {
            "*" => Some(matching.len() as f64),
            "count" => Some(values.len() as f64),
            "sum" => some.then_some(sum),
            "avg" => some.then(|| sum / values.len() as f64),
            "min" => values.iter().copied().reduce(f64::min),
            _ => values.iter().copied().reduce(f64::max),
        }
    };
    Question { sql, is_condition: false, of: Box::new(of) }
}

/// A step of a sequence, or what must not happen.
struct Part {
    is_step: bool,
    holds: Holds,
    within: Option<i64>,
    after: Option<i64>,
}

fn sequence(random: &mut Random, dataset: &str) -> Question {
    let mut sql = format!("sequence('{dataset}'");
    let mut parts: Vec<Part> = Vec::new();
    for number in 0..=1 + random.below(3) {
        let is_step = number == 0 || !random.one_in(3);
        let (text, holds) = condition(random, 1);
        let within = (number > 0 && random.one_in(2)).then(|| random.below(14) as i64);
        let after = (number > 0 && is_step && random.one_in(4)).then(|| random.below(6) as i64);
        sql.push_str(if is_step { ", step(" } else { ", without(" });
        sql.push_str(&text);
        for (name, hours) in [("within", within), ("after", after)] {
            if let Some(hours) = hours {
                sql.push_str(&format!(", {name} => INTERVAL '{hours} hours'"));
            }
        }
        sql.push(')');
        parts.push(Part { is_step, holds, within, after });
    }
    sql.push(')');
    let of = move |events: &[&Event]| {
        let found = follows(&parts, events, &mut Vec::new());
        Some(f64::from(u8::from(found)))
    };
    Question { sql, is_condition: true, of: Box::new(of) }
}

/// Tries every event for every step.
fn follows(parts: &[Part], events: &[&Event], chosen: &mut Vec<usize>) -> bool {
    let is_step = |(at, part): (usize, &Part)| part.is_step.then_some(at);
    let steps: Vec<usize> = parts.iter().enumerate().filter_map(is_step).collect();
    let time = |event: usize| events[event].hours.expect("events without a time are left out");
    // Whether nothing happened that stands between a step and the next.
    let is_free = |step: usize, from: usize, until: Option<usize>| {
        let end = steps.get(step + 1).copied().unwrap_or(parts.len());
        parts[steps[step] + 1..end].iter().all(|without| {
            !(0..events.len()).any(|event| {
                (without.holds)(events[event]) == Some(true)
                    && time(event) > time(from)
                    && until.is_none_or(|until| time(event) < time(until))
                    && without.within.is_none_or(|hours| time(event) <= time(from) + hours)
            })
        })
    };
    let position = chosen.len();
    let Some(&step) = steps.get(position) else {
        return is_free(position - 1, chosen[position - 1], None);
    };
    let step = &parts[step];
    (0..events.len()).any(|event| {
        if chosen.contains(&event) || (step.holds)(events[event]) != Some(true) {
            return false;
        }
        if let Some(&before) = chosen.last() {
            let distance = time(event) - time(before);
            let fits = distance >= 0
                && step.within.is_none_or(|hours| distance <= hours)
                && step.after.is_none_or(|hours| distance >= hours);
            if !fits || !is_free(position - 1, before, Some(event)) {
                return false;
            }
        }
        chosen.push(event);
        let found = follows(parts, events, chosen);
        chosen.pop();
        found
    })
}

/// A rule, in SQL and as a function of the events in `orders` and `clicks`.
type Rule = (String, Box<dyn Fn(&[&Event], &[&Event]) -> Option<bool>>);

fn rule(random: &mut Random, depth: u64) -> Rule {
    match random.below(if depth == 0 { 2 } else { 5 }) {
        0..=2 => {
            let dataset = ["orders", "clicks", "events"][random.below(3) as usize];
            let Question { sql, is_condition, of } = question(random, dataset);
            let asked = move |orders: &[&Event], clicks: &[&Event]| match dataset {
                "orders" => of(orders),
                "clicks" => of(clicks),
                _ => of(&[orders, clicks].concat()),
            };
            if is_condition {
                return (sql, Box::new(move |o, c| asked(o, c).map(|it| it == 1.0)));
            }
            let limit = random.below(8) as f64 - 1.0;
            match random.below(3) {
                0 => (format!("{sql} IS NULL"), Box::new(move |o, c| Some(asked(o, c).is_none()))),
                1 => (
                    format!("{sql} <= {limit}"),
                    Box::new(move |o, c| asked(o, c).map(|it| it <= limit)),
                ),
                _ => (
                    format!("{sql} > {limit}"),
                    Box::new(move |o, c| asked(o, c).map(|it| it > limit)),
                ),
            }
        }
        3 => {
            let (sql, of) = rule(random, depth - 1);
            (format!("NOT ({sql})"), Box::new(move |o, c| of(o, c).map(|it| !it)))
        }
        _ => {
            let (left, right) = (rule(random, depth - 1), rule(random, depth - 1));
            let sql = format!("({} AND {})", left.0, right.0);
            (sql, Box::new(move |o, c| and(left.1(o, c), right.1(o, c))))
        }
    }
}

/// One record of the profile dataset.
#[derive(Debug, Clone)]
struct Record {
    id: u64,
    email: Option<String>,
}

/// The identities of each profile, by its first id.
fn profiles(records: &[Record], stitch: Stitch) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for record in records {
        let id = format!("p{}", record.id);
        let email = record.email.clone();
        let mut group: BTreeSet<String> = email.iter().cloned().chain([id.clone()]).collect();
        let is_same = |known: &BTreeSet<String>| match stitch {
            Stitch::None => known.contains(&id),
            Stitch::Graph => !known.is_disjoint(&group),
        };
        let (same, mut others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_same);
        same.into_iter().for_each(|known| group.extend(known));
        others.push(group);
        groups = others;
    }
    let named = |group: BTreeSet<String>| {
        let first = group.iter().find(|it| it.starts_with('p')).expect("everybody has an id");
        (first.clone(), group.clone())
    };
    groups.into_iter().map(named).collect()
}

/// Writes the events of a dataset in one of the formats.
fn add(case: &mut Case, random: &mut Random, key: &str, namespace: &str, events: &[Event]) {
    let now = case.query.evaluated_at.as_microsecond();
    let time = |event: &Event| event.hours.map(|hours| now + hours * HOUR);
    let formats = [CSV, DatasetFormat::JsonLines, DatasetFormat::Parquet];
    let format = formats[random.below(3) as usize];
    let path = |text: &str| FieldPath::parse(text).expect("a path");
    let declared: Vec<(String, FieldType)> = [
        ("person", FieldType::String),
        ("at", FieldType::Timestamp),
        ("kind", FieldType::String),
        ("amount", FieldType::Float),
        ("points", FieldType::Integer),
    ]
    .map(|(name, kind)| (name.to_owned(), kind))
    .to_vec();
    let location = match format {
        DatasetFormat::Parquet => format!("{key}.parquet"),
        DatasetFormat::JsonLines => format!("{key}.jsonl"),
        DatasetFormat::Csv { .. } => format!("{key}.csv"),
        DatasetFormat::Delta { .. } | DatasetFormat::Postgres => unreachable!("formats of files"),
    };
    let spelled = |event: &Event| {
        time(event).map(|it| jiff::Timestamp::from_microsecond(it).expect("a time").to_string())
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let file = case.path(&location);
    match format {
        DatasetFormat::Delta { .. } | DatasetFormat::Postgres => unreachable!("formats of files"),
        DatasetFormat::Csv { .. } => {
            let line = |event: &Event| {
                let number = |it: Option<String>| text(&it);
                let cells = [
                    text(&event.person),
                    text(&spelled(event)),
                    event.kind.unwrap_or_default().to_owned(),
                    number(event.amount.map(|it| it.to_string())),
                    number(event.points.map(|it| it.to_string())),
                ];
                format!("{}\n", cells.join(","))
            };
            let lines: String = events.iter().map(line).collect();
            std::fs::write(file, format!("person,at,kind,amount,points\n{lines}")).expect("a file");
        }
        DatasetFormat::JsonLines => {
            let quoted =
                |it: Option<String>| it.map_or("null".to_owned(), |it| format!("\"{it}\""));
            let plain = |it: Option<String>| it.unwrap_or_else(|| "null".to_owned());
            let line = |event: &Event| {
                format!(
                    "{{\"person\":{},\"at\":{},\"kind\":{},\"amount\":{},\"points\":{}}}\n",
                    quoted(event.person.clone()),
                    quoted(spelled(event)),
                    quoted(event.kind.map(str::to_owned)),
                    plain(event.amount.map(|it| it.to_string())),
                    plain(event.points.map(|it| it.to_string())),
                )
            };
            std::fs::write(file, events.iter().map(line).collect::<String>()).expect("a file");
        }
        DatasetFormat::Parquet => {
            let times: TimestampMicrosecondArray = events.iter().map(time).collect();
            let columns: Vec<(&str, ArrayRef)> = vec![
                (
                    "person",
                    Arc::new(events.iter().map(|it| it.person.clone()).collect::<StringArray>()),
                ),
                ("at", Arc::new(times.with_timezone("UTC"))),
                ("kind", Arc::new(events.iter().map(|it| it.kind).collect::<StringArray>())),
                ("amount", Arc::new(events.iter().map(|it| it.amount).collect::<Float64Array>())),
                ("points", Arc::new(events.iter().map(|it| it.points).collect::<Int64Array>())),
            ];
            let batch = arrow::array::RecordBatch::try_from_iter(columns).expect("columns");
            crate::support::write_parquet(&file, &batch, 4);
        }
    }
    case.events.push(Dataset {
        key: key.to_owned(),
        kind: DatasetKind::Event,
        location,
        identities: vec![identity("person", namespace)],
        timestamp: Some(path("at")),
        format,
        declared: if format == DatasetFormat::Parquet { Vec::new() } else { declared },
        ..case.dataset.clone()
    });
}

async fn play(seed: u64) -> usize {
    let mut random = Random(seed);
    let stitch = if random.one_in(3) { Stitch::Graph } else { Stitch::None };
    let mut records = Vec::new();
    for id in 0..PEOPLE {
        // Who has two records is merged.
        let many = if random.one_in(3) { 2 } else { 1 };
        for _ in 0..many * usize::from(!random.one_in(4)) {
            let email = (!random.one_in(4)).then(|| format!("m{}", random.below(PEOPLE)));
            records.push(Record { id, email });
        }
    }
    if random.one_in(2) {
        records.dedup_by_key(|record| record.id);
    }
    let text: String = records
        .iter()
        .map(|it| format!("p{},{}\n", it.id, it.email.as_deref().unwrap_or_default()))
        .collect();
    let mut case = Case::new(CSV)
        .location("people.csv")
        .text("people.csv", format!("id,email\n{text}"))
        .declare("id", FieldType::String)
        .declare("email", FieldType::String)
        .identified_by("id", "CRMID")
        .identified_by("email", "Email")
        .columns(&["id"]);
    case.policy.stitch = stitch;
    case.threads = 1 + random.below(3) as usize;
    case.memory_bytes = if random.one_in(2) { 1 << 20 } else { 4 << 10 };
    let orders: Vec<Event> = (0..random.below(40)).map(|_| event(&mut random, "p")).collect();
    let clicks: Vec<Event> = (0..random.below(40)).map(|_| event(&mut random, "m")).collect();
    add(&mut case, &mut random, "orders", "CRMID", &orders);
    add(&mut case, &mut random, "clicks", "Email", &clicks);
    let (sql, holds) = rule(&mut random, 2);
    let case = case.rule(&sql);

    let mut expected = BTreeSet::new();
    for (key, identities) in profiles(&records, stitch) {
        let own = |event: &&Event| {
            let person = event.person.as_ref();
            event.hours.is_some() && person.is_some_and(|it| identities.contains(it))
        };
        let orders: Vec<&Event> = orders.iter().filter(own).collect();
        let clicks: Vec<&Event> = clicks.iter().filter(own).collect();
        if holds(&orders, &clicks) == Some(true) {
            expected.insert(key);
        }
    }
    let rows = case.run().await.unwrap_or_else(|error| panic!("seed {seed}: {sql}: {error}")).0;
    // A stitched profile shows the id of its best record: any of its own is right.
    let all = profiles(&records, stitch);
    let key = |row: &String| {
        let own = all.iter().find(|(_, identities)| identities.contains(row));
        own.map(|(key, _)| key.clone()).expect("a row of somebody")
    };
    let found: BTreeSet<String> = rows.iter().map(key).collect();
    assert_eq!(found.len(), rows.len(), "seed {seed}: one row for each member");
    assert_eq!(found, expected, "seed {seed}: {sql}\n{records:?}\n{orders:?}\n{clicks:?}");
    found.len()
}

#[test]
fn members_are_those_of_a_plain_computation() {
    let members = histories(CASES, play);
    assert!(members > 0, "somebody is a member of something");
}
