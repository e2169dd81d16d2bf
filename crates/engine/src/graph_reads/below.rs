//! What has to be read below single objects: assignments, expansions that came with no list or single read, and details.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Assignments, Detail, DetailShape, PARENT_ID_PROPERTY, PolicyType};
use tenantatlas_graph::{BatchGet, GraphError, GraphSession};

use super::version;
use super::{Expansion, ListQuery};

/// How often elements of a detail may be read below each other.
const MAX_DEPTH: usize = 3;

/// An object on its way to being whole.
pub(crate) trait Unfinished {
    /// Its type.
    fn policy_type(&self) -> &'static PolicyType;

    /// Its address below the version; `None` when its parent is not known.
    fn path(&self) -> Option<String>;

    /// What is read below it beyond its children, one after the other.
    fn details(&self) -> Vec<&'static Detail>;

    /// What was read of it so far.
    fn object(&self) -> &Value;

    /// The same, to be completed.
    fn object_mut(&mut self) -> &mut Value;
}

/// Something below an object that could not be read.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The position of the object.
    pub row: usize,
    /// The property that is lacking; empty where the object itself was read anew.
    pub property: String,
    pub error: GraphError,
}

/// The first refusal of each object.
pub(crate) fn by_row(refused: Vec<Refused>) -> HashMap<usize, GraphError> {
    let mut first = HashMap::new();
    for Refused { row, error, .. } in refused {
        first.entry(row).or_insert(error);
    }
    first
}

/// One read below one object.
struct Below {
    row: usize,
    url: String,
    place: Place,
}

/// Where the answer goes.
enum Place {
    /// Becomes the array of this property.
    Property(String),
    /// Becomes this property as it is, where there is one.
    Object(String),
    /// Replaces the properties of the object.
    Merge,
    /// Becomes the array of a property within an element of the object.
    Element { pointer: String, property: String },
}

impl Place {
    /// The property of the object that the answer is part of.
    fn property(&self) -> String {
        match self {
            Self::Property(property) | Self::Object(property) => property.clone(),
            Self::Merge => String::new(),
            Self::Element { pointer, .. } => pointer.split('/').nth(1).unwrap_or_default().to_owned(),
        }
    }
}

/// Whether every run reads something below each item of the type.
pub(crate) fn reads_children(policy_type: &PolicyType) -> bool {
    policy_type.assignments == Assignments::Child
}

/// The expansions of a query that an object came without, or not whole. What an answer leaves out or states as null says
/// nothing about what is there.
pub(crate) fn lacking(expanded: &[Expansion], object: &Value) -> Vec<Expansion> {
    let lacks = |expansion: &&Expansion| match object.get(&expansion.property) {
        Some(Value::Array(rows)) => !rows.iter().all(Value::is_object) || has_too_few(object, &expansion.property),
        Some(Value::Object(_)) => false,
        _ => true,
    };
    expanded.iter().filter(lacks).cloned().collect()
}

/// The expansions of a query.
pub(crate) fn expansions(query: &str) -> Vec<Expansion> {
    ListQuery::parse(query).expansions().to_vec()
}

/// Reads what belongs to the object itself: assignments of types that have them only as children, and the expansions that
/// each object, by its position, came without.
pub(crate) async fn read_children<U: Unfinished>(
    session: &GraphSession,
    rows: &mut [U],
    left_out: &mut (dyn FnMut(usize) -> Vec<Expansion> + Send),
) -> Result<Vec<Refused>, GraphError> {
    let mut reads = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(path) = row.path() else { continue };
        let left_out = left_out(index);
        let already = left_out.iter().any(|expansion| expansion.property == "assignments");
        if reads_children(row.policy_type()) && !already {
            let place = Place::Property("assignments".to_owned());
            reads.push(Below { row: index, url: format!("{path}/assignments"), place });
        }
        for expansion in left_out {
            let url = format!("{path}/{}", expansion.child_suffix());
            reads.push(Below { row: index, url, place: Place::Property(expansion.property) });
        }
    }
    read(session, rows, reads).await
}

/// Reads the details of the objects named by `wanted`. Of an object of which something was refused nothing more is asked.
pub(crate) async fn read_details<U: Unfinished>(
    session: &GraphSession,
    rows: &mut [U],
    wanted: &[usize],
) -> Result<Vec<Refused>, GraphError> {
    let mut refused: Vec<Refused> = Vec::new();
    let deepest = wanted.iter().map(|index| rows[*index].details().len()).max().unwrap_or(0);
    // Details of an object come one after the other: a merge must not undo what was read before it.
    for position in 0..deepest {
        let still_open = |refused: &[Refused]| -> Vec<usize> {
            wanted.iter().copied().filter(|index| refused.iter().all(|refused| refused.row != *index)).collect()
        };
        let all = still_open(&refused);
        let reads = all.iter().filter_map(|index| below_at(&rows[*index], *index, position)).collect();
        refused.extend(read(session, rows, reads).await?);
        refused.extend(read_bodies_again(session, rows, &still_open(&refused), position).await?);
        refused.extend(read_elements(session, rows, &still_open(&refused), position).await?);
    }
    Ok(refused)
}

/// The read of a detail of an object, by its position, when it has one there.
fn below_at<U: Unfinished>(row: &U, index: usize, position: usize) -> Option<Below> {
    let detail = row.details().get(position).copied()?;
    let path = row.path().filter(|_| detail.is_wanted(row.object()))?;
    let place = match detail.shape {
        DetailShape::Collection => Place::Property(detail.property.to_owned()),
        DetailShape::Object => Place::Object(detail.property.to_owned()),
        DetailShape::Merge => Place::Merge,
    };
    Some(Below { row: index, url: detail.url(&path), place })
}

/// Asks once more for the bodies that came as null, or not at all, with an answer that looked like success. What stays away
/// was not read: an object without its body is not the object.
async fn read_bodies_again<U: Unfinished>(
    session: &GraphSession,
    rows: &mut [U],
    open: &[usize],
    position: usize,
) -> Result<Vec<Refused>, GraphError> {
    let lacking = |rows: &[U], index: usize| {
        rows[index].details().get(position).and_then(|detail| detail.lacking_body(rows[index].object()))
    };
    let again: Vec<usize> = open.iter().copied().filter(|index| lacking(rows, *index).is_some()).collect();
    let reads = again.iter().filter_map(|index| below_at(&rows[*index], *index, position)).collect();
    let mut refused = read(session, rows, reads).await?;
    for row in again {
        if let Some(property) = lacking(rows, row) {
            let error = unusable(&format!("the single read of an object came without its {property}"));
            refused.push(Refused { row, property: property.to_owned(), error });
        }
    }
    Ok(refused)
}

/// An array within a row whose elements have more below them.
struct Level {
    row: usize,
    /// JSON pointer to the array.
    pointer: String,
    /// Address of the array below the version.
    address: String,
    each: &'static Detail,
}

/// Reads below each element of a detail that was just read, as deep as the registry says; all rows together, so that
/// batches are full.
async fn read_elements<U: Unfinished>(
    session: &GraphSession,
    rows: &mut [U],
    wanted: &[usize],
    position: usize,
) -> Result<Vec<Refused>, GraphError> {
    let mut refused = Vec::new();
    let mut levels: Vec<Level> = wanted
        .iter()
        .filter_map(|index| {
            let detail = rows[*index].details().get(position).copied()?;
            let (pointer, item) = (format!("/{}", detail.property), rows[*index].path()?);
            Some(Level { row: *index, pointer, address: format!("{item}/{}", detail.path), each: detail.each? })
        })
        .collect();
    for _ in 0..MAX_DEPTH {
        let mut reads = Vec::new();
        let mut next = Vec::new();
        for Level { row, pointer, address, each } in &levels {
            let Some(elements) = rows[*row].object().pointer(pointer).and_then(Value::as_array) else { continue };
            for (position, element) in elements.iter().enumerate().filter(|(_, element)| each.is_wanted(element)) {
                let Some(id) = element.get("id").and_then(Value::as_str) else { continue };
                let element_path = format!("{address}/{}", path_segment(id));
                let element_pointer = format!("{pointer}/{position}");
                if let Some(deeper) = each.each {
                    let pointer = format!("{element_pointer}/{}", each.property);
                    let address = format!("{element_path}/{}", each.path);
                    next.push(Level { row: *row, pointer, address, each: deeper });
                }
                let place = Place::Element { pointer: element_pointer, property: each.property.to_owned() };
                reads.push(Below { row: *row, url: each.url(&element_path), place });
            }
        }
        refused.extend(read(session, rows, reads).await?);
        levels = next;
    }
    Ok(refused)
}

/// Sends the reads by `$batch` and puts the answers in their places. An error of the whole batch stops the run (sign-in
/// refused, cancelled); an error of one item is told for its object. That includes "not found" below an object that is
/// there: what is not found was not read, and nothing follows from that about what is there. Only of a single object that
/// may be absent it is an answer.
async fn read<U: Unfinished>(
    session: &GraphSession,
    rows: &mut [U],
    reads: Vec<Below>,
) -> Result<Vec<Refused>, GraphError> {
    let mut refused: Vec<Refused> = Vec::new();
    let Some(first) = reads.first() else { return Ok(refused) };
    let version = version(rows[first.row].policy_type());
    let gets = reads.iter().map(|read| BatchGet { id: read.row.to_string(), url: read.url.clone() }).collect();
    let answers = session.batch(version, gets).await?;
    for (Below { row, place, .. }, answer) in reads.into_iter().zip(answers) {
        let property = place.property();
        let placed = match answer.result {
            Err(error) if error.absent && matches!(place, Place::Object(_)) => Ok(()),
            Err(error) => Err(error),
            Ok(body) => match put(session, rows[row].object_mut(), place, body).await {
                Err(error) if error.concerns_all() => return Err(error),
                placed => placed,
            },
        };
        if let Err(error) = placed {
            refused.push(Refused { row, property, error });
        }
    }
    Ok(refused)
}

async fn put(session: &GraphSession, object: &mut Value, place: Place, body: Value) -> Result<(), GraphError> {
    match place {
        Place::Property(property) => {
            let rows = whole_collection(session, body).await?;
            if let Value::Object(object) = object {
                object.insert(property, rows);
            }
        }
        Place::Object(property) => {
            let mut body = body;
            session.complete(&mut body).await?;
            if let Value::Object(object) = object {
                object.insert(property, body);
            }
        }
        Place::Element { pointer, property } => {
            let rows = whole_collection(session, body).await?;
            if let Some(Value::Object(element)) = object.pointer_mut(&pointer) {
                element.insert(property, rows);
            }
        }
        Place::Merge => {
            let mut body = body;
            session.complete(&mut body).await?;
            if let (Value::Object(object), Value::Object(fuller)) = (object, body) {
                let id =
                    |object: &Map<String, Value>| object.get("id").and_then(Value::as_str).map(str::to_ascii_lowercase);
                if id(&fuller) != id(object) {
                    return Err(unusable("the single read of an object answered with another one"));
                }
                object.extend(fuller.into_iter().filter(|(key, _)| key != PARENT_ID_PROPERTY));
            }
        }
    }
    Ok(())
}

/// The rows of a collection that came as an answer of a batch, with the pages that follow it. An answer that is a
/// single object counts as a collection of one.
pub(crate) async fn whole_collection(session: &GraphSession, mut body: Value) -> Result<Value, GraphError> {
    // A next link of the answer itself is completed like that of an expanded property.
    if let Value::Object(object) = &mut body
        && let Some(link) = object.remove("@odata.nextLink")
    {
        object.insert("value@odata.nextLink".to_owned(), link);
    }
    session.complete(&mut body).await?;
    match body.get_mut("value").map(Value::take) {
        Some(Value::Array(rows)) if rows.iter().all(Value::is_object) => Ok(Value::Array(rows)),
        None if body.get("id").is_some_and(Value::is_string) => Ok(Value::Array(vec![body])),
        _ => Err(unusable("the answer is neither a collection of objects nor an object with an id")),
    }
}

/// Whether an object states more settings than came with it.
pub(crate) fn has_too_few(object: &Value, property: &str) -> bool {
    let stated = object.get("settingCount").and_then(Value::as_u64).filter(|_| property == "settings");
    let came = object.get(property).and_then(Value::as_array).map(Vec::len);
    stated.zip(came).is_some_and(|(stated, came)| (came as u64) < stated)
}

/// Why an object of which fewer settings came than it states was read in part only.
pub(crate) fn too_few_settings(object: &Value) -> Option<GraphError> {
    has_too_few(object, "settings")
        .then(|| unusable("an object states more settings (settingCount) than came with it and below it"))
}

fn unusable(message: &str) -> GraphError {
    GraphError::new(ReasonCode::ContractInvalid, message)
}
