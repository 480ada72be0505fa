//! Which chat users are a member.

use serde::{Deserialize, Serialize};

use crate::base::ids::AccountId;
use crate::base::moment::Moment;

/// The most chat users of one member: one in each account, of which a deployment has few.
pub const LINKS: usize = 8;

/// A chat user of an app's account who has proved to be a member, so that what the user does on a card is the member's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLink {
    pub account: AccountId,
    /// The vendor's id of the user, unique in the account.
    pub user: String,
    /// The private chat of the user with the app, where the vendor has an id of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// The user's name in the chat when the link was made.
    pub name: String,
    pub since: Moment,
}

/// Makes the chat user one of a member's. The link of the same account is replaced; beyond [`LINKS`], the oldest goes.
pub fn link(links: &mut Vec<ChatLink>, link: ChatLink) {
    links.retain(|known| known.account != link.account);
    links.push(link);
    let over = links.len().saturating_sub(LINKS);
    links.drain(..over);
}

/// Removes the link of the account.
pub fn unlink(links: &mut Vec<ChatLink>, account: &AccountId) {
    links.retain(|known| &known.account != account);
}

pub fn has(links: &[ChatLink], account: &AccountId, user: &str) -> bool {
    links.iter().any(|link| &link.account == account && link.user == user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_one_user_of_an_account_and_the_newest_link_is_the_last() {
        let of = |account: &str, user: &str| ChatLink {
            account: account.parse().expect("valid"),
            user: user.to_owned(),
            chat: None,
            name: "Ada".to_owned(),
            since: Moment::from_secs(1),
        };
        let mut links = Vec::new();
        for (account, user) in [("app_a", "U1"), ("app_b", "U2"), ("app_a", "U3")] {
            link(&mut links, of(account, user));
        }
        assert_eq!(links, [of("app_b", "U2"), of("app_a", "U3")]);
        let (a, b) = ("app_a".parse().expect("valid"), "app_b".parse().expect("valid"));
        assert!(has(&links, &a, "U3") && !has(&links, &a, "U1") && !has(&links, &b, "U3"));
        unlink(&mut links, &a);
        assert!(!has(&links, &a, "U3") && has(&links, &b, "U2"));
        for number in 0..2 * LINKS {
            link(&mut links, of(&format!("app_{number}"), "U"));
        }
        assert_eq!((links.len(), links[LINKS - 1].account.as_str()), (LINKS, "app_15"));
    }
}
