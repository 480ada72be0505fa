//! "My account": what members may change about themselves, and the codes that confirm their addresses.
//!
//! The page uses the same functions as the API: a form becomes a request that an administrator could have made, with
//! role and identities unchanged.

mod chat;
mod fields;
mod sessions;

use alerting::people::{AddressedBy, Member, Role};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::REFERER;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::app::{App, SharedApp};
use crate::dto::member::Own;
use crate::extract::Base;
use crate::members::{change_own, forget_pending};
use crate::pages::confirm::{ConfirmResult, confirm, with_cookie};
use crate::pages::error::{PageError, refused};
use crate::pages::fields::{Choice, Filled, LANGUAGES, Wrong, languages};
use crate::pages::form::{Form, see_other};
use crate::pages::paths::{CHOOSE_LANGUAGE, own_path};
use crate::pages::render::{Reader, page};
use crate::pages::visit::Visit;
use crate::session::SignedIn;
use crate::verification;

use self::fields::{Fields, Preference, SUBJECT, own, preference, severities, ways};

pub(crate) fn router() -> Router<SharedApp> {
    Router::new()
        .route("/me", get(show).post(save))
        .route("/me/chat/code", post(make_link_code))
        .route("/me/code", post(send_code))
        .route("/me/discard", post(discard))
        .route("/me/verify", post(enter_code))
        .route(CHOOSE_LANGUAGE, post(choose_language))
        .merge(chat::router())
        .merge(sessions::router())
}

/// The query parameter that names the last action, for the redirect after a form.
#[derive(Debug, Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    /// The key of the words for the last action. Any other text in the address is ignored.
    fn words(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "saved" => Some("me_saved"),
            "asked" => Some("me_asked_for"),
            "sent" => Some("me_code_sent"),
            "verified" => Some("me_address_verified"),
            "unlinked" => Some("me_unlinked"),
            "signed_out" => Some("me_signed_out"),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Account {
    done: Option<&'static str>,
    form: Filled,
    form_token: String,
    role: &'static str,
    languages: Vec<Choice>,
    severities: Vec<Preference>,
    addresses: Vec<Address>,
    /// The apps in which the member can act on cards. Empty: the deployment has none.
    chats: Vec<chat::Row>,
    sessions: Vec<sessions::Row>,
}

#[derive(Serialize)]
struct Address {
    field: &'static str,
    label: &'static str,
    value: String,
    verified: bool,
    vouched_by: Option<String>,
    /// The new address that will replace this one once it is confirmed.
    pending: Option<String>,
    /// Whether a channel can send to this kind of address.
    has_channel: bool,
}

async fn show(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Query(done): Query<Done>,
) -> Result<Html<String>, PageError> {
    let fields = Fields::of(&signed_in.member);
    shown(&app, signed_in, done.words(), fields, None, None).await
}

async fn shown(
    app: &App,
    signed_in: SignedIn,
    done: Option<&'static str>,
    fields: Fields,
    wrong: Option<Wrong>,
    made: Option<&chat::Made>,
) -> Result<Html<String>, PageError> {
    let member = &signed_in.member;
    let ways = ways(app, member.language).await?;
    let found = app.store.sessions_of(&member.id, app.clock.now()).await?;
    let picked = |severity| preference(member.language, severity, &fields.picks[&severity], &ways);
    let account = Account {
        done,
        form: fields.form().or_wrong(wrong),
        form_token: signed_in.form_token(SUBJECT),
        role: match member.role {
            Role::Administrator => "role_administrator",
            Role::Responder => "role_responder",
            Role::Viewer => "role_viewer",
        },
        languages: languages(fields.language),
        severities: severities().map(picked).collect(),
        addresses: AddressedBy::ALL.into_iter().filter_map(|by| address(member, by)).collect(),
        chats: chat::rows(app, member, made).await.map_err(refused)?,
        sessions: sessions::rows(&found, &signed_in),
    };
    Ok(page("me.html", "my_account", &account, &Reader::of(signed_in)))
}

/// The member's address of this kind. `None`: the member has none.
fn address(member: &Member, by: AddressedBy) -> Option<Address> {
    let verified = member.verified(by);
    Some(Address {
        field: by.as_str(),
        label: match by {
            AddressedBy::Email => "me_email",
            AddressedBy::Phone => "phone",
        },
        value: member.address(by)?.to_owned(),
        verified: verified.is_some(),
        vouched_by: verified.and_then(|verified| verified.vouched_by.clone()),
        pending: member.pending(by).map(str::to_owned),
        has_channel: operations::addresses::channel_to(by).is_some(),
    })
}

async fn save(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    visit: Visit,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    if !changes_an_address(&signed_in.member, &form) {
        return saved(&app, signed_in, &form).await;
    }
    let confirmed = match confirm(&app, signed_in, &visit, &form, SUBJECT).await? {
        ConfirmResult::Confirmed(confirmed) => confirmed,
        ConfirmResult::Page(page) => return Ok(page),
    };
    let (signed_in, cookie) = confirmed.into_parts();
    Ok(with_cookie(cookie, saved(&app, signed_in, &form).await))
}

/// Whether the form changes an address of the member. A change needs a confirmed session, because sign-in links are
/// sent to these addresses.
fn changes_an_address(member: &Member, form: &Form) -> bool {
    AddressedBy::ALL.into_iter().any(|by| {
        let given = form.text(by.as_str());
        given != member.address(by).unwrap_or_default() && Some(given) != member.pending(by)
    })
}

async fn saved(app: &App, signed_in: SignedIn, form: &Form) -> Result<Response, PageError> {
    let changed = match own(form) {
        Ok(wanted) => changed(app, &signed_in.member, wanted).await?,
        Err(error) => Err(Wrong::of(error)?),
    };
    match changed {
        Ok(member) => {
            let is_new = |by: AddressedBy| member.pending(by).is_some_and(|new| new == form.text(by.as_str()));
            let asked = AddressedBy::ALL.into_iter().any(is_new);
            Ok(see_other(if asked { "/me?done=asked" } else { "/me?done=saved" }))
        }
        Err(wrong) => {
            let document = shown(app, signed_in, None, Fields::typed(form), Some(wrong), None).await?;
            Ok((StatusCode::BAD_REQUEST, document).into_response())
        }
    }
}

async fn changed(app: &App, member: &Member, wanted: Own) -> Result<Result<Member, Wrong>, PageError> {
    if let Some(email) = wanted.email.as_deref().filter(|email| member.email.as_deref() != Some(*email))
        && is_taken(app, member, email).await?
    {
        return Ok(Err(Wrong::new("email", "wrong_email_taken")));
    }
    match change_own(app, member, wanted).await {
        Ok(member) => Ok(Ok(member)),
        Err(error) => Wrong::of(error).map(Err),
    }
}

/// Whether another member has this address. People sign in with an address, so two members with the same one could not
/// sign in. Administrators may let two members share one.
async fn is_taken(app: &App, member: &Member, email: &str) -> Result<bool, PageError> {
    let others = app.store.members_with_email(email).await?;
    Ok(others.iter().any(|other| other.id != member.id))
}

/// Shows the page with a code that links a chat user. The code is shown once, so there is no redirect.
async fn make_link_code(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    form: Form,
) -> Result<Html<String>, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let made = chat::make(&app, &signed_in.member, &form).await?;
    let fields = Fields::of(&signed_in.member);
    shown(&app, signed_in, None, fields, None, Some(&made)).await
}

async fn discard(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    forget_pending(&app, &signed_in.member.id, addressed_by(&form)?).await.map_err(refused)?;
    Ok(see_other("/me?done=saved"))
}

async fn send_code(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Base(base): Base,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let member = &signed_in.member;
    let by = addressed_by(&form)?;
    verification::send_code(&app, &member.id, by, &member.name, &base).await.map_err(refused)?;
    Ok(see_other("/me?done=sent"))
}

async fn enter_code(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let by = addressed_by(&form)?;
    let member = &signed_in.member;
    let is_free = match member.pending(by).filter(|_| by == AddressedBy::Email) {
        Some(email) => !is_taken(&app, member, email).await?,
        None => true,
    };
    if !is_free {
        return Err(PageError::Message {
            status: StatusCode::CONFLICT,
            happened: "wrong_email_taken",
            remedy: "nothing_changed",
        });
    }
    match verification::enter_code(&app, &member.id, by, &member.name, form.text("code")).await {
        Ok(_) => Ok(see_other("/me?done=verified")),
        Err(error) => {
            let wrong = Wrong::new(&format!("code-{}", by.as_str()), Wrong::of(error)?.text);
            let fields = Fields::of(&signed_in.member);
            let document = shown(&app, signed_in, None, fields, Some(wrong), None).await?;
            Ok((StatusCode::BAD_REQUEST, document).into_response())
        }
    }
}

/// Changes only the language, and shows again the page from which the request came.
async fn choose_language(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Visit { base, headers }: Visit,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(CHOOSE_LANGUAGE, form.token())?;
    let wanted = LANGUAGES.into_iter().find(|(_, code, _)| *code == form.text("language"));
    let (language, ..) = wanted.ok_or(PageError::NotFound)?;
    let member = &signed_in.member;
    change_own(&app, member, Own { language, ..Own::of(member) }).await.map_err(refused)?;
    let from = headers.get(REFERER).and_then(|from| from.to_str().ok()).and_then(|from| from.strip_prefix(&base.0));
    Ok(see_other(own_path(from.unwrap_or_default())))
}

fn addressed_by(form: &Form) -> Result<AddressedBy, PageError> {
    let field = form.text("field");
    AddressedBy::ALL.into_iter().find(|by| by.as_str() == field).ok_or(PageError::NotFound)
}
