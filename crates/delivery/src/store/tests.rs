use plan::staged::{Condition, ObjectKind, StagedPart};

use super::*;

/// Two parts "hello " and "world", as MD5 and CRC describe them.
fn staged() -> StagedObject {
    let part = |number, body: &str| {
        use md5::Digest as _;
        StagedPart {
            number,
            bytes: body.len() as u64,
            etag: format!("\"{}\"", hex_text(&md5::Md5::digest(body))),
            crc64nvme: Some(crc64_text(crc_fast::crc64_nvme(body.as_bytes()))),
        }
    };
    StagedObject {
        kind: ObjectKind::Data,
        number: 1,
        key: "a.csv".to_owned(),
        upload_id: "u".to_owned(),
        token: "run.1.nonce".to_owned(),
        parts: vec![part(1, "hello "), part(2, "world")],
        bytes: 11,
        rows: 1,
        replaced: 0,
        sha256: String::new(),
        crc64nvme: Some(crc64_text(crc_fast::crc64_nvme(b"hello world"))),
        condition: Condition::Absent,
    }
}

/// What the store would show of it.
fn shown() -> Head {
    Head {
        token: Some("run.1.nonce".to_owned()),
        bytes: 11,
        etag: "\"opaque\"".to_owned(),
        version_id: None,
        crc64nvme: staged().crc64nvme,
    }
}

#[test]
fn an_object_is_ours_by_token_size_and_bytes() {
    let etag = format!("\"{}\"", multipart_etag(&staged()).unwrap());
    for (head, expected) in [
        (None, "Absent"),
        (Some(shown()), "Ours Checksum"),
        (Some(Head { etag, crc64nvme: None, ..shown() }), "Ours ETag"),
        (Some(Head { crc64nvme: None, ..shown() }), "Ours TokenAndSize"),
        (Some(Head { token: None, ..shown() }), "Foreign"),
        (Some(Head { token: Some("run.1.other".to_owned()), ..shown() }), "Foreign"),
        (Some(Head { bytes: 10, ..shown() }), "Different Bytes"),
        (
            Some(Head { crc64nvme: Some("AAAAAAAAAAA=".to_owned()), ..shown() }),
            "Different Checksum",
        ),
        (Some(Head { bytes: 10, token: None, ..shown() }), "Foreign"),
    ] {
        let found = match AtKey::of(&staged(), head.clone()) {
            AtKey::Ours { evidence, .. } => format!("Ours {evidence:?}"),
            AtKey::OursButDifferent { difference: Difference::Bytes { .. } } => {
                "Different Bytes".to_owned()
            }
            AtKey::OursButDifferent { difference: Difference::Checksum { .. } } => {
                "Different Checksum".to_owned()
            }
            AtKey::Foreign { .. } => "Foreign".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{head:?}");
    }
}

#[test]
fn the_etag_of_parts_is_that_of_amazon() {
    // md5(md5("hello ") + md5("world")) by md5sum and xxd.
    assert_eq!(multipart_etag(&staged()).unwrap(), "e09e4fd6265b36115fe3db32df945d84-2");
    let mut opaque = staged();
    opaque.parts[1].etag = "opaque".to_owned();
    assert_eq!(multipart_etag(&opaque), None);
}

#[test]
fn checksums_are_written_as_s3_does() {
    // Check value of CRC-64/NVME in the catalogue of CRC algorithms: ae8b14860a799888.
    assert_eq!(crc_fast::crc64_nvme(b"123456789"), 0xae8b_1486_0a79_9888);
    assert_eq!(crc64_text(0xae8b_1486_0a79_9888), "rosUhgp5mIg=");
}
