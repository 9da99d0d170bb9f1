//! A store that fails at the n-th call, for every n: after each, what is visible is whole or
//! nothing, and the run that goes on ends as if nothing had been.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use delivery::store::{Completion, Head, Listing, NewUpload, Part};
use delivery::{Error, Store};
use plan::staged::{StagedObject, StagedPart};
use s3lab::{Action, Fault, Options};

use crate::bench::{BUCKET, Bench};
use crate::file_set::{expected_files, run, small_run};
use crate::small_spine::{Ledger, Run};

/// Where the n-th call breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Break {
    /// Before it has done anything.
    Before,
    /// After it has done its work: the answer is lost.
    After,
}

/// Passes calls on and breaks one of them.
#[derive(Debug)]
struct Breaking {
    store: Arc<dyn Store>,
    calls: AtomicU64,
    broken_call: u64,
    how: Break,
}

impl Breaking {
    fn error(key: &str) -> Error {
        Error::Upload {
            key: key.to_owned(),
            upload_id: "any".to_owned(),
            problem: "was broken by the test",
        }
    }

    fn is_broken(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.broken_call
    }

    async fn pass<T>(
        &self,
        key: &str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let is_broken = self.is_broken();
        if is_broken && self.how == Break::Before {
            return Err(Self::error(key));
        }
        let ended = call.await;
        if is_broken { Err(Self::error(key)) } else { ended }
    }
}

#[async_trait]
impl Store for Breaking {
    fn identity(&self) -> String {
        self.store.identity()
    }

    async fn create_upload(&self, new: &NewUpload) -> Result<String, Error> {
        self.pass(&new.key, self.store.create_upload(new)).await
    }

    async fn put_part(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error> {
        self.pass(key, self.store.put_part(key, upload_id, part)).await
    }

    async fn complete(&self, object: &StagedObject) -> Completion {
        let is_broken = self.is_broken();
        if is_broken && self.how == Break::Before {
            return Completion::Unclear(Self::error(&object.key));
        }
        let ended = self.store.complete(object).await;
        if is_broken { Completion::Unclear(Self::error(&object.key)) } else { ended }
    }

    async fn abort(&self, key: &str, upload_id: &str) -> Result<(), Error> {
        self.pass(key, self.store.abort(key, upload_id)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        self.pass(key, self.store.head(key)).await
    }

    async fn list_uploads(&self, prefix: &str) -> Result<Listing, Error> {
        self.pass(prefix, self.store.list_uploads(prefix)).await
    }

    async fn parts(&self, key: &str, upload_id: &str) -> Result<Option<Vec<StagedPart>>, Error> {
        self.pass(key, self.store.parts(key, upload_id)).await
    }
}

/// Asserts what readers rely on: files are whole, and a visible manifest means that all are there.
/// Before the commit record nothing may be visible.
async fn assert_whole(bench: &Bench, run: &Run, ledger: &Ledger, place: &str) {
    let manifest = bench.reader.read(&run.manifest_key()).await;
    for (key, body) in expected_files(run) {
        let found = bench.reader.read(&key).await;
        assert!(found.as_ref().is_none_or(|found| *found == body), "{place}: {key} is torn");
        assert!(
            found.is_some() || manifest.is_none(),
            "{place}: the manifest lists {key}, which is not there"
        );
        assert!(
            found.is_none() || ledger.commit.is_some(),
            "{place}: {key} is visible before the commit record"
        );
    }
    assert!(!ledger.delivered || manifest.is_some(), "{place}: delivered without a manifest");
}

/// Breaks each call in turn until a run has fewer calls than that, and returns how many it has.
async fn break_every_call(bench: &Bench, how: Break) -> u64 {
    for broken_call in 1.. {
        let place = format!("call {broken_call} broken {how:?}");
        let run = run(bench, &format!("{how:?}{broken_call}"));
        let mut ledger = Ledger::default();
        let breaking = Arc::new(Breaking {
            store: Arc::clone(&bench.store),
            calls: AtomicU64::new(0),
            broken_call,
            how,
        });
        let store: Arc<dyn Store> = Arc::clone(&breaking) as Arc<dyn Store>;
        let first = run.advance(&store, &mut ledger).await;
        assert_whole(bench, &run, &ledger, &place).await;
        if first.is_err() {
            run.advance(&bench.store, &mut ledger).await.unwrap();
            assert_whole(bench, &run, &ledger, &place).await;
        }
        assert!(ledger.delivered, "{place}");
        let left = bench.store.list_uploads(&run.prefix).await.unwrap();
        assert_eq!(left, Listing::Uploads(Vec::new()), "{place}: uploads are left");
        let calls = breaking.calls.load(Ordering::SeqCst);
        if calls < broken_call {
            return calls;
        }
    }
    unreachable!("the loop ends by its return")
}

#[tokio::test]
async fn every_call_on_a_folder_may_break() {
    let (_folder, bench) = Bench::folder().await;
    for how in [Break::Before, Break::After] {
        let calls = break_every_call(&bench, how).await;
        assert!(calls > 20, "{calls} calls are too few for a run of three files and a manifest");
    }
}

/// Lets a fault of the wire meet each request in turn, until a run has fewer requests than that.
async fn fault_on_every_request(action: Action) {
    let (lab, bench) = Bench::lab(Options::default()).await;
    for request in 0.. {
        let place = format!("request {request} met by {action:?}");
        let run = small_run(&bench, &format!("wire{request}"));
        let mut ledger = Ledger::default();
        let fault = lab.faults().add(Fault::on_any(action.clone()).skip(request));
        let first = run.advance(&bench.store, &mut ledger).await;
        let acted = lab.faults().acted(fault);
        lab.faults().remove(fault);
        assert_whole(&bench, &run, &ledger, &place).await;
        if first.is_err() {
            run.advance(&bench.store, &mut ledger).await.unwrap();
            assert_whole(&bench, &run, &ledger, &place).await;
        }
        assert!(ledger.delivered, "{place}");
        if acted == 0 {
            assert!(request > 10, "{request} requests are too few for two files and a manifest");
            return;
        }
        // An upload whose id never arrived, and whose request was repeated by itself, stays for the
        // sweeper: it is open, and the ledger knows its key.
        for upload in lab.open_uploads(BUCKET) {
            assert!(
                ledger.intents.iter().any(|intent| intent.key == upload.key),
                "{place}: {upload:?}"
            );
            bench.store.abort(&upload.key, &upload.upload_id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn every_request_may_fail() {
    fault_on_every_request(Action::expired_token()).await;
}

#[tokio::test]
async fn every_reply_may_be_lost() {
    fault_on_every_request(Action::LoseReply).await;
}

#[tokio::test]
async fn an_upload_that_the_service_lost_is_repaired() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    for lost in 0..4 {
        let run = run(&bench, &format!("lost{lost}"));
        let mut ledger = Ledger::default();
        run.stage_only(&bench.store, &mut ledger).await.unwrap();
        assert!(lab.drop_upload(&ledger.commit.as_ref().unwrap()[lost].upload_id));
        run.advance(&bench.store, &mut ledger).await.unwrap();
        assert_whole(&bench, &run, &ledger, &format!("object {lost} lost")).await;
    }
    assert_eq!(lab.open_uploads("exports"), []);
}
