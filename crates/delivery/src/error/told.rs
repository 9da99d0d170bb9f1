//! What to do about a request that failed earlier, from what was told of it then: a ledger keeps the
//! sentence, and the next step follows from it as it does at once.

use super::request::{Act, Fault, RequestError};

/// The faults whose next step is known from their words.
const FAULTS: [Fault; 20] = [
    Fault::WrongSecret,
    Fault::UnknownKey,
    Fault::ExpiredToken,
    Fault::WrongToken,
    Fault::NoCredentials,
    Fault::SignedOut,
    Fault::KeyUnusable,
    Fault::NotEncrypted,
    Fault::WrongOwner,
    Fault::Denied,
    Fault::NoBucket,
    Fault::WrongRegion(None),
    Fault::ClockSkew,
    Fault::NotS3,
    Fault::UnknownHost,
    Fault::ForbiddenAddress,
    Fault::ConnectionRefused,
    Fault::Tls,
    Fault::Damaged,
    Fault::ConditionFailed,
];

/// Returns the next step for what was told of a request, if that says what was wrong with it. The request
/// went to `endpoint`; nothing for Amazon's own.
pub fn next_step(told: &str, endpoint: Option<&str>) -> Option<String> {
    let (act, behind) = Act::ALL.into_iter().find_map(|act| {
        let (_, behind) = told.split_once(&format!("failed to {} s3://", act.words()))?;
        Some((act, behind))
    })?;
    let (address, wrong) = behind.split_once(": ")?;
    let fault = FAULTS.into_iter().find(|fault| wrong.starts_with(fault.words()))?;
    let (bucket, key) = match address.split_once('/') {
        Some((bucket, key)) => (bucket, Some(key.to_owned())),
        None => (address, None),
    };
    let behind_fault = wrong.get(fault.words().len()..).unwrap_or_default();
    // What the service itself said stands behind its code.
    let message = behind_fault.split_once("): ").map(|(_, message)| message.to_owned());
    let request = RequestError {
        act,
        endpoint: endpoint.unwrap_or(crate::s3::AMAZON_ENDPOINT).to_owned(),
        bucket: bucket.to_owned(),
        key,
        fault,
        status: None,
        code: None,
        message,
        request_id: None,
    };
    request.hint()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the request and its fault are, the next step is the one that is told at once.
    #[test]
    fn the_next_step_is_the_same_later() {
        let endpoint = "https://s3.example.com";
        let messages = [
            None,
            Some(
                "User: arn:aws:iam::1:user/u is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::exports/day/a.csv\" with an explicit deny in a policy",
            ),
            Some(
                "not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-3:1:key/k because",
            ),
        ];
        for act in Act::ALL {
            for (fault, message) in
                FAULTS.iter().flat_map(|fault| messages.map(|message| (fault, message)))
            {
                let request = RequestError {
                    act,
                    endpoint: endpoint.to_owned(),
                    bucket: "exports".to_owned(),
                    key: (!act.is_about_bucket()).then(|| "day/a.csv".to_owned()),
                    fault: fault.clone(),
                    status: Some(403),
                    code: Some("Code".to_owned()),
                    message: message.map(str::to_owned),
                    request_id: Some("R1".to_owned()),
                };
                let told = format!("daily/loyal for 2026-01-04T06:30:00Z: {request}");
                assert_eq!(next_step(&told, Some(endpoint)), request.hint(), "{told}");
            }
        }
        assert_eq!(next_step("the disk is full", None), None);
    }
}
