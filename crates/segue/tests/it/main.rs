//! The binary as a user meets it: real processes, real files, a real S3 protocol on loopback.

mod check;
mod crash;
mod delivery;
mod demo;
mod encryption;
mod events;
mod files;
mod formats;
mod increment;
mod leaks;
mod machine;
mod membership;
mod messages;
mod objects;
mod policy;
mod profiles;
mod project;
mod real_iam;
mod real_server;
mod secrets;
mod segments;
mod sign_in;
mod surface;
mod trust;
