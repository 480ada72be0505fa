//! The values besides the id by which a member is found: the address, the subject at a sign-in provider,
//! and the users of chat apps.

use std::collections::BTreeSet;

use alerting::people::Member;

use crate::keys;

/// The identity of a member that names them to the sign-in provider (`sub`).
pub const SUBJECT: &str = "oidc_subject";

/// The pointers to a member.
pub(crate) fn found_in(member: &Member) -> Vec<String> {
    let email = member.email.as_deref().map(keys::members_with_email);
    let noted = member.identities.get(SUBJECT).map(String::as_str);
    let pinned = member.sign_in.as_ref().map(|sign_in| sign_in.subject.as_str());
    let subjects: BTreeSet<&str> = noted.into_iter().chain(pinned).collect();
    let subjects = subjects.into_iter().map(keys::members_with_subject);
    let links = member.links.iter().map(|link| keys::members_with_link(&link.account, &link.user));
    email.into_iter().chain(subjects).chain(links).collect()
}
