//! Paths of the console that several pages use, and the check of redirect targets.

/// The page that opens if the person requested no other.
const HOME: &str = "/incidents";
/// The address to which the navigation posts the language form.
pub(crate) const CHOOSE_LANGUAGE: &str = "/me/language";

/// Returns `next` if it is a path of the console, otherwise [`HOME`]. Browsers treat `\` as `/` and remove control
/// characters before they check whether `//` begins another host.
pub(crate) fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let is_own = is_own && !next.starts_with("/sign-in") && next.len() <= 2048;
    // A header allows no other characters. Paths that the console writes are escaped.
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
