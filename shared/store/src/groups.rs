//! Which open incident the next alert of a group joins, and which flapping alerts are muted.
//!
//! The group's item only names the incident; the incident itself says whether it still takes alerts. A process that
//! replaces the item names the version that it read, so two alerts that come at once make one incident, not two.

use alerting::base::ids::{IncidentId, IntegrationId, SpaceId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, number, text};
use crate::keys;
use crate::table::{Condition, Reading, Table, Write};

/// The incident that the next alert of a group may join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub incident: IncidentId,
    pub version: u64,
}

/// A flapping alert notifies nobody until this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mute {
    pub until: Moment,
    /// The message that began the mute. This message still notifies.
    pub begun_by: Stamp,
}

impl Store {
    pub async fn group(&self, space: &SpaceId, hash: &str) -> Result<Option<Group>, ReadError> {
        let item = self.get(Table::Alerts, &keys::group(space, hash), Reading::Latest).await?;
        item.as_ref().map(decode_group).transpose()
    }

    /// Makes `incident` the one that the group's next alert joins, unless another process did so since `before` was
    /// read. Returns the group as it then is.
    pub async fn lead_group(
        &self,
        space: &SpaceId,
        hash: &str,
        incident: &IncidentId,
        before: Option<&Group>,
        now: Moment,
    ) -> Result<Group, WriteError> {
        let key = keys::group(space, hash);
        let expected = before.map(|before| before.version);
        let group = Group { incident: incident.clone(), version: expected.unwrap_or(0) + 1 };
        let stored = item(
            &key,
            [
                ("incident", text(group.incident.as_str())),
                ("version", number(group.version)),
                ("expires_at", expiry(now + limits::ALERT_AFTERLIFE)),
            ],
        );
        match self.put(Table::Alerts, &key, stored, Some(Condition::unchanged("version", expected))).await? {
            Write::Done(_) => Ok(group),
            Write::Refused(Some(stored)) => Ok(decode_group(&stored)?),
            Write::Refused(None) => Err(ReadError::throttled(&key).into()),
        }
    }

    pub async fn mute(
        &self,
        space: &SpaceId,
        integration: &IntegrationId,
        key_hash: &str,
    ) -> Result<Option<Mute>, ReadError> {
        let item = self.get(Table::Alerts, &keys::mute(space, integration, key_hash), Reading::Latest).await?;
        item.as_ref().map(decode_mute).transpose()
    }

    /// Mutes a flapping alert. Writing it twice has no further effect.
    pub async fn set_mute(
        &self,
        space: &SpaceId,
        integration: &IntegrationId,
        key_hash: &str,
        mute: Mute,
    ) -> Result<(), WriteError> {
        let key = keys::mute(space, integration, key_hash);
        let stored = item(
            &key,
            [
                ("until", number(mute.until.millis())),
                ("begun_by", text(mute.begun_by.to_string())),
                ("expires_at", expiry(mute.until + limits::ALERT_AFTERLIFE)),
            ],
        );
        self.put(Table::Alerts, &key, stored, None).await.map(drop)
    }
}

fn decode_group(item: &Item) -> Result<Group, ReadError> {
    let reader = Reader::new(item);
    let incident = reader.text("incident")?.parse();
    let incident = incident.map_err(|_| ReadError::missing(reader.name(), "incident"))?;
    Ok(Group { incident, version: reader.number("version")? })
}

fn decode_mute(item: &Item) -> Result<Mute, ReadError> {
    let reader = Reader::new(item);
    let begun_by = reader.text("begun_by")?.parse();
    let begun_by = begun_by.map_err(|_| ReadError::missing(reader.name(), "begun_by"))?;
    Ok(Mute { until: Moment::from_millis(reader.number("until")?), begun_by })
}
