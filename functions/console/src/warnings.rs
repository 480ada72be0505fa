//! Warnings about settings that are valid but surprising, for the answers to saving and to reading one object.

mod integration;

pub(crate) use integration::of_integration;
