//! What can be done with a project, whoever asks: the command line and the HTTP interface are two
//! faces of these services and have no powers of their own.

pub(crate) mod access;
pub(crate) mod backup;
pub(crate) mod decide;
pub(crate) mod evaluations;
pub(crate) mod last_sent;
pub(crate) mod objects;
pub(crate) mod people;
pub(crate) mod preview;
pub(crate) mod questions;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod schedule;
pub(crate) mod who_got;
