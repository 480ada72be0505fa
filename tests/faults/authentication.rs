//! F. Forgery, replay, guesses and what a role or key may not do.
