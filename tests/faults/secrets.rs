//! I. Secrets and privacy in logs, errors and messages.
