//! One page of a list: prefix, delimiter, marker and limit, over keys in byte order.
//!
//! Pure: the callers bring the items and turn the page into their own answer.

/// What a list request asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Empty for none.
    pub(crate) delimiter: &'a str,
    /// Items up to and including this key are left out; a common prefix here leaves out all below it.
    pub(crate) after: &'a str,
    pub(crate) max: usize,
}

/// One page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) common_prefixes: Vec<String>,
    pub(crate) truncated: bool,
    /// The last key or common prefix of the page: where the next one goes on.
    pub(crate) last: Option<String>,
}

/// Selects a page from items that come in the order of their keys.
pub(crate) fn page<'k, T>(items: impl Iterator<Item = (&'k str, T)>, query: &Query<'_>) -> Page<T> {
    let mut page =
        Page { items: Vec::new(), common_prefixes: Vec::new(), truncated: false, last: None };
    for (key, item) in items {
        if !key.starts_with(query.prefix) {
            continue;
        }
        let group = common_prefix(key, query);
        let seen = key <= query.after || group == Some(query.after);
        let repeated = group.is_some() && page.last.as_deref() == group;
        if seen || repeated {
            continue;
        }
        if page.items.len() + page.common_prefixes.len() == query.max {
            // S3 answers "not truncated" to a request for no keys.
            page.truncated = query.max > 0;
            break;
        }
        page.last = Some(group.unwrap_or(key).to_owned());
        match group {
            Some(prefix) => page.common_prefixes.push(prefix.to_owned()),
            None => page.items.push(item),
        }
    }
    page
}

fn common_prefix<'k>(key: &'k str, query: &Query<'_>) -> Option<&'k str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let below = &key[query.prefix.len()..];
    let at = below.find(query.delimiter)?;
    Some(&key[..query.prefix.len() + at + query.delimiter.len()])
}

/// Percent-encodes a name as `encoding-type=url` asks, keeping slashes.
pub(crate) fn url_encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/*".contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 7] = ["a", "b/1", "b/2", "b/c/3", "c", "d/", "e"];

    fn check(query: Query<'_>, expected: &str) {
        let page = page(KEYS.iter().map(|key| (*key, *key)), &query);
        let more = if page.truncated { " | …" } else { "" };
        let seen = format!("{} | {}{more}", page.items.join(" "), page.common_prefixes.join(" "));
        assert_eq!(seen, expected, "{query:?}");
    }

    #[test]
    fn pages() {
        let all = || Query { max: 1000, ..Query::default() };
        check(all(), "a b/1 b/2 b/c/3 c d/ e | ");
        check(Query { prefix: "b/", ..all() }, "b/1 b/2 b/c/3 | ");
        check(Query { delimiter: "/", ..all() }, "a c e | b/ d/");
        check(Query { delimiter: "/", prefix: "b/", ..all() }, "b/1 b/2 | b/c/");
        check(Query { delimiter: "/", max: 2, ..Query::default() }, "a | b/ | …");
        check(Query { delimiter: "/", max: 2, after: "b/", ..Query::default() }, "c | d/ | …");
        check(Query { delimiter: "/", max: 2, after: "d/", ..Query::default() }, "e | ");
        check(Query { after: "b/1", max: 2, ..Query::default() }, "b/2 b/c/3 |  | …");
        check(Query { max: 0, ..Query::default() }, " | ");
        check(Query { max: 7, ..Query::default() }, "a b/1 b/2 b/c/3 c d/ e | ");
        check(Query { after: "zz", ..all() }, " | ");
    }

    /// A start inside a group still shows the group: Amazon leaves out keys, not what is beyond them.
    #[test]
    fn start_inside_a_group() {
        check(Query { delimiter: "/", after: "b/1", max: 9, ..Query::default() }, "c e | b/ d/");
    }

    #[test]
    fn url_encoding() {
        assert_eq!(url_encode("a b/ü+\u{1}.csv"), "a%20b/%C3%BC%2B%01.csv");
    }
}
