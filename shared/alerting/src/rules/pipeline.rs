//! The pipeline of an integration: an ordered list of steps that change an alert, each with an optional filter.
//!
//! Title, description (initially the content), severity (initially Warning) and labels (initially those of the message)
//! pass from step to step; `content` stays as received. A step that cannot be carried out, because its pattern does not
//! match or its template does not render, changes nothing. Only a step "drop" discards a message.

use std::borrow::Cow;

use crate::base::field_error::FieldError;
use crate::base::severity::Severity;
use crate::rules::alert_draft::{AlertDraft, changes};
use crate::rules::builder::Builder;
use crate::rules::compiled::{Fuel, OutOfFuel, PatternId, Run};
use crate::rules::flag::Flag;
use crate::rules::integration::{Action, AddLabel, SeveritySource, Step};
use crate::rules::mapping::{self, Lookup};
use crate::rules::matcher::{Field, Matcher};
use crate::rules::rule_set::{Candidates, RuleSet};
use crate::rules::template::{self, RenderError, Template, Templates};
use crate::rules::trace::{Observer, Place, TriedResult};

/// The limit on the work of the pipeline for one message; see [`crate::rules::compiled`].
const FUEL: Fuel = 3_000_000;

/// A compiled pipeline.
#[derive(Debug)]
pub(crate) struct Pipeline {
    filters: RuleSet,
    steps: Vec<Ready>,
    tables: Vec<Lookup>,
    templates: Templates,
}

#[derive(Debug)]
enum Ready {
    Title(Template),
    Description(Template),
    Severity(Severity),
    SeverityFrom(Template),
    Extract {
        name: String,
        from: Field,
        pattern: PatternId,
    },
    Compose {
        name: String,
        value: Template,
    },
    /// The index of the mapping table.
    Map(usize),
    Delete(String),
    Drop,
    /// A step that does not compile.
    Nothing,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepResult {
    Done,
    Dropped,
    /// The pattern or table found nothing for this alert.
    FoundNothing,
    /// The template did not render, or rendered to a text that is not a severity.
    Failed,
    TooCostly,
    Unusable,
}

/// The step that dropped the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped(pub usize);

impl Pipeline {
    pub(crate) fn new(steps: &[Step], builder: &mut Builder<'_>) -> Result<Self, FieldError> {
        let mut compiler = Compiler { templates: Templates::new(), tables: Vec::new(), builder };
        let mut filters = Vec::with_capacity(steps.len());
        let mut ready = Vec::with_capacity(steps.len());
        for (n, step) in steps.iter().enumerate() {
            let (filter, action) = compiler.step(step, &format!("pipeline[{n}]"))?;
            filters.push(filter);
            ready.push(action);
        }
        let Compiler { templates, tables, builder } = compiler;
        Ok(Self { filters: RuleSet::new(filters, &builder.patterns), steps: ready, tables, templates })
    }

    /// Carries out the steps in order. Each filter is evaluated on the alert after the previous steps.
    pub(crate) fn apply<O: Observer>(
        &self,
        draft: &mut AlertDraft<'_>,
        run: &mut Run<'_>,
        seen: &mut O,
    ) -> Result<(), Dropped> {
        run.refuel(FUEL);
        draft.fit_labels(run);
        let mut candidates = self.filters.candidates(&draft.view());
        for (n, step) in self.steps.iter().enumerate() {
            if !candidates.contains(n) {
                self.filters.left_out(n..n + 1, &draft.view(), run, seen, Place::Step);
                continue;
            }
            let failures = run.failures();
            let matches = self.filters.matches(n, &draft.view(), run, seen);
            // A filter without enough fuel does not match, and a flag is set.
            if !matches.unwrap_or(false) {
                seen.tried(|| (Place::Step(n), TriedResult::of_filter(matches, run.failures() > failures)));
                continue;
            }
            let before = O::LOOKS.then(|| draft.clone());
            let effect = self.carry_out(step, draft, &mut candidates, run);
            seen.tried(|| (Place::Step(n), effect.outcome(before.as_ref(), draft)));
            if effect == StepResult::Dropped {
                return Err(Dropped(n));
            }
        }
        Ok(())
    }

    fn carry_out(
        &self,
        step: &Ready,
        draft: &mut AlertDraft<'_>,
        candidates: &mut Candidates<'_>,
        run: &mut Run<'_>,
    ) -> StepResult {
        match step {
            Ready::Drop => return StepResult::Dropped,
            Ready::Title(template) => match self.render(template, draft, run) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    let text = one_line(text);
                    self.filters.widen(candidates, &text);
                    draft.title = Cow::Owned(text);
                }
                Err(effect) => return effect,
            },
            Ready::Description(template) => match self.render(template, draft, run) {
                Ok(text) => {
                    self.filters.widen(candidates, &text);
                    draft.description = Cow::Owned(text);
                }
                Err(effect) => return effect,
            },
            _ => return self.label_or_severity(step, draft, run).unwrap_or_else(|effect| effect),
        }
        StepResult::Done
    }

    /// Changes a label or the severity. `Err`: the step changed nothing.
    fn label_or_severity(
        &self,
        step: &Ready,
        draft: &mut AlertDraft<'_>,
        run: &mut Run<'_>,
    ) -> Result<StepResult, StepResult> {
        match step {
            Ready::Severity(severity) => draft.severity = *severity,
            Ready::SeverityFrom(template) => match severity_of(&self.render(template, draft, run)?) {
                Some(severity) => draft.severity = severity,
                None => {
                    run.flag(Flag::TemplateFailed);
                    return Err(StepResult::Failed);
                }
            },
            Ready::Extract { name, from, pattern } => {
                let text = from.read(&draft.view()).ok_or(StepResult::FoundNothing)?;
                let found = run.extract(*pattern, text).map_err(|OutOfFuel| StepResult::TooCostly)?;
                let value = found.ok_or(StepResult::FoundNothing)?.to_owned();
                draft.set_label(name, &value, run);
            }
            Ready::Compose { name, value } => {
                let value = self.render(value, draft, run)?;
                draft.set_label(name, &value, run);
            }
            Ready::Map(table) => {
                for (name, value) in self.tables[*table].find(&draft.labels).ok_or(StepResult::FoundNothing)? {
                    draft.set_label(name, value, run);
                }
            }
            Ready::Delete(name) => {
                draft.labels.remove(name);
            }
            Ready::Title(_) | Ready::Description(_) | Ready::Drop | Ready::Nothing => return Err(StepResult::Unusable),
        }
        Ok(StepResult::Done)
    }

    /// Renders a template. `Err`: there is no text.
    fn render(&self, template: &Template, draft: &AlertDraft<'_>, run: &mut Run<'_>) -> Result<String, StepResult> {
        self.templates.render(template, &draft.view(), run).map_err(|error| match error {
            // The flag was already set when the fuel ran out.
            RenderError::OutOfFuel => StepResult::TooCostly,
            RenderError::Failed => {
                run.flag(Flag::TemplateFailed);
                StepResult::Failed
            }
        })
    }
}

impl StepResult {
    fn outcome(self, before: Option<&AlertDraft<'_>>, after: &AlertDraft<'_>) -> TriedResult {
        match self {
            StepResult::Done => match before.map(|before| changes(before, after)) {
                Some(changes) if !changes.is_empty() => TriedResult::Changed(changes),
                Some(_) | None => TriedResult::Unchanged,
            },
            StepResult::Dropped => TriedResult::Dropped,
            StepResult::FoundNothing => TriedResult::FoundNothing,
            StepResult::Failed => TriedResult::TemplateFailed,
            StepResult::TooCostly => TriedResult::TooCostly,
            StepResult::Unusable => TriedResult::Unusable,
        }
    }
}

/// Makes one line of a title, even if a template renders several lines.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let parts = text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn severity_of(text: &str) -> Option<Severity> {
    let named = |severity: &Severity| severity.as_str().eq_ignore_ascii_case(text.trim());
    [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(named)
}

struct Compiler<'b, 't> {
    templates: Templates,
    tables: Vec<Lookup>,
    builder: &'b mut Builder<'t>,
}

impl Compiler<'_, '_> {
    fn step(&mut self, step: &Step, path: &str) -> Result<(Option<Matcher>, Ready), FieldError> {
        let everything = Default::default();
        let when = step.when.as_ref().unwrap_or(&everything);
        let filter = Matcher::new(when, &format!("{path}.when"), &mut self.builder.patterns);
        let filter = self.builder.keep(filter)?;
        let action = self.action(&step.action, path);
        Ok((filter, self.builder.keep(action)?.unwrap_or(Ready::Nothing)))
    }

    fn action(&mut self, action: &Action, path: &str) -> Result<Ready, FieldError> {
        Ok(match action {
            Action::SetTitle(source) => Ready::Title(self.template(source, &format!("{path}.set_title"))?),
            Action::SetDescription(source) => {
                Ready::Description(self.template(source, &format!("{path}.set_description"))?)
            }
            Action::SetSeverity(SeveritySource::Fixed(severity)) => Ready::Severity(*severity),
            Action::SetSeverity(SeveritySource::Template(source)) => {
                self.severity(source, &format!("{path}.set_severity"))?
            }
            Action::AddLabel(label) => self.add_label(label, &format!("{path}.add_label"))?,
            Action::MapLabels { table } => {
                let known = self.builder.tables.iter().find(|known| known.id == *table);
                let message = "no such mapping table";
                let known = known.ok_or_else(|| FieldError::new(format!("{path}.map_labels.table"), message))?;
                self.tables.push(Lookup::new(known));
                Ready::Map(self.tables.len() - 1)
            }
            Action::DeleteLabel(name) => {
                mapping::check_label_name(name, &format!("{path}.delete_label"))?;
                Ready::Delete(name.clone())
            }
            Action::Drop(true) => Ready::Drop,
            Action::Drop(false) => return Err(FieldError::new(format!("{path}.drop"), "drop can only be true")),
        })
    }

    fn add_label(&mut self, label: &AddLabel, path: &str) -> Result<Ready, FieldError> {
        match label {
            AddLabel::Extract { name, from, pattern } => {
                mapping::check_label_name(name, &format!("{path}.name"))?;
                let from = Field::parse(from, &format!("{path}.from"))?;
                let pattern = self.builder.pattern(pattern, &format!("{path}.pattern"))?;
                Ok(Ready::Extract { name: name.clone(), from, pattern })
            }
            AddLabel::Compose { name, value } => {
                mapping::check_label_name(name, &format!("{path}.name"))?;
                Ok(Ready::Compose { name: name.clone(), value: self.template(value, &format!("{path}.value"))? })
            }
        }
    }

    fn severity(&mut self, source: &str, path: &str) -> Result<Ready, FieldError> {
        if template::is_template(source) {
            return self.template(source, path).map(Ready::SeverityFrom);
        }
        let message = "a severity is Critical, Warning, Info, or a template of one of them";
        severity_of(source).map(Ready::Severity).ok_or_else(|| FieldError::new(path, message))
    }

    fn template(&mut self, source: &str, path: &str) -> Result<Template, FieldError> {
        self.templates.add(source).map_err(|message| FieldError::new(path, message))
    }
}
