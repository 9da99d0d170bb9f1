//! Files for recipients alone, end to end: what they decrypt is the file as it would have been.

use std::io::Read as _;

use pgp::composed::{Deserializable as _, Message, SignedPublicKey, SignedSecretKey};
use pgp::types::Password;
use s3lab::{Action, Fault, Lab, Operation, Outcome};

use crate::delivery::{is_committed, wait_until};
use crate::project::{BUCKET, Project, SECRET, Text, lab};

/// The passphrase of the key `signer-locked.asc`.
const PASSPHRASE: &str = "correct horse";
const PGP: &str = "{ pgp: [keys/partner.asc] }";

fn key(name: &str) -> String {
    let path = format!("{}/../delivery/tests/pgp/{name}.asc", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A project whose files are encrypted as said; `keys/partner.asc` is a key on a curve.
fn project(file: &'static str, encryption: &str, lab: &Lab) -> Project {
    let yaml = Text { file, ..Text::default() }.yaml();
    let yaml = yaml.replace(
        "    folder: drop\n",
        &format!("    folder: drop\n    encryption: {encryption}\n"),
    );
    let project = Project::new(&yaml, Some(lab));
    project.write("keys/partner.asc", key("curve25519"));
    project.write("keys/second.asc", key("rsa"));
    project.write("keys/ours.asc", key("signer-locked"));
    project
}

fn run(project: &Project) -> i32 {
    let mut command = project.command(&["run", "daily"]);
    command.env("PGP_SIGN_PASSPHRASE", PASSPHRASE);
    let said = project.finish(command.spawn().expect("the binary starts"));
    assert!(said.stderr.is_empty() || said.code != 0, "{}", said.stderr);
    said.code
}

/// The data files of the bucket, in the order of their keys.
fn files(lab: &Lab) -> Vec<(String, Vec<u8>)> {
    let keys = lab.keys(BUCKET).into_iter().filter(|key| !key.contains("manifest-"));
    keys.map(|key| (key.clone(), lab.object(BUCKET, &key).expect("a file").bytes.to_vec()))
        .collect()
}

fn decrypted(file: &[u8], private: &str) -> Vec<u8> {
    let (key, _) = SignedSecretKey::from_string(&key(private)).expect("a key");
    let message = Message::from_bytes(file).expect("a message");
    let mut message = message.decrypt(&Password::empty(), &key).expect("it is for this key");
    let mut plain = Vec::new();
    message.read_to_end(&mut plain).expect("it is whole");
    plain
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_file_is_what_it_would_be_without_encryption() {
    for (file, extension) in [
        ("{ format: csv, rows_per_file: 2 }", "csv"),
        ("{ format: tsv, compression: gzip }", "txt.gz"),
        ("{ format: csv, compression: zstd }", "csv.zst"),
        ("{ format: csv, compression: zip }", "csv.zip"),
        ("{ format: json }", "json"),
        ("{ format: parquet }", "parquet"),
    ] {
        let (plain, encrypted) = (lab().await, lab().await);
        assert_eq!(run(&project(file, "{}", &plain)), 0, "{file}");
        let project = project(file, "{ pgp: [keys/partner.asc, keys/second.asc] }", &encrypted);
        assert_eq!(run(&project), 0, "{file}");
        let (plain, encrypted_files) = (files(&plain), files(&encrypted));
        assert_eq!(plain.len(), encrypted_files.len(), "{file}");
        for ((key, bytes), (encrypted_key, sealed)) in plain.iter().zip(&encrypted_files) {
            assert_eq!(*encrypted_key, format!("{key}.gpg"));
            assert!(key.ends_with(extension), "{key}");
            for private in ["curve25519-private", "rsa-private"] {
                assert!(decrypted(sealed, private) == *bytes, "{key} for {private}");
            }
            let object = encrypted.object(BUCKET, encrypted_key).expect("the file");
            assert_eq!(object.content_type.as_deref(), Some("application/pgp-encrypted"));
        }
        let left = std::fs::read_dir(project.path(".segue/seals")).expect("a folder").count();
        assert_eq!(left, 0, "nobody but the recipients can open the files any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_file_tells_who_sent_it() {
    let lab = lab().await;
    let encryption = "{ pgp: [keys/partner.asc], pgp_sign: keys/ours.asc, pgp_sign_passphrase: \"${PGP_SIGN_PASSPHRASE}\" }";
    let project = project("{ format: csv }", encryption, &lab);
    assert_eq!(run(&project), 0);
    let (_, sealed) = files(&lab).remove(0);
    let (private, _) = SignedSecretKey::from_string(&key("curve25519-private")).expect("a key");
    let message = Message::from_bytes(&sealed[..]).expect("a message");
    let mut message = message.decrypt(&Password::empty(), &private).expect("it is for this key");
    message.read_to_end(&mut Vec::new()).expect("it is whole");
    let (signer, _) = SignedPublicKey::from_string(&key("signer")).expect("a key");
    message.verify(&signer).expect("the signature is theirs");
    let ledger = std::fs::read(project.path(".segue/ledger.sqlite")).expect("a ledger");
    assert!(!String::from_utf8_lossy(&ledger).contains(PASSPHRASE));
}

/// Loses the upload of the file after the commit record; what follows makes it again.
async fn lose_the_upload(lab: &Lab, project: &Project) -> crate::project::Running {
    let hang = Action::Hang(Outcome::NotDone);
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, hang));
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().held() > 0 || is_committed(project)).await;
    let lost: Vec<_> = lab
        .open_uploads(BUCKET)
        .into_iter()
        .filter(|upload| upload.key.ends_with(".gpg"))
        .collect();
    assert_eq!(lost.len(), 1);
    assert!(lab.drop_upload(&lost[0].upload_id), "the lifecycle rule strikes");
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_upload_is_made_again_and_readable() {
    let lab = lab().await;
    let project = project("{ format: csv, compression: gzip }", PGP, &lab);
    let child = lose_the_upload(&lab, &project).await;
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 0, "{}", said.stderr);
    // The checksums in the manifest and in the ledger were written before the loss.
    let (_, sealed) = files(&lab).remove(0);
    let object = project.json(&["files"])[0].clone();
    assert_eq!(object["bytes"], sealed.len());
    let mut text = String::new();
    let plain = decrypted(&sealed, "curve25519-private");
    flate2::read::GzDecoder::new(&plain[..]).read_to_string(&mut text).expect("gzip");
    assert!(text.starts_with("id,e_mail,points\n"), "{text}");
}

/// Kills the process after the commit record, with the upload lost.
async fn killed_with_a_lost_upload(lab: &Lab, project: &Project) {
    let mut child = lose_the_upload(lab, project).await;
    child.kill().expect("a kill");
    child.wait().expect("the process is gone");
    lab.faults().clear();
    lab.faults().release();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_with_the_seal_that_it_left() {
    let lab = lab().await;
    let project = project("{ format: csv }", PGP, &lab);
    killed_with_a_lost_upload(&lab, &project).await;
    assert_eq!(std::fs::read_dir(project.path(".segue/seals")).expect("a folder").count(), 1);
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!decrypted(&files(&lab)[0].1, "curve25519-private").is_empty());
    assert_eq!(std::fs::read_dir(project.path(".segue/seals")).expect("a folder").count(), 0);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_seal_a_lost_upload_stays_lost_and_is_named() {
    let lab = lab().await;
    let project = project("{ format: csv }", PGP, &lab);
    killed_with_a_lost_upload(&lab, &project).await;
    std::fs::remove_dir_all(project.path(".segue/seals")).expect("the seals are gone");
    let said = project.segue(&["run"]);
    let transcript = project.transcript(&said);
    insta::with_settings!({ filters => vec![("run [0-9a-f-]{36}", "run [id]")] }, {
        insta::assert_snapshot!("encryption_seal_lost", transcript);
    });
    assert_eq!(files(&lab).len(), 0, "other bytes are never published under the old checksum");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_fit_are_found_by_validate() {
    let lab = lab().await;
    let encryption = "\n      pgp: [keys/partner.asc, keys/expired.asc, keys/several.asc, keys/private.asc, keys/weak.asc, keys/missing.asc]\n      pgp_sign: keys/ours.asc";
    let project = project("{ format: csv }", encryption, &lab);
    for (name, from) in [
        ("expired", "expired"),
        ("several", "several"),
        ("private", "curve25519-private"),
        ("weak", "weak"),
    ] {
        project.write(&format!("keys/{name}.asc"), key(from));
    }
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!("encryption_keys_and_files", project.transcript(&said));
    project.write("keys/missing.asc", key("rsa"));
    let said = project.segue(&["validate", "--offline"]);
    insta::assert_snapshot!("encryption_keys_alone", project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_expired_since_fails_its_run_alone() {
    let lab = lab().await;
    let project = project("{ format: csv }", PGP, &lab);
    project.write("keys/partner.asc", key("expired"));
    let said = project.segue(&["run", "daily"]);
    insta::assert_snapshot!("encryption_key_expired", project.transcript(&said));
    let checked = project.segue(&["check", "partner"]);
    assert_eq!(checked.code, 2, "{}", checked.stdout);
    assert!(!checked.stdout.contains("is ready"), "{}", checked.stdout);
    assert!(checked.stderr.contains("cannot be encrypted: keys/partner.asc"), "{}", checked.stderr);
    assert_eq!(lab.history().len(), 0);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_or_a_passphrase_in_the_file_is_masked() {
    let lab = lab().await;
    let inline = key("signer-locked").replace('\n', "\n        ");
    let encryption = format!(
        "\n      pgp: [keys/partner.asc]\n      pgp_sign: |\n        {inline}\n      pgp_sign_passphrase: {SECRET}"
    );
    let said = project("{ format: csv }", &encryption, &lab).segue(&["validate"]);
    assert_eq!(said.code, 2);
    let secret_line = key("signer-locked").lines().nth(4).expect("a line").to_owned();
    assert!(
        !said.stderr.contains(SECRET) && !said.stderr.contains(&secret_line),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("`pgp_sign` is written in the clear"), "{}", said.stderr);
    assert!(
        said.stderr.contains("`pgp_sign_passphrase` is written in the clear"),
        "{}",
        said.stderr
    );
}
