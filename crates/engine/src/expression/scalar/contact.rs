//! Addresses and numbers of people, normalised and hashed as platforms for advertising match them.
//!
//! E-mail addresses: white space around is removed, letters become small (Google Ads, *Customer
//! match: prepare your data*; Meta, *Customer information parameters*). Nothing is done to dots or
//! to what stands behind a plus sign, since platforms differ there.
//!
//! Phone numbers: E.164 (ITU-T), `+`, country code, number, without anything between (Google Ads,
//! the same page). Meta wants the digits alone: `sha256(ltrim(normalize_phone(x, 'FR'), '+'))`.

use super::countries::dialling;
use super::{Texts, digest};

pub(super) const ALL: [Texts; 3] = [
    Texts { name: "hash_email", least: 1, most: 1, apply: hash_email },
    Texts { name: "hash_phone", least: 1, most: 2, apply: hash_phone },
    Texts { name: "normalize_phone", least: 1, most: 2, apply: normalize_phone },
];

/// The fewest and most digits of a number with its country code (E.164 §6.2 has the most).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The hash of an address; nothing for what is none.
fn hash_email(texts: &[&str]) -> Option<String> {
    let address = texts[0].trim().to_lowercase();
    let (name, host) = address.rsplit_once('@')?;
    let is_address =
        !name.is_empty() && !host.is_empty() && !address.chars().any(char::is_whitespace);
    is_address.then(|| digest::sha256(&address))
}

fn hash_phone(texts: &[&str]) -> Option<String> {
    normalize_phone(texts).map(|number| digest::sha256(&number))
}

/// A number as E.164. Without a country code it is one of the country that is given, by its two
/// letters (ISO 3166-1); nothing for what is no number, or of no known country.
fn normalize_phone(texts: &[&str]) -> Option<String> {
    let written = texts[0].trim();
    let digits = digits(written)?;
    let international = written.starts_with('+').then_some(digits.as_str());
    let international = international.or_else(|| digits.strip_prefix("00"));
    let number = match (international, texts.get(1)) {
        (Some(international), _) => international.to_owned(),
        (None, Some(country)) => {
            let (code, trunk) = dialling(country.trim())?;
            let national = digits.strip_prefix(trunk).unwrap_or(&digits);
            format!("{code}{national}")
        }
        (None, None) => return None,
    };
    (DIGITS.contains(&number.len()) && !number.starts_with('0')).then(|| format!("+{number}"))
}

/// The digits of a number; nothing when it holds what numbers do not. A zero between brackets
/// behind a country code, `+44 (0)20 …`, is not dialled.
fn digits(written: &str) -> Option<String> {
    let written = match written.starts_with('+') || written.starts_with("00") {
        true => written.replacen("(0)", "", 1),
        false => written.to_owned(),
    };
    let mut digits = String::with_capacity(written.len());
    for (position, c) in written.chars().enumerate() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if position == 0 => {}
            ' ' | '\u{a0}' | '\u{202f}' | '(' | ')' | '-' | '\u{2010}'..='\u{2013}' | '.' | '/' => {
            }
            _ => return None,
        }
    }
    Some(digits)
}
