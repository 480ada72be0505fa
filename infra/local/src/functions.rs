//! Builds every function of the template from the environment that the template sets, with the same clients as its own
//! `main.rs`, except for how they reach AWS.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::base::secret::Secret;
use anyhow::{Context as _, bail};
use aws_types::SdkConfig;
use axum::body::Body;
use axum::response::Response;
use channels::settings::PlainSmtpHosts;
use console::running_count::RunningCount;
use dispatch::Dispatch;
use http_body_util::BodyExt as _;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::random::StampSource;
use lambda_kit::secrets::Sealer;
use lambda_kit::topic::Topic;
use post::deliver::{Deliverer, Demo, Overrides};
use serde_json::Value;
use store::{Store, Tables};
use tower::ServiceExt as _;

use crate::aws_rules::PassLineageOn;
use crate::stack::{Function, Stack};
use crate::{event_sources, schedule};

pub(crate) const INGEST: &str = "IngestFunction";
const EVALUATE: &str = "EvaluateFunction";
const NOTIFY: &str = "NotifyFunction";
const TIMERS: &str = "TimersFunction";
const CALLBACKS: &str = "CallbacksFunction";
const CONSOLE: &str = "ConsoleFunction";

/// The parts of the deployment that the functions are built from.
pub(crate) struct Deployment {
    /// How the services are reached.
    pub(crate) sdk: SdkConfig,
    pub(crate) clock: Clock,
    /// The group whose messages never leave this machine.
    pub(crate) demo: Demo,
}

/// All functions, ready to be called.
pub(crate) struct Functions {
    ingest: ingest::App,
    evaluate: Arc<evaluate::App>,
    notify: Arc<notify::App>,
    timers: Arc<timers::App>,
    callbacks: callbacks::App,
    console: axum::Router,
    console_app: Arc<console::App>,
    /// One store for all functions: the others see the console's changes at once.
    pub(crate) store: Store,
}

impl Functions {
    pub(crate) fn new(stack: &Stack, deployment: &Deployment) -> anyhow::Result<Self> {
        let known = [INGEST, EVALUATE, NOTIFY, TIMERS, CALLBACKS, CONSOLE];
        if let Some(unknown) = stack.functions.keys().find(|name| !known.contains(&name.as_str())) {
            bail!("template.yaml has a function {unknown} that is not wired here");
        }
        let clients = Clients::new(deployment);
        let store = clients.store(stack.function(CONSOLE)?)?;
        let build = Build { clients, store: store.clone(), deployment };
        let console_app = Arc::new(build.console(stack.function(CONSOLE)?).context(CONSOLE)?);
        Ok(Self {
            ingest: build.ingest(stack.function(INGEST)?).context(INGEST)?,
            evaluate: Arc::new(build.evaluate(stack.function(EVALUATE)?).context(EVALUATE)?),
            notify: Arc::new(build.notify(stack.function(NOTIFY)?).context(NOTIFY)?),
            timers: Arc::new(build.timers(stack.function(TIMERS)?).context(TIMERS)?),
            callbacks: build.callbacks(stack.function(CALLBACKS)?).context(CALLBACKS)?,
            console: console::router(Arc::clone(&console_app)),
            console_app,
            store,
        })
    }

    /// Calls a function with an event of the HTTP API.
    pub(crate) async fn http(&self, function: &str, event: &str) -> anyhow::Result<Response> {
        match function {
            INGEST => {
                let event: ingest::gateway::Event = serde_json::from_str(event)?;
                let response = match event.into_request() {
                    Ok(request) => ingest::handle(&self.ingest, request).await,
                    Err(answer) => ingest::gateway::response(answer),
                };
                Ok(response.map(Body::new))
            }
            CALLBACKS => {
                let request = lambda_http::request::from_str(event)?;
                let (parts, body) = callbacks::handle(&self.callbacks, request).await.into_parts();
                Ok(Response::from_parts(parts, Body::from(body.to_vec())))
            }
            CONSOLE => {
                let request = lambda_http::request::from_str(event)?.map(Body::new);
                Ok(self.console.clone().oneshot(request).await?)
            }
            other => bail!("{other} does not take HTTP requests"),
        }
    }

    /// Asks the JSON API, as a client with this key would.
    pub(crate) async fn api(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let response = self.console.clone().oneshot(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// The link by which the first administrator signs in; `None` if there is one.
    pub(crate) async fn set_up_link(&self) -> anyhow::Result<Option<Secret>> {
        Ok(console::set_up_link(&self.console_app).await?)
    }

    /// The handler for a queue's batches.
    pub(crate) fn on_queue(self: &Arc<Self>, function: &str) -> anyhow::Result<event_sources::Handler> {
        let functions = self.clone();
        Ok(match function {
            EVALUATE => Arc::new(move |event, deadline| {
                let app = functions.evaluate.clone();
                Box::pin(async move { Ok(evaluate::handle(&app, event, deadline).await?) })
            }),
            NOTIFY => Arc::new(move |event, deadline| {
                let app = functions.notify.clone();
                Box::pin(async move { Ok(notify::handle(&app, event, deadline).await?) })
            }),
            TIMERS => Arc::new(move |event, deadline| {
                let app = functions.timers.clone();
                Box::pin(async move { Ok(timers::handle_due(&app, event, deadline).await?) })
            }),
            other => bail!("template.yaml gives {other} a queue, but it takes none"),
        })
    }

    /// The handler for a schedule's calls.
    pub(crate) fn on_schedule(self: &Arc<Self>, function: &str) -> anyhow::Result<schedule::Handler> {
        let functions = self.clone();
        match function {
            TIMERS => Ok(Arc::new(move || {
                let app = functions.timers.clone();
                Box::pin(async move { Ok(timers::sweep(&app).await?) })
            })),
            other => bail!("template.yaml gives {other} a schedule, but it has no use for one"),
        }
    }
}

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    /// The intake's own client, with its own retries.
    intake_sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Clients {
    fn new(deployment: &Deployment) -> Self {
        let sdk = &deployment.sdk;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            sqs: aws_sdk_sqs::Client::from_conf(
                aws_sdk_sqs::config::Builder::from(sdk).interceptor(PassLineageOn).build(),
            ),
            intake_sqs: ingest::outbox::sqs_client(sdk),
            sns: aws_sdk_sns::Client::from_conf(
                aws_sdk_sns::config::Builder::from(sdk).interceptor(PassLineageOn).build(),
            ),
            secrets: aws_sdk_secretsmanager::Client::new(sdk),
        }
    }

    fn store(&self, function: &Function) -> anyhow::Result<Store> {
        Ok(Store::new(self.dynamodb.clone(), tables(function)?))
    }
}

fn tables(function: &Function) -> anyhow::Result<Tables> {
    let table = |name| function.variable(name).map(str::to_owned);
    Ok(Tables { config: table("CONFIG_TABLE")?, alerts: table("ALERTS_TABLE")? })
}

/// Builds one function at a time.
struct Build<'a> {
    clients: Clients,
    store: Store,
    deployment: &'a Deployment,
}

impl Build<'_> {
    fn ingest(&self, function: &Function) -> anyhow::Result<ingest::App> {
        let messages = Queue::new(self.clients.intake_sqs.clone(), function.variable("MESSAGES_QUEUE_URL")?);
        Ok(ingest::App::new(self.clock(), self.store(function)?, messages, Arc::new(self.sealer(function)?)))
    }

    fn evaluate(&self, function: &Function) -> anyhow::Result<evaluate::App> {
        Ok(evaluate::App::new(
            self.queue(function, "MESSAGES_QUEUE_URL")?,
            self.dispatch(function)?,
            function.environment.get("MESSAGE_LOG_DAYS").and_then(|days| days.parse().ok()),
        ))
    }

    fn notify(&self, function: &Function) -> anyhow::Result<notify::App> {
        Ok(notify::App::new(notify::Parts {
            store: self.store(function)?,
            notices: self.queue(function, "NOTICES_QUEUE_URL")?,
            due: self.queue(function, "DUE_QUEUE_URL")?,
            sealer: self.sealer(function)?,
            deliverer: self.deliverer(function)?,
            link_base: function.variable("BASE_URL")?.to_owned(),
            personal_ack_links: personal_ack_links(function),
            clock: self.clock(),
        }))
    }

    fn timers(&self, function: &Function) -> anyhow::Result<timers::App> {
        Ok(timers::App::new(self.dispatch(function)?))
    }

    fn callbacks(&self, function: &Function) -> anyhow::Result<callbacks::App> {
        Ok(callbacks::App {
            dispatch: self.dispatch(function)?,
            sealer: self.sealer(function)?,
            base_url: function.variable("BASE_URL")?.to_owned(),
        })
    }

    fn console(&self, function: &Function) -> anyhow::Result<console::App> {
        Ok(console::App {
            store: self.store(function)?,
            sealer: Arc::new(self.sealer(function)?),
            messages: self.queue(function, "MESSAGES_QUEUE_URL")?,
            dead: console::dead_queues::DeadQueues {
                messages: self.queue(function, "MESSAGES_DEAD_QUEUE_URL")?,
                notices: self.queue(function, "NOTICES_DEAD_QUEUE_URL")?,
                due: self.queue(function, "DUE_DEAD_QUEUE_URL")?,
            },
            dispatch: self.dispatch(function)?,
            deliverer: self.deliverer(function)?,
            clock: self.clock(),
            stamps: StampSource::new(),
            replayed: RunningCount::new(),
            base_url: optional(&function.environment, "BASE_URL"),
            personal_ack_links: personal_ack_links(function),
            oidc: console::ProviderCache::default(),
            visits: console::Visits::default(),
        })
    }

    fn clock(&self) -> Clock {
        self.deployment.clock.clone()
    }

    /// The shared store, if the function has the same tables.
    fn store(&self, function: &Function) -> anyhow::Result<Store> {
        tables(function)?;
        Ok(self.store.clone())
    }

    fn dispatch(&self, function: &Function) -> anyhow::Result<Dispatch> {
        Ok(Dispatch {
            store: self.store(function)?,
            notices: self.queue(function, "NOTICES_QUEUE_URL")?,
            due: self.queue(function, "DUE_QUEUE_URL")?,
            changes: self.topic(function)?,
            clock: self.clock(),
        })
    }

    fn queue(&self, function: &Function, variable: &str) -> anyhow::Result<Queue> {
        Ok(Queue::new(self.clients.sqs.clone(), function.variable(variable)?))
    }

    fn topic(&self, function: &Function) -> anyhow::Result<Topic> {
        Ok(Topic::new(self.clients.sns.clone(), function.variable("CHANGES_TOPIC_ARN")?))
    }

    fn sealer(&self, function: &Function) -> anyhow::Result<Sealer> {
        let previous = optional(&function.environment, "PREVIOUS_DATA_KEY_SECRET");
        Ok(Sealer::new(self.clients.secrets.clone(), function.variable("DATA_KEY_SECRET")?).with_previous(previous))
    }

    fn deliverer(&self, function: &Function) -> anyhow::Result<Deliverer> {
        let provider_base = optional(&function.environment, "PROVIDER_BASE");
        let hosts = optional(&function.environment, "PLAIN_SMTP_HOSTS").unwrap_or_default();
        let plain_smtp_hosts = PlainSmtpHosts::list(&hosts);
        let hosts = optional(&function.environment, "PLAIN_OIDC_HOSTS").unwrap_or_default();
        let plain_web_hosts = hosts.split(',').map(str::to_owned).collect();
        let demo = Some(self.deployment.demo.clone());
        Ok(Deliverer::new(Overrides { provider_base, plain_smtp_hosts, plain_web_hosts, demo })?)
    }
}

fn personal_ack_links(function: &Function) -> bool {
    optional(&function.environment, "PERSONAL_ACK_LINKS").as_deref() == Some("true")
}

fn optional(environment: &BTreeMap<String, String>, name: &str) -> Option<String> {
    environment.get(name).filter(|value| !value.is_empty()).cloned()
}
