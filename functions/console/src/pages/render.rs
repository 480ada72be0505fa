//! Renders a page's template inside the frame that all pages share.
//!
//! In → out: `page("error.html", "not_found", &context, &reader)` → the whole document in the reader's language. The
//! template engine escapes every value. A test fails if a template uses an undefined value.
//!
//! Components are templates that other templates call: `ui("badge", tone=…, text=…)` renders `html/ui/badge.html` with
//! these arguments and the words. They are not macros of minijinja: Cargo would enable the feature `macros` for the
//! users' templates (`channels`) in this function but not in `notify`, so `notify` would refuse a template that this
//! function accepts.

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
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior, context};
use serde::Serialize;
use words::pages::shell::NOT_SHOWN;
use words::timeline::Voice;

use crate::app::SharedApp;
use crate::extract::Base;
use crate::pages::assets::style_name;
use crate::pages::error::PageError;
use crate::pages::fields::LANGUAGES;
use crate::pages::paths::CHOOSE_LANGUAGE;
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
    // Components.
    ("ui/area", include_str!("html/ui/area.html")),
    ("ui/badge", include_str!("html/ui/badge.html")),
    ("ui/banner", include_str!("html/ui/banner.html")),
    ("ui/empty", include_str!("html/ui/empty.html")),
    ("ui/field", include_str!("html/ui/field.html")),
    ("ui/moment", include_str!("html/ui/moment.html")),
    ("ui/pager", include_str!("html/ui/pager.html")),
    ("ui/select", include_str!("html/ui/select.html")),
    ("ui/tabs", include_str!("html/ui/tabs.html")),
    ("ui/time", include_str!("html/ui/time.html")),
    ("ui/token", include_str!("html/ui/token.html")),
    ("ui/zone", include_str!("html/ui/zone.html")),
];

/// The sections of the navigation: the address, a key of the words, and the templates that belong to the section.
const SECTIONS: [(&str, &str, &[&str]); 3] = [
    ("/incidents", "incidents", &["incidents.html", "incident.html", "acknowledge.html", "earlier.html", "trace.html"]),
    ("/members", "members", &["members.html", "invitation.html"]),
    ("/dead-letters", "dead_letters", &["dead_letters.html"]),
];

/// The format of times: `2026-11-22 14:30:05`.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("at", |time: &str, zone: &str| local_time(time, zone));
    environment.add_function("ui", component);
    environment.add_function("flag", flag);
    environment.add_function("beside", beside);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).expect("the pages' own templates are valid");
    }
    environment
});

/// Renders a component of `html/ui` with the words and these arguments.
fn component(state: &State<'_, '_>, name: &str, arguments: Kwargs) -> Result<Value, Error> {
    let words = state.lookup("t");
    let template = state.env().get_template(&format!("ui/{name}"))?;
    let text = template.render(context! { t => words, ..Value::from(arguments) })?;
    Ok(Value::from_safe_string(text))
}

/// Attributes of the field `name` of a [`super::fields::Filled`]: the ids of its descriptions, and whether its value
/// has an error.
fn flag(form: &Value, name: &str, has_hint: bool) -> Value {
    let is_wrong = wrong_of(form, name).is_some();
    let hint = if has_hint { format!("hint-{name} ") } else { String::new() };
    let (wrong, invalid) = match is_wrong {
        true => (format!("wrong-{name}"), " aria-invalid=\"true\" autofocus"),
        false => (String::new(), ""),
    };
    let described = format!("{hint}{wrong}");
    Value::from_safe_string(match described.trim_end() {
        "" => String::new(),
        described => format!(" aria-describedby=\"{described}\"{invalid}"),
    })
}

/// The error text beside the field `name`, if the field has an error.
fn beside(words: &Value, form: &Value, name: &str) -> Value {
    let word = |key: &Value| words.get_item(key).ok().map(|text| text.to_string()).unwrap_or_default();
    let sentence = |wrong: Value| {
        let text = wrong.get_attr("text").map(|key| word(&key)).unwrap_or_default();
        let wait = wrong.get_attr("wait").ok().filter(|wait| !wait.is_none() && !wait.is_undefined());
        let wait = wait.map(|wait| format!(" {} {wait} {}", word(&"wait_before".into()), word(&"wait_after".into())));
        let wait = wait.unwrap_or_default();
        format!("<strong class=\"wrong\" role=\"alert\" id=\"wrong-{name}\">{text}{wait}</strong>")
    };
    Value::from_safe_string(wrong_of(form, name).map_or_else(String::new, sentence))
}

/// The error of this field.
fn wrong_of(form: &Value, name: &str) -> Option<Value> {
    let wrong = form.get_attr("wrong").ok()?;
    let is_this = wrong.get_attr("field").is_ok_and(|field| field.as_str() == Some(name));
    is_this.then_some(wrong)
}

/// The reader of a page.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) language: Language,
    pub(crate) time_zone: Zone,
    /// The signed-in member, whom the frame names. `None`: nobody is signed in.
    pub(crate) signed_in: Option<SignedIn>,
}

/// A moment for a page: `<time datetime="{iso}" title="{shown}">{ago}</time>`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct When {
    iso: String,
    /// The time in the reader's time zone: `2026-11-22 14:30:05`.
    shown: String,
    /// The distance from now: `5 min ago`, `in 2 h`.
    ago: String,
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

    /// A time in the reader's time zone: `2026-11-22 14:30:05`.
    pub(crate) fn time(&self, at: Moment) -> String {
        let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
        at.to_zoned(self.time_zone.rules()).strftime(TIME).to_string()
    }
}

impl Reader {
    pub(crate) fn when(&self, at: Moment) -> When {
        let shown = self.time(at);
        let distance = self.signed_in.as_ref().and_then(|signed_in| distance(signed_in.now, at));
        let ago = match distance {
            Some((key, number)) => self.counted(key, number),
            None => shown.split(' ').next().unwrap_or_default().to_owned(),
        };
        When { iso: at.rfc3339(), shown, ago }
    }

    /// The text of a key, with `{n}` replaced by a number.
    pub(crate) fn counted(&self, key: &str, number: impl ToString) -> String {
        self.word(key).replace("{n}", &number.to_string())
    }

    /// The text of a timeline entry's detail, with times in the reader's time zone.
    pub(crate) fn detail(&self, detail: &Detail) -> String {
        let reason = |code: &str| self.known_word(&format!("reason_{code}")).unwrap_or(code).to_owned();
        Voice { language: self.language, time: &|at| self.time(at), reason: &reason }.detail(detail)
    }

    /// The text of a key. `None`: there is no such key.
    pub(crate) fn known_word(&self, key: &str) -> Option<&'static str> {
        words::by_key(self.language).get(key).copied()
    }

    /// The text of a key. A test checks that every key exists.
    pub(crate) fn word(&self, key: &str) -> &'static str {
        self.known_word(key).unwrap_or_default()
    }
}

/// The distance from now to `at`: a key of the words and its number. `None`: the distance is so large that a date is
/// clearer.
fn distance(now: Moment, at: Moment) -> Option<(&'static str, u64)> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = now.millis().abs_diff(at.millis()) / 1000;
    let is_to_come = at > now;
    let (past, to_come, unit) = match seconds {
        0..MINUTE => ("ago_now", "in_now", 1),
        MINUTE..HOUR => ("ago_minutes", "in_minutes", MINUTE),
        HOUR..172_800 => ("ago_hours", "in_hours", HOUR),
        172_800..1_209_600 => ("ago_days", "in_days", DAY),
        _ => return None,
    };
    Some((if is_to_come { to_come } else { past }, seconds / unit))
}

/// Whether Chinese comes before English in the browser's `Accept-Language` list, which is in order of preference.
fn prefers_chinese(list: &str) -> bool {
    let first = list.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let known = first.into_iter().find(|tag| tag.starts_with("zh") || tag.starts_with("en"));
    known.is_some_and(|tag| tag.starts_with("zh"))
}

impl FromRequestParts<SharedApp> for Reader {
    type Rejection = PageError;

    /// The signed-in member, or a reader without a session in the browser's language.
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, PageError> {
        let stranger = Self::stranger(&parts.headers);
        let Ok(base) = Base::from_request_parts(parts, app).await else { return Ok(stranger) };
        Ok(signed_in(app, &parts.headers, &base).await?.map_or(stranger, Self::of))
    }
}

/// An RFC 3339 time of the API, converted to this time zone. Any other text is returned unchanged.
fn local_time(time: &str, zone: &str) -> String {
    match (time.parse::<jiff::Timestamp>(), zone.parse::<Zone>()) {
        (Ok(at), Ok(zone)) => at.to_zoned(zone.rules()).strftime(TIME).to_string(),
        _ => time.to_owned(),
    }
}

/// The sections of the navigation, with the one of this template marked as current.
fn sections(template: &str) -> Vec<Value> {
    let section = |(href, name, templates): (&str, &str, &[&str])| context! { href, name, is_current => templates.contains(&template) };
    SECTIONS.map(section).into()
}

/// Renders a document. `title` is a key of the words, or the text itself if there is no such key.
pub(crate) fn page(template: &str, title: &str, content: &impl Serialize, reader: &Reader) -> Html<String> {
    let words = words::by_key(reader.language);
    let title = words.get(title).copied().unwrap_or(title);
    let render = |name: &str, context| ENVIRONMENT.get_template(name).and_then(|template| template.render(context));
    let body = render(template, context! { t => words, p => Value::from(Serde(content)) });
    let document = body.and_then(|body| {
        let signed_in = reader.signed_in.as_ref();
        let member = signed_in.map(|signed_in| &signed_in.member.name);
        let tokens = signed_in.map(|signed_in| {
            context! { sign_out => signed_in.form_token("/sign-out"), language => signed_in.form_token(CHOOSE_LANGUAGE) }
        });
        let (csrf, sections, style) = (signed_in.map(SignedIn::csrf_token), sections(template), style_name());
        let language = words::html_lang(reader.language);
        let other = LANGUAGES.into_iter().find(|(of, ..)| *of != reader.language);
        let other = other.map(|(language, code, name)| context! { code, name => name.of(language) });
        let frame = context! { t => words, current => template, title, body, member, tokens, csrf, language, other,
        sections, style };
        render("frame.html", frame)
    });
    match document {
        Ok(document) => Html(document),
        Err(error) => {
            // A test renders every page, so this error needs a value that no test has.
            tracing::error!(%error, template, "a page could not be rendered");
            let text = NOT_SHOWN.of(reader.language);
            Html(format!("<!doctype html><title>Larkspur</title><p>{text}"))
        }
    }
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
    fn a_time_is_said_by_its_distance_and_by_its_date_when_that_is_far() {
        let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
        for (ago, expected) in [
            (0, Some(("ago_now", 0))),
            (59_999, Some(("ago_now", 59))),
            (minute, Some(("ago_minutes", 1))),
            (59 * minute, Some(("ago_minutes", 59))),
            (hour, Some(("ago_hours", 1))),
            (47 * hour, Some(("ago_hours", 47))),
            (2 * day, Some(("ago_days", 2))),
            (14 * day, None),
            (-25 * minute, Some(("in_minutes", 25))),
            (-3 * hour, Some(("in_hours", 3))),
            (-100 * day, None),
        ] {
            let now = Moment::from_millis(1_800_000_000_000);
            assert_eq!(distance(now, Moment::from_millis(now.millis() - ago)), expected, "{ago}");
        }
    }

    #[test]
    fn each_section_has_words_and_is_the_current_one_on_its_own_pages() {
        for (_, name, templates) in SECTIONS {
            assert!(Reader::default().known_word(name).is_some(), "{name}");
            for template in templates {
                assert!(TEMPLATES.iter().any(|(known, _)| known == template), "{template}");
                let current = sections(template)
                    .into_iter()
                    .filter(|one| one.get_attr("is_current").is_ok_and(|it| it.is_true()));
                assert_eq!(current.count(), 1, "{template}");
            }
        }
    }

    /// The content security policy allows only the one small style sheet.
    #[test]
    fn no_template_has_a_style_or_a_script_of_its_own_and_the_sheet_is_small() {
        for (name, source) in TEMPLATES {
            for forbidden in [" style=", "<style", "<script", " onclick", " onload", "javascript:"] {
                assert!(!source.contains(forbidden), "{name} has {forbidden}");
            }
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, crate::pages::assets::STYLE.as_bytes()).expect("written");
        let bytes = packed.finish().expect("written").len();
        assert!(bytes <= 12 * 1024, "the style sheet has {bytes} bytes packed");
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
