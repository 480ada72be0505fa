//! D. The process is killed at each point of a message's way.
//!
//! A call hangs on the wire, before it is passed on or after it took effect; then comes kill −9, and a new process on the
//! same data. The groups live in the test, as vendors do: they see what was sent, whoever sent it.

mod points;
mod run;
mod way;
