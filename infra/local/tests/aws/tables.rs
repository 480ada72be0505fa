//! The tables answer as `dynoxide`'s own server does, which AWS's behaviour is checked against by its authors.

use std::net::SocketAddr;

use bytes::Bytes;
use lambda_kit::clock::Clock;
use local::aws::{Aws, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The same database behind its own server.
struct Server(SocketAddr);

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let database = dynoxide::Database::memory().expect("in memory");
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
        Self(address)
    }

    async fn answer(&self, operation: &str, body: &str) -> (u16, Value) {
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-amz-target: DynamoDB_20120810.{operation}\r\n\
             content-type: application/x-amz-json-1.0\r\nx-amz-date: 20990101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=k/20990101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\n\r\n{body}",
            self.0,
            body.len(),
        );
        let mut stream = TcpStream::connect(self.0).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }
}

fn key(pk: &str, sk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

fn table() -> Value {
    json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_g", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        }],
    })
}

fn with(mut request: Value, more: Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(more);
    request
}

/// What the functions ask for, and what is refused, in the order in which it is asked.
fn requests() -> Vec<(&'static str, Value)> {
    let of = |request: Value| with(json!({"TableName": "things"}), request);
    let full = json!({
        "pk": {"S": "a"}, "sk": {"S": "1"}, "g": {"S": "g"}, "n": {"N": "10"}, "b": {"B": "AQI="}, "t": {"BOOL": true},
        "z": {"NULL": true}, "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["10", "9"]}, "l": {"L": [{"S": "x"}]},
        "m": {"M": {"deep": {"N": "1.50"}}},
    });
    let put = |pk: &str, sk: &str| json!({"Put": {"TableName": "things", "Item": key(pk, sk)}});
    let check = |condition: &str| {
        json!({"ConditionCheck": {"TableName": "things", "Key": key("a", "1"),
        "ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}})
    };
    vec![
        ("ListTables", json!({})),
        ("CreateTable", table()),
        ("PutItem", of(json!({"Item": full}))),
        (
            "PutItem",
            of(json!({"Item": full, "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})),
        ),
        ("PutItem", of(json!({"Item": full, "ConditionExpression": "attribute_not_exists(pk)"}))),
        ("PutItem", of(json!({"Item": full, "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL"}))),
        ("GetItem", of(json!({"Key": key("a", "1"), "ConsistentRead": true}))),
        ("GetItem", of(json!({"Key": key("a", "2")}))),
        (
            "GetItem",
            of(json!({"Key": key("a", "1"), "ProjectionExpression": "#n, m.deep",
            "ExpressionAttributeNames": {"#n": "n"}})),
        ),
        (
            "UpdateItem",
            of(json!({"Key": key("a", "1"), "ReturnValues": "ALL_NEW",
            "UpdateExpression": "SET n = n + :one, l = list_append(l, :more) REMOVE z ADD ns :set",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":more": {"L": [{"S": "y"}]}, ":set": {"NS": ["7"]}}})),
        ),
        (
            "UpdateItem",
            of(json!({"Key": key("a", "1"), "UpdateExpression": "SET n = :v", "ConditionExpression": "n = :v",
            "ExpressionAttributeValues": {":v": {"N": "99"}}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})),
        ),
        (
            "BatchWriteItem",
            json!({"RequestItems": {"things": (0..5).map(|n| json!({"PutRequest": {"Item":
            with(key("b", &n.to_string()), json!({"g": {"S": "g"}}))}})).collect::<Vec<_>>()}}),
        ),
        ("BatchGetItem", json!({"RequestItems": {"things": {"Keys": [key("b", "3")]}}})),
        (
            "Query",
            of(json!({"KeyConditionExpression": "pk = :p AND sk > :s", "Limit": 2, "ScanIndexForward": false,
            "ExpressionAttributeValues": {":p": {"S": "b"}, ":s": {"S": "0"}}})),
        ),
        (
            "Query",
            of(json!({"IndexName": "by_g", "KeyConditionExpression": "g = :g", "FilterExpression": "sk <> :s",
            "ExpressionAttributeValues": {":g": {"S": "g"}, ":s": {"S": "1"}}})),
        ),
        (
            "Query",
            of(json!({"KeyConditionExpression": "pk = :p", "Select": "COUNT",
            "ExpressionAttributeValues": {":p": {"S": "b"}}})),
        ),
        ("Scan", of(json!({"Limit": 1}))),
        ("TransactWriteItems", json!({"TransactItems": [put("t", "1"), check("attribute_exists(pk)")]})),
        ("TransactWriteItems", json!({"TransactItems": [put("t", "2"), check("attribute_not_exists(pk)")]})),
        ("TransactWriteItems", json!({"TransactItems": [put("t", "3")], "ClientRequestToken": "once"})),
        ("TransactWriteItems", json!({"TransactItems": [put("t", "3")], "ClientRequestToken": "once"})),
        ("TransactWriteItems", json!({"TransactItems": [put("t", "4")], "ClientRequestToken": "once"})),
        ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "things", "Key": key("t", "1")}}]})),
        ("DeleteItem", of(json!({"Key": key("a", "1"), "ReturnValues": "ALL_OLD"}))),
        ("DeleteItem", of(json!({"Key": key("a", "1"), "ConditionExpression": "attribute_exists(pk)"}))),
        // What is refused.
        ("PutItem", json!({"TableName": "nothing", "Item": key("a", "1")})),
        ("PutItem", of(json!({"Item": {"pk": {"S": ""}, "sk": {"S": "1"}}}))),
        ("PutItem", of(json!({"Item": {"pk": {"S": "a"}}}))),
        ("PutItem", of(json!({"Item": with(key("a", "1"), json!({"x": {"S": "x".repeat(410_000)}}))}))),
        ("PutItem", of(json!({"Item": with(key("a", "1"), json!({"x": {"SS": []}}))}))),
        ("PutItem", of(json!({"Item": with(key("a", "1"), json!({"x": {"N": "ten"}}))}))),
        ("PutItem", of(json!({"Item": with(key("a", "1"), json!({"x": {"NULL": false}}))}))),
        ("PutItem", of(json!({"Item": with(key("a", "1"), json!({"x": {}}))}))),
        ("PutItem", of(json!({"Item": key("a", "1"), "ReturnValues": "SOME"}))),
        ("PutItem", of(json!({"Item": key("a", "1"), "ExpressionAttributeValues": {":unused": {"S": "x"}}}))),
        (
            "UpdateItem",
            of(json!({"Key": key("a", "1"), "UpdateExpression": "SET status = :v",
            "ExpressionAttributeValues": {":v": {"S": "x"}}})),
        ),
        ("UpdateItem", of(json!({"Key": key("a", "1"), "UpdateExpression": "SET n ="}))),
        (
            "BatchWriteItem",
            json!({"RequestItems": {"things": (0..26).map(|n| json!({"PutRequest": {"Item":
            key("b", &n.to_string())}})).collect::<Vec<_>>()}}),
        ),
        ("Query", of(json!({"KeyConditionExpression": "sk = :s", "ExpressionAttributeValues": {":s": {"S": "1"}}}))),
        ("GetItem", json!({"Key": key("a", "1")})),
        ("Nonsense", json!({})),
        ("UpdateTimeToLive", of(json!({"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": true}}))),
        ("DescribeTimeToLive", of(json!({}))),
        ("DescribeTable", of(json!({}))),
        ("DeleteTable", of(json!({}))),
        ("GetItem", of(json!({"Key": key("a", "1")}))),
    ]
}

/// Moments and random identifiers differ.
fn comparable(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| name != "CreationDateTime" && name != "TableId");
            Value::Object(kept.map(|(name, value)| (name, comparable(value))).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(comparable).collect()),
        other => other,
    }
}

async fn ask(aws: &Aws, target: &str, body: &str) -> http::Response<Bytes> {
    let target = Some(target);
    aws.answer(&Request { target, host: "aws.invalid", trace: None, body: body.as_bytes() }).await
}

// Proves: finding B1
#[tokio::test]
async fn every_request_is_answered_as_by_the_database_s_own_server() {
    let server = Server::start().await;
    let aws = Aws::open(None, Clock::default(), Vec::new()).expect("opens");
    for (operation, request) in requests() {
        let request = request.to_string();
        let wanted = server.answer(operation, &request).await;
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = ask(&aws, &target, &request).await;
        let answered = (answer.status().as_u16(), serde_json::from_slice(answer.body()).expect("JSON"));
        assert_eq!(
            (answered.0, comparable(answered.1)),
            (wanted.0, comparable(wanted.1)),
            "{operation} {request:.300}"
        );
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let aws = Aws::open(None, Clock::default(), Vec::new()).expect("opens");
    let answer = ask(&aws, "DynamoDB_20120810.GetItem", "not JSON").await;
    assert_eq!(answer.status(), 400);
    assert!(String::from_utf8_lossy(answer.body()).contains("SerializationException"), "{answer:?}");
}
