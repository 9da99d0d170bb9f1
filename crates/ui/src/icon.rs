//! Icons: strokes on a grid of 24, drawn for Segue, in the colour of the text around them.

use maud::{Markup, html};

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A house.
    Home,
    /// A pulse.
    Runs,
    /// A flash.
    Activations,
    /// Overlapping circles.
    Segments,
    /// A bucket.
    Bucket,
    /// A person.
    Person,
    /// A page with lines.
    Audit,
    /// Sliders.
    Settings,
    /// Three lines.
    Menu,
    /// A tick.
    Check,
    /// A cross.
    Cross,
    /// A triangle with a mark.
    Warning,
    /// A circle with a mark.
    Alert,
    /// A circle with an i.
    Info,
    /// Two sheets.
    Copy,
    /// A clock.
    Clock,
    /// A play sign.
    Play,
    /// Two bars.
    Pause,
    /// A circle of arrows.
    Retry,
    /// An arrow to the right.
    Next,
    /// Arrows up and down.
    UpDown,
    /// An arrow up.
    Up,
    /// An arrow down.
    Down,
    /// A cloud.
    Cloud,
    /// A folder.
    Folder,
    /// A server.
    Server,
    /// A shield.
    Shield,
    /// A magnifier.
    Search,
    /// A file.
    File,
    /// A bar, for what was left out.
    Minus,
    /// A plus.
    Plus,
    /// A pencil.
    Edit,
    /// A bin.
    Trash,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-5.5h4V20",
            Self::Runs => "M3 12h4l3-7.5 4 15 3-7.5h4",
            Self::Activations => "M13 3L5 13.5h6L10 21l8-10.5h-6z",
            Self::Segments => {
                "M9.5 4.5a5.5 5.5 0 100 11 5.5 5.5 0 000-11zM14.5 8.5a5.5 5.5 0 110 11 5.5 5.5 0 01-5.3-4"
            }
            Self::Bucket => {
                "M4.5 6.5c0-1.4 3.4-2.5 7.5-2.5s7.5 1.1 7.5 2.5S16.1 9 12 9 4.5 7.9 4.5 6.5zM4.5 6.5L6.5 18c.2 1.2 2.5 2 5.5 2s5.3-.8 5.5-2l2-11.5"
            }
            Self::Person => {
                "M12 4a4 4 0 100 8 4 4 0 000-8zM4.5 20c.6-3.4 3.6-5 7.5-5s6.9 1.6 7.5 5"
            }
            Self::Audit => "M6 3.5h9l3.5 3.5v13.5H6zM9 10h6.5M9 13.5h6.5M9 17h4",
            Self::Settings => {
                "M4 7h8M17 7h3M4 17h3M12 17h8M14.5 4.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM9.5 14.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z"
            }
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Cross => "M6.5 6.5l11 11M17.5 6.5l-11 11",
            Self::Warning => "M12 4L2.8 19.5h18.4zM12 10v4M12 17v.2",
            Self::Alert => "M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 8v4.5M12 16v.2",
            Self::Info => "M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 11.5V16M12 8v.2",
            Self::Copy => "M9 9h10.5v11H9zM15 9V4.5H4.5V15H9",
            Self::Clock => "M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 7.5V12l3 2",
            Self::Play => "M7.5 5v14l11-7z",
            Self::Pause => "M8.5 5.5v13M15.5 5.5v13",
            Self::Retry => "M19.5 12a7.5 7.5 0 11-2.2-5.3L19.5 9M19.5 4v5h-5",
            Self::Next => "M5 12h14M13 6l6 6-6 6",
            Self::UpDown => "M8 9.5l4-4 4 4M8 14.5l4 4 4-4",
            Self::Up => "M12 19V5M6 11l6-6 6 6",
            Self::Down => "M12 5v14M6 13l6 6 6-6",
            Self::Cloud => "M7 18.5a4.5 4.5 0 01-.4-9A6 6 0 0118 10.2a4.2 4.2 0 01-.5 8.3z",
            Self::Folder => "M3.5 6.5h6l2 2.5h9v10.5h-17z",
            Self::Server => {
                "M4 4.5h16v6H4zM4 13.5h16v6H4zM7.5 7.5v.2M7.5 16.5v.2M11 7.5h5.5M11 16.5h5.5"
            }
            Self::Shield => {
                "M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM9 12l2.2 2.2L15.2 10"
            }
            Self::Search => "M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20 20",
            Self::File => "M6 3.5h8l4.5 4.5v12.5H6zM13.5 3.5V8.5h5",
            Self::Minus => "M6 12h12",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Edit => "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5",
            Self::Trash => "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 12.5h9l1-12.5M10 11v5M14 11v5",
        }
    }

    /// Draws it, for people who see; what it means stands beside it as text.
    pub fn draw(self) -> Markup {
        html! {
            svg class="icon" viewBox="0 0 24 24" aria-hidden="true" { path d=(self.path()) {} }
        }
    }
}

/// The sign of the product: rows that come together and leave.
pub fn mark() -> Markup {
    html! {
        svg class="mark" viewBox="0 0 32 32" aria-hidden="true" {
            rect width="32" height="32" rx="8" fill="currentColor" {}
            g class="strokes" fill="none" stroke="var(--accent-ink)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" {
                path d="M8 10h6.5c3 0 4.5 2 4.5 6s1.5 6 4.5 6M8 16h4M8 22h6M20.5 18.5l3.5 3.5-3.5 3.5" {}
            }
        }
    }
}
