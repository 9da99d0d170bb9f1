//! Many writers at once.

use s3lab::{Backend, Dialect, Event, Options};

use crate::client::{body, client, code, options, put, start, start_with};
use crate::multipart::two_parts;

const WRITERS: usize = 8;
const ROUNDS: usize = 20;

/// Lets writers put the same key under a condition at once. Returns how many were told that they won.
async fn winners(lab: &s3lab::Lab, key: &str, if_match: Option<&str>) -> usize {
    let client = client(lab);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            // A winner that wrote the same bytes again would leave the same ETag, and a second one could win.
            let text = format!("writer {writer} after {if_match:?}");
            let put = client.put_object().bucket("bucket").key(key).body(body(&text));
            let put = match if_match {
                Some(etag) => put.if_match(etag),
                None => put.if_none_match("*"),
            };
            tokio::spawn(async move { code(&put.send().await) })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.unwrap().as_str() {
            "ok" => won += 1,
            other => assert_eq!(other, "PreconditionFailed"),
        }
    }
    won
}

async fn one_wins(backend: Backend) {
    let lab = start(backend).await;
    for round in 0..ROUNDS {
        let key = format!("k{round}");
        assert_eq!(winners(&lab, &key, None).await, 1, "round {round}");
        let etag = lab.object("bucket", &key).unwrap().etag;
        assert_eq!(winners(&lab, &key, Some(&etag)).await, 1, "round {round}");
    }
    let created = lab.history().iter().filter(|change| change.event == Event::Created).count();
    assert_eq!((created, lab.history().len()), (ROUNDS, 2 * ROUNDS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_conditional_writer_wins_in_memory() {
    one_wins(Backend::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_conditional_writer_wins_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    one_wins(Backend::Folder(folder.path().into())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_dialect_lets_several_win() {
    let dialect = Dialect { racy_conditionals: true, ..Dialect::default() };
    let lab = start_with(Options { dialect, ..options() }).await;
    assert!(winners(&lab, "k", None).await > 1);
    assert_eq!(winners(&lab, "k", None).await, 0, "one after the other it still looks right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_conditional_complete_wins() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::Memory, Backend::Folder(folder.path().into())] {
        let lab = start(backend).await;
        let client = client(&lab);
        for round in 0..5 {
            let key = format!("k{round}");
            let mut tasks = Vec::new();
            for _ in 0..WRITERS {
                let upload = two_parts(&client, &key).await;
                let complete = upload.complete().if_none_match("*");
                tasks.push(tokio::spawn(async move { code(&complete.send().await) }));
            }
            let mut won = 0;
            for task in tasks {
                won += usize::from(task.await.unwrap() == "ok");
            }
            assert_eq!(won, 1, "round {round}");
        }
        assert_eq!(
            lab.open_uploads("bucket").len(),
            5 * (WRITERS - 1),
            "those that lost are still there"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_upload_completed_many_times_at_once_is_one_object() {
    let lab = start(Backend::Memory).await;
    let upload = two_parts(&client(&lab), "k").await;
    let requests = (0..WRITERS).map(|_| upload.complete());
    let tasks: Vec<_> =
        requests.map(|request| tokio::spawn(async move { code(&request.send().await) })).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "ok");
    }
    assert_eq!(lab.history().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_objects_while_they_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let lab = start(Backend::Folder(folder.path().into())).await;
    let client = client(&lab);
    let texts = ["a".repeat(200_000), "b".repeat(300_000)];
    put(&client, "bucket", "k", &texts[0]).await;
    let writer = {
        let (client, texts) = (client.clone(), texts.clone());
        tokio::spawn(async move {
            for round in 0..40 {
                put(&client, "bucket", "k", &texts[round % 2]).await;
            }
        })
    };
    while !writer.is_finished() {
        let seen = crate::client::get(&client, "bucket", "k").await;
        assert!(texts.contains(&seen), "{} bytes of {:?}", seen.len(), seen.get(..1));
        let file = std::fs::read_to_string(folder.path().join("bucket/k")).unwrap();
        assert!(texts.contains(&file), "a file of {} bytes", file.len());
    }
    writer.await.unwrap();
}
