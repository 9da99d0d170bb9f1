//! The binary as a user meets it: real processes, real files, a real S3 protocol on loopback.

mod check;
mod crash;
mod delivery;
mod demo;
mod events;
mod formats;
mod http;
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
mod schedule;
mod segments;
mod serve;
mod sign_in;
mod surface;
mod trust;
mod webhook;
