//! The answers, one file for each group of routes. What they give are types, so that the document can
//! describe them.

pub(crate) mod access;
pub(crate) mod activations;
pub(crate) mod alerts;
pub(crate) mod destinations;
pub(crate) mod log;
pub(crate) mod profiles;
pub(crate) mod project;
pub(crate) mod runs;
pub(crate) mod server;
pub(crate) mod slots;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::{Code, Problem};

/// How many entries a list has without `limit`.
const LIMIT_DEFAULT: u32 = 100;

/// Makes the text by which the next page is asked for.
fn cursor(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(parts.join("\n"))
}

/// Reads it again.
fn parse_cursor<const N: usize>(text: &str) -> Result<[String; N], Problem> {
    let bad = || Problem::new(Code::InvalidValue, "`cursor` is not one that a list gave.");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let parts: Vec<String> = text.split('\n').map(str::to_owned).collect();
    parts.try_into().map_err(|_| bad())
}
