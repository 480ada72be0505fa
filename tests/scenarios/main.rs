//! The whole, as people meet it: one file per promise.

mod api_document;
mod auto_close;
mod channels;
mod conservation;
mod crash;
mod email;
mod escalation;
mod fallback;
mod flapping;
mod full_incident;
mod group_races;
mod grouping;
mod incident_actions;
mod links;
mod mentions;
mod merging;
mod ordering;
mod people;
mod push_modes;
mod routes;
mod schedules;
mod secrets;
mod silences;
mod storm;
mod timeline;
mod trace;
