use std::io::Read as _;
use std::process::{Command, Stdio};

use pgp::composed::{Deserializable as _, Message, SignedPublicKey, SignedSecretKey};
use pgp::types::Password;
use secrecy::SecretString;

use super::*;

const AT: &str = "2026-01-04T06:30:00Z";
const PASSPHRASE: &str = "correct horse";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn text(name: &str) -> String {
    let path = format!("{}/tests/pgp/{name}.asc", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn recipient(name: &str) -> Recipient {
    Recipient::read(&text(name), at()).unwrap_or_else(|problem| panic!("{name}: {problem:?}"))
}

fn signer(name: &str) -> SignWith {
    let passphrase = SecretString::from(PASSPHRASE);
    SignWith::read(&text(name).into(), Some(&passphrase), at())
        .unwrap_or_else(|problem| panic!("{name}: {problem:?}"))
}

fn seal(recipients: &[&str], signed_by: Option<&str>, secret: u8) -> Arc<Seal> {
    let recipients = recipients.iter().map(|name| recipient(name)).collect();
    let secret = SecretSlice::from(vec![secret; RUN_SECRET_BYTES]);
    Seal::new(recipients, signed_by.map(signer), secret, at())
}

/// Encrypts `bytes`, handed over in pieces of a size.
fn sealed(seal: &Arc<Seal>, token: &str, bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut sealer = Sealer::new(Arc::clone(seal), token).unwrap();
    let mut out = Vec::new();
    for piece in bytes.chunks(piece) {
        sealer.write(piece, &mut out).unwrap();
    }
    sealer.finish(&mut out).unwrap();
    out
}

fn sample(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|index| (index * index % 251) as u8).collect()
}

#[test]
fn every_key_is_used_or_refused_with_its_reason() {
    let names = [
        "rsa",
        "curve25519",
        "nistp256",
        "nistp521",
        "weak",
        "expired",
        "part-expired",
        "sign-only",
        "elgamal",
        "brainpool",
        "revoked",
        "several",
        "curve25519-private",
    ];
    let said = |name: &str| match Recipient::read(&text(name), at()) {
        Ok(recipient) => format!("{name}: {}", recipient.fingerprint()),
        Err(KeyProblem { code, message, hint }) => format!("{name} {message} [{code}] {hint}"),
    };
    let lines: Vec<String> = names.iter().map(|name| said(name)).collect();
    insta::assert_snapshot!("keys", lines.join("\n"));
}

#[test]
fn texts_that_are_no_key_are_told_apart() {
    let key = text("curve25519");
    let base64 =
        |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let armour_in_base64 = base64(key.as_bytes());
    let body: String = key
        .lines()
        .skip(2)
        .take_while(|line| !line.starts_with('='))
        .collect::<Vec<_>>()
        .join("\n");
    let fingerprint = recipient("curve25519").fingerprint().to_owned();
    for text in [&armour_in_base64, &body, &format!("\n  {key}\r\n"), &key.replace('\n', "\r\n")] {
        assert_eq!(Recipient::read(text, at()).unwrap().fingerprint(), fingerprint, "{text}");
    }
    let cut = format!("{}\n-----END PGP PUBLIC KEY BLOCK-----\n", &key[..key.len() / 2]);
    let private_in_base64 = base64(text("curve25519-private").as_bytes());
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
    let wrong =
        ["", "hello", "aGVsbG8=", &cut, ssh, "-----BEGIN CERTIFICATE-----", &private_in_base64];
    let lines: Vec<String> = wrong
        .iter()
        .map(|text| {
            Recipient::read(text, at()).map_or_else(|problem| problem.message, |_| "fine".into())
        })
        .collect();
    insta::assert_snapshot!("texts", lines.join("\n"));
}

#[test]
fn private_keys_are_seen_however_they_come() {
    let base64 =
        |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let publics = ["rsa", "curve25519", "nistp256", "nistp521", "several", "elgamal", "signer"];
    let mut harmless: Vec<String> = publics.iter().map(|name| text(name)).collect();
    harmless.push(base64(text("rsa").as_bytes()));
    harmless.extend(
        ["", "hello", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample me"].map(str::to_owned),
    );
    for text in &harmless {
        assert!(!holds_private_key(text), "{text}");
    }
    for name in ["rsa-private", "curve25519-private", "nistp256-private", "signer-locked"] {
        let key = text(name);
        let body = key.lines().skip(2).collect::<Vec<_>>().join("\n");
        let both = format!("{}\n{key}", text("rsa"));
        let renamed = key.replace("PRIVATE", "PUBLIC");
        let lines: Vec<&str> = key.lines().collect();
        let cut_off = lines[..lines.len() / 2].join("\r\n");
        let in_base64 = base64(key.as_bytes());
        let one_line = key.replace('\n', " ");
        for text in [&key, &body, &both, &renamed, &cut_off, &in_base64, &one_line] {
            assert!(holds_private_key(text), "{name}: {text}");
        }
    }
    assert!(holds_private_key("-----BEGIN RSA PRIVATE KEY-----\nMIIE"));
}

#[test]
fn a_key_counts_as_of_the_time_that_is_given() {
    let read = |at: &str| {
        Recipient::read(&text("expired"), at.parse().unwrap())
            .map(|recipient| recipient.expires())
            .map_err(|problem| problem.message)
    };
    let expires = Some("2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(read("2025-06-01T00:00:00Z"), Ok(expires));
    assert_eq!(read("2025-12-31T23:59:59Z"), Ok(expires));
    assert_eq!(read("2026-01-01T00:00:00Z"), Err("expired on 2026-01-01".to_owned()));
    assert_eq!(read("2024-12-31T23:59:59Z"), Err("is valid only from 2025-01-01".to_owned()));
}

#[test]
fn who_signs_is_checked_too() {
    let said = |name: &str, passphrase: Option<&str>| {
        let passphrase = passphrase.map(SecretString::from);
        match SignWith::read(&text(name).into(), passphrase.as_ref(), at()) {
            Ok(key) => format!("{name}: {}", key.fingerprint()),
            Err(KeyProblem { code, message, hint }) => format!("{name} {message} [{code}] {hint}"),
        }
    };
    let lines = [
        said("signer-locked", Some(PASSPHRASE)),
        said("signer-locked", Some("wrong")),
        said("signer-locked", None),
        said("signer", None),
        said("curve25519-private", None),
        said("rsa-private", None),
    ];
    insta::assert_snapshot!("signers", lines.join("\n"));
}

#[test]
fn the_same_run_makes_the_same_bytes() {
    let content = sample(1_500_000);
    for signed_by in [None, Some("signer-locked"), Some("nistp256-private")] {
        let keys = ["rsa", "curve25519", "nistp256", "nistp521"];
        let first = sealed(&seal(&keys, signed_by, 1), "a.1.b", &content, 700_000);
        let again = sealed(&seal(&keys, signed_by, 1), "a.1.b", &content, 1_234);
        assert!(first == again, "{signed_by:?}");
        assert!(first != sealed(&seal(&keys, signed_by, 2), "a.1.b", &content, 700_000));
        assert!(first != sealed(&seal(&keys, signed_by, 1), "a.2.b", &content, 700_000));
        assert!(first != sealed(&seal(&keys[..2], signed_by, 1), "a.1.b", &content, 700_000));
    }
}

#[test]
fn each_recipient_reads_the_file_and_knows_who_signed_it() {
    for size in [0, 1, 511, 524_288, 1_100_000] {
        let content = sample(size);
        let keys = ["rsa", "curve25519", "nistp256"];
        let file = sealed(&seal(&keys, Some("signer-locked"), 1), "t", &content, 50_000);
        for name in keys {
            let (key, _) = SignedSecretKey::from_string(&text(&format!("{name}-private"))).unwrap();
            let message = Message::from_bytes(&file[..]).unwrap();
            let mut message = message.decrypt(&Password::empty(), &key).unwrap();
            let mut plain = Vec::new();
            message.read_to_end(&mut plain).unwrap();
            assert!(plain == content, "{name}, {size} bytes");
            let (signer, _) = SignedPublicKey::from_string(&text("signer")).unwrap();
            message.verify(&signer).unwrap();
        }
    }
}

#[test]
fn what_waits_inside_does_not_grow_with_the_file() {
    let seal = seal(&["curve25519"], None, 1);
    let mut sealer = Sealer::new(seal, "t").unwrap();
    let (piece, mut out, mut taken) = (sample(100_000), Vec::new(), 0_usize);
    for _ in 0..100 {
        sealer.write(&piece, &mut out).unwrap();
        taken += piece.len();
        let inside = taken.saturating_sub(out.len());
        assert!(inside < 3 << 20, "{inside} bytes are inside after {taken}");
    }
    sealer.finish(&mut out).unwrap();
    assert!(out.len() > taken);
}

#[test]
fn a_file_that_is_given_up_leaves_no_thread_waiting() {
    let mut sealer = Sealer::new(seal(&["curve25519"], None, 1), "t").unwrap();
    sealer.write(&sample(2_000_000), &mut Vec::new()).unwrap();
    let thread = sealer.let_go().unwrap();
    // It ends by itself, well or not: nobody reads what it makes.
    let _ = thread.join().unwrap();
}

/// GnuPG is what most recipients use. Where it is not installed this says so; in CI it has to be.
#[test]
fn gnupg_decrypts_and_verifies() {
    let home = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str], input: &[u8]| {
        let mut child = Command::new("gpg")
            .args(["--homedir", home.path().to_str().unwrap(), "--batch", "--no-tty"])
            .args(["--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = child.wait_with_output()?;
        let _ = writer.join();
        Ok::<_, std::io::Error>(output)
    };
    if let Err(error) = gpg(&["--version"], b"") {
        #[expect(clippy::disallowed_methods, reason = "a test asks where it runs")]
        let in_ci = std::env::var("CI").is_ok();
        assert!(!in_ci, "gpg cannot be run: {error}");
        eprintln!("SKIPPED: gpg is not installed, so nothing was decrypted by GnuPG");
        return;
    }
    let content = sample(3_000_000);
    for name in ["rsa", "curve25519", "nistp256"] {
        let imported = gpg(&["--import"], text(&format!("{name}-private")).as_bytes()).unwrap();
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    }
    gpg(&["--import"], text("signer").as_bytes()).unwrap();
    for (name, signed_by) in [
        ("rsa", None),
        ("curve25519", Some("signer-locked")),
        ("nistp256", Some("nistp256-private")),
    ] {
        let file = sealed(&seal(&["nistp521", name], signed_by, 1), "t", &content, 50_000);
        let output = gpg(&["--status-fd", "2", "--decrypt"], &file).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && output.stdout == content, "{name}: {said}");
        assert!(said.contains("GOODMDC"), "{said}");
        assert_eq!(said.contains("GOODSIG"), signed_by.is_some(), "{said}");
    }
}
