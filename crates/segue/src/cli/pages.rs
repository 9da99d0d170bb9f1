//! `segue pages`: what ran, as web pages in a folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::SignedDuration;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use ledger::Ledger;
use ui::page::message::Message;
use ui::shell::{Place, Scheme};
use ui::{Lang, Locale, Shell, asset};

use crate::ambient;
use crate::cli::{Format, Global};
use crate::failure::{Failure, Kind};
use crate::web::{self, Look};
use crate::workspace::{self, Workspace};

/// Tells that a folder holds pages of Segue, so that they may be replaced.
const MARK: &str = ".segue-pages";
/// The most pages of one folder.
const PAGES_MAX: usize = 20_000;
/// Where the menu leads.
const PLACES: [Place; 5] =
    [Place::Home, Place::Runs, Place::Activations, Place::Destinations, Place::Segments];

/// Write what ran, and what comes next, as web pages into a folder
///
/// The pages need no server: open `index.html`, or put the folder where others can see it. They hold
/// names, counts, sizes, checksums and rules, and no value of a profile. Nothing is asked for or
/// changed but the folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; it is made if it is not there, and pages of an earlier time are replaced
    folder: PathBuf,
    /// The language of the pages
    #[arg(long, value_enum, default_value_t = Language::En)]
    language: Language,
    /// The time zone of the times in them, such as Europe/Paris
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse_zone)]
    zone: TimeZone,
    /// How many runs the list holds
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    limit: u32,
}

/// The language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// English
    En,
    /// French
    Fr,
}

fn parse_zone(name: &str) -> Result<TimeZone, String> {
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| "expected a name such as Europe/Paris".to_owned())
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let ledger = Ledger::open_read_only(workspace.ledger_place()).await?.ok_or_else(|| {
        Failure::usage("nothing has run yet, so there is nothing to show")
            .hint("`segue run` runs what is due; `segue plan` shows what that is.")
    })?;
    claim(&args.folder).map_err(|problem| problem.told(&args.folder))?;
    let look = Look {
        workspace: &workspace,
        ledger: &ledger,
        now: ambient::now(),
        zone: args.zone.clone(),
        limit: args.limit,
        disabled: ledger.disabled().await?.into_iter().map(|it| it.activation).collect(),
        next_attempts: ledger.next_attempts().await?,
        may: web::May::default(),
        late_after: SignedDuration::from_mins(super::serve::LATE_AFTER_MINUTES.into()),
        gauges: None,
        asked: None,
    };
    let shell = shell(&look, args, web::attention(&look).await?);
    let pages = draw(&look, &shell).await?;
    write(&args.folder, &pages).map_err(|error| failed(&args.folder, &error))?;
    let index = args.folder.join("index.html");
    match global.output {
        Format::Text => super::answer(&format!(
            "{} in {}: open {}",
            workspace::counted(pages.len(), "page"),
            args.folder.display(),
            index.display()
        )),
        Format::Json => super::answer_json(&serde_json::json!({
            "pages": pages.len(),
            "index": index.display().to_string(),
        })),
    }
    Ok(())
}

fn shell(look: &Look<'_>, args: &Args, attention: u64) -> Shell {
    let lang = match args.language {
        Language::En => Lang::En,
        Language::Fr => Lang::Fr,
    };
    Shell {
        locale: Locale { lang, zone: args.zone.clone(), now: look.now },
        scheme: Scheme::System,
        viewer: None,
        project: look.workspace.project.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        places: PLACES.to_vec(),
        attention,
        here: String::new(),
        notice: None,
    }
}

/// Draws the pages that the menu leads to and every page that one of them leads to.
async fn draw(look: &Look<'_>, shell: &Shell) -> Result<BTreeMap<String, String>, Failure> {
    let mut waiting: Vec<String> = PLACES.iter().map(|place| place.url().to_owned()).collect();
    let mut pages = BTreeMap::new();
    while let Some(path) = waiting.pop() {
        if pages.contains_key(&path) || pages.len() >= PAGES_MAX {
            continue;
        }
        let page = web::page(look, shell, &path).await?;
        let page = page.unwrap_or_else(|| Message::NotFound.draw(shell)).0;
        waiting.extend(links(&page).map(str::to_owned));
        let depth = path.matches('/').count().saturating_sub(1);
        pages.insert(path, relative(&page, depth));
    }
    Ok(pages)
}

/// The other pages that a page leads to.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let after = page.split("href=\"").skip(1);
    let targets = after.filter_map(|rest| rest.split('"').next());
    targets.filter(|target| target.starts_with('/') && !target.starts_with(asset::PREFIX))
}

/// Makes the addresses of a page relative to it, `depth` folders down. What people wrote is escaped
/// in a page, so such an attribute is always markup.
fn relative(page: &str, depth: usize) -> String {
    let up = "../".repeat(depth);
    let mut written = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, address)) = next_address(rest) {
        let (target, behind) = address.split_once('"').unwrap_or((address, ""));
        written.push_str(before);
        written.push_str(&up);
        written.push_str(&file_of(target));
        written.push('"');
        rest = behind;
    }
    written.push_str(rest);
    written
}

/// Splits a text before the next address that begins at the root.
fn next_address(text: &str) -> Option<(&str, &str)> {
    let starts = ["href=\"", "src=\""].into_iter();
    let start =
        starts.filter_map(|start| Some(text.find(&format!("{start}/"))? + start.len())).min()?;
    Some(text.split_at(start))
}

/// The file of an address: `/runs` is `runs.html`.
fn file_of(address: &str) -> String {
    match address.trim_start_matches('/') {
        "" => "index.html".to_owned(),
        path if address.starts_with(asset::PREFIX) => path.to_owned(),
        path => format!("{path}.html"),
    }
}

/// Why pages cannot be written to a folder.
enum Unclaimed {
    /// It holds something else.
    Taken,
    /// It cannot be written.
    Failed(io::Error),
}

impl Unclaimed {
    fn told(self, folder: &Path) -> Failure {
        match self {
            Self::Taken => Failure::usage(format!(
                "{} is not empty and holds no pages of Segue",
                folder.display()
            ))
            .hint("Name a folder that is empty or not there yet."),
            Self::Failed(error) => failed(folder, &error),
        }
    }
}

fn failed(folder: &Path, error: &io::Error) -> Failure {
    Failure::from_error(Kind::Temporary, error)
        .context(format!("failed to write the pages to {}", folder.display()))
        .hint("Make room there, give this user the right to write, or name another folder.")
}

/// Makes the folder this command's own.
fn claim(folder: &Path) -> Result<(), Unclaimed> {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(Unclaimed::Failed(error)),
    };
    let mark = folder.join(MARK);
    if !is_empty && std::fs::metadata(&mark).is_err() {
        return Err(Unclaimed::Taken);
    }
    std::fs::create_dir_all(folder).map_err(Unclaimed::Failed)?;
    std::fs::write(mark, "").map_err(Unclaimed::Failed)
}

/// Writes the assets, then the pages, the first one last.
fn write(folder: &Path, pages: &BTreeMap<String, String>) -> io::Result<()> {
    for asset in [asset::style(), asset::script(), asset::icon()] {
        put(&folder.join("assets").join(&asset.name), asset.content)?;
    }
    for (address, page) in pages.iter().rev() {
        put(&folder.join(file_of(address)), page.as_bytes())?;
    }
    Ok(())
}

fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content)
}

#[cfg(test)]
mod tests {
    use super::{links, relative};

    #[test]
    fn addresses_become_files_beside_the_page() {
        let page = r#"<a href="/">a</a><a href="/runs/1f">b</a><script src="/assets/app-1.js"></script><a href="https://example.com/">c</a>&quot;/x"#;
        insta::assert_snapshot!(relative(page, 1), @r#"<a href="../index.html">a</a><a href="../runs/1f.html">b</a><script src="../assets/app-1.js"></script><a href="https://example.com/">c</a>&quot;/x"#);
        assert_eq!(links(page).collect::<Vec<_>>(), ["/", "/runs/1f"]);
    }
}
