//! Single points that a walk along one message does not meet.
