//! Links the member's chat users: shows a code that the member sends to the app, and ends a link.

use alerting::base::ids::AccountId;
use alerting::people::Member;
use alerting::people::chat_link::ChatLink;
use alerting::people::destination::AppAccount;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use operations::chat_links::{self, Begun};
use serde::Serialize;

use super::fields::SUBJECT;
use crate::app::{App, SharedApp};
use crate::error::ApiError;
use crate::pages::error::{PageError, refused};
use crate::pages::form::{Form, see_other};
use crate::session::SignedIn;

pub(super) fn router() -> Router<SharedApp> {
    Router::new().route("/me/chat/unlink", post(unlink))
}

/// One account of an app, and the member's user in it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    account: AccountId,
    /// The account's name, such as that of a workspace.
    name: String,
    /// The linked user: by name, or by id if the vendor says no name.
    user: Option<String>,
    /// What the member sends to the app. It is shown once.
    command: Option<String>,
}

/// A code that was made by the request that shows the page.
pub(super) struct Made {
    account: AccountId,
    begun: Begun,
}

/// One row for each account, the newest first.
pub(super) async fn rows(app: &App, member: &Member, made: Option<&Made>) -> Result<Vec<Row>, ApiError> {
    let accounts = app.store.app_accounts().list(MOST, None).await?.items;
    let row = |account: AppAccount| {
        let link = member.links.iter().rev().find(|link| link.account == account.id);
        let named = |link: &ChatLink| if link.name.is_empty() { &link.user } else { &link.name }.clone();
        let made = made.filter(|made| made.account == account.id);
        let command = made.map(|made| chat_links::command(&made.begun.code));
        Row { user: link.map(named), command, account: account.id, name: account.name }
    };
    Ok(accounts.into_iter().map(row).collect())
}

/// Accounts that the page lists. A deployment has a few.
const MOST: usize = 50;

/// Makes a code for the account that the form names.
pub(super) async fn make(app: &App, member: &Member, form: &Form) -> Result<Made, PageError> {
    let account = account(form)?;
    let begun = chat_links::begin(&app.store, account.clone(), &member.id, app.clock.now()).await;
    Ok(Made { account, begun: begun.map_err(|error| refused(error.into()))? })
}

async fn unlink(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let unlinked = chat_links::unlink(&app.store, &account(&form)?, &signed_in.member.id).await;
    unlinked.map_err(|error| refused(error.into()))?;
    Ok(see_other("/me?done=unlinked"))
}

fn account(form: &Form) -> Result<AccountId, PageError> {
    form.text("account").parse().map_err(|_| PageError::NotFound)
}
