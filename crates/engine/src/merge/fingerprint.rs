//! What merged profiles are made of, as a name: the same name, the same profiles.

use plan::project::{Dataset, DatasetFormat, Identity, Merge, Stitch};

use super::VERSION;
use crate::profiles::Profiles;
use crate::store::Input;

/// Returns the name of the profiles that these inputs and this policy give.
pub(super) fn of(profiles: &Profiles) -> String {
    let mut text = Text(blake3::Hasher::new());
    text.add(&[&VERSION.to_string()]);
    match &profiles.policy.merge {
        Merge::Timestamp => text.add(&["timestamp"]),
        Merge::Datasets(order) => {
            text.add(&["datasets"]);
            order.iter().for_each(|key| text.add(&[key]));
        }
    }
    text.add(&[match profiles.policy.stitch {
        Stitch::None => "none",
        Stitch::Graph => "graph",
    }]);
    for snapshot in profiles.snapshots.iter() {
        text.dataset(&snapshot.dataset);
        snapshot.inputs().for_each(|input| text.input(input));
    }
    text.0.finalize().to_hex().chars().take(32).collect()
}

struct Text(blake3::Hasher);

impl Text {
    /// Adds parts so that no other parts give the same bytes.
    fn add(&mut self, parts: &[&str]) {
        self.0.update(&(parts.len() as u64).to_le_bytes());
        for part in parts {
            self.0.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
    }

    fn dataset(&mut self, dataset: &Dataset) {
        let Dataset { key, format, declared, identities, timestamp, .. } = dataset;
        let format = match format {
            DatasetFormat::Parquet => "parquet".to_owned(),
            DatasetFormat::Delta { .. } => "delta".to_owned(),
            DatasetFormat::Csv { delimiter, quote } => format!("csv {delimiter} {quote}"),
            DatasetFormat::JsonLines => "jsonl".to_owned(),
            DatasetFormat::Postgres => "postgres".to_owned(),
        };
        let timestamp = timestamp.as_ref().map(ToString::to_string).unwrap_or_default();
        self.add(&["dataset", key, &format, &timestamp]);
        for (field, kind) in declared {
            self.add(&["type", field, kind.name()]);
        }
        for Identity { field, namespace, .. } in identities {
            self.add(&["identity", &field.to_string(), namespace]);
        }
    }

    fn input(&mut self, input: &Input) {
        self.add(&["input", &input.location, &input.size.to_string(), &input.version.content()]);
    }
}
