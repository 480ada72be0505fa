//! A. Bad input at the intake.
