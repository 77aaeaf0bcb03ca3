//! `custom_rules` of a detector, from JSON and back.
//!
//! Source of rules and texts: elasticsearch, `DetectionRule.java`, `RuleScope.java`, `RuleCondition.java`, `Detector.java`.

use serde_json::{Map, Value, json};

use super::fields::{Fields, not_supported};
use crate::node::http::ApiError;
use crate::node::ml::detector::{Actions, AppliesTo, Condition, DetectorPlan, Operator, Rule, Scope, Split};

/// Rules of one detector, and conditions of one rule.
const LIST_MAX: usize = 100;

const APPLIES_TO: [(&str, AppliesTo); 4] = [
    ("actual", AppliesTo::Actual),
    ("typical", AppliesTo::Typical),
    ("diff_from_typical", AppliesTo::DiffFromTypical),
    ("time", AppliesTo::Time),
];
const OPERATORS: [(&str, Operator); 4] =
    [("lt", Operator::Lt), ("lte", Operator::Lte), ("gt", Operator::Gt), ("gte", Operator::Gte)];

/// Reads the `custom_rules` of a detector whose other members are in `plan`.
///
/// # Errors
/// 400 with Elasticsearch's text.
pub(super) fn rules(value: Option<&Value>, plan: &DetectorPlan) -> Result<Vec<Rule>, ApiError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or_else(|| ApiError::content("[detector] failed to parse field [custom_rules]"))?;
    if list.len() > LIST_MAX {
        return Err(ApiError::illegal_argument(format!("a detector can have at most [{LIST_MAX}] custom rules")));
    }
    list.iter().map(|one| rule(one, plan)).collect()
}

/// As `GET` shows them.
pub(super) fn shown(plan: &DetectorPlan) -> Value {
    plan.rules.iter().map(|rule| shown_rule(rule, plan)).collect()
}

fn rule(value: &Value, plan: &DetectorPlan) -> Result<Rule, ApiError> {
    let fields = Fields::of("detection_rule", value)?.only(&["actions", "scope", "conditions"], &["params"])?;
    let actions = match fields.texts("actions")? {
        Some(names) => actions(&names)?,
        None => Actions { skip_result: true, skip_model_update: false },
    };
    let scope = match fields.object("scope")? {
        Some(scope) => scopes(scope, plan)?,
        None => Vec::new(),
    };
    let conditions = match fields.value("conditions") {
        None => Vec::new(),
        Some(Value::Array(list)) if list.len() <= LIST_MAX => {
            list.iter().map(condition).collect::<Result<_, ApiError>>()?
        }
        Some(_) => return Err(ApiError::content("[detection_rule] failed to parse field [conditions]")),
    };
    if scope.is_empty() && conditions.is_empty() {
        return Err(ApiError::illegal_argument("Invalid detector rule: at least scope or a condition is required"));
    }
    let on_value = conditions.first().is_some_and(|one: &Condition| one.applies_to != AppliesTo::Time);
    if on_value && !plan.function.has_anticipated_values() {
        return Err(ApiError::illegal_argument(format!(
            "Invalid detector rule: function {} only supports conditions that apply to time",
            plan.function.name
        )));
    }
    Ok(Rule { actions, scope, conditions })
}

fn actions(names: &[String]) -> Result<Actions, ApiError> {
    names.iter().try_fold(Actions::default(), |actions, name| match name.to_ascii_lowercase().as_str() {
        "skip_result" => Ok(Actions { skip_result: true, ..actions }),
        "skip_model_update" => Ok(Actions { skip_model_update: true, ..actions }),
        "force_time_shift" => Err(not_supported("detection_rule", "force_time_shift")),
        _ => Err(ApiError::content("[detection_rule] failed to parse field [actions]")),
    })
}

fn scopes(scope: &Map<String, Value>, plan: &DetectorPlan) -> Result<Vec<Scope>, ApiError> {
    let mut available: Vec<&str> = splits(plan).map(|(_, field)| field).collect();
    available.sort_unstable();
    let mut scopes = Vec::new();
    for (field, reference) in scope {
        let fields = Fields::of("filter_ref", reference)?.only(&["filter_id", "filter_type"], &[])?;
        let filter_id = fields.text("filter_id")?.ok_or_else(|| required("filter_id"))?.to_owned();
        let listed = match fields.text("filter_type")?.unwrap_or("include").to_ascii_lowercase().as_str() {
            "include" => true,
            "exclude" => false,
            _ => return Err(ApiError::content("[filter_ref] failed to parse field [filter_type]")),
        };
        let Some((split, _)) = splits(plan).find(|(_, own)| own == field) else {
            return Err(ApiError::illegal_argument(if available.is_empty() {
                format!(
                    "Invalid detector rule: scope field '{field}' is invalid; detector has no available fields for scoping"
                )
            } else {
                let available = available.join(", ");
                format!("Invalid detector rule: scope field '{field}' is invalid; select from [{available}]")
            }));
        };
        scopes.push(Scope { split, filter_id, listed });
    }
    Ok(scopes)
}

fn condition(value: &Value) -> Result<Condition, ApiError> {
    let fields = Fields::of("rule_condition", value)?.only(&["applies_to", "operator", "value"], &[])?;
    let missing: Vec<&str> =
        ["applies_to", "operator", "value"].into_iter().filter(|name| fields.value(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(required(&missing.join(", ")));
    }
    let applies_to = named(&fields, "applies_to", &APPLIES_TO)?;
    let operator = named(&fields, "operator", &OPERATORS)?;
    Ok(Condition { applies_to, operator, value: fields.number("value")?.unwrap_or_default() })
}

fn named<T: Copy>(fields: &Fields<'_>, member: &str, names: &[(&str, T)]) -> Result<T, ApiError> {
    let given = fields.text(member)?.unwrap_or_default();
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(given));
    let found = found.ok_or_else(|| ApiError::content(format!("[rule_condition] failed to parse field [{member}]")))?;
    Ok(found.1)
}

fn required(members: &str) -> ApiError {
    ApiError::illegal_argument(format!("Required [{members}]"))
}

fn splits(plan: &DetectorPlan) -> impl Iterator<Item = (Split, &str)> {
    [(Split::By, &plan.by), (Split::Over, &plan.over), (Split::Partition, &plan.partition)]
        .into_iter()
        .filter_map(|(split, field)| Some((split, field.as_deref()?)))
}

fn shown_rule(rule: &Rule, plan: &DetectorPlan) -> Value {
    let mut shown = Map::new();
    let actions = [(rule.actions.skip_result, "skip_result"), (rule.actions.skip_model_update, "skip_model_update")];
    let actions: Vec<&str> = actions.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    shown.insert("actions".to_owned(), json!(actions));
    let field = |split| splits(plan).find(|(own, _)| *own == split).map(|(_, field)| field.to_owned());
    let scope: Map<String, Value> = rule
        .scope
        .iter()
        .filter_map(|scope| {
            let kind = if scope.listed { "include" } else { "exclude" };
            Some((field(scope.split)?, json!({"filter_id": scope.filter_id, "filter_type": kind})))
        })
        .collect();
    if !scope.is_empty() {
        shown.insert("scope".to_owned(), Value::Object(scope));
    }
    if !rule.conditions.is_empty() {
        shown.insert("conditions".to_owned(), rule.conditions.iter().map(shown_condition).collect());
    }
    Value::Object(shown)
}

fn shown_condition(condition: &Condition) -> Value {
    let applies_to = APPLIES_TO.iter().find(|(_, one)| *one == condition.applies_to).map(|(name, _)| *name);
    let operator = OPERATORS.iter().find(|(_, one)| *one == condition.operator).map(|(name, _)| *name);
    json!({"applies_to": applies_to, "operator": operator, "value": condition.value})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read_detector;

    #[test]
    fn rules_are_read_as_elasticsearch_reads_them() {
        let scoped = json!([{"scope": {"host": {"filter_id": "f"}}}]);
        let detector = json!({"function": "count", "partition_field_name": "host", "custom_rules": scoped});
        let plan = read_detector(&detector).unwrap();
        let expected =
            json!([{"actions": ["skip_result"], "scope": {"host": {"filter_id": "f", "filter_type": "include"}}}]);
        assert_eq!(super::shown(&plan), expected);
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said_in_elasticsearchs_words() {
        let condition = json!({"applies_to": "actual", "operator": "lt", "value": 1});
        for (partition, rule, reason) in [
            ("host", json!({}), "Invalid detector rule: at least scope or a condition is required"),
            (
                "",
                json!({"scope": {"host": {"filter_id": "f"}}}),
                "Invalid detector rule: scope field 'host' is invalid; detector has no available fields for scoping",
            ),
            (
                "host",
                json!({"scope": {"user": {"filter_id": "f"}}}),
                "Invalid detector rule: scope field 'user' is invalid; select from [host]",
            ),
            ("host", json!({"scope": {"host": {}}}), "Required [filter_id]"),
            ("host", json!({"conditions": [{"applies_to": "actual"}]}), "Required [operator, value]"),
            ("host", json!({"conditions": [condition], "action": []}), "[detection_rule] unknown field [action]"),
            (
                "host",
                json!({"conditions": [condition], "actions": ["explode"]}),
                "[detection_rule] failed to parse field [actions]",
            ),
            (
                "host",
                json!({"conditions": [{"applies_to": "x", "operator": "lt", "value": 1}]}),
                "[rule_condition] failed to parse field [applies_to]",
            ),
        ] {
            let detector = json!({"function": "count", "partition_field_name": partition, "custom_rules": [rule]});
            assert_eq!(read_detector(&detector).unwrap_err().reason(), reason);
        }
    }
}
