//! D. The process is killed at each point of a message's way.
