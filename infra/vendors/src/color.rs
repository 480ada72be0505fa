//! Colours in the vendors' own words.

/// A vendor's name for a colour, or one in hexadecimal digits, as `#RRGGBB`; nothing else may enter a style sheet.
pub(crate) fn accent(name: &str) -> Option<String> {
    let known = match name {
        "red" | "carmine" | "danger" | "attention" => "#E0352B",
        "orange" | "warning" => "#F5A623",
        "yellow" => "#F2C94C",
        "green" | "good" | "info" => "#218626",
        "turquoise" | "wathet" => "#2FB6C6",
        "blue" | "indigo" => "#2F80ED",
        "purple" | "violet" => "#8B5CF6",
        "grey" | "gray" | "comment" | "default" => "#8A919C",
        _ => {
            let digits = name.strip_prefix('#')?;
            let valid = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            return valid.then(|| name.to_owned());
        }
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_get_into_the_style_sheet() {
        assert_eq!(accent("#1a2B3c").as_deref(), Some("#1a2B3c"));
        assert_eq!(accent("#fff;}body{"), None);
        assert_eq!(accent("red").as_deref(), Some("#E0352B"));
    }
}
