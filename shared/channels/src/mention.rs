//! Mentions of people, so that the platform notifies them. The vendor's file chooses identity and markup; here are the
//! common rules.
//!
//! `{"name": "Li Lei", "phone": "+8613800000000", "identities": {"slack_user_id": "U012AB3CD"}}` → `<@U012AB3CD>` on
//! Slack, `Li Lei` where the channel cannot mention him. Identities come from operators and directories. A text that is
//! not an id is ignored, so no identity can be markup or mention a whole group.

use alerting::base::limits::cut_chars;
use alerting::people::Person;

use crate::clean::clean_line;

/// People that one message mentions: more than share an incident, and few enough that their markup (up to 80
/// characters each) leaves room for the message on every channel.
pub(crate) const PEOPLE: usize = 20;
/// Characters of a name beside a mention.
const NAME_CHARS: usize = 40;
/// Words with which some vendor mentions everyone. No id of a person is one of them.
const EVERYONE: [&str; 5] = ["all", "everyone", "here", "channel", "online"];

/// The first [`PEOPLE`] people, with names of one short line.
pub(crate) fn cleaned(people: &[Person]) -> Vec<Person> {
    union(people)
        .into_iter()
        .map(|person| Person { name: cut_chars(&clean_line(&person.name), NAME_CHARS), ..person })
        .collect()
}

/// Each person once, in order, at most [`PEOPLE`].
pub(crate) fn union<'a>(people: impl IntoIterator<Item = &'a Person>) -> Vec<Person> {
    let mut union: Vec<Person> = Vec::new();
    for person in people {
        if union.len() < PEOPLE && !union.contains(person) {
            union.push(person.clone());
        }
    }
    union
}

/// The person's identity of this name, if it is an id: 1 to 64 characters that `is_id` accepts, and not a word that
/// mentions everyone.
pub(crate) fn identity<'a>(person: &'a Person, name: &str, is_id: impl Fn(u8) -> bool) -> Option<&'a str> {
    let id = person.identities.get(name)?.trim();
    let is_everyone = EVERYONE.iter().any(|word| id.eq_ignore_ascii_case(word));
    ((1..=64).contains(&id.len()) && id.bytes().all(is_id) && !is_everyone).then_some(id)
}

/// All people in one line, written by `mention`, or by name if it returns `None`. Empty without people.
pub(crate) fn line(
    people: &[Person],
    mention: impl Fn(&Person) -> Option<String>,
    escape: impl Fn(&str) -> String,
) -> String {
    let words: Vec<String> =
        people.iter().map(|person| mention(person).unwrap_or_else(|| escape(&person.name))).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, id: &str) -> Person {
        let identities = [("x".to_owned(), id.to_owned())].into();
        Person { name: name.to_owned(), phone: None, identities }
    }

    #[test]
    fn a_text_that_is_not_an_id_is_ignored() {
        let of = |id: &str| identity(&person("Li", id), "x", |byte| byte.is_ascii_alphanumeric()).map(str::to_owned);
        assert_eq!(of(" U012 "), Some("U012".to_owned()));
        for id in ["", " ", "all", "ALL", "Here", "channel", "everyone", "a b", "<!here>", "a|b", "李", &"a".repeat(65)]
        {
            assert_eq!(of(id), None, "{id}");
        }
        assert_eq!(identity(&person("Li", "U012"), "y", |_| true), None);
    }

    #[test]
    fn nobody_is_mentioned_twice_and_no_more_than_fit() {
        let people: Vec<Person> = (0..30).map(|n| person("Li", &n.to_string())).collect();
        assert_eq!(union(people.iter().chain(&people)), people[..PEOPLE]);
        assert_eq!(cleaned(&[person("a\nb", "1")])[0].name, "a b");
    }
}
