//! The plan of a run: integrations in all push modes, and messages for their keys, all drawn from one seed.

use std::time::Duration;

use lambda_kit::settings::Env;
use scenarios::api::Api;
use scenarios::wire::Seed;
use serde_json::{Value, json};

/// The number of groups that the space of each integration notifies.
const GROUPS_EACH: usize = 2;

pub(crate) struct Sizes {
    pub(crate) messages: usize,
    pub(crate) keys: usize,
    /// The least number of kills. Kills continue while messages are being sent.
    pub(crate) kills: usize,
}

impl Sizes {
    pub(crate) fn from_environment() -> Self {
        let env = Env::read();
        let size = |name, usual| {
            env.optional(name)
                .map_or(usual, |text: String| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
        };
        Self {
            messages: size("LARKSPUR_CHAOS_MESSAGES", 400),
            keys: size("LARKSPUR_CHAOS_KEYS", 24),
            kills: size("LARKSPUR_CHAOS_KILLS", 5),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    EachMessage,
    ByTitle,
    ByRules,
}

pub(crate) const MODES: [Mode; 3] = [Mode::EachMessage, Mode::ByTitle, Mode::ByRules];

pub(crate) struct Integration {
    pub(crate) mode: Mode,
    pub(crate) id: String,
    /// The path of the integration's URL. The host and port change with every start.
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Trigger,
    Close,
    /// A message that matches no rule.
    Chatter,
}

/// One message, which may be sent several times.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) mode: Mode,
    pub(crate) key: String,
    pub(crate) says: Says,
    pub(crate) critical: bool,
    /// A text that no other message has.
    pub(crate) text: String,
}

pub(crate) struct Plan {
    pub(crate) integrations: Vec<Integration>,
    /// The messages in rounds. Messages of one round have the same key and are sent concurrently.
    pub(crate) rounds: Vec<Vec<Message>>,
    /// The last message of each key, which is sent after all others were accepted.
    pub(crate) last: Vec<Message>,
}

impl Plan {
    pub(crate) async fn make(api: &Api, sizes: &Sizes, seed: Seed) -> Self {
        let mut integrations = Vec::new();
        for mode in MODES {
            integrations.push(integration(api, mode).await);
        }
        let mut rounds = Vec::new();
        let mut number = 0;
        while number < sizes.messages {
            let draw = |what| seed.draw(&[1, what, number as u64]);
            let mode = match draw(0) % 100 {
                0..15 => Mode::EachMessage,
                15..50 => Mode::ByTitle,
                _ => Mode::ByRules,
            };
            let key = (draw(1) % (sizes.keys as u64 / 2).max(1)).to_string();
            let together = if draw(2) % 3 == 0 { 3 } else { 1 };
            rounds.push((0..together).map(|place| Message::draw(seed, mode, &key, number + place)).collect());
            number += together;
        }
        let keyed = [Mode::ByTitle, Mode::ByRules]
            .into_iter()
            .flat_map(|mode| (0..(sizes.keys / 2).max(1)).map(move |key| (mode, key.to_string())));
        let last = keyed.enumerate().map(|(place, (mode, key))| {
            let mut message = Message::draw(seed, mode, &key, number + place);
            if message.says == Says::Chatter {
                message = Message::new(mode, &key, Says::Close, message.critical, number + place);
            }
            message
        });
        Self { integrations, rounds, last: last.collect() }
    }

    pub(crate) fn messages(&self) -> usize {
        self.rounds.iter().map(Vec::len).sum::<usize>() + self.last.len()
    }

    pub(crate) fn of(&self, mode: Mode) -> &Integration {
        self.integrations.iter().find(|known| known.mode == mode).expect("one of each mode")
    }
}

impl Message {
    fn draw(seed: Seed, mode: Mode, key: &str, number: usize) -> Self {
        let draw = |what| seed.draw(&[2, what, number as u64]) % 100;
        let says = match (mode, draw(0)) {
            (Mode::ByRules, 0..8) => Says::Chatter,
            (Mode::ByRules, 8..45) => Says::Close,
            _ => Says::Trigger,
        };
        Self::new(mode, key, says, draw(1) < 25, number)
    }

    fn new(mode: Mode, key: &str, says: Says, critical: bool, number: usize) -> Self {
        let word = match says {
            Says::Trigger => "FIRING",
            Says::Close => "RESOLVED",
            Says::Chatter => "heartbeat",
        };
        let title = match mode {
            Mode::EachMessage => format!("backup failed {number}"),
            Mode::ByTitle => format!("disk full on host {key}"),
            Mode::ByRules => format!("latency {number}"),
        };
        let level = if critical { "critical" } else { "warning" };
        let text = format!("{title}\n{word} key=k{key} level={level} number={number};");
        let key = if mode == Mode::ByTitle { title } else { format!("k{key}") };
        Self { mode, key, says, critical, text }
    }

    pub(crate) fn body(&self) -> String {
        json!({"msg_type": "text", "content": {"text": self.text}}).to_string()
    }
}

async fn integration(api: &Api, mode: Mode) -> Integration {
    let name = format!("{mode:?}").to_lowercase();
    let mut destinations = Vec::new();
    for number in 0..GROUPS_EACH {
        let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{name}-{number}");
        let body = json!({"name": format!("{name}-{number}"), "channel": "feishu_bot", "settings": {"url": url}});
        destinations.push(text(&api.create("/destinations", &body).await, "id"));
    }
    let space = api.create("/spaces", &json!({"name": name, "destinations": destinations})).await;
    let critical = json!({"any": [{"all": [{"field": "description", "op": "match", "values": ["/level=critical/"]}]}]});
    let says = |word: &str| {
        let pattern = format!("/{word}/");
        json!({"any": [{"all": [{"field": "content", "op": "match", "values": [pattern]}]}]})
    };
    let push_mode = match mode {
        Mode::EachMessage => json!({"type": "each_message"}),
        Mode::ByTitle => json!({"type": "by_title"}),
        Mode::ByRules => json!({
            "type": "by_rules", "trigger": [says("FIRING")], "close": [says("RESOLVED")],
            "key": [{"field": "content", "pattern": r"key=(\S+)"}], "unmatched": "discard",
        }),
    };
    let body = json!({
        "name": name, "space": space["id"], "title_from": "first_line", "push_mode": push_mode,
        "pipeline": [{"when": critical, "set_severity": "Critical"}],
        "limits": {"per_second": 1_000_000, "per_minute": 10_000_000, "open_alerts": 1_000_000},
    });
    let made = api.create("/integrations", &body).await;
    let url = text(&made, "url");
    let path = url[url.find("/open-apis").expect("an intake path")..].to_owned();
    Integration { mode, id: text(&made, "id"), path }
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A number of milliseconds from this range, drawn from the seed.
pub(crate) fn drawn_wait(seed: Seed, number: usize, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + seed.draw(&[3, number as u64]) % (to - from))
}
