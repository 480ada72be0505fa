//! Carries out a verified callback, and says in private what the user has to know.

use alerting::base::ids::{AccountId, hash128};
use alerting::incident::notice::{NoticeRecord, Say};
use alerting::incident::press::Press;
use alerting::people::destination::{AppAccount, Language};
use channels::callback::{Answer, ChatUser, Pressed, Said};
use dispatch::DispatchError;
use lambda_kit::queue::{Entry, SendError};
use operations::chat_links::{self, LinkError};
use operations::incidents::error::ActError;
use operations::presses::{self, NotDone, PressResult};
use store::errors::{ReadError, WriteError};
use store::replays::Seen;
use words::{chat, errors};

use crate::app::App;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error(transparent)]
    Act(#[from] ActError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("its cards could not be queued to be drawn again")]
    Refresh(#[from] DispatchError),
    #[error("the answer to the user could not be queued")]
    Say(#[from] SendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A pressed button. A press that comes again after it was carried out changes nothing.
pub(crate) async fn press(app: &App, account: &AppAccount, pressed: &Pressed) -> Result<Option<Answer>, AnswerError> {
    let store = &app.dispatch.store;
    let now = app.dispatch.clock.now();
    if store.begin_callback(&account.id, &pressed.replay, now).await? == Seen::Finished {
        return Ok(None);
    }
    let PressResult { language, outcome } = presses::press(&app.dispatch, account, pressed).await?;
    match outcome {
        // Another press may have changed it to the same state, so the follow-up of this one draws nothing.
        Ok(incident) => app.dispatch.refresh_cards(&incident.id, now).await?,
        Err(why) => {
            // The card may show an older state, which is why its button was pressed.
            if let (NotDone::Refused(_) | NotDone::NotYours, Ok(press)) = (&why, pressed.value.parse::<Press>()) {
                app.dispatch.refresh_cards(&press.incident, now).await?;
            }
            let text = refusal(app, language, &why);
            say(app, account, &pressed.user.id, text, &pressed.replay).await?;
        }
    }
    store.finish_callback(&account.id, &pressed.replay, now).await?;
    Ok(None)
}

fn refusal(app: &App, language: Language, why: &NotDone) -> String {
    match why {
        NotDone::UnknownCard => chat::UNKNOWN_CARD.of(language).to_owned(),
        NotDone::NotLinked => chat::NOT_LINKED.fill(language, &[("base", &app.base_url)]),
        NotDone::Viewer => chat::VIEWER.of(language).to_owned(),
        NotDone::NotYours => chat::NOT_YOURS.of(language).to_owned(),
        NotDone::Refused(error) => errors::refused(error, language),
    }
}

/// A message to the app: `linkUser CODE` links the user, and everything else is answered with how to link.
pub(crate) async fn message(app: &App, account: &AppAccount, said: &Said) -> Result<Option<Answer>, AnswerError> {
    let store = &app.dispatch.store;
    let now = app.dispatch.clock.now();
    if store.begin_callback(&account.id, &said.replay, now).await? == Seen::Finished {
        return Ok(None);
    }
    let known = store.member_with_link(&account.id, &said.user.id).await?;
    let language = known.as_ref().map(|member| member.language).unwrap_or_default();
    let text = match link_code(&said.text) {
        Some(code) => linked(app, &account.id, (&said.user, &said.chat), code, language).await?,
        None => match known {
            Some(member) => chat::LINKED_TO.fill(member.language, &[("name", &member.name)]),
            None => chat::HOW_TO_LINK.fill(language, &[("base", &app.base_url)]),
        },
    };
    say(app, account, &said.chat, text, &said.replay).await?;
    store.finish_callback(&account.id, &said.replay, now).await?;
    Ok(None)
}

/// The code of `linkUser CODE`, in any case, and with the blanks that chats insert.
fn link_code(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '\u{a0}').filter(|word| !word.is_empty());
    let command = words.next()?;
    words.next().filter(|_| command.eq_ignore_ascii_case(chat_links::COMMAND))
}

async fn linked(
    app: &App,
    account: &AccountId,
    who: (&ChatUser, &str),
    code: &str,
    language: Language,
) -> Result<String, AnswerError> {
    let now = app.dispatch.clock.now();
    match chat_links::finish(&app.dispatch.store, account, who, code, now).await {
        Ok(member) => Ok(chat::NOW_LINKED.fill(member.language, &[("name", &member.name)])),
        Err(LinkError::NotACode | LinkError::NoMember(_)) => {
            Ok(chat::NOT_A_CODE.fill(language, &[("base", &app.base_url)]))
        }
        Err(error) => Err(error.into()),
    }
}

/// Queues a private answer. One answer to one callback is sent once.
async fn say(app: &App, account: &AppAccount, chat: &str, text: String, replay: &str) -> Result<(), AnswerError> {
    let id = hash128(&["say", account.id.as_str(), replay]);
    let say = Say::new(id, account.id.clone(), chat.to_owned(), text);
    Ok(app.dispatch.notices.send(Entry::of_notice(&NoticeRecord::Say(say))).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_read_in_any_case_and_with_any_blanks() {
        for text in ["linkUser aB3", "LINKUSER  aB3 ", "\u{a0}linkuser\u{a0}aB3", "linkUser aB3 thanks"] {
            assert_eq!(link_code(text), Some("aB3"), "{text:?}");
        }
        for text in ["", "hello", "linkUser", "link User aB3", "linkUserx aB3"] {
            assert_eq!(link_code(text), None, "{text:?}");
        }
    }
}
