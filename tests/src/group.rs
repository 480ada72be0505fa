//! What a member of a group sees, and what the scenario expects of it.

use std::time::{Duration, Instant};

use vendors::group::{Attempt, Fault};
use vendors::reply::Reply;
use vendors::seen::Seen;
use vendors::vendor::Vendor;

use crate::World;

/// How long a message may take to be shown before the scenario fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Group<'a> {
    pub(crate) world: &'a World,
    pub(crate) vendor: Vendor,
    pub(crate) name: String,
}

impl Group<'_> {
    /// Everything that the group shows, oldest first.
    pub fn messages(&self) -> Vec<Seen> {
        self.world.larkspur.fakes.messages(self.vendor, &self.name)
    }

    /// Every request to the group's bot, with its result.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.world.larkspur.fakes.attempts(self.vendor, &self.name)
    }

    /// A member presses this button of the newest message that has it. The address that opens.
    pub fn press(&self, button: &str) -> String {
        let opened = self.world.larkspur.fakes.press(self.vendor, &self.name, button);
        opened.unwrap_or_else(|| panic!("{} shows no button {button}: {:#?}", self.name, self.messages()))
    }

    /// The bot answers its next requests like this.
    pub fn answers(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world.larkspur.fakes.script(self.vendor, &self.name, faults);
    }

    /// Nothing that was scripted goes wrong any more.
    pub fn recovers(&self) {
        self.world.larkspur.fakes.recover(self.vendor, &self.name);
    }

    /// The bot answers this to every request that holds the word.
    pub fn refuses(&self, word: &str, reply: Reply) {
        self.world.larkspur.fakes.refuse(self.vendor, &self.name, word, reply);
    }

    /// A message that shows all of these texts arrives; each message answers one expectation.
    pub async fn expects_all(&self, texts: &[&str]) -> Seen {
        let start = Instant::now();
        loop {
            if let Some(message) = self.take(texts) {
                return message;
            }
            let waited = start.elapsed();
            assert!(
                waited < PATIENCE,
                "{} shows no message with {texts:?}; it shows {:#?}",
                self.name,
                self.unexpected()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn expects(&self, text: &str) -> Seen {
        self.expects_all(&[text]).await
    }

    /// Accepts all messages that are shown: the scenario counts them in another way.
    pub fn accept_all(&self) {
        let count = self.messages().len();
        self.with_seen(|seen| seen.resize(count.max(seen.len()), true));
        self.with_seen(|seen| seen.fill(true));
    }

    /// What the scenario has not expected so far.
    pub fn unexpected(&self) -> Vec<String> {
        let messages = self.messages();
        self.with_seen(|seen| {
            let fresh = |index: &usize| !seen.get(*index).copied().unwrap_or(false);
            (0..messages.len()).filter(fresh).map(|index| messages[index].everything()).collect()
        })
    }

    fn take(&self, texts: &[&str]) -> Option<Seen> {
        let messages = self.messages();
        self.with_seen(|seen| {
            seen.resize(messages.len().max(seen.len()), false);
            let found = messages.iter().enumerate().position(|(index, message)| {
                !seen[index] && texts.iter().all(|text| message.everything().contains(text))
            })?;
            seen[found] = true;
            Some(messages[found].clone())
        })
    }

    fn with_seen<T>(&self, work: impl FnOnce(&mut Vec<bool>) -> T) -> T {
        let mut seen = self.world.seen.lock().expect("not poisoned");
        work(seen.entry((self.vendor, self.name.clone())).or_default())
    }
}
