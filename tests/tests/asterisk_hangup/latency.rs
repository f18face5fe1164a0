//! How late Asterisk's second lines are.
