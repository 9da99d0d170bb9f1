//! The batches that the benchmark encodes: rows as exports have them, made from a fixed seed.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field};

/// Rows of a batch: what the engine hands over.
const ROWS: usize = 8192;

/// A batch and what it stands for.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) batch: RecordBatch,
    /// Whether arrow-csv can write it.
    pub(crate) in_arrow_csv: bool,
}

/// All batches.
pub(crate) fn all() -> Vec<Case> {
    let case = |name, columns, in_arrow_csv| {
        let batch = RecordBatch::try_from_iter(columns).expect("columns are of one length");
        Case { name, batch, in_arrow_csv }
    };
    vec![
        case("realistic", realistic(), true),
        case("strings", strings(), true),
        case("numbers", numbers(), true),
        case("quotes", quotes(), true),
        case("dictionary", dictionaries(), true),
        case("nested", nested(), false),
    ]
}

type Columns = Vec<(&'static str, ArrayRef)>;

const FIRST_NAMES: [&str; 12] = [
    "Zoë",
    "Jean",
    "María",
    "Łukasz",
    "Anna",
    "Christopher",
    "Li",
    "Müge",
    "Olivia",
    "Émile",
    "Bo",
    "Aleksandra",
];
const LAST_NAMES: [&str; 12] = [
    "Martin",
    "Müller",
    "García",
    "O'Neill",
    "Wiśniewska",
    "Smith",
    "Van den Berg",
    "Rossi",
    "Ng",
    "Dupont",
    "Andersson",
    "Papadopoulos",
];
const CITIES: [&str; 10] = [
    "Paris",
    "Zürich",
    "San Francisco",
    "Kraków",
    "Lyon",
    "München",
    "Barcelona",
    "Antwerpen",
    "Saint-Étienne",
    "Oslo",
];
const COUNTRIES: [&str; 6] = ["FR", "CH", "US", "PL", "DE", "ES"];
const TIERS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];

/// A generator of numbers that are even enough for test data.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len() as u64) as usize]
    }

    /// A value for each row; `missing` of a hundred have none.
    fn column<T>(&mut self, missing: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<Option<T>> {
        (0..ROWS).map(|_| if self.below(100) < missing { None } else { Some(make(self)) }).collect()
    }
}

fn words(seed: &mut Seed, missing: u64, make: impl FnMut(&mut Seed) -> String) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(seed.column(missing, make)))
}

fn email(seed: &mut Seed) -> String {
    let first = seed.pick(&["zoe", "jean", "maria", "lukasz", "anna", "christopher", "li"]);
    let last = seed.pick(&["martin", "mueller", "garcia", "oneill", "smith", "ng", "rossi"]);
    format!("{first}.{last}{}@{}", seed.below(1000), seed.pick(&["example.com", "mail.example"]))
}

/// The columns of an everyday export.
fn realistic() -> Columns {
    let seed = &mut Seed(1);
    let points = seed.column(5, |seed| seed.below(100_000) as i64);
    let spent = seed.column(5, |seed| seed.below(500_000) as f64 / 100.0);
    let score = seed.column(0, |seed| (seed.next() as f64 + 0.5) / (1u64 << 31) as f64);
    let born = seed.column(10, |seed| seed.below(25_000) as i32 - 8_000);
    let qualified =
        seed.column(0, |seed| 1_700_000_000_000_000 + seed.below(60_000_000_000) as i64);
    vec![
        ("crm_id", words(seed, 0, |seed| format!("C{:011}", seed.next()))),
        ("first_name", words(seed, 2, |seed| seed.pick(&FIRST_NAMES).to_owned())),
        ("last_name", words(seed, 2, |seed| seed.pick(&LAST_NAMES).to_owned())),
        ("email", words(seed, 5, email)),
        ("phone", words(seed, 20, |seed| format!("+33 6{:08}", seed.below(100_000_000)))),
        ("city", words(seed, 5, |seed| seed.pick(&CITIES).to_owned())),
        ("postal_code", words(seed, 5, |seed| format!("{:05}", seed.below(99_999)))),
        ("country", words(seed, 0, |seed| seed.pick(&COUNTRIES).to_owned())),
        ("points", Arc::new(Int64Array::from(points))),
        ("tier", words(seed, 0, |seed| seed.pick(&TIERS).to_owned())),
        ("spent", Arc::new(Float64Array::from(spent))),
        ("score", Arc::new(Float64Array::from(score))),
        ("born", Arc::new(Date32Array::from(born))),
        (
            "qualified_at",
            Arc::new(TimestampMicrosecondArray::from(qualified).with_timezone("+00:00")),
        ),
        ("consent", Arc::new(BooleanArray::from(seed.column(3, |seed| seed.below(2) == 1)))),
    ]
}

/// Words alone, in both layouts.
fn strings() -> Columns {
    let seed = &mut Seed(2);
    let flat = |values: Vec<Option<String>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let emails = seed.column(5, email);
    let names =
        seed.column(2, |seed| format!("{} {}", seed.pick(&FIRST_NAMES), seed.pick(&LAST_NAMES)));
    let notes = |seed: &mut Seed| {
        format!("member since {} of the {} club", seed.below(30), seed.pick(&TIERS))
    };
    vec![
        ("email", flat(emails)),
        ("name", flat(names)),
        ("email_view", words(seed, 5, email)),
        ("city_view", words(seed, 5, |seed| seed.pick(&CITIES).to_owned())),
        ("note_view", words(seed, 5, notes)),
    ]
}

/// Numbers and times alone.
fn numbers() -> Columns {
    let seed = &mut Seed(3);
    let small = seed.column(0, |seed| seed.below(1000) as i32);
    let large = seed.column(5, |seed| (seed.next() << 31 | seed.next()) as i64);
    let money = seed.column(5, |seed| seed.below(10_000_000) as f64 / 100.0);
    let ratio = seed.column(0, |seed| seed.next() as f64 / seed.next().max(1) as f64);
    let dates = seed.column(5, |seed| seed.below(20_000) as i32);
    let times = seed.column(0, |seed| 1_500_000_000_000_000 + (seed.next() << 16) as i64);
    vec![
        ("small", Arc::new(Int32Array::from(small))),
        ("large", Arc::new(Int64Array::from(large))),
        ("money", Arc::new(Float64Array::from(money))),
        ("ratio", Arc::new(Float64Array::from(ratio))),
        ("date", Arc::new(Date32Array::from(dates))),
        ("time", Arc::new(TimestampMicrosecondArray::from(times))),
    ]
}

/// Words of which many need quotes.
fn quotes() -> Columns {
    let seed = &mut Seed(4);
    let full = |seed: &mut Seed| format!("{}, {}", seed.pick(&LAST_NAMES), seed.pick(&FIRST_NAMES));
    let said =
        |seed: &mut Seed| format!("said \"{}\"\nin {}", seed.pick(&TIERS), seed.pick(&CITIES));
    vec![
        ("full_name", words(seed, 2, full)),
        ("said", words(seed, 2, said)),
        (
            "address",
            words(seed, 2, |seed| format!("{} rue X, {}", seed.below(99), seed.pick(&CITIES))),
        ),
        ("country", words(seed, 0, |seed| seed.pick(&COUNTRIES).to_owned())),
    ]
}

/// Few different words, as dictionaries.
fn dictionaries() -> Columns {
    let seed = &mut Seed(5);
    let keyed = |seed: &mut Seed, words: &[&str]| {
        let keys = seed.column(3, |seed| seed.below(words.len() as u64) as i32);
        let values = Arc::new(StringArray::from(words.to_vec()));
        Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(keys), values)) as ArrayRef
    };
    vec![
        ("city", keyed(seed, &CITIES)),
        ("tier", keyed(seed, &TIERS)),
        ("country", keyed(seed, &COUNTRIES)),
        ("last_name", keyed(seed, &LAST_NAMES)),
    ]
}

/// Structs and lists, written as JSON.
fn nested() -> Columns {
    let seed = &mut Seed(6);
    let city = words(seed, 5, |seed| seed.pick(&CITIES).to_owned());
    let code: ArrayRef =
        Arc::new(Int32Array::from(seed.column(5, |seed| seed.below(99_999) as i32)));
    let address = StructArray::from(vec![
        (Arc::new(Field::new("city", DataType::Utf8View, true)), city),
        (Arc::new(Field::new("code", DataType::Int32, true)), code),
    ]);
    let mut tags = ListBuilder::new(StringBuilder::new());
    for _ in 0..ROWS {
        (0..seed.below(4)).for_each(|_| tags.values().append_value(seed.pick(&TIERS)));
        tags.append(true);
    }
    let tags = tags.finish();
    assert_eq!(tags.len(), ROWS);
    vec![
        ("id", words(seed, 0, |seed| format!("C{:011}", seed.next()))),
        ("address", Arc::new(address)),
        ("tags", Arc::new(tags)),
    ]
}
