//! The columns of a draft: added, moved, dropped, and recommended.

use ui::page::fields::Fields;
use ui::page::wizard::Draft;

use crate::workspace::Workspace;

/// How many fields a new mapping begins with.
const RECOMMENDED: usize = 6;

/// A column of a draft: source, header and rule.
pub(super) type Column = [String; 3];

pub(super) fn columns(draft: &Draft) -> Vec<Column> {
    let of = |name: &'static str| -> Vec<String> { draft.all(name).map(str::to_owned).collect() };
    let (targets, rules) = (of("column.target"), of("column.rule"));
    let at = |all: &[String], number: usize| all.get(number).cloned().unwrap_or_default();
    let sources = of("column.source").into_iter().enumerate();
    sources.map(|(number, source)| [source, at(&targets, number), at(&rules, number)]).collect()
}

pub(super) fn set_columns(draft: &mut Draft, columns: Vec<Column>) {
    let fields: Vec<(String, String)> = columns
        .into_iter()
        .flat_map(|[source, target, rule]| {
            [("column.source", source), ("column.target", target), ("column.rule", rule)]
        })
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    draft.put(&["column.source", "column.target", "column.rule"], &fields);
}

pub(super) fn add_column(draft: &mut Draft, source: &str) {
    let mut all = columns(draft);
    if all.iter().all(|[known, ..]| known != source) {
        all.push([source.to_owned(), String::new(), String::new()]);
    }
    set_columns(draft, all);
}

pub(super) fn move_column(draft: &mut Draft, what: &str, number: usize) {
    let mut all = columns(draft);
    if number >= all.len() {
        return;
    }
    match what {
        "up" if number > 0 => all.swap(number, number - 1),
        "down" if number + 1 < all.len() => all.swap(number, number + 1),
        "drop" => drop(all.remove(number)),
        _ => {}
    }
    set_columns(draft, all);
}

/// A mapping to begin with: who it is, then a few fields, the first of them mandatory.
pub(super) fn recommend(workspace: &Workspace, fields: &Fields, draft: &mut Draft) {
    let fields: Vec<String> = fields.shown.iter().map(|field| field.path.clone()).collect();
    let datasets = workspace.project.profile_datasets();
    let identities: Vec<String> =
        datasets.flat_map(|it| &it.identities).map(|it| it.field.to_string()).collect();
    let mut chosen: Vec<&String> = Vec::new();
    for field in identities.iter().chain(&fields) {
        if chosen.len() < RECOMMENDED && fields.contains(field) && !chosen.contains(&field) {
            chosen.push(field);
        }
    }
    let column = |(number, source): (usize, &&String)| {
        let rule = if number == 0 { "mandatory" } else { "" };
        [(*source).clone(), String::new(), rule.to_owned()]
    };
    let columns = chosen.iter().enumerate().map(column).collect();
    set_columns(draft, columns);
}
