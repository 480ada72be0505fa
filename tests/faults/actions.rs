//! Actions of people whose request dies: after a certain call of the action, all of its calls fail. Nobody repeats the
//! action. Within two minutes either all of its effects have happened, or the action was never written.
//!
//! A request that dies after a call is equal to one that dies before the next call. Each action is therefore cut off
//! before its first call, its second, and so on, until it makes no further call. That needs about twenty incidents per
//! action and takes longer than ten seconds.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::timer::Work;
use scenarios::escalation::members;
use scenarios::people::Member;
use scenarios::sender::Sender;
use scenarios::space::feishu_bot;
use scenarios::wire::{Fault, Refusal, Wire, any_call, sns};
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
/// Longer than the visibility timeout of a queue.
const COMES_AGAIN: Duration = Duration::from_secs(185);
/// Far more calls than an action makes. A test that reaches this number is wrong.
const MANY: u64 = 60;

struct Stage {
    wire: Wire,
    world: World,
    sender: Sender,
    wang: Member,
}

/// An action and its expected effects.
struct Case {
    action: &'static str,
    body: Value,
    /// The actions on the incident before the tested one.
    before: &'static [&'static str],
    /// The kind of the action's timeline entry.
    kind: &'static str,
    /// The group that is notified, and a text in the message. Empty: nobody is notified.
    sent: (&'static str, &'static str),
    after: u64,
}

impl Case {
    fn of(action: &'static str, kind: &'static str, sent: (&'static str, &'static str)) -> Self {
        Self { action, body: json!({}), before: &[], kind, sent, after: 2 }
    }
}

impl Stage {
    /// A space that notifies Li, and Wang after half an hour.
    async fn new() -> Self {
        let wire = Wire::start().await;
        let world = World::start_through(&wire).await;
        let li = world.member("li").chat(feishu_bot("li")).make().await;
        let wang = world.member("wang").chat(feishu_bot("wang")).make().await;
        let space = world.space("Ops").make().await;
        world.rule(&space, "Always").levels([members(&[&li]).for_minutes(30), members(&[&wang])]).await;
        let sender = world.feishu_alert().monitoring().into(&space).await;
        Self { wire, world, sender, wang }
    }

    /// Opens a new incident, because each attempt needs its own. Returns its title and id.
    async fn incident(&self, number: u64) -> (String, String) {
        let title = format!("problem no{number}end");
        self.sender.says(&format!("{title}\nkey=k{number}")).await;
        self.world.rest().await;
        let newest = self.world.api.list("/incidents").await.into_iter().next().expect("an incident");
        assert_eq!(newest["title"], title);
        (title, newest["id"].as_str().expect("an id").to_owned())
    }

    async fn post(&self, id: &str, action: &str, body: &Value) -> u16 {
        self.world.api.call("POST", &format!("/incidents/{id}/{action}"), Some(body)).await.status
    }

    async fn kinds(&self, id: &str) -> Vec<String> {
        let incident = self.world.api.get(&format!("/incidents/{id}")).await;
        let entries = incident["timeline"].as_array().expect("a timeline").iter();
        entries.map(|entry| entry["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// Performs the action while every call from the nth on fails. Returns whether there was an nth call.
    async fn cut_off(&self, n: u64, id: &str, action: &str, body: &Value) -> bool {
        let rule = self.wire.before(any_call().from_nth(n), Fault::Refuse(Refusal::DENIED));
        self.post(id, action, body).await;
        let was_cut = rule.count() > 0;
        rule.remove();
        was_cut
    }

    /// The wire cannot know which function makes a call, so another function that had begun its work may have failed
    /// together with the request. That function receives its messages again only later, as after any failure of AWS.
    async fn two_minutes(&self) {
        for _ in 0..2 {
            if tokio::time::timeout(Duration::from_millis(500), self.world.larkspur.settled()).await.is_err() {
                self.world.larkspur.advance(COMES_AGAIN).await;
            }
            self.world.advance(MINUTE).await;
        }
    }

    /// The number of messages in a group that contain this title and this word.
    fn shown(&self, group: &str, title: &str, word: &str) -> usize {
        let messages = self.world.feishu(group).messages().into_iter().map(|message| message.everything());
        messages.filter(|message| message.contains(title) && message.contains(word)).count()
    }

    /// Checks that the operators' subscribers received the change.
    fn assert_published(&self, id: &str, kind: &str, case: &str) {
        let calls = self.wire.calls(&sns("PublishBatch").holding(id).holding(kind));
        assert!(calls.iter().any(|call| call.passed_on && call.status == Some(200)), "{case}: not published");
    }

    async fn assert_nothing_is_due_any_more(&self, case: &str) {
        let far = Moment::from_millis(self.world.larkspur.clock.now().millis() + 7_200_000);
        let due = self.world.store().due_timers(far, 1000).await.expect("read");
        assert!(!due.iter().any(|timer| matches!(timer.work, Work::FollowUp { .. })), "{case}: {due:#?}");
    }
}

async fn survives(case: Case) {
    let stage = Stage::new().await;
    let body = match case.action {
        "reassign" | "responders" => json!({"members": [stage.wang.id]}),
        _ => case.body.clone(),
    };
    let (mut written, mut unwritten) = (0, 0);
    for n in 1.. {
        assert!(n < MANY, "it makes calls on and on");
        let name = format!("{} cut off before call {n}", case.action);
        let (title, id) = stage.incident(n).await;
        for action in case.before {
            assert_eq!(stage.post(&id, action, &json!({})).await, 200, "{name}");
            stage.world.advance(seconds(11)).await;
        }
        let was_cut = stage.cut_off(n, &id, case.action, &body).await;
        stage.two_minutes().await;
        if stage.kinds(&id).await.iter().any(|kind| kind == case.kind) {
            written += 1;
            stage.assert_published(&id, case.kind, &name);
            if case.after > 2 {
                stage.world.advance(minutes(case.after - 2)).await;
            }
            let (group, word) = case.sent;
            assert!(group.is_empty() || stage.shown(group, &title, word) > 0, "{name}: {group} was not notified");
        } else {
            unwritten += 1;
        }
        stage.assert_nothing_is_due_any_more(&name).await;
        let alerts = stage.world.api.list("/alerts?status=open").await;
        let is_open = alerts.iter().any(|alert| alert["alert_key"] == format!("k{n}"));
        let is_closed = stage.kinds(&id).await.iter().any(|kind| kind == "closed");
        assert_eq!(is_open, !is_closed, "{name}: an alert closes with its incident");
        stage.sender.says(&format!("RESOLVED\nkey=k{n}")).await;
        stage.world.rest().await;
        if !was_cut {
            break;
        }
    }
    assert!(written > 3 && unwritten > 2, "{written} times the action was written, {unwritten} times not");
    for group in ["li", "wang"] {
        stage.world.feishu(group).accept_all();
    }
    stage.world.finish_with_timers().await;
}

// Proves: finding F1
#[tokio::test]
async fn an_acknowledgement_is_completed_after_its_request_dies() {
    survives(Case::of("acknowledge", "acknowledged", ("li", "Acknowledged"))).await;
}

// Proves: finding F1
#[tokio::test]
async fn an_unacknowledgement_is_completed_after_its_request_dies() {
    let case = Case::of("unacknowledge", "unacknowledged", ("wang", ""));
    survives(Case { before: &["acknowledge"], after: 33, ..case }).await;
}

// Proves: finding F1
#[tokio::test]
async fn a_snooze_ends_although_its_request_died() {
    let case = Case::of("snooze", "snoozed", ("li", "Snooze ended"));
    survives(Case { body: json!({"minutes": 10}), after: 12, ..case }).await;
}

// Proves: actions-survive, finding F1
#[tokio::test]
async fn a_close_closes_the_alert_although_its_request_died() {
    survives(Case::of("close", "closed", ("li", "Closed"))).await;
}

// Proves: finding F1
#[tokio::test]
async fn a_reopening_is_completed_after_its_request_dies() {
    survives(Case { before: &["close"], ..Case::of("reopen", "reopened", ("li", "Reopened")) }).await;
}

// Proves: finding F1
#[tokio::test]
async fn an_escalation_is_completed_after_its_request_dies() {
    survives(Case::of("escalate", "escalated", ("wang", ""))).await;
}

// Proves: finding F1
#[tokio::test]
async fn a_reassignment_is_completed_after_its_request_dies() {
    survives(Case::of("reassign", "reassigned", ("wang", ""))).await;
}

// Proves: finding F1
#[tokio::test]
async fn an_added_responder_is_notified_although_the_request_died() {
    survives(Case::of("responders", "responder_added", ("wang", ""))).await;
}

// Proves: finding F1
#[tokio::test]
async fn a_comment_is_published_although_its_request_died() {
    survives(Case { body: json!({"text": "looking"}), ..Case::of("comments", "commented", ("", "")) }).await;
}

// Proves: finding F1
#[tokio::test]
async fn a_merge_whose_request_dies_changes_both_incidents_or_none() {
    let stage = Stage::new().await;
    let (mut written, mut unwritten) = (0, 0);
    for n in 1.. {
        assert!(n < MANY, "it makes calls on and on");
        let name = format!("merge cut off before call {n}");
        let ((_, from), (_, into)) = (stage.incident(2 * n).await, stage.incident(2 * n + 1).await);
        let was_cut = stage.cut_off(n, &into, "merge", &json!({"incidents": [from]})).await;
        stage.two_minutes().await;
        let (left, joined) = (stage.kinds(&from).await, stage.kinds(&into).await);
        let is_merged = left.iter().any(|kind| kind == "merged_away");
        assert_eq!(joined.iter().any(|kind| kind == "merged"), is_merged, "{name}: both or none");
        let target = stage.world.api.get(&format!("/incidents/{into}")).await;
        assert_eq!(target["alert_count"], if is_merged { 2 } else { 1 }, "{name}");
        if is_merged {
            written += 1;
            stage.assert_published(&from, "merged_away", &name);
            stage.assert_published(&into, "merged", &name);
        } else {
            unwritten += 1;
        }
        stage.assert_nothing_is_due_any_more(&name).await;
        for key in [2 * n, 2 * n + 1] {
            stage.sender.says(&format!("RESOLVED\nkey=k{key}")).await;
            stage.world.rest().await;
        }
        assert!(stage.world.api.list("/incidents?progress=triggered").await.is_empty(), "{name}: all recovered");
        if !was_cut {
            break;
        }
    }
    assert!(written > 3 && unwritten > 2, "{written} times the merge was written, {unwritten} times not");
    stage.world.feishu("li").accept_all();
    stage.world.finish_with_timers().await;
}

// Proves: finding F1
#[tokio::test]
async fn a_severity_raised_by_a_request_that_dies_is_notified() {
    let stage = Stage::new().await;
    let mut written = 0;
    for n in 1.. {
        assert!(n < MANY, "it makes calls on and on");
        let (title, id) = stage.incident(n).await;
        let rule = stage.wire.before(any_call().from_nth(n), Fault::Refuse(Refusal::DENIED));
        stage.world.api.call("PUT", &format!("/incidents/{id}"), Some(&json!({"severity": "Critical"}))).await;
        let was_cut = rule.count() > 0;
        rule.remove();
        stage.two_minutes().await;
        if stage.kinds(&id).await.iter().any(|kind| kind == "severity_raised") {
            let name = format!("edit cut off before call {n}");
            written += 1;
            stage.assert_published(&id, "severity_raised", &name);
            assert!(stage.shown("li", &title, "Severity raised") > 0, "{name}: li was not notified");
        }
        stage.assert_nothing_is_due_any_more("edit").await;
        if !was_cut {
            break;
        }
    }
    assert!(written > 2, "{written} times the edit was written");
    for group in ["li", "wang"] {
        stage.world.feishu(group).accept_all();
    }
    stage.world.finish_with_timers().await;
}
