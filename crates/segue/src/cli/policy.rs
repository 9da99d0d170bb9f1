//! `segue policy`: the rights that a destination needs, to review and to grant.

use std::fmt::Write as _;

use ::plan::permission;
use ::plan::policy::{self, PRINCIPAL_PLACEHOLDER, Policies, Uses};
use ::plan::project::Destination;
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::capabilities;
use crate::cli::{Global, check, powers};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Print the smallest policies that a destination works with
///
/// For exactly its bucket, its folder and its key: the policy of the user or role that delivers, the
/// trust policy of the role with the external id, the statement for the KMS key, a bucket policy, and
/// a lifecycle rule for unfinished uploads. Nothing is asked for or changed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key of the destination
    destination: String,
    /// What is printed
    #[arg(long, value_enum, default_value_t = PolicyFormat::Json)]
    format: PolicyFormat,
    /// Only this document, to pass on to a tool
    #[arg(long, value_enum)]
    only: Option<Document>,
    /// With the rights to read earlier versions and restore from archives (`segue files`)
    #[arg(long)]
    read_back: bool,
    /// The ARN of the user or role that runs Segue, for the trust policy and the key
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
}

/// In which language the policies are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyFormat {
    /// As AWS takes them
    Json,
    /// As resources of Terraform
    Terraform,
}

/// One of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    /// What may be done
    Iam,
    /// Who may assume the role
    Trust,
    /// What the one who assumes the role needs
    Assume,
    /// The statement for the policy of the KMS key
    KmsKey,
    /// What the bucket refuses
    Bucket,
    /// What the bucket tidies up
    Lifecycle,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let (destination, account) = check::find(&workspace, &args.destination)?;
    let replaces = permission::replaces(&workspace.project, destination);
    let region = account.region.as_deref();
    let principal = args.principal.as_deref();
    let uses = Uses { replaces, reads_back: args.read_back };
    let policies = policy::of(destination, account, region, uses, principal);
    if let Some(document) = args.only {
        let Some(found) = document.of(&policies) else {
            return Err(Failure::usage(format!("{} needs no such document", destination.key))
                .hint("Without --only, all documents that it needs are printed."));
        };
        super::answer_json(found);
        if document == Document::Iam {
            warn_of_powers(&workspace, destination);
        }
        return Ok(());
    }
    match args.format {
        PolicyFormat::Json => super::answer_json(&all(&policies)),
        PolicyFormat::Terraform => super::answer(&terraform(destination, &policies)),
    }
    let needs_principal = policies.trust.is_some() || policies.kms_key.is_some();
    warn_of_powers(&workspace, destination);
    if principal.is_none() && needs_principal && names_placeholder(&policies) {
        super::say(&format!(
            "Put the ARN of the user or role that runs Segue in the place of {PRINCIPAL_PLACEHOLDER}, or give it with --principal."
        ));
    }
    Ok(())
}

/// Says what the last check found that the credentials can do beyond the policy.
fn warn_of_powers(workspace: &Workspace, destination: &Destination) {
    let key = &destination.key;
    let said = match capabilities::powers(workspace, destination) {
        Some(found) => powers::said(&found, key),
        None => Some(format!(
            "`segue check {key}` finds out whether the credentials can do more than that."
        )),
    };
    if let Some(said) = said {
        super::say(&said);
    }
}

fn names_placeholder(policies: &Policies) -> bool {
    all(policies).to_string().contains(PRINCIPAL_PLACEHOLDER)
}

impl Document {
    fn of(self, policies: &Policies) -> Option<&Value> {
        match self {
            Self::Iam => Some(&policies.iam),
            Self::Trust => policies.trust.as_ref(),
            Self::Assume => policies.assume.as_ref(),
            Self::KmsKey => policies.kms_key.as_ref(),
            Self::Bucket => Some(&policies.bucket),
            Self::Lifecycle => Some(&policies.lifecycle),
        }
    }
}

fn all(policies: &Policies) -> Value {
    let mut all = json!({ "iam": policies.iam });
    for (name, document) in [
        ("trust", &policies.trust),
        ("assume", &policies.assume),
        ("kmsKeyStatement", &policies.kms_key),
    ] {
        if let Some(document) = document {
            all[name] = document.clone();
        }
    }
    all["bucket"] = policies.bucket.clone();
    all["lifecycle"] = policies.lifecycle.clone();
    all
}

fn terraform(destination: &Destination, policies: &Policies) -> String {
    let name = identifier(&destination.key);
    let bucket = &destination.bucket;
    let mut text = String::new();
    let mut policy = |kind: &str, head: &str, field: &str, document: &Value| {
        let _ = write!(
            text,
            "resource \"{kind}\" \"segue_{name}\" {{\n{head}  {field} = jsonencode({})\n}}\n\n",
            expression(document)
        );
    };
    let named = format!("  name   = \"segue-{}\"\n", destination.key);
    policy("aws_iam_policy", &named, "policy", &policies.iam);
    if let Some(trust) = &policies.trust {
        policy("aws_iam_role", &named, "assume_role_policy", trust);
    }
    let of_bucket = format!("  bucket = \"{bucket}\"\n");
    policy("aws_s3_bucket_policy", &of_bucket, "policy", &policies.bucket);
    if policies.trust.is_some() {
        let _ = write!(
            text,
            "resource \"aws_iam_role_policy_attachment\" \"segue_{name}\" {{\n  role       = aws_iam_role.segue_{name}.name\n  policy_arn = aws_iam_policy.segue_{name}.arn\n}}\n\n"
        );
    }
    if let Some(statement) = &policies.kms_key {
        let _ = write!(
            text,
            "# One more statement for the policy of the key:\nlocals {{\n  segue_{name}_kms_key_statement = {}\n}}\n\n",
            expression(statement)
        );
    }
    let rule = &policies.lifecycle["Rules"][0];
    let _ = write!(
        text,
        "resource \"aws_s3_bucket_lifecycle_configuration\" \"segue_{name}\" {{\n  bucket = \"{bucket}\"\n  rule {{\n    id     = {}\n    status = \"Enabled\"\n    filter {{\n      prefix = {}\n    }}\n    abort_incomplete_multipart_upload {{\n      days_after_initiation = {}\n    }}\n  }}\n}}",
        rule["ID"],
        rule["Filter"]["Prefix"],
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"],
    );
    text
}

/// A JSON value is an expression of Terraform once `${` and `%{` are escaped.
fn expression(document: &Value) -> String {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.replace("${", "$${").replace("%{", "%%{").replace('\n', "\n  ")
}

fn identifier(key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    key.chars().map(plain).collect()
}
