//! What each role may do, who has it, and giving somebody another one.

use maud::{Markup, html};

use super::{Role, Token, User};
use crate::component::{Choice, Column, Table, flush_card, hidden_fields, nothing, pick};
use crate::icon::Icon;
use crate::shell::Shell;
use crate::words::Lang;

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See what there is and what was delivered.
    Read,
    /// Have profiles counted, explained and shown masked.
    Analyse,
    /// See values as they are.
    Unmask,
    /// Make segments.
    Define,
    /// Run and make activations.
    Operate,
    /// Make accounts, destinations and secrets.
    Connect,
    /// Read the audit log.
    Audit,
    /// Make users and tokens.
    Administer,
}

impl Right {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Analyse,
        Self::Unmask,
        Self::Define,
        Self::Operate,
        Self::Connect,
        Self::Audit,
        Self::Administer,
    ];

    fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Read => lang.right_read(),
            Self::Analyse => lang.right_analyse(),
            Self::Unmask => lang.right_unmask(),
            Self::Define => lang.right_define(),
            Self::Operate => lang.right_operate(),
            Self::Connect => lang.right_connect(),
            Self::Audit => lang.right_audit(),
            Self::Administer => lang.right_administer(),
        }
    }
}

/// A role with what it may do, as the server's table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRights {
    /// The role.
    pub role: Role,
    /// What it may do.
    pub may: Vec<Right>,
}

/// Draws the table of rights; with who has which role for those who may know, and a form to change that.
pub(super) fn card(
    shell: &Shell,
    rights: &[RoleRights],
    users: Option<&[User]>,
    tokens: Option<&[Token]>,
) -> Markup {
    let lang = shell.lang();
    let held = |role: Role| {
        let named = users.unwrap_or_default().iter().filter(|user| user.role == role);
        let named: Vec<&str> = named.map(|user| user.name.as_str()).collect();
        let scripts = tokens.unwrap_or_default().iter().filter(|it| it.role == role).count();
        let scripts = u64::try_from(scripts).unwrap_or(u64::MAX);
        html! {
            @if named.is_empty() && scripts == 0 { span class="muted" { (lang.nobody()) } }
            (named.join(", "))
            @if scripts > 0 { span class="under" { (lang.tokens_held(scripts)) } }
        }
    };
    let row = |it: &RoleRights| {
        let mut cells =
            vec![html! { (it.role.name(lang)) span class="under" { (it.role.may(lang)) } }];
        let mark = |right: Right| {
            html! { @if it.may.contains(&right) { span class="mark-yes" { (Icon::Check.draw()) span class="hidden" { (lang.is_allowed()) } } } }
        };
        cells.extend(Right::ALL.map(mark));
        if users.is_some() {
            cells.push(held(it.role));
        }
        cells
    };
    let mut columns = vec![Column::words(lang.role())];
    columns.extend(Right::ALL.map(|right| Column::words(right.name(lang))));
    if users.is_some() {
        columns.push(Column::words(lang.held_by()));
    }
    let table = Table {
        caption: lang.roles(),
        columns: &columns,
        rows: rights.iter().map(row).collect(),
        empty: "",
    };
    let body = html! {
        p class="muted padded" { (lang.roles_fixed()) }
        div class="rights" { (table.draw()) }
        @if let Some(users) = users { (change(shell, users)) }
    };
    flush_card(lang.roles(), &nothing(), &body)
}

/// Gives somebody another role.
fn change(shell: &Shell, users: &[User]) -> Markup {
    let lang = shell.lang();
    let user = |user: &User| Choice {
        value: user.name.clone(),
        text: format!("{} ({})", user.name, user.role.name(lang)),
    };
    let users: Vec<Choice> = users.iter().map(user).collect();
    html! {
        form method="post" action="/settings/roles" class="filters padded" {
            (hidden_fields(&[("csrf", shell.csrf())]))
            (pick("role-user", "name", lang.user_name(), &users, ""))
            (pick("role-role", "role", lang.becomes(), &super::role_choices(lang), Role::Viewer.word()))
            button class="button" { (lang.change_role()) }
            p class="muted small wide" { (lang.change_role_text()) }
        }
    }
}
