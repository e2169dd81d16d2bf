//! One object on its way to a body.

use serde_json::{Map, Value};
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Detail, PolicyType, Recipe, Source};
use tenantatlas_domain::sanitise::META_ODATA_TYPE;
use tenantatlas_graph::GraphError;
use tenantatlas_store::inventory::Item;

use crate::graph_reads::below::Unfinished;

/// An object that is to be read, as the inventory knows it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Our id.
    pub item_id: ItemId,
    pub external_id: String,
    pub display_name: String,
    /// What the inventory knows of its content: read before the object is, so that what changes in between shows later.
    pub item: (ContentHash, u32),
    meta: Map<String, Value>,
    /// The parent in whose collection it is, where it has one.
    pub parent: Option<String>,
    /// Why it should have a parent and nobody knows which.
    pub unplaced: Option<GraphError>,
}

impl From<Item> for Wanted {
    fn from(item: Item) -> Self {
        Self {
            item_id: item.id,
            external_id: item.external_id,
            display_name: item.display_name,
            item: (item.content_hash, item.normaliser_version),
            meta: item.meta,
            parent: None,
            unplaced: None,
        }
    }
}

/// What became of an object so far.
#[derive(Debug)]
pub(super) enum State {
    /// It was read, but for what `refused` names.
    Read,
    /// Graph says that it is not there any more.
    Gone,
    /// It could not be read.
    Failed(GraphError),
}

/// An object that is being read.
#[derive(Debug)]
pub(super) struct Target {
    pub policy_type: &'static PolicyType,
    pub recipe: &'static Recipe,
    pub wanted: Wanted,
    pub object: Value,
    /// The slots that were refused, each with the reason.
    pub refused: Vec<(String, ReasonCode)>,
    pub state: State,
}

impl Target {
    pub(super) fn new(policy_type: &'static PolicyType, recipe: &'static Recipe, wanted: Wanted) -> Self {
        Self { policy_type, recipe, wanted, object: Value::Null, refused: Vec::new(), state: State::Read }
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.state, State::Read)
    }

    /// Takes over the answer of the single read.
    pub(super) fn take(&mut self, mut body: Value) -> Result<(), GraphError> {
        // The beta version gives some single objects as a collection of one.
        let single = matches!(self.policy_type.source, Source::Singleton { .. });
        if single && body.get("value").is_some_and(Value::is_array) {
            body = body["value"].get_mut(0).map(Value::take).unwrap_or_default();
        }
        let same = body
            .get(self.policy_type.id_property)
            .and_then(Value::as_str)
            .is_some_and(|id| id.eq_ignore_ascii_case(&self.wanted.external_id));
        if !body.is_object() || !(same || single) {
            let message = "the single read of an object answered with another one";
            return Err(GraphError::new(ReasonCode::ContractInvalid, message));
        }
        self.object = body;
        Ok(())
    }

    /// Notes that something of it was not answered. A refusal leaves a gap; anything else says nothing about the object, so
    /// that it was not read.
    pub(super) fn lacks(&mut self, property: String, error: GraphError) {
        let refusal = error.by_graph && error.status.is_some_and(|status| matches!(status, 400..=407 | 410 | 501));
        if refusal && !property.is_empty() {
            self.refused.push((property, error.reason));
        } else if self.is_read() {
            self.state = State::Failed(error);
        }
    }

    /// Puts in what the single read does not tell and the list did: the type of the object, and what the recipe names.
    pub(super) fn fill_in(&mut self) {
        let Value::Object(members) = &mut self.object else { return };
        if let Some(Value::String(kind)) = self.wanted.meta.get(META_ODATA_TYPE)
            && !members.contains_key("@odata.type")
        {
            members.insert("@odata.type".to_owned(), Value::from(format!("#microsoft.graph.{kind}")));
        }
        for property in self.recipe.told_by_list {
            if let Some(told) = self.wanted.meta.get(*property) {
                members.insert((*property).to_owned(), told.clone());
            }
        }
    }
}

impl Unfinished for Target {
    fn policy_type(&self) -> &'static PolicyType {
        self.policy_type
    }

    fn path(&self) -> Option<String> {
        self.is_read().then(|| self.policy_type.item_path(self.wanted.parent.as_deref(), &self.wanted.external_id))?
    }

    fn details(&self) -> Vec<&'static Detail> {
        self.recipe.reads_of(self.policy_type)
    }

    fn object(&self) -> &Value {
        &self.object
    }

    fn object_mut(&mut self) -> &mut Value {
        &mut self.object
    }
}
