//! Reading objects whole: singly, by `$batch`, with what is below them.

use std::collections::HashMap;

use serde_json::Value;
use tenantatlas_domain::path_segment::path_segment;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{BatchGet, GraphError, GraphSession};

use super::target::{State, Target};
use crate::graph_reads::below::{self, Unfinished as _};
use crate::graph_reads::{Expansion, refuses_query, version};

/// Reads objects of one type, as many as fit into a batch or two, on a workbench of their own. What could not be read of
/// one, and why, stands with it.
///
/// # Errors
/// Only what concerns all of them: sign-in refused, cancelled, more than there is memory for.
pub(super) async fn read(workbench: &GraphSession, targets: &mut [Target]) -> Result<(), GraphError> {
    let Some(first) = targets.first() else { return Ok(()) };
    let query = first.recipe.single_query(first.policy_type);
    let expanded = below::expansions(query);
    let plain = read_objects(workbench, targets, query).await?;
    read_objects_plainly(workbench, targets, &plain).await?;
    complete(workbench, targets, &expanded).await
}

/// Reads what is below objects that were read, and what their expansions did not bring.
///
/// # Errors
/// As [`read`].
pub(super) async fn complete(
    workbench: &GraphSession,
    targets: &mut [Target],
    expanded: &[Expansion],
) -> Result<(), GraphError> {
    for target in targets.iter_mut().filter(|target| target.is_read()) {
        match workbench.complete(&mut target.object).await {
            Ok(_) => {}
            Err(error) if error.concerns_all() => return Err(error),
            Err(error) => target.state = State::Failed(error),
        }
    }
    read_below(workbench, targets, expanded).await?;
    read_referenced(workbench, targets).await?;
    targets.iter_mut().for_each(Target::fill_in);
    Ok(())
}

/// Asks for the objects themselves. Answers with those of which Graph refuses the query.
async fn read_objects(workbench: &GraphSession, targets: &mut [Target], query: &str) -> Result<Vec<usize>, GraphError> {
    let asked: Vec<usize> = (0..targets.len()).collect();
    let answers = ask(workbench, targets, &asked, query).await?;
    let mut refused = Vec::new();
    for (index, answer) in answers {
        match answer {
            Err(error) if !query.is_empty() && refuses_query(&error) && !error.absent => refused.push(index),
            answer => take(&mut targets[index], answer),
        }
    }
    Ok(refused)
}

/// The same without any query: what it would have brought is read below them.
async fn read_objects_plainly(
    workbench: &GraphSession,
    targets: &mut [Target],
    plain: &[usize],
) -> Result<(), GraphError> {
    for (index, answer) in ask(workbench, targets, plain, "").await? {
        take(&mut targets[index], answer);
    }
    Ok(())
}

async fn ask(
    workbench: &GraphSession,
    targets: &[Target],
    asked: &[usize],
    query: &str,
) -> Result<Vec<(usize, Result<Value, GraphError>)>, GraphError> {
    let Some(first) = asked.first() else { return Ok(Vec::new()) };
    let version = version(targets[*first].policy_type);
    let with_path = asked.iter().filter_map(|index| Some((*index, targets[*index].path()?)));
    let (places, gets): (Vec<usize>, Vec<BatchGet>) = with_path
        .map(|(index, path)| {
            let url = if query.is_empty() { path } else { format!("{path}?{query}") };
            (index, BatchGet { id: index.to_string(), url })
        })
        .unzip();
    let answers = workbench.batch(version, gets).await?;
    Ok(places.into_iter().zip(answers.into_iter().map(|answer| answer.result)).collect())
}

fn take(target: &mut Target, answer: Result<Value, GraphError>) {
    match answer {
        // Only Graph's own "not there" says that an object is gone.
        Err(error) if error.absent => target.state = State::Gone,
        Err(error) => target.state = State::Failed(error),
        Ok(body) => {
            if let Err(error) = target.take(body) {
                target.state = State::Failed(error);
            }
        }
    }
}

/// Reads the children, what the expansions did not bring, and the details.
async fn read_below(
    workbench: &GraphSession,
    targets: &mut [Target],
    expanded: &[Expansion],
) -> Result<(), GraphError> {
    let lacking: Vec<Vec<Expansion>> = targets.iter().map(|target| below::lacking(expanded, &target.object)).collect();
    let mut left_out = |index: usize| lacking[index].clone();
    let refused = below::read_children(workbench, targets, &mut left_out).await?;
    note(targets, refused);
    let read: Vec<usize> = (0..targets.len()).filter(|index| targets[*index].is_read()).collect();
    let refused = below::read_details(workbench, targets, &read).await?;
    note(targets, refused);
    Ok(())
}

fn note(targets: &mut [Target], refused: Vec<below::Refused>) {
    for below::Refused { row, property, error } in refused {
        targets[row].lacks(property, error);
    }
}

/// Reads what belongs to the objects in another collection.
async fn read_referenced(workbench: &GraphSession, targets: &mut [Target]) -> Result<(), GraphError> {
    let mut gets: Vec<(usize, BatchGet)> = Vec::new();
    for (index, target) in targets.iter().enumerate().filter(|(_, target)| target.is_read()) {
        let Some(referenced) = &target.recipe.referenced else { continue };
        for id in target.recipe.referenced_ids(&target.object) {
            let url = format!("{}/{}?{}", referenced.path, path_segment(id), referenced.query);
            gets.push((index, BatchGet { id: index.to_string(), url }));
        }
    }
    let Some(first) = targets.first().filter(|_| !gets.is_empty()) else { return Ok(()) };
    let Some(referenced) = &first.recipe.referenced else { return Ok(()) };
    let version = version(first.policy_type);
    let (places, gets): (Vec<usize>, Vec<BatchGet>) = gets.into_iter().unzip();
    let answers = workbench.batch(version, gets).await?;
    let mut found: HashMap<usize, Vec<Value>> = HashMap::new();
    for (index, answer) in places.into_iter().zip(answers) {
        let of_object = found.entry(index).or_default();
        let completed = match answer.result {
            Ok(mut body) => workbench.complete(&mut body).await.map(|_| body),
            Err(error) => Err(error),
        };
        match completed {
            Ok(body) => of_object.push(body),
            Err(error) if error.concerns_all() && !error.by_graph => return Err(error),
            // A name that leads nowhere is part of the object as it is.
            Err(error) if error.absent => {}
            Err(error) => targets[index].lacks(referenced.becomes.to_owned(), error),
        }
    }
    for (index, rows) in found {
        if let Value::Object(object) = &mut targets[index].object {
            object.insert(referenced.becomes.to_owned(), Value::Array(rows));
        }
    }
    Ok(())
}

/// Whether an answer was refused because it is larger than what may be held, so that fewer objects at a time may do.
pub(super) fn is_too_much(error: &GraphError) -> bool {
    error.reason == ReasonCode::ParseFailed && error.status.is_none()
}
