//! What is wrong with a text that stands in an expression as the argument of a function.
//!
//! In a column such a text would give a missing result for one record; in the expression it would
//! for all, so it is refused before any record is read.

use jiff::tz::TimeZone;
use plan::field::FieldPath;
use plan::nearest::nearest;

use super::{countries, read_time, times, url};

/// What is wrong with the text at a position of the arguments of a function, and what to do.
pub(in crate::expression) fn wrong_literal(
    function: &str,
    position: usize,
    text: &str,
) -> Option<(String, String)> {
    match (function, position) {
        ("hash_phone" | "normalize_phone", 1) if countries::dialling(text.trim()).is_none() => {
            let message = format!("there is no country `{text}`, or its numbers are not known");
            Some((message, "Write the two letters of a country: `FR`.".to_owned()))
        }
        ("format" | "dformat", 1) => times::wrong_pattern(text).map(|message| {
            let hint = "Write for example `yyyy-MM-dd HH:mm:ss`; texts stand in two single quotes.";
            (message, hint.to_owned())
        }),
        ("date", 1) => read_time::wrong_pattern(text).map(|message| {
            let hint = "Write for example `yyyy-MM-dd HH:mm:ss`; texts stand in two single quotes.";
            (message, hint.to_owned())
        }),
        ("set_date_part", 0) if !times::PARTS.contains(&text.to_lowercase().as_str()) => {
            let message = format!("a time has no part `{text}` that can be set");
            Some((message, one_of(text, &times::PARTS)))
        }
        ("make_date_time", 7) if TimeZone::get(text).is_err() => {
            let message = format!("there is no time zone `{text}`");
            Some((message, "Write a name such as `Europe/Paris`.".to_owned()))
        }
        ("get_url_query_str", 1) if !url::ANCHORS.contains(&text) => {
            let message = format!("`{text}` says nothing about the anchor");
            Some((message, one_of(text, &url::ANCHORS)))
        }
        ("str_to_object", 1 | 2) if text.is_empty() => {
            let message = "the text between pairs, or in a pair, is empty".to_owned();
            Some((message, "Write for example `str_to_object(x, '&', '=')`.".to_owned()))
        }
        ("json_value", 1) => FieldPath::parse(text).err().map(|error| {
            let hint = "Write for example `items[0].sku`.";
            (format!("this is no path: {}", error.reason), hint.to_owned())
        }),
        _ => None,
    }
}

fn one_of(text: &str, known: &[&str]) -> String {
    match nearest(text, known.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Write one of `{}`.", known.join("`, `")),
    }
}
