//! G. Floods, bombs and growth.
