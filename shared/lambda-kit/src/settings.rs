//! The environment, read once. It holds names of resources and no tunables. Tunables are constants with a reason, or the
//! operator's configuration in the table. No other place in the project reads environment variables.

/// Reads variables and collects the missing ones, so that one error names all of them.
#[derive(Debug, Default)]
pub struct Env {
    missing: Vec<&'static str>,
}

/// Names every variable that is missing.
#[derive(Debug, thiserror::Error)]
#[error("missing environment variables: {}", .0.join(", "))]
pub struct MissingSettings(Vec<&'static str>);

impl Env {
    pub fn read() -> Self {
        Self::default()
    }

    /// The variable, or an empty text which [`Env::finish`] turns into an error.
    pub fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name);
            String::new()
        })
    }

    /// The variable, if it is set and not empty: a template passes an absent parameter as an empty text.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn optional(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    pub fn finish(self) -> Result<(), MissingSettings> {
        if self.missing.is_empty() { Ok(()) } else { Err(MissingSettings(self.missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 103
    #[test]
    fn all_missing_variables_are_named_at_once() {
        let mut env = Env::read();
        env.required("LARKSPUR_TEST_ABSENT_ONE");
        env.required("LARKSPUR_TEST_ABSENT_TWO");
        let error = env.finish().expect_err("both are missing");
        assert_eq!(
            error.to_string(),
            "missing environment variables: LARKSPUR_TEST_ABSENT_ONE, LARKSPUR_TEST_ABSENT_TWO"
        );
    }
}
