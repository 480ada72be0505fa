//! Decides to which spaces an alert is routed when it is triggered. Updates and recovery go to the same spaces.
//!
//! A dedicated integration has one space. A shared integration tries its routes in order. Each matching route adds its
//! spaces, until a matching route stops the search. If no route matches, the default spaces are used.

use crate::base::field_error::FieldError;
use crate::base::ids::SpaceId;
use crate::rules::builder::Builder;
use crate::rules::compiled::{Fuel, Run};
use crate::rules::flag::Flag;
use crate::rules::integration::{Routing, Then};
use crate::rules::matcher::{Matcher, View};
use crate::rules::rule_set::RuleSet;
use crate::rules::trace::{Observer, Place, TriedResult};

/// The limit on the work of the routes for one alert; see [`crate::rules::compiled`].
const FUEL: Fuel = 2_000_000;
/// The most spaces of one route, and so the most incidents of one alert.
const SPACES_PER_ROUTE: usize = 20;

#[derive(Debug)]
pub(crate) enum Ready {
    Dedicated(SpaceId),
    Shared { filters: RuleSet, targets: Vec<(Vec<SpaceId>, Then)>, default: Vec<SpaceId> },
}

impl Ready {
    pub(crate) fn new(routing: &Routing, builder: &mut Builder<'_>) -> Result<Self, FieldError> {
        let (routes, default) = match routing {
            Routing::Dedicated { space } => return Ok(Ready::Dedicated(space.clone())),
            Routing::Shared { routes, default_spaces } => (routes, default_spaces),
        };
        let checked = check_spaces(default, "default_spaces", "a shared integration needs a default route");
        builder.keep(checked)?;
        let mut filters = Vec::with_capacity(routes.len());
        for (n, route) in routes.iter().enumerate() {
            let matcher = check_spaces(&route.spaces, &format!("routes[{n}].spaces"), "a route needs a space")
                .and_then(|()| Matcher::new(&route.filter, &format!("routes[{n}].filter"), &mut builder.patterns));
            filters.push(builder.keep(matcher)?);
        }
        Ok(Ready::Shared {
            filters: RuleSet::new(filters, &builder.patterns),
            targets: routes.iter().map(|route| (route.spaces.clone(), route.then)).collect(),
            default: default.clone(),
        })
    }

    /// The spaces of an alert without duplicates, in the order of the routes.
    pub(crate) fn spaces<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> Vec<SpaceId> {
        let (filters, targets, default) = match self {
            Ready::Dedicated(space) => return vec![space.clone()],
            Ready::Shared { filters, targets, default } => (filters, targets, default),
        };
        run.refuel(FUEL);
        let mut spaces = Vec::new();
        let mut next = 0;
        for route in filters.candidates(view).iter() {
            filters.left_out(next..route, view, run, seen, Place::Route);
            next = route + 1;
            let failures = run.failures();
            let matches = filters.matches(route, view, run, seen);
            seen.tried(|| (Place::Route(route), TriedResult::of_filter(matches, run.failures() > failures)));
            // A route without enough fuel does not match. The default spaces get the alert, and a flag is set.
            if !matches.unwrap_or(false) {
                continue;
            }
            let (named, then) = &targets[route];
            named.iter().for_each(|space| push_new(&mut spaces, space));
            if *then == Then::Stop {
                next = filters.len();
                break;
            }
        }
        filters.left_out(next..filters.len(), view, run, seen, Place::Route);
        if spaces.is_empty() {
            default.iter().for_each(|space| push_new(&mut spaces, space));
        }
        if spaces.is_empty() {
            run.flag(Flag::Unrouted);
        }
        spaces
    }
}

fn push_new(spaces: &mut Vec<SpaceId>, space: &SpaceId) {
    if !spaces.contains(space) {
        spaces.push(space.clone());
    }
}

fn check_spaces(spaces: &[SpaceId], path: &str, none: &str) -> Result<(), FieldError> {
    match spaces.len() {
        0 => Err(FieldError::new(path, none)),
        1..=SPACES_PER_ROUTE => Ok(()),
        _ => Err(FieldError::new(path, format!("more than {SPACES_PER_ROUTE} spaces"))),
    }
}
