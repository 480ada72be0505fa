//! Feishu groups that outlive the killed processes and record which changes they received.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use regex::Regex;
use scenarios::wire::Wire;
use serde_json::Value;

use crate::chaos::model::Observed;

const TAKEN: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;

/// The change of an incident that a line of a message shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    Triggered,
    Raised,
    Recovered,
}

/// One message as a group received it.
#[derive(Debug)]
struct Post {
    body: String,
    lines: Vec<(String, Change)>,
    /// The number of processes that had died before this message.
    deaths: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Groups {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    deaths: usize,
    posts: BTreeMap<String, Vec<Post>>,
}

impl Groups {
    pub(crate) async fn start(wire: &Wire) -> Self {
        let groups = Self::default();
        let router = Router::new().route("/open-apis/bot/v2/hook/{group}", post(take)).with_state(groups.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, router).await });
        wire.providers_are_at(&format!("http://{address}"));
        groups
    }

    pub(crate) fn process_died(&self) {
        self.inner.lock().expect("not poisoned").deaths += 1;
    }

    /// Checks that every incident reached its groups: the last change is the recovery for a closed incident, and none
    /// for an open one. If a change arrived twice, its first message must be the last one before a process died, or its
    /// answer must have been lost. Returns a summary.
    pub(crate) fn check(&self, observed: &Observed, unknown: &[String]) -> String {
        let inner = self.inner.lock().expect("not poisoned");
        let unknown: HashSet<&str> = unknown.iter().map(String::as_str).collect();
        let (mut posts, mut lines, mut twice) = (0, 0, 0);
        for (group, got) in &inner.posts {
            posts += got.len();
            let mut changes: HashMap<&str, Vec<(Change, usize)>> = HashMap::new();
            for (place, post) in got.iter().enumerate() {
                lines += post.lines.len();
                for (incident, what) in &post.lines {
                    changes.entry(incident).or_default().push((*what, place));
                }
            }
            let is_explained = |place: usize| {
                let last_of_its_process = got.get(place + 1).is_none_or(|next| next.deaths > got[place].deaths);
                last_of_its_process || unknown.contains(got[place].body.as_str())
            };
            for (incident, words) in &changes {
                for (index, (what, place)) in words.iter().enumerate() {
                    let again = words[index + 1..].iter().any(|(later, _)| later == what);
                    let overtaken = words[index + 1..].iter().any(|(later, _)| later < what);
                    twice += usize::from(again);
                    assert!(!again || is_explained(*place), "{group} received {what:?} of {incident} twice: {words:?}");
                    assert!(!overtaken || is_explained(*place), "{group} received {incident} out of order: {words:?}");
                }
            }
            for (incident, is_open) in observed.incidents_of(group) {
                let last = changes.get(incident).and_then(|words| words.last()).map(|(what, _)| *what);
                let right = if is_open {
                    matches!(last, Some(Change::Triggered | Change::Raised))
                } else {
                    last == Some(Change::Recovered)
                };
                assert!(right, "{group} received {last:?} last of {incident}, which is open: {is_open}");
            }
        }
        format!("{posts} posts with {lines} lines, {twice} of them again")
    }
}

async fn take(State(groups): State<Groups>, Path(group): Path<String>, body: String) -> String {
    let mut inner = groups.inner.lock().expect("not poisoned");
    let deaths = inner.deaths;
    let lines = read(&body);
    assert!(!lines.is_empty(), "a message without an incident: {body}");
    inner.posts.entry(group).or_default().push(Post { body, lines, deaths });
    TAKEN.to_owned()
}

/// Reads the changes in a message. The link contains the incident, and the headline states what happened. A folded
/// message has both on each line. A message for one notice has its headline above and its links below.
fn read(body: &str) -> Vec<(String, Change)> {
    let headline = Regex::new(r"\[(?:([A-Z][a-z ]+) · )?(?:Critical|Warning|Info)\](?:\*\*)? ").expect("valid");
    let link = Regex::new(r"/links/v1\.[^.]+\.(\w+)-").expect("valid");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let mut texts = Vec::new();
    collect(&body["card"]["header"]["title"], &mut texts);
    collect(&body["card"]["elements"], &mut texts);
    let mut lines: Vec<(String, Change)> = Vec::new();
    let mut what = None;
    for text in texts {
        if let Some(found) = headline.captures(text) {
            what = Some(match found.get(1).map(|word| word.as_str()) {
                None | Some("Triggered") => Change::Triggered,
                Some("Severity raised") => Change::Raised,
                Some("Recovered") => Change::Recovered,
                Some(other) => panic!("an unknown headline {other}: {text}"),
            });
        }
        if let (Some(change), Some(found)) = (what, link.captures(text)) {
            let line = (format!("inc_{}", &found[1]), change);
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// Collects texts and addresses in their order.
fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        _ => {}
    }
}
