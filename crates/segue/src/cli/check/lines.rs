//! The lines of a check: one permission each, in words for people and as JSON for machines. They are
//! the same while the check goes on and in what it comes to.

use std::io::Write;

use ::plan::permission::{Need, Permission, Scope};
use delivery::s3::probe::{Answer, Finding, Verdict};
use serde_json::{Value, json};

/// The columns of a line.
pub(super) const HEADERS: [&str; 5] = ["permission", "on", "result", "answer", "without it"];
/// The widest result, in characters.
const RESULT_WIDTH: usize = "cannot tell".len();
/// How wide answers usually are: a status, a code and a request id of 16 digits.
const ANSWER_WIDTH: usize = 45;
/// What stands between two columns.
const GAP: &str = "   ";

/// A line as the cells of a table, in the order of [`HEADERS`].
pub(super) fn cells(finding: &Finding) -> [String; 5] {
    [
        finding.permission.to_string(),
        finding.resource.clone(),
        word(&finding.verdict).to_owned(),
        finding.answer.as_ref().map(answered).unwrap_or_default(),
        without(finding),
    ]
}

/// A line for machines.
pub(super) fn json(finding: &Finding) -> Value {
    let answer = finding.answer.as_ref();
    json!({
        "action": finding.permission.action(),
        "resource": finding.resource,
        "need": needed(finding.need),
        "result": word(&finding.verdict),
        "reason": match &finding.verdict {
            Verdict::Granted => None,
            Verdict::Missing(reason) => reason.clone(),
            Verdict::CannotTell(reason) => Some((*reason).to_owned()),
        },
        "status": answer.map(|answer| answer.status),
        "code": answer.and_then(|answer| answer.code.clone()),
        "requestId": answer.and_then(|answer| answer.request_id.clone()),
        "without": finding.permission.without(),
    })
}

/// What is known of a line before anything is tried.
pub(super) fn expected(permission: Permission, need: Need, resource: &str) -> Value {
    json!({
        "action": permission.action(),
        "resource": resource,
        "need": needed(need),
        "without": permission.without(),
    })
}

/// Why a permission is missing, as a sentence, where more is known than that it is.
pub(super) fn reason(finding: &Finding) -> Option<String> {
    let Verdict::Missing(Some(reason)) = &finding.verdict else { return None };
    let mut characters = reason.chars();
    let first = characters.next()?.to_uppercase();
    Some(format!("{first}{}.", characters.as_str()))
}

fn needed(need: Need) -> &'static str {
    match need {
        Need::Required => "required",
        Need::Useful => "useful",
        Need::Unused => "unused",
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Granted => "ok",
        Verdict::Missing(_) => "missing",
        Verdict::CannotTell(_) => "cannot tell",
    }
}

fn answered(answer: &Answer) -> String {
    let Answer { status, code, request_id } = answer;
    let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let id = request_id.as_ref().map(|id| format!(", request id {id}")).unwrap_or_default();
    format!("{status}{code}{id}")
}

fn without(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::CannotTell(why) => (*why).to_owned(),
        _ => finding.permission.without().to_owned(),
    }
}

/// A table that grows: each line is written when its permission has been tried, in columns that are as
/// wide as what is known beforehand. What stands above it is written with the first line.
pub(super) struct Growing<W> {
    out: W,
    head: Option<String>,
    widths: [usize; 4],
    last_width: usize,
}

impl<W: Write> Growing<W> {
    /// Prepares a table below a `head`.
    pub(super) fn new(out: W, head: String, needs: &[(Permission, Need)], scope: &Scope) -> Self {
        let widest = |width: &dyn Fn(Permission) -> usize, header: &str| {
            let widths = needs.iter().map(|(permission, _)| width(*permission));
            widths.chain([header.len()]).max().unwrap_or_default()
        };
        let widths = [
            widest(&|permission| permission.action().len(), HEADERS[0]),
            widest(&|permission| scope.resource(permission).chars().count(), HEADERS[1]),
            RESULT_WIDTH,
            ANSWER_WIDTH,
        ];
        let last_width = widest(&|permission| permission.without().len(), HEADERS[4]);
        Self { out, head: Some(head), widths, last_width }
    }

    /// Writes a line, and lets it be seen.
    pub(super) fn add(&mut self, finding: &Finding) {
        if let Some(head) = self.head.take() {
            let _ = writeln!(self.out, "{head}\n");
            self.write(&HEADERS.map(str::to_owned));
            let rule = self.widths.iter().sum::<usize>() + self.last_width + 4 * GAP.len() + 1;
            let _ = writeln!(self.out, "{}", "─".repeat(rule));
        }
        self.write(&cells(finding));
    }

    // Who has closed the terminal does not want to be told so.
    fn write(&mut self, cells: &[String; 5]) {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.widths) {
            line.push_str(cell);
            let filled = width.saturating_sub(cell.chars().count());
            line.extend(std::iter::repeat_n(' ', filled));
            line.push_str(GAP);
        }
        line.push_str(&cells[4]);
        let _ = writeln!(self.out, " {}", line.trim_end());
        let _ = self.out.flush();
        self.widths[3] = self.widths[3].max(cells[3].chars().count());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_grows_line_by_line() {
        let scope = Scope {
            partition: "aws",
            bucket: "exports".to_owned(),
            start: "drop/".to_owned(),
            kms_key_id: None,
        };
        let needs =
            [(Permission::PutObject, Need::Required), (Permission::ListBucket, Need::Useful)];
        let mut out = Vec::new();
        let mut growing =
            Growing::new(&mut out, "partner: s3://exports/drop/".to_owned(), &needs, &scope);
        for (permission, verdict, answer) in [
            (Permission::ListBucket, Verdict::Granted, None),
            (
                Permission::PutObject,
                Verdict::Missing(None),
                Some(Answer {
                    status: 403,
                    code: Some("AccessDenied".to_owned()),
                    request_id: Some("4442587FB7D0A2F9".to_owned()),
                }),
            ),
        ] {
            let (resource, need) = (scope.resource(permission), Need::Required);
            growing.add(&Finding { permission, resource, need, verdict, answer });
        }
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"
        partner: s3://exports/drop/

         permission      on                            result        answer                                          without it
        ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         s3:ListBucket   arn:aws:s3:::exports          ok                                                            an object that is not there cannot be told from a hidden one
         s3:PutObject    arn:aws:s3:::exports/drop/*   missing       403 AccessDenied, request id 4442587FB7D0A2F9   nothing can be delivered
        ");
    }
}
