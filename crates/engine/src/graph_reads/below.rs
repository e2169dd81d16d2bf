//! What has to be read below single items: assignments, expansions that Graph refused on the list, and details.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{Assignments, Detail, DetailShape, PARENT_ID_PROPERTY, PolicyType};
use tenantatlas_graph::{BatchGet, GraphError, GraphSession};

use super::observed::Row;
use crate::graph_reads::{Expansion, version};

/// How often elements of a detail may be read below each other.
const MAX_DEPTH: usize = 3;

/// One read below one row.
struct Below {
    row: usize,
    url: String,
    place: Place,
}

/// Where the answer goes.
enum Place {
    /// Becomes the array of this property.
    Property(String),
    /// Replaces the properties of the row.
    Merge,
    /// Becomes the array of a property within an element of the row.
    Element { pointer: String, property: String },
}

/// Whether every run reads something below each item of the type.
pub(crate) fn reads_children(policy_type: &PolicyType) -> bool {
    policy_type.assignments == Assignments::Child
}

/// Reads what belongs to the list row itself: assignments of types that have them only as children, and the expansions
/// that each row, by its position, came without. Failures are told per row.
pub(crate) async fn read_children(
    session: &GraphSession,
    rows: &mut [Row],
    left_out: &mut (dyn FnMut(usize) -> Vec<Expansion> + Send),
) -> Result<HashMap<usize, GraphError>, GraphError> {
    let mut reads = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(path) = item_path(row) else { continue };
        let left_out = left_out(index);
        let already = left_out.iter().any(|expansion| expansion.property == "assignments");
        if reads_children(row.policy_type) && !already {
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

/// Reads the details of the rows named by `wanted`. Failures are told per row.
pub(crate) async fn read_details(
    session: &GraphSession,
    rows: &mut [Row],
    wanted: &[usize],
) -> Result<HashMap<usize, GraphError>, GraphError> {
    let mut failures = HashMap::new();
    let deepest = wanted.iter().map(|index| rows[*index].policy_type.details.len()).max().unwrap_or(0);
    // Details of a row come one after the other: a merge must not undo what was read before it.
    for position in 0..deepest {
        let mut reads = Vec::new();
        for index in wanted.iter().copied().filter(|index| !failures.contains_key(index)) {
            let row = &rows[index];
            let Some(detail) = row.policy_type.details.get(position) else { continue };
            let Some(path) = item_path(row).filter(|_| detail.is_wanted(&row.object)) else { continue };
            let place = match detail.shape {
                DetailShape::Collection => Place::Property(detail.property.to_owned()),
                DetailShape::Merge => Place::Merge,
            };
            reads.push(Below { row: index, url: detail.url(&path), place });
        }
        failures.extend(read(session, rows, reads).await?);
        let open: Vec<usize> = wanted.iter().copied().filter(|index| !failures.contains_key(index)).collect();
        failures.extend(read_elements(session, rows, &open, position).await?);
    }
    Ok(failures)
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
async fn read_elements(
    session: &GraphSession,
    rows: &mut [Row],
    wanted: &[usize],
    position: usize,
) -> Result<HashMap<usize, GraphError>, GraphError> {
    let mut failures = HashMap::new();
    let mut levels: Vec<Level> = wanted
        .iter()
        .filter_map(|index| {
            let detail = rows[*index].policy_type.details.get(position)?;
            let (pointer, item) = (format!("/{}", detail.property), item_path(&rows[*index])?);
            Some(Level { row: *index, pointer, address: format!("{item}/{}", detail.path), each: detail.each? })
        })
        .collect();
    for _ in 0..MAX_DEPTH {
        let mut reads = Vec::new();
        let mut next = Vec::new();
        for Level { row, pointer, address, each } in &levels {
            let Some(elements) = rows[*row].object.pointer(pointer).and_then(Value::as_array) else { continue };
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
        failures.extend(read(session, rows, reads).await?);
        levels = next;
    }
    Ok(failures)
}

/// Sends the reads by `$batch` and puts the answers in their places. An error of the whole batch stops the run (sign-in
/// refused, cancelled); an error of one item is told for its row. That includes "not found": the row was listed, so what
/// is not found below it was not read, and nothing follows from that about what is there.
async fn read(
    session: &GraphSession,
    rows: &mut [Row],
    reads: Vec<Below>,
) -> Result<HashMap<usize, GraphError>, GraphError> {
    let mut failures: HashMap<usize, GraphError> = HashMap::new();
    let Some(first) = reads.first() else { return Ok(failures) };
    let version = version(rows[first.row].policy_type);
    let gets = reads.iter().map(|read| BatchGet { id: read.row.to_string(), url: read.url.clone() }).collect();
    let answers = session.batch(version, gets).await?;
    for (read, answer) in reads.into_iter().zip(answers) {
        let body = match answer.result {
            Ok(body) => body,
            Err(error) => {
                failures.entry(read.row).or_insert(error);
                continue;
            }
        };
        match place(session, &mut rows[read.row].object, read.place, body).await {
            Ok(()) => {}
            Err(error) if error.concerns_all() => return Err(error),
            Err(error) => {
                failures.entry(read.row).or_insert(error);
            }
        }
    }
    Ok(failures)
}

async fn place(session: &GraphSession, object: &mut Value, place: Place, body: Value) -> Result<(), GraphError> {
    match place {
        Place::Property(property) => {
            let rows = whole_collection(session, body).await?;
            if let Value::Object(object) = object {
                object.insert(property, rows);
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

fn unusable(message: &str) -> GraphError {
    GraphError::new(ReasonCode::ContractInvalid, message)
}

fn item_path(row: &Row) -> Option<String> {
    row.policy_type.item_path(row.parent_id.as_deref(), &row.external_id)
}
