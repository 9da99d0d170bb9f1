//! Tables, which become a card for each row on a narrow screen.

use maud::{Markup, html};

/// On which side a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    head: &'a str,
    align: Align,
    is_tied: bool,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub fn words(head: &'a str) -> Self {
        Self { head, align: Align::Left, is_tied: false }
    }

    /// A column of short words that are not broken: times, states.
    pub fn tied(head: &'a str) -> Self {
        Self { head, align: Align::Left, is_tied: true }
    }

    /// A column of numbers.
    pub fn numbers(head: &'a str) -> Self {
        Self { head, align: Align::Right, is_tied: true }
    }

    fn class(self) -> Option<&'static str> {
        match (self.align, self.is_tied) {
            (Align::Right, _) => Some("right"),
            (Align::Left, true) => Some("tied"),
            (Align::Left, false) => None,
        }
    }
}

/// What stands in a cell.
pub type Cell = Markup;

/// A table. The first cell of a row names the row.
pub struct Table<'a> {
    /// What it is, for people who do not see it.
    pub caption: &'a str,
    /// Its columns.
    pub columns: &'a [Column<'a>],
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What stands there without rows.
    pub empty: &'a str,
}

impl Table<'_> {
    /// Draws it. Roles are named because a narrow screen lays rows out as blocks, and browsers take
    /// the meaning of a table from its layout.
    pub fn draw(&self) -> Markup {
        html! {
            table class="table" role="table" {
                caption class="hidden" { (self.caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in self.columns {
                            th scope="col" role="columnheader" class=[column.class()] { (column.head) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for row in &self.rows { (row_of(self.columns, row, "")) }
                    @if self.rows.is_empty() {
                        tr class="empty-row" role="row" { td role="cell" colspan=(self.columns.len()) { (self.empty) } }
                    }
                }
            }
        }
    }
}

/// A row alone, for a table that grows while somebody looks. `key` tells it from others.
pub fn row_of(columns: &[Column<'_>], row: &[Cell], key: &str) -> Markup {
    html! {
        tr role="row" data-key=[(!key.is_empty()).then_some(key)] {
            @for (at, (column, cell)) in columns.iter().zip(row).enumerate() {
                @if at == 0 {
                    th scope="row" role="rowheader" { (cell) }
                } @else {
                    td role="cell" class=(class(*column, cell)) data-label=(column.head) { (cell) }
                }
            }
        }
    }
}

fn class(column: Column<'_>, cell: &Cell) -> String {
    let nothing = cell.0.is_empty().then_some("nothing");
    [column.class(), nothing].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
