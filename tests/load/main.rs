//! Measures Larkspur under load, compared with Alertmanager, and with a million stored alerts. [README.md](README.md)
//! has the commands and the results.

mod calls;
mod growth;
mod plot;
mod program;
mod seed;
mod side;
mod side_by_side;
mod statistics;
mod wire;

use std::path::{Path, PathBuf};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let binary = side::larkspur_binary(arguments.next().map(PathBuf::from));
    let (figures, picture) = (Path::new("tests/load/growth.csv"), Path::new("tests/load/growth.svg"));
    match what.as_deref() {
        Some("side-by-side") => side_by_side::run(&binary?).await,
        Some("growth") => {
            growth::run(&binary?, figures).await?;
            plot::draw(figures, picture)
        }
        Some("plot") => plot::draw(figures, picture),
        _ => anyhow::bail!("what to do: side-by-side | growth | plot"),
    }
}
