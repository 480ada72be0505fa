//! `larkspur` for tests that need a process: the same program, whose functions reach the embedded AWS services by the
//! proxy that `LARKSPUR_TEST_AWS_THROUGH` names, if it does. A program that is shipped has neither proxy nor port.

use std::process::ExitCode;

use lambda_kit::settings::Env;
use local::options::Options;
use scenarios::socket::through;

fn main() -> ExitCode {
    let proxy = Env::read().optional("LARKSPUR_TEST_AWS_THROUGH");
    local::program::main(|options| Options { interposer: proxy.map(through), ..options })
}
