//! What merged profiles are made of, as a name: the same name, the same profiles.

use plan::project::{Dataset, DatasetFormat, Identity, Merge, Stitch};

use super::bucket_file::Bits;
use super::{Union, VERSION};
use crate::profiles::Profiles;
use crate::store::Input;

/// Returns the name of the profiles that these inputs and this policy give.
pub(super) fn of(profiles: &Profiles) -> String {
    let mut text = Text::of_policy(profiles);
    for snapshot in profiles.snapshots.iter() {
        text.dataset(&snapshot.dataset);
        snapshot.inputs().for_each(|input| text.input(input));
    }
    text.name()
}

/// Returns a name for everything but the inputs that the file of a bucket depends on: policy, datasets,
/// fields, and which hashes the buckets are for.
pub(super) fn rules(profiles: &Profiles, union: &Union, bits: Bits) -> String {
    let mut text = Text::of_policy(profiles);
    profiles.snapshots.iter().for_each(|snapshot| text.dataset(&snapshot.dataset));
    let fields = union.schema().fields().iter().map(ToString::to_string).collect::<Vec<_>>();
    text.add(&fields.iter().map(String::as_str).collect::<Vec<_>>());
    text.add(&["buckets", &bits.buckets().to_string()]);
    text.name()
}

/// Returns a name for each file that records are read from, in order: another one when it may hold
/// anything else.
pub(super) fn inputs(profiles: &Profiles, union: &Union) -> Vec<String> {
    let mut names = Vec::new();
    for (snapshot, source) in profiles.snapshots.iter().zip(&union.sources) {
        let files = source.survey.inputs();
        let mut around = Text(blake3::Hasher::new());
        around.add(&[&snapshot.dataset.key]);
        // What a table says of its files, such as which rows are deleted, is in none of them.
        let is_file = |input: &&Input| files.iter().any(|file| file.location == input.location);
        snapshot.inputs().filter(|input| !is_file(input)).for_each(|input| around.input(input));
        for file in files {
            let mut text = Text(around.0.clone());
            text.input(file);
            names.push(text.name());
        }
    }
    names
}

struct Text(blake3::Hasher);

impl Text {
    fn of_policy(profiles: &Profiles) -> Self {
        let mut text = Self(blake3::Hasher::new());
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
        text
    }

    fn name(self) -> String {
        self.0.finalize().to_hex().chars().take(32).collect()
    }

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
