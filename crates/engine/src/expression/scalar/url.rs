//! The parts of an address of the web.

use std::sync::Arc;

use arrow::array::{Int32Builder, MapBuilder, MapFieldNames, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};
use url::Url;

use super::{Texts, each_row, text_columns, texts};

pub(super) const ALL: [Texts; 3] = [
    Texts {
        name: "get_url_protocol",
        least: 1,
        most: 1,
        apply: |texts| Some(parse(texts[0])?.scheme().to_owned()),
    },
    Texts {
        name: "get_url_host",
        least: 1,
        most: 1,
        apply: |texts| Some(parse(texts[0])?.host_str()?.to_owned()),
    },
    Texts {
        name: "get_url_path",
        least: 1,
        most: 1,
        apply: |texts| Some(parse(texts[0])?.path().to_owned()),
    },
];

/// The most pairs that are taken out of one query.
const PAIRS_MAX: usize = 1_000;

/// What can become of an anchor.
pub(super) const ANCHORS: [&str; 3] = ["remove", "retain", "append"];

fn parse(text: &str) -> Option<Url> {
    Url::parse(text).ok()
}

/// `get_url_port(url)`: the port, that of the protocol when none is written.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Port {
    signature: Signature,
}

impl Port {
    pub(super) fn new() -> Self {
        Self { signature: texts(1..=1) }
    }
}

impl ScalarUDFImpl for Port {
    fn name(&self) -> &'static str {
        "get_url_port"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = text_columns(&args)?;
        let mut ports = Int32Builder::new();
        each_row(&columns, |row| {
            let port = row.and_then(|texts| parse(texts[0])?.port_or_known_default());
            ports.append_option(port.map(i32::from));
        });
        Ok(ColumnarValue::Array(Arc::new(ports.finish())))
    }
}

/// `get_url_query_str(url, anchor)`: the pairs of the query as a map. The anchor is left in the
/// last value (`retain`), left out (`remove`), or a pair of its own, `_anchor_` (`append`).
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct QueryText {
    signature: Signature,
}

impl QueryText {
    pub(super) fn new() -> Self {
        Self { signature: texts(1..=2) }
    }
}

impl ScalarUDFImpl for QueryText {
    fn name(&self) -> &'static str {
        "get_url_query_str"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(text_map())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = text_columns(&args)?;
        let mut maps = map_builder();
        let mut done = Ok(());
        each_row(&columns, |row| {
            let pairs = row.and_then(|texts| query(texts[0], texts.get(1).copied()));
            if done.is_ok() {
                done = append(&mut maps, pairs);
            }
        });
        done?;
        Ok(ColumnarValue::Array(Arc::new(maps.finish())))
    }
}

fn query(text: &str, anchor: Option<&str>) -> Option<Vec<(String, String)>> {
    let url = parse(text)?;
    let pairs = url.query_pairs().into_owned();
    let mut pairs: Vec<(String, String)> = pairs.take(PAIRS_MAX).collect();
    match (anchor.unwrap_or("remove"), url.fragment()) {
        ("remove", _) | ("retain" | "append", None) => {}
        ("retain", Some(fragment)) => {
            if let Some((_, last)) = pairs.last_mut() {
                last.push('#');
                last.push_str(fragment);
            }
        }
        ("append", Some(fragment)) => pairs.push(("_anchor_".to_owned(), fragment.to_owned())),
        _ => return None,
    }
    Some(pairs)
}

/// A map of texts.
pub(super) fn text_map() -> DataType {
    let entries =
        vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)];
    let entries = Field::new("entries", DataType::Struct(entries.into()), false);
    DataType::Map(Arc::new(entries), false)
}

pub(super) type TextMaps = MapBuilder<StringBuilder, StringBuilder>;

pub(super) fn map_builder() -> TextMaps {
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "keys".to_owned(),
        value: "values".to_owned(),
    };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

/// Adds a map; of a key that comes twice the first value counts.
pub(super) fn append(maps: &mut TextMaps, pairs: Option<Vec<(String, String)>>) -> Result<()> {
    let is_there = pairs.is_some();
    let mut seen = std::collections::HashSet::new();
    for (key, value) in pairs.unwrap_or_default() {
        if seen.insert(key.clone()) {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
    }
    Ok(maps.append(is_there)?)
}
