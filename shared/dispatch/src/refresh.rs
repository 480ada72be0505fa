//! Chooses the cards that are drawn again after a change.
//!
//! A destination that a change notifies gets a new card, or that notice changes its old one. For every other
//! destination that can show the incident, a refresh draws the cards again. What they were sent is not read here: a
//! refresh waits behind the notices of its destination, so it also finds the card of a notice that is being sent now.

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::refresh::{self, Refresh};
use alerting::incident::timeline::Entry;
use alerting::incident::timer::{Timer, Work};
use alerting::people::medium::Medium;
use channels::registry::Destination;
use store::errors::ReadError;

use crate::error::DispatchError;
use crate::queues::Dispatch;

impl Dispatch {
    /// The cards to draw again at once, or the timer that draws all of them later.
    pub(crate) async fn refreshes(
        &self,
        incident: &Incident,
        entry: &Entry,
        notices: &[Notice],
    ) -> Result<(Vec<Refresh>, Option<Timer>), ReadError> {
        let Some(due) = refresh::due(entry) else { return Ok((Vec::new(), None)) };
        let is_notified =
            |destination: &&DestinationId| !notices.iter().any(|notice| notice.destination == **destination);
        let mut with_cards = Vec::new();
        for destination in incident.destinations.iter().filter(is_notified) {
            if self.has_cards(destination).await? {
                with_cards.push(Refresh::new(incident, destination, entry.n, due));
            }
        }
        if due == entry.at {
            return Ok((with_cards, None));
        }
        let work = || Work::RefreshCards { incident: incident.id.clone() };
        Ok((Vec::new(), (!with_cards.is_empty()).then(|| Timer::new(due, work()))))
    }

    /// Queues the refresh of every card of the incident.
    pub async fn refresh_cards(&self, id: &IncidentId, due: Moment) -> Result<(), DispatchError> {
        let Some(incident) = self.store.incident(id).await? else { return Ok(()) };
        let mut refreshes = Vec::new();
        for destination in &incident.destinations {
            if self.has_cards(destination).await? {
                refreshes.push(NoticeRecord::Refresh(Refresh::new(&incident, destination, incident.n, due)));
            }
        }
        Ok(self.send_records(refreshes.into_iter()).await?)
    }

    /// Whether messages at the destination can be changed after they were sent.
    async fn has_cards(&self, destination: &DestinationId) -> Result<bool, ReadError> {
        if let Some((medium, _)) = destination.member() {
            let medium = medium.parse::<Medium>().ok();
            return Ok(medium.is_some_and(|medium| Destination::channels_of(medium).any(Destination::has_cards)));
        }
        let stored = self.store.cached_destination(destination, self.clock.now()).await?;
        Ok(stored.is_some_and(|stored| Destination::has_cards(&stored.channel)))
    }
}
