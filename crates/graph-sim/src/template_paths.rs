//! The paths below `deviceManagement/templates`.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::RESOURCES;
use crate::graph::GraphRequest;
use crate::query::Query;
use crate::template::{TEMPLATES, Template, template};

impl GraphRequest<'_> {
    /// Answers for the templates.
    #[must_use]
    pub fn templates(&self, below: &[&str], query: &Query) -> Answer {
        let intents = RESOURCES.iter().find(|resource| resource.path == "deviceManagement/intents");
        if let Some(refused) = intents.and_then(|intents| self.refuse(intents)) {
            return refused;
        }
        let context = format!("{}/$metadata#deviceManagement/templates", self.base);
        let body = match below {
            [] => {
                let all: Vec<Value> = TEMPLATES.iter().map(Template::json).collect();
                json!({"@odata.context": context, "value": all})
            }
            [id, child @ ..] => {
                let Some(template) = template(id) else { return self.not_found() };
                match child {
                    [] => {
                        let mut body = template.json();
                        body["@odata.context"] = json!(format!("{context}/$entity"));
                        body
                    }
                    ["categories"] => {
                        let expanded = query.expand.iter().any(|property| property == "settingDefinitions");
                        if expanded && self.bent.refuse_expand {
                            return self.bad_request("The query parameter '$expand' is not supported.");
                        }
                        let mut categories = template.categories(expanded);
                        if expanded && self.bent.partial {
                            let path = format!("{}/deviceManagement/templates/{id}/categories", self.base);
                            categories.iter_mut().for_each(|category| cut(category, &path));
                        }
                        let context = format!("{context}('{id}')/categories");
                        let mut body = json!({"@odata.context": context, "value": categories});
                        if self.bent.endless {
                            let asked = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
                            let path = format!("{}/deviceManagement/templates/{id}/categories", self.base);
                            body["@odata.nextLink"] = json!(format!("{path}?{}&$skiptoken={}", query.rest, asked + 1));
                        }
                        body
                    }
                    ["categories", category, "settingDefinitions"] => {
                        let Some(mut definitions) = template.definitions_of(category) else {
                            return self.not_found();
                        };
                        let from = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
                        definitions.drain(..definitions.len().min(from));
                        let context = format!("{context}('{id}')/categories('{category}')/settingDefinitions");
                        json!({"@odata.context": context, "value": definitions})
                    }
                    [.., last] => return self.unknown_segment(last),
                }
            }
        };
        Answer::ok(body.to_string().into_bytes())
    }
}

/// Leaves of the definitions of a category only the first, with a link to the others.
fn cut(category: &mut Value, path: &str) {
    if let Some(definitions) = category["settingDefinitions"].as_array_mut() {
        definitions.truncate(1);
    }
    let id = category["id"].as_str().unwrap_or_default();
    let rest = format!("{path}/{id}/settingDefinitions?$skiptoken=1");
    category["settingDefinitions@odata.nextLink"] = json!(rest);
}
