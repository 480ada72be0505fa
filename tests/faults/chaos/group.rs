//! Feishu groups that outlive the process, and remember what they were told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use regex::Regex;
use scenarios::wire::Wire;
use serde_json::Value;

use crate::chaos::model::Books;

const TAKEN: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;

/// What a line of a message says of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Told {
    Triggered,
    Raised,
    Recovered,
}

/// One message as a group got it.
#[derive(Debug)]
struct Post {
    body: String,
    lines: Vec<(String, Told)>,
    /// How many processes had died by then.
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

    /// Every incident reached its groups: open ones as such, closed ones with their recovery as the last word. Whatever came
    /// twice is explained: its first message was the last that the group got before a process died, or its answer was
    /// lost. In words.
    pub(crate) fn check(&self, books: &Books, unknown: &[String]) -> String {
        let inner = self.inner.lock().expect("not poisoned");
        let unknown: HashSet<&str> = unknown.iter().map(String::as_str).collect();
        let (mut posts, mut lines, mut twice) = (0, 0, 0);
        for (group, got) in &inner.posts {
            posts += got.len();
            let mut told: HashMap<&str, Vec<(Told, usize)>> = HashMap::new();
            for (place, post) in got.iter().enumerate() {
                lines += post.lines.len();
                for (incident, what) in &post.lines {
                    told.entry(incident).or_default().push((*what, place));
                }
            }
            let is_explained = |place: usize| {
                let last_of_its_process = got.get(place + 1).is_none_or(|next| next.deaths > got[place].deaths);
                last_of_its_process || unknown.contains(got[place].body.as_str())
            };
            for (incident, words) in &told {
                for (index, (what, place)) in words.iter().enumerate() {
                    let again = words[index + 1..].iter().any(|(later, _)| later == what);
                    let overtaken = words[index + 1..].iter().any(|(later, _)| later < what);
                    twice += usize::from(again);
                    assert!(!again || is_explained(*place), "{group} was told {what:?} of {incident} twice: {words:?}");
                    assert!(
                        !overtaken || is_explained(*place),
                        "{group} was told of {incident} out of order: {words:?}"
                    );
                }
            }
            for (incident, is_open) in books.incidents_of(group) {
                let last = told.get(incident).and_then(|words| words.last()).map(|(what, _)| *what);
                let right = if is_open {
                    matches!(last, Some(Told::Triggered | Told::Raised))
                } else {
                    last == Some(Told::Recovered)
                };
                assert!(right, "{group} heard {last:?} last of {incident}, which is open: {is_open}");
            }
        }
        format!("{posts} posts with {lines} lines, {twice} of them again")
    }
}

async fn take(State(groups): State<Groups>, Path(group): Path<String>, body: String) -> String {
    let mut inner = groups.inner.lock().expect("not poisoned");
    let deaths = inner.deaths;
    let lines = read(&body);
    assert!(!lines.is_empty(), "a message that tells of no incident: {body}");
    inner.posts.entry(group).or_default().push(Post { body, lines, deaths });
    TAKEN.to_owned()
}

/// The incident is in the link, the headline says what happened; a folded message has one of each per line, a message
/// of its own has a headline above and links below.
fn read(body: &str) -> Vec<(String, Told)> {
    let headline = Regex::new(r"\[(?:([A-Z][a-z ]+) · )?(?:Critical|Warning|Info)\](?:\*\*)? ").expect("valid");
    let link = Regex::new(r"/links/v1\.[^.]+\.(\w+)-").expect("valid");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let mut texts = Vec::new();
    collect(&body["card"]["header"]["title"], &mut texts);
    collect(&body["card"]["elements"], &mut texts);
    let mut lines: Vec<(String, Told)> = Vec::new();
    let mut what = None;
    for text in texts {
        if let Some(found) = headline.captures(text) {
            what = Some(match found.get(1).map(|word| word.as_str()) {
                None | Some("Triggered") => Told::Triggered,
                Some("Severity raised") => Told::Raised,
                Some("Recovered") => Told::Recovered,
                Some(other) => panic!("nobody said {other}: {text}"),
            });
        }
        if let (Some(said), Some(found)) = (what, link.captures(text)) {
            let line = (format!("inc_{}", &found[1]), said);
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// Texts and addresses, in their order.
fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        _ => {}
    }
}
