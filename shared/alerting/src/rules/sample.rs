//! Sample texts that a filter's value or a pattern matches. They are used to try a real policy, and decide nothing
//! themselves.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::rules::filter::{Filter, Op};
use crate::rules::pattern::{self, Pattern};

/// The characters that are tried for a class, in this order. They are common in host and metric names.
const CHARACTERS: [char; 14] = ['a', 'b', 'A', 'B', '1', '2', '-', '_', '.', '/', ':', ' ', '告', '警'];
/// The number of repetitions if a pattern has no upper limit.
const ROUNDS: u32 = 3;
/// The most bytes of a sample, which is enough to try any rule.
const BYTES: usize = 1024;

/// Returns a text in which the pattern occurs. Different variants differ where the pattern allows several texts.
pub fn of_pattern(typed: &str, variant: usize) -> Option<String> {
    let mut text = String::new();
    write(&pattern::hir(typed)?, variant, &mut text);
    Some(text)
}

/// Returns a text for every group of a filter. The text satisfies the conditions on title, content and description that
/// require a match.
pub fn of_filter(filter: &Filter) -> Vec<String> {
    let wanted = |field: &str| matches!(field, "title" | "content" | "description");
    let group = |conditions: &[crate::rules::filter::Condition]| {
        let asked = conditions.iter().filter(|one| one.op == Op::Match && wanted(&one.field));
        asked.filter_map(|one| of_value(one.values.first()?)).collect::<Vec<_>>().join(" ")
    };
    filter.any.iter().map(|one| group(&one.all)).collect()
}

fn of_value(value: &str) -> Option<String> {
    if Pattern::is_slashed(value) {
        return of_pattern(value, 0);
    }
    let is_compared = value.starts_with("cidr:") || value.starts_with("num:");
    (!is_compared).then(|| value.replace(['*', '?'], "x"))
}

fn write(hir: &Hir, variant: usize, text: &mut String) {
    if text.len() > BYTES {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(of_class(class, variant)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repetition.min.max(ROUNDS.min(most)) {
                write(&repetition.sub, variant, text);
                if text.len() > BYTES {
                    return;
                }
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, variant, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, variant, text)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|part| write(part, variant, text)),
    }
}

fn of_class(class: &Class, variant: usize) -> Option<char> {
    let holds = |c: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c)),
        Class::Bytes(class) => u8::try_from(*c)
            .is_ok_and(|c| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))),
    };
    let usual: Vec<char> = CHARACTERS.into_iter().filter(holds).collect();
    match (usual.len(), class) {
        (0, Class::Unicode(class)) => class.ranges().first().map(|range| range.start()),
        (0, Class::Bytes(class)) => class.ranges().first().map(|range| range.start().into()),
        (known, _) => usual.get(variant % known).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_occurs_in_its_sample_and_variants_differ_where_it_leaves_a_choice() {
        for typed in [r"/host=(\S+)/", "/RESOLVED|OK/i", r"^\[(\w{2,5})\] (.*)$", r"/告警[:：]\s*(\d+)/", "/(.*)/"] {
            let compiled = Pattern::parse(typed).and_then(|pattern| pattern.compile()).expect("valid");
            let samples = [0, 1].map(|variant| of_pattern(typed, variant).expect("a sample"));
            assert!(samples.iter().all(|sample| compiled.is_match(sample.as_str())), "{typed}: {samples:?}");
        }
        assert_ne!(of_pattern(r"/host=(\S+)/", 0), of_pattern(r"/host=(\S+)/", 1));
        assert_eq!(of_pattern("/(FIRING|RESOLVED)/", 0), of_pattern("/(FIRING|RESOLVED)/", 1));
    }
}
