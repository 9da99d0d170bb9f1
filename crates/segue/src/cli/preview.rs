//! `segue preview`: the first rows, as they would be written.

use ::plan::file_format::{FileFormat, Layout};
use delivery::encode::Encoder;
use futures::StreamExt as _;

use crate::cli::mask::mask;
use crate::cli::{Format, Global};
use crate::failure::{Failure, Kind};
use crate::select::{self, Request};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most rows of one preview.
const ROWS_MAX: usize = 1_000;

/// Show the first rows of an activation as they would be written
///
/// Letters and digits are masked unless --unmask is given, because a preview ends up in scrollback
/// and screenshots. Rows of a Parquet file are shown as lines of JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The activation
    activation: String,
    /// One of its segments (default: the first)
    #[arg(long)]
    segment: Option<String>,
    /// How many rows
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Show real values
    #[arg(long)]
    unmask: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let request = Request {
        activations: vec![args.activation.clone()],
        segments: args.segment.iter().cloned().collect(),
        slot: None,
    };
    let plans = select::runs(&workspace.project, &request, super::slot_now())?;
    let plan = plans.into_iter().next();
    let plan = plan.ok_or_else(|| {
        Failure::usage(format!("activation `{}` has no segments", args.activation))
    })?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let (header, text) = first_rows(&sources, &plan, args.rows.min(ROWS_MAX)).await?;
    let text = match plan.output.file.layout {
        _ if args.unmask => text,
        layout if layout.is_delimited() => mask(&text),
        _ => mask_values(&text),
    };
    match global.output {
        Format::Text => super::answer(format!("{header}{text}").trim_end_matches('\n')),
        Format::Json => super::answer_json(&serde_json::json!({
            "activation": plan.activation,
            "segment": plan.segment,
            "masked": !args.unmask,
            "header": header,
            "text": text,
        })),
    }
    Ok(())
}

/// The first lines of a run, masked.
///
/// # Errors
/// The data cannot be read, or does not fit.
pub(crate) async fn sample(
    sources: &Sources,
    plan: &::plan::RunPlan,
    wanted: usize,
) -> Result<String, Failure> {
    let (header, text) = first_rows(sources, plan, wanted).await?;
    let text =
        if plan.output.file.layout.is_delimited() { mask(&text) } else { mask_values(&text) };
    Ok(format!("{header}{text}"))
}

async fn first_rows(
    sources: &Sources,
    plan: &::plan::RunPlan,
    wanted: usize,
) -> Result<(String, String), Failure> {
    crate::run::look(&plan.query, &sources.engine, &sources.profiles).await?;
    let rows = sources.engine.rows(&plan.query, &sources.profiles).await.map_err(Failure::from)?;
    let file = &plan.output.file;
    // Nobody can read Parquet; its rows are shown as lines of JSON.
    let lines = match file.layout {
        Layout::Parquet => &FileFormat::new(Layout::Json),
        _ => file,
    };
    let encoder = Encoder::new(lines, &rows.schema()).map_err(Failure::from)?;
    let header = readable(encoder.header())?;
    let mut chunks = rows.map_ordered(move |batch| {
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        encoder.encode(&batch).map_err(Failure::from)
    });
    let mut text = String::new();
    let mut found = 0;
    while found < wanted
        && let Some(chunk) = chunks.next().await
    {
        let mut chunk = chunk?;
        if chunk.rows() > wanted - found {
            chunk.split_off(wanted - found);
        }
        found += chunk.rows();
        text.push_str(&readable(chunk.text)?);
    }
    Ok((header, text))
}

fn readable(text: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(text)
        .map_err(|error| Failure::from_error(Kind::Internal, &error.utf8_error()))
}

/// As [`mask`], for lines of JSON: the names of columns stay, and so does `null`, which is no value.
/// Names inside a value stay hidden, since a map may have them from the data.
fn mask_values(lines: &str) -> String {
    let mut masked = String::new();
    for line in lines.split_inclusive('\n') {
        let (mut depth, mut rest) = (0_u32, line);
        while let Some(letter) = rest.chars().next() {
            let end = token_end(rest);
            let (token, behind) = rest.split_at(end);
            match letter {
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            let is_name = depth == 1 && letter == '"' && behind.starts_with(':');
            let stays = is_name || token == "null";
            masked.push_str(&if stays { token.to_owned() } else { mask(token) });
            rest = behind;
        }
    }
    masked
}

/// Where the first token of JSON ends: a string, a word or number, or a sign.
fn token_end(text: &str) -> usize {
    let mut letters = text.char_indices();
    match letters.next() {
        Some((_, '"')) => {
            let mut escaped = false;
            for (at, letter) in letters {
                match letter {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => return at + 1,
                    _ => {}
                }
            }
            text.len()
        }
        Some((_, letter)) if letter.is_alphanumeric() || letter == '-' => text
            .find(|letter: char| !letter.is_alphanumeric() && !"+-.".contains(letter))
            .unwrap_or(text.len()),
        Some((_, letter)) => letter.len_utf8(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn masking_json_keeps_the_names_of_columns() {
        let line =
            r#"{"e_mail":"a\"b@x.com","n":-1.5e+7,"ok":true,"no":null,"map":{"key":["v",null]}}"#;
        let masked =
            r#"{"e_mail":"x\"x@x.xxx","n":-0.0x+0,"ok":xxxx,"no":null,"map":{"xxx":["x",null]}}"#;
        assert_eq!(
            super::mask_values(&format!("{line}\n{line}\n")),
            format!("{masked}\n{masked}\n")
        );
    }

    #[test]
    fn masking_keeps_the_shape_of_a_row() {
        assert_eq!(super::mask("Zoë,\"4, rue\",7.5\n"), "xxx,\"0, xxx\",0.0\n");
    }
}
