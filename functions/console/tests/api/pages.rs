//! The pages as a browser receives them.

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, IncidentId, Stamp};
use alerting::incident::action::Action;
use alerting::incident::apply::Change;
use alerting::incident::source::{SourceChange, SourceKind};
use serde_json::json;

use crate::actions::{open, open_saying};
use crate::world::{Answer, Person, World, id};

/// The names and values of form fields.
type Fields<'a> = [(&'a str, &'a str)];
/// Why a request is refused, who sends it, its headers and form token, and the expected status.
type Refusal<'a> = (&'a str, &'a Person<'a>, &'a [(&'a str, &'a str)], &'a str, u16);

/// The value of a hidden field in the forms of this page.
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let main = page.text.split("<main").nth(1).expect("a page has content");
    let (_, rest) = main.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {main}"));
    rest.split('"').next().expect("split gives a part").to_owned()
}

/// Opens the page and posts one of its forms.
async fn press(person: &Person<'_>, incident: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
    let page = person.opens(&format!("/incidents/{incident}")).await;
    let (token, episode) = (hidden(&page, "form_token"), hidden(&page, "episode"));
    let mut all = vec![("form_token", token.as_str()), ("episode", episode.as_str())];
    all.extend(fields);
    person.posts(&format!("/incidents/{incident}/{action}"), &all).await
}

fn actions(page: &Answer) -> Vec<&str> {
    let mut found: Vec<&str> = ["acknowledge", "unacknowledge", "snooze", "escalate", "close", "reopen", "responders"]
        .into_iter()
        .filter(|action| page.text.contains(&format!("/{action}\">")))
        .collect();
    found.extend(page.text.contains("/snooze\" name=").then_some("snooze"));
    found.extend(page.text.contains("<textarea").then_some("comment"));
    found
}

#[tokio::test]
async fn every_page_carries_its_protections_and_needs_a_session() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let li = world.person("Li Lei", "responder", "en").await;
    for path in ["/incidents", &format!("/incidents/{incident}"), "/me/notifications"] {
        let page = li.opens(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(page.headers[name], value, "{path}");
        }
        let policy = page.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for forbidden in ["<script", "<style", " style=", " onclick", "og:", "https://"] {
            assert!(!page.text.contains(forbidden), "{path} has {forbidden}");
        }
        let head = li.asks("HEAD", path, &[], None).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        let stranger = world.stranger().opens(path).await;
        assert_eq!(stranger.status, 303, "{path}");
        let next = stranger.headers["location"].to_str().expect("text");
        assert!(next.starts_with("/sign-in?next=%2F") && !stranger.text.contains("disk full"), "{next}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so_in_the_readers_language() {
    let world = World::start().await;
    let li = world.person("Li Lei", "responder", "zh").await;
    for path in ["/incidents/inc_nothing", "/incidents/nonsense", "/incidents/inc_01KE6W5Z000000000000000001abc"] {
        let page = li.opens(path).await;
        assert!(page.status == 404 && page.text.contains("页面不存在"), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn a_page_is_in_the_members_language_and_zone() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let path = format!("/incidents/{incident}");
    let english = world.person("Ann", "responder", "en").await.opens(&path).await.text;
    let chinese = world.person("Li Lei", "responder", "zh").await.opens(&path).await.text;
    for (text, words) in [
        (&english, ["lang=\"en\"", ">Acknowledge</button>", ">Warning</span>", "Asia/Shanghai"]),
        (&chinese, ["lang=\"zh-CN\"", ">认领</button>", ">警告</span>", "Asia/Shanghai"]),
    ] {
        for word in words {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
    assert!(!chinese.contains("Timeline") && !english.contains("时间线"));
}

#[tokio::test]
async fn text_from_outside_is_escaped() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let evil = "<script>alert(1)</script>\"'&";
    let opened = open_saying(&world, None, &[&space], evil, evil).await;
    let li = world.person(evil, "responder", "en").await;
    let incident = &opened.incidents[0];
    assert_eq!(press(&li, incident, "comment", &[("text", evil)]).await.status, 303);
    assert_eq!(press(&li, incident, "acknowledge", &[]).await.status, 303);
    let wrong = press(&li, incident, "snooze", &[("minutes", evil)]).await;
    let pages = [
        li.opens(&format!("/incidents/{incident}")).await,
        li.opens(&format!("/incidents/{incident}?done=%3Cscript%3E&timeline=%3Cscript%3E")).await,
        li.opens("/incidents?progress=%3Cscript%3E&space=%3Cscript%3E&after=%3Cscript%3E").await,
        li.opens("/me/notifications").await,
        wrong,
    ];
    for page in pages {
        assert!(!page.text.contains("<script") && !page.text.contains("alert(1)</"), "{}", page.text);
        assert!(page.text.contains("&lt;script&gt;"), "the member's name stands in the frame: {}", page.text);
    }
}

// Proves: finding E1
#[tokio::test]
async fn an_incident_of_which_nobody_was_notified_says_so_on_its_page_in_the_list_and_in_the_api() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let listed = &world.get("/incidents").await.is(200)["items"][0];
    let read = world.get(&format!("/incidents/{incident}")).await.is(200);
    for one in [listed, &read] {
        assert_eq!(one["notified"], "nobody", "{one}");
        assert!(one["not_notified_because"].is_string(), "{one}");
    }
    for (language, words) in [("en", "Nobody was notified."), ("zh", "未通知到任何人。")] {
        let li = world.person("Li Lei", "responder", language).await;
        let page = li.opens(&format!("/incidents/{incident}")).await;
        assert!(page.text.contains("role=\"alert\"") && page.text.contains(words), "{}", page.text);
        let list = li.opens("/incidents").await;
        assert!(list.text.contains(words), "{}", list.text);
    }
}

// Proves: finding E2
#[tokio::test]
async fn an_address_that_the_sender_wrote_is_a_link_on_the_incidents_page_under_its_own_name() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let text = "runbook https://wiki.example/disk, not javascript://x and not https://ours@evil.example";
    let opened = open_saying(&world, None, &[&space], "[FIRING] disk full", text).await;
    let page =
        world.person("Li Lei", "responder", "en").await.opens(&format!("/incidents/{}", opened.incidents[0])).await;
    let link = "<a href=\"https://wiki.example/disk\" rel=\"noopener noreferrer nofollow\">wiki.example/disk</a>";
    assert!(page.text.contains(link), "{}", page.text);
    assert!(!page.text.contains("href=\"javascript") && !page.text.contains("href=\"https://ours@"), "{}", page.text);
    assert!(page.text.contains("<h1>disk full</h1>"), "without the sender's state: {}", page.text);
}

#[tokio::test]
async fn there_are_buttons_for_what_the_member_may_do_and_what_the_state_lets_them() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let path = format!("/incidents/{incident}");
    let [admin, li, viewer] = [
        world.person("Ann", "administrator", "en").await,
        world.person("Li Lei", "responder", "en").await,
        world.person("Viv", "viewer", "en").await,
    ];
    let check = async |state: &str, of_li: &[&str], of_admin: &[&str]| {
        assert_eq!(actions(&li.opens(&path).await), of_li, "{state}: responder");
        assert_eq!(actions(&admin.opens(&path).await), of_admin, "{state}: administrator");
        assert_eq!(actions(&viewer.opens(&path).await), [] as [&str; 0], "{state}: viewer");
    };
    let open = ["acknowledge", "close", "responders", "snooze", "comment"];
    check("triggered", &open, &open).await;
    assert_eq!(press(&li, &incident, "acknowledge", &[]).await.status, 303);
    check("processing", &["unacknowledge", "close", "responders", "snooze", "comment"], &open).await;
    assert_eq!(press(&admin, &incident, "close", &[]).await.status, 303);
    check("closed", &["reopen", "comment"], &["reopen", "comment"]).await;
}

#[tokio::test]
async fn every_button_does_what_it_says_once_and_the_page_says_so() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let li = world.person("Li Lei", "responder", "en").await;
    let body = json!({"name": "Wang", "email": "wang@example.org"});
    let other = id(&world.post("/members", &body).await.is(201));
    let steps: [(&str, &Fields<'_>, &str); 9] = [
        ("acknowledge", &[], "acknowledged"),
        ("unacknowledge", &[], "unacknowledged"),
        ("snooze", &[("minutes", "120")], "snoozed"),
        ("comment", &[("text", "looking into it")], "commented"),
        ("edit", &[("title", "disk really full"), ("severity", "Info")], "edited"),
        ("responders", &[("people", &other)], "responder_added"),
        ("reassign", &[("people", &other)], "reassigned"),
        ("close", &[], "closed"),
        ("reopen", &[], "reopened"),
    ];
    for (action, fields, kind) in steps {
        let answer = press(&li, &incident, action, fields).await;
        assert_eq!(answer.status, 303, "{action}: {}", answer.text);
        let place = answer.headers["location"].to_str().expect("text").to_owned();
        assert_eq!(place, format!("/incidents/{incident}?done={action}"));
        let shown = li.opens(&place).await;
        assert!(shown.text.contains("role=\"status\""), "{action}: {}", shown.text);
        let timeline = world.get(&format!("/incidents/{incident}")).await.is(200)["timeline"].clone();
        let last = timeline.as_array().and_then(|entries| entries.last()).expect("an entry").clone();
        assert_eq!((&last["kind"], &last["actor"]), (&json!(kind), &json!("Li Lei")), "{action}");
    }
    let silenced = press(&li, &incident, "silence", &[("minutes", "120")]).await;
    assert_eq!(silenced.status, 303, "{}", silenced.text);
    let silences = world.get(&format!("/spaces/{space}/silences")).await.is(200);
    assert_eq!(silences["items"][0]["created_by"], "Li Lei");
    let refused = press(&li, &incident, "snooze", &[("minutes", "100000")]).await;
    assert!(refused.status == 400 && refused.text.contains("Nothing was changed"), "{}", refused.text);
    assert_eq!(press(&li, &incident, "explode", &[]).await.status, 404);
}

#[tokio::test]
async fn a_wrong_form_of_an_incident_keeps_what_was_typed_and_says_why_beside_the_field_in_the_readers_language() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let li = world.person("Li Lei", "responder", "zh").await;
    let mute = world.member("Mute").await;
    let long = "x".repeat(4001);
    let kept = [
        format!(">{long}</textarea>"),
        "value=\"".to_owned() + &"y".repeat(513),
        format!("<option value=\"{mute}\" selected>"),
    ];
    let rows: [(&str, &Fields<'_>, &str); 3] = [
        ("comment", &[("text", &long)], "id=\"wrong-text\">请输入"),
        ("edit", &[("title", &"y".repeat(513)), ("severity", "Info")], "id=\"wrong-title\">请输入"),
        ("responders", &[("people", &mute)], "id=\"wrong-people\">请选择"),
    ];
    let before = world.dump().await;
    for ((action, fields, beside), kept) in rows.into_iter().zip(kept) {
        let page = press(&li, &incident, action, fields).await;
        assert!(page.status == 400 && page.text.contains(beside), "{action}: {}", page.text);
        assert!(page.text.contains(&kept) && page.text.contains("aria-invalid=\"true\""), "{action}: {}", page.text);
    }
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn the_language_is_changed_from_the_navigation_and_the_page_is_shown_again() {
    let world = World::start().await;
    let li = world.person("Li Lei", "viewer", "zh").await;
    let page = li.opens("/members").await;
    let (_, form) = page.text.split_once("action=\"/me/language\"").expect("the form");
    let token = form.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("its token");
    let headers = [("sec-fetch-site", "same-origin"), ("referer", "http://larkspur.test/members")];
    let fields = [("form_token", token), ("language", "en")];
    let answer = li.asks("POST", "/me/language", &headers, Some(&fields)).await;
    assert_eq!((answer.status, &answer.headers["location"]), (303, &"/members".parse().expect("a header")));
    assert!(li.opens("/members").await.text.contains("<html lang=\"en\">"));
    let elsewhere = [headers[0], ("referer", "https://evil.example/x")];
    let answer = li.asks("POST", "/me/language", &elsewhere, Some(&fields)).await;
    assert_eq!(&answer.headers["location"], "/incidents");
    assert_eq!(li.asks("POST", "/me/language", &headers, Some(&[("language", "zh")])).await.status, 403);
}

// Proves: fault 79
#[tokio::test]
async fn a_post_without_session_origin_form_or_role_changes_nothing() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let other = open(&world, None, &[&space]).await.incidents.remove(0);
    let li = world.person("Li Lei", "responder", "en").await;
    let viewer = world.person("Viv", "responder", "en").await;
    let gone = world.person("Gone", "responder", "en").await;
    let path = format!("/incidents/{incident}/acknowledge");
    let token = |page: &Answer| hidden(page, "form_token");
    let own = token(&li.opens(&format!("/incidents/{incident}")).await);
    let of_other = token(&li.opens(&format!("/incidents/{other}")).await);
    let of_gone = token(&gone.opens(&format!("/incidents/{incident}")).await);
    // Only a responder's page has a form. A member who became a viewer after opening the page still has a valid one.
    let of_viewer = token(&viewer.opens(&format!("/incidents/{incident}")).await);
    world.put(&format!("/members/{}", viewer.member), &json!({"name": "Viv", "role": "viewer"})).await.is(200);
    world.delete(&format!("/members/{}", gone.member)).await.is(204);
    let before = world.dump().await;

    let ours = ("sec-fetch-site", "same-origin");
    let form = |token: &str| vec![("form_token".to_owned(), token.to_owned()), ("episode".to_owned(), "0".to_owned())];
    let rows: [Refusal<'_>; 9] = [
        ("no session", &world.stranger(), &[ours], &own, 401),
        ("a removed member", &gone, &[ours], &of_gone, 403),
        ("no origin", &li, &[], &own, 403),
        ("a foreign origin", &li, &[("origin", "https://evil.example")], &own, 403),
        ("a foreign page", &li, &[("sec-fetch-site", "cross-site")], &own, 403),
        ("no token", &li, &[ours], "", 403),
        ("another incident's token", &li, &[ours], &of_other, 403),
        ("another session's token", &li, &[ours], &of_gone, 403),
        ("a viewer", &viewer, &[ours], &of_viewer, 403),
    ];
    for (name, person, headers, token, status) in rows {
        let form = form(token);
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = person.asks("POST", &path, headers, Some(&fields)).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text);
        assert!(answer.text.contains("Nothing was changed"), "{name}: {}", answer.text);
    }
    assert_eq!(world.dump().await, before);
    assert_eq!(press(&li, &incident, "acknowledge", &[]).await.status, 303, "and with all of them it is done");
}

#[tokio::test]
async fn a_page_of_an_earlier_episode_changes_nothing_and_says_what_happened_since() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let li = world.person("Li Lei", "responder", "en").await;
    let path = format!("/incidents/{incident}");
    let page = li.opens(&path).await;
    for action in ["close", "reopen"] {
        world.post(&format!("{path}/{action}"), &json!({})).await.is(200);
    }
    let before = world.dump().await;
    let token = hidden(&page, "form_token");
    let answer = li.posts(&format!("{path}/close"), &[("form_token", &token), ("episode", "0")]).await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.text.contains("reopened since") && answer.text.contains("Reopened</strong> · first key"),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("<strong>Triggered"), "only what happened since: {}", answer.text);
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_long_incident_is_shown_in_part_and_weighs_little() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let opened = open(&world, None, &[&space]).await;
    let id: IncidentId = opened.incidents[0].parse().expect("an id");
    for n in 1..25 {
        join(&world, &opened.alert, &id, n).await;
    }
    let actor = NamedActor::api_key("key_a".parse().expect("valid"), "Ann");
    for n in 0..120 {
        let action = Action::Comment { text: format!("comment {n:03} {}", "looking at the disk ".repeat(4)) };
        let change = Change::Person { actor: actor.clone(), action, episode: None };
        world.store.act_on_incident(&id, &change, &format!("comment {n}"), world.now()).await.expect("written");
    }
    let li = world.person("Li Lei", "responder", "en").await;
    let page = li.opens(&format!("/incidents/{id}")).await;
    let style = page.text.split("href=\"/assets/").nth(1).and_then(|rest| rest.split('"').next()).expect("a style");
    let style = world.stranger().opens(&format!("/assets/{style}")).await;
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
    // The template engine writes a slash as `&#x2f;`, which is five bytes longer.
    let document = page.text.len() + 5 * page.text.matches('/').count();
    let sheet = style.text.len();
    assert!(sheet < 20 * 1024 && document + sheet < 60 * 1024, "{document} + {sheet} bytes");
    assert_eq!(page.text.matches("<h3>").count(), 20);
    assert!(page.text.contains("not shown: 5") && page.text.contains("comment 119"), "{}", page.text);
    assert!(page.text.contains("Show older entries") && !page.text.contains("comment 010"));
    let whole = li.opens(&format!("/incidents/{id}?timeline=all")).await.text;
    assert!(whole.contains("comment 010") && whole.contains("comment 119"));
}

/// Adds another alert to the incident.
async fn join(world: &World, first: &alerting::incident::alert::Alert, incident: &IncidentId, n: u128) {
    let stamp = Stamp::from_parts(world.now(), n);
    let mut alert = first.clone();
    alert.id = AlertId::of(&first.integration, stamp);
    (alert.opened_by, alert.shown) = (stamp, stamp);
    alert.description = "used 97% of /var/lib/pg on a machine with a long name\n".repeat(5);
    alert.labels = (0..6).map(|n| (format!("label_{n}"), format!("value of label {n}"))).collect();
    world.store.open_alert(&alert, world.now()).await.expect("written");
    let change = Change::Source(SourceChange {
        incident: incident.clone(),
        alert: alert.id,
        opened_by: stamp,
        space: alert.spaces[0].clone(),
        alert_n: 1,
        kind: SourceKind::Trigger,
        title: alert.title,
        severity: alert.severity,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    });
    world
        .store
        .change_incident(incident, &change, &format!("join {n}"), world.now())
        .await
        .expect("written")
        .expect("joined");
}

#[tokio::test]
async fn the_list_is_filtered_and_goes_on_where_it_ended() {
    let world = World::start().await;
    let (one, two) = (world.space(&[]).await, world.space(&[]).await);
    let li = world.person("Li Lei", "responder", "en").await;
    assert!(li.opens("/incidents").await.text.contains("No incidents yet"));
    let first = open(&world, None, &[&one]).await.incidents.remove(0);
    for n in 0..26 {
        world.advance(1);
        open_saying(&world, None, &[&two], &format!("disk {n:02}"), "").await;
    }
    world.post(&format!("/incidents/{first}/close"), &json!({})).await.is(200);
    let count = |page: &Answer| page.text.matches("class=\"title\"").count();
    let newest = li.opens("/incidents").await;
    assert_eq!(count(&newest), 25);
    assert!(newest.text.contains("disk 25") && !newest.text.contains("disk 00"));
    let (before, _) = newest.text.split_once("\" rel=\"next\"").expect("there are more");
    let (_, next) = before.rsplit_once("href=\"").expect("a link");
    let rest = li.opens(&next.replace("&amp;", "&")).await;
    assert_eq!(count(&rest), 2);
    assert_eq!(count(&li.opens("/incidents?progress=closed").await), 1);
    assert_eq!(count(&li.opens(&format!("/incidents?space={one}&progress=triggered")).await), 0);
    assert_eq!(count(&li.opens(&format!("/incidents?space={one}")).await), 1);
}

#[tokio::test]
async fn my_notifications_are_the_incidents_that_are_mine() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let li = world.person("Li Lei", "responder", "en").await;
    let mine = open_saying(&world, None, &[&space], "mine", "").await.incidents.remove(0);
    open_saying(&world, None, &[&space], "somebody else's", "").await;
    assert!(li.opens("/me/notifications").await.text.contains("There are no notifications for you yet."));
    assert_eq!(press(&li, &mine, "acknowledge", &[]).await.status, 303);
    let page = li.opens("/me/notifications").await.text;
    assert!(page.contains(">mine</a>") && page.contains("assigned to you") && !page.contains("somebody"), "{page}");
}

// Proves: finding E6
#[tokio::test]
async fn an_address_that_does_not_exist_is_a_page_for_browsers_and_json_for_programs() {
    let world = World::start().await;
    let li = world.person("Li Lei", "responder", "zh").await;
    let page = li.asks("GET", "/no/such/page", &[("accept", "text/html,*/*;q=0.8")], None).await;
    assert!(page.status == 404 && page.text.contains("页面不存在。"), "{}", page.text);
    assert!(page.headers.contains_key("content-security-policy"));
    world.stranger().asks("GET", "/no/such/page", &[("accept", "*/*")], None).await.refuses(404, "");
    world.get("/no-such-thing").await.refuses(404, "");
}
