//! Lists, page by page.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::answer::Answer;
use crate::catalogue::{Kind, RESOURCES, Resource};
use crate::context::Collection;
use crate::filter::{self, Filter};
use crate::graph::GraphRequest;
use crate::object::{Along, Object};
use crate::query::Query;
use crate::tenant::{KindNumber, first_number, kind_of, number_of};

/// What `managedAppPolicies` lists, with the types that it tells.
const APP_POLICIES: [(&str, &str); 7] = [
    ("appProtectionIos", "iosManagedAppProtection"),
    ("appProtectionAndroid", "androidManagedAppProtection"),
    ("appProtectionWindows", "windowsManagedAppProtection"),
    ("wipPolicyMdm", "mdmWindowsInformationProtectionPolicy"),
    ("wipPolicy", "windowsInformationProtectionPolicy"),
    ("appProtectionDefault", "defaultManagedAppProtection"),
    ("mamAppConfiguration", "targetedManagedAppConfiguration"),
];

/// A kind with its number.
type Numbered = (KindNumber, &'static Kind);

/// What a page holds.
struct Content<'a> {
    collection: Collection<'a>,
    kinds: &'a [Numbered],
    filter: Option<Filter>,
    along: Along<'a>,
    top: u64,
}

/// Where a page stands: the kind among those of the list, and the index within it.
#[derive(Clone, Copy)]
struct At {
    kind: usize,
    index: u64,
}

impl GraphRequest<'_> {
    /// What comes along with the objects of an answer.
    ///
    /// # Errors
    /// With the 400 for a property that cannot be expanded here.
    pub fn along<'q>(
        &self,
        expand: &[&str],
        kinds: &[Numbered],
        query: &'q Query,
        detail: bool,
    ) -> Result<Along<'q>, Answer> {
        for property in &query.expand {
            // A single read expands more than a list does.
            let single = |kind: &Kind| {
                (property == "assignments" && kind.assigned) || kind.expandable.iter().any(|(name, _)| name == property)
            };
            let allowed = expand.contains(&property.as_str()) || (detail && kinds.iter().any(|(_, kind)| single(kind)));
            if !allowed || self.bent.refuse_expand {
                return Err(self.bad_request(&format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{property}'."
                )));
            }
        }
        Ok(Along {
            expand: &query.expand,
            configurations: query.expand_text.contains("scheduledActionConfigurations"),
            select: &query.chosen,
            detail,
            partial: self.bent.partial,
            odata: None,
        })
    }

    /// Answers a list.
    #[must_use]
    pub fn list(&self, resource: &'static Resource, query: &Query) -> Answer {
        let first = first_number(resource);
        let kinds: Vec<_> = (first..).zip(&resource.kinds).collect();
        let along = match self.along(resource.expand, &kinds, query, false) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        if let Some(top) = query.top.filter(|top| resource.strict && *top > resource.most) {
            return self.bad_request(&format!(
                "The limit of '{}' for Top query has been exceeded. The value from the incoming request is '{top}'.",
                resource.most
            ));
        }
        let top = query.top.unwrap_or(resource.page).clamp(1, resource.most);
        self.page(self.collection(resource.path), &kinds, top, query, along)
    }

    /// All kinds of app protection in one list, with their types and without assignments.
    #[must_use]
    pub fn app_policies(&self, query: &Query) -> Answer {
        let kinds: Vec<_> = APP_POLICIES
            .iter()
            .filter_map(|(key, _)| number_of(key))
            .filter_map(|number| kind_of(number).map(|kind| (number, kind)))
            .collect();
        let resource =
            RESOURCES.iter().find(|resource| resource.path == "deviceAppManagement/iosManagedAppProtections");
        if let Some(refused) = resource.and_then(|resource| self.refuse(resource)) {
            return refused;
        }
        match self.along(&[], &kinds, query, false) {
            Ok(along) => {
                let along = Along { odata: Some(""), ..along };
                let collection = self.collection("deviceAppManagement/managedAppPolicies");
                self.page(collection, &kinds, query.top.unwrap_or(100).clamp(1, 1_000), query, along)
            }
            Err(refused) => refused,
        }
    }

    /// One page of some kinds, one after the other.
    fn page(
        &self,
        collection: Collection<'_>,
        kinds: &[Numbered],
        top: u64,
        query: &Query,
        along: Along<'_>,
    ) -> Answer {
        let Some(asked) = place(query) else { return self.bad_request("Badly formed token.") };
        let mut at = if self.bent.endless { At { kind: 0, index: 0 } } else { asked };
        let filter = match query.filter.as_deref().map(|text| Filter::parse(text, filter::INTUNE)).transpose() {
            Ok(filter) => filter,
            Err(message) => return self.bad_request(&message),
        };
        let mut out = Vec::with_capacity(usize::try_from(top).unwrap_or(100).min(1_000) * 2_048 + 256);
        let _ = write!(out, r#"{{"@odata.context":{},"#, Value::from(collection.context(query)));
        if query.count {
            let count: u64 = kinds.iter().map(|(number, _)| self.tenant.present(*number)).sum();
            let _ = write!(out, r#""@odata.count":{count},"#);
        }
        out.extend_from_slice(br#""value":["#);
        if !self.bent.empty_page {
            self.write_objects(&mut out, &Content { collection, kinds, filter, along, top }, &mut at);
        }
        let more = self.skip_deleted(kinds, &mut at);
        out.push(b']');
        if let Some(next) = self.next_link(collection, query, asked, at, more) {
            let _ = write!(out, r#","@odata.nextLink":{}"#, Value::String(next));
        }
        out.push(b'}');
        Answer::ok(out)
    }

    /// Writes up to `top` objects that pass the filter, and moves on.
    fn write_objects(&self, out: &mut Vec<u8>, content: &Content<'_>, at: &mut At) {
        let Content { collection, kinds, filter, along, top } = content;
        let mut written = 0;
        let mut whole = Vec::new();
        while written < *top && self.skip_deleted(kinds, at) {
            let (number, kind) = kinds[at.kind];
            let object = Object { tenant: self.tenant, kind, number, index: at.index };
            at.index += 1;
            let along = Along { odata: along.odata.and(app_policy_type(kind.key)), ..*along };
            let before = out.len();
            if written > 0 {
                out.push(b',');
            }
            if along.select.is_empty() && filter.is_none() {
                object.write(out, along, *collection);
                written += 1;
                continue;
            }
            whole.clear();
            object.write(&mut whole, along, *collection);
            if write_chosen(&whole, filter.as_ref(), along.select, out) {
                written += 1;
            } else {
                out.truncate(before);
            }
        }
    }

    /// Moves on to the next object that exists; false when there is none.
    fn skip_deleted(&self, kinds: &[Numbered], at: &mut At) -> bool {
        while let Some((number, _)) = kinds.get(at.kind) {
            if at.index >= self.tenant.extent(*number) {
                *at = At { kind: at.kind + 1, index: 0 };
            } else if self.tenant.exists(*number, at.index) {
                return true;
            } else {
                at.index += 1;
            }
        }
        false
    }

    /// The link to the page after this one; `more` tells whether any object is left for it.
    fn next_link(&self, collection: Collection<'_>, query: &Query, asked: At, at: At, more: bool) -> Option<String> {
        let Collection { base, path } = collection;
        // `$top` cuts conditional access policies off without a word (IntuneManagement, issue 364).
        let cuts = self.bent.cut_at_top || path == "identity/conditionalAccess/policies";
        let silent = cuts && query.top.is_some();
        let bent = self.bent.looping
            || self.bent.foreign.is_some()
            || self.bent.empty_page
            || self.bent.endless
            || self.bent.link.is_some();
        if (!more || silent) && !bent {
            return None;
        }
        if let Some(link) = self.bent.link {
            let host = base.split('/').nth(2).unwrap_or_default();
            return Some(link.replace("{base}", base).replace("{host}", host).replace("{path}", path));
        }
        let place = if self.bent.looping {
            query.skip_token.clone().unwrap_or_else(|| token(0, 0))
        } else if self.bent.endless {
            token(0, asked.index + 1)
        } else {
            token(at.kind, at.index)
        };
        let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
        Some(format!("{}/{path}?{rest}$skiptoken={place}", self.bent.foreign.unwrap_or(base)))
    }
}

/// Where a skip token leads.
fn place(query: &Query) -> Option<At> {
    let Some(text) = &query.skip_token else { return Some(At { kind: 0, index: 0 }) };
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (kind, index) = decoded.strip_prefix("at:")?.split_once(':')?;
    Some(At { kind: kind.parse().ok()?, index: index.parse().ok()? })
}

fn token(kind: usize, index: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("at:{kind}:{index}"))
}

/// The type of an object in the list of all kinds of app protection.
fn app_policy_type(key: &str) -> Option<&'static str> {
    APP_POLICIES.iter().find(|(policy, _)| *policy == key).map(|(_, odata)| *odata)
}

/// Writes an object with the properties that were selected, whatever their case, when it passes the filter; tells whether
/// it did.
pub fn write_chosen(whole: &[u8], filter: Option<&Filter>, properties: &[String], out: &mut Vec<u8>) -> bool {
    if filter.is_none() && properties.is_empty() {
        out.extend_from_slice(whole);
        return true;
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(whole) else { return false };
    if !filter.is_none_or(|filter| filter.matches(&object)) {
        return false;
    }
    if properties.is_empty() {
        out.extend_from_slice(whole);
        return true;
    }
    let selected = |name: &str| {
        let name = name.split('@').next().unwrap_or(name);
        properties.iter().any(|property| property.eq_ignore_ascii_case(name))
    };
    let kept: serde_json::Map<String, Value> =
        object.into_iter().filter(|(name, _)| name == "@odata.type" || name == "id" || selected(name)).collect();
    serde_json::to_writer(out, &kept).is_ok()
}
