//! Fields of forms, and dialogs that ask before something happens.

use maud::{Markup, html};

use crate::words::Lang;

/// A field for a line of text.
pub struct TextField<'a> {
    id: &'a str,
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
    hint: &'a str,
    place: &'a str,
    error: Markup,
    autocomplete: &'a str,
    list: &'a str,
    is_required: bool,
}

/// A field for a line of text, called `name` in the form.
pub fn text_field<'a>(name: &'a str, label: &'a str) -> TextField<'a> {
    TextField {
        id: name,
        name,
        label,
        kind: "text",
        value: "",
        hint: "",
        place: "",
        error: html! {},
        autocomplete: "off",
        list: "",
        is_required: false,
    }
}

impl<'a> TextField<'a> {
    /// What is written is not shown.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { kind: "password", ..self }
    }

    /// What kind of text it is: `date`, `number`, `email`.
    #[must_use]
    pub fn of_kind(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }

    /// Another id than its name, where a page has several fields of that name.
    #[must_use]
    pub fn id(self, id: &'a str) -> Self {
        Self { id, ..self }
    }

    /// It has to be filled in.
    #[must_use]
    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// What stands in it already.
    #[must_use]
    pub fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    /// What helps to fill it in.
    #[must_use]
    pub fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// The member of a definition that it fills in, so that what is wrong with that is told at the field.
    #[must_use]
    pub fn place(self, place: &'a str) -> Self {
        Self { place, ..self }
    }

    /// What is wrong with what stands in it; empty when nothing is.
    #[must_use]
    pub fn error(self, error: Markup) -> Self {
        Self { error, ..self }
    }

    /// The id of a list of values that are offered.
    #[must_use]
    pub fn list(self, list: &'a str) -> Self {
        Self { list, ..self }
    }

    /// What browsers may fill in.
    #[must_use]
    pub fn autocomplete(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// Draws it.
    pub fn draw(&self) -> Markup {
        let (hint_id, error_id) = (format!("{}-hint", self.id), format!("{}-error", self.id));
        let is_wrong = !self.error.0.is_empty();
        let described: Vec<&str> = [(is_wrong, &error_id), (!self.hint.is_empty(), &hint_id)]
            .iter()
            .filter(|(is_there, _)| *is_there)
            .map(|(_, id)| id.as_str())
            .collect();
        html! {
            div class="field" {
                label for=(self.id) { (self.label) }
                input class="input" id=(self.id) name=(self.name) type=(self.kind) autocomplete=(self.autocomplete) list=[(!self.list.is_empty()).then_some(self.list)]
                    value=[(!self.value.is_empty()).then_some(self.value)] required[self.is_required]
                    data-of=[(!self.place.is_empty()).then_some(self.place)]
                    aria-invalid=[is_wrong.then_some("true")]
                    aria-describedby=[(!described.is_empty()).then(|| described.join(" "))];
                @if is_wrong { p class="error" id=(error_id) { (self.error) } }
                @if !self.hint.is_empty() { p class="hint" id=(hint_id) { (self.hint) } }
            }
        }
    }
}

/// One of several values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// As it is sent.
    pub value: String,
    /// As it is read.
    pub text: String,
}

/// A field in which one of several values is chosen; the first choice stands for all of them.
pub fn select(
    name: &str,
    label: &str,
    all: &str,
    choices: &[Choice],
    chosen: Option<&str>,
) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label) }
            select class="select" id=(name) name=(name) {
                option value="" { (all) }
                @for choice in choices {
                    option value=(choice.value) selected[chosen == Some(choice.value.as_str())] { (choice.text) }
                }
            }
        }
    }
}

/// A field in which one of several values is chosen, and one always is. `id` is unique in the page.
pub fn pick(id: &str, name: &str, label: &str, choices: &[Choice], chosen: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) }
            select class="select" id=(id) name=(name) {
                @for choice in choices {
                    option value=(choice.value) selected[chosen == choice.value] { (choice.text) }
                }
            }
        }
    }
}

/// A box to tick, with what it means below.
pub fn tick(name: &str, label: &str, hint: &str, is_ticked: bool) -> Markup {
    html! {
        div class="field tick" {
            label { input type="checkbox" name=(name) value="yes" checked[is_ticked]; span { (label) } }
            @if !hint.is_empty() { p class="hint" { (hint) } }
        }
    }
}

/// Fields that nobody sees, the token against foreign forms among them.
pub fn hidden_fields(fields: &[(&str, &str)]) -> Markup {
    html! { @for (name, value) in fields { input type="hidden" name=(name) value=(value); } }
}

/// A button that opens a dialog, and the dialog: a title, what will happen, and a form that does it.
/// It opens without scripts.
pub fn dialog(
    lang: Lang,
    id: &str,
    opener: (&str, &Markup),
    title: &str,
    body: &Markup,
    (action, fields, submit): (&str, &Markup, &Markup),
) -> Markup {
    let (class, text) = opener;
    html! {
        button type="button" class={ "button " (class) } commandfor=(id) command="show-modal" { (text) }
        dialog id=(id) aria-labelledby={ (id) "-title" } {
            form method="post" action=(action) {
                (fields)
                div class="body" { h2 id={ (id) "-title" } { (title) } (body) }
                div class="foot" {
                    button type="button" class="button" commandfor=(id) command="close" { (lang.cancel()) }
                    (submit)
                }
            }
        }
    }
}
