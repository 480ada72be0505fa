//! `larkspur`: everything is in [`local::program`], which the tests' own program shares.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::program::main(|options| options)
}
