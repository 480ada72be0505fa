//! From templates to a [`Stack`]: nested stacks, parameters, conditions, and what a reference to a resource means here.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::resources::{add, ref_of};
use super::template::{Lookup, Template, resolve};
use super::{IGNORED, Place, Stack};

/// What is on this machine needs no TLS: here is where a mail server or a sign-in provider is tried out.
pub(super) const PLAIN_HOSTS: &str = "127.0.0.1,localhost";

/// A template in its place: with its parameters' values, and the stacks that it nests.
pub(super) struct Scope<'a> {
    pub(super) template: Template,
    /// What names of its resources begin with.
    pub(super) prefix: String,
    pub(super) place: &'a Place,
    parameters: BTreeMap<String, Value>,
    nested: BTreeMap<String, Scope<'a>>,
}

pub(super) fn read(templates: &[(&str, &str)], place: &Place) -> anyhow::Result<Stack> {
    let root = Scope::open(templates, "template.yaml", "larkspur".to_owned(), root_parameters(place), place)?;
    let mut stack = Stack::default();
    root.collect(&mut stack)?;
    // A queue may name its dead queue only once that exists.
    stack.queues.sort_by_key(|queue| queue.attributes.contains_key("RedrivePolicy"));
    Ok(stack)
}

fn root_parameters(place: &Place) -> BTreeMap<String, Value> {
    let parameters =
        [("PlainSmtpHosts", PLAIN_HOSTS.to_owned()), ("PersonalAckLinks", place.personal_ack_links.to_string())];
    let given = place.parameters.iter().cloned();
    parameters.into_iter().chain(given).map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

impl<'a> Scope<'a> {
    fn open(
        templates: &[(&str, &str)],
        path: &str,
        prefix: String,
        given: BTreeMap<String, Value>,
        place: &'a Place,
    ) -> anyhow::Result<Self> {
        let (_, yaml) =
            templates.iter().find(|(known, _)| *known == path).context("a nested template that is not known")?;
        let template = Template::parse(yaml).with_context(|| path.to_owned())?;
        let mut scope = Scope { parameters: BTreeMap::new(), nested: BTreeMap::new(), template, prefix, place };
        scope.parameters = scope.defaults();
        for (name, value) in given {
            anyhow::ensure!(scope.template.entry("Parameters", &name).is_some(), "{path} has no parameter {name}");
            scope.parameters.insert(name, value);
        }
        for (name, url) in scope.nested_urls()? {
            // Their parameters are resolved when something in them is asked for, which for alarms is never.
            let child = Self::open(templates, &url, format!("{}-{name}", scope.prefix), BTreeMap::new(), place)?;
            scope.nested.insert(name, child);
        }
        Ok(scope)
    }

    fn defaults(&self) -> BTreeMap<String, Value> {
        let parameters = self.template.section("Parameters");
        parameters.filter_map(|(name, parameter)| Some((name.clone(), parameter.get("Default")?.clone()))).collect()
    }

    fn nested_urls(&self) -> anyhow::Result<Vec<(String, String)>> {
        let stacks = self.template.section("Resources").filter(|(_, resource)| type_of(resource) == NESTED);
        let url = |(name, resource): (&String, &Value)| {
            let url = resource["Properties"]["TemplateURL"].as_str().context("TemplateURL is a path here")?;
            Ok((name.clone(), url.to_owned()))
        };
        stacks.map(url).collect()
    }

    /// Adds this template's resources, and those of the stacks that it nests.
    fn collect(&self, stack: &mut Stack) -> anyhow::Result<()> {
        for (name, resource) in self.template.section("Resources") {
            let context = || format!("{}: resource {name}", self.prefix);
            if self.is_made(resource).with_context(context)? {
                self.collect_one(name, resource, stack).with_context(context)?;
            }
        }
        Ok(())
    }

    fn collect_one(&self, name: &str, resource: &Value, stack: &mut Stack) -> anyhow::Result<()> {
        let kind = type_of(resource);
        if kind == NESTED {
            return self.nested[name].collect(stack);
        }
        if IGNORED.contains(&kind) {
            return Ok(());
        }
        add(self, name, kind, stack)
    }

    fn is_made(&self, resource: &Value) -> anyhow::Result<bool> {
        resource["Condition"].as_str().map_or(Ok(true), |condition| self.condition(condition))
    }

    /// A resource's properties without functions, over those that `Globals` gives all of its kind.
    pub(super) fn properties(&self, name: &str) -> anyhow::Result<Map<String, Value>> {
        let resource = self.template.entry("Resources", name).with_context(|| format!("no resource {name}"))?;
        let globals = match type_of(resource) {
            "AWS::Serverless::Function" => self.template.entry("Globals", "Function"),
            _ => None,
        };
        let mut properties = Map::new();
        for part in [globals, resource.get("Properties")].into_iter().flatten() {
            if let Value::Object(part) = resolve(part, self)? {
                properties.extend(part);
            }
        }
        Ok(properties)
    }
}

const NESTED: &str = "AWS::CloudFormation::Stack";

fn type_of(resource: &Value) -> &str {
    resource["Type"].as_str().unwrap_or_default()
}

impl Lookup for Scope<'_> {
    fn reference(&self, name: &str) -> anyhow::Result<Value> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        match name {
            "AWS::Region" => Ok(crate::aws::names::REGION.into()),
            "AWS::AccountId" => Ok(crate::aws::names::ACCOUNT.into()),
            "AWS::Partition" => Ok("aws".into()),
            "AWS::StackName" => Ok(self.prefix.clone().into()),
            "AWS::NoValue" => Ok(Value::Null),
            _ => self.attribute(name, "Ref"),
        }
    }

    fn attribute(&self, resource: &str, attribute: &str) -> anyhow::Result<Value> {
        if let (Some(nested), Some(output)) = (self.nested.get(resource), attribute.strip_prefix("Outputs.")) {
            let output = nested.template.entry("Outputs", output).with_context(|| format!("no output {output}"))?;
            return resolve(&output["Value"], nested);
        }
        let body =
            self.template.entry("Resources", resource).with_context(|| format!("nothing is named {resource}"))?;
        match ref_of(self, resource, type_of(body), attribute) {
            Some(text) => Ok(text.into()),
            None => bail!("{attribute} of a {} is not known to the local stack", type_of(body)),
        }
    }

    fn mapped(&self, map: &str, first: &str, second: &str) -> anyhow::Result<Value> {
        match (map, second) {
            // What the template keeps for tests.
            ("ForTests", "ProviderBase") => Ok(self.place.provider_base.clone().unwrap_or_default().into()),
            ("ForTests", "PlainOidcHosts") => Ok(PLAIN_HOSTS.into()),
            _ => {
                let value = self.template.entry("Mappings", map).and_then(|map| map.get(first)?.get(second));
                value.cloned().with_context(|| format!("{map} holds no {first} {second}"))
            }
        }
    }

    fn condition(&self, name: &str) -> anyhow::Result<bool> {
        let condition = self.template.entry("Conditions", name).with_context(|| format!("no condition {name}"))?;
        resolve(condition, self)?.as_bool().with_context(|| format!("the condition {name} is neither true nor false"))
    }
}
