//! What the page of one account shows.

use plan::Section;
use plan::project::Account;
use ui::page::account;
use ui::page::run::Named;

use super::Look;
use super::destination::{auth, preset_of};

/// Fills the page.
pub(super) fn account(look: &Look<'_>, it: &Account) -> account::Account {
    let used = look.project().destinations.iter().filter(|one| one.account == it.key);
    account::Account {
        key: it.key.clone(),
        preset: preset_of(Some(it)),
        auth: auth(Some(&it.auth)),
        region: it.region.clone(),
        endpoint: it.endpoint_url.clone(),
        destinations: used
            .map(|one| Named { key: one.key.clone(), name: one.name.clone() })
            .collect(),
        editing: look.editing(Section::Accounts, &it.key, &it.key),
        is_in_file: look.workspace.stored(Section::Accounts, &it.key).is_none(),
    }
}
