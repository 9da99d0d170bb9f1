//! The folder store keeps the contracts of a store.

use crate::bench::Bench;
use crate::conformance::{Expect, every_case};

#[tokio::test]
async fn a_folder_is_a_store() {
    let (_folder, bench) = Bench::folder().await;
    every_case(&bench, Expect::ALL).await;
}
