//! The names that a template's resources have on this machine, and the values of `Ref` and `GetAtt` for them.

use super::Place;
use super::template::Template;
use crate::aws::names;

pub(super) struct NamedTemplate<'a> {
    pub(super) template: Template,
    /// The prefix of the names of its resources.
    pub(super) prefix: String,
    pub(super) place: &'a Place,
}

impl NamedTemplate<'_> {
    /// `larkspur-Storage-AlertTable`
    pub(super) fn physical(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// CloudFormation ends the name of a FIFO queue with `.fifo`.
    pub(super) fn queue(&self, name: &str) -> String {
        let resource = self.template.entry("Resources", name);
        let fifo = resource.is_some_and(|resource| resource["Properties"]["FifoQueue"] == true);
        format!("{}{}", self.physical(name), if fifo { ".fifo" } else { "" })
    }

    /// `Ref` or an attribute of the resource `name` of type `kind`; `None` if it is not known to the local stack.
    pub(super) fn attribute(&self, name: &str, kind: &str, attribute: &str) -> Option<String> {
        let physical = self.physical(name);
        Some(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Ref") => physical,
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{physical}")),
            ("AWS::SQS::Queue", _) => {
                let queue = self.queue(name);
                match attribute {
                    "Ref" => names::queue_url(&self.place.aws_endpoint, &queue),
                    "Arn" => names::queue_arn(&queue),
                    "QueueName" => queue,
                    _ => return None,
                }
            }
            ("AWS::SNS::Topic", "Ref" | "TopicArn") => names::topic_arn(&physical),
            ("AWS::SecretsManager::Secret", "Ref" | "Id") => physical,
            ("AWS::Serverless::Function", "Ref") => name.to_owned(),
            ("AWS::Serverless::Function", "Arn") => arn("lambda", &format!("function:{name}")),
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => self.place.base_url.clone(),
            ("AWS::IAM::Role" | "AWS::Logs::LogGroup", "Arn") => arn("local", name),
            (_, "Ref") => name.to_owned(),
            _ => return None,
        })
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", names::REGION, names::ACCOUNT)
}
