//! The table of bad input, as far as it concerns cells. Each case is written beside a plain cell,
//! in all layouts of text arrays, and read back.

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BinaryArray, BinaryViewArray, DictionaryArray, Int8Array, LargeStringArray,
    StringArray, StringViewArray,
};
use plan::file_format::{Dialect, FileFormat, FormulaGuard, Layout, LineEnd, NulPolicy, Quoting};

use super::super::Problem;
use super::read_back::assert_reads_as;
use super::{Encoder, format, strings, text, try_encode};

/// A text in each kind of array that can hold it.
fn arrays_of(cell: Option<&str>) -> Vec<ArrayRef> {
    let dictionary = match cell {
        None => DictionaryArray::<Int8Type>::from_iter([None::<&str>]),
        Some(cell) => DictionaryArray::new(
            Int8Array::from(vec![1]),
            Arc::new(StringArray::from(vec!["other", cell])),
        ),
    };
    let bytes = cell.map(str::as_bytes);
    vec![
        Arc::new(StringArray::from(vec![cell])),
        Arc::new(LargeStringArray::from(vec![cell])),
        Arc::new(StringViewArray::from(vec![cell])),
        Arc::new(BinaryArray::from(vec![bytes])),
        Arc::new(BinaryViewArray::from(vec![bytes])),
        Arc::new(dictionary),
    ]
}

/// Checks the bytes of a cell in the second of three columns and reads them back as `value`.
fn check_value(format: &FileFormat, cell: Option<&str>, expected: &str, value: Option<&str>) {
    let delimiter = char::from(format.dialect.delimiter);
    let line_end = format.dialect.line_end.as_str();
    let quote = if format.dialect.quoting == Quoting::All { "\"" } else { "" };
    for array in arrays_of(cell) {
        let plain = || strings(&[Some("p")]);
        let kind = array.data_type().clone();
        let line = text(format, vec![plain(), array, plain()]);
        let plain = format!("{quote}p{quote}");
        assert_eq!(
            line,
            format!("{plain}{delimiter}{expected}{delimiter}{plain}{line_end}"),
            "{cell:?} in {kind}"
        );
        let row = [Some("p"), value, Some("p")].map(|cell| cell.map(str::to_owned)).to_vec();
        assert_reads_as(line.as_bytes(), &format.dialect, &vec![row]);
    }
}

fn check(format: &FileFormat, cell: &str, expected: &str) {
    check_value(format, Some(cell), expected, Some(cell));
}

fn csv() -> FileFormat {
    FileFormat::new(Layout::Csv)
}

#[test]
fn default_dialect() {
    for (row, cell, expected) in [
        (1, "a,b", "\"a,b\""),
        (2, "say \"hi\"", "\"say \"\"hi\"\"\""),
        (3, "a\nb", "\"a\nb\""),
        (3, "a\r\nb", "\"a\r\nb\""),
        (3, "a\rb", "\"a\rb\""),
        (4, "\"", "\"\"\"\""),
        (4, "\"\"", "\"\"\"\"\"\""),
        (5, "", "\"\""),
        (7, " a", "\" a\""),
        (7, "a ", "\"a \""),
        (7, " ", "\" \""),
        (7, "a b", "a b"),
        (7, "\ta", "\"\ta\""),
        (7, "a\tb", "\"a\tb\""),
        (7, "\u{a0}a", "\"\u{a0}a\""),
        (7, "a\u{a0}", "\"a\u{a0}\""),
        (7, "a\u{a0}b", "a\u{a0}b"),
        (7, "\u{3000}a", "\"\u{3000}a\""),
        (7, "a\u{2003}", "\"a\u{2003}\""),
        (7, "a\u{1680}", "\"a\u{1680}\""),
        (8, "=1+1", "=1+1"),
        (8, "-1", "-1"),
        (8, "@x", "@x"),
        (8, "＝1", "＝1"),
        (10, "a\u{2028}b", "\"a\u{2028}b\""),
        (10, "a\u{2029}b", "\"a\u{2029}b\""),
        (10, "a\u{85}b", "\"a\u{85}b\""),
        (10, "a\u{b}b", "\"a\u{b}b\""),
        (10, "a\u{c}b", "\"a\u{c}b\""),
        (12, "\u{1b}[31mred", "\"\u{1b}[31mred\""),
        (12, "a\u{1}", "\"a\u{1}\""),
        (12, "a\u{7f}b", "\"a\u{7f}b\""),
        (12, "a\u{9f}b", "\"a\u{9f}b\""),
        (13, "a\u{feff}b", "a\u{feff}b"),
        (13, "\u{feff}b", "\u{feff}b"),
        (14, "😀", "😀"),
        (14, "👩\u{200d}👩\u{200d}👧", "👩\u{200d}👩\u{200d}👧"),
        (14, "e\u{301}", "e\u{301}"),
        (14, "\u{202e}abc", "\u{202e}abc"),
        (14, "Z\u{336}\u{317}a\u{334}", "Z\u{336}\u{317}a\u{334}"),
        (14, "«Zoë» – “quoted” €5 °C", "«Zoë» – “quoted” €5 °C"),
        (14, "ひらがな", "ひらがな"),
        (24, "+49 170 1234567", "+49 170 1234567"),
        (24, "00123", "00123"),
        (24, "1E5", "1E5"),
        (24, "MAR1", "MAR1"),
        (28, "\\.", "\"\\.\""),
        (28, "\\N", "\\N"),
        (28, "O'Neill", "O'Neill"),
    ] {
        println!("row {row}: {cell:?}");
        check(&csv(), cell, expected);
    }
    check_value(&csv(), None, "", None);
}

#[test]
fn cells_of_every_length_around_the_size_of_a_slot() {
    for length in (1..4).chain(11..15).chain(28..37).chain(60..68).chain(126..132) {
        let plain: String = "abcdefghij".chars().cycle().take(length).collect();
        check(&csv(), &plain, &plain);
        for at in [0, 1, length / 2, length - 1].map(|at| at.min(length - 1)) {
            let mut cell = plain.clone();
            cell.replace_range(at..=at, ",");
            check(&csv(), &cell, &format!("\"{cell}\""));
        }
        let accents = format!("{plain}é");
        check(&csv(), &accents, &accents);
        check(&csv(), &format!("{plain} "), &format!("\"{plain} \""));
        check(&csv(), &format!(" {plain}"), &format!("\" {plain}\""));
    }
}

#[test]
fn texts_of_missing_and_empty_values() {
    let tokens = |null: &str, empty: &str| {
        format(|dialect| {
            dialect.null = null.to_owned();
            dialect.empty = empty.to_owned();
        })
    };
    let named = tokens("null", "EMPTY");
    check_value(&named, None, "null", None);
    check_value(&named, Some(""), "EMPTY", Some(""));
    check(&named, "null", "\"null\"");
    check(&named, "EMPTY", "\"EMPTY\"");
    check(&named, "nullable", "nullable");
    check(&named, "NULL", "NULL");

    let postgres = tokens("\\N", "");
    check_value(&postgres, None, "\\N", None);
    check_value(&postgres, Some(""), "", Some(""));
    check(&postgres, "\\N", "\"\\N\"");

    let quoted_null = tokens("\"\"", "");
    check_value(&quoted_null, None, "\"\"", None);
    check_value(&quoted_null, Some(""), "", Some(""));

    let long = tokens("a text of more than thirty-two bytes", "\"\"");
    check_value(&long, None, "a text of more than thirty-two bytes", None);
    check(
        &long,
        "a text of more than thirty-two bytes",
        "\"a text of more than thirty-two bytes\"",
    );
}

#[test]
fn formulas() {
    let prefix = format(|dialect| dialect.formula_guard = FormulaGuard::Prefix);
    for (cell, expected) in [
        ("=1+1", "\"'=1+1\""),
        ("+1", "\"'+1\""),
        ("-1", "\"'-1\""),
        ("@x", "\"'@x\""),
        ("\t=", "\"'\t=\""),
        ("\r=", "\"'\r=\""),
        ("\n=", "\"'\n=\""),
        (";=1", "\"';=1\""),
        (" =1", "\"' =1\""),
        ("＝1", "\"'＝1\""),
        ("＋1", "\"'＋1\""),
        ("－1", "\"'－1\""),
        ("＠1", "\"'＠1\""),
        ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
    ] {
        let read = format!("'{cell}");
        check_value(&prefix, Some(cell), expected, Some(&read));
    }
    for plain in ["a=1", "1-1", "x@example.com", "'=1", "日本"] {
        check(&prefix, plain, plain);
    }
    let quote_is_guard = format(|dialect| {
        dialect.formula_guard = FormulaGuard::Prefix;
        (dialect.quote, dialect.escape) = (b'\'', b'\'');
        dialect.empty = "''".to_owned();
    });
    check_value(&quote_is_guard, Some("=1"), "'''=1'", Some("'=1"));
}

#[test]
fn rows_with_formulas_are_left_out_and_counted() {
    let reject = format(|dialect| dialect.formula_guard = FormulaGuard::Reject);
    let cells: Vec<_> = (0..200).map(|row| if row % 3 == 0 { "=1" } else { "fine" }).collect();
    let numbers: ArrayRef =
        Arc::new(arrow_array::Int64Array::from_iter_values((0..200).map(|n| -n)));
    for names in [
        Arc::new(StringArray::from(cells.clone())) as ArrayRef,
        Arc::new(cells.iter().copied().collect::<DictionaryArray<Int8Type>>()),
    ] {
        let chunk = try_encode(&reject, vec![names, numbers.clone()]).unwrap();
        let rejected: Vec<u32> = (0..200).filter(|row| row % 3 == 0).collect();
        assert_eq!((&chunk.rejected, chunk.rows()), (&rejected, 133));
        let text = String::from_utf8(chunk.text).unwrap();
        assert!(text.starts_with("fine,-1\nfine,-2\nfine,-4\n"));
        assert_eq!(text.lines().count(), 133);
    }
}

#[test]
fn nul_characters() {
    let policy = |nul| format(|dialect| dialect.nul = nul);
    check_value(&policy(NulPolicy::Strip), Some("a\0b\0"), "ab", Some("ab"));
    check_value(&policy(NulPolicy::Strip), Some("\0"), "\"\"", Some(""));
    check(&policy(NulPolicy::Keep), "a\0b", "\"a\0b\"");
}

#[test]
fn byte_order_mark_in_the_first_column() {
    let marked = || strings(&[Some("\u{feff}a")]);
    assert_eq!(text(&csv(), vec![marked(), marked()]), "\"\u{feff}a\",\u{feff}a\n");
    let dictionary: ArrayRef =
        Arc::new(DictionaryArray::<Int8Type>::from_iter([Some("\u{feff}a")]));
    assert_eq!(text(&csv(), vec![dictionary, marked()]), "\"\u{feff}a\",\u{feff}a\n");
}

#[test]
fn tab_separated() {
    let tsv = FileFormat::new(Layout::Tsv);
    check(&tsv, "a,b", "a,b");
    check(&tsv, "a\tb", "\"a\tb\"");
    check(&tsv, "a\nb", "\"a\nb\"");
    check(&tsv, "a\u{2028}b", "\"a\u{2028}b\"");
}

#[test]
fn quoting_all() {
    let all = format(|dialect| dialect.quoting = Quoting::All);
    check(&all, "a", "\"a\"");
    check(&all, "a\"b", "\"a\"\"b\"");
    check_value(&all, None, "", None);
    check_value(&all, Some(""), "\"\"", Some(""));
}

#[test]
fn quoting_none() {
    let none = format(|dialect| dialect.quoting = Quoting::None);
    check(&none, "a b", "a b");
    for cell in ["a,b", "a\"b", "a\nb", " a", "\u{85}"] {
        let error = try_encode(&none, vec![strings(&[Some("x"), Some(cell)])]).unwrap_err();
        assert_eq!(error.code(), "needs_quotes", "{cell:?}");
        assert_eq!(
            error.to_string(),
            "row 2, column \"c0\": the text needs quotes, and quoting is off"
        );
    }
}

#[test]
fn escapes_other_than_doubling() {
    let backslash = format(|dialect| dialect.escape = b'\\');
    check(&backslash, "Test,\"John\",LastName", "\"Test,\\\"John\\\",LastName\"");
    check(&backslash, "a\\b", "\"a\\\\b\"");
    check(&backslash, "\\", "\"\\\\\"");
    check(&backslash, "\\\"", "\"\\\\\\\"\"");
    let apostrophe = format(|dialect| dialect.escape = b'\'');
    check(&apostrophe, "Test,\"John\",LastName", "\"Test,'\"John'\",LastName\"");
    check(&apostrophe, "O'Neill", "\"O''Neill\"");
}

#[test]
fn other_quotes_delimiters_and_line_ends() {
    let odd = format(|dialect: &mut Dialect| {
        (dialect.delimiter, dialect.quote, dialect.escape) = (b'|', b'\'', b'\'');
        dialect.line_end = LineEnd::Crlf;
    });
    check(&odd, "a|b", "'a|b'");
    check(&odd, "it's", "'it''s'");
    check(&odd, "a,\"b\"", "a,\"b\"");
    // A text that reads like that of an empty value.
    check(&odd, "\"\"", "'\"\"'");
    check(&odd, "a\nb", "'a\nb'");
}

#[test]
fn headers_obey_the_same_rules() {
    let header = |format: &FileFormat, names: &[&str]| {
        let columns = names.iter().map(|name| (*name, strings(&[])));
        let batch = arrow_array::RecordBatch::try_from_iter(columns).unwrap();
        Encoder::new(format, &batch.schema())
            .map(|encoder| String::from_utf8(encoder.header()).unwrap())
    };
    let csv = csv();
    assert_eq!(header(&csv, &["a\",\"=cmd", "b c"]).unwrap(), "\"a\"\",\"\"=cmd\",b c\n");
    assert_eq!(header(&csv, &["\u{feff}a", "", " b"]).unwrap(), "\"\u{feff}a\",\"\",\" b\"\n");
    let crlf = format(|dialect| dialect.line_end = LineEnd::Crlf);
    assert_eq!(header(&crlf, &["a", "b"]).unwrap(), "a,b\r\n");
    let off = format(|dialect| dialect.header = false);
    assert_eq!(header(&off, &["a", "b"]).unwrap(), "");
    let all = format(|dialect| dialect.quoting = Quoting::All);
    assert_eq!(header(&all, &["a", "b"]).unwrap(), "\"a\",\"b\"\n");
    let prefix = format(|dialect| dialect.formula_guard = FormulaGuard::Prefix);
    assert_eq!(header(&prefix, &["=a", "b"]).unwrap(), "\"'=a\",b\n");
    let reject = format(|dialect| dialect.formula_guard = FormulaGuard::Reject);
    assert_eq!(header(&reject, &["=a"]).unwrap_err().code(), "formula");
    let none = format(|dialect| dialect.quoting = Quoting::None);
    assert_eq!(header(&none, &["a", "b,c"]).unwrap_err().code(), "needs_quotes");
    assert_eq!(header(&csv, &["a\0"]).unwrap_err().code(), Problem::Nul.code());
}
