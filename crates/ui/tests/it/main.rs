//! Every page on fixtures: as snapshots in both languages, and as files to look at.

mod files;
mod fixture;
mod gallery;
mod pages;
mod shown;
mod told;
mod told_in_source;
