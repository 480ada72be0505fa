//! A template with its parameters' values and its nested stacks, and the values of references in it.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::Place;
use super::naming::NamedTemplate;
use super::template::{Lookup, Template, resolve};

/// Hosts on this machine need no TLS, so that a mail server or a sign-in provider can be tried out.
pub(super) const PLAIN_HOSTS: &str = "127.0.0.1,localhost";

/// A template with its parameters' values, and its nested stacks.
pub(super) struct Scope<'a> {
    pub(super) named: NamedTemplate<'a>,
    pub(super) nested: BTreeMap<String, Scope<'a>>,
    parameters: BTreeMap<String, Value>,
}

impl<'a> Scope<'a> {
    pub(super) fn open(
        templates: &[(&str, &str)],
        path: &str,
        prefix: String,
        given: BTreeMap<String, Value>,
        place: &'a Place,
    ) -> anyhow::Result<Self> {
        let (_, yaml) =
            templates.iter().find(|(known, _)| *known == path).context("a nested template that is not known")?;
        let template = Template::parse(yaml).with_context(|| path.to_owned())?;
        let named = NamedTemplate { template, prefix, place };
        let mut scope = Scope { named, nested: BTreeMap::new(), parameters: BTreeMap::new() };
        scope.parameters = scope.defaults();
        for (name, value) in given {
            anyhow::ensure!(
                scope.named.template.entry("Parameters", &name).is_some(),
                "{path} has no parameter {name}"
            );
            scope.parameters.insert(name, value);
        }
        for (name, url) in scope.nested_urls()? {
            // Their parameters are resolved when one of their resources is used, which never happens for alarms.
            let child = Self::open(templates, &url, format!("{}-{name}", scope.named.prefix), BTreeMap::new(), place)?;
            scope.nested.insert(name, child);
        }
        Ok(scope)
    }

    fn defaults(&self) -> BTreeMap<String, Value> {
        let parameters = self.named.template.section("Parameters");
        parameters.filter_map(|(name, parameter)| Some((name.clone(), parameter.get("Default")?.clone()))).collect()
    }

    fn nested_urls(&self) -> anyhow::Result<Vec<(String, String)>> {
        let stacks = self.named.template.section("Resources").filter(|(_, resource)| type_of(resource) == NESTED);
        let url = |(name, resource): (&String, &Value)| {
            let url = resource["Properties"]["TemplateURL"].as_str().context("TemplateURL is a path here")?;
            Ok((name.clone(), url.to_owned()))
        };
        stacks.map(url).collect()
    }

    /// A resource's properties with all functions resolved. They take precedence over those that `Globals` gives all of
    /// its kind.
    pub(super) fn properties(&self, name: &str) -> anyhow::Result<Map<String, Value>> {
        let resource = self.named.template.entry("Resources", name).with_context(|| format!("no resource {name}"))?;
        let globals = match type_of(resource) {
            "AWS::Serverless::Function" => self.named.template.entry("Globals", "Function"),
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

pub(super) const NESTED: &str = "AWS::CloudFormation::Stack";

pub(super) fn type_of(resource: &Value) -> &str {
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
            "AWS::StackName" => Ok(self.named.prefix.clone().into()),
            "AWS::NoValue" => Ok(Value::Null),
            _ => self.attribute(name, "Ref"),
        }
    }

    fn attribute(&self, resource: &str, attribute: &str) -> anyhow::Result<Value> {
        if let (Some(nested), Some(output)) = (self.nested.get(resource), attribute.strip_prefix("Outputs.")) {
            let output =
                nested.named.template.entry("Outputs", output).with_context(|| format!("no output {output}"))?;
            return resolve(&output["Value"], nested);
        }
        let body =
            self.named.template.entry("Resources", resource).with_context(|| format!("nothing is named {resource}"))?;
        match self.named.attribute(resource, type_of(body), attribute) {
            Some(text) => Ok(text.into()),
            None => bail!("{attribute} of a {} is not known to the local stack", type_of(body)),
        }
    }

    fn mapped(&self, map: &str, first: &str, second: &str) -> anyhow::Result<Value> {
        match (map, second) {
            // Values of the template for tests.
            ("ForTests", "ProviderBase") => Ok(self.named.place.provider_base.clone().unwrap_or_default().into()),
            ("ForTests", "PlainOidcHosts") => Ok(PLAIN_HOSTS.into()),
            _ => {
                let value = self.named.template.entry("Mappings", map).and_then(|map| map.get(first)?.get(second));
                value.cloned().with_context(|| format!("{map} holds no {first} {second}"))
            }
        }
    }

    fn condition(&self, name: &str) -> anyhow::Result<bool> {
        let condition =
            self.named.template.entry("Conditions", name).with_context(|| format!("no condition {name}"))?;
        resolve(condition, self)?.as_bool().with_context(|| format!("the condition {name} is neither true nor false"))
    }
}
