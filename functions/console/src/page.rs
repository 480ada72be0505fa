//! Lists: `{"items":[…],"next":"…"}`, newest first, `?limit=` up to 100, `?after=` the last page's `next`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;

/// Items of a page if the request names no limit.
const DEFAULT_LIMIT: usize = 50;
/// The most items of one page. One DynamoDB read of 1 MB holds that many items of the largest size.
const MAX_LIMIT: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items per page, 1 to 100; the default is 50.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub(crate) limit: Option<String>,
    /// The value of `next` in the previous page.
    pub(crate) after: Option<String>,
}

/// The requested part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// The value for `after` to get the next page; `null` on the last page.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl Page {
    pub(crate) fn new(limit: Option<&str>, after: Option<String>) -> Result<Self, ApiError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => number("limit", text, 1, MAX_LIMIT)?,
        };
        Ok(Self { limit, after: after.filter(|after| !after.is_empty()) })
    }

    /// The cursor `after`, which must be a `T` from an earlier page of this list.
    pub(crate) fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, ApiError> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|_| not_a_cursor())
    }
}

impl Page {
    /// The cursor `after` of a list of saved objects: the time of creation and the id of an object.
    pub(crate) fn after_object(&self) -> Result<Option<&str>, ApiError> {
        let is_cursor = |after: &str| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
            let id = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
            after.split_once('.').is_some_and(|(made, made_id)| digits(made) && id(made_id))
        };
        match self.after.as_deref() {
            Some(after) if !is_cursor(after) => Err(not_a_cursor()),
            after => Ok(after),
        }
    }
}

fn not_a_cursor() -> ApiError {
    ApiError::invalid("after", "not a `next` of this list; leave it out to begin with the newest")
}

impl<T> Listed<T> {
    /// A page of a short list that is read as a whole; `next` is the number of earlier items.
    pub(crate) fn part(all: Vec<T>, page: &Page) -> Result<Self, ApiError> {
        let from: usize = page.after()?.unwrap_or(0);
        let until = from.saturating_add(page.limit);
        let next = (until < all.len()).then(|| until.to_string());
        Ok(Self { items: all.into_iter().skip(from).take(page.limit).collect(), next })
    }

    pub(crate) fn of<S>(page: store::Page<S>, view: impl FnMut(S) -> T) -> Self {
        Self { items: page.items.into_iter().map(view).collect(), next: page.next }
    }
}

impl TryFrom<PageQuery> for Page {
    type Error = ApiError;

    fn try_from(query: PageQuery) -> Result<Self, ApiError> {
        Page::new(query.limit.as_deref(), query.after)
    }
}

/// A whole number from the query string.
pub(crate) fn number(field: &str, text: &str, min: usize, max: usize) -> Result<usize, ApiError> {
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(ApiError::invalid(field, format!("expected a whole number from {min} to {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_over_one_hundred_is_refused_by_name() {
        for limit in ["0", "101", "-1", "ten", ""] {
            let error = Page::new(Some(limit), None).expect_err("is refused");
            assert!(matches!(error, ApiError::Invalid { field: Some(field), .. } if field == "limit"), "{limit}");
        }
        assert_eq!(Page::new(Some("100"), None).expect("valid").limit, 100);
    }
}
