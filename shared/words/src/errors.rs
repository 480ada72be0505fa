//! Why an action on an incident is refused.

use alerting::incident::action::ActionError;
use alerting::people::destination::Language;

use crate::text::Text;
use crate::timeline::in_api;

texts! {
    CLOSED: "the incident is closed; reopen it first" | "故障已关闭，请先重新打开";
    NOT_CLOSED: "the incident is not closed" | "故障尚未关闭";
    REOPENED: "the incident was reopened since" | "该故障此后已重新打开";
    NOT_ACKNOWLEDGED: "nobody has acknowledged the incident" | "尚无人认领此故障";
    MERGED: "the incident was merged into {incident}; act on that one" | "故障已合并到 {incident}，请在那里操作";
    NO_RULE: "the incident has no escalation rule; reassign it to someone instead" | "此故障没有升级规则，请改派给其他人";
    NO_LEVEL: "the escalation rule has {levels} levels, and no level {level}" | "升级规则有 {levels} 级，没有第 {level} 级";
    TOO_MANY_ALERTS: "together the incidents have more than {count} alerts" | "这些故障合计超过 {count} 条告警";
}

/// The sentence of the API for a refused action.
pub fn refused(error: &ActionError, language: Language) -> String {
    let say = |text: Text, with: &[(&str, &str)]| text.fill(language, with);
    match error {
        ActionError::Closed => say(CLOSED, &[]),
        ActionError::NotClosed => say(NOT_CLOSED, &[]),
        ActionError::Reopened => say(REOPENED, &[]),
        ActionError::NotAcknowledged => say(NOT_ACKNOWLEDGED, &[]),
        ActionError::Merged(incident) => say(MERGED, &[("incident", incident.as_str())]),
        ActionError::NoRule => say(NO_RULE, &[]),
        ActionError::NoLevel { levels, level } => {
            say(NO_LEVEL, &[("levels", &levels.to_string()), ("level", &level.to_string())])
        }
        ActionError::NobodyThere(unreached) => in_api(language).unreached(unreached),
        ActionError::TooManyAlerts => say(TOO_MANY_ALERTS, &[("count", &alerting::incident::ALERTS.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_logged_as_the_api_says_it() {
        for error in [
            ActionError::Closed,
            ActionError::NotClosed,
            ActionError::Reopened,
            ActionError::NotAcknowledged,
            ActionError::Merged("inc_01KE6W5Z000000000000000001abc".parse().expect("valid")),
            ActionError::NoRule,
            ActionError::NoLevel { levels: 2, level: 3 },
            ActionError::TooManyAlerts,
        ] {
            assert_eq!(refused(&error, Language::English), error.to_string());
        }
    }
}
