//! The activation that a draft stands for, and the draft that an activation would have come from.

use std::collections::HashMap;

use serde_json::{Map, Value};
use ui::page::activate::{FILE_NAME, GUARDS};
use ui::page::wizard::Draft;

use super::columns::{Column, columns};
use crate::http::pages::wizard::put;

/// The activation as it would stand in the project file. What it says already, `before`, and the wizard
/// does not ask for, stays.
pub(super) fn activation_of(draft: &Draft, before: &Value) -> Value {
    let exports = before["segments"].as_array().cloned().unwrap_or_default();
    let exports: HashMap<&str, &Map<String, Value>> =
        exports.iter().filter_map(|it| Some((it["segment"].as_str()?, it.as_object()?))).collect();
    let filled = draft.by_name();
    let zone_of_all = draft.or("zone", "UTC");
    let segment = |key: &str| {
        let of = |what: &str, otherwise: &'static str| -> String {
            let written = filled.get(format!("{what}.{key}").as_str()).copied().unwrap_or_default();
            let value = if written.is_empty() { otherwise } else { written };
            value.trim().to_owned()
        };
        let mut export = exports.get(key).copied().cloned().unwrap_or_default();
        put(&mut export, "segment", key);
        put(&mut export, "file_name", &of("file_name", FILE_NAME));
        put(&mut export, "export", &of("export", "full"));
        let zone = of("zone", "");
        let zone = if zone.is_empty() { zone_of_all } else { &zone };
        let schedule = export.remove("schedule");
        let frequency = of("frequency", "daily");
        if frequency != "none" {
            let mut schedule =
                schedule.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
            for name in ["at", "every", "cron", "start", "end"] {
                schedule.remove(name);
            }
            put(&mut schedule, "frequency", &frequency);
            match frequency.as_str() {
                "cron" => put(&mut schedule, "cron", &of("cron", "0 6 * * *")),
                _ => put(&mut schedule, "at", &of("at", "06:00")),
            }
            if frequency == "hourly" {
                let every = of("every", "1");
                let hours = every.parse::<u8>().map_or(Value::from(every), Value::from);
                schedule.insert("every".to_owned(), hours);
            }
            put(&mut schedule, "start", &of("start", ""));
            put(&mut schedule, "end", &of("end", ""));
            put(&mut schedule, "zone", zone);
            export.insert("schedule".to_owned(), schedule.into());
        }
        Value::from(export)
    };
    let segments: Vec<Value> = draft.all("segment").map(segment).collect();
    let column = |[source, target, rule]: Column| {
        let mut column = Map::new();
        match source.trim().strip_prefix('=') {
            Some(expression) => put(&mut column, "expression", expression.trim()),
            None => put(&mut column, "source", source.trim()),
        }
        put(&mut column, "target", target.trim());
        if matches!(rule.as_str(), "mandatory" | "both") {
            column.insert("mandatory".to_owned(), true.into());
        }
        if matches!(rule.as_str(), "deduplicate" | "both") {
            column.insert("deduplicate".to_owned(), true.into());
        }
        Value::from(column)
    };
    let mapping: Vec<Value> = columns(draft).into_iter().map(column).collect();
    let mut activation = before.as_object().cloned().unwrap_or_default();
    put(&mut activation, "destination", draft.get("destination"));
    activation.insert("segments".to_owned(), segments.into());
    activation.insert("mapping".to_owned(), mapping.into());
    let guard = activation.remove("guard");
    let mut guard = guard.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    for name in GUARDS {
        guard.remove(name);
        let text = draft.get(name).trim();
        if text.is_empty() {
            continue;
        }
        let value = match (name, text.parse::<u64>()) {
            ("min_rows" | "max_rows", Ok(rows)) => Value::from(rows),
            // A bare number is a share as well.
            (_, Ok(percent)) => Value::from(format!("{percent}%")),
            _ => Value::from(text),
        };
        guard.insert(name.to_owned(), value);
    }
    if !guard.is_empty() {
        activation.insert("guard".to_owned(), guard.into());
    }
    activation.into()
}

/// The draft that an activation would have come from.
pub(super) fn draft_of(activation: &Value) -> Draft {
    let mut draft = Draft::default();
    let mut add = |name: String, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !value.is_null() {
            draft.0.push((name, text));
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    add("destination".to_owned(), &activation["destination"]);
    let segments = list(&activation["segments"]);
    let zones = segments.iter().map(|it| &it["schedule"]["zone"]);
    let zone = zones.clone().find(|zone| !zone.is_null()).cloned().unwrap_or_default();
    add("zone".to_owned(), &zone);
    for it in &segments {
        let Some(key) = it["segment"].as_str() else { continue };
        add("segment".to_owned(), &it["segment"]);
        let schedule = &it["schedule"];
        let frequency = match schedule.is_null() {
            true => &Value::from("none"),
            false => &schedule["frequency"],
        };
        add(format!("frequency.{key}"), frequency);
        for name in ["at", "every", "cron", "start", "end"] {
            add(format!("{name}.{key}"), &schedule[name]);
        }
        if !schedule["zone"].is_null() && schedule["zone"] != zone {
            add(format!("zone.{key}"), &schedule["zone"]);
        }
        add(format!("export.{key}"), &it["export"]);
        add(format!("file_name.{key}"), &it["file_name"]);
    }
    for name in GUARDS {
        add(name.to_owned(), &activation["guard"][name]);
    }
    for column in list(&activation["mapping"]) {
        let source = match (&column, column["expression"].as_str()) {
            (Value::String(_), _) => column.clone(),
            (_, Some(expression)) => Value::from(format!("= {expression}")),
            _ => column["source"].clone(),
        };
        let rule = match (column["mandatory"] == true, column["deduplicate"] == true) {
            (true, true) => "both",
            (true, false) => "mandatory",
            (false, true) => "deduplicate",
            (false, false) => "",
        };
        add("column.source".to_owned(), &source);
        add("column.target".to_owned(), &column["target"].as_str().unwrap_or_default().into());
        add("column.rule".to_owned(), &rule.into());
    }
    draft
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::columns::{add_column, move_column};
    use super::*;
    use crate::app::objects;

    fn draft(fields: &[(&str, &str)]) -> Draft {
        Draft(
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn a_draft_becomes_what_would_stand_in_the_file() {
        let mut draft = draft(&[
            ("destination", "partner"),
            ("segment", "luxury"),
            ("segment", "young"),
            ("frequency.luxury", "weekly"),
            ("at.luxury", "07:30"),
            ("zone", "Europe/Paris"),
            ("frequency.young", "none"),
            ("min_rows", "10"),
        ]);
        add_column(&mut draft, "crm_id");
        add_column(&mut draft, "email");
        add_column(&mut draft, "email");
        add_column(&mut draft, "= points / 100");
        move_column(&mut draft, "up", 1);
        move_column(&mut draft, "up", 0);
        move_column(&mut draft, "drop", 7);
        insta::assert_snapshot!(activation_of(&draft, &Value::Null), @r#"{"destination":"partner","segments":[{"segment":"luxury","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full","schedule":{"frequency":"weekly","at":"07:30","zone":"Europe/Paris"}},{"segment":"young","file_name":"%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%","export":"full"}],"mapping":[{"source":"email"},{"source":"crm_id"},{"expression":"points / 100"}],"guard":{"min_rows":10}}"#);
    }

    #[test]
    fn what_is_changed_comes_back_as_it_was() {
        let before = json!({
            "id": "7b0a5f1e-8a35-5c1d-b8f1-0e7f4f3a9c21",
            "destination": "partner",
            "segments": [
                { "segment": "luxury", "file_name": "%SEGMENT_NAME%", "export": "changes", "leavers": "never",
                  "schedule": { "frequency": "hourly", "every": 3, "at": "00:30", "zone": "Europe/Paris", "catch_up": "all", "start": "2026-01-01" } },
                { "segment": "young", "file_name": "young", "export": "full",
                  "schedule": { "frequency": "cron", "cron": "0 6 * * 1", "zone": "UTC" } },
                { "segment": "all", "file_name": "all", "export": "full" },
            ],
            "mapping": [
                { "source": "crm_id", "mandatory": true, "deduplicate": true },
                { "expression": "points / 100", "target": "tier" },
            ],
            "guard": { "min_rows": 10, "max_shrink": "50%", "max_excluded": "5%" },
        });
        let draft = draft_of(&before);
        assert_eq!(activation_of(&draft, &before), before);
        // Nothing of what the wizard does not ask for is lost when something else changes.
        let mut changed = draft;
        changed.set("at.luxury", "01:00");
        changed.set("min_rows", "");
        let after = activation_of(&changed, &before);
        let members: Vec<String> =
            objects::members(&before, &after).into_iter().map(|it| it.pointer).collect();
        assert_eq!(members, ["/segments/0/schedule/at", "/guard/min_rows"]);
    }
}
