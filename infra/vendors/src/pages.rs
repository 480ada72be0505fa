//! The groups as their members see them: `/groups`, `/groups/{name}`, and the same as JSON at `/groups/{name}.json`.
//!
//! Everything in a message is text to the page: escaped, and links only to web addresses. The page needs no
//! script; with one it follows the group without a reload.

use std::fmt::Write as _;

use alerting::base::moment::Moment;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use html_escape::{encode_double_quoted_attribute as attribute, encode_text as text};
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::fakes::Fakes;
use crate::rich::{Line, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const STYLE: &str = include_str!("pages/groups.css");
const SCRIPT: &str = include_str!("pages/groups.js");
/// The policy allows only the style sheet and the script of the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Pages at `/groups`.
pub fn router(fakes: &Fakes) -> Router {
    Router::new()
        .route("/groups", get(list))
        .route("/groups/", get(list))
        .route("/groups/assets/groups.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route(
            "/groups/assets/groups.js",
            get(async || ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)),
        )
        .route("/groups/{name}", get(by_name))
        .route("/groups/{vendor}/{name}", get(by_vendor))
        .with_state(fakes.clone())
}

async fn list(State(fakes): State<Fakes>) -> Response {
    let mut body = String::from(
        "<header><h1>Groups</h1><p>What the built-in bots were sent. <a href=\"/incidents\">Incidents</a></p></header><main>",
    );
    let groups = fakes.list();
    if groups.is_empty() {
        body.push_str("<p class=\"empty\">No group has been sent anything yet.</p>");
    }
    body.push_str("<ul class=\"groups\">");
    for (vendor, name, seen) in groups {
        let count = if seen == 1 { "1 message".to_owned() } else { format!("{seen} messages") };
        let path = format!("/groups/{}/{name}", vendor.as_str());
        let _ = write!(
            body,
            "<li><a href=\"{}\"><span class=\"vendor {}\">{}</span> <b>{}</b> <small>{count}</small></a></li>",
            attribute(&path),
            vendor.as_str(),
            vendor.title(),
            text(&name)
        );
    }
    body.push_str("</ul></main>");
    page("Groups", &body)
}

async fn by_name(State(fakes): State<Fakes>, Path(name): Path<String>) -> Response {
    let (name, as_json) = split(&name);
    match fakes.vendor_of(name) {
        Some(vendor) => show(&fakes, vendor, name, as_json),
        None => not_found(),
    }
}

async fn by_vendor(State(fakes): State<Fakes>, Path((vendor, name)): Path<(String, String)>) -> Response {
    let (name, as_json) = split(&name);
    match Vendor::ALL.iter().find(|known| known.as_str() == vendor) {
        Some(vendor) => show(&fakes, *vendor, name, as_json),
        None => not_found(),
    }
}

fn split(name: &str) -> (&str, bool) {
    name.strip_suffix(".json").map_or((name, false), |name| (name, true))
}

fn not_found() -> Response {
    let body = "<header><h1>No such group</h1><p>A group opens when something is first sent to its bot.</p></header>";
    (StatusCode::NOT_FOUND, page("No such group", body)).into_response()
}

fn show(fakes: &Fakes, vendor: Vendor, name: &str, as_json: bool) -> Response {
    let messages = fakes.messages(vendor, name);
    if as_json {
        let shown: Vec<Shown> = messages.iter().map(Shown::from).collect();
        return axum::Json(json!({"group": name, "vendor": vendor.as_str(), "messages": shown})).into_response();
    }
    let mut body = format!(
        "<header><p><a href=\"/groups\">Groups</a></p><h1>{}</h1><p><span class=\"vendor {}\">{}</span> group, played on this machine</p></header><main id=\"messages\">",
        text(name),
        vendor.as_str(),
        vendor.title()
    );
    if messages.is_empty() {
        body.push_str("<p class=\"empty\">Nothing yet. Send a message to an integration, and it shows up here.</p>");
    }
    // Newest first: a page has no scroll position to keep at the bottom.
    for message in messages.iter().rev() {
        card(&mut body, message);
    }
    body.push_str("</main>");
    page(name, &body)
}

/// A message as JSON: what a program looks for, without the styles.
#[derive(Serialize)]
struct Shown<'a> {
    at: String,
    title: String,
    text: String,
    color: Option<&'a str>,
    buttons: &'a [Button],
}

impl<'a> From<&'a Seen> for Shown<'a> {
    fn from(seen: &'a Seen) -> Self {
        Self {
            at: seen.at.rfc3339(),
            title: seen.title(),
            text: seen.text(),
            color: seen.color.as_deref(),
            buttons: &seen.buttons,
        }
    }
}

fn card(out: &mut String, seen: &Seen) {
    let bar = seen.color.as_deref().unwrap_or("#8A919C");
    // The policy forbids styles in attributes, so colours are drawn as attributes of a picture.
    let _ = write!(
        out,
        "<article><svg class=\"bar\" aria-hidden=\"true\" preserveAspectRatio=\"none\" viewBox=\"0 0 1 1\"><rect width=\"1\" height=\"1\" fill=\"{}\"/></svg><div class=\"body\">",
        attribute(bar)
    );
    if !seen.title.is_empty() {
        out.push_str("<h2>");
        runs(out, &seen.title);
        out.push_str("</h2>");
    }
    for line in &seen.lines {
        show_line(out, line);
    }
    if !seen.buttons.is_empty() {
        out.push_str("<p class=\"buttons\">");
        for button in &seen.buttons {
            match button.url.as_str() {
                // The app answers it: only a test presses it.
                "" => out.push_str(&format!("<span>{}</span>", text(&button.text))),
                url => link(out, url, &text(&button.text)),
            }
        }
        out.push_str("</p>");
    }
    let _ = write!(out, "</div>{}</article>", time(seen.at));
}

/// Names and values of fields stand below each other. Other bold text is part of its sentence.
fn show_line(out: &mut String, line: &Line) {
    match line.split_first() {
        None => out.push_str("<p class=\"gap\"></p>"),
        Some((name, value)) if is_field(name, value) => {
            let _ = write!(out, "<p class=\"field\"><b>{}</b><span>", text(name.text.trim_end_matches([':', ' '])));
            let mut value = value.to_vec();
            value[0].text = value[0].text.trim_start_matches([':', '：', ' ']).to_owned();
            runs(out, &value);
            out.push_str("</span></p>");
        }
        Some(_) => {
            out.push_str("<p>");
            runs(out, line);
            out.push_str("</p>");
        }
    }
}

/// What the vendor has as a field, or what a colon makes one: `**Space**: Payments`.
fn is_field(name: &Run, value: &[Run]) -> bool {
    let colon = [':', '：'];
    let named = name.text.trim_end().ends_with(colon) || value.first().is_some_and(|run| run.text.starts_with(colon));
    !value.is_empty() && (name.field || (name.bold && named))
}

fn time(at: Moment) -> String {
    let at = at.rfc3339();
    // `2026-11-22T05:00:00.123Z` → `05:00:00`
    let clock = at.get(11..19).unwrap_or(&at);
    format!("<time datetime=\"{}\" title=\"{0}\">{}</time>", attribute(&at), text(clock))
}

fn runs(out: &mut String, line: &Line) {
    for run in line {
        let shown = text(&run.text);
        let shown = match run.color.as_deref().and_then(class) {
            Some(class) => format!("<span class=\"{class}\">{shown}</span>"),
            None => shown.into_owned(),
        };
        let shown = if run.bold { format!("<b>{shown}</b>") } else { shown };
        match &run.href {
            Some(href) => link(out, href, &shown),
            None => out.push_str(&shown),
        }
    }
}

/// `shown` is escaped already.
fn link(out: &mut String, href: &str, shown: &str) {
    let _ = write!(out, "<a href=\"{}\" rel=\"noreferrer noopener\">{shown}</a>", attribute(href));
}

/// The nearest of the page's own text colours, which are readable on light and dark.
fn class(color: &str) -> Option<&'static str> {
    let channel = |at: usize| color.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let (red, green, blue) = (channel(1)?, channel(3)?, channel(5)?);
    Some(match (red > 150, green > 110, blue > 150) {
        (true, false, _) => "red",
        (true, true, false) => "orange",
        (false, true, false) => "green",
        (false, _, true) => "blue",
        _ => "grey",
    })
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{} · Larkspur</title><link rel=\"stylesheet\" href=\"/groups/assets/groups.css\"><noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript><script src=\"/groups/assets/groups.js\" defer></script></head><body>{body}</body></html>",
        text(title)
    );
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (headers, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_page_shows_every_part_of_a_message_as_text() {
        let mut html = String::new();
        let evil = "<script>alert(1)</script>\" onload=\"x";
        let seen = Seen {
            title: vec![Run::plain(evil)],
            lines: vec![vec![Run::link(evil, "javascript:alert(1)"), Run::link("x", "https://a.example/\"><b>")]],
            ..Seen::new(Moment::from_secs(0))
        };
        card(&mut html, &seen);
        assert!(!html.contains("<script") && !html.contains("javascript:") && !html.contains("\"><b>"), "{html}");
        assert!(html.contains("&lt;script&gt;"));
    }

    // Proves: finding E4
    #[test]
    fn only_a_field_is_drawn_as_one() {
        let bold = |text: &str| Run { bold: true, ..Run::plain(text) };
        let field = Run { field: true, ..bold("Space") };
        for (line, is_field) in [
            (vec![bold("[Recovered · Critical]"), Run::plain(" INC #1 disk full")], false),
            (vec![bold("node db-1 is down"), Run::plain(" since 10:00")], false),
            (vec![bold("Space"), Run::plain(": Payments")], true),
            (vec![bold("状态："), Run::plain("触发")], true),
            (vec![field, Run::plain(" Payments")], true),
        ] {
            let mut html = String::new();
            show_line(&mut html, &line);
            assert_eq!(html.starts_with("<p class=\"field\">"), is_field, "{html}");
        }
    }
}
