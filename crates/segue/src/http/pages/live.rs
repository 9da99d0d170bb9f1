//! How far a run is, told while it goes on, in the words of the reader.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use serde_json::{Map, Value};
use ui::page::RunStatus;
use ui::page::run::standing;

use super::visit::Visit;
use crate::ambient;
use crate::http::problem::Problem;
use crate::http::request::{Content, Reply};
use crate::web;

/// How often it is looked how far the run is.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a stream lasts; the page begins another one.
const STREAM_LIFE_MAX: Duration = Duration::from_secs(3_600);
/// The end of a stream: the page is drawn again.
const END: &[u8] = b"event: end\ndata: {}\n\n";

/// What a stream has told so far.
struct Told {
    visit: Visit,
    run_id: uuid::Uuid,
    /// How the run stood when the page was drawn.
    seen: String,
    last: String,
    is_first: bool,
    is_over: bool,
    until: std::time::Instant,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

/// Tells what to write where, until the run stands otherwise than on the page.
pub(super) async fn events(visit: Visit) -> Result<Reply, Problem> {
    let id = visit.parameter("id");
    let run_id = id.parse().map_err(|_| Problem::not_found("run", id))?;
    let permit = visit.app.stream()?;
    let told = Told {
        run_id,
        seen: visit.query("seen").unwrap_or_default().to_owned(),
        last: String::new(),
        is_first: true,
        is_over: false,
        until: ambient::instant() + STREAM_LIFE_MAX,
        visit,
        _permit: permit,
    };
    let events = stream::unfold(told, |mut told| async move {
        if told.is_over || ambient::instant() > told.until {
            return None;
        }
        if !std::mem::replace(&mut told.is_first, false) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let event = told.next().await?;
        Some((event, told))
    });
    Ok(Reply::of(Content::Events(Box::pin(events))))
}

impl Told {
    async fn next(&mut self) -> Option<Bytes> {
        let workspace = self.visit.app.shared.workspace();
        let look = self.visit.look(&workspace).await.ok()?;
        let detail = look.ledger.run(self.run_id).await.ok()?;
        let status = detail
            .as_ref()
            .map_or(RunStatus::Waiting, |it| look.status(it.run.run_id, it.run.state));
        let next_attempt = look.next_attempts.get(&self.run_id).map(|next| next.not_before);
        if standing(status, next_attempt) != self.seen {
            self.is_over = true;
            return Some(Bytes::from_static(END));
        }
        let live = match &detail {
            Some(detail) => web::live(&look, &detail.run).await.ok()?,
            None => None,
        };
        let Some(live) = live else { return Some(Bytes::from_static(b": nothing new\n\n")) };
        let written: Map<String, Value> = live
            .progress(&self.visit.locale())
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Value::from(text)))
            .collect();
        let text = Value::from(written).to_string();
        if text == self.last {
            return Some(Bytes::from_static(b": nothing new\n\n"));
        }
        let event = format!("event: progress\ndata: {text}\n\n");
        self.last = text;
        Some(Bytes::from(event))
    }
}
