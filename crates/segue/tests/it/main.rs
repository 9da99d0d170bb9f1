//! The binary as a user meets it: real processes, real files, a real S3 protocol on loopback.

mod check;
mod crash;
mod delivery;
mod demo;
mod events;
mod formats;
mod increment;
mod leaks;
mod membership;
mod messages;
mod objects;
mod policy;
mod profiles;
mod project;
mod real_iam;
mod real_server;
mod segments;
mod sign_in;
mod sources;
mod surface;
mod trust;
