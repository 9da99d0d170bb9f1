//! The schedule step of a draft with many segments: a form shows some of them, and what is the same for
//! several is filled in once.

use ui::page::activate::{BULK, GUARDS};
use ui::page::wizard::Draft;

use crate::http::problem::{Code, Problem};

/// Puts what the form says of the segments that it shows in the place of what the draft said of them. The
/// others stay as they are.
pub(super) fn put(draft: &mut Draft, fields: &[(String, String)]) {
    let shown: Vec<&str> =
        fields.iter().filter(|(name, _)| name == "shown").map(|(_, key)| key.as_str()).collect();
    let is_own = |(name, value): &(String, String)| match name.split_once('.') {
        Some(("bulk", "segment")) => shown.contains(&value.as_str()),
        Some(("bulk", _)) => true,
        Some((what, key)) => BULK.contains(&what) && shown.contains(&key),
        None => name == "zone" || GUARDS.contains(&name.as_str()),
    };
    draft.0.retain(|field| !is_own(field));
    draft.0.extend(fields.iter().filter(|field| is_own(field)).cloned());
}

/// Gives every segment the schedule, the mode and the file name of the first.
pub(super) fn same_for_all(draft: &mut Draft) {
    let segments: Vec<String> = draft.all("segment").map(str::to_owned).collect();
    let Some((first, others)) = segments.split_first() else { return };
    let mut fields = Vec::new();
    for what in BULK {
        let value = draft.get(&format!("{what}.{first}"));
        fields.extend(others.iter().map(|other| (format!("{what}.{other}"), value.to_owned())));
    }
    draft.set_all(fields);
}

/// Gives several segments what was filled in for them together: those that were ticked, or all that were
/// `found`. What was left empty stays.
pub(super) fn same_for_some(draft: &mut Draft, found: &[String]) -> Result<(), Problem> {
    let chosen: Vec<String> = match draft.get("bulk.who") {
        "all" => found.to_vec(),
        _ => draft.all("bulk.segment").map(str::to_owned).collect(),
    };
    if chosen.is_empty() {
        return Err(Problem::new(Code::InvalidValue, "No segment is ticked.")
            .hint("Tick at least one, or apply it to all."));
    }
    let mut fields = Vec::new();
    for what in BULK {
        let value = draft.get(&format!("bulk.{what}")).trim();
        if !value.is_empty() {
            fields.extend(chosen.iter().map(|key| (format!("{what}.{key}"), value.to_owned())));
        }
    }
    draft.set_all(fields);
    Ok(())
}

/// Forgets what was filled in for several segments, once it was applied or is not meant.
pub(super) fn forget_bulk(draft: &mut Draft) {
    draft.0.retain(|(name, _)| !name.starts_with("bulk."));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(fields: &[(&str, &str)]) -> Draft {
        Draft(
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn of<'a>(draft: &'a Draft, what: &str) -> [&'a str; 3] {
        ["a", "b", "c"].map(|key| draft.get(&format!("{what}.{key}")))
    }

    #[test]
    fn several_segments_get_what_was_filled_in_for_them() {
        let mut draft = draft(&[
            ("segment", "a"),
            ("segment", "b"),
            ("segment", "c"),
            ("at.a", "05:00"),
            ("frequency.b", "weekly"),
            ("bulk.segment", "a"),
            ("bulk.segment", "c"),
            ("bulk.frequency", "monthly"),
            ("bulk.at", ""),
            ("bulk.file_name", " %SEGMENT_NAME% "),
        ]);
        let found: Vec<String> = ["a", "b"].map(str::to_owned).into();
        same_for_some(&mut draft, &found).expect("two are ticked");
        assert_eq!(of(&draft, "frequency"), ["monthly", "weekly", "monthly"]);
        assert_eq!(of(&draft, "at"), ["05:00", "", ""], "what is left empty stays");
        assert_eq!(of(&draft, "file_name"), ["%SEGMENT_NAME%", "", "%SEGMENT_NAME%"]);
        draft.set("bulk.who", "all");
        draft.set("bulk.at", "07:00");
        same_for_some(&mut draft, &found).expect("two are found");
        assert_eq!(of(&draft, "at"), ["07:00", "07:00", ""], "those that are found");
        forget_bulk(&mut draft);
        assert_eq!(draft.get("bulk.at"), "");
        let refused = same_for_some(&mut draft, &found).expect_err("none is ticked");
        assert_eq!(refused.detail, "No segment is ticked.");
        same_for_all(&mut draft);
        assert_eq!(of(&draft, "frequency"), ["monthly"; 3], "like the first");
    }

    #[test]
    fn what_a_form_does_not_show_stays() {
        let mut kept = draft(&[
            ("segment", "a"),
            ("at.a", "05:00"),
            ("at.b", "06:00"),
            ("end.a", "2027-01-01"),
            ("bulk.segment", "a"),
            ("bulk.segment", "b"),
            ("zone", "UTC"),
            ("min_rows", "5"),
        ]);
        let form = draft(&[
            ("shown", "a"),
            ("at.a", "07:00"),
            ("at.b", "08:00"),
            ("bulk.at", "09:00"),
            ("zone", "Europe/Paris"),
            ("segment", "x"),
        ]);
        put(&mut kept, &form.0);
        assert_eq!(of(&kept, "at"), ["07:00", "06:00", ""], "b is not in the form");
        assert_eq!(kept.get("end.a"), "");
        assert_eq!(kept.all("bulk.segment").collect::<Vec<_>>(), ["b"], "a is not ticked any more");
        assert_eq!((kept.get("zone"), kept.get("min_rows")), ("Europe/Paris", ""));
        assert_eq!(kept.all("segment").collect::<Vec<_>>(), ["a"]);
    }
}
