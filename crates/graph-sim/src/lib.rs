//! A simulated Microsoft cloud over real HTTP.
