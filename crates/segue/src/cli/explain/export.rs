//! What becomes of a person in the file of an activation.

use ::plan::RunPlan;
use engine::{Duplicate, Fate, FileRow, Move, TieBreak};
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
        lines.push(format!(
            "activation `{}`{which}: {}",
            plan.activation,
            sentence(case, &row.fate)
        ));
        let columns = plan.query.columns.iter().zip(&row.values);
        let columns = columns.map(|(column, value)| {
            let marks = [(column.mandatory, "mandatory"), (column.deduplicate, "key")];
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
            format!("not in the file: sent before, and the same since {}", time(*since))
        }
        Fate::Left => {
            "not in the file: sent before and not in the set any more, but `leavers` are not sent"
                .to_owned()
        }
        Fate::Sent(Move::Member) => "in the file".to_owned(),
        Fate::Sent(Move::Added) => "in the file: not sent before".to_owned(),
        Fate::Sent(Move::Changed { .. }) => "in the file: sent before, with other values".to_owned(),
        Fate::Sent(Move::Removed) => {
            "in the file: sent before, and not in the set any more".to_owned()
        }
    }
}

fn time(microseconds: i64) -> String {
    Timestamp::from_microsecond(microseconds)
        .map_or_else(|_| microseconds.to_string(), |time| time.to_string())
}

pub(super) fn as_json(case: &Case<'_>, plan: &RunPlan, rows: &[FileRow]) -> serde_json::Value {
    let row = |row: &FileRow| {
        let columns = plan.query.columns.iter().zip(&row.values);
        let columns = columns.map(|(column, value)| {
            json!({
                "column": column.header,
                "value": value.as_ref().map(|value| case.shown(value)),
                "mandatory": column.mandatory,
                "deduplicate": column.deduplicate,
            })
        });
        let mut json = json!({
            "isSent": matches!(row.fate, Fate::Sent(_)),
            "reason": word(&row.fate),
            "explanation": sentence(case, &row.fate),
            "columns": columns.collect::<Vec<_>>(),
        });
        match &row.fate {
            Fate::Missing(headers) => json["missing"] = json!(headers),
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
        Fate::Left => "left",
        Fate::Sent(Move::Member) => "member",
        Fate::Sent(Move::Added) => "added",
        Fate::Sent(Move::Changed { .. }) => "changed",
        Fate::Sent(Move::Removed) => "removed",
    }
}
