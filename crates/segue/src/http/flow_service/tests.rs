//! The pure half of the translation.

use plan::Section;
use serde_json::{Value, json};

use super::patch::{Operation, patch};
use super::slug;

fn patched(document: &Value, operations: Value) -> Result<Value, String> {
    let operations: Vec<Operation> = serde_json::from_value(operations).expect("operations");
    let mut document = document.clone();
    let done = patch(&mut document, &operations);
    done.map(|()| document).map_err(|problem| problem.detail)
}

#[test]
fn patches_are_done_in_order_and_all_or_none() {
    let document = json!({ "list": [1, 2, 3], "a/b": { "~": 1 } });
    let good = [
        (json!([{ "op": "add", "path": "/list/-", "value": 4 }]), json!([1, 2, 3, 4])),
        (json!([{ "op": "ADD", "path": "/list/0", "value": 0 }]), json!([0, 1, 2, 3])),
        (json!([{ "op": "add", "path": "/list/3", "value": 4 }]), json!([1, 2, 3, 4])),
        (json!([{ "op": "replace", "path": "/list/1", "value": 9 }]), json!([1, 9, 3])),
        (
            json!([{ "op": "remove", "path": "/list/0" }, { "op": "remove", "path": "/list/1" }]),
            json!([2]),
        ),
        (
            json!([{ "op": "test", "path": "/list/0", "value": 1 }, { "op": "remove", "path": "/list/0", "value": {} }]),
            json!([2, 3]),
        ),
        (json!([{ "op": "replace", "path": "/a~1b/~0", "value": 2 }]), json!([1, 2, 3])),
    ];
    for (operations, list) in good {
        let next = patched(&document, operations.clone()).expect("it fits");
        assert_eq!(next["list"], list, "{operations}");
    }
    let bad = [
        json!([{ "op": "remove", "path": "/list/0" }, { "op": "remove", "path": "/list/2" }]),
        json!([{ "op": "add", "path": "/list/4", "value": 4 }]),
        json!([{ "op": "add", "path": "/list/01", "value": 4 }]),
        json!([{ "op": "replace", "path": "/none", "value": 4 }]),
        json!([{ "op": "remove", "path": "/none" }]),
        json!([{ "op": "add", "path": "", "value": 4 }]),
        json!([{ "op": "add", "path": "/list/0/x", "value": 4 }]),
        json!([{ "op": "test", "path": "/list/0", "value": 2 }]),
        json!([{ "op": "move", "path": "/list/0" }]),
    ];
    let told: Vec<String> = bad.into_iter().filter_map(|it| patched(&document, it).err()).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    `/list/2`: the list is not so long.
    `/list/4`: the list is not so long.
    `/list/01`: an index is a whole number.
    `/none`: there is no such member.
    `/none`: there is no such member.
    ``: a path begins with `/`.
    `/list/0/x`: there is nothing to add to.
    `/list/0`: it has another value.
    `/list/0`: the operation is none of add, replace, remove and test.
    ");
}

#[test]
fn names_become_keys() {
    let key = |name: &str| slug(name, Section::Accounts);
    assert_eq!(key("Connect to Amazon S3"), "connect-to-amazon-s3");
    assert_eq!(key("  Été 2021 / «neuf»  "), "t-2021-neuf");
    assert_eq!(key("日本"), "account");
    assert_eq!(key(&"x".repeat(300)).len(), 48);
}
