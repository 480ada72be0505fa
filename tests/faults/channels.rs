//! E. Providers that fail, hang, lie, redirect or answer too much.
