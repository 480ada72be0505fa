//! The two paths of the protocol, at the root of the host, because senders check for them or build them themselves.
//!
//! A single trailing slash is accepted (Apprise sends one), and so is any query string (Nightingale leaves `?noat=1` on
//! the URL). Neither is part of the key.

use crate::protocol::HookPath;

/// The form of the protocol that a path uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `/open-apis/bot/hook/{key}`: `{"title","text"}`.
    V1,
    /// `/open-apis/bot/v2/hook/{key}`: `{"msg_type","content"|"card"}`.
    V2,
}

/// The most characters of a key that is looked up. No key is that long.
const KEY_CHARS: usize = 64;

const V1: &str = "/open-apis/bot/hook/";
const V2: &str = "/open-apis/bot/v2/hook/";

/// The path of new URLs.
pub(super) fn of(key: &str) -> String {
    format!("{V2}{key}")
}

pub(super) fn parse(path: &str) -> Option<HookPath<'_, Version>> {
    let v2 = path.strip_prefix(V2).map(|key| (Version::V2, key));
    match v2.or_else(|| path.strip_prefix(V1).map(|key| (Version::V1, key))) {
        Some((version, key)) => match key.strip_suffix('/').unwrap_or(key) {
            key if is_key(key) => Some(HookPath::Hook { version, key }),
            _ => Some(HookPath::NoSuchHook),
        },
        None if path.trim_start_matches('/').starts_with("open-apis/bot") => Some(HookPath::NoSuchHook),
        None => None,
    }
}

fn is_key(text: &str) -> bool {
    (1..=KEY_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "4fJk2LmNpQ8rStUvWx";

    #[test]
    fn both_forms_with_or_without_one_trailing_slash() {
        for (path, version) in [
            (format!("/open-apis/bot/v2/hook/{KEY}"), Version::V2),
            (format!("/open-apis/bot/v2/hook/{KEY}/"), Version::V2),
            (format!("/open-apis/bot/hook/{KEY}"), Version::V1),
            (format!("/open-apis/bot/hook/{KEY}/"), Version::V1),
        ] {
            assert_eq!(parse(&path), Some(HookPath::Hook { version, key: KEY }), "{path}");
        }
    }

    #[test]
    fn a_new_url_is_read_back() {
        assert_eq!(parse(&of(KEY)), Some(HookPath::Hook { version: Version::V2, key: KEY }));
    }

    #[test]
    fn a_path_of_this_source_without_a_possible_key_is_no_hook() {
        for path in [
            "/open-apis/bot/v2/hook/",
            "/open-apis/bot/v2/hook",
            "/open-apis/bot/v2/hook//abc",
            "/open-apis/bot/v2/hook/abc//",
            "/open-apis/bot/v2/hook/a%2Fb",
            "/open-apis/bot/v2/hook/a/b",
            "/open-apis/bot//v2/hook/abc",
            "//open-apis/bot/v2/hook/abc",
            "/open-apis/bot/v3/hook/abc",
            "/open-apis/bot/v2/hook/密钥",
            &format!("/open-apis/bot/v2/hook/{}", "a".repeat(8192)),
        ] {
            assert_eq!(parse(path), Some(HookPath::NoSuchHook), "{path:.60}");
        }
    }

    #[test]
    fn other_paths_are_not_of_this_source() {
        for path in ["/", "", "/prod/open-apis/bot/v2/hook/abc", "/favicon.ico", "/open-apis/im/v1/messages"] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
