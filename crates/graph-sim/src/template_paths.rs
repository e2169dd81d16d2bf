//! The paths below `deviceManagement/templates`.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::RESOURCES;
use crate::graph::GraphRequest;
use crate::template::{TEMPLATES, Template, template};

impl GraphRequest<'_> {
    /// Answers for the templates.
    #[must_use]
    pub fn templates(&self, below: &[&str]) -> Answer {
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
                        let mut categories = Vec::new();
                        template.write_categories(&mut categories);
                        let context = format!("{context}('{id}')/categories");
                        let categories: Value = serde_json::from_slice(&categories).unwrap_or_default();
                        json!({"@odata.context": context, "value": categories})
                    }
                    [.., last] => return self.unknown_segment(last),
                }
            }
        };
        Answer::ok(body.to_string().into_bytes())
    }
}
