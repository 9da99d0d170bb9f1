//! What is packed unpacks, and does not depend on how the text was cut.

use std::io::Read;

use plan::file_format::{Encoding, Layout};
use proptest::prelude::*;

use super::*;

const NAME: &str = "name.csv";

fn packer(encoding: Encoding, compression: Compression) -> Packer {
    let file = FileFormat { encoding, compression, ..FileFormat::new(Layout::Csv) };
    Packer::new(&file, NAME)
}

fn pack(encoding: Encoding, compression: Compression, pieces: &[&[u8]]) -> Vec<u8> {
    let mut packer = packer(encoding, compression);
    let mut out = Vec::new();
    for piece in pieces {
        packer.write(piece, &mut out).unwrap();
    }
    packer.finish(&mut out).unwrap();
    out
}

fn unpack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match compression {
        Compression::None => text.extend_from_slice(bytes),
        Compression::Gzip => {
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).map(|_| ()).unwrap();
        }
        Compression::Zstd => text = zstd::stream::decode_all(bytes).unwrap(),
        Compression::Zip => {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            archive.by_name(NAME).unwrap().read_to_end(&mut text).map(|_| ()).unwrap();
        }
    }
    text
}

const ALL: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Zip];

/// Rows like those of an export.
fn rows(count: u32) -> Vec<u8> {
    let row = |row: u32| {
        format!("{row},user{}@example.com,{}\n", row.wrapping_mul(2_654_435_761), row % 97)
    };
    (0..count).map(row).collect::<String>().into_bytes()
}

#[test]
fn large_texts_read_back() {
    let text = rows(40_000);
    assert!(text.len() > 8 * BLOCK_BYTES);
    for compression in ALL {
        let packed = pack(Encoding::Utf8, compression, &[&text]);
        assert_eq!(unpack(compression, &packed), text);
        let pieces: Vec<&[u8]> = text.chunks(70_001).collect();
        assert_eq!(pack(Encoding::Utf8, compression, &pieces), packed, "{compression:?}");
        let pieces: Vec<&[u8]> = text.chunks(1_000).collect();
        assert_eq!(pack(Encoding::Utf8, compression, &pieces), packed, "{compression:?}");
    }
}

#[test]
fn compressors_hand_out_bytes_as_they_go() {
    let text = rows(30_000);
    for compression in ALL {
        let mut packer = packer(Encoding::Utf8, compression);
        let mut out = Vec::new();
        packer.write(&text, &mut out).unwrap();
        assert!(!out.is_empty());
        assert!(packer.pending.len() < BLOCK_BYTES);
    }
}

#[test]
fn gzip_has_no_name_and_no_time() {
    let packed = pack(Encoding::Utf8, Compression::Gzip, &[b"a,b\n"]);
    // Magic, method, no flags, time 0; then what the level says, and an unknown system.
    assert_eq!(packed[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    assert_eq!(packed[9], 255);
    // One member: its length and nothing else is behind the data.
    assert_eq!(packed[packed.len() - 4..], 4u32.to_le_bytes());
}

#[test]
fn files_without_text() {
    for compression in ALL {
        for encoding in [Encoding::Utf8, Encoding::Utf8Bom, Encoding::Utf16Le] {
            let packed = pack(encoding, compression, &[b""]);
            assert_eq!(unpack(compression, &packed), b"");
        }
    }
}

#[test]
fn the_character_set_comes_first() {
    let packed = pack(Encoding::Utf16Le, Compression::Gzip, &["é\n".as_bytes()]);
    assert_eq!(unpack(Compression::Gzip, &packed), b"\xff\xfe\xe9\0\n\0");
    let mut packer = packer(Encoding::Iso8859_1, Compression::Zstd);
    let error = packer.write("€".as_bytes(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.code(), "unencodable");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn cuts_do_not_matter(text: String, count in 0u32..9_000, cuts in prop::collection::vec(0usize..400_000, 0..5)) {
        let text = [text.into_bytes(), rows(count)].concat();
        let boundary = |cut: usize| {
            let mut cut = cut.min(text.len());
            while cut < text.len() && text[cut] & 0xc0 == 0x80 {
                cut += 1;
            }
            cut
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(boundary).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        for compression in ALL {
            let whole = pack(Encoding::Utf8Bom, compression, &[&text]);
            prop_assert_eq!(pack(Encoding::Utf8Bom, compression, &pieces), whole.clone());
            let unpacked = unpack(compression, &whole);
            prop_assert_eq!(unpacked.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&unpacked), &text[..]);
        }
    }
}
