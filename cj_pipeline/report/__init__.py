"""What people read at the end: one self-contained HTML file per batch, made from the stored tables."""
