//! B. Copies and messages out of order, from the queue and from senders.
