//! Files for others: CSV and figures.
