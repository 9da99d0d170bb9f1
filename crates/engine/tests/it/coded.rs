//! Texts that files hold as codes of a dictionary come as codes, where nothing but a column has to do
//! with them.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array, NullArray, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use engine::Error;
use futures::TryStreamExt;
use plan::project::DatasetFormat;

use crate::support::{Case, lines};

const ROWS: i64 = 20_000;

/// People with an address, which every seventh has not; names are so many and so long that the writer
/// gives their dictionary up.
fn people() -> Case {
    let text = |of: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..ROWS).map(of)))
    };
    let city = text(&|id| format!("city {}", id % 90));
    let street = StringArray::from_iter(
        (0..ROWS).map(|id| (id % 5 > 0).then(|| format!("no. {}", id % 400))),
    );
    let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let has_address = NullBuffer::from_iter((0..ROWS).map(|id| id % 7 > 0));
    let address = StructArray::new(
        vec![field("city"), field("street")].into(),
        vec![city, Arc::new(street)],
        Some(has_address),
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        ("name", text(&|id| format!("{id:0>200}"))),
        ("country", text(&|id| ["FR", "BE", ""][id as usize % 3].to_owned())),
        ("address", Arc::new(address)),
    ];
    Case::new(DatasetFormat::Parquet).parquet("people.parquet", columns)
}

/// The columns that come as codes.
async fn coded(case: &Case) -> Vec<String> {
    let profiles = case.pin().await.expect("the file is pinned");
    let rows = case.engine().rows(&case.query, &profiles).await.expect("the query fits").coded();
    let found = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&found);
    let count = rows.map_ordered(move |batch| {
        let fields = batch.schema().fields().clone();
        let is_coded = |field: &&Arc<Field>| matches!(field.data_type(), DataType::Dictionary(..));
        let coded = fields.iter().filter(is_coded).map(|field| field.name().clone());
        *names.lock().expect("no panic") = coded.collect();
        Ok::<_, Error>(lines(&batch).len())
    });
    count.try_collect::<Vec<_>>().await.expect("the rows are read");
    case.rows().await;
    found.lock().expect("no panic").clone()
}

#[tokio::test]
async fn columns_of_few_texts_come_as_codes() {
    let columns = ["id", "name", "country", "address.city", "address.street"];
    assert_eq!(
        coded(&people().columns(&columns)).await,
        ["country", "address_city", "address_street"]
    );
    let some = people().rule("id % 3 = 1").columns(&columns);
    assert_eq!(coded(&some).await, ["country", "address_city", "address_street"]);
}

#[tokio::test]
async fn what_anything_else_looks_at_comes_as_text() {
    let case = || people().columns(&["country", "address.city", "address.street"]);
    assert_eq!(coded(&case().rule("country <> 'FR'")).await, ["address_city", "address_street"]);
    assert_eq!(
        coded(&case().columns(&["upper=upper(address.city)"])).await,
        ["country", "address_street"],
    );
    assert_eq!(coded(&case().columns(&["address"])).await, ["country"]);
    let mandatory = people().columns(&["!country", "address.city"]);
    assert_eq!(coded(&mandatory).await, ["address_city"]);
    let key = people().columns(&["#country", "address.city"]);
    assert_eq!(coded(&key).await.len(), 2, "keys are compared before");
}

#[tokio::test]
async fn files_that_lack_a_column_give_nothing_for_it() {
    let ids = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    let words = |all: [&str; 2]| Arc::new(StringArray::from(all.to_vec())) as ArrayRef;
    let case = Case::new(DatasetFormat::Parquet)
        .parquet("a.parquet", vec![("id", ids()), ("word", words(["a", "b"]))])
        .parquet("b.parquet", vec![("id", ids())])
        .parquet("c.parquet", vec![("id", ids()), ("word", Arc::new(NullArray::new(2)))])
        .columns(&["id", "word"]);
    assert_eq!(case.rows().await, ["1|a", "2|b", "1|∅", "2|∅", "1|∅", "2|∅"]);
}
