//! A page that shows the API's document and lets requests be tried; nothing in it comes from
//! elsewhere.

/// The page at `/api/docs`.
pub(crate) const PAGE: &str = include_str!("explorer/page.html");
/// Its script.
pub(crate) const SCRIPT: &str = include_str!("explorer/script.js");
/// Its style.
pub(crate) const STYLE: &str = include_str!("explorer/style.css");
