//! By whose word a caller may do things: its roles as they are defined here, or the cluster that it was put to.

use std::sync::LazyLock;

use super::operation::Demand;
use super::{catalog, perimeter, privilege};

/// What decides what a principal may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// Its roles, by the definitions that the gateway has.
    #[default]
    Roles,
    /// What a cluster said when it was asked.
    Cluster(ClusterRights),
}

/// The answers of a cluster about one caller. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterRights {
    account: Account,
    /// In the order of [`questions`]; what is missing is not granted.
    granted: Box<[bool]>,
}

/// What kind of caller it is: Elasticsearch's denial names each in its own way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    #[default]
    User,
    /// A user as whom another one acts.
    RunAs {
        by: String,
    },
    ApiKey {
        id: String,
    },
    ServiceAccount,
}

/// Everything that a request can demand: names of actions and of cluster privileges, sorted.
pub fn questions() -> &'static [&'static str] {
    &QUESTIONS
}

/// Named privileges that grant an action of [`questions`] and nothing that continues its name.
///
/// Elasticsearch appends `*` to an action that it is asked for, which such a privilege does not cover: its holders are
/// found by the name alone. Clusters older than the name refuse the whole question.
pub fn exact_privileges() -> impl Iterator<Item = &'static str> {
    EXACT.iter().map(|(name, _)| *name)
}

static QUESTIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let demands = catalog::operations().map(|operation| operation.demand);
    let demands = demands.chain(perimeter::RULES.iter().map(|rule| rule.demand));
    let mut names: Vec<&'static str> = demands.flat_map(names).collect();
    names.sort_unstable();
    names.dedup();
    names
});

static EXACT: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| privilege::exact(questions()));

fn names(demand: Demand) -> Vec<&'static str> {
    match demand {
        Demand::Action(action) => vec![action],
        Demand::Privileges(names) => names.to_vec(),
    }
}

impl ClusterRights {
    /// `answer` is what the cluster said to a name of [`questions`] or [`exact_privileges`]; `None`: nothing.
    pub fn new(account: Account, answer: impl Fn(&str) -> Option<bool>) -> Self {
        let yes = |name: &str| answer(name) == Some(true);
        let exactly = |action: &str| EXACT.iter().any(|(name, actions)| actions.contains(&action) && yes(name));
        let granted = questions().iter().map(|name| yes(name) || exactly(name)).collect();
        Self { account, granted }
    }

    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Whether the cluster grants all that is demanded. No names are no demand that could be met.
    pub(super) fn meet(&self, demand: Demand) -> bool {
        let names = names(demand);
        !names.is_empty() && names.iter().all(|name| self.grant(name))
    }

    /// Whether the cluster grants an action or a named privilege; not, if it was not asked for it.
    pub(super) fn grant(&self, name: &str) -> bool {
        let index = questions().binary_search(&name).ok();
        index.and_then(|index| self.granted.get(index)).is_some_and(|granted| *granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "cluster:admin/xpack/ml/trained_models/deployment/start";

    #[test]
    fn every_demand_is_a_question() {
        assert!(questions().is_sorted() && questions().len() > 80, "{}", questions().len());
        for name in ["manage", "manage_ml", "all", "cluster:admin/xpack/ml/job/open", START] {
            assert!(questions().contains(&name), "{name}");
        }
        assert!(questions().iter().all(|name| !name.contains(['*', ',', ' '])));
    }

    #[test]
    fn nothing_is_granted_but_what_was_answered_with_yes() {
        for name in questions() {
            assert!(!ClusterRights::default().grant(name));
            let only = ClusterRights::new(Account::User, |asked| Some(asked == *name));
            assert!(questions().iter().all(|other| only.grant(other) == (other == name)), "{name}");
        }
        let silent = ClusterRights::new(Account::User, |_| None);
        assert!(questions().iter().all(|name| !silent.grant(name)));
        let everything = ClusterRights::new(Account::User, |_| Some(true));
        assert!(!everything.grant("cluster:admin/xpack/security/user/put"), "it was not asked for");
        assert!(!everything.meet(Demand::Privileges(&[])) && !everything.meet(Demand::Action("")));
    }

    #[test]
    fn a_privilege_over_exact_actions_grants_these_alone() {
        assert_eq!(exact_privileges().collect::<Vec<_>>(), ["manage_inference"]);
        let rights = ClusterRights::new(Account::User, |asked| Some(asked == "manage_inference"));
        assert!(rights.grant(START));
        let granted = questions().iter().filter(|name| rights.grant(name)).count();
        assert_eq!(granted, 2, "start and stop of deployments");
    }
}
