//! The protocol's two paths, at the root of the host: senders test for them, or build them themselves.
//!
//! A single trailing slash is taken (Apprise sends one), and so is any query string (Nightingale leaves `?noat=1` on the
//! URL); neither is part of the key.

/// Which form of the protocol a path speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `/open-apis/bot/hook/{key}`: `{"title","text"}`.
    V1,
    /// `/open-apis/bot/v2/hook/{key}`: `{"msg_type","content"|"card"}`.
    V2,
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    Hook {
        version: Version,
        key: &'a str,
    },
    /// In the protocol's part of the host, with what cannot be a key: answered as an unknown one.
    NoSuchHook,
    Elsewhere,
}

/// Longer than any key, so that nothing longer is ever looked up.
const KEY_CHARS: usize = 64;

pub fn target(path: &str) -> Target<'_> {
    let hook = path
        .strip_prefix("/open-apis/bot/v2/hook/")
        .map(|key| (Version::V2, key))
        .or_else(|| path.strip_prefix("/open-apis/bot/hook/").map(|key| (Version::V1, key)));
    match hook {
        Some((version, key)) => match key.strip_suffix('/').unwrap_or(key) {
            key if is_key(key) => Target::Hook { version, key },
            _ => Target::NoSuchHook,
        },
        None if path.trim_start_matches('/').starts_with("open-apis/bot") => Target::NoSuchHook,
        None => Target::Elsewhere,
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
            assert_eq!(target(&path), Target::Hook { version, key: KEY }, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_a_key_is_an_unknown_one() {
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
            assert_eq!(target(path), Target::NoSuchHook, "{path:.60}");
        }
    }

    #[test]
    fn the_rest_of_the_host_is_elsewhere() {
        for path in ["/", "", "/prod/open-apis/bot/v2/hook/abc", "/favicon.ico", "/open-apis/im/v1/messages"] {
            assert_eq!(target(path), Target::Elsewhere, "{path}");
        }
    }
}
