//! What a batch sends: notices, timers and changes.

use alerting::incident::change::ChangeEvent;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::refresh::Refresh;
use alerting::incident::timer::Timer;
use lambda_kit::queue::Entry;

use crate::app::App;
use crate::error::EvaluateError;

/// Collected over a batch, ready to send.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) notices: Vec<Entry>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) changes: Vec<String>,
}

impl Outgoing {
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.notices.push(Entry::of_notice(&NoticeRecord::Tell(notice)));
    }

    pub(crate) fn refresh(&mut self, refresh: Refresh) {
        self.notices.push(Entry::of_notice(&NoticeRecord::Refresh(refresh)));
    }

    /// Sends ten entries per request. A repetition sends everything under the same names.
    pub(crate) async fn send(self, app: &App) -> Result<(), EvaluateError> {
        app.dispatch.set_timers(self.timers).await?;
        app.dispatch.notices.send_batch(self.notices).await.map_err(EvaluateError::Notify)?;
        app.dispatch.changes.publish_batch(&self.changes).await.map_err(EvaluateError::Publish)
    }

    pub(crate) fn change(&mut self, change: &ChangeEvent) {
        self.changes.push(change.message());
    }
}
