//! The function as Lambda invokes it: with a request of the HTTP API, or with a command of an operator.

use console::invocation::Handler;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::world::app;

async fn invoke(handler: &Handler, event: &Value) -> Result<Value, String> {
    let payload = to_raw_value(event).expect("an event is JSON");
    handler.handle(LambdaEvent::new(payload, Context::default())).await.map_err(|error| error.to_string())
}

/// An event of an HTTP API, payload format 2.0.
fn request(method: &str, path: &str, key: &str, body: Option<&str>) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "limit=1",
        "headers": {"host": "abc.execute-api.eu-central-1.amazonaws.com", "x-forwarded-proto": "https",
            "authorization": format!("Bearer {key}"), "content-type": "application/x-www-form-urlencoded"},
        "requestContext": {"accountId": "1", "apiId": "abc", "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "abc", "requestId": "1", "routeKey": "$default", "stage": "$default",
            "time": "22/Nov/2026:05:00:00 +0000", "timeEpoch": 1_795_323_600_000_i64,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "t"}},
        "body": body, "isBase64Encoded": false,
    })
}

fn answered(reply: &Value) -> Value {
    serde_json::from_str(reply["body"].as_str().expect("a body")).expect("JSON")
}

#[tokio::test]
async fn the_first_key_is_answered_once_and_opens_the_api() {
    let (app, _) = app().await;
    let handler = Handler::new(app);
    let command = json!({"larkspur": "create_api_key"});
    let first = invoke(&handler, &command).await.expect("the first key");
    let key = first["api_key"].as_str().expect("a key");
    let refused = invoke(&handler, &command).await.expect_err("there is one");
    assert!(refused.starts_with("there is an API key already"), "{refused}");

    let made = invoke(&handler, &request("POST", "/api/v1/spaces", key, Some(r#"{"name":"Payments"}"#))).await;
    let made = made.expect("an answer");
    assert_eq!(made["statusCode"], 201, "{made}");
    let listed = invoke(&handler, &request("GET", "/api/v1/spaces", key, None)).await.expect("an answer");
    let mut made = answered(&made);
    let warnings = made.as_object_mut().and_then(|space| space.remove("warnings")).expect("saves answer with them");
    assert_eq!(warnings[0]["field"], "destinations", "nobody is notified of its incidents: {warnings}");
    assert_eq!(answered(&listed)["items"], json!([made]));
    let unknown = invoke(&handler, &request("GET", "/api/v1/spaces", "lks_unknown", None)).await.expect("an answer");
    assert_eq!((&unknown["statusCode"], &answered(&unknown)["error"]["code"]), (&json!(401), &json!("unauthorized")));
}

#[tokio::test]
async fn an_intake_url_is_on_the_host_that_the_gateway_was_asked_for() {
    let (app, _) = app().await;
    let handler = Handler::new(app);
    let first = invoke(&handler, &json!({"larkspur": "create_api_key"})).await.expect("the first key");
    let key = first["api_key"].as_str().expect("a key");
    let space = invoke(&handler, &request("POST", "/api/v1/spaces", key, Some(r#"{"name":"a"}"#))).await;
    let space = answered(&space.expect("an answer"))["id"].as_str().expect("an id").to_owned();
    let body = json!({"name": "Disks", "space": space}).to_string();
    let made = invoke(&handler, &request("POST", "/api/v1/integrations", key, Some(&body))).await.expect("an answer");
    let url = answered(&made)["url"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with("https://abc.execute-api.eu-central-1.amazonaws.com/open-apis/bot/v2/hook/"), "{url}");
    assert!(url.len() <= 100);
}

#[tokio::test]
async fn a_set_up_link_is_made_while_no_administrator_can_sign_in() {
    let (mut app, _) = app().await;
    app.base_url = Some("https://alerts.example.com/".to_owned());
    let handler = Handler::new(app);
    let command = json!({"larkspur": "create_setup_link"});
    let made = invoke(&handler, &command).await.expect("a link");
    let url = made["setup_url"].as_str().expect("a url");
    let path = url.strip_prefix("https://alerts.example.com").expect("our own address");
    let form = "name=Ada&email=ada%40example.org&password=correct+horse+battery";
    let mut request = request("POST", path, "", Some(form));
    request["headers"]["origin"] = "https://alerts.example.com".into();
    let answer = invoke(&handler, &request).await.expect("an answer");
    assert_eq!(answer["statusCode"], 303, "{answer}");
    let refused = invoke(&handler, &command).await.expect_err("there is an administrator");
    assert!(refused.starts_with("an administrator can sign in already"), "{refused}");
}
