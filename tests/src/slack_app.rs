//! A Slack app in a scenario: its account, a channel, linked members, and presses of its buttons.

use serde_json::{Value, json};
use vendors::group::Rules;
use vendors::slack::app::{Callback, Workspace};
use vendors::vendor::Vendor;

use crate::World;
use crate::api::client;
use crate::group::Group;

const TOKEN: &str = "xoxb-token-of-the-app";

/// An account of the app, as Larkspur and as Slack know it.
pub struct SlackApp<'a> {
    world: &'a World,
    pub account: String,
    pub workspace: Workspace,
}

/// The answer to a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub body: String,
}

impl World {
    pub async fn slack_app(&self) -> SlackApp<'_> {
        let workspace = Workspace {
            team: "T0123456789".to_owned(),
            app: "A0123456789".to_owned(),
            signing_secret: "signing-secret-of-the-app".to_owned(),
        };
        let settings = json!({"team_id": workspace.team, "app_id": workspace.app, "token": TOKEN,
            "signing_secret": workspace.signing_secret});
        let body = json!({"name": "Acme", "channel": "slack_app", "settings": settings});
        let account = self.api.create("/accounts", &body).await["id"].as_str().expect("an id").to_owned();
        SlackApp { world: self, account, workspace }
    }
}

impl<'a> SlackApp<'a> {
    /// A channel that the app was invited to, as a destination.
    pub async fn channel(&self, channel: &str) -> String {
        let rules = Rules { secret: Some(alerting::base::secret::Secret::new(TOKEN)), ..Rules::default() };
        self.world.larkspur.fakes.open(Vendor::SlackApp, channel, rules);
        let body = json!({"name": channel, "channel": "slack_app",
            "settings": {"account": self.account, "channel": channel}});
        self.world.api.create("/destinations", &body).await["id"].as_str().expect("an id").to_owned()
    }

    /// What a conversation shows.
    pub fn conversation(&self, channel: &str) -> Group<'a> {
        self.world.group(Vendor::SlackApp, channel)
    }

    /// Links the user by a code that the member sends to the app.
    pub async fn link(&self, user: &str, member: &str) {
        let path = format!("/accounts/{}/link-codes", self.account);
        let code = self.world.api.create(&path, &json!({"member": member})).await;
        let answered = self.says(user, code["command"].as_str().expect("a command")).await;
        assert_eq!(answered, Answered { status: 200, body: String::new() });
    }

    /// The user writes to the app.
    pub async fn says(&self, user: &str, text: &str) -> Answered {
        let now = self.world.larkspur.clock.now();
        self.send("events", &self.workspace.message(user, text, now)).await
    }

    /// The user presses the button of the conversation's newest message that has it.
    pub async fn press(&self, user: &str, channel: &str, button: &str) -> Answered {
        self.send("actions", &self.callback(user, channel, button)).await
    }

    /// The request that a press makes.
    pub fn callback(&self, user: &str, channel: &str, button: &str) -> Callback {
        let messages = self.conversation(channel).messages();
        let found = messages.iter().rev().find_map(|seen| Some((seen, seen.button(button)?)));
        let (seen, button) = found.unwrap_or_else(|| panic!("{channel} has no button {button}: {messages:#?}"));
        self.workspace.press(user, channel, seen, button, self.world.larkspur.clock.now())
    }

    pub async fn send(&self, route: &str, callback: &Callback) -> Answered {
        let url = format!("{}/callbacks/slack/{}/{route}", self.world.larkspur.base_url, self.account);
        let mut request = client().post(url).body(callback.body.clone());
        for (name, value) in &callback.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        Answered { status, body: response.text().await.expect("a body") }
    }
}

/// The labels of a message's buttons, in order.
pub fn labels(message: &vendors::seen::Seen) -> Vec<&str> {
    message.buttons.iter().map(|button| button.text.as_str()).collect()
}

/// The timeline's entries of an incident.
pub async fn timeline(world: &World, incident: &str) -> Vec<Value> {
    world.api.get(&format!("/incidents/{incident}")).await["timeline"].as_array().expect("entries").clone()
}
