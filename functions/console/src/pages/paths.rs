//! Paths of the console that more than one page names, and which paths a person may be sent on to.

/// Where a person is sent who asked for no page.
const HOME: &str = "/incidents";
/// Where the navigation's form goes that changes the language.
pub(crate) const CHOOSE_LANGUAGE: &str = "/me/language";

/// `next` if it is a path of ours, else [`HOME`]. Browsers take `\` for `/`, and leave out control characters,
/// before they decide whether `//` begins another host.
pub(crate) fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let is_own = is_own && !next.starts_with("/sign-in") && next.len() <= 2048;
    // A header allows no other characters; a path that we wrote is escaped.
    if is_own && next.bytes().all(|byte| byte.is_ascii_graphic()) { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 84
    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, own) in [
            ("/incidents/inc_1?a=b", true),
            ("/", true),
            ("/me?next=//evil.example", true),
            ("", false),
            ("incidents", false),
            ("//evil.example", false),
            ("///evil.example", false),
            ("/\\evil.example", false),
            ("\\/evil.example", false),
            ("\\\\evil.example", false),
            ("https://evil.example", false),
            ("https:evil.example", false),
            ("javascript:alert(1)", false),
            ("/\t/evil.example", false),
            ("/\n/evil.example", false),
            ("\t//evil.example", false),
            (" //evil.example", false),
            ("/a\r\nset-cookie: x=y", false),
            ("/\u{0}", false),
            ("/事件", false),
            ("/sign-in", false),
            ("/sign-in/oidc", false),
        ] {
            assert_eq!(own_path(next), if own { next } else { HOME }, "{next:?}");
        }
        assert_eq!(own_path(&format!("/{}", "a".repeat(2048))), HOME);
    }
}
