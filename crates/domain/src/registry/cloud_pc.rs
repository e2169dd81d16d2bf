use super::policy_type::PolicyType;

pub(super) static TYPES: &[PolicyType] = &[];
