//! Logging: JSON lines on standard output, level from the environment. A message without problems logs nothing: at
//! `CloudWatch`'s price the runtime's own start and report lines would cost as much as the write of the alert.

use std::panic::{self, PanicHookInfo};

/// Call once, first thing in `main`.
pub fn init() {
    lambda_runtime::tracing::init_default_subscriber();
    crate::metric::is_read();
    log_panics_by_place();
}

/// Logs panics by their place in the code and without their message. A message may quote the text that was being read, as
/// the standard library does when a text is cut within a character.
pub fn log_panics_by_place() {
    panic::set_hook(Box::new(|panic| tracing::error!(place = place(panic), "the code has a fault: it panicked")));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Everything that is logged, field by field.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<String>>);

    impl Visit for Log {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            self.0.lock().expect("not poisoned").push_str(&format!("{field}={value:?}\n"));
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    // Proves: fault 109
    #[test]
    fn a_panic_is_logged_by_its_place_and_not_by_what_it_quotes() {
        let log = Log::default();
        log_panics_by_place();
        let input = "CANARY-告警".to_owned();
        let caught =
            tracing::subscriber::with_default(log.clone(), || panic::catch_unwind(|| input[..input.len() - 1].len()));
        drop(panic::take_hook());
        let message = caught.expect_err("the text was cut within a character");
        let message = message.downcast_ref::<String>().expect("the standard library's message");
        assert!(message.contains("CANARY"), "it quotes the text, or this test tests nothing: {message}");
        let logged = log.0.lock().expect("not poisoned").clone();
        assert!(logged.contains("logging.rs") && logged.contains("panicked"), "{logged}");
        assert!(!logged.contains("CANARY"), "{logged}");
    }
}
