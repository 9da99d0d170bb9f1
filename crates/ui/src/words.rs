//! Every word that a person can read in the UI, in English and in French.
//!
//! A message is written once, with both languages side by side, and becomes a method of [`Lang`]
//! with typed arguments: a text that lacks a language, or an argument, does not compile. The tests
//! below hold the rest: no empty text, the same arguments in both, French spaces before `:` and `?`.

mod actions;
mod activations;
mod destinations;
mod editing;
mod home;
mod runs;
mod segments;
mod shared;
mod told;
mod wizards;

#[cfg(test)]
mod tests;

/// A language of the UI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Lang {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// Returns the language tag, as it stands in HTML and in cookies.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// Returns the name of the language in itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
        }
    }

    /// Returns the language of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    /// Returns the first known language of an `Accept-Language` header, English without one.
    pub fn of_header(header: &str) -> Self {
        let tags = header.split(',').filter_map(|part| part.split([';', '-']).next());
        tags.map(str::trim).find_map(Self::of_tag).unwrap_or_default()
    }

    /// Whether a count takes the singular: French does for nothing, too.
    fn is_one(self, count: u64) -> bool {
        match self {
            Self::En => count == 1,
            Self::Fr => count < 2,
        }
    }
}

/// Makes messages into methods of [`Lang`], and a list of them for the tests.
///
/// - `name = "English" | "French";`
/// - `name(argument) = "… {argument} …" | "…";` with texts as arguments
/// - `name #count = "{count} run", "{count} runs" | "{count} …", "{count} …";` with a count
macro_rules! catalogue {
    ($(
        $name:ident $(($($argument:ident),+))? $(# $count:ident)? = $($en:literal),+ | $($fr:literal),+;
    )+) => {
        impl $crate::words::Lang {
            $( $crate::words::message! { $name [$($($argument)+)?] [$($count)?] [$($en),+] [$($fr),+] } )+
        }

        /// The messages of this part: name, English texts, French texts.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &[&str], &[&str])] =
            &[$((stringify!($name), &[$($en),+], &[$($fr),+])),+];
    };
}

/// One message as a method.
macro_rules! message {
    ($name:ident [] [] [$en:literal] [$fr:literal]) => {
        pub(crate) fn $name(self) -> &'static str {
            match self {
                Self::En => $en,
                Self::Fr => $fr,
            }
        }
    };
    ($name:ident [$($argument:ident)+] [] [$en:literal] [$fr:literal]) => {
        pub(crate) fn $name(self, $($argument: &str),+) -> String {
            match self {
                Self::En => format!($en),
                Self::Fr => format!($fr),
            }
        }
    };
    ($name:ident [] [$count:ident] [$en:literal, $ens:literal] [$fr:literal, $frs:literal]) => {
        pub(crate) fn $name(self, $count: u64) -> String {
            let is_one = self.is_one($count);
            let $count = $crate::locale::number(self, $count);
            match (self, is_one) {
                (Self::En, true) => format!($en),
                (Self::En, false) => format!($ens),
                (Self::Fr, true) => format!($fr),
                (Self::Fr, false) => format!($frs),
            }
        }
    };
}

use {catalogue, message};
