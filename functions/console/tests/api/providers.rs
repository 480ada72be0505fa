//! Providers: the settings that a channel to people needs once per deployment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::world::{CANARY, World};

fn settings() -> Value {
    json!({"host": "smtp.example.com", "port": 465, "tls": "implicit", "username": "larkspur", "password": CANARY,
        "from": "Larkspur <alerts@example.com>"})
}

fn shown() -> Value {
    let mut shown = settings();
    shown["password"] = "…6789".into();
    shown
}

/// The settings with these changes. A field that is `null` in `changes` is left out.
fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(settings.as_object_mut().expect("an object").remove(name)),
            value => settings[name] = value.clone(),
        }
    }
    json!({"settings": settings})
}

#[tokio::test]
async fn a_provider_is_configured_read_and_forgotten() {
    let world = World::start().await;
    world.get("/providers/email").await.refuses(404, "");
    let made = world.put("/providers/email", &json!({"settings": settings()})).await.is(200);
    assert_eq!((&made["channel"], &made["settings"]), (&json!("email"), &shown()));
    assert_eq!(world.get("/providers/email").await.is(200), made);
    assert_eq!(world.get("/providers").await.is(200), json!({"items": [made], "next": null}));
    world.delete("/providers/email").await.is(204);
    world.get("/providers/email").await.refuses(404, "");
    world.delete("/providers/email").await.refuses(404, "");
    assert_eq!(world.get("/providers").await.is(200)["items"], json!([]));
}

#[tokio::test]
async fn a_password_goes_in_and_never_comes_out() {
    let world = World::start().await;
    world.put("/providers/email", &json!({"settings": settings()})).await.is(200);
    let stored = world.store.providers().get(&"email".parse().expect("a name")).await.expect("read");
    assert!(!serde_json::to_string(&stored).expect("JSON").contains(CANARY), "it is sealed");

    // A password that is left out or sent back masked is kept. `null` removes it.
    let kept =
        world.put("/providers/email", &with(&json!({"password": null, "from": "oncall@example.com"}))).await.is(200);
    let settings_kept = (&kept["settings"]["password"], &kept["settings"]["from"]);
    assert_eq!(settings_kept, (&json!("…6789"), &json!("oncall@example.com")));
    let kept = world.put("/providers/email", &with(&json!({"password": "…6789"}))).await.is(200);
    assert_eq!(kept["settings"], shown());
    let mut without = with(&json!({"username": null}));
    without["settings"]["password"] = Value::Null;
    let removed = world.put("/providers/email", &without).await.is(200);
    assert_eq!(removed["settings"].get("password"), None);
    world.put("/providers/email", &with(&json!({"password": "…6789"}))).await.refuses(400, "settings.password");
}

#[tokio::test]
async fn a_password_is_never_handed_to_another_host_or_port() {
    let world = World::start().await;
    world.put("/providers/email", &json!({"settings": settings()})).await.is(200);
    for password in [Value::Null, "…6789".into()] {
        let elsewhere = with(&json!({"host": "smtp.attacker.example", "password": password}));
        world.put("/providers/email", &elsewhere).await.refuses(400, "settings.password");
        let other_port = with(&json!({"port": 2465, "password": password}));
        world.put("/providers/email", &other_port).await.refuses(400, "settings.password");
    }
}

#[tokio::test]
async fn what_cannot_send_is_refused_by_field() {
    let world = World::start().await;
    let rows = [
        (json!({}), "settings"),
        (json!({"settings": {}}), "settings.host"),
        (json!({"settings": []}), "settings"),
        (with(&json!({"host": "https://smtp.example.com"})), "settings.host"),
        (with(&json!({"port": 0})), "settings.port"),
        (with(&json!({"port": 25})), "settings.port"),
        (with(&json!({"tls": "none"})), "settings.tls"),
        (with(&json!({"from": "nobody"})), "settings.from"),
        (with(&json!({"password": null})), "settings.password"),
        (with(&json!({"api_key": "x"})), "settings.api_key"),
        (json!({"settings": settings(), "name": "a"}), "name"),
    ];
    for (body, field) in rows {
        world.put("/providers/email", &body).await.refuses(400, field);
    }
    world.put("/providers/feishu_bot", &json!({"settings": settings()})).await.refuses(400, "channel");
    world.put("/providers/pigeon", &json!({"settings": settings()})).await.refuses(400, "channel");
    world.put("/providers/EMAIL", &json!({"settings": settings()})).await.refuses(404, "");
}

#[tokio::test]
async fn a_test_of_a_provider_needs_one_and_an_address() {
    let world = World::start().await;
    world.post("/providers/email/test", &json!({"to": "ada@example.org"})).await.refuses(404, "");
    world.post("/providers/feishu_bot/test", &json!({"to": "ada@example.org"})).await.refuses(404, "");
    world.put("/providers/email", &json!({"settings": settings()})).await.is(200);
    world.post("/providers/email/test", &json!({"to": "ada"})).await.refuses(400, "to");
    world.post("/providers/email/test", &json!({})).await.refuses(400, "to");
}

/// Starts a mail server that accepts one mail. Returns its port and the received lines.
fn mail_server() -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        let (mut heard, mut in_data) = (Vec::new(), false);
        stream.write_all(b"220 ready\r\n").expect("written");
        while let Some(Ok(line)) = lines.next() {
            let answer = match line.as_str() {
                "." => Some("250 taken"),
                _ if in_data => None,
                "DATA" => Some("354 go on"),
                "QUIT" => Some("221 bye"),
                _ => Some("250 fine"),
            };
            in_data = line == "DATA" || (in_data && line != ".");
            heard.push(line);
            if let Some(answer) = answer {
                stream.write_all(format!("{answer}\r\n").as_bytes()).expect("written");
            }
            if answer == Some("221 bye") {
                break;
            }
        }
        heard
    });
    (port, serving)
}

#[tokio::test]
async fn a_test_of_a_provider_shows_the_mail_servers_answer() {
    let world = World::start().await;
    let (port, server) = mail_server();
    let settings = json!({"host": "127.0.0.1", "port": port, "tls": "none", "from": "alerts@example.com"});
    world.put("/providers/email", &json!({"settings": settings})).await.is(200);
    let tested = world.post("/providers/email/test", &json!({"to": "ada@example.org"})).await.is(200);
    assert_eq!((&tested["outcome"], &tested["reason"]), (&json!("delivered"), &Value::Null));
    assert_eq!(tested["provider"]["status"], 250);
    let heard = server.join().expect("the server ends");
    assert!(heard.iter().any(|line| line == "RCPT TO:<ada@example.org>"), "{heard:?}");
    assert!(heard.iter().any(|line| line.contains("Test notice from Larkspur")), "{heard:?}");
}
