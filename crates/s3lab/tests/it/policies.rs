//! The gate: one action missing at a time, and what only the gate knows.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Delete, ObjectAttributes,
    ObjectIdentifier, Tag, Tagging, VersioningConfiguration,
};
use s3lab::{Lab, Options, Policy, User};

use crate::client::{body, client, client_of, code, options, start_with, status};

fn user() -> User {
    User { access_key_id: "LABUSER".into(), ..User::default() }
}

async fn lab_with(policy: Policy) -> (Lab, Client) {
    let users = vec![User::default(), User { policy, ..user() }];
    let lab = start_with(Options { users, ..options() }).await;
    let client = client_of(&lab, &user(), WhenRequired);
    (lab, client)
}

/// Tries every operation once. Returns the names of those that were refused with 403.
async fn refused(lab: &Lab, client: &Client) -> BTreeSet<&'static str> {
    let mut refused = BTreeSet::new();
    let mut saw = |name: &'static str, status: u16| {
        if status == 403 {
            refused.insert(name);
        }
    };
    lab.put("bucket", "seen", "x").await.unwrap();
    lab.put("versioned", "seen", "x").await.unwrap();
    let version = lab.object("versioned", "seen").unwrap().version_id.unwrap();
    let upload = crate::client::client(lab)
        .create_multipart_upload()
        .bucket("bucket")
        .key("up")
        .send()
        .await
        .unwrap();
    let id = upload.upload_id().unwrap();

    saw("ListBuckets", status(&client.list_buckets().send().await));
    saw("HeadBucket", status(&client.head_bucket().bucket("bucket").send().await));
    saw("ListObjects", status(&client.list_objects().bucket("bucket").send().await));
    saw("ListObjectsV2", status(&client.list_objects_v2().bucket("bucket").send().await));
    saw("ListObjectVersions", status(&client.list_object_versions().bucket("bucket").send().await));
    saw(
        "ListMultipartUploads",
        status(&client.list_multipart_uploads().bucket("bucket").send().await),
    );
    saw("GetBucketLocation", status(&client.get_bucket_location().bucket("bucket").send().await));
    saw(
        "GetBucketVersioning",
        status(&client.get_bucket_versioning().bucket("bucket").send().await),
    );
    saw("GetBucketPolicy", status(&client.get_bucket_policy().bucket("bucket").send().await));
    let lock = client.get_object_lock_configuration().bucket("bucket");
    saw("GetObjectLockConfiguration", status(&lock.send().await));
    let suspend =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let suspend =
        client.put_bucket_versioning().bucket("versioned").versioning_configuration(suspend);
    saw("PutBucketVersioning", status(&suspend.send().await));
    saw("CreateBucket", status(&client.create_bucket().bucket("fresh").send().await));
    saw("DeleteBucket", status(&client.delete_bucket().bucket("bucket").send().await));

    let put = || client.put_object().bucket("bucket").key("k").body(body("x"));
    saw("PutObject", status(&put().send().await));
    saw("PutObject tagged", status(&put().tagging("a=b").send().await));
    saw("PutObject with an ACL", status(&put().acl("private".into()).send().await));
    saw("PutObject If-Match", status(&put().if_match("e").send().await));
    saw("GetObject", status(&client.get_object().bucket("bucket").key("seen").send().await));
    saw("HeadObject", status(&client.head_object().bucket("bucket").key("seen").send().await));
    let by_id = client.get_object().bucket("versioned").key("seen").version_id(&version);
    saw("GetObject by version", status(&by_id.send().await));
    let attributes = client.get_object_attributes().bucket("bucket").key("seen");
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectSize);
    saw("GetObjectAttributes", status(&attributes.send().await));
    saw(
        "CopyObject",
        status(
            &client
                .copy_object()
                .bucket("bucket")
                .key("copy")
                .copy_source("bucket/seen")
                .send()
                .await,
        ),
    );
    saw(
        "GetObjectTagging",
        status(&client.get_object_tagging().bucket("bucket").key("seen").send().await),
    );
    let tagging = Tagging::builder()
        .tag_set(Tag::builder().key("a").value("b").build().unwrap())
        .build()
        .unwrap();
    let tagging = client.put_object_tagging().bucket("bucket").key("seen").tagging(tagging);
    saw("PutObjectTagging", status(&tagging.send().await));
    saw(
        "DeleteObjectTagging",
        status(&client.delete_object_tagging().bucket("bucket").key("seen").send().await),
    );

    saw(
        "CreateMultipartUpload",
        status(&client.create_multipart_upload().bucket("bucket").key("k").send().await),
    );
    let part = client.upload_part().bucket("bucket").key("up").upload_id(id).part_number(1);
    saw("UploadPart", status(&part.body(ByteStream::from_static(b"x")).send().await));
    saw(
        "ListParts",
        status(&client.list_parts().bucket("bucket").key("up").upload_id(id).send().await),
    );
    let list = CompletedPart::builder().part_number(9).e_tag("e").build();
    let list = CompletedMultipartUpload::builder().parts(list).build();
    let complete = client
        .complete_multipart_upload()
        .bucket("bucket")
        .key("up")
        .upload_id(id)
        .multipart_upload(list);
    saw("CompleteMultipartUpload", status(&complete.send().await));
    let abort = client.abort_multipart_upload().bucket("bucket").key("up").upload_id(id);
    saw("AbortMultipartUpload", status(&abort.send().await));

    let by_id = client.delete_object().bucket("versioned").key("seen").version_id(&version);
    saw("DeleteObject by version", status(&by_id.send().await));
    saw("DeleteObject", status(&client.delete_object().bucket("bucket").key("seen").send().await));
    refused
}

#[tokio::test]
async fn one_action_missing_at_a_time() {
    for (action, expected) in [
        ("s3:ListAllMyBuckets", &["ListBuckets"][..]),
        ("s3:ListBucket", &["HeadBucket", "ListObjects", "ListObjectsV2"]),
        ("s3:ListBucketVersions", &["ListObjectVersions"]),
        ("s3:ListBucketMultipartUploads", &["ListMultipartUploads"]),
        ("s3:GetBucketLocation", &["GetBucketLocation"]),
        ("s3:GetBucketPolicy", &["GetBucketPolicy"]),
        ("s3:GetBucketVersioning", &["GetBucketVersioning"]),
        ("s3:GetBucketObjectLockConfiguration", &["GetObjectLockConfiguration"]),
        ("s3:PutBucketVersioning", &["PutBucketVersioning"]),
        ("s3:CreateBucket", &["CreateBucket"]),
        ("s3:DeleteBucket", &["DeleteBucket"]),
        (
            "s3:PutObject",
            &[
                "CompleteMultipartUpload",
                "CopyObject",
                "CreateMultipartUpload",
                "PutObject",
                "PutObject If-Match",
                "PutObject tagged",
                "PutObject with an ACL",
                "UploadPart",
            ],
        ),
        ("s3:PutObjectTagging", &["PutObject tagged", "PutObjectTagging"]),
        ("s3:PutObjectAcl", &["PutObject with an ACL"]),
        (
            "s3:GetObject",
            &["CopyObject", "GetObject", "GetObjectAttributes", "HeadObject", "PutObject If-Match"],
        ),
        ("s3:GetObjectVersion", &["GetObject by version"]),
        ("s3:GetObjectAttributes", &["GetObjectAttributes"]),
        ("s3:GetObjectTagging", &["GetObjectTagging"]),
        ("s3:DeleteObjectTagging", &["DeleteObjectTagging"]),
        ("s3:ListMultipartUploadParts", &["ListParts"]),
        ("s3:AbortMultipartUpload", &["AbortMultipartUpload"]),
        ("s3:DeleteObject", &["DeleteObject"]),
        ("s3:DeleteObjectVersion", &["DeleteObject by version"]),
        ("s3:ReplicateObject", &[]),
    ] {
        let (lab, client) = lab_with(Policy::all().without(&[action])).await;
        let refused = refused(&lab, &client).await;
        assert_eq!(refused.into_iter().collect::<Vec<_>>(), expected, "without {action}");
    }
}

#[tokio::test]
async fn a_policy_may_change_under_a_running_client() {
    let (lab, client) = lab_with(Policy::default()).await;
    let put = || client.put_object().bucket("bucket").key("a/k").body(body("x")).send();
    assert_eq!(code(&put().await), "AccessDenied");
    assert!(lab.set_policy(
        "LABUSER",
        Policy::default().and_allow(&["s3:Put*"], &["arn:aws:s3:::bucket/a/*"])
    ));
    assert_eq!(code(&put().await), "ok");
    let elsewhere = client.put_object().bucket("bucket").key("b/k").body(body("x")).send().await;
    assert_eq!(code(&elsewhere), "AccessDenied");
    assert!(!lab.set_policy("NOBODY", Policy::all()));
    lab.set_user(User { secret_access_key: "rotated".into(), ..user() });
    assert_eq!(code(&put().await), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn absence_is_told_only_to_those_who_may_list() {
    let (_lab, client) = lab_with(Policy::only(&["s3:GetObject"])).await;
    let get = client.get_object().bucket("bucket").key("absent").send().await;
    assert_eq!((status(&get), code(&get)), (403, "AccessDenied".into()));
    assert_eq!(status(&client.head_object().bucket("bucket").key("absent").send().await), 403);
    // That a bucket is not there is told to everybody who can sign.
    assert_eq!(code(&client.get_object().bucket("absent").key("k").send().await), "NoSuchBucket");
}

#[tokio::test]
async fn each_key_of_a_batch_is_judged() {
    let policy = Policy::all().and_deny(&["s3:DeleteObject"], &["bucket/kept/*"]);
    let (lab, user) = lab_with(policy).await;
    for key in ["kept/a", "b"] {
        crate::client::put(&client(&lab), "bucket", key, "x").await;
    }
    let named = ["kept/a", "b"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(named.into())).build().unwrap();
    let done = user.delete_objects().bucket("bucket").delete(delete).send().await.unwrap();
    assert_eq!(done.deleted()[0].key(), Some("b"));
    assert_eq!(
        (done.errors()[0].key(), done.errors()[0].code()),
        (Some("kept/a"), Some("AccessDenied"))
    );
    assert_eq!(lab.keys("bucket"), ["kept/a"]);
}

#[tokio::test]
async fn a_key_of_kms_needs_permissions_of_its_own() {
    let (lab, client) = lab_with(Policy::all().without(&["kms:Decrypt"])).await;
    let create = || client.create_multipart_upload().bucket("bucket").key("k");
    let upload =
        create().server_side_encryption("aws:kms".into()).ssekms_key_id("key-1").send().await;
    let id = upload.unwrap().upload_id.unwrap();
    let part = || client.upload_part().bucket("bucket").key("k").upload_id(&id).part_number(1);
    assert_eq!(code(&part().body(body("x")).send().await), "AccessDenied");
    lab.set_policy("LABUSER", Policy::all());
    assert_eq!(code(&part().body(body("x")).send().await), "ok");
    let others = Policy::all().and_deny(&["kms:GenerateDataKey"], &["key-1"]);
    lab.set_policy("LABUSER", others);
    let with = |key: &str| {
        create().server_side_encryption("aws:kms".into()).ssekms_key_id(key.to_owned()).send()
    };
    assert_eq!(code(&with("key-1").await), "AccessDenied");
    assert_eq!(code(&with("key-2").await), "ok");
}

#[tokio::test]
async fn a_bucket_may_demand_encryption() {
    let policy = Policy::all().and_demand("x-amz-server-side-encryption", "AES256");
    let (_lab, client) = lab_with(policy).await;
    let put = || client.put_object().bucket("bucket").key("k").body(body("x"));
    assert_eq!(code(&put().send().await), "AccessDenied");
    let with = |kind: &str| put().server_side_encryption(kind.into()).send();
    assert_eq!(code(&with("aws:kms").await), "AccessDenied");
    assert_eq!(code(&with("AES256").await), "ok");
}

#[tokio::test]
async fn a_deletion_may_ask_for_an_object_to_be_there() {
    let (lab, client) = lab_with(Policy::all()).await;
    let delete = || client.delete_object().bucket("versioned").key("k").if_match("*").send();
    assert_eq!(code(&delete().await), "PreconditionFailed");
    assert_eq!(lab.history().len(), 0, "no marker was made");
    lab.put("versioned", "k", "x").await.unwrap();
    assert_eq!(code(&delete().await), "ok");
}
