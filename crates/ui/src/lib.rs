//! The pages of the web UI: from values to HTML, and nothing else.
//!
//! A page is a struct with what it shows and a function that draws it. Nothing here knows HTTP, the
//! ledger, the engine or the clock; the server fills the structs and sends what comes out. So every
//! page can be looked at, and tested, without a server, in both languages.
//!
//! Reading order: [`words`] is every word that a person can read, [`locale`] writes numbers and
//! times, [`component`] and [`chart`] are what pages are made of, [`shell`] is the frame around
//! them, and [`page`] holds the pages. [`asset`] is the stylesheet and the scripts, inside the
//! binary.

pub mod asset;
pub mod chart;
pub mod component;
pub mod icon;
pub mod locale;
pub mod page;
pub mod shell;
pub mod words;

pub use locale::Locale;
pub use maud::Markup;
pub use shell::Shell;
pub use words::Lang;
