//! What the handler works with.

use dispatch::Dispatch;
use lambda_kit::secrets::Sealer;

/// The clients and settings of the handler.
#[derive(Debug)]
pub struct App {
    pub dispatch: Dispatch,
    pub sealer: Sealer,
    /// The address of the pages.
    pub base_url: String,
}
