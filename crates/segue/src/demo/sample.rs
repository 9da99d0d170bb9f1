//! Seeded sample data: realistic profiles and a few orders, the same bytes for the same arguments.
//!
//! The people are invented, and their text is the kind that breaks careless files: accents, quotes,
//! commas, line breaks, empty strings, missing values, leading zeros.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListBuilder, MapBuilder,
    RecordBatch, StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

/// Profiles in one file of the sample.
const PROFILES_PER_FILE: u64 = 625_000;
/// Profiles in one row group: small enough that several can be decoded at once in little memory.
const PROFILES_PER_GROUP: u64 = 125_000;
/// Every so many profiles place an order.
const PROFILES_PER_ORDER: u64 = 40;
/// 2026-01-01T00:00:00Z in microseconds; all times of the sample lie before it.
const NEWEST_MICROSECONDS: i64 = 1_767_225_600_000_000;
const DAY_MICROSECONDS: i64 = 86_400_000_000;
/// 2026-01-01 in days since 1970.
const NEWEST_DAY: i32 = 20_454;

const FIRST_NAMES: [&str; 24] = [
    "Camille", "José", "Zoë", "Łukasz", "Mary Ann", "Jean-Luc", "Siân", "Anaïs", "Björn", "Chloé",
    "Daniel", "Élodie", "Fatima", "Giulia", "Hana", "Igor", "Joana", "Kofi", "Léa", "Miguel",
    "Noor", "Olga", "Renée", "Þóra",
];
const LAST_NAMES: [&str; 24] = [
    "O'Brien",
    "Müller",
    "García, hijo",
    "de la Croix",
    "Smith",
    "Martin",
    "Nguyễn",
    "Kowalski",
    "Rossi",
    "Söderström",
    "Dubois",
    "Lefèvre",
    "Weiß",
    "Fernández",
    "Haddad",
    "Ivanova",
    "Johnson",
    "Kim",
    "Lemaître",
    "Moreau",
    "\"Buzz\" Aldén",
    "Petit",
    "Silva",
    "Yılmaz",
];
const STREETS: [&str; 12] = [
    "rue de l'Église",
    "High Street",
    "Hauptstraße",
    "Calle Mayor",
    "Via Roma",
    "Grand Place",
    "avenue de la République",
    "Station Road",
    "Lindenallee",
    "Paseo del Prado",
    "Corso Italia",
    "chaussée d'Ixelles",
];
/// City, state or province (empty when the country has none), country, and the form of the
/// postcode: `0` stands for a digit.
const PLACES: [(&str, &str, &str, &str); 12] = [
    ("Paris", "Île-de-France", "FR", "75000"),
    ("Lyon", "Auvergne-Rhône-Alpes", "FR", "69000"),
    ("Bourg-en-Bresse", "Auvergne-Rhône-Alpes", "FR", "01000"),
    ("Bruxelles", "", "BE", "1000"),
    ("Liège", "Wallonie", "BE", "4000"),
    ("Zürich", "ZH", "CH", "8000"),
    ("Köln", "Nordrhein-Westfalen", "DE", "50000"),
    ("London", "", "GB", "SW1A 1AA"),
    ("Madrid", "Madrid", "ES", "28000"),
    ("Milano", "Lombardia", "IT", "20100"),
    ("New York", "NY", "US", "10001"),
    ("Québec", "QC", "CA", "G1R 2B5"),
];
const TIERS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];
const TAGS: [&str; 6] = ["vip", "newsletter", "app", "store", "refund", "B2B"];
const LANGUAGES: [&str; 5] = ["fr", "en", "de", "es", "it"];

/// Writes `count` profiles as Parquet files into `folder`, which is made if it does not exist.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn write_profiles(folder: &Path, count: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut first = 0;
    let mut number = 0;
    while first < count {
        let last = (first + PROFILES_PER_FILE).min(count);
        let path = folder.join(format!("profiles-{number:03}.parquet"));
        write_file(&path, first, last, profile_batch)?;
        first = last;
        number += 1;
    }
    Ok(())
}

/// Writes the orders of the first `count` profiles as one Parquet file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write_orders(path: &Path, count: u64) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    write_file(path, 0, (count / PROFILES_PER_ORDER).max(1), order_batch)
}

fn write_file(
    path: &Path,
    first: u64,
    last: u64,
    batch: fn(u64, u64) -> RecordBatch,
) -> io::Result<()> {
    let level = ZstdLevel::try_new(1).map_err(parquet_error)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let file = File::create(path)?;
    let mut writer = ArrowWriter::try_new(file, batch(first, first).schema(), Some(properties))
        .map_err(parquet_error)?;
    let mut start = first;
    while start < last {
        let end = (start + PROFILES_PER_GROUP).min(last);
        writer.write(&batch(start, end)).map_err(parquet_error)?;
        writer.flush().map_err(parquet_error)?;
        start = end;
    }
    writer.close().map_err(parquet_error)?;
    Ok(())
}

fn parquet_error(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

/// The profiles numbered `first` up to `last`, each made from its number alone.
fn profile_batch(first: u64, last: u64) -> RecordBatch {
    let mut columns = ProfileColumns::default();
    for number in first..last {
        columns.push(number);
    }
    columns.finish()
}

/// One builder per leaf field, in the order of the schema.
struct ProfileColumns {
    crm_id: StringBuilder,
    first_name: StringBuilder,
    last_name: StringBuilder,
    gender: StringBuilder,
    birth_date: Date32Builder,
    email: StringBuilder,
    phone: StringBuilder,
    street: StringBuilder,
    city: StringBuilder,
    postal_code: StringBuilder,
    state: StringBuilder,
    country: StringBuilder,
    points: Int64Builder,
    tier: StringBuilder,
    since: Date32Builder,
    email_consent: BooleanBuilder,
    opt_out: BooleanBuilder,
    last_order: Float64Builder,
    tags: ListBuilder<StringBuilder>,
    attributes: MapBuilder<StringBuilder, StringBuilder>,
    created_at: TimestampMicrosecondBuilder,
    modified_at: TimestampMicrosecondBuilder,
}

impl Default for ProfileColumns {
    fn default() -> Self {
        Self {
            crm_id: StringBuilder::new(),
            first_name: StringBuilder::new(),
            last_name: StringBuilder::new(),
            gender: StringBuilder::new(),
            birth_date: Date32Builder::new(),
            email: StringBuilder::new(),
            phone: StringBuilder::new(),
            street: StringBuilder::new(),
            city: StringBuilder::new(),
            postal_code: StringBuilder::new(),
            state: StringBuilder::new(),
            country: StringBuilder::new(),
            points: Int64Builder::new(),
            tier: StringBuilder::new(),
            since: Date32Builder::new(),
            email_consent: BooleanBuilder::new(),
            opt_out: BooleanBuilder::new(),
            last_order: Float64Builder::new(),
            tags: ListBuilder::new(StringBuilder::new()),
            attributes: MapBuilder::new(None, StringBuilder::new(), StringBuilder::new()),
            created_at: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            modified_at: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
        }
    }
}

impl ProfileColumns {
    fn push(&mut self, number: u64) {
        let mut chance = Chance::new(number);
        self.push_person(number, &mut chance);
        self.push_address(&mut chance);
        self.push_loyalty(&mut chance);
        self.push_extras(&mut chance);
    }

    fn push_person(&mut self, number: u64, chance: &mut Chance) {
        self.crm_id.append_value(format!("C{number:08}"));
        let first = *chance.pick(&FIRST_NAMES);
        self.first_name.append_option(chance.unless_one_in(40, first));
        self.last_name.append_value(*chance.pick(&LAST_NAMES));
        self.gender
            .append_option(chance.unless_one_in(6, *chance.clone().pick(&["female", "male"])));
        let age_days = 6_600 + chance.below(22_000) as i32;
        self.birth_date.append_option(chance.unless_one_in(5, NEWEST_DAY - age_days));
        // One address in fifty is missing, one in fifty is empty, and a few are shared by two
        // people, so that mandatory columns and deduplication have something to do.
        match chance.below(50) {
            0 => self.email.append_null(),
            1 => self.email.append_value(""),
            2 => self.email.append_value(format!("family{}@example.org", number / 100)),
            _ => self.email.append_value(format!("person{number}@example.com")),
        }
        let phone =
            format!("+33 6 {:02} {:02} {:02}", chance.below(100), chance.below(100), number % 100);
        self.phone.append_option(chance.unless_one_in(3, phone));
    }

    fn push_address(&mut self, chance: &mut Chance) {
        let street = *chance.pick(&STREETS);
        let house = 1 + chance.below(180);
        match chance.below(30) {
            0 => self.street.append_null(),
            1 => self.street.append_value(format!("{house}, {street}\nBât. B, 2ᵉ étage")),
            2 => self.street.append_value(format!("{house} {street}, \"La Renardière\"")),
            _ => self.street.append_value(format!("{house} {street}")),
        }
        let (city, state, country, postal_code) = *chance.pick(&PLACES);
        self.city.append_value(city);
        self.postal_code.append_value(postal_code);
        self.state.append_option(Some(state).filter(|state| !state.is_empty()));
        self.country.append_value(country);
    }

    fn push_loyalty(&mut self, chance: &mut Chance) {
        // Squaring a uniform number gives many small balances and few large ones.
        let share = chance.below(1_000) as i64;
        let points = share * share / 100;
        self.points.append_option(chance.unless_one_in(12, points));
        self.tier.append_value(TIERS[(points / 2_501).min(3) as usize]);
        self.since.append_value(NEWEST_DAY - chance.below(3_650) as i32);
        self.email_consent.append_option(chance.unless_one_in(20, chance.clone().below(10) > 1));
        self.opt_out.append_value(chance.below(25) == 0);
        let amount = chance.below(50_000) as f64 / 100.0;
        self.last_order.append_option(chance.unless_one_in(4, amount));
    }

    fn push_extras(&mut self, chance: &mut Chance) {
        for tag in TAGS {
            if chance.below(4) == 0 {
                self.tags.values().append_value(tag);
            }
        }
        self.tags.append(true);
        self.attributes.keys().append_value("language");
        self.attributes.values().append_value(*chance.pick(&LANGUAGES));
        if chance.below(3) == 0 {
            self.attributes.keys().append_value("store");
            self.attributes.values().append_value(format!("{:03}", chance.below(400)));
        }
        self.attributes.append(true).expect("as many keys as values were appended");
        let created = NEWEST_MICROSECONDS - chance.below(1_500) as i64 * DAY_MICROSECONDS;
        self.created_at.append_value(created - chance.below(86_400_000_000) as i64);
        let modified = NEWEST_MICROSECONDS - chance.below(90 * 86_400) as i64 * 1_000_000;
        self.modified_at.append_value(modified);
    }

    fn finish(mut self) -> RecordBatch {
        let name = nested([
            ("firstName", text(&mut self.first_name)),
            ("lastName", text(&mut self.last_name)),
        ]);
        let birth_date: ArrayRef = Arc::new(self.birth_date.finish());
        let person =
            nested([("name", name), ("gender", text(&mut self.gender)), ("birthDate", birth_date)]);
        let address = nested([
            ("street", text(&mut self.street)),
            ("city", text(&mut self.city)),
            ("postalCode", text(&mut self.postal_code)),
            ("stateProvince", text(&mut self.state)),
            ("country", text(&mut self.country)),
        ]);
        let loyalty = nested([
            ("points", Arc::new(self.points.finish()) as ArrayRef),
            ("tier", text(&mut self.tier)),
            ("since", Arc::new(self.since.finish())),
        ]);
        let columns: [(&str, ArrayRef); 13] = [
            ("crmId", text(&mut self.crm_id)),
            ("person", person),
            ("personalEmail", nested([("address", text(&mut self.email))])),
            ("mobilePhone", nested([("number", text(&mut self.phone))])),
            ("homeAddress", address),
            ("loyalty", loyalty),
            ("marketing", nested([("email", Arc::new(self.email_consent.finish()) as ArrayRef)])),
            ("privacy", nested([("optOut", Arc::new(self.opt_out.finish()) as ArrayRef)])),
            ("lastOrderAmount", Arc::new(self.last_order.finish())),
            ("tags", Arc::new(self.tags.finish())),
            ("attributes", Arc::new(self.attributes.finish())),
            ("createdAt", Arc::new(self.created_at.finish())),
            ("modifiedAt", Arc::new(self.modified_at.finish())),
        ];
        RecordBatch::try_from_iter(columns).expect("every column has one value per profile")
    }
}

/// The orders numbered `first` up to `last`.
fn order_batch(first: u64, last: u64) -> RecordBatch {
    let mut order_id = StringBuilder::new();
    let mut crm_id = StringBuilder::new();
    let mut ordered_at = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut amount = Float64Builder::new();
    for number in first..last {
        let mut chance = Chance::new(number ^ 0x0bad_cafe);
        order_id.append_value(format!("O{number:07}"));
        crm_id.append_value(format!("C{:08}", number * PROFILES_PER_ORDER));
        let age = chance.below(365 * 86_400) as i64 * 1_000_000;
        ordered_at.append_value(NEWEST_MICROSECONDS - age);
        amount.append_value(chance.below(40_000) as f64 / 100.0);
    }
    let columns: [(&str, ArrayRef); 4] = [
        ("orderId", text(&mut order_id)),
        ("crmId", text(&mut crm_id)),
        ("orderedAt", Arc::new(ordered_at.finish())),
        ("amount", Arc::new(amount.finish())),
    ];
    RecordBatch::try_from_iter(columns).expect("every column has one value per order")
}

fn text(builder: &mut StringBuilder) -> ArrayRef {
    Arc::new(builder.finish())
}

fn nested<const N: usize>(columns: [(&str, ArrayRef); N]) -> ArrayRef {
    let field = |(name, array): &(&str, ArrayRef)| -> Field {
        Field::new(*name, DataType::clone(array.data_type()), true)
    };
    let fields: Fields = columns.iter().map(field).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Arc::new(StructArray::new(fields, arrays, None))
}

/// A small seeded generator of numbers (SplitMix64): sample data must be the same on every
/// machine and for ever, so its algorithm is fixed here rather than taken from a library.
#[derive(Clone)]
struct Chance {
    state: u64,
}

impl Chance {
    fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x005e_605e }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    fn unless_one_in<T>(&mut self, odds: u64, value: T) -> Option<T> {
        (self.below(odds) != 0).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_same_however_it_is_cut() {
        let whole = profile_batch(0, 300);
        let tail = profile_batch(200, 300);
        assert_eq!(whole.slice(200, 100), tail);
    }

    #[test]
    fn files_and_row_groups_hold_every_profile_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_profiles(folder.path(), 1_000).expect("the sample is written");
        write_orders(&folder.path().join("orders/orders.parquet"), 1_000).expect("and the orders");
        let file = File::open(folder.path().join("profiles-000.parquet")).expect("one file");
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
        assert_eq!(reader.expect("it is Parquet").metadata().file_metadata().num_rows(), 1_000);
    }
}
