//! What a person is told when a page or an action cannot be: what happened, that nothing changed, and what to do.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use alerting::incident::action::ActionError;
use alerting::people::destination::Language;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::render::{Reader, page};
use crate::error::ApiError;

/// Like [`ApiError`], it takes errors type by type: a typed error of an operation says what the API would have said.
#[derive(Debug)]
pub(crate) enum PageError {
    /// Has to sign in first, and then goes on to `next`, a path of ours.
    SignIn {
        next: String,
    },
    /// The session has ended while a form was being filled in.
    Unauthorized,
    /// The member may not do that.
    Forbidden,
    /// The form was not made by one of our pages for this session and this subject.
    ForeignForm,
    NotFound,
    /// What the API would have said: a field and a sentence, or a conflict.
    Refused {
        status: StatusCode,
        /// The API's sentence in English.
        english: String,
        /// The same in Chinese, where the catalogue has it. Where it has nothing, the English one is better than none.
        chinese: Option<String>,
        /// A key of the words.
        happened: &'static str,
    },
    /// What the page itself knows to say: keys of the words.
    Told {
        status: StatusCode,
        happened: &'static str,
        remedy: &'static str,
    },
    /// Has to wait so long.
    TooOften(Duration),
    Internal(Box<dyn Error + Send + Sync>),
}

/// What the API would have said, as a page says it.
pub(crate) fn refused(error: ApiError) -> PageError {
    match error {
        ApiError::NotFound(_) => PageError::NotFound,
        ApiError::Forbidden(_) | ApiError::Denied { .. } => PageError::Forbidden,
        ApiError::Internal(error) => PageError::Internal(error),
        other => {
            let (status, happened) = (other.status(), happened(&other));
            let chinese = match &other {
                ApiError::Refused(error) => Some(words::errors::refused(error, Language::Chinese)),
                _ => None,
            };
            PageError::Refused { status, english: other.sentence(), chinese, happened }
        }
    }
}

/// Every error that the API has an answer to.
impl<E> From<E> for PageError
where
    ApiError: From<E>,
{
    fn from(error: E) -> Self {
        refused(ApiError::from(error))
    }
}

/// The words for what people meet on the pages; anything else takes a form that was not ours.
fn happened(error: &ApiError) -> &'static str {
    match error {
        ApiError::Refused(ActionError::Closed) => "refused_closed",
        ApiError::Refused(ActionError::NotClosed) => "refused_not_closed",
        ApiError::Refused(ActionError::NotAcknowledged) => "refused_not_acknowledged",
        ApiError::Refused(ActionError::Merged(_)) => "refused_merged",
        ApiError::Refused(ActionError::NoRule) => "refused_no_rule",
        ApiError::Refused(ActionError::NobodyThere(_) | ActionError::NoLevel { .. }) => "refused_nobody_there",
        ApiError::Invalid { field: Some(field), .. } => match field.split('[').next().unwrap_or_default() {
            "members" | "teams" | "people" => "refused_people",
            "minutes" => "refused_minutes",
            "text" => "refused_text",
            "title" => "refused_title",
            _ => REFUSED,
        },
        _ => REFUSED,
    }
}

const REFUSED: &str = "refused";

#[derive(Serialize)]
struct Context<'a> {
    /// Keys of the words that say what happened and what to do.
    happened: &'static str,
    remedy: &'static str,
    /// The API's own sentence.
    detail: Option<&'a str>,
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused { status, .. } | Self::Told { status, .. } => *status,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn { .. } | Self::Unauthorized => ("session_ended", "sign_in_again"),
            Self::Forbidden => ("not_allowed", "ask_an_administrator"),
            Self::ForeignForm => ("foreign_form", "open_the_page_again"),
            Self::NotFound => ("not_found", "it_may_be_deleted"),
            Self::Refused { happened, .. } => (happened, "nothing_changed"),
            Self::Told { happened, remedy, .. } => (happened, remedy),
            Self::TooOften(_) => ("too_many_tries", "try_again"),
            Self::Internal(_) => ("our_failure", "try_again"),
        }
    }

    /// As a page for this reader.
    pub(crate) fn answer(&self, reader: &Reader) -> Response {
        if let Self::SignIn { next } = self {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            return (StatusCode::SEE_OTHER, [(LOCATION, format!("/sign-in?{query}"))]).into_response();
        }
        if let Self::Internal(error) = self {
            tracing::error!(error = &**error as &dyn Error, "a page failed");
        }
        let (happened, remedy) = self.words();
        let remedy = match remedy {
            // Nobody who is signed in is told to sign in.
            "ask_for_a_new_link" if reader.signed_in.is_some() => "ask_for_another_link",
            "sign_in_to_see" if reader.signed_in.is_some() => "nothing_changed",
            remedy => remedy,
        };
        let status = self.status();
        let detail = match self {
            Self::Refused { english, chinese, happened, .. } => match (reader.language, chinese) {
                (Language::English, _) => Some(english.as_str()),
                (Language::Chinese, Some(chinese)) => Some(chinese.as_str()),
                (Language::Chinese, None) => (*happened == REFUSED).then_some(english.as_str()),
            },
            _ => None,
        };
        let context = Context { happened, remedy, detail };
        let mut response = (status, page("error.html", happened, &context, reader)).into_response();
        if let Self::TooOften(wait) = self {
            // Rounded up: who waits so long is not refused again.
            response.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        response
    }
}

impl IntoResponse for PageError {
    /// Empty: the pages' middleware knows the reader, and answers in their language.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn page_of(error: ApiError, language: Language) -> String {
        let reader = Reader { language, ..Reader::default() };
        let body = refused(error).answer(&reader).into_body();
        let body = to_bytes(body, usize::MAX).await.expect("a page");
        String::from_utf8(body.to_vec()).expect("text")
    }

    /// An error, and what its page says in English and in Chinese.
    type Row = (fn() -> ApiError, &'static str, &'static str);

    // Proves: finding E6
    #[tokio::test]
    async fn a_refused_action_says_why_in_the_language_of_the_page() {
        let no_level = || ApiError::Refused(ActionError::NoLevel { levels: 2, level: 3 });
        let rows: [Row; 4] = [
            (|| ApiError::Refused(ActionError::Closed), "reopen it first", "请先重新打开"),
            (no_level, "no level 3", "没有第 3 级"),
            (|| ApiError::invalid("members[0]", "Li has no contact"), "Li has no contact", "联系方式"),
            (|| ApiError::invalid("minutes", "expected 1 to 1440"), "expected 1 to 1440", "时长无效"),
        ];
        for (error, english, chinese) in rows {
            let page = page_of(error(), Language::English).await;
            assert!(page.contains(english) && !page.contains(chinese), "{page}");
            let page = page_of(error(), Language::Chinese).await;
            assert!(page.contains(chinese) && !page.contains(english), "{page}");
        }
        let page = page_of(ApiError::conflict("read it again"), Language::Chinese).await;
        assert!(
            page.contains("read it again"),
            "what the words do not know is better read in English than not: {page}"
        );
    }
}
