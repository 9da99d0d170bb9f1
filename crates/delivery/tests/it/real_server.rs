//! The contracts of a store on a real S3 server. Runs only where the variables below name one; the
//! continuous build starts a server and sets them.

use std::io::Write as _;
use std::sync::Arc;

use plan::project::Account;

use crate::bench::{Bench, Reader, account};
use crate::conformance::{Expect, every_case};
use crate::file_set;

/// Amazon's smallest part.
const PART_BYTES: usize = 5 << 20;

struct Server {
    account: Account,
    bucket: String,
}

/// Reads where the server is. When there is none, that is said past the test runner, which keeps to
/// itself what tests print.
fn server(test: &str) -> Option<Server> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment says whether there is a server to test on"
    )]
    let var = |name: &str| std::env::var(format!("SEGUE_TEST_S3_{name}")).ok();
    let Some(endpoint) = var("ENDPOINT") else {
        let _ = writeln!(
            std::io::stderr(),
            "NOT RUN: {test}: SEGUE_TEST_S3_ENDPOINT is not set, so only s3lab was asked"
        );
        return None;
    };
    let key = var("ACCESS_KEY").expect("SEGUE_TEST_S3_ACCESS_KEY goes with the endpoint");
    let secret = var("SECRET_KEY").expect("SEGUE_TEST_S3_SECRET_KEY goes with the endpoint");
    let bucket = var("BUCKET").expect("SEGUE_TEST_S3_BUCKET goes with the endpoint");
    Some(Server { account: account(endpoint, key, secret), bucket })
}

/// Whether a server is known not to do something.
fn lacks(what: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the environment says what the server lacks")]
    let lacks = std::env::var("SEGUE_TEST_S3_LACKS").unwrap_or_default();
    lacks.split(' ').any(|lack| lack == what)
}

async fn bench(server: Server) -> Bench {
    let client = delivery::s3::client(&server.account);
    // The bucket of a server that was just started.
    let made = client.create_bucket().bucket(&server.bucket).send().await;
    let store = delivery::s3::connect(&server.account, &server.bucket, None).await.unwrap();
    assert!(
        made.is_ok() || client.head_bucket().bucket(&server.bucket).send().await.is_ok(),
        "{made:?}"
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "keys that no earlier run on the same server has used"
    )]
    let prefix = format!("conformance/{}/", uuid::Uuid::new_v4());
    let reader = Reader::Bucket { client, bucket: server.bucket };
    Bench { store: Arc::new(store), reader, prefix, part_bytes: PART_BYTES }
}

#[tokio::test]
async fn a_real_server_is_a_store() {
    let Some(server) = server("the contracts of a store") else { return };
    // SeaweedFS 4.48, which the continuous build starts, now and then lets two completions of one
    // name that arrive together both succeed. No promise rests on the condition alone: names are
    // reserved in the ledger, and only upload ids of commit records are ever completed.
    // Garage and Ceph's gateway take conditions and do not look at them.
    let conditions = !lacks("conditions");
    let expect = Expect {
        atomic: false,
        if_none_match: conditions,
        if_match: conditions,
        gone: !lacks("gone"),
        empty_parts: !lacks("empty"),
        ..Expect::ALL
    };
    every_case(&bench(server).await, expect).await;
}

#[tokio::test]
async fn a_file_set_reaches_a_real_server() {
    let Some(server) = server("a file set") else { return };
    file_set::a_set_of_files_is_published_whole(&bench(server).await).await;
}
