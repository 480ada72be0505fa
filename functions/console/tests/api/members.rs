//! Members: their fields, and the members that cannot be deleted yet.

use serde_json::{Value, json};

use crate::world::{World, id};

#[tokio::test]
async fn a_member_lives_from_201_to_204() {
    let world = World::start().await;
    let destination = world.destination().await;
    let body = json!({"name": " Ada ", "email": "ada@example.org", "phone": "+8613800000000", "language": "zh",
        "time_zone": "Asia/Shanghai", "role": "administrator",
        "preferences": {"Critical": ["email", destination], "Info": []}, "identities": {"slack_user_id": "U024BE7LH"}});
    let made = world.post("/members", &body).await.is(201);
    let path = format!("/members/{}", id(&made));
    assert_eq!(made["name"], "Ada");
    for field in ["email", "phone", "language", "time_zone", "role", "preferences", "identities"] {
        assert_eq!(made[field], body[field], "{field}");
    }
    assert_eq!(world.get(&path).await.is(200), made);
    assert_eq!(world.get("/members").await.is(200), json!({"items": [made], "next": null}));

    let replaced = world.put(&path, &json!({"name": "Ada"})).await.is(200);
    let defaults = json!({"id": made["id"], "name": "Ada", "email": null, "email_verified": false,
        "email_vouched_by": null, "phone": null, "phone_verified": false, "phone_vouched_by": null,
        "email_pending": null, "phone_pending": null, "sign_in": null, "language": "en",
        "time_zone": "UTC", "role": "responder", "preferences": {}, "identities": {},
        "links": [], "created_at": made["created_at"]});
    assert_eq!(replaced, defaults);

    world.delete(&path).await.is(204);
    world.get(&path).await.refuses(404, "");
    world.put(&path, &body).await.refuses(404, "");
    world.delete(&path).await.refuses(404, "");
}

#[tokio::test]
async fn what_cannot_be_true_of_a_member_is_refused_by_field() {
    let world = World::start().await;
    let rows = [
        (json!({}), "name"),
        (json!({"name": "\n"}), "name"),
        (json!({"email": "ada"}), "email"),
        (json!({"email": format!("{}@example.org", "a".repeat(250))}), "email"),
        (json!({"phone": "13800000000"}), "phone"),
        (json!({"language": "fr"}), "language"),
        (json!({"time_zone": "Mars/Olympus"}), "time_zone"),
        (json!({"role": "owner"}), "role"),
        (json!({"preferences": {"critical": []}}), "preferences.critical"),
        (json!({"preferences": {"Critical": null}}), "preferences.Critical"),
        (json!({"preferences": {"Critical": ["Email!"]}}), "preferences.Critical[0]"),
        (json!({"preferences": {"Critical": ["email"]}}), "preferences.Critical[0]"),
        (json!({"preferences": {"Critical": ["sms"]}}), "preferences.Critical[0]"),
        (json!({"preferences": {"Warning": ["dst_absent"]}}), "preferences.Warning[0]"),
        (json!({"preferences": {"Warning": ["dst_email_somebody"]}}), "preferences.Warning[0]"),
        (json!({"email": "a@b.org", "preferences": {"Info": ["email", "email"]}}), "preferences.Info[1]"),
        (json!({"identities": {"Slack Id": "U1"}}), "identities"),
        (json!({"identities": {"zoom_jid": ""}}), "identities.zoom_jid"),
        (json!({"id": "mem_1"}), "id"),
        (json!({"email_verified": true}), "email_verified"),
        (json!({"email": "a@b.org", "email_verified": null}), "email_verified"),
        (json!({"email": "a@b.org", "phone_verified": true}), "phone_verified"),
    ];
    for (mut body, field) in rows {
        if field != "name" {
            body["name"] = Value::from("Ada");
        }
        let answer = world.post("/members", &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{body} {}", answer.text);
    }
}

#[tokio::test]
async fn a_member_whom_a_team_names_stays_and_the_answer_names_the_team() {
    let world = World::start().await;
    let member = world.member("Ada").await;
    let team = id(&world.post("/teams", &json!({"name": "DBA", "members": [member]})).await.is(201));
    let sentence = world.delete(&format!("/members/{member}")).await.refuses(409, "");
    assert!(sentence.contains("team DBA") && sentence.contains(&team), "{sentence}");
    world.put(&format!("/teams/{team}"), &json!({"name": "DBA"})).await.is(200);
    world.delete(&format!("/members/{member}")).await.is(204);
}

// Proves: finding F14
#[tokio::test]
async fn an_identity_that_nothing_asks_for_is_refused_by_name() {
    let world = World::start().await;
    let body = json!({"name": "Ada", "identities": {"slack_userid": "U024BE7LH"}});
    let message = world.post("/members", &body).await.refuses(400, "identities.slack_userid");
    assert!(message.contains("slack_user_id") && message.contains("oidc_subject"), "{message}");
}
