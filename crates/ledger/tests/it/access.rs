//! Who may sign in, and the log of what they did.

use crate::fixture::{Fixture, at};
use ledger::audit::Act;
use ledger::{Token, User};

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        role: "admin".to_owned(),
        password: "$argon2id$".to_owned(),
        created: at(10),
    }
}

#[tokio::test]
async fn the_first_link_is_good_once_and_for_a_while() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert!(ledger.set_setup_link("old", at(0), at(100)).await.unwrap());
    assert!(ledger.set_setup_link("new", at(0), at(100)).await.unwrap());
    assert!(!ledger.use_setup_link("old", &user("ann")).await.unwrap(), "another took its place");
    let late = User { created: at(100), ..user("ann") };
    assert!(!ledger.use_setup_link("new", &late).await.unwrap(), "too late");
    assert!(ledger.use_setup_link("new", &user("ann")).await.unwrap());
    assert!(!ledger.set_setup_link("third", at(0), at(100)).await.unwrap(), "nobody needs it");
    assert!(!ledger.use_setup_link("third", &user("bob")).await.unwrap(), "there is a user");
    assert_eq!(ledger.users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn tokens_end_by_themselves_and_by_word() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    let token = Token {
        id: "abc".to_owned(),
        name: "nightly".to_owned(),
        role: "operator".to_owned(),
        created: at(0),
        creator: "ann".to_owned(),
        expires: at(1_000),
        last_used: None,
    };
    ledger.add_token(&token, "digest").await.unwrap();
    assert_eq!(ledger.use_token("other", at(1)).await.unwrap(), None);
    assert_eq!(ledger.use_token("digest", at(999)).await.unwrap(), Some(token.clone()));
    assert_eq!(ledger.tokens().await.unwrap()[0].last_used, Some(at(999)));
    assert_eq!(ledger.use_token("digest", at(1_000)).await.unwrap(), None, "it has expired");
    assert!(ledger.remove_token("abc").await.unwrap());
    assert_eq!(ledger.use_token("digest", at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_changed_user_is_signed_out_everywhere() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert!(ledger.add_user(&user("ann")).await.unwrap());
    assert!(!ledger.add_user(&user("ann")).await.unwrap(), "there is one");
    ledger.add_session("digest", "ann", "guard", at(20)).await.unwrap();
    let session = async |digest, now| {
        ledger.use_session(digest, at(0), at(0), at(now)).await.unwrap().map(|it| it.role)
    };
    assert_eq!(session("digest", 30).await.as_deref(), Some("admin"));
    let idle = ledger.use_session("digest", at(0), at(30), at(40)).await.unwrap();
    assert_eq!(idle, None, "not used for too long");
    assert!(ledger.change_user("ann", "viewer", "$argon2id$2", at(50)).await.unwrap());
    assert_eq!(session("digest", 60).await, None);
    ledger.add_session("second", "ann", "guard", at(70)).await.unwrap();
    assert_eq!(session("second", 71).await.as_deref(), Some("viewer"));
    ledger.end_session("second", at(0)).await.unwrap();
    assert_eq!(session("second", 72).await, None);
    assert!(ledger.remove_user("ann").await.unwrap());
}

fn act(number: u32) -> Act {
    Act {
        actor: "ann".to_owned(),
        address: "127.0.0.1".to_owned(),
        action: "run_activation".to_owned(),
        object: format!("/api/v1/activations/{number}"),
        outcome: "202".to_owned(),
    }
}

#[tokio::test]
async fn the_audit_log_tells_whether_it_was_changed() {
    let fixture = Fixture::new().await;
    for number in 0..1_500 {
        fixture.ledger.audit(&act(number), at(i64::from(number))).await.unwrap();
    }
    let whole = fixture.ledger.check_audit().await.unwrap();
    assert_eq!((whole.entries, whole.broken_at), (1_500, None));
    let newest = fixture.ledger.audit_log(None, 2).await.unwrap();
    assert_eq!(newest[0].digest, whole.newest.unwrap());
    assert_eq!(newest[0].previous, newest[1].digest);
    let before = fixture.ledger.audit_log(Some(newest[1].number), 1).await.unwrap();
    assert_eq!(before[0].number, 1_498);
    for statement in
        ["UPDATE audit SET actor = 'bob' WHERE number = 700", "DELETE FROM audit WHERE number = 3"]
    {
        let refused = fixture.tamper(statement).await.unwrap_err().to_string();
        assert!(refused.contains("only appended to"), "{refused}");
    }
    let of_table = if fixture.place.is_shared() { " ON audit" } else { "" };
    fixture.tamper(&format!("DROP TRIGGER audit_is_not_changed{of_table}")).await.unwrap();
    fixture.tamper("UPDATE audit SET actor = 'bob' WHERE number = 700").await.unwrap();
    let broken = fixture.ledger.check_audit().await.unwrap();
    assert_eq!((broken.entries, broken.broken_at), (699, Some(700)));
}

#[tokio::test]
async fn answers_are_kept_under_their_key() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert_eq!(ledger.answered("ann", "key").await.unwrap(), None);
    ledger.keep_answer("ann", "key", ("d1", "first"), at(0), at(10)).await.unwrap();
    ledger.keep_answer("ann", "key", ("d2", "second"), at(0), at(11)).await.unwrap();
    let kept = ledger.answered("ann", "key").await.unwrap();
    assert_eq!(kept, Some(("d1".to_owned(), "first".to_owned())));
    assert_eq!(
        ledger.answered("bob", "key").await.unwrap(),
        None,
        "each actor has keys of its own"
    );
    ledger.keep_answer("ann", "other", ("d", "a"), at(11), at(20)).await.unwrap();
    assert_eq!(ledger.answered("ann", "key").await.unwrap(), None, "too old");
}

crate::fixture::also_on_postgres![
    the_first_link_is_good_once_and_for_a_while,
    tokens_end_by_themselves_and_by_word,
    a_changed_user_is_signed_out_everywhere,
    the_audit_log_tells_whether_it_was_changed,
    answers_are_kept_under_their_key,
];
