//! adapter-sensetime.
