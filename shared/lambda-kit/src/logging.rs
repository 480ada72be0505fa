//! JSON lines on stdout, level from the environment. A healthy message logs nothing: at `CloudWatch`'s price the runtime's
//! own start and report lines would cost as much as the write of the alert.

/// Call once, first thing in `main`.
pub fn init() {
    lambda_runtime::tracing::init_default_subscriber();
}
