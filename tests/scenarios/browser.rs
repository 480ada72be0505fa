//! The pages in a real browser: `tools/browser.py` clicks through them as people do, and checks on each page what must
//! be true on every page.

use std::path::Path;
use std::time::Duration;

use local::options::Options;
use scenarios::World;
use serde_json::json;
use tokio::process::Command;

/// The longest duration of a journey, including the start of a browser, on a machine that also runs other tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// Runs a journey. If `LARKSPUR_SCREENSHOTS` names a folder, the screenshots are kept there.
async fn walk(journey: &str, size: &str) {
    walk_in(World::start().await, journey, size).await;
}

async fn walk_in(world: World, journey: &str, size: &str) {
    let larkspur = &world.larkspur;
    let demo = larkspur.demo.as_ref().expect("tests start with the demo");
    let folder = tempfile::tempdir().expect("a directory");
    let kept = std::env::var("LARKSPUR_SCREENSHOTS").ok();
    let wanted = json!({
        "screenshots": kept.unwrap_or_else(|| folder.path().display().to_string()),
        "size": size,
        "base": larkspur.known_as,
        "set_up_url": larkspur.set_up_url.as_ref().expect("nobody has an account yet").expose(),
        "integration_url": demo.integration_url.expose(),
        "group_url": demo.group_url,
    });
    let python = std::env::var_os("LARKSPUR_TEST_PYTHON").expect("tests/run.sh names a Python with Playwright");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/browser.py");
    let run = Command::new(python).arg(script).args([journey, &wanted.to_string()]).kill_on_drop(true).output();
    let run = tokio::time::timeout(PATIENCE, run).await.expect("the journey ends").expect("the browser starts");
    assert!(run.status.success(), "{journey}: {}", String::from_utf8_lossy(&run.stderr));
    world.larkspur.stop().await;
}

// Proves: pages
#[tokio::test]
async fn a_newcomer_comes_from_the_set_up_link_to_the_trace_in_eight_steps() {
    walk("first_steps", "desktop").await;
}

#[tokio::test]
async fn the_same_on_a_phone() {
    walk("first_steps", "phone").await;
}

// Proves: pages, finding E6
#[tokio::test]
async fn every_action_works_without_scripts_in_chinese_on_a_phone() {
    walk("every_action", "phone").await;
}

// Proves: pages
#[tokio::test]
async fn every_page_is_as_it_should_be_on_a_desktop_too() {
    walk("every_action", "desktop").await;
}

/// Browsers treat `larkspur.lan` as they treat any name or address of a local network: over plain HTTP they send no
/// `Sec-Fetch-Site` with a form.
// Proves: finding B2
#[tokio::test]
async fn forms_work_over_plain_http_on_a_network_and_a_foreign_page_posts_and_reads_nothing() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let listen = format!("127.0.0.1:{port}");
    let public_url = Some(format!("http://larkspur.lan:{port}"));
    let world = World::start_with(Options { listen, public_url, ..Options::default() }).await;
    walk_in(world, "plain_http", "desktop").await;
}
