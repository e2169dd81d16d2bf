//! The document of the API (OpenAPI 3.1), made from what its addresses are.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, PathItemBuilder, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, KnownFormat, OpenApi, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder, Schema,
};

use super::endpoint;
use super::endpoint::{Answer, Endpoint, Kind, Parameter, Verb};
use super::problem::{KINDS, Problem};
use super::table::endpoints;

/// The name of the way to prove oneself.
const BEARER: &str = "token";

/// The document as JSON.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| document().to_json().unwrap_or_default())
}

/// The document.
pub fn document() -> OpenApi {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    (endpoint::shape::<Problem>().add)(&mut schemas);
    let mut items: BTreeMap<&'static str, PathItemBuilder> = BTreeMap::new();
    for endpoint in endpoints() {
        let shape = match endpoint.answer {
            Answer::One(_, shape) | Answer::Begun(_, shape) => Some(shape),
            Answer::Events(_) => None,
        };
        for shape in shape.into_iter().chain(endpoint.body) {
            (shape.add)(&mut schemas);
        }
        let method = match endpoint.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
            Verb::Patch => HttpMethod::Patch,
        };
        let item = items.remove(endpoint.path).unwrap_or_default();
        items.insert(endpoint.path, item.operation(method, operation(endpoint)));
    }
    let paths = items.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item.build()));
    let schemas: BTreeMap<String, RefOr<Schema>> = schemas.into_iter().collect();
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).security_scheme(
        BEARER,
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("tat_…")
                .description(Some(
                    "A token, made under Account, in the settings of a tenant, or with `tenantatlas token create`.",
                ))
                .build(),
        ),
    );
    let info = InfoBuilder::new()
        .title("TenantAtlas")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("What the pages can do, as JSON. docs/api.md tells what holds for all of it."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])]))
        .build()
}

fn operation(endpoint: &Endpoint) -> OperationBuilder {
    let about = if endpoint.about.is_empty() { endpoint.summary } else { endpoint.about };
    let mut operation = OperationBuilder::new()
        .operation_id(Some(endpoint.id))
        .tag(endpoint.tag)
        .summary(Some(endpoint.summary))
        .description(Some(format!("{about} Needs: {}.", super::reference::needed(endpoint))));
    for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let object = ObjectBuilder::new();
        let (schema, words) = match name {
            "version" => (
                object.schema_type(Type::Integer).minimum(Some(1)).maximum(Some(1_000_000_000)),
                "The number of the version.".to_owned(),
            ),
            "group" => (
                object.schema_type(Type::String),
                "The id that Microsoft gave the group, all-users, all-devices or nobody.".to_owned(),
            ),
            _ => (
                object.schema_type(Type::String).format(Some(SchemaFormat::Custom("uuid".to_owned()))),
                format!("The id of the {name}."),
            ),
        };
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.description(Some(words)).schema(Some(schema)));
    }
    for parameter in endpoint.query {
        operation = operation.parameter(query(parameter));
    }
    if endpoint.verb == Verb::Post {
        operation = operation.parameter(key());
    }
    if let Some(body) = endpoint.body {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name((body.name)()))).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .description(Some("What is to be done."));
        operation = operation.request_body(Some(body.build()));
    }
    operation = operation.response(endpoint.answer.status().as_str(), answer(endpoint));
    // Several kinds share a status.
    let mut problems: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (code, status, words) in KINDS {
        let only_with_a_body = matches!(status, 409 | 413 | 415) || code == "invalid_body";
        if status != 405 && (endpoint.verb != Verb::Get || !only_with_a_body) {
            problems.entry(status).or_default().push(words);
        }
    }
    for (status, words) in problems {
        operation = operation.response(status.to_string(), problem(&format!("{}.", words.join("; or: "))));
    }
    operation
}

fn query(parameter: &Parameter) -> ParameterBuilder {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    let schema = match parameter.kind {
        Kind::Text(most) => schema.max_length(Some(most)).pattern(Some("^[^\\u0000]*$")),
        Kind::Words(words) => schema.enum_values(Some(words())),
        Kind::Number(least, most) => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(f64::from(least)))
            .maximum(Some(f64::from(most))),
        Kind::Day => schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        Kind::Form(..) | Kind::Cursor => schema,
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(if parameter.required { Required::True } else { Required::False })
        .description(Some(format!("{} Expected: {}.", parameter.about, parameter.expected())))
        .schema(Some(schema))
}

fn key() -> ParameterBuilder {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A key of your own. The same request with the same key is done once within a day, and answered the same.",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(200))
                .pattern(Some("^[!-~]+$")),
        ))
}

fn answer(endpoint: &Endpoint) -> Response {
    match endpoint.answer {
        Answer::One(words, shape) | Answer::Begun(words, shape) => {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name((shape.name)()))).build();
            ResponseBuilder::new().description(words).content("application/json", content).build()
        }
        Answer::Events(words) => {
            let content = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
            ResponseBuilder::new().description(words).content("text/event-stream", content).build()
        }
    }
}

fn problem(words: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(words).content("application/problem+json", content).build()
}
