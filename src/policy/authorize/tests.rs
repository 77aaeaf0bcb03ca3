use std::collections::BTreeMap;

use super::*;
use crate::policy::principal::RealmRef;

const OPEN: Demand = Demand::Action("cluster:admin/xpack/ml/job/open");
const MANAGE_ML: Demand = Demand::Privileges(&["manage_ml"]);

fn principal(roles: &[&str]) -> Principal {
    Principal {
        username: "jane".to_owned(),
        realm: RealmRef { name: "file1".to_owned(), kind: "file" },
        roles: roles.iter().map(|role| RoleName::new(*role)).collect(),
        rights: Rights::Roles,
        groups: Vec::new(),
        full_name: None,
        email: None,
        metadata: BTreeMap::new(),
    }
}

fn roles(custom: &[(&str, &[&str])]) -> Roles {
    let role = |(name, cluster): &(&str, &[&str])| {
        Role::new(RoleName::new(*name), cluster.iter().map(|text| (*text).to_owned()).collect(), Vec::new()).unwrap()
    };
    Roles::with_custom(custom.iter().map(role).collect()).unwrap()
}

#[test]
fn a_grant_names_role_and_privilege() {
    let grant = authorize(&principal(&["viewer", "machine_learning_admin"]), OPEN, &Roles::builtin()).unwrap();
    assert_eq!((grant.role().map(RoleName::as_str), grant.privilege()), (Some("machine_learning_admin"), "manage_ml"));
}

#[test]
fn without_a_role_or_a_policy_everything_is_denied() {
    for demand in [OPEN, MANAGE_ML, Demand::Privileges(&[]), Demand::Action("")] {
        assert!(authorize(&principal(&[]), demand, &Roles::builtin()).is_err());
        assert!(authorize(&principal(&["superuser"]), demand, &Roles::default()).is_err());
    }
    assert!(authorize(&principal(&["machine_learning_admin"]), Demand::Privileges(&[]), &Roles::builtin()).is_err());
}

#[test]
fn the_reason_is_elasticsearchs() {
    let denial = authorize(&principal(&["viewer", "editor"]), OPEN, &Roles::builtin()).unwrap_err();
    assert_eq!(
        denial.reason("jane", "POST /_ml/anomaly_detectors/j/_open"),
        "action [cluster:admin/xpack/ml/job/open] is unauthorized for user [jane] with effective roles [editor,viewer], \
         this action is granted by the cluster privileges [manage_ml,manage,all]"
    );
}

#[test]
fn roles_that_do_not_exist_are_named() {
    let denial = authorize(&principal(&["zeta", "alpha", "viewer"]), OPEN, &Roles::builtin()).unwrap_err();
    assert_eq!(
        denial.reason("jane", ""),
        "action [cluster:admin/xpack/ml/job/open] is unauthorized for user [jane] with effective roles [viewer] \
         (assigned roles [alpha,zeta] were not found), this action is granted by the cluster privileges [manage_ml,manage,all]"
    );
}

#[test]
fn where_there_is_no_action_the_route_is_named() {
    let denial = authorize(&principal(&["machine_learning_admin"]), Demand::Privileges(&["all"]), &Roles::builtin());
    assert_eq!(
        denial.unwrap_err().reason("jane", "POST /_features/_reset"),
        "action [POST /_features/_reset] is unauthorized for user [jane] with effective roles [machine_learning_admin], \
         this action is granted by the cluster privileges [all]"
    );
}

#[test]
fn all_named_privileges_are_needed() {
    let both = Demand::Privileges(&["manage", "manage_ml"]);
    let roles = roles(&[("operator", &["manage"])]);
    assert!(authorize(&principal(&["machine_learning_admin"]), both, &roles).is_err());
    assert!(authorize(&principal(&["operator"]), both, &roles).is_ok());
    assert!(authorize(&principal(&["operator"]), Demand::Privileges(&["all"]), &roles).is_err());
}

#[test]
fn several_roles_are_a_union() {
    let roles = roles(&[("half", &["cluster:admin/xpack/ml/*"]), ("other", &["monitor_ml"])]);
    assert!(authorize(&principal(&["half"]), MANAGE_ML, &roles).is_err());
    assert!(authorize(&principal(&["half", "other"]), MANAGE_ML, &roles).is_ok());
    assert!(has_privilege(&principal(&["half", "other"]), "manage_ml", &roles));
    assert!(!has_privilege(&principal(&["half", "other"]), "manage", &roles));
    assert!(!has_privilege(&principal(&["superuser"]), "superuser", &roles));
}

#[test]
fn internal_actions_need_manage() {
    let isolate = Demand::Action("cluster:internal/xpack/ml/datafeed/isolate");
    assert!(authorize(&principal(&["machine_learning_admin"]), isolate, &Roles::builtin()).is_err());
    assert!(authorize(&principal(&["superuser"]), isolate, &Roles::builtin()).is_ok());
}

fn of_cluster(account: Account, granted: &[&str]) -> Principal {
    let rights = Rights::Cluster(ClusterRights::new(account, |name| Some(granted.contains(&name))));
    Principal { rights, ..principal(&["superuser", "ops"]) }
}

#[test]
fn a_cluster_decides_whatever_roles_it_names() {
    let open = "cluster:admin/xpack/ml/job/open";
    let opener = of_cluster(Account::User, &[open, "manage"]);
    let grant = authorize(&opener, OPEN, &Roles::builtin()).unwrap();
    assert_eq!((grant.role(), grant.privilege()), (None, open));
    for demand in [MANAGE_ML, Demand::Privileges(&["manage", "manage_ml"]), Demand::Privileges(&["monitor"])] {
        assert!(authorize(&opener, demand, &Roles::builtin()).is_err(), "{demand:?}: `superuser` is only a name here");
    }
    assert!(has_privilege(&opener, "manage", &Roles::default()));
    assert!(!has_privilege(&opener, "manage_ml", &Roles::builtin()));
}

#[test]
fn each_kind_of_account_is_denied_as_elasticsearch_names_it() {
    let run_as = Account::RunAs { by: "proxy".to_owned() };
    for (account, who) in [
        (Account::User, "user [jane] with effective roles [ops,superuser]"),
        (run_as, "user [proxy] run as [jane] with effective roles [ops,superuser]"),
        (Account::ApiKey { id: "k1".to_owned() }, "API key id [k1] of user [jane]"),
        (Account::ServiceAccount, "service account [jane]"),
    ] {
        let denial = authorize(&of_cluster(account, &[]), OPEN, &Roles::builtin()).unwrap_err();
        assert_eq!(
            denial.reason("jane", ""),
            format!(
                "action [cluster:admin/xpack/ml/job/open] is unauthorized for {who}, this action is granted by the \
                 cluster privileges [manage_ml,manage,all]"
            )
        );
    }
}
