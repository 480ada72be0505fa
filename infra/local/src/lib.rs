//! Larkspur on one machine: the functions, tables and queues that it has on AWS, in one process.
//!
//! - [`stack`] reads `template.yaml` and `infra/*.yaml`, so that the same settings apply here and on AWS.
//! - [`aws`] is DynamoDB, SQS, SNS and Secrets Manager for unmodified SDKs, durable in the data directory. It is reached
//!   inside the process only; the public front is the only listener.
//! - `functions` builds the real handlers; `front` is API Gateway, `event_sources` and `schedule` are Lambda's triggers.
//! - The crate `vendors` simulates the vendors' platforms; `front` serves them at `/fake`.
//!
//! Not here: anything about alerts. A behaviour that differs from AWS is a bug or is named in a module doc.

pub mod aws;
pub mod aws_rules;
mod bodies;
mod data;
mod demo;
mod event_sources;
mod front;
mod functions;
pub mod health;
mod hosts;
mod listener;
pub mod options;
pub mod program;
pub mod proxies;
mod rest;
mod schedule;
mod servers;
pub mod stack;

use std::sync::Arc;
use std::time::Duration;

use alerting::base::ids::ApiKeyId;
use alerting::base::secret::Secret;
use anyhow::Context as _;
use lambda_kit::clock::Clock;
use lambda_kit::random::base62;
use post::deliver::Demo as DemoGroup;
use store::api_keys::ApiKey;
use store::keys::secret_hash;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vendors::fakes::Fakes;

use aws::Aws;
use aws_rules::Limits;
use bodies::Bodies;
use data::Data;
use event_sources::{Activity, Poller};
use front::Gateway;
use functions::{Deployment, Functions};
use health::Health;
use hosts::Hosts;
use options::{Options, Providers};
use rest::Rest;
use schedule::{Ticker, Time};
use servers::{Address, Servers};
use stack::{Place, Stack};

/// Tasks that do not end within this time after a stop are aborted. Their work is durable.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// A running deployment. Ends with [`Larkspur::stop`], or with its runtime.
pub struct Larkspur {
    /// The URL where it listens.
    pub base_url: String,
    /// The base of links: the public URL, if there is one.
    pub known_as: String,
    pub api_key: Secret,
    /// `None` without `--demo`.
    pub demo: Option<Demo>,
    /// The link that makes the first administrator, once; `None` if there is one.
    pub set_up_url: Option<Secret>,
    /// The deployment's clock. Move it with [`Larkspur::advance`].
    pub clock: Clock,
    /// The built-in groups.
    pub fakes: Fakes,
    pub stack: Stack,
    aws: Aws,
    limits: Arc<Limits>,
    rest: Rest,
    time: Time,
    stop: watch::Sender<bool>,
    pollers: Vec<JoinHandle<()>>,
    servers: Servers,
    /// Keeps the data directory locked.
    _data: Option<Data>,
}

/// The demo integration and group that the first start made.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The URL of the integration; its last part is a key.
    pub integration_url: Secret,
    pub group_url: String,
}

impl Larkspur {
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let public = Address::bind(&options.listen).await?;
        let data = options.data.as_deref().map(Data::open).transpose()?;
        let directory = data.as_ref().map(Data::path);
        let fake_base = format!("{}{}", public.url, front::PLATFORMS);
        let known_as = options.public_url.clone().unwrap_or_else(|| public.url.clone());
        let stack = Stack::load(&place(&known_as, &fake_base, &options))?;

        let aws = Aws::open(directory, options.clock.clone(), secrets(&stack, data.as_ref())?)?;
        make_resources(&aws, &stack).await?;
        let clock = options.clock.clone();
        let fakes = Fakes::new(move || clock.now(), directory)?;
        let deployment = Deployment {
            sdk: options.interposer.as_ref().map_or_else(|| aws.sdk_config(), |interposer| interposer.between(&aws)),
            clock: options.clock.clone(),
            demo: DemoGroup { url_prefix: demo::URL.to_owned(), base: fake_base },
        };
        let functions = Arc::new(Functions::new(&stack, &deployment)?);

        let mut servers = Servers::new();
        let api_key = ensure_api_key(&functions, &options.clock, data.as_ref()).await?;
        let set_up_url = functions.set_up_link().await?;
        let demo = match options.demo {
            true => Some(Demo {
                integration_url: demo::ensure_made(&functions, &api_key, data.as_ref(), &fakes).await?,
                group_url: format!("{known_as}/groups/{}", demo::GROUP),
            }),
            false => None,
        };

        let stop = watch::Sender::new(false);
        let activity = Arc::new(Activity::default());
        let limits = Arc::new(Limits::new(options.aws_rules));
        let tickers = tickers(&stack, &functions, &options.clock, &limits)?;
        let time = Time { clock: options.clock.clone(), tickers };
        event_sources::release_unfinished(aws.sqs(), &stack.event_sources).await?;
        let mut pollers = start_pollers(&stack, &functions, &aws, &options, &activity, &limits, &stop)?;
        pollers.extend(time.tickers.iter().map(|ticker| tokio::spawn(ticker.clone().run(stop.subscribe()))));

        let queues = stack.queues.iter().map(|queue| queue.name.clone()).collect();
        let health = Health { sqs: aws.sqs().clone(), queues, clock: options.clock.clone(), stop: servers.stopping() };
        let gateway = Gateway {
            functions,
            stack: stack.clone(),
            clock: options.clock.clone(),
            hosts: Hosts::new(public.address, options.public_url.as_deref()),
            proxies: options.trusted_proxies.clone(),
            bodies: Bodies::new(),
            health,
            limits: limits.clone(),
            home: if options.demo { "/groups" } else { "/incidents" },
        };
        let base_url = public.url.clone();
        let clock_endpoint = options.clock_endpoint.then(|| time.clone());
        let groups = options.demo.then_some(&fakes);
        servers.serve_public(public, front::router(Arc::new(gateway), groups, clock_endpoint));
        let rest = Rest::new(aws.sqs().clone(), activity, &stack);
        let clock = options.clock;
        Ok(Self {
            base_url,
            known_as,
            api_key,
            demo,
            set_up_url,
            clock,
            fakes,
            stack,
            aws,
            limits,
            rest,
            time,
            stop,
            pollers,
            servers,
            _data: data,
        })
    }

    /// Moves the clock, and runs the calls of the schedules that are then due.
    pub async fn advance(&self, by: Duration) {
        self.time.advance(by).await;
    }

    /// Waits until all queues but the dead queues are empty and no function runs: nothing more happens without a request
    /// or a timer.
    pub async fn drained(&self) {
        self.rest.drained().await;
    }

    /// Waits until no message can be received or is worked on, and no function runs. Messages may wait for a delay that
    /// they were sent with.
    pub async fn settled(&self) {
        self.rest.settled().await;
    }

    /// The number of messages in dead queues.
    pub async fn dead_letters(&self) -> usize {
        self.rest.dead_letters().await
    }

    /// The calls that AWS would not make, because a chain of messages is too long.
    pub fn refused_calls(&self) -> Vec<String> {
        self.limits.refused()
    }

    /// The embedded services.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Stops: accepts nothing more, lets running work finish, closes the files.
    pub async fn stop(self) {
        let Self { stop, pollers, mut servers, .. } = self;
        let end = async move {
            servers.stop_public().await;
            stop.send_replace(true);
            for poller in pollers {
                // A poller that panicked has logged the panic; there is nothing left to stop.
                let _ = poller.await;
            }
            servers.stop();
        };
        if tokio::time::timeout(STOP_WITHIN, end).await.is_err() {
            tracing::warn!("something did not stop in time and was cut off");
        }
    }
}

fn place(public: &str, fakes: &str, options: &Options) -> Place {
    let provider_base = match &options.providers {
        Providers::Real => None,
        Providers::Base(base) => Some(base.clone()),
        Providers::Fakes => Some(fakes.to_owned()),
    };
    Place {
        base_url: public.to_owned(),
        aws_endpoint: aws::connector::ENDPOINT.to_owned(),
        provider_base,
        personal_ack_links: options.personal_ack_links,
        parameters: options.parameters.clone(),
    }
}

/// The template has one secret, the data key.
fn secrets(stack: &Stack, data: Option<&Data>) -> anyhow::Result<Vec<(String, Secret)>> {
    let [name] = stack.secrets.as_slice() else {
        anyhow::bail!("one secret is expected in the templates: the data key")
    };
    let key = match data {
        Some(data) => data.secret("data-key", data::random_hex)?,
        None => Secret::new(data::random_hex()),
    };
    Ok(vec![(name.clone(), key)])
}

async fn make_resources(aws: &Aws, stack: &Stack) -> anyhow::Result<()> {
    for table in &stack.tables {
        aws.ensure_table(table).await.with_context(|| format!("table {}", table.name))?;
    }
    for queue in &stack.queues {
        let made = aws.sqs().ensure_queue(&queue.name, queue.attributes.clone()).await;
        made.with_context(|| format!("queue {}", queue.name))?;
    }
    for topic in &stack.topics {
        aws.sns().create_topic(topic).await.with_context(|| format!("topic {topic}"))?;
    }
    Ok(())
}

/// The local API key. It is kept in a file, and its hash in the table like that of any other key.
async fn ensure_api_key(functions: &Functions, clock: &Clock, data: Option<&Data>) -> anyhow::Result<Secret> {
    let make = || format!("lks_{}", base62(44));
    let key = match data {
        Some(data) => data.secret("api-key", make)?,
        None => Secret::new(make()),
    };
    let hash = secret_hash(key.expose());
    let keys = functions.store.api_keys();
    if keys.find(&hash, "this program", clock.now()).await?.known().is_none() {
        let record = ApiKey {
            id: ApiKeyId::from_suffix(&base62(10)).expect("ten base62 characters make an id"),
            name: "local".to_owned(),
            scopes: vec!["admin".to_owned()],
            created_at: clock.now(),
            last4: key.expose()[key.expose().len() - 4..].to_owned(),
            expires_at: None,
            used_at: None,
            created_by: None,
            created_by_member: None,
        };
        keys.put(&hash, &record).await?;
    }
    Ok(key)
}

fn start_pollers(
    stack: &Stack,
    functions: &Arc<Functions>,
    aws: &Aws,
    options: &Options,
    activity: &Arc<Activity>,
    limits: &Arc<Limits>,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let start = |source: &stack::EventSource| {
        let function = stack.function(&source.function)?;
        let poller = Poller {
            sqs: aws.sqs().clone(),
            timeout: function.timeout,
            limits: limits.clone(),
            may_loop: function.may_loop,
            handler: functions.on_queue(&source.function)?,
            source: source.clone(),
            clock: options.clock.clone(),
            activity: activity.clone(),
            batching: options.batching,
        };
        Ok(tokio::spawn(poller.run(stop.subscribe())))
    };
    stack.event_sources.iter().map(start).collect()
}

fn tickers(
    stack: &Stack,
    functions: &Arc<Functions>,
    clock: &Clock,
    limits: &Arc<Limits>,
) -> anyhow::Result<Vec<Ticker>> {
    let ticker = |schedule: &stack::Schedule| {
        let function = stack.function(&schedule.function)?;
        let handler = functions.on_schedule(&schedule.function)?;
        Ok(Ticker::new(schedule.clone(), function, handler, clock.clone(), limits.clone()))
    };
    stack.schedules.iter().map(ticker).collect()
}

#[cfg(test)]
mod tests;
