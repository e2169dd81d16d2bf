//! Collections that hold one type or several, read once per run and split here.

use serde_json::Value;

use super::odata::odata_type;
use super::policy_type::{ApiVersion, PolicyType, Source};
use crate::path_segment::path_segment;

/// How a type is told from others of the same collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// The collection holds only this type.
    Whole,
    /// `@odata.type` is one of these, written without `#microsoft.graph.`.
    OdataType(&'static [&'static str]),
    /// `templateReference.templateFamily` is this.
    TemplateFamily(&'static str),
    /// `templateReference.templateFamily` starts with this.
    TemplateFamilyPrefix(&'static str),
    /// `templateReference.templateFamily` is the first and `platforms` holds the second.
    TemplateFamilyOnPlatform(&'static str, &'static str),
    /// The property is `true`.
    Flag(&'static str),
    /// Whatever no other type of the collection claims, unknown kinds included.
    Remainder,
}

impl Split {
    fn claims(self, object: &Value) -> bool {
        match self {
            Self::Whole | Self::Remainder => false,
            Self::OdataType(names) => {
                odata_type(object).is_some_and(|name| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
            }
            Self::TemplateFamily(family) => {
                template_family(object).is_some_and(|name| name.eq_ignore_ascii_case(family))
            }
            Self::TemplateFamilyPrefix(prefix) => template_family(object)
                .and_then(|name| name.get(..prefix.len()))
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            Self::TemplateFamilyOnPlatform(family, platform) => {
                Self::TemplateFamily(family).claims(object)
                    && object
                        .get("platforms")
                        .and_then(Value::as_str)
                        .is_some_and(|flags| flags.split(',').any(|flag| flag.trim().eq_ignore_ascii_case(platform)))
            }
            Self::Flag(property) => object.get(property) == Some(&Value::Bool(true)),
        }
    }
}

fn template_family(object: &Value) -> Option<&str> {
    object.get("templateReference")?.get("templateFamily")?.as_str()
}

/// One request (and its pages) that serves one or more types.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The version of Graph to call.
    pub api_version: ApiVersion,
    /// Where the objects are.
    pub source: Source,
    /// The query without `?` and `$top`.
    pub query: &'static str,
    /// `$top`.
    pub page_size: Option<u16>,
    /// Every type of the registry that it serves.
    pub types: Vec<&'static PolicyType>,
}

impl Listing {
    pub(super) fn of(policy_type: &'static PolicyType) -> Self {
        Self {
            api_version: policy_type.api_version,
            source: policy_type.source,
            query: policy_type.query,
            page_size: policy_type.page_size,
            types: vec![policy_type],
        }
    }

    pub(super) fn add(&mut self, policy_type: &'static PolicyType) {
        self.types.push(policy_type);
    }

    /// Whether the objects of the type come with this listing.
    #[must_use]
    pub fn serves(&self, policy_type: &PolicyType) -> bool {
        self.api_version == policy_type.api_version
            && self.source == policy_type.source
            && self.query == policy_type.query
            && self.page_size == policy_type.page_size
    }

    /// The path below the version. For children, `parent_id` names the parent;
    /// without one it is the path of the parents.
    #[must_use]
    pub fn path(&self, parent_id: Option<&str>) -> String {
        match (self.source, parent_id) {
            (Source::Collection { path } | Source::Singleton { path }, _) => path.to_owned(),
            (Source::ChildrenOf { parent_path, child_path, .. }, Some(parent)) => {
                format!("{parent_path}/{}/{child_path}", path_segment(parent))
            }
            (Source::ChildrenOf { parent_path, .. }, None) => parent_path.to_owned(),
        }
    }

    /// The query with `$top`, without `?`; empty when there is none. It belongs
    /// to the objects themselves, not to the parents of [`Source::ChildrenOf`].
    #[must_use]
    pub fn full_query(&self) -> String {
        match (self.query, self.page_size) {
            (query, None) => query.to_owned(),
            ("", Some(size)) => format!("$top={size}"),
            (query, Some(size)) => format!("{query}&$top={size}"),
        }
    }

    /// The type to which an object of this listing belongs. The decision is over
    /// every type of the registry, whether on or off, so that one object never
    /// changes its type with the selection. An object of a kind that nobody
    /// knows goes to the type that takes the rest.
    #[must_use]
    pub fn classify(&self, object: &Value) -> Option<&'static PolicyType> {
        if let [only] = self.types[..] {
            return Some(only);
        }
        self.types
            .iter()
            .find(|policy_type| policy_type.split.claims(object))
            .or_else(|| {
                self.types.iter().find(|policy_type| matches!(policy_type.split, Split::Whole | Split::Remainder))
            })
            .copied()
    }
}
