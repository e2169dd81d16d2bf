//! What the reading of one listing came to: per type what failed, and whether the walk through its pages was steady.

use std::collections::{HashMap, HashSet};

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_graph::GraphError;

use super::vanished::{Doubtful, MOST_DOUBTFUL};
use crate::graph_reads::{Failures, TypeEnd, bounded, end_of};

/// The running count of one type.
#[derive(Default)]
pub(crate) struct Tally {
    /// Objects without an id, or that could not be read.
    pub invalid: u64,
    failures: Option<Failures>,
}

/// The running counts of one listing.
#[derive(Default)]
pub(crate) struct Tallies {
    /// Whether a page of the listing came, so that it is there.
    pub begun: bool,
    pub pages: u32,
    /// Whether an object came twice, or was gone when the list ended: the list changed while it was read, and another may
    /// not have come at all.
    pub unsteady: bool,
    /// Listed objects that were not found below themselves, until the list has been asked for them once more.
    doubtful: Vec<Doubtful>,
    by_type: HashMap<&'static str, Tally>,
    /// Hashes of the ids that came. Eight bytes each, keyed at random: of a million ids two are taken for one with a
    /// likelihood of one in thirty million, and then a confidence is told as lower than it is.
    seen: HashSet<u64>,
}

impl Tallies {
    /// Nothing has been read of these types yet.
    pub(crate) fn of_types(wanted: &[&'static PolicyType]) -> Self {
        let by_type = wanted.iter().map(|policy_type| (policy_type.key, Tally::default())).collect();
        Self { by_type, ..Self::default() }
    }

    pub(crate) fn of(&mut self, key: &'static str) -> &mut Tally {
        self.by_type.entry(key).or_default()
    }

    /// Takes over what failed on a page.
    pub(crate) fn fail(&mut self, key: &'static str, failures: Failures) {
        let tally = self.of(key);
        match &mut tally.failures {
            Some(already) => already.count += failures.count,
            none => *none = Some(failures),
        }
    }

    /// Takes over what was not found below. Too much of it is no deletion, and fails like everything else.
    pub(crate) fn doubt(&mut self, doubtful: Vec<Doubtful>) {
        self.doubtful.extend(doubtful);
        if self.doubtful.len() > MOST_DOUBTFUL {
            let all = std::mem::take(&mut self.doubtful);
            all.into_iter().for_each(|object| self.is_there(object));
        }
    }

    /// What the list is to be asked for once more.
    pub(crate) fn take_doubtful(&mut self) -> Vec<Doubtful> {
        std::mem::take(&mut self.doubtful)
    }

    /// An object is there, and was not read below.
    pub(crate) fn is_there(&mut self, object: Doubtful) {
        for key in object.types {
            self.fail(key, Failures { first: object.error.clone(), count: 1 });
        }
    }

    /// An object was there when the list was read and is not there any more: it was not seen, and nothing failed. What the
    /// list did not show may have been deleted meanwhile or come on no page.
    pub(crate) fn is_gone(&mut self) {
        self.unsteady = true;
    }

    /// Notes the objects that came together, each by the hash of its id.
    pub(crate) fn note(&mut self, came: &[u64]) {
        let before = self.seen.len();
        self.seen.extend(came);
        self.unsteady |= self.seen.len() - before < came.len();
    }

    /// Why reading on would be no use: every type of the listing was refused.
    pub(crate) fn given_up(&self, wanted: &[&'static PolicyType]) -> Option<GraphError> {
        let failures = wanted.iter().map(|wanted| self.by_type.get(wanted.key)?.failures.as_ref());
        let failures: Vec<&Failures> = failures.collect::<Option<_>>()?;
        let all = failures.iter().all(|failures| failures.are_of_the_type());
        failures.first().filter(|_| all).map(|failures| failures.first.clone())
    }

    /// How a type ended, when the listing itself ended like this.
    pub(crate) fn end(
        &self,
        policy_type: &PolicyType,
        listing: Option<&GraphError>,
        granted: Option<&[String]>,
    ) -> TypeEnd {
        let tally = self.by_type.get(policy_type.key);
        if let Some(failures) = tally.and_then(|tally| tally.failures.as_ref()) {
            return failures.end(policy_type, granted);
        }
        if let Some(error) = listing {
            let end = end_of(policy_type, error, granted);
            // A listing that had begun is there: whatever ends it in the middle, it was not read to its end.
            if !self.begun || end.outcome == TypeOutcome::Failed {
                return end;
            }
            let (code, sentence) = end.reason.unwrap_or((error.reason, error.reason.sentence().to_owned()));
            return TypeEnd::failed(code, sentence);
        }
        match tally.map_or(0, |tally| tally.invalid) {
            0 => TypeEnd::succeeded(),
            invalid => {
                let code = ReasonCode::ContractInvalid;
                let sentence =
                    format!("Objects that came without an id or could not be read: {invalid}. {}", code.sentence());
                TypeEnd::failed(code, bounded(&sentence))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_objects_may_have_been_deleted_and_many_were_not_read() {
        let doubtful = |number: usize| Doubtful {
            id: number.to_string(),
            id_property: "id",
            types: vec!["mobileApp"],
            error: GraphError::new(ReasonCode::NotFoundInCloud, "not there"),
        };
        let mut tallies = Tallies::default();
        tallies.doubt((0..MOST_DOUBTFUL).map(doubtful).collect());
        assert!(tallies.of("mobileApp").failures.is_none());
        assert_eq!(tallies.take_doubtful().len(), MOST_DOUBTFUL, "the list is asked for them once more");
        tallies.doubt((0..=MOST_DOUBTFUL).map(doubtful).collect());
        let failed = tallies.of("mobileApp").failures.as_ref().map(|failures| failures.count);
        assert_eq!((failed, tallies.take_doubtful().len()), (Some(MOST_DOUBTFUL as u64 + 1), 0));
    }

    #[test]
    fn an_id_that_comes_twice_on_one_page_or_on_two_makes_the_walk_unsteady() {
        let mut tallies = Tallies::default();
        for (came, unsteady) in [(&[1, 2, 3][..], false), (&[4, 5], false), (&[5, 6], true)] {
            tallies.note(came);
            assert_eq!(tallies.unsteady, unsteady, "{came:?}");
        }
        let mut tallies = Tallies::default();
        tallies.note(&[7, 7]);
        assert!(tallies.unsteady);
    }
}
