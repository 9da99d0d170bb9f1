use super::*;
use crate::schema::Field;

const FULL: &str = include_str!("../read/full.yaml");

fn field(name: &str, field_type: FieldType) -> Field {
    Field { name: name.to_owned(), field_type }
}

fn record(fields: Vec<Field>) -> FieldType {
    FieldType::Struct(fields)
}

fn schema() -> Schema {
    let name =
        record(vec![field("firstName", FieldType::String), field("lastName", FieldType::String)]);
    Schema {
        fields: vec![
            field("crmId", FieldType::String),
            field("modifiedAt", FieldType::Timestamp),
            field("person", record(vec![field("name", name)])),
            field("personalEmail", record(vec![field("address", FieldType::String)])),
            field("tags", FieldType::List(Box::new(FieldType::String))),
            field("attributes", FieldType::Map(Box::new(FieldType::Integer))),
            field("photo", FieldType::Binary),
            field("photos", FieldType::List(Box::new(FieldType::Binary))),
            field("shape", FieldType::Unsupported("Union".to_owned())),
        ],
    }
}

/// The problems of the full example with its first column, or another text, replaced.
fn check(from: &str, to: &str) -> String {
    let text = FULL.replace(from, to);
    let variable = |_: &str| Some("secret".to_owned());
    let rule_file = |_: &str| Ok("true".to_owned());
    let reading = crate::read(&text, &variable, &rule_file);
    let project = reading.project.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
    let schemas = BTreeMap::from([("crm".to_owned(), schema())]);
    let mut shown = format!("{to}\n");
    for problem in project.check_fields(&schemas) {
        let span = problem.span.expect("every field has a place");
        let excerpt = &text[span.start..span.end];
        let hint = problem.hint.expect("every problem has a next step");
        shown += &format!(
            "{}:{} {:?} {} {} <{excerpt}>\n    {hint}\n",
            span.line, span.column, problem.severity, problem.code, problem.message
        );
    }
    shown
}

#[test]
fn fields_are_checked_against_the_schema() {
    let first = "- person.name.firstName";
    let cases = [
        (first, first),
        (first, "- person.name.fristName"),
        (first, "- persn.name.firstName"),
        (first, "- nothing.like.it"),
        (first, "- tags"),
        (first, "- tags[0]"),
        (first, "- attributes['a']"),
        (first, "- person"),
        (first, "- { source: tags, deduplicate: true }"),
        (first, "- photo"),
        (first, "- photos"),
        (first, "- shape"),
        ("timestamp: modifiedAt", "timestamp: modified"),
        ("timestamp: modifiedAt", "timestamp: person"),
        ("crmId: CRMID", "crmid: CRMID"),
        ("crmId: CRMID", "tags: CRMID"),
        ("crmId: CRMID", "attributes: CRMID"),
    ];
    let shown: String = cases.iter().map(|(from, to)| check(from, to)).collect();
    insta::assert_snapshot!(shown, @r#"
    - person.name.firstName
    - person.name.fristName
    73:9 Error unknown_field the dataset `crm` has no field `person.name.fristName`: `person.name` has no `fristName` <person.name.fristName>
        Did you mean `person.name.firstName`?
    - persn.name.firstName
    73:9 Error unknown_field the dataset `crm` has no field `persn.name.firstName` <persn.name.firstName>
        Did you mean `person.name.firstName`?
    - nothing.like.it
    73:9 Error unknown_field the dataset `crm` has no field `nothing.like.it` <nothing.like.it>
        Known: `crmId`, `modifiedAt`, `person.name.firstName`, `person.name.lastName`, `personalEmail.address`, `tags`, `attributes`, `photo`, `photos`, `shape`.
    - tags
    73:9 Warning json_text `tags` is a list and is written as JSON text <tags>
        Map one of its values if the reader expects a plain cell.
    - tags[0]
    - attributes['a']
    - person
    73:9 Warning json_text `person` is a struct and is written as JSON text <person>
        Map one of its values if the reader expects a plain cell.
    - { source: tags, deduplicate: true }
    73:19 Error deduplicate_type `tags` is a list and cannot be a deduplication key <tags>
        Choose a single value, such as an identity.
    - photo
    73:9 Error unsupported_type `photo` holds binary, which has no form as text <photo>
        Map an expression that turns it into text, such as `encode(…, 'hex')`.
    - photos
    73:9 Error unsupported_type `photos` holds binary, which has no form as text <photos>
        Map an expression that turns it into text, such as `encode(…, 'hex')`.
    - shape
    73:9 Error unsupported_type `shape` holds Union, which has no form as text <shape>
        Map an expression that turns it into text, such as `encode(…, 'hex')`.
    timestamp: modified
    14:16 Error unknown_field the dataset `crm` has no field `modified` <modified>
        Did you mean `modifiedAt`?
    timestamp: person
    14:16 Error timestamp_type `person` is a struct and does not tell a time <person>
        Choose a timestamp or a date.
    crmid: CRMID
    12:7 Error unknown_field the dataset `crm` has no field `crmid` <crmid>
        Did you mean `crmId`?
    tags: CRMID
    12:7 Error identity_type `tags` is a list and cannot identify a person <tags>
        Choose a field of text or of whole numbers.
    attributes: CRMID
    12:7 Error identity_type `attributes` is a map and cannot identify a person <attributes>
        Choose a field of text or of whole numbers.
    "#);
}

#[test]
fn what_has_no_schema_is_not_checked() {
    let variable = |_: &str| Some("secret".to_owned());
    let rule_file = |_: &str| Ok("true".to_owned());
    let project = crate::read(FULL, &variable, &rule_file).project.expect("it is valid");
    assert_eq!(project.check_fields(&BTreeMap::new()), []);
}
