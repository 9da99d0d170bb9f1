//! The answers, one file for each group of routes. What they give are types, so that the document can
//! describe them.

pub(crate) mod access;
pub(crate) mod activations;
pub(crate) mod alerts;
pub(crate) mod destinations;
pub(crate) mod drafts;
pub(crate) mod evaluations;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod log;
pub(crate) mod objects;
pub(crate) mod once;
pub(crate) mod people;
pub(crate) mod preview;
pub(crate) mod profiles;
pub(crate) mod project;
pub(crate) mod replays;
pub(crate) mod rules;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod slots;
pub(crate) mod who_got;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Problem;
use super::request::Ask;

/// How many entries a list has without `limit`.
pub(super) const LIMIT_DEFAULT: u32 = 100;

/// Makes the text by which the next page is asked for.
fn cursor(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(parts.join("\n"))
}

/// Reads it again.
fn parse_cursor<const N: usize>(text: &str) -> Result<[String; N], Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad_cursor())?;
    let text = String::from_utf8(bytes).map_err(|_| bad_cursor())?;
    let parts: Vec<String> = text.split('\n').map(str::to_owned).collect();
    parts.try_into().map_err(|_| bad_cursor())
}

/// A cursor that no list gave.
fn bad_cursor() -> Problem {
    Problem::at_parameter("cursor", "`cursor` is not one that a list gave.")
        .hint("Leave it out for the first page; each page names the next one.")
}

/// Of lists that are numbered, the newest first: behind which number the page begins.
fn number_behind(ask: &Ask) -> Result<Option<u64>, Problem> {
    let Some(text) = ask.query("cursor") else { return Ok(None) };
    let [number] = parse_cursor(text)?;
    number.parse().map(Some).map_err(|_| bad_cursor())
}

/// Of lists that are numbered: the cursor of the next page, if this one is full and `last` is not the
/// end of all.
fn cursor_behind(last: Option<u64>, count: usize, limit: u32) -> Option<String> {
    let is_full = count >= usize::try_from(limit).unwrap_or(usize::MAX);
    last.filter(|number| is_full && *number > 1).map(|number| cursor(&[&number.to_string()]))
}
