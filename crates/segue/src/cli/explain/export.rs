//! What becomes of a person in the file of an activation.

use ::plan::RunPlan;
use engine::{Departure, Duplicate, Fate, FileRow, Move, TieBreak};
use jiff::Timestamp;
use serde_json::json;

use super::Case;
use crate::cli::table;

pub(super) fn text(case: &Case<'_>, plan: &RunPlan, rows: &[FileRow]) -> String {
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let which = match rows.len() {
            1 => String::new(),
            count => format!(" (row {} of {count})", number + 1),
        };
        lines.push(format!("activation `{}`{which}: {}", plan.activation, explanation(case, row)));
        let columns = plan.query.columns.iter().zip(&row.values).enumerate();
        let columns = columns.map(|(number, (column, value))| {
            let marks = [
                (column.mandatory, "mandatory"),
                (column.deduplicate, "key"),
                (row.withheld.contains(&number), "withheld"),
            ];
            let marks = marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| mark);
            let value = value.as_ref().map_or_else(String::new, |value| case.shown(value));
            vec![column.header.clone(), value, marks.collect::<Vec<_>>().join(", ")]
        });
        if row.fate != Fate::NotMember {
            lines.push(table::table(&["column", "value", ""], &[], columns.collect()));
        }
    }
    lines.join("\n")
}

/// What becomes of a row, and what of it is not told.
fn explanation(case: &Case<'_>, row: &FileRow) -> String {
    let sentence = sentence(case, &row.fate);
    match (row.withheld.is_empty(), &row.fate) {
        (true, _) => sentence,
        (false, Fate::Sent(Move::Removed(Departure::Refused))) => {
            format!("{sentence}, so that attributes are withheld")
        }
        (false, _) => format!("{sentence}; for lack of consent, attributes are withheld"),
    }
}

/// Why somebody left the set.
fn departure(departure: Departure) -> &'static str {
    match departure {
        Departure::NotMember => "not in the segment any more",
        Departure::Refused => "opted out or without consent by now",
        Departure::Missing => "without a value in a mandatory column by now",
    }
}

fn sentence(case: &Case<'_>, fate: &Fate) -> String {
    match fate {
        Fate::NotMember => "not in the file, since not in the segment".to_owned(),
        Fate::Refused => "not in the file, for lack of consent".to_owned(),
        Fate::Missing(headers) => {
            format!("not in the file, for lack of a value in `{}`", headers.join("`, `"))
        }
        Fate::Duplicate(Duplicate { winner, key, by }) => format!(
            "not in the file: {} has the same `{}` and is sent instead, {}",
            case.person(winner),
            key.join("`, `"),
            match by {
                TieBreak::Membership => "having become a member later".to_owned(),
                TieBreak::Timestamp => "being newer by the timestamp".to_owned(),
                TieBreak::Column(header) => format!("coming first by `{header}`"),
                TieBreak::Order =>
                    "being equal in all columns and first in the order of the profiles".to_owned(),
            }
        ),
        Fate::Nameless => {
            "not in the file: nothing tells the row from others, so that an increment cannot follow it"
                .to_owned()
        }
        Fate::Unchanged { since } => {
            format!("not in the file: sent before, and the same since {}", second(*since))
        }
        Fate::Left(why) => format!(
            "not in the file: sent before and {}, but `leavers` are not sent",
            departure(*why)
        ),
        Fate::Sent(Move::Member) => "in the file".to_owned(),
        Fate::Sent(Move::Added) => "in the file: not sent before".to_owned(),
        Fate::Sent(Move::Changed { .. }) => "in the file: sent before, with other values".to_owned(),
        Fate::Sent(Move::Removed(why)) => {
            format!("in the file as somebody who left: sent before, and {}", departure(*why))
        }
    }
}

/// A time to the second, for people.
pub(super) fn second(microseconds: i64) -> String {
    Timestamp::from_microsecond(microseconds)
        .map_or_else(|_| microseconds.to_string(), |time| format!("{time:.0}"))
}

pub(super) fn time(microseconds: i64) -> String {
    Timestamp::from_microsecond(microseconds)
        .map_or_else(|_| microseconds.to_string(), |time| time.to_string())
}

pub(super) fn as_json(case: &Case<'_>, plan: &RunPlan, rows: &[FileRow]) -> serde_json::Value {
    let row = |row: &FileRow| {
        let columns = plan.query.columns.iter().zip(&row.values).enumerate();
        let columns = columns.map(|(number, (column, value))| {
            json!({
                "column": column.header,
                "value": value.as_ref().map(|value| case.shown(value)),
                "mandatory": column.mandatory,
                "deduplicate": column.deduplicate,
                "withheld": row.withheld.contains(&number),
            })
        });
        let mut json = json!({
            "isSent": matches!(row.fate, Fate::Sent(_)),
            "reason": word(&row.fate),
            "explanation": explanation(case, row),
            "columns": columns.collect::<Vec<_>>(),
        });
        match &row.fate {
            Fate::Missing(headers) => json["missing"] = json!(headers),
            Fate::Left(why) | Fate::Sent(Move::Removed(why)) => {
                json["leftFor"] = json!(word_of_departure(*why));
            }
            Fate::Unchanged { since } => json["since"] = json!(time(*since)),
            Fate::Duplicate(Duplicate { winner, key, by }) => {
                json["winner"] = json!({
                    "namespace": winner.namespace,
                    "value": case.shown(&winner.value),
                });
                json["key"] = json!(key);
                json["tieBreak"] = match by {
                    TieBreak::Membership => json!("membership"),
                    TieBreak::Timestamp => json!("timestamp"),
                    TieBreak::Column(header) => json!({ "column": header }),
                    TieBreak::Order => json!("order"),
                };
            }
            _ => {}
        }
        json
    };
    json!({ "activation": plan.activation, "rows": rows.iter().map(row).collect::<Vec<_>>() })
}

/// The reason for machines: those of left out rows are the words of runs.
fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::NotMember => "not_member",
        Fate::Refused => "consent",
        Fate::Missing(_) => "missing",
        Fate::Duplicate(_) => "duplicate",
        Fate::Nameless => "no_identity",
        Fate::Unchanged { .. } => "unchanged",
        Fate::Left(_) => "left",
        Fate::Sent(Move::Member) => "member",
        Fate::Sent(Move::Added) => "added",
        Fate::Sent(Move::Changed { .. }) => "changed",
        Fate::Sent(Move::Removed(_)) => "removed",
    }
}

/// Why somebody left, in the same words.
fn word_of_departure(why: Departure) -> &'static str {
    match why {
        Departure::NotMember => "not_member",
        Departure::Refused => "consent",
        Departure::Missing => "missing",
    }
}
