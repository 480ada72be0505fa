//! Why there is no reply.

use channels::outcome::{Outcome, Reason};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Our policy or the other side's forbids the request: nothing was sent, and a retry cannot succeed.
    Refused(Reason, &'static str),
    /// Name look-up, TCP, TLS, or a step before the message itself failed: nothing was sent.
    Unreachable(&'static str),
    /// The other side does not prove its name by TLS: nothing was sent. It is retried for a limited time, because an
    /// expired certificate is usually replaced soon, and a manipulated look-up may end.
    Untrusted(&'static str),
    /// Whether the request took effect is unknown.
    Late,
    CutOff,
}

pub(crate) const NO_CONNECTION: Failure = Failure::Unreachable("no connection to the provider; nothing was sent");
pub(crate) const UNTRUSTED: Failure =
    Failure::Untrusted("the provider's certificate is not valid for its name; nothing was sent");

impl Failure {
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        match () {
            () if is_untrusted(error) => UNTRUSTED,
            () if error.is_connect() => NO_CONNECTION,
            () if error.is_timeout() => Failure::Late,
            () => Failure::CutOff,
        }
    }

    pub(crate) fn of_body(error: &reqwest::Error) -> Self {
        if error.is_timeout() { Failure::Late } else { Failure::CutOff }
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Failure::Refused(reason, _) => Outcome::Rejected { reason },
            Failure::Unreachable(_) => Outcome::Retry { after: None, reason: Reason::ProviderDown },
            Failure::Untrusted(_) => Outcome::Retry { after: None, reason: Reason::Untrusted },
            Failure::Late | Failure::CutOff => Outcome::Retry { after: None, reason: Reason::TimedOut },
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Failure::Refused(_, why) | Failure::Unreachable(why) | Failure::Untrusted(why) => why,
            Failure::Late => "no whole answer in time; whether the message arrived is unknown",
            Failure::CutOff => {
                "the connection broke before the whole answer came; whether the message arrived is unknown"
            }
        }
    }

    /// The text for a request that is not a message.
    pub(crate) fn fetching(self) -> &'static str {
        match self {
            Failure::Refused(..) | Failure::Untrusted(_) => "the certificate is not valid for the name",
            Failure::Unreachable(_) => "no connection",
            Failure::Late => "no whole answer in time",
            Failure::CutOff => "the connection broke before the whole answer came",
        }
    }
}

/// Whether a certificate was the reason. The TLS error is deep in the chain, within I/O errors that give their inner
/// error only by `get_ref`.
pub(crate) fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    held.is_some_and(|held| is_untrusted(held)) || error.source().is_some_and(is_untrusted)
}
