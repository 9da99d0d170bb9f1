//! Charts as SVG made on the server, each with a table of the same numbers.
//!
//! Horizontal places are percentages and vertical ones pixels, so a chart fills any width without its
//! text or its corners being stretched.

use maud::{Markup, html};

use crate::component::{Column, Table, Tone};
use crate::locale::{Locale, ratio};

/// A bar of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it stands for, as it stands below the chart: a day.
    pub label: String,
    /// How high it is.
    pub value: u64,
    /// Its colour.
    pub tone: Tone,
    /// What is told of it where it is pointed at.
    pub told: String,
}

/// The height of what is drawn, without the labels below.
const HEIGHT: f64 = 148.0;
/// Space above the highest line, for its label.
const ABOVE: f64 = 14.0;
/// Space below for labels.
const BELOW: f64 = 24.0;

/// Draws bars over time. `label` says what is counted.
pub fn bars(locale: &Locale, label: &str, value_head: &str, all: &[Bar]) -> Markup {
    let top = ceiling(all.iter().map(|bar| bar.value).max().unwrap_or(0));
    #[expect(clippy::cast_precision_loss, reason = "there are a few dozen bars")]
    let step = 100.0 / all.len().max(1) as f64;
    let y = |value: u64| ABOVE + HEIGHT * (1.0 - ratio(value, top));
    let lines = [0, top / 2, top];
    html! {
        figure class="chart" {
            div class="plot" role="img" aria-label=(label) {
                svg height=(ABOVE + HEIGHT + BELOW) aria-hidden="true" {
                    @for line in lines { text x="0" y=(y(line) + 4.0) { (locale.short_number(line)) } }
                }
                svg height=(ABOVE + HEIGHT + BELOW) aria-hidden="true" {
                    @for line in lines { line class="grid" x1="0" x2="100%" y1=(y(line)) y2=(y(line)) {} }
                    @for (at, bar) in all.iter().enumerate() { (mark(bar, index(at) * step, step, y(bar.value))) }
                    @for (at, anchor) in labelled(all.len()) {
                        @let place = match anchor { "end" => 100.0, "middle" => step * (index(at) + 0.5), _ => step * 0.16 };
                        text x=(percent(place)) y=(ABOVE + HEIGHT + 18.0) text-anchor=(anchor) { (all[at].label) }
                    }
                }
            }
            (as_table(locale, label, value_head, all))
        }
    }
}

/// A bar from the lowest line up to `top`, in a zone that is told of where it is pointed at.
fn mark(bar: &Bar, left: f64, step: f64, top: f64) -> Markup {
    let least = match bar.tone {
        Tone::Live if bar.value == 0 => 0.0,
        Tone::Live => 1.5,
        _ => 4.0,
    };
    let height = (ABOVE + HEIGHT - top).max(least);
    html! {
        g class="hit" {
            title { (bar.label) " — " (bar.told) }
            rect class="zone" x=(percent(left)) y=(ABOVE) width=(percent(step)) height=(HEIGHT) {}
            @if height > 0.0 {
                rect class={ "mark " (bar.tone.class()) } x=(percent(left + step * 0.16)) width=(percent(step * 0.68))
                    y=(pixels(ABOVE + HEIGHT - height)) height=(pixels(height)) rx="3" {}
            }
        }
    }
}

/// The same numbers for people who read rather than look.
fn as_table(locale: &Locale, label: &str, value_head: &str, all: &[Bar]) -> Markup {
    let rows = all.iter().map(|bar| {
        vec![html! { (bar.label) }, html! { (locale.number(bar.value)) }, html! { (bar.told) }]
    });
    let table = Table {
        caption: label,
        columns: &[
            Column::words(locale.lang.day()),
            Column::numbers(value_head),
            Column::words(locale.lang.details()),
        ],
        rows: rows.collect(),
        empty: locale.lang.none(),
    };
    html! { details { summary { (locale.lang.show_as_table()) } (table.draw()) } }
}

/// A line without words, for a cell of a table.
pub fn spark(label: &str, values: &[u64]) -> Markup {
    const WIDTH: f64 = 96.0;
    const TALL: f64 = 26.0;
    if values.len() < 2 {
        return html! {};
    }
    let (low, high) =
        (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    let span = (high - low).max(1);
    let step = (WIDTH - 4.0) / index(values.len() - 1);
    let point = |(at, value): (usize, &u64)| {
        format!(
            "{} {}",
            pixels(2.0 + step * index(at)),
            pixels(TALL - 4.0 - (TALL - 8.0) * ratio(value - low, span))
        )
    };
    let line: Vec<String> = values.iter().enumerate().map(point).collect();
    html! {
        svg class="spark" viewBox="0 0 96 26" role="img" aria-label=(label) {
            path class="area" d={ "M2 26L" (line.join("L")) "L94 26Z" } {}
            path class="line" d={ "M" (line.join("L")) } {}
        }
    }
}

/// A part of a whole as a bar.
pub(crate) fn share(part: u64, whole: u64) -> Markup {
    let width = if part == 0 { 0.0 } else { (ratio(part, whole) * 100.0).clamp(0.6, 100.0) };
    html! {
        svg aria-hidden="true" {
            rect class="track" width="100%" height="8" rx="4" {}
            rect class="fill" width=(percent(width)) height="8" rx="4" {}
        }
    }
}

/// Which bars are labelled: the first, the last, and one in the middle where there is room.
fn labelled(count: usize) -> Vec<(usize, &'static str)> {
    match count {
        0 => Vec::new(),
        1 => vec![(0, "start")],
        2..6 => vec![(0, "start"), (count - 1, "end")],
        _ => vec![(0, "start"), (count / 2, "middle"), (count - 1, "end")],
    }
}

/// The least number of one figure, or 1.5, 2.5 with zeros, that is not below a value.
fn ceiling(value: u64) -> u64 {
    let mut unit = 1u64;
    loop {
        for tenths in [10u64, 15, 20, 25, 30, 40, 50, 60, 80] {
            let candidate = unit.saturating_mul(tenths) / 10;
            if candidate >= value.max(4) && candidate % 2 == 0 {
                return candidate;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A place in percent of the width.
pub(crate) fn percent(value: f64) -> String {
    format!("{}%", pixels(value))
}

/// A length with two decimals.
fn pixels(value: f64) -> String {
    let written = format!("{value:.2}");
    written.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "charts have far fewer marks")]
fn index(at: usize) -> f64 {
    at as f64
}
