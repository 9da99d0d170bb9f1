//! Datasets: locations, formats, identities.

use super::{Item, Resolver, database, one_ascii};
use crate::config;
use crate::diagnostic::Span;
use crate::field::FieldPath;
use crate::project::{Dataset, DatasetFormat, DatasetKind, Identity, TableVersion};
use crate::schema::FieldType;
use crate::tree::Node;

/// Keys that belong to one format, and its name.
const KEYS_OF_FORMATS: [(&str, config::DatasetFormat, &str); 6] = [
    ("delimiter", config::DatasetFormat::Csv, "csv"),
    ("quote", config::DatasetFormat::Csv, "csv"),
    ("version", config::DatasetFormat::Delta, "delta"),
    ("table", config::DatasetFormat::Postgres, "postgres"),
    ("query", config::DatasetFormat::Postgres, "postgres"),
    ("password", config::DatasetFormat::Postgres, "postgres"),
];

impl Resolver<'_> {
    pub(super) fn dataset(&mut self, item: Item<'_>, file: &config::Dataset) -> Option<Dataset> {
        let kind = match file.kind {
            Some(config::DatasetKind::Event) => DatasetKind::Event,
            Some(config::DatasetKind::Profile) | None => DatasetKind::Profile,
        };
        let identities = match kind {
            DatasetKind::Profile => self.profile_identities(item, file),
            DatasetKind::Event => self.event_identity(item, file),
        };
        let timestamp = file.timestamp.as_deref().and_then(|text| {
            let node = item.node.get("timestamp")?;
            self.places.timestamps.insert(item.key.to_owned(), node.text_span());
            self.field_path(text, node)
        });
        let location = file.location.clone()?;
        let written_format = file.format;
        if written_format == Some(config::DatasetFormat::Postgres)
            || written_format.is_none() && database::is_address(&location)
        {
            let database = self.database(item, file, &location);
            self.dataset_format(item, file, &location);
            let database = database?;
            return Some(Dataset {
                key: item.key.to_owned(),
                kind,
                format: DatasetFormat::Postgres,
                declared: self.declared(item, file, DatasetFormat::Postgres),
                location: database::shown(&database),
                database: Some(database),
                account: None,
                identities,
                timestamp,
                span: item.span("location"),
                version_span: None,
            });
        }
        self.check_location(item, &location, file.account.as_deref());
        let format = self.dataset_format(item, file, &location)?;
        Some(Dataset {
            key: item.key.to_owned(),
            kind,
            format,
            declared: self.declared(item, file, format),
            location,
            database: None,
            account: file.account.clone(),
            identities,
            timestamp,
            span: item.span("location"),
            version_span: file.version.map(|_| item.span("version")),
        })
    }

    fn profile_identities(&mut self, item: Item<'_>, file: &config::Dataset) -> Vec<Identity> {
        if file.profile.is_some() {
            let hint = "A profile dataset names its person by `identities:`.";
            let place = item.key_place("profile");
            self.error("misplaced_key", place, "`profile` belongs to event datasets", hint);
        }
        let entries = item.node.get("identities").map_or(&[][..], Node::entries);
        let mut identities = Vec::new();
        for entry in entries {
            let namespace = file.identities.as_ref().and_then(|known| {
                known.iter().find(|(key, _)| *key == entry.key).map(|(_, name)| name.clone())
            });
            let Some(namespace) = namespace else { continue };
            self.check_name(&namespace, entry.value.text_span());
            let Some(field) = self.field_path_at(&entry.key, entry.key_span) else { continue };
            if let Some(first) = identities.iter().find(|it: &&Identity| it.namespace == namespace)
            {
                let message =
                    format!("the namespace `{namespace}` is that of `{}` already", first.field);
                let hint = "A record has one value of each namespace; keep one of the two fields.";
                let place = entry.value.text_span();
                self.error("duplicate_namespace", place, message, hint);
            }
            identities.push(Identity { field, namespace, span: entry.key_span });
        }
        if entries.is_empty() {
            let hint = "Write `identities: { id: CRMID }` with the field that identifies a person.";
            let place = item.key_place("identities");
            self.error("no_identity", place, "a profile dataset needs an identity", hint);
        }
        identities
    }

    fn event_identity(&mut self, item: Item<'_>, file: &config::Dataset) -> Vec<Identity> {
        if file.identities.is_some() {
            let hint = "An event names its person by `profile: { field: …, namespace: … }`.";
            let place = item.key_place("identities");
            self.error("misplaced_key", place, "`identities` belongs to profile datasets", hint);
        }
        let Some((profile, node)) = file.profile.as_ref().zip(item.node.get("profile")) else {
            let hint = "Write `profile: { field: crmId, namespace: CRMID }`.";
            self.error("no_identity", item.key_span, "an event dataset needs `profile`", hint);
            return Vec::new();
        };
        let (Some(text), Some(namespace), Some(field)) =
            (&profile.field, &profile.namespace, node.get("field"))
        else {
            return Vec::new();
        };
        let path = self.field_path(text, field);
        let namespace = namespace.clone();
        path.map(|path| Identity { field: path, namespace, span: field.text_span() })
            .into_iter()
            .collect()
    }

    pub(super) fn check_location(&mut self, item: Item<'_>, location: &str, account: Option<&str>) {
        let place = item.span("location");
        if location.trim().is_empty() {
            let hint = "Write a file, a folder, a glob, or `s3://bucket/prefix/`.";
            self.error("location_form", place, "the location is empty", hint);
        } else if location.chars().any(char::is_control) {
            let hint = "Remove it.";
            self.error("location_form", place, "the location holds a control character", hint);
        } else if let Some(rest) = location.strip_prefix("s3://") {
            if rest.starts_with('/') || rest.is_empty() {
                let hint = "Write `s3://bucket/prefix/`.";
                self.error("location_form", place, "the location names no bucket", hint);
            }
            if account.is_none() {
                let hint = "Add `account:` with the account that may read the bucket.";
                self.error("missing_account", place, "an `s3://` location needs an account", hint);
            }
        } else if location.contains("://") {
            let hint = "Locations are local paths, or begin with `s3://` or `postgres://`.";
            self.error("location_form", place, "this kind of address cannot be read", hint);
        } else if account.is_some() {
            let hint = "Only `s3://` locations are read with an account.";
            self.warn("unused_account", item.span("account"), "the account is not used", hint);
        }
        if let Some(account) = account {
            self.check_reference("unknown_account", "accounts", account, item.span("account"));
        }
    }

    pub(super) fn dataset_format(
        &mut self,
        item: Item<'_>,
        file: &config::Dataset,
        location: &str,
    ) -> Option<DatasetFormat> {
        use config::DatasetFormat as Written;
        let location = unpacked(location);
        let tabs = location.ends_with(".tsv");
        let written = match (file.format, extension(location)) {
            (Some(format), _) => format,
            (None, _) if database::is_address(location) => Written::Postgres,
            (None, "parquet") => Written::Parquet,
            (None, "csv" | "tsv" | "txt") => Written::Csv,
            (None, "jsonl" | "ndjson") => Written::Jsonl,
            (None, _) => {
                let hint = "Add `format: parquet`, `csv`, `jsonl`, `delta` or `postgres`.";
                let message = "the format cannot be told from the location";
                self.error("missing_format", item.span("location"), message, hint);
                return None;
            }
        };
        for (key, owner, name) in KEYS_OF_FORMATS {
            if written != owner && item.node.get(key).is_some() {
                let message = format!("`{key}` is for {name} only");
                self.error("misplaced_key", item.key_place(key), message, "Remove it.");
            }
        }
        match written {
            Written::Parquet => Some(DatasetFormat::Parquet),
            Written::Jsonl => Some(DatasetFormat::JsonLines),
            Written::Csv => {
                let default = if tabs { b'\t' } else { b',' };
                let delimiter =
                    self.input_sign(item, "delimiter", file.delimiter.as_deref(), default);
                let quote = self.input_sign(item, "quote", file.quote.as_deref(), b'"');
                if delimiter == quote {
                    let place = item.span("delimiter");
                    let message = "delimiter and quote are the same character";
                    self.error("delimiter_conflict", place, message, "Choose two characters.");
                }
                Some(DatasetFormat::Csv { delimiter, quote })
            }
            Written::Delta => Some(DatasetFormat::Delta {
                version: file.version.map_or(TableVersion::Newest, TableVersion::Number),
            }),
            Written::Postgres => Some(DatasetFormat::Postgres),
        }
    }

    fn input_sign(&mut self, item: Item<'_>, key: &str, written: Option<&str>, default: u8) -> u8 {
        let Some(written) = written else { return default };
        match one_ascii(written) {
            Ok(sign) if sign.is_ascii_alphanumeric() || matches!(sign, 0 | b'\n' | b'\r') => {
                let message = format!("this character cannot be the {key}");
                self.error("delimiter_form", item.span(key), message, "Choose a sign or a tab.");
                default
            }
            Ok(sign) => sign,
            Err(hint) => {
                let message = format!("the {key} is not one character");
                self.error("delimiter_form", item.span(key), message, hint);
                default
            }
        }
    }

    fn declared(
        &mut self,
        item: Item<'_>,
        file: &config::Dataset,
        format: DatasetFormat,
    ) -> Vec<(String, FieldType)> {
        let Some(types) = &file.types else { return Vec::new() };
        let declare_their_own = match format {
            DatasetFormat::Parquet => Some("Parquet files declare their own types"),
            DatasetFormat::Delta { .. } => Some("Delta tables declare their own types"),
            DatasetFormat::Csv { .. } | DatasetFormat::JsonLines | DatasetFormat::Postgres => None,
        };
        if let Some(message) = declare_their_own {
            self.error("misplaced_key", item.key_place("types"), message, "Remove `types`.");
        }
        for entry in item.node.get("types").map_or(&[][..], Node::entries) {
            let nested = FieldPath::parse(&entry.key).is_ok_and(|path| path.steps().len() > 1);
            if nested {
                let message = "types are declared for top-level fields only";
                self.error("declared_field", entry.key_span, message, "Name the top-level field.");
            }
        }
        types.iter().map(|(field, declared)| (field.to_owned(), field_type(*declared))).collect()
    }

    /// Parses a field path that is a value of the file.
    pub(super) fn field_path(&mut self, text: &str, node: &Node) -> Option<FieldPath> {
        let verbatim = node.scalar().and_then(|scalar| scalar.verbatim);
        match FieldPath::parse(text) {
            Ok(path) => Some(path),
            Err(problem) => {
                let place = match verbatim {
                    Some(place) => place_in(place, text, problem.offset),
                    None => node.span,
                };
                self.broken_path(problem.reason, place);
                None
            }
        }
    }

    pub(super) fn field_path_at(&mut self, text: &str, place: Span) -> Option<FieldPath> {
        FieldPath::parse(text).map_err(|problem| self.broken_path(problem.reason, place)).ok()
    }

    fn broken_path(&mut self, reason: &str, place: Span) {
        let message = format!("not a field: {reason}");
        let hint = "Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.";
        self.error("field_path", place, message, hint);
    }
}

/// The place from `offset` of a text to its end.
pub(super) fn place_in(place: Span, text: &str, offset: usize) -> Span {
    let before = text.get(..offset).map_or(0, |before| before.chars().count());
    Span {
        start: (place.start + offset).min(place.end),
        column: place.column + u32::try_from(before).unwrap_or(0),
        ..place
    }
}

/// A location without what compression puts behind the name.
fn unpacked(location: &str) -> &str {
    let suffixes = [".gz", ".zst"];
    suffixes.iter().find_map(|suffix| location.strip_suffix(suffix)).unwrap_or(location)
}

fn extension(location: &str) -> &str {
    let name = location.rsplit('/').next().unwrap_or(location);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn field_type(declared: config::DeclaredType) -> FieldType {
    match declared {
        config::DeclaredType::Boolean => FieldType::Boolean,
        config::DeclaredType::Integer => FieldType::Integer,
        config::DeclaredType::Float => FieldType::Float,
        config::DeclaredType::Decimal => FieldType::Decimal,
        config::DeclaredType::String => FieldType::String,
        config::DeclaredType::Date => FieldType::Date,
        config::DeclaredType::Time => FieldType::Time,
        config::DeclaredType::Timestamp => FieldType::Timestamp,
    }
}
