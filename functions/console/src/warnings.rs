//! What is valid and will surprise, found out when it is saved and when it is read by itself.

mod integration;

pub(crate) use integration::of_integration;
