//! H. What people configure wrongly.
