//! `template.yaml` against the functions' code.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::tree;
use crate::yaml::{load, resources, several, target};

const FUNCTION: &str = "AWS::Serverless::Function";
const IN_MESSAGE_ORDER: [&str; 6] = ["ingest", "evaluate", "notify", "timers", "callbacks", "console"];

#[test]
fn every_function_of_the_workspace_is_in_the_template_and_back() {
    let template = load("template.yaml");
    let deployed: BTreeSet<String> = resources(&template, FUNCTION)
        .map(|(name, properties)| {
            let folder = properties["CodeUri"].as_str().and_then(|uri| uri.strip_prefix("functions/"));
            let folder = folder.unwrap_or_else(|| panic!("{name} has its code in functions/"));
            assert_eq!(name, format!("{}Function", capitalised(folder)), "functions/{folder}");
            folder.to_owned()
        })
        .collect();
    assert_eq!(deployed, BTreeSet::from_iter(tree::folders("functions")));
}

#[test]
fn functions_stand_in_the_order_in_which_a_message_meets_them() {
    let text = tree::read("template.yaml");
    let places = IN_MESSAGE_ORDER.map(|name| text.find(&format!("\n  {}Function:", capitalised(name))));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
}

// Proves: fault 103
#[test]
fn the_environment_holds_what_the_settings_read_and_nothing_else() {
    let template = load("template.yaml");
    let reads = Regex::new(r#"env\.(?:required|optional)\("([A-Z0-9_]+)"\)"#).expect("a valid pattern");
    for folder in tree::folders("functions") {
        let settings = tree::read(&format!("functions/{folder}/src/settings.rs"));
        let read: BTreeSet<&str> =
            reads.captures_iter(&settings).map(|found| found.get(1).expect("one group").as_str()).collect();
        let given: BTreeSet<&str> = environment(&template, &folder).map(|(name, _)| name).collect();
        assert_eq!(given, read, "environment and settings of {folder}");
    }
}

// Proves: fault 111
#[test]
fn the_environment_holds_no_secrets() {
    let template = load("template.yaml");
    for folder in tree::folders("functions") {
        for (name, value) in environment(&template, &folder) {
            let harmless = match target(value) {
                Some(target) => {
                    target.contains(".Outputs.")
                        || ["PlainSmtpHosts", "PersonalAckLinks", "MessageLogDays", "PreviousDataKey"].contains(&target)
                }
                None => name == "BASE_URL" || value["Fn::FindInMap"][0] == "ForTests",
            };
            assert!(harmless, "{name} of {folder} is neither a resource's name nor a harmless parameter: {value}");
        }
    }
    let text = tree::read("template.yaml");
    assert!(!text.contains("{{resolve:") && !text.contains("NoEcho"), "a secret would come into the environment");
}

#[test]
fn every_function_has_a_role_of_its_own_and_a_log_that_ends() {
    let template = load("template.yaml");
    for (name, properties) in resources(&template, FUNCTION) {
        let base = name.strip_suffix("Function").unwrap_or(name);
        assert_eq!(target(&properties["Role"]), Some(format!("{base}Role.Arn").as_str()), "{name}");
        let log = format!("{base}Logs");
        assert_eq!(target(&properties["LoggingConfig"]["LogGroup"]), Some(log.as_str()), "{name}");
        let retention = &template["Resources"][log.as_str()]["Properties"]["RetentionInDays"];
        assert_eq!(target(retention), Some("LogRetentionDays"), "{name}");
    }
}

#[test]
fn a_role_allows_exact_actions_on_exact_resources() {
    let template = load("template.yaml");
    let mut roles = 0;
    for (name, properties) in resources(&template, "AWS::IAM::Role") {
        roles += 1;
        assert!(properties.get("ManagedPolicyArns").is_none(), "{name}: a managed policy names no resource");
        for statement in statements(properties) {
            assert_eq!(statement["Effect"], "Allow", "{name}");
            for action in several(&statement["Action"]) {
                let action = action.as_str().expect("an action is a text");
                assert!(!action.contains('*') && action.contains(':'), "{name}: {action}");
            }
            for resource in several(&statement["Resource"]) {
                let exact = target(resource).is_some_and(|arn| arn.ends_with("Arn"));
                let previous_key = target(&resource["Fn::If"][1]) == Some("PreviousDataKey");
                assert!(exact || previous_key, "{name}: {resource}");
            }
        }
    }
    assert_eq!(roles, IN_MESSAGE_ORDER.len());
}

// Proves: finding D5
#[test]
fn the_intake_may_read_keys_and_integrations_and_nothing_else_of_the_configuration() {
    let template = load("template.yaml");
    let tables: Vec<&Value> = statements(&template["Resources"]["IngestRole"]["Properties"])
        .filter(|statement| several(&statement["Action"]).iter().any(|action| text(action).starts_with("dynamodb:")))
        .collect();
    let [table] = tables.as_slice() else { panic!("one statement: {tables:?}") };
    assert_eq!(table["Action"], "dynamodb:GetItem", "a query or scan reads more than one key");
    let keys = &table["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"];
    assert_eq!(*keys, serde_json::json!(["INTAKE_KEY", "INTEGRATION"]));
}

#[test]
fn a_function_may_read_the_queue_that_triggers_it() {
    let template = load("template.yaml");
    for (name, queue, _) in sqs_triggers(&template) {
        let role = format!("{}Role", name.strip_suffix("Function").unwrap_or(name));
        let allowed: BTreeSet<&str> = statements(&template["Resources"][role.as_str()]["Properties"])
            .filter(|statement| several(&statement["Resource"]).iter().any(|arn| target(arn) == Some(queue)))
            .flat_map(|statement| several(&statement["Action"]))
            .filter_map(Value::as_str)
            .collect();
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            assert!(allowed.contains(action), "{role} lacks {action} on {queue}");
        }
    }
}

// Proves: fault 104
#[test]
fn every_queue_trigger_reports_single_failures_and_filters_nothing() {
    let template = load("template.yaml");
    assert_eq!(sqs_triggers(&template).count(), 3);
    for (name, queue, properties) in sqs_triggers(&template) {
        assert_eq!(properties["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{name}");
        assert!(properties.get("FilterCriteria").is_none(), "{name}: what a filter does not match is deleted");
        // A maximum keeps all pollers of an idle queue busy, which costs money: it is set only on request.
        assert_eq!(properties["ScalingConfig"]["Fn::If"][0], "HasWorkerConcurrency", "{name}");
        assert_eq!(target(&properties["ScalingConfig"]["Fn::If"][2]), Some("AWS::NoValue"), "{name}");
        let size = properties["BatchSize"].as_u64().expect("a batch size is written out");
        let window = properties["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
        assert!(size <= 10 || window >= 1, "{name}: more than ten need a window");
        assert!(!queue.contains("Notices") || (size <= 10 && window == 0), "{name}: FIFO takes ten and no window");
    }
}

// Proves: finding A2
#[test]
fn every_function_on_a_loop_of_queues_may_loop_and_no_other_does() {
    let template = load("template.yaml");
    let graph = calls(&template);
    let looping: BTreeSet<&str> = graph.keys().copied().filter(|name| reaches(&graph, name, name)).collect();
    assert_eq!(looping, BTreeSet::from(["NotifyFunction", "TimersFunction"]), "{graph:?}");
    for (name, function) in resources(&template, FUNCTION) {
        let expected = if looping.contains(name) { "Allow" } else { "" };
        let why = "Lambda stops a chain of messages after about 16 calls of one function";
        assert_eq!(function["RecursiveLoop"].as_str().unwrap_or_default(), expected, "{name}: {why}");
    }
}

// Proves: finding A8
#[test]
fn a_sweep_that_failed_or_is_late_is_not_made_again() {
    for (name, function) in resources(&load("template.yaml"), FUNCTION) {
        let scheduled =
            function["Events"].as_object().into_iter().flatten().any(|(_, event)| event["Type"] == "Schedule");
        let expected = serde_json::json!({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60});
        assert_eq!(function["EventInvokeConfig"], if scheduled { expected } else { Value::Null }, "{name}");
    }
}

#[test]
fn nothing_has_a_name_that_a_second_deployment_would_want_too() {
    let named = ["FunctionName", "RoleName", "TableName", "QueueName", "TopicName", "LogGroupName", "AlarmName"];
    for path in ["template.yaml", "infra/storage.yaml", "infra/queues.yaml", "infra/alarms.yaml"] {
        for (name, body) in load(path)["Resources"].as_object().expect("a template has resources") {
            if body["Type"] == "AWS::Lambda::Permission" {
                continue; // there it is a reference
            }
            for property in named {
                assert!(body["Properties"].get(property).is_none(), "{path}: {name} has a {property}");
            }
        }
    }
}

#[test]
fn logs_cost_nothing_while_all_is_well() {
    let template = load("template.yaml");
    let logging = &template["Globals"]["Function"]["LoggingConfig"];
    assert_eq!(logging["LogFormat"], "JSON");
    assert_eq!(logging["SystemLogLevel"], "WARN");
    assert_eq!(target(&logging["ApplicationLogLevel"]), Some("LogLevel"));
    assert_eq!(template["Parameters"]["LogLevel"]["Default"], "WARN");
}

#[test]
fn a_parameter_says_what_it_is_for_and_needs_no_answer() {
    for (name, parameter) in load("template.yaml")["Parameters"].as_object().expect("parameters") {
        assert!(parameter["Description"].is_string() && parameter.get("Default").is_some(), "{name}");
    }
    for (name, parameter) in load("infra/alarms.yaml")["Parameters"].as_object().expect("parameters") {
        assert!(parameter["Description"].is_string(), "{name}");
    }
}

#[test]
fn the_intake_stands_at_the_root_of_the_host() {
    let template = load("template.yaml");
    let (_, stage) = resources(&template, "AWS::ApiGatewayV2::Stage").next().expect("a stage");
    assert_eq!(stage["StageName"], "$default");
    let routes: Vec<&Value> = resources(&template, "AWS::ApiGatewayV2::Route").map(|(_, route)| route).collect();
    for path in ["ANY /open-apis/bot/v2/hook/{key+}", "ANY /open-apis/bot/hook/{key+}"] {
        let route = routes.iter().find(|route| route["RouteKey"] == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(route["Target"]["Fn::Sub"], "integrations/${IngestIntegration}", "{path}");
    }
}

// Proves: finding A3
#[test]
fn every_page_of_the_console_has_a_route() {
    let template = load("template.yaml");
    let keys: Vec<&str> = resources(&template, "AWS::ApiGatewayV2::Route")
        .map(|(_, route)| route["RouteKey"].as_str().and_then(|key| key.strip_prefix("ANY ")).expect("any method"))
        .collect();
    let is_routed = |page: &str| {
        keys.iter().any(|key| match key.split_once("{proxy+}") {
            Some((folder, _)) => page.len() > folder.len() && page.starts_with(folder),
            None => key.split('/').count() == page.split('/').count() && like(key, page),
        })
    };
    let served = Regex::new(r#"(?:\.route\(|PAGE: &str = )"(/[^"]*)""#).expect("a valid pattern");
    let files = tree::texts().into_iter().filter(|(path, _)| path.starts_with("functions/console/src/pages/"));
    let sources: Vec<String> = files.map(|(_, text)| text).collect();
    let pages: Vec<&str> = sources
        .iter()
        .flat_map(|source| served.captures_iter(source))
        .map(|found| found.get(1).expect("one group").as_str())
        .collect();
    let without: Vec<&&str> = pages.iter().filter(|page| !is_routed(page)).collect();
    assert!(pages.len() > 15 && without.is_empty(), "of {pages:?} these have no route: {without:?}");
}

/// Whether the parts of both paths are the same, where neither is a parameter.
fn like(key: &str, page: &str) -> bool {
    key.split('/').zip(page.split('/')).all(|(of_key, of_page)| of_key == of_page || of_key.starts_with('{'))
}

// Proves: finding A10
#[test]
fn routes_are_made_one_after_the_other() {
    let template = load("template.yaml");
    let all = template["Resources"].as_object().expect("resources");
    let routes: Vec<&String> =
        all.iter().filter(|(_, body)| body["Type"] == "AWS::ApiGatewayV2::Route").map(|(name, _)| name).collect();
    let before: BTreeSet<&str> = routes.iter().filter_map(|name| all[name.as_str()]["DependsOn"].as_str()).collect();
    assert_eq!(before.len(), routes.len(), "each route depends on another one: two changes of a stage at once fail");
    let (mut at, mut left) = ("Stage", routes.len());
    while let Some(next) = routes.iter().find(|name| all[name.as_str()]["DependsOn"] == at) {
        (at, left) = (next.as_str(), left - 1);
    }
    assert_eq!(left, 0, "the chain that begins at the stage holds every route; it ends at {at}");
}

// Proves: finding A10
#[test]
fn requests_are_logged_without_their_paths_and_limited() {
    let template = load("template.yaml");
    let (_, stage) = resources(&template, "AWS::ApiGatewayV2::Stage").next().expect("a stage");
    let log = &stage["AccessLogSettings"];
    assert_eq!(target(&log["DestinationArn"]), Some("ApiLogs.Arn"));
    let format = log["Format"].as_str().expect("a format");
    for field in ["$context.requestId", "$context.status", "$context.routeKey", "$context.identity.sourceIp"] {
        assert!(format.contains(field), "{field}");
    }
    assert!(!format.to_lowercase().contains("path"), "a path holds a key: {format}");
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        assert_eq!(target(&stage["DefaultRouteSettings"][limit]), Some("ApiRequestsPerSecond"));
    }
}

// Proves: finding A5
#[test]
fn concurrency_is_limited_and_reserved_only_where_it_is_asked_for() {
    let template = load("template.yaml");
    for name in ["IngestReservedConcurrency", "WorkerConcurrency"] {
        assert_eq!(template["Parameters"][name]["Default"], "0", "a new account has 10 and can reserve none");
    }
    for (name, function) in resources(&template, FUNCTION) {
        let reserved = &function["ReservedConcurrentExecutions"]["Fn::If"];
        let expected = (name == "IngestFunction").then_some("HasReservedConcurrency");
        assert_eq!(reserved[0].as_str(), expected, "{name}");
    }
}

// Proves: finding A7
#[test]
fn a_deployment_that_notifies_nobody_of_alarms_says_so() {
    let template = load("template.yaml");
    let rule = &template["Rules"]["AlarmsReachSomebody"];
    assert_eq!(rule["RuleCondition"]["Fn::Equals"], serde_json::json!([{"Ref": "AlarmsToNobody"}, "no"]));
    let given = serde_json::json!([{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]);
    assert_eq!(rule["Assertions"][0]["Assert"]["Fn::Not"], given);
    assert_eq!(template["Parameters"]["AlarmsToNobody"]["Default"], "no");
}

// Proves: finding A10
#[test]
fn sam_deploy_acknowledges_what_the_template_needs() {
    let settings = tree::read("samconfig.toml");
    for capability in ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"] {
        assert!(settings.contains(capability), "{capability}");
    }
}

// Proves: finding A10
#[test]
fn the_processor_that_the_tests_run_is_the_default() {
    let architecture = &load("template.yaml")["Parameters"]["Architecture"];
    assert_eq!(architecture["Default"], "x86_64");
    assert_eq!(architecture["AllowedValues"], serde_json::json!(["x86_64", "arm64"]));
}

// Proves: finding A10
#[test]
fn only_what_an_operator_decides_is_a_parameter() {
    let template = load("template.yaml");
    for name in template["Mappings"]["ForTests"]["Hosts"].as_object().expect("what tests replace").keys() {
        assert!(template["Parameters"].get(name).is_none(), "sam deploy --guided asks for {name}");
        assert_eq!(template["Mappings"]["ForTests"]["Hosts"][name], "", "{name} is empty on AWS");
    }
}

/// Function, the queue's ARN as a reference, the trigger's properties.
pub(crate) fn sqs_triggers(template: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    resources(template, FUNCTION).flat_map(|(name, function)| {
        let events = function["Events"].as_object().into_iter().flatten();
        events.filter(|(_, event)| event["Type"] == "SQS").map(move |(_, event)| {
            let properties = &event["Properties"];
            (name, target(&properties["Queue"]).expect("a trigger names its queue"), properties)
        })
    })
}

/// Which functions each function calls by sending to a queue: by its role, and the queues' triggers.
fn calls(template: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let readers: BTreeMap<&str, &str> = sqs_triggers(template).map(|(reader, queue, _)| (queue, reader)).collect();
    let called_by = |name: &str| {
        let role = format!("{}Role", name.strip_suffix("Function").unwrap_or(name));
        let sends = statements(&template["Resources"][role.as_str()]["Properties"])
            .filter(|statement| several(&statement["Action"]).iter().any(|action| *action == "sqs:SendMessage"));
        let queues = sends.flat_map(|statement| several(&statement["Resource"])).filter_map(target);
        queues.filter_map(|queue| readers.get(queue).copied()).collect()
    };
    resources(template, FUNCTION).map(|(name, _)| (name, called_by(name))).collect()
}

/// Whether a chain of at least one call leads from one function to the other.
fn reaches<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str, to: &str) -> bool {
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(next) = open.pop() {
        for called in &graph[next] {
            if *called == to {
                return true;
            }
            if seen.insert(*called) {
                open.push(called);
            }
        }
    }
    false
}

fn statements(role: &Value) -> impl Iterator<Item = &Value> {
    let policies = role["Policies"].as_array().into_iter().flatten();
    policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten())
}

fn environment<'a>(template: &'a Value, folder: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let function = &template["Resources"][format!("{}Function", capitalised(folder))]["Properties"];
    let variables = function["Environment"]["Variables"].as_object().into_iter().flatten();
    variables.map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn capitalised(folder: &str) -> String {
    let (first, rest) = folder.split_at(1);
    first.to_uppercase() + rest
}
