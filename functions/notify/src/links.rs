//! The links of one message. Where the deployment allows it, a message to a member's own address has a link that
//! acknowledges without signing in. Such a link is stored before the message is sent.

use operations::addresses::Address;
use std::collections::BTreeMap;

use alerting::base::ids::IncidentId;
use alerting::incident::link::{Link, Links};
use alerting::incident::notice::Notice;
use lambda_kit::links::SignedLinks;
use store::keys::secret_hash;

use crate::app::App;
use crate::error::NotifyError;

#[derive(Debug)]
pub(crate) struct MessageLinks<'a> {
    signed: SignedLinks<'a>,
    /// Links that acknowledge without signing in, for the one recipient of the message.
    personal: BTreeMap<(IncidentId, u64), String>,
}

impl<'a> MessageLinks<'a> {
    pub(crate) async fn of(app: &'a App, address: &Address, notices: &[Notice]) -> Result<Self, NotifyError> {
        let keys = app.parts.sealer.link_keys().await?;
        let signed = SignedLinks { keys, base: &app.parts.link_base };
        let mut personal = BTreeMap::new();
        if let Some((_, member)) = address.id.member().filter(|_| app.parts.personal_ack_links) {
            for notice in notices.iter().filter(|notice| notice.can_be_acknowledged()) {
                let link = Link::of_person(notice, member.clone());
                let hash = secret_hash(&keys.sign(&link, notice.at));
                app.parts.store.keep_personal_link(&hash, link.expires_at).await?;
                personal.insert((notice.incident.clone(), notice.n), signed.url(&link, notice.at));
            }
        }
        Ok(Self { signed, personal })
    }
}

impl Links for MessageLinks<'_> {
    fn details(&self, notice: &Notice) -> String {
        self.signed.details(notice)
    }

    fn acknowledge(&self, notice: &Notice) -> String {
        let own = self.personal.get(&(notice.incident.clone(), notice.n)).cloned();
        own.unwrap_or_else(|| self.signed.acknowledge(notice))
    }
}
