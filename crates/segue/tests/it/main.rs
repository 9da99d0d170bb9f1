//! The binary as a user meets it: real processes, real files, a real S3 protocol on loopback.

mod crash;
mod delivery;
mod demo;
mod formats;
mod increment;
mod leaks;
mod messages;
mod profiles;
mod project;
mod real_server;
mod surface;
