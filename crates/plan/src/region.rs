//! The region that a service says a bucket is in. An answer is written by others: what does not look
//! like the name of a region is not believed, since it becomes part of a host name.

/// The longest name of a region that is believed, in bytes.
const REGION_BYTES_MAX: usize = 32;
/// How far an error body is searched for the region, in bytes.
const BODY_BYTES_SEARCHED_MAX: usize = 4_096;

/// Returns the region that an answer names: in the header `x-amz-bucket-region`, or in its error
/// document.
pub fn named_by_answer(header: Option<&str>, body: &[u8]) -> Option<String> {
    let region = match header {
        Some(region) => region,
        None => in_body(body)?,
    };
    is_region(region).then(|| region.to_owned())
}

fn in_body(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body.get(..BODY_BYTES_SEARCHED_MAX).unwrap_or(body)).ok()?;
    let (_, behind) = text.split_once("<Region>")?;
    behind.split_once("</Region>").map(|(region, _)| region)
}

fn is_region(text: &str) -> bool {
    let is_part_of_name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=REGION_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_part_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_region_is_not_believed() {
        let body = |region: &str| format!("<Error><Region>{region}</Region></Error>");
        for (header, body, region) in [
            (Some("eu-west-3"), String::new(), Some("eu-west-3")),
            (Some("eu-west-3"), body("us-east-1"), Some("eu-west-3")),
            (None, body("us-gov-west-1"), Some("us-gov-west-1")),
            (None, body("evil.example.com/"), None),
            (Some("evil.example.com#"), body("us-east-1"), None),
            (None, body(""), None),
            (None, "<html>".to_owned(), None),
            (None, body(&"a".repeat(33)), None),
        ] {
            let named = named_by_answer(header, body.as_bytes());
            assert_eq!(named.as_deref(), region, "{header:?} {body}");
        }
    }
}
