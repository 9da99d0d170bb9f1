//! Imported segments: a file of identities instead of a rule.

use super::{Item, Resolver, segment};
use crate::config;
use crate::project::{Dataset, DatasetFormat, DatasetKind, Identity, Rule};
use crate::segment_reference::IN_SEGMENT;

impl Resolver<'_> {
    /// The file of an imported segment, as a dataset of one identity a record.
    pub(super) fn import(&mut self, item: Item<'_>, file: &config::Segment) -> Option<Dataset> {
        let (file, at) = file.import.as_ref().zip(item.child("import"))?;
        let as_dataset = config::Dataset {
            account: file.account.clone(),
            format: file.format,
            delimiter: file.delimiter.clone(),
            quote: file.quote.clone(),
            ..config::Dataset::default()
        };
        let location = file.location.clone()?;
        self.check_location(at, &location, file.account.as_deref());
        let format = self.dataset_format(at, &as_dataset, &location)?;
        if format == DatasetFormat::Postgres {
            let hint =
                "Import a file or a Delta table, or make the database a dataset of the project.";
            let message = "segments are not imported from databases";
            self.error("import_format", at.span("format"), message, hint);
            return None;
        }
        let namespace = file.namespace.clone()?;
        self.check_import_namespace(at, &namespace);
        let field = self.field_path(file.field.as_deref()?, at.node.get("field")?)?;
        Some(Dataset {
            key: item.key.to_owned(),
            kind: DatasetKind::Profile,
            location,
            account: file.account.clone(),
            format,
            database: None,
            declared: Vec::new(),
            identities: vec![Identity { field, namespace, span: at.span("field") }],
            timestamp: None,
            span: at.span("location"),
            version_span: None,
        })
    }

    /// A namespace that no profile has would make a segment of nobody.
    fn check_import_namespace(&mut self, item: Item<'_>, namespace: &str) {
        let datasets = self.root.get("datasets").map_or(&[][..], crate::tree::Node::entries);
        let identities = datasets.iter().filter_map(|entry| entry.value.get("identities"));
        let known: Vec<&str> = identities
            .flat_map(crate::tree::Node::entries)
            .filter_map(|entry| entry.value.scalar())
            .map(|scalar| scalar.text.as_str())
            .collect();
        if known.contains(&namespace) {
            return;
        }
        let message = format!("no profile has an identity of the namespace `{namespace}`");
        let hint = match crate::nearest::nearest(namespace, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known: {}.", super::quoted_list(&known)),
        };
        self.error("unknown_namespace", item.span("namespace"), message, &hint);
    }

    /// The rule of an imported segment: to be in it.
    pub(super) fn rule_of_import(item: Item<'_>) -> Option<Rule> {
        let text = format!("{IN_SEGMENT}('{}')", item.key.replace('\'', "''"));
        let origin = segment::whole(item.node.get("import")?);
        Some(Rule { text, origin })
    }
}
