//! The smallest set of rights that a destination works with, as AWS writes them: policies for IAM, for
//! the role, the bucket and the key, and a lifecycle rule. They are printed for people to review;
//! nothing here asks AWS for anything.

use serde_json::{Value, json};

use crate::object_settings::Encryption;
use crate::permission::{self, Level, Need, Permission, Scope};
use crate::project::{Account, Auth, Destination};

/// The version of the policy language (IAM user guide, "IAM JSON policy elements: Version").
const LANGUAGE: &str = "2012-10-17";
/// After how many days the bucket ends uploads that nobody finished. A run that has to wait for its
/// bucket waits at most a day.
pub const UNFINISHED_DAYS: u32 = 7;
/// What stands for the ARN of whoever signs, until it is given.
pub const PRINCIPAL_PLACEHOLDER: &str = "ARN-OF-WHO-RUNS-SEGUE";

/// The documents for one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// What may be done: to attach to the user or the role that delivers.
    pub iam: Value,
    /// Who may assume the role, for accounts with a role.
    pub trust: Option<Value>,
    /// What the one who assumes the role needs, for accounts with a role.
    pub assume: Option<Value>,
    /// What the policy of the KMS key needs, for destinations with a key.
    pub kms_key: Option<Value>,
    /// What the bucket refuses from everybody.
    pub bucket: Value,
    /// What the bucket tidies up.
    pub lifecycle: Value,
}

/// What is done with a destination beyond delivering to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// It has static names, which are replaced.
    pub replaces: bool,
    /// Earlier versions are read back, and archived objects restored.
    pub reads_back: bool,
}

/// Writes the documents for a destination. `region` is that of the bucket where it is known,
/// `principal` is the ARN of whoever signs.
pub fn of(
    destination: &Destination,
    account: &Account,
    region: Option<&str>,
    uses: Uses,
    principal: Option<&str>,
) -> Policies {
    let scope = Scope::of(destination, region);
    let mut needs = permission::needs(&destination.objects, uses.replaces);
    if uses.reads_back {
        let more = [Permission::GetObjectVersion, Permission::RestoreObject];
        needs.extend(more.map(|permission| (permission, Need::Useful)));
    }
    let signer = principal.unwrap_or(PRINCIPAL_PLACEHOLDER);
    let chain = chain(&account.auth);
    let role = match &account.auth {
        Auth::AssumeRole { role_arn, external_id: Some(id), .. } => Some((role_arn, id)),
        _ => None,
    };
    let deliverer = role.map_or(signer, |(role_arn, _)| role_arn);
    // In a chain the last role trusts the one before it, and who signs needs the first.
    let before = chain.iter().rev().nth(1).copied().unwrap_or(signer);
    Policies {
        iam: document(iam(&scope, &needs, region)),
        trust: role.map(|(_, external_id)| document(vec![trust(before, external_id)])),
        assume: chain.first().map(|role_arn| {
            document(vec![json!({
                "Sid": "SegueAssumesTheRole",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": role_arn,
            })])
        }),
        kms_key: scope.kms_key_id.as_ref().map(|_| kms_key(deliverer, &scope, region)),
        bucket: document(bucket(destination, &scope)),
        lifecycle: lifecycle(&scope),
    }
}

/// The roles of an account in the order in which they are assumed.
fn chain(auth: &Auth) -> Vec<&str> {
    match auth {
        Auth::AssumeRole { role_arn, base, .. } => {
            let mut roles = chain(base);
            roles.push(role_arn);
            roles
        }
        _ => Vec::new(),
    }
}

fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": LANGUAGE, "Statement": statements })
}

fn actions(needs: &[(Permission, Need)], level: Level) -> Vec<&'static str> {
    let at_level = |(permission, _): &&(Permission, Need)| permission.level() == level;
    needs.iter().filter(at_level).map(|(permission, _)| permission.action()).collect()
}

fn iam(scope: &Scope, needs: &[(Permission, Need)], region: Option<&str>) -> Vec<Value> {
    let mut statements = vec![
        json!({
            "Sid": "SegueDelivers",
            "Effect": "Allow",
            "Action": actions(needs, Level::Objects),
            "Resource": scope.objects_arn(),
        }),
        // Without conditions: S3 tells a missing object from a hidden one only to those who may list
        // the bucket as such.
        json!({
            "Sid": "SegueLooks",
            "Effect": "Allow",
            "Action": actions(needs, Level::Bucket),
            "Resource": scope.bucket_arn(),
        }),
    ];
    if let Some((resource, condition)) = key(scope, region) {
        let mut statement = json!({
            "Sid": "SegueEncrypts",
            "Effect": "Allow",
            "Action": actions(needs, Level::Key),
            "Resource": resource,
        });
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        statements.push(statement);
    }
    statements
}

/// The key as a resource, with the condition under which it is meant. Amazon's own key of the account
/// needs no statement.
fn key(scope: &Scope, region: Option<&str>) -> Option<(String, Option<Value>)> {
    let key = scope.kms_key_id.as_deref()?;
    let any = format!("arn:{}:kms:{}:*:key/", scope.partition, region.unwrap_or("*"));
    let alias = key.rsplit_once(":alias/").map(|(_, name)| name).or(key.strip_prefix("alias/"));
    Some(match alias {
        Some(name) => {
            let alias = format!("alias/{name}");
            let condition =
                json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": [alias] } });
            (format!("{any}*"), Some(condition))
        }
        None if key.starts_with("arn:") => (key.to_owned(), None),
        None => (format!("{any}{key}"), None),
    })
}

fn trust(signer: &str, external_id: &str) -> Value {
    json!({
        "Sid": "SegueMayAssumeThisRole",
        "Effect": "Allow",
        "Principal": { "AWS": signer },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
    })
}

fn kms_key(deliverer: &str, scope: &Scope, region: Option<&str>) -> Value {
    let mut condition = json!({ "kms:EncryptionContext:aws:s3:arn": context_of(scope) });
    if let Some(region) = region {
        condition["kms:ViaService"] = format!("s3.{region}.amazonaws.com").into();
    }
    json!({
        "Sid": "SegueEncryptsWithThisKey",
        "Effect": "Allow",
        "Principal": { "AWS": deliverer },
        "Action": [Permission::GenerateDataKey.action(), Permission::Decrypt.action()],
        "Resource": "*",
        "Condition": { "StringLike": condition },
    })
}

/// What S3 writes into the context of the key: the object, or the bucket where the bucket has a key of
/// its own (Amazon S3 user guide, "Using server-side encryption with AWS KMS keys").
fn context_of(scope: &Scope) -> [String; 2] {
    [scope.bucket_arn(), scope.objects_arn()]
}

fn bucket(destination: &Destination, scope: &Scope) -> Vec<Value> {
    let mut statements = vec![json!({
        "Sid": "NothingUnencryptedOnTheWay",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [scope.bucket_arn(), format!("{}/*", scope.bucket_arn())],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })];
    let Some(encryption) = &destination.objects.encryption else { return statements };
    let mut demand = |sid: &str, header: &str, value: &str| {
        statements.push(json!({
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": scope.objects_arn(),
            "Condition": { "StringNotEquals": { header: value } },
        }));
    };
    demand("NothingOtherwiseEncrypted", "s3:x-amz-server-side-encryption", encryption.name());
    // The condition compares with the ARN of the key, whatever the request names it by.
    if let Encryption::Kms { key_id: Some(key), .. } = encryption
        && key.starts_with("arn:")
        && !key.contains(":alias/")
    {
        let header = "s3:x-amz-server-side-encryption-aws-kms-key-id";
        demand("NothingUnderAnotherKey", header, key);
    }
    statements
}

fn lifecycle(scope: &Scope) -> Value {
    json!({
        "Rules": [{
            "ID": "end-unfinished-uploads",
            "Status": "Enabled",
            "Filter": { "Prefix": scope.start },
            "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": UNFINISHED_DAYS },
        }],
    })
}
