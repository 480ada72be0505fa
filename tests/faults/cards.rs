//! Cards of the echo app, which only tests have. A card is correct after kill −9 between a message and its record, and
//! many processes together stay within the limits of the one account that they share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::incident::card;
use alerting::incident::notice::{Notice, NoticeRecord};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use channels::settings::PlainSmtpHosts;
use futures::future::join_all;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use local::options::{Options, Providers};
use notify::{App, Parts};
use post::deliver::{Deliverer, Overrides};
use scenarios::api::Api;
use scenarios::echo::{Echo, TOKEN_LASTS};
use scenarios::process::Process;
use scenarios::wire::{Fault, Seed, Strike, Wire, provider};
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};

const INCIDENTS: usize = 6;
const KILLS: u64 = 12;
/// The most actions between two kills.
const ACTIONS: usize = 40;
/// The longest time to wait for the call at which the process is killed.
const PATIENCE: Duration = Duration::from_secs(3);
/// The time after which a card shows the changes of its incident.
const QUIET: Duration = Duration::from_millis(500);
/// Longer than a lease, and longer than a queue hides a message that a dead process had received.
const FORGOTTEN: Duration = minutes(4);

/// Takes half a minute: a debug build starts nineteen times, and its leases have to expire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kills_around_a_message_and_before_its_record_every_live_card_shows_the_newest_state() {
    let seed = Seed::choose();
    let wire = Wire::start_seeded(seed).await;
    let clock = Clock::system();
    let echo = Echo::start(clock.clone()).await;
    wire.providers_are_at(&echo.base);
    let data = tempfile::tempdir().expect("a directory");
    let mut killed = Killed { data: data.path(), wire: &wire, ahead: Duration::ZERO, struck: 0 };
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let process = killed.start().await;
    let incidents = incidents_in_a_room(&process.api, &echo).await;
    killed.end(process, None).await;
    for kill in 0..KILLS {
        let process = killed.start().await;
        let call = provider().holding("\"card\":{").nth(1 + draw.below(4) as u64);
        // The message has either not been sent yet, or the vendor has accepted it and its answer never arrives.
        let cut = if kill % 2 == 0 { wire.after(call, Fault::Hang) } else { wire.before(call, Fault::Hang) };
        for _ in 0..ACTIONS {
            act(&process.api, &incidents, &mut draw).await;
            if cut.count() > 0 {
                break;
            }
        }
        killed.end(process, Some(cut)).await;
    }
    // The last change of each is shown only by cards that exist. The notice of a close draws them; a snooze notifies
    // nobody, so that only its refresh draws them.
    for (place, incident) in incidents.iter().enumerate() {
        let process = killed.start().await;
        process.api.call("POST", &format!("/incidents/{incident}/reopen"), Some(&json!({}))).await;
        tokio::time::sleep(QUIET).await;
        let (action, body, state) = [
            ("close", json!({}), "\"state\":\"closed\""),
            ("snooze", json!({"minutes": 600}), "\"state\":\"snoozed\""),
        ][place % 2]
            .clone();
        let cut = wire.before(provider().holding(state).nth(1 + place as u64 / 2 % 2), Fault::Hang);
        let answer = process.api.call("POST", &format!("/incidents/{incident}/{action}"), Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        killed.end(process, Some(cut)).await;
    }
    assert!(killed.struck >= KILLS, "only {} kills were in the middle of a message", killed.struck);
    clock.advance(killed.ahead);
    let options = Options { clock, data: Some(data.path().to_owned()), ..wire.options() };
    let world = World::start_with(options).await;
    for _ in 0..4 {
        world.advance(FORGOTTEN).await;
    }
    world.settle().await;
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for incident in &incidents {
        assert_true(&world, &echo, incident, &mut shown).await;
    }
    assert!(shown.values().sum::<usize>() >= INCIDENTS, "{shown:?}");
    assert_eq!(world.dead_letters().await, [json!(null); 0]);
    world.larkspur.stop().await;
}

/// A deployment that is killed repeatedly.
struct Killed<'a> {
    data: &'a Path,
    wire: &'a Wire,
    /// How far the clock of the deployment is ahead. It moves on at each kill, so that leases and messages of a dead
    /// process are free again.
    ahead: Duration,
    /// The number of kills during a call that sends or updates a card.
    struck: u64,
}

impl Killed<'_> {
    async fn start(&self) -> Process {
        let seconds = self.ahead.as_secs().to_string();
        let clock = [("LARKSPUR_TEST_CLOCK", "1"), ("LARKSPUR_TEST_CLOCK_AHEAD", seconds.as_str())];
        let environment = self.wire.environment();
        let environment = environment.iter().map(|(name, value)| (*name, value.as_str())).chain(clock);
        Process::start(self.data, &environment.collect::<Vec<_>>()).await.expect("started")
    }

    /// Kills the process after the call `cut` was made, or at once if `cut` is `None`.
    async fn end(&mut self, process: Process, cut: Option<Strike>) {
        // The queue is slightly behind the actions.
        let start = Instant::now();
        while cut.as_ref().is_some_and(|cut| cut.count() == 0) && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.struck += cut.map_or(0, |cut| cut.count().min(1));
        process.kill().await.expect("killed");
        self.wire.remove_faults();
        self.ahead += FORGOTTEN;
    }
}

/// Checks that every live card of the incident shows its current state, and counts the cards by state.
async fn assert_true(world: &World, echo: &Echo, incident: &str, shown: &mut BTreeMap<String, usize>) {
    let id: IncidentId = incident.parse().expect("an id");
    let stored = world.store().incident(&id).await.expect("read").expect("stored");
    let now = card::of(&stored);
    let newest = stored.timeline.iter().rev().find(|entry| entry.kind.changes_card()).map_or(0, |entry| entry.n);
    for (_, delivery) in world.store().deliveries(&id).await.expect("read") {
        for (place, card) in delivery.cards.iter().filter(|card| card.live).enumerate() {
            let message = echo.message(&card.receipt);
            let acts = message.card["acts"].as_array().map_or(0, Vec::len);
            // Only the newest card has buttons.
            let offered = if place == 0 { now.acts.len() } else { 0 };
            assert_eq!((acts, &message.card["by"]), (offered, &json!(now.by)), "{message:#?} of {now:#?}");
            assert!(message.card["n"].as_u64() >= Some(newest), "{message:#?} shows less than {newest}");
            *shown.entry(message.card["state"].to_string()).or_default() += 1;
        }
    }
}

async fn incidents_in_a_room(api: &Api, echo: &Echo) -> Vec<String> {
    let room = echo.room(api, "ops").await;
    let space = api.create("/spaces", &json!({"name": "Ops", "destinations": [room]})).await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let integration = json!({"name": "a platform", "space": space["id"], "title_from": "first_line", "limits": limits});
    let url = api.create("/integrations", &integration).await["url"].as_str().expect("a url").to_owned();
    for number in 0..INCIDENTS {
        let body = json!({"msg_type": "text", "content": {"text": format!("disk {number} full")}});
        assert_eq!(api.post(&url, body.to_string()).await.body["code"], 0);
    }
    loop {
        let listed = api.list("/incidents").await;
        if listed.len() == INCIDENTS {
            return listed.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Performs a random action on a random incident. An action that the state does not allow is refused, as expected.
async fn act(api: &Api, incidents: &[String], draw: &mut Draw) {
    let incident = &incidents[draw.below(incidents.len())];
    let severity = ["Info", "Warning", "Critical"][draw.below(3)];
    let actions: [(&str, &str, Value); 7] = [
        ("POST", "/acknowledge", json!({})),
        ("POST", "/unacknowledge", json!({})),
        ("POST", "/snooze", json!({"minutes": 600})),
        ("POST", "/close", json!({})),
        ("POST", "/reopen", json!({})),
        ("POST", "/comments", json!({"text": "looking"})),
        ("PUT", "", json!({"severity": severity})),
    ];
    let (method, action, body) = &actions[draw.below(actions.len())];
    let answer = api.call(method, &format!("/incidents/{incident}{action}"), Some(body)).await;
    assert!(answer.status < 500, "{action}: {}", answer.text);
}

/// Generates pseudo-random numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("small")
    }
}

const PROCESSES: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_processes_of_one_account_ask_for_one_token_and_never_send_more_than_the_vendor_takes() {
    let clock = Clock::system();
    let echo = Echo::start(clock.clone()).await;
    let providers = Providers::Base(echo.base.clone());
    let world = World::start_with(Options { clock, providers, ..Options::default() }).await;
    let mut rooms: Vec<DestinationId> = Vec::new();
    for number in 0..PROCESSES {
        rooms.push(echo.room(&world.api, &format!("room {number}")).await.parse().expect("an id"));
    }
    let space = world.space("Ops").set("destinations", json!([rooms[0]])).make().await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.rest().await;
    assert_eq!((echo.messages().len(), echo.token_requests()), (1, 1));

    world.advance(TOKEN_LASTS).await;
    let world = Arc::new(world);
    let incident: IncidentId = world.incident().await.id.parse().expect("an id");
    let processes = rooms.into_iter().enumerate().map(|(number, room)| {
        let (world, echo, incident) = (Arc::clone(&world), echo.clone(), incident.clone());
        tokio::spawn(async move { send_from_a_process(&world, &echo, &incident, room, number).await })
    });
    for process in join_all(processes).await {
        process.expect("every message of the process left");
    }
    // A message that had to wait longer than its queue can hold it is sent later, as due work.
    world.settle().await;
    assert_eq!(echo.messages().len(), 1 + PROCESSES);
    assert_eq!((echo.token_requests(), echo.refused()), (2, 0));
}

/// Plays one process of `notify` with one message. While the message has to wait, it is delivered again, as a queue
/// would do.
async fn send_from_a_process(world: &World, echo: &Echo, incident: &IncidentId, room: DestinationId, number: usize) {
    let app = process(world, echo);
    let incident = world.store().incident(incident).await.expect("read").expect("stored");
    let notice = dispatch::newest_notice(&world.store(), &incident, &room, world.larkspur.clock.now()).await;
    let notice = Notice { n: 100, ..notice.expect("read") };
    let body = serde_json::to_string(&NoticeRecord::Tell(notice)).expect("JSON");
    loop {
        let mut message = SqsMessage::default();
        message.message_id = Some(number.to_string());
        message.receipt_handle = Some("of no queue".to_owned());
        message.body = Some(body.clone());
        let mut event = SqsEvent::default();
        event.records = vec![message];
        let deadline = world.larkspur.clock.now() + seconds(60);
        let answer = notify::handle(&app, event, deadline).await.expect("handled");
        if answer.batch_item_failures.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A process of `notify` that shares only the tables with the other processes.
fn process(world: &World, echo: &Echo) -> App {
    let function = world.larkspur.stack.function("NotifyFunction").expect("deployed");
    let variable = |name: &str| function.variable(name).expect("set").to_owned();
    let sdk = world.larkspur.aws().sdk_config();
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    App::new(Parts {
        store: world.store(),
        notices: Queue::new(sqs.clone(), variable("NOTICES_QUEUE_URL")),
        due: Queue::new(sqs, variable("DUE_QUEUE_URL")),
        sealer: Sealer::new(aws_sdk_secretsmanager::Client::new(&sdk), variable("DATA_KEY_SECRET")),
        deliverer: Deliverer::new(Overrides {
            provider_base: Some(echo.base.clone()),
            plain_smtp_hosts: PlainSmtpHosts::default(),
            ..Overrides::default()
        })
        .expect("a deliverer"),
        link_base: "https://larkspur.example".to_owned(),
        personal_ack_links: false,
        clock: world.larkspur.clock.clone(),
    })
}
