//! The deliveries of an incident, with the names of their destinations.

use alerting::base::ids::DestinationId;
use alerting::incident::Incident;
use store::deliveries::Delivery;

use crate::app::App;
use crate::incidents::destination_name;
use crate::pages::error::{PageError, refused};

/// A delivery, with the name and the channel of its destination.
pub(crate) struct NamedDelivery {
    pub(crate) id: DestinationId,
    pub(crate) name: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) delivery: Delivery,
}

impl NamedDelivery {
    /// The destination's name and channel, such as `ops group · feishu_bot`.
    pub(crate) fn who(&self) -> String {
        let name = self.name.clone().unwrap_or_else(|| self.id.to_string());
        self.channel.as_ref().map_or(name.clone(), |channel| format!("{name} · {channel}"))
    }
}

pub(super) async fn deliveries(app: &App, incident: &Incident) -> Result<Vec<NamedDelivery>, PageError> {
    let mut deliveries = Vec::new();
    for (id, delivery) in app.store.deliveries(&incident.id).await? {
        let (name, channel) = destination_name(app, &id).await.map_err(refused)?;
        deliveries.push(NamedDelivery { id, name, channel, delivery });
    }
    Ok(deliveries)
}
