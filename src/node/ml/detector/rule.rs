//! Custom rules and scheduled events: what keeps a value out of the results or out of the model.

use super::filter::Filters;

/// What a rule, or a scheduled event, does to the values that it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actions {
    /// Nothing is reported of the value.
    pub(crate) skip_result: bool,
    /// Nothing is learned from the value.
    pub(crate) skip_model_update: bool,
}

impl Actions {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            skip_result: self.skip_result || other.skip_result,
            skip_model_update: self.skip_model_update || other.skip_model_update,
        }
    }
}

/// A rule of a detector: it applies where its whole scope and all of its conditions hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) actions: Actions,
    pub(crate) scope: Vec<Scope>,
    pub(crate) conditions: Vec<Condition>,
}

/// Which of a detector's fields a scope looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split {
    By,
    Over,
    Partition,
}

/// Holds where the field's value is listed in the filter, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) split: Split,
    pub(crate) filter_id: String,
    pub(crate) listed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppliesTo {
    Actual,
    Typical,
    DiffFromTypical,
    /// The start of the bucket, seconds since 1970.
    Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Lt,
    Lte,
    Gt,
    Gte,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) applies_to: AppliesTo,
    pub(crate) operator: Operator,
    pub(crate) value: f64,
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) by: Option<&'a str>,
    pub(crate) over: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
    pub(crate) start_ms: i64,
    pub(crate) actual: f64,
    /// `None` while the model knows too little: no condition on it holds.
    pub(crate) typical: Option<f64>,
}

impl Rule {
    /// What all rules that apply do together.
    pub(crate) fn actions(rules: &[Self], subject: &Subject<'_>, filters: &Filters) -> Actions {
        rules
            .iter()
            .filter(|rule| rule.applies(subject, filters))
            .fold(Actions::default(), |actions, rule| actions.and(rule.actions))
    }

    fn applies(&self, subject: &Subject<'_>, filters: &Filters) -> bool {
        self.scope.iter().all(|scope| scope.holds(subject, filters))
            && self.conditions.iter().all(|condition| condition.holds(subject))
    }
}

impl Scope {
    /// A filter that is not there holds nowhere: a lost filter hides no anomaly.
    fn holds(&self, subject: &Subject<'_>, filters: &Filters) -> bool {
        let value = match self.split {
            Split::By => subject.by,
            Split::Over => subject.over,
            Split::Partition => subject.partition,
        };
        let filter = filters.get(&self.filter_id);
        value.zip(filter).is_some_and(|(value, filter)| filter.lists(value) == self.listed)
    }
}

impl Condition {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let found = match self.applies_to {
            AppliesTo::Actual => Some(subject.actual),
            AppliesTo::Typical => subject.typical,
            AppliesTo::DiffFromTypical => subject.typical.map(|typical| (subject.actual - typical).abs()),
            AppliesTo::Time => Some(subject.start_ms as f64 / 1000.0),
        };
        found.is_some_and(|found| match self.operator {
            Operator::Lt => found < self.value,
            Operator::Lte => found <= self.value,
            Operator::Gt => found > self.value,
            Operator::Gte => found >= self.value,
        })
    }
}

/// An event of a calendar. It covers every bucket that it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScheduledEvent {
    pub(crate) description: String,
    /// Milliseconds since 1970.
    pub(crate) start_ms: i64,
    /// Milliseconds since 1970, exclusive.
    pub(crate) end_ms: i64,
    pub(crate) actions: Actions,
}

impl ScheduledEvent {
    pub(crate) fn covers(&self, start_ms: i64, span_ms: i64) -> bool {
        self.start_ms < start_ms.saturating_add(span_ms) && self.end_ms > start_ms
    }
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;

    const BOTH: Actions = Actions { skip_result: true, skip_model_update: true };

    fn subject(by: &str) -> Subject<'_> {
        Subject { by: Some(by), over: None, partition: None, start_ms: 60_000, actual: 5.0, typical: Some(8.0) }
    }

    fn condition(applies_to: AppliesTo, operator: Operator, value: f64) -> Condition {
        Condition { applies_to, operator, value }
    }

    #[test]
    fn conditions_compare_what_they_apply_to() {
        use AppliesTo::{Actual, DiffFromTypical, Time, Typical};
        use Operator::{Gt, Gte, Lt, Lte};
        for (one, holds) in [
            (condition(Actual, Lt, 5.0), false),
            (condition(Actual, Lte, 5.0), true),
            (condition(Typical, Gt, 5.0), true),
            (condition(DiffFromTypical, Gte, 3.0), true),
            (condition(DiffFromTypical, Gt, 3.0), false),
            (condition(Time, Gte, 60.0), true),
            (condition(Time, Lt, 60.0), false),
        ] {
            assert_eq!(one.holds(&subject("a")), holds, "{one:?}");
        }
        let unknown = Subject { typical: None, ..subject("a") };
        assert!(!condition(Typical, Lt, f64::MAX).holds(&unknown));
    }

    #[test]
    fn a_rule_applies_where_scope_and_conditions_hold() {
        let filters = Filters::from([("f".to_owned(), Filter::new(["a".to_owned()]))]);
        let scope = |listed, filter_id: &str| Scope { split: Split::By, filter_id: filter_id.to_owned(), listed };
        let rule = |scope, conditions| Rule { actions: BOTH, scope, conditions };
        let low = condition(AppliesTo::Actual, Operator::Lt, 10.0);
        let high = condition(AppliesTo::Actual, Operator::Gt, 10.0);
        for (one, by, applies) in [
            (rule(vec![scope(true, "f")], vec![]), "a", true),
            (rule(vec![scope(true, "f")], vec![]), "b", false),
            (rule(vec![scope(false, "f")], vec![]), "b", true),
            (rule(vec![scope(false, "lost")], vec![]), "b", false),
            (rule(vec![scope(true, "f")], vec![low]), "a", true),
            (rule(vec![scope(true, "f")], vec![low, high]), "a", false),
            (rule(vec![], vec![low]), "b", true),
        ] {
            let actions = Rule::actions(std::slice::from_ref(&one), &subject(by), &filters);
            assert_eq!(actions, if applies { BOTH } else { Actions::default() }, "{one:?} {by}");
        }
    }

    #[test]
    fn an_event_covers_every_bucket_that_it_touches() {
        let event = ScheduledEvent { description: String::new(), start_ms: 90, end_ms: 200, actions: BOTH };
        let covered: Vec<i64> = (0..4).map(|bucket| bucket * 100).filter(|start| event.covers(*start, 100)).collect();
        assert_eq!(covered, [0, 100]);
    }
}
