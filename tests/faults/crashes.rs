//! D. The process is killed at each point of a message's way.
//!
//! A call hangs on the wire, before it is passed on or after it took effect. Then the process is killed with −9, and a new
//! one starts on the same data. The groups live in the test, as vendors do: they see the messages of every process.

mod points;
mod run;
mod way;
