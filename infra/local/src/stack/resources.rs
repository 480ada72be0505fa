//! What each type of resource adds to the [`Stack`].

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};

use super::route::Route;
use super::scope::Scope;
use super::{EventSource, Function, Queue, Schedule, Stack, Table};
use crate::aws::names;

/// Lambda's default for a function without `Timeout`.
const DEFAULT_TIMEOUT_SECS: u64 = 3;
/// Lambda's default for an SQS event source without `BatchSize`.
const DEFAULT_BATCH_SIZE: u64 = 10;
/// How often Lambda repeats a failed asynchronous call without `EventInvokeConfig` (Lambda Developer Guide, "How Lambda
/// handles errors and retries with asynchronous invocation", read 2026-11).
const DEFAULT_RETRIES: u64 = 2;

/// Properties of a table that `CreateTable` takes under the same names.
const CREATE_TABLE: [&str; 5] =
    ["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"];
/// Properties of a table that have no effect on one machine.
const TABLE_IGNORED: [&str; 2] = ["PointInTimeRecoverySpecification", "TimeToLiveSpecification"];

/// Adds the resource `name` of type `kind`.
pub(super) fn add(scope: &Scope<'_>, name: &str, kind: &str, stack: &mut Stack) -> anyhow::Result<()> {
    let mut properties = scope.properties(name)?;
    match kind {
        "AWS::DynamoDB::Table" => stack.tables.push(table(scope.named.physical(name), &properties)?),
        "AWS::SQS::Queue" => {
            stack.queues.push(Queue { name: scope.named.queue(name), attributes: attributes(&properties) });
        }
        "AWS::SNS::Topic" => stack.topics.push(scope.named.physical(name)),
        "AWS::SecretsManager::Secret" => stack.secrets.push(scope.named.physical(name)),
        "AWS::Serverless::Function" => {
            let events = properties.remove("Events").unwrap_or_default();
            stack.functions.insert(name.to_owned(), function(&properties)?);
            for (event, body) in events.as_object().into_iter().flatten() {
                add_event(name, body, stack).with_context(|| format!("event {event}"))?;
            }
        }
        "AWS::ApiGatewayV2::Route" => stack.routes.push(route(scope, &properties)?),
        _ => bail!("resources of type {kind} are not known to the local stack"),
    }
    Ok(())
}

fn table(name: String, properties: &Map<String, Value>) -> anyhow::Result<Table> {
    let mut definition = Map::from_iter([("TableName".to_owned(), Value::String(name.clone()))]);
    for (key, value) in properties {
        if CREATE_TABLE.contains(&key.as_str()) {
            definition.insert(key.clone(), value.clone());
        } else {
            ensure!(TABLE_IGNORED.contains(&key.as_str()), "property {key} is not known to the local stack");
        }
    }
    let expiry = properties.get("TimeToLiveSpecification").filter(|expiry| expiry["Enabled"] == true);
    let expiry = expiry.and_then(|expiry| expiry["AttributeName"].as_str()).map(str::to_owned);
    Ok(Table { name, definition: Value::Object(definition), expiry })
}

/// The API takes text where the template has numbers and objects. The queue itself refuses unknown attributes.
fn attributes(properties: &Map<String, Value>) -> BTreeMap<String, String> {
    let attributes = properties.iter().filter(|(name, _)| !matches!(name.as_str(), "Tags" | "QueueName"));
    attributes.map(|(name, value)| (name.clone(), attribute_text(value))).collect()
}

/// A parameter's value is text even where the template writes a number.
fn attribute_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn function(properties: &Map<String, Value>) -> anyhow::Result<Function> {
    let timeout = properties.get("Timeout").and_then(Value::as_u64).unwrap_or(DEFAULT_TIMEOUT_SECS);
    let variables = properties.get("Environment").and_then(|environment| environment["Variables"].as_object());
    let variable = |(name, value): (&String, &Value)| {
        let value = value.as_str().with_context(|| format!("{name} is no text"))?;
        Ok((name.clone(), value.to_owned()))
    };
    let environment = variables.into_iter().flatten().map(variable).collect::<anyhow::Result<_>>()?;
    let may_loop = properties.get("RecursiveLoop").is_some_and(|rule| rule == "Allow");
    let retries = properties.get("EventInvokeConfig").and_then(|config| config["MaximumRetryAttempts"].as_u64());
    let retries = u8::try_from(retries.unwrap_or(DEFAULT_RETRIES)).context("MaximumRetryAttempts")?;
    Ok(Function { timeout: Duration::from_secs(timeout), may_loop, retries, environment })
}

fn add_event(function: &str, event: &Value, stack: &mut Stack) -> anyhow::Result<()> {
    let properties = event["Properties"].as_object().context("an event without properties")?;
    match event["Type"].as_str() {
        Some("SQS") => stack.event_sources.push(event_source(function, properties)?),
        Some("Schedule" | "ScheduleV2") => stack.schedules.push(schedule(function, properties)?),
        other => bail!("events of type {} are not known to the local stack", other.unwrap_or("?")),
    }
    Ok(())
}

fn event_source(function: &str, properties: &Map<String, Value>) -> anyhow::Result<EventSource> {
    const KNOWN: [&str; 6] =
        ["BatchSize", "Enabled", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "Queue", "ScalingConfig"];
    if let Some(unknown) = properties.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        bail!("{unknown} of an event source is not known to the local stack");
    }
    let number = |name: &str| properties.get(name).and_then(Value::as_u64);
    let arn = properties.get("Queue").and_then(Value::as_str).context("an event source without a queue")?;
    let window = number("MaximumBatchingWindowInSeconds").unwrap_or(0);
    let batch_size = number("BatchSize").unwrap_or(DEFAULT_BATCH_SIZE);
    ensure!(batch_size <= 10 || window > 0, "a batch size above 10 needs a batching window");
    let responses = properties.get("FunctionResponseTypes").and_then(Value::as_array);
    Ok(EventSource {
        function: function.to_owned(),
        queue: names::name_of_arn(arn).to_owned(),
        batch_size: usize::try_from(batch_size)?,
        window: Duration::from_secs(window),
        maximum_concurrency: properties
            .get("ScalingConfig")
            .map(|scaling| attribute_text(&scaling["MaximumConcurrency"]).parse())
            .transpose()
            .context("MaximumConcurrency")?,
        report_batch_item_failures: responses
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "ReportBatchItemFailures")),
    })
}

fn schedule(function: &str, properties: &Map<String, Value>) -> anyhow::Result<Schedule> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let expression =
        text("Schedule").or_else(|| text("ScheduleExpression")).context("a schedule without an expression")?;
    let input = text("Input").map(serde_json::from_str).transpose().context("Input")?.unwrap_or_default();
    Ok(Schedule { function: function.to_owned(), every: rate(expression)?, input })
}

/// `rate(1 minute)`.
fn rate(expression: &str) -> anyhow::Result<Duration> {
    let inner = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let (count, unit) = inner
        .and_then(|inner| inner.split_once(' '))
        .with_context(|| format!("{expression} is not known to the local stack"))?;
    let secs = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => bail!("{expression} has a unit that is not known"),
    };
    Ok(Duration::from_secs(secs * count.parse::<u64>().context("rate")?))
}

/// The target of a route is an integration, whose target is a function.
fn route(scope: &Scope<'_>, properties: &Map<String, Value>) -> anyhow::Result<Route> {
    let text = |of: &Map<String, Value>, name: &str| {
        of.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {name}"))
    };
    let target = text(properties, "Target")?;
    let integration = target.strip_prefix("integrations/").context("a target that is no integration")?;
    let arn = text(&scope.properties(integration)?, "IntegrationUri")?;
    Route::parse(&text(properties, "RouteKey")?, names::name_of_arn(&arn))
}
