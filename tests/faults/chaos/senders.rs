//! Senders that repeat each message until it is accepted, as real platforms do.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use serde_json::Value;
use tokio::sync::watch;

use crate::chaos::plan::{Message, Plan};

/// The number of concurrent senders.
const SENDERS: usize = 24;
/// The longest wait for an answer. The process answers within three seconds, unless it was killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before a message is sent again.
const PAUSE: Duration = Duration::from_millis(200);

/// How often each text was sent, until it was accepted.
pub(crate) struct Sent {
    pub(crate) times: HashMap<String, usize>,
}

impl Sent {
    pub(crate) fn attempts(&self) -> usize {
        self.times.values().sum()
    }
}

/// Sends all messages to the current address of Larkspur.
pub(crate) async fn send_all(plan: &Plan, base: watch::Receiver<String>) -> Sent {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let send = |message: Message| {
        let (client, base, path) = (client.clone(), base.clone(), plan.of(message.mode).path.clone());
        async move {
            let times = send(&client, &base, &path, &message).await;
            (message.text, times)
        }
    };
    let mut sent = HashMap::new();
    for rounds in [&plan.rounds, &plan.last.iter().map(|message| vec![message.clone()]).collect()] {
        let send_round = |round: &Vec<Message>| futures::future::join_all(round.iter().cloned().map(send));
        let mut done = stream::iter(rounds.iter().map(send_round)).buffer_unordered(SENDERS);
        while let Some(texts) = done.next().await {
            sent.extend(texts);
        }
    }
    Sent { times: sent }
}

async fn send(client: &reqwest::Client, base: &watch::Receiver<String>, path: &str, message: &Message) -> usize {
    for times in 1.. {
        let url = format!("{}{path}", base.borrow().clone());
        let request = client.post(url).header("content-type", "application/json").body(message.body());
        if let Ok(response) = request.send().await
            && let Ok(answer) = response.text().await
            && is_taken(&answer)
        {
            return times;
        }
        tokio::time::sleep(PAUSE).await;
    }
    unreachable!("it is sent until it is taken")
}

fn is_taken(answer: &str) -> bool {
    serde_json::from_str::<Value>(answer).is_ok_and(|answer| answer["code"] == 0)
}
