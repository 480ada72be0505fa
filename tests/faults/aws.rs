//! C. AWS that throttles, times out, answers wrongly or not at all, between the functions and the embedded services.
