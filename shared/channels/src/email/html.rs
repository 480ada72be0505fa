//! The HTML part: tables and inline styles, which all mail programs show alike.

use alerting::incident::shown::links::SafeLink;

use crate::content::Fact;
use crate::layout::tone::Tone;
use crate::layout::words::Words;
use crate::layout::{Digest, Line, Message, linked};

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang SC','Microsoft \
                    YaHei',sans-serif;font-size:14px;line-height:1.5;color:#1f2328";
const NAME: &str = "padding:2px 16px 2px 0;color:#656d76;white-space:nowrap;vertical-align:top";
const VALUE: &str = "padding:2px 0;vertical-align:top;word-break:break-word";

/// One notice: headline, facts, labels, description, and the button to the incident.
pub(super) fn message(message: &Message) -> String {
    let line = &message.line;
    let mut rows = row(&format!(
        "<div>{} {}</div><div style=\"font-size:20px;font-weight:600;word-break:break-word\">{}</div>",
        badge(line.tone, &line.badge),
        escape(&line.num),
        escape(&format!("{}{}", line.title, line.note)),
    ));
    if !message.facts().is_empty() {
        rows += &row(&table(message.facts().iter().map(|fact| pair(fact, line.tone))));
    }
    for (index, block) in message.content.blocks.iter().enumerate().filter(|(_, block)| !block.is_empty()) {
        // The block directly after the facts: in the usual content the labels.
        let is_aside = index == 0 && !message.facts().is_empty();
        let style = if is_aside { "color:#656d76" } else { "padding:12px;background:#f6f8fa" };
        rows += &row(&format!("<div style=\"{style};word-break:break-word\">{}</div>", linked(block, lines, anchor)));
    }
    rows += &row(&buttons(message.links()));
    page(message.words, line.tone, &rows)
}

/// Several notices: a line each.
pub(super) fn digest(digest: &Digest<'_>) -> String {
    let mut rows = row(&format!("<div style=\"font-size:20px;font-weight:600\">{}</div>", escape(&digest.heading())));
    for line in digest.lines {
        let Line { tone, badge: text, num, title, note, link, .. } = line;
        let link = format!("<a href=\"{}\" style=\"color:#0969da\">{}</a>", escape(link), escape(num));
        rows += &row(&format!("{} {link} {}{}", badge(*tone, text), escape(title), escape(note)));
    }
    if let Some(footer) = digest.footer() {
        rows += &row(&escape(&footer));
    }
    page(digest.words, digest.tone(), &rows)
}

fn page(words: Words, tone: Tone, rows: &str) -> String {
    let lang = words.lang();
    let table = "role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"";
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"></head>\n<body style=\"margin:0;padding:0;background:#f6f8fa\">\n<table {table} \
         width=\"100%\"><tr><td align=\"center\" style=\"padding:16px\">\n<table {table} width=\"600\" \
         style=\"width:100%;max-width:600px;background:#ffffff;border-top:4px solid {};{FONT}\">\n{rows}</table>\n\
         </td></tr></table>\n</body></html>\n",
        tone.hex(),
    )
}

fn row(html: &str) -> String {
    format!("<tr><td style=\"padding:8px 24px\">{html}</td></tr>\n")
}

fn table(rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    format!(
        "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"{FONT}\">{rows}</table>"
    )
}

fn pair(fact: &Fact, tone: Tone) -> String {
    let value = linked(&fact.value, escape, anchor);
    let value = if fact.coloured { coloured(tone, &value) } else { value };
    format!("<tr><td style=\"{NAME}\">{}</td><td style=\"{VALUE}\">{value}</td></tr>", escape(&fact.name))
}

fn badge(tone: Tone, text: &str) -> String {
    coloured(tone, &escape(text))
}

fn coloured(tone: Tone, html: &str) -> String {
    format!("<span style=\"color:{};font-weight:600\">{html}</span>", tone.text_hex())
}

/// Cells with a background, which also Outlook draws as buttons.
fn buttons<'a>(links: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let style = "display:inline-block;padding:8px 20px;color:#ffffff;text-decoration:none;font-weight:600";
    let button = |(text, link): (&str, &str)| {
        format!(
            "<td style=\"background:#1f6feb;border-radius:6px\"><a href=\"{}\" style=\"{style}\">{}</a></td>",
            escape(link),
            escape(text),
        )
    };
    let cells = links.map(button).collect::<Vec<_>>().join("<td style=\"width:12px\"></td>");
    format!("<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>{cells}</tr></table>")
}

/// An address that the sender wrote.
fn anchor(link: &SafeLink) -> String {
    let (url, shown) = (escape(&link.url), escape(&link.shown));
    format!("<a href=\"{url}\" rel=\"noopener noreferrer nofollow\" style=\"color:#0969da\">{shown}</a>")
}

/// Keeps line ends and indentation, which HTML would collapse.
fn lines(text: &str) -> String {
    escape(text).replace("  ", "&nbsp; ").replace('\n', "<br>\n")
}

/// Escapes all characters with a meaning in HTML texts and attributes.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
        out
    })
}
