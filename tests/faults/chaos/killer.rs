//! Kills the process with kill −9 every few seconds, and starts it again on the same data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scenarios::process::Process;
use scenarios::wire::Seed;
use tokio::sync::watch;

use crate::chaos::group::Groups;
use crate::chaos::plan::{borrowed, drawn_wait};

/// The shortest and the longest life of a process, in milliseconds.
const LIFE: (u64, u64) = (2_500, 6_000);
/// The longest time for a message that was being sent when its process died to arrive in its group.
const ARRIVES: Duration = Duration::from_millis(100);

pub(crate) struct Killer<'a> {
    process: Process,
    data: PathBuf,
    environment: Vec<(&'static str, String)>,
    groups: &'a Groups,
    seed: Seed,
    base: watch::Sender<String>,
}

impl<'a> Killer<'a> {
    pub(crate) fn new(
        process: Process,
        data: &Path,
        environment: Vec<(&'static str, String)>,
        groups: &'a Groups,
        seed: Seed,
    ) -> Self {
        let base = watch::Sender::new(process.base_url.clone());
        Self { process, data: data.to_owned(), environment, groups, seed, base }
    }

    /// The current address of the process.
    pub(crate) fn base(&self) -> watch::Receiver<String> {
        self.base.subscribe()
    }

    /// Kills the process at least `kills` times, and until all messages are sent. Returns the number of kills and of
    /// failed starts. The last process is killed, too.
    pub(crate) async fn run(mut self, kills: usize, mut sent: watch::Receiver<bool>) -> (usize, usize) {
        let mut in_vain = 0;
        for killed in 1.. {
            let life = drawn_wait(self.seed, killed, LIFE.0, LIFE.1);
            let over = tokio::time::timeout(life, sent.wait_for(|sent| *sent && killed > kills)).await.is_ok();
            self.process.kill().await.expect("killed");
            tokio::time::sleep(ARRIVES).await;
            self.groups.process_died();
            if over {
                return (killed, in_vain);
            }
            let environment = borrowed(&self.environment);
            self.process = loop {
                match Process::start(&self.data, &environment).await {
                    Ok(process) => break process,
                    // An injected fault in its first calls ends the process, as expected.
                    Err(_) => in_vain += 1,
                }
                assert!(in_vain < 100, "it does not start any more");
            };
            self.base.send_replace(self.process.base_url.clone());
        }
        unreachable!("everything is sent some time")
    }
}
