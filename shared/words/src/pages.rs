//! Texts of the console's pages, a file per page. Templates name them `t.key`.

pub mod dead_letters;
pub mod incidents;
pub mod me;
pub mod members;
pub mod shell;
pub mod sign_in;
pub mod trace;
