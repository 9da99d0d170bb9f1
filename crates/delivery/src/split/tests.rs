//! Files of any limits keep all rows in order.

use plan::file_format::Layout;
use proptest::prelude::*;

use super::*;

/// A chunk of rows with the given lengths.
fn chunk_of(lengths: &[usize]) -> Chunk {
    let mut chunk = Chunk::default();
    for (row, &length) in lengths.iter().enumerate() {
        let text = format!("{row:>length$}\n", length = length - 1);
        chunk.text.extend(text.into_bytes());
        chunk.row_ends.push(chunk.text.len() as u32);
    }
    chunk
}

fn limits(rows_per_file: u64, bytes_per_file: Option<u64>) -> FileFormat {
    FileFormat { rows_per_file, bytes_per_file, ..FileFormat::new(Layout::Csv) }
}

/// Cuts chunks into files as the spine does; each file is its rows.
fn files(mut splitter: Splitter, chunks: Vec<Chunk>) -> Vec<Vec<String>> {
    let mut files = vec![Vec::new()];
    for mut chunk in chunks {
        while !chunk.is_empty() {
            let fitting = splitter.fit(&chunk);
            if fitting == 0 {
                splitter.next_file();
                files.push(Vec::new());
                continue;
            }
            let rest = chunk.split_off(fitting);
            splitter.advance(fitting, chunk.text.len());
            let text = String::from_utf8(chunk.text).unwrap();
            files.last_mut().unwrap().extend(text.split_inclusive('\n').map(str::to_owned));
            chunk = rest;
        }
    }
    files
}

fn file_sizes(format: &FileFormat, header_bytes: usize, lengths: &[usize]) -> Vec<usize> {
    let splitter = Splitter::new(format, header_bytes);
    files(splitter, vec![chunk_of(lengths)]).iter().map(Vec::len).collect()
}

#[test]
fn multiples_of_the_row_limit() {
    for (rows, expected) in [
        (0, vec![0]),
        (1, vec![1]),
        (9, vec![9]),
        (10, vec![10]),
        (11, vec![10, 1]),
        (19, vec![10, 9]),
        (20, vec![10, 10]),
        (21, vec![10, 10, 1]),
    ] {
        assert_eq!(file_sizes(&limits(10, None), 5, &vec![4; rows]), expected);
    }
}

#[test]
fn bytes_count_with_the_header() {
    assert_eq!(file_sizes(&limits(100, Some(20)), 0, &[10; 4]), [2, 2]);
    assert_eq!(file_sizes(&limits(100, Some(20)), 1, &[10; 4]), [1, 1, 1, 1]);
    assert_eq!(file_sizes(&limits(100, Some(25)), 5, &[10; 4]), [2, 2]);
    assert_eq!(file_sizes(&limits(100, Some(29)), 0, &[10; 4]), [2, 2]);
    assert_eq!(file_sizes(&limits(100, Some(30)), 0, &[10; 4]), [3, 1]);
}

#[test]
fn a_row_that_is_too_large_has_a_file_of_its_own() {
    assert_eq!(file_sizes(&limits(100, Some(20)), 5, &[5, 50, 5, 5]), [1, 1, 2]);
    assert_eq!(file_sizes(&limits(100, Some(20)), 5, &[50, 50]), [1, 1]);
    assert_eq!(file_sizes(&limits(100, Some(1)), 5, &[5, 5]), [1, 1]);
}

#[test]
fn counts_start_over_with_each_file() {
    let mut splitter = Splitter::new(&limits(3, None), 7);
    assert_eq!((splitter.rows(), splitter.bytes()), (0, 7));
    splitter.advance(3, 30);
    assert_eq!((splitter.rows(), splitter.bytes()), (3, 37));
    assert_eq!(splitter.fit(&chunk_of(&[5])), 0);
    splitter.next_file();
    assert_eq!((splitter.rows(), splitter.bytes()), (0, 7));
    assert_eq!(splitter.fit(&Chunk::default()), 0);
}

proptest! {
    #[test]
    fn rows_and_order_are_kept(
        chunks in prop::collection::vec(prop::collection::vec(5usize..60, 0..50), 1..6),
        rows_per_file in 1u64..40,
        bytes_per_file in prop::option::of(1u64..300),
        header_bytes in 0usize..20,
    ) {
        let format = limits(rows_per_file, bytes_per_file);
        let lengths: Vec<usize> = chunks.concat();
        let one = files(Splitter::new(&format, header_bytes), vec![chunk_of(&lengths)]);
        let expected = String::from_utf8(chunk_of(&lengths).text).unwrap();
        prop_assert_eq!(one.concat().concat(), expected);
        for file in &one {
            let bytes = file.iter().map(String::len).sum::<usize>() + header_bytes;
            prop_assert!(file.len() as u64 <= rows_per_file);
            prop_assert!(file.len() <= 1 || bytes as u64 <= bytes_per_file.unwrap_or(u64::MAX));
            prop_assert!(!file.is_empty() || lengths.is_empty());
        }
        // Where the files end does not depend on how rows come in.
        let pieces: Vec<Chunk> = chunks.iter().map(|lengths| chunk_of(lengths)).collect();
        let many = files(Splitter::new(&format, header_bytes), pieces);
        let sizes = |files: &[Vec<String>]| files.iter().map(Vec::len).collect::<Vec<_>>();
        prop_assert_eq!(sizes(&many), sizes(&one));
    }
}
