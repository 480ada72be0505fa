//! Content templates: the default of a channel, and the message that a template yields for an incident.

use alerting::people::destination::Language;
use alerting::rules::sandbox::FILTERS;
use channels::content::variables::{VARIABLES, Variable};
use channels::content::{SOURCE_BYTES, STATEMENTS, Texts};
use channels::request::Request;
use channels::size::{Measured, Unit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The content template of a channel, and what any template may hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContentTemplate)]
pub(crate) struct TemplateView {
    #[schema(example = "feishu_bot")]
    channel: String,
    /// The template that is used if the escalation rule has none.
    default: DefaultTexts,
    variables: Vec<VariableView>,
    statements: Vec<&'static str>,
    filters: Vec<&'static str>,
    /// Bytes of a template as typed.
    max_bytes: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct DefaultTexts {
    en: &'static str,
    zh: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateVariable)]
struct VariableView {
    #[schema(example = "title")]
    name: &'static str,
    /// `text`, `number`, `boolean` or `map`.
    #[schema(example = "text")]
    kind: &'static str,
    meaning: &'static str,
    example: &'static str,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    #[schema(example = "feishu_bot")]
    pub(crate) channel: String,
    #[serde(default)]
    #[schema(default = Language::default)]
    pub(crate) language: Language,
    /// The template to use. Left out: that of the incident's escalation rule for the channel and language, or else the
    /// default.
    #[serde(default)]
    #[schema(example = "- Host: {{ labels.host }}\n{{ description }}")]
    pub(crate) template: Option<String>,
}

/// The message that an incident's newest change would be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preview)]
pub(crate) struct PreviewView {
    /// The body that the vendor would get, for a made-up destination; for a mail, its parts.
    #[schema(value_type = Object)]
    request: Value,
    size: SizeView,
    /// Whether the message was too long and is shown shortened.
    cut: bool,
    /// Why the template could not be used, so that the channel's own is shown; `null` if nothing failed.
    #[schema(required)]
    error: Option<String>,
}

/// The size of the message, and the vendor's limit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewSize)]
struct SizeView {
    #[schema(example = 1234)]
    used: usize,
    #[schema(example = 20_000)]
    max: usize,
    /// What the vendor counts: `bytes` (of UTF-8), `chars`, or `utf16` (units of UTF-16).
    #[schema(example = "bytes")]
    unit: &'static str,
}

impl TemplateView {
    pub(crate) fn new(channel: String, default: Texts) -> Self {
        Self {
            channel,
            default: DefaultTexts { en: default.english, zh: default.chinese },
            variables: VARIABLES.map(VariableView::from).into(),
            statements: STATEMENTS.into(),
            filters: FILTERS.into(),
            max_bytes: SOURCE_BYTES,
        }
    }
}

impl From<Variable> for VariableView {
    fn from(Variable { name, kind, meaning, example }: Variable) -> Self {
        Self { name, kind, meaning, example }
    }
}

impl From<Request> for PreviewView {
    fn from(request: Request) -> Self {
        let Measured { used, of } = request.size;
        let unit = match of.unit {
            Unit::Bytes => "bytes",
            Unit::Chars => "chars",
            Unit::Utf16 => "utf16",
        };
        Self {
            request: request.body(),
            size: SizeView { used, max: of.max, unit },
            cut: request.cut,
            error: request.template.map(|failure| failure.to_string()),
        }
    }
}
