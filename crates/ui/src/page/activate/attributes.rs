//! The third step: which fields become which columns.

use maud::{Markup, html};

use super::Activate;
use crate::component::{flush_card, nothing, pick, text_field};
use crate::icon::Icon;
use crate::page::fields::Press;
use crate::page::wizard::choices;
use crate::shell::Shell;

impl Activate {
    pub(super) fn attributes(&self, shell: &Shell) -> Markup {
        let lang = shell.lang();
        let rules = choices(&[
            ("", lang.rule_none()),
            ("mandatory", lang.mandatory()),
            ("deduplicate", lang.deduplicated()),
            ("both", lang.rule_both()),
        ]);
        let draft = &self.draft;
        let (targets, chosen): (Vec<&str>, Vec<&str>) =
            (draft.all("column.target").collect(), draft.all("column.rule").collect());
        let row = |number: usize, source: &str| {
            let id = |what: &str| format!("{what}-{number}");
            let at = |all: &[&str]| all.get(number).copied().unwrap_or_default().to_owned();
            let button = |what: &str, icon: Icon, text: &str| {
                html! { button class="button small icon-only" name="go" value={ (what) ":" (number) } formnovalidate aria-label={ (text) " " (source) } title=(text) { (icon.draw()) } }
            };
            html! {
                li class="column" data-row="" draggable="true" {
                    span class="grip" aria-hidden="true" { (Icon::UpDown.draw()) }
                    (text_field("column.source", lang.source()).id(&id("source")).value(source).error(self.preview.fault_of(lang, &format!("mapping.{number}"))).draw())
                    (text_field("column.target", lang.column()).id(&id("target")).value(&at(&targets)).draw())
                    (pick(&id("rule"), "column.rule", lang.marks(), &rules, &at(&chosen)))
                    div class="row" {
                        (button("up", Icon::Up, lang.move_up()))
                        (button("down", Icon::Down, lang.move_down()))
                        (button("drop", Icon::Cross, lang.remove()))
                    }
                }
            }
        };
        let rows = html! {
            ol class="columns-list" data-reorder="" {
                @for (number, source) in draft.all("column.source").enumerate() { (row(number, source)) }
            }
            p class="muted small padded" { (lang.source_hint()) }
        };
        html! {
            (flush_card(lang.mapping(), &nothing(), &rows))
            (self.fields.card(shell, Press::Add))
        }
    }
}
