//! Instructions of the functions, counted by callgrind behind a Runtime API of this program.
//!
//! Per invocation: the slope between few invocations and many, so that the start-up cancels. To the first response: all of a
//! process that gets one event. The gates are ratios to a function that does nothing, built with the same profile and counted
//! in the same run, because absolute figures depend on the processor. `tests/speed/README.md` says how to run it.

mod counting;
mod events;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use local::Larkspur;
use local::options::Options;
use serde_json::json;

use crate::counting::{Counted, Subject, count};
use crate::events::Setting;

/// A function, and what it may cost: times the instructions of the function that does nothing.
struct Goal {
    function: &'static str,
    /// Records of one invocation; what is held is the cost of each.
    records: usize,
    /// Per record.
    at_most: f64,
    /// Millions of instructions to the first response.
    start: f64,
}

/// Each is held to what it costs today and a sixth.
const GOALS: [Goal; 4] = [
    // The goal is 4.0, set when doing nothing took 174 thousand instructions; it takes 131 thousand now.
    Goal { function: "IngestFunction", records: 1, at_most: 4.8, start: 6.0 },
    Goal { function: "EvaluateFunction", records: events::BATCH, at_most: 22.5, start: 11.0 },
    // 18 before messages became cards; 19.2 to 20.3 now, depending on the machine.
    Goal { function: "NotifyFunction", records: events::BATCH, at_most: 22.5, start: 8.1 },
    Goal { function: "ConsoleFunction", records: 1, at_most: 14.0, start: 12.5 },
];
/// All of ingest but the send: the step without what a function costs that does nothing but send.
const OWN_AT_MOST: f64 = 1.3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let examples =
        arguments.next().context("first argument: where cargo-lambda put the examples `nothing` and `send`")?;
    let functions = arguments.next().context("second argument: what `sam build` wrote")?;
    let only = arguments.next();
    let larkspur = Larkspur::start(Options::default()).await?;
    let setting = Arc::new(Setting::make(&larkspur).await?);
    let bare = |name: &str| Subject::new(&larkspur, &setting, "IngestFunction", examples.join(name).join("bootstrap"));
    let nothing = count(&larkspur, &bare("nothing")?).await?;
    let send = count(&larkspur, &bare("send")?).await?;
    report("does nothing", nothing, 1.0);
    report("does nothing but send", send, ratio(send.each, nothing.each));
    let mut failed = 0;
    for goal in GOALS.iter().filter(|goal| only.as_deref().is_none_or(|only| only == Path::new(goal.function))) {
        let binary = functions.join(goal.function).join("bootstrap");
        let counted = count(&larkspur, &Subject::new(&larkspur, &setting, goal.function, binary)?).await?;
        let each = Counted { each: counted.each / goal.records as u64, ..counted };
        report(goal.function, each, ratio(each.each, nothing.each));
        failed += hold(&format!("{} per record", goal.function), ratio(each.each, nothing.each), goal.at_most);
        failed += hold(&format!("{} start, millions", goal.function), counted.first as f64 / 1e6, goal.start);
        if goal.function == "IngestFunction" {
            let own = (counted.each + nothing.each).saturating_sub(send.each);
            failed += hold("IngestFunction without the send", ratio(own, nothing.each), OWN_AT_MOST);
        }
    }
    larkspur.stop().await;
    anyhow::ensure!(failed == 0, "{failed} failed");
    Ok(())
}

fn ratio(figure: u64, nothing: u64) -> f64 {
    figure as f64 / nothing as f64
}

#[expect(clippy::print_stdout, reason = "the result")]
fn report(what: &str, counted: Counted, times: f64) {
    let line = json!({"what": what, "per_record": counted.each, "times": times, "to_first_response": counted.first});
    println!("         {line}");
}

/// 1 if it is more than that.
#[expect(clippy::print_stdout, reason = "the result")]
fn hold(what: &str, figure: f64, at_most: f64) -> u32 {
    let kept = figure <= at_most;
    println!("    {} {what}: {figure:.2} (at most {at_most:.2})", if kept { "ok  " } else { "FAIL" });
    u32::from(!kept)
}
