//! Copies of a ledger, within a database and from one to the other.

use ledger::{DefinitionChange, Ledger, Place, RunFilter, SlotFilter, User};

use crate::fixture::{self, Fixture, act, at, dated, fixed, path_in, stop, telling};

/// A ledger with something in every corner.
async fn filled() -> Fixture {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    fixture.deliver(&dated(1), 2).await;
    fixture.deliver(&fixed(2), 1).await;
    fixture.commit(&fixed(3), 1).await;
    let failed = fixture.claim(&dated(4), at(0)).await;
    ledger.fail(&failed, &stop(), at(1)).await.unwrap();
    let put = |key: &str| DefinitionChange::Put {
        section: "segments".to_owned(),
        key: key.to_owned(),
        text: "{}".to_owned(),
    };
    ledger.define(&[put("a"), put("b")], 0, "ann", at(1)).await.unwrap();
    let user = User {
        name: "ann".to_owned(),
        role: "admin".to_owned(),
        password: "$argon2id$".to_owned(),
        created: at(0),
    };
    ledger.add_user(&user).await.unwrap();
    ledger.add_session("digest", "ann", "guard", at(1)).await.unwrap();
    for number in 0..3 {
        ledger.audit(&act(number), at(number)).await.unwrap();
    }
    let slot = ledger::SlotKey {
        activation: "daily".to_owned(),
        segment: "luxury".to_owned(),
        slot: at(0),
    };
    ledger.request_slot(&slot, "partner", "ann", &telling(), at(0)).await.unwrap();
    fixture
}

/// Everything that can be asked of a ledger, as a text.
async fn told(ledger: &Ledger) -> String {
    let mut text = String::new();
    for run in ledger.runs(&RunFilter::default()).await.unwrap() {
        text.push_str(&format!("{:#?}\n", ledger.run(run.run_id).await.unwrap()));
    }
    text.push_str(&format!("{:#?}\n", ledger.slots(&SlotFilter::default()).await.unwrap()));
    text.push_str(&format!("{:#?}\n", ledger.definitions().await.unwrap()));
    text.push_str(&format!("{:#?}\n", ledger.users().await.unwrap()));
    text.push_str(&format!("{:#?}\n", ledger.check_audit().await.unwrap()));
    text.push_str(&format!("{:#?}\n", ledger.uploads_to_sweep().await.unwrap()));
    text
}

#[tokio::test]
async fn a_copy_is_a_file_that_tells_the_same() {
    let fixture = filled().await;
    let path = fixture.folder.path().join("copy.sqlite");
    fixture.ledger.copy_to(&path).await.unwrap();
    let copy = Ledger::open(&path).await.unwrap();
    assert_eq!(told(&copy).await, told(&fixture.ledger).await);
    assert!(copy.check_pages().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_ledger_takes_what_a_copy_holds_and_goes_on() {
    let fixture = filled().await;
    let path = fixture.folder.path().join("copy.sqlite");
    fixture.ledger.copy_to(&path).await.unwrap();
    let copy = Ledger::open(&path).await.unwrap();
    let place = match &fixture.place {
        Place::File(_) => Place::File(path_in(&fixture.folder.path().join("new"))),
        Place::Postgres(_) => Place::Postgres(fixture::address(&fixture::new_schema())),
    };
    let new = Ledger::open(&place).await.unwrap();
    new.fill_from(&copy).await.unwrap();
    assert_eq!(told(&new).await, told(&fixture.ledger).await);
    let error = new.fill_from(&copy).await.unwrap_err();
    assert!(matches!(error, ledger::Error::NotEmpty { .. }), "{error:?}");
    // Numbers go on behind the ones that were copied.
    let fixture = Fixture { ledger: new, place, folder: fixture.folder };
    fixture.deliver(&dated(5), 1).await;
    fixture.ledger.audit(&act(9), at(9)).await.unwrap();
    assert_eq!(fixture.ledger.check_audit().await.unwrap().entries, 4);
}

crate::fixture::also_on_postgres![
    a_copy_is_a_file_that_tells_the_same,
    a_new_ledger_takes_what_a_copy_holds_and_goes_on,
];
