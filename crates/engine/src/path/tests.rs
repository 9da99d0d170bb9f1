use arrow::array::{FixedSizeListArray, Int32Array, LargeListArray, StringArray};
use arrow::datatypes::{Field, Int32Type};

use super::*;

fn steps(text: &str) -> Steps {
    Steps::from(&FieldPath::parse(text).expect("a path"))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn integers(array: &ArrayRef) -> Vec<Option<i64>> {
    let array = compute::cast(array, &DataType::Int64).expect("integers");
    array.as_primitive::<arrow::datatypes::Int64Type>().iter().collect()
}

#[test]
fn names_that_are_no_identifiers_are_told_apart() {
    let cases = [
        (vec![Step::Field("a.b".into())], "['a.b']"),
        (vec![Step::Field("a".into()), Step::Field("b".into())], "a.b"),
        (vec![Step::Field("a".into()), Step::Field("it's".into())], "a['it''s']"),
        (vec![Step::Field("a".into()), Step::Key("k".into()), Step::Index(0)], "a['k'][0]"),
    ];
    for (path, expected) in cases {
        assert_eq!(Steps(path).to_string(), expected);
    }
}

#[test]
fn every_kind_of_list_is_indexed() {
    let rows = || vec![Some(vec![Some(1), Some(2)]), None, Some(vec![Some(5), None])];
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(rows(), 2);
    let large = LargeListArray::from_iter_primitive::<Int32Type, _, _>(rows());
    let small = ListArray::from_iter_primitive::<Int32Type, _, _>(rows());
    let lists: [ArrayRef; 3] = [Arc::new(fixed), Arc::new(large), Arc::new(small)];
    for list in lists {
        let kind = list.data_type().to_string();
        let batch = batch(vec![("l", list)]);
        let element = |index: u32| {
            let path = steps(&format!("l[{index}]"));
            assert_eq!(path.data_type(&batch.schema()), Some(DataType::Int32));
            integers(&path.extract(&batch, &DataType::Int32).expect("elements"))
        };
        assert_eq!(element(0), [Some(1), None, Some(5)], "{kind}");
        assert_eq!(element(1), [Some(2), None, None], "{kind}");
        assert_eq!(element(2), [None, None, None], "{kind}");
    }
}

#[test]
fn what_a_file_lacks_is_null_and_what_it_has_narrower_is_widened() {
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
    let fields = vec![Field::new("x", DataType::Int32, true)];
    let outer: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![inner], None));
    let batch = batch(vec![("s", outer), ("t", Arc::new(StringArray::from(vec!["a", "b"])))]);
    let extract = |path: &str, wanted: &DataType| steps(path).extract(&batch, wanted).expect(path);
    assert_eq!(integers(&extract("s.x", &DataType::Int64)), [Some(7), Some(8)]);
    assert_eq!(extract("s.y", &DataType::Utf8View).null_count(), 2);
    assert_eq!(extract("z", &DataType::Utf8View).null_count(), 2);
    assert_eq!(extract("t", &DataType::Utf8View).data_type(), &DataType::Utf8View);
    // A struct that has more fields in other files.
    let wider = DataType::Struct(
        vec![Field::new("y", DataType::Utf8View, true), Field::new("x", DataType::Int64, true)]
            .into(),
    );
    let found = extract("s", &wider);
    assert_eq!(found.data_type(), &wider);
    assert_eq!(integers(found.as_struct().column(1)), [Some(7), Some(8)]);
}

#[test]
fn only_the_names_before_a_list_are_needed_to_find_leaves() {
    let element = DataType::Struct(vec![Field::new("e", DataType::Int32, true)].into());
    let list = DataType::List(Arc::new(Field::new_list_field(element, true)));
    let fields: Fields =
        vec![Field::new("s", DataType::Struct(vec![Field::new("l", list, true)].into()), true)]
            .into();
    assert_eq!(steps("s.l[0].e").struct_names(&fields), ["s", "l"]);
    assert_eq!(steps("s").struct_names(&fields), ["s"]);
    assert_eq!(steps("s.unknown").struct_names(&fields), ["s"]);
    assert!(steps("unknown").struct_names(&fields).is_empty());
}
