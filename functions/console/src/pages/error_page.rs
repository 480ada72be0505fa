//! Renders an error as a page in the reader's language.

use std::error::Error;

use alerting::people::destination::Language;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::error::{PageError, REFUSED};
use super::render::{Reader, page};

#[derive(Serialize)]
struct Context<'a> {
    /// Keys of the words that say what happened and what to do.
    happened: &'static str,
    remedy: &'static str,
    /// The API's own sentence.
    detail: Option<&'a str>,
}

/// The page of an error for this reader.
pub(crate) fn answer(error: &PageError, reader: &Reader) -> Response {
    if let PageError::SignIn { next } = error {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        return (StatusCode::SEE_OTHER, [(LOCATION, format!("/sign-in?{query}"))]).into_response();
    }
    if let PageError::Internal(error) = error {
        tracing::error!(error = &**error as &dyn Error, "a page failed");
    }
    let (happened, remedy) = error.words();
    let remedy = match remedy {
        // A signed-in reader is not asked to sign in again.
        "ask_for_a_new_link" if reader.signed_in.is_some() => "ask_for_another_link",
        "sign_in_to_see" if reader.signed_in.is_some() => "nothing_changed",
        remedy => remedy,
    };
    let status = error.status();
    let detail = match error {
        PageError::Refused { english, chinese, happened, .. } => match (reader.language, chinese) {
            (Language::English, _) => Some(english.as_str()),
            (Language::Chinese, Some(chinese)) => Some(chinese.as_str()),
            (Language::Chinese, None) => (*happened == REFUSED).then_some(english.as_str()),
        },
        _ => None,
    };
    let context = Context { happened, remedy, detail };
    let mut response = (status, page("error.html", happened, &context, reader)).into_response();
    if let PageError::TooOften(wait) = error {
        // Rounded up, so that a browser that waits this long is not refused again.
        response.headers_mut().insert(RETRY_AFTER, (wait.as_secs() + 1).into());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use alerting::incident::action::ActionError;

    use super::super::error::refused;
    use super::*;
    use crate::error::ApiError;

    async fn page_of(error: ApiError, language: Language) -> String {
        let reader = Reader { language, ..Reader::default() };
        let body = answer(&refused(error), &reader).into_body();
        let body = to_bytes(body, usize::MAX).await.expect("a page");
        String::from_utf8(body.to_vec()).expect("text")
    }

    /// An error and the texts of its page in English and in Chinese.
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
