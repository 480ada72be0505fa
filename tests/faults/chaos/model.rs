//! The expected and the observed results. The model applies the messages one after the other.

use std::collections::{HashMap, HashSet};

use scenarios::World;
use serde_json::Value;

use crate::chaos::plan::{MODES, Message, Mode, Plan, Says, text};
use crate::chaos::senders::Sent;

/// The results that the API shows.
pub(crate) struct Observed {
    /// The log of each mode, oldest first.
    log: Vec<(Mode, Vec<Value>)>,
    alerts: Vec<Value>,
    /// The incidents by the name of the destination, each with whether it is open.
    incidents: HashMap<String, Vec<(String, bool)>>,
    /// The number of incidents that notify nobody, because their recovery was applied first after the evaluator of
    /// their trigger was killed.
    never_triggered: usize,
    ledger: Vec<Value>,
}

impl Observed {
    pub(crate) async fn read(world: &World, plan: &Plan) -> Self {
        let mut log = Vec::new();
        for mode in MODES {
            let mut entries = world.api.list(&format!("/integrations/{}/messages", plan.of(mode).id)).await;
            entries.sort_by_key(|entry| text(entry, "id"));
            log.push((mode, entries));
        }
        let alerts = world.api.list("/alerts").await;
        let mut incidents: HashMap<String, Vec<(String, bool)>> = HashMap::new();
        let mut never_triggered = 0;
        let spaces = world.api.list("/spaces").await;
        for incident in world.api.list("/incidents").await {
            let space = spaces.iter().find(|space| space["id"] == incident["space"]).expect("its space");
            let groups = space["destinations"].as_array().expect("a list").len();
            let (id, is_open) = (text(&incident, "id"), incident["closed_at"].is_null());
            if !is_open && !was_triggered(world, &id).await {
                never_triggered += 1;
                continue;
            }
            for number in 0..groups {
                incidents.entry(format!("{}-{number}", text(space, "name"))).or_default().push((id.clone(), is_open));
            }
        }
        let ledger = world.api.get("/ledger?hours=6").await["items"].as_array().expect("hours").clone();
        Self { log, alerts, incidents, never_triggered, ledger }
    }

    pub(crate) fn incidents_of(&self, group: &str) -> impl Iterator<Item = (&str, bool)> {
        self.incidents.get(group).into_iter().flatten().map(|(id, is_open)| (id.as_str(), *is_open))
    }

    fn log_of(&self, mode: Mode) -> &[Value] {
        let (_, entries) = self.log.iter().find(|(known, _)| *known == mode).expect("every mode");
        entries
    }

    fn total(&self, part: &str, name: &str) -> i64 {
        self.ledger.iter().map(|hour| hour[part][name].as_i64().unwrap_or(0)).sum()
    }
}

async fn was_triggered(world: &World, incident: &str) -> bool {
    let shown = world.api.get(&format!("/incidents/{incident}")).await;
    shown["timeline"].as_array().expect("a timeline").iter().any(|entry| entry["kind"] == "triggered")
}

/// Checks all messages, then each key. Returns a summary.
pub(crate) fn check(plan: &Plan, sent: &Sent, observed: &Observed) -> String {
    let messages: Vec<&Message> = plan.rounds.iter().flatten().chain(&plan.last).collect();
    let by_text: HashMap<&str, &Message> = messages.iter().map(|message| (message.text.as_str(), *message)).collect();
    let mut logged: HashMap<&str, usize> = HashMap::new();
    for (mode, entries) in &observed.log {
        for entry in entries {
            let message = by_text[entry["content"].as_str().expect("a text")];
            assert_eq!(message.mode, *mode, "{entry}");
            *logged.entry(message.text.as_str()).or_default() += 1;
        }
    }
    for message in &messages {
        let (times, attempts) = (logged.get(message.text.as_str()).copied().unwrap_or(0), sent.times[&message.text]);
        assert!((1..=attempts).contains(&times), "{message:?} was sent {attempts} times and has {times} outcomes");
    }
    each_message(observed);
    let superseded =
        [Mode::ByTitle, Mode::ByRules].map(|mode| by_key(plan, observed, mode, &by_text)).iter().sum::<usize>();
    let outcomes: usize = logged.values().sum();
    let gaps = ledger(observed, outcomes, sent.attempts());
    format!(
        "{outcomes} outcomes, {superseded} superseded, {} alerts, {gaps} numbers of the intake unused, {} incidents over before they were notified",
        observed.alerts.len(),
        observed.never_triggered
    )
}

/// Checks that every message has an alert of its own, and every alert a message.
fn each_message(observed: &Observed) {
    let entries = observed.log_of(Mode::EachMessage);
    let alerts: HashMap<&str, &Value> = observed
        .alerts
        .iter()
        .filter(|alert| alert["alert_key"].is_null())
        .map(|alert| (alert["id"].as_str().expect("an id"), alert))
        .collect();
    assert_eq!(alerts.len(), entries.len(), "alerts of the mode each message");
    for entry in entries {
        let alert = alerts[entry["alert_id"].as_str().expect("an alert")];
        assert_eq!(entry["outcome"], "triggered", "{entry}");
        assert_eq!((&alert["title"], &alert["description"]), (&entry["title"], &entry["content"]));
        assert_eq!((alert["status"].as_str(), alert["count"].as_u64()), (Some("open"), Some(1)), "{alert}");
    }
}

/// Checks that the newest message of each key decides, and that no message counts twice. Returns how many messages are
/// listed as superseded.
fn by_key(plan: &Plan, observed: &Observed, mode: Mode, by_text: &HashMap<&str, &Message>) -> usize {
    let mut keys: HashMap<&str, Vec<(&Value, &Message)>> = HashMap::new();
    let mut superseded = 0;
    for entry in observed.log_of(mode) {
        let message = by_text[entry["content"].as_str().expect("a text")];
        if message.says == Says::Chatter {
            assert_eq!(entry["outcome"], "discarded", "{entry}");
            continue;
        }
        assert_eq!(entry["alert_key"], *message.key, "{entry}");
        superseded += usize::from(entry["outcome"] == "superseded");
        keys.entry(&message.key).or_default().push((entry, message));
    }
    let id = &plan.of(mode).id;
    for last in plan.last.iter().filter(|last| last.mode == mode) {
        let sent = &keys[last.key.as_str()];
        let (newest, message) = sent.last().expect("the last one at least");
        assert_eq!(message.text, last.text, "what was sent last is the newest");
        let alerts: Vec<&Value> = observed
            .alerts
            .iter()
            .filter(|alert| alert["integration"] == **id && alert["alert_key"] == *last.key)
            .collect();
        one_key(newest, message, sent, &alerts);
    }
    superseded
}

fn one_key(newest: &Value, message: &Message, sent: &[(&Value, &Message)], alerts: &[&Value]) {
    let history = || {
        let line =
            |(entry, message): &(&Value, &Message)| format!("{} {:?} {}", entry["id"], message.says, entry["outcome"]);
        format!("{}\n{:#?}", sent.iter().map(line).collect::<Vec<_>>().join("\n"), alerts)
    };
    let open: Vec<&&Value> = alerts.iter().filter(|alert| alert["status"] == "open").collect();
    let expected = usize::from(message.says == Says::Trigger);
    assert_eq!(open.len(), expected, "open alerts of {}, whose newest is {newest}:\n{}", message.key, history());
    // Compared by id, which begins with the stamp, because two alerts may have been triggered in the same millisecond.
    let shown = open.first().copied().or_else(|| alerts.iter().max_by_key(|alert| text(alert, "id")));
    if let Some(alert) = shown {
        let texts = shown_by(sent);
        let shows = |(entry, message): (&Value, &Message)| {
            let severity = if message.critical { "Critical" } else { "Warning" };
            alert["description"] == *message.text && alert["title"] == entry["title"] && alert["severity"] == severity
        };
        assert!(texts.into_iter().any(shows), "it shows another text:\n{}", history());
    }
    let with = |outcomes: &[&str]| {
        let found = sent.iter().filter(|(entry, _)| outcomes.contains(&entry["outcome"].as_str().expect("an outcome")));
        found.count() as u64
    };
    let triggers = sent.iter().filter(|(_, message)| message.says == Says::Trigger).count() as u64;
    let counted: u64 = alerts.iter().map(|alert| alert["count"].as_u64().expect("a count")).sum();
    // A message that a killed process had applied but not yet listed may be counted and listed as superseded.
    assert!((with(&["triggered", "updated"])..=triggers).contains(&counted), "counted {counted}:\n{}", history());
    let opened: HashSet<&str> = sent
        .iter()
        .filter(|(entry, _)| entry["outcome"] == "triggered")
        .filter_map(|(entry, _)| entry["alert_id"].as_str())
        .collect();
    let known: HashSet<&str> = alerts.iter().filter_map(|alert| alert["id"].as_str()).collect();
    assert!(opened.is_subset(&known), "an alert is missing:\n{}", history());
}

/// The triggers that the newest alert may show: the newest one that is listed as applied, and all later ones, because a
/// killed process may have applied them without listing them. A close changes no text.
fn shown_by<'a>(sent: &'a [(&'a Value, &'a Message)]) -> Vec<(&'a Value, &'a Message)> {
    let is_trigger = |(_, message): &&(&Value, &Message)| message.says == Says::Trigger;
    let is_applied = |(entry, message): &(&Value, &Message)| {
        message.says == Says::Trigger && (entry["outcome"] == "triggered" || entry["outcome"] == "updated")
    };
    let newest = sent.iter().rposition(is_applied).unwrap_or_default();
    sent[newest..].iter().filter(is_trigger).copied().collect()
}

/// Checks that every message has one result and that every notice was delivered or folded. Returns how many numbers the
/// intake assigned to sends that failed.
fn ledger(observed: &Observed, outcomes: usize, attempts: usize) -> i64 {
    let total = |name| observed.total("messages", name);
    let counted: i64 =
        ["refused", "discarded", "superseded", "updated", "triggered", "recovered"].into_iter().map(total).sum();
    assert_eq!(counted, outcomes as i64, "{:#?}", observed.ledger);
    let gaps = total("waiting");
    assert_eq!(total("received"), counted + gaps);
    // The intake assigns a number before the send. If the result of the send is unknown, the number stays assigned.
    assert!(
        (0..=(attempts - outcomes.min(attempts)) as i64).contains(&gaps),
        "{gaps} messages wait: {:#?}",
        observed.ledger
    );
    let notices = |name| observed.total("notices", name);
    assert_eq!((notices("pending"), notices("failed")), (0, 0), "{:#?}", observed.ledger);
    assert_eq!(notices("created"), notices("delivered") + notices("folded"), "{:#?}", observed.ledger);
    for hour in &observed.ledger {
        let balanced = hour["balanced"] == true;
        assert_eq!(balanced, hour["messages"]["waiting"] == 0, "{hour:#}");
    }
    gaps
}
