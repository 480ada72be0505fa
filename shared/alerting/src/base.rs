//! Types that all other modules use: ids, moments, limits, rates and secrets.

pub mod actor;
pub mod field_error;
pub mod ids;
pub mod key;
pub mod limits;
pub mod moment;
pub mod rate;
pub mod schema;
pub mod secret;
pub mod severity;
pub(crate) mod wall;
