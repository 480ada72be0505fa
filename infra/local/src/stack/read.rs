//! Reads templates into a [`Stack`].

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::Value;

use super::resources::add;
use super::scope::{NESTED, PLAIN_HOSTS, Scope, type_of};
use super::template::Lookup as _;
use super::{Place, Stack};

/// The templates by the names under which `template.yaml` nests them.
const TEMPLATES: [(&str, &str); 4] = [
    ("template.yaml", include_str!("../../../../template.yaml")),
    ("infra/storage.yaml", include_str!("../../../storage.yaml")),
    ("infra/queues.yaml", include_str!("../../../queues.yaml")),
    ("infra/alarms.yaml", include_str!("../../../alarms.yaml")),
];

/// Permissions, logs, alarms, names and certificates: types that do not affect messages.
const IGNORED: [&str; 11] = [
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Integration", // read through the routes that lead to it
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Route53::RecordSet",
];

impl Stack {
    /// The resources that the repository's templates deploy at `place`.
    pub fn load(place: &Place) -> anyhow::Result<Self> {
        read(&TEMPLATES, place).context("reading template.yaml and infra/*.yaml")
    }
}

pub(super) fn read(templates: &[(&str, &str)], place: &Place) -> anyhow::Result<Stack> {
    let root = Scope::open(templates, "template.yaml", "larkspur".to_owned(), root_parameters(place), place)?;
    let mut stack = Stack::default();
    collect(&root, &mut stack)?;
    // Dead queues come first, because a queue may name its dead queue only once that exists.
    stack.queues.sort_by_key(|queue| queue.attributes.contains_key("RedrivePolicy"));
    Ok(stack)
}

fn root_parameters(place: &Place) -> BTreeMap<String, Value> {
    let parameters =
        [("PlainSmtpHosts", PLAIN_HOSTS.to_owned()), ("PersonalAckLinks", place.personal_ack_links.to_string())];
    let given = place.parameters.iter().cloned();
    parameters.into_iter().chain(given).map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// Adds this template's resources, and those of the stacks that it nests.
fn collect(scope: &Scope<'_>, stack: &mut Stack) -> anyhow::Result<()> {
    for (name, resource) in scope.named.template.section("Resources") {
        let context = || format!("{}: resource {name}", scope.named.prefix);
        if is_made(scope, resource).with_context(context)? {
            collect_one(scope, name, resource, stack).with_context(context)?;
        }
    }
    Ok(())
}

fn collect_one(scope: &Scope<'_>, name: &str, resource: &Value, stack: &mut Stack) -> anyhow::Result<()> {
    match type_of(resource) {
        NESTED => collect(&scope.nested[name], stack),
        kind if IGNORED.contains(&kind) => Ok(()),
        kind => add(scope, name, kind, stack),
    }
}

fn is_made(scope: &Scope<'_>, resource: &Value) -> anyhow::Result<bool> {
    resource["Condition"].as_str().map_or(Ok(true), |condition| scope.condition(condition))
}
