//! The list of platforms: one line each.

use crate::dingtalk::DingTalk;
use crate::feishu::Feishu;
use crate::platform::Platform;
use crate::slack::Slack;
use crate::slack::app::SlackApp;
use crate::telegram::Telegram;
use crate::wecom::WeCom;
use crate::zoom::Zoom;

pub(crate) const PLATFORMS: [&dyn Platform; 7] = [&Feishu, &DingTalk, &WeCom, &Slack, &SlackApp, &Telegram, &Zoom];

/// The platform whose server has this name, in any case and with any port.
pub(crate) fn at_host(host: &str) -> Option<&'static dyn Platform> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    PLATFORMS.into_iter().find(|platform| platform.hosts().iter().any(|known| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vendor::Vendor;

    #[test]
    fn every_vendor_has_one_platform_and_hosts_that_no_other_has() {
        assert_eq!(PLATFORMS.map(|platform| platform.vendor()), Vendor::ALL);
        let hosts: Vec<&str> = PLATFORMS.iter().flat_map(|platform| platform.hosts()).copied().collect();
        assert_eq!(hosts.iter().collect::<BTreeSet<_>>().len(), hosts.len(), "{hosts:?}");
        assert!(PLATFORMS.iter().all(|platform| !platform.hosts().is_empty()));
    }

    #[test]
    fn a_host_is_found_in_any_case_and_with_any_port() {
        for (host, expected) in [
            ("open.feishu.cn", Some(Vendor::Feishu)),
            ("OPEN.FEISHU.CN:443", Some(Vendor::Feishu)),
            ("open.larksuite.com", Some(Vendor::Feishu)),
            ("feishu.cn", None),
            ("open.feishu.cn.evil.example", None),
            ("127.0.0.1:9000", None),
            ("[::1]:9000", None),
            ("", None),
        ] {
            assert_eq!(at_host(host).map(Platform::vendor), expected, "{host}");
        }
    }
}
