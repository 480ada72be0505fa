//! D. The process is killed at each point of a message's processing.
//!
//! A call hangs on the wire, before it is passed on or after it took effect. Then the process is killed with −9, and a
//! new one starts on the same data. The groups run in the test, as vendors run outside the deployment: they receive the
//! messages of every process.

mod points;
mod run;
mod way;
