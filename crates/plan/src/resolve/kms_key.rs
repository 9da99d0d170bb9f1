//! The KMS key of a destination: whether what is written can be one.
//!
//! Amazon takes a key by its id, its ARN, or an alias (Amazon S3 API reference, `CreateMultipartUpload`,
//! `x-amz-server-side-encryption-aws-kms-key-id`; forms in the AWS KMS developer guide, "Key
//! identifiers"), and only keys of the bucket's own region. Other services give keys plain names, so
//! there any text is taken that a header can hold.

use uuid::Uuid;

/// The service that has the key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Service<'a> {
    /// Amazon's, with the region that the account says.
    Amazon { region: Option<&'a str> },
    /// One at an address of its own.
    Other,
}

/// What is wrong with a key. Nothing of it is repeated: it may be something else that was pasted.
#[derive(Debug, PartialEq)]
pub(super) struct Misfit {
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

/// The ends of addresses at which Amazon itself answers, in all of its partitions.
const AMAZON: [&str; 4] = [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"];
const FORMS: &str = "Write its id (`1234abcd-12ab-34cd-56ef-1234567890ab` or `mrk-…`), its ARN (`arn:aws:kms:eu-west-3:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`), or an alias (`alias/exports`, or the ARN of one).";
/// The longest name of an alias behind `alias/`, in characters.
const ALIAS_CHARS_MAX: usize = 250;

/// Whether an address is one of Amazon's own.
pub(super) fn is_amazon(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    AMAZON.iter().any(|end| host.ends_with(end))
}

/// Finds what is wrong with a key.
pub(super) fn misfit(key: &str, service: Service<'_>) -> Option<Misfit> {
    let Service::Amazon { region } = service else {
        let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic());
        return (!is_plain).then(|| Misfit {
            code: "kms_key_form",
            message: "the name of a KMS key is ASCII without spaces".to_owned(),
            hint: "Write the name that the service gives the key: `my-key`.".to_owned(),
        });
    };
    let of_arn = key.starts_with("arn:").then(|| arn(key));
    let is_key = match of_arn {
        Some(found) => found.is_some(),
        None => is_id(key) || is_alias(key),
    };
    if !is_key {
        let message = "this is not a KMS key of Amazon".to_owned();
        return Some(Misfit { code: "kms_key_form", message, hint: FORMS.to_owned() });
    }
    let (own, of_key) = (region?, of_arn??);
    (!own.eq_ignore_ascii_case(of_key)).then(|| Misfit {
        code: "kms_key_region",
        message: format!("the KMS key is in {of_key}, and the account says {own}"),
        hint: "A bucket is encrypted with keys of its own region: name one there, or correct `region` of the account.".to_owned(),
    })
}

/// The region of `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`, or `…:alias/NAME`.
fn arn(text: &str) -> Option<&str> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "kms", region, account, resource] = fields[..] else { return None };
    let is_word = |text: &str| {
        let mut all = text.chars();
        !text.is_empty() && all.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_named = resource.strip_prefix("key/").is_some_and(is_id) || is_alias(resource);
    (partition.starts_with("aws")
        && is_word(partition)
        && is_word(region)
        && is_account
        && is_named)
        .then_some(region)
}

fn is_id(text: &str) -> bool {
    match text.strip_prefix("mrk-") {
        Some(number) => number.len() == 32 && number.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.len() == 36 && Uuid::try_parse(text).is_ok(),
    }
}

fn is_alias(text: &str) -> bool {
    let Some(name) = text.strip_prefix("alias/") else { return false };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
    (1..=ALIAS_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn amazons_keys_are_named_as_amazon_names_them() {
        let misfit = |key: &str| misfit(key, Service::Amazon { region: Some("eu-west-3") });
        for key in [
            ID,
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "alias/exports",
            "alias/aws/s3",
            "arn:aws:kms:eu-west-3:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-3:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            "arn:aws-cn:kms:eu-west-3:111122223333:alias/team/exports_1",
        ] {
            assert_eq!(misfit(key), None, "{key}");
        }
        for key in [
            "",
            "hello",
            "exports",
            "alias/",
            "alias/a b",
            "1234abcd12ab34cd56ef1234567890ab",
            "{1234abcd-12ab-34cd-56ef-1234567890ab}",
            "mrk-1234",
            " 1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-3:111122223333:key/k1",
            "arn:aws:kms:eu-west-3:1111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms::111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:s3:eu-west-3:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:iam::111122223333:role/segue",
        ] {
            assert_eq!(misfit(key).map(|it| it.code), Some("kms_key_form"), "{key}");
        }
        let elsewhere = format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}");
        assert_eq!(misfit(&elsewhere).map(|it| it.code), Some("kms_key_region"));
        let unknown = Service::Amazon { region: None };
        assert_eq!(super::misfit(&elsewhere, unknown), None, "the region is found out later");
    }

    #[test]
    fn other_services_name_keys_as_they_like() {
        for (key, fits) in [
            ("my-key", true),
            ("minio/exports:1", true),
            (ID, true),
            ("", false),
            ("my key", false),
            ("clé", false),
            ("a\nb", false),
        ] {
            assert_eq!(misfit(key, Service::Other).is_none(), fits, "{key}");
        }
    }

    #[test]
    fn amazons_addresses_are_known() {
        for (endpoint, expected) in [
            ("https://s3.eu-west-3.amazonaws.com", true),
            ("https://bucket.vpce-1a2b.s3.eu-west-3.vpce.amazonaws.com:443", true),
            ("https://s3.cn-north-1.amazonaws.com.cn/", true),
            ("https://minio.example.com:9000", false),
            ("https://amazonaws.com.example.com", false),
            ("http://127.0.0.1:8333", false),
        ] {
            assert_eq!(is_amazon(endpoint), expected, "{endpoint}");
        }
    }
}
