use super::{
    Lang, actions, activations, destinations, editing, home, runs, segments, shared, wizards,
};

type Message = (&'static str, &'static [&'static str], &'static [&'static str]);

fn all() -> Vec<Message> {
    [
        shared::ALL,
        actions::ALL,
        editing::ALL,
        wizards::ALL,
        home::ALL,
        runs::ALL,
        segments::ALL,
        destinations::ALL,
        activations::ALL,
    ]
    .concat()
}

/// The arguments of a text, sorted: what stands in braces.
fn arguments(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    found.sort_unstable();
    found
}

#[test]
fn every_message_is_complete_in_both_languages() {
    for (name, english, french) in all() {
        assert_eq!(english.len(), french.len(), "{name} has other plurals");
        for (en, fr) in english.iter().zip(french) {
            assert!(!en.trim().is_empty() && !fr.trim().is_empty(), "{name} has no text");
            assert_eq!(arguments(en), arguments(fr), "{name} takes other arguments in French");
        }
    }
}

#[test]
fn no_message_has_two_names_in_one_part_or_two() {
    let mut names: Vec<&str> = all().iter().map(|(name, ..)| *name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 200, "the catalogue lost its parts: {count}");
}

#[test]
fn french_puts_a_space_that_does_not_break_before_high_punctuation() {
    for (name, _, french) in all() {
        for text in french {
            for mark in [" :", " ;", " ?", " !", "« ", " »"] {
                assert!(!text.contains(mark), "{name} would break a line at {mark:?}: {text}");
            }
            for (at, _) in text.match_indices([';', '?', '!', '»']) {
                let before = text[..at].chars().next_back();
                assert!(
                    matches!(before, Some('\u{a0}' | '\u{202f}')),
                    "{name} has no space before a mark: {text}"
                );
            }
        }
    }
}

#[test]
fn languages_are_known_by_their_tags() {
    for lang in Lang::ALL {
        assert_eq!(Lang::of_tag(lang.tag()), Some(lang));
    }
    assert_eq!(Lang::of_header("fr-CA,fr;q=0.9,en;q=0.5"), Lang::Fr);
    assert_eq!(Lang::of_header("de-DE, en-GB;q=0.8, fr;q=0.5"), Lang::En);
    assert_eq!(Lang::of_header("de"), Lang::En);
    assert_eq!(Lang::of_header(""), Lang::En);
}

#[test]
fn counts_take_the_singular_where_the_language_does() {
    let said = |lang: Lang| [0, 1, 2, 1_234].map(|count| lang.files(count));
    assert_eq!(said(Lang::En), ["0 files", "1 file", "2 files", "1,234 files"]);
    assert_eq!(said(Lang::Fr), ["0 fichier", "1 fichier", "2 fichiers", "1\u{202f}234 fichiers"]);
}
