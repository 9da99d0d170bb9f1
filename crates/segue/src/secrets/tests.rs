use std::collections::BTreeSet;

use super::*;

const CANARY: &str = "canary-3f1e-secret";
const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn now() -> Timestamp {
    "2026-01-04T06:30:00Z".parse().unwrap()
}

fn none(_: &str) -> Option<String> {
    None
}

fn everything_below(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => bytes.extend(everything_below(&entry.path())),
            false => bytes.extend(fs::read(entry.path()).unwrap()),
        }
    }
    bytes
}

#[test]
fn a_secret_comes_back_and_is_nowhere_in_the_clear() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    secrets.set("partner", CANARY, now()).unwrap();
    secrets.set("other", "x", now()).unwrap();
    assert_eq!(*secrets.get("partner").unwrap(), CANARY);
    let names: Vec<String> = secrets.list().unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["other", "partner"]);
    let bytes = everything_below(state.path());
    for form in [CANARY.to_owned(), envelope::hex(CANARY.as_bytes())] {
        assert!(!String::from_utf8_lossy(&bytes).contains(&form));
    }
    secrets.remove("partner").unwrap();
    assert_eq!(secrets.get("partner").unwrap_err().message, "the secret `partner` is not stored");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    secrets.set("partner", CANARY, now()).unwrap();
    for path in [state.path().join("master.key"), state.path().join("secrets/partner.sealed")] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

fn open_to(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_that_everybody_can_read_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    secrets.set("partner", CANARY, now()).unwrap();
    open_to(&state.path().join("master.key"), 0o644);
    let failure = secrets.get("partner").unwrap_err();
    assert!(
        failure.message.starts_with("everybody on this machine can read"),
        "{}",
        failure.message
    );
    open_to(&state.path().join("master.key"), 0o640);
    assert_eq!(*secrets.get("partner").unwrap(), CANARY);
}

#[test]
fn the_same_secret_is_never_sealed_the_same_way() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        secrets.set("partner", CANARY, now()).unwrap();
        assert!(seen.insert(fs::read(state.path().join("secrets/partner.sealed")).unwrap()));
    }
}

#[test]
fn a_file_that_was_changed_or_moved_does_not_open() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    secrets.set("partner", CANARY, now()).unwrap();
    let path = |name: &str| state.path().join(format!("secrets/{name}.sealed"));
    let good = fs::read_to_string(path("partner")).unwrap();
    fs::write(path("other"), &good).unwrap();
    let said = secrets.get("other").unwrap_err().message;
    assert_eq!(said, "the secret `other` is damaged, or was put in the place of another");
    let at = good.find("\"sealed\":\"").unwrap() + 10;
    let mut changed = good.clone().into_bytes();
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    fs::write(path("partner"), &changed).unwrap();
    assert!(secrets.get("partner").is_err());
    fs::write(path("partner"), &good[..good.len() / 2]).unwrap();
    assert!(secrets.get("partner").is_err());
}

#[test]
fn the_master_key_can_be_given() {
    let state = tempfile::tempdir().unwrap();
    let key = |name: &str| (name == KEY_VARIABLE).then(|| HEX.to_owned());
    let secrets = Secrets::new(state.path(), &key);
    let entry = secrets.set("partner", CANARY, now()).unwrap();
    assert!(!state.path().join("master.key").exists());
    let file = state.path().join("elsewhere.key");
    fs::write(&file, format!("segue-master-key-1-{HEX}\n")).unwrap();
    open_to(&file, 0o600);
    let named = |name: &str| (name == KEY_FILE_VARIABLE).then(|| file.display().to_string());
    let secrets = Secrets::new(state.path(), &named);
    assert_eq!(*secrets.get("partner").unwrap(), CANARY);
    assert_eq!(secrets.list().unwrap(), [entry]);
    let own = Secrets::new(state.path(), &none).get("partner").unwrap_err();
    assert!(own.message.contains("cannot be read"), "{}", own.message);
    let other = |name: &str| (name == KEY_VARIABLE).then(|| HEX.replace('0', "1"));
    let failure = Secrets::new(state.path(), &other).get("partner").unwrap_err();
    insta::assert_snapshot!("other_master_key", failure.text());
    let wrong = |name: &str| (name == KEY_VARIABLE).then(|| CANARY.to_owned());
    let failure = Secrets::new(state.path(), &wrong).get("partner").unwrap_err();
    insta::assert_snapshot!("no_master_key", failure.text());
}

#[test]
fn the_master_key_is_changed_and_every_secret_stays() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    let before = secrets.set("partner", CANARY, now()).unwrap().key_id;
    secrets.set("other", "x", now()).unwrap();
    let old_key = fs::read_to_string(state.path().join("master.key")).unwrap();
    // It was stopped once, between the new key and the last secret.
    let keys = secrets.source.begin_rotation().unwrap();
    secrets.write("other", "x", keys.current(), now()).unwrap();
    assert_eq!(*secrets.get("partner").unwrap(), CANARY);
    let (id, sealed) = secrets.rotate().unwrap();
    assert_eq!((sealed, id == keys.current().id()), (2, true));
    assert_ne!(id, before);
    assert!(secrets.list().unwrap().iter().all(|entry| entry.key_id == id && entry.set == now()));
    assert_eq!(*secrets.get("partner").unwrap(), CANARY);
    let new_key = fs::read_to_string(state.path().join("master.key")).unwrap();
    assert_eq!(new_key.lines().count(), 1);
    assert_ne!(new_key, old_key);
}

#[test]
fn names_and_sizes_have_limits() {
    let state = tempfile::tempdir().unwrap();
    let secrets = Secrets::new(state.path(), &none);
    for name in ["", "../x", "a/b", ".hidden", &"a".repeat(65)] {
        assert!(secrets.set(name, "x", now()).is_err(), "{name}");
    }
    assert!(secrets.set("a", "", now()).is_err());
    assert!(secrets.set("a", &"x".repeat(SECRET_BYTES_MAX + 1), now()).is_err());
    assert!(secrets.set("a", &"x".repeat(SECRET_BYTES_MAX), now()).is_ok());
}
