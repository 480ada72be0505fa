//! One CloudFormation template: YAML with its short tags, and the functions that a value may hold.
//!
//! `!If [HasDomain, !Sub "https://${DomainName}", !GetAtt Api.ApiEndpoint]` → `http://127.0.0.1:9000`. A [`Lookup`]
//! gives the values of references. An unknown function is an error, never an empty text.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

/// A parsed template; values still hold their functions, in the long form.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) body: Map<String, Value>,
}

/// Gives the values of references.
pub(crate) trait Lookup {
    /// `!Ref name`: a parameter, a pseudo parameter or a resource.
    fn reference(&self, name: &str) -> anyhow::Result<Value>;
    /// `!GetAtt resource.attribute`.
    fn attribute(&self, resource: &str, attribute: &str) -> anyhow::Result<Value>;
    /// `!FindInMap [map, first, second]`.
    fn mapped(&self, map: &str, first: &str, second: &str) -> anyhow::Result<Value>;
    /// `!Condition name`, and the first part of `!If`.
    fn condition(&self, name: &str) -> anyhow::Result<bool>;
}

impl Template {
    pub(crate) fn parse(yaml: &str) -> anyhow::Result<Self> {
        let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(yaml).context("not YAML")?;
        match long_form(value)? {
            Value::Object(body) => Ok(Self { body }),
            _ => bail!("a template is a mapping"),
        }
    }

    /// A section such as `Resources`; empty if there is none.
    pub(crate) fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.body.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    pub(crate) fn entry(&self, section: &str, name: &str) -> Option<&Value> {
        self.body.get(section)?.get(name)
    }
}

/// `!GetAtt A.B` → `{"Fn::GetAtt": ["A", "B"]}`, so that both spellings are handled as one.
fn long_form(value: serde_yaml_ng::Value) -> anyhow::Result<Value> {
    use serde_yaml_ng::Value as Yaml;
    Ok(match value {
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let argument = long_form(tagged.value)?;
            match name {
                "Ref" | "Condition" => json!({ name: argument }),
                "GetAtt" => json!({ "Fn::GetAtt": split_attribute(argument)? }),
                _ => json!({ format!("Fn::{name}"): argument }),
            }
        }
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = key.as_str().map(str::to_owned).context("a key that is no text")?;
                object.insert(key, long_form(value)?);
            }
            Value::Object(object)
        }
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long_form).collect::<anyhow::Result<_>>()?),
        plain => serde_json::to_value(plain)?,
    })
}

fn split_attribute(argument: Value) -> anyhow::Result<Value> {
    match argument {
        Value::String(text) => {
            let (resource, attribute) = text.split_once('.').context("!GetAtt without an attribute")?;
            Ok(json!([resource, attribute]))
        }
        other => Ok(other),
    }
}

/// The value with all functions resolved.
pub(crate) fn resolve(value: &Value, lookup: &dyn Lookup) -> anyhow::Result<Value> {
    match value {
        Value::Object(object) => {
            if let Some((name, argument)) = object.iter().next().filter(|_| object.len() == 1)
                && (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
            {
                return function(name, argument, lookup).with_context(|| format!("{name} {argument}"));
            }
            let mut resolved = Map::new();
            for (key, value) in object {
                let value = resolve(value, lookup)?;
                // As in CloudFormation, a property with `AWS::NoValue` is left out.
                if !value.is_null() {
                    resolved.insert(key.clone(), value);
                }
            }
            Ok(Value::Object(resolved))
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, lookup)).collect(),
        plain => Ok(plain.clone()),
    }
}

fn function(name: &str, argument: &Value, lookup: &dyn Lookup) -> anyhow::Result<Value> {
    match name {
        "Ref" => lookup.reference(text(argument)?),
        "Condition" => Ok(lookup.condition(text(argument)?)?.into()),
        "Fn::GetAtt" => match argument.as_array().map(Vec::as_slice) {
            Some([resource, attribute]) => lookup.attribute(text(resource)?, text(attribute)?),
            _ => bail!("two parts expected"),
        },
        "Fn::Sub" => substitute(argument, lookup),
        "Fn::If" => match argument.as_array().map(Vec::as_slice) {
            Some([condition, yes, no]) => resolve(if lookup.condition(text(condition)?)? { yes } else { no }, lookup),
            _ => bail!("three parts expected"),
        },
        "Fn::FindInMap" => match resolve(argument, lookup)?.as_array().map(Vec::as_slice) {
            Some([map, first, second]) => lookup.mapped(text(map)?, text(first)?, text(second)?),
            _ => bail!("three parts expected"),
        },
        "Fn::Join" => match resolve(argument, lookup)?.as_array().map(Vec::as_slice) {
            Some([between, Value::Array(parts)]) => {
                let parts = parts.iter().map(text).collect::<anyhow::Result<Vec<_>>>()?;
                Ok(parts.join(text(between)?).into())
            }
            _ => bail!("a delimiter and a list expected"),
        },
        "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => Ok(truth(name, argument, lookup)?.into()),
        _ => bail!("this function is not known to the local stack"),
    }
}

/// Evaluates the functions of a condition.
fn truth(name: &str, argument: &Value, lookup: &dyn Lookup) -> anyhow::Result<bool> {
    let parts = argument.as_array().context("a list expected")?;
    let parts = parts.iter().map(|part| resolve(part, lookup)).collect::<anyhow::Result<Vec<Value>>>()?;
    let is_true = |part: &Value| part.as_bool().unwrap_or(false);
    match (name, parts.as_slice()) {
        ("Fn::Equals", [left, right]) => Ok(left == right),
        ("Fn::Not", [part]) => Ok(!is_true(part)),
        ("Fn::And", parts) => Ok(parts.iter().all(is_true)),
        ("Fn::Or", parts) => Ok(parts.iter().any(is_true)),
        _ => bail!("wrong number of parts"),
    }
}

/// `https://${DomainName}/${Api.ApiEndpoint}`; `${!this}` stays as `${this}`.
fn substitute(argument: &Value, lookup: &dyn Lookup) -> anyhow::Result<Value> {
    let mut rest = text(argument).context("only the form with one text is known")?;
    let mut result = String::new();
    while let Some(start) = rest.find("${") {
        result.push_str(&rest[..start]);
        let end = start + rest[start..].find('}').context("an open ${")?;
        let name = &rest[start + 2..end];
        rest = &rest[end + 1..];
        let value = match (name.strip_prefix('!'), name.split_once('.')) {
            (Some(literal), _) => Value::String(format!("${{{literal}}}")),
            (None, Some((resource, attribute))) => lookup.attribute(resource, attribute)?,
            (None, None) => lookup.reference(name)?,
        };
        result.push_str(text(&value)?);
    }
    result.push_str(rest);
    Ok(result.into())
}

fn text(value: &Value) -> anyhow::Result<&str> {
    ensure!(value.is_string(), "a text expected, not {value}");
    Ok(value.as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Lookup for Known {
        fn reference(&self, name: &str) -> anyhow::Result<Value> {
            match name {
                "Domain" => Ok("".into()),
                "AWS::NoValue" => Ok(Value::Null),
                _ => bail!("unknown {name}"),
            }
        }

        fn attribute(&self, resource: &str, attribute: &str) -> anyhow::Result<Value> {
            Ok(format!("{resource}/{attribute}").into())
        }

        fn mapped(&self, map: &str, first: &str, second: &str) -> anyhow::Result<Value> {
            Ok(format!("{map}/{first}/{second}").into())
        }

        fn condition(&self, _name: &str) -> anyhow::Result<bool> {
            Ok(false)
        }
    }

    fn resolved(yaml: &str) -> anyhow::Result<Value> {
        let template = Template::parse(&format!("Value: {yaml}"))?;
        resolve(&template.body["Value"], &Known)
    }

    #[test]
    fn short_and_long_forms_mean_the_same() {
        for yaml in ["!GetAtt Queues.Outputs.Url", "{ 'Fn::GetAtt': [Queues, Outputs.Url] }"] {
            assert_eq!(resolved(yaml).expect("resolved"), "Queues/Outputs.Url");
        }
    }

    #[test]
    fn functions_nest() {
        let value = resolved("!If [HasDomain, !Sub 'https://${Domain}', !Sub 'a ${Api.End} ${!b}']").expect("resolved");
        assert_eq!(value, "a Api/End ${b}");
        assert_eq!(resolved("!FindInMap [A, B, !Sub 'c${Domain}']").expect("resolved"), "A/B/c");
        assert_eq!(resolved("!Not [!Equals [!Ref Domain, '']]").expect("resolved"), false);
        assert_eq!(resolved("{ A: !Ref 'AWS::NoValue', B: 1 }").expect("resolved"), json!({ "B": 1 }));
    }

    #[test]
    fn unknown_functions_and_references_are_errors() {
        for yaml in ["!Ref Nobody", "!ImportValue x", "!Select [0, [a]]"] {
            assert!(resolved(yaml).is_err(), "{yaml}");
        }
    }
}
