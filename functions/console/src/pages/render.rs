//! A page's template, in the frame that all pages have.
//!
//! In → out: `page("error.html", "not_found", &context, &reader)` → the whole document in the reader's language.
//! Everything from outside is escaped by the engine; a template that names what is not there fails its tests.

use std::sync::LazyLock;

use alerting::base::moment::Moment;
use alerting::incident::detail::Detail;
use alerting::people::destination::Language;
use alerting::people::hours::Zone;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use axum::response::Html;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;
use words::pages::shell::NOT_SHOWN;
use words::timeline::Voice;

use crate::app::SharedApp;
use crate::extract::Base;
use crate::pages::error::PageError;
use crate::session::{SignedIn, signed_in};

/// Each template, by the name that handlers use.
const TEMPLATES: &[(&str, &str)] = &[
    ("frame.html", include_str!("html/frame.html")),
    ("error.html", include_str!("html/error.html")),
    ("trace.html", include_str!("html/trace.html")),
    // Incidents.
    ("incidents.html", include_str!("html/incidents.html")),
    ("incident.html", include_str!("html/incident.html")),
    ("acknowledge.html", include_str!("html/acknowledge.html")),
    ("personal.html", include_str!("html/personal.html")),
    ("earlier.html", include_str!("html/earlier.html")),
    ("notifications.html", include_str!("html/notifications.html")),
    ("me.html", include_str!("html/me.html")),
    ("sign_in.html", include_str!("html/sign_in.html")),
    ("set_up.html", include_str!("html/set_up.html")),
    ("dead_letters.html", include_str!("html/dead_letters.html")),
    ("members.html", include_str!("html/members.html")),
    ("invitation.html", include_str!("html/invitation.html")),
    ("confirm.html", include_str!("html/confirm.html")),
    ("my_password.html", include_str!("html/my_password.html")),
];

/// How times are written: `2026-11-22 14:30:05`.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("at", |time: &str, zone: &str| local_time(time, zone));
    environment.add_function("flag", flag);
    environment.add_function("beside", beside);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).expect("the pages' own templates are valid");
    }
    environment
});

/// Attributes of the field `name` if it is what is wrong ([`super::fields::Wrong`]).
fn flag(wrong: &Value, name: &str) -> Value {
    match key_of(wrong, name) {
        Some(_) => {
            Value::from_safe_string(format!(" aria-invalid=\"true\" aria-errormessage=\"wrong-{name}\" autofocus"))
        }
        None => Value::from_safe_string(String::new()),
    }
}

/// The sentence beside the field `name` if it is what is wrong.
fn beside(words: &Value, wrong: &Value, name: &str) -> Value {
    let text = key_of(wrong, name).and_then(|key| words.get_item(&key).ok());
    Value::from_safe_string(text.map_or_else(String::new, |text| {
        format!("<strong class=\"wrong\" role=\"alert\" id=\"wrong-{name}\">{text}</strong>")
    }))
}

/// The key of the words for what is wrong with this field.
fn key_of(wrong: &Value, name: &str) -> Option<Value> {
    let is_this = wrong.get_attr("field").is_ok_and(|field| field.as_str() == Some(name));
    if is_this { wrong.get_attr("text").ok() } else { None }
}

/// Who a page is written for.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) language: Language,
    pub(crate) time_zone: Zone,
    /// Shown in the frame; `None`: nobody is signed in.
    pub(crate) signed_in: Option<SignedIn>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { language: Language::English, time_zone: Zone::utc(), signed_in: None }
    }
}

impl Reader {
    pub(crate) fn of(signed_in: SignedIn) -> Self {
        let member = &signed_in.member;
        Self { language: member.language, time_zone: member.time_zone.clone(), signed_in: Some(signed_in) }
    }

    fn stranger(headers: &HeaderMap) -> Self {
        let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let language = if prefers_chinese(wanted) { Language::Chinese } else { Language::English };
        Self { language, ..Self::default() }
    }

    /// A moment as the reader's clock shows it: `2026-11-22 14:30:05`.
    pub(crate) fn time(&self, at: Moment) -> String {
        let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
        at.to_zoned(self.time_zone.rules()).strftime(TIME).to_string()
    }
}

/// A moment for a page: `<time datetime="{iso}">{shown}</time>`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct When {
    iso: String,
    shown: String,
}

impl Reader {
    pub(crate) fn when(&self, at: Moment) -> When {
        When { iso: at.rfc3339(), shown: self.time(at) }
    }

    /// What an entry of a timeline says, with moments by the reader's clock.
    pub(crate) fn detail(&self, detail: &Detail) -> String {
        let reason = |code: &str| self.known_word(&format!("reason_{code}")).unwrap_or(code).to_owned();
        Voice { language: self.language, time: &|at| self.time(at), reason: &reason }.detail(detail)
    }

    /// A text by its key, if there is one.
    pub(crate) fn known_word(&self, key: &str) -> Option<&'static str> {
        words::by_key(self.language).get(key).copied()
    }

    /// A text by a key that a test holds to the words.
    pub(crate) fn word(&self, key: &str) -> &'static str {
        self.known_word(key).unwrap_or_default()
    }
}

/// Whether Chinese comes before English in the browser's list, which is in order of preference.
fn prefers_chinese(list: &str) -> bool {
    let first = list.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let known = first.into_iter().find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
    known.is_some_and(|tag| tag.starts_with("zh"))
}

impl FromRequestParts<SharedApp> for Reader {
    type Rejection = PageError;

    /// Whoever it is: the member who is signed in, or a stranger with a browser.
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, PageError> {
        let stranger = Self::stranger(&parts.headers);
        let Ok(base) = Base::from_request_parts(parts, app).await else { return Ok(stranger) };
        Ok(signed_in(app, &parts.headers, &base).await?.map_or(stranger, Self::of))
    }
}

/// An RFC 3339 time of the API by the clock of this zone; what is none stays as it is.
fn local_time(time: &str, zone: &str) -> String {
    match (time.parse::<jiff::Timestamp>(), zone.parse::<Zone>()) {
        (Ok(at), Ok(zone)) => at.to_zoned(zone.rules()).strftime(TIME).to_string(),
        _ => time.to_owned(),
    }
}

/// A document. `title` is a key of the words, or a text if there is no such key.
pub(crate) fn page(template: &str, title: &str, content: &impl Serialize, reader: &Reader) -> Html<String> {
    let words = words::by_key(reader.language);
    let title = words.get(title).copied().unwrap_or(title);
    let render = |name: &str, context| ENVIRONMENT.get_template(name).and_then(|template| template.render(context));
    let body = render(template, context! { t => words, p => Value::from(Serde(content)) });
    let document = body.and_then(|body| {
        let member = reader.signed_in.as_ref().map(|signed_in| &signed_in.member.name);
        let sign_out = reader.signed_in.as_ref().map(|signed_in| signed_in.form_token("/sign-out"));
        let csrf = reader.signed_in.as_ref().map(SignedIn::csrf_token);
        let frame = context! { t => words, current => template, title, body, member, sign_out, csrf, style => style_name(),
        language => words::html_lang(reader.language) };
        render("frame.html", frame)
    });
    match document {
        Ok(document) => Html(document),
        Err(error) => {
            // Every page is rendered by a test; what is left is a value that no test had.
            tracing::error!(%error, template, "a page could not be rendered");
            let text = NOT_SHOWN.of(reader.language);
            Html(format!("<!doctype html><title>Larkspur</title><p>{text}"))
        }
    }
}

/// The style sheet's file name, made of its content.
pub(crate) fn style_name() -> &'static str {
    static NAME: LazyLock<String> =
        LazyLock::new(|| format!("style-{}.css", &store::keys::secret_hash(super::STYLE)[..12]));
    &NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_known_language_wins() {
        for (list, chinese) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", true),
            ("en-GB,en;q=0.9,zh;q=0.8", false),
            ("fr, zh-TW;q=0.5, en;q=0.4", true),
            ("fr", false),
            ("", false),
        ] {
            assert_eq!(prefers_chinese(list), chinese, "{list}");
        }
    }

    #[test]
    fn times_of_the_api_are_written_by_the_readers_clock() {
        for (time, zone, expected) in [
            ("2026-11-22T14:30:05.123Z", "Asia/Shanghai", "2026-11-22 22:30:05"),
            ("2026-11-22T14:30:05Z", "UTC", "2026-11-22 14:30:05"),
            ("soon", "UTC", "soon"),
        ] {
            assert_eq!(local_time(time, zone), expected);
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let context = context! { happened => "refused", remedy => "nothing_changed", detail => "<b>&\"'" };
        let document = page("error.html", "refused", &context, &Reader::default()).0;
        assert!(document.contains("&lt;b&gt;&amp;&quot;&#x27;") && !document.contains("<b>"), "{document}");
    }
}
