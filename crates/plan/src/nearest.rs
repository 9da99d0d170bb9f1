//! The nearest valid name, for "did you mean".

/// Returns the candidate nearest to `wanted`, if any is near enough to be meant.
///
/// Names are compared without regard to case; of two equally near the first is taken.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    let most = distance_max(letters);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        // Each letter that one has more is a difference, so that most are told by their lengths.
        if lower.chars().count().abs_diff(letters) > most {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&wanted, &lower);
        if distance <= most && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A third of the letters may differ: enough for slips, too few for guesses.
fn distance_max(letters: usize) -> usize {
    (letters / 3).max(1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let names = ["bucket", "folder", "file", "manifest"];
        assert_eq!(nearest("bukcet", names), Some("bucket"));
        assert_eq!(nearest("Folder", names), Some("folder"));
        assert_eq!(nearest("files", names), Some("file"));
        assert_eq!(nearest("schedule", names), None);
        assert_eq!(nearest("", names), None);
    }
}
