//! Trying a rule that nobody has saved.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::while_asked;
use crate::app::rules::{self, Language, SAMPLE_ROWS_MAX, Tried};
use crate::cli::slot_now;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// The longest rule, in bytes; the engine takes no longer one.
const RULE_BYTES_MAX: usize = 64 << 10;

/// A segment whose rule is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TryRule {
    definition: Rule,
    /// How many members to show, masked; none without it
    #[serde(default)]
    #[schemars(range(min = 0, max = 50))]
    sample: usize,
}

/// The rule as it would stand in the segment: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TriedRule")]
struct Rule {
    /// In SQL
    rule: Option<String>,
    /// In PQL
    pql: Option<String>,
}

/// What came of it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleTried {
    pub(crate) valid: bool,
    /// What is wrong, if something is
    pub(crate) problem: Option<RuleProblem>,
    /// The rule in SQL
    pub(crate) sql: Option<String>,
    pub(crate) members: Option<u64>,
    /// Profiles that were looked at
    pub(crate) profiles: Option<u64>,
    /// The columns of the sample
    pub(crate) columns: Vec<String>,
    /// A few members; letters and digits are masked
    pub(crate) rows: Vec<Vec<String>>,
}

/// What is wrong with a rule.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct RuleProblem {
    /// A word for machines
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Counted from 1
    pub(crate) line: Option<u32>,
    /// In characters, counted from 1
    pub(crate) column: Option<u32>,
    /// In characters
    pub(crate) length: Option<u32>,
}

pub(crate) async fn try_rule(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let TryRule { definition, sample } = ask.json()?;
    let (language, rule) = match (definition.rule, definition.pql) {
        (Some(rule), None) => (Language::Sql, rule),
        (None, Some(rule)) => (Language::Pql, rule),
        _ => {
            let detail = "`definition` has to have one of `rule` and `pql`.";
            return Err(Problem::at_member("/definition", detail));
        }
    };
    if rule.len() > RULE_BYTES_MAX {
        let pointer = match language {
            Language::Sql => "/definition/rule",
            Language::Pql => "/definition/pql",
        };
        return Err(Problem::at_member(pointer, "A rule has at most 64 KiB."));
    }
    if sample > SAMPLE_ROWS_MAX {
        let detail = format!("`sample` is at most {SAMPLE_ROWS_MAX}.");
        return Err(Problem::at_member("/sample", detail));
    }
    let (now, text) = (slot_now(), rule.clone());
    let tried = while_asked(&app, &ask.asker, async move |app| {
        let workspace = app.shared.workspace();
        let tried = rules::try_rule(&workspace, &app.shared.global, (language, &text), sample, now);
        Box::pin(tried).await
    });
    let nothing = RuleTried {
        valid: false,
        problem: None,
        sql: None,
        members: None,
        profiles: None,
        columns: Vec::new(),
        rows: Vec::new(),
    };
    Reply::json(&match tried.await? {
        Tried::Wrong(fault) => {
            let length = fault.span.map(|span| {
                let text = rule.get(span.start..span.end).unwrap_or_default();
                u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
            });
            let problem = RuleProblem {
                code: fault.code,
                message: fault.message,
                hint: fault.hint,
                line: fault.span.map(|span| span.line),
                column: fault.span.map(|span| span.column),
                length,
            };
            RuleTried { problem: Some(problem), ..nothing }
        }
        Tried::Counted(counted) => RuleTried {
            valid: true,
            sql: Some(counted.sql),
            members: Some(counted.members),
            profiles: Some(counted.profiles),
            columns: counted.columns,
            rows: counted.rows,
            ..nothing
        },
    })
}
