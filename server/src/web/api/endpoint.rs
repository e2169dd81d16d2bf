//! What an address of the API is: its route, who may reach it, what it takes and answers. The router, the refusal of unknown
//! parameters, the document and the reference are all made from these.

use axum::http::{Method, StatusCode};
use futures::future::BoxFuture;
use tenantatlas_app::access::Rule;
use tenantatlas_domain::time::Timestamp;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::call::Call;
use super::problem::Problem;
use super::reply::Reply;

/// Entries of a page where nothing else is asked for.
pub const USUAL_LIMIT: u32 = 100;
/// Entries of a page, at most.
pub const MOST: u32 = 200;

/// An address of the API.
pub struct Endpoint {
    /// How it is asked.
    pub verb: Verb,
    /// Its route.
    pub path: &'static str,
    /// Its name in the document.
    pub id: &'static str,
    /// The noun that it is about.
    pub tag: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else is to be known of it.
    pub about: &'static str,
    /// Who may reach it.
    pub rule: Rule,
    /// The parameters that it takes.
    pub query: &'static [Parameter],
    /// What its body is; `None` where it takes none.
    pub body: Option<Shape>,
    /// What it answers.
    pub answer: Answer,
    /// Who answers.
    pub work: Work,
}

/// Who answers.
pub type Work = fn(Call) -> BoxFuture<'static, Result<Reply, Problem>>;

/// How an address is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// To be told something.
    Get,
    /// To have something done.
    Post,
    /// To have what is there changed.
    Patch,
}

impl Verb {
    /// The method of HTTP.
    pub const fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Patch => Method::PATCH,
        }
    }
}

/// What is answered when all goes well.
#[derive(Clone, Copy)]
pub enum Answer {
    /// One thing.
    One(&'static str, Shape),
    /// Something was begun (202).
    Begun(&'static str, Shape),
    /// Events until it ends (HTML standard, section Server-sent events).
    Events(&'static str),
}

impl Answer {
    /// Its status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::One(..) | Self::Events(_) => StatusCode::OK,
            Self::Begun(..) => StatusCode::ACCEPTED,
        }
    }
}

/// The type of a body, for the document.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Its name.
    pub name: fn() -> String,
    /// Adds its schema, and those that it names.
    pub add: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// The shape of a type of the wire.
pub const fn shape<T: ToSchema>() -> Shape {
    Shape { name: name_of::<T>, add: add::<T> }
}

fn name_of<T: ToSchema>() -> String {
    T::name().into_owned()
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    T::schemas(schemas);
}

/// A parameter of an address.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// What a parameter may be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text of so many characters at most.
    Text(usize),
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    /// A number within these.
    Number(u32, u32),
    /// A whole UTC day.
    Day,
    /// What this reads; told in words.
    Form(fn(&str) -> bool, &'static str),
    /// Where a page begins, as the page before said.
    Cursor,
}

impl Parameter {
    /// One that may be left out.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, about, kind, required: false }
    }

    /// One that must be there.
    pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { required: true, ..Self::new(name, kind, about) }
    }

    /// Refuses what it may not be.
    pub fn check(&self, value: &str) -> Result<(), Problem> {
        let fits = !value.contains('\0')
            && match self.kind {
                Kind::Text(most) => value.chars().count() <= most,
                Kind::Words(words) => words().contains(&value),
                Kind::Number(least, most) => {
                    let number = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten();
                    number.is_some_and(|number: u32| (least..=most).contains(&number))
                }
                Kind::Day => is_day(value),
                Kind::Form(reads, _) => reads(value),
                Kind::Cursor => value.len() <= 4_096,
            };
        if fits {
            Ok(())
        } else {
            Err(Problem::parameter(self.name, format!("{}: expected {}.", self.name, self.expected())))
        }
    }

    /// What it may be, as the rest of a sentence.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Text(most) => format!("a text of {most} characters at most, without the character U+0000"),
            Kind::Words(words) => format!("one of {}", words().join(", ")),
            Kind::Number(least, most) => format!("a number from {least} to {most}"),
            Kind::Day => "a day such as 2026-11-30".to_owned(),
            Kind::Form(_, words) => words.to_owned(),
            Kind::Cursor => "what `next` of the page before says".to_owned(),
        }
    }
}

fn is_day(value: &str) -> bool {
    value.len() == 10 && Timestamp::parse_rfc3339(&format!("{value}T00:00:00Z")).is_some()
}

/// How many entries a page has.
pub const LIMIT: Parameter =
    Parameter::new("limit", Kind::Number(1, MOST), "Entries of a page, at most; 100 where it is left out.");
/// Where a page begins.
pub const AFTER: Parameter =
    Parameter::new("after", Kind::Cursor, "Where the page begins: `next` of the page before, with the same filters.");
