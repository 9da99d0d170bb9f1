use super::*;

fn values<'a>(segment_name: &'a str) -> Values<'a> {
    Values {
        destination_name: "Partner drop",
        destination_id: Uuid::from_u128(1),
        segment_name,
        segment_id: Uuid::from_u128(2),
        activation_name: "partner-daily",
        activation_id: Uuid::from_u128(3),
        run_id: Uuid::from_u128(4),
        slot: "2026-01-04T02:03:05.678Z".parse().expect("a timestamp"),
    }
}

fn expand(text: &str, part: Part, segment_name: &str) -> String {
    match Template::parse(text, part) {
        Ok(template) => template.expand(&values(segment_name)),
        Err(errors) => errors
            .iter()
            .map(|e| format!("{}+{} {}: {}", e.offset, e.length, e.code, e.message))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn folder(text: &str) -> String {
    expand(text, Part::Folder, "Luxury Audience")
}

fn name(text: &str) -> String {
    expand(text, Part::FileName, "Luxury Audience")
}

#[test]
fn macros_stand_for_their_values() {
    assert_eq!(
        name(FILE_NAME_DEFAULT),
        "Partner_drop_segment00000000-0000-0000-0000-000000000002_20260104020305"
    );
    assert_eq!(name("%SEGMENT_NAME%_%TIMESTAMP%"), "Luxury_Audience_1767492185");
    assert_eq!(name("%DATETIME(YYYY-MM-dd'at'HH.mm.ssTZ_SSS)%"), "2026-01-04at02.03.05TZ_678");
    assert_eq!(name("%DATETIME(HH:mm''ss)%"), "02_03'05");
    assert_eq!(
        name("%ACTIVATION_NAME%-%ACTIVATION_ID%"),
        "partner-daily-00000000-0000-0000-0000-000000000003"
    );
    assert_eq!(name("%RUN_ID%"), "00000000-0000-0000-0000-000000000004");
    assert_eq!(name("%DESTINATION_ID%"), "00000000-0000-0000-0000-000000000001");
    assert_eq!(
        folder("acme/%SEGMENT_NAME%/%SEGMENT_ID%/%DATETIME(yyyy)%"),
        "acme/Luxury Audience/00000000-0000-0000-0000-000000000002/2026"
    );
    assert_eq!(folder(""), "");
}

#[test]
fn names_are_safe_and_composed() {
    assert_eq!(name("Été 2026 (v+1)"), "Été_2026_(v_1)");
    assert_eq!(name("e\u{301}te\u{301}"), "été");
    assert_eq!(folder("e\u{301}te\u{301}"), "été");
    assert_eq!(folder("a b/R&D, x@y"), "a b/R&D, x@y");
}

#[test]
fn values_never_climb() {
    let cases = [
        ("../../other", "a/.._.._other", ".._.._other"),
        ("..", "a/__", ".."),
        (".", "a/_", "."),
        ("a/b\\c", "a/a_b_c", "a_b_c"),
        ("x\u{0}\n\u{7f}y", "a/x___y", "x___y"),
        (" 50% <b> ", "a/50_ _b_", "_50___b__"),
        ("😀 %RUN_ID%", "a/_ _RUN_ID_", "___RUN_ID_"),
    ];
    for (value, in_folder, in_name) in cases {
        assert_eq!(expand("a/%SEGMENT_NAME%", Part::Folder, value), in_folder, "{value:?}");
        assert_eq!(expand("%SEGMENT_NAME%", Part::FileName, value), in_name, "{value:?}");
    }
}

#[test]
fn what_holds_a_time_is_known() {
    let template = |text| Template::parse(text, Part::FileName).expect("it parses");
    assert!(template(FILE_NAME_DEFAULT).has_time());
    assert!(template("%TIMESTAMP%").has_time());
    assert!(!template("%RUN_ID%").has_time());
    assert!(!template("%RUN_ID%").is_static());
    assert!(template("%SEGMENT_ID%").is_static());
}

#[test]
fn broken_names_say_where() {
    let cases = [
        ("", "0+0 empty_file_name: the file name is empty"),
        ("a/b", "1+1 file_name_slash: a slash in a file name"),
        ("../x", "2+1 file_name_slash: a slash in a file name"),
        ("a\\b", "1+1 key_character: a backslash"),
        ("a\tb", "1+1 key_character: a control character"),
        ("x%SEGMENT%", "1+9 unknown_macro: unknown macro `%SEGMENT%`"),
        ("%Y%m", "0+3 unknown_macro: unknown macro `%Y%`"),
        ("x_%RUN_ID", "2+7 unclosed_macro: a macro has no closing `%`"),
        (
            "{{segment}}",
            "0+1 unknown_macro: macros are not written in braces; 1+1 unknown_macro: macros are not written in braces; 9+1 unknown_macro: macros are not written in braces; 10+1 unknown_macro: macros are not written in braces",
        ),
        ("%RUN_ID(x)%", "0+11 macro_argument: the macro `%RUN_ID%` takes no argument"),
        ("%DATETIME%", "0+10 macro_argument: the macro `%DATETIME(…)%` needs a pattern"),
        ("%DATETIME()%", "10+0 date_pattern: the date pattern does not know ``"),
        ("é%DATETIME(yyyyDD)%", "16+2 date_pattern: the date pattern does not know `DD`"),
        ("%DATETIME(yyyy/MM)%", "14+1 date_pattern: the date pattern does not know `/`"),
        ("%DATETIME(yyyy'x)%", "14+2 date_pattern: the date pattern does not know `'x`"),
        (
            "%TIMESTAMP%%DATETIME(yyyy)%",
            "0+27 datetime_and_timestamp: both `%DATETIME(…)%` and `%TIMESTAMP%`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(name(text), expected, "{text:?}");
    }
}

#[test]
fn broken_folders_say_what_to_write() {
    let cases = [
        ("/x", "the folder begins with a slash", "Write `x`."),
        ("x/", "the folder ends with a slash", "Write `x`."),
        ("x//y", "the folder has an empty step (`//`)", "Write `x/y`."),
        ("x/../y", "the folder has a `.` or `..` step", "Write `x/y`."),
        ("./x", "the folder has a `.` or `..` step", "Write `x`."),
        (
            "..",
            "the folder has a `.` or `..` step",
            "Leave the key out for the root of the bucket.",
        ),
        ("/", "the folder begins with a slash", "Leave the key out for the root of the bucket."),
        ("a /b", "a step of the folder begins or ends with a space", "Write `a/b`."),
        ("a\\b", "a backslash", "Separate folders with `/`."),
        (
            "a#b",
            "the character `#` is unsafe in a folder",
            "Use letters, digits, and ! _ . * ' ( ) = -",
        ),
        ("a\nb", "a control character", "Use letters, digits, and ! _ . * ' ( ) = -"),
        (
            "a%2Fb",
            "a macro has no closing `%`",
            "Put `%` behind the macro's name; a plain percent sign is not possible in a name.",
        ),
    ];
    for (text, message, hint) in cases {
        let errors = Template::parse(text, Part::Folder).expect_err(text);
        assert_eq!(errors[0].message, message, "{text:?}");
        assert_eq!(errors[0].hint.as_deref(), Some(hint), "{text:?}");
    }
}
