//! CloudFormation's YAML as JSON, short tags in their long form: `!GetAtt A.B.C` → `{"Fn::GetAtt": "A.B.C"}`.

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use crate::tree;

pub(crate) fn load(path: &str) -> Value {
    let yaml = serde_yaml_ng::from_str(&tree::read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    long_form(yaml)
}

fn long_form(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let name = if tag == "Ref" || tag == "Condition" { tag.to_owned() } else { format!("Fn::{tag}") };
            Value::Object(Map::from_iter([(name, long_form(tagged.value))]))
        }
        Yaml::Mapping(mapping) => Value::Object(
            mapping
                .into_iter()
                .map(|(key, value)| (key.as_str().expect("keys are texts").to_owned(), long_form(value)))
                .collect(),
        ),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long_form).collect()),
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => serde_json::to_value(number).expect("a number is JSON"),
        Yaml::String(text) => Value::String(text),
    }
}

/// The resources of one type: name and properties.
pub(crate) fn resources<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources.filter(move |(_, body)| body["Type"] == kind).map(|(name, body)| (name.as_str(), &body["Properties"]))
}

/// What `!GetAtt` or `!Ref` names.
pub(crate) fn target(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"].as_str().or_else(|| value["Ref"].as_str())
}

/// One value or several, as a policy may write both.
pub(crate) fn several(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// `Queues.Outputs.NoticesQueueArn` → the name of the resource in the nested template that this output shows.
pub(crate) fn nested<'a>(reference: &str, stack: &str, template: &'a Value) -> Option<&'a str> {
    let output = reference.strip_prefix(stack)?.strip_prefix(".Outputs.")?;
    let shown = target(&template["Outputs"][output]["Value"])?;
    shown.split('.').next()
}
