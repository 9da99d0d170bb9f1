//! Delivered files, made again.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::on_a_thread;
use super::runs::find;
use crate::app::replay::{Replay, Target};
use crate::failure::Kind;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::progress::Progress;

/// What a replay came to.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replayed {
    /// Whether files were put back; otherwise all of them are where they were delivered. They are the same
    /// byte by byte in any case
    pub(crate) is_written: bool,
    /// The data files
    pub(crate) files: u32,
    /// The rows in them
    pub(crate) rows: u64,
}

/// Makes the files of a run again. It reads profiles, one such question at a time.
pub(crate) async fn replay(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let (run_id, _) = find(&app, &ask).await?;
    let replayed = on_a_thread(&app, async move |app| {
        let workspace = app.shared.workspace();
        let replay = Replay {
            workspace: &workspace,
            global: &app.shared.global,
            ledger: &app.shared.ledger,
            interrupt: &app.shared.interrupt,
            progress: &Progress::hidden(),
        };
        // That it cannot be is an answer, and no failure of the server.
        match Box::pin(replay.run(run_id, &Target::Back)).await {
            Err(failure) if failure.kind == Kind::Run => Ok(Err(failure)),
            replayed => replayed.map(Ok),
        }
    });
    match replayed.await? {
        Ok(done) => Reply::json(&Replayed {
            is_written: done.is_written,
            files: done.detail.run.files,
            rows: done.detail.run.rows,
        }),
        Err(why) => {
            let mut problem = Problem::from(why);
            problem.code = Code::Conflict;
            Err(problem)
        }
    }
}
