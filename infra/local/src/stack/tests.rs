use super::*;

fn place() -> Place {
    Place {
        base_url: "http://127.0.0.1:9000".to_owned(),
        aws_endpoint: "http://127.0.0.1:4566".to_owned(),
        provider_base: Some("http://127.0.0.1:9911".to_owned()),
        personal_ack_links: false,
        parameters: Vec::new(),
    }
}

fn stack() -> Stack {
    Stack::load(&place()).expect("the repository's templates are understood")
}

#[test]
fn the_repository_s_own_templates_are_understood() {
    let stack = stack();
    assert!(stack.tables.iter().all(|table| table.expiry.as_deref() == Some("expires_at")));
    assert_eq!(stack.tables.len(), 2);
    assert_eq!(stack.secrets.len(), 1);
    for function in [
        "IngestFunction",
        "EvaluateFunction",
        "NotifyFunction",
        "TimersFunction",
        "CallbacksFunction",
        "ConsoleFunction",
    ] {
        assert!(stack.functions.contains_key(function), "{function}");
    }
}

#[test]
fn every_environment_variable_leads_to_something_that_is_made() {
    let stack = stack();
    for (name, function) in &stack.functions {
        for (variable, value) in &function.environment {
            let made = match variable.as_str() {
                "BASE_URL" => value == "http://127.0.0.1:9000",
                "PROVIDER_BASE" => value == "http://127.0.0.1:9911",
                "PLAIN_SMTP_HOSTS" | "PLAIN_OIDC_HOSTS" => value == scope::PLAIN_HOSTS,
                "PERSONAL_ACK_LINKS" => value == "false",
                _ if variable.ends_with("_DAYS") => value.parse::<u32>().is_ok(),
                _ if variable.ends_with("_TABLE") => stack.tables.iter().any(|table| &table.name == value),
                _ if variable.ends_with("_QUEUE_URL") => {
                    let queue = crate::aws::names::queue_of_url(value);
                    value.starts_with("http://127.0.0.1:4566/") && stack.queues.iter().any(|made| made.name == queue)
                }
                _ if variable.ends_with("_TOPIC_ARN") => {
                    stack.topics.iter().any(|topic| crate::aws::names::topic_arn(topic) == *value)
                }
                "PREVIOUS_DATA_KEY_SECRET" => value.is_empty(),
                _ if variable.ends_with("_SECRET") => stack.secrets.contains(value),
                _ => false,
            };
            assert!(made, "{name}: {variable}={value}");
        }
    }
}

#[test]
fn every_event_source_reads_a_queue_that_is_made_and_reports_single_failures() {
    let stack = stack();
    assert_eq!(stack.event_sources.len(), 3);
    for source in &stack.event_sources {
        let queue = stack.queues.iter().find(|queue| queue.name == source.queue).expect("the queue is made");
        let visibility: u64 = queue.attributes["VisibilityTimeout"].parse().expect("seconds");
        assert!(visibility >= 6 * stack.functions[&source.function].timeout.as_secs(), "{}", source.queue);
        assert!(source.report_batch_item_failures, "{}", source.queue);
    }
}

#[test]
fn dead_queues_come_before_those_that_redrive_to_them() {
    let queues = stack().queues;
    let first_redriving =
        queues.iter().position(|queue| queue.attributes.contains_key("RedrivePolicy")).expect("some do");
    for (index, queue) in queues.iter().enumerate() {
        let Some(redrive) = queue.attributes.get("RedrivePolicy") else { continue };
        let redrive: Value = serde_json::from_str(redrive).expect("JSON");
        let dead = crate::aws::names::name_of_arn(redrive["deadLetterTargetArn"].as_str().expect("an ARN"));
        let position = queues.iter().position(|queue| queue.name == dead).expect("the dead queue is made");
        assert!(position < first_redriving && position < index);
    }
}

#[test]
fn the_intake_and_the_api_have_routes() {
    let stack = stack();
    let taken = |method: &str, path: &str| {
        route::choose(&stack.routes, method, path).map(|route| route.function.clone()).unwrap_or_default()
    };
    assert_eq!(taken("POST", "/open-apis/bot/v2/hook/0123456789abcdefgh"), "IngestFunction");
    assert_eq!(taken("GET", "/open-apis/bot/hook/0123456789abcdefgh/"), "IngestFunction");
    assert_eq!(taken("GET", "/api/v1/spaces"), "ConsoleFunction");
    assert_eq!(taken("GET", "/incidents/inc_1"), "ConsoleFunction");
    assert_eq!(taken("GET", "/nothing"), "");
}

#[test]
fn the_sweep_runs_every_minute() {
    let schedules = stack().schedules;
    assert_eq!(schedules.len(), 1);
    assert_eq!(schedules[0].every, Duration::from_secs(60));
    assert_eq!(schedules[0].function, "TimersFunction");
}

fn read_with(resource: &str) -> anyhow::Result<Stack> {
    let parameters = "PlainSmtpHosts: { Default: '' }, \
                      PersonalAckLinks: { Default: '' }";
    let yaml = format!("Parameters: {{ {parameters} }}\nResources:\n  Thing: {resource}\n");
    read::read(&[("template.yaml", &yaml)], &place())
}

#[test]
fn an_unknown_resource_fails_the_start_by_name() {
    for (resource, named) in [
        ("{ Type: 'AWS::Kinesis::Stream' }", "AWS::Kinesis::Stream"),
        ("{ Type: 'AWS::DynamoDB::Table', Properties: { StreamSpecification: {} } }", "StreamSpecification"),
        ("{ Type: 'AWS::Serverless::Function', Properties: { Events: { E: { Type: S3, Properties: {} } } } }", "S3"),
        ("{ Type: 'AWS::SNS::Subscription', Properties: { TopicArn: x } }", "AWS::SNS::Subscription"),
    ] {
        let error = read_with(resource).expect_err(named);
        assert!(format!("{error:#}").contains(named), "{error:#}");
    }
}
